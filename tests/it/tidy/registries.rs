//! Registries are complete, and every entry has its fixtures.

use super::files::{below, read, root};
use super::{RUST, tidy};

/// A registry: its folder in `clew-core/src`, the trait of its entries, its slice, and where an entry's fixtures lie
/// (`*` stands for the entry's id).
struct Registry {
    folder: &'static str,
    entry: &'static str,
    slice: &'static str,
    fixtures: &'static str,
}

const REGISTRIES: &[Registry] = &[
    Registry {
        folder: "convention",
        entry: "Convention",
        slice: "CONVENTIONS",
        fixtures: "fixtures/otlp/*",
    },
    Registry {
        folder: "format",
        entry: "FileFormat",
        slice: "FORMATS",
        fixtures: "fixtures/files/*",
    },
    Registry {
        folder: "quality",
        entry: "Heuristic",
        slice: "HEURISTICS",
        fixtures: "fixtures/quality/*.jsonl",
    },
];

impl Registry {
    /// What an entry's fixtures are called, where that is not its id.
    fn recorded_as(&self, id: &str) -> Option<&'static str> {
        match (self.folder, id) {
            // Files that other programs wrote in OTLP's own formats.
            ("format", "otlp-json" | "otlp-json-lines") => Some("fixtures/otlp/thirdparty"),
            // SDKs that trace beside an instrumentation, or only through one.
            // Vocabularies of people who write spans by hand.
            ("convention", "general" | "seeds") => Some("fixtures/otlp/manual_generic"),
            ("convention", "anthropic_sdk") => Some("fixtures/otlp/openinference_anthropic"),
            ("convention", "openai_agents") => Some("fixtures/otlp/otel_genai_openai_agents"),
            _ => None,
        }
    }
}

/// The id of a registry's entry: the text that its `id` answers, or the constant `ID` of its file.
fn id_of<'a>(file: &'a str, implementation: &'a str) -> &'a str {
    let text = |from: &'a str| from.split('"').nth(1).unwrap_or_default();
    let body = implementation
        .split_once("fn id(&self)")
        .and_then(|(_, rest)| rest.split_once('{')?.1.split_once('}'))
        .map_or("", |(body, _)| body);
    if body.trim() == "ID" {
        file.split_once("const ID: &str =")
            .map_or("", |(_, rest)| text(rest))
    } else {
        text(body)
    }
}

/// Whether a file or a folder has this path, or one that begins so ("fixtures/otlp/openinference" is there when
/// "fixtures/otlp/openinference_langchain" is).
fn any_begins_with(path: &str, instead: Option<&str>) -> bool {
    let path = instead.unwrap_or(path);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    std::fs::read_dir(root().join(folder))
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with(name))
}

#[test]
fn registries_are_complete_and_every_entry_has_a_fixture() {
    let mut complaints = Vec::new();
    for registry in REGISTRIES {
        let folder = format!("src-tauri/crates/clew-core/src/{}", registry.folder);
        let index = read(&format!("{folder}/mod.rs"));
        let slice = index
            .split_once(&format!("pub const {}", registry.slice))
            .and_then(|(_, rest)| rest.split_once("];"))
            .map_or("", |(slice, _)| slice);
        for file in below(&folder, RUST) {
            if file.is_test() {
                continue;
            }
            let implementation = format!("impl {} for ", registry.entry);
            for (at, _) in file.text.match_indices(&implementation) {
                let rest = &file.text[at + implementation.len()..];
                let name = rest
                    .split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or_default();
                if !slice
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|entry| entry == name)
                {
                    complaints.push(format!(
                        "{}: {name} is not in {}: add `&{name}` to the slice in {folder}/mod.rs",
                        file.path, registry.slice
                    ));
                }
                let id = id_of(&file.text, rest);
                let fixtures = registry.fixtures.replace('*', id);
                if id.is_empty() || !any_begins_with(&fixtures, registry.recorded_as(id)) {
                    complaints.push(format!(
                        "{}: {name} has no fixture: put what a real program wrote at {fixtures}",
                        file.path
                    ));
                }
            }
        }
    }
    tidy("registries (docs/extending.md)", &complaints);
}
