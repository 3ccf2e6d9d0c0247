//! What a contributor runs: `cargo xtask app`, `cargo xtask test` and the smaller steps that they are made of.
//!
//! Code map: [`step`] runs named steps and commands, [`setup`] finds and installs what the machine misses, [`npm`]
//! installs the packages of a folder with a lock file; every other module is one subcommand or one step of `test`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod app;
mod bench;
mod bindings;
mod check;
mod deny;
mod fuzz;
mod npm;
mod prices;
mod sdk;
mod setup;
mod step;
mod test;

use step::Steps;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and runs Clew")]
struct Arguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Builds the window and opens it; with no display, starts `clew serve` instead.
    App {
        /// Passed on to Clew: flags and files to open.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs every test: check, Rust, exporters, browser, window.
    Test {
        /// Adds what takes longer than a gate may: 200 kills, a soak of ten minutes, long fuzzing.
        #[arg(long)]
        long: bool,
        /// Runs one part alone.
        #[arg(long, value_enum)]
        only: Option<test::Part>,
    },
    /// Format, lints, generated files, tidy, UI checks, licences and bans.
    Check,
    /// Rewrites the generated files of the UI.
    Bindings,
    /// Remakes the recordings of real programs in `fixtures/otlp` from pinned packages.
    Record {
        /// Folders to remake; all that `tests/sdk/programs/record.py` knows when left out.
        names: Vec<String>,
    },
    /// Makes the price book anew from the data of genai-prices.
    Prices {
        /// The version of the package.
        version: String,
    },
    /// Measures a release build and prints a table in Markdown.
    Bench,
    /// Fuzzes what reads foreign bytes; installs cargo-fuzz where it is missing.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Replaces the corpus of `fixtures/fuzz` by the smallest that reaches as much, with what was found.
        #[arg(long)]
        minimise: bool,
        /// One target; all of them when left out.
        target: Option<String>,
    },
}

fn run() -> Result<()> {
    let arguments = Arguments::parse();
    let mut steps = Steps::default();
    match arguments.act {
        Act::App { arguments } => app::run_app(&mut steps, &arguments),
        Act::Test { long, only } => test::run_all(&mut steps, long, only),
        Act::Check => check::run_alone(&mut steps),
        Act::Bindings => bindings::write(&mut steps),
        Act::Record { names } => sdk::record(&mut steps, &names),
        Act::Prices { version } => prices::make(&mut steps, &version),
        Act::Bench => bench::run_all(&mut steps),
        Act::Fuzz {
            seconds,
            minimise,
            target,
        } => {
            let fuzzing = fuzz::Fuzzing {
                seconds,
                only: target.as_deref(),
                minimise,
            };
            fuzz::run_all(&mut steps, &fuzzing)
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            step::say(&format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
