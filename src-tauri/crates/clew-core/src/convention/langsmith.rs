//! LangSmith's exporter: `langsmith.*`, with the run's inputs and outputs in `gen_ai.prompt` and `gen_ai.completion`.

use super::read::{self, KeyMap, Reader, Table};
use super::{Convention, Vocabulary};
use crate::model::{Facts, Operation, Stated, as_str};

/// LangSmith's attributes.
#[derive(Debug)]
pub(super) struct LangSmith;

const ID: &str = "langsmith";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "langsmith 0.14 (Python)",
    source: "https://docs.langchain.com/langsmith/trace-with-opentelemetry",
    scopes: &["langsmith"],
    marks: &["langsmith.span.", "langsmith.trace.", "langsmith.request."],
    known: &[
        "langsmith.metadata.",
        "langsmith.trace.",
        "langsmith.span.",
        "langsmith.request.",
        "langsmith.internal.",
        "gen_ai.serialized.name",
        "gen_ai.serialized.signature",
        "gen_ai.serialized.doc",
        "gen_ai.usage.input_token_details",
        "gen_ai.usage.output_token_details",
    ],
    table: Table {
        operation: &["langsmith.span.kind"],
        operations: &[
            ("llm", Operation::Llm),
            ("chain", Operation::Chain),
            ("prompt", Operation::Chain),
            ("parser", Operation::Chain),
            ("tool", Operation::Tool),
            ("retriever", Operation::Retriever),
            ("embedding", Operation::Embedding),
        ],
        provider: &["langsmith.metadata.ls_provider"],
        request_model: &["langsmith.metadata.ls_model_name", "gen_ai.request.model"],
        usage_json: &["langsmith.metadata.usage_metadata"],
        streaming: &["langsmith.request.streaming", "langsmith.metadata.stream"],
        parameters: &[
            ("temperature", &["langsmith.metadata.ls_temperature"]),
            ("max_tokens", &["langsmith.metadata.ls_max_tokens"]),
            ("stop", &["langsmith.metadata.ls_stop"]),
        ],
        parameters_json: &["langsmith.metadata.ls_invocation_params"],
        input_value: &["gen_ai.prompt"],
        output_value: &["gen_ai.completion"],
        agent: &["langsmith.metadata.lc_agent_name"],
        session: &[
            "langsmith.metadata.session_id",
            "langsmith.metadata.thread_id",
            "langsmith.metadata.conversation_id",
        ],
        user: &["langsmith.metadata.user_id"],
        feature: &["langsmith.metadata.feature"],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for LangSmith {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "LangSmith"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        // Several tags are one text.
        facts.tags = reader.first(&["langsmith.span.tags"], |value| {
            let tags: Vec<String> = as_str(value)?
                .split(',')
                .map(|tag| tag.trim().to_owned())
                .filter(|tag| !tag.is_empty())
                .collect();
            (!tags.is_empty()).then_some(tags)
        });
        // What is no dictionary, LangSmith puts into one.
        facts.input_value = facts
            .input_value
            .and_then(|value| unwrapped(value, "input"));
        facts.output_value = facts
            .output_value
            .and_then(|value| unwrapped(value, "output"));
        let llm = facts
            .operation
            .as_ref()
            .is_some_and(|stated| stated.value == Operation::Llm);
        if llm && !map.has("gen_ai.response.id") {
            facts.response_id = reader
                .text(&["gen_ai.completion"])
                .and_then(|output| read::response_id(ID, &output));
        }
        facts
    }
}

/// The one value of a run that LangSmith wrapped under this name; nothing where it is empty.
fn unwrapped(stated: Stated<String>, name: &str) -> Option<Stated<String>> {
    if stated.value == "{}" {
        return None;
    }
    let inner = read::parse(&stated.value).and_then(|json| {
        let fields = json.as_object()?;
        let only = fields.get(name).filter(|_| fields.len() == 1)?;
        Some(read::compact(only))
    });
    Some(match inner {
        Some(value) => Stated { value, ..stated },
        None => stated,
    })
}
