//! Lints about token counts.

use super::{Observed, Seen};
use crate::model::Operation;

/// A model call that ended well and states no token counts.
pub(super) fn missing(span: &Observed) -> Option<Seen> {
    let facts = span.facts;
    let called = span.is(Operation::Llm) && span.has_ended() && facts.error.is_none();
    let stated = facts
        .usage
        .as_ref()
        .is_some_and(|usage| usage.value.is_stated());
    if !called || stated || span.doubled_by.is_some() {
        return None;
    }
    let streamed = facts.streaming.as_ref().is_some_and(|one| one.value);
    let provider = facts.provider.as_ref().map(|one| one.value.as_str());
    let openai = provider.is_none_or(|name| name.contains("openai") || name.contains("azure"));
    let fix = if streamed && openai {
        // platform.openai.com: streamed answers state usage only when asked.
        "ask for it in the request: stream_options={\"include_usage\": True}".to_owned()
    } else {
        format!(
            "update {}, or state gen_ai.usage.input_tokens and gen_ai.usage.output_tokens on the span",
            instrumentation(span)
        )
    };
    let how = if streamed {
        "A streamed call"
    } else {
        "A call"
    };
    Some(Seen::new(
        format!("{how} of a model states no token counts: its tokens and cost are in no total"),
        fix,
    ))
}

/// Token counts that no price can be found for, as nothing says whose they are.
pub(super) fn without_model(span: &Observed) -> Option<Seen> {
    let facts = span.facts;
    let stated = facts
        .usage
        .as_ref()
        .is_some_and(|usage| usage.value.is_stated());
    let named = facts.response_model.is_some() || facts.request_model.is_some();
    if !stated || named || !span.is(Operation::Llm) || facts.cost_usd.is_some() {
        return None;
    }
    Some(Seen::new(
        "A call states tokens and no model: they have no price",
        "state gen_ai.request.model on the span, or name the attribute that holds it in Settings, Attributes",
    ))
}

/// A call of which an instrumentation of another scope tells too.
pub(super) fn doubled(span: &Observed) -> Option<Seen> {
    let other = span.doubled_by?;
    Some(Seen::new(
        "Two instrumentations tell of the same call. Clew counts it once; what reads these spans elsewhere may count it twice",
        format!("turn off one of them: {} or {other}", instrumentation(span)),
    ))
}

/// The scope as one would call it.
fn instrumentation<'a>(span: &'a Observed) -> &'a str {
    match span.scope() {
        "" => "the instrumentation",
        scope => scope,
    }
}
