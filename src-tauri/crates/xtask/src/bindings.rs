//! The generated files of the UI: written by `clew bindings`, committed, and checked.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::step::{Steps, built, command, output, root, run};

/// What is generated: the argument that `clew bindings` takes, and the file in `ui/src/generated`.
const FILES: &[(&[&str], &str)] = &[(&["bindings"], "api.ts")];

fn path(file: &str) -> PathBuf {
    root().join("ui/src/generated").join(file)
}

fn generate(arguments: &[&str]) -> Result<Vec<u8>> {
    let clew = built("debug", "clew");
    output(command(&clew.to_string_lossy()).args(arguments))
}

/// Rewrites every generated file.
pub(crate) fn write(steps: &mut Steps) -> Result<()> {
    steps.run("build clew", || {
        run(&mut crate::step::cargo(&["build", "--package", "clew"]))
    })?;
    steps.run("generated files", || {
        for (arguments, file) in FILES {
            let path = path(file);
            std::fs::write(&path, generate(arguments)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    })
}

/// Fails when a committed file is not what the code generates. Needs `clew` built.
pub(crate) fn verify() -> Result<()> {
    for (arguments, file) in FILES {
        let path = path(file);
        let committed =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if committed != generate(arguments)? {
            bail!(
                "ui/src/generated/{file} is not what the code says: run `cargo xtask bindings` and commit the result"
            );
        }
    }
    Ok(())
}
