//! Walks an export request in protobuf: resources, scopes, items, without decoding it as a whole.
//!
//! The requests of the three signals have the same numbers in the same places, so one walk serves all.

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::budget::Kind;
use super::ground::{self, Header, Label, Report, Seal, Source};
use super::metric::take_points;
use super::read::{Fault, Notes, Reader};
use super::wire::{Field, Fields, Payload};
use super::{Batch, GroundLog, GroundMetric, GroundSpan, Group, Limits, Problem, Refusal, Signal};

/// Field of resources in a request, of the resource in it, of the scope in a scope's part.
const FIRST: u32 = 1;
/// Field of scopes in a resource's part, and of items in a scope's part.
const INNER: u32 = 2;
/// Field of `schema_url` in both.
const SCHEMA_URL: u32 = 3;
/// `instrumentation_library_spans` and its like, before OTLP 0.15: laid out as scopes are.
const LEGACY_SCOPES: u32 = 1000;

/// Decodes one request.
pub(super) fn decode(
    signal: Signal,
    body: &[u8],
    limits: Limits,
) -> Result<(Batch, Vec<Problem>), Refusal> {
    let mut batch = Batch::default();
    let mut walk = Walk {
        reader: Reader::new(limits),
        problems: Vec::new(),
        signal,
    };
    match signal {
        Signal::Traces => batch.spans = walk.request(body)?,
        Signal::Logs => batch.logs = walk.request(body)?,
        Signal::Metrics => batch.metrics = walk.request(body)?,
    }
    Ok((batch, walk.problems))
}

/// An item that stands in a scope.
trait Item: Seal + Sized {
    const KIND: Kind;
    const NOUN: &'static str;

    /// Reads one item; `None` where it is rejected, which is then in the report.
    fn read(
        reader: &mut Reader,
        raw: &[u8],
        report: &mut Report<'_>,
    ) -> Result<Option<Self>, Refusal>;
}

impl Item for GroundSpan {
    const KIND: Kind = Kind::Spans;
    const NOUN: &'static str = "span";

    fn read(
        reader: &mut Reader,
        raw: &[u8],
        report: &mut Report<'_>,
    ) -> Result<Option<Self>, Refusal> {
        let mut span = Span::default();
        Ok(match reader.span(raw, &mut span) {
            Ok(()) => ground::span(span, Source::Protobuf(raw), &reader.notes, None, report),
            Err(Fault::Item(reason)) => report.reject(reason),
            Err(Fault::Refused(refusal)) => return Err(refusal),
        })
    }
}

impl Item for GroundLog {
    const KIND: Kind = Kind::Logs;
    const NOUN: &'static str = "log record";

    fn read(
        reader: &mut Reader,
        raw: &[u8],
        report: &mut Report<'_>,
    ) -> Result<Option<Self>, Refusal> {
        let mut record = LogRecord::default();
        Ok(match reader.log(raw, &mut record) {
            Ok(()) => Some(ground::log(
                record,
                Source::Protobuf(raw),
                &reader.notes,
                report,
            )),
            Err(Fault::Item(reason)) => report.reject(reason),
            Err(Fault::Refused(refusal)) => return Err(refusal),
        })
    }
}

impl Item for GroundMetric {
    const KIND: Kind = Kind::Metrics;
    const NOUN: &'static str = "metric";

    fn read(
        reader: &mut Reader,
        raw: &[u8],
        report: &mut Report<'_>,
    ) -> Result<Option<Self>, Refusal> {
        let mut metric = Metric::default();
        let read = take_points(raw, &mut reader.budget).and_then(|parts| {
            reader.metric(&parts.rest, &mut metric)?;
            Ok(parts)
        });
        let parts = match read {
            Ok(parts) => parts,
            Err(Fault::Item(reason)) => return Ok(report.reject(reason)),
            Err(Fault::Refused(refusal)) => return Err(refusal),
        };
        let source = Source::Protobuf(&parts.rest);
        let (mut ground, surroundings) =
            ground::metric(metric, parts.shape, source, &reader.notes, report);
        let Some(shape) = parts.shape else {
            return Ok(Some(ground));
        };
        for (index, raw) in parts.points.into_iter().enumerate() {
            report.item.point = Some(index + 1);
            reader.begin_item();
            match reader.point(shape, raw) {
                Ok(point) => ground.points.push(ground::point(
                    &point,
                    &surroundings,
                    Source::Protobuf(raw),
                    &reader.notes,
                    report,
                )),
                Err(Fault::Item(reason)) => {
                    report.reject::<()>(reason);
                }
                Err(Fault::Refused(refusal)) => return Err(refusal),
            }
        }
        Ok(Some(ground))
    }
}

struct Walk {
    reader: Reader,
    problems: Vec<Problem>,
    signal: Signal,
}

impl Walk {
    fn request<T: Item>(&mut self, body: &[u8]) -> Result<Vec<Group<T>>, Refusal> {
        self.census::<T>(body)?;
        let mut groups = Vec::new();
        let mut fields = Fields::new(body);
        let mut index = 0;
        while let Some(field) = self.next(&mut fields)? {
            if field.number == FIRST {
                index += 1;
                let part = self.message(&field)?;
                self.resource(part, index, &mut groups)?;
            }
        }
        Ok(groups)
    }

    /// Counts resources, scopes and items before anything is allocated for them.
    fn census<T: Item>(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let mut resources = Fields::new(body);
        while let Some(field) = self.next(&mut resources)? {
            if field.number != FIRST {
                continue;
            }
            self.reader.budget.take(Kind::Resources)?;
            let mut scopes = Fields::new(self.message(&field)?);
            while let Some(field) = self.next(&mut scopes)? {
                if !matches!(field.number, INNER | LEGACY_SCOPES) {
                    continue;
                }
                self.reader.budget.take(Kind::Scopes)?;
                let mut items = Fields::new(self.message(&field)?);
                while let Some(field) = self.next(&mut items)? {
                    if field.number == INNER {
                        self.message(&field)?;
                        self.reader.budget.take(T::KIND)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn resource<T: Item>(
        &mut self,
        part: &[u8],
        index: usize,
        groups: &mut Vec<Group<T>>,
    ) -> Result<(), Refusal> {
        let what = format!("resource {index}");
        let resource = self.header(part, &what, Reader::resource, Header::of_resource)?;
        let mut fields = Fields::new(part);
        while let Some(field) = self.next(&mut fields)? {
            if matches!(field.number, INNER | LEGACY_SCOPES) {
                let part = self.message(&field)?;
                self.scope(part, &resource, groups)?;
            }
        }
        Ok(())
    }

    fn scope<T: Item>(
        &mut self,
        part: &[u8],
        resource: &Header,
        groups: &mut Vec<Group<T>>,
    ) -> Result<(), Refusal> {
        let mut items_in_part = 0;
        let mut fields = Fields::new(part);
        while let Some(field) = self.next(&mut fields)? {
            items_in_part += usize::from(field.number == INNER);
        }
        if items_in_part == 0 {
            return Ok(());
        }
        let what = format!("scope {}", groups.len() + 1);
        let scope = self.header(part, &what, Reader::scope, Header::of_scope)?;
        let mut items = Vec::with_capacity(items_in_part);
        let mut fields = Fields::new(part);
        let mut index = 0;
        while let Some(field) = self.next(&mut fields)? {
            if field.number != INNER {
                continue;
            }
            index += 1;
            let raw = self.message(&field)?;
            let mut report = Report {
                problems: &mut self.problems,
                item: Label {
                    noun: T::NOUN,
                    index,
                    point: None,
                    scope: &scope.name,
                },
            };
            self.reader.begin_item();
            items.extend(T::read(&mut self.reader, raw, &mut report)?);
        }
        if !items.is_empty() {
            self.reader
                .budget
                .copy(resource.raw.len() + scope.raw.len())?;
            groups.push(ground::group(resource, scope, items));
        }
        Ok(())
    }

    /// Reads the resource or scope of a part, which may stand behind the items.
    ///
    /// One that cannot be read does not cost its items: they are kept without it.
    fn header<M: Default>(
        &mut self,
        part: &[u8],
        what: &str,
        read: fn(&mut Reader, &[u8], &mut M) -> Result<(), Fault>,
        make: fn(&M, Source<'_>, &Notes) -> Header,
    ) -> Result<Header, Refusal> {
        let (mut raw, mut schema_url) = (Vec::new(), String::new());
        self.reader.begin_item();
        let mut fields = Fields::new(part);
        while let Some(field) = self.next(&mut fields)? {
            match field.number {
                // A message that comes in pieces is their concatenation.
                FIRST => raw.extend_from_slice(self.message(&field)?),
                SCHEMA_URL => schema_url = self.reader.repair(self.message(&field)?),
                _ => {}
            }
        }
        let mut message = M::default();
        let mut remark = |reason: String| {
            self.problems.push(Problem {
                item: what.to_owned(),
                reason,
                rejected: false,
            });
        };
        let mut header = match read(&mut self.reader, &raw, &mut message) {
            Ok(()) => make(&message, Source::Protobuf(&raw), &self.reader.notes),
            Err(Fault::Item(reason)) => {
                remark(format!("{reason}: what it holds is kept without it"));
                Header::default()
            }
            Err(Fault::Refused(refusal)) => return Err(refusal),
        };
        self.reader
            .notes
            .reasons()
            .for_each(|reason| remark(reason.into_owned()));
        header.schema_url = schema_url;
        Ok(header)
    }

    /// The next field of an envelope: where its framing breaks, nothing behind it can be found.
    fn next<'a>(&self, fields: &mut Fields<'a>) -> Result<Option<Field<'a>>, Refusal> {
        fields.next().map_err(|broken| self.malformed(broken))
    }

    fn message<'a>(&self, field: &Field<'a>) -> Result<&'a [u8], Refusal> {
        match field.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(self.malformed(format_args!("field {} is no message", field.number))),
        }
    }

    fn malformed(&self, reason: impl std::fmt::Display) -> Refusal {
        Refusal::Malformed(format!(
            "an OTLP {} request in protobuf: {reason}",
            self.signal.name()
        ))
    }
}
