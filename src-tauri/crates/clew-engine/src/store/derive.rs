//! Derives facts, findings and summaries from the ground, behind a watermark.
//!
//! One loop: spans in order of arrival, and those whose log records came late. While a step is being stored, the next one
//! is read and derived. Everything it writes can be dropped and derived again; when [`VERSION`] rises, it is. Senders
//! never wait for it, and it waits for the index ([`super::indexing`]) no longer than a moment.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clew_core::model::UnixNanos;
use clew_core::price::PriceDesk;
use clew_core::trace::SpanRow;
use tokio::sync::Notify;

use super::derived::{Derived, Summarised, derive, each, heads};
use super::elsewhere;
use super::facts_row::forget;
use super::indexing::{Batch, Handover, Indexer};
use super::overrides;
use super::pieces;
use super::prices::Decisions;
use super::repack::Repacking;
use super::rows::{self, StoredRow};
use super::search::{self, SharedIndex, Texts};
use super::spans::{self, Place};
use super::writer::{Session, Writer};
use super::{Store, now_micros};
use crate::error::Error;

/// Raised with every change that makes equal spans give other facts, findings or summaries.
const VERSION: i64 = 8;

/// Spans derived in one step: few at first, so that the first rows of a flood appear at once; each step that leaves some
/// behind doubles the next one, because large ones cost less a span.
const STEP: i64 = 512;
const LARGEST_STEP: i64 = 1_024;

/// Traces summarised in one step at the most, more than a step can touch, and their spans that are read for it: beyond
/// the first trace, those that would exceed it wait for the next step.
const SUMMARISED: usize = 2_048;
const SUMMARISED_SPANS: i64 = 20_000;

/// A trace of more spans than this is summarised anew only when this much time has passed since the last time, times
/// the thousands of its spans.
const LARGE: usize = 1_000;
const LARGE_PAUSE: Duration = Duration::from_millis(250);

/// What the loop tells the rest of the engine.
pub(crate) trait Deriving: Send + Sync {
    /// Facts, summaries or the index have changed.
    fn derived(&self);
    /// Spans whose content cannot be read are given up; why the first of them cannot.
    fn unreadable(&self, error: &Error);
    /// Derivation failed; it is tried again.
    fn failed(&self, error: &Error);
}

/// The loop's state.
pub(crate) struct Deriver {
    store: Store,
    writer: Writer,
    index: SharedIndex,
    handover: Arc<Handover>,
    wake: Arc<Notify>,
    listener: Arc<dyn Deriving>,
    /// Traces that wait to be summarised, and until when.
    waiting: BTreeMap<i64, Instant>,
    /// Traces that an earlier run left without their summary: they fill the steps that have room.
    unfinished: Vec<i64>,
    /// Large traces that have just been summarised, and how long they rest.
    resting: BTreeMap<i64, Instant>,
    repacking: Repacking,
    /// The prices by which traces are summarised, and the decisions that they follow.
    desk: Option<(Arc<Decisions>, PriceDesk)>,
}

/// Spans read and derived, to be stored together.
#[derive(Default)]
struct Step {
    after: i64,
    through: i64,
    derived: Vec<Derived>,
    /// Rows of the newly arrived spans that are shown, by trace.
    rows: BTreeMap<i64, Vec<(i64, SpanRow)>>,
    touched: BTreeSet<i64>,
    /// Whether there was more to read than the step took.
    full: bool,
    unreadable: Vec<Error>,
}

/// Spans derived before that are to be derived again.
#[derive(Default)]
struct Stale {
    derived: Vec<Derived>,
    /// No longer shown.
    gone: Vec<i64>,
    /// All of them, readable or not.
    places: Vec<Place>,
    /// How often each had become stale when it was read, by its id.
    times: HashMap<i64, i64>,
    unreadable: Vec<Error>,
}

impl Deriver {
    pub(crate) fn new(
        store: Store,
        writer: Writer,
        index: SharedIndex,
        wake: Arc<Notify>,
        listener: Arc<dyn Deriving>,
    ) -> Self {
        Self {
            repacking: Repacking::new(store.clone(), writer.clone()),
            store,
            writer,
            index,
            handover: Arc::default(),
            wake,
            listener,
            waiting: BTreeMap::new(),
            unfinished: Vec::new(),
            resting: BTreeMap::new(),
            desk: None,
        }
    }

    /// Derives and indexes for ever; the task is aborted to stop it. What it has not committed, it does again at the next
    /// start.
    pub(crate) async fn run(mut self) {
        while let Err(error) = self.resume().await {
            self.listener.failed(&error);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let indexer = Indexer::new(
            self.store.clone(),
            Arc::clone(&self.index),
            Arc::clone(&self.handover),
            Arc::clone(&self.listener),
        );
        let deriving = async {
            loop {
                if let Err(error) = self.follow().await {
                    self.listener.failed(&error);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        tokio::join!(deriving, indexer.run());
    }

    /// Starts over where the deriver has changed, and finds the traces that a crash left without their summary.
    async fn resume(&mut self) -> Result<(), Error> {
        let version: i64 = sqlx::query_scalar("SELECT version FROM derivation")
            .fetch_one(&self.store.reads)
            .await?;
        if version != VERSION {
            self.start_over().await?;
        }
        // What lies behind the watermark is touched by the steps to come.
        self.unfinished = sqlx::query_scalar(
            "SELECT t.id FROM traces t LEFT JOIN summaries m ON m.trace = t.id
             WHERE t.spans > 0 AND m.changed IS NOT t.changed AND EXISTS (
                 SELECT 1 FROM spans s WHERE s.trace = t.id AND +s.id <= (SELECT through FROM derivation))",
        )
        .fetch_all(&self.store.reads)
        .await?;
        Ok(())
    }

    /// Empties what was derived by another version, in short transactions. Until the last of them no version is stated, so
    /// that whatever Clew comes next starts over too.
    async fn start_over(&self) -> Result<(), Error> {
        // The index first: beyond the watermark of facts, it is built again in any case.
        search::with(&self.index, |index| index.reset()).await?;
        self.state(0).await?;
        for delete in [
            "DELETE FROM facts
             WHERE span <= coalesce((SELECT span FROM facts ORDER BY span LIMIT 1 OFFSET 4095), 9223372036854775807)",
            "DELETE FROM findings
             WHERE span <= coalesce((SELECT span FROM findings ORDER BY span LIMIT 1 OFFSET 4095), 9223372036854775807)",
            "DELETE FROM summaries
             WHERE trace <= coalesce((SELECT trace FROM summaries ORDER BY trace LIMIT 1 OFFSET 4095),
                                     9223372036854775807)",
            "DELETE FROM trace_values
             WHERE trace <= coalesce((SELECT trace FROM trace_values ORDER BY trace LIMIT 1 OFFSET 4095),
                                     9223372036854775807)",
            "DELETE FROM stale_spans
             WHERE span <= coalesce((SELECT span FROM stale_spans ORDER BY span LIMIT 1 OFFSET 4095),
                                    9223372036854775807)",
        ] {
            let slice = move |session: &mut Session<'_>| {
                Ok(session.connection.prepare_cached(delete)?.execute([])?)
            };
            while self.writer.commit(slice).await? > 0 {}
        }
        self.state(VERSION).await
    }

    /// States which version has derived what there is: nothing yet.
    async fn state(&self, version: i64) -> Result<(), Error> {
        self.writer
            .commit(move |session| {
                session.connection.execute(
                    "UPDATE derivation SET version = ?, through = 0, marked = NULL",
                    [version],
                )?;
                Ok(())
            })
            .await
    }

    /// Derives until nothing is left to derive, then rests until there is.
    async fn follow(&mut self) -> Result<(), Error> {
        let mut after: i64 = sqlx::query_scalar("SELECT through FROM derivation")
            .fetch_one(&self.store.reads)
            .await?;
        let mut size = STEP;
        let mut step = read(&self.store, after, size).await?;
        loop {
            let marking = overrides::mark(&self.store, &self.writer).await?;
            let stale = self.stale(after).await?;
            if self.unfinished.is_empty() {
                self.unfinished =
                    sqlx::query_scalar("SELECT trace FROM summaries WHERE changed = -1")
                        .fetch_all(&self.store.reads)
                        .await?;
                self.unfinished
                    .retain(|trace| !self.waiting.contains_key(trace));
            }
            let due = !self.unfinished.is_empty()
                || self.waiting.values().any(|at| *at <= Instant::now());
            if step.through == after && stale.places.is_empty() && !due && !marking {
                break;
            }
            size = if step.full {
                (size * 2).min(LARGEST_STEP)
            } else {
                STEP
            };
            after = step.through;
            // Behind a step that took everything there is nothing to read but what has come since: look when it is stored.
            let (store, more) = (self.store.clone(), step.full);
            let next = async {
                match more {
                    true => read(&store, after, size).await.map(Some),
                    false => Ok(None),
                }
            };
            let (saved, next) = tokio::join!(self.save(step, stale), next);
            saved?;
            self.listener.derived();
            step = match next? {
                Some(next) => next,
                None => read(&self.store, after, size).await?,
            };
        }
        self.rest().await
    }

    /// Waits for new spans, or for the next large trace that is due; repacks meanwhile.
    async fn rest(&mut self) -> Result<(), Error> {
        let due = self.waiting.values().min().copied();
        let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
        tokio::select! {
            () = self.wake.notified() => Ok(()),
            () = tokio::time::sleep_until(due.into()) => Ok(()),
            () = tokio::time::sleep_until(self.repacking.due().into()) => self.repacking.step().await,
        }
    }

    /// Reads and derives anew the spans that ground says have changed, up to the watermark.
    async fn stale(&self, through: i64) -> Result<Stale, Error> {
        let times: HashMap<i64, i64> = sqlx::query_as(
            "SELECT d.span, d.times FROM stale_spans d JOIN spans s ON s.id = d.span WHERE s.id <= ? LIMIT ?",
        )
        .bind(through)
        .bind(STEP)
        .fetch_all(&self.store.reads)
        .await?
        .into_iter()
        .collect();
        let ids = times.keys().copied().collect();
        let (mut places, lost) = spans::places(&self.store.reads, ids).await?;
        if lost > 0 {
            self.listener.unreadable(&pieces::lost(lost, "spans"));
        }
        if places.is_empty() {
            return Ok(Stale::default());
        }
        let reached = search::with(&self.index, |index| {
            Ok(if index.has_room() {
                i64::MAX
            } else {
                index.through()?
            })
        })
        .await?;
        places.retain(|place| place.id <= reached);
        let (gone, shown): (Vec<Place>, Vec<Place>) =
            places.iter().cloned().partition(|place| !place.shown);
        let made = each(&self.store, shown.clone(), derive, weigh).await?;
        let left: BTreeSet<i64> = shown[made.taken..].iter().map(|place| place.id).collect();
        places.retain(|place| !left.contains(&place.id));
        Ok(Stale {
            derived: made.all,
            unreadable: made.unreadable,
            gone: gone.iter().map(|place| place.id).collect(),
            places,
            times,
        })
    }

    /// Stores a step with the summaries of its traces in one transaction, then hands its texts over to the index.
    async fn save(&mut self, mut step: Step, mut stale: Stale) -> Result<(), Error> {
        let now = Instant::now();
        if let Some(error) = step.unreadable.iter().chain(&stale.unreadable).next() {
            self.listener.unreadable(error);
        }
        let touched = stale.places.iter().map(|place| place.trace);
        let touched: BTreeSet<i64> = touched.chain(step.touched.iter().copied()).collect();
        for &trace in &touched {
            let due = self.resting.get(&trace).copied().unwrap_or(now);
            self.waiting.entry(trace).or_insert(due);
        }
        let due = self.due(now);
        let (summaries, done, others) = self.summarise(&due, &mut step, &mut stale).await?;
        // Facts that no summary covers yet: a crash must not leave it at that.
        let outdated: Vec<i64> = touched.difference(&done).chain(&others).copied().collect();
        // Before the mark falls: after a crash they are derived and indexed once more.
        if !stale.places.is_empty() {
            let replaced: Vec<Texts> = stale
                .derived
                .iter_mut()
                .map(|derived| std::mem::take(&mut derived.texts))
                .collect();
            let gone = stale.gone.clone();
            search::with(&self.index, move |index| {
                index.remove(&gone)?;
                index.replace(replaced)
            })
            .await?;
        }
        let (after, through) = (step.after, step.through);
        let mut texts = Vec::with_capacity(step.derived.len());
        let mut facts = Vec::with_capacity(step.derived.len());
        for derived in step.derived {
            texts.push(derived.texts);
            facts.push(derived.facts);
        }
        self.writer
            .commit(move |session| {
                for row in &facts {
                    row.store(session, false)?;
                }
                for span in stale.gone {
                    forget(session, span)?;
                }
                for derived in &stale.derived {
                    derived.facts.store(session, true)?;
                }
                for place in &stale.places {
                    // What came while this was derived makes it stale once more.
                    session
                        .connection
                        .prepare_cached("DELETE FROM stale_spans WHERE span = ? AND times = ?")?
                        .execute((place.id, stale.times.get(&place.id)))?;
                }
                for trace in outdated {
                    session
                        .connection
                        .prepare_cached(
                            "UPDATE summaries SET changed = -1 WHERE trace = ? AND changed <> -1",
                        )?
                        .execute([trace])?;
                }
                for summary in &summaries {
                    summary.store(session)?;
                }
                if through > after {
                    session
                        .connection
                        .prepare_cached("UPDATE derivation SET through = ?")?
                        .execute([through])?;
                }
                Ok(())
            })
            .await?;
        for trace in &done {
            self.waiting.remove(trace);
        }
        if through > after {
            let batch = Batch {
                after,
                through,
                texts,
            };
            self.handover.push(batch).await;
        }
        Ok(())
    }

    /// The traces whose time has come, longest ago first, as many as a step may take.
    fn due(&mut self, now: Instant) -> Vec<i64> {
        let waiting = self.waiting.iter().filter(|(_, at)| **at <= now);
        let mut due: Vec<(Instant, i64)> = waiting.map(|(trace, at)| (*at, *trace)).collect();
        due.sort_unstable();
        due.truncate(SUMMARISED);
        let mut due: Vec<i64> = due.into_iter().map(|(_, trace)| trace).collect();
        let room = SUMMARISED - due.len();
        let left = self.unfinished.len().saturating_sub(room);
        for trace in self.unfinished.split_off(left) {
            if let Entry::Vacant(waiting) = self.waiting.entry(trace) {
                waiting.insert(now);
                due.push(trace);
            }
        }
        due
    }

    /// Summarises traces as they will be once `step` and `stale` are stored, and notes in these what counts in totals.
    /// Says which of them need no summary any more, since what is too much for one step is left out, and which other
    /// traces need one.
    async fn summarise(
        &mut self,
        due: &[i64],
        step: &mut Step,
        stale: &mut Stale,
    ) -> Result<(Vec<Summarised>, BTreeSet<i64>, BTreeSet<i64>), Error> {
        if due.is_empty() {
            return Ok(Default::default());
        }
        let mut heads = heads(&self.store, due).await?;
        // A trace of which all spans have just arrived need not be read.
        let known = |trace: i64, spans: i64| {
            let arrived = step.rows.get(&trace).map_or(0, Vec::len);
            i64::try_from(arrived).is_ok_and(|arrived| arrived == spans)
        };
        let places = due.iter().zip(0_usize..);
        let places: HashMap<i64, usize> = places.map(|(trace, place)| (*trace, place)).collect();
        heads.sort_unstable_by_key(|head| places.get(&head.id));
        let mut done: BTreeSet<i64> = due.iter().copied().collect();
        let mut unknown: Vec<i64> = Vec::new();
        let mut spans = 0_i64;
        heads.retain(|head| {
            if known(head.id, head.spans) {
                return true;
            }
            spans = spans.saturating_add(head.spans);
            if spans > SUMMARISED_SPANS && !unknown.is_empty() {
                done.remove(&head.id);
                return false;
            }
            unknown.push(head.id);
            true
        });
        let stored = rows::stored(&self.store.reads, &unknown).await?;
        if stored.lost > 0 {
            self.listener
                .unreadable(&pieces::lost(stored.lost, "spans"));
        }
        let mut stored = stored.found;
        let mut facts: HashMap<i64, &mut Derived> = step
            .derived
            .iter_mut()
            .chain(stale.derived.iter_mut())
            .map(|derived| (derived.place.id, derived))
            .collect();
        let unknown: HashSet<i64> = unknown.into_iter().collect();
        for head in &heads {
            if !unknown.contains(&head.id) {
                stored.insert(head.id, fresh_rows(step.rows.remove(&head.id)));
            }
        }
        for row in stored.values_mut().flatten() {
            if let Some(derived) = facts.get(&row.id) {
                row.row.facts = Some(Box::new(derived.row.clone()));
            }
        }
        let now = Instant::now();
        self.resting.retain(|_, until| *until > now);
        for (trace, rows) in stored.iter().filter(|(_, rows)| rows.len() > LARGE) {
            let pause =
                LARGE_PAUSE.saturating_mul(u32::try_from(rows.len() / LARGE).unwrap_or(u32::MAX));
            self.resting.insert(*trace, now + pause);
        }
        let decisions = self.store.prices.decisions();
        let mut desk = match self.desk.take() {
            Some((followed, desk)) if Arc::ptr_eq(&followed, &decisions) => desk,
            _ => self.store.prices.desk(),
        };
        let summarised = tokio::task::spawn_blocking(move || {
            let now = UnixNanos(
                u64::try_from(now_micros())
                    .unwrap_or(0)
                    .saturating_mul(1_000),
            );
            heads
                .iter()
                .filter_map(|head| Some((head, stored.remove(&head.id)?)))
                .map(|(head, rows)| Summarised::of(head, rows, &mut desk, now))
                .collect::<Result<Vec<_>, _>>()
                .map(|summarised| (summarised, desk))
        })
        .await
        .map_err(Error::internal)??;
        let (mut summaries, desk) = summarised;
        self.desk = Some((decisions, desk));
        // Another trace may tell of the same call and say more, or less than it did when it was summarised.
        let now = Instant::now();
        let others = elsewhere::settle(&self.store.reads, &mut summaries).await?;
        for &trace in &others {
            self.waiting.entry(trace).or_insert(now);
        }
        for (span, share) in summaries.iter().flat_map(Summarised::shares) {
            if let Some(derived) = facts.get_mut(&span) {
                derived.facts.share = Some(share);
            }
        }
        Ok((summaries, done, others))
    }
}

/// Rows of spans that have just arrived, in the order of their ids.
fn fresh_rows(rows: Option<Vec<(i64, SpanRow)>>) -> Vec<StoredRow> {
    let mut rows: Vec<StoredRow> = rows
        .unwrap_or_default()
        .into_iter()
        .map(|(id, row)| StoredRow {
            id,
            share: None,
            row,
        })
        .collect();
    rows.sort_by_key(|stored| stored.row.span_id);
    rows
}

fn weigh(derived: &Derived) -> usize {
    derived.texts.bytes()
}

/// Reads and derives the spans that arrived after one.
async fn read(store: &Store, after: i64, size: i64) -> Result<Step, Error> {
    let rows::Arrived {
        spans: mut arrived,
        through,
        lost,
    } = rows::arrived(&store.reads, after, size).await?;
    let mut full = i64::try_from(arrived.len() + lost).is_ok_and(|count| count == size);
    let mut through = through.unwrap_or(after);
    let shown: Vec<Place> = arrived
        .iter()
        .filter(|(place, _)| place.shown)
        .map(|(place, _)| place.clone())
        .collect();
    let made = each(store, shown.clone(), derive, weigh).await?;
    if let Some(first_left) = shown.get(made.taken) {
        full = true;
        arrived.retain(|(place, _)| place.id < first_left.id);
        through = arrived.last().map_or(after, |(place, _)| place.id);
    }
    let mut step = Step {
        after,
        through,
        derived: made.all,
        unreadable: made.unreadable,
        full,
        ..Step::default()
    };
    if lost > 0 {
        step.unreadable.push(pieces::lost(lost, "spans"));
    }
    for (place, row) in arrived {
        step.touched.insert(place.trace);
        if let Some(row) = row.filter(|_| place.shown) {
            step.rows
                .entry(place.trace)
                .or_default()
                .push((place.id, row));
        }
    }
    Ok(step)
}
