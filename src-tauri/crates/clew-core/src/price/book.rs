//! The price book: dated prices of providers' models, and the rules by which names are matched to them.
//!
//! The vendored book is made by `cargo xtask prices` from the data of genai-prices (MIT). Its rules: a provider is found
//! by its name, else by what the model's name gives away; then the first of its models whose clause holds; then those of
//! the providers whose models it also serves.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, NaiveDate, Timelike};
use serde::{Deserialize, Deserializer};

use super::clause::Clause;
use super::rate::Rates;
use crate::model::{Bucket, UnixNanos};

/// The book that comes with Clew.
static VENDORED: LazyLock<Option<Arc<Book>>> =
    LazyLock::new(|| Book::read(include_str!("book.json")).ok().map(Arc::new));

/// Dated prices of many providers' models.
#[derive(Debug, Clone, Deserialize)]
pub struct Book {
    /// Where its data comes from ("genai-prices").
    pub source: String,
    /// The version of that.
    pub version: String,
    /// The day on which the book was made, as `2026-11-21`.
    pub date: String,
    /// The licence of its data.
    pub licence: String,
    /// The address of its source; shown, never fetched.
    pub url: String,
    providers: Vec<Provider>,
}

/// Who serves models.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    id: String,
    #[serde(rename = "match")]
    named: Option<Clause>,
    model_match: Option<Clause>,
    fallback: Vec<String>,
    models: Vec<Model>,
}

/// A model and its prices.
#[derive(Debug, Clone, Deserialize)]
struct Model {
    id: String,
    #[serde(rename = "match")]
    named: Clause,
    window: Option<u64>,
    prices: Vec<Dated>,
    variants: Vec<Variant>,
}

/// Prices and when they hold.
#[derive(Debug, Clone, Deserialize)]
struct Dated {
    #[serde(rename = "from", deserialize_with = "day")]
    since: Option<NaiveDate>,
    /// Minutes of the UTC day: from the first, to before the second, over midnight where that is smaller.
    daily: Option<(u32, u32)>,
    rates: Rates,
}

/// Prices for certain requests, which stand in for the standard ones.
#[derive(Debug, Clone, Deserialize)]
struct Variant {
    when: std::collections::BTreeMap<String, String>,
    #[serde(flatten)]
    dated: Dated,
}

/// How a request was served, as far as prices depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Terms<'a> {
    /// The tier that served it (`flex`, `priority`, ...), as the provider states it.
    pub service_tier: Option<&'a str>,
    /// Whether it was part of a batch.
    pub batch: bool,
}

/// An entry of one book: where it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    provider: usize,
    model: usize,
    /// Whether the provider that was asked for sells it itself.
    own: bool,
}

/// What a book says of a model at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The book's id of the provider whose list it is.
    pub provider: String,
    /// The book's id of the model.
    pub model: String,
    /// The rates.
    pub rates: Rates,
    /// The day from which they hold, where the book says so, as `2026-10-12`.
    pub since: Option<String>,
    /// Whether they are those of the request's tier or batch.
    pub special: bool,
    /// The most tokens that the model reads, where the book says so.
    pub window: Option<u64>,
}

/// Our names of providers, where the book's rules do not know them, and the book's ids.
const ALIASES: &[(&str, &str)] = &[
    ("aws.bedrock", "aws"),
    ("azure.ai.inference", "azure"),
    ("azure.ai.openai", "azure"),
    ("gcp.gemini", "google"),
    ("gcp.gen_ai", "google"),
    ("gcp.vertex_ai", "google"),
    ("mistral_ai", "mistral"),
    ("moonshot_ai", "moonshotai"),
    ("together_ai", "together"),
    ("x_ai", "x-ai"),
];

/// Providers whose models' names have an owner before a slash.
const WITH_OWNERS: &[&str] = &[
    "openrouter",
    "together",
    "novita",
    "groq",
    "baseten",
    "cloudflare",
    "fireworks",
    "quicksilverpro",
    "doubleword",
];

impl Book {
    /// Reads a book from its JSON.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The book that comes with Clew; it is read once, when it is first asked for.
    #[must_use]
    pub fn vendored() -> Option<Arc<Self>> {
        VENDORED.clone()
    }

    /// How many models it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.providers
            .iter()
            .map(|provider| provider.models.len())
            .sum()
    }

    /// Whether it lists no model.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which entry prices the calls of `model` at `provider` (by its one name, where it is known); `None` where the book
    /// does not list it. It does not depend on the time, so it may be kept.
    ///
    /// A name such as `azure/gpt-4o` names the provider before the slash, unless the provider's own names have owners.
    /// A provider that the book does not know sells its makers' models at the makers' prices.
    #[must_use]
    pub fn locate(&self, provider: Option<&str>, model: &str) -> Option<Located> {
        let model = model.trim().to_lowercase();
        let stated = provider.and_then(|provider| self.provider(&provider.to_lowercase()));
        if let Some(seller) = stated
            && let Some(located) = self.list(seller, &model)
        {
            return Some(located);
        }
        if let Some((owner, rest)) = model.split_once('/') {
            let has_owners = stated
                .and_then(|known| self.providers.get(known))
                .is_some_and(|known| WITH_OWNERS.contains(&known.id.as_str()));
            let named = self.provider(owner).filter(|_| !has_owners)?;
            // One step less each time: routers' names nest, as in `openrouter/openai/gpt-4o`.
            return self.locate(Some(&self.providers.get(named)?.id), rest);
        }
        let maker = self.providers.iter().position(|provider| {
            provider
                .model_match
                .as_ref()
                .is_some_and(|clause| clause.holds(&model))
        });
        self.list(maker.filter(|_| stated.is_none())?, &model)
    }

    /// What a located entry says of a call at a time; `None` for an entry of another book.
    #[must_use]
    pub fn listed(&self, located: Located, at: UnixNanos, terms: Terms) -> Option<Listed> {
        let provider = self.providers.get(located.provider)?;
        // Another provider's list says nothing of this one's tiers.
        let terms = if located.own { terms } else { Terms::default() };
        let model = provider.models.get(located.model)?;
        Some(model.listed(&provider.id, at, terms))
    }

    fn provider(&self, name: &str) -> Option<usize> {
        let name = ALIASES
            .iter()
            .find(|(ours, _)| *ours == name)
            .map_or(name, |(_, theirs)| *theirs);
        let by_id = self.with_id(name);
        by_id.or_else(|| {
            self.providers.iter().position(|provider| {
                provider
                    .named
                    .as_ref()
                    .is_some_and(|clause| clause.holds(name))
            })
        })
    }

    fn with_id(&self, id: &str) -> Option<usize> {
        self.providers.iter().position(|provider| provider.id == id)
    }

    fn list(&self, provider: usize, model: &str) -> Option<Located> {
        let dashed = with_dashes(model);
        [Some(model), dashed.as_deref()]
            .into_iter()
            .flatten()
            .find_map(|name| self.entry(provider, name))
    }

    /// A provider's entry of a model: its own, else that of a provider whose models it also serves.
    fn entry(&self, seller: usize, model: &str) -> Option<Located> {
        let of = |provider: usize| {
            let models = &self.providers.get(provider)?.models;
            Some(Located {
                provider,
                model: models.iter().position(|listed| listed.named.holds(model))?,
                own: provider == seller,
            })
        };
        of(seller).or_else(|| {
            let others = self.providers.get(seller)?.fallback.iter();
            others.filter_map(|id| self.with_id(id)).find_map(of)
        })
    }
}

impl Model {
    fn listed(&self, seller: &str, at: UnixNanos, terms: Terms) -> Listed {
        let moment = Moment::of(at);
        // The last that holds; where none does, the first.
        let standard = self.prices.iter().rev().find(|dated| dated.holds(moment));
        let standard = standard.or(self.prices.first());
        let mut rates = standard
            .map(|dated| dated.rates.clone())
            .unwrap_or_default();
        let mut since = standard.and_then(|dated| dated.since);
        let mut special = false;
        let asked = |key: &str| match key {
            "service_tier" => terms.service_tier,
            "processing" => terms.batch.then_some("batch"),
            _ => None,
        };
        let mut set = Vec::new();
        for variant in &self.variants {
            let meant = variant
                .when
                .iter()
                .all(|(key, value)| asked(key) == Some(value));
            if !meant || !variant.dated.holds(moment) {
                continue;
            }
            for bucket in Bucket::ALL {
                if let Some(rate) = variant.dated.rates.own(bucket)
                    && !set.contains(&bucket)
                {
                    set.push(bucket);
                    rates.set(bucket, rate.clone());
                    since = variant.dated.since;
                    special = true;
                }
            }
        }
        Listed {
            provider: seller.to_owned(),
            model: self.id.clone(),
            rates,
            since: since.map(|day| day.to_string()),
            special,
            window: self.window,
        }
    }
}

impl Dated {
    fn holds(&self, moment: Moment) -> bool {
        let begun = self.since.is_none_or(|since| moment.day >= since);
        let open = self.daily.is_none_or(|(from, to)| {
            if to < from {
                moment.minute >= from || moment.minute < to
            } else {
                (from..to).contains(&moment.minute)
            }
        });
        begun && open
    }
}

/// A time as prices see it: the UTC day, and the minute of it.
#[derive(Debug, Clone, Copy)]
struct Moment {
    day: NaiveDate,
    minute: u32,
}

impl Moment {
    fn of(at: UnixNanos) -> Self {
        let at = DateTime::from_timestamp_nanos(i64::try_from(at.0).unwrap_or(i64::MAX));
        Self {
            day: at.date_naive(),
            minute: at.hour() * 60 + at.minute(),
        }
    }
}

fn day<'de, D: Deserializer<'de>>(source: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = Option::<String>::deserialize(source)?;
    let day = text.map(|text| text.parse().map_err(serde::de::Error::custom));
    day.transpose()
}

/// `gpt-5.2-20251211` as the book writes it, `gpt-5.2-2025-12-11`; `None` where there is no such date.
fn with_dashes(model: &str) -> Option<String> {
    let start = model
        .rmatch_indices("-20")
        .map(|(at, _)| at + 1)
        .find(|at| {
            let date = model.get(*at..at + 8);
            let ends = matches!(model.as_bytes().get(at + 8), None | Some(b'-' | b':'));
            ends && date.is_some_and(|date| NaiveDate::parse_from_str(date, "%Y%m%d").is_ok())
        })?;
    let (head, date) = model.split_at(start);
    let (year, month, rest) = (&date[..4], &date[4..6], &date[6..]);
    Some(format!("{head}{year}-{month}-{rest}"))
}
