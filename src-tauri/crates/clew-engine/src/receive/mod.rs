//! Takes OTLP from sockets: gRPC, HTTP/protobuf and HTTP/JSON on every port.
//!
//! [`listen`] binds first and serves then. A request passes the gates (host, origin, key), has its body read within
//! limits of size, time and memory, is decoded by [`clew_core::otlp`], and is answered when [`Ingest`] has committed
//! it. Deliberately absent: TLS (loopback only), gRPC-Web, and any read of what is stored.

mod body;
mod cors;
mod gate;
mod grpc;
mod http;
mod inflate;
mod pulse;
mod reply;
mod route;
mod serve;
mod take;

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::api::Listening;
use crate::census::Census;
use crate::changes::Changes;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::ingest::Ingest;
use crate::port;
use body::Budget;
pub(crate) use gate::AllowedHosts;
use serve::{Crowd, Run};
use take::Receiver;

/// Bytes of requests that may be in memory at once (reliability.md A10): 256 MiB.
const IN_FLIGHT: usize = 256 * 1024 * 1024;
/// What a port's problem says once it was tried again. Not before: `clew serve` ends at once without its ports.
const AGAIN: &str = "; Clew tries again every 5 s";
/// Time between two tries to bind a port that was taken (reliability.md C13).
const RETRY: Duration = Duration::from_secs(5);
/// Longest wait for requests that are being answered at the end (reliability.md C19).
const DRAIN: Duration = Duration::from_secs(5);

/// The OTLP sockets: cheap to clone, ended by [`Listeners::shut_down`].
#[derive(Debug, Clone)]
pub struct Listeners {
    run: Arc<watch::Sender<Run>>,
    ports: Arc<watch::Sender<Vec<Listening>>>,
}

/// What to bind.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Name and number of each port; 0 is any free one.
    pub(crate) ports: [(&'static str, u16); 2],
    /// An address beyond loopback, or `None` for 127.0.0.1 and ::1.
    pub(crate) host: Option<IpAddr>,
    /// The key that requests must carry.
    pub(crate) key: Option<String>,
    /// Names that requests may be addressed to beside those of every machine.
    pub(crate) allowed: AllowedHosts,
}

/// Binds the engine's OTLP ports on 127.0.0.1 and ::1, and on the address of its options, and serves them.
///
/// A port that is taken does not fail: [`Listeners::state`] says so, and it is tried again every 5 seconds. No other
/// port is taken instead.
///
/// # Errors
/// `bad_request` where the options bind beyond loopback without an ingest key, or with one that cannot be a header.
pub(crate) async fn listen(
    ingest: Ingest,
    census: Arc<Census>,
    changes: &Changes,
    wanted: Wanted,
) -> Result<Listeners, Error> {
    let exposed = wanted.host.is_some_and(|host| !host.is_loopback());
    let printable = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    match &wanted.key {
        None if exposed => {
            return Err(Error::new(
                ErrorCode::BadRequest,
                "listening beyond this machine needs an ingest key: anyone on the network could send otherwise",
            ));
        }
        Some(key) if !printable(key) => {
            return Err(Error::new(
                ErrorCode::BadRequest,
                "the ingest key must be printable ASCII without spaces, and not empty",
            ));
        }
        _ => {}
    }
    let receiver = Arc::new(Receiver {
        ingest,
        census,
        key: wanted.key,
        allowed: wanted.allowed,
        budget: Budget::new(IN_FLIGHT),
    });
    let listeners = Listeners {
        run: Arc::new(watch::Sender::new(Run::Open)),
        ports: Arc::default(),
    };
    let addresses = port::addresses(wanted.host);
    for (index, (name, port)) in wanted.ports.into_iter().enumerate() {
        let port = Port {
            index,
            name,
            port,
            addresses: addresses.clone(),
        };
        listeners.ports.send_modify(|ports| {
            ports.push(Listening {
                name: name.to_owned(),
                port: port.port,
                addresses: Vec::new(),
                problem: None,
            });
        });
        if !listeners.open(&port, &receiver, "").await {
            tokio::spawn(listeners.clone().retry(
                port,
                Arc::clone(&receiver),
                listeners.run.subscribe(),
            ));
        }
    }
    let census = receiver.census.changed();
    tokio::spawn(announce(changes.clone(), census, listeners.clone()));
    Ok(listeners)
}

/// Tells the UI when the census or a port has changed.
async fn announce(changes: Changes, mut census: watch::Receiver<()>, listeners: Listeners) {
    let mut run = listeners.run.subscribe();
    let mut ports = listeners.ports.subscribe();
    drop(listeners);
    loop {
        let change = tokio::select! {
            change = census.changed() => change,
            change = ports.changed() => change,
            _ = run.wait_for(|run| *run != Run::Open) => return,
        };
        if change.is_err() {
            return;
        }
        changes.changed(Topic::Status);
    }
}

/// One port to bind.
#[derive(Debug, Clone)]
struct Port {
    /// Its place in [`Listeners::state`].
    index: usize,
    name: &'static str,
    port: u16,
    addresses: Vec<IpAddr>,
}

impl Listeners {
    /// Every port: the addresses that it is bound on, or why it is not.
    #[must_use]
    pub fn state(&self) -> Vec<Listening> {
        self.ports.borrow().clone()
    }

    /// Takes no more connections, answers the requests that are being read or stored, for at most 5 seconds, and
    /// closes all sockets.
    pub async fn shut_down(&self) {
        self.run.send_replace(Run::Draining);
        if tokio::time::timeout(DRAIN, self.run.closed())
            .await
            .is_err()
        {
            tracing::warn!("requests were still being answered after 5 s; they are dropped");
        }
        self.run.send_replace(Run::Closed);
        self.ports.send_modify(|ports| {
            for port in ports {
                port.addresses.clear();
            }
        });
    }

    /// Binds and serves one port; false, with the reason and a hint in the state, where that cannot be.
    async fn open(&self, port: &Port, receiver: &Arc<Receiver>, hint: &str) -> bool {
        let Port {
            index,
            name,
            port: number,
            ..
        } = *port;
        let addresses = port.addresses.clone();
        // Looking for the owner of a taken port reads many files.
        let flag = format!("--{name}");
        let bound =
            tokio::task::spawn_blocking(move || port::bind(number, &addresses, &flag)).await;
        let outcome = match bound {
            Ok(Ok(bound)) => self
                .serve(bound.sockets, receiver)
                .map(|()| bound.addresses)
                .map_err(|error| format!("cannot listen on port {number}: {error}")),
            Ok(Err(problem)) => Err(problem),
            Err(panic) => Err(format!("cannot listen on port {number}: {panic}")),
        };
        let (addresses, problem) = match outcome {
            Ok(addresses) => (addresses, None),
            Err(problem) => (Vec::new(), Some(problem + hint)),
        };
        let bound = !addresses.is_empty();
        self.ports.send_if_modified(|ports| {
            let Some(state) = ports.get_mut(index) else {
                return false;
            };
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            if state.addresses == addresses && state.problem == problem {
                return false;
            }
            if let Some(problem) = &problem {
                tracing::error!(name, "{problem}");
            }
            state.addresses = addresses;
            state.problem = problem;
            true
        });
        bound
    }

    fn serve(&self, sockets: Vec<TcpListener>, receiver: &Arc<Receiver>) -> std::io::Result<()> {
        let crowd = Arc::new(Crowd::default());
        let sockets = sockets
            .into_iter()
            .map(tokio::net::TcpListener::from_std)
            .collect::<Result<Vec<_>, _>>()?;
        for socket in sockets {
            tokio::spawn(serve::accept(
                socket,
                Arc::clone(receiver),
                Arc::clone(&crowd),
                self.run.subscribe(),
            ));
        }
        Ok(())
    }

    async fn retry(self, port: Port, receiver: Arc<Receiver>, mut run: watch::Receiver<Run>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                _ = run.wait_for(|run| *run != Run::Open) => return,
            }
            if self.open(&port, &receiver, AGAIN).await {
                tracing::info!(name = port.name, "the port is free now; listening");
                return;
            }
        }
    }
}
