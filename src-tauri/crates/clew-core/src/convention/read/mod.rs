//! What all conventions share: looking up keys, tables of keys, message shapes, flattened keys, outcomes, providers.

mod flat;
mod json;
mod listing;
mod message;
mod order;
mod outcome;
mod part;
mod provider;
mod table;

pub(super) use flat::{Flat, Slots};
pub(super) use json::{compact, field, parse, structured, text};
pub(super) use listing::{documents, tool_definitions};
pub(super) use message::{event_message, from_json, messages, role_name, text_message};
pub(super) use order::log_name;
pub use order::{Heard, in_order};
pub use outcome::finish_reason;
pub(super) use outcome::{error, first_event};
pub(super) use part::{media, repeats};
pub use provider::provider;
pub(super) use table::{Keys, Layer, Reader, Table, Unit, with_system};

use crate::model::{Facts, Operation, Stated};

/// Derives what follows from other facts of the span, whichever convention stated them.
pub(super) fn complete(facts: &mut Facts) {
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
    let operation = facts.operation.as_ref().map(|operation| operation.value);
    if facts.display_name.is_none() {
        facts.display_name = match operation {
            Some(Operation::Tool) => facts.tool.as_ref().and_then(|tool| {
                let name = tool.value.name.clone()?;
                Some(Stated::new(name, &tool.convention, &tool.key))
            }),
            Some(Operation::Agent) => facts.agent.clone(),
            _ => None,
        };
    }
}
