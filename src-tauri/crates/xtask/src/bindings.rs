//! The generated files of the UI: written by `clew bindings` and committed. `tests/it/tidy.rs` fails when one is stale.

use anyhow::{Context as _, Result};

use crate::step::{Steps, built, cargo, command, output, root, run};

/// What is generated: the arguments that `clew` takes, and the file in `ui/src/generated`.
const FILES: &[(&[&str], &str)] = &[
    (&["bindings"], "api.ts"),
    (&["bindings", "palette.css"], "palette.css"),
];

/// Rewrites every generated file.
pub(crate) fn write(steps: &mut Steps) -> Result<()> {
    steps.run("build clew", || {
        run(&mut cargo(&["build", "--package", "clew"]))
    })?;
    let clew = built("debug", "clew");
    steps.run("generated files", || {
        for (arguments, file) in FILES {
            let path = root().join("ui/src/generated").join(file);
            let text = output(command(&clew.to_string_lossy()).args(*arguments))?;
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    })
}
