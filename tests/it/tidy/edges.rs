//! Which module names which: `use crate::…`, `super::…` and inline paths in Rust, imports in TypeScript and Svelte.

use super::files::File;

/// An edge from a file to a module of its crate, or to a file of the UI.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Line, from 1.
    pub(super) line: usize,
    /// What is named: the first two names of the path ("store::traces"), or the path of a file below `ui/src`.
    pub(super) to: String,
}

/// The module path of a source file ("src/api/types.rs" is `api`, `types`).
pub(super) fn module_path(path: &str) -> Vec<&str> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    inside
        .trim_end_matches(".rs")
        .split('/')
        .filter(|name| *name != "mod")
        .collect()
}

/// Edges of a Rust file to modules of its own crate. What stands below `#[cfg(test)]` at the margin does not count.
pub(super) fn of_rust(file: &File) -> Vec<Edge> {
    let depth = module_path(&file.path).len();
    let text = file
        .text
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let own = File {
        path: file.path.clone(),
        text: text.to_owned(),
    };
    // Comments go, line numbers stay.
    let mut lines = vec![String::new(); text.lines().count()];
    for (number, line) in own.code() {
        lines[number - 1] = line.split(" // ").next().unwrap_or(line).to_owned();
    }
    let code = lines.join("\n");
    let mut edges = Vec::new();
    let to_root = "super::".repeat(depth);
    for prefix in ["crate::", to_root.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            for to in heads(&code[at + prefix.len()..]) {
                edges.push(Edge { line, to });
            }
        }
    }
    edges
}

/// The first two names of a path, or of each path of a group (`{a::b, c}`).
fn heads(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![head(rest)];
    };
    let mut depth = 1_usize;
    let mut part = String::new();
    let mut parts = Vec::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if c == ',' && depth == 1 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    let trimmed = parts.iter().map(|part| part.trim());
    trimmed.filter(|part| !part.is_empty()).map(head).collect()
}

fn head(path: &str) -> String {
    let name = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let first = name(path);
    match path[first.len()..].strip_prefix("::").map(name) {
        Some(second) if !second.is_empty() => format!("{first}::{second}"),
        _ => first,
    }
}

/// Edges of a TypeScript or Svelte file to other files of the UI, as paths from `ui/src`.
pub(super) fn of_ui(file: &File) -> Vec<Edge> {
    let inside = file.path.trim_start_matches("ui/src/");
    let folder = inside.rsplit_once('/').map_or("", |(folder, _)| folder);
    specifiers(file)
        .filter(|(_, specifier)| specifier.starts_with('.'))
        .map(|(line, specifier)| Edge {
            line,
            to: join(folder, specifier),
        })
        .collect()
}

/// What a TypeScript or Svelte file imports, as it is written.
pub(super) fn specifiers(file: &File) -> impl Iterator<Item = (usize, &str)> {
    file.code().filter_map(|(line, text)| {
        let after = [
            "from \"",
            "import \"",
            "import(\"",
            "from '",
            "import '",
            "import('",
        ]
        .iter()
        .find_map(|mark| text.split_once(mark))?
        .1;
        Some((line, after.split(['"', '\'']).next()?))
    })
}

fn join(folder: &str, relative: &str) -> String {
    let mut names = folder
        .split('/')
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>();
    for name in relative.split('/') {
        match name {
            "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

#[test]
fn rust_edges_are_read_from_uses_groups_and_inline_paths() {
    let file = File {
        path: "src-tauri/crates/x/src/view/list.rs".to_owned(),
        text: "use crate::{store::traces, api::{self, Page}};\n// use crate::nothing;\nfn f() { super::super::census::count() }\nlet a = super::near();\n\n#[cfg(test)]\nmod tests { use crate::above; }\n"
            .to_owned(),
    };
    let names = of_rust(&file)
        .into_iter()
        .map(|edge| edge.to)
        .collect::<Vec<_>>();
    assert_eq!(names, ["store::traces", "api", "census::count"]);
}

#[test]
fn ui_edges_are_resolved_from_the_folder_of_the_file() {
    let file = File {
        path: "ui/src/views/live/View.svelte".to_owned(),
        text: "  import Row from \"./Row.svelte\";\n  import { go } from '../../lib/route.svelte.ts';\n  import \"svelte\";\n"
            .to_owned(),
    };
    let names = of_ui(&file)
        .into_iter()
        .map(|edge| edge.to)
        .collect::<Vec<_>>();
    assert_eq!(names, ["views/live/Row.svelte", "lib/route.svelte.ts"]);
}
