//! Hand-written spans in the style of the observability articles that Clew grew from: `llm.*`, `chain.*`, `retriever.*`,
//! `retrieval.*` and `tool.*`, in attributes and in span names.

use super::read::{self, KeyMap, Keys, Reader, Table, Unit};
use super::{Convention, Vocabulary};
use crate::model::{Facts, Operation, Stated};

/// The names of hand-written instrumentation.
#[derive(Debug)]
pub(super) struct Seeds;

const ID: &str = "seeds";

/// Attributes that say what a span is, in order: a routing decision names a model, but calls none.
const KINDS: &[(Operation, Keys)] = &[
    (Operation::Chain, &["llm.routed_model", "chain.name"]),
    (
        Operation::Retriever,
        &["retriever.name", "retrieval.doc_count"],
    ),
    (Operation::Tool, &["tool.name"]),
];

/// Beginnings of span names that say what a span is.
const PREFIXES: &[(&str, Operation)] = &[
    ("llm.route", Operation::Chain),
    ("llm.", Operation::Llm),
    ("chain.", Operation::Chain),
    ("retrieval.", Operation::Retriever),
    ("retriever.", Operation::Retriever),
    ("tool.", Operation::Tool),
    ("agent.", Operation::Agent),
];

static VOCABULARY: Vocabulary = Vocabulary {
    version: "the four articles of 2026",
    source: "the articles' own listings",
    marks: &[
        "chain.name",
        "llm.",
        "retriever.name",
        "retrieval.doc_count",
        "tool.name",
    ],
    known: &[
        "llm.error.type",
        "llm.quality_score",
        "llm.hallucination.score",
        "prompt.template",
        "retrieval.top_k",
    ],
    table: Table {
        operation: &["llm.operation", "llm.request_type", "llm.request.type"],
        operations: &[
            ("chat", Operation::Llm),
            ("chat.completion", Operation::Llm),
            ("chat.completions", Operation::Llm),
            ("completion", Operation::Llm),
            ("text.completion", Operation::Llm),
            ("generation", Operation::Llm),
            ("embedding", Operation::Embedding),
            ("embeddings", Operation::Embedding),
            ("rerank", Operation::Reranker),
        ],
        display_name: &["chain.name", "retriever.name"],
        provider: &["llm.provider", "llm.vendor"],
        request_model: &["llm.request.model", "llm.model", "llm.routed_model"],
        response_model: &["llm.response.model"],
        response_id: &["llm.response.id", "llm.response_id"],
        input_tokens: &[
            "llm.usage.prompt_tokens",
            "llm.prompt_tokens",
            "llm.prompt.tokens",
            "llm.tokens.input",
        ],
        output_tokens: &[
            "llm.usage.completion_tokens",
            "llm.completion_tokens",
            "llm.completion.tokens",
            "llm.tokens.output",
        ],
        total_tokens: &[
            "llm.usage.total_tokens",
            "llm.total_tokens",
            "llm.total.tokens",
        ],
        reasoning: &["llm.usage.reasoning_tokens"],
        cost_usd: &["llm.cost.usd", "llm.cost_usd"],
        feature: &["llm.task_type"],
        total_time: &[
            ("llm.duration_ms", Unit::Millis),
            ("llm.latency.ms", Unit::Millis),
            ("latency_ms", Unit::Millis),
        ],
        finish_reasons: &[
            "llm.finish_reason",
            "llm.response.finish_reason",
            "llm.response.stop_reason",
        ],
        ttft: &[
            ("llm.time_to_first_token_ms", Unit::Millis),
            ("time_to_first_token_ms", Unit::Millis),
        ],
        streaming: &["llm.is_streaming", "llm.streaming"],
        parameters: &[
            (
                "temperature",
                &["llm.temperature", "llm.request.temperature"],
            ),
            ("top_p", &["llm.top_p", "llm.request.top_p"]),
            ("top_k", &["llm.top_k"]),
            ("max_tokens", &["llm.max_tokens", "llm.request.max_tokens"]),
            ("frequency_penalty", &["llm.frequency_penalty"]),
            ("presence_penalty", &["llm.presence_penalty"]),
            ("stop", &["llm.chat.stop_sequences"]),
        ],
        input: &["llm.prompt", "llm.messages", "llm.input"],
        output: &["llm.response", "llm.completion", "llm.output"],
        tool_name: &["tool.name"],
        tool_call_id: &["tool.call_id"],
        tool_arguments: &["tool.arguments", "tool.input", "tool.args"],
        tool_result: &["tool.result", "tool.output"],
        document_count: &["retrieval.doc_count", "retriever.doc_count"],
        query: &["retrieval.query", "retriever.query"],
        prompt_name: &["llm.prompt.name", "prompt.name"],
        prompt_version: &[
            "llm.prompt.version",
            "prompt.version",
            "llm.prompt_template.version",
        ],
        prompt_template: &["llm.prompt.template", "llm.prompt_template.template"],
        agent: &["agent.name"],
        session: &["session_id", "llm.session_id"],
        user: &["user_id", "llm.user_id", "llm.user"],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for Seeds {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Hand-written"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn speaks(&self, map: &KeyMap) -> bool {
        let view = map.view();
        let keys = [
            "session_id",
            "user_id",
            "ttft_ms",
            "agent.name",
            "prompt.name",
        ];
        PREFIXES
            .iter()
            .any(|(prefix, _)| view.span.name.starts_with(prefix))
            || keys.iter().any(|key| map.has(key))
    }

    fn common(&self) -> bool {
        true
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let view = map.view();
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        let routed = reader.has("llm.routed_model");
        let by_key = || {
            KINDS.iter().find_map(|(operation, keys)| {
                let key = keys.iter().find(|key| reader.has(key))?;
                Some(Stated::new(*operation, ID, key))
            })
        };
        let by_name = || {
            let name = &view.span.name;
            let prefix = PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix));
            prefix.map(|(_, operation)| Stated::new(*operation, ID, "span name"))
        };
        if routed {
            facts.operation = by_key();
        }
        facts.operation = facts.operation.or_else(by_key).or_else(by_name);
        if reader.has("llm.error.type") {
            facts.error = read::error(map, ID, &["llm.error.type"]);
        }
        facts
    }
}
