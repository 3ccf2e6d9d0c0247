//! Coverage-guided fuzzing of the decoders, by cargo-fuzz.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::step::{Steps, cargo, on_path, output, root, run, say};

const FOLDER: &str = "tests/fuzz";

fn targets() -> Result<Vec<String>> {
    let folder = root().join(FOLDER).join("fuzz_targets");
    let entries =
        std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = entries
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()))
        .collect::<Vec<_>>();
    names.sort();
    Ok(names)
}

/// Fuzzes every target, or one, for so many seconds each. libFuzzer's flags need a nightly compiler; a stable one is
/// asked to pass for nightly.
pub(crate) fn run_all(steps: &mut Steps, seconds: u32, only: Option<&str>) -> Result<()> {
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
    let targets = targets()?;
    if let Some(name) = only
        && !targets.iter().any(|target| target == name)
    {
        bail!(
            "there is no fuzz target {name:?}; there are: {}",
            targets.join(", ")
        );
    }
    let nightly = String::from_utf8_lossy(&output(&mut cargo(&["--version"]))?).contains("nightly");
    if !nightly {
        say(
            "the compiler is a stable one: RUSTC_BOOTSTRAP lets it take the flags of the sanitizers",
        );
    }
    for target in targets
        .iter()
        .filter(|name| only.is_none_or(|one| one == *name))
    {
        steps.run(&format!("fuzz {target}"), || {
            let mut fuzz = cargo(&["fuzz", "run", "--fuzz-dir", FOLDER, target, "--"]);
            fuzz.arg(format!("-max_total_time={seconds}")).args([
                "-rss_limit_mb=512",
                "-timeout=2",
                "-print_final_stats=1",
            ]);
            if !nightly {
                fuzz.env("RUSTC_BOOTSTRAP", "1");
            }
            run(&mut fuzz)
        })?;
    }
    Ok(())
}
