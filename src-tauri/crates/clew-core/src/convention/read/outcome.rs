//! How a call ended: finish reasons under one name each, and errors (semconv.md §5).

use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use super::key_map::KeyMap;
use super::table::Keys;
use crate::model::{ErrorFact, Stated, as_str, display};

/// One name and the names that mean it.
const FINISH: &[(&str, &[&str])] = &[
    ("stop", &["end_turn", "stop_sequence", "completed", "eos"]),
    ("length", &["max_tokens", "max_output_tokens", "max-tokens"]),
    (
        "tool_calls",
        &[
            "tool_call",
            "tool_use",
            "tool-calls",
            "function_call",
            "finishreason.tool_calls",
        ],
    ),
    (
        "content_filter",
        &[
            "content-filter",
            "safety",
            "recitation",
            "blocklist",
            "prohibited_content",
            "finishreason.content_filter",
        ],
    ),
];

/// The finish reason under its one name (`stop`, `length`, `tool_calls`, `content_filter`), else as stated in lower
/// case; `None` for an empty text.
#[must_use]
pub fn finish_reason(stated: &str) -> Option<String> {
    let reason = stated.trim().to_lowercase();
    if reason.is_empty() || reason == "none" || reason == "null" {
        return None;
    }
    let reason = reason
        .strip_prefix("finishreason.")
        .map_or(reason.clone(), ToOwned::to_owned);
    let known = FINISH
        .iter()
        .find(|(name, aliases)| *name == reason || aliases.contains(&reason.as_str()));
    Some(known.map_or(reason, |(name, _)| (*name).to_owned()))
}

/// What went wrong: the kind from `kinds`, else from the exception; the message from the exception, else from the
/// status. An exception that the span outlived with status OK is none.
pub(in crate::convention) fn error(
    map: &KeyMap,
    convention: &str,
    kinds: Keys,
) -> Option<Stated<ErrorFact>> {
    let view = map.view();
    let status = view.span.status.as_ref();
    let code = status.map_or(0, |status| status.code);
    let failed = code == StatusCode::Error as i32;
    let kind = kinds
        .iter()
        .find_map(|key| Some((*key, display(map.get(key)?))))
        .filter(|(_, kind)| !kind.is_empty());
    let exception = view
        .span
        .events
        .iter()
        .rev()
        .find(|event| event.name == "exception");
    let exception = exception.filter(|_| code != StatusCode::Ok as i32);
    let key = match (&kind, exception) {
        (Some((key, _)), _) => *key,
        (None, Some(_)) => "exception",
        (None, None) if failed => "status",
        (None, None) => return None,
    };
    let stated = |name: &str| exception.and_then(|event| event_text(event, name));
    let message = stated("exception.message")
        .or_else(|| status.map(|status| status.message.clone()))
        .filter(|message| !message.is_empty())
        .or_else(|| {
            map.get("error.message")
                .and_then(as_str)
                .map(ToOwned::to_owned)
        });
    let kind = kind
        .map(|(_, kind)| kind)
        .or_else(|| stated("exception.type"));
    Some(Stated::new(ErrorFact { kind, message }, convention, key))
}

fn event_text(event: &Event, key: &str) -> Option<String> {
    let attribute = event
        .attributes
        .iter()
        .rev()
        .find(|attribute| attribute.key == key)?;
    let text = display(attribute.value.as_ref()?.value.as_ref()?);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finish_reasons_have_one_name_each() {
        for (stated, expected) in [
            ("STOP", Some("stop")),
            ("end_turn", Some("stop")),
            ("MAX_TOKENS", Some("length")),
            ("tool_use", Some("tool_calls")),
            ("FinishReason.TOOL_CALLS", Some("tool_calls")),
            ("SAFETY", Some("content_filter")),
            ("refusal", Some("refusal")),
            ("pause_turn", Some("pause_turn")),
            ("", None),
        ] {
            assert_eq!(finish_reason(stated).as_deref(), expected, "{stated}");
        }
    }
}
