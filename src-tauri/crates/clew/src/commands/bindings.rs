//! `clew bindings`: the generated files of the UI.

use clap::{Args, ValueEnum};

use super::Exit;
use crate::print::Out;

/// Prints one of the generated files in `ui/src/generated`.
#[derive(Debug, Args)]
pub(crate) struct Bindings {
    /// Which one.
    #[arg(value_enum, default_value_t = Generated::Api)]
    file: Generated,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Generated {
    /// The types and commands of the API.
    #[value(name = "api.ts")]
    Api,
    /// The colours.
    #[value(name = "palette.css")]
    Palette,
}

pub(super) fn run(command: &Bindings, out: &mut Out) -> anyhow::Result<Exit> {
    out.text(&match command.file {
        Generated::Api => clew_engine::api::typescript(),
        Generated::Palette => clew_core::chart::palette_css(),
    })?;
    Ok(Exit::Ok)
}
