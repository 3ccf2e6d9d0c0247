//! The price book of `clew-core`, made from the data of the Python package genai-prices (MIT) at a version.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::sdk::system_python;
use crate::step::{Steps, command, root, run, say, target};

const BOOK: &str = "src-tauri/crates/clew-core/src/price/book.json";

/// Makes the book anew: the package goes into a virtual environment of its own, its data through `prices.py`.
pub(crate) fn make(steps: &mut Steps, version: &str) -> Result<()> {
    steps.run("price book", || {
        let venv = target()
            .join("tools")
            .join(format!("genai-prices-{version}"));
        let python = venv.join(if cfg!(windows) {
            "Scripts/python.exe"
        } else {
            "bin/python"
        });
        run(command(system_python())
            .args(["-m", "venv", "--clear"])
            .arg(&venv))?;
        run(command(&python.to_string_lossy())
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg(format!("genai-prices=={version}")))?;
        let made = command(&python.to_string_lossy())
            .args(["-c", include_str!("prices.py")])
            .output()
            .context("cannot run Python")?;
        if !made.status.success() {
            bail!("{}", String::from_utf8_lossy(&made.stderr));
        }
        fs::write(root().join(BOOK), &made.stdout)
            .with_context(|| format!("cannot write {BOOK}"))?;
        say(&format!("{BOOK}: {} bytes", made.stdout.len()));
        Ok(())
    })
}
