//! The one writer: an OS thread with prepared statements that commits jobs in groups.
//!
//! A job runs in a savepoint of its own; the group's transaction is committed with `synchronous=FULL` before any of its
//! jobs is answered. A job that fails or panics costs itself; a commit that fails costs the group; where no transaction can
//! begin, everything that waits is told at once, and may be sent again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{Error, ErrorCode};

/// Jobs in one commit at the most: enough to share an fsync, few enough that the first is not kept waiting.
const GROUP: usize = 16;

/// What a job may use.
pub(crate) struct Session<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) interned: &'a mut super::ground::Interned,
}

type Act = Box<dyn FnOnce(&mut Session<'_>) -> Result<Answer, Error> + Send>;
/// Tells a job's sender that it failed.
type Failed = Box<dyn FnOnce(Error) + Send>;
/// Sends the job's answer once it is known whether the commit held.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

enum Job {
    /// Runs inside the group's transaction.
    Act(Act, Failed),
    /// Runs alone, outside any transaction: vacuum, checkpoint.
    Alone(Box<dyn FnOnce(&Connection) + Send>),
    /// Commits what came before, and ends the thread.
    Close,
}

/// A handle on the writer thread; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    jobs: Sender<Job>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    closed: Arc<AtomicBool>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Act(..) => "Act",
            Self::Alone(_) => "Alone",
            Self::Close => "Close",
        })
    }
}

impl Writer {
    /// Connects to the database and starts the thread.
    ///
    /// # Errors
    /// When the connection or the thread cannot be made.
    pub(crate) fn start(path: &Path) -> Result<Self, Error> {
        let connection = connect(path)?;
        let (jobs, queue) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("clew-writer".to_owned())
            .spawn(move || run(connection, &queue))
            .map_err(Error::internal)?;
        Ok(Self {
            jobs,
            thread: Arc::new(Mutex::new(Some(thread))),
            closed: Arc::default(),
        })
    }

    /// Runs `act` in a transaction and returns when it is committed with fsync. Dropping the future does not stop it.
    ///
    /// # Errors
    /// The act's own, or the commit's; nothing of the act is stored then.
    pub(crate) async fn commit<T, F>(&self, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let reply = Arc::new(Mutex::new(Some(reply)));
        let failed = Arc::clone(&reply);
        let act: Act = Box::new(move |session| {
            let value = act(session)?;
            let answer: Answer =
                Box::new(move |committed| answer_once(&reply, committed.map(|()| value)));
            Ok(answer)
        });
        self.send(Job::Act(
            act,
            Box::new(move |error| answer_once(&failed, Err(error))),
        ))?;
        answer.await.map_err(|_| closed())?
    }

    /// Runs `act` between transactions.
    ///
    /// # Errors
    /// The act's own, or when the writer is closed.
    pub(crate) async fn alone<T, F>(&self, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Alone(Box::new(move |connection| {
            let result = unwound(|| act(connection));
            if result.is_err() {
                // It may have left a transaction open, or another patience.
                if !connection.is_autocommit() {
                    let _ = connection.execute_batch("ROLLBACK");
                }
                let _ = connection.busy_timeout(super::shrink::LOCK);
            }
            let _ = reply.send(result);
        })))?;
        answer.await.map_err(|_| closed())?
    }

    fn send(&self, job: Job) -> Result<(), Error> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        self.jobs.send(job).map_err(|_| closed())
    }

    /// Commits everything that was queued, checkpoints, closes the connection, and waits for that.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let _ = self.jobs.send(Job::Close);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

type Reply<T> = Mutex<Option<oneshot::Sender<Result<T, Error>>>>;

/// Answers, unless that has been done; the caller may have gone away, and the work is done all the same.
fn answer_once<T>(reply: &Reply<T>, result: Result<T, Error>) {
    if let Some(reply) = reply.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = reply.send(result);
    }
}

fn closed() -> Error {
    Error::new(ErrorCode::Busy, "Clew is shutting down")
}

/// Opens a connection that writes, with every pragma that durability and purging rest on.
pub(crate) fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(super::shrink::LOCK)?;
    // Enforced foreign keys would walk every referring table for each name that a purge drops; the tests look for
    // dangling references instead.
    // FULL costs 10-15 % and makes an acknowledged span survive a power cut; 64 MiB between checkpoints.
    connection.execute_batch(
        "PRAGMA foreign_keys = OFF;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -32768;
         PRAGMA wal_autocheckpoint = 16384;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn run(connection: Connection, queue: &Receiver<Job>) {
    let mut interned = super::ground::Interned::default();
    let mut next = None;
    while let Some(job) = next.take().or_else(|| queue.recv().ok()) {
        match job {
            Job::Close => break,
            Job::Alone(act) => act(&connection),
            Job::Act(act, failed) => {
                let mut group = vec![(act, failed)];
                while group.len() < GROUP && next.is_none() {
                    match queue.try_recv() {
                        Ok(Job::Act(act, failed)) => group.push((act, failed)),
                        Ok(other) => next = Some(other),
                        Err(_) => break,
                    }
                }
                if let Err(error) = commit(&connection, &mut interned, group) {
                    // Whoever waits would wait for the same: all of them may try again at once.
                    next = next.or_else(|| queue.try_recv().ok());
                    while let Some(Job::Act(_, failed)) = next {
                        failed(error.clone());
                        next = queue.try_recv().ok();
                    }
                }
            }
        }
    }
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
    let _ = connection.close();
}

/// Runs a group of jobs and commits them; each is answered.
///
/// # Errors
/// Where no transaction could begin.
fn commit(
    connection: &Connection,
    interned: &mut super::ground::Interned,
    group: Vec<(Act, Failed)>,
) -> Result<(), Error> {
    let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        let error = Error::from(error);
        group
            .into_iter()
            .for_each(|(_, failed)| failed(error.clone()));
        return Err(error);
    }
    let mut group = group.into_iter();
    for (act, failed) in group.by_ref() {
        match savepoint(connection, interned, act) {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                interned.clear();
                failed(error.clone());
                // A full disk or a failed read makes SQLite roll back the whole transaction by itself.
                if connection.is_autocommit() {
                    answers
                        .into_iter()
                        .for_each(|answer| answer(Err(error.clone())));
                    group.for_each(|(_, failed)| failed(error.clone()));
                    return Ok(());
                }
            }
        }
    }
    let committed = connection.execute_batch("COMMIT").map_err(|error| {
        interned.clear();
        let _ = connection.execute_batch("ROLLBACK");
        Error::from(error)
    });
    answers
        .into_iter()
        .for_each(|answer| answer(committed.clone()));
    Ok(())
}

/// Does something that must not take the writer down with it if it has a defect.
fn unwound<T>(act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        Err(Error::internal(
            "a write panicked; nothing of it was stored",
        ))
    })
}

fn savepoint(
    connection: &Connection,
    interned: &mut super::ground::Interned,
    act: Act,
) -> Result<Answer, Error> {
    connection.execute_batch("SAVEPOINT job")?;
    let result = unwound(|| {
        act(&mut Session {
            connection,
            interned,
        })
    });
    match result {
        Ok(answer) => {
            connection.execute_batch("RELEASE job")?;
            Ok(answer)
        }
        Err(error) => {
            let _ = connection.execute_batch("ROLLBACK TO job; RELEASE job");
            Err(error)
        }
    }
}
