//! Everything that can be said without running Clew.

use anyhow::Result;

use crate::setup::{Need, ready};
use crate::step::{Steps, cargo, run};
use crate::{deny, npm};

/// Runs the checks, cheapest first, and leaves everything built for the tests.
pub(crate) fn run_all(steps: &mut Steps, needs: &[Need]) -> Result<()> {
    steps.run("what the machine has", || ready(needs))?;
    steps.run("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    ui(steps)?;
    steps.run("UI checks", || run(&mut npm::npm("ui", &["run", "check"])))?;
    steps.run("licences, bans, sources, advisories", deny::verify)?;
    steps.run("lints", || {
        run(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny=warnings",
        ]))
    })?;
    build(steps)?;
    // Layers, bans, registries, and generated files that are current.
    steps.run("tidy", || {
        run(&mut cargo(&[
            "test",
            "--workspace",
            "--test",
            "it",
            "tidy::",
        ]))
    })
}

/// Installs and builds the UI, which the binaries carry.
pub(crate) fn ui(steps: &mut Steps) -> Result<()> {
    steps.run("UI packages", || npm::install("ui"))?;
    steps.run("build the UI", || {
        run(&mut npm::npm("ui", &["run", "build"]))
    })
}

/// Builds every target of the workspace in one go, so that dependencies are compiled for one set of features only.
pub(crate) fn build(steps: &mut Steps) -> Result<()> {
    steps.run("build", || {
        run(&mut cargo(&["build", "--workspace", "--all-targets"]))
    })
}

/// `cargo xtask check`.
pub(crate) fn run_alone(steps: &mut Steps) -> Result<()> {
    run_all(steps, &[Need::Build, Need::Window])?;
    steps.summary();
    Ok(())
}
