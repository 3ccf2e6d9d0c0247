//! From a decoded batch to a committed one: a bounded queue before the one writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clew_core::otlp::Batch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Cause, Error, ErrorCode};
use crate::store::disk::Disk;
use crate::store::prepare::{Prepared, prepare};
use crate::store::writer::Writer;
use crate::store::{ground, now_micros};

/// KiB of payload that may wait for the writer: two of the largest requests.
const QUEUE_KIB: usize = 128 * 1024;

/// How long a file waits for a disk or a database that cannot take more, and how often it asks.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(1);

/// How long a sender is asked to wait when the queue is full.
const RETRY: Duration = Duration::from_secs(1);

/// Hands batches to the writer and waits until they are committed.
#[derive(Debug, Clone)]
pub struct Ingest {
    writer: Writer,
    queue: Arc<Semaphore>,
    disk: Arc<Disk>,
    closing: Arc<AtomicBool>,
    committed: Arc<dyn Committing>,
}

/// What wants to know of commits.
pub(crate) trait Committing: std::fmt::Debug + Send + Sync {
    /// Takes what a commit under `source` has stored.
    fn committed(&self, source: i64, stored: Committed);
}

/// Why a batch was not taken; nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The queue is full: send again after this time. HTTP 429, `UNAVAILABLE` with `RetryInfo`.
    #[error("the writer is behind: send again in {} s", .0.as_secs())]
    Busy(Duration),
    /// Disk or database cannot take it now. HTTP 503, `UNAVAILABLE` with `RetryInfo`.
    #[error("{0}")]
    Unavailable(String),
    /// The engine is shutting down. HTTP 503, `UNAVAILABLE`.
    #[error("Clew is shutting down")]
    ShuttingDown,
}

/// What a commit stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Spans that were new.
    pub spans: u64,
    /// Traces that were new.
    pub traces: u64,
    /// Log records that were new.
    pub logs: u64,
    /// Metric points that were new.
    pub points: u64,
}

impl Ingest {
    pub(crate) fn new(writer: Writer, disk: Arc<Disk>, committed: Arc<dyn Committing>) -> Self {
        Self {
            writer,
            queue: Arc::new(Semaphore::new(QUEUE_KIB)),
            disk,
            closing: Arc::default(),
            committed,
        }
    }

    /// Stores `batch` under `source` (0 is live) and returns when it is committed with fsync.
    ///
    /// Dropping the future does not cancel the write: once queued, a batch is stored whole or not at all.
    ///
    /// # Errors
    /// [`Refused`]; nothing was stored then.
    pub async fn commit(&self, source: i64, batch: Batch) -> Result<Committed, Refused> {
        self.ready()?;
        let size = u32::try_from((weight(&batch) / 1024 + 1).min(QUEUE_KIB)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.queue)
            .try_acquire_many_owned(size)
            .map_err(|_| Refused::Busy(RETRY))?;
        self.store(source, batch, permit).await
    }

    /// As [`Ingest::commit`], but waits for room in the queue, and up to a minute for room on the disk: for files, which
    /// nobody sends again.
    ///
    /// # Errors
    /// [`Refused`], never [`Refused::Busy`].
    pub async fn commit_patiently(&self, source: i64, batch: Batch) -> Result<Committed, Refused> {
        self.open()?;
        let size = u32::try_from((weight(&batch) / 1024 + 1).min(QUEUE_KIB)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.queue)
            .acquire_many_owned(size)
            .await
            .map_err(|_| Refused::ShuttingDown)?;
        let prepared = self.prepare(batch).await?;
        let permit = Arc::new(permit);
        let until = Instant::now() + PATIENCE;
        loop {
            self.open()?;
            let full = match self.disk.check() {
                Ok(()) => match self.write(source, &prepared, &permit).await {
                    Err(error) if error.cause == Cause::Medium => self.refused(error),
                    result => return result.map_err(|error| self.refused(error)),
                },
                Err(full) => Refused::Unavailable(full),
            };
            if Instant::now() >= until {
                return Err(full);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn store(
        &self,
        source: i64,
        batch: Batch,
        permit: OwnedSemaphorePermit,
    ) -> Result<Committed, Refused> {
        let prepared = self.prepare(batch).await?;
        self.write(source, &prepared, &Arc::new(permit))
            .await
            .map_err(|error| self.refused(error))
    }

    async fn prepare(&self, batch: Batch) -> Result<Arc<Prepared>, Refused> {
        let prepared = tokio::task::spawn_blocking(move || prepare(batch)).await;
        match prepared.map_err(Error::internal) {
            Ok(Ok(prepared)) => Ok(Arc::new(prepared)),
            Ok(Err(error)) => Err(self.refused(Error::internal(error))),
            Err(error) => Err(self.refused(error)),
        }
    }

    async fn write(
        &self,
        source: i64,
        prepared: &Arc<Prepared>,
        permit: &Arc<OwnedSemaphorePermit>,
    ) -> Result<Committed, Error> {
        let (prepared, permit) = (Arc::clone(prepared), Arc::clone(permit));
        let stored = self
            .writer
            .commit(move |session| {
                let _held_until_stored = permit;
                ground::store(session, source, &prepared, now_micros())
            })
            .await?;
        self.committed.committed(source, stored);
        Ok(stored)
    }

    /// What is answered to a batch that was not stored. Where disk or database cannot take more, others are refused too
    /// for a moment; what is wrong with one batch costs that batch.
    fn refused(&self, error: Error) -> Refused {
        if error.code == ErrorCode::Busy {
            return Refused::ShuttingDown;
        }
        tracing::warn!("{error}");
        if error.cause == Cause::Medium {
            self.disk.failed(&error);
        }
        Refused::Unavailable(error.message)
    }

    /// Whether [`Ingest::commit`] would be refused now, so that a receiver can say so before it reads a body.
    ///
    /// # Errors
    /// What `commit` would answer.
    pub fn ready(&self) -> Result<(), Refused> {
        self.open()?;
        if self.queue.available_permits() == 0 {
            return Err(Refused::Busy(RETRY));
        }
        self.disk.check().map_err(Refused::Unavailable)
    }

    fn open(&self) -> Result<(), Refused> {
        if self.closing.load(Ordering::Acquire) {
            return Err(Refused::ShuttingDown);
        }
        Ok(())
    }

    /// Refuses everything from now on.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

/// Bytes of payload in a batch.
fn weight(batch: &Batch) -> usize {
    let spans = batch
        .spans
        .iter()
        .flat_map(|group| &group.items)
        .map(|item| item.raw.len() + 64);
    let logs = batch
        .logs
        .iter()
        .flat_map(|group| &group.items)
        .map(|item| item.raw.len() + 64);
    let metrics = batch.metrics.iter().flat_map(|group| &group.items);
    let points = metrics
        .flat_map(|metric| &metric.points)
        .map(|point| point.raw.len() + 64);
    spans.chain(logs).chain(points).sum()
}
