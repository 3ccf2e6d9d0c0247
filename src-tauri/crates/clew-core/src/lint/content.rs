//! Lints about content that is not there, or not whole.

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::{Observed, Seen, name};
use crate::model::Stated;
use crate::trace::{content_hint, flag};

/// Lengths at which SDKs and their users commonly cut values, in bytes or characters, ascending.
const LIMITS: &[usize] = &[
    128, 250, 255, 256, 500, 512, 1_000, 1_024, 2_000, 2_048, 4_000, 4_095, 4_096, 5_000, 8_000,
    8_191, 8_192, 10_000, 12_000, 12_288, 16_384, 32_768, 65_535, 65_536,
];
/// Longest value whose characters can be as few as the highest of the limits, in bytes: UTF-8 takes at most four each.
const LONGEST: usize = 4 * 65_536;
/// Texts of one length that make a limit likely: two are chance often enough.
const EQUAL: usize = 3;

/// What raises the limit on the length of values.
const LONGER: &str =
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=1000000 OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=1000000";

/// Words in the names of keys that hold what a model answered.
const ANSWERS: &[&str] = &["output", "completion", "response", "answer"];

/// A model call whose conversation is not recorded. Instrumentations of OpenTelemetry leave it out unless told otherwise.
pub(super) fn off(span: &Observed) -> Option<Seen> {
    // Another span tells of the call, and of its content or not; one that runs may still get an answer.
    if !span.counts || !span.has_ended() || span.known.content {
        return None;
    }
    // A wrapper that says it is sent after what it wraps.
    if span.is_running && span.flags & flag::ORPHAN != 0 {
        return None;
    }
    let hint = content_hint(span.scope(), span.facts)?;
    // Who never has any cannot be told to send it.
    let setting = (!hint.setting.is_empty()).then_some(hint.setting)?;
    let advice = match hint.place {
        "" => "To see prompts and answers, set this where the program starts.".to_owned(),
        place => format!("To see prompts and answers, set this. {place}"),
    };
    Some(Seen::new(hint.reason(), advice).set(setting))
}

/// JSON that breaks off, as values do that are cut at a limit. An answer that the model itself broke off is none.
pub(super) fn cut(span: &Observed) -> Option<Seen> {
    let facts = span.facts;
    let reasons = facts.finish_reasons.as_ref();
    let stopped = reasons.is_some_and(|reasons| reasons.value.iter().any(|one| one == "length"));
    let is_answer = |key: &str| {
        holds(facts.output.as_ref(), key)
            || holds(facts.output_value.as_ref(), key)
            || ANSWERS.iter().any(|word| key.contains(word))
    };
    let broken = &facts.truncated.as_ref()?.value;
    let key = broken.iter().find(|key| !(stopped && is_answer(key)))?;
    Some(
        Seen::new(
            format!("The JSON of {} breaks off", name(key)),
            "Raise the limit on the length of values where the program starts, or unset it.",
        )
        .set(LONGER),
    )
}

/// Whether this fact was read from this key, of the span or of an event.
fn holds<T>(stated: Option<&Stated<T>>, key: &str) -> bool {
    stated.is_some_and(|stated| {
        let layered = stated.key.rsplit_once(": ");
        stated.key == key || layered.is_some_and(|(_, inner)| inner == key)
    })
}

/// Different texts under different keys that all have exactly the same common length. It may be the program that cuts
/// them, on purpose.
pub(super) fn equal_lengths(span: &Observed) -> Option<Seen> {
    let mut seen: Vec<(usize, &str, &str)> = Vec::new();
    for attribute in &span.view.span.attributes {
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.as_ref());
        let Some(Value::StringValue(text)) = value else {
            continue;
        };
        let Some(limit) = limit_of(text) else {
            continue;
        };
        // The same text under two names is no sign of a limit, nor are the items of a list that the program has cut up.
        let known = seen.iter().any(|&(known, key, other)| {
            known == limit && (other == text || same_but_numbers(key, &attribute.key))
        });
        if known {
            continue;
        }
        seen.push((limit, &attribute.key, text));
        let mut equal = seen.iter().filter(|(known, ..)| *known == limit);
        if equal.clone().count() == EQUAL {
            let mut next = || equal.next().map_or("", |(_, key, _)| name(key));
            let what = format!(
                "{}, {} and {} are each exactly {limit} long, as values are that are cut",
                next(),
                next(),
                next()
            );
            let advice = "If the program does not cut them itself, raise the limit on the length of values where it starts.";
            return Some(Seen::new(what, advice).set(LONGER));
        }
    }
    None
}

/// The limit that the text's length is, in bytes or characters; hashes in hexadecimal have such lengths by nature.
fn limit_of(text: &str) -> Option<usize> {
    if text.len() < LIMITS[0] || text.len() > LONGEST {
        return None;
    }
    let found = |length: usize| LIMITS.binary_search(&length).is_ok().then_some(length);
    let limit = found(text.len()).or_else(|| found(text.chars().count()))?;
    (!text.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(limit)
}

/// Whether two keys or names differ in nothing but the numbers in them: places in one list.
fn same_but_numbers(one: &str, other: &str) -> bool {
    fn pieces(text: &str) -> impl Iterator<Item = &str> {
        let digits = |letter: char| letter.is_ascii_digit();
        text.split(digits).filter(|piece| !piece.is_empty())
    }
    pieces(one).eq(pieces(other))
}

/// Attributes or links that the SDK says it has dropped.
pub(super) fn dropped(span: &Observed) -> Option<Seen> {
    let span = span.view.span;
    let dropped = [
        (
            span.dropped_attributes_count,
            "attributes",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=1000",
        ),
        (
            span.dropped_links_count,
            "links",
            "OTEL_SPAN_LINK_COUNT_LIMIT=1000",
        ),
    ];
    let (count, what, setting) = dropped.into_iter().find(|(count, ..)| *count > 0)?;
    let what =
        format!("The SDK dropped {count} {what} of a span: more than its limit, 128 by default");
    Some(Seen::new(what, RAISE).set(setting))
}

/// Events that the SDK says it has dropped. Instrumentations that write one for each streamed chunk lose nothing of
/// worth.
pub(super) fn dropped_events(span: &Observed) -> Option<Seen> {
    let span = span.view.span;
    let count = span.dropped_events_count;
    let chunks = span.events.first().is_some_and(|first| {
        let mut events = span.events.iter();
        events.all(|event| same_but_numbers(&event.name, &first.name))
    });
    if count == 0 || chunks {
        return None;
    }
    let what =
        format!("The SDK dropped {count} events of a span: more than its limit, 128 by default");
    Some(Seen::new(what, RAISE).set("OTEL_SPAN_EVENT_COUNT_LIMIT=1000"))
}

const RAISE: &str = "Raise the limit where the program starts.";
