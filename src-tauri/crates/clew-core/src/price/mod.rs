//! Prices: what a model call cost, from whose list, and since when.
//!
//! In order of trust: what the span states, the user's own prices, the chosen profile or the book at the time of the call,
//! a model that runs on this machine, unknown. Unknown is never zero.

mod book;
mod clause;
mod custom;
mod desk;
mod profile;
mod rate;

#[cfg(test)]
mod tests;

pub use book::{Book, Listed, Located, Terms};
pub use custom::{CustomPrice, InvalidPrice};
pub use desk::{PriceDesk, Revision};
pub use profile::PriceProfile;
pub use rate::{PerToken, Rate, Rates, Tier};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::UnixNanos;

/// Where the rates of a call come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PriceSource {
    /// A price that the user typed in.
    Custom {
        /// The pattern of models for which it was given.
        model: String,
        /// The day from which it holds, where one was given.
        since: Option<String>,
    },
    /// The price book.
    Book {
        /// The book's id of the provider.
        provider: String,
        /// The book's id of the model.
        model: String,
        /// The day from which the price holds, where the book says so.
        since: Option<String>,
        /// Whether it is the price of the request's service tier or batch.
        special: bool,
        /// The book: its source, version and date.
        book: String,
    },
    /// A seed's table.
    Profile {
        /// Which one.
        profile: PriceProfile,
    },
    /// The model runs on the user's own machine: it costs nothing.
    Local,
    /// No list names the model.
    Unknown,
}

/// What the price of a call depends on.
#[derive(Debug, Clone, Copy)]
pub struct Priced<'a> {
    /// Who served it, by its one name.
    pub provider: Option<&'a str>,
    /// The model that answered.
    pub response_model: Option<&'a str>,
    /// The model that was asked for.
    pub request_model: Option<&'a str>,
    /// When the call began.
    pub at: UnixNanos,
    /// How it was served.
    pub terms: Terms<'a>,
    /// Whether it was sent to an address of this machine.
    pub loopback: bool,
}

/// Rates, and where they come from; none where the price is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Where the rates come from.
    pub source: PriceSource,
    /// The rates.
    pub rates: Option<Rates>,
    /// The most tokens that the model reads, where the book says so.
    pub window: Option<u64>,
}

impl Quote {
    /// What is said of a call that no list names.
    #[must_use]
    pub const fn unknown() -> Self {
        Self {
            source: PriceSource::Unknown,
            rates: None,
            window: None,
        }
    }
}
