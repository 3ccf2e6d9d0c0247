//! Deletes for good: rows, payloads, facts, index entries, names that nothing uses any more.
//!
//! With `secure_delete` SQLite overwrites what it frees; payload blocks that hold other traces too are written anew
//! without the deleted items, so that nothing of them stays in the file.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::blocks::{self, Block};
use super::writer::Session;
use crate::error::Error;

/// Rows of spans and log records that one step deletes at the most: about 50 ms of the writer's time.
const STEP: i64 = 2_048;

/// A trace that is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Going {
    pub(crate) trace: i64,
    /// It stays if it has received something since: microseconds since the epoch.
    pub(crate) through: i64,
}

impl Going {
    /// Whatever it receives.
    pub(crate) const fn now(trace: i64) -> Self {
        Self {
            trace,
            through: i64::MAX,
        }
    }
}

/// What one purge removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Traces that are gone whole.
    pub(crate) traces: u64,
    /// Rows of the spans, for the index.
    pub(crate) spans: Vec<i64>,
    /// What is left for the next step; of the first a part may be gone.
    pub(crate) left: Vec<Going>,
}

/// Deletes some traces with everything that belongs to them, as far as one step goes. A trace of which a part is gone is in
/// no list any more.
pub(crate) fn traces(session: &mut Session<'_>, traces: &[Going]) -> Result<Removed, Error> {
    let connection = session.connection;
    let mut removed = Removed::default();
    let mut span_slots: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    let mut log_slots: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    let mut room = STEP;
    for (at, going) in traces.iter().enumerate() {
        let trace = going.trace;
        let goes = connection
            .prepare_cached("SELECT 1 FROM traces WHERE id = ? AND received <= ?")?
            .exists([trace, going.through])?;
        if !goes {
            continue;
        }
        // Log records first: as long as there are spans, a trace that a crash has cut in two is known by having none to
        // show.
        let logs: Vec<(i64, i64, u32)> = connection
            .prepare_cached("SELECT id, block, slot FROM logs WHERE trace = ? LIMIT ?")?
            .query_map(params![trace, room], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<_, _>>()?;
        room -= i64::try_from(logs.len()).unwrap_or(room);
        for (log, block, slot) in logs {
            log_slots.entry(block).or_default().push(slot);
            connection
                .prepare_cached("DELETE FROM logs WHERE id = ?")?
                .execute([log])?;
        }
        // In the order of their blocks, so that most blocks go whole.
        let spans: Vec<(i64, i64, u32)> = connection
            .prepare_cached(
                "SELECT id, block, slot FROM spans WHERE id IN (
                     SELECT id FROM spans WHERE trace = ? ORDER BY id LIMIT ?)",
            )?
            .query_map(params![trace, room], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<_, _>>()?;
        room -= i64::try_from(spans.len()).unwrap_or(room);
        for (span, block, slot) in spans {
            removed.spans.push(span);
            span_slots.entry(block).or_default().push(slot);
            for delete in [
                "DELETE FROM findings WHERE span = ?",
                "DELETE FROM stale_spans WHERE span = ?",
                "DELETE FROM facts WHERE span = ?",
                "DELETE FROM spans WHERE id = ?",
                // Until the index has let go of it, over a crash too.
                "INSERT OR IGNORE INTO removed_spans (span) VALUES (?)",
            ] {
                connection.prepare_cached(delete)?.execute([span])?;
            }
        }
        if room == 0 {
            connection
                .prepare_cached("UPDATE traces SET spans = 0, logs = 0 WHERE id = ?")?
                .execute([trace])?;
            removed.left.push(Going::now(trace));
            removed.left.extend(&traces[at + 1..]);
            break;
        }
        for delete in [
            "DELETE FROM trace_values WHERE trace = ?",
            "DELETE FROM summaries WHERE trace = ?",
            "DELETE FROM traces WHERE id = ?",
        ] {
            connection.prepare_cached(delete)?.execute([trace])?;
        }
        removed.traces += 1;
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

/// Marks an opened file as closed: from here on nothing more of it is stored, and the file opened again is another source.
pub(crate) fn close(session: &mut Session<'_>, source: i64) -> Result<(), Error> {
    session.connection.execute(
        "UPDATE sources SET key = 'closed ' || id, opened = -1 WHERE id = ?",
        [source],
    )?;
    Ok(())
}

/// Deletes a step of what a closed file holds besides its traces; returns how many rows went, 0 where nothing is left.
pub(crate) fn source(session: &mut Session<'_>, source: i64) -> Result<usize, Error> {
    let connection = session.connection;
    let logs: Vec<(i64, i64)> = connection
        .prepare_cached("SELECT id, block FROM logs WHERE source = ? LIMIT ?")?
        .query_map(params![source, STEP / 4], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let blocks: BTreeSet<i64> = logs.iter().map(|(_, block)| *block).collect();
    let mut gone = 0;
    // A file's blocks hold nothing of other sources, because a batch has one source: they go whole.
    for block in blocks {
        gone += connection
            .prepare_cached("DELETE FROM logs WHERE block = ?")?
            .execute([block])?;
        connection
            .prepare_cached("DELETE FROM content_blocks WHERE id = ?")?
            .execute([block])?;
        if i64::try_from(gone).unwrap_or(STEP) >= STEP {
            break;
        }
    }
    if gone > 0 {
        return Ok(gone);
    }
    for delete in [
        "DELETE FROM points WHERE id IN (
             SELECT p.id FROM metrics m JOIN points p ON p.metric = m.id WHERE m.source = ? LIMIT ?)",
        "DELETE FROM metrics WHERE id IN (SELECT id FROM metrics WHERE source = ? LIMIT ?)",
    ] {
        gone = connection
            .prepare_cached(delete)?
            .execute(params![source, STEP])?;
        if gone > 0 {
            break;
        }
    }
    Ok(gone)
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
