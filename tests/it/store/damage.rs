//! Files that are damaged or half made: what is broken costs itself, and nothing that can be made again is missed.

use std::collections::BTreeSet;
use std::io::{Seek as _, SeekFrom, Write as _};

use clew_core::otlp::Signal;
use clew_engine::Engine;
use clew_engine::api::Reply;
use clew_tests::otlp::{call, hex, log, logs, traces, traces_of};
use clew_tests::{Rig, wait_until};
use rusqlite::Connection;
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
                assert_eq!(answer["notice"], json!(null));
                assert_eq!(answer["rows"][0]["traceId"], hex(1), "{answer}");
            } else {
                assert_eq!(answer["spans"], 1, "{answer}");
            }
        }
        // Words cannot be looked for: what there is is listed, and that is said.
        for command in ["list_traces", "summarise_traces"] {
            // What the write-ahead log still holds makes the noisy one whole again.
            if damage.is_some() {
                break;
            }
            let words = br#"{"text": "nowhere to be found"}"#;
            let answer = clew_engine::api::dispatch(&reader, command, words).await;
            let Ok(Reply::Json(json)) = answer else {
                panic!("{command}: {answer:?}");
            };
            let answer: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            if command == "list_traces" {
                assert_eq!(answer["rows"].as_array().map(Vec::len), Some(1));
                let notice = answer["notice"].as_str().expect("a notice");
                assert!(notice.contains("words were not looked for"), "{notice}");
            } else {
                assert_eq!(answer["traces"], 1);
            }
        }
        reader.shut_down().await;
    }
}

/// Overwrites a leaf of a table, which is all that holds some of its rows.
fn spoil(connection: &Connection, table: &str) {
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("all is in the file");
    let leaf = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 1";
    let page: i64 = connection
        .query_row(leaf, [table], |row| row.get(0))
        .expect("it has two leaves");
    let path = connection.path().expect("a file").to_owned();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .expect("it opens");
    file.seek(SeekFrom::Start((page.unsigned_abs() - 1) * 4_096))
        .expect("seeks");
    file.write_all(&[0xa5; 4_096]).expect("writes");
}

/// A page of the spans that cannot be read costs the spans on it: the others are shown, derived again, and copied.
#[tokio::test]
async fn a_damaged_page_of_spans_costs_the_spans_on_it() {
    let rig = Rig::start().await;
    let spans = (1..=600).map(|id| call(1, id, u64::from(id > 1), "a question", "an answer"));
    rig.take(Signal::Traces, &traces(spans.collect())).await;
    rig.settle().await;
    let rig = rig
        .reopen(|connection| {
            connection
                .execute_batch("UPDATE derivation SET version = 0")
                .expect("everything is to be derived again");
            spoil(connection, "spans");
        })
        .await;
    let later = traces(vec![call(2, 1, 0, "a question", "an answer")]);
    rig.take(Signal::Traces, &later).await;
    wait_until("what came later is derived", async || {
        let rows = rig.list(json!({"text": hex(2)})).await;
        (rows.first()?["inputTokens"] == 100).then_some(())
    })
    .await;
    let (waterfall, _) = rig
        .call_packed("get_waterfall", json!({"traceId": hex(1)}))
        .await;
    let shown = waterfall["summary"]["spanCount"]
        .as_u64()
        .expect("a number");
    assert!((450..600).contains(&shown), "{shown} of 600");
    let copy = json!({"traceId": hex(1), "format": "otlpJson"});
    let copied = rig.call("copy_trace", copy).await;
    let copied: serde_json::Value =
        serde_json::from_str(copied["text"].as_str().expect("text")).expect("JSON");
    let copied = &copied["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(copied.as_array().map(Vec::len), usize::try_from(shown).ok());
    let told = rig.call("get_connections", json!({})).await.to_string();
    assert!(
        told.contains(&format!("cannot read {} spans", 600 - shown)),
        "{told}"
    );
}

/// A page of the traces that cannot be read costs the rows on it: every other is listed once, and the rest is said.
#[tokio::test]
async fn a_damaged_page_of_traces_costs_the_rows_on_it() {
    let rig = Rig::start().await;
    for from in (1..=400_u128).step_by(100) {
        let spans = (from..from + 100).map(|trace| call(trace, 1, 0, "a question", "an answer"));
        rig.take(Signal::Traces, &traces(spans.collect())).await;
    }
    rig.settle().await;
    let rig = rig.reopen(|connection| spoil(connection, "traces")).await;
    for sort in ["start", "duration"] {
        let (mut seen, mut cursor, mut noticed) = (BTreeSet::new(), json!(null), false);
        loop {
            let filter = json!({"limit": 150, "sort": sort, "cursor": cursor});
            let page = rig.call("list_traces", filter).await;
            // A page that does not come near it has nothing to say.
            noticed |= page["notice"]
                .as_str()
                .is_some_and(|notice| notice.contains("cannot read"));
            for row in page["rows"].as_array().expect("rows") {
                let id = row["traceId"].as_str().expect("an id").to_owned();
                assert!(seen.insert(id), "each is listed once");
            }
            cursor = page["next"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert!(
            (250..400).contains(&seen.len()),
            "{} of 400 by {sort}",
            seen.len()
        );
        assert!(noticed, "by {sort}");
        let totals = rig.call("summarise_traces", json!({"sort": sort})).await;
        assert_eq!(totals["traces"], seen.len());
    }
    let told = rig.call("get_connections", json!({})).await.to_string();
    assert!(
        told.contains("cannot read") && told.contains("traces"),
        "{told}"
    );
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
