//! Which way imports point.

use super::edges::{module_path, of_rust, of_ui, specifiers};
use super::files::below;
use super::{RUST, UI, tidy};

/// `clew-core`: a module may use those of earlier lines, never one of its own line or of a later one.
const CORE: &[&[&str]] = &[
    &["model", "packed"],
    &["otlp"],
    &["format", "convention", "price"],
    &["estimate", "quality", "prompt"],
    &["trace", "trend"],
    &["alert", "lint"],
    &["chart"],
    &["report"],
];

/// `clew-engine`, as `CORE`. `types` are the door's plain shapes, which everything may speak.
const ENGINE: &[&[&str]] = &[
    &["error", "event", "harden", "port"],
    &["settings", "changes", "bindings"],
    &["types"],
    &["census"],
    &["store"],
    &["ingest"],
    &["receive"],
    &["engine"],
    &["open"],
    &["view"],
    &["api"],
    &["host"],
    &["instance"],
];

/// The UI: a folder of `ui/src` may import from earlier ones and from itself.
const FOLDERS: &[&str] = &["generated", "host", "lib", "parts", "views", "App"];

/// Which layer of `clew-core` a path belongs to.
fn core_layer(to: &str) -> &str {
    to.split("::").next().unwrap_or(to)
}

/// Which layer of `clew-engine` a path belongs to.
fn engine_layer(to: &str) -> &str {
    let (module, item) = to.split_once("::").unwrap_or((to, ""));
    match module {
        "Engine" | "Options" => "engine",
        "Error" | "ErrorCode" => "error",
        "Topic" => "event",
        // What a commit answers is plain data, which the store fills in.
        "ingest" if matches!(item, "Committed" | "Refused") => "types",
        "api" if !matches!(item, "dispatch" | "typescript" | "Reply" | "COMMANDS") => "types",
        module => module,
    }
}

fn upward_edges(crate_name: &str, layers: &[&[&str]], layer_of: fn(&str) -> &str) -> Vec<String> {
    let position = |layer: &str| layers.iter().position(|names| names.contains(&layer));
    let mut complaints = Vec::new();
    for file in below(&format!("src-tauri/crates/{crate_name}/src"), RUST) {
        let path = module_path(&file.path);
        if file.is_test() || path == ["lib"] {
            continue;
        }
        let from = if path.starts_with(&["api", "types"]) {
            "types"
        } else {
            path[0]
        };
        let Some(here) = position(from) else {
            complaints.push(format!(
                "{}: module {from:?} has no layer: give it one in tests/it/tidy.rs and docs/architecture.md",
                file.path
            ));
            continue;
        };
        for edge in of_rust(&file) {
            let to = layer_of(&edge.to);
            // What has no layer is a macro or an item of the crate's root.
            if to != from && position(to).is_some_and(|there| there >= here) {
                complaints.push(format!(
                    "{}:{}: {from} must not use {to}, which does not lie below it: move what they share down",
                    file.path, edge.line
                ));
            }
        }
    }
    complaints
}

#[test]
fn modules_of_the_core_use_only_what_lies_below_them() {
    let complaints = upward_edges("clew-core", CORE, core_layer);
    tidy("layers of clew-core (docs/architecture.md)", &complaints);
}

#[test]
fn modules_of_the_engine_use_only_what_lies_below_them() {
    let complaints = upward_edges("clew-engine", ENGINE, engine_layer);
    tidy("layers of clew-engine (docs/architecture.md)", &complaints);
}

#[test]
fn folders_of_the_ui_import_only_what_lies_below_them() {
    let folder = |path: &str| {
        // What lies in no folder is the app's frame.
        let name = path.split_once('/').map_or("App", |(folder, _)| folder);
        FOLDERS.iter().position(|folder| *folder == name)
    };
    let view = |path: &str| {
        path.strip_prefix("views/")?
            .split('/')
            .next()
            .map(str::to_owned)
    };
    let mut complaints = Vec::new();
    for file in below("ui/src", UI) {
        let inside = file.path.trim_start_matches("ui/src/");
        for edge in of_ui(&file) {
            let (from, to) = (folder(inside), folder(&edge.to));
            if let (Some(from), Some(to)) = (from, to)
                && to > from
            {
                complaints.push(format!(
                    "{}:{}: imports {}, which lies above it: move what they share down",
                    file.path, edge.line, edge.to
                ));
            }
            if let (Some(from), Some(to)) = (view(inside), view(&edge.to))
                && from != to
            {
                complaints.push(format!(
                    "{}:{}: view {from} imports view {to}: move the shared part to ui/src/parts or ui/src/lib",
                    file.path, edge.line
                ));
            }
        }
    }
    tidy("layers of the UI (docs/architecture.md)", &complaints);
}

#[test]
fn the_window_toolkit_is_named_in_the_window_alone() {
    let mut complaints = Vec::new();
    for file in below("src-tauri/crates", &[".rs", ".toml"]) {
        for (line, text) in file.code() {
            if text.contains("tauri::") || text.trim_start().starts_with("tauri") {
                complaints.push(format!(
                    "{}:{line}: tauri belongs in src-tauri/src",
                    file.path
                ));
            }
        }
    }
    for file in below("ui/src", UI) {
        for (line, specifier) in specifiers(&file) {
            if specifier.starts_with("@tauri-apps") && !file.path.starts_with("ui/src/host/") {
                complaints.push(format!(
                    "{}:{line}: ask the host (ui/src/host/host.ts) instead of {specifier}",
                    file.path
                ));
            }
        }
    }
    tidy("the seam between UI and window", &complaints);
}
