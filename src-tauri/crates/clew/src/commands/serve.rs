//! `clew serve`: the receiver, and the user interface in the browser.

use clap::Args;
use clew_engine::instance::{Ending, Instance, Kind, Running, ending};
use serde::Serialize;

use super::{Addresses, Exit, Shared};
use crate::pages;
use crate::print::{Ink, Out, plain};

/// Where to listen.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    addresses: Addresses,
    /// Open the user interface in the browser.
    #[arg(long)]
    open: bool,
}

/// The line that `--json` prints once everything listens.
#[derive(Debug, Serialize)]
struct Ready<'a> {
    grpc: &'a str,
    http: &'a str,
    ui: &'a str,
    token: &'a str,
    db: &'a std::path::Path,
}

pub(super) async fn run(command: Serve, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    clew_engine::harden::memory();
    let start = shared.start_at(&command.addresses)?;
    // Before the start, so that a signal during it is not lost.
    let ending = tokio::spawn(ending());
    let running = Running::start(start, Kind::Serve, pages::page).await?;
    let said = announce(&running, out);
    // A reader that has left (`clew serve | head -1`) does not end the receiver.
    if let Err(error) = said {
        tracing::debug!("cannot print the addresses: {error:#}");
    }
    if command.open {
        super::open::browse(&running.link_once(""));
    }
    let ended = ending.await??;
    running.shut_down().await?;
    Ok(match ended {
        Ending::Interrupt => Exit::Interrupted,
        Ending::Terminate => Exit::Ok,
    })
}

fn announce(running: &Running, out: &mut Out) -> anyhow::Result<()> {
    let Instance {
        grpc,
        http,
        ui,
        token,
        db,
        ..
    } = &running.instance;
    if out.is_json() {
        out.json(&Ready {
            grpc,
            http,
            ui,
            token,
            db,
        })?;
    } else {
        let all = |name: &str| {
            let found = running.listening.iter().find(|each| each.name == name);
            found.map_or_else(String::new, |each| each.addresses.join(", "))
        };
        let heading = out.ink(Ink::Bold, &format!("Clew {}", running.instance.version));
        out.line(&heading)?;
        out.line(&format!("  OTLP gRPC  {}", all("grpc")))?;
        out.line(&format!("  OTLP HTTP  {}", all("http")))?;
        out.line(&format!("  Database   {}", plain(&db.to_string_lossy())))?;
        out.line(&format!("  Open       {}", running.instance.link("")))?;
        if let Some(host) = running.engine.options().host
            && !host.is_loopback()
        {
            let warning = format!("Other machines can send traces to {host}.");
            let warning = out.ink(Ink::Yellow, &warning);
            out.line(&warning)?;
        }
    }
    Ok(out.finish()?)
}
