//! Every test, in the order in which a failure is cheapest to learn of.

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::setup::{Need, chromium, ready};
use crate::step::{Steps, built, cargo, command, root, run, say};
use crate::{check, fuzz, npm, sdk};

/// A part of `cargo xtask test` that can run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Format, lints, generated files, tidy, UI checks, licences.
    Check,
    /// The workspace's own tests.
    Rust,
    /// Vitest.
    Ui,
    /// Real exporters.
    Sdk,
    /// Playwright and axe, in Chromium.
    Browser,
    /// The real window, in WebKitGTK.
    Window,
}

/// Cycles of the kill test: what the gate runs, and what `--long` does.
const KILLS: (u32, u32) = (50, 200);
/// Seconds of the soak: what the gate runs, and what `--long` does.
const SOAK_SECONDS: (u32, u32) = (6, 600);
/// Seconds for each fuzz target in `--long`.
const FUZZ_SECONDS: u32 = 300;

/// `cargo xtask test`.
pub(crate) fn run_all(steps: &mut Steps, long: bool, only: Option<Part>) -> Result<()> {
    let wants = |part| only.is_none_or(|one| one == part);
    let needs = [Need::Build, Need::Window, Need::Tests];
    if wants(Part::Check) {
        check::run_all(steps, &needs)?;
    } else {
        steps.run("what the machine has", || ready(&needs))?;
        check::ui(steps)?;
        check::build(steps)?;
    }
    if wants(Part::Ui) {
        steps.run("UI tests", || run(&mut npm::npm("ui", &["run", "test"])))?;
    }
    if wants(Part::Rust) {
        let pick = |(short, far): (u32, u32)| if long { far } else { short };
        steps.run("Rust tests", || {
            run(cargo(&["test", "--workspace"])
                .env("CLEW_BIN", built("debug", "clew"))
                .env("CLEW_TEST_KILLS", pick(KILLS).to_string())
                .env("CLEW_TEST_SOAK", pick(SOAK_SECONDS).to_string()))
        })?;
    }
    if wants(Part::Sdk) {
        sdk::run_all(steps)?;
    }
    if wants(Part::Browser) || wants(Part::Window) {
        steps.run("end-to-end packages", || npm::install("tests/e2e"))?;
    }
    if wants(Part::Browser) {
        steps.run("browser tests", browser)?;
    }
    if wants(Part::Window) {
        steps.run("window tests", window)?;
    }
    if long {
        let fuzzing = fuzz::Fuzzing {
            seconds: FUZZ_SECONDS,
            only: None,
            minimise: false,
        };
        fuzz::run_all(steps, &fuzzing)?;
    }
    steps.summary();
    say("every test passed");
    Ok(())
}

fn browser() -> Result<()> {
    let mut tests = npm::npm("tests/e2e", &["run", "browser"]);
    tests.env("CLEW_BIN", built("debug", "clew"));
    if let Some(chromium) = chromium() {
        tests.env("CLEW_CHROMIUM", chromium);
    } else {
        // Ubuntu's own Chromium is a snap that cannot see a test's profile, so Playwright brings one.
        say("no Chromium outside a snap was found: Playwright installs its own");
        let install = [
            "exec",
            "--",
            "playwright",
            "install",
            "--with-deps",
            "chromium",
        ];
        run(&mut npm::npm("tests/e2e", &install))?;
    }
    run(&mut tests)
}

/// The real window exists for drivers on Linux alone: macOS has no driver for its web view, and Windows' speaks another
/// protocol.
fn window() -> Result<()> {
    if !cfg!(target_os = "linux") {
        say("skipped: the window is driven through WebKitWebDriver, which only Linux has");
        return Ok(());
    }
    let binary = built("debug", "clew-desktop");
    if !binary.is_file() {
        bail!("{} is not built", binary.display());
    }
    let words = [
        "--auto-servernum",
        "dbus-run-session",
        "--",
        "npm",
        "run",
        "window",
    ];
    run(command("xvfb-run")
        .args(words)
        .current_dir(root().join("tests/e2e"))
        .env("CLEW_DESKTOP_BIN", binary)
        .env("CLEW_BIN", built("debug", "clew")))
}
