//! The browser host of the real binary: who may ask it what, and how it starts and ends.

pub(crate) mod process;
pub(crate) mod wire;

use std::process::Command;
use std::time::{Duration, Instant};

use clew_engine::api::COMMANDS;
use clew_engine::host::ROUTES;
use clew_engine::instance::{Instance, Kind, Running, Start};
use clew_tests::{PATIENCE, at_most};

pub(crate) use process::{Served, clew};
use wire::{Answer, ask};

/// Addresses of every route, with something in the place of each `{…}`.
fn addresses() -> Vec<(&'static str, String)> {
    let mut addresses = vec![
        ("GET", "/no/such/page".to_owned()),
        ("GET", "/api/get_status".to_owned()),
        ("DELETE", "/".to_owned()),
    ];
    for route in ROUTES {
        if route.path.contains("{command}") {
            for command in COMMANDS.iter().chain(&["no_such_command"]) {
                addresses.push((route.method, route.path.replace("{command}", command)));
            }
        } else {
            addresses.push((route.method, route.path.replace("{*path}", "index.html")));
        }
    }
    addresses
}

#[test]
fn no_route_answers_without_the_token() {
    let served = Served::start(&[]);
    let wrong = format!("Authorization: Bearer {}", "0".repeat(64));
    let cookie = format!("Cookie: clew-{}={}", served.ui_port(), "0".repeat(64));
    for (method, path) in addresses() {
        for header in ["Accept: */*", &wrong, &cookie] {
            let answer = ask(&served.ui, method, &path, &[header], b"{}");
            assert_eq!(answer.status, 401, "{method} {path} with {header}");
            assert_eq!(
                answer.header("content-type"),
                Some("text/plain; charset=utf-8")
            );
            assert!(answer.header("set-cookie").is_none());
        }
        let wrong_in_url = format!("{path}?token={}", "0".repeat(64));
        let answer = ask(&served.ui, method, &wrong_in_url, &[], b"{}");
        assert_eq!(answer.status, 401, "{method} {wrong_in_url}");
    }
}

#[test]
fn the_token_in_the_link_becomes_a_cookie_and_leaves_the_url() {
    let served = Served::start(&[]);
    let link = format!("/?token={}&view=x", served.token);
    let answer = ask(
        &served.ui,
        "GET",
        &link,
        &["Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"],
        b"",
    );
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/?view=x"));
    let cookie = answer.header("set-cookie").expect("sets a cookie");
    let (pair, attributes) = cookie.split_once(';').expect("has attributes");
    assert_eq!(attributes, " HttpOnly; SameSite=Strict; Path=/");
    let cookie = format!("Cookie: {pair}");
    let page = ask(&served.ui, "GET", "/", &[&cookie], b"");
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        page.text().contains("<title>Clew</title>"),
        "{}",
        page.text()
    );
    let status = ask(
        &served.ui,
        "POST",
        "/api/get_status",
        &[&cookie, "Content-Type: application/json"],
        b"{}",
    );
    assert_eq!(status.status, 200, "{}", status.text());
}

/// A browser that does nothing but write its arguments down; gone with the folder.
#[cfg(unix)]
fn fake_browser(folder: &std::path::Path) -> (String, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;

    let (program, told) = (folder.join("xdg-open"), folder.join("told"));
    let script = format!(
        "#!/bin/sh\nprintf '%s' \"$*\" > {0}.new && mv {0}.new {0}\n",
        told.display()
    );
    std::fs::write(&program, script).expect("is written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("is set");
    let path = std::env::var("PATH").unwrap_or_default();
    (format!("{}:{path}", folder.display()), told)
}

#[cfg(target_os = "linux")]
#[test]
fn a_browser_is_started_with_a_link_that_works_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, told) = fake_browser(folder.path());
    let served = Served::start(&[]);
    let opened = clew()
        .args(["open", "--db"])
        .arg(served.database())
        .env("PATH", path)
        .env("DISPLAY", ":0")
        .output()
        .expect("clew starts");
    assert!(opened.status.success(), "{opened:?}");
    let began = Instant::now();
    while !told.exists() {
        assert!(began.elapsed() < PATIENCE, "no browser");
        std::thread::sleep(Duration::from_millis(10));
    }
    let link = std::fs::read_to_string(&told).expect("is there");
    // Every user of the machine can read a process's arguments.
    assert!(!link.contains(&served.token), "{link}");
    let path = link
        .strip_prefix(&format!("http://{}", served.ui))
        .expect("an address of this Clew");
    let answer = ask(&served.ui, "GET", path, &["Sec-Fetch-Site: none"], b"");
    assert_eq!(answer.status, 303, "{link}");
    assert_eq!(answer.header("location"), Some("/"));
    let cookie = answer.header("set-cookie").expect("sets a cookie");
    let (pair, _) = cookie.split_once(';').expect("has attributes");
    let page = ask(&served.ui, "GET", "/", &[&format!("Cookie: {pair}")], b"");
    assert_eq!(page.status, 200);
    let again = ask(&served.ui, "GET", path, &["Sec-Fetch-Site: none"], b"");
    assert_eq!(again.status, 401, "whoever reads it later is too late");
    assert!(again.header("set-cookie").is_none());
}

#[test]
fn other_hosts_origins_and_sites_are_refused_before_the_token_is_looked_at() {
    let served = Served::start(&[]);
    let port = served.ui_port();
    let bearer = format!("Authorization: Bearer {}", served.token);
    let own = format!("http://127.0.0.1:{port}");
    for (name, header, status) in [
        ("own origin", format!("Origin: {own}"), 404),
        ("null", "Origin: null".to_owned(), 403),
        ("another port", "Origin: http://127.0.0.1:1".to_owned(), 403),
        ("same site", "Sec-Fetch-Site: same-site".to_owned(), 403),
        ("cross site", "Sec-Fetch-Site: cross-site".to_owned(), 403),
    ] {
        let answer = ask(&served.ui, "GET", "/none", &[&bearer, &header], b"");
        assert_eq!(answer.status, status, "{name}");
    }
    let raw = |head: &str| wire::raw(&served.ui, head.as_bytes());
    let foreign = raw(&format!(
        "GET / HTTP/1.1\r\nHost: evil.example:{port}\r\n{bearer}\r\nConnection: close\r\n\r\n"
    ));
    assert_eq!(foreign.status, 403);
    let twice = raw(&format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n{bearer}\r\nConnection: close\r\n\r\n"
    ));
    assert!([400, 403].contains(&twice.status), "{}", twice.status);
    let none = raw(&format!(
        "GET / HTTP/1.1\r\n{bearer}\r\nConnection: close\r\n\r\n"
    ));
    assert!([400, 403].contains(&none.status), "{}", none.status);
}

#[test]
fn every_reply_forbids_what_pages_could_do_to_it() {
    let served = Served::start(&[]);
    let bearer = format!("Authorization: Bearer {}", served.token);
    let granted = ask(&served.ui, "GET", "/", &[&bearer], b"");
    let refused = ask(&served.ui, "GET", "/", &[], b"");
    for answer in [granted, refused] {
        let policy = answer.header("content-security-policy").expect("is set");
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "frame-src 'none'",
            "form-action 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        ] {
            assert!(policy.contains(directive), "{directive}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-dns-prefetch-control", "off"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(answer.header("access-control-allow-origin").is_none());
    }
}

fn post(served: &Served, path: &str, kind: &str, body: &[u8]) -> Answer {
    let bearer = format!("Authorization: Bearer {}", served.token);
    let kind = format!("Content-Type: {kind}");
    ask(&served.ui, "POST", path, &[&bearer, &kind], body)
}

#[test]
fn commands_are_posted_as_json_and_fail_with_a_code() {
    let served = Served::start(&[]);
    let json = "application/json";
    let cases = [
        ("/api/get_status", json, "{}", 200, ""),
        (
            "/api/get_status",
            "application/json; charset=utf-8",
            "{}",
            200,
            "",
        ),
        ("/api/get_status", "text/plain", "{}", 415, "bad_request"),
        (
            "/api/get_status",
            "application/x-www-form-urlencoded",
            "{}",
            415,
            "bad_request",
        ),
        ("/api/get_status", json, "{\"x\":1}", 400, "bad_request"),
        ("/api/get_status", json, "{", 400, "bad_request"),
        ("/api/no_such_command", json, "{}", 404, "unknown_command"),
        (
            "/api/get_waterfall",
            json,
            "{\"traceId\":\"00\"}",
            400,
            "bad_request",
        ),
        (
            "/api/get_waterfall",
            json,
            "{\"traceId\":\"0123456789abcdef0123456789abcdef\"}",
            404,
            "not_found",
        ),
        ("/files?name=a", json, "{}", 415, "bad_request"),
    ];
    for (path, kind, body, status, code) in cases {
        let answer = post(&served, path, kind, body.as_bytes());
        assert_eq!(
            answer.status,
            status,
            "{path} {kind} {body}: {}",
            answer.text()
        );
        if !code.is_empty() {
            assert_eq!(answer.json()["code"], code, "{path} {kind} {body}");
            assert!(answer.json()["message"].is_string());
        }
    }
    let bearer = format!("Authorization: Bearer {}", served.token);
    let got = ask(&served.ui, "GET", "/api/apply_retention", &[&bearer], b"");
    assert_eq!(got.status, 405, "no command runs on GET");
    let large = vec![b' '; 2 * 1024 * 1024];
    assert_eq!(post(&served, "/api/get_status", json, &large).status, 413);
}

#[test]
fn a_file_given_over_http_is_private_and_gone_once_opened() {
    let served = Served::start(&[]);
    let trace = include_bytes!("../../fixtures/otlp/manual_generic/001-traces-http-json.json");
    let answer = post(
        &served,
        "/files?name=..%2F..%2Fmy%20trace.json",
        "application/octet-stream",
        trace,
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["token"].as_str().expect("a token").to_owned();
    let waiting = served.files_below("clew.db.uploads");
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert!(waiting[0].ends_with("my trace.json"), "{waiting:?}");
    process::assert_private(&served.folder());

    let params = serde_json::json!({ "tokens": [token] }).to_string();
    let opened = post(
        &served,
        "/api/open_files",
        "application/json",
        params.as_bytes(),
    );
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert_eq!(opened.json()[0]["label"], "my trace.json");
    assert!(
        opened.json()[0]["spans"].as_u64() > Some(0),
        "{}",
        opened.text()
    );
    assert!(served.files_below("clew.db.uploads").is_empty());
}

/// Where an upload lies says nothing of it: its content and name do, or the path that its sender read.
#[test]
fn a_file_given_twice_is_one_source_and_another_of_its_name_is_another() {
    let served = Served::start(&[]);
    let trace = include_bytes!("../../fixtures/otlp/manual_generic/001-traces-http-json.json");
    let other = String::from_utf8_lossy(trace).replace("\"name\"", " \"name\"");
    let open = |query: &str, content: &[u8]| {
        let path = format!("/files?{query}");
        let answer = post(&served, &path, "application/octet-stream", content);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let params = serde_json::json!({ "tokens": [answer.json()["token"]] }).to_string();
        let opened = post(
            &served,
            "/api/open_files",
            "application/json",
            params.as_bytes(),
        );
        opened.json()[0]["source"].as_i64().expect("it is opened")
    };
    let first = open("name=t.json", trace);
    assert_eq!(open("name=t.json", trace), first);
    assert_ne!(open("name=t.json", other.as_bytes()), first);
    assert_ne!(open("name=u.json", trace), first);
    let told = open("name=t.json&path=%2Fhome%2Fme%2Ft.json", trace);
    assert_ne!(told, first);
    let grown = open("name=t.json&path=%2Fhome%2Fme%2Ft.json", other.as_bytes());
    assert_eq!(grown, told);
}

/// A client that leaves in the middle leaves nothing on the disk.
#[test]
fn a_file_that_breaks_off_is_removed() {
    let served = Served::start(&[]);
    let mut stream = std::net::TcpStream::connect(&served.ui).expect("it listens");
    let head = format!(
        "POST /files?name=t.json HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n",
        served.ui, served.token
    );
    std::io::Write::write_all(&mut stream, head.as_bytes()).expect("is sent");
    std::io::Write::write_all(&mut stream, &[b' '; 1_000]).expect("is sent");
    let waits = |count: usize| {
        let began = Instant::now();
        while served.files_below("clew.db.uploads").len() != count {
            assert!(began.elapsed() < clew_tests::PATIENCE, "{count} files");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    waits(1);
    drop(stream);
    waits(0);
}

#[test]
fn changes_are_told_as_they_happen_and_after_a_break_all_at_once() {
    let served = Served::start(&[]);
    let bearer = format!("Authorization: Bearer {}", served.token);
    let mut events = wire::Events::open(&served.ui, &[&bearer]);
    let sent = post(&served, "/api/send_test_trace", "application/json", b"{}");
    assert_eq!(sent.status, 200, "{}", sent.text());
    let began = Instant::now();
    while !events.next().contains(&"spans".to_owned()) {
        assert!(began.elapsed() < PATIENCE, "no change of spans");
    }
    let mut again = wire::Events::open(&served.ui, &[&bearer, "Last-Event-ID: 3"]);
    assert_eq!(again.next(), ["spans", "sources", "settings", "status"]);
}

#[test]
fn it_says_once_where_it_is_and_leaves_nothing_behind() {
    let mut served = Served::start(&[]);
    for address in [&served.grpc, &served.http, &served.ui] {
        let address: std::net::SocketAddr = address.parse().expect("an address");
        assert!(address.ip().is_loopback() && address.port() != 0);
    }
    assert_eq!(served.token.len(), 64);
    assert_eq!(
        served
            .ready
            .as_object()
            .expect("an object")
            .keys()
            .collect::<Vec<_>>(),
        ["db", "grpc", "http", "token", "ui"]
    );
    process::assert_private(&served.folder());
    let instance = std::fs::read_to_string(served.folder().join("instance.json"));
    let instance: serde_json::Value =
        serde_json::from_str(&instance.expect("is there")).expect("is JSON");
    assert_eq!(instance["pid"], served.pid());
    assert_eq!(instance["token"], served.token.as_str());

    let (code, rest) = served.end("TERM");
    assert_eq!(code, Some(0));
    assert_eq!(rest, "", "one line is all");
    assert!(!served.folder().join("instance.json").exists());
    assert!(!served.folder().join("clew.db.uploads").exists());
}

#[test]
fn an_open_event_stream_does_not_hold_it_back_from_ending() {
    let mut served = Served::start(&[]);
    let bearer = format!("Authorization: Bearer {}", served.token);
    let _events = wire::Events::open(&served.ui, &[&bearer]);
    let began = Instant::now();
    let (code, _) = served.end("INT");
    assert_eq!(code, Some(130));
    assert!(
        began.elapsed() < at_most(Duration::from_secs(3)),
        "{:?}",
        began.elapsed()
    );
}

fn refused(arguments: &[&str], database: &std::path::Path) -> String {
    let output = clew()
        .arg("serve")
        .arg("--db")
        .arg(database)
        .args(arguments)
        .output()
        .expect("clew starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).expect("is text")
}

/// Reliability C13.
#[test]
fn a_taken_port_ends_it_and_is_named_with_its_owner() {
    let served = Served::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    for (flag, address) in [
        ("--grpc", &served.grpc),
        ("--http", &served.http),
        ("--ui", &served.ui),
    ] {
        let port = address.rsplit(':').next().expect("a port");
        let mut arguments = vec!["--grpc", "0", "--http", "0", "--ui", "0"];
        let at = arguments
            .iter()
            .position(|each| *each == flag)
            .expect("is there");
        arguments[at + 1] = port;
        let told = refused(&arguments, &folder.path().join("clew.db"));
        assert!(told.contains(port) && told.contains(flag), "{told}");
        assert!(!folder.path().join("instance.json").exists());
    }
}

/// Reliability C12.
#[test]
fn a_database_has_one_writer() {
    let served = Served::start(&[]);
    let database = served.folder().join("clew.db");
    let told = refused(&["--grpc", "0", "--http", "0", "--ui", "0"], &database);
    assert!(told.contains(&served.pid().to_string()), "{told}");
    assert!(
        served.folder().join("instance.json").exists(),
        "the first is still to be found"
    );
}

#[test]
fn listening_beyond_this_machine_needs_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [
        "--grpc", "0", "--http", "0", "--ui", "0", "--host", "0.0.0.0",
    ];
    let told = refused(&arguments, &folder.path().join("clew.db"));
    assert!(told.contains("key"), "{told}");
}

#[test]
fn the_binary_links_no_gui_library() {
    let output = Command::new("ldd")
        .arg(process::binary())
        .output()
        .expect("ldd runs");
    let libraries = String::from_utf8_lossy(&output.stdout).to_lowercase();
    assert!(libraries.contains("libc"), "{libraries}");
    for gui in ["webkit", "gtk", "libx11", "wayland"] {
        assert!(!libraries.contains(gui), "{gui}: {libraries}");
    }
}

/// Two databases in one folder are both found, and the end of one leaves the other's file.
#[tokio::test]
async fn two_databases_in_one_folder_are_both_found() {
    let around = tempfile::tempdir().expect("a folder");
    // The folder that Clew makes itself, to see its permissions.
    let folder = around.path().join("data");
    let start = |name: &str| {
        let variable = |_: &str| None;
        let mut start = Start::from_environment(variable).unwrap_or_else(|error| panic!("{error}"));
        start.options.database = folder.join(name);
        (start.options.grpc, start.options.http, start.ui) = (0, 0, 0);
        Running::start(start, Kind::Serve, |_| None)
    };
    let found = |name: &str| Instance::find(&folder.join(name));
    let one = start("one.db").await.expect("starts");
    let other = start("two.db").await.expect("starts");
    let default = start("clew.db").await.expect("starts");
    for (name, running) in [("one.db", &one), ("two.db", &other), ("clew.db", &default)] {
        assert_eq!(found(name).as_ref(), Some(&running.instance), "{name}");
    }
    process::assert_private(&folder);
    default.shut_down().await.expect("ends");
    one.shut_down().await.expect("ends");
    assert_eq!((found("one.db"), found("clew.db")), (None, None));
    assert_eq!(found("two.db").as_ref(), Some(&other.instance));
    other.shut_down().await.expect("ends");
    // Alone in its folder, any database is told of by the plain name too.
    let one = start("one.db").await.expect("starts");
    let text = std::fs::read_to_string(folder.join("instance.json")).expect("is there");
    let told: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!(told["ui"], one.instance.ui.as_str());
    one.shut_down().await.expect("ends");
    let left = std::fs::read_dir(&folder).expect("a folder");
    let left = left.filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_string_lossy().ends_with("instance.json")
    });
    assert_eq!(left.count(), 0, "nothing is left behind");
}
