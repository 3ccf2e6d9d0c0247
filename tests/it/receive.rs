//! The receiver over real sockets: what OTLP clients, mistaken clients and hostile ones get to see.

pub(crate) mod client;
mod exporters;
mod gates;
mod limits;
mod ports;
mod senders;
mod signals;
mod statuses;

use std::net::SocketAddr;

use clew_engine::{Engine, Options};
use clew_tests::wait_until;

/// A running engine on free ports, with a database of its own.
struct Rig {
    engine: Engine,
    /// On 127.0.0.1.
    grpc: SocketAddr,
    /// On 127.0.0.1.
    http: SocketAddr,
    store: clew_tests::Rig,
}

impl Rig {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let store = clew_tests::Rig::start_with(change).await;
        let [grpc, http] = store.listen().await;
        Self {
            engine: store.engine.clone(),
            grpc,
            http,
            store,
        }
    }

    /// Both ports: each takes everything.
    fn ports(&self) -> [SocketAddr; 2] {
        [self.grpc, self.http]
    }

    /// Rows of a table, as they stand on disk.
    fn rows(&self, table: &str) -> i64 {
        self.store.rows(table)
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
        wait_until(words, async || {
            let problems = self.problems();
            let found = problems.iter().any(|problem| problem.contains(words));
            found.then_some(())
        })
        .await;
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
