//! `clew doctor`: is everything in place for traces to arrive?

mod environment;
mod probe;
mod telemetry;

use clap::Args;
use clew_engine::api::NoParams;
use clew_engine::instance::Start;
use clew_engine::port;
use serde::Serialize;

use super::list::counted;
use super::{Addresses, Exit, Shared};
use crate::client::Client;
use crate::door::Door;
use crate::print::{Ink, Out, plain};

/// Where Clew should be listening.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    addresses: Addresses,
    /// Look at the telemetry that came last instead: what is wrong with it, and the line of set-up to change
    #[arg(long)]
    telemetry: bool,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failure,
}

/// One check: what was found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    found: String,
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Ok,
            found: found.into(),
            fix: None,
        }
    }

    fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Warning,
            found: found.into(),
            fix: Some(fix.into()),
        }
    }

    fn failure(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Failure,
            ..Self::warning(name, found, fix)
        }
    }
}

pub(super) async fn run(command: Doctor, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let start = shared.start_at(&command.addresses)?;
    if command.telemetry {
        return telemetry::run(&start.options.database, out).await;
    }
    let client = Client::find(&start.options.database).await;
    let mut checks = vec![instance(client.as_ref())];
    checks.push(database(&start, client.as_ref()).await);
    match &client {
        Some(client) => {
            checks.extend(probe::all(client, start.options.ingest_key.as_deref()).await);
        }
        None => checks.extend(ports(&start)),
    }
    checks.push(clock());
    let addresses = client.as_ref().map(|client| {
        let instance = client.instance();
        [instance.grpc.as_str(), instance.http.as_str()]
    });
    let defaults = [
        format!("127.0.0.1:{}", start.options.grpc),
        format!("127.0.0.1:{}", start.options.http),
    ];
    let addresses = addresses.unwrap_or_else(|| defaults.each_ref().map(String::as_str));
    checks.extend(environment::all(addresses, |name| std::env::var(name).ok()));

    let failed = checks.iter().any(|check| check.verdict == Verdict::Failure);
    if out.is_json() {
        out.json(&checks)?;
    } else {
        for check in &checks {
            let (ink, mark) = match check.verdict {
                Verdict::Ok => (Ink::Green, "ok  "),
                Verdict::Warning => (Ink::Yellow, "note"),
                Verdict::Failure => (Ink::Red, "FAIL"),
            };
            let mark = out.ink(ink, mark);
            out.line(&format!(
                "{mark}  {:<12} {}",
                check.name,
                plain(&check.found)
            ))?;
            if let Some(fix) = &check.fix {
                let fix = out.ink(Ink::Dim, &plain(fix));
                out.line(&format!("                   {fix}"))?;
            }
        }
    }
    Ok(if failed { Exit::Failure } else { Exit::Ok })
}

fn instance(client: Option<&Client>) -> Check {
    match client {
        Some(client) => {
            let instance = client.instance();
            Check::ok(
                "clew",
                format!("version {} runs (pid {})", instance.version, instance.pid),
            )
        }
        None => Check::warning(
            "clew",
            "no Clew runs on this database",
            "start one with `clew serve`, or use `clew run -- <program>`",
        ),
    }
}

async fn database(start: &Start, client: Option<&Client>) -> Check {
    let path = &start.options.database;
    let shown = path.display();
    let door = match client {
        Some(client) => Ok(Some(Door::There(client.clone()))),
        None => Door::reading(path).await,
    };
    let status = match door {
        Ok(None) => return Check::ok("database", format!("{shown} (made at the first start)")),
        Ok(Some(door)) => door
            .call::<clew_engine::api::Status>("get_status", &NoParams {})
            .await
            .map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match status {
        Ok(status) => match status.problem {
            None => Check::ok(
                "database",
                format!(
                    "{shown}: {}, {}",
                    counted(status.traces, "trace"),
                    counted(status.spans, "span")
                ),
            ),
            Some(problem) => Check::failure("database", problem, "see `clew status`"),
        },
        Err(error) => Check::failure(
            "database",
            format!("cannot read {shown}: {error:#}"),
            "name another with --db, or move this one away",
        ),
    }
}

/// Without a Clew: could one listen?
fn ports(start: &Start) -> Vec<Check> {
    let wanted = [
        ("gRPC port", "--grpc", start.options.grpc),
        ("HTTP port", "--http", start.options.http),
        ("UI port", "--ui", start.ui),
    ];
    let check = |(name, flag, number)| match port::bind_loopback(number, flag) {
        Ok(_) => Check::ok(name, format!("{number} is free")),
        Err(problem) => Check::failure(
            name,
            problem,
            "another collector there can also forward to Clew on other ports",
        ),
    };
    wanted.into_iter().map(check).collect()
}

/// A clock that is far off puts every trace out of sight.
fn clock() -> Check {
    let now = chrono::Utc::now();
    let shown = now.format("%Y-%m-%d %H:%M:%S UTC");
    if (2026..2100).contains(&chrono::Datelike::year(&now)) {
        Check::ok("clock", shown.to_string())
    } else {
        Check::failure(
            "clock",
            format!("this machine says {shown}"),
            "set the clock: traces are sorted by the times that programs state",
        )
    }
}
