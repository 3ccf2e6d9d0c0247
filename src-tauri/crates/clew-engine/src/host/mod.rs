//! The browser host: the built UI and the one door on a loopback port, behind a token.
//!
//! `clew serve` and the window both run it: the window without assets, so that the command line can reach the process
//! that holds the database. It is never bound wider than loopback, and loopback is not trusted: any web page in any
//! browser of this machine can reach it, so every request passes the [`gate`] before its body is read.

pub mod gate;
mod routes;
mod upload;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;

use crate::Engine;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::port;
use gate::Gate;
pub use routes::{ROUTES, Route};

/// Time for a request's header to arrive (reliability A8).
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Open connections at once; a browser holds six.
const CONNECTIONS: usize = 256;
/// Time for running requests to end when the host stops.
const DRAIN: Duration = Duration::from_secs(2);

/// Finds a file of the built UI by its path without the leading slash.
pub type Assets = fn(&str) -> Option<&'static [u8]>;

/// A browser host that listens.
#[derive(Debug)]
pub struct Host {
    addresses: Vec<SocketAddr>,
    gate: Arc<Gate>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// What every route can reach.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    engine: Engine,
    assets: Assets,
    uploads: Arc<upload::Uploads>,
    gate: Arc<Gate>,
    stop: watch::Receiver<bool>,
}

impl Host {
    /// Binds 127.0.0.1 and ::1 on `port` (0 is any free one) and serves `engine` and `assets` there.
    ///
    /// # Errors
    /// When the port is taken (naming its owner where that can be found), or the folder for uploads cannot be made.
    pub fn start(engine: Engine, port: u16, assets: Assets) -> Result<Self, Error> {
        let listeners = port::bind_loopback(port, "--ui")
            .map_err(|problem| Error::new(ErrorCode::Io, problem))?;
        let addresses = listeners
            .iter()
            .map(TcpListener::local_addr)
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::internal)?;
        let bound = addresses.first().map_or(port, SocketAddr::port);
        let uploads = Arc::new(upload::Uploads::beside(&engine.options().database)?);
        let (stop, stopped) = watch::channel(false);
        let gate = Arc::new(Gate::new(bound));
        let router = routes::router(
            Shared {
                engine,
                assets,
                uploads,
                gate: Arc::clone(&gate),
                stop: stopped.clone(),
            },
            Arc::clone(&gate),
        );
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let tasks = listeners
            .into_iter()
            .map(|listener| {
                tokio::spawn(serve(
                    listener,
                    router.clone(),
                    Arc::clone(&room),
                    stopped.clone(),
                ))
            })
            .collect();
        Ok(Self {
            addresses,
            gate,
            stop,
            tasks,
        })
    }

    /// The bound addresses, IPv4 first.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The token of this start: 64 hex digits.
    #[must_use]
    pub fn token(&self) -> &str {
        self.gate.token()
    }

    /// A code for one link: see [`Gate::code`].
    #[must_use]
    pub fn code(&self) -> String {
        self.gate.code()
    }

    /// Ends event streams, lets running requests finish for two seconds, and closes the sockets.
    pub async fn shut_down(self) {
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

async fn serve(
    listener: TcpListener,
    router: axum::Router,
    room: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            () = stopping(&mut stopped) => break,
        };
        let Ok(permit) = permit else {
            break;
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: the loop must outlive it.
                    tracing::warn!("cannot accept a connection of the browser host: {error}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            },
            () = stopping(&mut stopped) => break,
        };
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(
                TokioIo::new(stream),
                TowerToHyperService::new(router.clone()),
            );
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!("a connection of the browser host broke: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}

/// Waits until the host stops.
async fn stopping(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits for a stale topic and takes what else is there; all topics when some were missed, `None` when the engine is gone.
pub async fn next_topics(topics: &mut broadcast::Receiver<Topic>) -> Option<Vec<Topic>> {
    let mut stale = match topics.recv().await {
        Ok(topic) => vec![topic],
        Err(RecvError::Lagged(_)) => Topic::ALL.to_vec(),
        Err(RecvError::Closed) => return None,
    };
    loop {
        match topics.try_recv() {
            Ok(topic) if stale.contains(&topic) => {}
            Ok(topic) => stale.push(topic),
            Err(TryRecvError::Lagged(_)) => stale = Topic::ALL.to_vec(),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(stale),
        }
    }
}
