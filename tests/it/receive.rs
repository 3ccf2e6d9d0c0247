//! The receiver over real sockets: what OTLP clients, mistaken clients and hostile ones get to see.

mod client;
mod gates;
mod limits;
mod ports;
mod signals;
mod statuses;

use std::net::SocketAddr;

use clew_engine::{Engine, Options};

/// A running engine on free ports, with a database of its own.
struct Rig {
    engine: Engine,
    /// On 127.0.0.1.
    grpc: SocketAddr,
    /// On 127.0.0.1.
    http: SocketAddr,
    folder: tempfile::TempDir,
}

impl Rig {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = Options {
            database: folder.path().join("clew.db"),
            grpc: 0,
            http: 0,
            host: None,
            ingest_key: None,
            disk_floor: Some(0),
        };
        change(&mut options);
        let engine = Engine::open(options).await.expect("a new database opens");
        let listening = engine.listen().await.expect("the options fit");
        let address = |name: &str| {
            let socket = listening.iter().find(|socket| socket.name == name);
            let bound = socket.expect("it has a name").addresses.first();
            bound.expect("it is bound").parse().expect("an address")
        };
        Self {
            grpc: address("grpc"),
            http: address("http"),
            engine,
            folder,
        }
    }

    /// Both ports: each takes everything.
    fn ports(&self) -> [SocketAddr; 2] {
        [self.grpc, self.http]
    }

    /// Rows of a table, as they stand on disk.
    fn rows(&self, table: &str) -> i64 {
        let database = rusqlite::Connection::open_with_flags(
            self.folder.path().join("clew.db"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .expect("the database opens");
        database
            .query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| {
                row.get(0)
            })
            .expect("the table is there")
    }

    /// What the Connect page would say.
    fn problems(&self) -> Vec<String> {
        let problems = self.engine.census().problems();
        problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.what, problem.fix))
            .collect()
    }

    /// Items and requests refused for a reason.
    fn refused(&self, reason: &str) -> u32 {
        let refused = self.engine.census().refused();
        refused
            .iter()
            .find(|facet| facet.value == reason)
            .map_or(0, |facet| facet.count)
    }

    /// Waits until a problem with these words is counted.
    async fn problem(&self, words: &str) {
        for _ in 0..200 {
            if self
                .problems()
                .iter()
                .any(|problem| problem.contains(words))
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("no problem {words:?} among {:?}", self.problems());
    }

    /// Sends one span and sees it stored: the receiver is alive.
    async fn assert_alive(&self) {
        for address in self.ports() {
            let before = self.rows("spans");
            let reply = client::post(address, "/v1/traces", signals::one_span()).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_eq!(self.rows("spans"), before + 1);
        }
    }
}
