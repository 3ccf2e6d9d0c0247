//! Reads many rows as one. sqlx hands rows over singly from SQLite's thread to the reader's, which takes several times as
//! long as SQLite takes to read them: here each column is joined to one text within SQLite, and taken apart again.

use std::collections::{BTreeSet, HashMap};

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use crate::error::{Cause, Error};

/// Rows joined to one at the most.
const JOINED: usize = 8_192;

/// `SQLITE_TOOBIG`: a joined text would be longer than SQLite allows, 1 GB.
const TOO_BIG: &str = "18";

/// What to select so that [`integers`] can read it: each column joined to one text.
pub(crate) fn joined(columns: &[&str]) -> String {
    let joined = columns
        .iter()
        .map(|column| format!("group_concat(ifnull({column}, ''), ' ')"));
    joined.collect::<Vec<_>>().join(", ")
}

/// The rows of the first `N` columns, which [`joined`] has joined; `None` is NULL.
pub(crate) fn integers<const N: usize>(row: &SqliteRow) -> Vec<[Option<i64>; N]> {
    let mut columns = Vec::with_capacity(N);
    for column in 0..N {
        // Without rows there is nothing to join.
        let Some(text) = row.get::<Option<&str>, _>(column) else {
            return Vec::new();
        };
        columns.push(text.split(' '));
    }
    let mut rows = Vec::new();
    loop {
        let mut values = [None; N];
        for (value, column) in values.iter_mut().zip(&mut columns) {
            let Some(text) = column.next() else {
                return rows;
            };
            *value = text.parse().ok();
        }
        rows.push(values);
    }
}

/// One integer column: `from` writes all that follows `SELECT …`.
pub(crate) async fn column(
    reads: &SqlitePool,
    column: &'static str,
    from: impl FnOnce(&mut QueryBuilder<Sqlite>),
) -> Result<Vec<i64>, Error> {
    let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {} ", joined(&[column])));
    from(&mut query);
    let row = query.build().fetch_one(reads).await?;
    let rows = integers::<1>(&row).into_iter();
    Ok(rows.filter_map(|[value]| value).collect())
}

/// What [`by_id`] has found.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Each may stand for several thousand rows.
    pub(crate) found: Vec<SqliteRow>,
    /// Rows that lie on damaged pages.
    pub(crate) lost: usize,
}

/// What is joined of some rows, in the order of `ids`: `select` names the columns, `from` joins what it reads to
/// `e.value`, an id. Rows that are gone are left out, and so are those on damaged pages, which are counted: what cannot be
/// read is halved until it stands alone.
pub(crate) async fn by_id(
    reads: &SqlitePool,
    select: &str,
    from: &str,
    ids: &[i64],
) -> Result<Answers, Error> {
    let mut answers = Answers::default();
    let mut left: Vec<&[i64]> = ids.chunks(JOINED).rev().collect();
    while let Some(chunk) = left.pop() {
        // One parameter: the statement stays the same however many there are.
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {select} FROM json_each("));
        let list: Vec<String> = chunk.iter().map(ToString::to_string).collect();
        query
            .push_bind(format!("[{}]", list.join(",")))
            .push(") e CROSS JOIN ")
            .push(from);
        match query.build().fetch_one(reads).await {
            Ok(answer) => answers.found.push(answer),
            Err(error) => {
                let too_big = is_too_big(&error);
                let error = Error::from(error);
                let damaged = error.cause == Cause::Damage;
                if damaged && chunk.len() == 1 {
                    answers.lost += 1;
                } else if chunk.len() > 1 && (too_big || damaged) {
                    let (first, second) = chunk.split_at(chunk.len() / 2);
                    left.extend([second, first]);
                } else {
                    return Err(error);
                }
            }
        }
    }
    Ok(answers)
}

fn is_too_big(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some(TOO_BIG))
}

/// Texts by id: `text` names the column, `from` is as in [`by_id`].
pub(crate) async fn texts(
    reads: &SqlitePool,
    text: &str,
    from: &str,
    ids: &BTreeSet<i64>,
) -> Result<HashMap<i64, String>, Error> {
    let ids: Vec<i64> = ids.iter().copied().collect();
    let select = format!("{}, json_group_array({text})", joined(&["e.value"]));
    let mut found = HashMap::with_capacity(ids.len());
    for answer in by_id(reads, &select, from, &ids).await?.found {
        let list: Vec<String> = serde_json::from_str(answer.get(1)).map_err(Error::internal)?;
        let ids = integers::<1>(&answer).into_iter();
        found.extend(ids.zip(list).filter_map(|([id], text)| Some((id?, text))));
    }
    Ok(found)
}
