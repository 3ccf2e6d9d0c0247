//! Shapes of what is wrong with telemetry.

use clew_core::lint::LintRow;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which telemetry to look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LintTelemetry {
    /// Only this source: 0 is live telemetry; `null` is all.
    pub source: Option<i64>,
}

/// What is wrong with the traces that were received last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Linted {
    /// Traces that were looked at, at most 200.
    pub traces: u32,
    /// Their spans, at most 2,000.
    pub spans: u32,
    /// What was seen, worst first.
    pub rows: Vec<LintRow>,
}
