//! What the writer promises to those who wait, and that no deletion keeps them waiting for more than a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use super::ballast::Ballast;
use super::ground::Kind;
use super::purge::{self, Going};
use super::repack::Repacking;
use super::writer::Writer;
use super::{Lock, Store, blocks, unused};
use crate::error::{Cause, Error, ErrorCode};

struct Opened {
    store: Store,
    writer: Writer,
    _lock: Lock,
    _folder: tempfile::TempDir,
}

async fn opened() -> Opened {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clew.db");
    let (store, lock) = Store::open(&path, &Ballast::new(&path, None))
        .await
        .expect("opens");
    let writer = Writer::start(&path).expect("starts");
    Opened {
        store,
        writer,
        _lock: lock,
        _folder: folder,
    }
}

impl Opened {
    async fn write(&self, sql: &'static str) {
        let written = self
            .writer
            .commit(move |session| Ok(session.connection.execute_batch(sql)?))
            .await;
        written.expect("written");
    }

    async fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(&self.store.reads)
            .await
            .expect("counted")
    }
}

/// Names as a thousand spans might have left them.
const NAMES: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
     INSERT INTO strings (text) SELECT 'name ' || i FROM n";

#[tokio::test]
async fn a_panic_between_transactions_costs_its_job_and_not_the_writer() {
    let opened = opened().await;
    for open in [
        "SELECT 1",
        "BEGIN; INSERT INTO strings (text) VALUES ('lost')",
    ] {
        let job = opened.writer.alone(move |connection| -> Result<(), Error> {
            connection.execute_batch(open)?;
            panic!("a defect");
        });
        let error = job.await.expect_err("it says so");
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(error.message.contains("panicked"), "{error}");
        opened
            .write("INSERT INTO strings (text) SELECT 'kept ' || count(*) FROM strings")
            .await;
    }
    assert_eq!(
        opened.count("strings").await,
        2,
        "what the panic left open is undone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_transaction_can_begin_all_that_wait_are_told_at_once() {
    let opened = opened().await;
    let patience =
        |connection: &Connection| Ok(connection.busy_timeout(Duration::from_millis(200))?);
    opened.writer.alone(patience).await.expect("set");
    let other = Connection::open(&opened.store.path).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let failed = Arc::new(AtomicUsize::new(0));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (writer, failed) = (opened.writer.clone(), Arc::clone(&failed));
        waiting.spawn(async move {
            let job = writer.commit(|session| {
                Ok(session
                    .connection
                    .execute_batch("INSERT OR IGNORE INTO strings (text) VALUES ('x')")?)
            });
            let error = job.await.expect_err("the database is locked");
            // Senders are asked to try again on this cause.
            assert_eq!(error.cause, Cause::Medium, "{error}");
            failed.fetch_add(1, Ordering::SeqCst);
        });
    }
    // The lock falls with the first answer: who was queued behind does not get the next try, because each is told.
    while failed.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    other.execute_batch("ROLLBACK").expect("unlocks");
    while let Some(done) = waiting.join_next().await {
        done.expect("told");
    }
    assert_eq!(failed.load(Ordering::SeqCst), 100);
    opened.write(NAMES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_while_unused_names_go() {
    let opened = opened().await;
    opened.write(NAMES).await;
    let done = AtomicBool::new(false);
    // In one task: whenever a step is answered, the others have their next write in the queue beside the next step.
    let others = async {
        let mut left = Vec::new();
        while !done.load(Ordering::SeqCst) {
            let seen = opened.writer.commit(|session| {
                let count = "SELECT count(*) FROM strings";
                Ok(session
                    .connection
                    .query_row(count, [], |row| row.get::<_, i64>(0))?)
            });
            left.push(seen.await.expect("commits"));
        }
        left
    };
    let delete = async {
        let deleted = unused::delete(&opened.store, &opened.writer).await;
        done.store(true, Ordering::SeqCst);
        deleted
    };
    let (deleted, seen) = tokio::join!(delete, others);
    deleted.expect("deletes");
    assert_eq!(opened.count("strings").await, 0);
    // Twelve steps of 512: the others saw most of them from between.
    let mut between: Vec<i64> = seen
        .into_iter()
        .filter(|left| (1..6_000).contains(left))
        .collect();
    between.dedup();
    assert!(between.len() >= 5, "{between:?}");
}

#[tokio::test]
async fn a_name_that_comes_into_use_while_unused_ones_go_stays() {
    let opened = opened().await;
    opened.write(NAMES).await;
    let look = opened.writer.commit(|session| {
        session.interned.clear();
        Ok(session.interned.clears())
    });
    let look = look.await.expect("looks");
    let used = opened.writer.commit(|session| {
        let connection = session.connection;
        session.interned.string(connection, "name 17")
    });
    let used = used.await.expect("used");
    let all: Vec<i64> = (1..=6_000).collect();
    let ids = all.clone();
    let step = opened
        .writer
        .commit(move |session| unused::delete_step(session, Kind::String, look, &ids));
    assert!(step.await.expect("steps"));
    assert_eq!(opened.count("strings").await, 1);
    // Once the cache was dropped nobody knows what has come into use: nothing goes until the next look.
    let step = opened.writer.commit(move |session| {
        session.interned.clear();
        unused::delete_step(session, Kind::String, look, &all)
    });
    assert!(!step.await.expect("steps"));
    let text: String = sqlx::query_scalar("SELECT text FROM strings WHERE id = ?")
        .bind(used)
        .fetch_one(&opened.store.reads)
        .await
        .expect("it is there");
    assert_eq!(text, "name 17");
}

/// A trace of 5,000 spans in 79 blocks, and one of another.
const TRACES: &str = "
    INSERT INTO strings (id, text) VALUES (1, 'a');
    INSERT INTO resources VALUES (1, 1, 1, x'', '');
    INSERT INTO scopes VALUES (1, 1, 1, x'', '');
    INSERT INTO traces (id, source, trace_id, name, service, start, finish, spans, errors, logs, rooted, received, changed)
    VALUES (1, 0, x'01', 1, 1, 0, 0, 5000, 0, 0, 0, 7, 1), (2, 0, x'02', 1, 1, 0, 0, 1, 0, 0, 0, 7, 1);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)
    INSERT INTO spans (id, trace, span_id, hash, parent, start, finish, name, resource, scope, status, repaired, rank,
                       shown, received, block, slot)
    SELECT i, 1 + (i > 5000), i, i, NULL, 1, 2, 1, 1, 1, 0, 0, 0, 1, 7, 1 + i / 64, i % 64 FROM n;
    INSERT INTO content_blocks (id, data) SELECT DISTINCT block, x'00' FROM spans;
    INSERT INTO attribute_blocks (id, data) SELECT DISTINCT block, x'00' FROM spans;";

#[tokio::test]
async fn a_large_trace_goes_in_steps_and_is_in_no_list_meanwhile() {
    let opened = opened().await;
    opened.write(TRACES).await;
    let mut left = vec![Going {
        trace: 1,
        through: 7,
    }];
    let mut steps = Vec::new();
    while !left.is_empty() {
        let removed = opened
            .writer
            .commit(move |session| purge::traces(session, &left))
            .await
            .expect("deletes");
        left = removed.left;
        steps.push((removed.spans.len(), removed.traces));
        let listed = opened.count("traces WHERE spans > 0").await;
        assert_eq!(listed, 1, "only the other trace is listed");
    }
    assert_eq!(steps, [(2_048, 0), (2_048, 0), (904, 1)]);
    assert_eq!(opened.count("spans").await, 1);
    let of_nobody = "content_blocks WHERE id NOT IN (SELECT block FROM spans)";
    assert_eq!(opened.count(of_nobody).await, 0);
    // What has received something since it was looked at is spared.
    let spared = opened.writer.commit(|session| {
        purge::traces(
            session,
            &[Going {
                trace: 2,
                through: 6,
            }],
        )
    });
    assert_eq!(spared.await.expect("steps").traces, 0);
    assert_eq!(opened.count("spans").await, 1);
}

#[tokio::test]
async fn a_closed_file_goes_in_steps() {
    let opened = opened().await;
    opened.write(
        "INSERT INTO sources (id, key, label, format, opened) VALUES (1, 'a', 'a', 'f', 1);
         INSERT INTO metrics VALUES (1, 1, 1, 1, 1, 1, 'gauge', x'');
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO points (metric, series, time, start, hash, received, raw) SELECT 1, i, i, i, i, 1, x'' FROM n;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO logs (source, hash, time, severity, name, resource, scope, received, block, slot)
         SELECT 1, i, 1, 0, 1, 1, 1, 1, i / 64, i % 64 FROM n;
         INSERT INTO content_blocks (id, data) SELECT DISTINCT block, x'00' FROM logs;",
    )
    .await;
    let mut steps = 0;
    loop {
        let gone = opened.writer.commit(|session| purge::source(session, 1));
        match gone.await.expect("deletes") {
            0 => break,
            gone => assert!(gone <= 2_048, "{gone} in one step"),
        }
        steps += 1;
    }
    assert!(steps >= 6, "{steps}");
    for table in ["logs", "points", "metrics", "content_blocks"] {
        assert_eq!(opened.count(table).await, 0, "{table}");
    }
}

/// Blocks that are small as they are compressed and large as they are not: few fit together, and the others must not wait
/// for the next start.
#[tokio::test]
async fn what_does_not_fit_into_one_block_goes_into_the_next() {
    let opened = opened().await;
    let large = vec![0_u8; blocks::FULL_BYTES * 2 / 5];
    let block = blocks::encode(&[&large[..]]).expect("packs");
    let filled = opened.writer.commit(move |session| {
        let connection = session.connection;
        connection.execute_batch(TRACES)?;
        connection.execute_batch(
            "DELETE FROM spans WHERE id > 8; UPDATE spans SET block = id, slot = 0, trace = 1;
             DELETE FROM content_blocks; DELETE FROM attribute_blocks;",
        )?;
        for id in 1..=8 {
            for table in ["content_blocks", "attribute_blocks"] {
                let data = match table {
                    "content_blocks" => block.clone(),
                    _ => blocks::encode(&[&b""[..]]).map_err(Error::internal)?,
                };
                let insert = format!("INSERT INTO {table} (id, data) VALUES (?, ?)");
                connection.execute(&insert, rusqlite::params![id, data])?;
            }
        }
        Ok(())
    });
    filled.await.expect("filled");
    let mut repacking = Repacking::new(opened.store.clone(), opened.writer.clone());
    for _ in 0..3 {
        repacking.step().await.expect("steps");
    }
    assert_eq!(opened.count("content_blocks").await, 4, "two fit into one");
    assert_eq!(
        opened
            .count("spans s JOIN content_blocks b ON b.id = s.block")
            .await,
        8
    );
}
