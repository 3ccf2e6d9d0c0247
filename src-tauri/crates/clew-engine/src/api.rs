//! The one door: the table of commands, from which the dispatcher and the TypeScript are made.
//!
//! To add a command: write its line in [`commands!`] below, its method on [`Engine`], and a test in
//! `tests/it/commands.rs`; then run `cargo xtask bindings`.

use serde::de::DeserializeOwned;

mod types;

pub use types::*;

use crate::Engine;
use crate::bindings::Bindings;
use crate::error::{Error, ErrorCode};
use crate::event::Topic;
use clew_core::chart::{ChartInfo, Scene};
use clew_core::packed::{self, Pack};
use clew_core::prompt::PromptTemplate;
use clew_core::trace::{LedgerRow, References, SpanDetail, SpanFacts, Waterfall, WhatIfTable};

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// UTF-8 JSON.
    Json(Vec<u8>),
    /// Columns ([`clew_core::packed`]).
    Packed(Vec<u8>),
}

fn params<P: DeserializeOwned>(command: &str, json: &[u8]) -> Result<P, Error> {
    let json = if json.is_empty() { b"{}" } else { json };
    serde_json::from_slice(json).map_err(|error| {
        Error::new(
            ErrorCode::BadRequest,
            format!("cannot read the parameters of {command}: {error}"),
        )
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<Reply, Error> {
    Ok(Reply::Json(
        serde_json::to_vec(value).map_err(Error::internal)?,
    ))
}

fn pack<T: Pack>(value: &T) -> Result<Reply, Error> {
    Ok(Reply::Packed(
        packed::encode(value).map_err(Error::internal)?,
    ))
}

macro_rules! commands {
    ($( $(#[doc = $doc:literal])+ $name:ident($params:ty) -> $form:ident $reply:ty $(, on $($topic:ident)+)?; )*) => {
        /// Runs the command of this name; `body` is its parameters as JSON, empty for none.
        ///
        /// # Errors
        /// `unknown_command` for a name that is not in the table, `bad_request` for parameters that do not fit, else
        /// what the command itself answers.
        pub async fn dispatch(engine: &Engine, name: &str, body: &[u8]) -> Result<Reply, Error> {
            match name {
                $( stringify!($name) => {
                    let params: $params = params(name, body)?;
                    $form(&engine.$name(params).await?)
                } )*
                _ => Err(Error::new(ErrorCode::UnknownCommand, format!("there is no command {name:?}"))),
            }
        }

        /// Names of all commands.
        pub const COMMANDS: &[&str] = &[$( stringify!($name) ),*];

        /// The TypeScript of every command, its parameters and its reply.
        #[must_use]
        pub fn typescript() -> String {
            let mut bindings = Bindings::default();
            $( bindings.command::<$params, $reply>(
                stringify!($name), &[$($doc),+], stringify!($form), &[$($(Topic::$topic),+)?],
            ); )*
            bindings.types::<(Topic, ErrorCode)>();
            bindings.finish()
        }
    };
}

commands! {
    /// What Clew is doing: addresses, rates, sizes, how far facts and index are behind.
    get_status(NoParams) -> json Status, on Status;
    /// Traces that match a filter, a page at a time.
    list_traces(TraceFilter) -> json TracePage, on Spans;
    /// Totals, histogram and facets of the traces that match a filter.
    summarise_traces(TraceFilter) -> json TraceTotals, on Spans;
    /// One trace as waterfall rows; attributes stay behind until a span is opened.
    get_waterfall(GetTrace) -> pack Waterfall, on Spans;
    /// One span, whole.
    get_span(GetSpan) -> json SpanDetail, on Spans;
    /// What else tells of a span: answers that name its documents, documents that its answer names, records of others.
    get_references(GetSpan) -> json References, on Spans;
    /// The whole value of an attribute that `get_span` cut.
    get_attribute(GetAttribute) -> json Text;
    /// The facts of every span of a trace, each with the key and the convention that stated it, in pre-order.
    get_facts(GetTrace) -> json Vec<SpanFacts>, on Spans;
    /// A trace or the spans below one, as text to copy: Markdown for a model, or OTLP JSON.
    copy_trace(CopyTrace) -> json Text, on Spans;
    /// What each model call of a trace used and cost, and what does not count, with the reason.
    get_ledger(GetLedger) -> json Vec<LedgerRow>, on Spans;
    /// The same over many traces, a page at a time, with the sums over all that match.
    list_ledger(LedgerFilter) -> json LedgerPage, on Spans;
    /// All entries that match, as CSV.
    export_ledger(LedgerFilter) -> json Text;
    /// What the calls that match would have cost on other models, without a cache or all from it, and in a batch.
    what_if(WhatIf) -> json WhatIfTable, on Spans Settings;
    /// The price book and the user's own prices.
    get_prices(NoParams) -> json Prices, on Settings;
    /// Decides the prices of calls that are received from now on; refused as a whole if one cannot be read.
    set_prices(SetPrices) -> json Prices;
    /// Gives calls that were received before the prices that hold now.
    reprice_history(NoParams) -> json Prices;
    /// Takes that back: earlier calls have the prices again that were decided for them.
    undo_reprice(NoParams) -> json Prices;
    /// What the user says attributes mean.
    get_overrides(NoParams) -> json Readings, on Settings Spans;
    /// Says it anew; every span is read again, beside what comes in. Refused as a whole if one cannot be taken.
    set_overrides(SetOverrides) -> json Readings;
    /// Prompt templates with their versions and what each took and cost.
    list_prompts(TimeRange) -> json Vec<PromptTemplate>, on Spans;
    /// The text difference of two prompt versions.
    diff_prompts(DiffPrompts) -> json PromptDiff, on Spans;
    /// How often each heuristic fired, and the newest responses on which it did.
    list_findings(FindingFilter) -> json FindingPage, on Spans;
    /// The registry of charts.
    list_charts(NoParams) -> json Vec<ChartInfo>;
    /// One chart, drawn for a time range and a size.
    draw_chart(DrawChart) -> json Scene, on Spans;
    /// Every setting.
    get_settings(NoParams) -> json Settings, on Settings;
    /// Replaces every setting; refused as a whole if one is out of range.
    set_settings(SetSettings) -> json Settings;
    /// What the database holds, and what the present retention would free.
    get_storage(NoParams) -> json Storage, on Status;
    /// What limits that are not set yet would delete, so that a reader can be asked before they are.
    preview_retention(PreviewRetention) -> json RetentionPreview;
    /// Applies retention now.
    apply_retention(NoParams) -> json Purged;
    /// Deletes traces for good: rows, payloads, facts and index.
    delete_traces(DeleteTraces) -> json Purged;
    /// What has been seen of senders, and what went wrong with their requests.
    get_connections(NoParams) -> json Connections, on Status;
    /// What is wrong with the telemetry that came last, and the line of set-up to change.
    lint_telemetry(LintTelemetry) -> json Linted, on Spans;
    /// Sends one small trace through Clew's own OTLP endpoint.
    send_test_trace(NoParams) -> json TestTrace;
    /// Opens the built-in sample: recorded traces of real programs.
    open_sample(NoParams) -> json Opened;
    /// Opened files.
    list_sources(NoParams) -> json Vec<Source>, on Sources;
    /// Opens files that the user dropped or picked, by the tokens that the host gave for them.
    open_files(OpenFiles) -> json Vec<Opened>;
    /// Closes an opened file and removes its rows.
    close_source(CloseSource) -> json Purged;
}
