//! An engine to test, and the ways into it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clew_core::otlp::{self, Encoding, Limits, Signal};
use clew_engine::api::{self, Reply};
use clew_engine::ingest::{Committed, Refused};
use clew_engine::{Engine, Error, Options};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wait_until;

/// A running engine with a database of its own. It listens once [`Rig::listen`] is called.
#[derive(Debug)]
pub struct Rig {
    /// The engine.
    pub engine: Engine,
    folder: TempDir,
}

/// What an OTLP request over HTTP got.
#[derive(Debug)]
pub struct Answer {
    /// The status, 100 to 599.
    pub status: u16,
    /// Head and body as they came, bytes that are not UTF-8 replaced.
    pub text: String,
}

impl Rig {
    /// Opens an engine on a new folder, without a limit to how full the disk may be.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As [`Rig::start`], with other options.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = Self::options(folder.path().join("data").join("clew.db"));
        change(&mut options);
        let engine = Engine::open(options).await.expect("a new database opens");
        Self { engine, folder }
    }

    /// Options for a database: free ports, no key, no disk floor.
    #[must_use]
    pub fn options(database: PathBuf) -> Options {
        Options {
            database,
            grpc: 0,
            http: 0,
            host: None,
            ingest_key: None,
            allowed_hosts: Vec::new(),
            disk_floor: Some(0),
        }
    }

    /// Shuts the engine down, lets `meanwhile` touch the database, and opens it again.
    ///
    /// # Panics
    /// When it does not open again.
    pub async fn reopen(self, meanwhile: impl FnOnce(&Connection)) -> Self {
        self.engine.shut_down().await;
        let options = self.engine.options().clone();
        let Self { engine, folder } = self;
        drop(engine);
        let connection = Connection::open(&options.database).expect("the database opens");
        meanwhile(&connection);
        connection.close().expect("it closes");
        let engine = Engine::open(options).await.expect("it opens again");
        Self { engine, folder }
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.engine.options().database.clone()
    }

    /// The folder around the database's own: for files to open.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs a command through the door; `params` as JSON.
    ///
    /// # Errors
    /// What the command answers.
    pub async fn ask(&self, name: &str, params: &Value) -> Result<Reply, Error> {
        let body = serde_json::to_vec(params).expect("JSON");
        api::dispatch(&self.engine, name, &body).await
    }

    /// Runs a command that must succeed and answer JSON.
    ///
    /// # Panics
    /// When it fails or answers columns.
    pub async fn call(&self, name: &str, params: Value) -> Value {
        match self.ask(name, &params).await {
            Ok(Reply::Json(json)) => serde_json::from_slice(&json).expect("JSON"),
            Ok(Reply::Packed(_)) => panic!("{name} answers columns"),
            Err(error) => panic!("{name} {params}: {error:?}"),
        }
    }

    /// Runs a command that must succeed and answer columns: its JSON part, and the bytes of all columns.
    ///
    /// # Panics
    /// When it fails or answers JSON.
    pub async fn call_packed(&self, name: &str, params: Value) -> (Value, Vec<u8>) {
        match self.ask(name, &params).await {
            Ok(Reply::Packed(bytes)) => {
                let (length, rest) = bytes.split_first_chunk::<4>().expect("a length");
                let length = u32::from_le_bytes(*length) as usize;
                let header: Value = serde_json::from_slice(&rest[..length]).expect("JSON");
                let body = (4 + length).next_multiple_of(8);
                (header["value"].clone(), bytes[body..].to_vec())
            }
            Ok(Reply::Json(_)) => panic!("{name} answers JSON"),
            Err(error) => panic!("{name} {params}: {error:?}"),
        }
    }

    /// The rows of `list_traces`, all pages of one.
    pub async fn list(&self, filter: Value) -> Vec<Value> {
        let page = self.call("list_traces", filter).await;
        page["rows"].as_array().expect("rows").clone()
    }

    /// Commits a protobuf request of `signal` under `source`, as the receiver does once it has a body.
    ///
    /// # Errors
    /// Why it was not taken.
    ///
    /// # Panics
    /// When the request does not decode.
    pub async fn commit(
        &self,
        source: i64,
        signal: Signal,
        request: &[u8],
    ) -> Result<Committed, Refused> {
        let (batch, problems) =
            otlp::decode(signal, Encoding::Protobuf, request, &Limits::default()).expect("decodes");
        assert_eq!(problems, []);
        let ingest = self.engine.ingest().expect("the engine writes");
        ingest.commit(source, batch).await
    }

    /// Commits a request of live telemetry that must be taken.
    ///
    /// # Panics
    /// When it is not.
    pub async fn take(&self, signal: Signal, request: &[u8]) -> Committed {
        let taken = self.commit(0, signal, request).await;
        taken.expect("there is room")
    }

    /// Waits until facts, summaries and index cover everything that is stored.
    pub async fn settle(&self) {
        let connection = self.read();
        let version = || {
            connection
                .pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0))
                .expect("a number")
        };
        // A log record whose span is not there changes its trace, and nothing is derived from that.
        let behind = || {
            let open = "SELECT (SELECT count(*) FROM stale_spans)
                        + (SELECT count(*) FROM derivation WHERE marked IS NOT NULL)
                        + (SELECT count(*) FROM traces t LEFT JOIN summaries m ON m.trace = t.id
                           WHERE t.spans > 0 AND m.changed IS NOT t.changed AND NOT EXISTS (
                               SELECT 1 FROM logs l WHERE l.trace = t.id AND NOT EXISTS (
                                   SELECT 1 FROM spans s WHERE s.trace = t.id AND s.span_id = l.span_id)))
                        + (SELECT count(*) FROM spans, derivation WHERE spans.id > derivation.through)";
            connection
                .query_row(open, [], |row| row.get::<_, i64>(0))
                .expect("a count")
        };
        let mut before = None;
        wait_until("derivation catches up", async || {
            let now = version();
            let quiet = before == Some(now);
            before = Some(now);
            let status = self.call("get_status", json!({})).await;
            let done = quiet && behind() == 0 && status["unindexed"] == 0;
            if !done {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            done.then_some(())
        })
        .await;
    }

    /// A connection of one's own that only reads.
    ///
    /// # Panics
    /// When the database does not open.
    #[must_use]
    pub fn read(&self) -> Connection {
        Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)
            .expect("the database opens")
    }

    /// Rows of a table, as they stand on disk.
    ///
    /// # Panics
    /// When there is no such table.
    #[must_use]
    pub fn rows(&self, table: &str) -> i64 {
        self.read()
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .expect("the table is there")
    }

    /// Binds the sockets: gRPC's and HTTP's address on 127.0.0.1.
    ///
    /// # Panics
    /// When one cannot be bound.
    pub async fn listen(&self) -> [SocketAddr; 2] {
        let listening = self.engine.listen().await.expect("the options fit");
        ["grpc", "http"].map(|name| {
            let socket = listening.iter().find(|socket| socket.name == name);
            let bound = socket.expect("it has a name").addresses.first();
            bound.expect("it is bound").parse().expect("an address")
        })
    }
}

impl Answer {
    /// Sends a request of `signal` in protobuf over HTTP/1.1 and reads the answer.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn to(address: SocketAddr, signal: Signal, request: &[u8]) -> Self {
        let head = format!(
            "POST /v1/{} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            signal.name(),
            request.len()
        );
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("is sent");
        // A refused body may be cut off while it is still being sent.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        Self {
            status: status.unwrap_or_else(|| panic!("no answer: {text:?}")),
            text,
        }
    }
}
