//! The commands, one file each.

mod bindings;
mod completions;
mod doctor;
mod import;
mod ledger;
mod list;
mod open;
mod run;
mod serve;
mod source;
mod status;
mod totals;
mod trace;
mod what_if;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use clew_engine::harden::Umask;
use clew_engine::instance::Start;

use crate::print::{Colour, Out};

/// How a command ended. Code 2 is clap's, for wrong usage; 1 is also any error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0.
    Ok,
    /// 1: it failed.
    Failure,
    /// 4: nothing matches.
    NoMatch,
    /// 130: the user interrupted it.
    Interrupted,
    /// The code of the child of `clew run`.
    Child(u8),
}

impl Exit {
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::NoMatch => 4,
            Self::Interrupted => 130,
            Self::Child(code) => code,
        })
    }
}

/// Receives OpenTelemetry traces of LLM programs and shows what they did. All of it stays on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "clew",
    version,
    after_help = "Exit codes: 0 ok, 1 failure, 2 wrong usage, 4 nothing matches, 130 interrupted.\n\
        Logs go to stderr; CLEW_LOG chooses them (debug, clew_engine=trace)."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// The database; by default the platform's place for data, clew/clew.db.
    #[arg(long, global = true, env = "CLEW_DB", value_name = "FILE")]
    pub(crate) db: Option<PathBuf>,
    /// Answer with one JSON value.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to colour; NO_COLOR and CLICOLOR_FORCE are heeded.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Colour,
}

/// Flags of commands that may start a receiver.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Addresses {
    /// Port for OTLP over gRPC; 0 is any free one. [default: 4317]
    #[arg(long, env = "CLEW_GRPC", value_name = "PORT")]
    grpc: Option<u16>,
    /// Port for OTLP over HTTP; 0 is any free one. [default: 4318]
    #[arg(long, env = "CLEW_HTTP", value_name = "PORT")]
    http: Option<u16>,
    /// Port of the user interface, always on this machine alone; 0 is any free one. [default: 4319]
    #[arg(long, env = "CLEW_UI", value_name = "PORT")]
    ui: Option<u16>,
    /// Address to receive OTLP on, beyond this machine; needs --ingest-key. [default: 127.0.0.1 and ::1]
    #[arg(long, env = "CLEW_HOST", value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// Name of this machine in your network that senders may use; can be given several times.
    #[arg(long, env = "CLEW_ALLOW_HOST", value_name = "NAME", value_delimiter = ',', value_parser = host_name)]
    allow_host: Vec<String>,
    /// Key that senders must state as x-clew-key.
    #[arg(long, env = "CLEW_KEY", value_name = "KEY", hide_env_values = true)]
    ingest_key: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive traces and show them in the browser.
    Serve(serve::Serve),
    /// Open trace files, or just the user interface, in the Clew that runs or a new one.
    Open(open::Open),
    /// List traces, newest first.
    List(list::List),
    /// Show one trace.
    Trace(trace::Trace),
    /// Say what each model call used and cost, and what does not count, with the reason.
    Ledger(ledger::Ledger),
    /// Run a program so that it sends its traces here, and sum them up when it ends.
    Run(run::Run),
    /// Read trace files into the database.
    Import(import::Import),
    /// Say what runs, where it listens and what it holds.
    Status(status::Status),
    /// Check ports, database and environment, send a test span and read it back.
    Doctor(doctor::Doctor),
    /// Print completions for a shell.
    Completions(completions::Completions),
    /// Print a generated file of the user interface.
    #[command(hide = true)]
    Bindings(bindings::Bindings),
}

/// Runs the command that the user gave; without one, opens the user interface.
pub(crate) async fn run(cli: Cli, umask: Umask, out: &mut Out) -> anyhow::Result<Exit> {
    let shared = cli.shared;
    match cli.command {
        Some(Command::Serve(command)) => serve::run(command, &shared, out).await,
        Some(Command::Open(command)) => open::run(command, &shared, out).await,
        Some(Command::List(command)) => list::run(command, &shared, out).await,
        Some(Command::Trace(command)) => trace::run(command, &shared, out).await,
        Some(Command::Ledger(command)) => ledger::run(command, &shared, out).await,
        Some(Command::Run(command)) => run::run(command, &shared, umask, out).await,
        Some(Command::Import(command)) => import::run(command, &shared, out).await,
        Some(Command::Status(_)) => status::run(&shared, out).await,
        Some(Command::Doctor(command)) => doctor::run(command, &shared, out).await,
        Some(Command::Completions(command)) => completions::run(&command, out),
        Some(Command::Bindings(command)) => bindings::run(&command, out),
        None => open::run(open::Open::default(), &shared, out).await,
    }
}

fn host_name(name: &str) -> Result<String, String> {
    clew_engine::settings::host_name(name)
}

impl Shared {
    /// The database and the default addresses.
    fn start(&self) -> anyhow::Result<Start> {
        self.start_at(&Addresses::default())
    }

    /// The database and these addresses. Flags come before `CLEW_*`, and these before defaults.
    fn start_at(&self, addresses: &Addresses) -> anyhow::Result<Start> {
        let mut start = Start::from_environment(|name| match (name, &self.db) {
            ("CLEW_DB", Some(path)) => path.to_str().map(str::to_owned),
            _ => std::env::var(name).ok(),
        })?;
        if let Some(path) = &self.db {
            start.options.database.clone_from(path);
        }
        if let Some(port) = addresses.grpc {
            start.options.grpc = port;
        }
        if let Some(port) = addresses.http {
            start.options.http = port;
        }
        if let Some(port) = addresses.ui {
            start.ui = port;
        }
        if addresses.host.is_some() {
            start.options.host = addresses.host;
        }
        if !addresses.allow_host.is_empty() {
            start
                .options
                .allowed_hosts
                .clone_from(&addresses.allow_host);
        }
        if addresses.ingest_key.is_some() {
            start.options.ingest_key.clone_from(&addresses.ingest_key);
        }
        Ok(start)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }
}
