//! Commands on prices.

use clew_core::price::Book;
use rusqlite::OptionalExtension as _;

use crate::api::{BookChoice, NoParams, PriceBook, Prices, SetPrices};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use crate::store::prices::{self, Decision};

/// Own prices that a user may state.
const MAX_CUSTOM: usize = 1_000;
/// The largest file that is read as a price book, in bytes.
const MAX_BOOK: u64 = 32 * 1024 * 1024;

impl Engine {
    #[expect(
        clippy::unused_async,
        reason = "every command is awaited by the dispatcher"
    )]
    pub(crate) async fn get_prices(&self, _: NoParams) -> Result<Prices, Error> {
        Ok(self.prices())
    }

    fn prices(&self) -> Prices {
        let decisions = self.inner.store.prices.decisions();
        let last = decisions.made.last();
        let book = match decisions.revisions.last() {
            Some(revision) => revision.book.clone(),
            None => Book::vendored(),
        };
        let since = last.map_or(0, |made| made.since);
        Prices {
            book: book.map(|book| PriceBook {
                source: book.source.clone(),
                version: book.version.clone(),
                date: book.date.clone(),
                licence: book.licence.clone(),
                models: u64::try_from(book.len()).unwrap_or(u64::MAX),
            }),
            is_vendored: last.is_none_or(|made| made.decision.book.is_none()),
            profile: last.map(|made| made.decision.profile).unwrap_or_default(),
            custom: last
                .map(|made| made.decision.custom.clone())
                .unwrap_or_default(),
            since_micros: u64::try_from(since).unwrap_or(0),
            is_history_older: since != 0,
            can_undo: last.is_some_and(|made| made.since == 0),
        }
    }

    pub(crate) async fn set_prices(&self, params: SetPrices) -> Result<Prices, Error> {
        let SetPrices {
            profile,
            custom,
            book,
        } = params;
        if custom.len() > MAX_CUSTOM {
            return Err(bad(format!(
                "{} own prices are too many: at most {MAX_CUSTOM}; a * in a model's name stands for anything",
                custom.len()
            )));
        }
        for price in &custom {
            price.check().map_err(|error| bad(error.to_string()))?;
        }
        let text = match &book {
            BookChoice::File { token } => Some(self.read_book(token).await?),
            BookChoice::Held | BookChoice::Vendored => None,
        };
        let is_held = book == BookChoice::Held;
        self.writer()?
            .commit(move |session| {
                let before: Option<String> = session
                    .connection
                    .prepare_cached("SELECT json FROM price_revisions ORDER BY id DESC LIMIT 1")?
                    .query_row([], |row| row.get(0))
                    .optional()?;
                let before = before.map(|json| serde_json::from_str::<Decision>(&json));
                let before = before.transpose().map_err(Error::internal)?;
                let book = match &text {
                    Some(json) => Some(prices::keep_book(session, json)?),
                    None if is_held => before.as_ref().and_then(|before| before.book),
                    None => None,
                };
                let decision = Decision {
                    profile,
                    custom,
                    book,
                };
                if before.unwrap_or_default() != decision {
                    prices::add(session, &decision, false)?;
                }
                Ok(())
            })
            .await?;
        self.prices_changed().await
    }

    pub(crate) async fn reprice_history(&self, _: NoParams) -> Result<Prices, Error> {
        let decisions = self.inner.store.prices.decisions();
        let Some(last) = decisions.made.last().filter(|made| made.since != 0) else {
            return Ok(self.prices());
        };
        let decision = last.decision.clone();
        self.writer()?
            .commit(move |session| prices::add(session, &decision, true))
            .await?;
        self.price_anew().await
    }

    pub(crate) async fn undo_reprice(&self, _: NoParams) -> Result<Prices, Error> {
        if !self
            .writer()?
            .commit(|session| prices::undo(session))
            .await?
        {
            return Err(bad(
                "the last change of prices did not price history anew: there is nothing to take back",
            ));
        }
        self.price_anew().await
    }

    /// Summarises all traces anew, behind everything that waits.
    async fn price_anew(&self) -> Result<Prices, Error> {
        let prices = self.prices_changed().await?;
        let mut after = 0;
        while let Some(last) = self
            .writer()?
            .commit(move |session| prices::mark(session, after))
            .await?
        {
            after = last;
        }
        self.wake_deriver();
        Ok(prices)
    }

    async fn prices_changed(&self) -> Result<Prices, Error> {
        let store = &self.inner.store;
        store.prices.read(&store.reads).await?;
        self.inner.changes.changed(Topic::Settings);
        Ok(self.prices())
    }

    async fn read_book(&self, token: &str) -> Result<String, Error> {
        let file = self.take_file(token).ok_or_else(|| {
            Error::new(
                ErrorCode::NotFound,
                "the file was not offered, or was read already: pick it again",
            )
        })?;
        let label = crate::open::label(&file.path);
        let wrong = |why: String| bad(format!("{label} is not a price book: {why}"));
        let read = tokio::task::spawn_blocking(move || {
            let size = std::fs::metadata(&file.path)?.len();
            if size > MAX_BOOK {
                return Ok(Err(format!("{size} bytes are too many")));
            }
            Ok::<_, std::io::Error>(Ok(std::fs::read(&file.path)?))
        });
        let bytes = read
            .await
            .map_err(Error::internal)?
            .map_err(|error| Error::new(ErrorCode::Io, format!("cannot read {label}: {error}")))?
            .map_err(wrong)?;
        let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
        let book = Book::read(&text).map_err(|error| wrong(error.to_string()))?;
        if book.is_empty() {
            return Err(wrong("it lists no model".to_owned()));
        }
        Ok(text)
    }
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::BadRequest, message)
}
