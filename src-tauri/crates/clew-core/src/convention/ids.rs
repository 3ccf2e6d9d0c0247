//! The ids by which others name a call: the provider its response, servers and gateways the request.

use std::collections::HashSet;
use std::sync::LazyLock;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::CONVENTIONS;
use super::read;
use crate::model::{Facts, SpanView};

/// Ids of one span at the most, and bytes of one: what is longer is no id.
const MOST: usize = 32;
const LONGEST: usize = 256;

/// Every key that states a response's or a request's id, in any vocabulary.
static KEYS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let tables = CONVENTIONS
        .iter()
        .map(|convention| &convention.vocabulary().table);
    tables
        .flat_map(|table| table.response_id.iter().chain(table.request_id))
        .copied()
        .collect()
});

/// The ids of responses and requests that a span or its log records state, each once, at most 32: those among its facts
/// first, then any other under a key that some vocabulary has for them.
#[must_use]
pub fn ids(view: &SpanView, facts: &Facts) -> Vec<String> {
    let of_facts = [&facts.response_id, &facts.request_id];
    let of_facts = of_facts.into_iter().flatten();
    let attributes = view.span.attributes.iter();
    let logged = view.logs.iter().flat_map(|log| &log.attributes);
    let of_facts = of_facts.map(|stated| stated.value.clone());
    distinct(of_facts.chain(attributes.chain(logged).filter_map(stated)))
}

/// The ids of responses and requests that a log record states, each once, at most 32.
#[must_use]
pub fn log_ids(log: &LogRecord) -> Vec<String> {
    distinct(log.attributes.iter().filter_map(stated))
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for id in all.filter(|id| id.len() <= LONGEST) {
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() == MOST {
            break;
        }
    }
    ids
}

/// The id that an attribute states.
fn stated(attribute: &KeyValue) -> Option<String> {
    if !KEYS.contains(attribute.key.as_str()) {
        return None;
    }
    read::id(attribute.value.as_ref()?.value.as_ref()?)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope};
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::*;
    use crate::convention::facts;

    fn value(text: &str) -> Value {
        Value::StringValue(text.to_owned())
    }

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    }

    /// The request's id as a fact with its key, and all ids.
    fn found(span: Vec<KeyValue>, log: Vec<KeyValue>) -> (Option<(String, String)>, Vec<String>) {
        let span = Span {
            attributes: span,
            ..Span::default()
        };
        let logs = [LogRecord {
            event_name: "sent".to_owned(),
            attributes: log,
            ..LogRecord::default()
        }];
        let (resource, scope) = (Resource::default(), InstrumentationScope::default());
        let view = SpanView {
            span: &span,
            resource: &resource,
            scope: &scope,
            logs: &logs,
        };
        let facts = facts(&view);
        let all = ids(&view, &facts);
        let request = facts.request_id.map(|stated| (stated.value, stated.key));
        (request, all)
    }

    #[test]
    fn every_id_of_a_span_and_its_logs_is_found_once() {
        let span = vec![
            attribute("gen_ai.response.id", value("chatcmpl-7")),
            attribute("llm.response.id", value("chatcmpl-7")),
            attribute("gen_ai.request.id", value("req_1")),
            attribute("litellm.call_id", value("call-9")),
            attribute("gen_ai.request.model", value("gpt-4o")),
        ];
        let log = vec![attribute("x-request-id", value("req_2"))];
        let (request, all) = found(span, log);
        assert_eq!(request.map(|(id, _)| id).as_deref(), Some("call-9"));
        assert_eq!(all, ["chatcmpl-7", "call-9", "req_1", "req_2"]);
    }

    #[test]
    fn a_header_is_a_list_of_one_and_a_log_speaks_for_its_span() {
        let header = Value::ArrayValue(ArrayValue {
            values: vec![AnyValue {
                value: Some(value("req_5")),
            }],
        });
        let key = "http.response.header.x-request-id";
        let (request, all) = found(vec![attribute(key, header)], Vec::new());
        assert_eq!(request, Some(("req_5".to_owned(), key.to_owned())));
        assert_eq!(all, ["req_5"]);
        let logged = vec![attribute("request_id", Value::IntValue(77))];
        let (request, all) = found(Vec::new(), logged);
        let expected = ("77".to_owned(), "sent: request_id".to_owned());
        assert_eq!(request, Some(expected));
        assert_eq!(all, ["77"]);
    }

    #[test]
    fn what_is_empty_or_too_long_is_no_id() {
        let span = vec![
            attribute("request_id", value(" ")),
            attribute("gen_ai.response.id", value(&"x".repeat(LONGEST + 1))),
        ];
        assert_eq!(found(span, Vec::new()), (None, Vec::new()));
        let many = (0..100).map(|number| attribute("request_id", Value::IntValue(number)));
        assert_eq!(found(many.collect(), Vec::new()).1.len(), MOST);
    }
}
