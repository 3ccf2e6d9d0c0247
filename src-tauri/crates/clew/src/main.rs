//! Clew without a window: the command line and the browser host.
//!
//! Code map: [`commands`] has one file a command. A command that writes goes through a [`door`]: the API of the running
//! Clew ([`client`]), or an engine of its own. What it says goes through [`print`], which makes foreign text harmless.

mod client;
mod commands;
mod door;
mod pages;
mod print;
mod waterfall;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use clew_engine::harden;

use commands::{Cli, Exit};
use print::Out;

fn main() -> ExitCode {
    let umask = harden::process();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, with code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut out = Out::new(cli.shared.json, cli.shared.color);
    log(&out);
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(commands::run(cli, umask, &mut out)))
        .and_then(|exit| Ok(out.finish().map(|()| exit)?));
    match ended {
        Ok(exit) => exit.code(),
        Err(error) if is_broken_pipe(&error) => Exit::Ok.code(),
        Err(error) => {
            let _ = writeln!(
                std::io::stderr(),
                "clew: {}",
                print::lines(&format!("{error:#}"))
            );
            Exit::Failure.code()
        }
    }
}

/// Logs to stderr what `CLEW_LOG` asks for (`debug`, `clew_engine=trace`); warnings where it is not set.
fn log(out: &Out) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CLEW_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && out.allows_colour())
        .init();
}

/// Whether the reader of our output has left (`clew list | head -1`): that is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
