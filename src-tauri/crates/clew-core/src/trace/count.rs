//! What counts in a trace's totals: each model call once, however many spans tell of it.
//!
//! Wrappers repeat what the calls below them state, and two instrumentations may both record one call
//! (semconv.md §12): the lowest span that states a figure owns it, and of spans with the same response id one counts.

use std::collections::HashMap;

use super::{SpanRow, Tree};
use crate::model::Operation;

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

/// The lowest rows that state something; of those with the same response id the deepest, then the one with more tokens
/// stated, then the earliest.
fn owners(rows: &[SpanRow], tree: &Tree, states: impl Fn(&SpanRow) -> bool) -> Vec<bool> {
    let mut owns = vec![false; rows.len()];
    let mut below = vec![false; rows.len()];
    let mut by_response: HashMap<&str, usize> = HashMap::new();
    for &row in tree.order.iter().rev() {
        let stated = states(&rows[row]);
        owns[row] = stated && !below[row];
        if (stated || below[row])
            && let Some(above) = tree.parent[row]
        {
            below[above] = true;
        }
    }
    for &row in &tree.order {
        if !owns[row] {
            continue;
        }
        let id = rows[row]
            .facts
            .as_ref()
            .and_then(|facts| facts.response_id.as_deref());
        let Some(id) = id else { continue };
        let other = *by_response.entry(id).or_insert(row);
        if other != row {
            let rank = |row: usize| (richness(&rows[row]), tree.depth[row]);
            let loser = if rank(row) > rank(other) { other } else { row };
            owns[loser] = false;
            by_response.insert(id, if loser == row { other } else { row });
        }
    }
    owns
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
