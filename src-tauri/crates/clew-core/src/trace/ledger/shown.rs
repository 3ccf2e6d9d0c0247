//! The ledger as views and files show it: each entry with the span that it came from.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::super::{SpanRow, TraceRows};
use super::{CostBasis, Entry, Estimated, Exclusion, Line, Standing, words};
use crate::estimate::Vocabulary;
use crate::model::{Bucket, NanoUsd, Operation, TraceId, UsageFault};
use crate::price::PriceSource;

/// Whether an entry counts in totals, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum LedgerStanding {
    /// Its tokens and cost count.
    Counted,
    /// Its stated cost counts, its tokens are counted at the calls below it.
    CostOnly,
    /// A span below states what it repeats.
    Below {
        /// That span, or one of several: 16 hex digits.
        span_id: String,
    },
    /// It states nothing itself; a span above states the sum of its calls.
    Above {
        /// That span.
        span_id: String,
    },
    /// Another span tells of the same response of the provider and says more.
    SameResponse {
        /// That span.
        span_id: String,
    },
    /// Another span of the same SDK tells of the same call and says more.
    SameCall {
        /// That span.
        span_id: String,
    },
    /// A span of another trace tells of the same response and says more.
    Elsewhere {
        /// The other trace: 32 hex digits.
        trace_id: String,
        /// The span there.
        span_id: String,
    },
}

/// Where a cost comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum LedgerCost {
    /// A span states it.
    Stated {
        /// The span: this one, or another one that tells of the same call.
        span_id: String,
    },
    /// Log records of a span state it, of the request that they name or of requests that no span names.
    Logged {
        /// That span: another one, or this one.
        span_id: String,
    },
    /// The price list.
    Listed,
    /// A span above states what all calls below it cost together.
    Above {
        /// That span.
        span_id: String,
    },
    /// A span below states it.
    Below {
        /// That span.
        span_id: String,
    },
    /// No list names the model: the price is not known.
    Unknown,
}

/// One line of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LedgerLine {
    /// What is counted; `null` for the cost that a span states.
    pub bucket: Option<Bucket>,
    /// How many: tokens, or calls where calls are billed.
    pub count: u64,
    /// US dollars a million as a decimal number; `null` where no list tells a price.
    pub price: Option<String>,
    /// The bucket whose price it is, where that is a wider kind.
    pub priced_as: Option<Bucket>,
    /// Nano-dollars by the list's price; `null` where no list tells one.
    pub listed_nanos: Option<u64>,
    /// Nano-dollars that count in the entry's cost; `null` where they do not.
    pub amount_nanos: Option<u64>,
}

/// Tokens counted in what is recorded of a call that states none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEstimate {
    /// The counts and what they would cost.
    #[serde(flatten)]
    pub tokens: Estimated,
    /// The vocabulary that they were counted with ("o200k_base").
    pub vocabulary: Vocabulary,
}

/// One entry of the ledger: a span that states usage or a cost, or is a model call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LedgerRow {
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// 0 for live telemetry, else the opened file's source id.
    pub source: i64,
    /// The span's display name.
    pub name: String,
    /// What kind of step it is.
    pub operation: Operation,
    /// `service.name`.
    pub service: String,
    /// Microseconds since the epoch of its start: the time whose prices hold.
    pub start_micros: u64,
    /// Who served it.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The span above that states the model, where this one names none: 16 hex digits.
    pub model_from: Option<String>,
    /// The provider's id of the response.
    pub response_id: Option<String>,
    /// The feature or kind of task that it serves, as it or the nearest span above states it.
    pub feature: Option<String>,
    /// Whether it counts, and if not, why.
    pub standing: LedgerStanding,
    /// Its lines.
    pub lines: Vec<LedgerLine>,
    /// Nano-dollars that it adds to totals: the sum of its lines; `null` where it adds none or the price is not known.
    pub cost_nanos: Option<u64>,
    /// Where its cost comes from.
    pub cost: LedgerCost,
    /// Nano-dollars that a span states.
    pub stated_nanos: Option<u64>,
    /// Nano-dollars by list prices, where all lines have one.
    pub listed_nanos: Option<u64>,
    /// Whether both are known and differ by more than 1 % of the listed cost.
    pub disagrees: bool,
    /// The price list, and since when its prices hold.
    pub price: PriceSource,
    /// The most tokens that the model reads, where the book says so.
    pub window: Option<u64>,
    /// What cannot be in its figures.
    pub faults: Vec<UsageFault>,
    /// Prompt tokens of its lines; `null` where there is none.
    pub input_tokens: Option<u64>,
    /// Generated tokens of its lines; `null` where there is none.
    pub output_tokens: Option<u64>,
    /// How much of the prompt was read from cache, 0 to 1; `null` where the one or the other is not stated.
    pub cached_share: Option<f64>,
    /// How much of the model's window the prompt fills, 0 to 1 and above; `null` where one of them is not known.
    pub window_share: Option<f64>,
    /// What it may have used, where no span states that; in no other figure.
    pub estimate: Option<LedgerEstimate>,
    /// Why it counts in no total, in words; `null` where it counts.
    pub reason: Option<String>,
    /// Where its cost comes from, in words; where it counts in no total a whole sentence ("Not counted. The span states
    /// $0.01; by list $0.02 (…)").
    pub cost_source: String,
    /// The price list and since when its price holds, in words; `null` where no list names the model.
    pub price_list: Option<String>,
    /// What is odd about it, in sentences: figures that cannot be, a stated cost that the list does not make.
    pub notes: Vec<String>,
}

impl LedgerRow {
    /// Leaves its call to a span of another trace ([`LedgerStanding::Elsewhere`]).
    pub fn leave_to(&mut self, other: LedgerStanding) {
        self.standing = other;
        self.reason = words::reason(self).map(ToOwned::to_owned);
        self.cost_nanos = None;
        self.estimate = None;
        for line in &mut self.lines {
            line.amount_nanos = None;
        }
        self.cost_source = words::source(self);
    }
}

/// The entries of a trace, in pre-order.
#[must_use]
pub fn ledger_rows(trace_id: TraceId, source: i64, trace: &TraceRows) -> Vec<LedgerRow> {
    let features = trace.features();
    let entries = trace.ledger().entries.iter();
    entries
        .map(|entry| LedgerRow {
            feature: features[entry.row].map(ToOwned::to_owned),
            ..shown(trace_id, source, trace.rows(), entry)
        })
        .collect()
}

fn shown(trace_id: TraceId, source: i64, rows: &[SpanRow], entry: &Entry) -> LedgerRow {
    let row = &rows[entry.row];
    let facts = row.facts.as_ref();
    let span = |row: usize| rows[row].span_id.to_string();
    let standing = match entry.standing {
        Standing::Counted => LedgerStanding::Counted,
        Standing::CostOnly => LedgerStanding::CostOnly,
        Standing::Excluded(why) => match why {
            Exclusion::Below(row) => LedgerStanding::Below { span_id: span(row) },
            Exclusion::Above(row) => LedgerStanding::Above { span_id: span(row) },
            Exclusion::SameResponse(row) => LedgerStanding::SameResponse { span_id: span(row) },
            Exclusion::SameCall(row) => LedgerStanding::SameCall { span_id: span(row) },
        },
    };
    let cost = match entry.cost.basis {
        CostBasis::Stated(row) => LedgerCost::Stated { span_id: span(row) },
        CostBasis::Logged(row) => LedgerCost::Logged { span_id: span(row) },
        CostBasis::Above(row) => LedgerCost::Above { span_id: span(row) },
        CostBasis::Below(row) => LedgerCost::Below { span_id: span(row) },
        CostBasis::Listed if entry.cost.source == PriceSource::Unknown => LedgerCost::Unknown,
        CostBasis::Listed => LedgerCost::Listed,
    };
    let counts = !matches!(entry.standing, Standing::Excluded(_));
    let nanos = |amount: Option<NanoUsd>| amount.map(|amount| amount.0);
    let (input, output) = (entry.tokens(false), entry.tokens(true));
    let named = entry
        .model_from
        .and_then(|above| rows[above].facts.as_ref());
    let named = named.or(facts);
    let mut shown = LedgerRow {
        trace_id: trace_id.to_string(),
        span_id: row.span_id.to_string(),
        source,
        name: row.title().to_owned(),
        operation: row.operation(),
        service: row.service.clone(),
        start_micros: row.start.micros(),
        provider: facts
            .and_then(|facts| facts.provider.clone())
            .or_else(|| named.and_then(|named| named.provider.clone())),
        model: named.and_then(|named| named.model.clone()),
        model_from: entry.model_from.map(span),
        response_id: facts.and_then(|facts| facts.response_id.clone()),
        feature: None,
        standing,
        lines: entry.lines.iter().map(|own| line(own, counts)).collect(),
        cost_nanos: nanos(entry.amount()),
        cost,
        stated_nanos: nanos(entry.cost.stated),
        listed_nanos: nanos(entry.cost.listed),
        disagrees: entry.cost.disagrees(),
        price: entry.cost.source.clone(),
        window: entry.cost.window,
        faults: entry.faults.clone(),
        input_tokens: input,
        output_tokens: output,
        cached_share: share(entry.bucket(Bucket::CacheRead), input),
        window_share: entry.window_share(),
        estimate: entry
            .estimated()
            .zip(entry.estimate)
            .map(|(tokens, call)| LedgerEstimate {
                tokens,
                vocabulary: call.tokens.vocabulary,
            }),
        reason: None,
        cost_source: String::new(),
        price_list: None,
        notes: Vec::new(),
    };
    shown.reason = words::reason(&shown).map(ToOwned::to_owned);
    shown.cost_source = words::source(&shown);
    shown.price_list = (shown.price != PriceSource::Unknown).then(|| words::list(&shown.price));
    shown.notes = words::notes(&shown);
    if facts.is_some_and(|facts| facts.is_partial) {
        shown.notes.push(words::PARTIAL.to_owned());
    }
    let counted_with = shown.estimate.as_ref().map(|estimate| estimate.vocabulary);
    shown.notes.extend(counted_with.map(words::estimated));
    shown
}

/// A part as a share of its whole; `None` where either is not known or the whole is nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with two or three digits"
)]
pub(in crate::trace) fn share(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    let whole = whole.filter(|&whole| whole > 0)?;
    Some(part? as f64 / whole as f64)
}

fn line(line: &Line, counts: bool) -> LedgerLine {
    LedgerLine {
        bucket: line.bucket,
        count: line.count,
        price: line.price.map(crate::price::PerToken::per_million),
        priced_as: line.priced_as.filter(|wider| Some(*wider) != line.bucket),
        listed_nanos: line.listed.map(|amount| amount.0),
        amount_nanos: line.amount.filter(|_| counts).map(|amount| amount.0),
    }
}
