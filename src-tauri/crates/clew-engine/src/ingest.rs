//! From a decoded batch to a committed one: a bounded queue before the one writer.

use std::time::Duration;

use clew_core::otlp::Batch;

/// Hands batches to the writer and waits until they are committed.
#[derive(Debug, Clone)]
pub struct Ingest {}

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
    /// Stores `batch` under `source` (0 is live) and returns when it is committed with fsync.
    ///
    /// Dropping the future does not cancel the write: once queued, a batch is stored whole or not at all.
    ///
    /// # Errors
    /// [`Refused`]; nothing was stored then.
    pub async fn commit(&self, _source: i64, _batch: Batch) -> Result<Committed, Refused> {
        Err(Refused::Unavailable("not built".to_owned()))
    }

    /// Whether [`Ingest::commit`] would be refused now, so that a receiver can say so before it reads a body.
    ///
    /// # Errors
    /// What `commit` would answer.
    pub fn ready(&self) -> Result<(), Refused> {
        Ok(())
    }
}
