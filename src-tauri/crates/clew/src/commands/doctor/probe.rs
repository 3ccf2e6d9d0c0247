//! Sends a test span by each way in, and reads it back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clew_engine::api::{DeleteTraces, GetTrace, Purged};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use super::Check;
use crate::client::{Client, post};
use crate::door::Door;

/// Time for an acknowledged span to be readable.
const VISIBLE: Duration = Duration::from_secs(2);
/// Time for one export.
const EXPORT: Duration = Duration::from_secs(5);

/// Every way in: protobuf over gRPC and over HTTP, on both ports, for both take both. The test spans are deleted.
pub(super) async fn all(client: &Client, key: Option<&str>) -> Vec<Check> {
    let instance = client.instance();
    let (grpc, http) = (instance.grpc.as_str(), instance.http.as_str());
    let mut checks = Vec::new();
    for (name, address, flag) in [("gRPC port", grpc, "--grpc"), ("HTTP port", http, "--http")] {
        checks.push(if address.is_empty() {
            Check::failure(
                name,
                "Clew runs, but does not listen for this",
                format!("`clew status` says why; {flag} chooses another port"),
            )
        } else {
            way(name, client, address, key).await
        });
    }
    checks
}

async fn way(name: &'static str, client: &Client, address: &str, key: Option<&str>) -> Check {
    let began = Instant::now();
    let mut sent = Vec::new();
    let outcome = async {
        let id = export_grpc(address, key).await.context("over gRPC")?;
        sent.push(id);
        let id = export_http(address, key).await.context("over HTTP")?;
        sent.push(id);
        for id in &sent {
            read_back(client, id).await?;
        }
        anyhow::Ok(())
    }
    .await;
    let took = began.elapsed().as_millis();
    let removed = delete(client, &sent).await;
    match (outcome, removed) {
        (Ok(()), Ok(())) => Check::ok(
            name,
            format!("{address} took a span over gRPC and one over HTTP, read back after {took} ms"),
        ),
        (Ok(()), Err(error)) => Check::warning(
            name,
            format!("{address} works, but the test spans stayed: {error:#}"),
            "delete the traces of clew-doctor",
        ),
        (Err(error), _) => Check::failure(
            name,
            format!("a test span to {address} failed: {error:#}"),
            "`clew status` says what is wrong; with --ingest-key, doctor needs the key too",
        ),
    }
}

async fn export_grpc(address: &str, key: Option<&str>) -> anyhow::Result<String> {
    let (id, request) = test_span();
    let mut request = tonic::Request::new(request);
    request.set_timeout(EXPORT);
    if let Some(key) = key {
        request.metadata_mut().insert("x-clew-key", key.parse()?);
    }
    let connected = TraceServiceClient::connect(format!("http://{address}"));
    let mut sender = tokio::time::timeout(EXPORT, connected).await??;
    sender
        .export(request)
        .await
        .map_err(|status| anyhow::anyhow!("{}: {}", status.code(), status.message()))?;
    Ok(id)
}

async fn export_http(address: &str, key: Option<&str>) -> anyhow::Result<String> {
    let (id, request) = test_span();
    let body = request.encode_to_vec();
    let posted = post(address, "/v1/traces", "application/x-protobuf", key, body);
    let (status, answer) = tokio::time::timeout(EXPORT, posted).await??;
    anyhow::ensure!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&answer)
    );
    Ok(id)
}

async fn read_back(client: &Client, trace_id: &str) -> anyhow::Result<()> {
    let door = Door::There(client.clone());
    let trace = GetTrace {
        trace_id: trace_id.to_owned(),
        source: 0,
    };
    let began = Instant::now();
    loop {
        match door.ask("get_waterfall", &trace).await {
            Ok(_) => return Ok(()),
            Err(error) if began.elapsed() > VISIBLE => {
                return Err(
                    anyhow::Error::from(error).context("it was taken, but is not to be seen")
                );
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn delete(client: &Client, trace_ids: &[String]) -> anyhow::Result<()> {
    if trace_ids.is_empty() {
        return Ok(());
    }
    let traces = trace_ids
        .iter()
        .map(|trace_id| GetTrace {
            trace_id: trace_id.clone(),
            source: 0,
        })
        .collect();
    let door = Door::There(client.clone());
    let _: Purged = door.call("delete_traces", &DeleteTraces { traces }).await?;
    Ok(())
}

/// A trace of one span, and its id.
fn test_span() -> (String, ExportTraceServiceRequest) {
    let trace_id: [u8; 16] = rand::random();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(1, |now| u64::try_from(now.as_nanos()).unwrap_or(1));
    let text = |text: &str| {
        Some(AnyValue {
            value: Some(any_value::Value::StringValue(text.to_owned())),
        })
    };
    let span = Span {
        trace_id: trace_id.to_vec(),
        span_id: rand::random::<[u8; 8]>().to_vec(),
        name: "clew doctor".to_owned(),
        start_time_unix_nano: now,
        end_time_unix_nano: now.saturating_add(1_000_000),
        ..Span::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![KeyValue {
                    key: "service.name".to_owned(),
                    value: text("clew-doctor"),
                    ..KeyValue::default()
                }],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let id = trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    (id, request)
}
