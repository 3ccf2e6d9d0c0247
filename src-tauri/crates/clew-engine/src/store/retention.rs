//! Retention: the traces received longest ago go first, in short slices, until size and age hold.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use sqlx::SqlitePool;

use super::ballast::Ballast;
use super::search::SharedIndex;
use super::writer::Writer;
use super::{Store, backup, purge};
use crate::api::Purged;
use crate::changes::Changes;
use crate::error::Error;
use crate::event::Topic;
use crate::settings::Retention;

/// How often retention looks.
const PERIOD: Duration = Duration::from_secs(60);

/// Traces deleted in one transaction: about 50 ms of the writer's time.
const SLICE: i64 = 64;

/// Share of all traces that one pass may delete by age: a clock that jumps years ahead must not empty the database
/// (reliability.md C16).
const AGE_SHARE: f64 = 0.2;

/// What deletion works on: everything that holds telemetry, and who is told.
#[derive(Debug, Clone)]
pub(crate) struct Holdings {
    pub(crate) store: Store,
    pub(crate) writer: Writer,
    pub(crate) index: SharedIndex,
    pub(crate) ballast: Ballast,
    pub(crate) changes: Changes,
}

/// Applies retention for ever, as `settings` has it then, and keeps the ballast whole.
pub(crate) async fn run(holdings: Holdings, settings: impl Fn() -> Retention + Send) {
    loop {
        refill(&holdings).await;
        backup::remove(&holdings.store.path, backup::KEPT);
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = apply(&holdings, settings(), false).await {
            tracing::warn!("cannot apply retention: {error}");
        }
    }
}

async fn refill(holdings: &Holdings) {
    let ballast = holdings.ballast.clone();
    let filled = tokio::task::spawn_blocking(move || ballast.fill()).await;
    if let Err(error) = filled.map_err(Error::internal).and_then(|filled| filled) {
        tracing::warn!("{error}");
    }
}

/// What retention would delete now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    pub(crate) traces: u64,
    pub(crate) bytes: u64,
}

/// Says what [`apply`] would delete, without deleting it; bytes are estimated from the mean size of a span.
pub(crate) async fn preview(store: &Store, retention: Retention) -> Result<Preview, Error> {
    let (spans, traces): (i64, i64) =
        sqlx::query_as("SELECT coalesce(sum(spans), 0), count(*) FROM traces")
            .fetch_one(&store.reads)
            .await?;
    if spans == 0 {
        return Ok(Preview::default());
    }
    let (database, index) = store.sizes();
    let size = database + index;
    let by_age = aged(&store.reads, retention).await?;
    let excess = size.saturating_sub(retention.max_bytes);
    let traces = traces.unsigned_abs();
    let by_size = u64::try_from(u128::from(excess) * u128::from(traces) / u128::from(size.max(1)))
        .unwrap_or(traces);
    let count = by_age.max(by_size);
    let bytes = u64::try_from(u128::from(size) * u128::from(count) / u128::from(traces.max(1)))
        .unwrap_or(size);
    Ok(Preview {
        traces: count,
        bytes,
    })
}

/// Microseconds since the epoch before which traces are too old.
fn horizon(retention: Retention) -> Option<i64> {
    let days = i64::from(retention.max_days?);
    Some(super::now_micros() - days * 24 * 3600 * 1_000_000)
}

async fn aged(reads: &SqlitePool, retention: Retention) -> Result<u64, Error> {
    let Some(horizon) = horizon(retention) else {
        return Ok(0);
    };
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM traces WHERE received < ?")
        .bind(horizon)
        .fetch_one(reads)
        .await?;
    Ok(count.unsigned_abs())
}

/// Deletes what retention says. `asked` is a user's own wish, which the clock guard does not limit.
pub(crate) async fn apply(
    holdings: &Holdings,
    retention: Retention,
    asked: bool,
) -> Result<Purged, Error> {
    let store = &holdings.store;
    let before = sizes(store);
    let mut purged = Purged::default();
    let traces: i64 = sqlx::query_scalar("SELECT count(*) FROM traces")
        .fetch_one(&store.reads)
        .await?;
    let aged = aged(&store.reads, retention).await?;
    #[expect(clippy::cast_precision_loss, reason = "a share, not a count")]
    let suspicious = aged as f64 > traces as f64 * AGE_SHARE && aged > 10;
    if let Some(horizon) = horizon(retention).filter(|_| asked || !suspicious) {
        loop {
            let slice: Vec<i64> = sqlx::query_scalar(
                "SELECT id FROM traces WHERE received < ? ORDER BY received LIMIT ?",
            )
            .bind(horizon)
            .bind(SLICE)
            .fetch_all(&store.reads)
            .await?;
            if slice.is_empty() {
                break;
            }
            delete(holdings, slice, &mut purged).await?;
        }
        holdings
            .writer
            .commit(move |session| purge::older(session, horizon))
            .await?;
    }
    let crowded = before > retention.max_bytes;
    if crowded {
        // What the write-ahead log repeats of the database must not cost traces.
        holdings.writer.alone(purge::shrink).await??;
    }
    let all = sizes(store);
    if all > retention.max_bytes {
        // The index gives its space back only when it is merged at the end, so the database's own share leads. Below the
        // limit by a tenth, so that the next span does not start the next pass.
        let share = u128::from(store.sizes().0) * u128::from(retention.max_bytes / 10 * 9);
        let goal = u64::try_from(share / u128::from(all.max(1))).unwrap_or(u64::MAX);
        loop {
            let size = store.sizes().0;
            let Some(excess) = size.checked_sub(goal).filter(|&excess| excess > 0) else {
                break;
            };
            // As many as the excess is worth: few large traces must not go sixty-four at a time.
            let left = u128::from(traces.unsigned_abs().saturating_sub(purged.traces));
            let share = left * u128::from(excess) / u128::from(size);
            let count = i64::try_from(share).unwrap_or(SLICE).clamp(1, SLICE);
            let slice: Vec<i64> = sqlx::query_scalar(
                "SELECT id FROM traces WHERE source = 0 ORDER BY received LIMIT ?",
            )
            .bind(count)
            .fetch_all(&store.reads)
            .await?;
            if slice.is_empty() {
                break;
            }
            delete(holdings, slice, &mut purged).await?;
            holdings.writer.alone(purge::shrink).await??;
        }
    }
    if purged.traces > 0 {
        tidy(holdings, crowded).await?;
        purged.bytes = before.saturating_sub(sizes(store));
    }
    Ok(purged)
}

fn sizes(store: &Store) -> u64 {
    let (database, index) = store.sizes();
    database + index
}

/// Deletes traces with their index entries. Where the disk is full, the ballast gives way, and the traces go one by one,
/// each giving its room back before the next.
async fn delete(holdings: &Holdings, traces: Vec<i64>, purged: &mut Purged) -> Result<(), Error> {
    let full = holdings.ballast.give_way();
    if full {
        // What the log already holds goes into the database first, and makes room in the log; where even that does not
        // fit, the log may still have room for what follows.
        if let Err(error) = holdings.writer.alone(purge::shrink).await? {
            tracing::warn!("{error}");
        }
    }
    for slice in traces.chunks(if full { 1 } else { traces.len().max(1) }) {
        let slice = slice.to_vec();
        let removed = holdings
            .writer
            .commit(move |session| purge::traces(session, &slice))
            .await?;
        purged.traces += removed.traces;
        purged.spans += u64::try_from(removed.spans.len()).unwrap_or(u64::MAX);
        if full {
            holdings.writer.alone(purge::shrink).await??;
        }
        remove_from_index(holdings, removed.spans, false).await?;
    }
    holdings.changes.changed(Topic::Spans);
    Ok(())
}

/// Deletes traces at a user's word: in slices, and so that no word of them stays in any file.
pub(crate) async fn delete_for_good(
    holdings: &Holdings,
    traces: Vec<i64>,
) -> Result<Purged, Error> {
    let before = sizes(&holdings.store);
    let mut purged = Purged::default();
    for slice in traces.chunks(usize::try_from(SLICE).unwrap_or(64)) {
        delete(holdings, slice.to_vec(), &mut purged).await?;
    }
    // A copy from before a migration holds them too.
    backup::remove(&holdings.store.path, Duration::ZERO);
    tidy(holdings, true).await?;
    purged.bytes = before.saturating_sub(sizes(&holdings.store));
    Ok(purged)
}

async fn remove_from_index(
    holdings: &Holdings,
    spans: Vec<i64>,
    thoroughly: bool,
) -> Result<(), Error> {
    let index = Arc::clone(&holdings.index);
    tokio::task::spawn_blocking(move || {
        index
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&spans, thoroughly)
    })
    .await
    .map_err(Error::internal)?
}

/// Drops unused names and gives space back; with `thoroughly`, the index keeps no word of what was deleted.
async fn tidy(holdings: &Holdings, thoroughly: bool) -> Result<(), Error> {
    holdings.writer.commit(purge::unused).await?;
    holdings.writer.alone(purge::shrink).await??;
    if thoroughly {
        remove_from_index(holdings, Vec::new(), true).await?;
    }
    refill(holdings).await;
    holdings.changes.changed(Topic::Status);
    Ok(())
}
