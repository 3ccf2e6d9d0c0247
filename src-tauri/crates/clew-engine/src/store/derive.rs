//! Derives facts, findings, summaries and the full-text index from the ground, behind watermarks.
//!
//! One loop: spans in order of arrival, then those whose log records came late. Everything it writes can be dropped and
//! derived again; when [`VERSION`] rises, it is. Senders never wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use clew_core::convention;
use clew_core::model::{Facts, Message, Operation, Part, SpanView, TraceId, UnixNanos};
use clew_core::quality::{self, Finding};
use clew_core::trace::{self, RowFacts, SpanRow, TraceSummary};
use rusqlite::params;
use sqlx::{QueryBuilder, Row as _, Sqlite};
use tokio::sync::Notify;

use super::search::{Index, SharedIndex, Texts};
use super::spans::{self, Place, Whole, PLACE};
use super::writer::{Session, Writer};
use super::{now_micros, Store};
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

/// What is derived from one span.
struct Derived {
    place: Place,
    start: i64,
    duration: Option<i64>,
    failed: bool,
    facts: Facts,
    row: RowFacts,
    findings: Vec<Finding>,
    texts: Texts,
}

impl Deriver {
    pub(crate) fn new(
        store: Store,
        writer: Writer,
        index: SharedIndex,
        wake: Arc<Notify>,
        listener: Arc<dyn Deriving>,
    ) -> Self {
        Self { store, writer, index, wake, listener, waiting: BTreeMap::new(), resting: BTreeMap::new() }
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
        let version: i64 =
            sqlx::query_scalar("SELECT version FROM derivation").fetch_one(&self.store.reads).await?;
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
        self.waiting.extend(unfinished.into_iter().map(|trace| (trace, now)));
        Ok(())
    }

    async fn index<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Index) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let index = Arc::clone(&self.index);
        tokio::task::spawn_blocking(move || act(&mut index.lock().unwrap_or_else(PoisonError::into_inner)))
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
            let alive: Vec<i64> = query.build_query_scalar().fetch_all(&self.store.reads).await?;
            let alive: BTreeSet<i64> = alive.into_iter().collect();
            let texts = Arc::clone(&texts);
            let added = self
                .index(move |index| {
                    if index.removals() != removals {
                        return Ok(false);
                    }
                    index.add(texts.iter().filter(|text| alive.contains(&text.span)), through)?;
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
        let through: i64 = sqlx::query_scalar("SELECT through FROM derivation").fetch_one(&self.store.reads).await?;
        let mut places = self.fresh(through).await?;
        let last = places.last().map(|place| place.id);
        let stale = self.stale(through).await?;
        places.extend(stale.iter().cloned());
        let gone: Vec<i64> = places.iter().filter(|place| !place.shown).map(|place| place.id).collect();
        let touched: BTreeSet<i64> = places.iter().map(|place| place.trace).collect();
        places.retain(|place| place.shown);
        if !touched.is_empty() {
            let derived = self.derive(places).await?;
            let stale: Vec<i64> = stale.iter().map(|place| place.id).collect();
            self.save(&derived, gone.clone(), stale, last).await?;
            let now = Instant::now();
            for trace in touched.iter().copied() {
                let due = self.resting.get(&trace).copied().unwrap_or(now);
                self.waiting.entry(trace).or_insert(due);
            }
            self.summarise().await?;
            let texts: Vec<Texts> = derived.into_iter().map(|derived| derived.texts).collect();
            let through = last.unwrap_or(through);
            if !gone.is_empty() {
                self.index(move |index| index.remove(&gone, false)).await?;
            }
            self.add_to_index(texts, through).await?;
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
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {PLACE} FROM spans s WHERE s.id > "));
        query.push_bind(through).push(" ORDER BY s.id LIMIT ").push_bind(STEP);
        Ok(query.build().fetch_all(&self.store.reads).await?.iter().map(spans::place).collect())
    }

    async fn stale(&self, through: i64) -> Result<Vec<Place>, Error> {
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {PLACE} FROM stale_spans d JOIN spans s ON s.id = d.span WHERE s.id <= "
        ));
        query.push_bind(through).push(" LIMIT ").push_bind(STEP);
        Ok(query.build().fetch_all(&self.store.reads).await?.iter().map(spans::place).collect())
    }

    async fn derive(&self, places: Vec<Place>) -> Result<Vec<Derived>, Error> {
        let whole = spans::whole(&self.store.reads, places).await?;
        tokio::task::spawn_blocking(move || whole.into_iter().map(derive).collect())
            .await
            .map_err(Error::internal)
    }

    async fn save(
        &self,
        derived: &[Derived],
        gone: Vec<i64>,
        stale: Vec<i64>,
        through: Option<i64>,
    ) -> Result<(), Error> {
        let rows = derived.iter().map(FactsRow::of).collect::<Result<Vec<_>, _>>()?;
        self.writer
            .commit(move |session| {
                for row in &rows {
                    row.store(session)?;
                }
                let connection = session.connection;
                for span in gone {
                    connection.prepare_cached("DELETE FROM facts WHERE span = ?")?.execute([span])?;
                    connection.prepare_cached("DELETE FROM findings WHERE span = ?")?.execute([span])?;
                }
                for span in stale {
                    connection.prepare_cached("DELETE FROM stale_spans WHERE span = ?")?.execute([span])?;
                }
                if let Some(through) = through {
                    connection.prepare_cached("UPDATE derivation SET through = ?")?.execute([through])?;
                }
                Ok(())
            })
            .await
    }

    /// Summarises the traces that are due; `false` where none was.
    async fn summarise(&mut self) -> Result<bool, Error> {
        let now = Instant::now();
        let due: Vec<i64> = self.waiting.iter().filter(|(_, at)| **at <= now).map(|(trace, _)| *trace).collect();
        if due.is_empty() {
            return Ok(false);
        }
        let heads = heads(&self.store, &due).await?;
        let rows = spans::rows(&self.store.reads, &due).await?;
        self.resting.retain(|_, until| *until > now);
        for (trace, rows) in rows.iter().filter(|(_, rows)| rows.len() > LARGE) {
            let pause = LARGE_PAUSE.saturating_mul(u32::try_from(rows.len() / LARGE).unwrap_or(u32::MAX));
            self.resting.insert(*trace, now + pause);
        }
        let summaries = tokio::task::spawn_blocking(move || {
            let now = UnixNanos(u64::try_from(now_micros()).unwrap_or(0).saturating_mul(1_000));
            heads
                .into_iter()
                .filter_map(|head| rows.get(&head.id).map(|rows| Summarised::of(head, rows, now)))
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
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {PLACE} FROM spans s WHERE s.id > "));
        query.push_bind(indexed).push(" AND s.id <= ").push_bind(through);
        query.push(" ORDER BY s.id LIMIT ").push_bind(STEP);
        let mut places: Vec<Place> =
            query.build().fetch_all(&self.store.reads).await?.iter().map(spans::place).collect();
        let last = places.last().map_or(through, |place| place.id);
        places.retain(|place| place.shown);
        let texts: Vec<Texts> = self.derive(places).await?.into_iter().map(|derived| derived.texts).collect();
        self.add_to_index(texts, last).await?;
        Ok(true)
    }
}

/// The pure part: one span's facts, findings and texts.
fn derive(whole: Whole) -> Derived {
    let view = SpanView {
        span: &whole.span,
        resource: &whole.resource.resource,
        scope: &whole.scope.scope,
        logs: &whole.logs,
    };
    let facts = convention::facts(&view);
    let findings = findings(&facts);
    let row = RowFacts::of(&facts, &findings);
    let (start, end) = (whole.span.start_time_unix_nano, whole.span.end_time_unix_nano);
    let texts = Texts {
        span: whole.place.id,
        name: whole.span.name.clone(),
        input: text(facts.input.as_ref().map(|input| &input.value), facts.input_value.as_ref().map(|text| &text.value)),
        output: text(
            facts.output.as_ref().map(|output| &output.value),
            facts.output_value.as_ref().map(|text| &text.value),
        ),
        error: facts.error.as_ref().and_then(|error| error.value.message.clone()).unwrap_or_default(),
    };
    let failed = facts.error.is_some() || whole.span.status.as_ref().is_some_and(|status| status.code == 2);
    Derived {
        start: i64::try_from(start / 1_000).unwrap_or(i64::MAX),
        duration: (end != 0).then(|| i64::try_from(end.saturating_sub(start)).unwrap_or(i64::MAX)),
        failed,
        place: whole.place,
        facts,
        row,
        findings,
        texts,
    }
}

/// Scores the response of a model call; other spans have none.
pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    if facts.operation.as_ref().map(|operation| operation.value) != Some(Operation::Llm) {
        return Vec::new();
    }
    match &facts.output {
        Some(output) => quality::score(&quality::Response { text: &quality::response_text(&output.value) }),
        None => Vec::new(),
    }
}

/// What is searched of a conversation, or of a plain value where there is none.
fn text(messages: Option<&Vec<Message>>, value: Option<&String>) -> String {
    let Some(messages) = messages else { return value.cloned().unwrap_or_default() };
    let mut text = String::new();
    for part in messages.iter().flat_map(|message| &message.parts) {
        let pieces: [&str; 2] = match part {
            Part::Text { text } | Part::Reasoning { text } | Part::Refusal { text } => [text, ""],
            Part::ToolCall { name, arguments, .. } => [name, arguments],
            Part::ToolResult { content, .. } => [content, ""],
            Part::Media { uri, .. } => [uri.as_deref().unwrap_or_default(), ""],
        };
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            text.push_str(piece);
            text.push('\n');
        }
    }
    text
}

/// A row of `facts` with its findings.
struct FactsRow {
    span: i64,
    trace: i64,
    operation: i64,
    start: i64,
    duration: Option<i64>,
    failed: bool,
    model: Option<String>,
    tokens: [Option<i64>; 3],
    cost: Option<i64>,
    prompt: Option<String>,
    json: String,
    findings: Vec<(String, f64, String)>,
}

/// US dollars in billionths, as the database keeps them; `None` for what is no amount.
pub(crate) fn nano_usd(usd: f64) -> Option<i64> {
    let nano = (usd * 1e9).round();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked: up to a million dollars a call")]
    (nano.is_finite() && nano.abs() <= 1e15).then_some(nano as i64)
}

impl FactsRow {
    fn of(derived: &Derived) -> Result<Self, Error> {
        let usage = derived.facts.usage.as_ref().map(|usage| usage.value).unwrap_or_default();
        let count = |tokens: Option<u64>| tokens.and_then(|tokens| i64::try_from(tokens).ok());
        let operation = derived.row.operation;
        let index = Operation::ALL.iter().position(|candidate| *candidate == operation).unwrap_or(9);
        let mut findings = Vec::with_capacity(derived.findings.len());
        for finding in &derived.findings {
            let evidence = serde_json::to_string(&finding.evidence).map_err(Error::internal)?;
            findings.push((finding.heuristic.clone(), finding.value, evidence));
        }
        let prompt = derived.facts.prompt.as_ref().map(|prompt| serde_json::to_string(&prompt.value));
        Ok(Self {
            span: derived.place.id,
            trace: derived.place.trace,
            operation: i64::try_from(index).unwrap_or(9),
            start: derived.start,
            duration: derived.duration,
            failed: derived.failed,
            model: derived.row.model.clone(),
            tokens: [count(usage.input), count(usage.output), count(usage.cache_read)],
            cost: derived.facts.cost_usd.as_ref().and_then(|cost| nano_usd(cost.value)),
            prompt: prompt.transpose().map_err(Error::internal)?,
            json: serde_json::to_string(&derived.row).map_err(Error::internal)?,
            findings,
        })
    }

    fn store(&self, session: &mut Session<'_>) -> Result<(), Error> {
        let connection = session.connection;
        let model = match &self.model {
            Some(model) => Some(session.interned.string(connection, &model[..model.floor_char_boundary(1024)])?),
            None => None,
        };
        let [input, output, cached] = self.tokens;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO facts (span, trace, operation, counted, start, duration, failed, model, input, output,
                                               cached, cost, prompt, json)
                 SELECT ?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
                 WHERE EXISTS (SELECT 1 FROM spans WHERE id = ?1)",
            )?
            .execute(params![
                self.span,
                self.trace,
                self.operation,
                self.start,
                self.duration,
                self.failed,
                model,
                input,
                output,
                cached,
                self.cost,
                self.prompt,
                self.json
            ])?;
        connection.prepare_cached("DELETE FROM findings WHERE span = ?")?.execute([self.span])?;
        for (heuristic, value, evidence) in &self.findings {
            connection
                .prepare_cached(
                    "INSERT INTO findings (span, heuristic, start, value, evidence)
                     SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM spans WHERE id = ?1)",
                )?
                .execute(params![self.span, heuristic, self.start, value, evidence])?;
        }
        Ok(())
    }
}

/// What the ground says of a trace.
struct Head {
    id: i64,
    trace_id: TraceId,
    source: i64,
    changed: i64,
    received: u64,
}

async fn heads(store: &Store, traces: &[i64]) -> Result<Vec<Head>, Error> {
    let mut heads = Vec::with_capacity(traces.len());
    for chunk in traces.chunks(8_192) {
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT id, trace_id, source, changed, received FROM traces WHERE id IN (");
        let mut list = query.separated(", ");
        chunk.iter().for_each(|trace| {
            list.push_bind(*trace);
        });
        query.push(")");
        for row in query.build().fetch_all(&store.reads).await? {
            heads.push(Head {
                id: row.get(0),
                trace_id: TraceId::from_bytes(row.get(1)).map_err(Error::internal)?,
                source: row.get(2),
                changed: row.get(3),
                received: u64::try_from(row.get::<i64, _>(4)).unwrap_or(0),
            });
        }
    }
    Ok(heads)
}

/// A trace's summary, ready to be stored.
struct Summarised {
    trace: i64,
    changed: i64,
    summary: TraceSummary,
    json: String,
    operations: i64,
    services: BTreeSet<String>,
    models: BTreeSet<String>,
    /// Spans that count in totals, and what of them (`facts.counted`).
    counted: Vec<(i64, i64)>,
}

impl Summarised {
    fn of(head: Head, rows: &[SpanRow], now: UnixNanos) -> Result<Self, Error> {
        let summary = trace::summary(head.trace_id, head.source, rows, now, head.received);
        let json = serde_json::to_string(&summary).map_err(Error::internal)?;
        let counted = trace::counted(rows, &trace::tree(rows));
        let mut operations = 0;
        let (mut services, mut models) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            services.insert(row.service.clone());
            if let Some(facts) = &row.facts {
                operations |= 1 << Operation::ALL.iter().position(|one| *one == facts.operation).unwrap_or(9);
                models.extend(facts.model.clone());
            }
        }
        Ok(Self {
            trace: head.id,
            changed: head.changed,
            summary,
            json,
            operations,
            services,
            models,
            counted: rows
                .iter()
                .enumerate()
                .map(|(index, row)| {
                    let usage = i64::from(counted.usage[index]);
                    let (cost, call) = (i64::from(counted.cost[index]), i64::from(counted.call[index]));
                    (row.span_id.as_i64(), usage | cost << 1 | call << 2)
                })
                .filter(|(_, counted)| *counted != 0)
                .collect(),
        })
    }

    fn store(&self, session: &mut Session<'_>) -> Result<(), Error> {
        let connection = session.connection;
        let summary = &self.summary;
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let tokens = match (summary.input_tokens, summary.output_tokens) {
            (None, None) => None,
            (input, output) => Some(signed(input.unwrap_or(0).saturating_add(output.unwrap_or(0)))),
        };
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO summaries (trace, changed, start, duration, spans, errors, tokens, cost, operations,
                                                   session, json)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE EXISTS (SELECT 1 FROM traces WHERE id = ?1)",
            )?
            .execute(params![
                self.trace,
                self.changed,
                signed(summary.start_micros),
                signed(summary.duration_nanos),
                summary.span_count,
                summary.error_count,
                tokens,
                summary.cost_usd.and_then(nano_usd),
                self.operations,
                summary.session,
                self.json
            ])?;
        connection.prepare_cached("DELETE FROM trace_values WHERE trace = ?")?.execute([self.trace])?;
        for (facet, values) in [("service", &self.services), ("model", &self.models)] {
            for value in values {
                let value = session.interned.string(connection, &value[..value.floor_char_boundary(1024)])?;
                connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO trace_values (facet, value, trace)
                         SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM traces WHERE id = ?3)",
                    )?
                    .execute(params![facet, value, self.trace])?;
            }
        }
        connection
            .prepare_cached("UPDATE facts SET counted = 0 WHERE trace = ? AND counted <> 0")?
            .execute([self.trace])?;
        for (span, counted) in &self.counted {
            connection
                .prepare_cached(
                    "UPDATE facts SET counted = ?
                     WHERE span = (SELECT id FROM spans WHERE trace = ? AND span_id = ? AND shown = 1)",
                )?
                .execute([*counted, self.trace, *span])?;
        }
        Ok(())
    }
}
