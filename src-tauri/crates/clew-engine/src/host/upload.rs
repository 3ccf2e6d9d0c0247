//! Files that a page or the command line hands over: kept privately until they have been opened.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::Engine;
use crate::error::{Error, ErrorCode};

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

    /// Writes a body to a private file called `name` and offers it to the engine. Returns the engine's token.
    pub(super) async fn receive(
        &self,
        engine: &Engine,
        name: &str,
        body: Body,
    ) -> Result<String, Error> {
        let folder = self
            .folder
            .join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        make_private(&folder).await?;
        let path = folder.join(plain_name(name));
        if let Err(error) = write(&path, body).await {
            let _ = tokio::fs::remove_dir_all(&folder).await;
            return Err(error);
        }
        let token = engine.offer_file(&path);
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

async fn write(path: &Path, mut body: Body) -> Result<(), Error> {
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
        file.write_all(&data)
            .await
            .map_err(|error| failed("write", path, &error))?;
    }
    file.flush()
        .await
        .map_err(|error| failed("write", path, &error))
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
