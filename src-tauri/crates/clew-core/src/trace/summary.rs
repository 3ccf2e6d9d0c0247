//! What a list shows of a trace.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::ledger::Estimated;
use super::waterfall::Axis;
use super::{SpanRow, TraceRows};
use crate::model::{NanoUsd, Operation, SpanId, TraceId, UnixNanos};

/// How long after its newest arrival a trace with an open or a missing root still counts as running, in microseconds.
pub const RUNNING_MICROS: u64 = 120_000_000;

/// Whether a trace still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum TraceState {
    /// A root has not ended or none has arrived, and spans came within the last two minutes.
    Running,
    /// All its roots have ended.
    Complete,
    /// Its root never came or never ended: the parent was not sampled, lives elsewhere, or the program died.
    Rootless,
}

/// What is known of a trace's roots, its spans without a parent. Of two the larger holds: parts of a trace are merged by
/// `max`, in any order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Roots {
    /// None has come.
    #[default]
    Missing = 0,
    /// All that have come have ended.
    Ended = 1,
    /// One that has come has not ended.
    Pending = 2,
}

impl Roots {
    /// What one span says of the roots; its end is 0 while it is pending.
    #[must_use]
    pub const fn of(parent: Option<SpanId>, end: UnixNanos) -> Self {
        match (parent, end.0) {
            (Some(_), _) => Self::Missing,
            (None, 0) => Self::Pending,
            (None, _) => Self::Ended,
        }
    }

    /// The number under which it is stored.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// What a stored number stands for; one that stands for nothing is a missing root.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Ended,
            2 => Self::Pending,
            _ => Self::Missing,
        }
    }
}

impl TraceState {
    /// The one rule for lists, waterfalls and filters. Both times are in microseconds since the epoch: when the trace's
    /// newest telemetry came, and the present.
    #[must_use]
    pub const fn of(roots: Roots, last_received: u64, now: u64) -> Self {
        match roots {
            Roots::Ended => Self::Complete,
            Roots::Missing | Roots::Pending => {
                if now.saturating_sub(last_received) < RUNNING_MICROS {
                    Self::Running
                } else {
                    Self::Rootless
                }
            }
        }
    }

    /// The same rule for the rows of a trace.
    #[must_use]
    pub fn of_rows(rows: &[SpanRow], last_received: u64, now: u64) -> Self {
        let roots = rows.iter().map(|row| Roots::of(row.parent, row.end)).max();
        Self::of(roots.unwrap_or_default(), last_received, now)
    }
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
    /// What all calls cost whose price is known, in US dollars, as the ledger has it; `null` where none is.
    pub cost_usd: Option<f64>,
    /// The same in whole nano-dollars: the sum of the ledger's lines.
    pub cost_nanos: Option<u64>,
    /// Tokens whose price is not known; they are not in the cost.
    pub unpriced_tokens: u64,
    /// Model calls, failed ones aside, of which no span states any usage.
    pub unstated_calls: u32,
    /// What these may have used, counted in what is recorded of them; in no other figure. `null` where nothing was counted.
    #[serde(default)]
    pub estimated: Option<Estimated>,
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

/// The summary of a trace.
///
/// `now` and `last_received_micros` (when its newest span came) decide whether it still runs. Totals are those of the ledger.
#[must_use]
pub fn summary(
    trace_id: TraceId,
    source: i64,
    trace: &TraceRows,
    now: UnixNanos,
    last_received_micros: u64,
) -> TraceSummary {
    let (rows, tree, ledger) = (trace.rows(), trace.tree(), trace.ledger());
    let sums = ledger.sums;
    let axis = Axis::of(rows);
    let roots = || {
        tree.order
            .iter()
            .map(|&row| &rows[row])
            .filter(|row| row.parent.is_none())
    };
    let root = roots().next();
    let head = root.or_else(|| tree.order.first().map(|&row| &rows[row]));
    let facts = || {
        tree.order
            .iter()
            .filter_map(|&row| rows[row].facts.as_ref())
    };

    let state = TraceState::of_rows(rows, last_received_micros, now.micros());

    let mut calls: Vec<usize> = (0..rows.len()).filter(|&row| ledger.is_call[row]).collect();
    calls.sort_by_key(|&row| (rows[row].start, rows[row].span_id));
    let mut models: Vec<String> = Vec::new();
    for model in calls
        .iter()
        .filter_map(|&row| rows[row].facts.as_ref()?.model.as_ref())
    {
        if !models.contains(model) {
            models.push(model.clone());
        }
    }
    let mut findings: Vec<String> = facts().flat_map(|facts| facts.findings.clone()).collect();
    findings.sort_unstable();
    findings.dedup();
    let head_facts = head.and_then(|head| head.facts.as_ref());
    // Some call of a trace may be told without its content.
    let call_facts = || {
        let facts = calls.iter().filter_map(|&row| rows[row].facts.as_ref());
        facts.filter(|facts| facts.operation == Operation::Llm)
    };
    let ttft = calls.iter().find_map(|&row| rows[row].ttft_nanos());
    TraceSummary {
        trace_id: trace_id.to_string(),
        source,
        name: head.map(|head| head.title().to_owned()).unwrap_or_default(),
        operation: head.map_or(Operation::Other, SpanRow::operation),
        service: head.map(|head| head.service.clone()).unwrap_or_default(),
        start_micros: UnixNanos(axis.origin).micros(),
        duration_nanos: axis.extent(),
        state,
        span_count: count(rows.len()),
        error_count: count(rows.iter().filter(|row| row.failed()).count()),
        call_count: ledger.calls,
        models,
        input_tokens: sums.input,
        output_tokens: sums.output,
        cached_tokens: sums.cached,
        cost_usd: sums.cost.map(NanoUsd::usd),
        cost_nanos: sums.cost.map(|cost| cost.0),
        unpriced_tokens: sums.unpriced_tokens,
        unstated_calls: ledger.unstated_calls,
        estimated: sums.estimated,
        ttft_nanos: ttft,
        session: facts().find_map(|facts| facts.session.clone()),
        user: facts().find_map(|facts| facts.user.clone()),
        input_preview: head_facts
            .and_then(|facts| facts.input_preview.clone())
            .or_else(|| call_facts().find_map(|facts| facts.input_preview.clone())),
        output_preview: head_facts
            .and_then(|facts| facts.output_preview.clone())
            .or_else(|| {
                call_facts()
                    .rev()
                    .find_map(|facts| facts.output_preview.clone())
            }),
        findings,
        received_micros: last_received_micros,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
