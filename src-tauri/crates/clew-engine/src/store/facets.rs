//! Totals, histogram and facets of the traces that match a filter.

use clew_core::model::Operation;
use clew_core::trend::Window;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use super::traces::{Facet, push_where};
use crate::api::{FacetValue, TraceFilter, TraceTotals};
use crate::error::Error;

/// Buckets of a histogram at the most.
const BUCKETS: usize = 60;

/// Values of a facet at the most.
const VALUES: i64 = 50;

const FROM: &str = " FROM traces t LEFT JOIN summaries m ON m.trace = t.id";

fn select(
    columns: &str,
    filter: &TraceFilter,
    without: Option<Facet>,
    now: i64,
) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(format!("SELECT {columns}{FROM}"));
    push_where(&mut query, filter, without, now);
    query
}

/// Counts what matches; `now` is in microseconds since the epoch.
pub(crate) async fn totals(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
) -> Result<TraceTotals, Error> {
    let row = select(
        "count(*), coalesce(sum(t.spans), 0), coalesce(sum(coalesce(m.errors, t.errors) > 0), 0),
         sum(m.tokens >> 32), sum(m.tokens & 4294967295), sum(m.cost >> 32), sum(m.cost & 4294967295),
         min(t.start), max(t.start), coalesce(sum(t.rooted = 1), 0)",
        filter,
        None,
        now,
    )
    .build()
    .fetch_one(reads)
    .await?;
    let unsigned =
        |index: usize| u64::try_from(row.get::<Option<i64>, _>(index).unwrap_or(0)).unwrap_or(0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "an amount to be shown, not to be added further"
    )]
    let cost_usd = halves(&row, 5).map(|nano| nano as f64 / 1e9);
    let (histogram_from, histogram_step, histogram) =
        histogram(reads, filter, now, unsigned(7), unsigned(8)).await?;
    Ok(TraceTotals {
        traces: unsigned(0),
        spans: unsigned(1),
        errors: unsigned(2),
        tokens: halves(&row, 3).map(|tokens| u64::try_from(tokens.max(0)).unwrap_or(u64::MAX)),
        cost_usd,
        p95_nanos: p95(reads, filter, now, unsigned(9)).await?,
        histogram_from,
        histogram_step,
        histogram,
        services: values(reads, filter, now, Facet::Service).await?,
        models: values(reads, filter, now, Facet::Model).await?,
        statuses: statuses(reads, filter, now).await?,
        operations: operations(reads, filter, now).await?,
    })
}

/// A sum whose high and low 32 bits were added apart, at two columns from this one: SQLite's own `sum` fails where it
/// does not fit 64 bits, and figures are whatever programs state.
fn halves(row: &SqliteRow, column: usize) -> Option<i128> {
    let half = |column| row.get::<Option<i64>, _>(column).map(i128::from);
    Some((half(column)? << 32) + half(column + 1)?)
}

/// The 95th percentile by nearest rank over ended traces.
async fn p95(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
    ended: u64,
) -> Result<Option<u64>, Error> {
    if ended == 0 {
        return Ok(None);
    }
    let rank = (ended * 95).div_ceil(100).saturating_sub(1);
    let mut query = select(
        "coalesce(m.duration, min(t.finish - t.start, 9223372036854775) * 1000)",
        filter,
        None,
        now,
    );
    query
        .push(" AND t.rooted = 1 ORDER BY 1 LIMIT 1 OFFSET ")
        .push_bind(i64::try_from(rank).unwrap_or(i64::MAX));
    let found: Option<i64> = query.build_query_scalar().fetch_optional(reads).await?;
    Ok(found.map(|nanos| u64::try_from(nanos).unwrap_or(0)))
}

async fn histogram(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
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
    let mut query = QueryBuilder::new("SELECT (t.start - ");
    query
        .push_bind(i64::try_from(from).unwrap_or(i64::MAX))
        .push(") / ");
    query.push_bind(i64::try_from(step).unwrap_or(i64::MAX));
    query.push(format!(
        ", count(*), sum(coalesce(m.errors, t.errors) > 0){FROM}"
    ));
    push_where(&mut query, filter, None, now);
    query.push(" GROUP BY 1");
    for (bucket, all, errors) in query
        .build_query_as::<(i64, i64, i64)>()
        .fetch_all(reads)
        .await?
    {
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

async fn values(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
    facet: Facet,
) -> Result<Vec<FacetValue>, Error> {
    let name = if facet == Facet::Service {
        "service"
    } else {
        "model"
    };
    let mut query = QueryBuilder::new(
        "SELECT n.text, count(*) FROM trace_values v JOIN strings n ON n.id = v.value WHERE v.facet = ",
    );
    query
        .push_bind(name)
        .push(format!(" AND v.trace IN (SELECT t.id{FROM}"));
    push_where(&mut query, filter, Some(facet), now);
    query
        .push(") GROUP BY v.value ORDER BY 2 DESC, 1 LIMIT ")
        .push_bind(VALUES);
    let rows = query
        .build_query_as::<(String, i64)>()
        .fetch_all(reads)
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

async fn statuses(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
) -> Result<Vec<FacetValue>, Error> {
    let mut query = QueryBuilder::new(
        "SELECT coalesce(sum(error), 0), coalesce(sum(running), 0), coalesce(sum(NOT error AND NOT running), 0)
         FROM (SELECT coalesce(m.errors, t.errors) > 0 AS error, t.rooted <> 1 AND t.received > ",
    );
    query
        .push_bind(now - super::traces::RUNNING_MICROS)
        .push(format!(" AS running{FROM}"));
    push_where(&mut query, filter, Some(Facet::Status), now);
    query.push(")");
    let (error, running, ok): (i64, i64, i64) = query.build_query_as().fetch_one(reads).await?;
    Ok(vec![
        facet_value("error", error),
        facet_value("running", running),
        facet_value("ok", ok),
    ])
}

async fn operations(
    reads: &SqlitePool,
    filter: &TraceFilter,
    now: i64,
) -> Result<Vec<FacetValue>, Error> {
    let sums: Vec<String> = (0..Operation::ALL.len())
        .map(|bit| format!("coalesce(sum(m.operations >> {bit} & 1), 0)"))
        .collect();
    let row = select(&sums.join(", "), filter, Some(Facet::Operation), now)
        .build()
        .fetch_one(reads)
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
