//! The model of a call that states none: that of the span above from which the call comes. Codex states what a call used
//! on a span of its own below the one that names the model.

use super::super::{SpanRow, Tree, tree};
use crate::model::{Operation, SpanId};

/// For each call of a language model that names no model the nearest row above that names one; `None` for all others.
///
/// Only rows of the same service tell: what lies behind a request chooses for itself. So does what a tool calls, and the
/// model of an embedding, of a reranker or of a retriever, which is that of its embeddings, answers nobody. A guardrail or
/// an evaluator that names a model names its judge, which is asked below it; the model above it is what it judges.
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
            Operation::Tool | Operation::Embedding | Operation::Reranker | Operation::Retriever => {
                None
            }
            Operation::Guardrail | Operation::Evaluator => names_one.then_some(row),
            _ if names_one => Some(row),
            _ => above,
        };
    }
    inherited
}

/// The model of a call that names none, as a span above it names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAbove {
    /// The model that answered there, else the one that was asked for.
    pub model: String,
    /// Who serves it, where that is stated.
    pub provider: Option<String>,
    /// The span that names it.
    pub by: SpanId,
}

/// The model that a span above names for this span of a trace; `None` where it names one itself or has none to name.
#[must_use]
pub fn named_above(rows: &[SpanRow], span: SpanId) -> Option<NamedAbove> {
    let row = rows.iter().position(|row| row.span_id == span)?;
    let above = models(rows, &tree(rows))[row]?;
    let facts = rows[above].facts.as_ref()?;
    Some(NamedAbove {
        model: facts.model.clone()?,
        provider: facts.provider.clone(),
        by: rows[above].span_id,
    })
}
