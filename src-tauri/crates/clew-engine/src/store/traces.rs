//! The list of traces: a filter as SQL, pages by keyset.

use clew_core::model::{Operation, TraceId};
use clew_core::trace::{self, Roots, TraceState, TraceSummary};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};

use super::pieces::{self, Pieces};
use super::search;
use crate::api::{TraceFilter, TracePage, TraceSort, TraceStatus};
use crate::error::{Cause, Error, ErrorCode};

/// As the rule of the core has it ([`TraceState::of`]), for SQL: `traces.rooted` is [`Roots::number`].
pub(crate) const RUNNING_MICROS: i64 = trace::RUNNING_MICROS.cast_signed();

/// A field whose values are counted; its own choice does not limit its counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    Service,
    Model,
    Status,
    Operation,
    ErrorClass,
}

impl Facet {
    pub(crate) const ALL: [Self; 5] = [
        Self::Service,
        Self::Model,
        Self::Status,
        Self::Operation,
        Self::ErrorClass,
    ];
}

/// Appends a condition for all of a filter over `traces t LEFT JOIN summaries m ON m.trace = t.id`. `now` is in
/// microseconds since the epoch.
pub(super) fn push_filter(
    query: &mut QueryBuilder<Sqlite>,
    filter: &TraceFilter,
    now: i64,
    indexed: bool,
) {
    push_common(query, filter, indexed);
    for facet in Facet::ALL {
        query.push(" AND ");
        push_facet(query, filter, facet, now);
    }
}

/// Appends a condition for what a filter states outside of facets; its words only where there is an index.
pub(crate) fn push_common(query: &mut QueryBuilder<Sqlite>, filter: &TraceFilter, indexed: bool) {
    query.push("t.spans > 0");
    let signed = |micros: u64| i64::try_from(micros).unwrap_or(i64::MAX);
    if let Some(source) = filter.source {
        query.push(" AND t.source = ").push_bind(source);
    }
    if let Some(from) = filter.range.from {
        query.push(" AND t.start >= ").push_bind(signed(from));
    }
    if let Some(to) = filter.range.to {
        query.push(" AND t.start < ").push_bind(signed(to));
    }
    if let Some(from) = filter.received_from {
        query.push(" AND t.received >= ").push_bind(signed(from));
    }
    if let Some(session) = &filter.session {
        query.push(" AND m.session = ").push_bind(session.clone());
    }
    if let Some(text) = &filter.resource {
        query
            .push(
                " AND EXISTS (SELECT 1 FROM spans s JOIN resources r ON r.id = s.resource
                              WHERE s.trace = t.id AND instr(r.raw, ",
            )
            .push_bind(text.clone().into_bytes())
            .push("))");
    }
    push_text(query, filter.text.trim(), &filter.text, indexed);
}

/// Appends a condition for what a filter states of a facet.
pub(crate) fn push_facet(
    query: &mut QueryBuilder<Sqlite>,
    filter: &TraceFilter,
    facet: Facet,
    now: i64,
) {
    match facet {
        Facet::Service if !filter.services.is_empty() => {
            push_values(query, "service", &filter.services);
        }
        Facet::Model if !filter.models.is_empty() => push_values(query, "model", &filter.models),
        Facet::ErrorClass if !filter.error_classes.is_empty() => {
            let names = filter.error_classes.iter();
            let names: Vec<String> = names.map(|class| class.name().to_owned()).collect();
            push_values(query, "error", &names);
        }
        Facet::Status if !filter.statuses.is_empty() => {
            push_statuses(query, &filter.statuses, now);
        }
        Facet::Operation if !filter.operations.is_empty() => {
            query
                .push("coalesce((m.operations & ")
                .push_bind(mask(&filter.operations))
                .push(") <> 0, FALSE)");
        }
        _ => {
            query.push("TRUE");
        }
    }
}

/// Bits of operations as `summaries.operations` holds them.
pub(crate) fn mask(operations: &[Operation]) -> i64 {
    let bit = |operation: &Operation| {
        Operation::ALL
            .iter()
            .position(|one| one == operation)
            .unwrap_or(9)
    };
    operations
        .iter()
        .fold(0, |mask, operation| mask | (1 << bit(operation)))
}

fn push_values(query: &mut QueryBuilder<Sqlite>, facet: &'static str, values: &[String]) {
    query
        .push("t.id IN (SELECT trace FROM trace_values WHERE facet = ")
        .push_bind(facet);
    query.push(" AND value IN (SELECT id FROM strings WHERE text IN (");
    let mut list = query.separated(", ");
    values.iter().for_each(|value| {
        list.push_bind(value.clone());
    });
    query.push(")))");
}

fn push_statuses(query: &mut QueryBuilder<Sqlite>, statuses: &[TraceStatus], now: i64) {
    query.push("(");
    for (index, status) in statuses.iter().enumerate() {
        if index > 0 {
            query.push(" OR ");
        }
        match status {
            TraceStatus::Error => query.push("coalesce(m.errors, t.errors) > 0"),
            TraceStatus::Running => query
                .push("(t.rooted <> 1 AND t.received > ")
                .push_bind(now - RUNNING_MICROS)
                .push(")"),
            TraceStatus::Ok => query
                .push("(coalesce(m.errors, t.errors) = 0 AND (t.rooted = 1 OR t.received <= ")
                .push_bind(now - RUNNING_MICROS)
                .push("))"),
        };
    }
    query.push(")");
}

fn push_text(query: &mut QueryBuilder<Sqlite>, trimmed: &str, typed: &str, indexed: bool) {
    if trimmed.is_empty() {
        return;
    }
    let words = search::expression(typed);
    if let Ok(id) = trimmed.parse::<TraceId>() {
        let id = id.bytes().to_vec();
        query.push(" AND (t.trace_id = ").push_bind(id.clone());
        // Where no trace has it, it may be a request's id.
        if let Some(words) = words.filter(|_| indexed) {
            query
                .push(" OR NOT EXISTS (SELECT 1 FROM traces WHERE trace_id = ")
                .push_bind(id)
                .push(") AND ");
            push_words(query, words);
        }
        query.push(")");
        return;
    }
    match words {
        Some(_) if !indexed => {}
        Some(words) => {
            query.push(" AND ");
            push_words(query, words);
        }
        None => {
            query.push(" AND FALSE");
        }
    }
}

/// A span of the trace says what the expression of the index asks for.
fn push_words(query: &mut QueryBuilder<Sqlite>, words: String) {
    query
        .push(
            "t.id IN (SELECT s.trace FROM search.texts x JOIN spans s ON s.id = x.rowid
                      WHERE x.texts MATCH ",
        )
        .push_bind(words)
        .push(")");
}

/// One page of traces, and how many of all lie on damaged pages.
pub(crate) async fn list(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
) -> Result<(TracePage, usize), Error> {
    let limit = match filter.limit {
        0 => 100,
        1..=500 => filter.limit,
        more => {
            return Err(Error::new(
                ErrorCode::BadRequest,
                format!("limit is {more}: it must lie between 1 and 500"),
            ));
        }
    };
    let key = match filter.sort {
        TraceSort::Start => "t.start",
        TraceSort::Duration => "m.duration",
        TraceSort::Tokens => "coalesce(m.tokens, -1)",
        TraceSort::Cost => "coalesce(m.cost, -1)",
        TraceSort::Spans => "m.spans",
    };
    let page = Page {
        filter,
        key,
        cursor: filter.cursor.as_deref().map(read_cursor).transpose()?,
        limit: i64::from(limit) + 1,
        now,
    };
    let mut connection = reads.acquire().await?;
    let indexed = search::is_attached(&mut connection).await?;
    let (mut rows, lost) = match page.read(&mut connection, indexed, None).await {
        Err(error) if error.cause == Cause::Damage => {
            drop(connection);
            page.around_damage(reads).await?
        }
        rows => (rows?, 0),
    };
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| format!("{}:{}", row.get::<i64, _>(1), row.get::<i64, _>(0)));
    let rows = rows
        .iter()
        .map(|row| summary(row, now))
        .collect::<Result<Vec<_>, _>>()?;
    let worded = search::expression(&filter.text).is_some()
        && filter.text.trim().parse::<TraceId>().is_err();
    let mut notice = Vec::new();
    if worded && !indexed {
        notice.push(search::MISSING.to_owned());
    }
    if lost > 0 {
        notice.push(format!("{}.", pieces::lost(lost, "traces").message));
    }
    let page = TracePage {
        rows,
        next,
        behind: super::figures::behind(reads).await?.1,
        notice: (!notice.is_empty()).then(|| notice.join(" ")),
    };
    Ok((page, lost))
}

/// The ids of all traces, by an index alone.
async fn all(reads: &SqlitePool) -> Result<Vec<i64>, Error> {
    let ways = [
        "SELECT id FROM traces INDEXED BY traces_by_start",
        "SELECT id FROM traces INDEXED BY traces_by_received",
        "SELECT id FROM traces NOT INDEXED",
    ];
    pieces::ids(reads, &ways, &[]).await
}

/// The ids of the traces that can be read with their summaries.
pub(crate) async fn readable(reads: &SqlitePool) -> Result<Vec<i64>, Error> {
    let traces = all(reads).await?;
    let (mut found, mut pieces) = (Vec::new(), Pieces::of(&traces));
    while let Some(piece) = pieces.next() {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT t.id, t.rooted, m.operations FROM traces t LEFT JOIN summaries m ON m.trace = t.id WHERE TRUE",
        );
        push_among(&mut query, piece);
        let rows: Result<Vec<(i64, i64, Option<i64>)>, _> =
            query.build_query_as().fetch_all(reads).await;
        let read = rows.map_err(Error::from);
        let read = read.map(|rows| rows.into_iter().map(|row| row.0).collect());
        found.extend(pieces.judge(piece, read)?);
    }
    Ok(found)
}

/// Appends a condition for some traces only.
pub(crate) fn push_among(query: &mut QueryBuilder<Sqlite>, among: &[i64]) {
    query.push(" AND t.id IN (");
    let mut list = query.separated(", ");
    among.iter().for_each(|trace| {
        list.push_bind(*trace);
    });
    query.push(")");
}

/// What one page asks for.
struct Page<'a> {
    filter: &'a TraceFilter,
    /// The column that it is sorted by.
    key: &'static str,
    cursor: Option<(i64, i64)>,
    limit: i64,
    now: i64,
}

impl Page<'_> {
    /// Reads its rows, in order. With `among`, only of those traces, and from the table of traces instead of the index
    /// that the order suggests.
    async fn read(
        &self,
        connection: &mut SqliteConnection,
        indexed: bool,
        among: Option<&[i64]>,
    ) -> Result<Vec<SqliteRow>, Error> {
        let key = self.key;
        // By any key but time, the index of summaries leads.
        let (join, id) = if self.filter.sort == TraceSort::Start {
            (
                "FROM traces t LEFT JOIN summaries m ON m.trace = t.id",
                "t.id",
            )
        } else if among.is_some() {
            ("FROM traces t JOIN summaries m ON m.trace = t.id", "t.id")
        } else {
            (
                "FROM summaries m JOIN traces t ON t.id = m.trace",
                "m.trace",
            )
        };
        let mut query = QueryBuilder::<Sqlite>::new(format!(
            "SELECT {id}, {key}, m.json, t.trace_id, t.source, n.text, v.text, t.start, t.finish, t.spans, t.errors,
                    t.rooted, t.received
             {join}
             JOIN strings n ON n.id = t.name
             JOIN strings v ON v.id = t.service"
        ));
        query.push(" WHERE ");
        push_filter(&mut query, self.filter, self.now, indexed);
        let (compare, order) = if self.filter.ascending {
            (">", "ASC")
        } else {
            ("<", "DESC")
        };
        if let Some((at, row)) = self.cursor {
            query.push(format!(" AND ({key}, {id}) {compare} ("));
            query.push_bind(at).push(", ").push_bind(row).push(")");
        }
        if let Some(among) = among {
            push_among(&mut query, among);
        }
        // The sign keeps the index on the key out of it.
        let plain = if among.is_some() { "+" } else { "" };
        query.push(format!(
            " ORDER BY {plain}{key} {order}, {plain}{id} {order} LIMIT "
        ));
        query.push_bind(self.limit);
        Ok(query.build().fetch_all(connection).await?)
    }

    /// As [`Page::read`], without the traces that lie on damaged pages; and how many those are.
    async fn around_damage(&self, reads: &SqlitePool) -> Result<(Vec<SqliteRow>, usize), Error> {
        let traces = all(reads).await?;
        let (mut found, mut pieces) = (Vec::new(), Pieces::of(&traces));
        while let Some(piece) = pieces.next() {
            let mut connection = reads.acquire().await?;
            let indexed = search::is_attached(&mut connection).await?;
            let read = self.read(&mut connection, indexed, Some(piece)).await;
            found.extend(pieces.judge(piece, read)?);
        }
        found.sort_by_key(|row| (row.get::<i64, _>(1), row.get::<i64, _>(0)));
        if !self.filter.ascending {
            found.reverse();
        }
        found.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        Ok((found, pieces.lost))
    }
}

pub(super) fn read_cursor(cursor: &str) -> Result<(i64, i64), Error> {
    let parts = cursor
        .split_once(':')
        .and_then(|(at, row)| Some((at.parse().ok()?, row.parse().ok()?)));
    parts.ok_or_else(|| {
        Error::new(
            ErrorCode::BadRequest,
            format!("{cursor:?} is not a cursor of this list"),
        )
    })
}

/// The derived summary, or what the ground knows until there is one.
fn summary(row: &SqliteRow, now: i64) -> Result<TraceSummary, Error> {
    let unsigned = |index: usize| u64::try_from(row.get::<i64, _>(index)).unwrap_or(0);
    let roots = Roots::from_number(row.get(11));
    let state = TraceState::of(roots, unsigned(12), u64::try_from(now).unwrap_or(0));
    let derived = row.get::<Option<String>, _>(2);
    let derived = derived.and_then(|json| serde_json::from_str::<TraceSummary>(&json).ok());
    if let Some(summary) = derived {
        return Ok(TraceSummary {
            state,
            received_micros: unsigned(12),
            ..summary
        });
    }
    let (start, finish) = (unsigned(7), unsigned(8));
    Ok(TraceSummary {
        trace_id: TraceId::from_bytes(row.get(3))
            .map_err(Error::internal)?
            .to_string(),
        source: row.get(4),
        name: row.get(5),
        operation: Operation::Other,
        service: row.get(6),
        start_micros: start,
        duration_nanos: finish.saturating_sub(start).saturating_mul(1_000),
        state,
        span_count: u32::try_from(unsigned(9)).unwrap_or(u32::MAX),
        error_count: u32::try_from(unsigned(10)).unwrap_or(u32::MAX),
        call_count: 0,
        models: Vec::new(),
        input_tokens: None,
        output_tokens: None,
        cached_tokens: None,
        cost_usd: None,
        cost_nanos: None,
        unpriced_tokens: 0,
        unstated_calls: 0,
        estimated: None,
        ttft_nanos: None,
        session: None,
        user: None,
        input_preview: None,
        output_preview: None,
        findings: Vec::new(),
        received_micros: unsigned(12),
    })
}
