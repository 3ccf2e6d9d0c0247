//! The corpus of the fuzz targets, replayed on the stable toolchain: what was found once stays found.

#[path = "../fuzz/entries.rs"]
#[expect(unreachable_pub, reason = "the fuzz targets use it as a library")]
mod entries;

use std::path::Path;
use std::time::{Duration, Instant};

/// Longest time for one input: fuzzing gives up after 2 seconds.
const LONGEST: Duration = Duration::from_secs(2);

#[test]
fn every_input_of_the_corpus_keeps_every_promise() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/fuzz");
    let mut folders: Vec<String> = std::fs::read_dir(&corpus)
        .expect("the corpus is there")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let names: Vec<_> = entries::ENTRIES.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        folders, names,
        "every entry has a corpus, every corpus an entry"
    );
    for (name, entry) in entries::ENTRIES {
        let mut files: Vec<_> = std::fs::read_dir(corpus.join(name))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        assert!(files.len() > 50, "{name}: the corpus is thin");
        for file in files {
            let bytes = std::fs::read(&file).expect("a file");
            let began = Instant::now();
            let kept = std::panic::catch_unwind(|| entry(&bytes));
            assert!(
                kept.is_ok(),
                "{name} breaks a promise with {}",
                file.display()
            );
            let took = began.elapsed();
            assert!(
                took < clew_tests::at_most(LONGEST),
                "{name} takes {took:?} with {}",
                file.display()
            );
        }
    }
}

#[test]
fn every_entry_is_a_fuzz_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut targets: Vec<String> = std::fs::read_dir(folder)
        .expect("the targets are there")
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    targets.sort();
    let names: Vec<_> = entries::ENTRIES.iter().map(|(name, _)| *name).collect();
    assert_eq!(targets, names);
}
