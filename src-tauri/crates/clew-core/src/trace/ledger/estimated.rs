//! What calls used of which no span states any tokens: estimates, kept apart from what is stated.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Entry, Standing, plus};
use crate::estimate::Estimate;
use crate::model::NanoUsd;

/// Tokens and cost of calls that state no usage, counted in what is recorded of them. They are in no other figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Estimated {
    /// Prompt tokens; `null` where no prompt is recorded.
    pub input_tokens: Option<u64>,
    /// Generated tokens; `null` where no answer is recorded.
    pub output_tokens: Option<u64>,
    /// What these would cost, in nano-dollars; `null` where no price is known.
    pub cost_nanos: Option<u64>,
}

impl Estimated {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: plus(self.input_tokens, other.input_tokens),
            output_tokens: plus(self.output_tokens, other.output_tokens),
            cost_nanos: plus(self.cost_nanos, other.cost_nanos),
        }
    }
}

/// The estimate of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstimatedCall {
    /// What was counted.
    pub tokens: Estimate,
    /// What that would cost; `None` where no price is known, or where a span states the cost.
    pub cost: Option<NanoUsd>,
}

impl Entry {
    /// What it adds to estimates; `None` where it does not count or states what it used.
    #[must_use]
    pub fn estimated(&self) -> Option<Estimated> {
        let call = self
            .estimate
            .filter(|_| self.standing == Standing::Counted)?;
        Some(Estimated {
            input_tokens: call.tokens.input,
            output_tokens: call.tokens.output,
            cost_nanos: call.cost.map(|cost| cost.0),
        })
    }
}
