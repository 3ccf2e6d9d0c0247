//! Wrong requests get the status that OTLP asks for (otlp.md §2; reliability.md A4-A6, A11, A16).

use prost::Message as _;

use super::Rig;
use super::client::{self, Ask, Reply, framed, json, protobuf, raw_call, status_of};
use super::signals::{compress, one_span};

/// `google.rpc.Status`, which failure bodies are.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

fn assert_json_failure(reply: &Reply, status: u16, code: i32, what: &str) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "application/json", "{what}");
    assert!(reply.body.len() < 1_000, "{what}");
    let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(body["code"], code, "{what}");
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{what}"
    );
}

fn assert_protobuf_failure(reply: &Reply, status: u16, code: i32, what: &str) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    assert_eq!(
        reply.header("content-type"),
        "application/x-protobuf",
        "{what}"
    );
    let body = Status::decode(reply.body.clone()).expect("a google.rpc.Status");
    assert_eq!(body.code, code, "{what}");
    assert!(!body.message.is_empty(), "{what}");
}

fn assert_call_failure(reply: &Reply, code: u32, what: &str) {
    assert_eq!(reply.status, 200, "{what}");
    assert_eq!(
        reply.grpc_status(),
        Some(code),
        "{what}: {:?}",
        reply.headers
    );
    assert!(
        !reply.has_details(),
        "{what}: nothing says to send it again"
    );
    assert_eq!(reply.header("content-type"), "application/grpc", "{what}");
}

/// Reliability A4.
#[tokio::test]
async fn damage_is_an_invalid_argument_in_the_requests_own_encoding() {
    let rig = Rig::start().await;
    let good = one_span();
    for address in rig.ports() {
        for body in [&b"\xff\xff\xff"[..], &good[..good.len() - 1], b"{}"] {
            let reply = client::post(address, "/v1/traces", body.to_vec()).await;
            assert_protobuf_failure(&reply, 400, 3, "protobuf");
            let reply = client::call(body)
                .send(address, client::method("traces"))
                .await;
            assert_call_failure(&reply, 3, "call");
        }
        for body in ["{", "[]x", "nonsense", "\"", "{\"resourceSpans\":[}"] {
            let reply = json(body).send(address, "/v1/traces").await;
            assert_json_failure(&reply, 400, 3, body);
        }
        for encoding in ["gzip", "deflate", "zstd"] {
            let whole = compress(encoding, &good);
            let mut flipped = whole.clone();
            flipped[0] ^= 0xff;
            for (what, body) in [
                ("cut", whole[..whole.len() - 1].to_vec()),
                ("flipped", flipped),
                ("with bytes behind", [&whole[..], b"x"].concat()),
                ("not compressed", good.clone()),
                (
                    "compressed otherwise",
                    compress(if encoding == "gzip" { "zstd" } else { "gzip" }, &good),
                ),
                ("empty", Vec::new()),
            ] {
                let what = format!("{encoding} {what}");
                let reply = protobuf(body.clone())
                    .with("content-encoding", encoding)
                    .send(address, "/v1/traces")
                    .await;
                assert_protobuf_failure(&reply, 400, 3, &what);
                let reply = framed(1, &body)
                    .with("grpc-encoding", encoding)
                    .send(address, client::method("traces"))
                    .await;
                assert_call_failure(&reply, 3, &what);
            }
        }
        for body in [
            &b""[..],
            b"\0\0\0",
            b"\0\0\0\0\x05ab",
            b"\0\0\0\0\0x",
            b"\x01\0\0\0\0",
            b"\x07\0\0\0\0",
        ] {
            let reply = raw_call(body.to_vec())
                .send(address, client::method("traces"))
                .await;
            assert_call_failure(&reply, 3, &format!("{body:?}"));
        }
    }
    assert_eq!(rig.rows("spans"), 0);
    assert!(rig.refused("malformed") > 0);
    rig.assert_alive().await;
}

/// Reliability A5.
#[tokio::test]
async fn an_unknown_encoding_is_never_parsed() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for content_type in [
            "text/plain",
            "text/plain; application/json",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "application/grpc-web",
            "application/octet-stream",
        ] {
            let ask = Ask::new("POST").with("content-type", content_type);
            let reply = ask.body(one_span()).send(address, "/v1/traces").await;
            assert_json_failure(&reply, 415, 12, content_type);
        }
        let reply = Ask::new("POST")
            .body(one_span())
            .send(address, "/v1/traces")
            .await;
        assert_json_failure(&reply, 415, 12, "no content type");
        for encoding in ["br", "snappy", "gzip, gzip", "gzip, zstd", "compress"] {
            let reply = protobuf(one_span())
                .with("content-encoding", encoding)
                .send(address, "/v1/traces")
                .await;
            assert_protobuf_failure(&reply, 415, 12, encoding);
        }
        let reply = framed(1, &one_span())
            .with("grpc-encoding", "snappy")
            .send(address, client::method("traces"))
            .await;
        assert_call_failure(&reply, 12, "snappy");
        assert!(reply.header("grpc-accept-encoding").contains("gzip"));
    }
    assert_eq!(rig.rows("spans"), 0);
    rig.assert_alive().await;
}

/// Reliability A6.
#[tokio::test]
async fn wrong_methods_and_paths_say_what_is_right() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for method in ["GET", "PUT", "HEAD", "DELETE", "PATCH"] {
            for path in ["/v1/traces", "/v1/logs", "/v1/metrics", "//v1/traces"] {
                let reply = Ask::new(method).send(address, path).await;
                assert_eq!(reply.status, 405, "{method} {path}");
                assert_eq!(reply.header("allow"), "POST, OPTIONS");
                assert!(reply.body.len() < 1_000);
            }
        }
        for (path, right) in [
            ("/", "/v1/traces"),
            ("/v1/trace", "/v1/traces"),
            ("/v1/log", "/v1/logs"),
            ("/v1/metric", "/v1/metrics"),
            ("/traces", "/v1/traces"),
            ("/api/v2/spans", "/v1/traces"),
        ] {
            let reply = json("{}").send(address, path).await;
            assert_json_failure(&reply, 404, 12, path);
            assert!(reply.text().contains(right), "{path}: {}", reply.text());
        }
        let reply = client::call(b"")
            .send(address, client::method("nobody"))
            .await;
        assert_call_failure(&reply, 12, "unknown service");

        let long = format!("/{}/v1/traces", "x".repeat(10_000));
        assert_eq!(json("{}").send(address, &long).await.status, 414);
        let longer = format!(
            "POST /{}/v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "x".repeat(65_536)
        );
        let reply = client::raw(address, longer.as_bytes()).await;
        assert_eq!(status_of(&reply), 414);
    }
    rig.problem("\"/v1/trace\" is not a path of OTLP: the path for traces is /v1/traces")
        .await;
    rig.assert_alive().await;
}

/// Reliability A16.
#[tokio::test]
async fn profiles_are_declined_with_a_hint() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        let reply = protobuf("").send(address, "/v1development/profiles").await;
        assert_protobuf_failure(&reply, 404, 12, "profiles");
        let reply = client::call(b"")
            .send(address, client::method("profiles"))
            .await;
        assert_call_failure(&reply, 12, "profiles");
    }
    let problems = rig.engine.census().problems();
    assert_eq!(problems.len(), 1, "one hint, however often: {problems:?}");
    assert_eq!(problems[0].count, 4);
    assert!(problems[0].fix.contains("OTEL_PROFILES_EXPORTER"));
}

/// Reliability A11.
#[tokio::test]
async fn what_is_not_http_is_closed_and_shown() {
    let rig = Rig::start().await;
    let hello = [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        &[0x5a; 200],
    ]
    .concat();
    for address in rig.ports() {
        assert_eq!(client::raw(address, &hello).await, b"", "TLS");
        for garbage in [
            &b"\x00\x01\x02\x03\x04\r\n\r\n"[..],
            b"GET /v1/traces\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
            b"POST /v1/traces HTTP/9.9\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n garbage garbage",
        ] {
            let reply = client::raw(address, garbage).await;
            let clear = reply.is_empty() || status_of(&reply) == 400 || status_of(&reply) == 505;
            // HTTP/2 begins with the server's own frames.
            let frames = garbage.starts_with(b"PRI");
            assert!(
                clear || frames,
                "{garbage:?}: {}",
                String::from_utf8_lossy(&reply)
            );
        }
    }
    rig.problem("a client began TLS: use http://, not https://")
        .await;
    rig.problem("bytes that are not HTTP").await;
    rig.assert_alive().await;
}
