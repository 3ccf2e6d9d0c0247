//! The OpenTelemetry SDK for Rust with its own exporters (reliability.md A14): what it exported is what is stored.
//! Python's and Node's stand in `tests/sdk`.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{
    Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Compression, LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig as _,
    WithHttpConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::Rig;

/// The exporters of the three signals.
type Exporters = (SpanExporter, LogExporter, MetricExporter);

/// The SDK's client for HTTP on our runtime: the threads from which exporters send have none.
#[derive(Debug, Clone)]
struct Sending {
    runtime: Handle,
    client: Arc<HyperClient>,
}

impl Sending {
    fn here() -> Self {
        Self {
            runtime: Handle::current(),
            client: Arc::new(HyperClient::with_default_connector(
                clew_tests::PATIENCE,
                None,
            )),
        }
    }
}

impl HttpClient for Sending {
    fn send_bytes<'life, 'sending>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'life: 'sending,
        Self: 'sending,
    {
        let client = Arc::clone(&self.client);
        let sent = self
            .runtime
            .spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sent.await? })
    }
}

/// Exporters over gRPC, which ask for a runtime that is at hand.
fn grpc(address: SocketAddr, packed: bool) -> Exporters {
    macro_rules! exporter {
        ($kind:ident) => {{
            let exporter = $kind::builder()
                .with_tonic()
                .with_endpoint(format!("http://{address}"));
            let exporter = if packed {
                exporter.with_compression(Compression::Gzip)
            } else {
                exporter
            };
            exporter.build().expect("an exporter")
        }};
    }
    (
        exporter!(SpanExporter),
        exporter!(LogExporter),
        exporter!(MetricExporter),
    )
}

fn http(address: SocketAddr, protocol: Protocol, packed: bool) -> Exporters {
    macro_rules! exporter {
        ($kind:ident, $signal:literal) => {{
            let exporter = $kind::builder()
                .with_http()
                .with_protocol(protocol)
                .with_http_client(Sending::here())
                .with_endpoint(format!("http://{address}/v1/{}", $signal));
            let exporter = if packed {
                exporter.with_compression(Compression::Gzip)
            } else {
                exporter
            };
            exporter.build().expect("an exporter")
        }};
    }
    (
        exporter!(SpanExporter, "traces"),
        exporter!(LogExporter, "logs"),
        exporter!(MetricExporter, "metrics"),
    )
}

/// A program as short as one can be: a call of a model and a failed tool within an answer, two log records, two
/// metrics. Ends as a program does. Returns the ids of the trace and of the call.
fn program(service: &str, (spans, logs, metrics): Exporters) -> (String, String) {
    let resource = Resource::builder()
        .with_service_name(service.to_owned())
        .build();
    let tracers = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(spans)
        .build();
    let loggers = SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(logs)
        .build();
    let meters = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_periodic_exporter(metrics)
        .build();

    let tracer = tracers.tracer("clew.tests");
    let logger = loggers.logger("clew.tests");
    let root = tracer
        .span_builder("answer")
        .with_kind(SpanKind::Server)
        .start(&tracer);
    let answer = Context::current_with_span(root);
    let mut call = tracer
        .span_builder("chat gpt-4o")
        .with_kind(SpanKind::Client)
        .start_with_context(&tracer, &answer);
    call.set_attributes([
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", "openai"),
        KeyValue::new("gen_ai.request.model", "gpt-4o"),
        KeyValue::new("gen_ai.response.model", "gpt-4o-2024-08-06"),
        KeyValue::new("gen_ai.usage.input_tokens", (1_i64 << 40) + 7),
        KeyValue::new("gen_ai.usage.output_tokens", 11),
        KeyValue::new("text", "Zürich ✓ \u{1f9f5}"),
        KeyValue::new("ratio", 0.1),
        KeyValue::new("yes", true),
    ]);
    call.add_event("first token", vec![KeyValue::new("at", 1)]);
    let ids = call.span_context().clone();
    {
        let _within = answer.with_remote_span_context(ids.clone()).attach();
        for (severity, body) in [
            (Severity::Info, "within the call"),
            (Severity::Warn, "still within"),
        ] {
            let mut record = logger.create_log_record();
            record.set_severity_number(severity);
            record.set_body(AnyValue::from(body));
            logger.emit(record);
        }
    }
    call.end();
    let mut tool = tracer
        .span_builder("execute_tool get_order")
        .start_with_context(&tracer, &answer);
    tool.set_attribute(KeyValue::new("gen_ai.tool.name", "get_order"));
    tool.record_error(&std::io::Error::other("no such order"));
    tool.set_status(Status::error("no such order"));
    tool.end();
    answer.span().end();

    let meter = meters.meter("clew.tests");
    let route = [KeyValue::new("route", "/a")];
    meter.u64_counter("requests").build().add(3, &route);
    meter
        .f64_histogram("latency")
        .with_unit("s")
        .build()
        .record(0.25, &[]);

    tracers.shutdown().expect("spans are delivered");
    loggers.shutdown().expect("logs are delivered");
    meters.shutdown().expect("metrics are delivered");
    (ids.trace_id().to_string(), ids.span_id().to_string())
}

/// Runs the program as a process of its own would run, and looks at what is stored.
async fn runs(rig: &Rig, service: String, transport: &str, exporters: Exporters) {
    let before = rig.store.call("get_storage", json!({})).await;
    let own = service.clone();
    let (trace, call) = tokio::task::spawn_blocking(move || program(&own, exporters))
        .await
        .expect("the program ends well");

    // A success reply means committed: no waiting here.
    let after = rig.store.call("get_storage", json!({})).await;
    let more = |what: &str| {
        let of = |storage: &Value| storage[what].as_u64().expect("a count");
        of(&after) - of(&before)
    };
    assert_eq!(
        [more("spans"), more("traces"), more("logs"), more("points")],
        [3, 1, 2, 2],
        "{service}"
    );

    rig.store.settle().await;
    let rows = rig.store.list(json!({"services": [service]})).await;
    assert_eq!(rows.len(), 1, "{service}");
    let row = &rows[0];
    assert_eq!(row["traceId"], trace);
    assert_eq!([&row["name"], &row["state"]], ["answer", "complete"]);
    assert_eq!(
        [&row["spanCount"], &row["errorCount"], &row["callCount"]],
        [3, 1, 1]
    );
    assert_eq!(row["inputTokens"], (1_u64 << 40) + 7);
    assert_eq!(row["models"], json!(["gpt-4o-2024-08-06"]));

    let asked = json!({"traceId": trace, "spanId": call});
    let span = rig.store.call("get_span", asked).await;
    let attribute = |key: &str| {
        let all = span["attributes"].as_array().expect("a list");
        let found = all.iter().find(|each| each["key"] == key);
        found.map(|each| (each["type"].clone(), each["value"].clone()))
    };
    assert_eq!(
        attribute("text"),
        Some((json!("string"), json!("Zürich ✓ \u{1f9f5}")))
    );
    assert_eq!(attribute("yes"), Some((json!("bool"), json!("true"))));
    assert_eq!(attribute("ratio"), Some((json!("double"), json!("0.1"))));
    assert_eq!(span["events"][0]["name"], "first token");
    let logs = span["logs"].as_array().expect("a list").iter();
    let bodies: Vec<&Value> = logs.map(|each| &each["body"]).collect();
    assert_eq!(bodies, ["within the call", "still within"]);

    let connections = rig.store.call("get_connections", json!({})).await;
    let senders = connections["senders"].as_array().expect("a list");
    let sender = senders
        .iter()
        .find(|each| each["service"] == service.as_str());
    let sender = sender.expect("the sender is known");
    assert_eq!(sender["language"], "rust");
    let said = sender["transport"]
        .as_str()
        .unwrap_or_default()
        .to_lowercase();
    assert!(said.contains(transport), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_for_rust_delivers_every_signal_over_grpc() {
    let rig = Rig::start().await;
    for (port, address) in [("grpc", rig.grpc), ("http", rig.http)] {
        for packed in [false, true] {
            let service = format!("rust-grpc-{port}-{packed}");
            runs(&rig, service, "grpc", grpc(address, packed)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_for_rust_delivers_every_signal_over_http() {
    let rig = Rig::start().await;
    let protocols = [
        (Protocol::HttpBinary, "http/protobuf"),
        (Protocol::HttpJson, "http/json"),
    ];
    for (port, address) in [("grpc", rig.grpc), ("http", rig.http)] {
        for (protocol, name) in protocols {
            for packed in [false, true] {
                let service = format!("rust-{name}-{port}-{packed}");
                runs(&rig, service, name, http(address, protocol, packed)).await;
            }
        }
    }
}
