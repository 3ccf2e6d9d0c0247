//! The OpenAI Agents SDK: what instrumentations of its tracing say of agents, hand-offs and guardrails.

use super::read::{KeyMap, Reader, Table};
use super::{Convention, Vocabulary};
use crate::model::{Facts, Operation};

/// The OpenAI Agents SDK's attributes.
#[derive(Debug)]
pub(super) struct OpenAiAgents;

const ID: &str = "openai_agents";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "openai-agents 0.24",
    source: "https://openai.github.io/openai-agents-python/tracing/",
    scopes: &[
        "openinference.instrumentation.openai_agents",
        "opentelemetry.instrumentation.openai_agents",
        "opentelemetry.instrumentation.genai.openai_agents",
        "logfire.openai_agents",
        "openai-agents",
    ],
    marks: &["gen_ai.handoff.", "openai.agents.", "agent_span."],
    known: &[
        "gen_ai.handoff.",
        "openai.agents.",
        "graph.node.id",
        "graph.node.parent_id",
        "agent_span.",
        "handoffs",
        "output_type",
        "triggered",
        "gen_ai.agent.from",
        "gen_ai.agent.to",
    ],
    table: Table {
        agent: &["gen_ai.handoff.to_agent", "graph.node.id"],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for OpenAiAgents {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "OpenAI Agents"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        if map.has("gen_ai.handoff.from_agent") {
            facts.operation = Some(reader.stated(Operation::Agent, "gen_ai.handoff.from_agent"));
        } else if map.has("triggered") {
            facts.operation = Some(reader.stated(Operation::Guardrail, "triggered"));
        }
        facts
    }
}
