//! Reading OTLP's `AnyValue` as text, number or JSON, and a span as its conventions see it.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

/// A span with everything that belongs to it: what a convention reads.
#[derive(Debug, Clone, Copy)]
pub struct SpanView<'a> {
    /// The span itself.
    pub span: &'a Span,
    /// Where it came from.
    pub resource: &'a Resource,
    /// What instrumented it.
    pub scope: &'a InstrumentationScope,
    /// Log records that carry its trace and span id, in order of time.
    pub logs: &'a [LogRecord],
}

impl<'a> SpanView<'a> {
    /// The span attribute of this key; of duplicate keys the last.
    #[must_use]
    pub fn attr(&self, key: &str) -> Option<&'a Value> {
        last(&self.span.attributes, key)
    }

    /// The resource attribute of this key; of duplicate keys the last.
    #[must_use]
    pub fn resource_attr(&self, key: &str) -> Option<&'a Value> {
        last(&self.resource.attributes, key)
    }
}

fn last<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    attributes
        .iter()
        .rev()
        .find(|attribute| attribute.key == key)?
        .value
        .as_ref()?
        .value
        .as_ref()
}

/// The value as text, if it is a non-empty string.
#[must_use]
pub fn as_str(value: &Value) -> Option<&str> {
    match value {
        Value::StringValue(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The value as a finite number: int, double or numeric string (semconv.md §0).
#[must_use]
pub fn as_f64(value: &Value) -> Option<f64> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "callers want a double; exact integers use as_u64"
        )]
        Value::IntValue(number) => Some(*number as f64),
        Value::DoubleValue(number) => Some(*number),
        Value::StringValue(text) => text.trim().trim_matches('"').parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// The value as a count: a non-negative int, a whole double, or a numeric string.
#[must_use]
pub fn as_u64(value: &Value) -> Option<u64> {
    match value {
        Value::IntValue(number) => u64::try_from(*number).ok(),
        Value::StringValue(text) => {
            let text = text.trim().trim_matches('"');
            text.parse()
                .ok()
                .or_else(|| text.parse::<f64>().ok().and_then(whole))
        }
        Value::DoubleValue(number) => whole(*number),
        _ => None,
    }
}

fn whole(number: f64) -> Option<u64> {
    // 2^53: above it a double no longer holds every integer, so a count in it is not a count.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked"
    )]
    ((0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0)
        .then_some(number as u64)
}

/// The value as people read it: text, bytes (base64) and numbers as they are, everything else as compact JSON.
#[must_use]
pub fn display(value: &Value) -> String {
    if let Value::StringValue(text) = value {
        return text.clone();
    }
    let json = to_json(&AnyValue {
        value: Some(value.clone()),
    });
    match json {
        // Numbers and bytes that JSON has no number for are not text that somebody wrote: no quotes.
        serde_json::Value::String(text) => text,
        json => json.to_string(),
    }
}

/// The value as plain JSON. Integers beyond 2^53 and non-finite doubles become strings, bytes become base64,
/// of duplicate keys the last wins.
#[must_use]
pub fn to_json(value: &AnyValue) -> serde_json::Value {
    use base64::Engine as _;
    use serde_json::Value as Json;
    const SAFE: i64 = 1 << 53;
    match &value.value {
        None | Some(Value::StringValueStrindex(_)) => Json::Null,
        Some(Value::StringValue(text)) => Json::String(text.clone()),
        Some(Value::BoolValue(flag)) => Json::Bool(*flag),
        Some(Value::IntValue(number)) if (-SAFE..=SAFE).contains(number) => Json::from(*number),
        Some(Value::IntValue(number)) => Json::String(number.to_string()),
        Some(Value::DoubleValue(number)) if number.is_finite() => Json::from(*number),
        Some(Value::DoubleValue(number)) if number.is_nan() => Json::String("NaN".to_owned()),
        Some(Value::DoubleValue(number)) if *number > 0.0 => Json::String("Infinity".to_owned()),
        Some(Value::DoubleValue(_)) => Json::String("-Infinity".to_owned()),
        Some(Value::BytesValue(bytes)) => {
            Json::String(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Some(Value::ArrayValue(array)) => Json::Array(array.values.iter().map(to_json).collect()),
        Some(Value::KvlistValue(list)) => Json::Object(
            list.values
                .iter()
                .map(|entry| {
                    (
                        entry.key.clone(),
                        entry.value.as_ref().map_or(Json::Null, to_json),
                    )
                })
                .collect(),
        ),
    }
}
