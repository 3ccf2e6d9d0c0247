//! Rightful requests: three signals, three encodings, four compressions (otlp.md §2, §9.1); partial success; A7, A17.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use tonic::codec::CompressionEncoding;

use super::Rig;
use super::client::{self, Reply};

/// A number that no other caller gets, so that requests differ.
fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn resource() -> Resource {
    let text = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    };
    Resource {
        attributes: vec![
            text("service.name", "shop"),
            text("telemetry.sdk.language", "python"),
        ],
        ..Resource::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "my.tracer".to_owned(),
        version: "1.2".to_owned(),
        ..InstrumentationScope::default()
    }
}

fn span() -> Span {
    let id = unique();
    Span {
        trace_id: [[7; 8], id.to_be_bytes()].concat(),
        span_id: id.to_be_bytes().to_vec(),
        name: format!("chat {id}"),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_001_000_000_000,
        ..Span::default()
    }
}

fn traces(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource()),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans,
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

/// A request of traces that holds one new span.
pub(super) fn one_span() -> Vec<u8> {
    traces(vec![span()]).encode_to_vec()
}

fn one_log() -> Vec<u8> {
    let record = LogRecord {
        time_unix_nano: unique(),
        ..LogRecord::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource()),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records: vec![record],
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
    .encode_to_vec()
}

fn one_point() -> Vec<u8> {
    let point = NumberDataPoint {
        time_unix_nano: unique(),
        value: Some(number_data_point::Value::AsInt(1)),
        ..NumberDataPoint::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics: vec![Metric {
                    name: "tokens".to_owned(),
                    data: Some(metric::Data::Gauge(Gauge {
                        data_points: vec![point],
                    })),
                    ..Metric::default()
                }],
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
    .encode_to_vec()
}

fn in_json(signal: &str) -> String {
    let id = unique();
    let time = 1_700_000_000_000_000_000_u64 + id;
    match signal {
        "traces" => format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{id:016x}","name":"a","startTimeUnixNano":"{time}"}}]}}]}}]}}"#,
            u128::from(id) << 64 | 1
        ),
        "logs" => format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"timeUnixNano":"{time}"}}]}}]}}]}}"#
        ),
        _ => format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"m","gauge":{{"dataPoints":[{{"timeUnixNano":"{time}","asInt":"1"}}]}}}}]}}]}}]}}"#
        ),
    }
}

fn in_protobuf(signal: &str) -> Vec<u8> {
    match signal {
        "traces" => one_span(),
        "logs" => one_log(),
        _ => one_point(),
    }
}

pub(super) fn compress(encoding: &str, body: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body).expect("memory takes all");
            encoder.finish().expect("memory takes all")
        }
        "deflate" => {
            let mut encoder =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(body).expect("memory takes all");
            encoder.finish().expect("memory takes all")
        }
        "zstd" => zstd::encode_all(body, 1).expect("memory takes all"),
        _ => body.to_vec(),
    }
}

const SIGNALS: [(&str, &str); 3] = [("traces", "spans"), ("logs", "logs"), ("metrics", "points")];

fn assert_full_success(reply: &Reply, what: &str) {
    assert_eq!(reply.status, 200, "{what}: {}", reply.text());
    match reply.header("content-type") {
        "application/x-protobuf" => {
            assert!(reply.body.is_empty(), "{what}: {:?}", reply.body);
            assert_eq!(reply.header("content-length"), "0", "{what}");
        }
        "application/json" => assert_eq!(reply.text(), "{}", "{what}"),
        "application/grpc" => {
            assert_eq!(reply.grpc_status(), Some(0), "{what}");
            assert_eq!(&reply.body[..], [0, 0, 0, 0, 0], "{what}");
        }
        other => panic!("{what}: content type {other:?}"),
    }
}

#[tokio::test]
async fn every_port_takes_every_signal_in_every_form() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for (signal, table) in SIGNALS {
            for encoding in ["identity", "gzip", "deflate", "zstd"] {
                let what = format!("{signal} {encoding} to {address}");
                let before = rig.rows(table);
                let path = format!("/v1/{signal}");

                let ask = client::protobuf(compress(encoding, &in_protobuf(signal)))
                    .with("content-encoding", encoding);
                let reply = ask.send(address, &path).await;
                assert_full_success(&reply, &what);
                assert_eq!(reply.header("content-type"), "application/x-protobuf");

                let ask = client::json(compress(encoding, in_json(signal).as_bytes()))
                    .with("content-encoding", encoding);
                let reply = ask.send(address, &path).await;
                assert_full_success(&reply, &what);
                assert_eq!(reply.header("content-type"), "application/json");

                let flags = u8::from(encoding != "identity");
                let ask = client::framed(flags, &compress(encoding, &in_protobuf(signal)))
                    .with("grpc-encoding", encoding);
                let reply = ask.send(address, client::method(signal)).await;
                assert_full_success(&reply, &what);

                assert_eq!(
                    rig.rows(table),
                    before + 3,
                    "{what}: stored before the reply"
                );
            }
        }
    }
    let senders = rig.engine.census().senders();
    let ways: Vec<_> = senders
        .iter()
        .filter(|sender| sender.service == "shop")
        .map(|sender| sender.transport.as_str())
        .collect();
    assert!(
        ways.contains(&"gRPC") && ways.contains(&"HTTP/protobuf"),
        "{ways:?}"
    );
    let shop = &senders[senders
        .iter()
        .position(|s| s.service == "shop")
        .expect("it sent")];
    assert_eq!(shop.language.as_deref(), Some("python"));
    assert_eq!(shop.scopes, ["my.tracer 1.2"]);
}

#[tokio::test]
async fn tonics_client_is_understood_on_both_ports_and_both_families() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let endpoint = format!("http://{host}:{}", address.port());
            let Ok(client) = TraceServiceClient::connect(endpoint.clone()).await else {
                // Only where the machine has no IPv6.
                assert_eq!(host, "[::1]", "{endpoint}");
                continue;
            };
            for compression in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
                let mut client = client.clone().send_compressed(compression);
                let reply = client.export(traces(vec![span()])).await;
                let reply = reply.expect("it is taken").into_inner();
                assert_eq!(reply, ExportTraceServiceResponse::default());
            }
        }
    }
}

#[tokio::test]
async fn vendors_paths_and_parameters_are_taken() {
    let rig = Rig::start().await;
    for path in [
        "/v1/traces/",
        "//v1/traces",
        "/v1/traces?api_key=1",
        "/api/public/otel/v1/traces",
        "/api/v1/private/otel/v1/traces",
    ] {
        let reply = client::post(rig.http, path, one_span()).await;
        assert_full_success(&reply, path);
    }
    for content_type in [
        "application/protobuf",
        "Application/X-Protobuf",
        "application/x-protobuf; charset=utf-8",
    ] {
        let ask = client::Ask::new("POST").with("content-type", content_type);
        let reply = ask.body(one_span()).send(rig.http, "/v1/traces").await;
        assert_full_success(&reply, content_type);
    }
    assert_eq!(rig.rows("spans"), 8);
}

#[tokio::test]
async fn keep_alive_chunks_and_expectations_work() {
    let rig = Rig::start().await;
    let (one, two) = (one_span(), one_span());
    let mut bytes =
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n\
        Transfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for chunk in one.chunks(10) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes.extend(
        format!(
            "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n\
             Expect: 100-continue\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            two.len()
        )
        .bytes(),
    );
    bytes.extend(&two);
    let reply = client::raw(rig.grpc, &bytes).await;
    let text = String::from_utf8_lossy(&reply);
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    assert_eq!(rig.rows("spans"), 2);
}

/// Reliability A7.
#[tokio::test]
async fn nothing_sent_is_a_success_that_stores_nothing() {
    let rig = Rig::start().await;
    let no_spans = traces(Vec::new()).encode_to_vec();
    for body in [&[][..], &no_spans] {
        let reply = client::post(rig.http, "/v1/traces", body.to_vec()).await;
        assert_full_success(&reply, "empty protobuf");
        let reply = client::call(body)
            .send(rig.grpc, client::method("traces"))
            .await;
        assert_full_success(&reply, "empty call");
    }
    for body in [
        "",
        "{}",
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[]}]}"#,
    ] {
        let reply = client::json(body).send(rig.http, "/v1/traces").await;
        assert_full_success(&reply, body);
    }
    assert_eq!(rig.rows("spans"), 0);
    assert_eq!(rig.problems(), Vec::<String>::new());
}

/// Reliability B1.
#[tokio::test]
async fn a_bad_span_costs_itself_and_is_named_without_content() {
    let rig = Rig::start().await;
    let request = |name: &str| {
        let mut bad = span();
        bad.trace_id = vec![1, 2];
        bad.name = name.to_owned();
        traces(vec![span(), bad, span()])
    };
    let reply = client::post(rig.http, "/v1/traces", request("SECRET").encode_to_vec()).await;
    assert_eq!(reply.status, 200);
    let response = ExportTraceServiceResponse::decode(reply.body).expect("OTLP's response");
    let partial = response.partial_success.expect("one span was rejected");
    assert_eq!(partial.rejected_spans, 1);
    assert!(
        partial.error_message.contains("trace id"),
        "{}",
        partial.error_message
    );
    assert!(!partial.error_message.contains("SECRET"));

    let call = client::call(&request("SECRET").encode_to_vec());
    let reply = call.send(rig.grpc, client::method("traces")).await;
    assert_eq!(reply.grpc_status(), Some(0));
    let response = ExportTraceServiceResponse::decode(&reply.body[5..]).expect("OTLP's response");
    assert_eq!(
        response
            .partial_success
            .map(|partial| partial.rejected_spans),
        Some(1)
    );

    let body = in_json("traces").replace(r#""traceId":""#, r#""traceId":"zz"#);
    let reply = client::json(body).send(rig.http, "/v1/traces").await;
    assert_eq!(reply.status, 200);
    let response: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(response["partialSuccess"]["rejectedSpans"], "1");
    assert!(response["partialSuccess"]["errorMessage"].is_string());

    assert_eq!(rig.rows("spans"), 4);
    let refused: u32 = rig
        .engine
        .census()
        .refused()
        .iter()
        .map(|facet| facet.count)
        .sum();
    assert_eq!(refused, 3, "counted by reason");
}

/// Reliability A17.
#[tokio::test]
async fn a_request_sent_twice_is_stored_once() {
    let rig = Rig::start().await;
    for (signal, table) in SIGNALS {
        let body = in_protobuf(signal);
        for address in rig.ports() {
            let path = format!("/v1/{signal}");
            let reply = client::post(address, &path, body.clone()).await;
            assert_full_success(&reply, signal);
            let reply = client::call(&body)
                .send(address, client::method(signal))
                .await;
            assert_full_success(&reply, signal);
        }
        assert_eq!(rig.rows(table), 1, "{signal}");
    }
}

#[tokio::test]
async fn closing_answers_what_is_being_sent() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let rig = Rig::start().await;
    let body = one_span();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(rig.http)
        .await
        .expect("it listens");
    stream.write_all(head.as_bytes()).await.expect("it reads");
    // It asks for the body: the request has begun.
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(stream.read_u8().await.expect("it goes on"));
    }
    assert!(asked.starts_with(b"HTTP/1.1 100 "), "{asked:?}");
    stream.write_all(&body[..20]).await.expect("it reads");
    let rest = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        stream.write_all(&body[20..]).await.expect("it reads");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.expect("a reply");
        reply
    };
    let (reply, ()) = tokio::join!(rest, rig.engine.shut_down());
    assert_eq!(
        client::status_of(&reply),
        200,
        "{}",
        String::from_utf8_lossy(&reply)
    );
    assert_eq!(rig.rows("spans"), 1);
    assert!(
        tokio::net::TcpStream::connect(rig.http).await.is_err(),
        "closed"
    );
}
