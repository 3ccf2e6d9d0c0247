//! What all conventions share: the key map, tables of keys, message shapes, flattened keys, usage, outcomes, providers.

mod failure;
mod flat;
mod json;
mod key_map;
mod listing;
mod literal;
mod message;
mod order;
mod outcome;
mod part;
mod place;
mod provider;
mod reader;
mod repair;
mod response;
mod stage;
mod table;
mod time;
mod usage;
mod usage_json;

pub(super) use flat::{Flat, Slots};
pub(super) use json::{compact, field, parse, structured, text};
pub use key_map::KeyMap;
pub(super) use listing::tool_definitions;
pub(super) use message::{event_message, from_json, messages, role_name, text_message};
pub(super) use order::log_name;
pub use order::{Heard, in_order};
pub(super) use outcome::error;
pub use outcome::finish_reason;
pub(super) use part::{media, repeats};
pub use provider::provider;
pub(super) use reader::{Layer, Reader, id, texts, with_system};
pub(super) use response::response_id;
pub(super) use table::{Keys, Table, Unit};

use crate::model::{Facts, Operation, Stated};

/// Derives what follows from other facts of the span, whichever convention stated them.
pub(super) fn complete(map: &KeyMap, facts: &mut Facts) {
    let view = map.view();
    place::place(view, facts);
    if facts.provider.is_none() {
        let model = facts
            .response_model
            .as_ref()
            .or(facts.request_model.as_ref());
        facts.provider = model.and_then(|model| {
            let provider = provider::of_model(&model.value)?;
            Some(Stated::new(provider, &model.convention, &model.key))
        });
    }
    if facts.finish_reasons.is_none()
        && let Some(output) = &facts.output
    {
        let reasons: Vec<String> = output
            .value
            .iter()
            .filter_map(|message| message.finish_reason.clone())
            .collect();
        if !reasons.is_empty() {
            facts.finish_reasons = Some(Stated::new(reasons, &output.convention, &output.key));
        }
    }
    if facts.document_count.is_none()
        && let Some(documents) = &facts.documents
    {
        let count = documents.value.len() as u64;
        facts.document_count = Some(Stated::new(count, &documents.convention, &documents.key));
    }
    if facts.streaming.is_none()
        && let Some(first) = &facts.ttft_nanos
        && first.key.contains("chunk")
    {
        facts.streaming = Some(Stated::new(true, &first.convention, &first.key));
    }
    let operation = facts.operation.as_ref().map(|operation| operation.value);
    if let Some(error) = &facts.error {
        facts.error_class = Some(failure::class(map, operation, error));
    }
    facts.stage = stage::stage(map, facts.operation.as_ref());
    if facts.display_name.is_none() {
        facts.display_name = match operation {
            Some(Operation::Tool) => facts.tool.as_ref().and_then(|tool| {
                let name = tool.value.name.clone()?;
                (name != view.span.name).then(|| Stated::new(name, &tool.convention, &tool.key))
            }),
            Some(Operation::Agent) => facts.agent.clone(),
            _ => None,
        };
    }
}
