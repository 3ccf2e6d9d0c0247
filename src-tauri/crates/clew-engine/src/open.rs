//! Opens saved trace files: sniffed by content, read in pieces, every file a source of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use clew_core::format::{self, FileFormat};
use clew_core::otlp::{Batch, Problem};
use tokio::sync::mpsc;

use crate::api::Opened;
use crate::engine::{Engine, Offered};
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::ingest::Committed;
use crate::store::now_micros;

mod sample;

pub(crate) use sample::sample;

/// Bytes of a file that are looked at to find its format.
const HEAD: usize = 64 * 1024;

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// Problems that are reported one by one.
const PROBLEMS: usize = 100;

type Piece = (Batch, Vec<Problem>);

/// Reads a file into a source of its own, and says what was in it. Opened again, it adds what is new.
///
/// # Errors
/// Not a regular file, unreadable, or of no known format; nothing is stored then.
pub(crate) async fn file(engine: &Engine, file: Offered) -> Result<Opened, Error> {
    let path = file.path.as_path();
    let label = label(path);
    let shown = label.clone();
    let failed = move |why: &dyn std::fmt::Display| {
        Error::new(ErrorCode::Io, format!("cannot open {shown:?}: {why}"))
    };
    let meta = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if !meta.is_file() {
        return Err(failed(&"it is not a regular file"));
    }
    let mut reader =
        plain(File::open(path).map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
    let head = reader.fill_buf().map_err(|error| failed(&error))?;
    let format = format::sniff(&head[..head.len().min(HEAD)]).ok_or_else(|| {
        failed(&"it is of no format that Clew knows (OTLP JSON, OTLP JSON Lines)")
    })?;
    let canonical = || std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let key = file.key.clone();
    let key = key.unwrap_or_else(|| canonical().to_string_lossy().into_owned());
    let source = source(engine, key, label.clone(), format.title()).await?;
    let (send, receive) = mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || read(reader, format, &send));
    let mut opened = store(engine, source, label, receive).await?;
    if let Err(error) = reading.await.map_err(Error::internal)? {
        opened
            .problems
            .push(format!("the file ends early: {error}"));
        opened.problem_count += 1;
    }
    announce(engine);
    Ok(opened)
}

/// A file's name without its folder, as it is shown.
pub(crate) fn label(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

pub(super) fn announce(engine: &Engine) {
    engine.wake_deriver();
    engine.inner.changes.changed(Topic::Sources);
    engine.inner.changes.changed(Topic::Spans);
}

/// A reader of the file's plain text, whatever it is compressed with.
fn plain(file: File) -> std::io::Result<BufReader<Box<dyn Read + Send>>> {
    let mut file = BufReader::with_capacity(HEAD, file);
    let head = file.fill_buf()?;
    let inner: Box<dyn Read + Send> = if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(file))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(file)?)
    } else {
        Box::new(file)
    };
    Ok(BufReader::with_capacity(HEAD, inner))
}

fn read(
    mut reader: BufReader<Box<dyn Read + Send>>,
    format: &dyn FileFormat,
    send: &mpsc::Sender<Piece>,
) -> std::io::Result<()> {
    let mut parser = format.reader();
    let mut sink =
        |batch: Batch, problems: Vec<Problem>| drop(send.blocking_send((batch, problems)));
    let mut piece = vec![0; PIECE];
    let result = loop {
        // Nobody takes the rest where it is refused, where the file is closed, or when the engine shuts down.
        if send.is_closed() {
            return Ok(());
        }
        match reader.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(count) => parser.push(&piece[..count], &mut sink),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    parser.finish(&mut sink);
    result
}

/// The id of the source for a key, made if it is new.
pub(super) async fn source(
    engine: &Engine,
    key: String,
    label: String,
    format: &'static str,
) -> Result<i64, Error> {
    engine
        .writer()?
        .commit(move |session| {
            session.connection.execute(
                "INSERT INTO sources (key, label, format, opened) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET opened = excluded.opened, format = excluded.format",
                rusqlite::params![key, label, format, now_micros()],
            )?;
            let id = session.connection.query_row("SELECT id FROM sources WHERE key = ?", [key], |row| row.get(0))?;
            Ok(id)
        })
        .await
}

/// Stores what is read, as it is read.
async fn store(
    engine: &Engine,
    source: i64,
    label: String,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<Opened, Error> {
    let mut total = Committed::default();
    let mut problems = Vec::new();
    let mut problem_count = 0;
    while let Some((batch, wrong)) = pieces.recv().await {
        problem_count += u64::try_from(wrong.len()).unwrap_or(0);
        let room = PROBLEMS - problems.len();
        problems.extend(
            wrong
                .into_iter()
                .take(room)
                .map(|problem| format!("{}: {}", problem.item, problem.reason)),
        );
        let stored = engine
            .ingest()?
            .commit_patiently(source, batch)
            .await
            .map_err(|refused| {
                Error::new(ErrorCode::Io, format!("cannot store {label:?}: {refused}"))
            })?;
        total.spans += stored.spans;
        total.traces += stored.traces;
        total.logs += stored.logs;
        total.points += stored.points;
    }
    Ok(Opened {
        source: Some(source),
        label,
        spans: total.spans,
        traces: total.traces,
        logs: total.logs,
        points: total.points,
        problems,
        problem_count,
    })
}
