//! Files that a page or the command line hands over: kept privately until they have been opened.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::engine::{Engine, Offered};
use crate::error::{Error, ErrorCode};
use crate::store::disk::Disk;

/// Largest file that is taken over HTTP, in bytes: 16 GiB.
const SIZE_LIMIT: u64 = 16 << 30;
/// Longest silence within a file (reliability A8).
const STALL: Duration = Duration::from_secs(30);
/// Longest file name in bytes, below the 255 of file systems.
const NAME_LIMIT: usize = 200;

/// Files received and not opened yet: one folder each, so that a file keeps its own name.
#[derive(Debug)]
pub(super) struct Uploads {
    folder: PathBuf,
    next: AtomicU64,
    by_token: Mutex<HashMap<String, PathBuf>>,
}

impl Uploads {
    /// Keeps files in `<database>.uploads`, which only the user can read. What an earlier run left there is removed:
    /// the caller holds the database's lock, so no other Clew uses the folder.
    pub(super) fn beside(database: &Path) -> Result<Self, Error> {
        let mut folder = database.as_os_str().to_owned();
        folder.push(".uploads");
        let folder = PathBuf::from(folder);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("remove", &folder, &error));
            }
            _ => {}
        }
        Ok(Self {
            folder,
            next: AtomicU64::new(0),
            by_token: Mutex::default(),
        })
    }

    /// Writes a body to a private file called `name` and offers it to the engine. Returns the engine's token. `origin` is
    /// the whole path of the file that the sender read, if it has one.
    pub(super) async fn receive(
        &self,
        engine: &Engine,
        name: &str,
        origin: Option<String>,
        body: Body,
    ) -> Result<String, Error> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(number.to_string());
        make_private(&folder).await?;
        let mut unfinished = Unfinished(Some(folder.clone()));
        let name = plain_name(name);
        let path = folder.join(&name);
        let options = engine.options();
        let disk = Disk::new(&options.database, options.disk_floor);
        let content = write(&path, body, &disk).await?;
        unfinished.0 = None;
        // Where it is kept says nothing of it: what it holds does, unless its sender has it in a file.
        let key = match origin {
            Some(origin) => origin,
            None => format!("{content}/{name}"),
        };
        let token = engine.offer(Offered {
            path,
            key: Some(key),
        });
        self.lock().insert(token.clone(), folder);
        Ok(token)
    }

    /// Removes the files of these tokens.
    pub(super) fn forget(&self, tokens: &[String]) {
        for token in tokens {
            if let Some(folder) = self.lock().remove(token)
                && let Err(error) = std::fs::remove_dir_all(&folder)
            {
                tracing::warn!("cannot remove {}: {error}", folder.display());
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, PathBuf>> {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A folder that goes with its file unless all of it has arrived: also when the client leaves and nobody waits any more.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn failed(act: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorCode::Io,
        format!("cannot {act} {}: {error}", path.display()),
    )
}

async fn make_private(folder: &Path) -> Result<(), Error> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder
        .create(folder)
        .await
        .map_err(|error| failed("make", folder, &error))
}

/// Writes a body to a new file while the disk has room; returns the hash of what it holds, in hex.
async fn write(path: &Path, mut body: Body, disk: &Disk) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options
        .open(path)
        .await
        .map_err(|error| failed("create", path, &error))?;
    let mut size = 0u64;
    loop {
        let frame = tokio::time::timeout(STALL, body.frame())
            .await
            .map_err(|_| Error::new(ErrorCode::BadRequest, "the file stopped arriving"))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| {
            Error::new(
                ErrorCode::BadRequest,
                format!("the file broke off: {error}"),
            )
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        size = size.saturating_add(data.len() as u64);
        if size > SIZE_LIMIT {
            return Err(Error::new(
                ErrorCode::BadRequest,
                "the file is larger than 16 GiB: split it, or open it with `clew import`",
            ));
        }
        disk.check()
            .map_err(|full| Error::new(ErrorCode::Io, full))?;
        hasher.update(&data);
        file.write_all(&data)
            .await
            .map_err(|error| failed("write", path, &error))?;
    }
    file.flush()
        .await
        .map_err(|error| failed("write", path, &error))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The last part of a name, without anything that a file system or a terminal would act on.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut plain: String = last
        .chars()
        .filter(|character| !character.is_control())
        .collect();
    while plain.len() > NAME_LIMIT {
        plain.pop();
    }
    match plain.as_str() {
        "" | "." | ".." => "file".to_owned(),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn a_hostile_name_stays_in_its_folder() {
        let cases = [
            ("trace.json", "trace.json"),
            ("../../etc/passwd", "passwd"),
            ("C:\\dir\\t.jsonl", "t.jsonl"),
            ("..", "file"),
            ("a/..", "file"),
            ("", "file"),
            ("$(x)\n[*].json", "$(x)[*].json"),
            ("\u{1b}[31mred\0", "[31mred"),
        ];
        for (given, kept) in cases {
            assert_eq!(plain_name(given), kept, "{given:?}");
        }
        assert!(plain_name(&"é".repeat(500)).len() <= 200);
    }
}
