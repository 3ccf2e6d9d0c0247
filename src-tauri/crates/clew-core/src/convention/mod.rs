//! What a span says of itself, in every vocabulary of attributes that Clew knows.
//!
//! To add a vocabulary: write `convention/<name>.rs` (a unit struct, its [`read::Table`] of keys, its tests) and add its
//! line to [`CONVENTIONS`]. What all of them share lies in `read/`.

mod general;
mod openinference;
mod otel_genai;
mod read;
mod seeds;

#[cfg(test)]
pub(crate) mod tests;

use crate::model::{Facts, Message, SpanView};

pub use read::{Heard, finish_reason, in_order, provider};

/// Reads one vocabulary of span attributes.
pub trait Convention: Sync {
    /// The name under which its facts are recorded ("otel_genai").
    fn id(&self) -> &'static str;
    /// Its name as people know it.
    fn title(&self) -> &'static str;
    /// Facts that this span states in this vocabulary; what is not stated stays `None`.
    fn read(&self, span: &SpanView) -> Facts;
}

/// All conventions in order of trust: for each fact the first that states it wins, and is named as its source.
///
/// Vocabularies of one instrumentation family come before the general `gen_ai.*`, because some of them set a coarse
/// `gen_ai.operation.name` beside their own, finer kind (semconv.md §1).
pub const CONVENTIONS: &[&dyn Convention] = &[
    &openinference::OpenInference,
    &otel_genai::OtelGenAi,
    &seeds::Seeds,
    &general::General,
];

/// Everything that the span states, in any vocabulary: a pure function of the view.
#[must_use]
pub fn facts(view: &SpanView) -> Facts {
    let mut facts = Facts::default();
    for convention in CONVENTIONS {
        fill(&mut facts, convention.read(view));
    }
    read::complete(&mut facts);
    facts
}

/// The conversation in a step's raw input or output, in any shape of messages; `None` where it holds none.
#[must_use]
pub fn conversation(value: &str) -> Option<Vec<Message>> {
    read::from_json(&read::parse(value)?, "user")
}

/// Takes from `more` each fact that `facts` does not have.
fn fill(facts: &mut Facts, more: Facts) {
    macro_rules! each {
        ($($fact:ident)+) => {{
            // Names every field, so that a new fact cannot be forgotten here.
            let Facts { $($fact),+ } = more;
            $( if facts.$fact.is_none() { facts.$fact = $fact; } )+
        }};
    }
    each!(
        operation display_name provider request_model response_model response_id request_id usage same_call service_tier
        batch server cost_usd finish_reasons ttft_nanos streaming parameters input output input_value output_value tools
        tool documents document_count query prompt agent session user feature tags error
    );
}
