//! Which stage of a pipeline a span is (seed S3).

use super::key_map::KeyMap;
use crate::model::{Operation, Stage, Stated, display};

/// Attributes in which a program says it itself.
const KEYS: &[&str] = &["llm.stage", "gen_ai.stage", "pipeline.stage", "stage"];

/// What a span of no telling kind is by the words of its name, as LangChain, LlamaIndex and Haystack name their parts
/// and as people name their own. The first that stands in the name wins.
const NAMES: &[(&str, Stage)] = &[
    ("guardrail", Stage::Guardrail),
    ("moderation", Stage::Guardrail),
    ("postprocess", Stage::PostProcessing),
    ("post_process", Stage::PostProcessing),
    ("post-process", Stage::PostProcessing),
    ("post process", Stage::PostProcessing),
    ("parser", Stage::Parsing),
    ("parse", Stage::Parsing),
    ("parsing", Stage::Parsing),
    ("prompttemplate", Stage::PromptAssembly),
    ("prompt_template", Stage::PromptAssembly),
    ("promptbuilder", Stage::PromptAssembly),
    ("prompt_builder", Stage::PromptAssembly),
    ("prompt assembly", Stage::PromptAssembly),
    ("prompt_assembly", Stage::PromptAssembly),
    ("prompt-assembly", Stage::PromptAssembly),
    ("assemble_prompt", Stage::PromptAssembly),
    ("build_prompt", Stage::PromptAssembly),
    ("build prompt", Stage::PromptAssembly),
    ("format_prompt", Stage::PromptAssembly),
    ("retriev", Stage::Retrieval),
    ("vector_search", Stage::Retrieval),
    ("vector search", Stage::Retrieval),
];

/// The stage that a program names.
fn stated(name: &str) -> Option<Stage> {
    let name = name.trim().to_lowercase().replace(['-', ' ', '.'], "_");
    Some(match name.as_str() {
        "retrieval" | "retrieve" | "search" | "embedding" | "rerank" => Stage::Retrieval,
        "prompt_assembly" | "prompt" | "prompting" | "assembly" => Stage::PromptAssembly,
        "inference" | "model_inference" | "generation" | "llm" => Stage::Inference,
        "parsing" | "parse" | "response_parsing" | "output_parsing" => Stage::Parsing,
        "guardrail" | "guardrails" | "guardrail_checks" | "moderation" | "safety" => {
            Stage::Guardrail
        }
        "post_processing" | "postprocessing" => Stage::PostProcessing,
        _ => return None,
    })
}

/// The stage that the span is, where it is one: as the program says, else by its kind, else by its name.
pub(super) fn stage(map: &KeyMap, operation: Option<&Stated<Operation>>) -> Option<Stated<Stage>> {
    let said = KEYS
        .iter()
        .find_map(|key| Some((stated(&display(map.get(key)?))?, *key)));
    if let Some((stage, key)) = said {
        return Some(Stated::new(stage, "general", key));
    }
    if let Some(operation) = operation {
        let kind = match operation.value {
            Operation::Retriever | Operation::Embedding | Operation::Reranker => {
                Some(Stage::Retrieval)
            }
            Operation::Llm => Some(Stage::Inference),
            Operation::Guardrail => Some(Stage::Guardrail),
            // Steps that group others, and those of which only a name tells.
            Operation::Agent | Operation::Tool | Operation::Evaluator => return None,
            Operation::Chain | Operation::Other => None,
        };
        if let Some(stage) = kind {
            return Some(Stated::new(stage, &operation.convention, &operation.key));
        }
    }
    let name = map.view().span.name.to_lowercase();
    let (_, stage) = NAMES.iter().find(|(word, _)| name.contains(word))?;
    Some(Stated::new(*stage, "general", "name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convention::tests::with_attributes;
    use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::Span;

    use crate::model::SpanView;

    fn named(name: &str, operation: Operation) -> Option<Stage> {
        let span = Span {
            name: name.to_owned(),
            ..Span::default()
        };
        let view = SpanView {
            span: &span,
            resource: &Resource::default(),
            scope: &InstrumentationScope::default(),
            logs: &[],
        };
        let operation = Stated::new(operation, "general", "kind");
        stage(&KeyMap::new(&view, true), Some(&operation)).map(|stage| stage.value)
    }

    #[test]
    fn kinds_and_names_tell_the_stage() {
        for (name, operation, expected) in [
            ("anything", Operation::Llm, Some(Stage::Inference)),
            ("anything", Operation::Embedding, Some(Stage::Retrieval)),
            ("anything", Operation::Reranker, Some(Stage::Retrieval)),
            ("anything", Operation::Guardrail, Some(Stage::Guardrail)),
            (
                "ChatPromptTemplate",
                Operation::Chain,
                Some(Stage::PromptAssembly),
            ),
            (
                "haystack.component.PromptBuilder",
                Operation::Other,
                Some(Stage::PromptAssembly),
            ),
            ("JsonOutputParser", Operation::Chain, Some(Stage::Parsing)),
            (
                "postprocess answer",
                Operation::Other,
                Some(Stage::PostProcessing),
            ),
            (
                "retrieve_documents",
                Operation::Chain,
                Some(Stage::Retrieval),
            ),
            ("parse_invoice", Operation::Tool, None),
            ("RunnableSequence", Operation::Chain, None),
            ("POST /v1/chat", Operation::Other, None),
        ] {
            assert_eq!(named(name, operation), expected, "{name} {operation:?}");
        }
    }

    #[test]
    fn what_the_program_says_comes_first() {
        let said = |text: &str| {
            let attributes = [("stage", Value::StringValue(text.to_owned()))];
            with_attributes(&attributes, |view| {
                let operation = Stated::new(Operation::Llm, "general", "kind");
                let found = stage(&KeyMap::new(view, true), Some(&operation));
                found.map(|stage| (stage.value, stage.key))
            })
        };
        let own = Some((Stage::PostProcessing, "stage".to_owned()));
        assert_eq!(said("Post-Processing"), own);
        // What no stage is called does not hide what the kind tells.
        assert_eq!(
            said("production"),
            Some((Stage::Inference, "kind".to_owned()))
        );
    }
}
