//! Accepts connections and serves HTTP/1.1 and HTTP/2 on them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::Version;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::pulse::{Pulse, Tapped};
use super::take::{Receiver, now};

/// Connections a port may have (reliability.md A9).
const CONNECTIONS: usize = 256;
/// Calls that one HTTP/2 connection may have open (reliability.md A10).
const STREAMS: u32 = 64;
/// Window of one HTTP/2 call, in bytes; small windows cost two thirds of the throughput (perf.md 2.5).
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
/// Window of one HTTP/2 connection, in bytes (perf.md 2.5).
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// Largest head of a request, in bytes.
const HEAD_BYTES: usize = 128 * 1024;
/// Pause after the system refuses a connection: out of file descriptors, mostly.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);
/// Shortest time between two lines of the log that say so.
const WARN_EVERY: Duration = Duration::from_secs(60);
/// How long a connection that is told to go may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// How often one peer's nonsense is logged, in microseconds.
const LOG_EVERY: u64 = 60_000_000;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// Take connections.
    Open,
    /// Take none, finish what is being answered.
    Draining,
    /// Drop everything.
    Closed,
}

/// Connections of one port.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    pulses: Mutex<Vec<Weak<Pulse>>>,
    /// When nonsense of a kind from a peer was last logged, in microseconds since the epoch.
    logged: Mutex<BTreeMap<(IpAddr, &'static str), u64>>,
}

impl Crowd {
    /// Enters a connection; where there are too many, the one that has idled longest has to go. `None` if none idles.
    fn enter(&self) -> Option<Arc<Pulse>> {
        let mut pulses = self.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.retain(|pulse| pulse.strong_count() > 0);
        if pulses.len() >= CONNECTIONS {
            pulses
                .iter()
                .filter_map(Weak::upgrade)
                .filter_map(|pulse| Some((pulse.idle_since()?, pulse)))
                .min_by_key(|(since, _)| *since)?
                .1
                .evict();
        }
        let pulse = Pulse::new();
        pulses.push(Arc::downgrade(&pulse));
        Some(pulse)
    }

    /// Whether to log nonsense of this kind from this peer: once a minute.
    fn logs(&self, peer: IpAddr, kind: &'static str, now: u64) -> bool {
        const PEERS: usize = 1_000;
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= PEERS {
            logged.retain(|_, last| now.saturating_sub(*last) < LOG_EVERY);
        }
        match logged.get(&(peer, kind)) {
            Some(last) if now.saturating_sub(*last) < LOG_EVERY => false,
            _ => logged.len() < PEERS && logged.insert((peer, kind), now).is_none_or(|_| true),
        }
    }
}

/// Accepts on one socket until told to stop.
pub(super) async fn accept(
    socket: TcpListener,
    receiver: Arc<Receiver>,
    crowd: Arc<Crowd>,
    mut run: watch::Receiver<Run>,
) {
    let mut warned: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = run.wait_for(|run| *run != Run::Open) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let receiver = Arc::clone(&receiver);
                let crowd = Arc::clone(&crowd);
                let run = run.clone();
                tokio::spawn(async move { connection(stream, peer, &receiver, &crowd, run).await });
            }
            Err(error) => {
                receiver.census.problem(
                    now(),
                    &format!("a connection could not be accepted: {error}"),
                    "if files are exhausted, raise the limit (ulimit -n) or close connections",
                );
                if warned.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
                    warned = Some(Instant::now());
                    tracing::warn!(%error, "cannot accept a connection");
                }
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    receiver: &Arc<Receiver>,
    crowd: &Crowd,
    mut run: watch::Receiver<Run>,
) {
    let Some(pulse) = crowd.enter() else {
        receiver.census.problem(
            now(),
            &format!("more than {CONNECTIONS} connections at once on one port"),
            "share one exporter between the threads of a program; idle connections make room by themselves",
        );
        return;
    };
    // The first bytes tell TLS and HTTP/2.
    let mut first = [0; 3];
    let peeked = tokio::select! {
        peeked = stream.peek(&mut first) => peeked,
        () = pulse.stopped() => return,
        _ = run.wait_for(|run| *run != Run::Open) => return,
    };
    let Ok(length @ 1..) = peeked else {
        return;
    };
    match first.get(..length) {
        // A TLS record of type handshake, version 3.x.
        Some([0x16, 0x03, ..]) => {
            nonsense(
                receiver,
                crowd,
                peer,
                "a client began TLS",
                "use http://, not https://, in the exporter's endpoint (gRPC: insecure=True)",
            );
            hang_up(stream).await;
            return;
        }
        Some(b"PRI") => pulse.is_multiplexed(),
        _ => {}
    }
    // Replies are a few bytes: waiting for more of them only delays.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot switch off Nagle's algorithm");
    }
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let active = pulse.begin(request.version() == Version::HTTP_2);
        let receiver = Arc::clone(receiver);
        async move {
            let response = receiver.answer(request, peer.ip()).await;
            drop(active);
            Ok::<_, Infallible>(response)
        }
    });
    let io = TokioIo::new(Tapped {
        stream,
        pulse: Arc::clone(&pulse),
    });
    let builder = builder();
    let mut served = pin!(builder.serve_connection(io, service));
    let mut goodbye: Option<Instant> = None;
    let outcome = loop {
        let leaving = goodbye.is_some();
        let last = goodbye.unwrap_or_else(Instant::now);
        tokio::select! {
            outcome = served.as_mut() => break outcome,
            () = tokio::time::sleep_until(last), if leaving => return,
            () = pulse.stopped(), if !leaving => {
                served.as_mut().graceful_shutdown();
                goodbye = Some(Instant::now() + GOODBYE);
            }
            changed = wait(&mut run), if !leaving => match changed {
                Run::Closed => return,
                _ => served.as_mut().graceful_shutdown(),
            },
        }
    };
    let broken = outcome.err().and_then(|error| {
        error
            .downcast_ref::<hyper::Error>()
            .is_some_and(|error| error.is_parse() && !error.is_parse_too_large())
            .then_some(error)
    });
    if broken.is_some() {
        nonsense(
            receiver,
            crowd,
            peer,
            "a client sent bytes that are not HTTP",
            "set the exporter's protocol to grpc, http/protobuf or http/json",
        );
    }
}

/// Closes a socket whose bytes nobody wants. What was not read would make the system reset the connection, and the
/// client report that instead of a closed one.
async fn hang_up(mut stream: TcpStream) {
    let mut unwanted = [0; 16 * 1024];
    // Whether there is anything, and whether the client is still there, makes no difference.
    let _ = stream.try_read(&mut unwanted);
    let _ = stream.shutdown().await;
}

/// The next order to stop; what has been ordered once is not told again.
async fn wait(run: &mut watch::Receiver<Run>) -> Run {
    match run.changed().await {
        Ok(()) => *run.borrow_and_update(),
        Err(_) => Run::Closed,
    }
}

fn nonsense(
    receiver: &Receiver,
    crowd: &Crowd,
    peer: SocketAddr,
    what: &'static str,
    fix: &'static str,
) {
    let now = now();
    receiver.census.problem(now, what, fix);
    if crowd.logs(peer.ip(), what, now) {
        tracing::warn!(%peer, "{what}: {fix}");
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The pulse keeps this time, because hyper's also runs while a connection idles.
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_idle_makes_room_and_the_busy_stay() {
        let crowd = Crowd::default();
        let pulses: Vec<_> = (0..CONNECTIONS)
            .map(|_| crowd.enter().expect("room"))
            .collect();
        let busy: Vec<_> = pulses[1..].iter().map(|pulse| pulse.begin(true)).collect();
        let newcomer = crowd.enter().expect("the idle one goes");
        assert_eq!(pulses[0].idle_since(), None, "it was told to go");
        let _work = newcomer.begin(true);
        assert!(crowd.enter().is_none(), "nobody idles");
        drop(busy);
        assert!(crowd.enter().is_some());
    }

    #[test]
    fn nonsense_is_logged_once_a_minute_per_peer_and_kind() {
        let crowd = Crowd::default();
        let peer = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(crowd.logs(peer("::1"), "tls", 0));
        assert!(!crowd.logs(peer("::1"), "tls", LOG_EVERY - 1));
        assert!(crowd.logs(peer("::1"), "garbage", 1));
        assert!(crowd.logs(peer("127.0.0.1"), "tls", 1));
        assert!(crowd.logs(peer("::1"), "tls", LOG_EVERY));
    }
}
