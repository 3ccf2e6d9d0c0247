//! What a span says of itself, in every vocabulary of attributes that Clew knows.
//!
//! To add a vocabulary: write `convention/<name>.rs` (a unit struct, its [`Vocabulary`] of keys, its tests) and add its
//! line to [`CONVENTIONS`]. What all of them share lies in `read/`.

mod agent_framework;
mod anthropic_sdk;
mod claude_code;
mod codex;
mod copilot;
mod crewai;
mod extensions_ai;
mod gemini_cli;
mod general;
mod google_adk;
mod haystack;
mod ids;
mod langfuse;
mod langsmith;
mod litellm;
mod logfire;
mod mlflow;
mod openai_agents;
mod openinference;
mod openllmetry;
mod otel_genai;
mod overrides;
mod pydantic_ai;
mod read;
mod seeds;
mod semantic_kernel;
mod smolagents;
mod spring_ai;
mod strands;
mod vercel_ai;
mod vllm;
mod vocabulary;

#[cfg(test)]
pub(crate) mod tests;

use crate::model::{Dialect, Facts, Message, SpanView, Stated};

pub use ids::{ids, log_ids};
pub use overrides::{NamedFact, Override, OverrideError, Overrides};
pub use read::{Heard, KeyMap, finish_reason, in_order, provider};
pub use vocabulary::Vocabulary;

use vocabulary::{CacheRow, Marks};

/// Reads one vocabulary of span attributes.
pub trait Convention: Sync {
    /// The name under which its facts are recorded ("otel_genai").
    fn id(&self) -> &'static str;
    /// Its name as people know it.
    fn title(&self) -> &'static str;
    /// Its keys and rules.
    fn vocabulary(&self) -> &'static Vocabulary;
    /// Facts that this span states in this vocabulary; what is not stated stays `None`. Asked only of spans that have
    /// one of its marks, are of one of its scopes, or of which it [`speaks`](Convention::speaks).
    fn read(&self, map: &KeyMap) -> Facts {
        read::Reader::new(self.id(), map).read(&self.vocabulary().table)
    }
    /// Whether the span speaks it though it has none of its marks.
    fn speaks(&self, _map: &KeyMap) -> bool {
        false
    }
    /// Its version or generation as this span's keys tell it; otherwise its scope's version stands for it.
    fn version(&self, _map: &KeyMap) -> Option<String> {
        None
    }
    /// Whether it is spoken by many programs, so that it is a span's dialect only where no other one is.
    fn common(&self) -> bool {
        false
    }
}

/// All conventions in order of trust: for each fact the first that states it wins, and is named as its source.
///
/// Vocabularies of one instrumentation family come before the general `gen_ai.*`, because some of them set a coarse
/// `gen_ai.operation.name` beside their own, finer kind (semconv.md §1).
pub const CONVENTIONS: &[&dyn Convention] = &[
    &langfuse::Langfuse,
    &openinference::OpenInference,
    &langsmith::LangSmith,
    &mlflow::Mlflow,
    &claude_code::ClaudeCode,
    &codex::Codex,
    &copilot::Copilot,
    &gemini_cli::GeminiCli,
    &pydantic_ai::PydanticAi,
    &logfire::Logfire,
    &vercel_ai::VercelAi,
    &litellm::LiteLlm,
    &google_adk::GoogleAdk,
    &strands::Strands,
    &agent_framework::AgentFramework,
    &extensions_ai::ExtensionsAi,
    &semantic_kernel::SemanticKernel,
    &spring_ai::SpringAi,
    &crewai::CrewAi,
    &smolagents::Smolagents,
    &haystack::Haystack,
    &openai_agents::OpenAiAgents,
    &vllm::Vllm,
    &anthropic_sdk::AnthropicSdk,
    &openllmetry::OpenLlmetry,
    &otel_genai::OtelGenAi,
    &seeds::Seeds,
    &general::General,
];

/// Everything that the span states, in any vocabulary: a pure function of the view.
#[must_use]
pub fn facts(view: &SpanView) -> Facts {
    facts_with(view, &Overrides::default())
}

/// Everything that the span states, where the user's own keys state a fact before any convention does.
#[must_use]
pub fn facts_with(view: &SpanView, overrides: &Overrides) -> Facts {
    of(KeyMap::new(view, true), overrides)
}

/// What the span states beside its content: no conversations, documents, tools, values. Much cheaper, as no JSON is
/// parsed for it but usage and parameters.
#[must_use]
pub fn figures(view: &SpanView, overrides: &Overrides) -> Facts {
    of(KeyMap::new(view, false), overrides)
}

fn of(map: KeyMap, overrides: &Overrides) -> Facts {
    let scope = &map.view().scope.name;
    let marks = Marks::of(&map);
    let mut facts = overrides.read(&map);
    let mut best: Option<((usize, bool, u16), &dyn Convention)> = None;
    for (index, convention) in CONVENTIONS.iter().enumerate() {
        let known = convention.vocabulary().scope(scope);
        let marked = marks.any(index);
        if marked || known > 0 {
            let rank = (known, !convention.common(), marks.count(index));
            if best.is_none_or(|(best, _)| rank > best) {
                best = Some((rank, *convention));
            }
        } else if !convention.speaks(&map) {
            continue;
        }
        fill(&mut facts, convention.read(&map));
    }
    facts.dialect = best.map(|((known, ..), convention)| dialect(convention, &map, known > 0));
    overrides.correct(&map, &mut facts);
    read::complete(&map, &mut facts);
    let impossible = map.impossible();
    if let Some(first) = impossible.first().cloned() {
        facts.impossible = Some(Stated::new(impossible, "general", &first));
    }
    let truncated = map.truncated();
    if let Some(first) = truncated.first().cloned() {
        facts.truncated = Some(Stated::new(truncated, "general", &first));
    }
    facts
}

fn dialect(convention: &dyn Convention, map: &KeyMap, by_scope: bool) -> Stated<Dialect> {
    let scope = map.view().scope;
    let stated = || Some(scope.version.clone()).filter(|version| by_scope && !version.is_empty());
    let dialect = Dialect {
        title: convention.title().to_owned(),
        version: convention.version(map).or_else(stated),
        tables: convention.vocabulary().version.to_owned(),
        source: convention.vocabulary().source.to_owned(),
    };
    let key = if by_scope { "scope" } else { "attributes" };
    Stated::new(dialect, convention.id(), key)
}

/// The keys of the span that no convention explains and no override reads, in order of arrival.
#[must_use]
pub fn unexplained(view: &SpanView, overrides: &Overrides) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let attributes = view.span.attributes.iter();
    attributes
        .map(|attribute| attribute.key.as_str())
        .filter(|key| seen.insert(*key) && !vocabulary::explained(key) && !overrides.reads(key))
        .map(ToOwned::to_owned)
        .collect()
}

/// The rows of a convention that say how it counts cached tokens.
fn cache_rows(id: &str) -> &'static [CacheRow] {
    let known = CONVENTIONS.iter().find(|convention| convention.id() == id);
    known.map_or(&[], |convention| convention.vocabulary().cache)
}

/// The conversation in a step's raw input or output, in any shape of messages; `None` where it holds none.
#[must_use]
pub fn conversation(value: &str) -> Option<Vec<Message>> {
    read::from_json(&read::parse(value)?, "user")
}

/// Takes from `more` each fact that `facts` does not have.
fn fill(facts: &mut Facts, mut more: Facts) {
    // How cached tokens are counted belongs to the usage that it was read with.
    if facts.usage.is_some() {
        more.cache_rule = None;
    }
    if let (Some(tool), Some(other)) = (&mut facts.tool, &more.tool) {
        let (tool, other) = (&mut tool.value, other.value.clone());
        tool.name = tool.name.take().or(other.name);
        tool.call_id = tool.call_id.take().or(other.call_id);
        tool.arguments = tool.arguments.take().or(other.arguments);
        tool.result = tool.result.take().or(other.result);
    }
    if let (Some(prompt), Some(other)) = (&mut facts.prompt, &more.prompt) {
        let (prompt, other) = (&mut prompt.value, other.value.clone());
        prompt.name = prompt.name.take().or(other.name);
        prompt.version = prompt.version.take().or(other.version);
        prompt.template = prompt.template.take().or(other.template);
        prompt.variables = prompt.variables.take().or(other.variables);
    }
    if let (Some(timing), Some(other)) = (&mut facts.timing, &more.timing) {
        let (timing, other) = (&mut timing.value, other.value.clone());
        timing.queue_nanos = timing.queue_nanos.take().or(other.queue_nanos);
        timing.network_nanos = timing.network_nanos.take().or(other.network_nanos);
        timing.prefill_nanos = timing.prefill_nanos.take().or(other.prefill_nanos);
        timing.decode_nanos = timing.decode_nanos.take().or(other.decode_nanos);
        timing.inference_nanos = timing.inference_nanos.take().or(other.inference_nanos);
        timing.post_processing_nanos = timing
            .post_processing_nanos
            .take()
            .or(other.post_processing_nanos);
        timing.total_nanos = timing.total_nanos.take().or(other.total_nanos);
        timing.chunk_nanos = timing.chunk_nanos.take().or(other.chunk_nanos);
        timing.tokens_per_second = timing.tokens_per_second.take().or(other.tokens_per_second);
    }
    macro_rules! each {
        ($($fact:ident)+) => {{
            // Names every field, so that a new fact cannot be forgotten here.
            let Facts { $($fact),+ } = more;
            $( if facts.$fact.is_none() { facts.$fact = $fact; } )+
        }};
    }
    each!(
        dialect operation display_name provider request_model response_model response_id request_id usage cache_rule
        left_out same_call service_tier batch server cost_usd bills finish_reasons ttft_nanos timing streaming parameters input output
        input_value output_value tools tool documents document_count query prompt agent session user feature tags error
        error_class stage truncated impossible
    );
}
