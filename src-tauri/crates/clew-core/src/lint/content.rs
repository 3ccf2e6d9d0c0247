//! Lints about content that is not there, or not whole.

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::{Observed, Seen};
use crate::trace::content_hint;

/// Lengths at which SDKs and their users commonly cut values, in bytes or characters.
const LIMITS: &[usize] = &[
    128, 250, 255, 256, 500, 512, 1_000, 1_024, 2_000, 2_048, 4_000, 4_095, 4_096, 5_000, 8_000,
    8_191, 8_192, 10_000, 12_000, 12_288, 16_384, 32_768, 65_535, 65_536,
];

/// A model call whose conversation is not recorded.
pub(super) fn off(span: &Observed) -> Option<Seen> {
    // Another span tells of the call, and of its content or not.
    if span.doubled_by.is_some() {
        return None;
    }
    let hint = content_hint(span.scope(), span.facts)?;
    Some(Seen::new(hint.reason, hint.setting))
}

/// Values cut at a length limit: JSON that breaks off, or two different texts of exactly the same common length.
pub(super) fn cut(span: &Observed) -> Option<Seen> {
    let fix = "raise the limit, or unset it: OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT and OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT";
    let broken = span.facts.truncated.as_ref();
    if let Some(key) = broken.and_then(|keys| keys.value.first()) {
        return Some(Seen::new(format!("The JSON of {key} breaks off"), fix));
    }
    let mut seen: Vec<(usize, &str, &str)> = Vec::new();
    for attribute in &span.view.span.attributes {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.as_ref());
        let Some(Value::StringValue(text)) = value else {
            continue;
        };
        let characters = || text.chars().count();
        let limit = LIMITS.iter().find(|limit| {
            text.len() == **limit || (text.len() > **limit && characters() == **limit)
        });
        let Some(&limit) = limit else {
            continue;
        };
        if let Some((_, other, _)) = seen
            .iter()
            // The same text under two names is no sign of a limit.
            .find(|(known, _, other)| *known == limit && other != text)
        {
            let what = format!(
                "{other} and {} are both exactly {limit} long",
                attribute.key
            );
            return Some(Seen::new(what, fix));
        }
        seen.push((limit, &attribute.key, text));
    }
    None
}

/// What the SDK says it has dropped.
pub(super) fn dropped(span: &Observed) -> Option<Seen> {
    let span = span.view.span;
    let dropped = [
        (
            span.dropped_attributes_count,
            "attributes",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=1000",
        ),
        (
            span.dropped_events_count,
            "events",
            "OTEL_SPAN_EVENT_COUNT_LIMIT=1000",
        ),
        (
            span.dropped_links_count,
            "links",
            "OTEL_SPAN_LINK_COUNT_LIMIT=1000",
        ),
    ];
    let (count, what, setting) = dropped.into_iter().find(|(count, ..)| *count > 0)?;
    Some(Seen::new(
        format!("The SDK dropped {count} {what} of a span: more than its limit, 128 by default"),
        setting,
    ))
}
