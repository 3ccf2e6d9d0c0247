//! Deletion leaves nothing behind, and retention takes what came first (reliability B17, C18).

use std::path::PathBuf;

use clew_core::otlp::{Encoding, Limits, Signal};
use clew_tests::Rig;
use clew_tests::otlp::{call, hex, log, logs, span, text, traces_of};
use rand::{Rng as _, SeedableRng as _};
use rusqlite::Connection;
use serde_json::{Value, json};

/// What must not stay, one word for each place.
const CANARIES: [&str; 9] = [
    "canaryname",
    "canarykey",
    "canaryvalue",
    "canaryinput",
    "canaryoutput",
    "canaryevent",
    "canarylog",
    "canaryservice",
    "canarymodel",
];

fn files(rig: &Rig) -> Vec<PathBuf> {
    let database = rig.database();
    let folder = database.parent().expect("a folder");
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

/// Files of the database that hold a word as it is written; blocks are compressed, so those are opened too.
fn holders(rig: &Rig, word: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| {
        bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    };
    let mut found: Vec<String> = files(rig)
        .iter()
        .filter(|path| std::fs::read(path).is_ok_and(|bytes| holds(&bytes)))
        .map(|path| path.display().to_string())
        .collect();
    let connection = rig.read();
    for table in ["attribute_blocks", "content_blocks"] {
        let mut blocks = connection
            .prepare(&format!("SELECT data FROM {table}"))
            .expect("prepares");
        let blocks = blocks.query_map([], |row| row.get::<_, Vec<u8>>(0));
        for block in blocks.expect("rows") {
            // The size of the plain text stands before the frame.
            let plain = zstd::stream::decode_all(&block.expect("a blob")[4..]);
            if holds(&plain.expect("a block is zstd")) {
                found.push(table.to_owned());
            }
        }
    }
    found
}

/// A trace with a canary in every place, between others in the same request, so that they share blocks.
fn request_with_canaries() -> (Vec<u8>, Vec<u8>) {
    let mut spans = Vec::new();
    for trace in 1..=20_u128 {
        for id in 1..=3 {
            spans.push(call(trace, id, id - 1, "kept input", "kept output"));
        }
    }
    let mut canary = call(7, 100, 1, "canaryinput", "canaryoutput");
    canary.name = "canaryname".to_owned();
    canary.attributes.push(text("canarykey", "canaryvalue"));
    canary
        .attributes
        .push(text("gen_ai.response.model", "canarymodel"));
    canary.events = vec![opentelemetry_proto::tonic::trace::v1::span::Event {
        name: "canaryevent".to_owned(),
        ..Default::default()
    }];
    spans.insert(30, canary);
    let mut request = traces_of("shop", spans);
    // Requests follow one another in protobuf: a second resource of the same request.
    request.extend(traces_of("canaryservice", vec![span(7, 101, 1, "step")]));
    let records = vec![
        log(3, 1, "kept", "kept log"),
        log(7, 100, "canaryevent", "canarylog"),
        log(9, 1, "kept", "kept log"),
    ];
    (request, logs(records))
}

/// Reliability C18.
#[tokio::test]
async fn what_is_deleted_is_in_no_file_any_more() {
    let rig = Rig::start().await;
    let (request, records) = request_with_canaries();
    rig.take(Signal::Traces, &request).await;
    rig.take(Signal::Logs, &records).await;
    rig.settle().await;
    for word in CANARIES {
        assert_ne!(
            holders(&rig, word),
            [""; 0],
            "{word} is looked for where it is"
        );
    }
    let mut others = Vec::new();
    for trace in (1..=20_u128).filter(|&trace| trace != 7) {
        others.push((trace, whole(&rig, trace).await));
    }
    let params = json!({"traces": [{"traceId": hex(7)}, {"traceId": hex(7_777)}]});
    let purged = rig.call("delete_traces", params).await;
    assert_eq!(
        (&purged["traces"], &purged["spans"]),
        (&json!(1), &json!(5))
    );
    for word in CANARIES {
        assert_eq!(holders(&rig, word), [""; 0], "{word} is still there");
        assert_eq!(rig.list(json!({"text": word})).await.len(), 0);
    }
    assert_eq!(rig.list(json!({"limit": 500})).await.len(), 19);
    for (trace, before) in &others {
        assert_eq!(&whole(&rig, *trace).await, before, "trace {trace}");
    }
    // Whoever sends it again after that means it.
    let stored = rig.take(Signal::Traces, &request).await;
    assert_eq!((stored.spans, stored.traces), (5, 1));
    rig.settle().await;
    let rig = rig.reopen(|_| {}).await;
    assert_eq!(rig.list(json!({"text": "canaryinput"})).await.len(), 1);
}

/// Every span of a trace as it was received, and what is shown of the first.
async fn whole(rig: &Rig, trace: u128) -> (Value, Value) {
    let copy = json!({"traceId": hex(trace), "format": "otlpJson"});
    let params = json!({"traceId": hex(trace), "spanId": "0000000000000001"});
    (
        rig.call("copy_trace", copy).await,
        rig.call("get_span", params).await,
    )
}

#[tokio::test]
async fn deleting_while_telemetry_comes_leaves_nothing_behind() {
    let rig = Rig::start().await;
    // Deleted at once, while derivation is at work on them.
    for round in 0..8_u128 {
        let spans = (1..=200_u64).map(|id| call(round + 1, id, id - 1, "canaryinput", "x"));
        let request = traces_of("canaryservice", spans.collect());
        let other = traces_of("shop", vec![span(100 + round, 1, 0, "kept")]);
        rig.take(Signal::Traces, &request).await;
        rig.take(Signal::Traces, &other).await;
        let params = json!({"traces": [{"traceId": hex(round + 1)}]});
        assert_eq!(rig.call("delete_traces", params).await["spans"], 200);
    }
    rig.settle().await;
    // What derivation wrote meanwhile goes with the next deletion at the latest; nothing may show it before.
    assert_eq!(rig.list(json!({"text": "canaryinput"})).await.len(), 0);
    assert_eq!(rig.rows("facts"), 8);
    assert_eq!(rig.rows("summaries"), 8);
    let params = json!({"traces": [{"traceId": hex(100)}]});
    rig.call("delete_traces", params).await;
    for word in ["canaryinput", "canaryservice"] {
        assert_eq!(holders(&rig, word), [""; 0], "{word}");
    }
    assert_eq!(rig.list(json!({})).await.len(), 7);
}

/// Reliability B17.
#[tokio::test]
async fn age_counts_from_arrival() {
    let rig = Rig::start().await;
    for id in 1..=30_u128 {
        let mut span = span(id, 1, 0, "step");
        // What a span claims of its time says nothing of its age.
        span.start_time_unix_nano = if id % 2 == 0 { 1 } else { u64::MAX };
        rig.take(Signal::Traces, &traces_of("shop", vec![span]))
            .await;
    }
    rig.settle().await;
    let days = |days: i64| days * 24 * 3600 * 1_000_000;
    let rig = rig
        .reopen(|connection| {
            let age = "UPDATE traces SET received = received - ?1 WHERE id % 3 = ?2";
            connection.execute(age, [days(40), 0]).expect("aged");
            connection.execute(age, [days(20), 1]).expect("aged");
        })
        .await;
    let limits = json!({"maxBytes": 10_000_000_000_u64, "maxDays": 30});
    let preview = rig.call("preview_retention", limits.clone()).await;
    assert_eq!(preview["traces"], 10);
    assert!(preview["bytes"].as_u64() > Some(0), "{preview}");
    // A look sets nothing.
    let held = rig.call("get_storage", json!({})).await;
    assert_eq!(held["purgeableTraces"], 0);
    rig.call("set_settings", json!({"retention": limits})).await;
    let preview = rig.call("get_storage", json!({})).await;
    assert_eq!(preview["purgeableTraces"], 10);
    let purged = rig.call("apply_retention", json!({})).await;
    assert_eq!(
        (&purged["traces"], &purged["spans"]),
        (&json!(10), &json!(10))
    );
    assert_eq!(rig.list(json!({"limit": 500})).await.len(), 20);
    let old: i64 = rig
        .read()
        .query_row("SELECT count(*) FROM traces WHERE id % 3 = 0", [], |row| {
            row.get(0)
        })
        .expect("a count");
    assert_eq!(old, 0);
    let again = rig.call("apply_retention", json!({})).await;
    assert_eq!(again["traces"], 0);
}

#[tokio::test]
async fn above_the_size_limit_the_first_received_goes_first() {
    const LIMIT: u64 = 64 * 1024 * 1024;
    let rig = Rig::start().await;
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let count = 84_u128;
    for from in (1..=count).step_by(4) {
        let spans = (from..from + 4).map(|id| {
            let mut noise = vec![0_u8; 1024 * 1024];
            random.fill(&mut noise[..]);
            let mut span = span(id, 1, 0, "step");
            span.attributes = vec![clew_tests::otlp::attribute(
                "noise",
                opentelemetry_proto::tonic::common::v1::any_value::Value::BytesValue(noise),
            )];
            span
        });
        let request = traces_of("shop", spans.collect());
        rig.take(Signal::Traces, &request).await;
    }
    rig.settle().await;
    let keep = json!({"retention": {"maxBytes": LIMIT, "maxDays": null}});
    rig.call("set_settings", keep).await;
    let before = rig.call("get_status", json!({})).await["databaseBytes"].clone();
    assert!(before.as_u64() > Some(LIMIT), "{before}");
    let purged = rig.call("apply_retention", json!({})).await;
    assert!(purged["bytes"].as_u64() > Some(0), "{purged}");
    let status = rig.call("get_status", json!({})).await;
    assert!(status["databaseBytes"].as_u64() < Some(LIMIT), "{status}");
    let left: Vec<u128> = (1..=count)
        .filter(|id| {
            let found = rig.read().query_row(
                "SELECT count(*) FROM traces WHERE trace_id = ?",
                [id.to_be_bytes()],
                |row| row.get::<_, i64>(0),
            );
            found == Ok(1)
        })
        .collect();
    // The newest are all there, and not many more are gone than had to.
    let first = left.first().copied().expect("some are left");
    assert_eq!(left, (first..=count).collect::<Vec<_>>());
    assert!(left.len() > 50, "{} of {count} left", left.len());
    let last = json!({"traceId": hex(count), "format": "otlpJson"});
    let copied = rig.call("copy_trace", last).await;
    let json = copied["text"].as_str().expect("text").as_bytes();
    let decoded = clew_core::otlp::decode(Signal::Traces, Encoding::Json, json, &Limits::default());
    assert_eq!(decoded.expect("whole").0.spans[0].items.len(), 1);
}

/// A clock that jumps does not empty the database by itself (C16); a connection of one's own sees to the clock.
#[tokio::test]
async fn deleted_metrics_and_loose_logs_go_by_age_too() {
    let rig = Rig::start().await;
    let loose = logs(vec![
        log(0, 1, "note", "a loose record"),
        log(0, 2, "note", "another"),
    ]);
    rig.take(Signal::Logs, &loose).await;
    rig.take(
        Signal::Metrics,
        &clew_tests::otlp::gauge("tokens", &[1, 2, 3]),
    )
    .await;
    let age = |connection: &Connection| {
        for table in ["points", "logs"] {
            let age =
                format!("UPDATE {table} SET received = received - 40 * 86400000000 WHERE id > 1");
            connection.execute(&age, []).expect("aged");
        }
    };
    let rig = rig.reopen(age).await;
    let keep = json!({"retention": {"maxBytes": 10_000_000_000_u64, "maxDays": 30}});
    rig.call("set_settings", keep).await;
    rig.call("apply_retention", json!({})).await;
    assert_eq!((rig.rows("logs"), rig.rows("points")), (1, 1));
}
