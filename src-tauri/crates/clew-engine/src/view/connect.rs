//! Commands of the Connect view and of the status bar.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use rand::RngCore as _;

use crate::api::{Connections, NoParams, Status as EngineStatus, TestTrace};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::{figures, now_micros};

impl Engine {
    pub(crate) async fn get_status(&self, _: NoParams) -> Result<EngineStatus, Error> {
        let store = &self.inner.store;
        let counts = figures::counts(&store.reads).await?;
        let (underived, unindexed) = figures::behind(&store.reads).await?;
        let (database, index) = store.sizes();
        let census = self.census();
        let refused = census.refused();
        Ok(EngineStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            listening: self.listening(),
            database: store.path.display().to_string(),
            database_bytes: database + index,
            database_limit: self.settings().retention.max_bytes,
            spans: counts.spans,
            traces: counts.traces,
            spans_per_second: census.rate(u64::try_from(now_micros()).unwrap_or(0)),
            underived,
            unindexed,
            duplicates: census.duplicates(),
            behind: underived.max(unindexed),
            refused_total: refused
                .iter()
                .fold(0, |sum, reason| sum.saturating_add(u64::from(reason.count))),
            refused,
            problem: self
                .ingest()
                .ok()
                .and_then(|ingest| ingest.ready().err())
                .map(|refused| refused.to_string()),
            exposed: self.options().host.is_some_and(|host| !host.is_loopback()),
            keyed: self.options().ingest_key.is_some(),
            allowed_hosts: self.allowed_hosts(),
            received: figures::received(&store.reads).await?,
        })
    }

    #[expect(
        clippy::unused_async,
        reason = "every command is awaited by the dispatcher"
    )]
    pub(crate) async fn get_connections(&self, _: NoParams) -> Result<Connections, Error> {
        Ok(Connections {
            senders: self.census().senders(),
            problems: self.census().problems(),
        })
    }

    pub(crate) async fn send_test_trace(&self, _: NoParams) -> Result<TestTrace, Error> {
        let address = self
            .listening()
            .into_iter()
            .filter(|listening| listening.name == "grpc" || listening.name == "http")
            .find_map(|listening| listening.addresses.into_iter().next())
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::Io,
                    "no OTLP port is open: see the addresses in Settings",
                )
            })?;
        let failed = |cause: &dyn std::fmt::Display| {
            Error::new(
                ErrorCode::Io,
                format!("cannot send the test trace to {address}: {cause}"),
            )
        };
        let mut client = TraceServiceClient::connect(format!("http://{address}"))
            .await
            .map_err(|error| failed(&error))?;
        let (request, trace_id) = test_trace();
        let mut request = tonic::Request::new(request);
        if let Some(key) = &self.options().ingest_key {
            let key = key
                .parse()
                .map_err(|_| failed(&"the ingest key is no header value"))?;
            request.metadata_mut().insert("x-clew-key", key);
        }
        client
            .export(request)
            .await
            .map_err(|status| failed(&status.message()))?;
        Ok(TestTrace { trace_id })
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

/// An agent that asks a model, uses a tool and asks again, in the words of the GenAI conventions.
fn test_trace() -> (ExportTraceServiceRequest, String) {
    let mut trace_id = [0; 16];
    rand::rng().fill_bytes(&mut trace_id);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or(0);
    let start = now.saturating_sub(2_400_000_000);
    let span =
        |id: u8, parent: u8, name: &str, from: u64, to: u64, attributes: Vec<KeyValue>| Span {
            trace_id: trace_id.to_vec(),
            span_id: vec![0xC1, 0xE3, 0, 0, 0, 0, 0, id],
            parent_span_id: if parent == 0 {
                Vec::new()
            } else {
                vec![0xC1, 0xE3, 0, 0, 0, 0, 0, parent]
            },
            name: name.to_owned(),
            kind: 1,
            start_time_unix_nano: start + from * 1_000_000,
            end_time_unix_nano: start + to * 1_000_000,
            attributes,
            status: Some(Status {
                code: 1,
                message: String::new(),
            }),
            ..Span::default()
        };
    let ask = r#"[{"role":"user","parts":[{"type":"text","content":"What is a clew?"}]}]"#;
    let call = r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"dictionary","arguments":{"word":"clew"}}],"finish_reason":"tool_call"}]"#;
    let again = r#"[{"role":"user","parts":[{"type":"text","content":"What is a clew?"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"dictionary","arguments":{"word":"clew"}}]},{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"a ball of thread"}]}]"#;
    let answer = r#"[{"role":"assistant","parts":[{"type":"text","content":"A clew is a ball of thread. Ariadne gave one to Theseus, and it led him out of the labyrinth."}],"finish_reason":"stop"}]"#;
    let model = |input: &str, output: &str, tokens: (i64, i64), first: f64| {
        vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "clew"),
            text("gen_ai.request.model", "test-model"),
            text("gen_ai.response.model", "test-model"),
            attribute("gen_ai.usage.input_tokens", Value::IntValue(tokens.0)),
            attribute("gen_ai.usage.output_tokens", Value::IntValue(tokens.1)),
            attribute(
                "gen_ai.response.time_to_first_chunk",
                Value::DoubleValue(first),
            ),
            text("gen_ai.input.messages", input),
            text("gen_ai.output.messages", output),
        ]
    };
    let spans = vec![
        span(
            1,
            0,
            "invoke_agent test",
            0,
            2_400,
            vec![
                text("gen_ai.operation.name", "invoke_agent"),
                text("gen_ai.agent.name", "test"),
            ],
        ),
        span(
            2,
            1,
            "chat test-model",
            40,
            940,
            model(ask, call, (21, 14), 0.31),
        ),
        span(
            3,
            1,
            "execute_tool dictionary",
            960,
            1_090,
            vec![
                text("gen_ai.operation.name", "execute_tool"),
                text("gen_ai.tool.name", "dictionary"),
                text("gen_ai.tool.call.id", "call_1"),
                text("gen_ai.tool.call.arguments", r#"{"word":"clew"}"#),
                text("gen_ai.tool.call.result", "a ball of thread"),
            ],
        ),
        span(
            4,
            1,
            "chat test-model",
            1_110,
            2_380,
            model(again, answer, (52, 27), 0.42),
        ),
    ];
    let resource = Resource {
        attributes: vec![text("service.name", "clew-test")],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "clew".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans,
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    };
    (
        request,
        trace_id.iter().map(|byte| format!("{byte:02x}")).collect(),
    )
}
