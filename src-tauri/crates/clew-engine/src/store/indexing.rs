//! Fills the full-text index behind the facts, beside their loop.
//!
//! The deriver hands over the texts that it has in memory anyway, and waits a moment for room: to read and parse them once
//! more costs as much as to index them. What is not taken in time is read again from the ground, as is what was derived
//! before the index was lost. The watermarks of both are all that is relied on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::Store;
use super::derive::Deriving;
use super::derived::{each, texts};
use super::search::{self, SharedIndex, Texts};
use super::spans;
use crate::error::{Cause, Error};

/// Bytes of texts that wait for the index at the most.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// How long the deriver waits for room: several times what a step takes to be indexed. An index that stands still costs no
/// row more than that.
const PATIENCE: Duration = Duration::from_millis(500);

/// Bytes of texts after which a transaction of the index is closed: larger ones cost no less a word, and keep a deletion
/// waiting for longer.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Spans read from the ground at a time.
const STEP: i64 = 512;

/// Texts of all spans after one and up to another.
pub(super) struct Batch {
    pub(super) after: i64,
    pub(super) through: i64,
    pub(super) texts: Vec<Texts>,
}

impl Batch {
    fn bytes(&self) -> usize {
        self.texts.iter().map(Texts::bytes).sum()
    }
}

/// Where the deriver leaves texts for the indexer.
#[derive(Default)]
pub(super) struct Handover {
    waiting: Mutex<Waiting>,
    wake: Notify,
    taken: Notify,
}

#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    bytes: usize,
    /// Up to where the indexer has what it needs.
    reached: i64,
}

impl Waiting {
    fn has_room(&self, bytes: usize) -> bool {
        self.batches.is_empty() || self.bytes + bytes <= WAITING_BYTES
    }

    /// Whether there will be room soon: the indexer is not busy with spans before those that wait.
    fn is_followed(&self) -> bool {
        self.batches
            .front()
            .is_none_or(|next| next.after <= self.reached)
    }
}

impl Handover {
    /// Leaves a batch once there is room for it, and wakes the indexer. Where there will be none soon, it is dropped.
    pub(super) async fn push(&self, batch: Batch) {
        let until = Instant::now() + PATIENCE;
        let bytes = batch.bytes();
        while !self.settles(bytes) && timeout_at(until, self.taken.notified()).await.is_ok() {}
        let mut waiting = self.waiting();
        if waiting.has_room(bytes) {
            waiting.bytes += bytes;
            waiting.batches.push_back(batch);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Whether there is room, or none to wait for.
    fn settles(&self, bytes: usize) -> bool {
        let waiting = self.waiting();
        waiting.has_room(bytes) || !waiting.is_followed()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what follows `after` without a gap, about [`BATCH_BYTES`] of it; otherwise says where the next batch
    /// begins.
    fn take(&self, after: i64) -> Result<Batch, Option<i64>> {
        let mut waiting = self.waiting();
        let mut taken = Batch {
            after,
            through: after,
            texts: Vec::new(),
        };
        let mut bytes = 0;
        while let Some(next) = waiting.batches.front() {
            let outdated = next.through <= taken.through;
            if !outdated && (next.after > taken.through || bytes >= BATCH_BYTES) {
                break;
            }
            let Some(next) = waiting.batches.pop_front() else {
                break;
            };
            waiting.bytes -= next.bytes();
            if !outdated {
                bytes += next.bytes();
                let known = taken.through;
                taken.through = next.through;
                taken
                    .texts
                    .extend(next.texts.into_iter().filter(|text| text.span > known));
            }
        }
        waiting.reached = taken.through;
        let next = waiting.batches.front().map(|next| next.after);
        drop(waiting);
        self.taken.notify_one();
        if taken.through > after {
            return Ok(taken);
        }
        Err(next)
    }
}

/// The index's loop.
pub(super) struct Indexer {
    store: Store,
    index: SharedIndex,
    handover: Arc<Handover>,
    listener: Arc<dyn Deriving>,
}

impl Indexer {
    pub(super) fn new(
        store: Store,
        index: SharedIndex,
        handover: Arc<Handover>,
        listener: Arc<dyn Deriving>,
    ) -> Self {
        Self {
            store,
            index,
            handover,
            listener,
        }
    }

    /// Indexes for ever.
    pub(super) async fn run(self) {
        loop {
            if let Err(error) = self.turn().await {
                self.listener.failed(&error);
                if error.cause == Cause::Damage
                    && let Err(error) = search::with(&self.index, |index| index.make_anew()).await
                {
                    self.listener.failed(&error);
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Indexes what there is, then merges until there is more, or waits for it.
    async fn turn(&self) -> Result<(), Error> {
        self.follow().await?;
        loop {
            match search::with(&self.index, |index| index.merge(false)).await {
                Ok(true) => break,
                Ok(false) if self.handover.wake.notified().now_or_never().is_some() => {
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) if error.cause == Cause::Damage => return Err(error),
                // On a full disk, say. What is indexed is found all the same: it is tried again after the next texts.
                Err(error) => {
                    self.listener.failed(&error);
                    break;
                }
            }
        }
        self.handover.wake.notified().await;
        Ok(())
    }

    /// Indexes until the facts are reached. While a batch is being added, the next one is read.
    async fn follow(&self) -> Result<(), Error> {
        let watermark = self.watermark().await?;
        let mut next = self.gather(watermark).await?;
        while let Some(batch) = next {
            let through = batch.through;
            let (added, following) = tokio::join!(self.add(batch), self.gather(through));
            next = following?;
            if !added? {
                // The index was emptied meanwhile.
                let watermark = self.watermark().await?;
                next = self.gather(watermark).await?;
            }
            self.listener.derived();
        }
        Ok(())
    }

    /// How far the index has come. One that is ahead of the facts is of another database, or of one that was restored: it
    /// is built again.
    async fn watermark(&self) -> Result<i64, Error> {
        let indexed = search::with(&self.index, |index| index.through()).await?;
        if indexed <= self.derived().await? {
            return Ok(indexed);
        }
        search::with(&self.index, |index| index.reset()).await?;
        Ok(0)
    }

    async fn derived(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar("SELECT through FROM derivation")
            .fetch_one(&self.store.reads)
            .await?)
    }

    async fn add(&self, batch: Batch) -> Result<bool, Error> {
        search::with(&self.index, move |index| {
            index.add(batch.texts, batch.after, batch.through)
        })
        .await
    }

    /// What follows `after`: handed over, or else read from the ground.
    async fn gather(&self, after: i64) -> Result<Option<Batch>, Error> {
        let until = match self.handover.take(after) {
            Ok(batch) => return Ok(Some(batch)),
            Err(Some(next)) => next,
            Err(None) => self.derived().await?,
        };
        if until <= after {
            return Ok(None);
        }
        let reads = &self.store.reads;
        let ids = spans::ids_after(reads, after, until, STEP).await?;
        let full = i64::try_from(ids.len()).is_ok_and(|count| count == STEP);
        let mut through = match ids.last() {
            Some(last) if full => *last,
            _ => until,
        };
        // Those on damaged pages are reported where their facts are derived.
        let (mut places, _) = spans::places(reads, ids).await?;
        places.retain(|place| place.shown);
        let starts: Vec<i64> = places.iter().map(|place| place.id).collect();
        let made = each(&self.store, places, |whole| Ok(texts(whole)), Texts::bytes).await?;
        if let Some(left) = starts.get(made.taken) {
            through = left - 1;
        }
        Ok(Some(Batch {
            after,
            through,
            texts: made.all,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The span that follows `after`, with a text of so many bytes.
    fn batch(after: i64, bytes: usize) -> Batch {
        let text = Texts {
            span: after + 1,
            input: "x".repeat(bytes),
            ..Texts::default()
        };
        Batch {
            after,
            through: after + 1,
            texts: vec![text],
        }
    }

    /// Two batches, which leave no room for a third of their size.
    async fn full() -> Handover {
        let handover = Handover::default();
        for after in 0..2 {
            handover.push(batch(after, WAITING_BYTES / 2)).await;
        }
        handover
    }

    #[tokio::test]
    async fn texts_wait_for_room_while_the_index_follows() {
        let handover = full().await;
        let mut third = Box::pin(handover.push(batch(2, WAITING_BYTES / 2)));
        assert_eq!(third.as_mut().now_or_never(), None);
        for after in 0..3 {
            let taken = handover.take(after).expect("the next one");
            assert_eq!((taken.after, taken.through), (after, after + 1));
            if after == 0 {
                assert_eq!(third.as_mut().now_or_never(), Some(()));
            }
        }
    }

    #[tokio::test]
    async fn texts_are_dropped_at_once_while_the_index_reads_older_ones() {
        let handover = Handover::default();
        for after in 5..7 {
            handover.push(batch(after, WAITING_BYTES / 2)).await;
        }
        assert!(matches!(handover.take(0), Err(Some(5))));
        let third = handover.push(batch(7, WAITING_BYTES / 2));
        assert_eq!(third.now_or_never(), Some(()));
        assert_eq!(handover.take(5).map(|taken| taken.through).ok(), Some(6));
        assert_eq!(handover.take(6).map(|taken| taken.through).ok(), Some(7));
        assert!(matches!(handover.take(7), Err(None)));
    }

    #[tokio::test]
    async fn an_index_that_stands_still_is_not_waited_for_long() {
        let handover = full().await;
        handover.push(batch(2, WAITING_BYTES / 2)).await;
        assert_eq!(handover.take(0).map(|taken| taken.through).ok(), Some(1));
        assert_eq!(handover.take(1).map(|taken| taken.through).ok(), Some(2));
        assert!(matches!(handover.take(2), Err(None)));
    }

    #[tokio::test]
    async fn texts_larger_than_all_the_room_are_taken_alone() {
        let handover = Handover::default();
        handover.push(batch(0, WAITING_BYTES + 1)).await;
        assert_eq!(handover.take(0).map(|taken| taken.through).ok(), Some(1));
    }
}
