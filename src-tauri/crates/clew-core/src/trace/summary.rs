//! What a list shows of a trace.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::Operation;

/// Whether a trace still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum TraceState {
    /// Its root has not ended or not arrived, and spans came within the last two minutes.
    Running,
    /// Its root has ended.
    Complete,
    /// Its root never came: the parent was not sampled, lives elsewhere, or the program died.
    Rootless,
}

/// One row of the list of traces. Totals count each model call once ([`crate::trace`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TraceSummary {
    /// 32 hex digits.
    pub trace_id: String,
    /// 0 for live telemetry, else the opened file's source id.
    pub source: i64,
    /// The root's display name, else the earliest span's.
    pub name: String,
    /// The root's operation.
    pub operation: Operation,
    /// The root's `service.name`.
    pub service: String,
    /// Microseconds since the epoch of the earliest start.
    pub start_micros: u64,
    /// Nanoseconds from the earliest start to the latest end seen so far.
    pub duration_nanos: u64,
    /// Whether it still runs.
    pub state: TraceState,
    /// Spans, each id counted once.
    pub span_count: u32,
    /// Spans that ended in an error.
    pub error_count: u32,
    /// Model calls, each provider response counted once.
    pub call_count: u32,
    /// Models that answered, in order of first use.
    pub models: Vec<String>,
    /// Prompt tokens of all calls; `null` where no call states any.
    pub input_tokens: Option<u64>,
    /// Output tokens of all calls; `null` where no call states any.
    pub output_tokens: Option<u64>,
    /// Prompt tokens read from cache, a part of `inputTokens`.
    pub cached_tokens: Option<u64>,
    /// Stated cost of all calls in US dollars; `null` where no call states one.
    pub cost_usd: Option<f64>,
    /// Nanoseconds to the first token of the first call that states it.
    pub ttft_nanos: Option<u64>,
    /// Session id, from any span.
    pub session: Option<String>,
    /// User id, from any span.
    pub user: Option<String>,
    /// The root's input, cut to 200 characters.
    pub input_preview: Option<String>,
    /// The root's output, cut to 200 characters.
    pub output_preview: Option<String>,
    /// Heuristics that fired on any response: their ids.
    pub findings: Vec<String>,
    /// Microseconds since the epoch at which its newest span was received.
    pub received_micros: u64,
}
