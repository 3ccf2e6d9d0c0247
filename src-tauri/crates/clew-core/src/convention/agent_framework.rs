//! Microsoft's Agent Framework: `gen_ai.*` with workflows, executors and edges of its own.

use super::read::{KeyMap, Reader, Table};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, Stated};

/// The Agent Framework's attributes.
#[derive(Debug)]
pub(super) struct AgentFramework;

const ID: &str = "agent_framework";

/// Beginnings of names of its spans, and what they are.
const SPANS: &[&str] = &["workflow.", "executor.", "edge_group.", "message.send"];

static VOCABULARY: Vocabulary = Vocabulary {
    version: "agent-framework-core 1.23",
    source: "https://github.com/microsoft/agent-framework/blob/main/python/packages/core/agent_framework/observability.py",
    scopes: &["agent_framework"],
    marks: &[
        "agent_framework.",
        "workflow.definition",
        "workflow_builder.",
        "executor.id",
        "edge_group.",
    ],
    known: &[
        "agent_framework.",
        "workflow.",
        "workflow_builder.",
        "executor.",
        "edge_group.",
        "message.source_id",
        "message.target_id",
        "message.type",
        "message.payload_type",
        "message.destination_executor_id",
        "build.",
    ],
    table: Table {
        display_name: &["workflow.name", "executor.id"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "Agent Framework: gen_ai.usage.input_tokens includes cached tokens.",
    )],
};

impl Convention for AgentFramework {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Agent Framework"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let mut facts = Reader::new(ID, map).read(&VOCABULARY.table);
        let name = map.view().span.name.as_str();
        if SPANS.iter().any(|known| name.starts_with(known)) {
            facts.operation = Some(Stated::new(Operation::Chain, ID, "span name"));
        }
        facts
    }
}
