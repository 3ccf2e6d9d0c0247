//! What the other spans of a trace tell of a span's call.

use super::Known;
use crate::model::Operation;
use crate::trace::{Exclusion, SpanRow, Standing, TraceRows};

/// How a span stands among those of its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Whether the ledger counts what it says of a call, or it says nothing of one. False where another span, of whatever
    /// scope, counts in its place, and where it only wraps a call that has a span of its own.
    pub counts: bool,
    /// The row that tells of the same model call and counts in its place.
    pub twin: Option<usize>,
    /// What other spans of the trace tell of its call.
    pub known: Known,
}

/// How the span of a row stands, by the ledger.
#[must_use]
pub fn told(trace: &TraceRows, row: usize) -> Told {
    let ledger = trace.ledger();
    let Some(entry) = ledger.entry(row) else {
        return Told {
            counts: true,
            twin: None,
            known: Known::default(),
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
        known: Known {
            model: entry.model_from.is_some(),
            content: called && !says_content(&trace.rows()[row]) && content_is_told(trace, row),
        },
    }
}

/// Whether a span that tells of the same model call as the row says what was sent or answered: one that wraps it, or one
/// in whose place it counts.
fn content_is_told(trace: &TraceRows, row: usize) -> bool {
    let (rows, tree) = (trace.rows(), trace.tree());
    let above = std::iter::successors(tree.parent[row], |&above| tree.parent[above]);
    // What an agent or a tool calls below a model call is another call.
    let mut wrappers = above
        .take_while(|&above| !matches!(rows[above].operation(), Operation::Agent | Operation::Tool))
        .filter(|&above| rows[above].operation() == Operation::Llm);
    let mut others = trace.ledger().entries.iter().filter(|entry| {
        let owner = match entry.standing {
            Standing::Excluded(Exclusion::SameResponse(owner) | Exclusion::SameCall(owner)) => {
                owner
            }
            _ => return false,
        };
        owner == row
    });
    wrappers.any(|above| says_content(&rows[above]))
        || others.any(|entry| says_content(&rows[entry.row]))
}

/// Whether a row says what was sent or answered.
#[must_use]
pub fn says_content(row: &SpanRow) -> bool {
    row.facts
        .as_ref()
        .is_some_and(|facts| facts.input_preview.is_some() || facts.output_preview.is_some())
}
