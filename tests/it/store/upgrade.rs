//! Databases of older schemas: migrated with everything in them, and a copy kept (reliability C11).

use std::path::PathBuf;

use clew_core::otlp::Signal;
use clew_engine::{Engine, ErrorCode};
use clew_tests::otlp::{hex, span, traces};
use clew_tests::{Rig, recorded};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

/// The tables of which no row may be lost.
const GROUND: [&str; 13] = [
    "sources",
    "traces",
    "spans",
    "logs",
    "metrics",
    "points",
    "resources",
    "scopes",
    "strings",
    "attribute_blocks",
    "content_blocks",
    "facts",
    "summaries",
];

fn read(database: &std::path::Path) -> Connection {
    Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it opens")
}

fn counts(connection: &Connection) -> Vec<i64> {
    let count = |table: &str| {
        let count = format!("SELECT count(*) FROM {table}");
        connection
            .query_row(&count, [], |row| row.get(0))
            .expect("a count")
    };
    GROUND.map(count).to_vec()
}

/// Puts a database of an older Clew where one opens.
fn unpack(name: &str, folder: &tempfile::TempDir) -> PathBuf {
    let packed = std::fs::read(recorded::path("databases").join(name)).expect("a fixture");
    let database = folder.path().join("clew.db");
    let plain = zstd::decode_all(&packed[..]).expect("it is zstd");
    std::fs::write(&database, plain).expect("writes");
    database
}

async fn ask(engine: &Engine, command: &str, params: Value) -> Value {
    let params = serde_json::to_vec(&params).expect("JSON");
    match clew_engine::api::dispatch(engine, command, &params).await {
        Ok(clew_engine::api::Reply::Json(json)) => serde_json::from_slice(&json).expect("JSON"),
        other => panic!("{command}: {other:?}"),
    }
}

/// Reliability C11.
#[tokio::test]
async fn the_first_schema_opens_with_everything_and_a_copy_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = unpack("schema-2.db.zst", &folder);
    let before = counts(&read(&database));
    assert!(before.iter().all(|&count| count > 0), "{before:?}");
    let copy = folder.path().join("clew.db.schema-2.backup");

    // Whoever only reads is told, and changes nothing.
    let read_only = Engine::open_read_only(&database).await.map(drop);
    let error = read_only.expect_err("it cannot be read as it is");
    assert!(error.message.contains("start this Clew once"), "{error}");
    assert!(!copy.exists());

    let engine = Engine::open(Rig::options(database.clone())).await;
    let engine = engine.expect("an older database opens");
    assert_eq!(counts(&read(&database)), before);
    assert_eq!(counts(&read(&copy)), before);
    let whole: String = read(&copy)
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("an answer");
    assert_eq!(whole, "ok");
    #[cfg(unix)]
    {
        let mode = std::fs::metadata(&copy).expect("it is there").permissions();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
            0o600
        );
    }
    // What it held is shown as before.
    let settings = ask(&engine, "get_settings", json!({})).await;
    assert_eq!(settings["retention"]["maxDays"], 90);
    let page = ask(&engine, "list_traces", json!({"limit": 500})).await;
    let rows = page["rows"].as_array().expect("rows");
    assert_eq!(rows.len() as i64, before[1]);
    for row in rows {
        let copied =
            json!({"traceId": row["traceId"], "source": row["source"], "format": "otlpJson"});
        let text = ask(&engine, "copy_trace", copied).await["text"].clone();
        assert!(
            text.as_str().is_some_and(|text| text.contains("spanId")),
            "{row}"
        );
    }
    let records = json!({"traceId": hex(2), "spanId": "0000000000000002"});
    let detail = ask(&engine, "get_span", records).await;
    let told: Vec<&Value> = detail["logs"]
        .as_array()
        .expect("log records")
        .iter()
        .map(|log| &log["body"])
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told[0].to_string().contains("first"), "{told:?}");
    // A root that has not ended keeps its trace open, also beside one that has.
    let (batch, _) = clew_core::otlp::decode(
        Signal::Traces,
        clew_core::otlp::Encoding::Protobuf,
        &traces(vec![span(1, 2, 0, "another root")]),
        &clew_core::otlp::Limits::default(),
    )
    .expect("decodes");
    let taken = engine.ingest().expect("it writes").commit(0, batch).await;
    assert_eq!(taken.expect("there is room").spans, 1);
    let page = ask(&engine, "list_traces", json!({"statuses": ["running"]})).await;
    assert_eq!(page["rows"][0]["traceId"], hex(1), "{page}");
    engine.shut_down().await;

    // Opened again it is of this schema: the copy stays as it is, until something is deleted for good.
    std::fs::write(&copy, "as it was").expect("writes");
    let engine = Engine::open(Rig::options(database.clone())).await;
    let engine = engine.expect("it opens again");
    assert_eq!(std::fs::read(&copy).expect("it is there"), b"as it was");
    let delete = json!({"traces": [{"traceId": hex(2)}]});
    assert_eq!(ask(&engine, "delete_traces", delete).await["traces"], 1);
    assert!(!copy.exists(), "it would still hold what was deleted");
    engine.shut_down().await;
}

#[tokio::test]
async fn every_later_schema_opens_with_everything() {
    for name in ["schema-4.db.zst", "schema-5.db.zst"] {
        opens_with_everything(name).await;
    }
}

async fn opens_with_everything(name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = unpack(name, &folder);
    let before = counts(&read(&database));
    let engine = Engine::open(Rig::options(database.clone())).await;
    let engine = engine.expect("an older database opens");
    assert_eq!(counts(&read(&database))[..11], before[..11]);
    // What is derived is derived anew by this version.
    let facts = before[11];
    clew_tests::wait_until("all facts are there again", async || {
        let now = counts(&read(&database))[11];
        (now == facts).then_some(())
    })
    .await;
    let page = ask(&engine, "list_traces", json!({"limit": 500})).await;
    assert_eq!(
        page["rows"].as_array().expect("rows").len() as i64,
        before[1]
    );
    engine.shut_down().await;
}

/// Where the copy cannot be made, nothing is migrated (C11).
#[tokio::test]
async fn without_a_copy_an_older_database_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = unpack("schema-2.db.zst", &folder);
    let before = std::fs::read(&database).expect("it is readable");
    // A folder in the way, which no copy can take the place of.
    std::fs::create_dir(folder.path().join("clew.db.schema-2.backup")).expect("a folder");
    let opened = Engine::open(Rig::options(database.clone())).await.map(drop);
    let error = opened.expect_err("it is refused");
    assert_eq!(error.code, ErrorCode::Io, "{error}");
    assert!(error.message.contains("nothing was changed"), "{error}");
    assert!(before == std::fs::read(&database).expect("it is readable"));
    let left = folder.path().join("clew.db.backup.part");
    assert!(!left.exists(), "no half copy stays");
}
