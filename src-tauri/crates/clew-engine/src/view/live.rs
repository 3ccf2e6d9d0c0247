//! Commands of the Live view.

use crate::api::{TraceFilter, TracePage, TraceTotals};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{facets, now_micros, traces};

impl Engine {
    pub(crate) async fn list_traces(&self, filter: TraceFilter) -> Result<TracePage, Error> {
        let (page, lost) = traces::list(&self.inner.store.reads, &filter, now_micros()).await?;
        self.lost(lost, "traces");
        Ok(page)
    }

    pub(crate) async fn summarise_traces(&self, filter: TraceFilter) -> Result<TraceTotals, Error> {
        facets::totals(&self.inner.store.reads, &filter, now_micros()).await
    }
}
