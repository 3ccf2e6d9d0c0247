//! Packages from npm, exactly as a lock file names them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{command, output, root, run, target};

/// The oldest Node.js that the UI's tools run on.
const NODE: u32 = 20;

/// A command of npm in a folder of the repository.
pub(crate) fn npm(folder: &str, arguments: &[&str]) -> Command {
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir(root().join(folder)).args(arguments);
    npm
}

/// Fails with what to do when Node.js is missing or too old.
pub(crate) fn require_node() -> Result<()> {
    let advice = format!(
        "Clew's UI is built with Node.js {NODE} or newer and its npm: install it from https://nodejs.org, \
         by your version manager (fnm, nvm, mise), or from your system's packages where they are new enough"
    );
    let Ok(stdout) = output(command("node").arg("--version")) else {
        bail!("node was not found. {advice}");
    };
    let version = String::from_utf8_lossy(&stdout).trim().to_owned();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE => Ok(()),
        _ => bail!("node {version} is too old. {advice}"),
    }
}

/// Installs a folder's packages unless they are already what its lock file says. Install scripts never run.
pub(crate) fn install(folder: &str) -> Result<()> {
    let lock_path = root().join(folder).join("package-lock.json");
    let lock = std::fs::read(&lock_path)
        .with_context(|| format!("cannot read {}", lock_path.display()))?;
    let stamp = target()
        .join("npm")
        .join(folder.replace('/', "-"))
        .with_extension("lock");
    let installed = root().join(folder).join("node_modules").is_dir();
    if installed && std::fs::read(&stamp).is_ok_and(|stamped| stamped == lock) {
        return Ok(());
    }
    run(&mut npm(
        folder,
        &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    ))?;
    write_stamp(&stamp, &lock)
}

fn write_stamp(stamp: &Path, contents: &[u8]) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(stamp, contents).with_context(|| format!("cannot write {}", stamp.display()))
}
