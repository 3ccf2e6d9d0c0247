//! Parameters and replies of the ledger and of prices.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use clew_core::price::{CustomPrice, PriceProfile};
use clew_core::trace::{Estimated, LedgerRow};

use super::{TimeRange, TraceFilter};

/// Which entries of the ledger, newest first. All that is stated must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerFilter {
    /// The traces that they are part of; its order, cursor and limit say nothing here.
    pub traces: TraceFilter,
    /// When the span itself started.
    pub calls: TimeRange,
    /// The span's own model.
    #[ts(optional)]
    pub model: Option<String>,
    /// The name of the prompt template behind the call, as `list_prompts` has it.
    #[ts(optional)]
    pub prompt: Option<String>,
    /// Its version, as `list_prompts` has it: empty where neither a version nor a text is stated.
    #[ts(optional)]
    pub prompt_version: Option<String>,
    /// The feature or kind of task that the call serves.
    #[ts(optional)]
    pub feature: Option<String>,
    /// The end user of the trace.
    #[ts(optional)]
    pub user: Option<String>,
    /// Only entries that count in totals.
    pub counted: bool,
    /// Where the page before ended ([`LedgerPage::next`]).
    pub cursor: Option<String>,
    /// Rows in a page, 1 to 5,000; 0 is 50.
    pub limit: u32,
}

/// Which calls, and on which other models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct WhatIf {
    /// The entries; what counts in no total is left out, and cursor and limit say nothing here. More than 200,000 are
    /// refused.
    pub filter: LedgerFilter,
    /// Models as the price book names them, with or without a provider before a slash; at most 8 of up to 200 characters.
    pub models: Vec<String>,
}

/// Which entries of one trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetLedger {
    /// 32 hex digits.
    pub trace_id: String,
    /// Source; 0 is live telemetry.
    #[serde(default)]
    pub source: i64,
    /// Only the entry of this span, 16 hex digits: none where the span states neither usage nor a cost and calls no model.
    #[serde(default)]
    #[ts(optional)]
    pub span_id: Option<String>,
}

/// Sums over entries that count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LedgerSums {
    /// Prompt tokens, cached ones included.
    pub input_tokens: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output_tokens: Option<u64>,
    /// Prompt tokens that were read from cache.
    pub cached_tokens: Option<u64>,
    /// Nano-dollars of all calls whose price is known; `null` where none is.
    pub cost_nanos: Option<u64>,
    /// Tokens whose price is not known; they are not in the cost.
    pub unpriced_tokens: u64,
    /// What calls may have used that state nothing; in none of the other sums. `null` where nothing was counted.
    pub estimated: Option<Estimated>,
    /// Model calls, each once.
    pub calls: u64,
}

/// A page of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct LedgerPage {
    /// The entries.
    pub rows: Vec<LedgerRow>,
    /// Sums over all entries that match, not over this page alone; calls that count in a trace outside are not in them.
    pub sums: LedgerSums,
    /// Entries that match.
    pub total: u64,
    /// Cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

/// A price book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PriceBook {
    /// Where its data comes from.
    pub source: String,
    /// The version of that.
    pub version: String,
    /// The day on which it was made, as `2026-11-21`.
    pub date: String,
    /// The licence of its data.
    pub licence: String,
    /// Models that it lists.
    pub models: u64,
}

/// Which price book holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum BookChoice {
    /// The one that holds already.
    #[default]
    Held,
    /// The one that comes with Clew.
    Vendored,
    /// One in a file: JSON as `cargo xtask prices` writes it.
    File {
        /// The host's token of the file.
        token: String,
    },
}

/// The prices that hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Prices {
    /// The book that holds for calls that come now; `null` where it could not be read.
    pub book: Option<PriceBook>,
    /// Whether it is the one that comes with Clew.
    pub is_vendored: bool,
    /// What is used in place of the book.
    pub profile: PriceProfile,
    /// The user's own prices.
    pub custom: Vec<CustomPrice>,
    /// Microseconds since the epoch from which calls have these prices; 0 for all of history.
    pub since_micros: u64,
    /// Whether earlier calls keep prices that were decided before.
    pub is_history_older: bool,
    /// Whether the last decision priced all of history anew and can be taken back.
    pub can_undo: bool,
}

/// Decides what prices calls have that are received from now on. Earlier ones keep theirs ([`crate::api`]:
/// `reprice_history`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPrices {
    /// What is used in place of the book.
    pub profile: PriceProfile,
    /// The user's own prices.
    pub custom: Vec<CustomPrice>,
    /// The book.
    #[serde(default)]
    pub book: BookChoice,
}
