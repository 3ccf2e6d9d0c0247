//! When a connection has been silent for too long.
//!
//! hyper's header timeout also runs while a connection idles between requests, so it cannot tell the 10 seconds that a
//! request's head may take from the 60 that a connection may idle (reliability.md A8).

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Longest time from the first byte of a request's head to its last, and from connecting to the first byte.
const HEAD: Duration = Duration::from_secs(10);
/// Longest time without a request.
const IDLE: Duration = Duration::from_secs(60);

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Pulse {
    head: Duration,
    idle: Duration,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests being answered.
    active: usize,
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// HTTP/2, where bytes between requests are pings and settings, not a head.
    multiplexed: bool,
    evicted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A head is awaited, and must come: nothing has been asked yet, or its first bytes are there.
    Head,
    /// Nothing is asked.
    Idle,
}

impl Pulse {
    /// The pulse of a connection that was just accepted.
    pub(super) fn new() -> Arc<Self> {
        Self::within(HEAD, IDLE)
    }

    fn within(head: Duration, idle: Duration) -> Arc<Self> {
        Arc::new(Self {
            head,
            idle,
            state: Mutex::new(State {
                active: 0,
                phase: Phase::Head,
                since: Instant::now(),
                multiplexed: false,
                evicted: false,
            }),
            changed: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request's head is complete; it is answered when the returned value is dropped.
    pub(super) fn begin(self: &Arc<Self>, multiplexed: bool) -> Active {
        let mut state = self.state();
        state.active = state.active.saturating_add(1);
        state.phase = Phase::Idle;
        state.multiplexed |= multiplexed;
        Active(Arc::clone(self))
    }

    /// The client speaks HTTP/2: it need not ask for anything soon.
    pub(super) fn is_multiplexed(&self) {
        let mut state = self.state();
        state.multiplexed = true;
        state.phase = Phase::Idle;
    }

    fn bytes_came(&self) {
        let mut state = self.state();
        if state.active == 0 && state.phase == Phase::Idle && !state.multiplexed {
            state.phase = Phase::Head;
            state.since = Instant::now();
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Since when nothing is being answered; `None` while something is, and once evicted.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.active == 0 && !state.evicted).then_some(state.since)
    }

    /// Ends the connection to make room for another.
    pub(super) fn evict(&self) {
        self.state().evicted = true;
        self.changed.notify_one();
    }

    fn deadline(&self) -> Option<Instant> {
        let state = self.state();
        let limit = match state.phase {
            _ if state.evicted => Duration::ZERO,
            Phase::Head => self.head,
            Phase::Idle => self.idle,
        };
        (state.active == 0).then(|| state.since + limit)
    }

    /// Returns when the connection has been silent for too long.
    pub(super) async fn stopped(&self) {
        loop {
            // While requests are answered their bodies keep their own time.
            let deadline = self.deadline();
            let wait = deadline.unwrap_or_else(|| Instant::now() + self.head);
            tokio::select! {
                () = tokio::time::sleep_until(wait) => {
                    if deadline.is_some() && self.deadline() == deadline {
                        return;
                    }
                }
                () = self.changed.notified() => {}
            }
        }
    }
}

/// A request being answered.
#[derive(Debug)]
pub(super) struct Active(Arc<Pulse>);

impl Drop for Active {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.active = state.active.saturating_sub(1);
        state.since = Instant::now();
    }
}

/// A socket that tells its pulse when bytes come.
#[derive(Debug)]
pub(super) struct Tapped {
    pub(super) stream: TcpStream,
    pub(super) pulse: Arc<Pulse>,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pulse.bytes_came();
        }
        result
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit that is reached soon.
    const SOON: Duration = Duration::from_millis(20);
    /// A limit that no test lives to see.
    const NEVER: Duration = Duration::from_secs(24 * 3_600);

    /// Waits for the end; whichever limit is [`SOON`] has brought it, however busy the machine is.
    async fn ends(pulse: &Pulse, what: &str) {
        let ended = tokio::time::timeout(Duration::from_secs(60), pulse.stopped()).await;
        assert!(ended.is_ok(), "{what}");
    }

    fn remaining(pulse: &Pulse) -> Duration {
        let deadline = pulse.deadline().expect("nothing is being answered");
        deadline - pulse.state().since
    }

    #[tokio::test]
    async fn a_head_must_come_soon_and_idling_may_last() {
        ends(&Pulse::within(SOON, NEVER), "nothing sent").await;

        let multiplexed = Pulse::within(NEVER, SOON);
        multiplexed.is_multiplexed();
        ends(&multiplexed, "HTTP/2 without a call").await;
        multiplexed.bytes_came();
        assert_eq!(remaining(&multiplexed), SOON, "a ping is not a head");

        let answered = Pulse::within(NEVER, SOON);
        drop(answered.begin(false));
        ends(&answered, "idle after a request").await;

        assert_eq!(remaining(&Pulse::new()), HEAD);
        let idle = Pulse::new();
        drop(idle.begin(false));
        assert_eq!(remaining(&idle), IDLE);
    }

    #[tokio::test]
    async fn a_head_that_trickles_is_not_given_more_time() {
        let pulse = Pulse::within(SOON, NEVER);
        drop(pulse.begin(false));
        assert_eq!(remaining(&pulse), NEVER);
        pulse.bytes_came();
        let began = pulse.deadline();
        assert_eq!(remaining(&pulse), SOON);
        tokio::time::sleep(SOON / 4).await;
        pulse.bytes_came();
        assert_eq!(pulse.deadline(), began);
        ends(&pulse, "the head is late").await;
    }

    #[tokio::test]
    async fn bytes_wake_a_watch_and_work_holds_it() {
        let pulse = Pulse::within(SOON, NEVER);
        let active = pulse.begin(false);
        let watch = tokio::spawn({
            let pulse = Arc::clone(&pulse);
            async move { ends(&pulse, "the head is late").await }
        });
        tokio::time::sleep(SOON * 10).await;
        assert!(!watch.is_finished(), "a request is being answered");
        drop(active);
        pulse.bytes_came();
        watch.await.expect("it ends");
    }

    #[tokio::test]
    async fn the_evicted_end_at_once() {
        let pulse = Pulse::within(NEVER, NEVER);
        assert!(pulse.idle_since().is_some());
        pulse.evict();
        assert_eq!(pulse.idle_since(), None);
        ends(&pulse, "evicted").await;
    }
}
