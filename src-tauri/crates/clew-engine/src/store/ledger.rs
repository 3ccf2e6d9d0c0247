//! The ledger over many traces: which entries match, and their sums.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clew_core::model::{SpanId, TraceId};
use clew_core::trace::{Estimated, LedgerRow, LedgerStanding, TraceRows, ledger_rows};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use super::Store;
use super::counted::{CALL, COST, ELSEWHERE, ESTIMATED, TOKENS, UNPRICED};
use super::elsewhere::hash;
use super::rows;
use super::search;
use super::spans::{self, push_list};
use super::traces::{push_filter, read_cursor};
use crate::api::{LedgerFilter, LedgerPage, LedgerSums};
use crate::error::{Error, ErrorCode};

/// Rows of a page at the most. Each page works out the whole ledger of every trace that it touches.
pub(crate) const LARGEST_PAGE: u32 = 5_000;

/// All entries of one trace, in pre-order.
pub(crate) async fn of_trace(
    store: &Store,
    source: i64,
    trace_id: &str,
) -> Result<Vec<LedgerRow>, Error> {
    let (row, _) = spans::trace_row(&store.reads, source, trace_id).await?;
    let mut all = entries(store, &[row]).await?;
    Ok(all.remove(&row).unwrap_or_default())
}

/// The entries of some traces, each in pre-order.
async fn entries(store: &Store, traces: &[i64]) -> Result<BTreeMap<i64, Vec<LedgerRow>>, Error> {
    let mut heads: HashMap<i64, (TraceId, i64)> = HashMap::new();
    let mut query =
        QueryBuilder::<Sqlite>::new("SELECT id, trace_id, source FROM traces WHERE id IN (");
    push_list(&mut query, traces);
    for row in query.build().fetch_all(&store.reads).await? {
        let id = TraceId::from_bytes(row.get(1)).map_err(Error::internal)?;
        heads.insert(row.get(0), (id, row.get(2)));
    }
    let stored = rows::stored(&store.reads, traces).await?;
    let elsewhere = elsewhere(&store.reads, traces).await?;
    let mut desk = store.prices.desk();
    let all = tokio::task::spawn_blocking(move || {
        let mut all = BTreeMap::new();
        for (trace, stored) in stored.found {
            let rows = stored.into_iter().map(|stored| stored.row).collect();
            let Some((id, source)) = heads.get(&trace) else {
                continue;
            };
            let mut shown = ledger_rows(*id, *source, &TraceRows::of(rows, &mut desk));
            for row in &mut shown {
                if row.standing == LedgerStanding::Counted
                    && let Ok(span) = row.span_id.parse::<SpanId>()
                    && let Some(other) = elsewhere.get(&(trace, span.as_i64()))
                {
                    row.leave_to(other.standing());
                }
            }
            all.insert(trace, shown);
        }
        all
    });
    all.await.map_err(Error::internal)
}

/// The span of another trace at which a call counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere {
    /// Row of its trace.
    pub(crate) trace: i64,
    trace_id: TraceId,
    /// Its id.
    pub(crate) span_id: i64,
}

impl Elsewhere {
    fn standing(self) -> LedgerStanding {
        LedgerStanding::Elsewhere {
            trace_id: self.trace_id.to_string(),
            span_id: format!("{:016x}", self.span_id.cast_unsigned()),
        }
    }
}

/// Where the calls of these traces count that do not count here, by row of the trace and id of the span.
pub(crate) async fn elsewhere(
    reads: &SqlitePool,
    traces: &[i64],
) -> Result<HashMap<(i64, i64), Elsewhere>, Error> {
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT f.trace, s.span_id, g.trace, t.trace_id, o.span_id
         FROM facts f
         JOIN spans s ON s.id = f.span
         JOIN facts g ON g.response = f.response AND g.trace <> f.trace AND g.counted & {ELSEWHERE} = 0 AND g.counted <> 0
         JOIN spans o ON o.id = g.span
         JOIN traces t ON t.id = g.trace
         JOIN traces own ON own.id = f.trace AND own.source = t.source
         WHERE f.counted & {ELSEWHERE} <> 0 AND f.trace IN ("
    ));
    push_list(&mut query, traces);
    query.push(" ORDER BY g.rank, g.start DESC");
    let mut found = HashMap::new();
    for row in query.build().fetch_all(reads).await? {
        let other = Elsewhere {
            trace: row.get(2),
            trace_id: TraceId::from_bytes(row.get(3)).map_err(Error::internal)?,
            span_id: row.get(4),
        };
        found.insert((row.get(0), row.get(1)), other);
    }
    Ok(found)
}

/// Appends what a filter says of an entry, over facts `f`, its trace `t`, its summary `m` and its model's name `n`.
fn push_entry(query: &mut QueryBuilder<Sqlite>, filter: &LedgerFilter, now: i64, indexed: bool) {
    if filter.counted {
        // In these words, so that the index of what counts is used.
        query.push(format!("f.counted <> 0 AND f.counted <> {ELSEWHERE}"));
    } else {
        query.push("(f.counted <> 0 OR f.input IS NOT NULL OR f.output IS NOT NULL)");
    }
    let signed = |micros: u64| i64::try_from(micros).unwrap_or(i64::MAX);
    if let Some(from) = filter.calls.from {
        query.push(" AND f.start >= ").push_bind(signed(from));
    }
    if let Some(to) = filter.calls.to {
        query.push(" AND f.start < ").push_bind(signed(to));
    }
    let texts = [
        (" AND n.text = ", &filter.model),
        (" AND f.prompt_name = ", &filter.prompt),
        (" AND f.prompt_version = ", &filter.prompt_version),
        (" AND json_extract(m.json, '$.user') = ", &filter.user),
    ];
    for (condition, text) in texts {
        if let Some(text) = text {
            query.push(condition).push_bind(text.clone());
        }
    }
    if let Some(feature) = &filter.feature {
        query.push(" AND f.feature = ").push_bind(hash(feature));
    }
    query.push(" AND ");
    push_filter(query, &filter.traces, now, indexed);
}

const FROM: &str = "FROM facts f
     JOIN traces t ON t.id = f.trace
     LEFT JOIN summaries m ON m.trace = f.trace
     LEFT JOIN strings n ON n.id = f.model
     WHERE ";

/// One page of entries, newest first, and the sums over all that match. `now` is in microseconds since the epoch.
pub(crate) async fn list(
    store: &Store,
    filter: &LedgerFilter,
    now: i64,
) -> Result<LedgerPage, Error> {
    let (rows, next) = page(store, filter, now).await?;
    let (sums, total) = sums(&store.reads, filter, now).await?;
    Ok(LedgerPage {
        rows,
        sums,
        total,
        next,
    })
}

/// One page of entries and the cursor of the next.
pub(crate) async fn page(
    store: &Store,
    filter: &LedgerFilter,
    now: i64,
) -> Result<(Vec<LedgerRow>, Option<String>), Error> {
    let limit = match filter.limit {
        0 => 50,
        1..=LARGEST_PAGE => filter.limit,
        more => {
            return Err(Error::new(
                ErrorCode::BadRequest,
                format!("limit is {more}: it must lie between 1 and {LARGEST_PAGE}"),
            ));
        }
    };
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT f.start, f.span, f.trace, s.span_id {}",
        FROM.replace("WHERE", "JOIN spans s ON s.id = f.span WHERE")
    ));
    let mut connection = store.reads.acquire().await?;
    let indexed = search::is_attached(&mut connection).await?;
    push_entry(&mut query, filter, now, indexed);
    if let Some(cursor) = &filter.cursor {
        let (at, span) = read_cursor(cursor)?;
        query.push(" AND (f.start, f.span) < (");
        query.push_bind(at).push(", ").push_bind(span).push(")");
    }
    query.push(" ORDER BY f.start DESC, f.span DESC LIMIT ");
    query.push_bind(i64::from(limit) + 1);
    let mut found: Vec<(i64, i64, i64, i64)> =
        query.build_query_as().fetch_all(&mut *connection).await?;
    drop(connection);
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(start, span, ..)| format!("{start}:{span}"));
    let traces: BTreeSet<i64> = found.iter().map(|row| row.2).collect();
    let traces: Vec<i64> = traces.into_iter().collect();
    let entries = entries(store, &traces).await?;
    let mut by_span: HashMap<(i64, String), LedgerRow> = HashMap::new();
    for (trace, rows) in entries {
        for row in rows {
            by_span.insert((trace, row.span_id.clone()), row);
        }
    }
    let rows = found.iter().filter_map(|(_, _, trace, span)| {
        by_span.remove(&(*trace, format!("{:016x}", span.cast_unsigned())))
    });
    Ok((rows.collect(), next))
}

async fn sums(
    reads: &SqlitePool,
    filter: &LedgerFilter,
    now: i64,
) -> Result<(LedgerSums, u64), Error> {
    // Halves, so that no sum of 64-bit numbers can overflow.
    let halves = |column: &str, bit: i64| {
        let counts = format!("CASE WHEN f.counted & {bit} <> 0 THEN {column} END");
        format!("sum(({counts}) >> 32), sum(({counts}) & 4294967295)")
    };
    let mut query = QueryBuilder::<Sqlite>::new(format!(
        "SELECT count(*), coalesce(sum(f.counted & {CALL} <> 0), 0), {}, {}, {}, {}, {}, {}, {}, {} {FROM}",
        halves("f.input", TOKENS),
        halves("f.output", TOKENS),
        halves("f.cached", TOKENS),
        halves("f.cost", COST),
        halves("coalesce(f.input, 0) + coalesce(f.output, 0)", UNPRICED),
        halves("f.estimated_input", ESTIMATED),
        halves("f.estimated_output", ESTIMATED),
        halves(
            &format!("CASE WHEN f.counted & {COST} = 0 THEN f.cost END"),
            ESTIMATED
        ),
    ));
    let mut connection = reads.acquire().await?;
    let indexed = search::is_attached(&mut connection).await?;
    push_entry(&mut query, filter, now, indexed);
    let row = query.build().fetch_one(&mut *connection).await?;
    let whole = |index: usize| {
        let (high, low): (Option<i64>, Option<i64>) = (row.get(index), row.get(index + 1));
        let sum = i128::from(high?) * (1 << 32) + i128::from(low?);
        Some(u64::try_from(sum.max(0)).unwrap_or(u64::MAX))
    };
    let estimated = Estimated {
        input_tokens: whole(12),
        output_tokens: whole(14),
        cost_nanos: whole(16),
    };
    let sums = LedgerSums {
        input_tokens: whole(2),
        output_tokens: whole(4),
        cached_tokens: whole(6),
        cost_nanos: whole(8),
        unpriced_tokens: whole(10).unwrap_or(0),
        estimated: (estimated != Estimated::default()).then_some(estimated),
        calls: u64::try_from(row.get::<i64, _>(1)).unwrap_or(0),
    };
    Ok((sums, u64::try_from(row.get::<i64, _>(0)).unwrap_or(0)))
}
