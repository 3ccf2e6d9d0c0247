//! The copy of a database that is made before an older one is migrated (reliability.md C11).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::error::{Error, ErrorCode};

/// How long a copy is kept: long enough to notice that the new version is not wanted.
pub(crate) const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The path of the copy that was made at a schema version.
pub(crate) fn path(database: &Path, schema: i64) -> PathBuf {
    super::beside(database, &format!(".schema-{schema}.backup"))
}

/// Copies a database of this schema version, whole and with fsync; a copy of that version is replaced.
///
/// # Errors
/// When the copy cannot be made, for want of room for instance.
pub(crate) fn make(database: &Path, schema: i64) -> Result<(), Error> {
    let (copy, part) = (
        path(database, schema),
        super::beside(database, ".backup.part"),
    );
    let failed = |why: &dyn std::fmt::Display| {
        let _ = fs::remove_file(&part);
        Error::new(
            ErrorCode::Io,
            format!(
                "cannot keep a copy of {} before its schema changes: {why}; free as much room as the database takes, or \
                 name another with --db; nothing was changed",
                database.display()
            ),
        )
    };
    let _ = fs::remove_file(&part);
    super::make_private_file(&part)?;
    let copied = Connection::open(database).and_then(|connection| {
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute("VACUUM INTO ?", [part.to_string_lossy()])?;
        connection.close().map_err(|(_, error)| error)
    });
    copied.map_err(|error| failed(&error))?;
    File::open(&part)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&part, &copy))
        .and_then(|()| sync_folder(&copy))
        .map_err(|error| failed(&error))?;
    tracing::info!(
        "{} is of an older schema; a copy stays in {} for {} days",
        database.display(),
        copy.display(),
        KEPT.as_secs() / 86_400
    );
    Ok(())
}

/// Makes the name of a new file last: without this a power cut may take the copy after the migration has begun.
#[cfg(unix)]
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Folders cannot be opened to be synchronised here; the file system keeps their order.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Removes the copies that are older than this: `Duration::ZERO` is all.
pub(crate) fn remove(database: &Path, older_than: Duration) {
    for (schema, ..) in super::MIGRATIONS {
        let copy = path(database, schema);
        let age = fs::metadata(&copy)
            .and_then(|meta| meta.modified())
            .map(|made| made.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age >= older_than)
            && let Err(error) = fs::remove_file(&copy)
        {
            tracing::warn!("cannot remove {}: {error}", copy.display());
        }
    }
}
