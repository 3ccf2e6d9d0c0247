//! JSON that breaks off, as an SDK's length limit leaves it: closed again after its last whole value.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde_json::Value as Json;

/// Longest text that is repaired, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting that is repaired.
const MAX_DEPTH: usize = 64;

/// What can be read of a value whose JSON breaks off; `None` where it is whole, longer than 1 MiB, nested deeper than 64
/// levels, or broken in another way.
pub(super) fn repaired(value: &Value) -> Option<Json> {
    let Value::StringValue(text) = value else {
        return None;
    };
    let text = text.trim();
    let opens = ["[{", "{\"", "[\"", "[["]
        .iter()
        .any(|start| text.starts_with(start));
    if !opens || text.len() > MAX_BYTES {
        return None;
    }
    close(text)
}

/// Where the reader stands in an object.
#[derive(Clone, Copy, PartialEq)]
enum Expects {
    Key,
    Value,
}

/// Closes the text: a text value is kept as far as it goes, a key without a value, an escape and a literal that break
/// off are dropped.
fn close(text: &str) -> Option<Json> {
    let bytes = text.as_bytes();
    let mut open: Vec<u8> = Vec::new();
    let mut expects: Vec<Expects> = Vec::new();
    // The end of what is whole, and the brackets that are open there.
    let mut whole = (0, 0);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                if open.len() == MAX_DEPTH {
                    return None;
                }
                open.push(if byte == b'{' { b'}' } else { b']' });
                expects.push(if byte == b'{' {
                    Expects::Key
                } else {
                    Expects::Value
                });
                whole = (at + 1, open.len());
            }
            b'}' | b']' => {
                open.pop();
                expects.pop();
                whole = (at + 1, open.len());
            }
            b',' => {
                if open.last() == Some(&b'}') {
                    *expects.last_mut()? = Expects::Key;
                }
                // The value before it is whole, be it a number.
                whole = (at, open.len());
            }
            b':' => *expects.last_mut()? = Expects::Value,
            b'"' => {
                let value = expects.last() == Some(&Expects::Value);
                match end_of_string(bytes, at + 1) {
                    Ok(end) => {
                        if value {
                            whole = (end, open.len());
                        }
                        at = end;
                        continue;
                    }
                    Err(end) if value => {
                        let end = text.floor_char_boundary(end);
                        return parse(&text[..end], "\"", &open);
                    }
                    Err(_) => break,
                }
            }
            _ => {}
        }
        at += 1;
    }
    if open.is_empty() {
        // All is closed: it is broken in another way, or not at all.
        return None;
    }
    open.truncate(whole.1);
    parse(&text[..whole.0], "", &open)
}

fn parse(text: &str, quote: &str, open: &[u8]) -> Option<Json> {
    let mut closed = String::with_capacity(text.len() + open.len() + 1);
    closed.push_str(text);
    closed.push_str(quote);
    closed.extend(open.iter().rev().map(|&byte| char::from(byte)));
    serde_json::from_str(&closed).ok()
}

/// The place behind the quote that ends the string; where none does, the place before which its text is whole.
fn end_of_string(bytes: &[u8], mut at: usize) -> Result<usize, usize> {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\\' => {
                let length = if bytes.get(at + 1) == Some(&b'u') {
                    6
                } else {
                    2
                };
                if at + length > bytes.len() {
                    return Err(at);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    Err(bytes.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(text: &str) -> Option<Json> {
        repaired(&Value::StringValue(text.to_owned()))
    }

    #[test]
    fn what_is_whole_is_kept_and_a_text_as_far_as_it_goes() {
        for (cut, expected) in [
            (
                r#"[{"role":"user","content":"hel"#,
                json!([{"role": "user", "content": "hel"}]),
            ),
            (r#"[{"role":"user","cont"#, json!([{"role": "user"}])),
            (r#"[{"role":"user","content":"#, json!([{"role": "user"}])),
            (r#"[{"a":"x\"#, json!([{"a": "x"}])),
            (r#"[{"a":"x\u00"#, json!([{"a": "x"}])),
            (r#"{"a":1,"b":tru"#, json!({"a": 1})),
            (r#"{"a":1,"b":[1,2"#, json!({"a": 1, "b": [1]})),
            (r#"[{"a":{"b":"c"},"#, json!([{"a": {"b": "c"}}])),
        ] {
            assert_eq!(of(cut), Some(expected), "{cut}");
        }
        assert_eq!(of(r#"[{"a":1}]"#), None, "whole JSON is not repaired");
        assert_eq!(of("{'a': 1"), None, "not JSON at all");
        assert_eq!(
            of(&format!("{}1", r#"[{"a":"#.repeat(100))),
            None,
            "too deep"
        );
    }

    proptest! {
        #[test]
        fn a_conversation_cut_anywhere_gives_its_beginning(cut in 0_usize..200) {
            let whole = r#"[{"role":"user","parts":[{"type":"text","content":"Zürich \"and\" \u00e9"}]},{"role":"assistant","n":12.5,"ok":true}]"#;
            let end = whole.floor_char_boundary(cut.min(whole.len() - 1));
            if let Some(json) = of(&whole[..end]) {
                let list = json.as_array().expect("a list");
                prop_assert!(list.len() <= 2);
                if let Some(role) = list.first().and_then(|first| first.get("role")) {
                    prop_assert!("user".starts_with(role.as_str().expect("text")));
                }
            } else {
                prop_assert!(end < 2, "nothing was read of {}", &whole[..end]);
            }
        }
    }
}
