//! Semantic Kernel (Python and .NET): `gen_ai.*` of older generations, functions of its kernel as tools.

use super::read::KeyMap;
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, Stated};

/// Semantic Kernel's attributes.
#[derive(Debug)]
pub(super) struct SemanticKernel;

const ID: &str = "semantic_kernel";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "semantic-kernel 1.45 (Python), 1.x (.NET)",
    source: "https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability/",
    scopes: &["semantic_kernel", "Microsoft.SemanticKernel"],
    marks: &["sk.", "semantic_kernel."],
    known: &["sk.", "semantic_kernel."],
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "Semantic Kernel: gen_ai.usage.input_tokens is the provider's prompt_tokens.",
    )],
    ..Vocabulary::EMPTY
};

impl Convention for SemanticKernel {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Semantic Kernel"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let mut facts = Facts::default();
        // The loop around model and functions has a name and nothing else.
        if map.view().span.name == "AutoFunctionInvocationLoop" {
            facts.operation = Some(Stated::new(Operation::Chain, ID, "span name"));
        }
        facts
    }
}
