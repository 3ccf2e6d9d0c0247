//! Sums of calls, of what they cost and of what they would have cost.

use super::super::plus;
use super::{WhatIfAmount, WhatIfFigures, WhatIfModelAmount};
use crate::model::NanoUsd;

/// What one entry adds.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Whether its tokens count; else its cost alone does.
    pub(super) is_call: bool,
    /// Whether its lines tell of tokens.
    pub(super) has_tokens: bool,
    /// Whether a span states its cost.
    pub(super) is_stated: bool,
    pub(super) cost: Option<NanoUsd>,
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cached: Option<u64>,
    /// Its prompt, where it must fit into a window.
    pub(super) prompt: Option<u64>,
    pub(super) uncached: Option<NanoUsd>,
    pub(super) all_cached: Option<NanoUsd>,
    pub(super) batch: Option<NanoUsd>,
    pub(super) models: Vec<Option<NanoUsd>>,
}

impl Told {
    /// An entry whose tokens are counted at the calls below it.
    pub(super) fn cost_only(cost: Option<NanoUsd>) -> Self {
        Self {
            cost,
            ..Self::default()
        }
    }
}

/// An amount that is the sum of calls.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    nanos: NanoUsd,
    left_out: u64,
}

impl Sum {
    fn add(&mut self, amount: Option<NanoUsd>) {
        match amount {
            Some(amount) => self.nanos = self.nanos + amount,
            None => self.left_out += 1,
        }
    }
}

/// Sums over entries.
#[derive(Debug)]
pub(super) struct Totals {
    calls: u64,
    unstated: u64,
    stated: u64,
    unpriced: u64,
    /// Whether a cost is in the sum whose tokens are counted elsewhere.
    has_cost_alone: bool,
    input: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    largest: Option<u64>,
    cost: Option<NanoUsd>,
    uncached: Sum,
    all_cached: Sum,
    batch: Sum,
    models: Vec<Sum>,
}

impl Totals {
    /// Nothing yet, with so many columns of models.
    pub(super) fn new(models: usize) -> Self {
        Self {
            calls: 0,
            unstated: 0,
            stated: 0,
            unpriced: 0,
            has_cost_alone: false,
            input: None,
            output: None,
            cached: None,
            largest: None,
            cost: None,
            uncached: Sum::default(),
            all_cached: Sum::default(),
            batch: Sum::default(),
            models: vec![Sum::default(); models],
        }
    }

    pub(super) fn add(&mut self, told: &Told) {
        let costs = [self.cost, told.cost].into_iter().flatten();
        self.cost = costs.reduce(|one, two| one + two);
        if !told.is_call {
            self.has_cost_alone = true;
            return;
        }
        self.calls += 1;
        if !told.has_tokens && told.cost.is_none() {
            self.unstated += 1;
            return;
        }
        self.stated += u64::from(told.is_stated);
        self.unpriced += u64::from(told.cost.is_none());
        self.input = plus(self.input, told.input);
        self.output = plus(self.output, told.output);
        self.cached = plus(self.cached, told.cached);
        self.largest = self.largest.max(told.prompt);
        self.uncached.add(told.uncached);
        self.all_cached.add(told.all_cached);
        self.batch.add(told.batch);
        for (sum, amount) in self.models.iter_mut().zip(&told.models) {
            sum.add(*amount);
        }
    }

    /// The figures; `windows` are those of the models.
    pub(super) fn figures(self, windows: &[Option<u64>]) -> WhatIfFigures {
        let models = self.models.iter().zip(windows);
        let models = models.map(|(sum, window)| WhatIfModelAmount {
            amount: self.amount(*sum),
            fits: self
                .largest
                .zip(*window)
                .map(|(prompt, window)| prompt <= window),
        });
        WhatIfFigures {
            calls: self.calls,
            unstated_calls: self.unstated,
            stated_calls: self.stated,
            unpriced_calls: self.unpriced,
            input_tokens: self.input,
            output_tokens: self.output,
            cached_tokens: self.cached,
            largest_prompt: self.largest,
            cost_nanos: self.cost.map(|cost| cost.0),
            uncached: self.amount(self.uncached),
            all_cached: self.amount(self.all_cached),
            batch: self.amount(self.batch),
            models: models.collect(),
        }
    }

    fn amount(&self, sum: Sum) -> WhatIfAmount {
        let has_calls = self.calls > self.unstated;
        let nanos = (has_calls && sum.left_out == 0).then_some(sum.nanos);
        // Cost and amount must be of the same calls.
        let cost = self
            .cost
            .filter(|cost| self.unpriced == 0 && !self.has_cost_alone && *cost > NanoUsd::ZERO);
        let change = nanos.zip(cost);
        WhatIfAmount {
            nanos: nanos.map(|nanos| nanos.0),
            change: change.map(|(nanos, cost)| share(nanos, cost)),
            left_out: sum.left_out,
        }
    }
}

/// How much more or less an amount is than a cost, as a share of the cost.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with two or three digits"
)]
fn share(nanos: NanoUsd, cost: NanoUsd) -> f64 {
    let (nanos, cost) = (nanos.0 as f64, cost.0 as f64);
    (nanos - cost) / cost
}
