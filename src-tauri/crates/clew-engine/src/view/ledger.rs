//! Commands of the ledger: what every figure is made of.

use clew_core::trace::{self, LedgerRow};

use crate::api::{GetLedger, LedgerFilter, LedgerPage, Text};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::{Store, ledger, now_micros};
use crate::view::trace::span_id;

/// Entries of one answer at the most.
const ENTRIES: usize = 200_000;

impl Engine {
    pub(crate) async fn get_ledger(&self, params: GetLedger) -> Result<Vec<LedgerRow>, Error> {
        let store = &self.inner.store;
        let span = params.span_id.as_deref().map(span_id).transpose()?;
        let mut rows = ledger::of_trace(store, params.source, &params.trace_id).await?;
        if let Some(span) = span {
            let span = span.to_string();
            rows.retain(|row| row.span_id == span);
        }
        Ok(rows)
    }

    pub(crate) async fn list_ledger(&self, params: LedgerFilter) -> Result<LedgerPage, Error> {
        ledger::list(&self.inner.store, &params, now_micros()).await
    }

    pub(crate) async fn export_ledger(&self, params: LedgerFilter) -> Result<Text, Error> {
        let mut pages = Pages::of(params, "file");
        let mut all = Vec::new();
        while let Some(rows) = pages.next(&self.inner.store).await? {
            all.extend(rows);
        }
        let table = tokio::task::spawn_blocking(move || trace::csv(&all))
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        Ok(Text {
            text: String::from_utf8(table).map_err(Error::internal)?,
        })
    }
}

/// All entries that match, page by page, newest first.
#[derive(Debug)]
pub(super) struct Pages {
    filter: LedgerFilter,
    now: i64,
    read: usize,
    is_done: bool,
    /// What they are read for, in a word.
    purpose: &'static str,
}

impl Pages {
    pub(super) fn of(filter: LedgerFilter, purpose: &'static str) -> Self {
        Self {
            filter: LedgerFilter {
                limit: ledger::LARGEST_PAGE,
                cursor: None,
                ..filter
            },
            now: now_micros(),
            read: 0,
            is_done: false,
            purpose,
        }
    }

    /// The next page; `None` behind the last. More entries than one answer holds are an error.
    pub(super) async fn next(&mut self, store: &Store) -> Result<Option<Vec<LedgerRow>>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let (rows, next) = ledger::page(store, &self.filter, self.now).await?;
        self.read += rows.len();
        if self.read > ENTRIES {
            return Err(Error::new(
                ErrorCode::BadRequest,
                format!(
                    "more than {ENTRIES} entries are too many for one {}: choose a shorter time",
                    self.purpose
                ),
            ));
        }
        self.is_done = next.is_none();
        self.filter.cursor = next;
        Ok(Some(rows))
    }
}
