//! Clauses: how a price book recognises a provider or a model by its name.

use regex::Regex;
use serde::{Deserialize, Deserializer};

/// A condition on a name in lower case.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Clause {
    /// The whole name.
    Equals(#[serde(deserialize_with = "lower")] String),
    /// Its beginning.
    StartsWith(#[serde(deserialize_with = "lower")] String),
    /// Its end.
    EndsWith(#[serde(deserialize_with = "lower")] String),
    /// A part of it.
    Contains(#[serde(deserialize_with = "lower")] String),
    /// A regular expression, anywhere in it.
    Regex(#[serde(deserialize_with = "pattern")] Regex),
    /// One of several.
    Any(Vec<Self>),
    /// All of several.
    All(Vec<Self>),
    /// What must not hold.
    Not(Box<Self>),
}

impl Clause {
    /// Whether it holds for a name, which must be in lower case.
    pub(super) fn holds(&self, name: &str) -> bool {
        match self {
            Self::Equals(text) => name == text,
            Self::StartsWith(text) => name.starts_with(text.as_str()),
            Self::EndsWith(text) => name.ends_with(text.as_str()),
            Self::Contains(text) => name.contains(text.as_str()),
            Self::Regex(pattern) => pattern.is_match(name),
            Self::Any(clauses) => clauses.iter().any(|clause| clause.holds(name)),
            Self::All(clauses) => clauses.iter().all(|clause| clause.holds(name)),
            Self::Not(clause) => !clause.holds(name),
        }
    }
}

fn lower<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    Ok(String::deserialize(source)?.to_lowercase())
}

fn pattern<'de, D: Deserializer<'de>>(source: D) -> Result<Regex, D::Error> {
    Regex::new(&String::deserialize(source)?).map_err(serde::de::Error::custom)
}
