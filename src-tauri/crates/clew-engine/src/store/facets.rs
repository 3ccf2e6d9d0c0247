//! Totals, histogram and facets of the traces that match a filter.

use clew_core::model::Operation;
use clew_core::trend::Window;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};

use super::search;
use super::spans::CHUNK;
use super::traces::{Facet, RUNNING_MICROS, push_among, push_common, push_facet, readable};
use crate::api::{FacetValue, TraceFilter, TraceTotals};
use crate::error::{Cause, Error};

/// Buckets of a histogram at the most.
const BUCKETS: usize = 60;

/// Values of a facet at the most.
const VALUES: i64 = 50;

/// What matches a filter outside of its facets, with the figures that are summed up and whether each facet matches too.
/// Filled anew in each transaction and empty between them.
const MATCHING: &str = "CREATE TEMP TABLE IF NOT EXISTS matching (
    id INTEGER PRIMARY KEY, start INTEGER, spans INTEGER, error INTEGER, running INTEGER, ended INTEGER,
    duration INTEGER, tokens INTEGER, cost INTEGER, operations INTEGER,
    service_fits INTEGER, model_fits INTEGER, status_fits INTEGER, operation_fits INTEGER,
    error_fits INTEGER)";

/// A condition over `matching`: every facet matches, but for one whose values are counted.
fn fits(without: Option<Facet>) -> String {
    let mut all = "TRUE".to_owned();
    for facet in Facet::ALL {
        if without != Some(facet) {
            all.push_str(match facet {
                Facet::Service => " AND service_fits",
                Facet::Model => " AND model_fits",
                Facet::Status => " AND status_fits",
                Facet::Operation => " AND operation_fits",
                Facet::ErrorClass => " AND error_fits",
            });
        }
    }
    all
}

/// Reads the traces once, with one search where the filter has words; with `among` only those.
async fn fill(
    connection: &mut SqliteConnection,
    filter: &TraceFilter,
    now: i64,
    among: Option<&[i64]>,
) -> Result<(), Error> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO matching
         SELECT t.id, t.start, t.spans, coalesce(m.errors, t.errors) > 0, t.rooted <> 1 AND t.received > ",
    );
    query.push_bind(now - RUNNING_MICROS).push(
        ", t.rooted = 1, coalesce(m.duration, min(t.finish - t.start, 9223372036854775) * 1000),
           m.tokens - m.tokens_elsewhere AS tokens, m.cost - m.cost_elsewhere AS cost, m.operations",
    );
    for facet in Facet::ALL {
        query.push(", ");
        push_facet(&mut query, filter, facet, now);
    }
    query.push(" FROM traces t LEFT JOIN summaries m ON m.trace = t.id WHERE ");
    let indexed = search::is_attached(connection).await?;
    push_common(&mut query, filter, indexed);
    if let Some(among) = among {
        push_among(&mut query, among);
    }
    query.build().execute(connection).await?;
    Ok(())
}

/// Counts what matches; `now` is in microseconds since the epoch.
pub(crate) async fn totals(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
) -> Result<TraceTotals, Error> {
    let mut connection = reads.acquire().await?;
    sqlx::query(MATCHING).execute(&mut *connection).await?;
    let mut snapshot = sqlx::Connection::begin(&mut *connection).await?;
    match fill(&mut snapshot, filter, now, None).await {
        // Without the traces on damaged pages, as the list has it; what was filled in before they were met goes.
        Err(error) if error.cause == Cause::Damage => {
            snapshot.rollback().await?;
            let readable = readable(reads).await?;
            snapshot = sqlx::Connection::begin(&mut *connection).await?;
            for traces in readable.chunks(CHUNK) {
                fill(&mut snapshot, filter, now, Some(traces)).await?;
            }
        }
        filled => filled?,
    }
    let totals = sums(&mut snapshot, filter).await;
    snapshot.rollback().await?;
    totals
}

async fn sums(matching: &mut SqliteConnection, filter: &TraceFilter) -> Result<TraceTotals, Error> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT count(*), coalesce(sum(spans), 0), coalesce(sum(error), 0),
                sum(tokens >> 32), sum(tokens & 4294967295), sum(cost >> 32), sum(cost & 4294967295),
                min(start), max(start), coalesce(sum(ended), 0)
         FROM matching WHERE {}",
        fits(None)
    )))
    .fetch_one(&mut *matching)
    .await?;
    let unsigned =
        |index: usize| u64::try_from(row.get::<Option<i64>, _>(index).unwrap_or(0)).unwrap_or(0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "an amount to be shown, not to be added further"
    )]
    let cost_usd = halves(&row, 5).map(|nano| nano as f64 / 1e9);
    let (histogram_from, histogram_step, histogram) =
        histogram(matching, filter, unsigned(7), unsigned(8)).await?;
    Ok(TraceTotals {
        traces: unsigned(0),
        spans: unsigned(1),
        errors: unsigned(2),
        tokens: halves(&row, 3).map(|tokens| u64::try_from(tokens.max(0)).unwrap_or(u64::MAX)),
        cost_usd,
        p95_nanos: p95(matching, unsigned(9)).await?,
        histogram_from,
        histogram_step,
        histogram,
        services: values(matching, Facet::Service).await?,
        models: values(matching, Facet::Model).await?,
        error_classes: values(matching, Facet::ErrorClass).await?,
        statuses: statuses(matching).await?,
        operations: operations(matching).await?,
    })
}

/// A sum whose high and low 32 bits were added apart, at two columns from this one: SQLite's own `sum` fails where it
/// does not fit 64 bits, and figures are whatever programs state.
fn halves(row: &SqliteRow, column: usize) -> Option<i128> {
    let half = |column| row.get::<Option<i64>, _>(column).map(i128::from);
    Some((half(column)? << 32) + half(column + 1)?)
}

/// The 95th percentile by nearest rank over ended traces.
async fn p95(matching: &mut SqliteConnection, ended: u64) -> Result<Option<u64>, Error> {
    if ended == 0 {
        return Ok(None);
    }
    let rank = (ended * 95).div_ceil(100).saturating_sub(1);
    let found: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT duration FROM matching WHERE ended AND {} ORDER BY 1 LIMIT 1 OFFSET ?",
        fits(None)
    )))
    .bind(i64::try_from(rank).unwrap_or(i64::MAX))
    .fetch_optional(matching)
    .await?;
    Ok(found.map(|nanos| u64::try_from(nanos).unwrap_or(0)))
}

async fn histogram(
    matching: &mut SqliteConnection,
    filter: &TraceFilter,
    first: u64,
    last: u64,
) -> Result<(u64, u64, Vec<(u32, u32)>), Error> {
    let from = filter.range.from.unwrap_or(first);
    let to = filter
        .range
        .to
        .unwrap_or(last.saturating_add(1))
        .max(from.saturating_add(1));
    let window = Window::new(from, to, BUCKETS, 0);
    let (from, step) = (window.from, window.step);
    let mut buckets = vec![(0, 0); window.len];
    let counted: Vec<(i64, i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT (start - ?) / ?, count(*), sum(error) FROM matching WHERE {} GROUP BY 1",
        fits(None)
    )))
    .bind(i64::try_from(from).unwrap_or(i64::MAX))
    .bind(i64::try_from(step).unwrap_or(i64::MAX))
    .fetch_all(matching)
    .await?;
    for (bucket, all, errors) in counted {
        let small = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        if let Some(bucket) = usize::try_from(bucket)
            .ok()
            .and_then(|bucket| buckets.get_mut(bucket))
        {
            *bucket = (small(all), small(errors));
        }
    }
    Ok((from, step, buckets))
}

async fn values(matching: &mut SqliteConnection, facet: Facet) -> Result<Vec<FacetValue>, Error> {
    let name = match facet {
        Facet::Model => "model",
        Facet::ErrorClass => "error",
        _ => "service",
    };
    let rows: Vec<(String, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT n.text, c.count
         FROM (SELECT v.value, count(*) AS count FROM trace_values v CROSS JOIN matching ON id = v.trace
               WHERE v.facet = ? AND {} GROUP BY v.value) c
         JOIN strings n ON n.id = c.value
         ORDER BY 2 DESC, 1 LIMIT ?",
        fits(Some(facet))
    )))
    .bind(name)
    .bind(VALUES)
    .fetch_all(matching)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(value, count)| facet_value(value, count))
        .collect())
}

fn facet_value(value: impl Into<String>, count: i64) -> FacetValue {
    FacetValue {
        value: value.into(),
        count: u32::try_from(count).unwrap_or(u32::MAX),
    }
}

async fn statuses(matching: &mut SqliteConnection) -> Result<Vec<FacetValue>, Error> {
    let (error, running, ok): (i64, i64, i64) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT coalesce(sum(error), 0), coalesce(sum(running), 0), coalesce(sum(NOT error AND NOT running), 0)
         FROM matching WHERE {}",
        fits(Some(Facet::Status))
    )))
    .fetch_one(matching)
    .await?;
    Ok(vec![
        facet_value("error", error),
        facet_value("running", running),
        facet_value("ok", ok),
    ])
}

async fn operations(matching: &mut SqliteConnection) -> Result<Vec<FacetValue>, Error> {
    let sums: Vec<String> = (0..Operation::ALL.len())
        .map(|bit| format!("coalesce(sum(operations >> {bit} & 1), 0)"))
        .collect();
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {} FROM matching WHERE {}",
        sums.join(", "),
        fits(Some(Facet::Operation))
    )))
    .fetch_one(matching)
    .await?;
    let mut values: Vec<FacetValue> = Operation::ALL
        .iter()
        .enumerate()
        .map(|(index, operation)| facet_value(operation.name(), row.get(index)))
        .filter(|value| value.count > 0)
        .collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.count));
    Ok(values)
}
