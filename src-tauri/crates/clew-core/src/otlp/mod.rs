//! OTLP requests, item by item: one bad span never costs its neighbours.
//!
//! Decoding never fails as a whole unless the request is not OTLP at all or holds more items than a receiver may take:
//! it gives a [`Batch`] and the [`Problem`]s of single items, which become OTLP's partial success.

mod budget;
mod ground;
pub(crate) mod json;
mod made_ids;
mod metric;
mod read;
pub mod record;
mod request;
mod wire;
mod write_json;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::model::{SpanId, TraceId};

pub(crate) use made_ids::MadeIds;
use metric::Shape;
use read::{Fault, Reader};
pub use write_json::{SpanSource, to_json};

/// A kind of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Metric points.
    Metrics,
}

impl Signal {
    /// The name in paths and messages: `traces`, `logs`, `metrics`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

/// How a request body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Binary protobuf.
    Protobuf,
    /// OTLP's JSON mapping, read leniently.
    Json,
}

/// Spans, log records and metric points, each with the bytes that are stored for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Spans by resource and scope.
    pub spans: Vec<Group<GroundSpan>>,
    /// Log records by resource and scope.
    pub logs: Vec<Group<GroundLog>>,
    /// Metrics by resource and scope.
    pub metrics: Vec<Group<GroundMetric>>,
}

/// Items that share a resource and a scope.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group<T> {
    /// The `Resource` message as received (JSON: as its protobuf).
    pub resource: Vec<u8>,
    /// `schema_url` beside the resource.
    pub resource_schema_url: String,
    /// `service.name` of the resource; empty where it states none.
    pub service: String,
    /// The `InstrumentationScope` message as received (JSON: as its protobuf).
    pub scope: Vec<u8>,
    /// `schema_url` beside the scope.
    pub scope_schema_url: String,
    /// Name of the scope.
    pub scope_name: String,
    /// The items in order.
    pub items: Vec<T>,
}

/// One span as it is stored: ground, never rewritten.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundSpan {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its parent; `None` at a root, and where the received id was unusable.
    pub parent: Option<SpanId>,
    /// The `Span` message as received, unknown fields included (JSON: as its protobuf).
    pub raw: Vec<u8>,
    /// The same, decoded and repaired.
    pub span: Span,
    /// Whether text that was not UTF-8 was repaired, or a value nested deeper than 64 levels was cut, in `span`.
    pub repaired: bool,
    /// Identity of its content, its resource and its scope: equal content has an equal hash whatever its encoding.
    ///
    /// The first 8 bytes, big-endian, of a BLAKE3 that is keyed by the content of resource and scope, over that of the
    /// canonical encoding of `span` and the unknown fields of `raw`; of a repaired span `raw` itself counts too.
    /// `schema_url`s do not count.
    pub hash: u64,
}

/// One log record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundLog {
    /// Its trace, where it states one.
    pub trace_id: Option<TraceId>,
    /// Its span, where it states one.
    pub span_id: Option<SpanId>,
    /// The `LogRecord` message as received (JSON: as its protobuf).
    pub raw: Vec<u8>,
    /// The same, decoded and repaired.
    pub record: LogRecord,
    /// As [`GroundSpan::repaired`].
    pub repaired: bool,
    /// As [`GroundSpan::hash`]; log records have no id, so this is their identity.
    pub hash: u64,
}

/// One metric: what its points share, and its points.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundMetric {
    /// The `Metric` message as received, without its points (JSON: as its protobuf): name, description, unit,
    /// metadata, temporality, monotonicity.
    pub raw: Vec<u8>,
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// `gauge`, `sum`, `histogram`, `exponential_histogram`, `summary`, or empty where the metric has no data.
    pub kind: &'static str,
    /// Its points.
    pub points: Vec<GroundPoint>,
}

/// One metric point as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroundPoint {
    /// The point message as received (JSON: as its protobuf).
    pub raw: Vec<u8>,
    /// `start_time_unix_nano`.
    pub start: u64,
    /// `time_unix_nano`.
    pub time: u64,
    /// Hash of its attributes in any order: with the metric and the resource, the series.
    pub series: u64,
    /// As [`GroundSpan::hash`].
    pub hash: u64,
}

/// What was wrong with one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which item ("span 3 of scope `my.tracer`"), without content.
    pub item: String,
    /// What is wrong and what to do, without content ("trace id has 2 bytes, not 16").
    pub reason: String,
    /// Whether the item was left out; otherwise it was kept, repaired.
    pub rejected: bool,
}

/// Why a whole request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is not a request of this signal in this encoding. HTTP 400, `INVALID_ARGUMENT`.
    #[error("cannot read the request as {0}")]
    Malformed(String),
    /// The body holds more items than a request may. HTTP 413, `RESOURCE_EXHAUSTED` without `RetryInfo`.
    #[error("the request holds more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The largest number allowed.
        limit: usize,
    },
}

/// Largest numbers that one request may hold; counted before anything is allocated for an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Spans, span events, span links, attributes of any kind, log records, metrics, points, exemplars,
    /// resources and scopes: each at most this many. Default 250,000 (reliability.md A3), except attributes: 4 times
    /// as many, and values in arrays and histograms: 16 times.
    pub items: usize,
    /// Levels of nested values that are kept. Default 64 (opentelemetry-specification#5186).
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            items: 250_000,
            depth: 64,
        }
    }
}

/// One metric point, decoded.
#[derive(Debug, Clone, PartialEq)]
pub enum Point {
    /// Of a `gauge` or a `sum`.
    Number(NumberDataPoint),
    /// Of a `histogram`.
    Histogram(HistogramDataPoint),
    /// Of an `exponential_histogram`.
    Exponential(ExponentialHistogramDataPoint),
    /// Of a `summary`.
    Summary(SummaryDataPoint),
}

/// Decodes one export request of `signal`, item by item.
///
/// An empty body is an empty request. What is wrong with single items is in the list of [`Problem`]s; the number of
/// those that are `rejected` is OTLP's `rejected_spans`, `rejected_log_records` or `rejected_data_points`.
///
/// # Errors
/// [`Refusal`], where nothing of the request can be taken.
pub fn decode(
    signal: Signal,
    encoding: Encoding,
    body: &[u8],
    limits: &Limits,
) -> Result<(Batch, Vec<Problem>), Refusal> {
    match encoding {
        Encoding::Protobuf => request::decode(signal, body, *limits),
        Encoding::Json => json::decode(signal, body, *limits),
    }
}

/// Decodes a stored `Span`; the flag says whether that took repairs. Where it does, [`GroundSpan::repaired`] is set, which
/// is also set for a span that was repaired while its JSON was read: its stored bytes are good.
///
/// # Errors
/// What is wrong with the bytes; never for bytes that [`decode`] gave.
pub fn decode_span(raw: &[u8]) -> Result<(Span, bool), String> {
    stored(raw, Reader::span)
}

/// Decodes a stored `LogRecord`; the flag is [`GroundSpan::repaired`].
///
/// # Errors
/// As [`decode_span`].
pub fn decode_log(raw: &[u8]) -> Result<(LogRecord, bool), String> {
    stored(raw, Reader::log)
}

/// Decodes a stored `Resource`.
///
/// # Errors
/// As [`decode_span`].
pub fn decode_resource(raw: &[u8]) -> Result<Resource, String> {
    Ok(stored(raw, Reader::resource)?.0)
}

/// Decodes a stored `InstrumentationScope`.
///
/// # Errors
/// As [`decode_span`].
pub fn decode_scope(raw: &[u8]) -> Result<InstrumentationScope, String> {
    Ok(stored(raw, Reader::scope)?.0)
}

/// Decodes a stored `Metric`, which has no points.
///
/// # Errors
/// As [`decode_span`].
pub fn decode_metric(raw: &[u8]) -> Result<Metric, String> {
    Ok(stored(raw, Reader::metric)?.0)
}

/// Decodes a stored point of a metric of this [`GroundMetric::kind`].
///
/// # Errors
/// As [`decode_span`]; also for a kind that is none.
pub fn decode_point(kind: &str, raw: &[u8]) -> Result<Point, String> {
    let shape = Shape::from_name(kind)
        .ok_or_else(|| format!("cannot read a metric point of kind `{kind}`"))?;
    Reader::unlimited().point(shape, raw).map_err(say)
}

fn stored<M: Default>(
    raw: &[u8],
    read: fn(&mut Reader, &[u8], &mut M) -> Result<(), Fault>,
) -> Result<(M, bool), String> {
    let mut reader = Reader::unlimited();
    let mut message = M::default();
    read(&mut reader, raw, &mut message).map_err(say)?;
    Ok((message, reader.notes.repaired()))
}

fn say(fault: Fault) -> String {
    match fault {
        Fault::Item(reason) => reason.into_owned(),
        Fault::Refused(refusal) => refusal.to_string(),
    }
}

#[cfg(test)]
mod tests;
