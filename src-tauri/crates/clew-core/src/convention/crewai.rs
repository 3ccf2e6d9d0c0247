//! CrewAI: crews, tasks and agents, in its own telemetry and in what instrumentations add.

use super::read::Table;
use super::{Convention, Vocabulary};

/// CrewAI's attributes.
#[derive(Debug)]
pub(super) struct CrewAi;

static VOCABULARY: Vocabulary = Vocabulary {
    version: "crewai 1.15",
    source: "https://docs.crewai.com/en/telemetry",
    scopes: &[
        "crewai",
        "crewai.telemetry",
        "openinference.instrumentation.crewai",
    ],
    marks: &["crew_", "crew_key", "crew_id", "crewai.", "task_key"],
    known: &[
        "crewai.",
        "crew_key",
        "crew_id",
        "crew_inputs",
        "crew_agents",
        "crew_tasks",
        "crew_fingerprint",
        "crew_process",
        "crew_memory",
        "crew_number_of_agents",
        "crew_number_of_tasks",
        "task_key",
        "task_id",
        "task_fingerprint",
        "agent_key",
        "agent_role",
        "formatted_description",
        "formatted_expected_output",
        "flow_name",
        "flow_inputs",
        "tool.cache_function",
        "tool.description_updated",
        "tool.result_as_answer",
        "tool.current_usage_count",
        "tool.max_usage_count",
    ],
    table: Table {
        agent: &["agent_role", "crewai.agent.role", "graph.node.id"],
        display_name: &["crewai.crew.name", "crewai.task.name"],
        session: &["crewai.flow.id"],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for CrewAi {
    fn id(&self) -> &'static str {
        "crewai"
    }

    fn title(&self) -> &'static str {
        "CrewAI"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }
}
