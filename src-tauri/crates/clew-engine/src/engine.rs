//! The engine: everything that runs, opened and shut down as one.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::census::Census;
use crate::error::Error;
use crate::event::Topic;
use crate::ingest::Ingest;

/// How an engine is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database file; its folder is made if missing.
    pub database: PathBuf,
    /// Port of the gRPC socket; 0 is any free one.
    pub grpc: u16,
    /// Port of the HTTP socket; 0 is any free one.
    pub http: u16,
    /// Address to bind OTLP on; `None` is 127.0.0.1 and ::1. Any other needs `ingest_key`.
    pub host: Option<IpAddr>,
    /// Key that OTLP requests must carry as `x-clew-key`; `None` takes requests without.
    pub ingest_key: Option<String>,
}

/// A running Clew: cheap to clone, shut down by [`Engine::shut_down`].
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    ingest: Ingest,
    census: Arc<Census>,
    events: broadcast::Sender<Topic>,
}

impl Engine {
    /// Opens the database, migrates it, and starts writer, deriver and indexer. Sockets are bound by
    /// [`crate::receive::listen`].
    ///
    /// # Errors
    /// When the database cannot be opened, is locked by another Clew, is not Clew's, or is newer than this Clew.
    pub async fn open(options: Options) -> Result<Self, Error> {
        if let Some(folder) = options.database.parent() {
            std::fs::create_dir_all(folder).map_err(Error::internal)?;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                options,
                ingest: Ingest {},
                census: Arc::default(),
                events: broadcast::channel(64).0,
            }),
        })
    }

    /// Opens a database for reading alone, beside whoever writes it.
    ///
    /// # Errors
    /// When there is none, or it is not one that this Clew can read.
    pub async fn open_read_only(_database: &std::path::Path) -> Result<Self, Error> {
        Err(Error::internal("not built"))
    }

    /// Binds the OTLP sockets and serves them: `grpc`, then `http`. One that cannot listen says so in its `problem`.
    pub async fn listen(&self) -> Vec<crate::api::Listening> {
        Vec::new()
    }

    /// Sets what `get_status` says of the sockets.
    pub fn set_listening(&self, _listening: Vec<crate::api::Listening>) {}

    /// Offers a file to `open_files`; returns the token that names it there.
    pub fn offer_file(&self, _path: &std::path::Path) -> String {
        "not built".to_owned()
    }

    /// Topics whose answers have become stale: the first change at once, later ones at most four a second.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Topic> {
        self.inner.events.subscribe()
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Where decoded telemetry goes.
    #[must_use]
    pub fn ingest(&self) -> &Ingest {
        &self.inner.ingest
    }

    /// Who has sent what, and what went wrong.
    #[must_use]
    pub fn census(&self) -> &Arc<Census> {
        &self.inner.census
    }

    /// Stops taking telemetry, commits what was taken, closes the database.
    pub async fn shut_down(&self) {}
}
