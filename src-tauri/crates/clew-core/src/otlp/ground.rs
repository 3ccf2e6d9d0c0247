//! From messages that are read to items that are stored: ids are checked, content is hashed, problems are named.

use std::fmt;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::made_ids::MadeIds;
use super::metric::Shape;
use super::read::Notes;
use super::{GroundLog, GroundMetric, GroundPoint, GroundSpan, Group, Point, Problem};
use crate::model::{InvalidId, SpanId, TraceId};

/// An item as it came in, beside its decoded form.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// These bytes of protobuf.
    Protobuf(&'a [u8]),
    /// JSON: the canonical encoding of the decoded form stands for it.
    Json,
}

/// The part of an item's hash that its own content decides, and the bytes to store for it.
///
/// Repaired text is the same for different bad bytes, so of a repaired item the bytes count too.
fn content(message: &impl Message, source: Source<'_>, notes: &Notes) -> (u64, Vec<u8>) {
    let canonical = message.encode_to_vec();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&canonical);
    match source {
        Source::Json => (first_bytes(&hasher.finalize()), canonical),
        Source::Protobuf(raw) => {
            hasher.update(&notes.unknown);
            if notes.repaired() {
                hasher.update(raw);
            }
            // A sender that writes canonically, as most do, saves a copy.
            let stored = if canonical == raw {
                canonical
            } else {
                raw.to_vec()
            };
            (first_bytes(&hasher.finalize()), stored)
        }
    }
}

fn first_bytes(hash: &blake3::Hash) -> u64 {
    let bytes = hash.as_bytes();
    u64::from_be_bytes([
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
    ])
}

/// Joins the content of an item with that of its resource and scope.
fn seal(surroundings: &[u8; 32], content: u64) -> u64 {
    first_bytes(&blake3::keyed_hash(surroundings, &content.to_be_bytes()))
}

/// A resource or a scope: stored bytes, a name from within, and the hash of its content.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// The bytes to store.
    pub(super) raw: Vec<u8>,
    /// `service.name` of a resource, `name` of a scope.
    pub(super) name: String,
    /// `schema_url` beside it.
    pub(super) schema_url: String,
    /// The hash of its content.
    pub(super) hash: u64,
}

impl Header {
    /// Of a resource; of duplicate `service.name` attributes the last counts.
    pub(super) fn of_resource(resource: &Resource, source: Source<'_>, notes: &Notes) -> Self {
        let name = resource.attributes.iter().rev().find_map(|attribute| {
            match attribute.value.as_ref()?.value.as_ref()? {
                Value::StringValue(name) if attribute.key == "service.name" => Some(name.clone()),
                _ => None,
            }
        });
        let (hash, raw) = content(resource, source, notes);
        Self {
            raw,
            name: name.unwrap_or_default(),
            schema_url: String::new(),
            hash,
        }
    }

    /// Of a scope.
    pub(super) fn of_scope(
        scope: &InstrumentationScope,
        source: Source<'_>,
        notes: &Notes,
    ) -> Self {
        let (hash, raw) = content(scope, source, notes);
        Self {
            raw,
            name: scope.name.clone(),
            schema_url: String::new(),
            hash,
        }
    }
}

impl Default for Header {
    /// An absent resource or scope, which is an empty one.
    fn default() -> Self {
        Self::of_resource(&Resource::default(), Source::Json, &Notes::default())
    }
}

/// An item whose hash waits for its resource and scope.
pub(super) trait Seal {
    fn seal(&mut self, surroundings: &[u8; 32]);
}

impl Seal for GroundSpan {
    fn seal(&mut self, surroundings: &[u8; 32]) {
        self.hash = seal(surroundings, self.hash);
    }
}

impl Seal for GroundLog {
    fn seal(&mut self, surroundings: &[u8; 32]) {
        self.hash = seal(surroundings, self.hash);
    }
}

impl Seal for GroundMetric {
    fn seal(&mut self, surroundings: &[u8; 32]) {
        for point in &mut self.points {
            point.hash = seal(surroundings, point.hash);
        }
    }
}

/// Puts items together with their resource and scope, and finishes their hashes.
pub(super) fn group<T: Seal>(resource: &Header, scope: Header, mut items: Vec<T>) -> Group<T> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&resource.hash.to_be_bytes());
    hasher.update(&scope.hash.to_be_bytes());
    let surroundings = *hasher.finalize().as_bytes();
    for item in &mut items {
        item.seal(&surroundings);
    }
    Group {
        resource: resource.raw.clone(),
        resource_schema_url: resource.schema_url.clone(),
        service: resource.name.clone(),
        scope: scope.raw,
        scope_schema_url: scope.schema_url,
        scope_name: scope.name,
        items,
    }
}

/// Makes a span ready to store; `None` where it is rejected for want of a usable trace or span id. With `made` it gets
/// those that it lacks, and that is reported.
pub(super) fn span(
    mut span: Span,
    source: Source<'_>,
    notes: &Notes,
    mut made: Option<&mut MadeIds>,
    report: &mut Report<'_>,
) -> Option<GroundSpan> {
    let trace_id = match (TraceId::from_bytes(&span.trace_id), &made) {
        (Ok(id), _) => id,
        (Err(error), None) => return report.reject(format!("trace {error}")),
        (Err(error), Some(made)) => {
            report.keep(format!(
                "trace {error}: kept in a trace made for its resource"
            ));
            let id = made.trace();
            span.trace_id = id.bytes().to_vec();
            id
        }
    };
    let span_id = match (SpanId::from_bytes(&span.span_id), &mut made) {
        (Ok(id), _) => id,
        (Err(error), None) => return report.reject(format!("span {error}")),
        (Err(error), Some(made)) => {
            report.keep(format!(
                "span {error}: kept under an id made of its content"
            ));
            let id = made.span(&span);
            span.span_id = id.bytes().to_vec();
            id
        }
    };
    let parent = match SpanId::from_bytes(&span.parent_span_id) {
        Ok(id) => Some(id),
        Err(InvalidId::Zero | InvalidId::Length { found: 0, .. }) => None,
        Err(error) => {
            report.keep(format!("parent span {error}: kept as a root"));
            None
        }
    };
    report.repairs(notes);
    let (hash, raw) = content(&span, source, notes);
    Some(GroundSpan {
        trace_id,
        span_id,
        parent,
        raw,
        span,
        repaired: notes.repaired(),
        hash,
    })
}

/// Makes a log record ready to store; ids that are none are left out.
pub(super) fn log(
    record: LogRecord,
    source: Source<'_>,
    notes: &Notes,
    report: &mut Report<'_>,
) -> GroundLog {
    let mut usable = |what: &str, error: InvalidId| match error {
        InvalidId::Zero | InvalidId::Length { found: 0, .. } => {}
        InvalidId::Length { .. } | InvalidId::NotHex => {
            report.keep(format!("{what} {error}: kept without it"));
        }
    };
    let trace_id = TraceId::from_bytes(&record.trace_id)
        .map_err(|error| usable("trace", error))
        .ok();
    let span_id = SpanId::from_bytes(&record.span_id)
        .map_err(|error| usable("span", error))
        .ok();
    report.repairs(notes);
    let (hash, raw) = content(&record, source, notes);
    GroundLog {
        trace_id,
        span_id,
        raw,
        record,
        repaired: notes.repaired(),
        hash,
    }
}

/// Makes a metric ready to store, before its points.
pub(super) fn metric(
    metric: Metric,
    shape: Option<Shape>,
    source: Source<'_>,
    notes: &Notes,
    report: &mut Report<'_>,
) -> (GroundMetric, [u8; 32]) {
    report.repairs(notes);
    let (hash, raw) = content(&metric, source, notes);
    let surroundings = *blake3::hash(&hash.to_be_bytes()).as_bytes();
    let ground = GroundMetric {
        raw,
        name: metric.name,
        unit: metric.unit,
        kind: shape.map_or("", Shape::name),
        points: Vec::new(),
    };
    (ground, surroundings)
}

/// Makes a metric point ready to store; `surroundings` are what [`metric`] gave.
pub(super) fn point(
    point: &Point,
    surroundings: &[u8; 32],
    source: Source<'_>,
    notes: &Notes,
    report: &mut Report<'_>,
) -> GroundPoint {
    report.repairs(notes);
    let ((hash, raw), start, time, attributes) = match point {
        Point::Number(point) => (
            content(point, source, notes),
            point.start_time_unix_nano,
            point.time_unix_nano,
            &point.attributes,
        ),
        Point::Histogram(point) => (
            content(point, source, notes),
            point.start_time_unix_nano,
            point.time_unix_nano,
            &point.attributes,
        ),
        Point::Exponential(point) => (
            content(point, source, notes),
            point.start_time_unix_nano,
            point.time_unix_nano,
            &point.attributes,
        ),
        Point::Summary(point) => (
            content(point, source, notes),
            point.start_time_unix_nano,
            point.time_unix_nano,
            &point.attributes,
        ),
    };
    GroundPoint {
        raw,
        start,
        time,
        series: series(attributes),
        hash: seal(surroundings, hash),
    }
}

/// The hash of attributes whose order does not matter.
fn series(attributes: &[KeyValue]) -> u64 {
    let mut encoded: Vec<Vec<u8>> = attributes
        .iter()
        .map(Message::encode_length_delimited_to_vec)
        .collect();
    encoded.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for attribute in &encoded {
        hasher.update(attribute);
    }
    first_bytes(&hasher.finalize())
}

/// Where problems of one item go.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) problems: &'a mut Vec<Problem>,
    pub(super) item: Label<'a>,
}

/// Names an item by its place, without its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label<'a> {
    /// "span", "log record", "metric".
    pub(super) noun: &'static str,
    /// Its place within the scope, from 1.
    pub(super) index: usize,
    /// The place of a point within its metric, from 1.
    pub(super) point: Option<usize>,
    /// The name of the scope.
    pub(super) scope: &'a str,
}

/// Longest part of a scope's name that a problem repeats, in bytes: names are foreign, problems are many.
const SCOPE_BYTES: usize = 80;

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(point) = self.point {
            write!(f, "point {point} of ")?;
        }
        let scope = &self.scope[..self.scope.floor_char_boundary(SCOPE_BYTES)];
        write!(f, "{} {} of scope `{scope}`", self.noun, self.index)
    }
}

impl Report<'_> {
    /// The item is left out.
    pub(super) fn reject<T>(&mut self, reason: impl Into<String>) -> Option<T> {
        self.problem(reason.into(), true);
        None
    }

    /// The item is kept, with a remark.
    pub(super) fn keep(&mut self, reason: impl Into<String>) {
        self.problem(reason.into(), false);
    }

    fn repairs(&mut self, notes: &Notes) {
        for reason in notes.reasons() {
            self.keep(reason);
        }
    }

    fn problem(&mut self, reason: String, rejected: bool) {
        self.problems.push(Problem {
            item: self.item.to_string(),
            reason,
            rejected,
        });
    }
}
