//! The provider's id of a response, where only the raw response carries it.

use serde_json::Value as Json;

use super::json::{parse, text};
use crate::model::Stated;

/// Beginnings of response ids, by which one is told from other ids in an output.
const RESPONSE_IDS: &[&str] = &["chatcmpl-", "resp_", "msg_", "cmpl-"];

/// The provider's response id in a raw response, or in the message that LangChain makes of it.
pub(in crate::convention) fn response_id(
    convention: &str,
    output: &Stated<String>,
) -> Option<Stated<String>> {
    let json = parse(&output.value)?;
    let looks = |id: &str| RESPONSE_IDS.iter().any(|prefix| id.starts_with(prefix));
    let top = text(&json, &["id"]).filter(|id| looks(id) || json.get("choices").is_some());
    let id = top.or_else(|| {
        // Breadth first through at most 1,000 nodes: the id stands close to the top.
        let mut queue = std::collections::VecDeque::from([&json]);
        let mut left = 1_000;
        while let Some(node) = queue.pop_front() {
            left -= 1;
            if left == 0 {
                return None;
            }
            match node {
                Json::Object(fields) => {
                    if let Some(id) = text(node, &["id"]).filter(|id| looks(id)) {
                        return Some(id);
                    }
                    queue.extend(
                        fields
                            .values()
                            .filter(|value| value.is_object() || value.is_array()),
                    );
                }
                Json::Array(items) => queue.extend(items),
                _ => {}
            }
        }
        None
    })?;
    Some(Stated::new(id, convention, &output.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_id_is_found_below_the_top_but_not_in_other_ids() {
        let of = |json: &str| response_id("x", &Stated::new(json.to_owned(), "x", "output.value"));
        let found = of(
            r#"{"generations":[[{"message":{"kwargs":{"id":"run-1","response_metadata":{"id":"chatcmpl-7"}}}}]]}"#,
        );
        assert_eq!(found.map(|id| id.value).as_deref(), Some("chatcmpl-7"));
        assert_eq!(of(r#"{"id":"doc-1","page_content":"x"}"#), None);
        assert_eq!(of("plain text"), None);
    }
}
