//! Deletes for good: rows, payloads, facts, index entries, names that nothing uses any more.
//!
//! With `secure_delete` SQLite overwrites what it frees; payload blocks that hold other traces too are written anew
//! without the deleted items, so that nothing of them stays in the file.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::blocks::{self, Block};
use super::writer::Session;
use crate::error::Error;

/// What one purge removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    pub(crate) traces: u64,
    /// Rows of the spans, for the index.
    pub(crate) spans: Vec<i64>,
}

/// Deletes some traces with everything that belongs to them.
pub(crate) fn traces(session: &mut Session<'_>, traces: &[i64]) -> Result<Removed, Error> {
    let connection = session.connection;
    // Ids of strings may fall away.
    session.interned.clear();
    let mut removed = Removed::default();
    let mut span_slots: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    let mut log_slots: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for &trace in traces {
        let spans: Vec<(i64, i64, u32)> = connection
            .prepare_cached("SELECT id, block, slot FROM spans WHERE trace = ?")?
            .query_map([trace], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (span, block, slot) in spans {
            removed.spans.push(span);
            span_slots.entry(block).or_default().push(slot);
            for delete in [
                "DELETE FROM findings WHERE span = ?",
                "DELETE FROM stale_spans WHERE span = ?",
                // Until the index has let go of it, over a crash too.
                "INSERT OR IGNORE INTO removed_spans (span) VALUES (?)",
            ] {
                connection.prepare_cached(delete)?.execute([span])?;
            }
        }
        let logs: Vec<(i64, u32)> = connection
            .prepare_cached("SELECT block, slot FROM logs WHERE trace = ?")?
            .query_map([trace], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (block, slot) in logs {
            log_slots.entry(block).or_default().push(slot);
        }
        for delete in [
            "DELETE FROM facts WHERE trace = ?",
            "DELETE FROM trace_values WHERE trace = ?",
            "DELETE FROM summaries WHERE trace = ?",
            "DELETE FROM spans WHERE trace = ?",
            "DELETE FROM logs WHERE trace = ?",
        ] {
            connection.prepare_cached(delete)?.execute([trace])?;
        }
        removed.traces += u64::try_from(
            connection
                .prepare_cached("DELETE FROM traces WHERE id = ?")?
                .execute([trace])?,
        )
        .unwrap_or(0);
    }
    for (block, slots) in &span_slots {
        rewrite(connection, Table::Attributes, *block, slots)?;
        rewrite(connection, Table::Content, *block, slots)?;
    }
    for (block, slots) in &log_slots {
        rewrite(connection, Table::Content, *block, slots)?;
    }
    Ok(removed)
}

/// Which telemetry without a trace goes, oldest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loose {
    /// Microseconds since the epoch of the last arrival that goes.
    pub(crate) through: i64,
    /// Whether only what was received live goes, and nothing of opened files.
    pub(crate) live: bool,
    /// How many go at the most.
    pub(crate) limit: i64,
}

/// Deletes metric points; returns how many.
pub(crate) fn points(session: &mut Session<'_>, which: Loose) -> Result<usize, Error> {
    session.interned.clear();
    Ok(session
        .connection
        .prepare_cached(
            "DELETE FROM points WHERE id IN (
                 SELECT p.id FROM points p CROSS JOIN metrics m ON m.id = p.metric
                 WHERE p.received <= ?1 AND (NOT ?2 OR m.source = 0)
                 ORDER BY p.received LIMIT ?3)",
        )?
        .execute(params![which.through, which.live, which.limit])?)
}

/// Deletes log records without a trace; returns how many.
pub(crate) fn loose_logs(session: &mut Session<'_>, which: Loose) -> Result<usize, Error> {
    let connection = session.connection;
    session.interned.clear();
    let logs: Vec<(i64, i64, u32)> = connection
        .prepare_cached(
            "SELECT id, block, slot FROM logs
             WHERE trace IS NULL AND received <= ?1 AND (NOT ?2 OR source = 0)
             ORDER BY received LIMIT ?3",
        )?
        .query_map(params![which.through, which.live, which.limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut slots: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for &(id, block, slot) in &logs {
        slots.entry(block).or_default().push(slot);
        connection
            .prepare_cached("DELETE FROM logs WHERE id = ?")?
            .execute([id])?;
    }
    for (block, slots) in &slots {
        rewrite(connection, Table::Content, *block, slots)?;
    }
    Ok(logs.len())
}

/// Deletes what an opened file holds besides its traces. Its own row stays until they are gone too, marked: from here on
/// nothing more of the file is stored under it, and the file opened again is another source.
pub(crate) fn source(session: &mut Session<'_>, source: i64) -> Result<(), Error> {
    let connection = session.connection;
    connection.execute(
        "UPDATE sources SET key = 'closed ' || id, opened = -1 WHERE id = ?",
        [source],
    )?;
    let blocks: Vec<i64> = connection
        .prepare("SELECT DISTINCT block FROM logs WHERE source = ?")?
        .query_map([source], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    connection.execute("DELETE FROM logs WHERE source = ?", [source])?;
    // A file's blocks hold nothing of other sources: a batch has one source.
    for block in blocks {
        connection.execute("DELETE FROM content_blocks WHERE id = ?", [block])?;
    }
    connection.execute(
        "DELETE FROM points WHERE metric IN (SELECT id FROM metrics WHERE source = ?)",
        [source],
    )?;
    connection.execute("DELETE FROM metrics WHERE source = ?", [source])?;
    Ok(())
}

/// Deletes names, resources, scopes and metrics that nothing refers to any more.
pub(crate) fn unused(session: &mut Session<'_>) -> Result<(), Error> {
    session.interned.clear();
    Ok(session.connection.execute_batch(
        "DELETE FROM metrics WHERE id NOT IN (SELECT metric FROM points);
         CREATE TEMP TABLE used (id INTEGER PRIMARY KEY);
         INSERT OR IGNORE INTO used SELECT resource FROM spans;
         INSERT OR IGNORE INTO used SELECT resource FROM logs;
         INSERT OR IGNORE INTO used SELECT resource FROM metrics;
         DELETE FROM resources WHERE id NOT IN (SELECT id FROM used);
         DELETE FROM used;
         INSERT OR IGNORE INTO used SELECT scope FROM spans;
         INSERT OR IGNORE INTO used SELECT scope FROM logs;
         INSERT OR IGNORE INTO used SELECT scope FROM metrics;
         DELETE FROM scopes WHERE id NOT IN (SELECT id FROM used);
         DELETE FROM used;
         INSERT OR IGNORE INTO used SELECT name FROM spans;
         INSERT OR IGNORE INTO used SELECT name FROM logs;
         INSERT OR IGNORE INTO used SELECT name FROM metrics;
         INSERT OR IGNORE INTO used SELECT name FROM scopes;
         INSERT OR IGNORE INTO used SELECT service FROM resources;
         INSERT OR IGNORE INTO used SELECT name FROM traces;
         INSERT OR IGNORE INTO used SELECT service FROM traces;
         INSERT OR IGNORE INTO used SELECT model FROM facts WHERE model IS NOT NULL;
         INSERT OR IGNORE INTO used SELECT value FROM trace_values;
         DELETE FROM strings WHERE id NOT IN (SELECT id FROM used);
         DROP TABLE used;",
    )?)
}

#[derive(Clone, Copy)]
enum Table {
    Attributes,
    Content,
}

/// Writes a block anew with some slots empty; the others keep their numbers. A block without items goes.
fn rewrite(connection: &Connection, table: Table, block: i64, slots: &[u32]) -> Result<(), Error> {
    let (select, update, delete) = match table {
        Table::Attributes => (
            "SELECT data FROM attribute_blocks WHERE id = ?",
            "UPDATE attribute_blocks SET data = ? WHERE id = ?",
            "DELETE FROM attribute_blocks WHERE id = ?",
        ),
        Table::Content => (
            "SELECT data FROM content_blocks WHERE id = ?",
            "UPDATE content_blocks SET data = ? WHERE id = ?",
            "DELETE FROM content_blocks WHERE id = ?",
        ),
    };
    let used: i64 = connection
        .prepare_cached("SELECT (SELECT count(*) FROM spans WHERE block = ?1) + (SELECT count(*) FROM logs WHERE block = ?1)")?
        .query_row([block], |row| row.get(0))?;
    if used == 0 {
        connection.prepare_cached(delete)?.execute([block])?;
        return Ok(());
    }
    let data: Option<Vec<u8>> = connection
        .prepare_cached(select)?
        .query_row([block], |row| row.get(0))
        .optional()?;
    // Gone with an earlier deletion, for it was damaged.
    let Some(data) = data else {
        return Ok(());
    };
    // A damaged block can be read by nobody: it goes whole, and does not stand in the way of deleting.
    let Ok(old) = Block::decode(&data) else {
        connection.prepare_cached(delete)?.execute([block])?;
        return Ok(());
    };
    let items: Vec<&[u8]> = (0..old.slots())
        .map(|slot| {
            let gone = u32::try_from(slot).is_ok_and(|slot| slots.contains(&slot));
            if gone { &[][..] } else { old.item(slot) }
        })
        .collect();
    let data = blocks::encode(&items).map_err(Error::internal)?;
    connection
        .prepare_cached(update)?
        .execute(params![data, block])?;
    Ok(())
}
