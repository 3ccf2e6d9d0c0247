//! What counts in a trace's totals: each model call once, however many spans tell of it.
//!
//! Wrappers repeat what the calls below them state, and two instrumentations may both record one call
//! (semconv.md §12): the lowest span that states a figure owns it, and of spans with the same response id at the same time one counts.

use super::{SpanRow, Tree};
use crate::model::{Operation, UnixNanos};

/// Which rows count; one element a row, in the order of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// The row's tokens count in the totals.
    pub usage: Vec<bool>,
    /// The row's cost counts in the totals.
    pub cost: Vec<bool>,
    /// The row is a call of a model (llm, embedding or reranker).
    pub call: Vec<bool>,
}

/// Decides which rows count.
#[must_use]
pub fn counted(rows: &[SpanRow], tree: &Tree) -> Counted {
    let usage = |row: &SpanRow| {
        let usage = row.facts.as_ref().and_then(|facts| facts.usage);
        usage.is_some_and(|usage| usage.input.is_some() || usage.output.is_some())
    };
    let cost = |row: &SpanRow| {
        row.facts
            .as_ref()
            .is_some_and(|facts| facts.cost_usd.is_some())
    };
    let call = |row: &SpanRow| {
        matches!(
            row.operation(),
            Operation::Llm | Operation::Embedding | Operation::Reranker
        )
    };
    Counted {
        usage: owners(rows, tree, usage),
        cost: owners(rows, tree, cost),
        call: owners(rows, tree, call),
    }
}

/// The lowest rows that state something; of rows that tell of one response the one that says most, then the deepest, then
/// the earliest.
fn owners(rows: &[SpanRow], tree: &Tree, states: impl Fn(&SpanRow) -> bool) -> Vec<bool> {
    let mut owns = vec![false; rows.len()];
    let mut below = vec![false; rows.len()];
    for &row in tree.order.iter().rev() {
        let stated = states(&rows[row]);
        owns[row] = stated && !below[row];
        if (stated || below[row])
            && let Some(above) = tree.parent[row]
        {
            below[above] = true;
        }
    }
    for told in responses(rows, &owns) {
        let says_most = told.iter().copied().max_by_key(|&row| {
            let earliest = std::cmp::Reverse((rows[row].start, rows[row].span_id));
            (richness(&rows[row]), tree.depth[row], earliest)
        });
        for row in told {
            owns[row] = Some(row) == says_most;
        }
    }
    owns
}

/// Rows that tell of one response: the same id, and at the same time. Servers for tests give every response one id;
/// calls after one another are calls of their own.
fn responses(rows: &[SpanRow], owns: &[bool]) -> Vec<Vec<usize>> {
    let id = |row: usize| rows[row].facts.as_ref()?.response_id.as_deref();
    let mut named: Vec<usize> = (0..rows.len())
        .filter(|&row| owns[row] && id(row).is_some())
        .collect();
    named.sort_by_key(|&row| (id(row), rows[row].start, rows[row].span_id));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut latest = UnixNanos(0);
    for row in named {
        let same = groups
            .last()
            .and_then(|group| group.first())
            .is_some_and(|&first| id(first) == id(row));
        match groups.last_mut() {
            Some(group) if same && rows[row].start <= latest => {
                group.push(row);
                latest = latest.max(rows[row].end);
            }
            _ => {
                groups.push(vec![row]);
                latest = rows[row].end;
            }
        }
    }
    groups
}

/// How many figures a row states.
fn richness(row: &SpanRow) -> usize {
    let Some(facts) = &row.facts else { return 0 };
    let usage = facts.usage.unwrap_or_default();
    [
        usage.input,
        usage.output,
        usage.cache_read,
        usage.cache_write,
        usage.reasoning,
    ]
    .iter()
    .filter(|figure| figure.is_some())
    .count()
        + usize::from(facts.cost_usd.is_some())
        + usize::from(facts.output_preview.is_some())
        + usize::from(facts.ttft_nanos.is_some())
}
