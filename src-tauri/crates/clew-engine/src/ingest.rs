//! From a decoded batch to a committed one: a bounded queue before the one writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clew_core::otlp::Batch;
use tokio::sync::Semaphore;

use crate::error::{Error, ErrorCode};
use crate::store::disk::Disk;
use crate::store::prepare::prepare;
use crate::store::writer::Writer;
use crate::store::{ground, now_micros};

/// KiB of payload that may wait for the writer: two of the largest requests.
const QUEUE_KIB: usize = 128 * 1024;

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

    /// As [`Ingest::commit`], but waits for room in the queue: for files, which nobody sends again.
    ///
    /// # Errors
    /// [`Refused`], never [`Refused::Busy`].
    pub async fn commit_patiently(&self, source: i64, batch: Batch) -> Result<Committed, Refused> {
        self.ready()?;
        let size = u32::try_from((weight(&batch) / 1024 + 1).min(QUEUE_KIB)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.queue)
            .acquire_many_owned(size)
            .await
            .map_err(|_| Refused::ShuttingDown)?;
        self.store(source, batch, permit).await
    }

    async fn store(
        &self,
        source: i64,
        batch: Batch,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) -> Result<Committed, Refused> {
        let prepared = tokio::task::spawn_blocking(move || prepare(batch))
            .await
            .map_err(Error::internal)
            .and_then(|prepared| prepared.map_err(Error::internal));
        let result = match prepared {
            Ok(prepared) => {
                self.writer
                    .commit(move |session| {
                        let _held_until_stored = permit;
                        ground::store(session, source, &prepared, now_micros())
                    })
                    .await
            }
            Err(error) => Err(error),
        };
        match result {
            Ok(stored) => {
                self.committed.committed(source, stored);
                Ok(stored)
            }
            Err(error) if error.code == ErrorCode::Busy => Err(Refused::ShuttingDown),
            Err(error) => {
                tracing::warn!("{error}");
                self.disk.failed(&error);
                Err(Refused::Unavailable(error.message))
            }
        }
    }

    /// Whether [`Ingest::commit`] would be refused now, so that a receiver can say so before it reads a body.
    ///
    /// # Errors
    /// What `commit` would answer.
    pub fn ready(&self) -> Result<(), Refused> {
        if self.closing.load(Ordering::Acquire) {
            return Err(Refused::ShuttingDown);
        }
        if self.queue.available_permits() == 0 {
            return Err(Refused::Busy(RETRY));
        }
        self.disk.check().map_err(Refused::Unavailable)
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
