//! The full-text index: its own SQLite file beside the database, filled behind a watermark, never on the way to an
//! acknowledgement. It holds no content of its own and can be deleted at any time: it is built again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::shrink;
use crate::error::Error;

/// Bytes of one text that are indexed.
const TEXT_BYTES: usize = 1024 * 1024;

/// Raised when the tokenizer, the columns, the settings or the texts of equal spans change: the index is then built again.
const VERSION: i64 = 4;

/// Pages that one step of merging writes: about 50 ms.
const MERGE_PAGES: i64 = 256;

/// Bytes of words that are gathered in memory before they are written as a segment. They are sorted by walking a list, in
/// no order: 16 MiB, which fit into no core's cache, cost up to four times as much a span.
const GATHERED_BYTES: usize = 1024 * 1024;

/// Bytes of text that make so many bytes of words, at the least.
const SEGMENT_TEXT: usize = 2 * GATHERED_BYTES;

/// Segments that may be there before merging is caught up on between transactions: a word is looked for in each, which
/// costs about 10 µs.
const SEGMENTS: usize = 256;

/// Bytes of texts kept for spans that the index has not reached yet; see [`Index::has_room`].
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// What is indexed of a span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) span: i64,
    /// Its name, and the ids of its response and request.
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) error: String,
}

impl Texts {
    /// Bytes of all texts.
    pub(crate) fn bytes(&self) -> usize {
        self.name.len() + self.input.len() + self.output.len() + self.error.len()
    }
}

/// The path of the index of a database.
pub(crate) fn path(database: &Path) -> PathBuf {
    super::beside(database, ".search")
}

/// What a list says that was asked for words and has no index to look in.
pub(crate) const MISSING: &str = "The full-text index beside the database is missing or damaged, so words were not looked for: \
                                  start Clew on this database once to build it again.";

/// Whether a connection that reads has an index: beside a database that is only read there may be none.
pub(crate) async fn is_attached(connection: &mut sqlx::SqliteConnection) -> Result<bool, Error> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pragma_database_list WHERE name = 'search')",
    )
    .fetch_one(connection)
    .await?)
}

/// Makes the index file's tables if they are missing or of another version.
///
/// FTS5 never merges by itself: while texts wait, each word is sorted and written once, and [`Index::merge`] follows in
/// steps. Eight segments are worth merging. A level of 1,000, which it would merge all at once, does not come about.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    make_tables(&connect(path)?)
}

fn make_tables(connection: &Connection) -> Result<(), Error> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != VERSION {
        connection.execute_batch(&format!(
            "BEGIN;
             DROP TABLE IF EXISTS texts;
             DROP TABLE IF EXISTS progress;
             CREATE VIRTUAL TABLE texts USING fts5(
                 name, input, output, error,
                 content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
             );
             INSERT INTO texts (texts, rank) VALUES ('hashsize', {GATHERED_BYTES});
             INSERT INTO texts (texts, rank) VALUES ('automerge', 0);
             INSERT INTO texts (texts, rank) VALUES ('usermerge', 8);
             INSERT INTO texts (texts, rank) VALUES ('crisismerge', 1000);
             CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), through INTEGER NOT NULL) STRICT;
             INSERT INTO progress VALUES (1, 0);",
        ))?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(shrink::LOCK)?;
    // NORMAL: a power cut may take the last entries with their watermark, and they are indexed again.
    connection.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 8192;
         PRAGMA journal_size_limit = 33554432;",
    )?;
    Ok(connection)
}

/// The index, open to be written.
///
/// Spans beyond the watermark may be on their way to it while they are deleted or derived again; what became of them is
/// kept until the watermark passes them, so that nothing outdated gets in.
#[derive(Debug)]
pub(crate) struct Index {
    connection: Connection,
    /// The database: what is gone there must not come back here.
    database: PathBuf,
    /// Spans beyond the watermark: newer texts, or `None` where the span is gone.
    newer: BTreeMap<i64, Option<Texts>>,
    kept_bytes: usize,
    /// Segments written since nothing was left to merge, about.
    segments: usize,
}

/// The index, shared by those who write it.
pub(crate) type SharedIndex = Arc<Mutex<Index>>;

/// Does something to the index on a thread that may block.
pub(crate) async fn with<T: Send + 'static>(
    index: &SharedIndex,
    act: impl FnOnce(&mut Index) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let index = Arc::clone(index);
    tokio::task::spawn_blocking(move || {
        act(&mut index.lock().unwrap_or_else(PoisonError::into_inner))
    })
    .await
    .map_err(Error::internal)?
}

impl Index {
    /// Opens the index of a database.
    pub(crate) fn open(database: &Path) -> Result<Self, Error> {
        Ok(Self {
            connection: connect(&path(database))?,
            database: database.to_owned(),
            newer: BTreeMap::new(),
            kept_bytes: 0,
            segments: 0,
        })
    }

    /// Every span up to this id is indexed.
    pub(crate) fn through(&self) -> Result<i64, Error> {
        Ok(self
            .connection
            .query_row("SELECT through FROM progress", [], |row| row.get(0))?)
    }

    /// Indexes the spans that follow the watermark and moves it to `through`; `false` where the watermark is not at
    /// `after`, and the texts are not those that it waits for.
    pub(crate) fn add(
        &mut self,
        mut texts: Vec<Texts>,
        after: i64,
        through: i64,
    ) -> Result<bool, Error> {
        let transaction = self.connection.transaction()?;
        let bytes: usize = {
            let watermark: i64 =
                transaction.query_row("SELECT through FROM progress", [], |row| row.get(0))?;
            if watermark != after {
                return Ok(false);
            }
            let newer = self.newer.range(..=through);
            texts.retain(|text| !self.newer.contains_key(&text.span));
            texts.extend(newer.filter_map(|(_, text)| text.clone()));
            texts.sort_unstable_by_key(|text| text.span);
            for text in &texts {
                insert(&transaction, text)?;
            }
            transaction.execute("UPDATE progress SET through = ?", [through])?;
            texts.iter().map(Texts::bytes).sum()
        };
        transaction.commit()?;
        self.newer = self.newer.split_off(&through.saturating_add(1));
        self.kept_bytes = self.newer.values().flatten().map(Texts::bytes).sum();
        self.segments += 1 + bytes / SEGMENT_TEXT;
        if self.segments > SEGMENTS {
            self.merge(false)?;
        }
        Ok(true)
    }

    /// Whether texts of spans beyond the watermark can be kept for it.
    pub(crate) fn has_room(&self) -> bool {
        self.kept_bytes < KEPT_BYTES
    }

    /// Indexes spans anew that were derived again, unless they have been purged meanwhile: a purge is committed before
    /// its words are removed here, so that looking now is not too early.
    pub(crate) fn replace(&mut self, mut texts: Vec<Texts>) -> Result<(), Error> {
        let ground = Connection::open_with_flags(&self.database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        ground.busy_timeout(shrink::LOCK)?;
        let mut there = ground.prepare("SELECT 1 FROM spans WHERE id = ?")?;
        let mut known = Ok(());
        texts.retain(|text| {
            there.exists([text.span]).unwrap_or_else(|error| {
                known = Err(error);
                false
            })
        });
        known?;
        let transaction = self.connection.transaction()?;
        let watermark: i64 =
            transaction.query_row("SELECT through FROM progress", [], |row| row.get(0))?;
        for text in texts.iter().filter(|text| text.span <= watermark) {
            delete(&transaction, text.span)?;
            insert(&transaction, text)?;
        }
        transaction.commit()?;
        for text in texts {
            // A span that is gone stays gone.
            if text.span > watermark && self.newer.get(&text.span) != Some(&None) {
                self.kept_bytes += text.bytes();
                self.newer.insert(text.span, Some(text));
            }
        }
        Ok(())
    }

    /// Removes spans from the index. Their words stay in the file until what holds them is merged.
    pub(crate) fn remove(&mut self, spans: &[i64]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        let watermark: i64 =
            transaction.query_row("SELECT through FROM progress", [], |row| row.get(0))?;
        for &span in spans.iter().filter(|span| **span <= watermark) {
            delete(&transaction, span)?;
        }
        transaction.commit()?;
        let beyond = spans.iter().filter(|span| **span > watermark);
        self.newer.extend(beyond.map(|span| (*span, None)));
        Ok(())
    }

    /// Makes a damaged index anew in its place, so that it is built again; whoever reads it goes on with the new one
    /// (sqlite.org/c3ref/c_dbconfig_defensive.html, `SQLITE_DBCONFIG_RESET_DATABASE`).
    pub(crate) fn make_anew(&mut self) -> Result<(), Error> {
        let reset = DbConfig::SQLITE_DBCONFIG_RESET_DATABASE;
        self.connection.flush_prepared_statement_cache();
        self.connection.set_db_config(reset, true)?;
        let emptied = self.connection.execute_batch("VACUUM");
        self.connection.set_db_config(reset, false)?;
        emptied?;
        make_tables(&self.connection)
    }

    /// Takes one step of merging; whether nothing is left to merge. With `whole`, it begins to merge everything, which
    /// further steps go on with: deleted rows of a contentless index are only marked, merging drops them, and
    /// `secure_delete` overwrites the pages that this frees. Otherwise only where it is worth it: above a tenth is marked.
    pub(crate) fn merge(&mut self, whole: bool) -> Result<bool, Error> {
        let before = self.connection.total_changes();
        self.connection
            .prepare_cached("INSERT INTO texts (texts, rank) VALUES ('merge', ?)")?
            .execute([if whole { -MERGE_PAGES } else { MERGE_PAGES }])?;
        // The row of the command itself is one change (sqlite.org/fts5.html, the 'merge' command).
        let done = self.connection.total_changes().saturating_sub(before) < 2;
        if done {
            self.segments = 0;
        }
        Ok(done)
    }

    /// Gives a slice of freed pages back; whether that was all.
    pub(crate) fn vacuum(&self) -> Result<bool, Error> {
        shrink::vacuum(&self.connection)
    }

    /// Empties the index's write-ahead log; `false` where a reader still needs it.
    pub(crate) fn checkpoint(&self) -> Result<bool, Error> {
        shrink::checkpoint(&self.connection)
    }

    /// Empties the index, so that it is built again.
    pub(crate) fn reset(&mut self) -> Result<(), Error> {
        Ok(self.connection.execute_batch(
            "BEGIN;
             INSERT INTO texts (texts) VALUES ('delete-all');
             UPDATE progress SET through = 0;
             COMMIT;",
        )?)
    }
}

fn insert(connection: &Connection, text: &Texts) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO texts (rowid, name, input, output, error) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            text.span,
            text.name,
            cut(&text.input),
            cut(&text.output),
            cut(&text.error)
        ])?;
    Ok(())
}

fn delete(connection: &Connection, span: i64) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM texts WHERE rowid = ?")?
        .execute([span])?;
    Ok(())
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES)]
}

/// What the user typed as an FTS5 expression: every word and every quoted phrase must occur, the last word also as the
/// beginning of a longer one. `None` where nothing in it can be searched. No operator of FTS5 gets through.
pub(crate) fn expression(typed: &str) -> Option<String> {
    let mut terms: Vec<String> = Vec::new();
    let mut prefix = false;
    for (index, piece) in typed.split('"').enumerate() {
        let quoted = index % 2 == 1;
        let phrases: Vec<&str> = if quoted {
            vec![piece]
        } else {
            piece.split_whitespace().collect()
        };
        for phrase in phrases
            .into_iter()
            .filter(|phrase| phrase.contains(char::is_alphanumeric))
        {
            terms.push(format!("\"{}\"", phrase.replace('\0', " ")));
            prefix = !quoted;
        }
    }
    if prefix && !typed.ends_with(char::is_whitespace) {
        terms.last_mut()?.push('*');
    }
    (!terms.is_empty()).then(|| terms.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_operators_become_terms() {
        assert_eq!(
            expression("refund order").as_deref(),
            Some("\"refund\" AND \"order\"*")
        );
        assert_eq!(
            expression("\"late order\" NOT").as_deref(),
            Some("\"late order\" AND \"NOT\"*")
        );
        assert_eq!(
            expression("a* OR (b").as_deref(),
            Some("\"a*\" AND \"OR\" AND \"(b\"*")
        );
        assert_eq!(expression("done ").as_deref(), Some("\"done\""));
        assert_eq!(expression(" \"\" * ()"), None);
    }

    #[test]
    fn any_text_is_a_valid_expression() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let file = folder.path().join("t.search");
        create(&file).expect("creates");
        let connection = connect(&file).expect("connects");
        for typed in [
            "\"",
            "a\"b\"c",
            "'; DROP TABLE texts; --",
            "NEAR(a b)",
            "^x",
            "{name}: y",
            "-z",
            "日本語",
            "a\0b",
        ] {
            if let Some(expression) = expression(typed) {
                let count = connection.query_row(
                    "SELECT count(*) FROM texts WHERE texts MATCH ?",
                    [&expression],
                    |row| row.get::<_, i64>(0),
                );
                assert_eq!(count, Ok(0), "{typed:?} as {expression:?}");
            }
        }
    }

    const MANY: i64 = SEGMENTS as i64;

    /// Spans in as many transactions, each with a word of its own.
    fn filled(database: &Path, spans: i64) -> Index {
        create(&path(database)).expect("creates");
        let mut index = Index::open(database).expect("opens");
        for span in 1..=spans {
            let text = Texts {
                span,
                input: format!("{span}zebra and what all have"),
                ..Texts::default()
            };
            let added = index.add(vec![text], span - 1, span);
            assert!(added.expect("adds"), "{span}");
        }
        index
    }

    fn found(index: &Index, word: &str) -> Vec<i64> {
        let mut find = index
            .connection
            .prepare("SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid")
            .expect("prepares");
        let rows = find.query_map([word], |row| row.get(0)).expect("finds");
        rows.collect::<Result<_, _>>().expect("rows")
    }

    /// Where FTS5 keeps its words: one row for each segment and page of it.
    fn pages(index: &Index) -> i64 {
        let count = "SELECT count(*) FROM texts_idx";
        let count = index.connection.query_row(count, [], |row| row.get(0));
        count.expect("a count")
    }

    #[test]
    fn words_are_found_before_and_after_they_are_merged() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let spans = MANY + 40;
        let mut index = filled(&folder.path().join("t.db"), spans);
        let found_all = |index: &Index| {
            let all: Vec<i64> = (1..=spans).collect();
            assert_eq!(found(index, "have"), all);
            for span in [1, 2, 100, MANY, spans] {
                assert_eq!(found(index, &format!("{span}zebra")), [span]);
            }
        };
        found_all(&index);
        // Above so many segments, merging keeps up.
        assert!(pages(&index) < MANY, "{}", pages(&index));
        while !index.merge(false).expect("merges") {}
        assert!(pages(&index) < 8, "{}", pages(&index));
        found_all(&index);
    }

    #[test]
    fn what_is_removed_from_many_segments_is_in_no_file_any_more() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let mut index = filled(&folder.path().join("t.db"), 9);
        // Words are kept without what they share with the one before: these share nothing with it.
        let holds = |word: &str| {
            let files = std::fs::read_dir(folder.path()).expect("a folder");
            files.into_iter().any(|file| {
                let bytes = std::fs::read(file.expect("a file").path()).expect("it is readable");
                bytes
                    .windows(word.len())
                    .any(|part| part == word.as_bytes())
            })
        };
        assert!(holds("7zebra") && holds("9zebra"));
        index.remove(&[7, 9]).expect("removes");
        let mut first = true;
        while !index.merge(first).expect("merges") {
            first = false;
        }
        while !index.vacuum().expect("gives back") {}
        assert!(index.checkpoint().expect("empties the log"));
        assert!(!holds("7zebra") && !holds("9zebra"));
        assert!(found(&index, "7zebra").is_empty());
        assert_eq!(found(&index, "have"), [1, 2, 3, 4, 5, 6, 8]);
        assert_eq!(found(&index, "8zebra"), [8]);
    }
}
