//! Joins small payload blocks: telemetry that trickles in leaves many blocks of a few items, which compress badly.
//!
//! Runs while there is nothing to derive, one block at a time. Each is one transaction: the items move to a new block,
//! their rows are pointed at it, the old blocks are deleted (and overwritten, as everything that is deleted). Ids of blocks
//! are never used twice, so that a reader who looks for an old one finds nothing and asks again where its span lies.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Store;
use super::blocks::{self, Block};
use super::writer::{Session, Writer};
use crate::error::Error;

/// A block of at least this many items, or bytes as compressed, is left as it is.
const GOOD_ITEMS: i64 = 32;
const GOOD_BYTES: i64 = 128 * 1024;

/// Blocks looked at in one step, and joined at the most: about 10 ms of the writer's time.
const LOOK: i64 = 256;

/// So many small blocks are joined even where they do not fill one.
const WORTH: usize = 8;

/// Between steps while there is something to do, and between looks for new blocks.
const PAUSE: Duration = Duration::from_millis(100);
const PERIOD: Duration = Duration::from_secs(2);

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Spans,
    Logs,
}

impl Kind {
    /// Small blocks after one: id, source, items that are still referred to, bytes as compressed.
    fn look(self) -> &'static str {
        match self {
            Self::Spans => {
                "SELECT g.block, t.source, g.items, length(b.data)
                 FROM (SELECT block, count(*) AS items, max(trace) AS trace FROM spans WHERE block > ?
                       GROUP BY block ORDER BY block LIMIT ?) g
                 JOIN traces t ON t.id = g.trace
                 JOIN content_blocks b ON b.id = g.block
                 ORDER BY g.block"
            }
            Self::Logs => {
                "SELECT g.block, g.source, g.items, length(b.data)
                 FROM (SELECT block, count(*) AS items, max(source) AS source FROM logs WHERE block > ?
                       GROUP BY block ORDER BY block LIMIT ?) g
                 JOIN content_blocks b ON b.id = g.block
                 ORDER BY g.block"
            }
        }
    }

    fn rows(self) -> &'static str {
        match self {
            Self::Spans => "SELECT id, slot FROM spans WHERE block = ? ORDER BY slot",
            Self::Logs => "SELECT id, slot FROM logs WHERE block = ? ORDER BY slot",
        }
    }

    fn point(self) -> &'static str {
        match self {
            Self::Spans => "UPDATE spans SET block = ?, slot = ? WHERE id = ?",
            Self::Logs => "UPDATE logs SET block = ?, slot = ? WHERE id = ?",
        }
    }
}

/// As [`blocks::SLOTS`], as the database counts.
const SLOTS: i64 = 64;
const _: () = assert!(SLOTS as usize == blocks::SLOTS);

/// Small neighbours of one kind and source that wait to fill a block.
#[derive(Debug, Default)]
struct Run {
    blocks: Vec<Small>,
    items: i64,
    bytes: i64,
}

/// A small block: its items that are still referred to, and its bytes as compressed.
#[derive(Debug, Clone, Copy)]
struct Small {
    block: i64,
    items: i64,
    bytes: i64,
}

impl Run {
    fn push(&mut self, small: Small) {
        self.blocks.push(small);
        self.items += small.items;
        self.bytes += small.bytes;
    }
}

/// How far repacking has come. It begins anew with every start: looking costs little, and full blocks stay as they are.
pub(crate) struct Repacking {
    store: Store,
    writer: Writer,
    due: Instant,
    seen: BTreeMap<Kind, i64>,
    runs: BTreeMap<(Kind, i64), Run>,
}

impl Repacking {
    pub(crate) fn new(store: Store, writer: Writer) -> Self {
        Self {
            store,
            writer,
            due: Instant::now() + PERIOD,
            seen: BTreeMap::new(),
            runs: BTreeMap::new(),
        }
    }

    /// When to do the next step, if there is nothing better to do.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Looks at the next blocks, and joins those that fill one. Where there are no more, it joins what is worth it without
    /// filling one: what that makes is joined again with what comes later.
    pub(crate) async fn step(&mut self) -> Result<(), Error> {
        let mut full: Vec<((Kind, i64), Run)> = Vec::new();
        let mut more = false;
        for kind in [Kind::Spans, Kind::Logs] {
            let seen = self.seen.get(&kind).copied().unwrap_or(0);
            let found: Vec<(i64, i64, i64, i64)> = sqlx::query_as(kind.look())
                .bind(seen)
                .bind(LOOK)
                .fetch_all(&self.store.reads)
                .await?;
            more |= !found.is_empty();
            for (block, source, items, bytes) in found {
                self.seen.insert(kind, block);
                if items < GOOD_ITEMS && bytes < GOOD_BYTES {
                    let run = self.runs.entry((kind, source)).or_default();
                    if run.items + items > SLOTS || run.bytes + bytes > GOOD_BYTES * 2 {
                        full.push(((kind, source), std::mem::take(run)));
                    }
                    run.push(Small {
                        block,
                        items,
                        bytes,
                    });
                }
            }
        }
        if !more {
            let worth = self.runs.iter_mut();
            let worth = worth.filter(|(_, run)| run.blocks.len() >= WORTH || run.items >= SLOTS);
            full.extend(worth.map(|(key, run)| (*key, std::mem::take(run))));
        }
        more |= !full.is_empty();
        let mut full = full.into_iter();
        while let Some((key, run)) = full.next() {
            let (rest, result) = self.join(key.0, run).await;
            self.wait(key, rest);
            if let Err(error) = result {
                full.for_each(|(key, run)| self.wait(key, run.blocks));
                return Err(error);
            }
        }
        self.due = Instant::now() + if more { PAUSE } else { PERIOD };
        Ok(())
    }
}

impl Repacking {
    /// Joins the blocks of a run, a new block at a time, and gives back those that were not joined: the last one that
    /// nothing fits to, or all that are left where the writer fails.
    async fn join(&self, kind: Kind, run: Run) -> (Vec<Small>, Result<(), Error>) {
        let mut left = run.blocks;
        while left.len() > 1 {
            let blocks: Vec<i64> = left.iter().map(|small| small.block).collect();
            let done = self
                .writer
                .commit(move |session| join(session, kind, &blocks))
                .await;
            match done {
                // The first is done with in any case, so this ends.
                Ok(done) => left.drain(..done.clamp(1, left.len())).for_each(drop),
                Err(error) => return (left, Err(error)),
            }
        }
        (left, Ok(()))
    }

    /// Keeps blocks for what comes later.
    fn wait(&mut self, key: (Kind, i64), blocks: Vec<Small>) {
        let run = self.runs.entry(key).or_default();
        blocks.into_iter().for_each(|small| run.push(small));
    }
}

/// An item that moves: its row, its slot in the old block.
struct Moving {
    row: i64,
    attributes: Vec<u8>,
    content: Vec<u8>,
}

/// Moves what the first of the blocks hold to a new one, as many as fit into it, and deletes them. One that is gone or
/// cannot be read stays out of it. Answers how many of the blocks are done with.
fn join(session: &mut Session<'_>, kind: Kind, old: &[i64]) -> Result<usize, Error> {
    let connection = session.connection;
    let mut moving: Vec<Moving> = Vec::with_capacity(blocks::SLOTS);
    let mut emptied = Vec::with_capacity(old.len());
    let (mut bytes, mut done) = (0, 0);
    for &block in old {
        let Some(items) = items(connection, kind, block)? else {
            done += 1;
            continue;
        };
        let more: usize = items
            .iter()
            .map(|item| item.attributes.len() + item.content.len())
            .sum();
        if moving.len() + items.len() > blocks::SLOTS || bytes + more > blocks::FULL_BYTES {
            break;
        }
        bytes += more;
        done += 1;
        moving.extend(items);
        emptied.push(block);
    }
    if emptied.len() < 2 {
        return Ok(done);
    }
    let content: Vec<&[u8]> = moving.iter().map(|item| &item.content[..]).collect();
    let block = connection
        .prepare_cached("INSERT INTO content_blocks (data) VALUES (?)")?
        .insert([blocks::encode(&content).map_err(Error::internal)?])?;
    if kind == Kind::Spans {
        let attributes: Vec<&[u8]> = moving.iter().map(|item| &item.attributes[..]).collect();
        connection
            .prepare_cached("INSERT INTO attribute_blocks (id, data) VALUES (?, ?)")?
            .execute(params![
                block,
                blocks::encode(&attributes).map_err(Error::internal)?
            ])?;
    }
    let mut point = connection.prepare_cached(kind.point())?;
    for (slot, item) in (0_i64..).zip(&moving) {
        point.execute([block, slot, item.row])?;
    }
    for block in emptied {
        for delete in [
            "DELETE FROM content_blocks WHERE id = ?",
            "DELETE FROM attribute_blocks WHERE id = ?",
        ] {
            connection.prepare_cached(delete)?.execute([block])?;
        }
    }
    Ok(done)
}

/// What rows still refer to in a block; `None` where it cannot be read.
fn items(connection: &Connection, kind: Kind, block: i64) -> Result<Option<Vec<Moving>>, Error> {
    let open = |select: &str| -> Result<Option<Block>, Error> {
        let data: Option<Vec<u8>> = connection
            .prepare_cached(select)?
            .query_row([block], |row| row.get(0))
            .optional()?;
        Ok(data.and_then(|data| Block::decode(&data).ok()))
    };
    let Some(content) = open("SELECT data FROM content_blocks WHERE id = ?")? else {
        return Ok(None);
    };
    let attributes = match kind {
        Kind::Logs => None,
        Kind::Spans => match open("SELECT data FROM attribute_blocks WHERE id = ?")? {
            Some(attributes) => Some(attributes),
            None => return Ok(None),
        },
    };
    let rows: Vec<(i64, i64)> = connection
        .prepare_cached(kind.rows())?
        .query_map([block], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(Some(
        rows.into_iter()
            .map(|(row, slot)| {
                let slot = usize::try_from(slot).unwrap_or(usize::MAX);
                Moving {
                    row,
                    attributes: attributes
                        .as_ref()
                        .map(|block| block.item(slot).to_vec())
                        .unwrap_or_default(),
                    content: content.item(slot).to_vec(),
                }
            })
            .collect(),
    ))
}
