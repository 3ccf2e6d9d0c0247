//! Whether the disk can take more: telemetry is refused before the disk is full, so that retention can still work.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;

/// Free bytes below which telemetry is refused: the larger of 512 MiB and 2 % of the file system (reliability.md C5).
const FLOOR: u64 = 512 * 1024 * 1024;

/// How long a reading is good for.
const READING: Duration = Duration::from_secs(1);

/// Watches the free space of the database's file system.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    floor: Option<u64>,
    reading: Mutex<Option<(Instant, Option<String>)>>,
}

impl Disk {
    /// Watches the file system of `database`; `floor` replaces the default number of free bytes.
    pub(crate) fn new(database: &Path, floor: Option<u64>) -> Self {
        let folder = database
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        Self {
            folder: folder.unwrap_or(Path::new(".")).to_owned(),
            floor,
            reading: Mutex::new(None),
        }
    }

    /// Says why nothing can be stored now, if so.
    ///
    /// # Errors
    /// One sentence: what is wrong and what to do.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let current = match reading.take() {
            Some((at, problem)) if now.duration_since(at) < READING => (at, problem),
            _ => (now, self.measure()),
        };
        let result = current.1.clone().map_or(Ok(()), Err);
        *reading = Some(current);
        result
    }

    /// Remembers that a commit failed, so that senders are refused at once for a while.
    pub(crate) fn failed(&self, error: &Error) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        *reading = Some((Instant::now(), Some(error.message.clone())));
    }

    fn measure(&self) -> Option<String> {
        let Space { free, floor } = space(&self.folder, self.floor)?;
        (free < floor).then(|| {
            format!(
                "the disk of {} is nearly full ({} MiB free, {} MiB needed): free some space or lower the size limit in \
                 Settings; nothing that was acknowledged is lost",
                self.folder.display(),
                free / 1024 / 1024,
                floor / 1024 / 1024
            )
        })
    }
}

/// Room on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    /// What this user may still fill.
    pub(crate) free: u64,
    /// Below this, telemetry is refused.
    pub(crate) floor: u64,
}

/// Measures the file system of a folder; `floor` replaces the default. `None` where it cannot be measured.
#[cfg(unix)]
pub(crate) fn space(folder: &Path, floor: Option<u64>) -> Option<Space> {
    let stat = nix::sys::statvfs::statvfs(folder).ok()?;
    // The types differ between platforms.
    #[expect(clippy::useless_conversion, reason = "narrower on some platforms")]
    let (free, all) = (
        u64::from(stat.blocks_available()).saturating_mul(u64::from(stat.fragment_size())),
        u64::from(stat.blocks()).saturating_mul(u64::from(stat.fragment_size())),
    );
    let floor = floor.unwrap_or_else(|| FLOOR.max(all / 50));
    Some(Space { free, floor })
}

/// Measures the file system of a folder; `None` where it cannot be measured.
#[cfg(not(unix))]
pub(crate) fn space(_: &Path, _: Option<u64>) -> Option<Space> {
    None
}
