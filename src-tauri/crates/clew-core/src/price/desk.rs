//! The desk: every price that holds, asked call by call.

use std::collections::HashMap;
use std::sync::Arc;

use super::book::{Book, Listed, Located, Terms};
use super::custom::{self, CustomPrice};
use super::{PriceProfile, PriceSource, Priced, Quote, Rates};
use crate::model::UnixNanos;

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

/// Names that a desk remembers; programs use few, and hostile ones shall not fill the memory.
const REMEMBERED: usize = 4_096;

/// What the user decided about prices at one time. It holds for calls that were received from then on, so that figures
/// that were seen once do not change by themselves; one that begins at 0 prices all of history anew.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Microseconds since the epoch: it holds for calls received at or after this.
    pub since_micros: u64,
    /// The book; none where it could not be read.
    pub book: Option<Arc<Book>>,
    /// What is used in place of the book.
    pub profile: PriceProfile,
    /// The user's own prices; of those that match, the one with the latest day holds, and of these the last.
    pub custom: Vec<CustomPrice>,
}

impl Revision {
    /// What holds where the user decided nothing: the book that comes with Clew.
    #[must_use]
    pub fn vendored() -> Self {
        Self {
            since_micros: 0,
            book: Book::vendored(),
            profile: PriceProfile::Book,
            custom: Vec::new(),
        }
    }
}

/// All prices that hold. It remembers where names stand in the books.
#[derive(Debug, Clone)]
pub struct PriceDesk {
    revisions: Vec<Revision>,
    located: HashMap<Name, Option<Located>>,
}

/// What was looked for, and in which revision's book.
type Name = (usize, Option<String>, String);

impl Default for PriceDesk {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl PriceDesk {
    /// A desk with the user's revisions in the order in which they were made; of those that hold for a call, the last one
    /// counts, and where none does the book that comes with Clew.
    #[must_use]
    pub fn new(revisions: Vec<Revision>) -> Self {
        let mut all = vec![Revision::vendored()];
        all.extend(revisions);
        Self {
            revisions: all,
            located: HashMap::new(),
        }
    }

    /// The rates of a call that was received at a time, in microseconds since the epoch.
    ///
    /// In order of trust: the user's price, a model of the user's own machine, the chosen profile, the book. The model
    /// that answered is looked for first, because it is the exact one; then the one that was asked for.
    #[must_use]
    pub fn quote(&mut self, call: &Priced, received_micros: u64) -> Quote {
        let revision = self
            .revisions
            .iter()
            .rposition(|revision| revision.since_micros <= received_micros)
            .unwrap_or(0);
        let names = || {
            [call.response_model, call.request_model]
                .into_iter()
                .flatten()
        };
        let located = names().find_map(|model| self.locate(revision, call.provider, model));
        let Some(held) = self.revisions.get(revision) else {
            return Quote::unknown();
        };
        let book = held.book.as_deref();
        let listed = book
            .zip(located)
            .and_then(|(book, located)| book.listed(located, call.at, call.terms));
        let window = listed.as_ref().and_then(|listed| listed.window);
        let quote = |source, rates| Quote {
            source,
            rates,
            window,
        };
        let custom =
            names().find_map(|model| custom::matching(&held.custom, call.provider, model, call.at));
        if let Some(custom) = custom {
            let source = PriceSource::Custom {
                model: custom.model.clone(),
                since: custom.since.clone(),
            };
            return quote(source, Some(custom.rates()));
        }
        if call.provider.is_some_and(is_local) {
            return quote(PriceSource::Local, Some(Rates::free()));
        }
        let profile = held.profile;
        if let Some(rates) = names().next().and_then(|model| profile.rates(model)) {
            return quote(PriceSource::Profile { profile }, Some(rates));
        }
        match (listed, book) {
            (Some(listed), Some(book)) => quote(listed_in(book, &listed), Some(listed.rates)),
            _ if call.loopback => quote(PriceSource::Local, Some(Rates::free())),
            _ => quote(PriceSource::Unknown, None),
        }
    }

    /// The rates of a model that was not called, for a call that begins at `at`, by what holds for calls that come now:
    /// the user's own price, else the book's at standard terms. A seed's table says nothing here, because it gives what
    /// it does not name away. `name` is a model's, with or without its provider before a slash.
    #[must_use]
    pub fn quote_other(&mut self, name: &str, at: UnixNanos) -> Quote {
        let revision = self.revisions.len().saturating_sub(1);
        let located = self.locate(revision, None, name);
        let Some(held) = self.revisions.get(revision) else {
            return Quote::unknown();
        };
        let book = held.book.as_deref();
        let listed = book.zip(located).and_then(|(book, located)| {
            let listed = book.listed(located, at, Terms::default())?;
            Some((listed_in(book, &listed), listed))
        });
        let window = listed.as_ref().and_then(|(_, listed)| listed.window);
        let own = name
            .split_once('/')
            .and_then(|(provider, model)| custom::matching(&held.custom, Some(provider), model, at))
            .or_else(|| custom::matching(&held.custom, None, name, at));
        let (source, rates) = match (own, listed) {
            (Some(own), _) => {
                let source = PriceSource::Custom {
                    model: own.model.clone(),
                    since: own.since.clone(),
                };
                (source, Some(own.rates()))
            }
            (None, Some((source, listed))) => (source, Some(listed.rates)),
            (None, None) => (PriceSource::Unknown, None),
        };
        Quote {
            source,
            rates,
            window,
        }
    }

    /// The rates that the book which holds for calls that come now has for this model in a batch, at `at`; `None` where
    /// it has none, or where the call's price, `source`, is not that of this entry.
    #[must_use]
    pub fn batch(
        &mut self,
        provider: Option<&str>,
        model: &str,
        source: &PriceSource,
        at: UnixNanos,
    ) -> Option<Rates> {
        let listed = self.listed_again(provider, model, source, at, true)?;
        listed.special.then_some(listed.rates)
    }

    /// The rates that the book which holds for calls that come now has for this model, at `at`; `None` where it has none,
    /// or where the call's price, `source`, is not that of this entry.
    #[must_use]
    pub fn listed_rates(
        &mut self,
        provider: Option<&str>,
        model: &str,
        source: &PriceSource,
        at: UnixNanos,
    ) -> Option<Rates> {
        let listed = self.listed_again(provider, model, source, at, false)?;
        Some(listed.rates)
    }

    fn listed_again(
        &mut self,
        provider: Option<&str>,
        model: &str,
        source: &PriceSource,
        at: UnixNanos,
        batch: bool,
    ) -> Option<Listed> {
        let revision = self.revisions.len().saturating_sub(1);
        let located = self.locate(revision, provider, model)?;
        let book = self.revisions.get(revision)?.book.as_deref()?;
        let terms = Terms {
            service_tier: None,
            batch,
        };
        let listed = book.listed(located, at, terms)?;
        let PriceSource::Book {
            provider, model, ..
        } = source
        else {
            return None;
        };
        let is_same = (provider, model) == (&listed.provider, &listed.model);
        is_same.then_some(listed)
    }

    fn locate(&mut self, revision: usize, provider: Option<&str>, model: &str) -> Option<Located> {
        let book = self.revisions.get(revision)?.book.as_deref()?;
        let name = (revision, provider.map(ToOwned::to_owned), model.to_owned());
        if let Some(located) = self.located.get(&name) {
            return *located;
        }
        let located = book.locate(provider, model);
        if self.located.len() >= REMEMBERED {
            self.located.clear();
        }
        self.located.insert(name, located);
        located
    }
}

/// An entry of a book as the source of a price.
fn listed_in(book: &Book, listed: &Listed) -> PriceSource {
    PriceSource::Book {
        provider: listed.provider.clone(),
        model: listed.model.clone(),
        since: listed.since.clone(),
        special: listed.special,
        book: format!("{} {} ({})", book.source, book.version, book.date),
    }
}

fn is_local(provider: &str) -> bool {
    let provider = provider.to_lowercase();
    LOCAL.iter().any(|local| {
        provider.split(['.', '/', ':']).any(|part| part == *local) || provider == *local
    })
}
