//! Gemini CLI's traces: the general `gen_ai.*`, but a tool's request and response stand where conversations do.
//!
//! The span of a call has its prompt and answer tokens, and not how many of them came from the cache, nor those of its
//! thoughts. The event `gemini_cli.api_response` has all of them, but names no trace, no span and no response, and the
//! `prompt_id` that both have is that of the whole turn: nothing joins the two safely. So the span says what it leaves out.

use serde_json::Value as Json;

use super::read::{KeyMap, Reader, Table, compact, field};
use super::{Convention, Vocabulary};
use crate::model::{Facts, Operation};

/// Gemini CLI's own of its attributes.
#[derive(Debug)]
pub(super) struct GeminiCli;

const ID: &str = "gemini_cli";

/// What its counts of tokens leave out.
const LEFT_OUT: &str = "what was read from the cache, and thoughts";

/// The scope of all that it sends.
pub(super) const SCOPE: &str = "gemini-cli";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "Gemini CLI 0.61",
    source: "https://github.com/google-gemini/gemini-cli/blob/main/packages/core/src/telemetry/trace.ts",
    scopes: &[SCOPE],
    marks: &["gemini_cli."],
    known: &[
        "gemini_cli.",
        "gen_ai.agent.description",
        "gen_ai.prompt.name",
    ],
    table: Table {
        operation: &["gen_ai.operation.name"],
        operations: &[
            ("llm_call", Operation::Llm),
            ("tool_call", Operation::Tool),
            ("agent_call", Operation::Agent),
            ("schedule_tool_calls", Operation::Chain),
            ("user_prompt", Operation::Chain),
        ],
        tool_name: &["gen_ai.tool.name"],
        tool_call_id: &["gen_ai.tool.call_id"],
        session: &["gen_ai.conversation.id"],
        ..Table::EMPTY
    },
    cache: &[],
};

impl Convention for GeminiCli {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Gemini CLI"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        let counted = map.has("gen_ai.usage.input_tokens");
        if counted && !map.has("gen_ai.usage.cache_read.input_tokens") {
            facts.left_out = Some(reader.stated(LEFT_OUT.to_owned(), "scope"));
        }
        let is_tool = facts.operation.as_ref().map(|stated| stated.value) == Some(Operation::Tool);
        if let Some(tool) = facts
            .tool
            .as_mut()
            .filter(|_| is_tool && map.content())
            .map(|tool| &mut tool.value)
        {
            let request = reader.json(&["gen_ai.input.messages"]);
            tool.arguments =
                request.and_then(|request| Some(compact(field(&request.value, &["args"])?)));
            let result = reader.json(&["gen_ai.output.messages"]);
            tool.result = result.and_then(|result| answered(&result.value));
        }
        facts
    }
}

/// What a tool answered the model, of what its span has of it: the text alone where it is nothing but a text.
fn answered(result: &Json) -> Option<String> {
    let parts = field(field(result, &["response"])?, &["responseParts"])?.as_array()?;
    let told: Vec<String> = parts
        .iter()
        .filter_map(|part| {
            let told = field(field(part, &["functionResponse"])?, &["response"])?;
            let text = field(told, &["output", "error"]).and_then(Json::as_str);
            Some(text.map_or_else(|| compact(told), ToOwned::to_owned))
        })
        .collect();
    (!told.is_empty()).then(|| told.join("\n"))
}
