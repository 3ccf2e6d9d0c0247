//! Licences, bans, sources and advisories, by cargo-deny.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{cargo, command, run, say, target};

/// The version the gate is green with; `.config/deny.toml` is written for it.
const VERSION: &str = "0.20.2";

fn tools() -> PathBuf {
    target().join("tools")
}

fn program() -> PathBuf {
    tools()
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX))
}

/// Installs cargo-deny below `target/` unless it is there. Without optimisation: it compiles in a minute or two
/// instead of ten, and runs for seconds.
fn install() -> Result<()> {
    let stamp = tools().join("cargo-deny.version");
    if program().is_file() && std::fs::read_to_string(&stamp).is_ok_and(|have| have == VERSION) {
        return Ok(());
    }
    let root = tools();
    let mut install = cargo(&["install", "cargo-deny", "--locked", "--debug", "--force"]);
    install
        .args(["--version", VERSION, "--root"])
        .arg(&root)
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    run(&mut install)?;
    std::fs::write(&stamp, VERSION).with_context(|| format!("cannot write {}", stamp.display()))
}

fn check(which: &[&str]) -> Command {
    let mut deny = command(&program().to_string_lossy());
    deny.args(["--workspace", "--config", ".config/deny.toml", "check"])
        .args(which);
    deny
}

/// Fails on a licence, crate or source that the policy does not allow, and on a known vulnerability; a database of
/// advisories that cannot be fetched is a warning.
pub(crate) fn verify() -> Result<()> {
    install()?;
    run(&mut check(&["licenses", "bans", "sources"]))?;
    let output = check(&["advisories"])
        .output()
        .context("cannot start cargo-deny")?;
    let report = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        say("advisories ok");
    } else if report.contains("failed to fetch advisory database") {
        say(
            "warning: advisories were not checked, because their database cannot be reached from here",
        );
    } else {
        bail!("cargo-deny found advisories:\n{report}");
    }
    Ok(())
}
