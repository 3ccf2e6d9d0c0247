//! Files that are damaged or half made: what is broken costs itself, and nothing that can be made again is missed.

use clew_core::otlp::Signal;
use clew_engine::Engine;
use clew_engine::api::Reply;
use clew_tests::otlp::{call, hex, log, logs, traces, traces_of};
use clew_tests::{Rig, wait_until};
use serde_json::json;

/// An index that is no database any more, or damaged within, is made anew: nothing is lost with it.
#[tokio::test]
async fn a_damaged_index_is_made_anew() {
    let rig = Rig::start().await;
    for trace in 1..=50_u128 {
        let request = traces(vec![call(
            trace,
            1,
            0,
            &"many words ".repeat(500),
            "needle",
        )]);
        rig.take(Signal::Traces, &request).await;
    }
    rig.settle().await;
    let search = rig.database().with_file_name("clew.db.search");
    let mut rig = rig;
    for (from, to) in [(0, 100), (4_096, usize::MAX)] {
        rig = rig
            .reopen(|_| {
                let mut bytes = std::fs::read(&search).expect("it is readable");
                let to = to.min(bytes.len());
                assert!(from < to, "{to} bytes");
                bytes[from..to].fill(0xa5);
                std::fs::write(&search, bytes).expect("writes");
            })
            .await;
        let request = traces(vec![call(from as u128 + 100, 1, 0, "more", "needle")]);
        rig.take(Signal::Traces, &request).await;
        wait_until("the index is whole again", async || {
            let found = rig
                .ask("list_traces", &json!({"text": "needle"}))
                .await
                .ok()?;
            let Reply::Json(json) = found else {
                return None;
            };
            let page: serde_json::Value = serde_json::from_slice(&json).ok()?;
            let found = page["rows"].as_array()?.len() as i64;
            (found == rig.rows("traces")).then_some(())
        })
        .await;
        rig.settle().await;
    }
    assert_eq!(rig.rows("traces"), 52);
}

/// Whoever only reads has no index to make: everything but the search for words works without it.
#[tokio::test]
async fn a_database_without_its_index_can_be_read() {
    let rig = Rig::start().await;
    let request = traces(vec![call(1, 1, 0, "a question", "an answer")]);
    rig.take(Signal::Traces, &request).await;
    rig.settle().await;
    rig.engine.shut_down().await;
    let search = rig.database().with_file_name("clew.db.search");
    for damage in [None, Some([0xa5; 8192])] {
        match damage {
            None => std::fs::remove_file(&search).expect("removes"),
            Some(noise) => std::fs::write(&search, noise).expect("writes"),
        }
        let reader = Engine::open_read_only(&rig.database()).await;
        let reader = reader.expect("it opens for reading");
        for command in ["list_traces", "get_status"] {
            let answer = clew_engine::api::dispatch(&reader, command, b"{}").await;
            let Ok(Reply::Json(json)) = answer else {
                panic!("{command}: {answer:?}");
            };
            let answer: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            if command == "list_traces" {
                assert_eq!(answer["rows"][0]["traceId"], hex(1), "{answer}");
            } else {
                assert_eq!(answer["spans"], 1, "{answer}");
            }
        }
        reader.shut_down().await;
    }
}

/// Damage under a resource or a log record costs the spans that need it, and what comes later is derived.
#[tokio::test]
async fn what_spans_share_costs_only_them_where_it_is_damaged() {
    for damage in [
        "UPDATE resources SET raw = x'0aff' WHERE id = 1",
        "UPDATE content_blocks SET data = x'00' WHERE id IN (SELECT block FROM logs)",
        "DELETE FROM content_blocks WHERE id IN (SELECT block FROM logs)",
    ] {
        let rig = Rig::start().await;
        let first = traces(vec![call(1, 1, 0, "a question", "an answer")]);
        rig.take(Signal::Traces, &first).await;
        let event = log(1, 1, "note", "a line of its own");
        rig.take(Signal::Logs, &logs(vec![event])).await;
        rig.settle().await;
        let rig = rig
            .reopen(|connection| {
                connection
                    .execute_batch(&format!("{damage}; UPDATE derivation SET version = 0;"))
                    .expect("damage, and everything to be derived again");
            })
            .await;
        let later = traces_of("another", vec![call(2, 1, 0, "a question", "an answer")]);
        rig.take(Signal::Traces, &later).await;
        wait_until("what came later is derived", async || {
            let rows = rig.list(json!({"text": hex(2)})).await;
            (rows.first()?["inputTokens"] == 100).then_some(())
        })
        .await;
        let summaries = rig.list(json!({})).await;
        assert_eq!(
            summaries.len(),
            2,
            "{damage}: the trace is listed all the same"
        );
        let span = json!({"traceId": hex(1), "spanId": "0000000000000001"});
        let error = rig.ask("get_span", &span).await.expect_err(damage);
        assert!(error.message.contains("cannot read"), "{error}");
        let told = rig.call("get_connections", json!({})).await.to_string();
        assert!(told.contains("cannot read"), "{damage}: {told}");
    }
}

/// A first start that ended before the first migration leaves a file that is as good as new.
#[tokio::test]
async fn a_first_start_that_was_cut_short_does_not_cost_the_path() {
    for made in [
        "PRAGMA journal_mode = WAL",
        "PRAGMA journal_mode = WAL;
         CREATE TABLE _sqlx_migrations (
             version BIGINT PRIMARY KEY, description TEXT NOT NULL,
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL,
             checksum BLOB NOT NULL, execution_time BIGINT NOT NULL
         )",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("clew.db");
        let connection = rusqlite::Connection::open(&database).expect("it opens");
        connection.execute_batch(made).expect("a header");
        connection.close().expect("it closes");
        assert!(std::fs::metadata(&database).expect("it is there").len() > 0);
        let engine = Engine::open(Rig::options(database)).await;
        engine.expect("it opens as new").shut_down().await;
    }
}
