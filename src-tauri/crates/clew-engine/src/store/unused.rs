//! Deletes names, resources, scopes and metrics that nothing refers to any more, in steps between which others write.
//!
//! What is unused is found by reading, beside the writer. What the writer has begun to use since then is in its cache of
//! interned rows, which is emptied before the look: a row that is neither used at the look nor in the cache at its
//! deletion is used by nothing.

use super::Store;
use super::ground::Kind;
use super::writer::{Session, Writer};
use crate::error::{Error, ErrorCode};

/// Rows deleted in one transaction: about 10 ms of the writer's time.
const STEP: usize = 512;

/// How often the look begins anew because the cache was dropped meanwhile.
const LOOKS: usize = 10;

/// Metrics without points; what is being stored meanwhile gets its points in the same transaction.
const METRICS: &str =
    "SELECT id FROM metrics m WHERE NOT EXISTS (SELECT 1 FROM points WHERE metric = m.id)";

impl Kind {
    /// Selects what nothing refers to.
    const fn unused(self) -> &'static str {
        match self {
            Self::Resource => {
                "SELECT id FROM resources WHERE id NOT IN (
                     SELECT resource FROM spans UNION SELECT resource FROM logs UNION SELECT resource FROM metrics)"
            }
            Self::Scope => {
                "SELECT id FROM scopes WHERE id NOT IN (
                     SELECT scope FROM spans UNION SELECT scope FROM logs UNION SELECT scope FROM metrics)"
            }
            Self::String => {
                "SELECT id FROM strings WHERE id NOT IN (
                     SELECT name FROM spans UNION SELECT name FROM logs UNION SELECT name FROM metrics
                     UNION SELECT name FROM scopes UNION SELECT service FROM resources
                     UNION SELECT name FROM traces UNION SELECT service FROM traces
                     UNION SELECT model FROM facts WHERE model IS NOT NULL
                     UNION SELECT value FROM trace_values)"
            }
        }
    }

    const fn delete(self) -> &'static str {
        match self {
            Self::Resource => "DELETE FROM resources WHERE id = ?",
            Self::Scope => "DELETE FROM scopes WHERE id = ?",
            Self::String => "DELETE FROM strings WHERE id = ?",
        }
    }
}

/// Deletes all that nothing refers to. What refers to others goes before them.
///
/// # Errors
/// When the database fails, or what is used changes faster than it can be looked at.
pub(super) async fn delete(store: &Store, writer: &Writer) -> Result<(), Error> {
    let metrics: Vec<i64> = sqlx::query_scalar(METRICS).fetch_all(&store.reads).await?;
    for step in metrics.chunks(STEP) {
        let step = step.to_vec();
        writer
            .commit(move |session| delete_metrics(session, &step))
            .await?;
    }
    for kind in [Kind::Resource, Kind::Scope, Kind::String] {
        let mut looks = 0;
        while !delete_kind(store, writer, kind).await? {
            looks += 1;
            if looks == LOOKS {
                return Err(Error::new(
                    ErrorCode::Busy,
                    "names that nothing uses any more could not be deleted, because too much was being stored: delete again",
                ));
            }
        }
    }
    Ok(())
}

fn delete_metrics(session: &mut Session<'_>, metrics: &[i64]) -> Result<(), Error> {
    let mut delete = session.connection.prepare_cached(
        "DELETE FROM metrics WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM points WHERE metric = ?1)",
    )?;
    for metric in metrics {
        delete.execute([metric])?;
    }
    Ok(())
}

/// Looks once, and deletes what it finds; `false` where it must look again.
async fn delete_kind(store: &Store, writer: &Writer, kind: Kind) -> Result<bool, Error> {
    let look = writer
        .commit(|session| {
            session.interned.clear();
            Ok(session.interned.clears())
        })
        .await?;
    let unused: Vec<i64> = sqlx::query_scalar(kind.unused())
        .fetch_all(&store.reads)
        .await?;
    for step in unused.chunks(STEP) {
        let step = step.to_vec();
        let known = writer
            .commit(move |session| delete_step(session, kind, look, &step))
            .await?;
        if !known {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Deletes those of `ids` that were not used since the look; `false` where that is no longer known.
pub(super) fn delete_step(
    session: &mut Session<'_>,
    kind: Kind,
    look: u64,
    ids: &[i64],
) -> Result<bool, Error> {
    if session.interned.clears() != look {
        return Ok(false);
    }
    let used = session.interned.ids(kind);
    let mut delete = session.connection.prepare_cached(kind.delete())?;
    for id in ids.iter().filter(|id| !used.contains(id)) {
        delete.execute([id])?;
    }
    Ok(true)
}
