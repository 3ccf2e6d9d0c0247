//! smolagents: what OpenInference's instrumentation adds for its agents.

use super::read::{self, KeyMap, Reader, Table, texts};
use super::{Convention, Vocabulary};
use crate::model::{Facts, ToolDefinition};

/// smolagents' attributes.
#[derive(Debug)]
pub(super) struct Smolagents;

const ID: &str = "smolagents";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "smolagents 1.26, openinference-instrumentation-smolagents 0.1.43",
    source: "https://huggingface.co/docs/smolagents/tutorials/inspect_runs",
    scopes: &["openinference.instrumentation.smolagents"],
    marks: &["smolagents."],
    known: &["smolagents."],
    table: Table {
        parameters: &[("max_steps", &["smolagents.max_steps"])],
        ..Table::EMPTY
    },
    ..Vocabulary::EMPTY
};

impl Convention for Smolagents {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "smolagents"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        if map.content() {
            facts.tools = reader.first(&["smolagents.tools_names"], |value| {
                let named = |name: String| ToolDefinition {
                    name,
                    ..ToolDefinition::default()
                };
                Some(texts(value)?.into_iter().map(named).collect())
            });
        }
        // "Step 1": what an agent does between two answers of its model.
        if map.view().span.name.starts_with("Step ") && map.has("smolagents.step_number") {
            facts.display_name = read::Reader::text(&reader, &["smolagents.task"]);
        }
        facts
    }
}
