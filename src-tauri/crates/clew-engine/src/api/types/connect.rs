//! What Connect and the status bar show: where Clew listens, who sends, and what went wrong.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::FacetValue;

/// Names of one listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Listening {
    /// `grpc`, `http` or `ui`.
    pub name: String,
    /// The port that was asked for.
    pub port: u16,
    /// The bound addresses ("127.0.0.1:4317"); empty where binding failed.
    pub addresses: Vec<String>,
    /// Why it does not listen, and what to do.
    pub problem: Option<String>,
}

/// What Clew is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Clew's version.
    pub version: String,
    /// The sockets.
    pub listening: Vec<Listening>,
    /// Path of the database.
    pub database: String,
    /// Bytes of database, write-ahead log and index.
    pub database_bytes: u64,
    /// Size limit in bytes.
    pub database_limit: u64,
    /// Spans stored.
    pub spans: u64,
    /// Traces stored.
    pub traces: u64,
    /// Spans committed in a second, over the last ten.
    pub spans_per_second: f64,
    /// Spans whose facts are not derived yet.
    pub underived: u64,
    /// Spans whose text is not indexed yet.
    pub unindexed: u64,
    /// Spans that wait for their facts or for the index, whichever is further behind.
    pub behind: u64,
    /// Items refused since the start, by reason.
    pub refused: Vec<FacetValue>,
    /// Spans, log records and points since the start that were stored already: delivered again, and not stored twice.
    pub duplicates: u64,
    /// Items refused since the start, for all reasons.
    pub refused_total: u64,
    /// Whether the receiver takes spans; otherwise why not.
    pub problem: Option<String>,
    /// Whether Clew listens beyond this machine: the banner stands while it does.
    pub exposed: bool,
    /// Whether requests must state the ingest key.
    pub keyed: bool,
    /// Host names that requests may be addressed to, beside addresses, `localhost` and the names of container hosts:
    /// those of the start and of the settings, sorted.
    pub allowed_hosts: Vec<String>,
    /// Whether any span has ever been received live.
    pub received: bool,
}

/// A program that has sent telemetry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Sender {
    /// `service.name`.
    pub service: String,
    /// `telemetry.sdk.language`.
    pub language: Option<String>,
    /// Instrumentation scopes: name and version.
    pub scopes: Vec<String>,
    /// How it sends ("gRPC", "HTTP/protobuf", "HTTP/JSON").
    pub transport: String,
    /// The exporter's user agent.
    pub user_agent: String,
    /// Spans received.
    pub spans: u64,
    /// Log records received.
    pub logs: u64,
    /// Metric points received.
    pub points: u64,
    /// Address of the machine that it sends from; `null` for this one.
    pub peer: Option<String>,
    /// Whether it stated the ingest key. Without a key, anyone who reaches the port may call themselves anything.
    pub authenticated: bool,
    /// Microseconds since the epoch of the first request.
    pub first_micros: u64,
    /// Microseconds since the epoch of the last request.
    pub last_micros: u64,
}

/// Something that went wrong with requests, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionProblem {
    /// What happened ("3 requests hit /v1/trace").
    pub what: String,
    /// What to do ("the path is /v1/traces").
    pub fix: String,
    /// How often.
    pub count: u64,
    /// Microseconds since the epoch of the last time.
    pub last_micros: u64,
}

/// What has been seen of senders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    /// Programs since the start, newest first.
    pub senders: Vec<Sender>,
    /// Problems since the start, newest first.
    pub problems: Vec<ConnectionProblem>,
}

/// The test trace that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestTrace {
    /// 32 hex digits.
    pub trace_id: String,
}
