//! Haystack's own tracing: pipelines and components.

use super::read::{self, KeyMap, Reader, Table};
use super::{Convention, Vocabulary};
use crate::model::{Facts, Operation, Stated};

/// Haystack's attributes.
#[derive(Debug)]
pub(super) struct Haystack;

const ID: &str = "haystack";

/// Endings of the types of components, and what they do.
const COMPONENTS: &[(&str, Operation)] = &[
    ("ChatGenerator", Operation::Llm),
    ("Generator", Operation::Llm),
    ("Retriever", Operation::Retriever),
    ("Embedder", Operation::Embedding),
    ("Ranker", Operation::Reranker),
    ("ToolInvoker", Operation::Tool),
    ("Agent", Operation::Agent),
];

static VOCABULARY: Vocabulary = Vocabulary {
    version: "haystack-ai 3.4 and 2",
    source: "https://docs.haystack.deepset.ai/docs/tracing",
    scopes: &["haystack", "haystack.tracing"],
    marks: &["haystack."],
    known: &["haystack."],
    table: Table {
        display_name: &["haystack.component.name"],
        input_value: &[
            "haystack.component.input",
            "haystack.pipeline.input_data",
            "haystack.agent.input",
        ],
        output_value: &[
            "haystack.component.output",
            "haystack.pipeline.output_data",
            "haystack.agent.output",
        ],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for Haystack {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Haystack"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        let stated = reader.text(&["haystack.component.type"]);
        facts.operation = match stated {
            Some(stated) => {
                let known = COMPONENTS
                    .iter()
                    .find(|(end, _)| stated.value.ends_with(end));
                let operation = known.map_or(Operation::Chain, |(_, operation)| *operation);
                Some(reader.stated(operation, &stated.key))
            }
            None if map.view().span.name.starts_with("haystack.pipeline") => {
                Some(Stated::new(Operation::Chain, ID, "span name"))
            }
            None if map.view().span.name.starts_with("haystack.agent") => {
                Some(Stated::new(Operation::Agent, ID, "span name"))
            }
            None => None,
        };
        // A generator's answer carries the provider's usage and model in its `meta`.
        if facts.operation.as_ref().map(|stated| stated.value) == Some(Operation::Llm)
            && let Some(output) = reader.json(&["haystack.component.output"])
            && let Some(meta) = meta(&output.value)
        {
            let (usage, rule) = meta
                .get("usage")
                .and_then(|usage| reader.usage_of(usage, &output.key))
                .unzip();
            facts.usage = usage;
            facts.cache_rule = rule.flatten();
            facts.response_model =
                read::text(meta, &["model"]).map(|model| reader.stated(model, &output.key));
        }
        facts
    }
}

/// The first answer's `meta`: of a chat generator in its message, of a plain one beside it.
fn meta(output: &serde_json::Value) -> Option<&serde_json::Value> {
    let reply = output.pointer("/replies/0");
    reply
        .and_then(|reply| read::field(reply, &["meta", "_meta"]))
        .or_else(|| output.pointer("/meta/0"))
}
