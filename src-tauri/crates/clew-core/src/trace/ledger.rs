//! The ledger of a trace: what each model call used and cost, and which spans count.
//!
//! A call is told by one span or by several: by wrappers above it, by a second instrumentation, by a second span of one
//! SDK (semconv.md §12). Each call counts once: the lowest span that states its usage owns it, of spans that tell of one
//! response the one that says most. The others are kept as entries with the reason why they do not count.

mod billed;
mod cost;
mod csv;
mod estimated;
mod inherited;
mod shown;
mod standing;
#[cfg(test)]
mod tests;
mod what_if;
mod words;

pub use cost::{Cost, CostBasis, Line};
pub use csv::csv;
pub use estimated::{Estimated, EstimatedCall};
pub use inherited::{NamedAbove, named_above};
pub(super) use shown::share;
pub use shown::{LedgerCost, LedgerEstimate, LedgerLine, LedgerRow, LedgerStanding, ledger_rows};
pub use standing::{Exclusion, Standing};
pub use what_if::{
    WhatIfAmount, WhatIfFigures, WhatIfModel, WhatIfModelAmount, WhatIfRow, WhatIfSheet,
    WhatIfTable,
};

use std::cmp::Ordering;

use self::billed::Billed;
use super::{SpanRow, Tree};
use crate::model::{Bucket, NanoUsd, Operation, UsageFault};
use crate::price::PriceDesk;

/// Whether spans of this operation are calls of a model.
pub(super) const fn is_call(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Llm | Operation::Embedding | Operation::Reranker
    )
}

/// What one span says of a call, and whether it counts. Every span that states usage or a cost, or is a model call, has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The span's row.
    pub row: usize,
    /// Whether it counts, or why not.
    pub standing: Standing,
    /// Its tokens by bucket, and what they cost; the amounts that count add up to the cost.
    pub lines: Vec<Line>,
    /// What it costs.
    pub cost: Cost,
    /// What cannot be in its figures.
    pub faults: Vec<UsageFault>,
    /// What it may have used, where no span states that.
    pub estimate: Option<EstimatedCall>,
    /// The row above that states its model and provider, where it names no model itself.
    pub model_from: Option<usize>,
}

impl Entry {
    /// Tokens of its lines on one side: sent, or generated; `None` where there is no such line.
    #[must_use]
    pub fn tokens(&self, is_output: bool) -> Option<u64> {
        let side = self.lines.iter().filter(|line| match line.bucket {
            None | Some(Bucket::Request) => false,
            Some(bucket) => bucket.is_output() == is_output,
        });
        side.map(|line| line.count).reduce(u64::saturating_add)
    }

    /// Its tokens in one bucket; `None` where there is no such line.
    #[must_use]
    pub fn bucket(&self, bucket: Bucket) -> Option<u64> {
        let line = self.lines.iter().find(|line| line.bucket == Some(bucket));
        line.map(|line| line.count)
    }

    /// How much of its model's window its prompt fills, 0 to 1 and above; `None` where one of them is not known.
    #[must_use]
    pub fn window_share(&self) -> Option<f64> {
        share(self.tokens(false), self.cost.window)
    }

    /// Tokens whose price no list tells.
    #[must_use]
    pub fn unpriced(&self) -> u64 {
        if self.cost.basis != CostBasis::Listed || self.cost.amount.is_some() {
            return 0;
        }
        let sides = [self.tokens(false), self.tokens(true)];
        sides.into_iter().flatten().fold(0, u64::saturating_add)
    }
}

/// Sums over entries that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Prompt tokens, cached ones included; `None` where no call states any.
    pub input: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output: Option<u64>,
    /// Prompt tokens that were read from cache.
    pub cached: Option<u64>,
    /// What all calls cost whose price is known; `None` where none is.
    pub cost: Option<NanoUsd>,
    /// Tokens whose price is not known.
    pub unpriced_tokens: u64,
    /// What calls may have used that state nothing; in none of the other sums.
    pub estimated: Option<Estimated>,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.input = plus(self.input, other.input);
        self.output = plus(self.output, other.output);
        self.cached = plus(self.cached, other.cached);
        self.cost = [self.cost, other.cost]
            .into_iter()
            .flatten()
            .reduce(|one, two| one + two);
        self.unpriced_tokens = self.unpriced_tokens.saturating_add(other.unpriced_tokens);
        self.estimated = [self.estimated, other.estimated]
            .into_iter()
            .flatten()
            .reduce(Estimated::plus);
    }
}

fn count(calls: impl Iterator<Item = bool>) -> u32 {
    u32::try_from(calls.filter(|is_one| *is_one).count()).unwrap_or(u32::MAX)
}

fn plus(one: Option<u64>, two: Option<u64>) -> Option<u64> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.saturating_add(two)),
        (one, two) => one.or(two),
    }
}

impl Entry {
    /// What it adds to sums.
    fn sums(&self) -> Sums {
        let counted = self.standing == Standing::Counted;
        let tokens = |tokens: Option<u64>| tokens.filter(|_| counted);
        Sums {
            input: tokens(self.tokens(false)),
            output: tokens(self.tokens(true)),
            cached: tokens(self.bucket(Bucket::CacheRead)),
            cost: self.amount(),
            unpriced_tokens: if counted { self.unpriced() } else { 0 },
            estimated: self.estimated(),
        }
    }

    /// What it adds to the cost; `None` where it does not count or no price is known.
    #[must_use]
    pub fn amount(&self) -> Option<NanoUsd> {
        match self.standing {
            Standing::Counted | Standing::CostOnly => self.cost.amount,
            Standing::Excluded(_) => None,
        }
    }
}

/// All entries of a trace and their sums.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// In pre-order of the trace.
    pub entries: Vec<Entry>,
    /// Each row's entry, where it has one.
    pub of_row: Vec<Option<usize>>,
    /// Whether each row is a model call that counts as one.
    pub is_call: Vec<bool>,
    /// Sums over the entries that count.
    pub sums: Sums,
    /// Model calls, each once.
    pub calls: u32,
    /// Model calls, failed ones aside, of which no span states any usage.
    pub unstated_calls: u32,
}

impl Ledger {
    /// Works out the ledger of a trace.
    #[must_use]
    pub fn of(rows: &[SpanRow], tree: &Tree, desk: &mut PriceDesk) -> Self {
        let billed = Billed::of(rows, tree);
        let standings = standing::standings(rows, tree, &billed);
        let models = inherited::models(rows, tree);
        let mut entries = cost::entries(rows, tree, &standings, &billed, &models, desk);
        let is_call = standings.is_call;
        let mut position = vec![0; rows.len()];
        for (index, &row) in tree.order.iter().enumerate() {
            position[row] = index;
        }
        entries.sort_by_key(|entry| position[entry.row]);
        let mut ledger = Self {
            of_row: vec![None; rows.len()],
            calls: 0,
            unstated_calls: 0,
            sums: Sums::default(),
            entries,
            is_call,
        };
        for (index, entry) in ledger.entries.iter().enumerate() {
            ledger.of_row[entry.row] = Some(index);
            ledger.sums.add(entry.sums());
        }
        ledger.calls = count(ledger.is_call.iter().copied());
        let unstated = rows.iter().zip(&standings.unstated);
        ledger.unstated_calls = count(unstated.map(|(row, unstated)| *unstated && !row.failed()));
        ledger
    }

    /// Of the calls that count the one that fills its model's window most.
    #[must_use]
    pub fn fullest(&self) -> Option<&Entry> {
        let counted = self.entries.iter();
        let counted = counted.filter(|entry| entry.standing == Standing::Counted);
        counted
            .filter(|entry| entry.window_share().is_some())
            .max_by(|one, other| {
                one.window_share()
                    .partial_cmp(&other.window_share())
                    .unwrap_or(Ordering::Equal)
            })
    }

    /// The entry of a row, where it has one.
    #[must_use]
    pub fn entry(&self, row: usize) -> Option<&Entry> {
        self.entries.get((*self.of_row.get(row)?)?)
    }

    /// For each row the sums over the entries that count below it; the row's own are not in them.
    #[must_use]
    pub fn below(&self, tree: &Tree) -> Vec<Sums> {
        let mut below = vec![Sums::default(); tree.order.len()];
        for &row in tree.order.iter().rev() {
            let Some(above) = tree.parent[row] else {
                continue;
            };
            let mut sum = below[row];
            if let Some(entry) = self.entry(row) {
                sum.add(entry.sums());
            }
            below[above].add(sum);
        }
        below
    }

    /// Whether a row's tokens count in totals.
    #[must_use]
    pub fn counts_usage(&self, row: usize) -> bool {
        self.entry(row)
            .is_some_and(|entry| entry.standing == Standing::Counted && !entry.lines.is_empty())
    }
}
