//! `clew status`: what runs, where it listens and what it holds.

use std::path::Path;

use clap::Args;
use clew_engine::api::NoParams;
use clew_engine::instance::Kind;
use serde::Serialize;

use super::{Exit, Shared};
use crate::client::Client;
use crate::door::Door;
use crate::print::{Ink, Out, count, plain};

/// No flags of its own.
#[derive(Debug, Args)]
pub(super) struct Status {}

/// What `--json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    running: bool,
    pid: Option<u32>,
    kind: Option<Kind>,
    db: &'a Path,
    status: Option<clew_engine::api::Status>,
}

pub(super) async fn run(shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let database = shared.start()?.options.database;
    let client = Client::find(&database).await;
    let instance = client.as_ref().map(|client| client.instance().clone());
    let door = match client {
        Some(client) => Some(Door::There(client)),
        None => Door::reading(&database).await?,
    };
    let status: Option<clew_engine::api::Status> = match &door {
        Some(door) => Some(door.call("get_status", &NoParams {}).await?),
        None => None,
    };
    if out.is_json() {
        out.json(&Answer {
            running: instance.is_some(),
            pid: instance.as_ref().map(|instance| instance.pid),
            kind: instance.as_ref().map(|instance| instance.kind),
            db: &database,
            status,
        })?;
        return Ok(Exit::Ok);
    }
    match &instance {
        Some(instance) => {
            let running = format!("Clew {} runs (pid {})", instance.version, instance.pid);
            let running = out.ink(Ink::Green, &running);
            out.line(&running)?;
        }
        None => out.line("Clew does not run")?,
    }
    for socket in status.iter().flat_map(|status| &status.listening) {
        let place = match &socket.problem {
            Some(problem) => out.ink(Ink::Red, &plain(problem)),
            None => socket.addresses.join(", "),
        };
        out.line(&format!("  {:<9} {place}", socket.name))?;
    }
    out.line(&format!(
        "  database  {}",
        plain(&database.to_string_lossy())
    ))?;
    match &status {
        None => out.line("            not made yet")?,
        Some(status) => out.line(&format!(
            "            {} traces, {} spans, {} MB of {} MB",
            count(Some(status.traces)),
            count(Some(status.spans)),
            count(Some(status.database_bytes / 1_000_000)),
            count(Some(status.database_limit / 1_000_000)),
        ))?,
    }
    if let Some(problem) = status.and_then(|status| status.problem) {
        let problem = out.ink(Ink::Red, &plain(&problem));
        out.line(&format!("  {problem}"))?;
    }
    Ok(Exit::Ok)
}
