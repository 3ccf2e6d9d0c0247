//! Stores what was received: every span and content once, traces kept up to date in the same transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use clew_core::model::{SpanId, TraceId, content_hash};
use clew_core::trace::Roots;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::elsewhere;
use super::prepare::{LogRow, MetricRow, Prepared, SharedRow, SpanRow};
use super::writer::Session;
use crate::error::{Error, ErrorCode};
use crate::ingest::Committed;

/// Ids of interned rows, so that a commit need not look each of them up. Dropped whole when it grows large or when a
/// transaction fails: the database is the truth.
#[derive(Debug, Default)]
pub(crate) struct Interned {
    strings: HashMap<String, i64>,
    resources: HashMap<i64, i64>,
    scopes: HashMap<i64, i64>,
    clears: u64,
}

/// What is interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Resource,
    Scope,
    String,
}

impl Interned {
    pub(crate) fn clear(&mut self) {
        *self = Self {
            clears: self.clears + 1,
            ..Self::default()
        };
    }

    /// How often it was emptied: as long as that stays, every row that was used since is in it.
    pub(crate) const fn clears(&self) -> u64 {
        self.clears
    }

    /// The rows that were used since it was last emptied.
    pub(crate) fn ids(&self, kind: Kind) -> HashSet<i64> {
        match kind {
            Kind::Resource => self.resources.values().copied().collect(),
            Kind::Scope => self.scopes.values().copied().collect(),
            Kind::String => self.strings.values().copied().collect(),
        }
    }

    fn bound(&mut self) {
        if self.strings.len() > 65_536 || self.resources.len() > 4_096 || self.scopes.len() > 4_096
        {
            self.clear();
        }
    }

    /// The id of a string, which is stored if it is new.
    pub(crate) fn string(&mut self, connection: &Connection, text: &str) -> Result<i64, Error> {
        if let Some(&id) = self.strings.get(text) {
            return Ok(id);
        }
        let found = connection
            .prepare_cached("SELECT id FROM strings WHERE text = ?")?
            .query_row([text], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => connection
                .prepare_cached("INSERT INTO strings (text) VALUES (?)")?
                .insert([text])?,
        };
        self.strings.insert(text.to_owned(), id);
        Ok(id)
    }
}

/// Stores a batch under `source`; `received` is in microseconds since the epoch.
pub(crate) fn store(
    session: &mut Session<'_>,
    source: i64,
    batch: &Prepared,
    received: i64,
) -> Result<Committed, Error> {
    let connection = session.connection;
    let open = connection
        .prepare_cached("SELECT 1 FROM sources WHERE id = ? AND opened >= 0")?
        .exists([source])?;
    if !open {
        return Err(Error::new(
            ErrorCode::NotFound,
            "the file was closed while it was being read",
        ));
    }
    session.interned.bound();
    let resources = shared(session, &batch.resources, Shared::Resource)?;
    let scopes = shared(session, &batch.scopes, Shared::Scope)?;
    let mut ground = Ground {
        connection,
        interned: &mut *session.interned,
        source,
        received,
        resources,
        scopes,
        touched: BTreeMap::new(),
        committed: Committed::default(),
    };
    ground.spans(batch)?;
    ground.logs(batch)?;
    for metric in &batch.metrics {
        ground.metric(metric)?;
    }
    ground.finish()
}

#[derive(Clone, Copy)]
enum Shared {
    Resource,
    Scope,
}

fn shared(session: &mut Session<'_>, rows: &[SharedRow], kind: Shared) -> Result<Vec<i64>, Error> {
    let connection = session.connection;
    let (find, insert) = match kind {
        Shared::Resource => (
            "SELECT id FROM resources WHERE hash = ?",
            "INSERT INTO resources (hash, service, raw, schema_url) VALUES (?, ?, ?, ?)",
        ),
        Shared::Scope => (
            "SELECT id FROM scopes WHERE hash = ?",
            "INSERT INTO scopes (hash, name, raw, schema_url) VALUES (?, ?, ?, ?)",
        ),
    };
    let mut ids = Vec::with_capacity(rows.len());
    for row in rows {
        let known = match kind {
            Shared::Resource => &session.interned.resources,
            Shared::Scope => &session.interned.scopes,
        };
        if let Some(&id) = known.get(&row.hash) {
            ids.push(id);
            continue;
        }
        let found = connection
            .prepare_cached(find)?
            .query_row([row.hash], |found| found.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => {
                let name = session.interned.string(connection, &row.name)?;
                connection.prepare_cached(insert)?.insert(params![
                    row.hash,
                    name,
                    row.raw,
                    row.schema_url
                ])?
            }
        };
        match kind {
            Shared::Resource => session.interned.resources.insert(row.hash, id),
            Shared::Scope => session.interned.scopes.insert(row.hash, id),
        };
        ids.push(id);
    }
    Ok(ids)
}

/// What a batch changes in one trace.
struct Touched {
    id: i64,
    /// Figures of the shown spans that the batch adds.
    spans: i64,
    errors: i64,
    logs: i64,
    roots: Roots,
    start: i64,
    finish: i64,
    /// A shown variant was replaced: the figures must be counted anew.
    recount: bool,
    /// Spans that the batch has stored; while the trace is new, only they can collide.
    fresh: Option<BTreeSet<i64>>,
    name: i64,
    service: i64,
    /// Whether `name` and `service` are the root's.
    root: bool,
}

struct Ground<'a> {
    connection: &'a Connection,
    interned: &'a mut Interned,
    source: i64,
    received: i64,
    resources: Vec<i64>,
    scopes: Vec<i64>,
    touched: BTreeMap<TraceId, Touched>,
    committed: Committed,
}

impl Ground<'_> {
    fn spans(&mut self, batch: &Prepared) -> Result<(), Error> {
        let mut blocks: Vec<Option<i64>> = batch.span_blocks.iter().map(|_| None).collect();
        for span in &batch.spans {
            let name = self.interned.string(self.connection, &span.name)?;
            let service = self
                .interned
                .string(self.connection, &batch.resources[span.resource].name)?;
            self.touch(span.trace_id, Some((name, service)))?;
            let Some(shown) = self.place(span)? else {
                continue;
            };
            let block = match blocks[span.block] {
                Some(id) => id,
                None => {
                    let data = &batch.span_blocks[span.block];
                    let id = self.block(&data.content)?;
                    self.connection
                        .prepare_cached("INSERT INTO attribute_blocks (id, data) VALUES (?, ?)")?
                        .execute(params![id, data.attributes])?;
                    *blocks[span.block].insert(id)
                }
            };
            self.insert(span, name, shown, block)?;
            if shown {
                self.count(span, name, service);
            }
        }
        Ok(())
    }

    /// Whether the span is new and, if so, whether it is the variant to show.
    fn place(&mut self, span: &SpanRow) -> Result<Option<bool>, Error> {
        let Some(trace) = self.touched.get_mut(&span.trace_id) else {
            return Ok(None);
        };
        let id = span.span_id.as_i64();
        if trace.fresh.as_mut().is_some_and(|fresh| fresh.insert(id)) {
            return Ok(Some(true));
        }
        let variants: Vec<(i64, i64, i64, bool)> = self
            .connection
            .prepare_cached(
                "SELECT id, hash, rank, shown FROM spans WHERE trace = ? AND span_id = ?",
            )?
            .query_map([trace.id, id], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<Result<_, _>>()?;
        if variants.iter().any(|&(_, hash, ..)| hash == span.hash) {
            return Ok(None);
        }
        let Some(&(row, hash, rank, _)) = variants.iter().find(|variant| variant.3) else {
            return Ok(Some(true));
        };
        trace.recount = true;
        let shown = (span.rank, span.hash.cast_unsigned()) > (rank, hash.cast_unsigned());
        if shown {
            self.connection
                .prepare_cached("UPDATE spans SET shown = 0 WHERE id = ?")?
                .execute([row])?;
            self.connection
                .prepare_cached(
                    "INSERT INTO stale_spans (span) VALUES (?) ON CONFLICT (span) DO UPDATE SET times = times + 1",
                )?
                .execute([row])?;
        }
        Ok(Some(shown))
    }

    fn insert(&mut self, span: &SpanRow, name: i64, shown: bool, block: i64) -> Result<(), Error> {
        let trace = self.touched.get(&span.trace_id).map_or(0, |trace| trace.id);
        self.connection
            .prepare_cached(
                "INSERT INTO spans (trace, span_id, hash, parent, start, finish, name, resource, scope, status,
                                    repaired, rank, shown, received, block, slot)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                trace,
                span.span_id.as_i64(),
                span.hash,
                span.parent.as_ref().map(SpanId::as_i64),
                span.start.as_i64(),
                span.finish.as_i64(),
                name,
                self.resources[span.resource],
                self.scopes[span.scope],
                span.status,
                span.repaired,
                span.rank,
                shown,
                self.received,
                block,
                i64::try_from(span.slot).unwrap_or(i64::MAX),
            ])?;
        self.committed.spans += 1;
        Ok(())
    }

    fn count(&mut self, span: &SpanRow, name: i64, service: i64) {
        let Some(trace) = self.touched.get_mut(&span.trace_id) else {
            return;
        };
        let micros = |nanos: u64| i64::try_from(nanos / 1_000).unwrap_or(i64::MAX);
        trace.spans += 1;
        trace.errors += i64::from(span.status == 2);
        trace.start = trace.start.min(micros(span.start.0));
        trace.finish = trace.finish.max(micros(span.finish.0));
        trace.roots = trace.roots.max(Roots::of(span.parent, span.finish));
        if span.parent.is_none() {
            trace.root = true;
            (trace.name, trace.service) = (name, service);
        }
    }

    /// Finds or makes the trace's row. `first` names a new trace until its root comes.
    fn touch(&mut self, trace_id: TraceId, first: Option<(i64, i64)>) -> Result<(), Error> {
        if self.touched.contains_key(&trace_id) {
            return Ok(());
        }
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM traces WHERE source = ? AND trace_id = ?")?
            .query_row(params![self.source, trace_id.bytes()], |row| row.get(0))
            .optional()?;
        let (name, service) = match first {
            Some(first) => first,
            None => (
                self.interned.string(self.connection, "")?,
                self.interned.string(self.connection, "")?,
            ),
        };
        let (id, fresh) = match found {
            Some(id) => (id, None),
            None => {
                self.committed.traces += 1;
                let id = self
                    .connection
                    .prepare_cached(
                        "INSERT INTO traces (source, trace_id, name, service, start, finish, spans, errors, logs, rooted,
                                             received, changed)
                         VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?, 0)",
                    )?
                    .insert(params![self.source, trace_id.bytes(), name, service, i64::MAX, self.received])?;
                (id, Some(BTreeSet::new()))
            }
        };
        let touched = Touched {
            id,
            spans: 0,
            errors: 0,
            logs: 0,
            roots: Roots::Missing,
            start: i64::MAX,
            finish: 0,
            recount: false,
            fresh,
            name,
            service,
            root: false,
        };
        self.touched.insert(trace_id, touched);
        Ok(())
    }

    fn logs(&mut self, batch: &Prepared) -> Result<(), Error> {
        let mut blocks: Vec<Option<i64>> = batch.log_blocks.iter().map(|_| None).collect();
        let hashes: Vec<[u8; 8]> = batch
            .logs
            .iter()
            .map(|log| log.hash.to_be_bytes())
            .collect();
        // Never negative: 0 is what no request has, and stays the smallest.
        let request = (content_hash(&[hashes.as_flattened()]) >> 1).cast_signed();
        for (position, log) in (0_i64..).zip(&batch.logs) {
            let known: Option<(i64, i64, i64)> = self
                .connection
                .prepare_cached(
                    "SELECT id, batch, position FROM logs WHERE source = ? AND hash = ?",
                )?
                .query_row(params![self.source, log.hash], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })
                .optional()?;
            if let Some((id, batch, place)) = known {
                if (request, position) < (batch, place) {
                    self.move_log(id, request, position)?;
                }
                continue;
            }
            let block = match blocks[log.block] {
                Some(id) => id,
                None => *blocks[log.block].insert(self.block(&batch.log_blocks[log.block])?),
            };
            self.log(log, block, (request, position))?;
        }
        Ok(())
    }

    /// A record that came in two requests stands where the first of them says, by content and not by arrival.
    fn move_log(&self, id: i64, request: i64, position: i64) -> Result<(), Error> {
        self.connection
            .prepare_cached("UPDATE logs SET batch = ?, position = ? WHERE id = ?")?
            .execute([request, position, id])?;
        self.connection
            .prepare_cached(
                "INSERT INTO stale_spans (span)
                 SELECT s.id FROM logs l JOIN spans s ON s.trace = l.trace AND s.span_id = l.span_id AND s.shown = 1
                 WHERE l.id = ?
                 ON CONFLICT (span) DO UPDATE SET times = times + 1",
            )?
            .execute([id])?;
        Ok(())
    }

    fn log(
        &mut self,
        log: &LogRow,
        block: i64,
        (request, position): (i64, i64),
    ) -> Result<(), Error> {
        let mut trace = None;
        if let Some(trace_id) = log.trace_id {
            self.touch(trace_id, None)?;
            if let Some(touched) = self.touched.get_mut(&trace_id) {
                touched.logs += 1;
                trace = Some(touched.id);
            }
        }
        let name = self.interned.string(self.connection, &log.name)?;
        self.connection
            .prepare_cached(
                "INSERT INTO logs (source, hash, trace, span_id, time, severity, name, resource, scope, received, block,
                                   slot, batch, position)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.source,
                log.hash,
                trace,
                log.span_id.as_ref().map(SpanId::as_i64),
                log.time.as_i64(),
                log.severity,
                name,
                self.resources[log.resource],
                self.scopes[log.scope],
                self.received,
                block,
                i64::try_from(log.slot).unwrap_or(i64::MAX),
                request,
                position,
            ])?;
        let row = self.connection.last_insert_rowid();
        for id in &log.ids {
            self.connection
                .prepare_cached(
                    "INSERT INTO log_ids (log, id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                )?
                .execute([row, elsewhere::hash(id)])?;
        }
        if let (Some(trace), Some(span_id)) = (trace, log.span_id) {
            // The span may have been derived without this record.
            self.connection
                .prepare_cached(
                    "INSERT INTO stale_spans (span)
                     SELECT id FROM spans WHERE trace = ? AND span_id = ? AND shown = 1
                     ON CONFLICT (span) DO UPDATE SET times = times + 1",
                )?
                .execute([trace, span_id.as_i64()])?;
        }
        self.committed.logs += 1;
        Ok(())
    }

    fn metric(&mut self, metric: &MetricRow) -> Result<(), Error> {
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM metrics WHERE source = ? AND hash = ?")?
            .query_row(params![self.source, metric.hash], |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => {
                let name = self.interned.string(self.connection, &metric.name)?;
                self.connection
                    .prepare_cached(
                        "INSERT INTO metrics (source, hash, resource, scope, name, kind, raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    )?
                    .insert(params![
                        self.source,
                        metric.hash,
                        self.resources[metric.resource],
                        self.scopes[metric.scope],
                        name,
                        metric.kind,
                        metric.raw
                    ])?
            }
        };
        let mut insert = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO points (metric, series, time, start, hash, received, raw) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        for point in &metric.points {
            let stored = insert.execute(params![
                id,
                point.series.cast_signed(),
                point.time.cast_signed(),
                point.start.cast_signed(),
                point.hash.cast_signed(),
                self.received,
                point.raw
            ])?;
            self.committed.points += u64::try_from(stored).unwrap_or(0);
        }
        Ok(())
    }

    fn block(&self, content: &[u8]) -> Result<i64, Error> {
        Ok(self
            .connection
            .prepare_cached("INSERT INTO content_blocks (data) VALUES (?)")?
            .insert([content])?)
    }

    /// Brings the traces' rows up to date.
    fn finish(self) -> Result<Committed, Error> {
        for trace in self.touched.values() {
            if trace.spans == 0 && trace.logs == 0 && !trace.recount {
                continue;
            }
            self.connection
                .prepare_cached(
                    "UPDATE traces
                     SET spans = spans + ?2, errors = errors + ?3, logs = logs + ?4, rooted = max(rooted, ?5),
                         start = min(start, ?6), finish = max(finish, ?7), received = max(received, ?8),
                         changed = changed + 1
                     WHERE id = ?1",
                )?
                .execute(params![
                    trace.id,
                    trace.spans,
                    trace.errors,
                    trace.logs,
                    trace.roots.number(),
                    trace.start,
                    trace.finish,
                    self.received
                ])?;
            if trace.root {
                self.connection
                    .prepare_cached("UPDATE traces SET name = ?, service = ? WHERE id = ?")?
                    .execute([trace.name, trace.service, trace.id])?;
            }
            if trace.recount {
                recount(self.connection, trace.id)?;
            }
        }
        Ok(self.committed)
    }
}

/// Counts a trace's figures anew from its shown spans.
fn recount(connection: &Connection, trace: i64) -> Result<(), Error> {
    // The 64 bits of an unsigned time above i64::MAX read negative: 2^64 less than they say, which is 18446744073709551
    // microseconds and 616 nanoseconds. SQLite divides towards zero, the remainder tells which way that went.
    connection
        .prepare_cached(
            "WITH shown AS (
                 SELECT status,
                        CASE WHEN parent IS NOT NULL THEN 0 WHEN finish <> 0 THEN 1 ELSE 2 END AS roots,
                        CASE WHEN start >= 0 THEN start / 1000
                             ELSE (start + 616) / 1000 - ((start + 616) % 1000 < 0) + 18446744073709551
                        END AS starts,
                        CASE WHEN finish >= 0 THEN finish / 1000
                             ELSE (finish + 616) / 1000 - ((finish + 616) % 1000 < 0) + 18446744073709551
                        END AS ends
                 FROM spans
                 WHERE trace = ?1 AND shown = 1
             )
             UPDATE traces
             SET (spans, errors, rooted, start, finish) = (
                 SELECT count(*), coalesce(sum(status = 2), 0), coalesce(max(roots), 0),
                        coalesce(min(starts), traces.start), coalesce(max(ends), 0)
                 FROM shown
             )
             WHERE id = ?1",
        )?
        .execute([trace])?;
    Ok(())
}
