//! `clew import`: trace files into the database.

use std::path::PathBuf;

use clap::Args;
use clew_engine::Engine;
use clew_engine::api::Opened;

use super::list::counted;
use super::{Exit, Shared};
use crate::client::Client;
use crate::door::Door;
use crate::print::{Ink, Out, count, plain};

/// Which files.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Saved traces; the format is found by content.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) async fn run(command: Import, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let start = shared.start()?;
    let opened = if let Some(client) = Client::find(&start.options.database).await {
        Door::There(client).open_files(&command.files).await?
    } else {
        let engine = Engine::open(start.options).await?;
        let opened = Door::Here(engine.clone()).open_files(&command.files).await;
        engine.shut_down().await;
        opened?
    };
    report(&opened, out)
}

/// Prints what each file gave. A file of which nothing could be read is a failure.
pub(super) fn report(opened: &[Opened], out: &mut Out) -> anyhow::Result<Exit> {
    if out.is_json() {
        out.json(&opened)?;
    } else {
        for file in opened {
            out.line(&format!(
                "{}: {} in {}, {}, {}",
                plain(&file.label),
                counted(file.spans, "span"),
                counted(file.traces, "trace"),
                counted(file.logs, "log record"),
                counted(file.points, "metric point"),
            ))?;
            for problem in &file.problems {
                let problem = out.ink(Ink::Yellow, &plain(problem));
                out.line(&format!("  {problem}"))?;
            }
            let told = file.problems.len() as u64;
            if file.problem_count > told {
                let more = count(Some(file.problem_count - told));
                out.line(&format!("  and {more} more"))?;
            }
        }
    }
    Ok(if opened.iter().all(|file| file.source.is_some()) {
        Exit::Ok
    } else {
        Exit::Failure
    })
}
