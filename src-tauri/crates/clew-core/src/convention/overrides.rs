//! Overrides: what the user says an attribute means, before any convention is asked.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

use super::read::{KeyMap, Layer, Reader, Table, Unit};
use crate::model::{Facts, Operation};

/// The convention that facts read by overrides name as their source.
const ID: &str = "override";

/// One attribute and the fact that it states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Override {
    /// The attribute's key on the span.
    pub key: String,
    /// The fact's name, one of [`Overrides::FACTS`].
    pub fact: String,
}

/// A fact that an override may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct NamedFact {
    /// Its name ("input_tokens").
    pub name: &'static str,
    /// What its attribute holds, in words ("Input tokens, cached ones included").
    pub title: &'static str,
}

/// Why an override cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OverrideError {
    /// Its key is empty.
    #[error("the attribute that states {0:?} has no key: write one, such as \"acme.tokens.in\"")]
    NoKey(String),
    /// Its fact is none of [`Overrides::FACTS`].
    #[error("there is no fact {0:?} that an attribute could state")]
    UnknownFact(String),
    /// Its fact is already stated by another key.
    #[error("two attributes are said to state {0:?}: keep one of them")]
    Repeated(String),
}

macro_rules! columns {
    ($($name:literal $column:ident $title:literal,)+) => {
        /// The table of facts under their own names.
        const TABLE: Table = Table {
            operation: &["operation"],
            operations: OPERATIONS,
            ttft: &[("ttft_ms", Unit::Millis)],
            queue: &[("queue_ms", Unit::Millis)],
            network: &[("network_ms", Unit::Millis)],
            post_processing: &[("post_processing_ms", Unit::Millis)],
            $($column: &[$name],)+
            ..Table::EMPTY
        };
        const FACTS: &[NamedFact] = &[
            NamedFact { name: "operation", title: "Kind of span: agent, chain, llm, tool, retriever, …" },
            NamedFact { name: "ttft_ms", title: "Time to first token in milliseconds" },
            NamedFact { name: "queue_ms", title: "Time in the server's queue in milliseconds" },
            NamedFact { name: "network_ms", title: "Time on the network in milliseconds" },
            NamedFact { name: "post_processing_ms", title: "Post-processing of the answer in milliseconds" },
            $(NamedFact { name: $name, title: $title },)+
        ];
    };
}

columns! {
    "display_name" display_name "Name to show",
    "provider" provider "Provider",
    "request_model" request_model "Model that was asked for",
    "response_model" response_model "Model that answered",
    "response_id" response_id "Id of the response",
    "request_id" request_id "Id of the request",
    "input_tokens" input_tokens "Input tokens, cached ones included",
    "output_tokens" output_tokens "Output tokens, reasoning included",
    "cache_read_tokens" cache_read "Input tokens read from cache",
    "cache_write_tokens" cache_write "Input tokens written to cache",
    "cache_write_1h_tokens" cache_write_1h "Input tokens written to cache for an hour",
    "audio_input_tokens" audio_input "Audio input tokens",
    "image_input_tokens" image_input "Image input tokens",
    "reasoning_tokens" reasoning "Reasoning tokens",
    "audio_output_tokens" audio_output "Audio output tokens",
    "image_output_tokens" image_output "Image output tokens",
    "service_tier" service_tier "Service tier",
    "server" server "Server address",
    "cost_usd" cost_usd "Cost in US dollars",
    "finish_reason" finish_reasons "Finish reason",
    "streaming" streaming "Whether it streamed",
    "input" input "Input, as text or messages",
    "output" output "Output, as text or messages",
    "system" system "System text",
    "tools" tools "Tool definitions",
    "tool_name" tool_name "Tool's name",
    "tool_call_id" tool_call_id "Id of the tool call",
    "tool_arguments" tool_arguments "Tool's arguments",
    "tool_result" tool_result "Tool's result",
    "documents" documents "Retrieved documents",
    "query" query "Query",
    "prompt_name" prompt_name "Prompt template's name",
    "prompt_version" prompt_version "Prompt template's version",
    "agent" agent "Agent",
    "session" session "Session",
    "user" user "User",
    "feature" feature "Feature",
    "tags" tags "Tags",
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
    pub const FACTS: &'static [NamedFact] = FACTS;

    /// Takes overrides together.
    ///
    /// # Errors
    ///
    /// Where a key is empty, a fact is unknown, or a fact is stated twice.
    pub fn new(overrides: &[Override]) -> Result<Self, OverrideError> {
        let mut keys = BTreeMap::new();
        for Override { key, fact } in overrides {
            let known = FACTS.iter().find(|known| known.name == fact);
            let known = known.ok_or_else(|| OverrideError::UnknownFact(fact.clone()))?;
            if key.is_empty() {
                return Err(OverrideError::NoKey(fact.clone()));
            }
            if keys.insert(known.name, key.clone()).is_some() {
                return Err(OverrideError::Repeated(fact.clone()));
            }
        }
        Ok(Self { keys })
    }

    /// What they were made of, by the names of the facts.
    #[must_use]
    pub fn list(&self) -> Vec<Override> {
        let listed = self.keys.iter().map(|(fact, key)| Override {
            key: key.clone(),
            fact: (*fact).to_owned(),
        });
        listed.collect()
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
