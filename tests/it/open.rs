//! Saved files: whatever is readable in them is shown, under a source of their own that can be closed again.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clew_core::otlp::Signal;
use clew_engine::ErrorCode;
use clew_tests::otlp::{call, hex, traces};
use clew_tests::{Rig, recorded, wait_until};
use serde_json::{Value, json};

async fn open(rig: &Rig, path: &Path) -> Value {
    let token = rig.engine.offer_file(path);
    let opened = rig.call("open_files", json!({"tokens": [token]})).await;
    opened[0].clone()
}

fn write(rig: &Rig, name: &str, bytes: &[u8]) -> PathBuf {
    let path = rig.folder().join(name);
    std::fs::write(&path, bytes).expect("writes");
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compresses");
    encoder.finish().expect("compresses")
}

/// Requests of recorded programs as one JSON line each.
fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for program in ["semantic_kernel", "strands", "otel_genai_openai"] {
        let folder = recorded::path("otlp").join(program);
        let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        names.sort();
        for name in names {
            let text = std::fs::read_to_string(name).expect("text");
            let value: Value = serde_json::from_str(&text).expect("JSON");
            lines.push(value.to_string());
        }
    }
    lines
}

/// Rows of all tables of ground.
fn counts(rig: &Rig) -> Vec<i64> {
    [
        "spans",
        "traces",
        "logs",
        "points",
        "metrics",
        "content_blocks",
        "sources",
    ]
    .map(|table| rig.rows(table))
    .to_vec()
}

#[tokio::test]
async fn a_file_is_opened_however_it_is_packed_and_once() {
    let rig = Rig::start().await;
    let lines = lines();
    let plain = lines.join("\n");
    let pretty: Value = serde_json::from_str(&lines[0]).expect("JSON");
    let mut first: Option<Value> = None;
    for (name, bytes) in [
        ("plain.jsonl", plain.clone().into_bytes()),
        ("wrong name.txt", plain.clone().into_bytes()),
        ("windows.jsonl", plain.replace('\n', "\r\n").into_bytes()),
        ("packed.jsonl.gz", gzip(plain.as_bytes())),
        (
            "two members.gz",
            [
                gzip(&plain.as_bytes()[..10_000]),
                gzip(&plain.as_bytes()[10_000..]),
            ]
            .concat(),
        ),
        (
            "packed.jsonl.zst",
            zstd::encode_all(plain.as_bytes(), 1).expect("compresses"),
        ),
        ("array.json", format!("[{}]", lines.join(",")).into_bytes()),
    ] {
        let path = write(&rig, name, &bytes);
        let opened = open(&rig, &path).await;
        assert_eq!(opened["label"], name);
        assert_eq!(opened["problemCount"], 0, "{opened}");
        let figures = json!([
            opened["spans"],
            opened["traces"],
            opened["logs"],
            opened["points"]
        ]);
        assert!(
            figures
                .as_array()
                .expect("four")
                .iter()
                .all(|figure| figure.as_u64() > Some(0)),
            "{name}: {figures}"
        );
        assert_eq!(*first.get_or_insert(figures.clone()), figures, "{name}");
        let before = counts(&rig);
        let again = open(&rig, &path).await;
        assert_eq!(again["source"], opened["source"]);
        assert_eq!(
            json!([
                again["spans"],
                again["traces"],
                again["logs"],
                again["points"]
            ]),
            json!([0, 0, 0, 0]),
            "{name} again"
        );
        assert_eq!(counts(&rig), before);
    }
    let single = write(
        &rig,
        "pretty.json",
        serde_json::to_string_pretty(&pretty)
            .expect("JSON")
            .as_bytes(),
    );
    assert_eq!(open(&rig, &single).await["problemCount"], 0);
    let sources = rig.call("list_sources", json!({})).await;
    assert_eq!(sources.as_array().map(Vec::len), Some(8));
    assert_eq!(sources[0]["label"], "plain.jsonl");
    assert_eq!(sources[0]["spans"], first.expect("figures")[0]);
    // A token is good once.
    let token = rig.engine.offer_file(&single);
    rig.call("open_files", json!({"tokens": [token]})).await;
    let error = rig.ask("open_files", &json!({"tokens": [token]})).await;
    assert_eq!(error.expect_err("used up").code, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_is_broken_costs_its_line_and_is_reported() {
    let rig = Rig::start().await;
    let lines = lines();
    let whole = open(
        &rig,
        &write(&rig, "whole.jsonl", lines.join("\n").as_bytes()),
    )
    .await;
    let spans = |opened: &Value| opened["spans"].as_u64().expect("a number");

    let mut bad = lines.clone();
    bad.insert(
        1,
        "{\"resourceSpans\": [{\"scopeSpans\": nonsense".to_owned(),
    );
    bad.insert(3, "# a remark".to_owned());
    let opened = open(
        &rig,
        &write(&rig, "bad line.jsonl", bad.join("\n").as_bytes()),
    )
    .await;
    assert_eq!(spans(&opened), spans(&whole), "the other lines are whole");
    assert_eq!(opened["problemCount"], 1, "{opened}");
    assert!(
        opened["problems"][0].to_string().contains("line 2"),
        "{opened}"
    );

    // A span without an id is kept under one that is made, and said with its line (B2); opened again it is the same.
    let mut one: Value = serde_json::from_str(&lines[1]).expect("JSON");
    one["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"] = json!("");
    let path = write(
        &rig,
        "bad span.jsonl",
        format!("{}\n{one}", lines[0]).as_bytes(),
    );
    let unscathed = write(&rig, "good span.jsonl", lines[..2].join("\n").as_bytes());
    let unscathed = open(&rig, &unscathed).await;
    let opened = open(&rig, &path).await;
    assert_eq!(opened["problemCount"], 1, "{opened}");
    let said = opened["problems"][0].to_string();
    assert!(
        said.contains("line 2: span 1 of") && said.contains("span id has 0 bytes, not 8"),
        "{said}"
    );
    assert_eq!(spans(&opened), spans(&unscathed), "no span is lost");
    let before = counts(&rig);
    let again = open(&rig, &path).await;
    assert_eq!((spans(&again), counts(&rig)), (0, before), "once");

    // Cut off in its last line, plain and packed.
    let text = lines.join("\n");
    let cut = &text.as_bytes()[..text.len() - 40];
    for (name, bytes) in [
        ("cut.jsonl", cut.to_vec()),
        ("cut.gz", gzip(text.as_bytes())),
        (
            "cut.zst",
            zstd::encode_all(text.as_bytes(), 1).expect("compresses"),
        ),
    ] {
        let keep = if name == "cut.jsonl" {
            bytes.len()
        } else {
            bytes.len() * 9 / 10
        };
        let opened = open(&rig, &write(&rig, name, &bytes[..keep])).await;
        assert!(spans(&opened) > 0, "{name}: {opened}");
        assert!(
            opened["problemCount"].as_u64() > Some(0),
            "{name}: {opened}"
        );
        let said = opened["problems"].to_string();
        assert!(
            name == "cut.jsonl" || said.contains("ends early"),
            "{name}: {said}"
        );
    }
    let sources = rig.rows("sources");
    for (name, bytes) in [
        ("empty.json", &b""[..]),
        ("words.txt", b"dear diary"),
        ("other.json", br#"{"a": 1}"#),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0"),
        ("broken.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]),
    ] {
        assert_unread(&open(&rig, &write(&rig, name, bytes)).await, name);
    }
    let missing = rig.folder().join("missing.json");
    assert_unread(&open(&rig, &missing).await, "missing.json");
    assert_unread(&open(&rig, &rig.folder()).await, "regular file");
    assert_eq!(
        rig.rows("sources"),
        sources,
        "what cannot be read leaves no source"
    );
}

/// Nothing of a file was read, and it says why.
fn assert_unread(opened: &Value, why: &str) {
    assert_eq!(opened["source"], Value::Null, "{opened}");
    assert_eq!(opened["problemCount"], 1, "{opened}");
    assert!(opened["problems"][0].to_string().contains(why), "{opened}");
    assert_eq!(opened["spans"], 0);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_costs_itself() {
    let rig = Rig::start().await;
    let good = lines().join("\n");
    let first = write(&rig, "first.jsonl", good.as_bytes());
    let bad = write(&rig, "bad.jsonl", b"dear diary");
    let last = write(&rig, "last.jsonl", good.as_bytes());
    let tokens: Vec<String> = [&first, &bad, &rig.folder().join("gone"), &last]
        .map(|path| rig.engine.offer_file(path))
        .to_vec();
    // One token that nobody gave: nothing is opened, and the others are good after it.
    let with_a_stranger = json!({"tokens": [tokens[0], tokens[1], "stranger"]});
    let error = rig.ask("open_files", &with_a_stranger).await;
    assert_eq!(error.expect_err("unknown").code, ErrorCode::NotFound);
    assert_eq!(rig.rows("sources"), 1);
    let opened = rig.call("open_files", json!({"tokens": tokens})).await;
    let labels: Vec<&Value> = opened
        .as_array()
        .expect("files")
        .iter()
        .map(|file| &file["label"])
        .collect();
    assert_eq!(labels, ["first.jsonl", "bad.jsonl", "gone", "last.jsonl"]);
    assert_unread(&opened[1], "bad.jsonl");
    assert_unread(&opened[2], "No such file");
    for file in [&opened[0], &opened[3]] {
        assert!(file["source"].is_i64(), "{file}");
        assert!(file["spans"].as_u64() > Some(0), "{file}");
    }
}

#[tokio::test]
async fn closing_a_file_removes_its_rows_and_no_others() {
    let rig = Rig::start().await;
    // The same telemetry live and from two files, and some that is only live.
    let lines = lines();
    let live = traces(vec![call(1, 1, 0, "only live", "yes")]);
    rig.take(Signal::Traces, &live).await;
    for program in ["semantic_kernel", "strands", "otel_genai_openai"] {
        for (signal, request) in recorded::requests(program) {
            rig.take(signal, &request).await;
        }
    }
    rig.settle().await;
    let before = counts(&rig);
    let listed = rig.list(json!({"source": 0, "limit": 500})).await;
    let mut opened = Vec::new();
    for name in ["one.jsonl", "two.jsonl"] {
        opened.push(open(&rig, &write(&rig, name, lines.join("\n").as_bytes())).await);
    }
    rig.settle().await;
    assert_eq!(
        rig.list(json!({"limit": 500})).await.len(),
        listed.len() * 3 - 2
    );
    for (left, opened) in [(1, &opened[0]), (0, &opened[1])] {
        let params = json!({"id": opened["source"]});
        let purged = rig.call("close_source", params.clone()).await;
        assert_eq!(purged["spans"], opened["spans"]);
        let sources = rig.call("list_sources", json!({})).await;
        assert_eq!(sources.as_array().map(Vec::len), Some(left));
        let rows = rig.list(json!({"source": opened["source"]})).await;
        assert_eq!(rows, [Value::Null; 0]);
    }
    rig.settle().await;
    assert_eq!(counts(&rig), before);
    assert_eq!(rig.list(json!({"source": 0, "limit": 500})).await, listed);
    assert_eq!(rig.list(json!({"text": "\"only live\""})).await.len(), 1);
    for row in &listed {
        let trace = json!({"traceId": row["traceId"], "format": "otlpJson"});
        rig.call("copy_trace", trace).await;
    }
    let error = rig.ask("close_source", &json!({"id": 0})).await;
    assert_eq!(error.expect_err("live").code, ErrorCode::BadRequest);
    // Opened again, it is there again.
    let again = open(&rig, &rig.folder().join("one.jsonl")).await;
    assert_eq!(again["spans"], opened[0]["spans"]);
}

/// Closed while it is being read, it stops there, and nothing of it stays; opened again, it is another source.
#[tokio::test]
async fn a_file_closed_while_it_is_read_leaves_nothing() {
    let rig = Rig::start().await;
    let line = |trace: u128| {
        let span = json!({
            "traceId": hex(trace), "spanId": "0000000000000001", "name": "step",
            "startTimeUnixNano": "1", "endTimeUnixNano": "2",
        });
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string()
    };
    let lines: Vec<String> = (1..=30_000).map(line).collect();
    let path = write(&rig, "long.jsonl", lines.join("\n").as_bytes());
    let token = rig.engine.offer_file(&path);
    let engine = rig.engine.clone();
    let reading = tokio::spawn(async move {
        let params = json!({"tokens": [token]}).to_string();
        clew_engine::api::dispatch(&engine, "open_files", params.as_bytes()).await
    });
    wait_until("it is being read", async || {
        (rig.rows("traces") > 0).then_some(())
    })
    .await;
    let listed = rig.call("list_sources", json!({})).await;
    let id = listed[0]["id"].clone();
    rig.call("close_source", json!({"id": id})).await;
    let answer = reading.await.expect("it ends").expect("it answers");
    let clew_engine::api::Reply::Json(answer) = answer else {
        panic!("columns");
    };
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(
        answer.contains("closed while it was being read"),
        "{answer}"
    );
    for table in ["traces", "spans", "facts"] {
        assert_eq!(rig.rows(table), 0, "{table}");
    }
    assert_eq!(rig.call("list_sources", json!({})).await, json!([]));
    let again = open(&rig, &path).await;
    assert_ne!(again["source"], id);
    assert_eq!(again["spans"], 30_000);
}

#[tokio::test]
async fn the_sample_opens_once_and_closes_clean() {
    let rig = Rig::start().await;
    let live = traces(vec![call(1, 1, 0, "only live", "yes")]);
    rig.take(Signal::Traces, &live).await;
    let before = counts(&rig);
    let opened = rig.call("open_sample", json!({})).await;
    assert!(opened["spans"].as_u64() > Some(50), "{opened}");
    rig.settle().await;
    let rows = rig
        .list(json!({"source": opened["source"], "limit": 500}))
        .await;
    assert_eq!(json!(rows.len()), opened["traces"]);
    assert!(rows.iter().all(|row| row["startMicros"] != Value::Null));
    let held = counts(&rig);
    let again = rig.call("open_sample", json!({})).await;
    assert_eq!(
        (&again["spans"], &again["source"]),
        (&json!(0), &opened["source"])
    );
    assert_eq!(counts(&rig), held);
    // It counts nowhere as received.
    let status = rig.call("get_status", json!({})).await;
    assert_eq!(status["received"], true);
    let purged = rig
        .call("close_source", json!({"id": opened["source"]}))
        .await;
    assert_eq!(purged["spans"], opened["spans"]);
    assert_eq!(counts(&rig), before);
    assert_eq!(rig.list(json!({})).await[0]["traceId"], hex(1));
    let reopened = rig.call("open_sample", json!({})).await;
    assert_eq!(reopened["spans"], opened["spans"]);
}
