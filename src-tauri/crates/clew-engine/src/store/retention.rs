//! Retention: what was received longest ago goes first, in short slices, until size and age hold.
//!
//! Size is what the pages in use take, of database and index: what the write-ahead log repeats, and pages that wait to
//! be given back, cost no traces. Opened files are no business of the size limit: they go when they are closed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::SqlitePool;

use super::ballast::Ballast;
use super::purge::Loose;
use super::search::{self, SharedIndex};
use super::writer::{Session, Writer};
use super::{Store, backup, purge, shrink};
use crate::api::Purged;
use crate::changes::Changes;
use crate::error::Error;
use crate::event::Topic;
use crate::settings::Retention;

/// When retention first looks, and how often from then on.
const SOON: Duration = Duration::from_secs(5);
const PERIOD: Duration = Duration::from_secs(60);

/// Traces deleted in one transaction: about 50 ms of the writer's time.
const SLICE: i64 = 64;

/// Log records without a trace, or metric points, deleted in one transaction.
const LOOSE_SLICE: i64 = 512;

/// One in so many may go in one pass by age: a clock that jumps years ahead must not empty the database at once
/// (reliability.md C16). Of fewer than ten, all may.
const AGE_SHARE: i64 = 5;
const FEW: i64 = 10;

/// How often one pass measures and deletes again: how much of the index goes with a trace is an estimate.
const ROUNDS: usize = 3;

/// How often, and how far apart, readers are asked to let go of the write-ahead log after a deletion for good.
const TRIES: usize = 20;
const TRY: Duration = Duration::from_millis(150);

/// Purged spans that leave the index in one transaction.
const DRAIN: i64 = 4096;

/// What deletion works on: everything that holds telemetry, and who is told.
#[derive(Debug, Clone)]
pub(crate) struct Holdings {
    pub(crate) store: Store,
    pub(crate) writer: Writer,
    pub(crate) index: SharedIndex,
    pub(crate) ballast: Ballast,
    pub(crate) changes: Changes,
    /// Held by whoever deletes.
    pub(crate) purging: Arc<tokio::sync::Mutex<()>>,
    /// What retention could not do when it last looked.
    pub(crate) notice: Arc<Mutex<Option<String>>>,
}

impl Holdings {
    /// Why retention could not do all that the settings say when it last looked, and what to do.
    pub(crate) fn notice(&self) -> Option<String> {
        self.notice
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn say(&self, notice: Option<String>) {
        let mut said = self.notice.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notice) = notice
            .as_ref()
            .filter(|notice| said.as_ref() != Some(notice))
        {
            tracing::warn!("{notice}");
        }
        *said = notice;
    }
}

/// Applies retention for ever, as `settings` has it then, and keeps the ballast whole.
pub(crate) async fn run(holdings: Holdings, settings: impl Fn() -> Retention + Send) {
    if let Err(error) = recover(&holdings).await {
        tracing::warn!("cannot clear the full-text index of what was deleted: {error}");
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

/// Finishes what a deletion before a crash has left in the index.
async fn recover(holdings: &Holdings) -> Result<(), Error> {
    let _alone = holdings.purging.lock().await;
    if drain(holdings).await? {
        compact(holdings, true).await?;
        forget(holdings).await?;
    }
    Ok(())
}

async fn refill(holdings: &Holdings) {
    let ballast = holdings.ballast.clone();
    let filled = tokio::task::spawn_blocking(move || ballast.fill()).await;
    if let Err(error) = filled.map_err(Error::internal).and_then(|filled| filled) {
        tracing::warn!("{error}");
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
    let mut sizes = [0, 0];
    for (size, pragmas) in sizes.iter_mut().zip([
        [
            "PRAGMA main.page_count",
            "PRAGMA main.freelist_count",
            "PRAGMA main.page_size",
        ],
        [
            "PRAGMA search.page_count",
            "PRAGMA search.freelist_count",
            "PRAGMA search.page_size",
        ],
    ]) {
        let mut numbers = [0_i64; 3];
        for (number, pragma) in numbers.iter_mut().zip(pragmas) {
            // Without an index there is no such row.
            let row: Option<i64> = sqlx::query_scalar(pragma)
                .fetch_optional(&mut *connection)
                .await
                .unwrap_or_default();
            *number = row.unwrap_or(0);
        }
        let [pages, free, bytes] = numbers.map(i64::unsigned_abs);
        *size = pages.saturating_sub(free).saturating_mul(bytes);
    }
    Ok(Held {
        database: sizes[0],
        index: sizes[1],
        files: 0,
    })
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
    let by_age = by_age(holdings, retention, asked, &mut purged).await?;
    let by_size = by_size(holdings, retention.max_bytes, &mut purged).await?;
    if purged.traces > 0 {
        holdings.writer.commit(purge::unused).await?;
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
        delete(holdings, slice, purged).await?;
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
    loose(holdings, purge::points, which(points)).await?;
    let logs = allowed(
        "SELECT count(*) FROM logs WHERE trace IS NULL AND received < ?",
        "SELECT count(*) FROM logs WHERE trace IS NULL",
        &mut kept,
    )
    .await?;
    loose(holdings, purge::loose_logs, which(logs)).await?;
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
                oldest(holdings, held, excess, purged).await?;
            }
            return Ok(Some(notice));
        }
        if !oldest(holdings, held, excess, purged).await? {
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
        let gone = loose(holdings, purge::points, which).await?
            + loose(holdings, purge::loose_logs, which).await?;
        if gone > 0 {
            any = true;
            continue;
        }
        if slice.is_empty() {
            break;
        }
        any = true;
        left -= i64::try_from(slice.len()).unwrap_or(left);
        delete(
            holdings,
            slice.into_iter().map(|(id, _)| id).collect(),
            purged,
        )
        .await?;
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
        if let Err(error) = holdings.writer.alone(shrink::whole).await? {
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
            holdings.writer.alone(shrink::whole).await??;
        }
        let spans = removed.spans;
        search::with(&holdings.index, move |index| index.remove(&spans)).await?;
    }
    holdings.changes.changed(Topic::Spans);
    Ok(())
}

/// Deletes traces at a user's word: in slices, and so that no word of them stays in any file.
pub(crate) async fn delete_for_good(
    holdings: &Holdings,
    traces: Vec<i64>,
) -> Result<Purged, Error> {
    let _alone = holdings.purging.lock().await;
    let before = sizes(&holdings.store);
    let mut purged = Purged::default();
    for slice in traces.chunks(usize::try_from(SLICE).unwrap_or(64)) {
        delete(holdings, slice.to_vec(), &mut purged).await?;
    }
    // A copy from before a migration holds them too.
    backup::remove(&holdings.store.path, Duration::ZERO);
    holdings.writer.commit(purge::unused).await?;
    let mut emptied = compact(holdings, true).await?;
    for _ in 0..TRIES {
        if emptied {
            break;
        }
        tokio::time::sleep(TRY).await;
        emptied = empty_logs(holdings).await?;
    }
    forget(holdings).await?;
    refill(holdings).await;
    holdings.changes.changed(Topic::Status);
    purged.bytes = before.saturating_sub(sizes(&holdings.store));
    purged.notice = (!emptied).then(|| {
        "a reader keeps the write-ahead log, which holds deleted text until it ends: close other programs that have the \
         database open, and restart Clew"
            .to_owned()
    });
    Ok(purged)
}

/// Removes from the index what purges have noted; whether there was any.
async fn drain(holdings: &Holdings) -> Result<bool, Error> {
    let mut after = 0;
    loop {
        let spans: Vec<i64> = sqlx::query_scalar(
            "SELECT span FROM removed_spans WHERE span > ? ORDER BY span LIMIT ?",
        )
        .bind(after)
        .bind(DRAIN)
        .fetch_all(&holdings.store.reads)
        .await?;
        let Some(last) = spans.last() else {
            return Ok(after > 0);
        };
        after = *last;
        search::with(&holdings.index, move |index| index.remove(&spans)).await?;
    }
}

/// Forgets what purges have noted: the index has let go of it.
async fn forget(holdings: &Holdings) -> Result<(), Error> {
    holdings
        .writer
        .commit(|session| {
            session
                .connection
                .execute("DELETE FROM removed_spans", [])?;
            Ok(())
        })
        .await
}

/// Merges the index and gives space back, in slices between which others get their turn; `false` where a reader keeps a
/// write-ahead log. With `whole`, the index keeps no word of what was deleted.
async fn compact(holdings: &Holdings, whole: bool) -> Result<bool, Error> {
    let mut first = whole;
    while !search::with(&holdings.index, move |index| index.merge(first)).await? {
        first = false;
    }
    while !search::with(&holdings.index, |index| index.vacuum()).await? {}
    while !holdings.writer.alone(shrink::vacuum).await?? {}
    empty_logs(holdings).await
}

async fn empty_logs(holdings: &Holdings) -> Result<bool, Error> {
    let index = search::with(&holdings.index, |index| index.checkpoint()).await?;
    let database = holdings.writer.alone(shrink::checkpoint).await??;
    Ok(index && database)
}
