//! The commands, one module a view.

mod connect;

use crate::Engine;
use crate::api::*;
use crate::error::Error;
use clew_core::chart::{ChartInfo, Scene};
use clew_core::prompt::PromptTemplate;
use clew_core::trace::{SpanDetail, Waterfall};

impl Engine {
    pub(crate) async fn get_status(&self, _params: NoParams) -> Result<Status, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn list_traces(&self, _params: TraceFilter) -> Result<TracePage, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn summarise_traces(
        &self,
        _params: TraceFilter,
    ) -> Result<TraceTotals, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn get_waterfall(&self, _params: GetTrace) -> Result<Waterfall, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn get_span(&self, _params: GetSpan) -> Result<SpanDetail, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn get_attribute(&self, _params: GetAttribute) -> Result<Text, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn copy_trace(&self, _params: CopyTrace) -> Result<Text, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn list_prompts(
        &self,
        _params: TimeRange,
    ) -> Result<Vec<PromptTemplate>, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn diff_prompts(&self, _params: DiffPrompts) -> Result<PromptDiff, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn list_findings(&self, _params: FindingFilter) -> Result<FindingPage, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn list_charts(&self, _params: NoParams) -> Result<Vec<ChartInfo>, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn draw_chart(&self, _params: DrawChart) -> Result<Scene, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn get_settings(&self, _params: NoParams) -> Result<Settings, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn set_settings(&self, _params: Settings) -> Result<Settings, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn get_storage(&self, _params: NoParams) -> Result<Storage, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn apply_retention(&self, _params: NoParams) -> Result<Purged, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn delete_traces(&self, _params: DeleteTraces) -> Result<Purged, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn get_connections(&self, _params: NoParams) -> Result<Connections, Error> {
        Ok(connect::connections(self.census()))
    }

    pub(crate) async fn send_test_trace(&self, _params: NoParams) -> Result<TestTrace, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn open_sample(&self, _params: NoParams) -> Result<Opened, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn list_sources(&self, _params: NoParams) -> Result<Vec<Source>, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn open_files(&self, _params: OpenFiles) -> Result<Vec<Opened>, Error> {
        Err(Error::internal("not built"))
    }

    pub(crate) async fn close_source(&self, _params: CloseSource) -> Result<Purged, Error> {
        Err(Error::internal("not built"))
    }
}
