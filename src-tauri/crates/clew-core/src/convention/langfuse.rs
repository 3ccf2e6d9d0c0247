//! Langfuse's SDKs: `langfuse.observation.*` on each span, `langfuse.trace.*` and ids on all spans of a trace.

use super::read::{KeyMap, Reader, Table};
use super::{Convention, Vocabulary};
use crate::model::{Facts, Operation, Stated};

/// Langfuse's attributes.
#[derive(Debug)]
pub(super) struct Langfuse;

const ID: &str = "langfuse";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "langfuse 5.0 (Python), 4 and 3",
    source: "https://langfuse.com/integrations/native/opentelemetry#property-mapping",
    scopes: &["langfuse-sdk"],
    marks: &[
        "langfuse.observation.",
        "langfuse.trace.",
        "langfuse.internal.",
    ],
    known: &[
        "langfuse.observation.level",
        "langfuse.observation.status_message",
        "langfuse.observation.metadata.",
        "langfuse.trace.name",
        "langfuse.trace.metadata.",
        "langfuse.trace.input",
        "langfuse.trace.output",
        "langfuse.trace.public",
        "langfuse.environment",
        "langfuse.release",
        "langfuse.version",
        "langfuse.internal.",
        "langfuse.experiment.",
    ],
    table: Table {
        operation: &["langfuse.observation.type"],
        operations: &[
            ("generation", Operation::Llm),
            ("chain", Operation::Chain),
            ("span", Operation::Chain),
            ("agent", Operation::Agent),
            ("tool", Operation::Tool),
            ("retriever", Operation::Retriever),
            ("embedding", Operation::Embedding),
            ("guardrail", Operation::Guardrail),
            ("evaluator", Operation::Evaluator),
            ("event", Operation::Other),
        ],
        request_model: &["langfuse.observation.model.name"],
        usage_json: &["langfuse.observation.usage_details"],
        cost_json: &["langfuse.observation.cost_details"],
        finish_reasons: &["langfuse.observation.metadata.finish_reason"],
        ttft_at: &["langfuse.observation.completion_start_time"],
        parameters_json: &["langfuse.observation.model.parameters"],
        input_value: &["langfuse.observation.input"],
        output_value: &["langfuse.observation.output"],
        prompt_name: &["langfuse.observation.prompt.name", "langfuse.prompt.name"],
        prompt_version: &[
            "langfuse.observation.prompt.version",
            "langfuse.prompt.version",
        ],
        session: &["langfuse.session.id"],
        user: &["langfuse.user.id"],
        feature: &[
            "langfuse.observation.metadata.feature",
            "langfuse.trace.metadata.feature",
        ],
        tags: &["langfuse.trace.tags", "langfuse.tags"],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for Langfuse {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Langfuse"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map).quoted();
        let mut facts = reader.read(&VOCABULARY.table);
        // SDKs before 3.3.1 call a generation a span (semconv.md §1).
        let called = facts.request_model.is_some() && facts.usage.is_some();
        let chain = facts
            .operation
            .as_ref()
            .is_some_and(|stated| stated.value == Operation::Chain);
        if called && chain {
            facts.operation =
                Some(reader.stated(Operation::Llm, "langfuse.observation.model.name"));
        }
        // The wrapper prices a failed call at nothing (semconv.md §3).
        let failed = reader
            .text(&["langfuse.observation.level"])
            .is_some_and(|level| level.value == "ERROR");
        if failed {
            facts.cost_usd = facts.cost_usd.filter(|cost| cost.value > 0.0);
            facts.error = super::read::error(map, ID, &[]).or_else(|| {
                let message = reader.text(&["langfuse.observation.status_message"]);
                let key = "langfuse.observation.level";
                Some(Stated::new(
                    crate::model::ErrorFact {
                        kind: None,
                        message: message.map(|stated| stated.value),
                    },
                    ID,
                    key,
                ))
            });
        }
        facts
    }
}
