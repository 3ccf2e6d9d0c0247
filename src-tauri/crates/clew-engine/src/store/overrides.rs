//! What the user says attributes mean, as the database keeps it, for everyone who reads facts.

use std::sync::{Arc, PoisonError, RwLock};

use clew_core::convention::{Override, Overrides};
use sqlx::{Row as _, SqlitePool};
use tokio::sync::Mutex;

use super::Store;
use super::writer::{Session, Writer};
use crate::error::Error;

/// The overrides that hold now; cheap to ask. Whoever changes them in the database reads them anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chosen {
    held: Arc<RwLock<Arc<Overrides>>>,
    /// One reads at a time, so that what was read last is what is held.
    reading: Arc<Mutex<()>>,
}

impl Chosen {
    /// Reads them from the database. One whose fact this Clew does not know is left out, and stays in the database.
    pub(crate) async fn read(&self, reads: &SqlitePool) -> Result<(), Error> {
        let _turn = self.reading.lock().await;
        let rows = sqlx::query("SELECT key, fact FROM overrides ORDER BY fact")
            .fetch_all(reads)
            .await?;
        let listed: Vec<Override> = rows
            .iter()
            .map(|row| Override {
                key: row.get(0),
                fact: row.get(1),
            })
            .filter(|one| Overrides::FACTS.iter().any(|fact| fact.name == one.fact))
            .collect();
        let overrides = Overrides::new(&listed).map_err(Error::internal)?;
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(overrides);
        Ok(())
    }

    /// All overrides.
    pub(crate) fn overrides(&self) -> Arc<Overrides> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts overrides in the place of those that there are; where they differ, every span is to be read again. Says whether
/// they do.
pub(crate) fn replace(session: &Session<'_>, listed: &[Override]) -> Result<bool, Error> {
    let connection = session.connection;
    let mut old: Vec<(String, String)> = connection
        .prepare_cached("SELECT fact, key FROM overrides")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut new: Vec<(String, String)> = listed
        .iter()
        .map(|one| (one.fact.clone(), one.key.clone()))
        .collect();
    old.sort_unstable();
    new.sort_unstable();
    if old == new {
        return Ok(false);
    }
    connection.execute("DELETE FROM overrides", [])?;
    for (fact, key) in &new {
        connection
            .prepare_cached("INSERT INTO overrides (fact, key) VALUES (?, ?)")?
            .execute((fact, key))?;
    }
    connection.execute("UPDATE derivation SET marked = 0", [])?;
    Ok(true)
}

/// Marks the next of all spans as stale where the overrides have changed; says whether there are more to mark. A crash
/// between two turns costs nothing: what is not marked yet is known.
///
/// Whoever derives calls this between two steps. The overrides are read before anything is marked: what was derived by
/// older ones is marked after it, and so read again.
pub(crate) async fn mark(store: &Store, writer: &Writer) -> Result<bool, Error> {
    const SLICE: i64 = 4_096;
    let marked: Option<i64> = sqlx::query_scalar("SELECT marked FROM derivation")
        .fetch_one(&store.reads)
        .await?;
    let Some(marked) = marked else {
        return Ok(false);
    };
    store.overrides.read(&store.reads).await?;
    writer
        .commit(move |session| {
            let connection = session.connection;
            let last: Option<i64> = connection
                .prepare_cached(
                    "SELECT max(id) FROM (SELECT id FROM spans WHERE id > ? ORDER BY id LIMIT ?)",
                )?
                .query_row([marked, SLICE], |row| row.get(0))?;
            if let Some(last) = last {
                connection
                    .prepare_cached(
                        "INSERT INTO stale_spans (span) SELECT id FROM spans WHERE id > ? AND id <= ?
                         ON CONFLICT (span) DO UPDATE SET times = times + 1",
                    )?
                    .execute([marked, last])?;
            }
            // Unless they have changed once more meanwhile, and all begins anew.
            connection
                .prepare_cached("UPDATE derivation SET marked = ? WHERE marked = ?")?
                .execute((last, marked))?;
            Ok(())
        })
        .await?;
    Ok(true)
}

/// Spans that are to be read again.
pub(crate) async fn stale(reads: &SqlitePool) -> Result<u64, Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM stale_spans)
              + (SELECT count(*) FROM spans WHERE id > (SELECT marked FROM derivation))",
    )
    .fetch_one(reads)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}
