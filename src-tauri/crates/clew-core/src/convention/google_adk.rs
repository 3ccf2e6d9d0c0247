//! Google's Agent Development Kit: `gcp.vertex.agent.*` beside `gen_ai.*`.

use super::read::{KeyMap, Reader, Table};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, Stated};

/// The Agent Development Kit's attributes.
#[derive(Debug)]
pub(super) struct GoogleAdk;

const ID: &str = "google_adk";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "google-adk 2.13 and 1",
    source: "https://github.com/google/adk-python/blob/main/src/google/adk/telemetry/tracing.py",
    scopes: &["gcp.vertex.agent"],
    marks: &["gcp.vertex.agent."],
    known: &[
        "gcp.vertex.agent.event_id",
        "gcp.vertex.agent.invocation_id",
        "gcp.vertex.agent.llm_request",
        "gcp.vertex.agent.llm_response",
        "gcp.vertex.agent.associated_event_ids",
        "gcp.vertex.agent.data",
    ],
    table: Table {
        input_value: &["gcp.vertex.agent.llm_request"],
        output_value: &["gcp.vertex.agent.llm_response"],
        tool_arguments: &["gcp.vertex.agent.tool_call_args"],
        tool_result: &["gcp.vertex.agent.tool_response"],
        session: &["gcp.vertex.agent.session_id"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "ADK: gen_ai.usage.input_tokens is Gemini's promptTokenCount, which includes cached content.",
    )],
};

impl Convention for GoogleAdk {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Google ADK"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        // Versions before 1.17 name their calls in the span's name alone.
        if !map.has("gen_ai.operation.name") {
            let operation = match map.view().span.name.as_str() {
                "call_llm" => Some(Operation::Llm),
                "invocation" => Some(Operation::Chain),
                name if name.starts_with("agent_run") => Some(Operation::Agent),
                _ => None,
            };
            facts.operation = operation.map(|operation| Stated::new(operation, ID, "span name"));
        }
        if facts.usage.is_none()
            && !map.has("gen_ai.usage.input_tokens")
            && let Some(response) = reader.json(&["gcp.vertex.agent.llm_response"])
            && let Some(usage) = response.value.get("usage_metadata")
        {
            let (usage, rule) = reader.usage_of(usage, &response.key).unzip();
            facts.usage = usage;
            facts.cache_rule = rule.flatten();
        }
        // An empty object stands where content was left out.
        let said = |stated: &Stated<String>| stated.value != "{}";
        facts.input_value = facts.input_value.filter(said);
        facts.output_value = facts.output_value.filter(said);
        facts
    }
}
