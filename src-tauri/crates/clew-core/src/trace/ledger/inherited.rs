//! The model of a call that states none: that of the span above from which the call comes. Codex states what a call used
//! on a span of its own below the one that names the model.

use super::super::{SpanRow, Tree};
use crate::model::Operation;

/// For each call of a language model that names no model the nearest row above that names one; `None` for all others.
///
/// Only rows of the same service tell: what lies behind a request chooses for itself. So does what a tool calls, and the
/// model of an embedding or of a reranker answers nobody.
pub(super) fn models(rows: &[SpanRow], tree: &Tree) -> Vec<Option<usize>> {
    let mut telling: Vec<Option<usize>> = vec![None; rows.len()];
    let mut inherited = vec![None; rows.len()];
    for &row in &tree.order {
        let span = &rows[row];
        let above = tree.parent[row]
            .and_then(|above| telling[above])
            .filter(|&above| rows[above].service == span.service);
        let operation = span.operation();
        let names_one = span
            .facts
            .as_ref()
            .is_some_and(|facts| facts.model.is_some());
        if operation == Operation::Llm && !names_one {
            inherited[row] = above;
        }
        telling[row] = match operation {
            Operation::Tool | Operation::Embedding | Operation::Reranker => None,
            _ if names_one => Some(row),
            _ => above,
        };
    }
    inherited
}
