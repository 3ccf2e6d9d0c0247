//! Takes OTLP from sockets: gRPC, HTTP/protobuf and HTTP/JSON on every port.
//!
//! [`listen`] binds first and serves then. A request passes the gates (host, origin, key), has its body read within
//! limits of size, time and memory, is decoded by [`clew_core::otlp`], and is answered when [`Ingest`] has committed
//! it. Deliberately absent: TLS (loopback only), gRPC-Web, and any read of what is stored.

mod bind;
mod body;
mod cors;
mod gate;
mod grpc;
mod http;
mod inflate;
mod owner;
mod pulse;
mod reply;
mod route;
mod serve;
mod take;

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::Engine;
use crate::api::Listening;
use crate::event::Topic;
use body::Budget;
use serve::{Crowd, Run};
use take::Receiver;

/// Bytes of requests that may be in memory at once (reliability.md A10): 256 MiB.
const IN_FLIGHT: usize = 256 * 1024 * 1024;
/// Time between two tries to bind a port that was taken (reliability.md C13).
const RETRY: Duration = Duration::from_secs(5);
/// Longest wait for requests that are being answered at the end (reliability.md C19).
const DRAIN: Duration = Duration::from_secs(5);

/// The OTLP sockets while they are served; ended by [`Receiving::close`], and roughly by dropping it.
#[derive(Debug)]
pub struct Receiving {
    run: watch::Sender<Run>,
}

impl Receiving {
    /// Takes no more connections, answers the requests that are being read or stored, for at most 5 seconds, and
    /// closes all sockets.
    pub async fn close(self) {
        self.run.send_replace(Run::Draining);
        // Every task that accepts, serves or waits holds a receiver.
        if tokio::time::timeout(DRAIN, self.run.closed())
            .await
            .is_err()
        {
            tracing::warn!("requests were still being answered after 5 s; they are dropped");
        }
        self.run.send_replace(Run::Closed);
    }
}

/// Binds the engine's OTLP ports on 127.0.0.1 and ::1, and on the address of its options, and serves them.
///
/// Nothing here fails: a port that cannot listen says so in its `problem`. One that is taken is tried again every 5
/// seconds, and [`Engine::set_listening`] told; no other port is taken instead. Beyond loopback nothing is bound
/// without an ingest key.
pub async fn listen(engine: &Engine) -> (Receiving, Vec<Listening>) {
    let options = engine.options();
    let receiving = Receiving {
        run: watch::Sender::new(Run::Open),
    };
    let ports = [("grpc", options.grpc), ("http", options.http)];
    let receiver = match receiver(engine) {
        Ok(receiver) => receiver,
        Err(problem) => {
            let refused = ports.map(|(name, port)| Listening {
                name: name.to_owned(),
                port,
                addresses: Vec::new(),
                problem: Some(problem.clone()),
            });
            return (receiving, refused.to_vec());
        }
    };
    let mut listening = Vec::new();
    for (name, number) in ports {
        let port = Port {
            name,
            number,
            addresses: bind::addresses(options.host),
            receiver: Arc::clone(&receiver),
            run: receiving.run.subscribe(),
        };
        let state = port.open().await;
        if let Some(problem) = &state.problem {
            tracing::error!("{problem}");
            tokio::spawn(port.retry(engine.clone(), state.clone()));
        }
        listening.push(state);
    }
    tokio::spawn(announce(engine.clone(), receiving.run.subscribe()));
    (receiving, listening)
}

fn receiver(engine: &Engine) -> Result<Arc<Receiver>, String> {
    let options = engine.options();
    let exposed = options.host.is_some_and(|host| !host.is_loopback());
    let printable = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    match &options.ingest_key {
        None if exposed => {
            return Err(
                "listening beyond this machine needs an ingest key: anyone on the network could send otherwise"
                    .to_owned(),
            );
        }
        Some(key) if !printable(key) => {
            return Err(
                "the ingest key must be printable ASCII without spaces, and not empty".to_owned(),
            );
        }
        _ => {}
    }
    Ok(Arc::new(Receiver {
        ingest: engine.ingest().map_err(|error| error.message)?.clone(),
        census: Arc::clone(engine.census()),
        key: options.ingest_key.clone(),
        budget: Budget::new(IN_FLIGHT),
    }))
}

/// Tells the UI when the census has changed.
async fn announce(engine: Engine, mut run: watch::Receiver<Run>) {
    let mut changed = engine.census().changed();
    loop {
        tokio::select! {
            change = changed.changed() => match change {
                Ok(()) => engine.inner.changes.changed(Topic::Status),
                Err(_) => return,
            },
            _ = run.wait_for(|run| *run != Run::Open) => return,
        }
    }
}

/// One port to bind and serve.
struct Port {
    name: &'static str,
    /// 0 is any free one.
    number: u16,
    addresses: Vec<IpAddr>,
    receiver: Arc<Receiver>,
    run: watch::Receiver<Run>,
}

impl Port {
    /// Binds and serves it, or says why that cannot be.
    async fn open(&self) -> Listening {
        let Self { name, number, .. } = *self;
        let addresses = self.addresses.clone();
        // Looking for the owner of a taken port reads many files.
        let bound = tokio::task::spawn_blocking(move || {
            bind::bind(number, &addresses, &format!("--{name}"))
        });
        let outcome = match bound.await {
            Ok(Ok(bound)) => self
                .serve(bound.sockets)
                .map(|()| bound.addresses)
                .map_err(|error| format!("cannot listen on port {number}: {error}")),
            Ok(Err(problem)) => Err(problem),
            Err(panic) => Err(format!("cannot listen on port {number}: {panic}")),
        };
        let (addresses, problem) = match outcome {
            Ok(addresses) => (addresses, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        Listening {
            name: name.to_owned(),
            port: number,
            addresses: addresses.iter().map(ToString::to_string).collect(),
            problem,
        }
    }

    fn serve(&self, sockets: Vec<TcpListener>) -> std::io::Result<()> {
        let crowd = Arc::new(Crowd::default());
        let sockets = sockets
            .into_iter()
            .map(tokio::net::TcpListener::from_std)
            .collect::<Result<Vec<_>, _>>()?;
        for socket in sockets {
            tokio::spawn(serve::accept(
                socket,
                Arc::clone(&self.receiver),
                Arc::clone(&crowd),
                self.run.clone(),
            ));
        }
        Ok(())
    }

    /// Tries until the port is free, and tells the engine what has changed.
    async fn retry(mut self, engine: Engine, mut known: Listening) {
        while known.problem.is_some() {
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                _ = self.run.wait_for(|run| *run != Run::Open) => return,
            }
            let state = self.open().await;
            if state != known {
                tracing::info!(name = self.name, addresses = ?state.addresses, problem = ?state.problem, "tried again");
                engine.set_listening(vec![state.clone()]);
                known = state;
            }
        }
    }
}
