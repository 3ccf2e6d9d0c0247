//! The user's decisions about prices, as the database keeps them, for everyone who prices calls.

use std::sync::{Arc, PoisonError, RwLock};

use clew_core::price::{Book, CustomPrice, PriceDesk, PriceProfile, Revision};
use rusqlite::OptionalExtension as _;
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, SqlitePool};

use super::now_micros;
use super::writer::Session;
use crate::error::Error;

/// What a revision is kept as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) profile: PriceProfile,
    pub(crate) custom: Vec<CustomPrice>,
    /// A row of `price_books`; the book that comes with Clew where absent.
    pub(crate) book: Option<i64>,
}

/// One row of `price_revisions`.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// Microseconds since the epoch from which calls that were received have these prices; 0 for all of history.
    pub(crate) since: i64,
    pub(crate) decision: Decision,
}

/// All decisions, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    pub(crate) made: Vec<Made>,
    pub(crate) revisions: Vec<Revision>,
}

/// The decisions that hold now; cheap to ask. Whoever changes them in the database reads them anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prices {
    held: Arc<RwLock<Arc<Decisions>>>,
}

impl Prices {
    /// Reads the decisions from the database.
    pub(crate) async fn read(&self, reads: &SqlitePool) -> Result<(), Error> {
        let mut decisions = Decisions::default();
        let books = sqlx::query("SELECT id, json FROM price_books")
            .fetch_all(reads)
            .await?;
        let books: Vec<(i64, Option<Arc<Book>>)> = books
            .iter()
            .map(|row| {
                let book = Book::read(row.get::<&str, _>(1)).ok();
                (row.get(0), book.map(Arc::new))
            })
            .collect();
        for row in sqlx::query("SELECT since, json FROM price_revisions ORDER BY id")
            .fetch_all(reads)
            .await?
        {
            let decision: Decision = serde_json::from_str(row.get(1)).map_err(Error::internal)?;
            let since: i64 = row.get(0);
            let book = match decision.book {
                None => Book::vendored(),
                Some(id) => books
                    .iter()
                    .find(|(own, _)| *own == id)
                    .and_then(|(_, book)| book.clone()),
            };
            decisions.revisions.push(Revision {
                since_micros: u64::try_from(since).unwrap_or(0),
                book,
                profile: decision.profile,
                custom: decision.custom.clone(),
            });
            decisions.made.push(Made { since, decision });
        }
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(decisions);
        Ok(())
    }

    /// All decisions.
    pub(crate) fn decisions(&self) -> Arc<Decisions> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A desk that prices by them.
    pub(crate) fn desk(&self) -> PriceDesk {
        PriceDesk::new(self.decisions().revisions.clone())
    }
}

/// Adds a decision that holds for calls received from now on, or, `for_history`, for all of them.
pub(crate) fn add(
    session: &Session<'_>,
    decision: &Decision,
    for_history: bool,
) -> Result<(), Error> {
    let json = serde_json::to_string(decision).map_err(Error::internal)?;
    let made = now_micros();
    session
        .connection
        .prepare_cached("INSERT INTO price_revisions (since, made, json) VALUES (?, ?, ?)")?
        .execute((if for_history { 0 } else { made }, made, json))?;
    Ok(())
}

/// Takes the last decision back where it priced all of history anew; says whether it did.
pub(crate) fn undo(session: &Session<'_>) -> Result<bool, Error> {
    let last: Option<(i64, i64)> = session
        .connection
        .prepare_cached("SELECT id, since FROM price_revisions ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, 0)) = last else {
        return Ok(false);
    };
    session
        .connection
        .prepare_cached("DELETE FROM price_revisions WHERE id = ?")?
        .execute([id])?;
    Ok(true)
}

/// Keeps a book that the user gave; the same one is kept once.
pub(crate) fn keep_book(session: &Session<'_>, json: &str) -> Result<i64, Error> {
    let connection = session.connection;
    let known: Option<i64> = connection
        .prepare_cached("SELECT id FROM price_books WHERE json = ?")?
        .query_row([json], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    connection
        .prepare_cached("INSERT INTO price_books (json) VALUES (?)")?
        .execute([json])?;
    Ok(connection.last_insert_rowid())
}

/// Marks the summaries of the traces behind one as stale, a slice at a time; says behind which trace to go on, and nothing
/// when all are marked.
pub(crate) fn mark(session: &Session<'_>, after: i64) -> Result<Option<i64>, Error> {
    const SLICE: i64 = 4_096;
    let connection = session.connection;
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT max(trace) FROM (SELECT trace FROM summaries WHERE trace > ? ORDER BY trace LIMIT ?)",
        )?
        .query_row([after, SLICE], |row| row.get(0))?;
    if let Some(last) = last {
        connection
            .prepare_cached(
                "UPDATE summaries SET changed = -1 WHERE trace > ? AND trace <= ? AND changed <> -1",
            )?
            .execute([after, last])?;
    }
    Ok(last)
}
