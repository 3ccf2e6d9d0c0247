//! What was acknowledged is there after an end without farewell, and derivation goes on where it was.

use std::path::Path;

use clew_core::otlp::Signal;
use clew_engine::Engine;
use clew_tests::otlp::{call, hex, span, traces};
use clew_tests::{PATIENCE, Rig, recorded, wait_until};
use serde_json::{Value, json};

/// Copies a database as a power cut would leave it: pages and log, without what is only in memory.
fn copy_as_it_lies(database: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        let name = format!("clew.db{suffix}");
        std::fs::copy(database.with_file_name(&name), to.join(&name)).expect("copies");
    }
}

async fn ask(engine: &Engine, command: &str, params: Value) -> Value {
    let params = serde_json::to_vec(&params).expect("JSON");
    match clew_engine::api::dispatch(engine, command, &params).await {
        Ok(clew_engine::api::Reply::Json(json)) => serde_json::from_slice(&json).expect("JSON"),
        other => panic!("{command}: {other:?}"),
    }
}

/// Waits until everything is derived and indexed.
async fn caught_up(engine: &Engine) {
    wait_until("derivation catches up", async || {
        let status = ask(engine, "get_status", json!({})).await;
        let page = ask(
            engine,
            "list_traces",
            json!({"limit": 500, "sort": "spans"}),
        )
        .await;
        let listed = page["rows"].as_array().expect("rows").len();
        let done = status["underived"] == 0
            && status["unindexed"] == 0
            && status["traces"].as_u64() == u64::try_from(listed).ok();
        done.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_power_cut_after_an_acknowledgement_loses_nothing() {
    let rig = Rig::start().await;
    let crashed = tempfile::tempdir().expect("a folder");
    let mut copies = Vec::new();
    for id in 1..=30_u128 {
        let spans = vec![
            span(id, 1, 0, "root"),
            call(id, 2, 1, "lost and found", "found"),
        ];
        rig.take(Signal::Traces, &traces(spans)).await;
        // At once after the acknowledgement, whatever derivation is doing.
        if id % 10 == 0 {
            let to = crashed.path().join(id.to_string());
            std::fs::create_dir(&to).expect("a folder");
            copy_as_it_lies(&rig.database(), &to);
            copies.push((id, to.join("clew.db")));
        }
    }
    for (last, copy) in copies {
        let engine = Engine::open(Rig::options(copy)).await.expect("it opens");
        caught_up(&engine).await;
        let page = ask(&engine, "list_traces", json!({"limit": 500})).await;
        let rows = page["rows"].as_array().expect("rows");
        for id in 1..=last {
            let row = rows.iter().find(|row| row["traceId"] == hex(id));
            let row = row.unwrap_or_else(|| panic!("trace {id} of {last} is lost"));
            assert_eq!(row["spanCount"], 2, "trace {id}");
            assert_eq!(row["inputTokens"], 100, "trace {id}");
        }
        let found = ask(
            &engine,
            "list_traces",
            json!({"text": "\"lost and found\"", "limit": 500}),
        )
        .await;
        assert_eq!(found["rows"].as_array().map(Vec::len), Some(last as usize));
        engine.shut_down().await;
    }
}

/// As when the process panics: nobody shuts the engine down.
#[test]
fn an_engine_that_is_dropped_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Rig::options(folder.path().join("clew.db"));
    let runtime = || tokio::runtime::Runtime::new().expect("a runtime");
    let first = runtime();
    let acknowledged = first.block_on(async {
        let engine = Engine::open(options.clone()).await.expect("it opens");
        let mut spans = 0;
        for program in recorded::programs() {
            for (signal, request) in recorded::requests(&program) {
                let limits = clew_core::otlp::Limits::default();
                let encoding = clew_core::otlp::Encoding::Protobuf;
                let decoded = clew_core::otlp::decode(signal, encoding, &request, &limits);
                let ingest = engine.ingest().expect("the engine writes");
                let taken = ingest.commit(0, decoded.expect("decodes").0).await;
                spans += taken.expect("there is room").spans;
            }
        }
        spans
    });
    first.shutdown_timeout(PATIENCE);
    runtime().block_on(async {
        let engine = Engine::open(options).await.expect("it opens again");
        let status = ask(&engine, "get_status", json!({})).await;
        assert_eq!(status["spans"], acknowledged);
        caught_up(&engine).await;
        engine.shut_down().await;
    });
}

/// The index holds nothing of its own: without it, everything is found again.
#[tokio::test]
async fn a_lost_index_is_built_again() {
    let rig = Rig::start().await;
    let request = traces(vec![call(1, 1, 0, "a needle in the hay", "found")]);
    rig.take(Signal::Traces, &request).await;
    rig.settle().await;
    let search = rig.database().with_file_name("clew.db.search");
    let rig = rig
        .reopen(|_| {
            assert!(search.exists());
            std::fs::remove_file(&search).expect("removes");
        })
        .await;
    rig.settle().await;
    assert_eq!(rig.list(json!({"text": "needle"})).await.len(), 1);
}

/// A bad sector under one block of payloads: its spans are without content, all others are as before.
#[tokio::test]
async fn a_damaged_block_costs_its_own_spans() {
    let rig = Rig::start().await;
    for id in 1..=3_u128 {
        let spans = [id, id + 10].map(|id| call(id, 1, 0, "a question", "an answer"));
        rig.take(Signal::Traces, &traces(spans.to_vec())).await;
    }
    rig.settle().await;
    let rig = rig
        .reopen(|connection| {
            connection
                .execute_batch(
                    "UPDATE content_blocks SET data = x'0102030405' WHERE id = 2;
                     UPDATE derivation SET version = 0;",
                )
                .expect("damage, and everything to be derived again");
        })
        .await;
    wait_until("derivation starts over", async || {
        let version = rig
            .read()
            .query_row("SELECT version FROM derivation", [], |row| row.get(0));
        (version != Ok(0_i64)).then_some(())
    })
    .await;
    caught_up(&rig.engine).await;
    for id in [1, 3, 11, 13] {
        let rows = rig.list(json!({"text": hex(id)})).await;
        assert_eq!(rows[0]["inputTokens"], 100, "trace {id}");
    }
    assert_eq!(rig.list(json!({"text": "question"})).await.len(), 4);
    let damaged = json!({"traceId": hex(2)});
    let (waterfall, _) = rig.call_packed("get_waterfall", damaged.clone()).await;
    assert_eq!(waterfall["summary"]["spanCount"], 1);
    let span = json!({"traceId": hex(2), "spanId": "0000000000000001"});
    let error = rig.ask("get_span", &span).await.expect_err("no content");
    assert_eq!(error.code, clew_engine::ErrorCode::Io);
    assert!(error.message.contains("cannot read"), "{error}");
    // It does not stand in the way of deleting, either.
    let params = json!({"traces": [damaged, {"traceId": hex(1)}]});
    let purged = rig.call("delete_traces", params).await;
    assert_eq!(purged["traces"], 2);
    assert_eq!(rig.list(json!({})).await.len(), 4);
}
