//! What the other spans of a trace tell of a span's call.

use crate::model::Operation;
use crate::trace::{Exclusion, Standing, TraceRows};

/// How a span stands among those of its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whether the ledger counts what it says of a call, or it says nothing of one. False where another span, of whatever
    /// scope, counts in its place, and where it only wraps a call that has a span of its own.
    pub counts: bool,
    /// The row that tells of the same model call and counts in its place.
    pub twin: Option<usize>,
}

/// How the span of a row stands, by the ledger.
#[must_use]
pub fn told(trace: &TraceRows, row: usize) -> Told {
    let ledger = trace.ledger();
    let Some(entry) = ledger.entry(row) else {
        return Told {
            counts: true,
            twin: None,
        };
    };
    let is_call = ledger.is_call[row] || !entry.lines.is_empty();
    let called = trace.rows()[row].operation() == Operation::Llm;
    let twin = match entry.standing {
        Standing::Excluded(
            Exclusion::SameResponse(other) | Exclusion::SameCall(other) | Exclusion::Below(other),
        ) => Some(other),
        _ => None,
    };
    Told {
        counts: entry.standing == Standing::Counted && is_call,
        twin: twin.filter(|_| called),
    }
}
