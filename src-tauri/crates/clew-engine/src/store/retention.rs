//! Retention: what was received longest ago goes first, in short slices, until size and age hold.
//!
//! Size is what the pages in use take, of database and index: what the write-ahead log repeats, and pages that wait to
//! be given back, cost no traces. Opened files are no business of the size limit: they go when they are closed.

use std::time::Duration;

use sqlx::{SqliteConnection, SqlitePool};

use super::deletion::{self, Holdings, compact, delete, forget, refill, sizes};
use super::purge::{Going, Loose};
use super::writer::Session;
use super::{Store, backup, purge, search, unused};
use crate::api::Purged;
use crate::error::Error;
use crate::event::Topic;
use crate::settings::Retention;

/// When retention first looks, and how often from then on.
const SOON: Duration = Duration::from_secs(5);
const PERIOD: Duration = Duration::from_secs(60);

/// Traces looked at in one go.
const SLICE: i64 = 64;

/// Log records without a trace, or metric points, deleted in one transaction.
const LOOSE_SLICE: i64 = 512;

/// One in so many may go in one pass by age: a clock that jumps years ahead must not empty the database at once
/// (reliability.md C16). Of fewer than ten, all may.
const AGE_SHARE: i64 = 5;
const FEW: i64 = 10;

/// How often one pass measures and deletes again: how much of the index goes with a trace is an estimate.
const ROUNDS: usize = 3;

/// Applies retention for ever, as `settings` has it then, and keeps the ballast whole.
pub(crate) async fn run(holdings: Holdings, settings: impl Fn() -> Retention + Send) {
    if let Err(error) = deletion::recover(&holdings).await {
        tracing::warn!("cannot finish a deletion that was cut off: {error}");
    }
    let mut pause = SOON;
    loop {
        refill(&holdings).await;
        backup::remove(&holdings.store.path, backup::KEPT);
        tokio::time::sleep(std::mem::replace(&mut pause, PERIOD)).await;
        if let Err(error) = apply(&holdings, settings(), false).await {
            tracing::warn!("cannot apply retention: {error}");
        }
    }
}

/// Bytes of pages in use.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    database: u64,
    index: u64,
    /// The share of opened files in both.
    files: u64,
}

impl Held {
    fn all(self) -> u64 {
        self.database.saturating_add(self.index)
    }

    fn live(self) -> u64 {
        self.all().saturating_sub(self.files)
    }

    /// Bytes that must go: below the limit by a tenth, so that the next span does not start the next pass.
    fn excess(self, limit: u64) -> u64 {
        match self.all() > limit {
            true => self.live().saturating_sub(limit / 10 * 9),
            false => 0,
        }
    }
}

/// `part` of `whole` as a share of `of`, rounded up.
fn share(of: u64, part: u64, whole: u64) -> u64 {
    let share = (u128::from(of) * u128::from(part)).div_ceil(u128::from(whole.max(1)));
    u64::try_from(share).unwrap_or(u64::MAX)
}

async fn used(store: &Store) -> Result<Held, Error> {
    let mut connection = store.reads.acquire().await?;
    let attached = search::is_attached(&mut connection).await?;
    // One moment for all numbers of a file: pages that are given back in between would be subtracted twice.
    let mut snapshot = sqlx::Connection::begin(&mut *connection).await?;
    let database = pages(
        &mut snapshot,
        [
            "PRAGMA main.freelist_count",
            "PRAGMA main.page_count",
            "PRAGMA main.page_size",
        ],
    )
    .await?;
    let index = match attached {
        true => {
            let numbers = [
                "PRAGMA search.freelist_count",
                "PRAGMA search.page_count",
                "PRAGMA search.page_size",
            ];
            pages(&mut snapshot, numbers).await?
        }
        false => 0,
    };
    snapshot.rollback().await?;
    Ok(Held {
        database,
        index,
        files: 0,
    })
}

/// Bytes of the pages in use, from the number of free ones, of all, and the bytes of each.
async fn pages(snapshot: &mut SqliteConnection, pragmas: [&'static str; 3]) -> Result<u64, Error> {
    let mut numbers = [0; 3];
    for (number, pragma) in numbers.iter_mut().zip(pragmas) {
        *number = sqlx::query_scalar::<_, i64>(pragma)
            .fetch_one(&mut *snapshot)
            .await?
            .unsigned_abs();
    }
    let [free, all, bytes] = numbers;
    Ok(all.saturating_sub(free).saturating_mul(bytes))
}

/// As [`used`], with the share of opened files, by the bytes of their payloads.
async fn held(store: &Store) -> Result<Held, Error> {
    let mut held = used(store).await?;
    let files: i64 = sqlx::query_scalar(
        "SELECT coalesce(sum(length(data)), 0) FROM content_blocks WHERE id IN (
             SELECT s.block FROM traces t JOIN spans s ON s.trace = t.id WHERE t.source <> 0
             UNION SELECT block FROM logs WHERE source <> 0)",
    )
    .fetch_one(&store.reads)
    .await?;
    if files > 0 {
        let all: i64 =
            sqlx::query_scalar("SELECT coalesce(sum(length(data)), 0) FROM content_blocks")
                .fetch_one(&store.reads)
                .await?;
        held.files = share(held.all(), files.unsigned_abs(), all.unsigned_abs());
    }
    Ok(held)
}

/// What retention would delete now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    pub(crate) traces: u64,
    pub(crate) bytes: u64,
}

/// Says what [`apply`] would delete, without deleting it; bytes are estimated from the mean size of a trace.
pub(crate) async fn preview(store: &Store, retention: Retention) -> Result<Preview, Error> {
    let mut held = used(store).await?;
    if held.all() > retention.max_bytes {
        held = self::held(store).await?;
    }
    let traces: i64 = count(&store.reads, "SELECT count(*) FROM traces", 0).await?;
    let live = count(&store.reads, LIVE, 0).await?.unsigned_abs();
    let by_age = match horizon(retention) {
        Some(horizon) => count(&store.reads, AGED_TRACES, horizon).await?,
        None => 0,
    };
    let by_size = share(live, held.excess(retention.max_bytes), held.live()).min(live);
    let traces_going = by_age.unsigned_abs().max(by_size);
    Ok(Preview {
        traces: traces_going,
        bytes: share(held.all(), traces_going, traces.unsigned_abs()),
    })
}

const LIVE: &str = "SELECT count(*) FROM traces WHERE source = 0";
const AGED_TRACES: &str = "SELECT count(*) FROM traces WHERE received < ?";

async fn count(reads: &SqlitePool, query: &'static str, horizon: i64) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(query)
        .bind(horizon)
        .fetch_one(reads)
        .await?)
}

/// Microseconds since the epoch before which traces are too old.
fn horizon(retention: Retention) -> Option<i64> {
    let days = i64::from(retention.max_days?);
    Some(super::now_micros() - days * 24 * 3600 * 1_000_000)
}

/// Deletes what retention says. `asked` is a user's own wish, which the clock guard does not limit.
pub(crate) async fn apply(
    holdings: &Holdings,
    retention: Retention,
    asked: bool,
) -> Result<Purged, Error> {
    let _alone = holdings.purging.lock().await;
    let before = sizes(&holdings.store);
    let mut purged = Purged::default();
    let mut loose = 0;
    let by_age = by_age(holdings, retention, asked, &mut purged, &mut loose).await?;
    let by_size = by_size(holdings, retention.max_bytes, &mut purged, &mut loose).await?;
    if purged.traces > 0 || loose > 0 {
        unused::delete(&holdings.store, &holdings.writer).await?;
        forget(holdings).await?;
        compact(holdings, false).await?;
        refill(holdings).await;
        holdings.changes.changed(Topic::Status);
    }
    purged.bytes = before.saturating_sub(sizes(&holdings.store));
    purged.notice = by_size.or(by_age);
    holdings.say(purged.notice.clone());
    Ok(purged)
}

/// Deletes what is too old, and says what stays for a while although it is.
async fn by_age(
    holdings: &Holdings,
    retention: Retention,
    asked: bool,
    purged: &mut Purged,
    gone: &mut i64,
) -> Result<Option<String>, Error> {
    let Some(horizon) = horizon(retention) else {
        return Ok(None);
    };
    let reads = &holdings.store.reads;
    let mut kept = 0;
    let allowed = async |aged: &'static str, all: &'static str, kept: &mut i64| {
        let aged = count(reads, aged, horizon).await?;
        if asked || aged <= FEW {
            return Ok::<i64, Error>(aged);
        }
        let allowed = aged.min(count(reads, all, 0).await? / AGE_SHARE).max(1);
        *kept += aged - allowed;
        Ok(allowed)
    };
    let mut left = allowed(AGED_TRACES, "SELECT count(*) FROM traces", &mut kept).await?;
    while left > 0 {
        let slice: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM traces WHERE received < ? ORDER BY received LIMIT ?",
        )
        .bind(horizon)
        .bind(left.min(SLICE))
        .fetch_all(reads)
        .await?;
        if slice.is_empty() {
            break;
        }
        left -= i64::try_from(slice.len()).unwrap_or(left);
        // What has received something meanwhile is not too old any more.
        let through = horizon - 1;
        let slice = slice.into_iter().map(|trace| Going { trace, through });
        delete(holdings, slice.collect(), purged).await?;
    }
    let which = |limit| Loose {
        through: horizon - 1,
        live: false,
        limit,
    };
    let points = allowed(
        "SELECT count(*) FROM points WHERE received < ?",
        "SELECT count(*) FROM points",
        &mut kept,
    )
    .await?;
    *gone += loose(holdings, purge::points, which(points)).await?;
    let logs = allowed(
        "SELECT count(*) FROM logs WHERE trace IS NULL AND received < ?",
        "SELECT count(*) FROM logs WHERE trace IS NULL",
        &mut kept,
    )
    .await?;
    *gone += loose(holdings, purge::loose_logs, which(logs)).await?;
    Ok((kept > 0).then(|| {
        format!(
            "{kept} traces, records or points became too old at once, as where the clock has jumped: a fifth goes at a \
             time; check the clock, or apply retention in Settings to delete them now"
        )
    }))
}

/// Deletes what was received first until the live share of what is held fits, and says what is in the way.
async fn by_size(
    holdings: &Holdings,
    limit: u64,
    purged: &mut Purged,
    gone: &mut i64,
) -> Result<Option<String>, Error> {
    let store = &holdings.store;
    for _ in 0..ROUNDS {
        if used(store).await?.all() <= limit && sizes(store) <= limit {
            return Ok(None);
        }
        // What is only waiting to be given back must not cost traces.
        let emptied = compact(holdings, false).await?;
        let held = held(store).await?;
        if held.all() <= limit {
            return Ok(None);
        }
        if !emptied {
            return Ok(Some(
                "a reader keeps the write-ahead log from being emptied, and nothing more was deleted by size: close other \
                 programs that have the database open"
                    .to_owned(),
            ));
        }
        let excess = held.excess(limit);
        if held.files > 0 && (excess == 0 || held.files > limit / 2) {
            let notice = format!(
                "opened files take {} MiB of the {} MiB that are kept, and cost no live telemetry: close some in the list of \
                 sources, or raise the limit",
                held.files / 1024 / 1024,
                limit / 1024 / 1024
            );
            if excess > 0 {
                oldest(holdings, held, excess, purged, gone).await?;
            }
            return Ok(Some(notice));
        }
        if !oldest(holdings, held, excess, purged, gone).await? {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Deletes live telemetry in the order of its arrival until the database's share of the excess is gone, and never more
/// traces than that is worth; whether there was any.
async fn oldest(
    holdings: &Holdings,
    held: Held,
    excess: u64,
    purged: &mut Purged,
    gone: &mut i64,
) -> Result<bool, Error> {
    let reads = &holdings.store.reads;
    let goal = held
        .database
        .saturating_sub(share(held.database, excess, held.all()));
    let live = count(reads, LIVE, 0).await?.unsigned_abs();
    let most = share(live, excess, held.live()).min(live);
    let mut left = i64::try_from(most).unwrap_or(i64::MAX);
    let mut any = false;
    while used(&holdings.store).await?.database > goal {
        // What came without a trace before these goes before them.
        let slice: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT id, received FROM traces WHERE source = 0 ORDER BY received LIMIT ?",
        )
        .bind(SLICE.min(left))
        .fetch_all(reads)
        .await?;
        if slice.is_empty() && live > 0 {
            break;
        }
        let which = Loose {
            through: slice.last().map_or(i64::MAX, |(_, received)| *received),
            live: true,
            limit: LOOSE_SLICE,
        };
        let before = *gone;
        *gone += loose(holdings, purge::points, which).await?
            + loose(holdings, purge::loose_logs, which).await?;
        if *gone > before {
            any = true;
            continue;
        }
        if slice.is_empty() {
            break;
        }
        any = true;
        left -= i64::try_from(slice.len()).unwrap_or(left);
        // What has received something meanwhile is not the oldest any more.
        let slice = slice
            .into_iter()
            .map(|(trace, through)| Going { trace, through });
        delete(holdings, slice.collect(), purged).await?;
    }
    Ok(any)
}

/// Deletes telemetry without a trace in slices; returns how much.
async fn loose(
    holdings: &Holdings,
    act: fn(&mut Session<'_>, Loose) -> Result<usize, Error>,
    which: Loose,
) -> Result<i64, Error> {
    let mut left = which.limit;
    while left > 0 {
        let slice = Loose {
            limit: left.min(LOOSE_SLICE),
            ..which
        };
        let gone = holdings
            .writer
            .commit(move |session| act(session, slice))
            .await?;
        if gone == 0 {
            break;
        }
        left -= i64::try_from(gone).unwrap_or(left);
    }
    Ok(which.limit - left)
}
