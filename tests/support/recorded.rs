//! Recorded telemetry: `fixtures/otlp/<program>/NNN-<signal>-<transport>.pb`.

use std::path::{Path, PathBuf};

use clew_core::otlp::{self, Batch, Encoding, Limits, Signal};

/// A file or folder of `fixtures/`.
#[must_use]
pub fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(below)
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// The recorded programs by name, sorted.
#[must_use]
pub fn programs() -> Vec<String> {
    sorted(&path("otlp"))
        .iter()
        .filter(|path| path.is_dir() && !path.ends_with("thirdparty"))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect()
}

/// The requests that a program sent, in order.
///
/// # Panics
/// When there is no such program.
#[must_use]
pub fn requests(program: &str) -> Vec<(Signal, Vec<u8>)> {
    sorted(&path("otlp").join(program))
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "pb"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let signal = match name.split('-').nth(1) {
                Some("traces") => Signal::Traces,
                Some("logs") => Signal::Logs,
                Some("metrics") => Signal::Metrics,
                other => panic!("{name} is of no signal: {other:?}"),
            };
            (signal, std::fs::read(path).expect("it is readable"))
        })
        .collect()
}

/// Everything that a program sent, one item a batch.
///
/// # Panics
/// When a request does not decode.
#[must_use]
pub fn items(program: &str) -> Vec<Batch> {
    let mut items = Vec::new();
    for (signal, request) in requests(program) {
        let decoded = otlp::decode(signal, Encoding::Protobuf, &request, &Limits::default());
        let (batch, _) = decoded.expect("a recorded request decodes");
        for mut group in batch.spans {
            for item in std::mem::take(&mut group.items) {
                let mut one = Batch::default();
                one.spans.push(otlp::Group {
                    items: vec![item],
                    ..group.clone()
                });
                items.push(one);
            }
        }
        for mut group in batch.logs {
            for item in std::mem::take(&mut group.items) {
                let mut one = Batch::default();
                one.logs.push(otlp::Group {
                    items: vec![item],
                    ..group.clone()
                });
                items.push(one);
            }
        }
    }
    items
}
