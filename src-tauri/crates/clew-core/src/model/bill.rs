//! Bills: what a log record at one span says of a request that another span made.

use serde::{Deserialize, Serialize};

/// What a log record states of one request to a model: at least one of cost and split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// The request's id; `None` where the record names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What it cost in US dollars, above zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Prompt tokens that were written to the provider's cache for five minutes and for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<(u64, u64)>,
}
