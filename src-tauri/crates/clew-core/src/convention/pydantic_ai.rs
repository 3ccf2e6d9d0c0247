//! Pydantic AI: its agents' whole conversations, aggregated usage and the attributes of its older versions.

use super::read::{KeyMap, Keys, Reader, Table, from_json, structured, with_system};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Message, Operation, Stated};

/// Pydantic AI's attributes.
#[derive(Debug)]
pub(super) struct PydanticAi;

const ID: &str = "pydantic_ai";

/// Where an agent's conversation stands, its last answer included.
const CONVERSATION: Keys = &["pydantic_ai.all_messages", "all_messages_events"];

static VOCABULARY: Vocabulary = Vocabulary {
    version: "pydantic-ai 2.68, 1 and 0.x",
    source: "https://ai.pydantic.dev/logfire/#data-format",
    scopes: &["pydantic-ai"],
    marks: &[
        "pydantic_ai.",
        "all_messages_events",
        "model_request_parameters",
        "gen_ai.aggregated_usage.",
    ],
    known: &[
        "pydantic_ai.",
        "gen_ai.aggregated_usage.",
        "gen_ai.agent.call.id",
        "gen_ai.usage.details.",
        "logfire.json_schema",
        "model_request_parameters",
        "tools",
        "metadata",
    ],
    table: Table {
        request_model: &["model_name"],
        output_value: &["final_result"],
        agent: &["agent_name"],
        input: &["events"],
        tool_arguments: &["tool_arguments"],
        tool_result: &["tool_response"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "pydantic-ai: input_tokens includes cached tokens, whichever provider counted them.",
    )],
};

impl Convention for PydanticAi {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Pydantic AI"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        if map.content() {
            let whole = reader.first(CONVERSATION, |value| from_json(&structured(value)?, "user"));
            if let Some(whole) = whole {
                let system = reader.messages(&["gen_ai.system_instructions"], "system");
                let (input, output) = turn(whole);
                facts.input = with_system(Some(input), system);
                facts.output = output;
            } else if map.has("events") {
                // A call's messages and its choice, in one list.
                let (input, output) = facts.input.take().map(turn).unzip();
                facts.input = input;
                facts.output = output.flatten();
            }
        }
        // Versions before 1 name neither.
        if !map.has("gen_ai.operation.name") {
            if map.has("gen_ai.tool.call.id") {
                facts.operation = Some(reader.stated(Operation::Tool, "gen_ai.tool.call.id"));
            } else if map.has("agent_name") {
                facts.operation = Some(reader.stated(Operation::Agent, "agent_name"));
            }
        }
        if facts.operation.as_ref().map(|stated| stated.value) == Some(Operation::Agent)
            || map.has("gen_ai.aggregated_usage.input_tokens")
        {
            // The model of its calls, not of a call of its own.
            facts.request_model = None;
        }
        facts
    }
}

/// What was asked, and the answer that stands at its end.
fn turn(whole: Stated<Vec<Message>>) -> (Stated<Vec<Message>>, Option<Stated<Vec<Message>>>) {
    let Stated {
        value: mut messages,
        convention,
        key,
    } = whole;
    let answers = messages
        .iter()
        .rev()
        .take_while(|message| message.role == "assistant")
        .count();
    let output = messages.split_off(messages.len() - answers);
    let stated = |value| Stated::new(value, &convention, &key);
    let output = (!output.is_empty()).then(|| stated(output));
    (stated(messages), output)
}
