//! Commands of the ledger: what every figure is made of.

use clew_core::trace::{self, LedgerRow};

use crate::api::{GetLedger, LedgerFilter, LedgerPage, Text};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::{ledger, now_micros};
use crate::view::trace::span_id;

/// Rows of a file at the most.
const EXPORTED: usize = 200_000;

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
        let mut filter = LedgerFilter {
            limit: ledger::LARGEST_PAGE,
            cursor: None,
            ..params
        };
        let (store, now) = (&self.inner.store, now_micros());
        let mut all = Vec::new();
        loop {
            let (rows, next) = ledger::page(store, &filter, now).await?;
            all.extend(rows);
            if all.len() > EXPORTED {
                return Err(Error::new(
                    ErrorCode::BadRequest,
                    format!(
                        "more than {EXPORTED} entries are too many for one file: choose a shorter time"
                    ),
                ));
            }
            match next {
                Some(next) => filter.cursor = Some(next),
                None => break,
            }
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
