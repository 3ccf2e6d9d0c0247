//! The repository's own files, as the rules read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing we wrote.
const NOT_OURS: &[&str] = &[
    ".git",
    "target",
    "node_modules",
    "dist",
    "gen",
    "test-results",
    "playwright-report",
    "corpus",
    "artifacts",
];

/// One text file.
pub(super) struct File {
    /// Its path from the root, with forward slashes.
    pub(super) path: String,
    /// Its contents.
    pub(super) text: String,
}

impl File {
    /// The lines that are code, with their numbers from 1: comments left out.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut in_block = false;
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line));
        numbered.filter(move |(_, line)| {
            let line = line.trim_start();
            let was_in_block = in_block;
            if line.starts_with("/*") || line.starts_with("<!--") {
                in_block = true;
            }
            let is_comment = was_in_block || in_block || line.starts_with("//");
            if line.contains("*/") || line.contains("-->") {
                in_block = false;
            }
            !is_comment
        })
    }

    /// The file's name.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether the whole file is test code.
    pub(super) fn is_test(&self) -> bool {
        let name = self.name();
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
            || name.ends_with(".test.ts")
    }
}

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file below a folder of the repository whose name ends in one of these.
pub(super) fn below(folder: &str, endings: &[&str]) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !NOT_OURS.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending))
                && let Ok(text) = fs::read_to_string(&path)
            {
                let relative = path.strip_prefix(&root).unwrap_or(&path);
                let path = relative.to_string_lossy().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A file of the repository.
pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}
