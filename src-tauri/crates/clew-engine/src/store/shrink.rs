//! Gives freed pages back to the file system and empties write-ahead logs, in slices.

use std::time::Duration;

use rusqlite::Connection;

use crate::error::Error;

/// Pages given back in one slice: below 50 ms.
const PAGES: u32 = 1024;

/// How long a checkpoint waits for readers; whoever else writes waits with it.
const CHECKPOINT: Duration = Duration::from_millis(100);

/// How long any other statement waits for a lock.
pub(super) const LOCK: Duration = Duration::from_secs(5);

/// Gives one slice of freed pages back; whether that was all.
pub(super) fn vacuum(connection: &Connection) -> Result<bool, Error> {
    let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    // Each row is a page: the statement does nothing unless its rows are read.
    let mut rows = vacuum.query([])?;
    let mut pages = 0;
    while rows.next()?.is_some() {
        pages += 1;
    }
    Ok(pages < PAGES)
}

/// Moves the write-ahead log into the database and empties it; `false` where a reader still needs it.
pub(super) fn checkpoint(connection: &Connection) -> Result<bool, Error> {
    connection.busy_timeout(CHECKPOINT)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0)
    });
    connection.busy_timeout(LOCK)?;
    Ok(busy? == 0)
}

/// Both, all at once: where the disk is full there is nothing to be kept waiting.
pub(super) fn whole(connection: &Connection) -> Result<bool, Error> {
    while !vacuum(connection)? {}
    checkpoint(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_freed_pages_go_and_a_reader_in_the_way_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("t.db");
        let connection = Connection::open(&file).expect("opens");
        connection
            .execute_batch(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; CREATE TABLE t (b BLOB);
                 INSERT INTO t SELECT zeroblob(4096) FROM json_each(json_array(1,2,3,4,5,6,7,8,9,10));",
            )
            .expect("fills");
        let reader = Connection::open(&file).expect("opens");
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM t")
            .expect("reads");
        connection.execute_batch("DELETE FROM t").expect("deletes");
        assert!(
            !whole(&connection).expect("shrinks"),
            "the reader needs the log"
        );
        reader.execute_batch("COMMIT").expect("ends");
        assert!(whole(&connection).expect("shrinks"));
        let log = std::fs::metadata(folder.path().join("t.db-wal")).expect("a log");
        let data = std::fs::metadata(&file).expect("a file");
        assert_eq!(log.len(), 0);
        assert!(data.len() < 5 * 4096, "{} bytes left", data.len());
    }
}
