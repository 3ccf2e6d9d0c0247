//! What entries cost: as stated, else by the prices that hold, line by line.

use super::super::{SpanRow, Tree};
use super::billed::{Billed, StatedCost};
use super::standing::{Exclusion, Standing, Standings};
use super::{Entry, EstimatedCall, is_call};
use crate::estimate::Estimate;
use crate::model::{Bucket, NanoUsd, Operation, Usage};
use crate::price::{PerToken, PriceDesk, PriceSource, Priced, Quote, Rates, Terms};

/// One line of an entry: so many of one bucket at a price, or the cost that a span states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is counted; `None` for a stated cost.
    pub bucket: Option<Bucket>,
    /// How many: tokens, or calls of [`Bucket::Request`]; 1 for a stated cost.
    pub count: u64,
    /// The price of one, where a list tells it.
    pub price: Option<PerToken>,
    /// The bucket whose price it is: its own, or that of a wider kind.
    pub priced_as: Option<Bucket>,
    /// What the list's price makes of it, rounded once; `None` where no list tells a price.
    pub listed: Option<NanoUsd>,
    /// What it adds to the entry's cost: the listed amount, nothing where the cost is stated. `None` where no price is known.
    pub amount: Option<NanoUsd>,
}

/// Where an entry's cost comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostBasis {
    /// This row states it: the entry's own, or another one that tells of the same call.
    Stated(usize),
    /// Log records of this row state it: of the request of the entry, or of requests that no span names.
    Logged(usize),
    /// The prices of [`Cost::source`], line by line.
    Listed,
    /// This row above states what all calls below it cost together.
    Above(usize),
    /// This row below states it.
    Below(usize),
}

/// What an entry costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The sum of the lines' amounts; `None` where none is known.
    pub amount: Option<NanoUsd>,
    /// Where it comes from.
    pub basis: CostBasis,
    /// What a span states.
    pub stated: Option<NanoUsd>,
    /// What the list's prices make of all lines; `None` where one of them has no price.
    pub listed: Option<NanoUsd>,
    /// The list, and since when its prices hold.
    pub source: PriceSource,
    /// The most tokens that the model reads, where the book says so.
    pub window: Option<u64>,
}

impl Cost {
    /// Whether the stated and the listed cost differ by more than a hundredth of the listed one.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        self.stated
            .zip(self.listed)
            .is_some_and(|(stated, listed)| {
                u128::from(stated.0.abs_diff(listed.0)) * 100 > u128::from(listed.0)
            })
    }
}

/// The entries of all rows that have one, priced.
pub(super) fn entries(
    rows: &[SpanRow],
    tree: &Tree,
    standings: &Standings,
    billed: &Billed,
    models: &[Option<usize>],
    desk: &mut PriceDesk,
) -> Vec<Entry> {
    let mut priced: Vec<Option<Entry>> = vec![None; rows.len()];
    // A row at or below which a cost is known.
    let mut known: Vec<Option<usize>> = vec![None; rows.len()];
    // A call with a price that may be among what no span names, and whether one without a price may be.
    let mut priced_claim: Vec<Option<usize>> = vec![None; rows.len()];
    let mut unpriced_claim = vec![false; rows.len()];
    for &row in tree.order.iter().rev() {
        if let Some(standing) = standings.of_row[row] {
            let mut entry = entry(
                rows,
                (row, models[row]),
                standing,
                &standings.twins[row],
                billed,
                desk,
            );
            if !standings.unstated[row] || rows[row].failed() {
                entry.estimate = None;
            }
            match (known[row], entry.standing) {
                // What no span names is beside what is known below, unless only calls are meant whose cost is known.
                (_, Standing::Excluded(_)) if billed.is_rest(row) => {
                    entry.standing = match priced_claim[row].filter(|_| !unpriced_claim[row]) {
                        Some(call) => Standing::Excluded(Exclusion::Below(call)),
                        None => Standing::CostOnly,
                    };
                }
                _ if billed.is_rest(row) => {}
                (Some(below), Standing::Counted) if entry.has_cost() => entry.told_below(below),
                (None, Standing::Excluded(Exclusion::Below(_))) if billed.states_cost(row) => {
                    entry.standing = Standing::CostOnly;
                }
                _ => {}
            }
            if entry.amount().is_some() {
                known[row] = Some(row);
            }
            if let Some(teller) = billed.claimed_by(row) {
                match entry.amount() {
                    Some(_) => priced_claim[teller] = Some(row),
                    None => {
                        unpriced_claim[teller] |=
                            entry.standing == Standing::Counted && !entry.lines.is_empty();
                    }
                }
            }
            priced[row] = Some(entry);
        }
        if let (Some(found), Some(above)) = (known[row], tree.parent[row]) {
            known[above] = Some(found);
        }
    }
    // What a span above states, no call below it is missing.
    let mut covered: Vec<Option<usize>> = vec![None; rows.len()];
    for &row in &tree.order {
        let above = tree.parent[row].and_then(|above| covered[above]);
        covered[row] = match &priced[row] {
            Some(entry) if entry.standing == Standing::CostOnly && !billed.is_rest(row) => {
                Some(row)
            }
            _ => above,
        };
        let counts = |teller: &usize| {
            let entry = priced[*teller].as_ref();
            entry.is_some_and(|entry| !matches!(entry.standing, Standing::Excluded(_)))
        };
        let claimed = billed.claimed_by(row).filter(counts);
        let above_or_claimed = above.or(claimed);
        if let (Some(teller), Some(entry)) = (above_or_claimed, &mut priced[row])
            && entry.standing == Standing::Counted
        {
            // What the sum above has in it is not added once more.
            if above.is_none() {
                entry.without_amount();
            }
            entry.cost.basis = CostBasis::Above(teller);
        }
    }
    priced.into_iter().flatten().collect()
}

impl Entry {
    fn has_cost(&self) -> bool {
        self.cost.amount.is_some() || self.cost.listed.is_some() || !self.lines.is_empty()
    }

    /// Leaves the cost to a row below that states it.
    fn told_below(&mut self, below: usize) {
        self.without_amount();
        self.cost.basis = CostBasis::Below(below);
    }

    /// Leaves the cost to another row.
    fn without_amount(&mut self) {
        for line in &mut self.lines {
            line.amount = None;
        }
        self.lines.retain(|line| line.bucket.is_some());
        self.cost.amount = None;
    }
}

fn entry(
    rows: &[SpanRow],
    (row, model_from): (usize, Option<usize>),
    standing: Standing,
    twins: &[usize],
    billed: &Billed,
    desk: &mut PriceDesk,
) -> Entry {
    let span = &rows[row];
    let tellers = || std::iter::once(row).chain(twins.iter().copied());
    let usage = span.facts.as_ref().and_then(|facts| facts.usage);
    let written = tellers().find_map(|teller| billed.written(teller));
    let split = usage
        .map(|usage| with_hour(usage, written).split())
        .unwrap_or_default();
    let quote = quote(span, model_from.map(|above| &rows[above]), desk);
    let rates = quote.rates.as_ref();
    let prompt = split.input().unwrap_or(0);
    let mut counts = split.counts;
    let bills_calls = rates.is_some_and(|rates| rates.own(Bucket::Request).is_some());
    let was_served =
        !counts.is_empty() || (span.operation() == Operation::Reranker && !span.failed());
    if bills_calls && was_served && is_call(span.operation()) {
        counts.push((Bucket::Request, 1));
    }
    let mut lines: Vec<Line> = counts
        .into_iter()
        .map(|(bucket, count)| {
            let rate = rates.and_then(|rates| rates.rate(bucket));
            let price = rate.map(|(_, rate)| rate.at(prompt));
            let listed = price.map(|price| price.times(count));
            Line {
                bucket: Some(bucket),
                count,
                price,
                priced_as: rate.map(|(bucket, _)| bucket),
                listed,
                amount: listed,
            }
        })
        .collect();
    // A part of a bill is no bill: one bucket without a price leaves the whole entry unknown.
    let counting = || lines.iter().filter(|line| line.count > 0);
    let all: Option<NanoUsd> = counting().map(|line| line.listed).sum();
    let listed = all.filter(|_| !lines.is_empty() && rates.is_some());
    if listed.is_none() {
        for line in &mut lines {
            line.amount = None;
        }
    }

    let stated = tellers().find_map(|teller| billed.cost(teller));
    if let Some(StatedCost { amount, .. }) = stated {
        for line in &mut lines {
            line.amount = None;
        }
        lines.push(Line {
            bucket: None,
            count: 1,
            price: None,
            priced_as: None,
            listed: None,
            amount: Some(amount),
        });
    }
    let estimate = span.facts.as_ref().and_then(|facts| facts.estimate);
    let estimate = estimate.map(|tokens| EstimatedCall {
        tokens,
        cost: rates
            .filter(|_| stated.is_none())
            .and_then(|rates| estimated_cost(rates, tokens)),
    });
    let amount = lines
        .iter()
        .filter_map(|line| line.amount)
        .reduce(|sum, amount| sum + amount);
    Entry {
        row,
        standing,
        lines,
        cost: Cost {
            amount,
            basis: stated.map_or(CostBasis::Listed, |stated| match stated.logged {
                true => CostBasis::Logged(stated.by),
                false => CostBasis::Stated(stated.by),
            }),
            stated: stated.map(|stated| stated.amount),
            listed,
            source: quote.source,
            // A batch of texts to embed fills no window, nor does what an agent's calls used together.
            window: quote.window.filter(|_| span.operation() == Operation::Llm),
        },
        faults: split.faults,
        estimate,
        model_from,
    }
}

/// Usage with the part that was written to the cache for an hour, where a bill has it and means the same tokens.
fn with_hour(usage: Usage, written: Option<(u64, u64)>) -> Usage {
    let hour = written
        .filter(|(short, hour)| usage.cache_write == short.checked_add(*hour))
        .map(|(_, hour)| hour)
        .filter(|hour| *hour > 0);
    Usage {
        cache_write_1h: usage.cache_write_1h.or(hour),
        ..usage
    }
}

/// What estimated tokens cost by a list, with nothing read from a cache.
fn estimated_cost(rates: &Rates, tokens: Estimate) -> Option<NanoUsd> {
    let sides = [
        (Bucket::Input, tokens.input.unwrap_or(0)),
        (Bucket::Output, tokens.output.unwrap_or(0)),
    ];
    rates.bill(&sides)
}

/// The rates of a span, whose model may be named by a span above it.
fn quote(span: &SpanRow, above: Option<&SpanRow>, desk: &mut PriceDesk) -> Quote {
    let Some(facts) = &span.facts else {
        return Quote::unknown();
    };
    let named = above.and_then(|above| above.facts.as_ref());
    let named = named.unwrap_or(facts);
    let call = Priced {
        provider: facts.provider.as_deref().or(named.provider.as_deref()),
        response_model: named.model.as_deref(),
        request_model: named.request_model.as_deref(),
        at: span.start,
        terms: Terms {
            service_tier: facts.service_tier.as_deref(),
            batch: facts.batch,
        },
        loopback: facts.loopback,
    };
    desk.quote(&call, span.received_micros)
}
