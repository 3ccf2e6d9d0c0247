//! Reading around damage: where a page of a table cannot be read, the rows on it are lost, and no others.

use sqlx::SqlitePool;

use crate::error::{Cause, Error, ErrorCode};

/// Rows that are asked for at once, before what cannot be read is halved.
const PIECE: usize = 1_024;

/// Queries spent on it at the most: beyond that, pieces that cannot be read are lost whole.
const QUERIES: usize = 4_096;

/// Rows to be read by their ids in pieces that are halved until what is damaged stands alone.
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    left: Vec<&'a [i64]>,
    queries: usize,
    /// Rows that cannot be read.
    pub(crate) lost: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(ids: &'a [i64]) -> Self {
        Self {
            left: ids.chunks(PIECE).rev().collect(),
            queries: 0,
            lost: 0,
        }
    }

    /// What to read next.
    pub(crate) fn next(&mut self) -> Option<&'a [i64]> {
        self.queries += 1;
        self.left.pop()
    }

    /// Takes what reading a piece gave: its rows, or none yet, or none any more.
    ///
    /// # Errors
    /// Any other than damage.
    pub(crate) fn judge<T>(
        &mut self,
        piece: &'a [i64],
        read: Result<Vec<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        match read {
            Err(error) if error.cause == Cause::Damage => {
                if piece.len() == 1 || self.queries > QUERIES {
                    self.lost += piece.len();
                } else {
                    let (first, second) = piece.split_at(piece.len() / 2);
                    self.left.extend([second, first]);
                }
                Ok(Vec::new())
            }
            read => read,
        }
    }
}

/// The first of several ways to ask for ids that does not itself meet the damage; `bound` is bound to each.
///
/// # Errors
/// That of the last way.
pub(crate) async fn ids(
    reads: &SqlitePool,
    ways: &[&'static str],
    bound: &[i64],
) -> Result<Vec<i64>, Error> {
    let mut failed = Error::internal("no way to ask");
    for way in ways {
        let mut query = sqlx::query_scalar::<_, i64>(*way);
        for value in bound {
            query = query.bind(value);
        }
        match query.fetch_all(reads).await.map_err(Error::from) {
            Err(error) if error.cause == Cause::Damage => failed = error,
            read => return read,
        }
    }
    Err(failed)
}

/// Says that rows are lost; `what` names them ("spans").
pub(crate) fn lost(rows: usize, what: &str) -> Error {
    Error::new(
        ErrorCode::Io,
        format!("cannot read {rows} {what}: the pages of the database that hold them are damaged"),
    )
}
