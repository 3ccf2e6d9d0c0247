//! The real exporters of the OpenTelemetry SDKs for Python and Node.js, and a real agent, against the real binary.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::npm;
use crate::step::{Steps, built, command, root, run, target};

const REQUIREMENTS: &str = "tests/sdk/python/requirements.txt";

fn venv() -> PathBuf {
    target().join("sdk/python")
}

fn python() -> PathBuf {
    venv().join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    })
}

/// The name of the system's Python.
pub(crate) fn system_python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

/// Makes the virtual environment unless it is already what the requirements say.
fn install_python() -> Result<()> {
    let wanted = std::fs::read(root().join(REQUIREMENTS))
        .with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    let stamp = venv().join("requirements.stamp");
    if std::fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    run(command(system_python())
        .args(["-m", "venv", "--clear"])
        .arg(venv()))?;
    run(command(&python().to_string_lossy()).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
        REQUIREMENTS,
    ]))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Remakes `fixtures/otlp`'s recordings of the programs in `tests/sdk/programs`, or those that are named.
pub(crate) fn record(steps: &mut Steps, names: &[String]) -> Result<()> {
    steps.run("recordings", || {
        run(command(system_python())
            .arg("tests/sdk/programs/record.py")
            .args(names))
    })
}

/// Runs both exporters' tests and an agent that is watched as it runs. Needs `clew` built.
pub(crate) fn run_all(steps: &mut Steps) -> Result<()> {
    let clew = built("debug", "clew");
    steps.run("Python exporters: packages", install_python)?;
    steps.run("Python exporters", || {
        run(command(&python().to_string_lossy())
            .arg("tests/sdk/python/exporters.py")
            .env("CLEW_BIN", &clew))
    })?;
    steps.run("Node exporters: packages", || {
        npm::install("tests/sdk/node")
    })?;
    steps.run("Node exporters", || {
        run(npm::npm("tests/sdk/node", &["test"]).env("CLEW_BIN", &clew))
    })?;
    steps.run("LangGraph, live", || {
        run(command(system_python())
            .arg("tests/sdk/programs/live.py")
            .env("CLEW_BIN", &clew))
    })
}
