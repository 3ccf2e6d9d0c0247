//! `clew open`: files, or just the user interface, in the Clew that runs or a new one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use clew_engine::api::TraceFilter;
use clew_engine::instance::{Kind, Start};
use serde::Serialize;

use super::{Addresses, Exit, Shared};
use crate::client::{Client, percent};
use crate::door::Door;
use crate::print::Out;

/// Time for a new Clew to listen.
const START: Duration = Duration::from_secs(10);

/// What to open.
#[derive(Debug, Default, Args)]
pub(super) struct Open {
    /// Saved traces; the format is found by content.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only print the link; leave the browser alone.
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    addresses: Addresses,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer {
    link: String,
    opened: Vec<clew_engine::api::Opened>,
}

pub(super) async fn run(command: Open, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let start = shared.start_at(&command.addresses)?;
    let client = match Client::find(&start.options.database).await {
        Some(client) => client,
        None => serve(&start).await?,
    };
    let instance = client.instance().clone();
    let door = Door::There(client.clone());
    let opened = if command.files.is_empty() {
        Vec::new()
    } else {
        door.open_files(&command.files).await?
    };
    let place = match opened.iter().find_map(|file| file.source) {
        Some(source) => place(&door, source).await?,
        None => String::new(),
    };
    let link = instance.link(&place);
    let exit = if out.is_json() {
        let failed = opened.iter().any(|file| file.source.is_none());
        out.json(&Answer { link, opened })?;
        return Ok(if failed { Exit::Failure } else { Exit::Ok });
    } else {
        super::import::report(&opened, out)?
    };
    if instance.kind == Kind::Window {
        out.line("It is open in Clew's window.")?;
        return Ok(exit);
    }
    out.line(&link)?;
    out.finish()?;
    if !command.no_browser {
        let once = instance.link_once(&client.code().await?, &place);
        browse(&once);
    }
    Ok(exit)
}

/// The place of an opened file: its trace where there is one alone, else the list of its traces.
async fn place(door: &Door, source: i64) -> anyhow::Result<String> {
    let filter = TraceFilter {
        source: Some(source),
        ..TraceFilter::default()
    };
    let rows = super::list::rows(door, filter, 2).await?;
    Ok(match rows.as_slice() {
        [only] => format!("#/trace/{}?source={source}", percent(&only.trace_id)),
        _ => format!("#/live?source={source}"),
    })
}

/// Starts `clew serve` in the background, its log in `<database>.log`, and waits until it listens.
async fn serve(start: &Start) -> anyhow::Result<Client> {
    let options = &start.options;
    let mut log = options.database.clone().into_os_string();
    log.push(".log");
    let log = PathBuf::from(log);
    let cannot = || format!("cannot write {}", log.display());
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder).with_context(cannot)?;
    }
    let file = std::fs::File::create(&log).with_context(cannot)?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("serve")
        .arg("--db")
        .arg(&options.database)
        .args(["--grpc", &options.grpc.to_string()])
        .args(["--http", &options.http.to_string()])
        .args(["--ui", &start.ui.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file);
    if let Some(host) = options.host {
        command.args(["--host", &host.to_string()]);
    }
    for name in &options.allowed_hosts {
        command.args(["--allow-host", name]);
    }
    if let Some(key) = &options.ingest_key {
        // Not as a flag: every user of the machine can read those.
        command.env("CLEW_KEY", key);
    }
    // A group of its own: Control-C in this terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().context("cannot start clew serve")?;
    let started = Instant::now();
    while started.elapsed() < START {
        if let Some(client) = Client::find(&options.database).await {
            return Ok(client);
        }
        if child.try_wait()?.is_some() {
            let told = std::fs::read_to_string(&log).unwrap_or_default();
            let told = told.trim().trim_start_matches("clew: ");
            anyhow::bail!("cannot start clew serve: {told}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("clew serve does not listen after {} s", START.as_secs())
}

/// Shows a link in the user's browser, where there is one: without, the printed link is all.
pub(super) fn browse(link: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        let display = |name| std::env::var_os(name).is_some();
        if !display("DISPLAY") && !display("WAYLAND_DISPLAY") {
            return;
        }
        ("xdg-open", &[])
    };
    let started = Command::new(program)
        .args(arguments)
        .arg(link)
        .current_dir(Path::new("/"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        tracing::warn!("cannot start the browser with {program}: {error}");
    }
}
