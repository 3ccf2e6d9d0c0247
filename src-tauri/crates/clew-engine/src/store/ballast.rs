//! A reserve beside the database that is given up when the disk is full: SQLite needs room even to delete, to
//! checkpoint and to open (reliability.md M12, C5).

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::disk::{self, Space};
use crate::error::Error;

/// Bytes of the reserve: as much as the write-ahead log may hold.
const SIZE: u64 = 64 * 1024 * 1024;

/// The reserve, a file of zeros.
#[derive(Debug, Clone)]
pub(crate) struct Ballast {
    path: PathBuf,
    floor: Option<u64>,
}

impl Ballast {
    /// The reserve of a database; `floor` replaces the free bytes below which telemetry is refused.
    pub(crate) fn new(database: &Path, floor: Option<u64>) -> Self {
        Self {
            path: super::beside(database, ".ballast"),
            floor,
        }
    }

    /// Room on the disk and the size of the reserve: an eighth of the floor, so that a floor of 0 does without.
    fn measure(&self) -> Option<(Space, u64)> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let space = disk::space(folder.unwrap_or(Path::new(".")), self.floor)?;
        Some((space, SIZE.min(space.floor / 8)))
    }

    /// Makes the reserve, or makes it whole again, where that does not cost senders their room.
    ///
    /// # Errors
    /// When the file cannot be written; nothing of it stays then.
    pub(crate) fn fill(&self) -> Result<(), Error> {
        let Some((Space { free, floor }, size)) = self.measure() else {
            return Ok(());
        };
        let held = fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if held >= size || free < floor.saturating_add(size) {
            return Ok(());
        }
        self.remove();
        super::make_private_file(&self.path)?;
        let written = File::options()
            .write(true)
            .open(&self.path)
            .and_then(|file| allocate(file, size));
        written.map_err(|error| {
            self.remove();
            super::io("reserve room in", &self.path, &error)
        })
    }

    /// Gives the reserve up where less than it is free. Says whether the disk is as full as that, reserve or not.
    pub(crate) fn give_way(&self) -> bool {
        let full = self
            .measure()
            .is_some_and(|(space, size)| space.free < size);
        if full && self.path.exists() {
            tracing::warn!(
                "the disk is full: {} is given up so that Clew can still delete",
                self.path.display()
            );
            self.remove();
        }
        full
    }

    fn remove(&self) {
        // It may not be there; what is in the way shows when it is written.
        let _ = fs::remove_file(&self.path);
    }
}

/// Takes the room for real: a file with holes would reserve nothing.
#[cfg(target_os = "linux")]
fn allocate(file: File, size: u64) -> std::io::Result<()> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    Ok(nix::fcntl::posix_fallocate(file, 0, size)?)
}

/// Takes the room for real: a file with holes would reserve nothing.
#[cfg(not(target_os = "linux"))]
fn allocate(mut file: File, size: u64) -> std::io::Result<()> {
    let mut zeros = std::io::Read::take(std::io::repeat(0), size);
    std::io::copy(&mut zeros, &mut file)?;
    file.sync_all()
}
