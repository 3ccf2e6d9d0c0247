//! `clew completions`: what a shell needs to complete commands and flags.

use clap::{Args, CommandFactory as _};

use super::{Cli, Exit};
use crate::print::Out;

/// Which shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

pub(super) fn run(command: &Completions, out: &mut Out) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Cli::command(), "clew", &mut script);
    out.text(&String::from_utf8(script)?)?;
    Ok(Exit::Ok)
}
