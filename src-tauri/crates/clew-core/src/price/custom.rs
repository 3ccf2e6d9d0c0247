//! Prices that the user typed in, which stand before any list.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

use super::rate::{PerToken, Rate, Rates};
use crate::model::{Bucket, UnixNanos};

/// A price of the user's own, in US dollars a million tokens, written as a decimal number ("2.5").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomPrice {
    /// The provider for which it holds, by its one name; any where absent.
    pub provider: Option<String>,
    /// The models for which it holds: a name in which `*` stands for anything ("gpt-4o*").
    pub model: String,
    /// The day (UTC) from which it holds, as `2026-10-12`; always where absent.
    pub since: Option<String>,
    /// Of prompt tokens.
    pub input: String,
    /// Of output tokens.
    pub output: String,
    /// Of prompt tokens read from cache; as `input` where absent.
    pub cache_read: Option<String>,
    /// Of prompt tokens written to cache; as `input` where absent.
    pub cache_write: Option<String>,
    /// Of reasoning tokens; as `output` where absent.
    pub reasoning: Option<String>,
}

/// Why a typed price cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidPrice {
    /// A price is not a number of dollars.
    #[error("{field} of {model:?} is {text:?}: write dollars per million tokens, such as 2.5")]
    Amount {
        /// The model's pattern.
        model: String,
        /// Which price.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// The day is not one.
    #[error("the price of {model:?} begins on {text:?}: write a day such as 2026-10-12")]
    Day {
        /// The model's pattern.
        model: String,
        /// What stands there.
        text: String,
    },
    /// No model is named.
    #[error("a price names no model: write a model's name, or * for all")]
    Model,
}

impl CustomPrice {
    /// Whether everything in it can be read.
    ///
    /// # Errors
    /// The first field that cannot.
    pub fn check(&self) -> Result<(), InvalidPrice> {
        if self.model.trim().is_empty() {
            return Err(InvalidPrice::Model);
        }
        for (field, text) in self.amounts() {
            if PerToken::from_per_million(text.trim()).is_none() {
                return Err(InvalidPrice::Amount {
                    model: self.model.clone(),
                    field,
                    text: text.to_owned(),
                });
            }
        }
        match &self.since {
            Some(text) if text.parse::<NaiveDate>().is_err() => Err(InvalidPrice::Day {
                model: self.model.clone(),
                text: text.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The rates; a price that cannot be read is left out.
    #[must_use]
    pub fn rates(&self) -> Rates {
        let mut rates = Rates::default();
        for (field, text) in self.amounts() {
            let bucket = Bucket::ALL
                .into_iter()
                .find(|bucket| bucket.name() == field);
            if let (Some(bucket), Some(price)) = (bucket, PerToken::from_per_million(text.trim())) {
                rates.set(bucket, Rate::flat(price));
            }
        }
        rates
    }

    /// The buckets' names and prices.
    fn amounts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            (Bucket::Input.name(), Some(self.input.as_str())),
            (Bucket::Output.name(), Some(self.output.as_str())),
            (Bucket::CacheRead.name(), self.cache_read.as_deref()),
            (Bucket::CacheWrite.name(), self.cache_write.as_deref()),
            (Bucket::Reasoning.name(), self.reasoning.as_deref()),
        ]
        .into_iter()
        .filter_map(|(field, text)| Some((field, text?)))
    }

    fn day(&self) -> Option<NaiveDate> {
        self.since.as_ref()?.parse().ok()
    }
}

/// The user's price of a call: of those that match, the one with the latest day, and of these the last.
pub(super) fn matching<'a>(
    prices: &'a [CustomPrice],
    provider: Option<&str>,
    model: &str,
    at: UnixNanos,
) -> Option<&'a CustomPrice> {
    let nanos = i64::try_from(at.0).unwrap_or(i64::MAX);
    let day = chrono::DateTime::from_timestamp_nanos(nanos).date_naive();
    prices
        .iter()
        .filter(|price| {
            let same = |stated: &String| {
                provider.is_some_and(|provider| provider.eq_ignore_ascii_case(stated.trim()))
            };
            price.provider.as_ref().is_none_or(same)
                && is_like(&price.model.trim().to_lowercase(), &model.to_lowercase())
                && price.day().is_none_or(|since| since <= day)
        })
        .max_by_key(|price| price.day())
}

/// Whether a name is like a pattern, in which `*` stands for anything.
fn is_like(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
