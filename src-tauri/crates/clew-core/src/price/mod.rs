//! Prices: what a model call cost, from whose list, and since when.
//!
//! In order of trust: what the span states, the user's own prices, the chosen profile or the book at the time of the call,
//! a model that runs on this machine, unknown. Unknown is never zero.

mod book;
mod clause;
mod custom;
mod profile;
mod rate;

#[cfg(test)]
mod tests;

pub use book::{Book, Listed, Terms};
pub use custom::{CustomPrice, InvalidPrice};
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

/// Providers that are programs on the user's own machine.
const LOCAL: &[&str] = &[
    "ollama",
    "vllm",
    "llama.cpp",
    "llama_cpp",
    "llamacpp",
    "llamafile",
    "lmstudio",
    "lm_studio",
    "localai",
    "mlx",
    "transformers",
];

/// All prices that hold: the book, the profile that was chosen, and the user's own.
#[derive(Debug, Clone, Copy)]
pub struct Prices<'a> {
    /// The price book.
    pub book: Option<&'a Book>,
    /// What is used in place of the book.
    pub profile: PriceProfile,
    /// The user's prices; of those that match, the one with the latest day holds, and of these the last.
    pub custom: &'a [CustomPrice],
}

impl Prices<'_> {
    /// The rates of a call.
    ///
    /// The model that answered is looked for first, because it is the exact one; then the one that was asked for.
    #[must_use]
    pub fn quote(&self, call: &Priced) -> Quote {
        let names = || {
            [call.response_model, call.request_model]
                .into_iter()
                .flatten()
        };
        let listed = self.book.and_then(|book| {
            names().find_map(|model| book.find(call.provider, model, call.at, call.terms))
        });
        let window = listed.as_ref().and_then(|listed| listed.window);
        let quote = |source, rates| Quote {
            source,
            rates,
            window,
        };
        let custom =
            names().find_map(|model| custom::matching(self.custom, call.provider, model, call.at));
        if let Some(custom) = custom {
            let source = PriceSource::Custom {
                model: custom.model.clone(),
                since: custom.since.clone(),
            };
            return quote(source, Some(custom.rates()));
        }
        let is_local = call.provider.is_some_and(|provider| {
            let provider = provider.to_lowercase();
            LOCAL.iter().any(|local| {
                provider.split(['.', '/', ':']).any(|part| part == *local) || provider == *local
            })
        });
        if is_local {
            return quote(PriceSource::Local, Some(Rates::free()));
        }
        let profile = self.profile;
        if let Some(rates) = names().next().and_then(|model| profile.rates(model)) {
            return quote(PriceSource::Profile { profile }, Some(rates));
        }
        match (listed, self.book) {
            (Some(listed), Some(book)) => {
                let source = PriceSource::Book {
                    provider: listed.provider,
                    model: listed.model,
                    since: listed.since,
                    special: listed.special,
                    book: format!("{} {} ({})", book.source, book.version, book.date),
                };
                quote(source, Some(listed.rates))
            }
            _ if call.loopback => quote(PriceSource::Local, Some(Rates::free())),
            _ => quote(PriceSource::Unknown, None),
        }
    }
}
