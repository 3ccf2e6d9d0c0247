use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use std::time::Instant;

use super::{CODE_LIFE, CODES, Gate, Passage, Refusal};

const PORT: u16 = 4319;

fn judge(gate: &Gate, uri: &str, headers: &[(&str, &str)]) -> Result<Passage, Refusal> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            name.parse::<HeaderName>().expect("is a header name"),
            HeaderValue::from_bytes(value.as_bytes()).expect("is a header value"),
        );
    }
    let uri: Uri = uri.parse().expect("is a URI");
    gate.judge(&Method::GET, &uri, &map)
}

#[test]
fn only_this_host_by_its_loopback_names_and_port_may_be_asked() {
    let gate = Gate::new(PORT);
    let bearer = format!("Bearer {}", gate.token());
    let own = ["127.0.0.1:4319", "localhost:4319", "[::1]:4319"];
    let foreign = [
        "",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "127.0.0.1:4318",
        "127.0.0.1:43190",
        "127.0.0.1:04319",
        "127.0.0.1:4319:4319",
        "127.0.0.1:4319.",
        "127.0.0.1.:4319",
        "localhost.:4319",
        "LOCALHOST:4319",
        "localhost.evil.example:4319",
        "evil.example:4319",
        "evil.example",
        "127.0.0.1.evil.example:4319",
        "127.0.0.1.nip.io:4319",
        "127.0.0.2:4319",
        "127.1:4319",
        "2130706433:4319",
        "0x7f000001:4319",
        "0.0.0.0:4319",
        "[::]:4319",
        "[::ffff:127.0.0.1]:4319",
        "[0:0:0:0:0:0:0:1]:4319",
        "::1:4319",
        "[::1%lo]:4319",
        "user@127.0.0.1:4319",
        "127.0.0.1:4319@evil.example",
        "127.0.0.1:4319, evil.example",
        " 127.0.0.1:4319",
        "127.0.0.1 :4319",
        "127.0.0.1:4319/",
        "http://127.0.0.1:4319",
        "host.docker.internal:4319",
        "gateway.docker.internal:4319",
        "host.containers.internal:4319",
        "192.168.1.2:4319",
    ];
    for host in own {
        let verdict = judge(&gate, "/", &[("host", host), ("authorization", &bearer)]);
        assert_eq!(verdict, Ok(Passage::Open), "{host:?}");
    }
    for host in foreign {
        let verdict = judge(&gate, "/", &[("host", host), ("authorization", &bearer)]);
        assert_eq!(verdict, Err(Refusal::Host), "{host:?}");
    }
    let none = judge(&gate, "/", &[("authorization", &bearer)]);
    assert_eq!(none, Err(Refusal::Host), "no Host");
    let twice = [
        ("host", own[0]),
        ("host", own[0]),
        ("authorization", &bearer),
    ];
    assert_eq!(
        judge(&gate, "/", &twice),
        Err(Refusal::Host),
        "Host given twice"
    );
    let one = [("host", own[0]), ("authorization", &bearer)];
    assert_eq!(
        judge(&gate, "http://evil.example/", &one),
        Err(Refusal::Host),
        "absolute URL of another host"
    );
    assert_eq!(
        judge(&gate, "http://127.0.0.1:4319/", &one),
        Ok(Passage::Open),
        "absolute URL of this host"
    );
}

#[test]
fn only_this_host_may_be_the_origin() {
    let gate = Gate::new(PORT);
    let bearer = format!("Bearer {}", gate.token());
    let judge = |origin: &str, host: &str| {
        let headers = [
            ("host", host),
            ("origin", origin),
            ("authorization", &bearer),
        ];
        judge(&gate, "/", &headers)
    };
    for origin in [
        "http://127.0.0.1:4319",
        "http://localhost:4319",
        "http://[::1]:4319",
    ] {
        // The names are one host: which of them the page was opened under does not matter.
        assert_eq!(
            judge(origin, "127.0.0.1:4319"),
            Ok(Passage::Open),
            "{origin}"
        );
    }
    for origin in [
        "",
        "null",
        "file://",
        "http://127.0.0.1",
        "http://127.0.0.1:4318",
        "http://localhost:3000",
        "https://127.0.0.1:4319",
        "HTTP://127.0.0.1:4319",
        "http://127.0.0.1:4319/",
        "http://localhost.evil.example:4319",
        "http://evil.example:4319",
        "http://evil.example",
        "http://127.0.0.1:4319@evil.example",
        "http://127.0.0.1:4319.evil.example",
        "http://evil.example#http://127.0.0.1:4319",
        "chrome-extension://abcdefgh",
        "tauri://localhost",
        "127.0.0.1:4319",
    ] {
        assert_eq!(
            judge(origin, "127.0.0.1:4319"),
            Err(Refusal::Origin),
            "{origin:?}"
        );
    }
}

#[test]
fn another_site_of_this_machine_is_another_site() {
    let gate = Gate::new(PORT);
    let bearer = format!("Bearer {}", gate.token());
    for (site, verdict) in [
        ("same-origin", Ok(Passage::Open)),
        ("none", Ok(Passage::Open)),
        ("same-site", Err(Refusal::Site)),
        ("cross-site", Err(Refusal::Site)),
        ("", Err(Refusal::Site)),
        ("unheard-of", Err(Refusal::Site)),
    ] {
        let headers = [
            ("host", "127.0.0.1:4319"),
            ("sec-fetch-site", site),
            ("authorization", &bearer),
        ];
        assert_eq!(judge(&gate, "/", &headers), verdict, "{site:?}");
    }
}

#[test]
fn the_token_is_a_bearer_a_cookie_of_this_port_or_once_in_the_url() {
    let gate = Gate::new(PORT);
    let token = gate.token().to_owned();
    assert_eq!(token.len(), 64);
    assert_ne!(token, Gate::new(PORT).token(), "is new at each start");
    let other = "0".repeat(64);
    let short = &token[..63];
    let ask = |uri: &str, name: &str, value: &str| {
        judge(&gate, uri, &[("host", "127.0.0.1:4319"), (name, value)])
    };
    let cases = [
        ("authorization", format!("Bearer {token}"), true),
        ("authorization", format!("Bearer {other}"), false),
        ("authorization", format!("Bearer {short}"), false),
        ("authorization", format!("Bearer {token}0"), false),
        ("authorization", format!("Basic {token}"), false),
        ("authorization", token.clone(), false),
        ("authorization", "Bearer ".to_owned(), false),
        ("cookie", format!("clew-4319={token}"), true),
        ("cookie", format!("a=b; clew-4319={token}; c=d"), true),
        (
            "cookie",
            format!("clew-4319={other}; clew-4319={token}"),
            true,
        ),
        ("cookie", format!("clew-4318={token}"), false),
        ("cookie", format!("clew-4319={other}"), false),
        ("cookie", "clew-4319=".to_owned(), false),
        ("cookie", token.clone(), false),
        ("x-token", token.clone(), false),
    ];
    for (name, value, passes) in cases {
        let verdict = ask("/", name, &value);
        let wanted = if passes {
            Ok(Passage::Open)
        } else {
            Err(Refusal::Token)
        };
        assert_eq!(verdict, wanted, "{name}: {value}");
    }
    let exchanges = [
        (format!("/?token={token}"), "/"),
        (format!("/?a=1&token={token}&b=2"), "/?a=1&b=2"),
        (format!("/assets/x.js?token={token}"), "/assets/x.js"),
        (format!("//evil.example/?token={token}"), "/evil.example/"),
        (format!("/\\evil.example?token={token}"), "/evil.example"),
    ];
    for (uri, target) in exchanges {
        // Some of these are no URI at all, and so never reach the gate.
        if uri.parse::<Uri>().is_ok() {
            assert_eq!(
                ask(&uri, "accept", "*/*"),
                Ok(Passage::Exchange(target.to_owned())),
                "{uri}"
            );
        }
    }
    assert_eq!(
        ask(
            &format!("/?token={other}"),
            "cookie",
            &format!("clew-4319={token}")
        ),
        Err(Refusal::Token),
        "a wrong token in the URL is not made good by a cookie"
    );
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:4319"));
    let uri: Uri = format!("/api/get_status?token={token}")
        .parse()
        .expect("is a URI");
    assert_eq!(
        gate.judge(&Method::POST, &uri, &headers),
        Err(Refusal::Token),
        "a token in the URL opens pages, not the API"
    );
}

#[test]
fn a_code_opens_one_page_once_and_not_for_long() {
    let gate = Gate::new(PORT);
    let ask = |code: &str| {
        judge(
            &gate,
            &format!("/?view=x&code={code}"),
            &[("host", "127.0.0.1:4319")],
        )
    };
    let code = gate.code();
    assert_eq!(code.len(), 64);
    assert_ne!(code, gate.token());
    assert_eq!(ask(&code[..63]), Err(Refusal::Token), "a part of it");
    assert_eq!(ask(""), Err(Refusal::Token));
    assert_eq!(ask(&code), Ok(Passage::Exchange("/?view=x".to_owned())));
    assert_eq!(ask(&code), Err(Refusal::Token), "it is used up");

    // Nowhere else, and a code that was refused there is still good.
    let code = gate.code();
    let host = ("host", "127.0.0.1:4319");
    let bearer = format!("Bearer {code}");
    assert_eq!(
        judge(&gate, "/", &[host, ("authorization", &bearer)]),
        Err(Refusal::Token)
    );
    let cookie = format!("clew-4319={code}");
    assert_eq!(
        judge(&gate, "/", &[host, ("cookie", &cookie)]),
        Err(Refusal::Token)
    );
    let as_token = format!("/?token={code}");
    assert_eq!(judge(&gate, &as_token, &[host]), Err(Refusal::Token));
    let foreign = judge(
        &gate,
        &format!("/?code={code}"),
        &[("host", "evil.example:4319")],
    );
    assert_eq!(
        foreign,
        Err(Refusal::Host),
        "another host's page cannot use it up"
    );
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:4319"));
    let uri: Uri = format!("/api/get_status?code={code}")
        .parse()
        .expect("is a URI");
    let posted = gate.judge(&Method::POST, &uri, &headers);
    assert_eq!(posted, Err(Refusal::Token), "it opens pages, not the API");
    assert_eq!(ask(&code), Ok(Passage::Exchange("/?view=x".to_owned())));

    let now = Instant::now();
    let (late, soon) = (gate.code_at(now), gate.code_at(now));
    assert!(gate.take_code(&soon, now + CODE_LIFE / 2));
    assert!(!gate.take_code(&late, now + CODE_LIFE));
    let first = gate.code_at(now);
    let last: Vec<_> = (0..CODES).map(|_| gate.code_at(now)).collect();
    assert!(!gate.take_code(&first, now), "of too many the oldest goes");
    assert!(last.iter().all(|code| gate.take_code(code, now)));
    assert!(!format!("{gate:?}").contains(gate.token()));
}
