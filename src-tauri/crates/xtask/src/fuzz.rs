//! Coverage-guided fuzzing of what reads foreign bytes, by cargo-fuzz.
//!
//! The small corpus of `fixtures/fuzz` is never written while fuzzing: what is new gathers below `target/fuzz`, and
//! `--minimise` takes from both what the corpus needs. The tests replay it on the stable toolchain.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::step::{Steps, cargo, on_path, output, root, run, say, target};

const FOLDER: &str = "tests/fuzz";
/// What is kept: one folder a target.
const CORPUS: &str = "fixtures/fuzz";
/// Inputs to begin with, beside the corpus.
const SEEDS: [&str; 2] = ["fixtures/otlp", "fixtures/hostile"];
/// Longest input that is tried, in bytes.
const LONGEST: &str = "-max_len=16384";
/// Longest input that the corpus keeps, in bytes: it lies in the repository.
const LONGEST_KEPT: u64 = 1024;

/// What to do.
pub(crate) struct Fuzzing<'a> {
    /// Seconds for each target.
    pub(crate) seconds: u32,
    /// One target, or all of them.
    pub(crate) only: Option<&'a str>,
    /// Renew the corpus afterwards.
    pub(crate) minimise: bool,
}

fn targets() -> Result<Vec<String>> {
    let mut names = names_in(&root().join(FOLDER).join("fuzz_targets"))?;
    names.retain(|name| name.ends_with(".rs"));
    Ok(names
        .iter()
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect())
}

fn names_in(folder: &Path) -> Result<Vec<String>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// A folder below `target/fuzz`, made if it is not there.
fn place(what: &str, target_name: &str) -> Result<PathBuf> {
    let folder = target().join("fuzz").join(what).join(target_name);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Fuzzes the targets. The sanitizer's flags need a nightly compiler; a stable one is asked to take them.
pub(crate) fn run_all(steps: &mut Steps, fuzzing: &Fuzzing<'_>) -> Result<()> {
    let targets = targets()?;
    if let Some(name) = fuzzing.only
        && !targets.iter().any(|target| target == name)
    {
        bail!(
            "there is no fuzz target {name:?}; there are: {}",
            targets.join(", ")
        );
    }
    if !on_path("cargo-fuzz") {
        steps.run("cargo-fuzz", || {
            run(&mut cargo(&[
                "install",
                "cargo-fuzz",
                "--locked",
                "--debug",
            ]))
        })?;
    }
    let nightly = String::from_utf8_lossy(&output(&mut cargo(&["--version"]))?).contains("nightly");
    if !nightly {
        say("the compiler is a stable one: RUSTC_BOOTSTRAP lets it take the sanitizer's flags");
    }
    for target in targets
        .iter()
        .filter(|name| fuzzing.only.is_none_or(|one| one == *name))
    {
        steps.run(&format!("fuzz {target}"), || {
            fuzz(target, fuzzing.seconds, nightly)
        })?;
        if fuzzing.minimise {
            steps.run(&format!("minimise {target}"), || minimise(target, nightly))?;
        }
    }
    Ok(())
}

/// `cargo fuzz run` of a target on these folders, the first of which takes what is new.
fn libfuzzer(target_name: &str, folders: &[PathBuf], flags: &[&str], nightly: bool) -> Result<()> {
    let build = target().join("fuzz/build");
    let mut fuzz = cargo(&["fuzz", "run", "--fuzz-dir", FOLDER, "--target-dir"]);
    fuzz.arg(build).arg(target_name).args(folders).arg("--");
    fuzz.args([LONGEST, "-rss_limit_mb=1024"]).args(flags);
    // A backtrace of a sanitized build takes longer than an input may.
    fuzz.env("RUST_BACKTRACE", "0");
    if !nightly {
        fuzz.env("RUSTC_BOOTSTRAP", "1");
    }
    run(&mut fuzz)
}

fn fuzz(target_name: &str, seconds: u32, nightly: bool) -> Result<()> {
    let found = place("found", target_name)?;
    let mut folders = vec![
        place("corpus", target_name)?,
        root().join(CORPUS).join(target_name),
    ];
    folders.extend(SEEDS.iter().map(|seeds| root().join(seeds)));
    let time = format!("-max_total_time={seconds}");
    let artifacts = format!("-artifact_prefix={}/", found.display());
    let flags = [&*time, &*artifacts, "-timeout=5", "-print_final_stats=1"];
    libfuzzer(target_name, &folders, &flags, nightly).with_context(|| {
        format!(
            "what breaks it lies in {}: mend the cause, and keep the input in {CORPUS}/{target_name}",
            found.display()
        )
    })
}

/// Replaces the corpus by the smallest set of inputs that reaches as much. Inputs that broke something once have names
/// of their own and stay.
fn minimise(target_name: &str, nightly: bool) -> Result<()> {
    let kept = root().join(CORPUS).join(target_name);
    let merged = place("merged", target_name)?;
    std::fs::remove_dir_all(&merged)?;
    let folders = [
        place("merged", target_name)?,
        kept.clone(),
        place("corpus", target_name)?,
    ];
    let flags = ["-merge=1", "-use_counters=0", "-timeout=5"];
    libfuzzer(target_name, &folders, &flags, nightly)?;
    for name in names_in(&kept)? {
        if is_hash(&name) {
            std::fs::remove_file(kept.join(name))?;
        }
    }
    for name in names_in(&merged)? {
        let file = merged.join(&name);
        if std::fs::metadata(&file)?.len() <= LONGEST_KEPT {
            std::fs::copy(&file, kept.join(&name))?;
        }
    }
    Ok(())
}

/// Whether libFuzzer named the file: by the SHA-1 of what it holds.
fn is_hash(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
