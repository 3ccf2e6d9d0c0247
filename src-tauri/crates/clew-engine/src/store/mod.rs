//! The SQLite database: one writer thread, read-only connections for everything else.
//!
//! [`open`](Store::open) makes or migrates the file. [`writer`] is the only place that changes it; [`ground`] stores what
//! was received, [`derive`] what follows from it, [`search`] keeps the full-text index, a file of its own, that [`indexing`]
//! fills. [`repack`] joins payload blocks that came small.

pub(crate) mod backup;
pub(crate) mod ballast;
pub(crate) mod blocks;
mod columns;
pub(crate) mod counted;
pub(crate) mod deletion;
pub(crate) mod derive;
pub(crate) mod derived;
pub(crate) mod disk;
pub(crate) mod elsewhere;
pub(crate) mod facets;
mod facts_row;
pub(crate) mod figures;
pub(crate) mod ground;
mod indexing;
pub(crate) mod ledger;
pub(crate) mod overrides;
pub(crate) mod pieces;
pub(crate) mod prepare;
pub(crate) mod prices;
pub(crate) mod purge;
pub(crate) mod related;
mod repack;
pub(crate) mod retention;
pub(crate) mod rows;
pub(crate) mod search;
mod shrink;
pub(crate) mod spans;
pub(crate) mod traces;
mod unused;
pub(crate) mod writer;

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use crate::error::{Cause, Error, ErrorCode};
use ballast::Ballast;
use overrides::Chosen;
use prices::Prices;

/// What `PRAGMA application_id` says of a Clew database: "CLEW".
const APPLICATION_ID: i64 = 0x434C_4557;

/// The first SQLite without the WAL-reset corruption bug (sqlite.org/wal.html#walresetbug).
const SQLITE_FLOOR: i32 = 3_051_003;

const MIGRATIONS: [(i64, &str, &str); 6] = [
    (
        1,
        "ground",
        include_str!("../../migrations/0001_ground.sql"),
    ),
    (
        2,
        "derived",
        include_str!("../../migrations/0002_derived.sql"),
    ),
    (
        3,
        "arrival",
        include_str!("../../migrations/0003_arrival.sql"),
    ),
    (
        4,
        "ledger",
        include_str!("../../migrations/0004_ledger.sql"),
    ),
    (
        5,
        "readings",
        include_str!("../../migrations/0005_readings.sql"),
    ),
    (6, "joins", include_str!("../../migrations/0006_joins.sql")),
];

/// How long the owner of a lock may take to write its name into it, and how often it is looked for.
const NAMING: Duration = Duration::from_secs(1);
const NAMING_STEP: Duration = Duration::from_millis(10);

/// The open database: read connections and its files. Writing is [`writer::Writer`]'s.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) reads: SqlitePool,
    /// What the user decided about prices.
    pub(crate) prices: Prices,
    /// What the user says attributes mean.
    pub(crate) overrides: Chosen,
}

/// Holds the lock that makes this process the only one that writes; the lock falls with it.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Store {
    /// Opens the database for this process to write: locks it, makes or migrates it, and connects readers. Where the disk
    /// is full, the ballast gives way.
    ///
    /// # Errors
    /// In use by another process, not Clew's, newer than this Clew, or unreadable; nothing is changed then.
    pub(crate) async fn open(path: &Path, ballast: &Ballast) -> Result<(Self, Lock), Error> {
        if rusqlite::version_number() < SQLITE_FLOOR {
            return Err(Error::internal(format!(
                "SQLite {} is older than 3.51.3",
                rusqlite::version()
            )));
        }
        make_private_folder(path)?;
        let lock = lock(path, ballast).await?;
        make_private_file(path)?;
        migrate(path).await?;
        make_index(&search::path(path))?;
        Ok((Self::read(path).await?, lock))
    }

    /// Opens the database only to read it, beside a process that may be writing.
    ///
    /// # Errors
    /// Missing, not Clew's, newer or older than this Clew, or unreadable.
    pub(crate) async fn open_read_only(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            return Err(Error::new(
                ErrorCode::NotFound,
                format!(
                    "there is no database at {}: start Clew once, or name another with --db",
                    path.display()
                ),
            ));
        }
        let (schema, known) = (check(path).await?, known_schema());
        if schema < known {
            return Err(Error::new(
                ErrorCode::Io,
                format!(
                    "{} is of an older schema ({schema}, this Clew has {known}): start this Clew once to bring it up to \
                     date, or name another with --db",
                    path.display()
                ),
            ));
        }
        Self::read(path).await
    }

    /// Connects readers, and reads what all of them need.
    async fn read(path: &Path) -> Result<Self, Error> {
        let store = Self {
            path: path.to_owned(),
            reads: connect(path).await?,
            prices: Prices::default(),
            overrides: Chosen::default(),
        };
        store.prices.read(&store.reads).await?;
        store.overrides.read(&store.reads).await?;
        Ok(store)
    }

    /// Bytes of the database with its write-ahead log, and of the index with its own.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |meta| meta.len());
        let both = |path: &Path| size(path.to_owned()) + size(beside(path, "-wal"));
        (both(&self.path), both(&search::path(&self.path)))
    }
}

/// `path` with `suffix` behind its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn io(act: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorCode::Io,
        format!("cannot {act} {}: {error}", path.display()),
    )
}

fn make_private_folder(path: &Path) -> Result<(), Error> {
    let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|error| io("make the folder", folder, &error))
}

/// Makes the file with mode 0600 if it is missing: SQLite gives `-wal` and `-shm` the mode of the database.
fn make_private_file(path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| io("make the database", path, &error))
}

/// Makes the index where there is none, and in the place of one that is damaged: it is built again from the database.
fn make_index(path: &Path) -> Result<(), Error> {
    make_private_file(path)?;
    let made = search::create(path);
    if !made
        .as_ref()
        .is_err_and(|error| error.cause == Cause::Damage)
    {
        return made;
    }
    tracing::warn!("the index {} is damaged: it is made anew", path.display());
    for path in ["", "-wal", "-shm"].map(|suffix| beside(path, suffix)) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", &path, &error));
            }
            _ => {}
        }
    }
    make_private_file(path)?;
    search::create(path)
}

async fn lock(path: &Path, ballast: &Ballast) -> Result<Lock, Error> {
    let lock_path = beside(path, ".lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(&lock_path)
        .map_err(|error| io("open the lock", &lock_path, &error))?;
    if file.try_lock().is_err() {
        let owner = owner(&mut file).await;
        return Err(Error::new(
            ErrorCode::Busy,
            format!(
                "{} is in use by {owner}: use that Clew, or name another database with --db",
                path.display()
            ),
        ));
    }
    ballast.give_way();
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "{}", std::process::id()))
        .and_then(|()| file.flush());
    written.map_err(|error| io("write the lock", &lock_path, &error))?;
    Ok(Lock(file))
}

/// Who holds the lock. Whoever has just taken it may not have written who it is: that is waited for.
async fn owner(file: &mut File) -> String {
    for _ in 0..NAMING.as_millis() / NAMING_STEP.as_millis() {
        let mut owner = String::new();
        let _ = file
            .rewind()
            .and_then(|()| file.read_to_string(&mut owner).map(drop));
        if let Ok(pid) = owner.trim().parse::<u32>() {
            return format!("process {pid}");
        }
        tokio::time::sleep(NAMING_STEP).await;
    }
    "another process".to_owned()
}

fn migrator() -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .into_iter()
            .map(|(version, description, sql)| {
                Migration::new(
                    version,
                    description.into(),
                    MigrationType::Simple,
                    sqlx::SqlSafeStr::into_sql_str(sql),
                    false,
                )
            })
            .collect(),
    )
}

/// Reads, and changes nothing: is this a database that this Clew may use? Answers its schema, 0 where it has none yet.
async fn check(path: &Path) -> Result<i64, Error> {
    if fs::metadata(path).is_ok_and(|meta| meta.len() == 0) {
        return Ok(0);
    }
    let foreign = |reason: String| {
        Error::new(
            ErrorCode::Io,
            format!(
                "{} is not a Clew database ({reason}): name another with --db",
                path.display()
            ),
        )
    };
    let refused = |error: &sqlx::Error| {
        let code = error
            .as_database_error()
            .and_then(|error| error.code()?.parse::<i32>().ok());
        // The lower eight bits are the kind of failure (sqlite.org/rescode.html).
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => Error::new(
                ErrorCode::Busy,
                format!(
                    "{} is locked by another program (a database browser, a backup): close that and try again, or name \
                     another with --db",
                    path.display()
                ),
            ),
            Some(3 | 8 | 10 | 13 | 14 | 23) => Error::new(
                ErrorCode::Io,
                format!("cannot open {}: {error}", path.display()),
            ),
            _ => foreign(error.to_string()),
        }
    };
    // Without a write-ahead log the file is all there is, and looking at it must not make one.
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(!beside(path, "-wal").exists())
        .connect()
        .await
        .map_err(|error| refused(&error))?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| refused(&error))?;
    // A first start that was cut short leaves a header, and perhaps the table that migrations are noted in.
    if id == 0 {
        let tables: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> '_sqlx_migrations'",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(|error| refused(&error))?;
        if tables == 0 {
            return Ok(0);
        }
    }
    if id != APPLICATION_ID {
        return Err(foreign(format!("application id {id:#x}")));
    }
    let newest: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await
        .map_err(|error| refused(&error))?;
    let known = known_schema();
    if newest > known {
        return Err(Error::new(
            ErrorCode::Io,
            format!(
                "{} was written by a newer Clew (schema {newest}, this one knows {known}): update Clew, or name another \
                 database with --db; nothing was changed",
                path.display()
            ),
        ));
    }
    Ok(newest)
}

/// The newest schema that this Clew knows.
fn known_schema() -> i64 {
    MIGRATIONS[MIGRATIONS.len() - 1].0
}

async fn migrate(path: &Path) -> Result<(), Error> {
    let schema = check(path).await?;
    if (1..known_schema()).contains(&schema) {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || backup::make(&path, schema))
            .await
            .map_err(Error::internal)??;
    }
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
        .busy_timeout(Duration::from_secs(5))
        .connect()
        .await?;
    migrator().run(&mut connection).await.map_err(|error| {
        Error::new(
            ErrorCode::Io,
            format!("cannot migrate {}: {error}", path.display()),
        )
    })?;
    sqlx::Connection::close(connection).await?;
    Ok(())
}

async fn connect(path: &Path) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging();
    let index = search::path(path);
    let pool = SqlitePoolOptions::new()
        .min_connections(0)
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(move |connection, _| {
            let index = index.clone();
            Box::pin(async move {
                // The index may be missing beside a database that is only read.
                if !index.exists() {
                    return Ok(());
                }
                let attached = sqlx::query("ATTACH DATABASE ? AS search")
                    .bind(index.to_string_lossy().into_owned())
                    .execute(&mut *connection)
                    .await;
                match attached {
                    Err(error) if is_damage(&error) => {
                        tracing::warn!("cannot use the index {}: {error}", index.display());
                        return Ok(());
                    }
                    attached => attached?,
                };
                // One that is no database would fail every query; only its writer makes it anew.
                let schema = sqlx::query("SELECT count(*) FROM search.sqlite_schema");
                match schema.execute(&mut *connection).await.map_err(Error::from) {
                    Err(error) if error.cause == Cause::Damage => {
                        tracing::warn!("cannot use the index {}: {error}", index.display());
                        sqlx::query("DETACH DATABASE search")
                            .execute(connection)
                            .await?;
                    }
                    _ => {}
                }
                Ok(())
            })
        })
        .connect_with(options)
        .await?;
    Ok(pool)
}

/// Whether a file is no database, or damaged within.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Now, in microseconds since the epoch.
pub(crate) fn now_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

#[cfg(test)]
mod tests;
