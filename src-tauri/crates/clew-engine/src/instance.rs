//! One running Clew: how it is started from flags and environment, found by other processes, and ended.
//!
//! The window, `clew serve` and `clew run` all start here, so that they differ in nothing but what they show.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::Listening;
use crate::error::{Error, ErrorCode};
use crate::host::{Assets, Host};
use crate::{Engine, Options};
use crate::{port, settings};

/// OTLP over gRPC, as the OpenTelemetry specification sets it.
pub const GRPC_PORT: u16 = 4317;
/// OTLP over HTTP, as the OpenTelemetry specification sets it.
pub const HTTP_PORT: u16 = 4318;
/// The user interface.
pub const UI_PORT: u16 = 4319;
/// Time in which a Clew that was asked to end has ended (reliability C19).
const DRAIN: Duration = Duration::from_secs(5);
/// The file that says where a running Clew is, beside its database. Another database than the default has one of its own
/// name too, so that two in one folder are both found.
const FILE: &str = "instance.json";
/// The name of the default database.
const DATABASE: &str = "clew.db";

/// Where and how to start.
#[derive(Debug, Clone)]
pub struct Start {
    /// Database and sockets.
    pub options: Options,
    /// Port of the browser host; 0 is any free one.
    pub ui: u16,
}

impl Start {
    /// Reads `CLEW_DB`, `CLEW_GRPC`, `CLEW_HTTP`, `CLEW_UI`, `CLEW_HOST`, `CLEW_ALLOW_HOST` (names, commas between
    /// them), `CLEW_KEY` and `CLEW_MIN_FREE` by `variable`; what is not set or empty has its default.
    ///
    /// # Errors
    /// When a value cannot be read, or the platform names no folder for data and `CLEW_DB` is not set.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let port = |name: &str, default: u16| match variable(name) {
            None => Ok(default),
            Some(value) => value.parse().map_err(|_| {
                Error::new(
                    ErrorCode::BadRequest,
                    format!("{name} must be a port from 0 to 65535, not {value:?}"),
                )
            }),
        };
        let host = variable("CLEW_HOST")
            .map(|value| {
                value.parse::<IpAddr>().map_err(|_| {
                    Error::new(
                        ErrorCode::BadRequest,
                        format!("CLEW_HOST must be an IP address, not {value:?}"),
                    )
                })
            })
            .transpose()?;
        let allowed_hosts = variable("CLEW_ALLOW_HOST")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(settings::host_name)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| {
                Error::new(ErrorCode::BadRequest, format!("CLEW_ALLOW_HOST: {problem}"))
            })?;
        let disk_floor = variable("CLEW_MIN_FREE")
            .map(|value| {
                value.parse().map_err(|_| {
                    Error::new(
                        ErrorCode::BadRequest,
                        format!("CLEW_MIN_FREE must be a number of bytes, not {value:?}"),
                    )
                })
            })
            .transpose()?;
        let database = match variable("CLEW_DB") {
            Some(path) => PathBuf::from(path),
            None => default_database()?,
        };
        Ok(Self {
            options: Options {
                database,
                grpc: port("CLEW_GRPC", GRPC_PORT)?,
                http: port("CLEW_HTTP", HTTP_PORT)?,
                host,
                ingest_key: variable("CLEW_KEY"),
                allowed_hosts,
                disk_floor,
            },
            ui: port("CLEW_UI", UI_PORT)?,
        })
    }
}

/// The database where none is named: `$XDG_DATA_HOME/clew/clew.db`, or the platform's place for data.
fn default_database() -> Result<PathBuf, Error> {
    directories::ProjectDirs::from("dev", "clew", "clew")
        .map(|folders| folders.data_dir().join(DATABASE))
        .ok_or_else(|| {
            Error::new(
                ErrorCode::Io,
                "cannot find a folder for data: set HOME, or name a database with --db or CLEW_DB",
            )
        })
}

/// What kind of process runs a Clew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `clew serve`: ends when an address is taken.
    Serve,
    /// The window: opens all the same, and shows which address is taken.
    Window,
    /// `clew run`: takes any free port instead, for its child is told which.
    Run,
}

/// A running Clew as other processes find it: the content of `instance.json`. The token is as good as the database.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Its process id.
    pub pid: u32,
    /// What kind of process it is.
    pub kind: Kind,
    /// Its version.
    pub version: String,
    /// Address for OTLP over gRPC ("127.0.0.1:4317"); empty where it does not listen.
    pub grpc: String,
    /// Address for OTLP over HTTP; empty where it does not listen.
    pub http: String,
    /// Address of the browser host.
    pub ui: String,
    /// Token of the browser host.
    pub token: String,
    /// Path of the database.
    pub db: PathBuf,
}

impl std::fmt::Debug for Instance {
    /// Leaves the token out, so that no log can hold it.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Instance")
            .field("pid", &self.pid)
            .field("kind", &self.kind)
            .field("ui", &self.ui)
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// Finds the running Clew of this database: `None` where there is none, or the one that wrote the file is dead.
    #[must_use]
    pub fn find(database: &Path) -> Option<Self> {
        Self::read(&own_file(database)).filter(|found| is_same(&found.db, database))
    }

    /// Reads what a living Clew has written.
    fn read(file: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        let instance: Self = serde_json::from_str(&text).ok()?;
        is_alive(instance.pid).then_some(instance)
    }

    /// The address of the user interface with its token, at a place of it ("#/trace/…", or empty).
    #[must_use]
    pub fn link(&self, hash: &str) -> String {
        format!("http://{}/?token={}{hash}", self.ui, self.token)
    }

    /// The same with a code in the token's place, for a link that stands in the arguments of a browser, where every
    /// user of the machine can read it: it opens one page once ([`crate::host::gate::Gate::code`]).
    #[must_use]
    pub fn link_once(&self, code: &str, hash: &str) -> String {
        format!("http://{}/?code={code}{hash}", self.ui)
    }

    /// Writes the database's own file, and `instance.json` too unless the Clew of another database in the folder has it.
    fn write(&self) -> Result<(), Error> {
        let (own, folders) = (own_file(&self.db), self.db.with_file_name(FILE));
        self.write_to(&own)?;
        let is_anothers = |found: Self| !is_same(&found.db, &self.db);
        if own != folders && !Self::read(&folders).is_some_and(is_anothers) {
            self.write_to(&folders)?;
        }
        Ok(())
    }

    /// Writes a file that the user alone can read, in one step.
    fn write_to(&self, path: &Path) -> Result<(), Error> {
        let part = path.with_extension(format!("json.{}", self.pid));
        let failed = |error: std::io::Error| {
            Error::new(
                ErrorCode::Io,
                format!("cannot write {}: {error}", path.display()),
            )
        };
        let text = serde_json::to_vec(self).map_err(Error::internal)?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&part)
            .and_then(|mut file| file.write_all(&text))
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(failed)
    }

    /// Removes what it wrote, if that is still this process's.
    fn remove(&self) {
        for file in [own_file(&self.db), self.db.with_file_name(FILE)] {
            if Self::read(&file).is_some_and(|found| found == *self) {
                let _ = std::fs::remove_file(file);
            }
        }
    }
}

/// The file of a database: `instance.json` beside `clew.db`, `other.db.instance.json` beside `other.db`.
fn own_file(database: &Path) -> PathBuf {
    match database.file_name() {
        Some(name) if name != DATABASE => crate::store::beside(database, &format!(".{FILE}")),
        _ => database.with_file_name(FILE),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute(one) == absolute(other)
        || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Whether a process of this id lives. It may be another one by now: then its port refuses, or its token.
fn is_alive(pid: u32) -> bool {
    #[cfg(unix)]
    {
        use nix::errno::Errno;
        use nix::sys::signal::kill;
        use nix::unistd::Pid;

        i32::try_from(pid).is_ok_and(|pid| {
            pid > 0 && !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
        })
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        true
    }
}

/// A Clew that runs in this process.
#[derive(Debug)]
pub struct Running {
    /// The engine.
    pub engine: Engine,
    /// How other processes find it.
    pub instance: Instance,
    /// Its sockets: `grpc`, `http`, `ui`.
    pub listening: Vec<Listening>,
    host: Host,
}

impl Running {
    /// Opens the engine, binds every socket, and leaves `instance.json` beside the database.
    ///
    /// # Errors
    /// When the database cannot be opened or another Clew holds it, when the browser host cannot listen, and for
    /// [`Kind::Serve`] when any address is taken: the message names each with its owner.
    pub async fn start(start: Start, kind: Kind, assets: Assets) -> Result<Self, Error> {
        let Start {
            mut options,
            mut ui,
        } = start;
        options.database = std::path::absolute(&options.database).map_err(|error| {
            let path = options.database.display();
            Error::new(ErrorCode::Io, format!("cannot resolve {path}: {error}"))
        })?;
        if kind == Kind::Run {
            for port in [&mut options.grpc, &mut options.http, &mut ui] {
                if port::bind_loopback(*port, "").is_err() {
                    *port = 0;
                }
            }
        }
        let engine = Engine::open(options).await?;
        match Self::listen(engine.clone(), ui, kind, assets).await {
            Ok(running) => Ok(running),
            Err(error) => {
                engine.shut_down().await;
                Err(error)
            }
        }
    }

    async fn listen(engine: Engine, ui: u16, kind: Kind, assets: Assets) -> Result<Self, Error> {
        engine.listen().await?;
        let host = match Host::start(engine.clone(), ui, assets) {
            // The window shows its page by itself: it needs the host only to be found by the command line.
            Err(_) if kind == Kind::Window => Host::start(engine.clone(), 0, assets)?,
            started => started?,
        };
        engine.set_listening(vec![Listening {
            name: "ui".to_owned(),
            port: ui,
            addresses: host.addresses().iter().map(ToString::to_string).collect(),
            problem: None,
        }]);
        let listening = engine.listening();
        let problems: Vec<&str> = listening
            .iter()
            .filter_map(|each| each.problem.as_deref())
            .collect();
        if kind == Kind::Serve && !problems.is_empty() {
            let error = Error::new(ErrorCode::Io, problems.join("\n"));
            host.shut_down().await;
            return Err(error);
        }
        let address = |name: &str| {
            listening
                .iter()
                .find(|each| each.name == name)
                .and_then(|each| each.addresses.first().cloned())
                .unwrap_or_default()
        };
        let instance = Instance {
            pid: std::process::id(),
            kind,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            grpc: address("grpc"),
            http: address("http"),
            ui: address("ui"),
            token: host.token().to_owned(),
            db: engine.options().database.clone(),
        };
        instance.write()?;
        Ok(Self {
            engine,
            instance,
            listening,
            host,
        })
    }

    /// A link that opens the user interface once, to start a browser with.
    #[must_use]
    pub fn link_once(&self, hash: &str) -> String {
        self.instance.link_once(&self.host.code(), hash)
    }

    /// Stops taking telemetry, commits what was taken, and removes `instance.json`; within five seconds.
    ///
    /// # Errors
    /// When five seconds were not enough. What was acknowledged is committed all the same.
    pub async fn shut_down(self) -> Result<(), Error> {
        self.instance.remove();
        let drained = async {
            self.host.shut_down().await;
            self.engine.shut_down().await;
        };
        tokio::time::timeout(DRAIN, drained).await.map_err(|_| {
            Error::new(
                ErrorCode::Busy,
                "some requests were cut off: they did not end within 5 s",
            )
        })
    }
}

/// What asked a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Control-C: `SIGINT`.
    Interrupt,
    /// `SIGTERM` or `SIGHUP`: logout, a service manager, a closed terminal.
    Terminate,
}

/// Waits until the user or the system asks this process to end.
///
/// # Errors
/// When signals cannot be listened for.
pub async fn ending() -> std::io::Result<Ending> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(tokio::select! {
            _ = interrupt.recv() => Ending::Interrupt,
            _ = terminate.recv() => Ending::Terminate,
            _ = hangup.recv() => Ending::Terminate,
        })
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await?;
        Ok(Ending::Interrupt)
    }
}
