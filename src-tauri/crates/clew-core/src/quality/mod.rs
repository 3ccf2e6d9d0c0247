//! Heuristics over responses: what each saw, and where.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What one heuristic says of one response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Id of the heuristic ("refusal").
    pub heuristic: String,
    /// Its value: 1 where it fired and 0 where not, or a score on its own scale.
    pub value: f64,
    /// Where it saw it: ranges of the response text, in UTF-16 code units (as JavaScript counts), start and end.
    pub evidence: Vec<(u32, u32)>,
}
