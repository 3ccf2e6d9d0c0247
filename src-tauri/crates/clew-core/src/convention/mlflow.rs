//! MLflow's tracing: `mlflow.*`, with every value written as JSON.

use super::read::{self, KeyMap, Reader, Table};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, PromptFact};

/// MLflow's attributes.
#[derive(Debug)]
pub(super) struct Mlflow;

const ID: &str = "mlflow";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "mlflow 3.17",
    source: "https://github.com/mlflow/mlflow/blob/master/mlflow/tracing/constant.py",
    scopes: &["mlflow."],
    marks: &["mlflow."],
    known: &[
        "mlflow.traceRequestId",
        "mlflow.spanFunctionName",
        "mlflow.spanLogLevel",
        "mlflow.message.format",
        "mlflow.traceName",
        "mlflow.traceTag.",
        "mlflow.trace.",
        "mlflow.experimentId",
        "mlflow.chunk.",
        "mlflow.linkedPrompts",
        "mlflow.assessment.",
        "stream_options",
    ],
    table: Table {
        operation: &["mlflow.spanType"],
        operations: &[
            ("llm", Operation::Llm),
            ("chat_model", Operation::Llm),
            ("chain", Operation::Chain),
            ("workflow", Operation::Chain),
            ("task", Operation::Chain),
            ("agent", Operation::Agent),
            ("tool", Operation::Tool),
            ("retriever", Operation::Retriever),
            ("embedding", Operation::Embedding),
            ("reranker", Operation::Reranker),
            ("guardrail", Operation::Guardrail),
            ("evaluator", Operation::Evaluator),
            ("parser", Operation::Chain),
            ("memory", Operation::Other),
            ("unknown", Operation::Other),
        ],
        provider: &["mlflow.llm.provider", "mlflow.message.format"],
        request_model: &["model", "mlflow.llm.model"],
        response_model: &["mlflow.llm.model"],
        usage_json: &["mlflow.chat.tokenUsage"],
        cost_json: &["mlflow.llm.cost"],
        chunk_events: &["mlflow.chunk.item.0"],
        streaming: &["stream"],
        input_value: &["mlflow.spanInputs"],
        output_value: &["mlflow.spanOutputs"],
        tools: &["mlflow.chat.tools"],
        session: &["mlflow.trace.session"],
        user: &["mlflow.trace.user"],
        feature: &["feature"],
        ..Table::EMPTY
    },
    cache: &[
        CacheRow {
            providers: &["anthropic", "aws.bedrock"],
            with: "",
            without: "",
            counting: CacheCounting::Exclusive,
            source: "MLflow with Anthropic or Bedrock: the provider's own counts, which leave cached tokens out.",
        },
        CacheRow::all(
            CacheCounting::Inclusive,
            "MLflow: the provider's own counts; this provider's include cached tokens.",
        ),
    ],
};

impl Convention for Mlflow {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "MLflow"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map).quoted();
        let mut facts = reader.read(&VOCABULARY.table);
        match facts.operation.as_ref().map(|stated| stated.value) {
            Some(Operation::Tool) => {
                facts.tool = reader.text(&["mlflow.spanFunctionName"]).map(|stated| {
                    let tool = crate::model::ToolFact {
                        name: Some(stated.value),
                        ..crate::model::ToolFact::default()
                    };
                    reader.stated(tool, &stated.key)
                });
            }
            Some(Operation::Llm) => {
                if map.content() {
                    let request = Table {
                        parameters_json: &["mlflow.spanInputs"],
                        ..Table::EMPTY
                    };
                    facts.parameters = reader.read(&request).parameters;
                }
                facts.response_id = reader
                    .text(&["mlflow.spanOutputs"])
                    .and_then(|output| read::response_id(ID, &output));
            }
            _ => {}
        }
        facts.prompt = reader.json(&["mlflow.linkedPrompts"]).and_then(|linked| {
            let first = linked.value.as_array()?.first()?;
            let prompt = PromptFact {
                name: read::text(first, &["name"]),
                version: read::text(first, &["version"]),
                ..PromptFact::default()
            };
            Some(reader.stated(prompt, &linked.key))
        });
        facts
    }
}
