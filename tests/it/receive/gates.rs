//! Who may send: hosts, origins, keys (reliability.md S1-S5, S9).

use super::Rig;
use super::client::{self, Ask, Reply, json};
use super::signals::one_span;

const PAGE: &str = "http://localhost:3000";

fn has_cors(reply: &Reply) -> bool {
    let names = reply.headers.keys();
    names
        .into_iter()
        .any(|name| name.as_str().starts_with("access-control-"))
}

#[tokio::test]
async fn another_hosts_name_is_refused_before_the_body() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for (host, status) in [
            ("localhost:4318", 200),
            ("app.localhost", 200),
            ("192.168.1.20:4318", 200),
            ("host.docker.internal:4318", 200),
            ("evil.example", 403),
            ("localhost.evil.com", 403),
            ("127.0.0.1.evil", 403),
            ("localhost.", 403),
            ("user@localhost", 403),
        ] {
            let reply = json("{}")
                .with("host", host)
                .send(address, "/v1/traces")
                .await;
            assert_eq!(reply.status, status, "{host}");
        }
        for head in [
            "POST /v1/traces HTTP/1.1\r\n",
            "POST /v1/traces HTTP/1.0\r\n",
            "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n",
            "POST http://evil.example/v1/traces HTTP/1.1\r\nHost: localhost\r\n",
            "POST http://localhost/v1/traces HTTP/1.1\r\nHost: evil.example\r\n",
        ] {
            let bytes = format!(
                "{head}Content-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
            );
            let reply = client::raw(address, bytes.as_bytes()).await;
            assert_eq!(client::status_of(&reply), 403, "{head}");
        }
        let bytes = "POST http://localhost:1/v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Connection: close\r\nContent-Length: 2\r\n\r\n{}";
        let reply = client::raw(address, bytes.as_bytes()).await;
        assert_eq!(client::status_of(&reply), 200, "absolute form");

        let call = client::call(&one_span()).with("host", "evil.example");
        let reply = call.send(address, client::method("traces")).await;
        assert_eq!(reply.grpc_status(), Some(7), "PERMISSION_DENIED");
    }
    assert_eq!(rig.rows("spans"), 0);
}

#[tokio::test]
async fn only_pages_of_this_machine_may_send_and_read_the_reply() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for origin in [PAGE, "http://127.0.0.1:5173", "https://[::1]:8443"] {
            let reply = json("{}")
                .with("origin", origin)
                .send(address, "/v1/traces")
                .await;
            assert_eq!(reply.status, 200, "{origin}");
            assert_eq!(reply.header("access-control-allow-origin"), origin);
            assert_eq!(reply.header("vary"), "Origin");
            assert_eq!(reply.header("access-control-allow-credentials"), "");
            // A failure must be readable too.
            let reply = json("{")
                .with("origin", origin)
                .send(address, "/v1/traces")
                .await;
            assert_eq!(reply.status, 400, "{origin}");
            assert_eq!(reply.header("access-control-allow-origin"), origin);
        }
        for origin in [
            "null",
            "http://evil.example",
            "http://localhost.evil.com",
            "file://",
        ] {
            for method in ["POST", "OPTIONS"] {
                let ask = Ask::new(method)
                    .with("content-type", "application/json")
                    .body("{}");
                let reply = ask.with("origin", origin).send(address, "/v1/traces").await;
                assert_eq!(reply.status, 403, "{method} {origin}");
                assert!(!has_cors(&reply), "{method} {origin}");
            }
            let call = client::call(&one_span()).with("origin", origin);
            let reply = call.send(address, client::method("traces")).await;
            assert_eq!(reply.grpc_status(), Some(7), "{origin}");
        }
        let reply = json("{}")
            .with("sec-fetch-site", "cross-site")
            .send(address, "/v1/traces")
            .await;
        assert_eq!(reply.status, 403);
        let reply = json("{}").send(address, "/v1/traces").await;
        assert!(!has_cors(&reply), "no page, no permission");
    }
    assert_eq!(rig.rows("spans"), 0);
    rig.problem("a page of another origin may not send").await;
}

#[tokio::test]
async fn a_preflight_answers_the_page_and_nobody_else() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        let preflight = || {
            Ask::new("OPTIONS")
                .with("origin", PAGE)
                .with("access-control-request-method", "POST")
                .with("access-control-request-headers", "content-type,x-team")
        };
        let reply = preflight().send(address, "/v1/traces").await;
        assert_eq!(reply.status, 204);
        assert!(reply.body.is_empty());
        let mut cors: Vec<_> = reply
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("access-control-") || *name == "vary")
            .map(|(name, value)| format!("{name}: {}", value.to_str().expect("text")))
            .collect();
        cors.sort();
        assert_eq!(
            cors,
            [
                "access-control-allow-headers: content-type,x-team",
                "access-control-allow-methods: POST",
                "access-control-allow-origin: http://localhost:3000",
                "access-control-expose-headers: retry-after",
                "access-control-max-age: 600",
                "vary: Origin",
            ]
        );
        for path in ["/", "/api/get_status", "/v1/trace"] {
            let reply = preflight().send(address, path).await;
            assert_eq!(reply.status, 404, "{path}");
            assert!(!has_cors(&reply), "{path}");
        }
    }
}

#[tokio::test]
async fn nothing_can_be_read_or_changed_by_get() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for path in [
            "/",
            "/v1/traces",
            "/v1/logs",
            "/v1/metrics",
            "/v1development/profiles",
            "/metrics",
            "/api/get_status",
            "/v1/traces?callback=x",
        ] {
            let reply = Ask::new("GET").send(address, path).await;
            assert!(
                [404, 405].contains(&reply.status),
                "{path}: {}",
                reply.status
            );
        }
    }
    assert_eq!(rig.rows("spans"), 0);
}

#[tokio::test]
async fn with_a_key_every_request_must_carry_it() {
    let rig = Rig::start_with(|options| options.ingest_key = Some("s3cret".to_owned())).await;
    for address in rig.ports() {
        for (key, status, code) in [
            (None, 401, 16),
            (Some("S3cret"), 401, 16),
            (Some("s3cret2"), 401, 16),
            (Some(""), 401, 16),
            (Some("s3cret"), 200, 0),
        ] {
            let with_key = |ask: Ask| match key {
                Some(key) => ask.with("x-clew-key", key),
                None => ask,
            };
            let reply = with_key(client::protobuf(one_span()))
                .send(address, "/v1/traces")
                .await;
            assert_eq!(reply.status, status, "{key:?}");
            let call = with_key(client::call(&one_span()));
            let reply = call.send(address, client::method("traces")).await;
            assert_eq!(reply.grpc_status(), Some(code), "{key:?}");
        }
        let reply = Ask::new("OPTIONS")
            .with("origin", PAGE)
            .send(address, "/v1/traces")
            .await;
        assert_eq!(reply.status, 204, "a preflight cannot carry it");
    }
    assert_eq!(rig.rows("spans"), 4);
    let told = rig.problems().join("\n");
    assert!(
        told.contains("x-clew-key") && !told.contains("s3cret"),
        "{told}"
    );
}
