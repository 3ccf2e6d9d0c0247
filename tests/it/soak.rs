//! Mixed traffic for as long as is asked, with kills at random, at a small size limit (reliability H1, H2, C1, C17, C23).
//!
//! Seconds at work; ten minutes under `cargo xtask test --long`. Every sender sends one trace after another, each until it
//! is acknowledged, so what the database holds of it must be an unbroken end of what was acknowledged: retention takes
//! the oldest, and nothing else may be missing.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clew_core::otlp::{SpanSource, to_json};
use clew_tests::otlp;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use rand::Rng as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::serve::{Served, wire};

/// Senders, each of another form.
const FORMS: [Form; 4] = [Form::Protobuf, Form::Gzip, Form::Json, Form::Mixed];
/// Spans of a trace. Four senders with 25 traces a second make 1,000 spans a second.
const SPANS: u64 = 10;
/// Time between two traces of a sender.
const PACE: Duration = Duration::from_millis(40);
/// The smallest size limit that the settings take, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;
/// Time for retention, which looks once a minute, to catch up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);
/// Largest resident memory at any time, in MiB: half of what a struct bomb may take.
const MEMORY: usize = 384;
/// Open files at any time.
const FILES: usize = 160;

#[derive(Debug, Clone, Copy)]
enum Form {
    Protobuf,
    Gzip,
    Json,
    /// Spans, log records and metric points, one after another.
    Mixed,
}

/// Where Clew listens now.
type Address = Arc<Mutex<String>>;

fn seconds() -> u64 {
    let chosen = std::env::var("CLEW_TEST_SOAK").ok();
    chosen.and_then(|text| text.parse().ok()).unwrap_or(6)
}

fn trace_of(sender: usize, number: u64) -> u128 {
    0x50a4_u128 << 112 | (sender as u128) << 64 | u128::from(number)
}

/// The spans of a trace, each with two kilobytes of words.
fn spans(trace: u128) -> Vec<Span> {
    (1..=SPANS)
        .map(|id| {
            let mut random = rand::rng();
            let text: String = (0..300)
                .map(|_| format!("w{} ", random.random_range(0..5_000)))
                .collect();
            let parent = u64::from(id > 1);
            otlp::call(trace, id, parent, &text, "an answer")
        })
        .collect()
}

/// A request: its path, its headers and its body.
fn requests(form: Form, trace: u128) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    const PROTOBUF: &str = "Content-Type: application/x-protobuf\r\n";
    let spans = spans(trace);
    match form {
        Form::Protobuf => vec![("traces", PROTOBUF, otlp::traces(spans))],
        Form::Gzip => {
            let fast = flate2::Compression::fast();
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), fast);
            packed
                .write_all(&otlp::traces(spans))
                .expect("memory takes all");
            let head = "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n";
            vec![("traces", head, packed.finish().expect("memory takes all"))]
        }
        Form::Json => {
            let (resource, scope) = (Resource::default(), InstrumentationScope::default());
            let sources: Vec<_> = spans
                .iter()
                .map(|span| SpanSource {
                    resource: &resource,
                    resource_schema_url: "",
                    scope: &scope,
                    scope_schema_url: "",
                    span,
                })
                .collect();
            let head = "Content-Type: application/json\r\n";
            vec![("traces", head, to_json(&sources).into_bytes())]
        }
        Form::Mixed => {
            let logs = (1..=SPANS).map(|id| otlp::log(trace, id, "soak", "a record"));
            let logs = otlp::logs(logs.collect());
            let point = i64::try_from(trace & 0xffff_ffff).expect("it fits");
            vec![
                ("logs", PROTOBUF, logs),
                ("metrics", PROTOBUF, otlp::gauge("soak.load", &[point])),
                ("traces", PROTOBUF, otlp::traces(spans)),
            ]
        }
    }
}

/// Posts a request; whether it was acknowledged in full. A Clew that is being killed answers nothing.
async fn post(address: &str, signal: &str, head: &str, body: &[u8]) -> Option<bool> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let head = format!(
        "POST /v1/{signal} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{head}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.ok()?;
    let text = String::from_utf8_lossy(&reply);
    assert!(
        !text.contains("rejected"),
        "nothing is wrong with it: {text}"
    );
    Some(text.starts_with("HTTP/1.1 200"))
}

/// Sends until told to stop; `acknowledged` counts the traces.
async fn send(
    sender: usize,
    form: Form,
    address: Address,
    acknowledged: Arc<AtomicU64>,
    end: Instant,
) {
    let mut next = tokio::time::interval(PACE);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for number in 1.. {
        next.tick().await;
        for (signal, head, body) in requests(form, trace_of(sender, number)) {
            loop {
                let now = Instant::now();
                // On a slow machine each gets through at least once.
                if now > end && (number > 1 || now > end + clew_tests::PATIENCE) {
                    return;
                }
                let to = address.lock().expect("no panic").clone();
                let sent = timeout(Duration::from_secs(10), post(&to, signal, head, &body));
                if sent.await == Ok(Some(true)) {
                    break;
                }
                // Not there, or busy: the same again, which may be a duplicate.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        acknowledged.store(number, Ordering::Release);
    }
}

/// Resident memory in MiB and open files of a process, while it is there.
#[cfg(target_os = "linux")]
fn weight(pid: u32) -> Option<(usize, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: usize = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    // Its own files are hidden from others: a process that holds traces protects its memory.
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    Some((kib / 1024, files))
}

#[cfg(not(target_os = "linux"))]
fn weight(_: u32) -> Option<(usize, usize)> {
    None
}

fn call(served: &Served, command: &str, params: &str) -> serde_json::Value {
    let bearer = format!("Authorization: Bearer {}", served.token);
    let headers = [&*bearer, "Content-Type: application/json"];
    let path = format!("/api/{command}");
    let answer = wire::ask(&served.ui, "POST", &path, &headers, params.as_bytes());
    assert_eq!(answer.status, 200, "{command}: {}", answer.text());
    answer.json()
}

/// Lives with one Clew until `until`: reads as a user would, and watches what it takes.
fn watch(served: &Served, until: Instant, heaviest: &mut (usize, usize)) {
    while Instant::now() < until {
        call(served, "list_traces", "{}");
        call(served, "get_status", "{}");
        if let Some((memory, files)) = weight(served.pid()) {
            assert!(memory <= MEMORY, "{memory} MiB of memory");
            assert!(files <= FILES, "{files} open files");
            *heaviest = (heaviest.0.max(memory), heaviest.1.max(files));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What is stored of each sender: number of the trace to its spans.
fn stored(database: &std::path::Path) -> BTreeMap<usize, BTreeMap<u64, i64>> {
    let connection = rusqlite::Connection::open(database).expect("the database opens");
    let whole: String = connection
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .expect("a verdict");
    assert_eq!(whole, "ok");
    let mut query = connection
        .prepare("SELECT trace_id, spans FROM traces WHERE spans > 0")
        .expect("the table is there");
    let rows = query
        .query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get(1)?)))
        .expect("rows");
    let mut stored: BTreeMap<usize, BTreeMap<u64, i64>> = BTreeMap::new();
    for row in rows {
        let (id, spans) = row.expect("a row");
        let id = u128::from_be_bytes(id);
        let sender = usize::try_from(id >> 64 & 0xffff).expect("it fits");
        let number = u64::try_from(id & u128::from(u64::MAX)).expect("it fits");
        stored.entry(sender).or_default().insert(number, spans);
    }
    stored
}

#[test]
fn mixed_traffic_with_kills_and_retention_loses_nothing_else() {
    let soak = Duration::from_secs(seconds());
    let end = Instant::now() + soak;
    let mut served = Served::start(&[]);
    let mut settings = call(&served, "get_settings", "{}");
    settings["retention"]["maxBytes"] = LIMIT.into();
    call(&served, "set_settings", &settings.to_string());
    let address: Address = Arc::new(Mutex::new(served.http.clone()));
    let counts: Vec<Arc<AtomicU64>> = FORMS.iter().map(|_| Arc::default()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let senders: Vec<_> = FORMS
        .iter()
        .zip(&counts)
        .enumerate()
        .map(|(sender, (form, count))| {
            runtime.spawn(send(sender, *form, address.clone(), count.clone(), end))
        })
        .collect();

    let mut heaviest = (0, 0);
    let mut kills = 0;
    while Instant::now() < end {
        // Most lives are short; some are long enough for retention.
        let seconds = match rand::rng().random_range(0..3) {
            0 => 75..150,
            _ => 1..20,
        };
        let life = Duration::from_secs(rand::rng().random_range(seconds));
        let until = (Instant::now() + life.min(soak / 3)).min(end);
        watch(&served, until, &mut heaviest);
        served = served.kill_and_restart();
        kills += 1;
        *address.lock().expect("no panic") = served.http.clone();
    }
    for sender in senders {
        runtime.block_on(sender).expect("no sender failed");
    }
    let began = Instant::now();
    let size = loop {
        let status = call(&served, "get_status", "{}");
        let size = status["databaseBytes"].as_u64().expect("a number");
        if size <= LIMIT + LIMIT / 4 {
            break size;
        }
        let waited = began.elapsed();
        assert!(waited < PATIENCE, "{} MiB on disk", size / 1024 / 1024);
        std::thread::sleep(Duration::from_secs(1));
    };
    let database = served.database();
    served.end("TERM");

    let mut sent = 0;
    let stored = stored(&database);
    for (sender, count) in counts.iter().enumerate() {
        let acknowledged = count.load(Ordering::Acquire);
        assert!(acknowledged > 0, "{:?} sent nothing", FORMS[sender]);
        sent += acknowledged * SPANS;
        let kept = stored.get(&sender).expect("something of each sender");
        let (first, _) = kept.first_key_value().expect("something");
        let lost: Vec<u64> = (*first..=acknowledged)
            .filter(|number| !kept.contains_key(number))
            .collect();
        assert!(lost.is_empty(), "{:?}: lost {lost:?}", FORMS[sender]);
        // The last may have been stored without its acknowledgement getting through.
        let invented = kept.keys().filter(|number| **number > acknowledged + 1);
        assert_eq!(invented.count(), 0, "{:?}", FORMS[sender]);
        let torn = kept.values().filter(|spans| **spans != SPANS.cast_signed());
        assert_eq!(
            torn.count(),
            0,
            "{:?}: a request is stored whole",
            FORMS[sender]
        );
    }
    let purged = stored.values().filter_map(|kept| kept.first_key_value());
    let purged: u64 = purged.map(|(first, _)| (first - 1) * SPANS).sum();
    let report = format!(
        "soak of {soak:?}: {sent} spans acknowledged, {purged} of them purged, {kills} kills, 0 lost; at most {} MiB of memory and {} files, \
         {} MiB on disk\n",
        heaviest.0,
        heaviest.1,
        size / 1024 / 1024
    );
    std::io::stderr()
        .write_all(report.as_bytes())
        .expect("stderr takes it");
}
