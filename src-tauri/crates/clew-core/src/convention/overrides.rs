//! Overrides: what the user says an attribute means, before any convention is asked.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::read::{KeyMap, Layer, Reader, Table, Unit};
use crate::model::{Facts, Operation};

/// The convention that facts read by overrides name as their source.
const ID: &str = "override";

/// One attribute and the fact that it states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Override {
    /// The attribute's key on the span.
    pub key: String,
    /// The fact's name, one of [`Overrides::FACTS`].
    pub fact: String,
}

/// Why an override cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideError {
    /// Its key is empty.
    NoKey,
    /// Its fact is none of [`Overrides::FACTS`].
    UnknownFact(String),
    /// Its fact is already stated by another key.
    Repeated(String),
}

impl std::fmt::Display for OverrideError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoKey => f.write_str("An override needs an attribute's key."),
            Self::UnknownFact(fact) => write!(f, "There is no fact {fact:?}."),
            Self::Repeated(fact) => write!(f, "The fact {fact:?} is stated by two keys."),
        }
    }
}

impl std::error::Error for OverrideError {}

macro_rules! columns {
    ($($name:literal $column:ident,)+) => {
        /// The table of facts under their own names.
        const TABLE: Table = Table {
            operation: &["operation"],
            operations: OPERATIONS,
            ttft: &[("ttft_ms", Unit::Millis)],
            $($column: &[$name],)+
            ..Table::EMPTY
        };
        const FACTS: &[&str] = &["operation", "ttft_ms", $($name,)+];
    };
}

columns! {
    "display_name" display_name,
    "provider" provider,
    "request_model" request_model,
    "response_model" response_model,
    "response_id" response_id,
    "request_id" request_id,
    "input_tokens" input_tokens,
    "output_tokens" output_tokens,
    "cache_read_tokens" cache_read,
    "cache_write_tokens" cache_write,
    "cache_write_1h_tokens" cache_write_1h,
    "audio_input_tokens" audio_input,
    "image_input_tokens" image_input,
    "reasoning_tokens" reasoning,
    "audio_output_tokens" audio_output,
    "image_output_tokens" image_output,
    "service_tier" service_tier,
    "server" server,
    "cost_usd" cost_usd,
    "finish_reason" finish_reasons,
    "streaming" streaming,
    "input" input,
    "output" output,
    "system" system,
    "tools" tools,
    "tool_name" tool_name,
    "tool_call_id" tool_call_id,
    "tool_arguments" tool_arguments,
    "tool_result" tool_result,
    "documents" documents,
    "query" query,
    "prompt_name" prompt_name,
    "prompt_version" prompt_version,
    "agent" agent,
    "session" session,
    "user" user,
    "feature" feature,
    "tags" tags,
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("agent", Operation::Agent),
    ("chain", Operation::Chain),
    ("llm", Operation::Llm),
    ("tool", Operation::Tool),
    ("retriever", Operation::Retriever),
    ("embedding", Operation::Embedding),
    ("reranker", Operation::Reranker),
    ("guardrail", Operation::Guardrail),
    ("evaluator", Operation::Evaluator),
    ("other", Operation::Other),
];

/// What the user says attributes mean: at most one key for each fact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// Keys by the facts that they state.
    keys: BTreeMap<&'static str, String>,
}

impl Overrides {
    /// The facts that an attribute may be said to state. Durations are in milliseconds, costs in US dollars, counts in
    /// tokens; `input_tokens` includes cached tokens.
    pub const FACTS: &'static [&'static str] = FACTS;

    /// Takes overrides together.
    ///
    /// # Errors
    ///
    /// Where a key is empty, a fact is unknown, or a fact is stated twice.
    pub fn new(overrides: &[Override]) -> Result<Self, OverrideError> {
        let mut keys = BTreeMap::new();
        for Override { key, fact } in overrides {
            if key.is_empty() {
                return Err(OverrideError::NoKey);
            }
            let known = FACTS.iter().find(|known| *known == fact);
            let known = known.ok_or_else(|| OverrideError::UnknownFact(fact.clone()))?;
            if keys.insert(*known, key.clone()).is_some() {
                return Err(OverrideError::Repeated(fact.clone()));
            }
        }
        Ok(Self { keys })
    }

    /// Whether an override reads this key.
    #[must_use]
    pub fn reads(&self, key: &str) -> bool {
        self.keys.values().any(|known| known == key)
    }

    /// The facts that the span states by the user's keys. Token counts are left to [`Overrides::correct`].
    pub(super) fn read(&self, map: &KeyMap) -> Facts {
        let mut facts = self.stated(map);
        facts.usage = None;
        facts.cache_rule = None;
        facts
    }

    /// Puts the user's token counts in the place of those that a convention read.
    pub(super) fn correct(&self, map: &KeyMap, facts: &mut Facts) {
        let Some(mut stated) = self.stated(map).usage else {
            return;
        };
        let (own, read) = (&mut stated.value, facts.usage.as_ref());
        if let Some(read) = read.map(|usage| usage.value) {
            own.input = own.input.or(read.input);
            own.output = own.output.or(read.output);
            own.cache_read = own.cache_read.or(read.cache_read);
            own.cache_write = own.cache_write.or(read.cache_write);
            own.cache_write_1h = own.cache_write_1h.or(read.cache_write_1h);
            own.audio_input = own.audio_input.or(read.audio_input);
            own.image_input = own.image_input.or(read.image_input);
            own.reasoning = own.reasoning.or(read.reasoning);
            own.audio_output = own.audio_output.or(read.audio_output);
            own.image_output = own.image_output.or(read.image_output);
        }
        facts.usage = Some(stated);
    }

    fn stated(&self, map: &KeyMap) -> Facts {
        if self.keys.is_empty() {
            return Facts::default();
        }
        let values: Vec<(&'static str, &str, &Value)> = self
            .keys
            .iter()
            .filter_map(|(fact, key)| Some((*fact, key.as_str(), map.get(key)?)))
            .collect();
        if values.is_empty() {
            return Facts::default();
        }
        let mut reader = Reader::apart(ID, map);
        reader.push(Layer::renamed(&values));
        reader.read(&TABLE)
    }
}

#[cfg(test)]
mod tests;
