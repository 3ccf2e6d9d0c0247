//! `clew run`: a program whose traces come here, and their sum when it ends.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use clew_core::trace::TraceSummary;
use clew_engine::api::{LedgerSums, NoParams, Status, TraceFilter};
use clew_engine::harden::{self, Umask};
use clew_engine::instance::{Instance, Kind, Running};
use serde::Serialize;

use super::list::{rows, state, totals};
use super::totals::sums;
use super::{Addresses, Exit, Shared};
use crate::client::{Client, percent};
use crate::door::Door;
use crate::pages;
use crate::print::{Ink, Out, dollars, duration, plain};

/// Traces of a run at the most; the newest by what they state.
const LISTED: u32 = 10_000;
/// Traces that the summary names.
const NAMED: usize = 10;
/// Time for facts to be derived after the program has ended.
const SETTLE: Duration = Duration::from_secs(3);
/// Milliseconds after which a program exports what it has; OpenTelemetry's default is 5,000.
const EXPORT_DELAY: &str = "200";

/// What to run.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// A word to find this run by: `clew.run.tag` of its traces.
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// The program and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    command: Vec<OsString>,
    #[command(flatten)]
    addresses: Addresses,
}

/// What `--json` prints. The program's own output goes to stderr then.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    run_id: &'a str,
    exit_code: u8,
    /// Whether the traces carry the run's id; else they are those that came while the program ran.
    attributed: bool,
    traces: &'a [TraceSummary],
    /// What they come to, each model call once: one that two of them tell of is in the figures of both.
    totals: &'a LedgerSums,
}

/// The traces of a run.
struct Found {
    attributed: bool,
    traces: Vec<TraceSummary>,
    sums: LedgerSums,
}

pub(super) async fn run(
    command: Run,
    shared: &Shared,
    umask: Umask,
    out: &mut Out,
) -> anyhow::Result<Exit> {
    harden::memory();
    let start = shared.start_at(&command.addresses)?;
    let key = start.options.ingest_key.clone();
    let (door, running) = match Client::find(&start.options.database).await {
        Some(client) => (Door::There(client), None),
        None => {
            let running = Running::start(start, Kind::Run, pages::page).await?;
            (Door::Here(running.engine.clone()), Some(running))
        }
    };
    let instance = match (&door, &running) {
        (Door::There(client), _) => client.instance().clone(),
        (Door::Here(_), Some(running)) => running.instance.clone(),
        (Door::Here(_), None) => anyhow::bail!("cannot tell where Clew listens"),
    };
    anyhow::ensure!(
        !instance.http.is_empty(),
        "Clew does not listen for OTLP over HTTP: see `clew status`"
    );

    let run_id = format!("{:032x}", rand::random::<u128>());
    let began = micros_now();
    let environment = environment(
        &instance,
        &run_id,
        command.tag.as_deref(),
        key.as_deref(),
        &command.command,
        |name| std::env::var(name).ok(),
    );
    let ended = child(&command.command, &environment, umask, out.is_json()).await;
    let found = match &ended {
        Ok(_) => Some(traces(&door, &run_id, began).await),
        Err(_) => None,
    };
    let keeps = running.is_none();
    if let Some(running) = running {
        running.shut_down().await?;
    }
    let code = code(ended?);
    let found = found.transpose()?.unwrap_or(Found {
        attributed: false,
        traces: Vec::new(),
        sums: LedgerSums::default(),
    });
    if out.is_json() {
        out.json(&Answer {
            run_id: &run_id,
            exit_code: code,
            attributed: found.attributed,
            traces: &found.traces,
            totals: &found.sums,
        })?;
    } else {
        // Stdout is the program's.
        let summary = summary(&found, keeps.then_some(&instance), out);
        std::io::Write::write_all(&mut std::io::stderr(), summary.as_bytes())?;
    }
    Ok(Exit::Child(code))
}

fn micros_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(0))
}

/// The environment that makes a program send here: OpenTelemetry's variables and those of the frameworks that have
/// their own. `None` removes a variable that would lead elsewhere. What the user has set otherwise stands.
fn environment(
    instance: &Instance,
    run_id: &str,
    tag: Option<&str>,
    key: Option<&str>,
    command: &[OsString],
    own: impl Fn(&str) -> Option<String>,
) -> BTreeMap<&'static str, Option<String>> {
    let endpoint = format!("http://{}", instance.http);
    let is_set = |name: &str| own(name).is_some_and(|value| !value.is_empty());
    let mut set: BTreeMap<&'static str, Option<String>> = BTreeMap::new();
    let mut put = |name, value: &str| {
        set.insert(name, Some(value.to_owned()));
    };
    put("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
    put("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    put("OTEL_BSP_SCHEDULE_DELAY", EXPORT_DELAY);
    put("OTEL_BLRP_SCHEDULE_DELAY", EXPORT_DELAY);
    put("OTEL_METRIC_EXPORT_INTERVAL", "1000");
    put("TRACELOOP_BASE_URL", &endpoint);
    put("PHOENIX_COLLECTOR_ENDPOINT", &endpoint);
    for (name, value) in [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("TRACELOOP_TRACE_CONTENT", "true"),
        ("CLAUDE_CODE_ENABLE_TELEMETRY", "1"),
        // Without it Claude Code sends no traces.
        ("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "1"),
        ("OTEL_LOG_USER_PROMPTS", "1"),
        ("OTEL_LOG_TOOL_DETAILS", "1"),
        ("OTEL_LOG_TOOL_CONTENT", "1"),
        ("COPILOT_OTEL_ENABLED", "true"),
        ("COPILOT_OTEL_CAPTURE_CONTENT", "true"),
    ] {
        if !is_set(name) {
            put(name, value);
        }
    }
    // The two dialects of the content switch exclude each other, so both are set or neither.
    let content = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
    let dialect = "OTEL_SEMCONV_STABILITY_OPT_IN";
    if !is_set(content) && !is_set(dialect) {
        put(content, "span_and_event");
        put(dialect, "gen_ai_latest_experimental");
    }
    let mut attributes = own("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    if !is_set("OTEL_SERVICE_NAME") && !attributes.contains("service.name=") {
        put("OTEL_SERVICE_NAME", &service(command));
    }
    let mut state = |name: &str, value: &str| {
        if !attributes.is_empty() {
            attributes.push(',');
        }
        attributes.push_str(name);
        attributes.push('=');
        attributes.push_str(&percent(value));
    };
    state("clew.run.id", run_id);
    if let Some(tag) = tag {
        state("clew.run.tag", tag);
    }
    put("OTEL_RESOURCE_ATTRIBUTES", &attributes);
    // Headers are meant for where the user sends otherwise, and may be secrets.
    set.insert(
        "OTEL_EXPORTER_OTLP_HEADERS",
        key.map(|key| format!("x-clew-key={}", percent(key))),
    );
    for name in [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        "TRACELOOP_HEADERS",
        // A configuration file switches all of the above off.
        "OTEL_CONFIG_FILE",
        "OTEL_EXPERIMENTAL_CONFIG_FILE",
        "OTEL_SDK_DISABLED",
    ] {
        set.insert(name, None);
    }
    set
}

/// The service's name where none is set: the script of an interpreter, else the program.
fn service(command: &[OsString]) -> String {
    let stem = |word: &OsString| {
        std::path::Path::new(word)
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let program = command.first().and_then(stem).unwrap_or_default();
    let interprets = [
        // Starts a program with instrumentation around it.
        "opentelemetry-instrument",
        "python",
        "node",
        "deno",
        "bun",
        "ruby",
        "uv",
        "npx",
        "tsx",
        "java",
        "sh",
        "bash",
    ]
    .iter()
    .any(|name| program.starts_with(name));
    let script = command
        .iter()
        .skip(1)
        .filter(|word| !word.to_string_lossy().starts_with('-'))
        .find(|word| std::path::Path::new(word).is_file())
        .filter(|_| interprets)
        .and_then(stem);
    script.unwrap_or(program)
}

async fn child(
    command: &[OsString],
    environment: &BTreeMap<&'static str, Option<String>>,
    umask: Umask,
    is_json: bool,
) -> anyhow::Result<ExitStatus> {
    let (program, arguments) = command
        .split_first()
        .context("there is no program to run")?;
    let mut process = tokio::process::Command::new(program);
    process.args(arguments);
    for (name, value) in environment {
        match value {
            Some(value) => process.env(name, value),
            None => process.env_remove(name),
        };
    }
    if is_json {
        process.stdout(Stdio::from(std::io::stderr()));
    }
    let mut child = umask
        .around(|| process.spawn())
        .with_context(|| format!("cannot start {}", program.to_string_lossy()))?;
    // Control-C reaches the program too, and it decides: Clew stays to receive what the program still sends.
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            ended = clew_engine::instance::ending() => {
                if ended? == clew_engine::instance::Ending::Terminate {
                    terminate(&child);
                }
            }
        }
    }
}

/// Passes on that it is time to end.
fn terminate(child: &tokio::process::Child) {
    #[cfg(unix)]
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let pid = nix::unistd::Pid::from_raw(pid);
        if let Err(error) = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM) {
            tracing::warn!("cannot pass the signal on: {error}");
        }
    }
    #[cfg(not(unix))]
    let _ = child;
}

/// The program's exit code; 128 and the signal's number where one ended it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    status
        .code()
        .or(signal.map(|signal| signal.saturating_add(128)))
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1)
}

/// Finds the run's traces: those whose resource carries its id; where none does, those that came meanwhile.
async fn traces(door: &Door, run_id: &str, began: u64) -> anyhow::Result<Found> {
    let waited = Instant::now();
    while waited.elapsed() < SETTLE {
        let status: Status = door.call("get_status", &NoParams {}).await?;
        if status.underived == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let of = |resource| TraceFilter {
        source: Some(0),
        received_from: Some(began),
        resource,
        ..TraceFilter::default()
    };
    let mut filter = of(Some(run_id.to_owned()));
    let mut traces = rows(door, filter.clone(), LISTED).await?;
    let attributed = !traces.is_empty();
    if !attributed {
        filter = of(None);
        traces = rows(door, filter.clone(), LISTED).await?;
    }
    // By when they were received: the times that a program states may be anything.
    traces.sort_by_key(|row| std::cmp::Reverse(row.received_micros));
    Ok(Found {
        attributed,
        traces,
        sums: sums(door, filter).await?,
    })
}

fn summary(found: &Found, instance: Option<&Instance>, out: &Out) -> String {
    let traces = &found.traces;
    let name = out.ink(Ink::Bold, "clew:");
    if traces.is_empty() {
        return format!(
            "\n{name} no trace arrived. Does the program load OpenTelemetry? `clew doctor` looks for what is missing.\n"
        );
    }
    let mut text = format!("\n{name} {}\n", totals(traces, &found.sums, out));
    if !found.attributed {
        text.push_str(
            "  (none carries this run's id, as the program sets its own resource: these came while it ran)\n",
        );
    }
    for row in traces.iter().take(NAMED) {
        text.push_str(&format!(
            "  {}  {:>9}  {:>9}  {}  {}\n",
            row.trace_id,
            duration(row.duration_nanos),
            dollars(row.cost_usd),
            plain(&row.name),
            state(row),
        ));
    }
    if traces.len() > NAMED {
        text.push_str(&format!("  and {} more\n", traces.len() - NAMED));
    }
    match (instance, traces.first()) {
        (Some(instance), Some(first)) if instance.kind == Kind::Serve => {
            let place = format!("#/trace/{}", percent(&first.trace_id));
            text.push_str(&format!("  {}\n", instance.link(&place)));
        }
        (_, Some(first)) => {
            text.push_str(&format!("  clew trace {}\n", first.trace_id));
        }
        _ => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        Instance {
            pid: 1,
            kind: Kind::Serve,
            version: String::new(),
            grpc: "127.0.0.1:4317".to_owned(),
            http: "127.0.0.1:4318".to_owned(),
            ui: "127.0.0.1:4319".to_owned(),
            token: String::new(),
            db: std::path::PathBuf::new(),
        }
    }

    fn of(own: &[(&str, &str)]) -> BTreeMap<&'static str, Option<String>> {
        let command = [OsString::from("/usr/bin/agent"), OsString::from("-v")];
        environment(&instance(), "abc", Some("a b"), None, &command, |name| {
            own.iter()
                .find(|(each, _)| *each == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn value<'a>(set: &'a BTreeMap<&'static str, Option<String>>, name: &str) -> &'a str {
        set[name].as_deref().expect("is set")
    }

    #[test]
    fn a_program_is_named_after_its_script() {
        // Any file that exists.
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for command in [
            words(&["python3", script]),
            words(&["opentelemetry-instrument", "python", script]),
        ] {
            assert_eq!(service(&command), "build", "{command:?}");
        }
        assert_eq!(service(&words(&["/usr/bin/agent", script])), "agent");
    }

    #[test]
    fn the_program_is_pointed_here() {
        let set = of(&[]);
        assert_eq!(
            value(&set, "OTEL_EXPORTER_OTLP_ENDPOINT"),
            "http://127.0.0.1:4318"
        );
        assert_eq!(value(&set, "OTEL_BSP_SCHEDULE_DELAY"), "200");
        assert_eq!(value(&set, "OTEL_SERVICE_NAME"), "agent");
        assert_eq!(
            value(&set, "OTEL_RESOURCE_ATTRIBUTES"),
            "clew.run.id=abc,clew.run.tag=a%20b"
        );
        assert_eq!(
            value(&set, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"),
            "span_and_event"
        );
    }

    #[test]
    fn what_the_user_chose_stands_and_what_leads_elsewhere_goes() {
        let set = of(&[
            ("OTEL_SERVICE_NAME", "mine"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=x"),
            (
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
                "false",
            ),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://elsewhere"),
        ]);
        assert!(!set.contains_key("OTEL_SERVICE_NAME"));
        assert!(!set.contains_key("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"));
        assert!(value(&set, "OTEL_RESOURCE_ATTRIBUTES").starts_with("team=x,clew.run.id="));
        assert_eq!(set["OTEL_EXPORTER_OTLP_HEADERS"], None);
        assert_eq!(set["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"], None);
    }
}
