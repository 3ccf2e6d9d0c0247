//! The rows of a trace with what follows from all of them together: its tree and its ledger.

use super::{Ledger, SpanRow, Tree, tree};
use crate::price::PriceDesk;

/// A trace's rows, their tree and their ledger; all three have the order of the rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TraceRows {
    rows: Vec<SpanRow>,
    tree: Tree,
    ledger: Ledger,
}

impl TraceRows {
    /// Reads tree and ledger from the rows, by the desk's prices.
    #[must_use]
    pub fn of(rows: Vec<SpanRow>, desk: &mut PriceDesk) -> Self {
        let tree = tree(&rows);
        let ledger = Ledger::of(&rows, &tree, desk);
        Self { rows, tree, ledger }
    }

    /// The rows alone, to be changed.
    #[must_use]
    pub fn into_rows(self) -> Vec<SpanRow> {
        self.rows
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[SpanRow] {
        &self.rows
    }

    /// Their forest.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The feature or kind of task that each row serves: what it states, else the nearest row above that states one.
    #[must_use]
    pub fn features(&self) -> Vec<Option<&str>> {
        let mut features: Vec<Option<&str>> = vec![None; self.rows.len()];
        for &row in &self.tree.order {
            let facts = self.rows[row].facts.as_ref();
            let own = facts.and_then(|facts| facts.feature.as_deref());
            let above = || self.tree.parent[row].and_then(|above| features[above]);
            features[row] = own.or_else(above);
        }
        features
    }

    /// What their calls used and cost.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
