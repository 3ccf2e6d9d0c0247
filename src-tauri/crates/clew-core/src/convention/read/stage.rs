//! Which stage of a pipeline a span is (seed S3).

use super::key_map::KeyMap;
use crate::model::{Operation, Stage, Stated, display};

/// Attributes in which a program says it itself.
const KEYS: &[&str] = &["llm.stage", "gen_ai.stage", "pipeline.stage", "stage"];

/// What a span of no telling kind is by the words of its name, as LangChain, LlamaIndex and Haystack name their parts
/// and as people name their own; a word that ends in `*` stands for all that begin so. The first row whose words stand
/// in the name one after another wins. Rows of `None` name steps around a model's work, or before it, that hold the
/// words of a stage.
const NAMES: &[(&[&str], Option<Stage>)] = &[
    (&["query", "engine"], None),
    (&["queryengine"], None),
    (&["retrieval", "qa"], None),
    (&["retrieval", "chain"], None),
    (&["retriev*", "augmented"], None),
    // Cutting documents up for an index.
    (&["node", "parser"], None),
    (&["parse", "nodes"], None),
    (&["guardrail*"], Some(Stage::Guardrail)),
    (&["moderation"], Some(Stage::Guardrail)),
    (&["rerank*"], Some(Stage::Retrieval)),
    (&["postprocess*"], Some(Stage::PostProcessing)),
    (&["post", "process*"], Some(Stage::PostProcessing)),
    (&["parser"], Some(Stage::Parsing)),
    (&["parse"], Some(Stage::Parsing)),
    (&["parsing"], Some(Stage::Parsing)),
    (&["prompttemplate"], Some(Stage::PromptAssembly)),
    (&["prompt", "template"], Some(Stage::PromptAssembly)),
    (&["promptbuilder"], Some(Stage::PromptAssembly)),
    (&["prompt", "builder"], Some(Stage::PromptAssembly)),
    (&["prompt", "assembly"], Some(Stage::PromptAssembly)),
    (&["assemble", "prompt"], Some(Stage::PromptAssembly)),
    (&["build", "prompt"], Some(Stage::PromptAssembly)),
    (&["format", "prompt"], Some(Stage::PromptAssembly)),
    (&["retriev*"], Some(Stage::Retrieval)),
    (&["vector", "search"], Some(Stage::Retrieval)),
];

/// Words of a name that are looked at.
const MAX_WORDS: usize = 24;

/// The stage of which a name tells.
fn named(name: &str) -> Option<Stage> {
    // "POST /process" is a route, and what stands behind it is a whole program.
    if name
        .split_once(' ')
        .is_some_and(|(_, path)| path.starts_with('/'))
    {
        return None;
    }
    let mut all = [""; MAX_WORDS];
    let mut count = 0;
    for (word, place) in words(name).zip(&mut all) {
        *place = word;
        count += 1;
    }
    let stand = |row: &[&str]| {
        all[..count].windows(row.len()).any(|some| {
            some.iter()
                .zip(row)
                .all(|(word, pattern)| fits(word, pattern))
        })
    };
    let (_, stage) = NAMES.iter().find(|(row, _)| stand(row))?;
    *stage
}

/// The words of a name: split at whatever is no letter, and where capitals begin ("JsonOutputParser", "LLMRerank").
fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let start = rest.find(char::is_alphabetic)?;
        rest = &rest[start..];
        let mut letters = rest.char_indices().peekable();
        let (_, mut last) = letters.next()?;
        let mut end = rest.len();
        while let Some((at, letter)) = letters.next() {
            let begins = letter.is_uppercase()
                && (last.is_lowercase()
                    || letters.peek().is_some_and(|(_, next)| next.is_lowercase()));
            if !letter.is_alphabetic() || begins {
                end = at;
                break;
            }
            last = letter;
        }
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// Whether a word is what a pattern of [`NAMES`] stands for, in any case.
fn fits(word: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => word
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start)),
        None => word.eq_ignore_ascii_case(pattern),
    }
}

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
    let stage = named(&map.view().span.name)?;
    Some(Stated::new(stage, "general", "name"))
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

    fn of(name: &str, operation: Operation) -> Option<Stage> {
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
            ("POST /process", Operation::Other, None),
            ("RetrieverQueryEngine._query", Operation::Chain, None),
            ("RetrieverQueryEngine.query", Operation::Chain, None),
            ("RetrievalQA", Operation::Chain, None),
            ("SentenceSplitter._parse_nodes", Operation::Chain, None),
            ("MarkdownNodeParser", Operation::Chain, None),
            (
                "LLMRerank._postprocess_nodes",
                Operation::Chain,
                Some(Stage::Retrieval),
            ),
            (
                "SimilarityPostprocessor",
                Operation::Chain,
                Some(Stage::PostProcessing),
            ),
            ("sparse_search", Operation::Other, None),
            ("", Operation::Other, None),
            ("parseÄpfel", Operation::Other, Some(Stage::Parsing)),
            ("Ünparse", Operation::Other, None),
            ("VECTOR-SEARCH", Operation::Other, Some(Stage::Retrieval)),
        ] {
            assert_eq!(of(name, operation), expected, "{name} {operation:?}");
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
