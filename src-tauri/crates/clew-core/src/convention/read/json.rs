//! JSON inside attributes: parsed only within limits, otherwise left as the text that it is (reliability.md B22).

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde_json::Value as Json;

use crate::model::to_json;

/// Longest text that is read as JSON, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting that is read as JSON.
const MAX_DEPTH: usize = 64;

/// The text as JSON; `None` where it is not JSON, longer than 1 MiB, or nested deeper than 64 levels.
pub(in crate::convention) fn parse(text: &str) -> Option<Json> {
    let trimmed = text.trim();
    let opens = trimmed.starts_with(['{', '[', '"']);
    (opens && trimmed.len() <= MAX_BYTES && depth(trimmed) <= MAX_DEPTH)
        .then(|| serde_json::from_str(trimmed).ok())
        .flatten()
}

/// The attribute as structured JSON: an array or list as it is, text where it parses; a JSON string that holds JSON
/// once more is opened too. `None` for anything that is not an array or object in the end.
pub(in crate::convention) fn structured(value: &Value) -> Option<Json> {
    let json = match value {
        Value::StringValue(text) => match parse(text)? {
            Json::String(inner) => parse(&inner)?,
            json => json,
        },
        Value::ArrayValue(_) | Value::KvlistValue(_) => to_json(&AnyValue {
            value: Some(value.clone()),
        }),
        _ => return None,
    };
    (json.is_array() || json.is_object()).then_some(json)
}

/// The JSON as people read it: a string as its text, `null` as nothing, anything else as compact JSON.
pub(in crate::convention) fn compact(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// The first of these fields that is there and not null.
pub(in crate::convention) fn field<'a>(json: &'a Json, names: &[&str]) -> Option<&'a Json> {
    names
        .iter()
        .find_map(|name| json.get(name).filter(|value| !value.is_null()))
}

/// The first of these fields that is a non-empty string or a number, as text.
pub(in crate::convention) fn text(json: &Json, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match json.get(name)? {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Deepest nesting of brackets outside strings. Messages are mostly text, so strings are passed over in a loop that looks
/// for nothing but their end.
fn depth(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The place behind the quote that ends the string which goes on at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(rest) = bytes.get(at..) {
        match rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
            Some(stop) if rest[stop] == b'"' => return at + stop + 1,
            Some(escape) => at += escape + 2,
            None => break,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_beyond_the_limits_stays_text() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&nested(64)).is_some());
        assert!(parse(&nested(65)).is_none());
        assert!(parse(&nested(200_000)).is_none());
        assert!(parse(&format!("\"{}\"", "a".repeat(MAX_BYTES))).is_none());
        assert!(parse("[{\"cut\": \"here").is_none());
        assert!(parse("[\"[[[\\\"[\"]").is_some());
        assert_eq!(depth(r#"{"a\\": ["[", "\"[["], "b": {}}"#), 2);
        assert_eq!(depth(r#"["cut \"#), 1);
        assert_eq!(depth(r#"["cut [["#), 1);
    }
}
