//! Parameters and replies of commands that are not shaped by `clew-core`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use clew_core::model::{ErrorClass, Operation};
use clew_core::prompt::DiffLine;
use clew_core::quality::{Finding, HeuristicKind};
use clew_core::trace::TraceSummary;

mod connect;
mod doctor;
mod ledger;
mod overrides;

pub use connect::{ConnectionProblem, Connections, Listening, Sender, Status, TestTrace};

pub use doctor::{LintTelemetry, Linted};

pub use ledger::{
    BookChoice, GetLedger, LedgerFilter, LedgerPage, LedgerSums, PriceBook, Prices, SetPrices,
    WhatIf,
};

pub use overrides::{Readings, SetOverrides};

pub use crate::settings::{SetSettings, Settings};

/// No parameters.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// A time range in microseconds since the epoch, `from` included, `to` not; `null` is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TimeRange {
    /// First instant.
    pub from: Option<u64>,
    /// First instant after.
    pub to: Option<u64>,
}

/// Status of a trace, as a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum TraceStatus {
    /// Complete or rootless, no error.
    Ok,
    /// Has a span that failed.
    Error,
    /// Still runs.
    Running,
}

/// What traces are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum TraceSort {
    /// Start time.
    #[default]
    Start,
    /// Duration.
    Duration,
    /// Input and output tokens.
    Tokens,
    /// Cost, as the ledger has it.
    Cost,
    /// Number of spans.
    Spans,
}

/// Which traces, in which order. Filters on different fields all apply; values of one field are alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TraceFilter {
    /// Words that a span's name, input, output, error or the id of its response or request must hold, all of them in one
    /// span; `"a phrase"` in quotes.
    pub text: String,
    /// `service.name` of any span.
    pub services: Vec<String>,
    /// Model of any span.
    pub models: Vec<String>,
    /// Operation of any span.
    pub operations: Vec<Operation>,
    /// Status of the trace.
    pub statuses: Vec<TraceStatus>,
    /// Why any of its spans failed.
    pub error_classes: Vec<ErrorClass>,
    /// Session id.
    pub session: Option<String>,
    /// Start time.
    pub range: TimeRange,
    /// Received at or after this, in microseconds since the epoch: programs may state any start.
    #[ts(optional)]
    pub received_from: Option<u64>,
    /// Text that the resource of one of its spans holds, such as the id that `clew run` gives a program.
    #[ts(optional)]
    pub resource: Option<String>,
    /// Only this source: 0 is live telemetry; `null` is all.
    pub source: Option<i64>,
    /// Sort key.
    pub sort: TraceSort,
    /// Smallest first instead of largest.
    pub ascending: bool,
    /// Where the page before ended ([`TracePage::next`]).
    pub cursor: Option<String>,
    /// Rows in a page, 1 to 500; 0 is 100.
    pub limit: u32,
}

/// A page of traces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TracePage {
    /// The rows.
    pub rows: Vec<TraceSummary>,
    /// Cursor of the next page; `null` on the last.
    pub next: Option<String>,
    /// Spans whose text is not indexed yet: a text filter cannot see them.
    pub behind: u64,
    /// What the list cannot show, and why, in sentences: words that could not be looked for, rows that cannot be read.
    pub notice: Option<String>,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// Traces that have it, within all other filters.
    pub count: u32,
}

/// Totals, histogram and facets of the traces that match a filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TraceTotals {
    /// Matching traces.
    pub traces: u64,
    /// Their spans.
    pub spans: u64,
    /// Traces with an error.
    pub errors: u64,
    /// Input and output tokens of all calls; `null` where none states any.
    pub tokens: Option<u64>,
    /// Cost of all calls in US dollars, as the ledger has it; `null` where no price is known.
    pub cost_usd: Option<f64>,
    /// 95th percentile of the durations of ended traces in nanoseconds.
    pub p95_nanos: Option<u64>,
    /// Microseconds since the epoch of the histogram's first bucket.
    pub histogram_from: u64,
    /// Microseconds of one bucket.
    pub histogram_step: u64,
    /// Traces by bucket: all, and those with an error.
    pub histogram: Vec<(u32, u32)>,
    /// Services, most frequent first, at most 50.
    pub services: Vec<FacetValue>,
    /// Models, most frequent first, at most 50.
    pub models: Vec<FacetValue>,
    /// Why spans failed, by the name of the class, most frequent first.
    pub error_classes: Vec<FacetValue>,
    /// Statuses.
    pub statuses: Vec<FacetValue>,
    /// Operations.
    pub operations: Vec<FacetValue>,
}

/// Names a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetTrace {
    /// 32 hex digits.
    pub trace_id: String,
    /// Source; 0 is live telemetry.
    #[serde(default)]
    pub source: i64,
}

/// Names a span.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetSpan {
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// Source; 0 is live telemetry.
    #[serde(default)]
    pub source: i64,
    /// Content hash of the variant, 16 hex digits; `null` is the one shown.
    #[serde(default)]
    pub variant: Option<String>,
}

/// Names an attribute of a span.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetAttribute {
    /// The span.
    pub span: GetSpan,
    /// Position in [`clew_core::trace::SpanDetail::attributes`].
    pub index: u32,
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Text {
    /// The text.
    pub text: String,
}

/// How a trace is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CopyFormat {
    /// Markdown for a language model, within a token budget.
    Markdown,
    /// OTLP JSON, one `TracesData`.
    OtlpJson,
}

/// What to copy, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CopyTrace {
    /// 32 hex digits.
    pub trace_id: String,
    /// Source; 0 is live telemetry.
    #[serde(default)]
    pub source: i64,
    /// Only this span; `null` is the whole trace.
    #[serde(default)]
    pub span_id: Option<String>,
    /// With the span, everything below it.
    #[serde(default)]
    pub subtree: bool,
    /// The content of that span by its hash, as `SpanDetail.variants` states it; `null` is the one shown by default.
    #[serde(default)]
    pub variant: Option<String>,
    /// The format.
    pub format: CopyFormat,
    /// Budget of Markdown in tokens (four characters a token); `null` is 8,000.
    #[serde(default)]
    pub max_tokens: Option<u32>,
}

/// Two versions of one template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiffPrompts {
    /// The template's name.
    pub name: String,
    /// The older version.
    pub old: String,
    /// The newer version.
    pub new: String,
}

/// The text difference of two prompt versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PromptDiff {
    /// The lines of both.
    pub lines: Vec<DiffLine>,
    /// Placeholders only in the newer text.
    pub variables_added: Vec<String>,
    /// Placeholders only in the older text.
    pub variables_removed: Vec<String>,
    /// Placeholders in both.
    pub variables_kept: Vec<String>,
}

/// Which findings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct FindingFilter {
    /// Only this heuristic; `null` is all. A score fires on nothing.
    pub heuristic: Option<String>,
    /// Start time of the span.
    pub range: TimeRange,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows in a page, 1 to 500; 0 is 100.
    pub limit: u32,
}

/// How the values of a score are spread: bins of one width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Distribution {
    /// Where the first bin starts.
    pub from: f64,
    /// Where the last bin ends.
    pub to: f64,
    /// Responses by bin.
    pub bins: Vec<u64>,
    /// Responses whose value is below 0.
    pub below: u64,
    /// Responses whose value is 0.
    pub zero: u64,
    /// Responses whose value is above 0.
    pub above: u64,
}

/// One heuristic: how often it fired, or how its scores are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HeuristicTotals {
    /// The heuristic's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// One sentence on what it looks for.
    pub description: String,
    /// What its value means.
    pub kind: HeuristicKind,
    /// Responses that it scored.
    pub scored: u64,
    /// Responses on which it fired; 0 for a score.
    pub fired: u64,
    /// Share of the scored responses on which it fired, 0 to 1; `null` without any, and for a score.
    pub rate: Option<f64>,
    /// Mean value of a score over the scored responses; `null` without any, and for a finding.
    pub mean: Option<f64>,
    /// How a score's values are spread; `null` without any, and for a finding.
    pub distribution: Option<Distribution>,
}

/// One response on which a heuristic fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FindingRow {
    /// What it saw.
    pub finding: Finding,
    /// The response text around the first evidence, at most 400 characters.
    pub excerpt: String,
    /// The evidence within the excerpt, in UTF-16 code units.
    pub marks: Vec<(u32, u32)>,
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// Source; 0 is live telemetry.
    pub source: i64,
    /// The span's name.
    pub name: String,
    /// The model that answered.
    pub model: Option<String>,
    /// Microseconds since the epoch of the span's start.
    pub start_micros: u64,
}

/// Heuristics and the newest responses on which they fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FindingPage {
    /// Every heuristic.
    pub heuristics: Vec<HeuristicTotals>,
    /// The responses, newest first.
    pub rows: Vec<FindingRow>,
    /// Cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

/// Which chart, over which time, how large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrawChart {
    /// The chart's id.
    pub id: String,
    /// The time range; open ends are the first and the last span.
    #[serde(default)]
    pub range: TimeRange,
    /// Width in pixels, 160 to 4,000.
    pub width: u32,
    /// Height in pixels, 100 to 2,000.
    pub height: u32,
    /// The reader's time zone, in minutes east of UTC.
    pub utc_offset_minutes: i32,
}

/// What the database holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// Path of the database.
    pub database: String,
    /// Bytes of the database and its write-ahead log.
    pub database_bytes: u64,
    /// Bytes of the full-text index.
    pub index_bytes: u64,
    /// Bytes of both, which retention by size counts.
    pub used_bytes: u64,
    /// Share of the size limit that is used, 0 to 1 and beyond.
    pub used_share: f64,
    /// Spans stored.
    pub spans: u64,
    /// Log records stored.
    pub logs: u64,
    /// Metric points stored.
    pub points: u64,
    /// Traces stored.
    pub traces: u64,
    /// Microseconds since the epoch at which the oldest trace was received.
    pub oldest_micros: Option<u64>,
    /// Traces that the present retention settings would delete now.
    pub purgeable_traces: u64,
    /// Bytes that this would free, estimated.
    pub purgeable_bytes: u64,
    /// Why retention could not do all that the settings say when it last looked, and what to do.
    pub notice: Option<String>,
}

/// Limits to look at before they are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreviewRetention {
    /// Bytes of database and index, at least 64 MiB.
    pub max_bytes: u64,
    /// Days since a trace was received, 1 to 3650; `null` keeps it for ever.
    pub max_days: Option<u32>,
}

/// What limits would delete now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RetentionPreview {
    /// Traces.
    pub traces: u64,
    /// Bytes that this would free, estimated.
    pub bytes: u64,
}

/// What a deletion removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Purged {
    /// Traces.
    pub traces: u64,
    /// Spans.
    pub spans: u64,
    /// Bytes by which the files shrank.
    pub bytes: u64,
    /// What could not be done yet, and what to do; `null` where all is done.
    pub notice: Option<String>,
}

/// Traces to delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteTraces {
    /// The traces, at most 10,000.
    pub traces: Vec<GetTrace>,
}

/// An opened file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Its id; 0 is live telemetry and never listed.
    pub id: i64,
    /// The file's name without its folder.
    pub label: String,
    /// The format in which it was read.
    pub format: String,
    /// Its spans.
    pub spans: u64,
    /// Its traces.
    pub traces: u64,
    /// Microseconds since the epoch at which it was opened.
    pub opened_micros: u64,
}

/// Files to open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenFiles {
    /// Tokens that the host gave for files which the user dropped or picked.
    pub tokens: Vec<String>,
}

/// What opening a file gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The source; `null` where nothing could be read.
    pub source: Option<i64>,
    /// The file's name without its folder.
    pub label: String,
    /// Spans that were new.
    pub spans: u64,
    /// Traces that they belong to.
    pub traces: u64,
    /// Log records that were new.
    pub logs: u64,
    /// Metric points that were new.
    pub points: u64,
    /// What was wrong: place and reason, at most 100.
    pub problems: Vec<String>,
    /// How many problems there were.
    pub problem_count: u64,
}

impl Opened {
    /// A file of which nothing could be read, and why.
    #[must_use]
    pub fn unread(label: String, why: String) -> Self {
        Self {
            source: None,
            label,
            spans: 0,
            traces: 0,
            logs: 0,
            points: 0,
            problems: vec![why],
            problem_count: 1,
        }
    }
}

/// Names an opened file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloseSource {
    /// The source's id.
    pub id: i64,
}
