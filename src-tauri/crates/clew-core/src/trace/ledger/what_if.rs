//! What the calls of the ledger would have cost otherwise: on another model, without the provider's cache, in a batch.
//!
//! Tokens are taken as they were; whether another model would have used as many, or answered as well, is not known. What a
//! cache could have saved beyond what it did depends on which prompts begin alike, and when; what is told is the least
//! that it could have left to pay.

mod figures;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use self::figures::{Told, Totals};
use super::{LedgerCost, LedgerLine, LedgerRow, LedgerStanding, is_call, words};
use crate::model::{Bucket, NanoUsd, Operation, UnixNanos};
use crate::price::{PerToken, PriceDesk, PriceSource, Rates};

/// Rows of a table at most; the totals are over all.
const ROWS: usize = 500;

/// What calls would have cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfAmount {
    /// Nano-dollars of all calls that state tokens; `null` where there is none, or one of them is left out.
    pub nanos: Option<u64>,
    /// The difference to the cost as a share of it: -0.4 is 40 % less. `null` where the amount or a part of the cost is
    /// not known, or the cost is nothing.
    pub change: Option<f64>,
    /// Calls whose amount is not known.
    pub left_out: u64,
}

/// What calls would have cost on one other model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfModelAmount {
    /// The amount.
    pub amount: WhatIfAmount,
    /// Whether the largest prompt fits into the model's window; `null` where one of them is not known.
    pub fits: Option<bool>,
}

/// Calls that count, and what they would have cost otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfFigures {
    /// Calls whose tokens count, those that state none among them. A span that tells of several calls at once is one.
    pub calls: u64,
    /// Of these, calls that state neither tokens nor a cost; they are in no other figure.
    pub unstated_calls: u64,
    /// Calls whose cost a span states: what stands beside it is by list prices nevertheless.
    pub stated_calls: u64,
    /// Calls that state tokens and have no known cost of their own.
    pub unpriced_calls: u64,
    /// Prompt tokens, cached ones included; `null` where no call states any.
    pub input_tokens: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output_tokens: Option<u64>,
    /// Prompt tokens that were read from cache.
    pub cached_tokens: Option<u64>,
    /// Tokens of the largest prompt of one call to a language model.
    pub largest_prompt: Option<u64>,
    /// Nano-dollars, as they stand in the ledger, of all entries whose cost is known; `null` where none is.
    pub cost_nanos: Option<u64>,
    /// Without a cache: cached tokens, read or written, at the price of other prompt tokens. What the list makes of that
    /// difference is added to the cost.
    pub uncached: WhatIfAmount,
    /// With every prompt token read from cache, at that price: no cache makes it less. Calls to anything but language
    /// models cost what they cost.
    pub all_cached: WhatIfAmount,
    /// At the book's prices for batches.
    pub batch: WhatIfAmount,
    /// On each model that was asked for, in that order.
    pub models: Vec<WhatIfModelAmount>,
}

/// Calls of one feature to one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfRow {
    /// The feature or kind of task that they serve; `null` where none is stated.
    pub feature: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// Who served it.
    pub provider: Option<String>,
    /// Their figures.
    pub figures: WhatIfFigures,
}

/// A model that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfModel {
    /// Its name as it was asked for.
    pub name: String,
    /// The price list that has it, and since when the price holds that the newest call would have had, in words; `null`
    /// where no list names it.
    pub price_list: Option<String>,
    /// The most tokens that it reads, where the book says so.
    pub window: Option<u64>,
}

/// What calls cost, by feature and model, and what they would have cost otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfTable {
    /// The models that were asked for.
    pub models: Vec<WhatIfModel>,
    /// By feature, model and provider, the dearest first; at most 500.
    pub rows: Vec<WhatIfRow>,
    /// How many rows there would be without that limit.
    pub total: u64,
    /// The figures of all calls.
    pub totals: WhatIfFigures,
}

/// Feature, model and provider.
type Group = (Option<String>, Option<String>, Option<String>);

/// Sums entries up, one by one, to a [`WhatIfTable`].
#[derive(Debug)]
pub struct WhatIfSheet {
    desk: PriceDesk,
    models: Vec<String>,
    groups: BTreeMap<Group, Totals>,
    totals: Totals,
    newest: UnixNanos,
}

impl WhatIfSheet {
    /// An empty sheet with a column for each of `models`: names as the price book has them, with or without a provider
    /// before a slash ("gpt-4o-mini", "groq/llama-3.1-8b-instant").
    #[must_use]
    pub fn new(desk: PriceDesk, models: Vec<String>) -> Self {
        Self {
            desk,
            totals: Totals::new(models.len()),
            models,
            groups: BTreeMap::new(),
            newest: UnixNanos(0),
        }
    }

    /// Adds an entry; one that counts in no total is passed over.
    pub fn add(&mut self, row: &LedgerRow) {
        let told = match row.standing {
            LedgerStanding::Counted => self.told(row),
            LedgerStanding::CostOnly => Told::cost_only(row.cost_nanos.map(NanoUsd)),
            LedgerStanding::Below { .. }
            | LedgerStanding::Above { .. }
            | LedgerStanding::SameResponse { .. }
            | LedgerStanding::SameCall { .. }
            | LedgerStanding::Elsewhere { .. } => return,
        };
        let group = (row.feature.clone(), row.model.clone(), row.provider.clone());
        let columns = self.models.len();
        self.groups
            .entry(group)
            .or_insert_with(|| Totals::new(columns))
            .add(&told);
        self.totals.add(&told);
        self.newest = self.newest.max(start(row));
    }

    /// The table of all that was added.
    #[must_use]
    pub fn table(mut self) -> WhatIfTable {
        let newest = self.newest;
        let quotes: Vec<_> = self
            .models
            .iter()
            .map(|name| self.desk.quote_other(name, newest))
            .collect();
        let windows: Vec<Option<u64>> = quotes.iter().map(|quote| quote.window).collect();
        let models = self.models.into_iter().zip(quotes);
        let models = models.map(|(name, quote)| WhatIfModel {
            name,
            price_list: (quote.source != PriceSource::Unknown).then(|| words::list(&quote.source)),
            window: quote.window,
        });
        let groups = self.groups.into_iter();
        let mut rows: Vec<WhatIfRow> = groups
            .map(|((feature, model, provider), totals)| WhatIfRow {
                feature,
                model,
                provider,
                figures: totals.figures(&windows),
            })
            .collect();
        // The order of equal ones is that of their names.
        rows.sort_by_key(|row| Reverse(row.figures.cost_nanos));
        let total = rows.len() as u64;
        rows.truncate(ROWS);
        WhatIfTable {
            models: models.collect(),
            rows,
            total,
            totals: self.totals.figures(&windows),
        }
    }

    /// What a call says that counts, and what it would have cost.
    fn told(&mut self, row: &LedgerRow) -> Told {
        let at = start(row);
        let counts: Vec<(Bucket, u64)> = row
            .lines
            .iter()
            .filter_map(|line| Some((line.bucket?, line.count)))
            .filter(|(bucket, _)| *bucket != Bucket::Request)
            .collect();
        let batch = row.model.as_deref().and_then(|model| {
            self.desk
                .batch(row.provider.as_deref(), model, &row.price, at)
        });
        let all_cached = self.all_cached(row);
        let models = self.models.iter().map(|name| {
            let rates = self.desk.quote_other(name, at).rates?;
            bill(&rates, row.operation, &counts).filter(|_| stands_in(&rates, row.operation))
        });
        let models = models.collect();
        let cached = counts
            .iter()
            .find(|(bucket, _)| *bucket == Bucket::CacheRead);
        Told {
            is_call: true,
            is_stated: matches!(
                row.cost,
                LedgerCost::Stated { .. } | LedgerCost::Logged { .. }
            ),
            cost: row.cost_nanos.map(NanoUsd),
            input: row.input_tokens,
            output: row.output_tokens,
            cached: cached.map(|(_, count)| *count),
            prompt: row.input_tokens.filter(|_| row.operation == Operation::Llm),
            uncached: uncached(row),
            all_cached,
            batch: batch.and_then(|rates| bill(&rates, row.operation, &counts)),
            models,
            has_tokens: !counts.is_empty(),
        }
    }
}

impl WhatIfSheet {
    /// What a call would have cost if its whole prompt had come from cache: its cost, and what the list makes of the
    /// difference. `None` where one of these is not known, or the list has no price for that.
    fn all_cached(&mut self, row: &LedgerRow) -> Option<NanoUsd> {
        let cost = NanoUsd(row.cost_nanos?);
        let is_prompt = |line: &&LedgerLine| {
            let bucket = line.bucket;
            bucket == Some(Bucket::Input) || is_cached(line)
        };
        let mut prompt = row.lines.iter().filter(is_prompt).peekable();
        if cost == NanoUsd::ZERO || row.operation != Operation::Llm || prompt.peek().is_none() {
            return Some(cost);
        }
        let mut counts: Vec<(Bucket, u64)> = Vec::new();
        let mut listed = 0_u64;
        for line in prompt {
            counts.push((line.bucket?, line.count));
            listed = listed.saturating_add(line.listed_nanos?);
        }
        let tokens = counts.iter().map(|(_, count)| *count).sum();
        let (provider, model) = (row.provider.as_deref(), row.model.as_deref()?);
        let rates = self
            .desk
            .listed_rates(provider, model, &row.price, start(row))?;
        rates.own(Bucket::CacheRead)?;
        // A call on other terms, in a batch or on another tier, had other prices: those of its cache are not known here.
        rates.bill(&counts).filter(|again| again.0 == listed)?;
        let cached = rates.bill(&[(Bucket::CacheRead, tokens)])?;
        // A cost that was stated below what the list makes of the prompt leaves nothing to take that from.
        let least = cost.0.saturating_add(cached.0).checked_sub(listed)?;
        Some(NanoUsd(least.min(cost.0)))
    }
}

fn start(row: &LedgerRow) -> UnixNanos {
    UnixNanos(row.start_micros.saturating_mul(1_000))
}

/// What tokens cost at these rates, and the call itself where calls are billed; `None` where there are none.
fn bill(rates: &Rates, operation: Operation, counts: &[(Bucket, u64)]) -> Option<NanoUsd> {
    if counts.is_empty() {
        return None;
    }
    let bills_calls = rates.own(Bucket::Request).is_some() && is_call(operation);
    let call = bills_calls.then_some((Bucket::Request, 1));
    let all: Vec<(Bucket, u64)> = counts.iter().copied().chain(call).collect();
    rates.bill(&all)
}

/// Whether a model can do what was asked: what bills output does not embed, and what has no price for output does not
/// answer. The book does not say more of what a model is for.
fn stands_in(rates: &Rates, operation: Operation) -> bool {
    let output = rates.own(Bucket::Output);
    match operation {
        Operation::Embedding | Operation::Reranker => {
            output.is_none_or(|rate| rate.price == PerToken(0))
        }
        _ => output.is_some(),
    }
}

/// Whether a line is of tokens that went to the cache or came from it.
fn is_cached(line: &LedgerLine) -> bool {
    matches!(
        line.bucket,
        Some(Bucket::CacheRead | Bucket::CacheWrite | Bucket::CacheWrite1h)
    )
}

/// What a call would have cost if its provider had cached nothing: its cost, and what the list makes of the difference
/// between the prompt's lines and one line of all their tokens at the price of input. `None` where one of these is not
/// known.
fn uncached(row: &LedgerRow) -> Option<NanoUsd> {
    let cost = row.cost_nanos?;
    let cached = row.lines.iter().filter(|line| is_cached(line));
    let tokens = cached
        .clone()
        .fold(0_u64, |sum, line| sum.saturating_add(line.count));
    if tokens == 0 {
        return Some(NanoUsd(cost));
    }
    let mut lines = row.lines.iter();
    let input = lines.find(|line| line.bucket == Some(Bucket::Input))?;
    let price = PerToken::from_per_million(input.price.as_deref()?)?;
    let with: u64 = cached
        .chain([input])
        .map(|line| line.listed_nanos)
        .try_fold(0_u64, |sum, nanos| Some(sum.saturating_add(nanos?)))?;
    let without = price.times(input.count.saturating_add(tokens)).0;
    Some(NanoUsd(cost.saturating_add(without).saturating_sub(with)))
}
