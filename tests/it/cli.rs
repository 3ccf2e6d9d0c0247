//! The command line of the real binary: exit codes, JSON, and text that cannot harm a terminal.

mod ledger;
mod source;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::serve::{Served, clew, wire};

fn run(database: &Path, arguments: &[&str]) -> Output {
    let output = clew().arg("--db").arg(database).args(arguments).output();
    output.expect("clew starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("is text")
}

fn json(output: &Output) -> Value {
    let stdout = text(&output.stdout);
    assert_eq!(stdout.lines().count(), 1, "one value: {stdout}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout:?}"))
}

/// One trace of two spans as OTLP JSON, with this name, service and resource.
fn trace(id: &str, name: &str, resource: &[(&str, &str)]) -> String {
    let attributes: Vec<Value> = resource
        .iter()
        .map(|(key, value)| serde_json::json!({"key": key, "value": {"stringValue": value}}))
        .collect();
    let span = |id_of_span: &str, parent: &str, name: &str| {
        serde_json::json!({
            "traceId": id, "spanId": id_of_span, "parentSpanId": parent, "name": name, "kind": 1,
            "startTimeUnixNano": "1763668000000000000", "endTimeUnixNano": "1763668001500000000",
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-x"}},
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1180"}},
                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "310"}}
            ]
        })
    };
    serde_json::json!({"resourceSpans": [{
        "resource": {"attributes": attributes},
        "scopeSpans": [{"spans": [
            {"traceId": id, "spanId": "0000000000000001", "name": name, "kind": 1,
             "startTimeUnixNano": "1763668000000000000", "endTimeUnixNano": "1763668002000000000"},
            span("0000000000000002", "0000000000000001", "chat gpt-x")
        ]}]
    }]})
    .to_string()
}

const ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// Sends a trace and waits until it is understood: facts are derived after the acknowledgement.
fn send(served: &Served, body: &str) {
    let kind = "Content-Type: application/json";
    let answer = wire::ask(&served.http, "POST", "/v1/traces", &[kind], body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let began = Instant::now();
    loop {
        let status = json(&run(&served.database(), &["status", "--json"]));
        if status["status"]["underived"] == 0 {
            return;
        }
        assert!(began.elapsed() < clew_tests::PATIENCE, "{status}");
    }
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("clew.db");
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["help", "run"], 0),
        (&["completions", "bash"], 0),
        (&["no-such-command"], 2),
        (&["list", "--no-such-flag"], 2),
        (&["list", "--limit", "x"], 2),
        (&["list", "--since", "yesterday"], 2),
        (&["trace"], 2),
        (&["trace", ID, "--tree", "--md"], 2),
        (&["ledger", "--csv", "--lines"], 2),
        (&["import"], 2),
        (&["run"], 2),
        (&["serve", "--grpc", "65536"], 2),
        (&["serve", "--host", "somewhere"], 2),
    ] {
        let output = run(&database, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(output.stdout.is_empty(), code != 0, "{arguments:?}");
    }
    assert!(!database.exists(), "none of them makes a database");
}

#[test]
fn nothing_to_show_is_4_and_still_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("clew.db");
    for arguments in [
        &["list"][..],
        &["trace", ID],
        &["trace", "latest"],
        &["ledger"],
        &["ledger", "latest"],
    ] {
        let output = run(&database, arguments);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        assert!(text(&output.stderr).starts_with("clew: "), "{arguments:?}");
    }
    let output = run(&database, &["list", "--json"]);
    assert_eq!(
        (output.status.code(), json(&output)),
        (Some(4), Value::Array(vec![]))
    );
    let served = Served::start(&[]);
    let output = run(&served.database(), &["trace", ID]);
    assert_eq!(output.status.code(), Some(4));
    let output = run(&served.database(), &["list", "--json"]);
    assert_eq!(
        (output.status.code(), json(&output)),
        (Some(4), Value::Array(vec![]))
    );
}

#[test]
fn what_was_sent_is_listed_shown_and_counted() {
    let served = Served::start(&[]);
    send(
        &served,
        &trace(ID, "answer the customer", &[("service.name", "shop")]),
    );
    let database = served.database();
    let rows = json(&run(&database, &["list", "--json", "--limit", "5"]));
    let row = &rows[0];
    assert_eq!(row["traceId"], ID);
    assert_eq!(row["spanCount"], 2);
    assert_eq!(row["inputTokens"], 1180);
    assert_eq!(row["outputTokens"], 310);
    assert_eq!(row["costUsd"], Value::Null);
    assert_eq!(row["service"], "shop");

    let table = text(&run(&database, &["list"]).stdout);
    for shown in [ID, "answer the customer", "shop", "2.00 s", "1,180", "310"] {
        assert!(table.contains(shown), "{shown}: {table}");
    }
    let tree = text(&run(&database, &["trace", ID]).stdout);
    for shown in [
        "answer the customer",
        "└ chat gpt-x",
        "1.50 s",
        "llm · gpt-x · 1,180 → 310 tokens",
    ] {
        assert!(tree.contains(shown), "{shown}: {tree}");
    }
    assert!(!tree.contains('█'), "bars are for terminals: {tree}");
    let whole = json(&run(&database, &["trace", &ID.to_uppercase(), "--json"]));
    assert_eq!(whole["traceId"], ID);
    assert_eq!(whole["spans"][1]["parentSpanId"], "0000000000000001");
    assert_eq!(whole["spans"][1]["durationNanos"], 1_500_000_000);
    let markdown = text(&run(&database, &["trace", "latest", "--md"]).stdout);
    assert!(
        markdown.starts_with('#') && markdown.contains("chat gpt-x"),
        "{markdown}"
    );

    let status = json(&run(&database, &["status", "--json"]));
    assert_eq!(
        (&status["running"], &status["pid"]),
        (&true.into(), &served.pid().into())
    );
    assert_eq!(status["status"]["spans"], 2);
    for (filter, code) in [
        (&["--service", "shop"][..], 0),
        (&["--service", "other"], 4),
        (&["--model", "gpt-x"], 0),
        (&["--errors"], 4),
        (&["--since", "1h"], 4),
    ] {
        let output = run(&database, &[&["list"], filter].concat());
        assert_eq!(output.status.code(), Some(code), "{filter:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let served = Served::start(&[]);
    send(&served, &trace(ID, "a", &[("service.name", "shop")]));
    for arguments in [
        &["completions", "bash"][..],
        &["bindings"],
        &["list"],
        &["trace", ID],
    ] {
        for _ in 0..20 {
            let mut child = clew()
                .arg("--db")
                .arg(served.database())
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("clew starts");
            drop(child.stdout.take());
            let output = child.wait_with_output().expect("ends");
            let told = text(&output.stderr);
            assert_eq!(
                (output.status.code(), told.as_str()),
                (Some(0), ""),
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn hostile_text_cannot_steer_the_terminal() {
    let served = Served::start(&[]);
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}txt.\r\nx\u{0}";
    send(&served, &trace(ID, hostile, &[("service.name", hostile)]));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("\u{1b}[31mred.json");
    std::fs::write(&file, trace(&ID.replace('0', "1"), hostile, &[])).expect("is written");
    let file = file.to_str().expect("is text").to_owned();
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["trace", ID],
        &["trace", ID, "--json"],
        &["trace", ID, "--md"],
        &["ledger"],
        &["ledger", "--csv"],
        &["import", &file],
        &["import", "/no/such/\u{1b}[31mfile"],
        &["trace", "\u{1b}[31m"],
    ] {
        let output = run(&served.database(), arguments);
        for said in [text(&output.stdout), text(&output.stderr)] {
            let steers = |character: char| {
                (character.is_control() && !"\n\t".contains(character)) || character == '\u{202e}'
            };
            assert!(!said.contains(steers), "{arguments:?}: {said:?}");
        }
    }
}

#[test]
fn colour_is_for_terminals_unless_it_is_asked_for() {
    let served = Served::start(&[]);
    send(&served, &trace(ID, "a", &[("service.name", "shop")]));
    for (flags, variable, coloured) in [
        (&[][..], "", false),
        (&["--color", "always"], "", true),
        (&["--color", "never"], "CLICOLOR_FORCE", false),
        (&[], "CLICOLOR_FORCE", true),
        (&["--color", "always"], "NO_COLOR", true),
    ] {
        let mut command = clew();
        command
            .arg("--db")
            .arg(served.database())
            .arg("list")
            .args(flags);
        if !variable.is_empty() {
            command.env(variable, "1");
        }
        let stdout = text(&command.output().expect("clew starts").stdout);
        assert_eq!(stdout.contains('\u{1b}'), coloured, "{flags:?} {variable}");
    }
}

#[test]
fn files_are_imported_with_and_without_a_running_clew() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("saved.json");
    std::fs::write(&file, trace(ID, "saved", &[])).expect("is written");
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "neither JSON nor protobuf").expect("is written");
    let served = Served::start(&[]);
    let alone = folder.path().join("alone.db");
    let (file, broken) = (file.to_str().expect("text"), broken.to_str().expect("text"));
    for database in [&served.database(), &alone] {
        let output = run(database, &["import", "--json", file]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(json(&output)[0]["spans"], 2);
        assert_eq!(
            json(&run(database, &["trace", ID, "--json"]))["name"],
            "saved"
        );
        let output = run(database, &["import", broken]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let output = run(
            database,
            &["import", "--json", "/no/such/file", broken, file],
        );
        assert_eq!(output.status.code(), Some(1), "one of them failed");
        let opened = json(&output);
        for (at, why) in [(0, "/no/such/file"), (1, "broken.json")] {
            assert_eq!(opened[at]["source"], Value::Null, "{opened}");
            assert!(
                opened[at]["problems"][0].to_string().contains(why),
                "{opened}"
            );
        }
        assert!(
            opened[2]["source"].is_i64(),
            "the last one is open: {opened}"
        );
        let output = run(database, &["import", "/"]);
        assert_eq!(output.status.code(), Some(1), "a folder is no file");
    }
}

/// A program that sends one trace to where the environment says, with the resource that it says.
const PROGRAM: &str = r#"
    address=${OTEL_EXPORTER_OTLP_ENDPOINT#http://}
    run=${OTEL_RESOURCE_ATTRIBUTES#*clew.run.id=}
    body=${BODY/RUN/${run%%,*}}
    exec 3<>/dev/tcp/${address%:*}/${address##*:}
    printf 'POST /v1/traces HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' "$address" "${#body}" "$body" >&3
    read -r _ status _ <&3
    echo "sent $status"
    exit 3
"#;

fn run_program(database: &Path, flags: &[&str], service: &str) -> Output {
    let resource = [("service.name", service), ("clew.run.id", "RUN")];
    run_sender(database, flags, &trace(ID, "run me", &resource))
}

/// Runs the program; in what it sends `RUN` stands for the run's id.
fn run_sender(database: &Path, flags: &[&str], body: &str) -> Output {
    // The environment is cleared, so the data folder is that of the database alone.
    clew()
        .arg("--db")
        .arg(database)
        .arg("run")
        .args(flags)
        .args(["--grpc", "0", "--http", "0", "--ui", "0"])
        .args(["--tag", "nightly", "--", "bash", "-c", PROGRAM])
        .env("BODY", body)
        .output()
        .expect("clew starts")
}

#[test]
fn a_program_sends_here_and_its_traces_are_summed_up() {
    let served = Served::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    for database in [
        served.database(),
        folder.path().join("data").join("clew.db"),
    ] {
        let output = run_program(&database, &[], "shop");
        let told = text(&output.stderr);
        assert_eq!(
            text(&output.stdout),
            "sent 200\n",
            "stdout is the program's: {told}"
        );
        assert_eq!(output.status.code(), Some(3), "{told}");
        for shown in [
            "1 trace",
            "2 spans",
            "1,180 tokens in",
            "310 out",
            ID,
            "run me",
        ] {
            assert!(told.contains(shown), "{shown}: {told}");
        }
        assert!(!told.contains("none carries"), "{told}");
        let rows = json(&run(&database, &["list", "--json"]));
        assert_eq!(rows[0]["traceId"], ID, "the traces stay");
    }
    assert!(!folder.path().join("data").join("instance.json").exists());
}

#[test]
fn a_run_as_json_keeps_stdout_for_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run_program(&folder.path().join("clew.db"), &["--json"], "shop");
    let answer = json(&output);
    assert_eq!(answer["exitCode"], 3);
    assert_eq!(answer["attributed"], true);
    assert_eq!(answer["traces"][0]["traceId"], ID);
    assert!(text(&output.stderr).contains("sent 200"));
}

#[test]
fn a_run_ends_as_its_program_does() {
    let served = Served::start(&[]);
    for (program, code) in [
        ("exit 0", 0),
        ("exit 41", 41),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
    ] {
        let output = run(&served.database(), &["run", "--", "sh", "-c", program]);
        assert_eq!(output.status.code(), Some(code), "{program}");
    }
    let output = run(&served.database(), &["run", "--", "/no/such/program"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/no/such/program"));
    let output = run(&served.database(), &["run", "--", "sh", "-c", "umask"]);
    let own = Command::new("sh")
        .args(["-c", "umask"])
        .output()
        .expect("sh runs");
    assert_eq!(output.stdout, own.stdout, "a program keeps its own umask");
}

#[test]
fn the_doctor_sends_spans_by_every_way_and_cleans_up() {
    let served = Served::start(&[]);
    let output = run(&served.database(), &["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let checks = json(&output);
    let verdict = |name: &str| {
        let found = checks
            .as_array()
            .expect("checks")
            .iter()
            .find(|check| check["name"] == name);
        found.map(|check| check["verdict"].as_str().expect("a verdict").to_owned())
    };
    for name in ["clew", "database", "gRPC port", "HTTP port", "clock"] {
        assert_eq!(verdict(name).as_deref(), Some("ok"), "{name}: {checks}");
    }
    assert_eq!(
        run(&served.database(), &["list"]).status.code(),
        Some(4),
        "nothing stays"
    );

    let folder = tempfile::tempdir().expect("a folder");
    let port = served.http.rsplit(':').next().expect("a port");
    let output = clew()
        .arg("--db")
        .arg(folder.path().join("clew.db"))
        .args(["doctor", "--grpc", "0", "--ui", "0", "--http", port])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:4318")
        .output()
        .expect("clew starts");
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains(&format!("port {port}")), "{told}");
    assert!(told.contains("https"), "{told}");
}

#[test]
fn a_key_is_needed_where_one_is_set_and_the_tools_know_it() {
    let served = Served::start(&["--ingest-key", "k=1,x;y"]);
    let kind = "Content-Type: application/json";
    let body = trace(ID, "a", &[]);
    let answer = wire::ask(&served.http, "POST", "/v1/traces", &[kind], body.as_bytes());
    assert_eq!(answer.status, 401, "{}", answer.text());
    let database = served.database();
    let doctor = |key: &str| {
        let mut command = clew();
        command.arg("--db").arg(&database).arg("doctor");
        if !key.is_empty() {
            command.env("CLEW_KEY", key);
        }
        command.output().expect("clew starts").status.code()
    };
    assert_eq!(doctor(""), Some(1));
    assert_eq!(doctor("k=1,x;y"), Some(0));
}

#[test]
fn opening_files_starts_a_clew_that_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("saved.json");
    std::fs::write(&file, trace(ID, "saved", &[])).expect("is written");
    let database = folder.path().join("data").join("clew.db");
    let file = file.to_str().expect("text");
    let flags = [
        "--no-browser",
        "--grpc",
        "0",
        "--http",
        "0",
        "--ui",
        "0",
        "--json",
    ];
    let open = |files: &[&str]| run(&database, &[&["open"], &flags[..], files].concat());
    let first = open(&[file]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let status = json(&run(&database, &["status", "--json"]));
    let _ended = Ended(status["pid"].as_u64().expect("runs").to_string());
    let answer = json(&first);
    assert_eq!(answer["opened"][0]["spans"], 2);
    let link = answer["link"].as_str().expect("a link");
    assert!(link.contains(&format!("#/trace/{ID}?source=")), "{link}");
    let again = json(&open(&[]));
    let token = |link: &Value| {
        let link = link.as_str().expect("a link");
        link.split(['=', '#']).nth(1).expect("a token").to_owned()
    };
    assert_eq!(
        token(&answer["link"]),
        token(&again["link"]),
        "the same Clew"
    );
}

/// A process that is ended when the test is over.
struct Ended(String);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(&self.0).status();
    }
}
