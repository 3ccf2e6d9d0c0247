//! Retention takes what came first, as much as the limit asks for, and nothing that it cannot make room with.

use clew_core::otlp::Signal;
use clew_tests::otlp::{call, log, logs, span, text, traces};
use clew_tests::{Rig, wait_until};
use rand::{Rng as _, SeedableRng as _};
use rusqlite::Connection;
use serde_json::{Value, json};

/// Words as programs write them: few, so that payloads compress well and the index does not.
fn words(seed: u64, count: usize) -> String {
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut text = String::new();
    for _ in 0..count {
        let word = random.random_range(0..3_000_u32) * 7_919;
        text.push_str(&format!("w{word:x} "));
    }
    text
}

/// Text that does not compress, and is one word to the index.
fn noise(seed: u64) -> String {
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    (0..20_000)
        .map(|_| char::from(random.random_range(b'a'..=b'z')))
        .collect()
}

fn noisy(trace: u128) -> Vec<u8> {
    let mut span = span(trace, 1, 0, "step");
    let seed = u64::try_from(trace).expect("it fits");
    span.attributes = vec![text("noise", &noise(seed))];
    traces(vec![span])
}

/// Sets a limit smaller than the settings take, and opens the database again.
async fn limited(rig: Rig, bytes: u64) -> Rig {
    rig.reopen(|connection| {
        let json = json!({"retention": {"maxBytes": bytes, "maxDays": null}}).to_string();
        connection
            .execute(
                "INSERT OR REPLACE INTO settings (id, json) VALUES (1, ?)",
                [json],
            )
            .expect("set");
    })
    .await
}

async fn size(rig: &Rig, what: &str) -> u64 {
    let storage = rig.call("get_storage", json!({})).await;
    storage[what].as_u64().expect("a number")
}

async fn apply(rig: &Rig) -> Value {
    rig.call("apply_retention", json!({})).await
}

#[tokio::test]
async fn a_limit_below_the_index_keeps_what_fits() {
    let rig = Rig::start().await;
    for from in (0..300_u64).step_by(50) {
        let spans = (from..from + 50).map(|id| {
            let words = words(id, 2_000);
            call(u128::from(id) + 1, 1, 0, &words, "done")
        });
        rig.take(Signal::Traces, &traces(spans.collect())).await;
    }
    rig.settle().await;
    let rig = limited(rig, 1_000_000_000).await;
    let index = size(&rig, "indexBytes").await;
    let limit = index * 4 / 5;
    let rig = limited(rig, limit).await;
    apply(&rig).await;
    let left = rig.rows("traces");
    assert!((30..290).contains(&left), "{left} of 300 left");
    let held = size(&rig, "usedBytes").await;
    assert!(held <= limit, "{held} of {limit}, {index} before");
    for _ in 0..3 {
        apply(&rig).await;
    }
    assert_eq!(rig.rows("traces"), left, "what fits stays");
}

#[tokio::test]
async fn a_reader_in_the_way_costs_no_more_than_the_excess() {
    let rig = Rig::start().await;
    for trace in 1..=120 {
        rig.take(Signal::Traces, &noisy(trace)).await;
    }
    rig.settle().await;
    let rig = limited(rig, 1_000_000_000).await;
    let limit = size(&rig, "usedBytes").await * 3 / 4;
    let rig = limited(rig, limit).await;
    let reader = rig.read();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM traces")
        .expect("reads");
    // What comes now stays in the log for as long as the reader reads.
    rig.take(Signal::Traces, &noisy(121)).await;
    for _ in 0..3 {
        let purged = apply(&rig).await;
        let notice = purged["notice"].as_str().expect("a notice");
        assert!(notice.contains("reader"), "{notice}");
    }
    let left = rig.rows("traces");
    assert!(left > 60, "{left} of 120 left");
    reader.execute_batch("COMMIT").expect("ends");
    assert_eq!(apply(&rig).await["notice"], Value::Null);
    let left = rig.rows("traces");
    assert!(left > 60, "{left} of 120 left");
    assert!(size(&rig, "usedBytes").await <= limit);
}

#[tokio::test]
async fn what_has_no_trace_goes_in_its_turn() {
    let rig = Rig::start().await;
    for id in 1..=80 {
        let loose = vec![log(0, id, "note", &noise(1_000 + id))];
        rig.take(Signal::Logs, &logs(loose)).await;
    }
    for trace in 1..=60 {
        rig.take(Signal::Traces, &noisy(trace)).await;
    }
    rig.settle().await;
    let rig = limited(rig, 1_000_000_000).await;
    let rig = {
        let limit = size(&rig, "usedBytes").await * 4 / 5;
        limited(rig, limit).await
    };
    apply(&rig).await;
    assert_eq!(rig.rows("traces"), 60, "they came last");
    assert!(rig.rows("logs") < 80);
}

#[tokio::test]
async fn opened_files_cost_no_live_trace() {
    let rig = Rig::start().await;
    for trace in 1..=20 {
        rig.take(Signal::Traces, &noisy(trace)).await;
    }
    let files = rusqlite::Connection::open(rig.database()).expect("the database opens");
    files
        .execute(
            "INSERT INTO sources (id, key, label, format, opened) VALUES (7, 'file', 'file', 'test', 0)",
            [],
        )
        .expect("a new source");
    for trace in 101..=160 {
        let taken = rig.commit(7, Signal::Traces, &noisy(trace)).await;
        taken.expect("there is room");
    }
    rig.settle().await;
    let rig = limited(rig, 1_000_000_000).await;
    let rig = {
        let limit = size(&rig, "usedBytes").await / 2;
        limited(rig, limit).await
    };
    apply(&rig).await;
    assert_eq!(rig.rows("traces"), 80);
    let storage = rig.call("get_storage", json!({})).await;
    let notice = storage["notice"].as_str().expect("a notice");
    assert!(notice.starts_with("opened files take"), "{notice}");
    assert_eq!(storage["purgeableTraces"], 0);
}

#[tokio::test]
async fn a_clock_that_jumps_takes_a_fifth_at_a_time_and_is_told() {
    let rig = Rig::start().await;
    for trace in 1..=30 {
        let request = traces(vec![span(trace, 1, 0, "step")]);
        rig.take(Signal::Traces, &request).await;
    }
    rig.settle().await;
    let jump = |connection: &Connection| {
        let json = json!({"retention": {"maxBytes": 1_000_000_000, "maxDays": 30}}).to_string();
        connection
            .execute("INSERT INTO settings (id, json) VALUES (1, ?)", [json])
            .expect("set");
        let age = "UPDATE traces SET received = received - 40 * 86400000000 - id";
        connection.execute(age, []).expect("aged");
    };
    let rig = rig.reopen(jump).await;
    let notice = wait_until("retention looks soon after the start", async || {
        let storage = rig.call("get_storage", json!({})).await;
        storage["notice"].as_str().map(str::to_owned)
    })
    .await;
    assert!(notice.starts_with("24 traces"), "{notice}");
    assert_eq!(rig.rows("traces"), 24);
    // The user's own word is not held back.
    assert_eq!(apply(&rig).await["traces"], 24);
    assert_eq!(rig.rows("traces"), 0);
}

#[tokio::test]
async fn a_damaged_block_does_not_stand_in_the_way() {
    let rig = Rig::start().await;
    let spans = (1..=3).map(|trace| span(trace, 1, 0, "step")).collect();
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    let rig = rig
        .reopen(|connection| {
            let damage = "UPDATE content_blocks SET data = x'00'";
            assert_eq!(connection.execute(damage, []), Ok(1), "they share a block");
        })
        .await;
    for trace in 1..=3 {
        let params = json!({"traces": [{"traceId": clew_tests::otlp::hex(trace)}]});
        assert_eq!(rig.call("delete_traces", params).await["traces"], 1);
    }
    assert_eq!(rig.rows("content_blocks"), 0);
}

#[tokio::test]
async fn an_end_amid_a_deletion_leaves_no_word_in_the_index() {
    let rig = Rig::start().await;
    let spans = vec![
        call(1, 1, 0, "zebrafish", "x"),
        call(2, 1, 0, "kept", "kept"),
    ];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    let rig = rig
        .reopen(|connection| {
            // As a purge leaves the database before the index has heard of it.
            connection
                .execute_batch(
                    "INSERT INTO removed_spans SELECT id FROM spans WHERE trace = 1;
                     DELETE FROM findings WHERE span IN (SELECT id FROM spans WHERE trace = 1);
                     DELETE FROM facts WHERE trace = 1; DELETE FROM summaries WHERE trace = 1;
                     DELETE FROM trace_values WHERE trace = 1; DELETE FROM spans WHERE trace = 1;
                     DELETE FROM traces WHERE id = 1;",
                )
                .expect("purged");
        })
        .await;
    wait_until("the index lets go", async || {
        (rig.rows("removed_spans") == 0).then_some(())
    })
    .await;
    let index = rig.database().with_file_name("clew.db.search");
    let bytes = std::fs::read(index).expect("the index");
    assert!(!bytes.windows(9).any(|part| part == b"zebrafish"));
    assert_eq!(rig.list(json!({"text": "kept"})).await.len(), 1);
}
