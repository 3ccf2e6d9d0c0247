//! Builds Clew and opens it.

use std::ffi::OsStr;

use anyhow::Result;

use crate::check;
use crate::setup::{Need, ready};
use crate::step::{Steps, built, cargo, command, run, say};

/// Whether a window can be shown here.
fn has_display() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}

/// Opens the window; with no display, serves the same UI to a browser.
pub(crate) fn run_app(steps: &mut Steps, arguments: &[String]) -> Result<()> {
    let window = has_display();
    let needs: &[Need] = if window {
        &[Need::Build, Need::Window]
    } else {
        say(
            "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set): Clew will be served to a browser.",
        );
        &[Need::Build]
    };
    steps.run("what the machine has", || ready(needs))?;
    check::ui(steps)?;
    // The command line comes with the window: README leads there.
    let window_too: &[&str] = if window {
        &["--package", "clew-desktop"]
    } else {
        &[]
    };
    steps.run("build", || {
        run(cargo(&["build", "--package", "clew"]).args(window_too))
    })?;
    let program = if window { "clew-desktop" } else { "clew" };
    let mut clew = command(&built("debug", program).to_string_lossy());
    if !window {
        clew.arg("serve");
    }
    clew.args(arguments.iter().map(OsStr::new));
    run(&mut clew)
}
