//! Deletes for good, in steps between which others write: traces with everything of them, closed files, and the room that
//! they leave. Retention and the user's own deletions end here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ballast::Ballast;
use super::purge::{self, Going};
use super::search::{self, SharedIndex};
use super::writer::Writer;
use super::{Store, backup, shrink, unused};
use crate::api::Purged;
use crate::changes::Changes;
use crate::error::Error;
use crate::event::Topic;

/// Traces deleted in one transaction: about 50 ms of the writer's time.
pub(super) const SLICE: usize = 64;

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

    pub(super) fn say(&self, notice: Option<String>) {
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

/// Finishes what a crash has cut off: closed files, traces of which a part is gone, and what the index still holds.
pub(super) async fn recover(holdings: &Holdings) -> Result<(), Error> {
    let _alone = holdings.purging.lock().await;
    let reads = &holdings.store.reads;
    let closed: Vec<i64> = sqlx::query_scalar("SELECT id FROM sources WHERE opened < 0")
        .fetch_all(reads)
        .await?;
    let mut purged = Purged::default();
    for source in closed {
        delete_source(holdings, source, &mut purged).await?;
    }
    let begun: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM traces t WHERE spans = 0 AND EXISTS (SELECT 1 FROM spans WHERE trace = t.id AND shown = 1)",
    )
    .fetch_all(reads)
    .await?;
    delete(
        holdings,
        begun.into_iter().map(Going::now).collect(),
        &mut purged,
    )
    .await?;
    if drain(holdings).await? || purged.traces > 0 {
        unused::delete(&holdings.store, &holdings.writer).await?;
        compact(holdings, true).await?;
        forget(holdings).await?;
    }
    Ok(())
}

/// Makes the ballast whole again.
pub(super) async fn refill(holdings: &Holdings) {
    let ballast = holdings.ballast.clone();
    let filled = tokio::task::spawn_blocking(move || ballast.fill()).await;
    if let Err(error) = filled.map_err(Error::internal).and_then(|filled| filled) {
        tracing::warn!("{error}");
    }
}

/// Bytes of the files of database and index.
pub(super) fn sizes(store: &Store) -> u64 {
    let (database, index) = store.sizes();
    database + index
}

/// Deletes traces with their index entries. Where the disk is full, the ballast gives way, and the traces go one by one,
/// each giving its room back before the next.
pub(super) async fn delete(
    holdings: &Holdings,
    traces: Vec<Going>,
    purged: &mut Purged,
) -> Result<(), Error> {
    if traces.is_empty() {
        return Ok(());
    }
    let full = holdings.ballast.give_way();
    if full {
        // What the log already holds goes into the database first, and makes room in the log; where even that does not
        // fit, the log may still have room for what follows.
        if let Err(error) = holdings.writer.alone(shrink::whole).await {
            tracing::warn!("{error}");
        }
    }
    for slice in traces.chunks(if full { 1 } else { SLICE }) {
        let mut left = slice.to_vec();
        while !left.is_empty() {
            let removed = holdings
                .writer
                .commit(move |session| purge::traces(session, &left))
                .await?;
            purged.traces += removed.traces;
            purged.spans += u64::try_from(removed.spans.len()).unwrap_or(u64::MAX);
            if full {
                holdings.writer.alone(shrink::whole).await?;
            }
            let spans = removed.spans;
            search::with(&holdings.index, move |index| index.remove(&spans)).await?;
            left = removed.left;
        }
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
    let traces = traces.into_iter().map(Going::now).collect();
    delete(holdings, traces, &mut purged).await?;
    erase(holdings, &mut purged).await?;
    purged.bytes = before.saturating_sub(sizes(&holdings.store));
    Ok(purged)
}

/// Closes an opened file: what it holds goes, so that no word of it stays in any file.
pub(crate) async fn close_source(holdings: &Holdings, source: i64) -> Result<Purged, Error> {
    // First of all, so that nothing more of the file is stored where it is still being read.
    holdings
        .writer
        .commit(move |session| purge::close(session, source))
        .await?;
    let _alone = holdings.purging.lock().await;
    let before = sizes(&holdings.store);
    let mut purged = Purged::default();
    delete_source(holdings, source, &mut purged).await?;
    erase(holdings, &mut purged).await?;
    purged.bytes = before.saturating_sub(sizes(&holdings.store));
    Ok(purged)
}

/// Deletes what a closed file holds, and its own row last: after a crash it is gone on with.
async fn delete_source(holdings: &Holdings, source: i64, purged: &mut Purged) -> Result<(), Error> {
    while holdings
        .writer
        .commit(move |session| purge::source(session, source))
        .await?
        > 0
    {}
    let traces: Vec<i64> = sqlx::query_scalar("SELECT id FROM traces WHERE source = ?")
        .bind(source)
        .fetch_all(&holdings.store.reads)
        .await?;
    delete(
        holdings,
        traces.into_iter().map(Going::now).collect(),
        purged,
    )
    .await?;
    holdings
        .writer
        .commit(move |session| {
            session
                .connection
                .execute("DELETE FROM sources WHERE id = ?", [source])?;
            Ok(())
        })
        .await
}

/// Erases what deleted telemetry has left behind: names, index entries, freed pages, logs, copies.
async fn erase(holdings: &Holdings, purged: &mut Purged) -> Result<(), Error> {
    // A copy from before a migration holds it too.
    backup::remove(&holdings.store.path, Duration::ZERO);
    unused::delete(&holdings.store, &holdings.writer).await?;
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
    purged.notice = (!emptied).then(|| {
        "a reader keeps the write-ahead log, which holds deleted text until it ends: close other programs that have the \
         database open, and restart Clew"
            .to_owned()
    });
    Ok(())
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
pub(super) async fn forget(holdings: &Holdings) -> Result<(), Error> {
    let step = |session: &mut super::writer::Session<'_>| {
        Ok(session
            .connection
            .prepare_cached(
                "DELETE FROM removed_spans WHERE span IN (SELECT span FROM removed_spans ORDER BY span LIMIT ?)",
            )?
            .execute([DRAIN])?)
    };
    while holdings.writer.commit(step).await? > 0 {}
    Ok(())
}

/// Merges the index and gives space back, in slices between which others get their turn; `false` where a reader keeps a
/// write-ahead log. With `whole`, the index keeps no word of what was deleted.
pub(super) async fn compact(holdings: &Holdings, whole: bool) -> Result<bool, Error> {
    let mut first = whole;
    while !search::with(&holdings.index, move |index| index.merge(first)).await? {
        first = false;
    }
    while !search::with(&holdings.index, |index| index.vacuum()).await? {}
    while !holdings.writer.alone(shrink::vacuum).await? {}
    empty_logs(holdings).await
}

async fn empty_logs(holdings: &Holdings) -> Result<bool, Error> {
    let index = search::with(&holdings.index, |index| index.checkpoint()).await?;
    let database = holdings.writer.alone(shrink::checkpoint).await?;
    Ok(index && database)
}
