//! What must not be written.

use super::files::{File, below};
use super::{RUST, UI, tidy};

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
