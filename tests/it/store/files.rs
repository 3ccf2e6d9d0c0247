//! Files: permissions, the lock, and databases that are not this Clew's (reliability C10, C12, S20).

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use clew_core::otlp::Signal;
use clew_engine::{Engine, Error, ErrorCode};
use clew_tests::otlp::{hex, span, traces};
use clew_tests::{PATIENCE, Rig};
use rusqlite::Connection;
use serde_json::json;

use crate::serve::process::{assert_private, clew};

async fn refusal(database: &Path) -> Error {
    let opened = Engine::open(Rig::options(database.to_owned())).await;
    opened.map(drop).expect_err("it is refused")
}

/// Opening is refused in these words, for writing and for reading, and the file stays as it is.
async fn assert_refused_unchanged(database: &Path, words: &str) {
    let folder = database.parent().expect("a folder");
    let names = || {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    };
    let before = (std::fs::read(database).expect("it is readable"), names());
    let error = refusal(database).await;
    assert_eq!(error.code, ErrorCode::Io, "{error}");
    assert!(error.message.contains(words), "{error}");
    assert!(error.message.contains("--db"), "says what to do: {error}");
    let error = Engine::open_read_only(database).await.map(drop);
    let error = error.expect_err("it is refused for reading too");
    assert!(error.message.contains(words), "{error}");
    let after = std::fs::read(database).expect("it is readable");
    assert!(before.0 == after, "{words}: the file has changed");
    assert_eq!(before.1, names(), "{words}: files beside it");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_database() {
    let rig = Rig::start().await;
    let request = traces(vec![span(1, 1, 0, "step")]);
    rig.take(Signal::Traces, &request).await;
    rig.settle().await;
    let folder = rig.database();
    let folder = folder.parent().expect("a folder");
    assert_private(folder);
    assert!(folder.join("clew.db-wal").exists(), "the log is there too");
    let rig = rig.reopen(|_| {}).await;
    assert_private(folder);
    rig.engine.shut_down().await;
    assert_private(folder);
}

/// Reliability C12.
#[tokio::test]
async fn only_one_process_writes_and_the_other_is_told_which() {
    let rig = Rig::start().await;
    let error = refusal(&rig.database()).await;
    assert_eq!(error.code, ErrorCode::Busy);
    let pid = format!("process {}", std::process::id());
    assert!(error.message.contains(&pid), "{error}");
    // Reading beside it is allowed.
    let request = traces(vec![span(1, 1, 0, "step")]);
    rig.take(Signal::Traces, &request).await;
    let reader = Engine::open_read_only(&rig.database()).await;
    let reader = reader.expect("it opens for reading");
    let error = reader.ingest().map(drop).expect_err("it does not write");
    assert_eq!(error.code, ErrorCode::Busy);
    let whole = serde_json::to_vec(&json!({"traceId": hex(1)})).expect("JSON");
    clew_engine::api::dispatch(&reader, "get_waterfall", &whole)
        .await
        .expect("it reads");
    for (command, params) in [
        ("open_sample", json!({})),
        ("delete_traces", json!({"traces": [{"traceId": hex(1)}]})),
        ("set_settings", json!({})),
        ("close_source", json!({"id": 1})),
    ] {
        let params = serde_json::to_vec(&params).expect("JSON");
        let error = clew_engine::api::dispatch(&reader, command, &params).await;
        assert_eq!(error.expect_err(command).code, ErrorCode::Busy, "{command}");
    }
    reader.shut_down().await;
    // The lock falls with the engine.
    let database = rig.database();
    rig.engine.shut_down().await;
    let next = Engine::open(Rig::options(database))
        .await
        .expect("it opens");
    next.shut_down().await;
}

/// Twenty starts at one moment, by the real binary: one writes, the others name it (C12).
#[test]
fn of_twenty_that_start_at_once_one_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("data").join("clew.db");
    let mut all: Vec<Child> = (0..20)
        .map(|_| {
            clew()
                .args(["serve", "--json", "--grpc", "0", "--http", "0", "--ui", "0"])
                .arg("--db")
                .arg(&database)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("clew starts")
        })
        .collect();
    let began = Instant::now();
    let mut ended = vec![None; all.len()];
    while ended.iter().filter(|status| status.is_some()).count() < 19 {
        assert!(began.elapsed() < PATIENCE, "{ended:?}");
        for (child, status) in all.iter_mut().zip(&mut ended) {
            *status = child.try_wait().expect("a status");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let writer = ended.iter().position(Option::is_none).expect("one goes on");
    let mut running = all.remove(writer);
    let mut line = String::new();
    let stdout = running.stdout.take().expect("is piped");
    std::io::BufReader::new(stdout)
        .read_line(&mut line)
        .expect("a line");
    let ready: serde_json::Value = serde_json::from_str(&line).expect("it listens");
    assert!(ready["grpc"].is_string(), "{line}");
    let pid = format!("process {}", running.id());
    for child in all {
        let output = child.wait_with_output().expect("it has ended");
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&pid), "{told:?} names {pid}");
        assert!(output.stdout.is_empty());
    }
    running.kill().expect("it runs");
    running.wait().expect("it ends");
}

/// Another program that keeps everybody out: what is wrong and what to do, and nothing is changed (C8).
#[tokio::test]
async fn a_database_that_another_program_holds_is_said_to_be_locked() {
    let rig = Rig::start().await;
    let database = rig.database();
    rig.engine.shut_down().await;
    let other = Connection::open(&database).expect("it opens");
    other
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE;
             BEGIN EXCLUSIVE;
             UPDATE derivation SET version = version;",
        )
        .expect("it locks");
    let error = refusal(&database).await;
    assert_eq!(error.code, ErrorCode::Busy, "{error}");
    assert!(
        error.message.contains("locked by another program"),
        "{error}"
    );
    other.execute_batch("ROLLBACK").expect("it unlocks");
    other.close().expect("it closes");
    let next = Engine::open(Rig::options(database)).await;
    next.expect("it opens once it is free").shut_down().await;
}

/// Reliability C10.
#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let rig = Rig::start().await;
    let database = rig.database();
    rig.engine.shut_down().await;
    let connection = Connection::open(&database).expect("it opens");
    connection
        .execute_batch(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, x'00', 0);
             PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .expect("a newer schema");
    connection.close().expect("it closes");
    assert_refused_unchanged(&database, "newer Clew").await;
    assert!(
        refusal(&database)
            .await
            .message
            .contains("nothing was changed")
    );
}

/// Reliability C9.
#[tokio::test]
async fn what_is_no_database_of_clew_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let foreign = folder.path().join("foreign.db");
    let connection = Connection::open(&foreign).expect("it opens");
    connection
        .execute_batch("CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine');")
        .expect("someone's notes");
    connection.close().expect("it closes");
    assert_refused_unchanged(&foreign, "not a Clew database").await;

    let noise = folder.path().join("noise.db");
    let bytes: Vec<u8> = (0..100_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    std::fs::write(&noise, bytes).expect("writes");
    assert_refused_unchanged(&noise, "not a Clew database").await;

    // Our own, cut off within its first page.
    let rig = Rig::start().await;
    let whole = rig.database();
    rig.engine.shut_down().await;
    let cut = folder.path().join("cut.db");
    let bytes = std::fs::read(&whole).expect("it is readable");
    std::fs::write(&cut, &bytes[..1_000]).expect("writes");
    assert_refused_unchanged(&cut, "not a Clew database").await;

    let missing = folder.path().join("missing.db");
    let error = Engine::open_read_only(&missing).await.map(drop);
    assert_eq!(
        error.expect_err("nothing to read").code,
        ErrorCode::NotFound
    );
    assert!(!missing.exists());
    let error = refusal(folder.path()).await;
    assert_eq!(error.code, ErrorCode::Io, "a folder: {error}");
}
