//! Requests made by hand.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

/// Nanoseconds since the epoch at which spans made here start.
pub const START: u64 = 1_763_600_000_000_000_000;

/// An attribute that holds text.
#[must_use]
pub fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

/// An attribute that holds a whole number.
#[must_use]
pub fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

/// An attribute.
#[must_use]
pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// The bytes of a trace id.
#[must_use]
pub fn trace_id(trace: u128) -> Vec<u8> {
    trace.to_be_bytes().to_vec()
}

/// A trace id as commands take it.
#[must_use]
pub fn hex(trace: u128) -> String {
    format!("{trace:032x}")
}

/// A span of a second; `parent` 0 is none.
#[must_use]
pub fn span(trace: u128, id: u64, parent: u64, name: &str) -> Span {
    Span {
        trace_id: trace_id(trace),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 {
            Vec::new()
        } else {
            parent.to_be_bytes().to_vec()
        },
        name: name.to_owned(),
        kind: 1,
        start_time_unix_nano: START + id * 1_000_000,
        end_time_unix_nano: START + id * 1_000_000 + 1_000_000_000,
        ..Span::default()
    }
}

/// A model call that states tokens and text.
#[must_use]
pub fn call(trace: u128, id: u64, parent: u64, input: &str, output: &str) -> Span {
    Span {
        attributes: vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "gpt-x"),
            number("gen_ai.usage.input_tokens", 100),
            number("gen_ai.usage.output_tokens", 10),
            text("input.value", input),
            text("output.value", output),
        ],
        ..span(trace, id, parent, "chat gpt-x")
    }
}

/// The status of a span that failed.
#[must_use]
pub fn failed(message: &str) -> Status {
    Status {
        code: 2,
        message: message.to_owned(),
    }
}

/// A log record; `trace` 0 is none.
#[must_use]
pub fn log(trace: u128, id: u64, event: &str, body: &str) -> LogRecord {
    LogRecord {
        time_unix_nano: START + id * 1_000_000,
        trace_id: if trace == 0 {
            Vec::new()
        } else {
            trace_id(trace)
        },
        span_id: if trace == 0 {
            Vec::new()
        } else {
            id.to_be_bytes().to_vec()
        },
        event_name: event.to_owned(),
        body: Some(AnyValue {
            value: Some(Value::StringValue(body.to_owned())),
        }),
        ..LogRecord::default()
    }
}

fn resource(service: &str) -> Resource {
    Resource {
        attributes: vec![text("service.name", service)],
        ..Resource::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "by.hand".to_owned(),
        ..InstrumentationScope::default()
    }
}

/// A request of spans from the service `shop`.
#[must_use]
pub fn traces(spans: Vec<Span>) -> Vec<u8> {
    traces_of("shop", spans)
}

/// A request of spans from a service.
#[must_use]
pub fn traces_of(service: &str, spans: Vec<Span>) -> Vec<u8> {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource(service)),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
    .encode_to_vec()
}

/// A request of log records from the service `shop`.
#[must_use]
pub fn logs(log_records: Vec<LogRecord>) -> Vec<u8> {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource("shop")),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
    .encode_to_vec()
}

/// A request of a gauge with these points, from the service `shop`.
#[must_use]
pub fn gauge(name: &str, points: &[i64]) -> Vec<u8> {
    let point = |&value: &i64| NumberDataPoint {
        time_unix_nano: START + value.unsigned_abs(),
        value: Some(number_data_point::Value::AsInt(value)),
        ..NumberDataPoint::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource("shop")),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics: vec![Metric {
                    name: name.to_owned(),
                    data: Some(metric::Data::Gauge(Gauge {
                        data_points: points.iter().map(point).collect(),
                    })),
                    ..Metric::default()
                }],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
    .encode_to_vec()
}
