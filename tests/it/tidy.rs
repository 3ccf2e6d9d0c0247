//! The rules of the house that a compiler does not know. Each failure says what to do.

mod edges;
mod files;

use edges::{module_path, of_rust, of_ui, specifiers};
use files::{File, below, read, root};

const RUST: &[&str] = &[".rs"];
const UI: &[&str] = &[".ts", ".svelte"];

/// Fails with every complaint on a line of its own.
#[track_caller]
fn tidy(rule: &str, complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{rule}:\n  {}\n",
        complaints.join("\n  ")
    );
}

// ---- layers -------------------------------------------------------------------------------------------------------

/// `clew-core`: a module may use those of earlier lines, never one of its own line or of a later one.
const CORE: &[&[&str]] = &[
    &["model", "packed"],
    &["otlp"],
    &["format", "convention", "price"],
    &["quality", "prompt"],
    &["trace", "trend"],
    &["alert"],
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

// ---- what must not be written -------------------------------------------------------------------------------------

/// Text that must not stand in code: what, in files that end so, below this folder, except in these, and what to do.
struct Ban {
    text: &'static str,
    endings: &'static [&'static str],
    below: &'static str,
    except: &'static [&'static str],
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        text: "#[allow(",
        endings: RUST,
        below: "",
        except: &[],
        instead: "use #[expect(…, reason = \"…\")], which fails when it is no longer needed",
    },
    Ban {
        text: "#![allow(",
        endings: RUST,
        below: "",
        except: &[],
        instead: "use #![expect(…, reason = \"…\")]",
    },
    Ban {
        text: "todo!(",
        endings: RUST,
        below: "",
        except: &[],
        instead: "build it or leave it out",
    },
    Ban {
        text: "unimplemented!(",
        endings: RUST,
        below: "",
        except: &[],
        instead: "build it or leave it out",
    },
    Ban {
        text: "AssertSqlSafe",
        endings: RUST,
        below: "",
        except: &["src-tauri/crates/clew-engine/src/store/"],
        instead: "bind parameters with QueryBuilder; only the store may join constant pieces of SQL",
    },
    Ban {
        text: "#[ignore",
        endings: RUST,
        below: "",
        except: &[],
        instead: "a test that does not run is no test: fix it, or move it to `cargo xtask test --long`",
    },
    Ban {
        text: "innerHTML",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "content is hostile: write text nodes",
    },
    Ban {
        text: "outerHTML",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "content is hostile: write text nodes",
    },
    Ban {
        text: "insertAdjacentHTML",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "content is hostile: write text nodes",
    },
    Ban {
        text: "document.write",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "content is hostile: write text nodes",
    },
    Ban {
        text: "eval(",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "the content security policy refuses it",
    },
    Ban {
        text: "new Function(",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "the content security policy refuses it",
    },
    Ban {
        text: "setTimeout(\"",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "pass a function: a string is code",
    },
    Ban {
        text: "<iframe",
        endings: UI,
        below: "ui/src",
        except: &[],
        instead: "on Linux a frame can speak as the window does: show text",
    },
    Ban {
        text: ": any",
        endings: UI,
        below: "ui/src",
        except: &["ui/src/generated/"],
        instead: "say the type, or unknown",
    },
    Ban {
        text: "@ts-ignore",
        endings: UI,
        below: "ui",
        except: &[],
        instead: "use @ts-expect-error with a reason, or fix the type",
    },
];

/// The rules themselves.
fn is_rulebook(file: &File) -> bool {
    file.path.starts_with("tests/it/tidy")
}

#[test]
fn banned_text_is_not_written() {
    let mut complaints = Vec::new();
    for file in below("", &[".rs", ".ts", ".svelte"]) {
        if is_rulebook(&file) {
            continue;
        }
        for ban in BANS {
            // Tests of the UI hold hostile text to show that it stays text.
            let is_specimen = ban.below == "ui/src" && file.is_test();
            let covers = !is_specimen
                && file.path.starts_with(ban.below)
                && ban.endings.iter().any(|ending| file.path.ends_with(ending))
                && !ban.except.iter().any(|path| file.path.starts_with(path));
            if !covers {
                continue;
            }
            for (line, text) in file.code() {
                if has_word(text, ban.text) {
                    complaints.push(format!(
                        "{}:{line}: {:?}: {}",
                        file.path, ban.text, ban.instead
                    ));
                }
            }
        }
    }
    tidy("banned text", &complaints);
}

/// Whether the text occurs, and not as a part of a longer name (`medieval(`, `: anywhere`).
fn has_word(line: &str, text: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    line.match_indices(text).any(|(at, _)| {
        let grows_left = text.starts_with(is_name) && line[..at].ends_with(is_name);
        let rest = &line[at + text.len()..];
        let grows_right = text.ends_with(is_name) && rest.starts_with(|c| is_name(c) || c == '-');
        !grows_left && !grows_right
    })
}

#[test]
fn html_is_written_once_for_our_own_drawing() {
    let places = below("ui/src", UI)
        .iter()
        .flat_map(|file| {
            let lines = file.code().filter(|(_, text)| text.contains("{@html"));
            lines
                .map(|(line, _)| format!("{}:{line}", file.path))
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    assert!(
        places.len() == 1 && places[0].starts_with("ui/src/parts/ChartPlot.svelte"),
        "{{@html}} stands once, in ui/src/parts/ChartPlot.svelte, for the SVG that clew-core drew; found: {places:?}. \
         Everything else is text nodes."
    );
}

#[test]
fn the_core_has_no_effects() {
    let effects = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime::now",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "tokio::",
        "thread_local!",
        "static mut",
        "async fn",
    ];
    let mut complaints = Vec::new();
    for file in below("src-tauri/crates/clew-core/src", RUST) {
        if file.is_test() {
            continue;
        }
        let own = file
            .text
            .split("\n#[cfg(test)]\nmod ")
            .next()
            .unwrap_or_default();
        let lines = own.lines().count();
        for (line, text) in file.code().take_while(|(line, _)| *line <= lines) {
            for effect in effects.iter().filter(|effect| text.contains(**effect)) {
                complaints.push(format!(
                    "{}:{line}: {effect}: the core does no io and reads no clock; pass it in from clew-engine",
                    file.path
                ));
            }
        }
    }
    tidy("effects in clew-core", &complaints);
}

#[test]
fn no_path_of_one_machine_is_written() {
    let endings = [
        ".rs", ".ts", ".svelte", ".css", ".md", ".toml", ".json", ".py", ".mjs", ".js", ".sql",
        ".html", ".yml", "run",
    ];
    let marks = ["/root/", "/home/", "/Users/"];
    let mut complaints = Vec::new();
    for file in below("", &endings) {
        // Fixtures are what programs sent, with the paths that they had.
        if is_rulebook(&file) || file.path.starts_with("fixtures/") {
            continue;
        }
        for (at, text) in file.text.lines().enumerate() {
            for mark in marks.iter().filter(|mark| text.contains(**mark)) {
                complaints.push(format!(
                    "{}:{}: {mark}: name a place in the repository",
                    file.path,
                    at + 1
                ));
            }
        }
    }
    tidy("paths of one machine", &complaints);
}

// ---- shape --------------------------------------------------------------------------------------------------------

/// The longest file that is still one purpose.
const LINES: usize = 600;

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
        if lines > LINES {
            complaints.push(format!(
                "{}: {lines} lines, {LINES} at most: split it by purpose (or, for a table of data, name it in TABLES)",
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

// ---- registries ---------------------------------------------------------------------------------------------------

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
            // Vocabularies of people who write spans by hand.
            ("convention", "general" | "seeds") => Some("fixtures/otlp/manual_generic"),
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

// ---- the window's rights ------------------------------------------------------------------------------------------

/// What the window may do (S16): a change here is a change of the threat model, docs/security.md.
const PERMISSIONS: &[&str] = &[
    // Our own commands: the door, and the picker that answers tokens.
    "allow-call",
    "allow-pick-files",
    // A web address that the user has seen whole and opens; and the place that a `clew://` link leads to.
    "allow-open-link",
    "allow-take-place",
    "core:event:allow-listen",
    "core:event:allow-unlisten",
];

#[test]
fn the_window_has_only_the_rights_it_needs() {
    let mut complaints = Vec::new();
    for file in below("src-tauri/capabilities", &[".json", ".toml"]) {
        let capability: serde_json::Value =
            serde_json::from_str(&file.text).expect("a capability file is JSON");
        if capability.get("remote").is_some() {
            complaints.push(format!("{}: remote pages get no rights", file.path));
        }
        for permission in capability["permissions"].as_array().into_iter().flatten() {
            let permission = permission
                .as_str()
                .or(permission["identifier"].as_str())
                .unwrap_or_default();
            if !PERMISSIONS.contains(&permission) {
                complaints.push(format!(
                    "{}: {permission:?} is a new right: argue it in docs/security.md and add it to PERMISSIONS",
                    file.path
                ));
            }
        }
    }
    tidy("rights of the window", &complaints);
}

#[test]
fn the_windows_content_security_policy_is_strict() {
    let conf: serde_json::Value =
        serde_json::from_str(&read("src-tauri/tauri.conf.json")).expect("tauri.conf.json is JSON");
    let security = &conf["app"]["security"];
    assert_ne!(
        conf["app"]["withGlobalTauri"], true,
        "no global Tauri object (S16)"
    );
    assert_eq!(
        security["freezePrototype"], true,
        "prototypes are frozen (S16)"
    );
    assert!(
        security["assetProtocol"]["enable"] != true,
        "the asset protocol stays off (S16)"
    );
    let csp = &security["csp"];
    let directive = |name: &str| -> Vec<String> {
        let text = match csp {
            serde_json::Value::Object(map) => match &map.get(name) {
                Some(serde_json::Value::Array(words)) => words
                    .iter()
                    .filter_map(|word| word.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
                Some(serde_json::Value::String(words)) => words.clone(),
                _ => String::new(),
            },
            serde_json::Value::String(policy) => policy
                .split(';')
                .filter_map(|part| part.trim().split_once(' '))
                .find(|(directive, _)| *directive == name)
                .map_or_else(String::new, |(_, words)| words.to_owned()),
            _ => panic!("tauri.conf.json sets no content security policy (S12)"),
        };
        text.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(directive("default-src"), ["'none'"]);
    assert_eq!(directive("script-src"), ["'self'"]);
    assert_eq!(directive("font-src"), ["'self'"]);
    assert_eq!(
        directive("connect-src"),
        ["ipc:", "http://ipc.localhost"],
        "without both, Tauri falls back to a slow path in silence"
    );
    for closed in ["object-src", "base-uri", "form-action", "frame-src"] {
        assert_eq!(directive(closed), ["'none'"], "{closed} (S12)");
    }
    let policy = csp.to_string();
    for open in ["unsafe-eval", "https:", "http: ", "*"] {
        assert!(!policy.contains(open), "{open:?} opens the policy (S12)");
    }
    assert!(
        !directive("script-src").contains(&"'unsafe-inline'".to_owned()),
        "no inline scripts (S12)"
    );
    assert!(
        security["devCsp"].is_null(),
        "one policy for all builds (S12)"
    );
}
