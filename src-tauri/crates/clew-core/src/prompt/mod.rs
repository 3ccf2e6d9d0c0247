//! Prompt templates: stated versions, their text differences, what each version took and cost.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

mod diff;
mod template;
mod version;

pub use diff::diff_lines;
pub use template::{VariableChange, compare_variables, variables};
pub use version::{PromptCall, group, listed};

/// One version of a prompt template and what its calls did. Medians are of calls that state the figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PromptVersion {
    /// The version as stated; where the program states none, `#` and six hex digits of the text's hash, or empty
    /// where it states no text either.
    pub version: String,
    /// The template's text, where stated; the newest where calls state several.
    pub template: Option<String>,
    /// Different texts that its calls state: more than one means that the text changed and the version did not.
    pub texts: u32,
    /// Calls that used it.
    pub calls: u32,
    /// Calls that failed.
    pub errors: u32,
    /// Microseconds since the epoch of its first call.
    pub first_micros: u64,
    /// Microseconds since the epoch of its last call.
    pub last_micros: u64,
    /// Median duration in nanoseconds of calls that ended.
    pub duration_nanos: Option<f64>,
    /// Median prompt tokens.
    pub input_tokens: Option<f64>,
    /// Median output tokens.
    pub output_tokens: Option<f64>,
    /// Median cost in US dollars, as the ledger has it.
    pub cost_usd: Option<f64>,
    /// Share of scored responses on which the refusal heuristic fired, 0 to 1.
    pub refusal_rate: Option<f64>,
    /// Models that answered.
    pub models: Vec<String>,
}

/// One prompt template with its versions, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PromptTemplate {
    /// The template's name as stated.
    pub name: String,
    /// Calls of all its versions.
    pub calls: u32,
    /// Its versions, oldest first use first.
    pub versions: Vec<PromptVersion>,
}

/// What a piece of a text difference does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// In both texts.
    Same,
    /// Only in the older text.
    Removed,
    /// Only in the newer text.
    Added,
}

/// A run of text within a line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DiffPiece {
    /// The text.
    pub text: String,
    /// Whether these words are what changed in the line.
    pub emphasis: bool,
}

/// One line of a text difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DiffLine {
    /// What happened to it.
    pub change: Change,
    /// Its text in pieces, without the line break.
    pub pieces: Vec<DiffPiece>,
}
