//! The engine: everything that runs, opened and shut down as one.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rand::RngCore as _;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;

use crate::api::Listening;
use crate::census::Census;
use crate::changes::Changes;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::ingest::{Committed, Committing, Ingest};
use crate::receive::{self, AllowedHosts, Listeners, Wanted};
use crate::settings::{self, Settings};
use crate::store::ballast::Ballast;
use crate::store::deletion::Holdings;
use crate::store::derive::{Deriver, Deriving};
use crate::store::disk::Disk;
use crate::store::search::{Index, SharedIndex};
use crate::store::writer::Writer;
use crate::store::{Lock, Store};
use crate::store::{pieces, retention};

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
    /// Names under which this machine is reached from others; OTLP requests that state one as their host are taken,
    /// beside those of the settings. What is no host name is never stated.
    pub allowed_hosts: Vec<String>,
    /// Free bytes of the disk below which telemetry is refused; `None` is the larger of 512 MiB and 2 %.
    pub disk_floor: Option<u64>,
}

/// A running Clew: cheap to clone, shut down by [`Engine::shut_down`].
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    options: Options,
    pub(crate) store: Store,
    pub(crate) settings: RwLock<Settings>,
    /// Missing where the database was opened only to be read.
    write: Option<Write>,
    census: Arc<Census>,
    pub(crate) changes: Changes,
    allowed: AllowedHosts,
    listening: Mutex<Vec<Listening>>,
    offered: Mutex<HashMap<String, Offered>>,
}

/// What can be done about damage.
const DAMAGED: &str =
    "the database is damaged there: its other spans are whole; delete the trace to be rid of it";

/// A file that may be opened.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) path: PathBuf,
    /// What makes it the same source when it is opened again; `None` is its path.
    pub(crate) key: Option<String>,
}

/// What a process that writes has.
#[derive(Debug)]
struct Write {
    holdings: Holdings,
    ingest: Ingest,
    /// Wakes the deriver.
    wake: Arc<Notify>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    listeners: Mutex<Option<Listeners>>,
    lock: Mutex<Option<Lock>>,
}

/// Tells deriver and UI of what happened.
#[derive(Debug)]
struct Watch {
    wake: Arc<Notify>,
    changes: Changes,
    received: Arc<AtomicBool>,
    census: Arc<Census>,
}

impl Committing for Watch {
    fn committed(&self, source: i64, stored: Committed) {
        if stored == Committed::default() {
            return;
        }
        if source == 0 && stored.spans > 0 {
            self.received.store(true, Ordering::Release);
        }
        self.wake.notify_one();
        self.changes.changed(Topic::Status);
    }
}

impl Deriving for Watch {
    fn derived(&self) {
        self.changes.changed(Topic::Spans);
        self.changes.changed(Topic::Status);
    }

    fn unreadable(&self, error: &Error) {
        tracing::warn!("cannot derive a span: {error}");
        let now = u64::try_from(crate::store::now_micros()).unwrap_or(0);
        self.census.problem(now, &error.message, DAMAGED);
        self.changes.changed(Topic::Status);
    }

    fn failed(&self, error: &Error) {
        tracing::warn!("{error}");
    }
}

impl Engine {
    /// Reports rows that a view had to leave out, because the pages that hold them are damaged; `what` names them.
    pub(crate) fn lost(&self, rows: usize, what: &str) {
        if rows > 0 {
            let error = pieces::lost(rows, what);
            tracing::warn!("{error}");
            let now = u64::try_from(crate::store::now_micros()).unwrap_or(0);
            self.inner.census.problem(now, &error.message, DAMAGED);
        }
    }

    /// Opens the database, migrates it, and starts writer, deriver and indexer. Sockets are bound by
    /// [`Engine::listen`].
    ///
    /// # Errors
    /// When the database cannot be opened, is locked by another Clew, is not Clew's, or is newer than this Clew.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let ballast = Ballast::new(&options.database, options.disk_floor);
        let (store, lock) = Store::open(&options.database, &ballast).await?;
        let settings = crate::settings::load(&store.reads).await?;
        let writer = Writer::start(&store.path)?;
        let changes = Changes::start();
        let census: Arc<Census> = Arc::default();
        let wake = Arc::new(Notify::new());
        let watch = Arc::new(Watch {
            wake: Arc::clone(&wake),
            changes: changes.clone(),
            received: Arc::default(),
            census: Arc::clone(&census),
        });
        let disk = Arc::new(Disk::new(&store.path, options.disk_floor));
        let ingest = Ingest::new(writer.clone(), disk, watch.clone());
        let index: SharedIndex = Arc::new(Mutex::new(Index::open(&store.path)?));
        let deriver = Deriver::new(
            store.clone(),
            writer.clone(),
            Arc::clone(&index),
            Arc::clone(&wake),
            watch,
        );
        let tasks = Mutex::new(vec![tokio::spawn(deriver.run())]);
        let holdings = Holdings {
            store: store.clone(),
            writer,
            index,
            ballast,
            changes: changes.clone(),
            purging: Arc::default(),
            notice: Arc::default(),
        };
        let engine = Self {
            inner: Arc::new(Inner {
                options,
                store,
                settings: RwLock::new(settings),
                write: Some(Write {
                    holdings: holdings.clone(),
                    ingest,
                    wake,
                    tasks,
                    listeners: Mutex::default(),
                    lock: Mutex::new(Some(lock)),
                }),
                census,
                changes,
                allowed: AllowedHosts::default(),
                listening: Mutex::default(),
                offered: Mutex::default(),
            }),
        };
        engine.allow_hosts();
        let settings = engine.clone();
        let kept = retention::run(holdings, move || settings.settings().retention);
        engine.keep(tokio::spawn(kept));
        Ok(engine)
    }

    /// Opens a database for reading alone, beside whoever writes it.
    ///
    /// # Errors
    /// When there is none, or it is not one that this Clew can read.
    pub async fn open_read_only(database: &Path) -> Result<Self, Error> {
        let store = Store::open_read_only(database).await?;
        let settings = crate::settings::load(&store.reads).await?;
        let options = Options {
            database: database.to_owned(),
            grpc: 0,
            http: 0,
            host: None,
            ingest_key: None,
            allowed_hosts: Vec::new(),
            disk_floor: None,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                options,
                store,
                settings: RwLock::new(settings),
                write: None,
                census: Arc::default(),
                changes: Changes::start(),
                allowed: AllowedHosts::default(),
                listening: Mutex::default(),
                offered: Mutex::default(),
            }),
        })
    }

    /// Binds the OTLP sockets and serves them: `grpc`, then `http`. One that cannot listen says so in its `problem`.
    ///
    /// # Errors
    /// Where the options ask for more than loopback without an ingest key.
    pub async fn listen(&self) -> Result<Vec<Listening>, Error> {
        let Some(write) = &self.inner.write else {
            return Err(read_only());
        };
        let options = self.options();
        let wanted = Wanted {
            ports: [("grpc", options.grpc), ("http", options.http)],
            host: options.host,
            key: options.ingest_key.clone(),
            allowed: self.inner.allowed.clone(),
        };
        let listeners = receive::listen(
            write.ingest.clone(),
            Arc::clone(&self.inner.census),
            &self.inner.changes,
            wanted,
        )
        .await?;
        *write
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(listeners);
        self.inner.changes.changed(Topic::Status);
        Ok(self.listening())
    }

    /// Sets what `get_status` says of sockets that the host has bound itself.
    pub fn set_listening(&self, listening: Vec<Listening>) {
        let mut all = self
            .inner
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for new in listening {
            match all.iter_mut().find(|old| old.name == new.name) {
                Some(old) => *old = new,
                None => all.push(new),
            }
        }
        drop(all);
        self.inner.changes.changed(Topic::Status);
    }

    /// What is known of the sockets.
    #[must_use]
    pub fn listening(&self) -> Vec<Listening> {
        let write = self.inner.write.as_ref();
        let listeners = write.and_then(|write| {
            write
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        });
        let mut all = listeners
            .map(|listeners| listeners.state())
            .unwrap_or_default();
        all.extend(
            self.inner
                .listening
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .cloned(),
        );
        all
    }

    /// Offers a file to `open_files`; returns the token that names it there, once.
    pub fn offer_file(&self, path: &Path) -> String {
        self.offer(Offered {
            path: path.to_owned(),
            key: None,
        })
    }

    /// Offers a file; returns the token that names it.
    pub(crate) fn offer(&self, file: Offered) -> String {
        let mut bytes = [0; 16];
        rand::rng().fill_bytes(&mut bytes);
        let token = u128::from_be_bytes(bytes);
        let token = format!("{token:032x}");
        let mut offered = self
            .inner
            .offered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        offered.insert(token.clone(), file);
        token
    }

    /// Offers a file again under the token that it had.
    pub(crate) fn give_back(&self, token: String, file: Offered) {
        self.inner
            .offered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(token, file);
    }

    /// The file that a token names; the token is used up.
    pub(crate) fn take_file(&self, token: &str) -> Option<Offered> {
        self.inner
            .offered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(token)
    }

    /// Topics whose answers have become stale: the first change at once, later ones at most four a second.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Topic> {
        self.inner.changes.subscribe()
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Where decoded telemetry goes.
    ///
    /// # Errors
    /// Where the database was opened only to be read.
    pub fn ingest(&self) -> Result<&Ingest, Error> {
        self.inner
            .write
            .as_ref()
            .map(|write| &write.ingest)
            .ok_or_else(read_only)
    }

    /// What deletion works on.
    pub(crate) fn holdings(&self) -> Result<&Holdings, Error> {
        self.inner
            .write
            .as_ref()
            .map(|write| &write.holdings)
            .ok_or_else(read_only)
    }

    pub(crate) fn writer(&self) -> Result<&Writer, Error> {
        Ok(&self.holdings()?.writer)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.inner
            .settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn replace_settings(&self, settings: Settings) {
        *self
            .inner
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
        self.allow_hosts();
    }

    /// Allows the host names of the options and of the settings.
    fn allow_hosts(&self) {
        let settings = self.settings();
        let names = settings.receiving.allowed_hosts.iter();
        let names = names.chain(&self.options().allowed_hosts);
        let names: BTreeSet<String> = names
            .filter_map(|name| settings::host_name(name).ok())
            .collect();
        self.inner.allowed.replace(names);
    }

    /// Host names that OTLP requests may be addressed to beside those of every machine, sorted.
    pub(crate) fn allowed_hosts(&self) -> Vec<String> {
        self.inner.allowed.names()
    }

    pub(crate) fn wake_deriver(&self) {
        if let Some(write) = &self.inner.write {
            write.wake.notify_one();
        }
    }

    /// Who has sent what, and what went wrong.
    #[must_use]
    pub fn census(&self) -> &Arc<Census> {
        &self.inner.census
    }

    /// Ends a background task with the engine.
    fn keep(&self, task: JoinHandle<()>) {
        if let Some(write) = &self.inner.write {
            write
                .tasks
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(task);
        }
    }

    /// Stops taking telemetry, commits what was taken, closes the database and releases its lock.
    pub async fn shut_down(&self) {
        if let Some(write) = &self.inner.write {
            let listeners = write
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(listeners) = listeners {
                listeners.shut_down().await;
            }
            write.ingest.close();
            let tasks =
                std::mem::take(&mut *write.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            for task in tasks {
                task.abort();
                let _ = task.await;
            }
            // Readers first, so that the writer's last checkpoint can empty the log.
            self.inner.store.reads.close().await;
            write.holdings.writer.close().await;
            drop(
                write
                    .lock
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take(),
            );
        } else {
            self.inner.store.reads.close().await;
        }
    }
}

fn read_only() -> Error {
    Error::new(ErrorCode::Busy, "the database was opened only to be read")
}
