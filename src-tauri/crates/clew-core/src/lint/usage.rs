//! Lints about token counts.

use super::{Observed, Seen, name};
use crate::model::Operation;

/// A model call that ended well and states no token counts.
pub(super) fn missing(span: &Observed) -> Option<Seen> {
    let facts = span.facts;
    let called = span.is(Operation::Llm) && span.has_ended() && facts.error.is_none();
    if !called || states_usage(span) || !span.counts {
        return None;
    }
    let streamed = facts.streaming.as_ref().is_some_and(|one| one.value);
    let provider = facts.provider.as_ref().map(|one| one.value.as_str());
    let openai = provider.is_none_or(|name| name.contains("openai") || name.contains("azure"));
    let how = if streamed {
        "A streamed call"
    } else {
        "A call"
    };
    let what =
        format!("{how} of a model states no token counts: its tokens and cost are in no total");
    if streamed && openai {
        // platform.openai.com: streamed answers state usage only when asked.
        let setting = r#"stream_options={"include_usage": True}"#;
        return Some(Seen::new(what, "Ask for them in the request.").set(setting));
    }
    let advice = format!(
        "Update {}, or state gen_ai.usage.input_tokens and gen_ai.usage.output_tokens on the span.",
        instrumentation(span)
    );
    Some(Seen::new(what, advice))
}

/// Token counts of a program that is known to leave some out. What it counts elsewhere cannot be joined to its spans.
pub(super) fn partial(span: &Observed) -> Option<Seen> {
    let left_out = span.facts.left_out.as_ref()?;
    if !span.counts || !states_usage(span) {
        return None;
    }
    Some(Seen::new(
        format!(
            "The token counts of a call leave out {}: its cost is not the one that is billed",
            left_out.value
        ),
        format!(
            "Nothing can be set: {} states them in log records that name no span. Compare with the provider's bill.",
            instrumentation(span)
        ),
    ))
}

/// Token counts that no price can be found for, as nothing says whose they are.
pub(super) fn without_model(span: &Observed) -> Option<Seen> {
    let facts = span.facts;
    let named = facts.response_model.is_some() || facts.request_model.is_some() || span.known.model;
    let called = span.is(Operation::Llm) && span.counts;
    if !called || !states_usage(span) || named || facts.cost_usd.is_some() {
        return None;
    }
    Some(Seen::new(
        "A call states tokens and no model: they have no price",
        "State gen_ai.request.model on the span, or name the attribute that holds it in Settings, Attributes.",
    ))
}

/// A call of which an instrumentation of another scope in the same program tells too. A server that tells of the call
/// that a client sent to it is no fault.
pub(super) fn doubled(span: &Observed) -> Option<Seen> {
    let other = span.twin?;
    if other.scope == span.scope() || other.service != span.service() {
        return None;
    }
    let advice = format!(
        "Turn off one of them: {} or {}.",
        instrumentation(span),
        called(other.scope)
    );
    Some(Seen::new(
        "Two instrumentations tell of the same call. Clew counts it once; what reads these spans elsewhere may count it twice",
        advice,
    ))
}

fn states_usage(span: &Observed) -> bool {
    let usage = span.facts.usage.as_ref();
    usage.is_some_and(|usage| usage.value.is_stated())
}

/// The span's scope as one would call it.
fn instrumentation<'a>(span: &'a Observed) -> &'a str {
    called(span.scope())
}

fn called(scope: &str) -> &str {
    match scope {
        "" => "the instrumentation",
        scope => name(scope),
    }
}
