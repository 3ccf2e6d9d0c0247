//! Lengths, generated files, links.

use super::files::{below, read, root};
use super::tidy;

/// The longest file that is still one purpose.
const LINES: usize = 600;

/// The longest component that is still one purpose.
const COMPONENT: usize = 200;

/// Files that are tables, with the reason.
const TABLES: &[(&str, &str)] = &[];

#[test]
fn no_file_is_longer_than_one_purpose_needs() {
    let mut complaints = Vec::new();
    for file in below(
        "",
        &[".rs", ".ts", ".svelte", ".css", ".py", ".mjs", ".sql"],
    ) {
        let is_table = TABLES.iter().any(|(path, _)| file.path == *path);
        if file.is_test() || file.path.contains("/generated/") || is_table {
            continue;
        }
        // Tests beside the code do not make it longer.
        let own = file
            .text
            .split("\n#[cfg(test)]\nmod ")
            .next()
            .unwrap_or_default();
        let lines = own.lines().count();
        let most = if file.path.ends_with(".svelte") {
            COMPONENT
        } else {
            LINES
        };
        if lines > most {
            complaints.push(format!(
                "{}: {lines} lines, {most} at most: split it by purpose (or, for a table of data, name it in TABLES)",
                file.path
            ));
        }
    }
    tidy("length of files", &complaints);
}

#[test]
fn every_crate_follows_the_workspace_lints() {
    let mut complaints = Vec::new();
    let rules = read("Cargo.toml");
    if !rules.contains("unsafe_code = \"forbid\"") {
        complaints.push(
            "Cargo.toml: unsafe_code = \"forbid\" is gone from [workspace.lints.rust]".to_owned(),
        );
    }
    for file in below("", &["Cargo.toml"]) {
        // The fuzz targets are a workspace of their own, because libFuzzer's macro writes unsafe code.
        if file.path == "Cargo.toml" || file.path == "tests/fuzz/Cargo.toml" {
            continue;
        }
        if !file.text.contains("[lints]\nworkspace = true") {
            complaints.push(format!("{}: add [lints] workspace = true", file.path));
        }
    }
    tidy("lints", &complaints);
}

#[test]
fn the_generated_files_are_current() {
    for (file, generated) in [
        ("api.ts", clew_engine::api::typescript()),
        ("palette.css", clew_core::chart::palette_css()),
    ] {
        let path = format!("ui/src/generated/{file}");
        assert!(
            read(&path) == generated,
            "{path} is not what the code says: run `cargo xtask bindings` and commit it"
        );
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut complaints = Vec::new();
    let mut documents = below("docs", &[".md"]);
    documents.extend(below("", &["README.md"]));
    for file in &documents {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, _) in file.text.match_indices("](") {
            let link = file.text[at + 2..].split(')').next().unwrap_or_default();
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            if !root().join(folder).join(path).exists() {
                complaints.push(format!("{}: {link} does not exist", file.path));
            }
        }
    }
    tidy("links", &complaints);
}
