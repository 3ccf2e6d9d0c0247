//! Counts of what the database holds and how far derivation is behind.

use sqlx::SqlitePool;

use super::search;
use crate::error::Error;

/// Spans without facts, and spans without index entries.
pub(crate) async fn behind(reads: &SqlitePool) -> Result<(u64, u64), Error> {
    let mut connection = reads.acquire().await?;
    let attached = search::is_attached(&mut connection).await?;
    let (last, through): (i64, i64) = sqlx::query_as(
        "SELECT coalesce((SELECT max(id) FROM spans), 0), (SELECT through FROM derivation)",
    )
    .fetch_one(&mut *connection)
    .await?;
    let indexed: i64 = if attached {
        sqlx::query_scalar("SELECT through FROM search.progress")
            .fetch_optional(&mut *connection)
            .await?
            .unwrap_or(0)
    } else {
        0
    };
    let count = |through: i64| u64::try_from(last - through).unwrap_or(0);
    Ok((count(through), count(indexed)))
}

/// What traces hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) spans: u64,
    pub(crate) traces: u64,
    /// Microseconds since the epoch at which the oldest trace was received.
    pub(crate) oldest: Option<u64>,
}

/// Counts spans and traces; traces keep the counts of their spans, so that no large table is walked.
pub(crate) async fn counts(reads: &SqlitePool) -> Result<Counts, Error> {
    let (spans, traces, oldest): (i64, i64, Option<i64>) = sqlx::query_as(
        "SELECT coalesce(sum(spans), 0), count(*), min(received) FROM traces WHERE spans > 0",
    )
    .fetch_one(reads)
    .await?;
    let unsigned = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(Counts {
        spans: unsigned(spans),
        traces: unsigned(traces),
        oldest: oldest.map(unsigned),
    })
}

/// Counts log records and metric points by walking their tables: for who asks for storage, not for every change.
pub(crate) async fn other_rows(reads: &SqlitePool) -> Result<(u64, u64), Error> {
    let (logs, points): (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM logs), (SELECT count(*) FROM points)")
            .fetch_one(reads)
            .await?;
    let unsigned = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok((unsigned(logs), unsigned(points)))
}

/// Whether any span has ever been received live and is still there.
pub(crate) async fn received(reads: &SqlitePool) -> Result<bool, Error> {
    Ok(
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM traces WHERE source = 0 AND spans > 0)")
            .fetch_one(reads)
            .await?,
    )
}
