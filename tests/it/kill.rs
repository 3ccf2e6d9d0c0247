//! What was acknowledged survives `kill -9` (reliability H1, C1): the real binary is killed at random moments under load.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clew_tests::{at_most, wait_until};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use rand::Rng as _;

/// Spans in one request; each request is one trace.
const SPANS: u32 = 20;
/// Programs that send at once.
const SENDERS: u32 = 4;
/// How long a restart may take until it listens again (C1).
const RESTART: Duration = Duration::from_secs(3);
/// How long it may take to end when it is asked to (C19).
const DRAIN: Duration = Duration::from_secs(5);

/// How often to kill: `CLEW_TEST_KILLS`, else the 50 of the gate.
fn cycles() -> u32 {
    std::env::var("CLEW_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(50)
}

/// The real binary: `CLEW_BIN`, else what cargo builds now.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CLEW_BIN") {
        return path.into();
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", "clew"])
        .status()
        .expect("cargo starts");
    assert!(status.success(), "clew does not build");
    let test = std::env::current_exe().expect("a test has a path");
    test.ancestors()
        .nth(2)
        .expect("a test lies in target/debug/deps")
        .join("clew")
}

struct Running {
    child: Child,
    grpc: String,
    started_in: Duration,
}

fn start(binary: &Path, database: &Path) -> Running {
    let start = Instant::now();
    let mut child = Command::new(binary)
        .args([
            "serve", "--json", "--grpc", "0", "--http", "0", "--ui", "0", "--db",
        ])
        .arg(database)
        .stdout(Stdio::piped())
        .spawn()
        .expect("clew starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("stdout is piped");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("clew says where it listens");
    let started: serde_json::Value =
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
    let address = match &started["grpc"] {
        serde_json::Value::Array(all) => all[0].as_str().unwrap_or_default().to_owned(),
        address => address.as_str().unwrap_or_default().to_owned(),
    };
    Running {
        child,
        grpc: format!("http://{}", address.trim_start_matches("http://")),
        started_in: start.elapsed(),
    }
}

/// One trace, with a payload that does not compress to nothing.
fn request(trace: u64) -> ExportTraceServiceRequest {
    let id = |span: u32| (trace << 8 | u64::from(span + 1)).to_be_bytes().to_vec();
    let text = |key: &str, value: String| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value)),
        }),
        ..Default::default()
    };
    let spans = (0..SPANS).map(|span| Span {
        trace_id: trace_id(trace).to_vec(),
        span_id: id(span),
        parent_span_id: if span == 0 { Vec::new() } else { id(0) },
        name: format!("step {span}"),
        start_time_unix_nano: 1_700_000_000_000_000_000 + trace,
        end_time_unix_nano: 1_700_000_000_500_000_000 + trace,
        attributes: vec![text(
            "input.value",
            format!("{:x}", rand::rng().random::<u128>()).repeat(16),
        )],
        ..Default::default()
    });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![text("service.name", "kill".to_owned())],
                ..Default::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans: spans.collect(),
                ..Default::default()
            }],
            ..Default::default()
        }],
    }
}

fn trace_id(trace: u64) -> [u8; 16] {
    (0xc1e3_u128 << 64 | u128::from(trace)).to_be_bytes()
}

fn hex(trace: u64) -> String {
    let digits = trace_id(trace).map(|byte| format!("{byte:02x}"));
    digits.concat()
}

/// What the database holds afterwards, as any user would ask for it: trace id to number of spans.
fn stored(binary: &Path, database: &Path) -> BTreeMap<String, u64> {
    let output = Command::new(binary)
        .args(["list", "--json", "--limit", "1000000", "--db"])
        .arg(database)
        .output()
        .expect("clew list starts");
    assert!(
        output.status.success(),
        "clew list: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("clew list --json");
    let rows = rows
        .as_array()
        .or(rows["rows"].as_array())
        .expect("rows")
        .clone();
    let count = rows.len();
    let by_id = rows
        .into_iter()
        .map(|row| {
            let id = row["traceId"].as_str().expect("traceId").to_owned();
            (id, row["spanCount"].as_u64().expect("spanCount"))
        })
        .collect::<BTreeMap<_, _>>();
    assert_eq!(by_id.len(), count, "no trace is listed twice");
    by_id
}

/// Reliability C1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_clew_is_killed() {
    end_again_and_again(cycles(), |child| {
        child.kill().expect("a running child");
        child.wait().expect("a child");
    })
    .await;
}

/// Asked to end, it answers what it has begun, commits, and goes (C19).
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_clew_is_told_to_end() {
    end_again_and_again(cycles().div_ceil(5), |child| {
        let asked = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(asked.expect("kill runs").success());
        let began = Instant::now();
        let status = child.wait().expect("a child");
        assert!(
            began.elapsed() < at_most(DRAIN),
            "after {:?}",
            began.elapsed()
        );
        assert_eq!(status.code(), Some(0));
    })
    .await;
}

/// Lets programs send without a pause while Clew is ended by `end` at random moments, and accounts for every trace.
async fn end_again_and_again(cycles: u32, end: fn(&mut Child)) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("clew.db");
    let binary = binary();
    let sent = Arc::new(Mutex::new(BTreeSet::new()));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let mut slowest = Duration::ZERO;
    for cycle in 0..cycles {
        let mut running = start(&binary, &database);
        slowest = slowest.max(running.started_in);
        let senders = (0..SENDERS).map(|sender| {
            let (sent, acknowledged) = (sent.clone(), acknowledged.clone());
            let address = running.grpc.clone();
            tokio::spawn(async move {
                let Ok(mut client) = TraceServiceClient::connect(address).await else {
                    return;
                };
                let first = (u64::from(cycle) << 32) | (u64::from(sender) << 24);
                for trace in first.. {
                    sent.lock().expect("no panic").insert(hex(trace));
                    match client.export(request(trace)).await {
                        Ok(reply) => {
                            assert_eq!(reply.into_inner().partial_success, None);
                            acknowledged.lock().expect("no panic").insert(hex(trace));
                        }
                        // Told to come again, or the connection is gone.
                        Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                }
            })
        });
        let senders = senders.collect::<Vec<_>>();
        // Every other time it lives until something is acknowledged, however slow the machine is.
        if cycle % 2 == 0 {
            let before = acknowledged.lock().expect("no panic").len();
            wait_until("something is acknowledged", async || {
                (acknowledged.lock().expect("no panic").len() > before).then_some(())
            })
            .await;
        }
        let life = rand::rng().random_range(20..300);
        tokio::time::sleep(Duration::from_millis(life)).await;
        let ended = tokio::task::spawn_blocking(move || end(&mut running.child));
        ended.await.expect("it ends as it should");
        for sender in senders {
            sender.abort();
            // A sender that failed an assertion tells so here; one that was stopped does not.
            if let Err(error) = sender.await {
                assert!(error.is_cancelled(), "{error}");
            }
        }
    }
    let mut last = start(&binary, &database);
    assert!(
        slowest < at_most(RESTART),
        "the slowest restart took {slowest:?}"
    );
    let stored = stored(&binary, &database);
    last.child.kill().expect("a running child");
    last.child.wait().expect("a child");

    let (sent, acknowledged) = (
        sent.lock().expect("no panic").clone(),
        acknowledged.lock().expect("no panic").clone(),
    );
    assert!(
        acknowledged.len() >= cycles.div_ceil(2) as usize,
        "too little was acknowledged to prove anything: {}",
        acknowledged.len()
    );
    let lost = acknowledged
        .iter()
        .filter(|id| !stored.contains_key(*id))
        .collect::<Vec<_>>();
    assert!(
        lost.is_empty(),
        "{} acknowledged traces are lost: {lost:?}",
        lost.len()
    );
    let invented = stored.keys().filter(|id| !sent.contains(*id)).count();
    assert_eq!(invented, 0, "traces that nobody sent");
    let torn = stored
        .iter()
        .filter(|(_, spans)| **spans != u64::from(SPANS))
        .collect::<Vec<_>>();
    assert!(
        torn.is_empty(),
        "a request is stored whole or not at all: {torn:?}"
    );
}
