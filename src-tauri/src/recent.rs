//! The files that were opened last: kept beside the window's own data, newest first. The page sees names, never paths.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clew_engine::{Engine, Error};
use serde::Serialize;
use tauri::State;

/// How many are kept.
const KEPT: usize = 10;
/// The file that keeps them.
const FILE: &str = "recent.json";

/// The files that were opened last.
#[derive(Debug)]
pub(crate) struct Recent {
    file: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The next file's id.
    next: u32,
    /// Newest first.
    files: Vec<(u32, PathBuf)>,
}

impl Known {
    /// Puts a file first; what is known already keeps its id.
    fn put_first(&mut self, path: &Path) {
        let known = self.files.iter().position(|(_, known)| known == path);
        let entry = known.map_or_else(
            || {
                self.next += 1;
                (self.next, path.to_owned())
            },
            |at| self.files.remove(at),
        );
        self.files.insert(0, entry);
        self.files.truncate(KEPT);
    }
}

/// A file as the page lists it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RecentFile {
    /// Names it in [`pick_recent`], as long as Clew runs.
    id: u32,
    /// Its name, without its folder.
    name: String,
    /// The name of its folder; empty for the root.
    folder: String,
}

impl Recent {
    /// Reads what the last window kept in `folder`; nothing where that cannot be read.
    pub(crate) fn read(folder: &Path) -> Self {
        let file = folder.join(FILE);
        let mut known = Known::default();
        let kept: Vec<PathBuf> = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        for path in kept.iter().rev() {
            known.put_first(path);
        }
        Self {
            file,
            known: Mutex::new(known),
        }
    }

    /// Remembers files, the last of them as the newest. The next window knows none whose path is no text.
    pub(crate) fn add(&self, paths: &[PathBuf]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths {
            known.put_first(path);
        }
        let paths = known.files.iter().filter_map(|(_, path)| path.to_str());
        let paths: Vec<&str> = paths.collect();
        if let Err(error) = self.write(&paths) {
            tracing::warn!("cannot keep the list of recent files: {error}");
        }
    }

    /// What is still there, newest first.
    fn list(&self) -> Vec<RecentFile> {
        let name = |path: Option<&Path>| {
            let name = path.and_then(Path::file_name).unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let there = known.files.iter().filter(|(_, path)| path.is_file());
        there
            .map(|(id, path)| RecentFile {
                id: *id,
                name: name(Some(path)),
                folder: name(path.parent()),
            })
            .collect()
    }

    fn path(&self, id: u32) -> Option<PathBuf> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.files.iter().find(|(one, _)| *one == id);
        found.map(|(_, path)| path.clone())
    }

    fn write(&self, paths: &[&str]) -> std::io::Result<()> {
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&self.file, serde_json::to_vec(paths)?)
    }
}

/// Lists the files that were opened last.
#[tauri::command]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tauri hands parameters over by value"
)]
pub(crate) fn recent_files(recent: State<'_, Recent>) -> Vec<RecentFile> {
    recent.list()
}

/// Offers one of them again; its token.
#[tauri::command]
#[expect(
    clippy::needless_pass_by_value,
    reason = "tauri hands parameters over by value"
)]
pub(crate) fn pick_recent(
    id: u32,
    recent: State<'_, Recent>,
    engine: State<'_, Engine>,
) -> Result<Vec<String>, Error> {
    let path = recent.path(id).filter(|path| path.is_file());
    let path = path.ok_or_else(|| {
        let message = "the file is not where it was";
        Error::new(clew_engine::ErrorCode::NotFound, message)
    })?;
    recent.add(std::slice::from_ref(&path));
    Ok(vec![engine.offer_file(&path)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(recent: &Recent) -> Vec<String> {
        recent.list().into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn the_newest_comes_first_and_what_is_gone_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<PathBuf> = (0..12)
            .map(|number| folder.path().join(format!("{number}.jsonl")))
            .collect();
        for path in &paths {
            std::fs::write(path, "{}").expect("a file");
        }
        let recent = Recent::read(folder.path());
        assert_eq!(recent.list(), []);
        recent.add(&paths[..3]);
        assert_eq!(names(&recent), ["2.jsonl", "1.jsonl", "0.jsonl"]);
        let first = recent.list()[2].id;
        recent.add(&paths[..1]);
        assert_eq!(names(&recent), ["0.jsonl", "2.jsonl", "1.jsonl"]);
        assert_eq!(recent.list()[0].id, first, "it is the same file");
        assert_eq!(recent.path(first).as_ref(), Some(&paths[0]));
        std::fs::remove_file(&paths[2]).expect("removed");
        assert_eq!(names(&recent), ["0.jsonl", "1.jsonl"]);
        recent.add(&paths);
        assert_eq!(names(&recent).len(), KEPT - 1);
    }

    #[test]
    fn the_next_window_knows_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("data");
        let paths = ["a.json", "b.json"].map(|name| folder.path().join(name));
        for path in &paths {
            std::fs::write(path, "{}").expect("a file");
        }
        Recent::read(&own).add(&paths);
        let again = Recent::read(&own);
        assert_eq!(names(&again), ["b.json", "a.json"]);
        let here = folder.path().file_name().expect("a name").to_string_lossy();
        assert_eq!(again.list()[0].folder, here);
        std::fs::write(own.join(FILE), "{broken").expect("written");
        assert_eq!(Recent::read(&own).list(), []);
    }
}
