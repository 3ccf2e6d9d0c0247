//! Reads request bodies: bounded in size, in time and, over all requests, in memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::reply::Failure;

/// Longest silence in a body (reliability.md A8).
const STALL: Duration = Duration::from_secs(30);
/// Longest time for a whole request to arrive (reliability.md A8).
const WHOLE: Duration = Duration::from_secs(60);
/// Bytes and time spent on the rest of a refused body. A client that still sends when the socket closes sees a reset
/// connection, not the reply, and sends again for ever.
const DRAIN: (usize, Duration) = (256 * 1024 * 1024, Duration::from_secs(5));

/// Bytes that all requests together may hold in memory.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    bytes: Arc<Semaphore>,
}

impl Budget {
    /// A budget of at most 4 GiB.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))),
        }
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        u32::try_from(bytes)
            .ok()
            .and_then(|bytes| Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok())
            .ok_or_else(Failure::crowded)
    }

    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.bytes.available_permits()
    }
}

/// Bytes with their reservation, which ends when they are dropped.
#[derive(Debug)]
pub(super) struct Held {
    bytes: BytesMut,
    budget: Budget,
    reserved: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub(super) fn empty(budget: &Budget) -> Self {
        Self {
            bytes: BytesMut::new(),
            budget: budget.clone(),
            reserved: None,
        }
    }

    /// Adds bytes, unless they would be more than `limit` or more than the budget has left.
    pub(super) fn append(&mut self, bytes: &[u8], limit: usize) -> Result<(), Failure> {
        if self.bytes.len().saturating_add(bytes.len()) > limit {
            return Err(over(limit));
        }
        let more = self.budget.reserve(bytes.len())?;
        match &mut self.reserved {
            Some(reserved) => reserved.merge(more),
            None => self.reserved = Some(more),
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, and the reservation to keep for as long as they or what is made of them live.
    pub(super) fn into_parts(self) -> (Bytes, Option<OwnedSemaphorePermit>) {
        (self.bytes.freeze(), self.reserved)
    }
}

/// Reads one request's body.
#[derive(Debug)]
pub(super) struct Intake<B> {
    body: B,
    stall: Duration,
    deadline: Instant,
    /// Whether reading on makes sense: not after the end, an error, or a stall.
    open: bool,
    /// Whether the client sends nothing before it is asked to (`Expect: 100-continue`), which the first read does.
    unasked: bool,
}

impl<B: Body<Data = Bytes> + Unpin> Intake<B> {
    /// `unasked` says that the client waits for a sign before it sends (`Expect: 100-continue`): a refusal then does
    /// not ask for the body first.
    pub(super) fn new(body: B, unasked: bool) -> Self {
        Self::within(body, unasked, STALL, WHOLE)
    }

    fn within(body: B, unasked: bool, stall: Duration, whole: Duration) -> Self {
        Self {
            open: !body.is_end_stream(),
            unasked,
            body,
            stall,
            deadline: Instant::now() + whole,
        }
    }

    /// Reads to the end, at most `limit` bytes.
    pub(super) async fn read(&mut self, limit: usize, budget: &Budget) -> Result<Held, Failure> {
        let declared = usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX);
        if declared > limit {
            return Err(over(limit));
        }
        let mut held = Held::empty(budget);
        // No more than that on a client's word.
        held.bytes.reserve(declared.min(1024 * 1024));
        while let Some(chunk) = self.chunk(self.deadline).await? {
            held.append(&chunk, limit)?;
        }
        Ok(held)
    }

    /// Reads and forgets what is left, so that the client gets to read the reply.
    pub(super) async fn drain(&mut self) {
        if self.unasked {
            return;
        }
        let (mut left, time) = DRAIN;
        let deadline = Instant::now() + time;
        while let Ok(Some(chunk)) = self.chunk(deadline).await {
            left = match left.checked_sub(chunk.len()) {
                Some(left) => left,
                None => return,
            };
        }
    }

    async fn chunk(&mut self, deadline: Instant) -> Result<Option<Bytes>, Failure> {
        self.unasked = false;
        while self.open {
            let wait = deadline.min(Instant::now() + self.stall);
            let frame = tokio::time::timeout_at(wait, self.body.frame()).await;
            self.open = matches!(frame, Ok(Some(Ok(_))));
            match frame {
                Err(_) if wait == deadline => {
                    return Err(Failure::timed_out("the request took too long to arrive"));
                }
                Err(_) => return Err(Failure::timed_out("the request stopped arriving")),
                Ok(Some(Err(_))) => {
                    return Err(Failure::malformed("the request ended before its end"));
                }
                Ok(None) => break,
                Ok(Some(Ok(frame))) => {
                    // Trailers carry nothing that OTLP has a use for.
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
        Ok(None)
    }
}

fn over(limit: usize) -> Failure {
    Failure::too_large(format!("the request is over {} MiB", limit / (1024 * 1024)))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use tokio_stream::StreamExt as _;

    use super::*;

    fn status<T>(result: Result<T, Failure>) -> Result<T, u16> {
        result.map_err(|failure| failure.status().as_u16())
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        let budget = Budget::new(1_000);
        for (size, expected) in [(99, Ok(99)), (100, Ok(100)), (101, Err(413))] {
            let mut declared = Intake::new(Full::new(Bytes::from(vec![0; size])), false);
            let held = declared.read(100, &budget).await;
            assert_eq!(status(held.map(|held| held.bytes().len())), expected);

            let bytes =
                (0..size).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x"))));
            let mut chunked = Intake::new(StreamBody::new(tokio_stream::iter(bytes)), false);
            let held = chunked.read(100, &budget).await;
            assert_eq!(status(held.map(|held| held.bytes().len())), expected);
        }
        assert_eq!(budget.left(), 1_000);
    }

    #[tokio::test]
    async fn what_does_not_fit_in_memory_is_sent_again_later() {
        let budget = Budget::new(150);
        let body = || Intake::new(Full::new(Bytes::from(vec![0; 100])), false);
        let first = body().read(100, &budget).await.expect("it fits");
        assert_eq!(
            status(body().read(100, &budget).await.map(|_| ())),
            Err(429)
        );
        drop(first);
        assert!(body().read(100, &budget).await.is_ok());
    }

    #[tokio::test]
    async fn a_silent_body_is_given_up() {
        let silent = StreamBody::new(tokio_stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let (stall, whole) = (Duration::from_millis(20), Duration::from_secs(60));
        let result = Intake::within(silent, false, stall, whole)
            .read(100, &Budget::new(100))
            .await;
        let failure = result.expect_err("nothing came");
        assert_eq!(failure.status(), 408);
        assert_eq!(failure.message, "the request stopped arriving");
    }

    #[tokio::test]
    async fn a_trickling_body_is_given_up() {
        let trickle = tokio_stream::iter(0..1_000).throttle(Duration::from_millis(5));
        let frames = trickle.map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x"))));
        let (stall, whole) = (Duration::from_secs(30), Duration::from_millis(50));
        let result = Intake::within(StreamBody::new(Box::pin(frames)), false, stall, whole)
            .read(10_000, &Budget::new(10_000))
            .await;
        let failure = result.expect_err("it took too long");
        assert_eq!(failure.status(), 408);
        assert_eq!(failure.message, "the request took too long to arrive");
    }
}
