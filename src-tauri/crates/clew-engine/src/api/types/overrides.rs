//! Shapes of what attributes mean.

use clew_core::convention::{NamedFact, Override};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What the user says attributes mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Readings {
    /// Attributes and the facts that they state, by the names of the facts.
    pub overrides: Vec<Override>,
    /// The facts that an attribute may state.
    pub facts: Vec<NamedFact>,
    /// Spans that are still to be read again by them.
    pub stale: u64,
}

/// Says anew what attributes mean, in the place of everything said before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetOverrides {
    /// Attributes and the facts that they state; a fact is stated by one attribute at most.
    pub overrides: Vec<Override>,
}
