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
    // The command line comes with the window: README leads there. All at once, as the tests build it, so that the one
    // does not compile again what the other has; without a window its toolkit is not asked for.
    let without_window: &[&str] = if window {
        &[]
    } else {
        &["--exclude", "clew-desktop"]
    };
    steps.run("build", || {
        run(cargo(&["build", "--workspace", "--bins"]).args(without_window))
    })?;
    let program = if window { "clew-desktop" } else { "clew" };
    let mut clew = command(&built("debug", program).to_string_lossy());
    if !window {
        clew.arg("serve");
    }
    clew.args(arguments.iter().map(OsStr::new));
    if window {
        say(
            "Clew's window opens. It listens on 4317 and 4318 unless told otherwise (Connect says where); closing it ends it.",
        );
    }
    match clew.status()?.code() {
        // Ended from the keyboard, as one ends it.
        Some(0 | 130) | None => Ok(()),
        Some(code) => anyhow::bail!("Clew ended with exit code {code}"),
    }
}
