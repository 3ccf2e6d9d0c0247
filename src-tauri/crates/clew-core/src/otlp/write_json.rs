//! OTLP JSON out: lowerCamelCase keys, ids in hex, 64-bit integers as strings, bytes in base64 (otlp.md §5).
//!
//! Fields that have their default are left out, as protobuf does; reading it back gives equal spans.

use std::fmt::Write as _;

use base64::Engine as _;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

/// A span with everything that an export request says beside it.
#[derive(Debug, Clone, Copy)]
pub struct SpanSource<'a> {
    /// Where it came from.
    pub resource: &'a Resource,
    /// `schema_url` beside the resource.
    pub resource_schema_url: &'a str,
    /// What instrumented it.
    pub scope: &'a InstrumentationScope,
    /// `schema_url` beside the scope.
    pub scope_schema_url: &'a str,
    /// The span itself.
    pub span: &'a Span,
}

impl SpanSource<'_> {
    fn same_resource(&self, other: &Self) -> bool {
        self.resource == other.resource && self.resource_schema_url == other.resource_schema_url
    }

    fn same_scope(&self, other: &Self) -> bool {
        self.scope == other.scope && self.scope_schema_url == other.scope_schema_url
    }
}

/// Writes spans as one OTLP JSON request on one line: `{"resourceSpans":[…]}`.
///
/// Neighbours of equal resource and scope share them; the order stays.
#[must_use]
pub fn to_json(spans: &[SpanSource<'_>]) -> String {
    let mut json = Json::default();
    json.object(|json| {
        json.key("resourceSpans");
        json.elements(
            spans.chunk_by(SpanSource::same_resource),
            &mut |json: &mut Json, spans: &[SpanSource<'_>]| {
                let Some(first) = spans.first() else { return };
                json.object(|json| {
                    json.key("resource");
                    json.resource(first.resource);
                    json.list(
                        "scopeSpans",
                        spans.chunk_by(SpanSource::same_scope),
                        |json, spans| {
                            let Some(first) = spans.first() else { return };
                            json.object(|json| {
                                json.key("scope");
                                json.scope(first.scope);
                                json.list("spans", spans, |json, source| json.span(source.span));
                                json.text("schemaUrl", first.scope_schema_url);
                            });
                        },
                    );
                    json.text("schemaUrl", first.resource_schema_url);
                });
            },
        );
    });
    json.out
}

/// A JSON text that grows; a comma is due wherever something was written before on the same level.
#[derive(Default)]
struct Json {
    out: String,
    comma: bool,
}

impl Json {
    fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.out.push('{');
        self.comma = false;
        fill(self);
        self.out.push('}');
        self.comma = true;
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(',');
        }
        self.comma = true;
    }

    fn key(&mut self, key: &str) {
        self.separate();
        let _infallible = write!(self.out, "\"{key}\":");
    }

    /// A list under a key, left out where it is empty.
    fn list<I: IntoIterator>(
        &mut self,
        key: &str,
        items: I,
        mut each: impl FnMut(&mut Self, I::Item),
    ) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.key(key);
        self.elements(items, &mut each);
    }

    fn elements<I: Iterator>(&mut self, items: I, each: &mut impl FnMut(&mut Self, I::Item)) {
        self.out.push('[');
        self.comma = false;
        for item in items {
            self.separate();
            each(self, item);
        }
        self.out.push(']');
        self.comma = true;
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                character if character < ' ' => {
                    let _infallible = write!(self.out, "\\u{:04x}", u32::from(character));
                }
                character => self.out.push(character),
            }
        }
        self.out.push('"');
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.key(key);
            self.quoted(text);
        }
    }

    fn id(&mut self, key: &str, id: &[u8]) {
        if id.is_empty() {
            return;
        }
        self.key(key);
        self.out.push('"');
        for byte in id {
            let _infallible = write!(self.out, "{byte:02x}");
        }
        self.out.push('"');
    }

    /// A 64-bit integer, which is a string.
    fn long(&mut self, key: &str, number: u64) {
        if number != 0 {
            self.key(key);
            let _infallible = write!(self.out, "\"{number}\"");
        }
    }

    /// A 32-bit integer, which is a number.
    fn int(&mut self, key: &str, number: impl Into<i64>) {
        let number = number.into();
        if number != 0 {
            self.key(key);
            let _infallible = write!(self.out, "{number}");
        }
    }

    fn double(&mut self, number: f64) {
        // `{:?}` is the shortest form that reads back as the same double, and keeps the sign of zero.
        let _infallible = if number.is_nan() {
            write!(self.out, "\"NaN\"")
        } else if number.is_infinite() {
            let sign = if number < 0.0 { "-" } else { "" };
            write!(self.out, "\"{sign}Infinity\"")
        } else {
            write!(self.out, "{number:?}")
        };
    }

    fn attributes(&mut self, key: &str, attributes: &[KeyValue]) {
        self.list(key, attributes, Self::attribute);
    }

    fn attribute(&mut self, attribute: &KeyValue) {
        self.object(|json| {
            json.key("key");
            json.quoted(&attribute.key);
            if let Some(value) = &attribute.value {
                json.key("value");
                json.value(value);
            }
            json.int("keyStrindex", attribute.key_strindex);
        });
    }

    fn value(&mut self, value: &AnyValue) {
        self.object(|json| match &value.value {
            None => {}
            Some(Value::StringValue(text)) => {
                json.key("stringValue");
                json.quoted(text);
            }
            Some(Value::BoolValue(flag)) => {
                json.key("boolValue");
                let _infallible = write!(json.out, "{flag}");
            }
            Some(Value::IntValue(number)) => {
                json.key("intValue");
                let _infallible = write!(json.out, "\"{number}\"");
            }
            Some(Value::DoubleValue(number)) => {
                json.key("doubleValue");
                json.double(*number);
            }
            Some(Value::BytesValue(bytes)) => {
                json.key("bytesValue");
                json.quoted(&base64::engine::general_purpose::STANDARD.encode(bytes));
            }
            Some(Value::StringValueStrindex(index)) => {
                json.key("stringValueStrindex");
                let _infallible = write!(json.out, "{index}");
            }
            Some(Value::ArrayValue(array)) => {
                json.key("arrayValue");
                json.object(|json| json.list("values", &array.values, Self::value));
            }
            Some(Value::KvlistValue(list)) => {
                json.key("kvlistValue");
                json.object(|json| json.attributes("values", &list.values));
            }
        });
    }

    fn resource(&mut self, resource: &Resource) {
        self.object(|json| {
            json.attributes("attributes", &resource.attributes);
            json.int("droppedAttributesCount", resource.dropped_attributes_count);
            json.list("entityRefs", &resource.entity_refs, Self::entity);
        });
    }

    fn entity(&mut self, entity: &EntityRef) {
        self.object(|json| {
            json.text("schemaUrl", &entity.schema_url);
            json.text("type", &entity.r#type);
            json.list("idKeys", &entity.id_keys, |json, key| json.quoted(key));
            json.list("descriptionKeys", &entity.description_keys, |json, key| {
                json.quoted(key);
            });
        });
    }

    fn scope(&mut self, scope: &InstrumentationScope) {
        self.object(|json| {
            json.text("name", &scope.name);
            json.text("version", &scope.version);
            json.attributes("attributes", &scope.attributes);
            json.int("droppedAttributesCount", scope.dropped_attributes_count);
        });
    }

    fn span(&mut self, span: &Span) {
        self.object(|json| {
            json.id("traceId", &span.trace_id);
            json.id("spanId", &span.span_id);
            json.text("traceState", &span.trace_state);
            json.id("parentSpanId", &span.parent_span_id);
            json.int("flags", span.flags);
            json.text("name", &span.name);
            json.int("kind", span.kind);
            json.long("startTimeUnixNano", span.start_time_unix_nano);
            json.long("endTimeUnixNano", span.end_time_unix_nano);
            json.attributes("attributes", &span.attributes);
            json.int("droppedAttributesCount", span.dropped_attributes_count);
            json.list("events", &span.events, Self::event);
            json.int("droppedEventsCount", span.dropped_events_count);
            json.list("links", &span.links, Self::link);
            json.int("droppedLinksCount", span.dropped_links_count);
            if let Some(status) = &span.status {
                json.key("status");
                json.status(status);
            }
        });
    }

    fn event(&mut self, event: &Event) {
        self.object(|json| {
            json.long("timeUnixNano", event.time_unix_nano);
            json.text("name", &event.name);
            json.attributes("attributes", &event.attributes);
            json.int("droppedAttributesCount", event.dropped_attributes_count);
        });
    }

    fn link(&mut self, link: &Link) {
        self.object(|json| {
            json.id("traceId", &link.trace_id);
            json.id("spanId", &link.span_id);
            json.text("traceState", &link.trace_state);
            json.attributes("attributes", &link.attributes);
            json.int("droppedAttributesCount", link.dropped_attributes_count);
            json.int("flags", link.flags);
        });
    }

    fn status(&mut self, status: &Status) {
        self.object(|json| {
            json.text("message", &status.message);
            json.int("code", status.code);
        });
    }
}
