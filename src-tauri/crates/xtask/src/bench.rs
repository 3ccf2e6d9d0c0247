//! Figures of a release build: what `docs/benchmarks.md` reports.

use anyhow::Result;

use crate::setup::{Need, chromium, ready};
use crate::step::{Steps, built, cargo, run};
use crate::{check, npm};

/// Measures the release binary and the UI in Chromium.
pub(crate) fn run_all(steps: &mut Steps) -> Result<()> {
    steps.run("what the machine has", || {
        ready(&[Need::Build, Need::Window, Need::Tests])
    })?;
    check::ui(steps)?;
    steps.run("release build", || {
        run(&mut cargo(&["build", "--release", "--package", "clew"]))
    })?;
    steps.run("end-to-end packages", || npm::install("tests/e2e"))?;
    steps.run("measurements", || {
        let mut measure = npm::npm("tests/e2e", &["run", "--silent", "bench"]);
        measure.env("CLEW_BIN", built("release", "clew"));
        if let Some(chromium) = chromium() {
            measure.env("CLEW_CHROMIUM", chromium);
        }
        run(&mut measure)
    })?;
    steps.summary();
    Ok(())
}
