//! Derives facts, findings, summaries and the full-text index from the ground, behind watermarks.
//!
//! One loop: spans in order of arrival, then those whose log records came late. Everything it writes can be dropped and
//! derived again; when [`VERSION`] rises, it is. Senders never wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use clew_core::model::UnixNanos;
use sqlx::{QueryBuilder, Row as _, Sqlite};
use tokio::sync::Notify;

use super::derived::{Derived, FactsRow, Summarised, derive, heads};
use super::search::{Index, SharedIndex, Texts};
use super::spans::{self, PLACE, Place};
use super::writer::Writer;
use super::{Store, now_micros};
use crate::error::Error;

/// Raised with every change that makes equal spans give other facts, findings or summaries.
const VERSION: i64 = 1;

/// Spans derived in one step: few enough that the first rows of a flood appear at once.
const STEP: i64 = 512;

/// A trace of more spans than this is summarised anew only when this much time has passed since the last time, times
/// the thousands of its spans.
const LARGE: usize = 1_000;
const LARGE_PAUSE: Duration = Duration::from_millis(250);

/// What the loop tells the rest of the engine.
pub(crate) trait Deriving: Send + Sync {
    /// Facts or summaries have changed.
    fn derived(&self);
    /// Derivation failed; it is tried again.
    fn failed(&self, error: &Error);
}

/// The loop's state.
pub(crate) struct Deriver {
    store: Store,
    writer: Writer,
    index: SharedIndex,
    wake: Arc<Notify>,
    listener: Arc<dyn Deriving>,
    /// Traces that wait to be summarised, and until when.
    waiting: BTreeMap<i64, Instant>,
    /// Large traces that have just been summarised, and how long they rest.
    resting: BTreeMap<i64, Instant>,
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
            store,
            writer,
            index,
            wake,
            listener,
            waiting: BTreeMap::new(),
            resting: BTreeMap::new(),
        }
    }

    /// Derives for ever; the task is aborted to stop it. Whatever it has not committed, it does again at the next start.
    pub(crate) async fn run(mut self) {
        while let Err(error) = self.resume().await {
            self.listener.failed(&error);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => self.rest().await,
                Err(error) => {
                    tracing::warn!("cannot derive: {error}");
                    self.listener.failed(&error);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Waits for new spans, or for the next large trace that is due.
    async fn rest(&self) {
        let due = self.waiting.values().min().copied();
        let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(60));
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep_until(due.into()) => {}
        }
    }

    /// Starts over where the deriver has changed, and finds the traces that a crash left without their summary.
    async fn resume(&mut self) -> Result<(), Error> {
        let version: i64 = sqlx::query_scalar("SELECT version FROM derivation")
            .fetch_one(&self.store.reads)
            .await?;
        if version != VERSION {
            self.writer
                .commit(|session| {
                    session.connection.execute_batch(
                        "DELETE FROM facts; DELETE FROM findings; DELETE FROM summaries; DELETE FROM trace_values;
                         DELETE FROM stale_spans;",
                    )?;
                    session
                        .connection
                        .execute("UPDATE derivation SET version = ?, through = 0", [VERSION])?;
                    Ok(())
                })
                .await?;
            self.index(|index| index.reset()).await?;
        }
        let unfinished: Vec<i64> = sqlx::query_scalar(
            "SELECT t.id FROM traces t LEFT JOIN summaries m ON m.trace = t.id
             WHERE t.spans > 0 AND m.changed IS NOT t.changed",
        )
        .fetch_all(&self.store.reads)
        .await?;
        let now = Instant::now();
        self.waiting
            .extend(unfinished.into_iter().map(|trace| (trace, now)));
        Ok(())
    }

    async fn index<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Index) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let index = Arc::clone(&self.index);
        tokio::task::spawn_blocking(move || {
            act(&mut index.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
        .map_err(Error::internal)?
    }

    /// Indexes texts of spans that still exist: a purge may have run since they were read.
    async fn add_to_index(&self, texts: Vec<Texts>, through: i64) -> Result<(), Error> {
        let texts = Arc::new(texts);
        loop {
            let removals = self.index(|index| Ok(index.removals())).await?;
            let mut query = QueryBuilder::<Sqlite>::new("SELECT id FROM spans WHERE id IN (");
            let mut list = query.separated(", ");
            texts.iter().for_each(|text| {
                list.push_bind(text.span);
            });
            query.push(")");
            let alive: Vec<i64> = query
                .build_query_scalar()
                .fetch_all(&self.store.reads)
                .await?;
            let alive: BTreeSet<i64> = alive.into_iter().collect();
            let texts = Arc::clone(&texts);
            let added = self
                .index(move |index| {
                    if index.removals() != removals {
                        return Ok(false);
                    }
                    index.add(
                        texts.iter().filter(|text| alive.contains(&text.span)),
                        through,
                    )?;
                    Ok(true)
                })
                .await?;
            if added {
                return Ok(());
            }
        }
    }

    /// Does the next piece of work; `false` when there is none.
    async fn step(&mut self) -> Result<bool, Error> {
        let through: i64 = sqlx::query_scalar("SELECT through FROM derivation")
            .fetch_one(&self.store.reads)
            .await?;
        let mut places = self.fresh(through).await?;
        let last = places.last().map(|place| place.id);
        let stale = self.stale(through).await?;
        places.extend(stale.iter().map(|(place, _)| place.clone()));
        let gone: Vec<i64> = places
            .iter()
            .filter(|place| !place.shown)
            .map(|place| place.id)
            .collect();
        let touched: BTreeSet<i64> = places.iter().map(|place| place.trace).collect();
        places.retain(|place| place.shown);
        if !touched.is_empty() {
            let derived = self.derive(places).await?;
            let stale = stale.iter().map(|(place, times)| (place.id, *times));
            let stale: Vec<(i64, i64)> = stale.collect();
            self.save(&derived, gone.clone(), stale, last).await?;
            let now = Instant::now();
            for trace in touched.iter().copied() {
                let due = self.resting.get(&trace).copied().unwrap_or(now);
                self.waiting.entry(trace).or_insert(due);
            }
            self.summarise().await?;
            let mut texts: Vec<Texts> = derived.into_iter().map(|derived| derived.texts).collect();
            if !gone.is_empty() {
                self.index(move |index| index.remove(&gone, false)).await?;
            }
            // Behind facts, the index must not pass over what lies between: it catches up in order.
            let indexed = self.index(|index| index.through()).await?;
            let watermark = if indexed < through {
                texts.retain(|text| text.span <= indexed);
                indexed
            } else {
                last.unwrap_or(through)
            };
            self.add_to_index(texts, watermark).await?;
            self.listener.derived();
            return Ok(true);
        }
        let worked = self.summarise().await?;
        if worked {
            self.listener.derived();
        }
        Ok(self.catch_up_index(through).await? || worked)
    }

    async fn fresh(&self, through: i64) -> Result<Vec<Place>, Error> {
        let mut query =
            QueryBuilder::<Sqlite>::new(format!("SELECT {PLACE} FROM spans s WHERE s.id > "));
        query
            .push_bind(through)
            .push(" ORDER BY s.id LIMIT ")
            .push_bind(STEP);
        Ok(query
            .build()
            .fetch_all(&self.store.reads)
            .await?
            .iter()
            .map(spans::place)
            .collect())
    }

    /// Stale spans, each with how often it has become so.
    async fn stale(&self, through: i64) -> Result<Vec<(Place, i64)>, Error> {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {PLACE}, d.times FROM stale_spans d JOIN spans s ON s.id = d.span WHERE s.id <= "
        ));
        query.push_bind(through).push(" LIMIT ").push_bind(STEP);
        Ok(query
            .build()
            .fetch_all(&self.store.reads)
            .await?
            .iter()
            .map(|row| (spans::place(row), row.get(11)))
            .collect())
    }

    /// Derives spans; one that cannot be read or derived is left without facts and does not hold up the others.
    async fn derive(&self, places: Vec<Place>) -> Result<Vec<Derived>, Error> {
        let error = match self.derive_together(places.clone()).await {
            Ok(derived) => return Ok(derived),
            Err(error) => error,
        };
        let mut derived = Vec::with_capacity(places.len());
        for place in places {
            match self.derive_together(vec![place]).await {
                Ok(mut one) => derived.append(&mut one),
                Err(error) => tracing::warn!("cannot derive a span: {error}"),
            }
        }
        // Where none can be read, it is the database that fails, and it is tried again.
        if derived.is_empty() {
            return Err(error);
        }
        Ok(derived)
    }

    async fn derive_together(&self, places: Vec<Place>) -> Result<Vec<Derived>, Error> {
        let whole = spans::whole(&self.store.reads, places).await?;
        tokio::task::spawn_blocking(move || whole.into_iter().map(derive).collect())
            .await
            .map_err(Error::internal)
    }

    async fn save(
        &self,
        derived: &[Derived],
        gone: Vec<i64>,
        stale: Vec<(i64, i64)>,
        through: Option<i64>,
    ) -> Result<(), Error> {
        let rows = derived
            .iter()
            .map(FactsRow::of)
            .collect::<Result<Vec<_>, _>>()?;
        self.writer
            .commit(move |session| {
                for row in &rows {
                    row.store(session)?;
                }
                let connection = session.connection;
                for span in gone {
                    connection
                        .prepare_cached("DELETE FROM facts WHERE span = ?")?
                        .execute([span])?;
                    connection
                        .prepare_cached("DELETE FROM findings WHERE span = ?")?
                        .execute([span])?;
                }
                for (span, times) in stale {
                    // What came while this was derived makes it stale once more.
                    connection
                        .prepare_cached("DELETE FROM stale_spans WHERE span = ? AND times = ?")?
                        .execute([span, times])?;
                }
                if let Some(through) = through {
                    connection
                        .prepare_cached("UPDATE derivation SET through = ?")?
                        .execute([through])?;
                }
                Ok(())
            })
            .await
    }

    /// Summarises the traces that are due; `false` where none was.
    async fn summarise(&mut self) -> Result<bool, Error> {
        let now = Instant::now();
        let due: Vec<i64> = self
            .waiting
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(trace, _)| *trace)
            .collect();
        if due.is_empty() {
            return Ok(false);
        }
        let heads = heads(&self.store, &due).await?;
        let rows = spans::rows(&self.store.reads, &due).await?;
        self.resting.retain(|_, until| *until > now);
        for (trace, rows) in rows.iter().filter(|(_, rows)| rows.len() > LARGE) {
            let pause =
                LARGE_PAUSE.saturating_mul(u32::try_from(rows.len() / LARGE).unwrap_or(u32::MAX));
            self.resting.insert(*trace, now + pause);
        }
        let summaries = tokio::task::spawn_blocking(move || {
            let now = UnixNanos(
                u64::try_from(now_micros())
                    .unwrap_or(0)
                    .saturating_mul(1_000),
            );
            heads
                .into_iter()
                .filter_map(|head| {
                    rows.get(&head.id)
                        .map(|rows| Summarised::of(&head, rows, now))
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .await
        .map_err(Error::internal)??;
        self.writer
            .commit(move |session| {
                for summary in &summaries {
                    summary.store(session)?;
                }
                Ok(())
            })
            .await?;
        for trace in due {
            self.waiting.remove(&trace);
        }
        Ok(true)
    }

    /// Indexes what facts already cover but the index does not: it was deleted, or a crash left it behind.
    async fn catch_up_index(&mut self, through: i64) -> Result<bool, Error> {
        let indexed = self.index(|index| index.through()).await?;
        if indexed > through {
            // The index of another database, or of one that was restored: build it again.
            self.index(|index| index.reset()).await?;
            return Ok(true);
        }
        if indexed == through {
            return Ok(false);
        }
        let mut query =
            QueryBuilder::<Sqlite>::new(format!("SELECT {PLACE} FROM spans s WHERE s.id > "));
        query
            .push_bind(indexed)
            .push(" AND s.id <= ")
            .push_bind(through);
        query.push(" ORDER BY s.id LIMIT ").push_bind(STEP);
        let mut places: Vec<Place> = query
            .build()
            .fetch_all(&self.store.reads)
            .await?
            .iter()
            .map(spans::place)
            .collect();
        let last = places.last().map_or(through, |place| place.id);
        places.retain(|place| place.shown);
        let texts: Vec<Texts> = self
            .derive(places)
            .await?
            .into_iter()
            .map(|derived| derived.texts)
            .collect();
        self.add_to_index(texts, last).await?;
        Ok(true)
    }
}
