//! Export requests in JSON, and saved documents, which are requests of one signal or several.

use crate::otlp::budget::Kind as Counted;
use crate::otlp::ground::{self, Header, Label, Report, Seal, Source};
use crate::otlp::made_ids::MadeIds;
use crate::otlp::read::{Notes, Reader};
use crate::otlp::{
    Batch, GroundLog, GroundMetric, GroundSpan, Group, Limits, Problem, Refusal, Signal,
};

use super::tokens::{Kind, Tokens};
use super::{Decoder, Stop};

/// Ways of writing that OTLP does not allow and that were read all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Keys in snake_case.
    pub(crate) snake_case: bool,
    /// Enums by name.
    pub(crate) enum_names: bool,
    /// Ids in base64.
    pub(crate) base64_ids: bool,
}

/// What one saved JSON text holds.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Its items, of any signal.
    pub(crate) batch: Batch,
    /// What was wrong with single items.
    pub(crate) problems: Vec<Problem>,
    /// How it is written.
    pub(crate) dialect: Dialect,
    /// Whether it has a list of resources of any signal at all.
    pub(crate) telemetry: bool,
}

/// Decodes one request of this signal; lists of other signals are unknown keys.
pub(crate) fn decode(
    signal: Signal,
    body: &[u8],
    limits: Limits,
) -> Result<(Batch, Vec<Problem>), Refusal> {
    let document = read(body, limits, Some(signal), None)?;
    Ok((document.batch, document.problems))
}

/// Reads one saved object with items of any signal. Ids that are missing or unusable are made, and reported.
pub(crate) fn document(
    body: &[u8],
    limits: Limits,
    made: &mut MadeIds,
) -> Result<Document, Refusal> {
    read(body, limits, None, Some(made))
}

fn read(
    body: &[u8],
    limits: Limits,
    wanted: Option<Signal>,
    made: Option<&mut MadeIds>,
) -> Result<Document, Refusal> {
    let mut decoder = Decoder {
        tokens: Tokens::new(body),
        reader: Reader::new(limits),
        dialect: Dialect::default(),
        made,
        fault: None,
    };
    let malformed = |reason: String| {
        Refusal::Malformed(match wanted {
            Some(signal) => format!("an OTLP {} request in JSON: {reason}", signal.name()),
            None => format!("OTLP JSON: {reason}"),
        })
    };
    let mut document = Document::default();
    if decoder.tokens.at_end() {
        return Ok(document);
    }
    match decoder.text_of_requests(wanted, &mut document) {
        Ok(()) => {}
        Err(Stop::Refused(refusal)) => return Err(refusal),
        Err(Stop::Broken(broken)) => {
            let (line, column) = decoder.tokens.line_and_column(broken.at);
            return Err(malformed(format!(
                "expected {} at line {line}, column {column}",
                broken.expected
            )));
        }
    }
    if let Some(reason) = decoder.fault {
        return Err(malformed(reason.into_owned()));
    }
    document.dialect = decoder.dialect;
    Ok(document)
}

/// An item that stands in a scope.
trait Item: Seal + Sized {
    const KIND: Counted;
    const NOUN: &'static str;
    /// Keys of the list of scopes, of today and before OTLP 0.15.
    const SCOPES: [&'static str; 2];
    /// Key of the list of items.
    const ITEMS: &'static str;

    /// Reads one item; `None` where it is rejected, which is then in the report.
    fn read(decoder: &mut Decoder<'_>, report: &mut Report<'_>) -> Result<Option<Self>, Stop>;
}

impl Item for GroundSpan {
    const KIND: Counted = Counted::Spans;
    const NOUN: &'static str = "span";
    const SCOPES: [&'static str; 2] = ["scopeSpans", "instrumentationLibrarySpans"];
    const ITEMS: &'static str = "spans";

    fn read(decoder: &mut Decoder<'_>, report: &mut Report<'_>) -> Result<Option<Self>, Stop> {
        let span = decoder.span()?;
        Ok(match decoder.fault.take() {
            Some(reason) => report.reject(reason),
            None => {
                let made = decoder.made.as_deref_mut();
                ground::span(span, Source::Json, &decoder.reader.notes, made, report)
            }
        })
    }
}

impl Item for GroundLog {
    const KIND: Counted = Counted::Logs;
    const NOUN: &'static str = "log record";
    const SCOPES: [&'static str; 2] = ["scopeLogs", "instrumentationLibraryLogs"];
    const ITEMS: &'static str = "logRecords";

    fn read(decoder: &mut Decoder<'_>, report: &mut Report<'_>) -> Result<Option<Self>, Stop> {
        let record = decoder.log()?;
        Ok(match decoder.fault.take() {
            Some(reason) => report.reject(reason),
            None => Some(ground::log(
                record,
                Source::Json,
                &decoder.reader.notes,
                report,
            )),
        })
    }
}

impl Item for GroundMetric {
    const KIND: Counted = Counted::Metrics;
    const NOUN: &'static str = "metric";
    const SCOPES: [&'static str; 2] = ["scopeMetrics", "instrumentationLibraryMetrics"];
    const ITEMS: &'static str = "metrics";

    fn read(decoder: &mut Decoder<'_>, report: &mut Report<'_>) -> Result<Option<Self>, Stop> {
        let parts = decoder.metric()?;
        if let Some(reason) = decoder.fault.take() {
            return Ok(report.reject(reason));
        }
        let notes = &decoder.reader.notes;
        let (mut ground, surroundings) =
            ground::metric(parts.metric, parts.shape, Source::Json, notes, report);
        for (index, point) in parts.points.into_iter().enumerate() {
            report.item.point = Some(index + 1);
            match point {
                Ok((point, notes)) => {
                    let point = ground::point(&point, &surroundings, Source::Json, &notes, report);
                    ground.points.push(point);
                }
                Err(reason) => {
                    report.reject::<()>(reason);
                }
            }
        }
        Ok(Some(ground))
    }
}

impl Decoder<'_> {
    /// Reads the whole text: one request, or for a saved file a list of them.
    fn text_of_requests(
        &mut self,
        wanted: Option<Signal>,
        into: &mut Document,
    ) -> Result<(), Stop> {
        if wanted.is_none() && self.tokens.peek()? == Kind::Array {
            self.list("the file", |decoder| decoder.request(wanted, into))?;
        } else {
            self.request(wanted, into)?;
        }
        if self.tokens.at_end() {
            Ok(())
        } else {
            Err(self.tokens.broken("the end of the text").into())
        }
    }

    fn request(&mut self, wanted: Option<Signal>, into: &mut Document) -> Result<(), Stop> {
        let wants = |signal| wanted.is_none_or(|wanted| wanted == signal);
        if self.tokens.peek()? != Kind::Object {
            return Err(self.tokens.broken("an object").into());
        }
        self.tokens.enter();
        let problems = &mut into.problems;
        let mut first = true;
        while let Some((key, snake)) = self.key(&mut first)? {
            match key.as_ref() {
                "resourceSpans" if wants(Signal::Traces) => {
                    self.resources(&mut into.batch.spans, problems)?;
                }
                "resourceLogs" if wants(Signal::Logs) => {
                    self.resources(&mut into.batch.logs, problems)?;
                }
                "resourceMetrics" if wants(Signal::Metrics) => {
                    self.resources(&mut into.batch.metrics, problems)?;
                }
                _ => {
                    self.tokens.skip()?;
                    continue;
                }
            }
            into.telemetry = true;
            self.dialect.snake_case |= snake;
        }
        Ok(())
    }

    fn resources<T: Item>(
        &mut self,
        groups: &mut Vec<Group<T>>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Stop> {
        let mut index = 0;
        self.list("the list of resources", |decoder| {
            decoder.count(Counted::Resources)?;
            index += 1;
            decoder.resource_part(index, groups, problems)
        })
    }

    fn resource_part<T: Item>(
        &mut self,
        index: usize,
        groups: &mut Vec<Group<T>>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Stop> {
        let start = groups.len();
        let what = format!("resource {index}");
        let (mut header, mut schema_url) = (None, String::new());
        // Lists of scopes that stand before the resource are passed over and read behind it.
        let mut waiting = Vec::new();
        if self.object("a resource's part")? {
            let mut first = true;
            while let Some((key, snake)) = self.key(&mut first)? {
                match key.as_ref() {
                    "resource" => {
                        let make = Header::of_resource;
                        header = Some(self.header(&what, problems, Self::resource, make)?);
                    }
                    "schemaUrl" => schema_url = self.text("schemaUrl")?,
                    key if T::SCOPES.contains(&key) => {
                        self.dialect.snake_case |= snake;
                        if let Some(header) = &header {
                            self.scopes(header, groups, problems)?;
                        } else {
                            waiting.push(self.tokens.place());
                            self.tokens.skip()?;
                        }
                    }
                    _ => self.tokens.skip()?,
                }
            }
        }
        let end = self.tokens.place();
        let header = header.unwrap_or_default();
        for place in waiting {
            self.tokens.return_to(place);
            self.scopes(&header, groups, problems)?;
        }
        self.tokens.return_to(end);
        for group in &mut groups[start..] {
            group.resource_schema_url.clone_from(&schema_url);
        }
        self.part_fault(what, groups.len() == start, problems);
        Ok(())
    }

    fn scopes<T: Item>(
        &mut self,
        resource: &Header,
        groups: &mut Vec<Group<T>>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Stop> {
        if let Some(made) = &mut self.made {
            made.resource = resource.hash;
        }
        self.list("the list of scopes", |decoder| {
            decoder.count(Counted::Scopes)?;
            decoder.scope_part(resource, groups, problems)
        })
    }

    fn scope_part<T: Item>(
        &mut self,
        resource: &Header,
        groups: &mut Vec<Group<T>>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Stop> {
        let what = format!("scope {}", groups.len() + 1);
        let (mut header, mut schema_url, mut items) = (None, String::new(), Vec::new());
        let mut waiting = Vec::new();
        if self.object("a scope's part")? {
            let mut first = true;
            while let Some((key, snake)) = self.key(&mut first)? {
                match key.as_ref() {
                    "scope" | "instrumentationLibrary" => {
                        header =
                            Some(self.header(&what, problems, Self::scope, Header::of_scope)?);
                    }
                    "schemaUrl" => schema_url = self.text("schemaUrl")?,
                    key if key == T::ITEMS => {
                        self.dialect.snake_case |= snake;
                        if let Some(header) = &header {
                            self.items(header, &mut items, problems)?;
                        } else {
                            waiting.push(self.tokens.place());
                            self.tokens.skip()?;
                        }
                    }
                    _ => self.tokens.skip()?,
                }
            }
        }
        let end = self.tokens.place();
        let mut header = header.unwrap_or_default();
        for place in waiting {
            self.tokens.return_to(place);
            self.items(&header, &mut items, problems)?;
        }
        self.tokens.return_to(end);
        self.part_fault(what, items.is_empty(), problems);
        if !items.is_empty() {
            self.reader
                .budget
                .copy(resource.raw.len() + header.raw.len())?;
            header.schema_url = schema_url;
            groups.push(ground::group(resource, header, items));
        }
        Ok(())
    }

    fn items<T: Item>(
        &mut self,
        scope: &Header,
        items: &mut Vec<T>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Stop> {
        let mut index = 0;
        self.list(T::ITEMS, |decoder| {
            index += 1;
            decoder.begin_item();
            decoder.count(T::KIND)?;
            let mut report = Report {
                problems,
                item: Label {
                    noun: T::NOUN,
                    index,
                    point: None,
                    scope: &scope.name,
                },
            };
            items.extend(T::read(decoder, &mut report)?);
            Ok(())
        })
    }

    /// Reads a resource or scope. One that cannot be read does not cost its items: they are kept without it.
    fn header<M>(
        &mut self,
        what: &str,
        problems: &mut Vec<Problem>,
        read: fn(&mut Self) -> Result<M, Stop>,
        make: fn(&M, Source<'_>, &Notes) -> Header,
    ) -> Result<Header, Stop> {
        let before = self.fault.take();
        self.reader.begin_item();
        let message = read(self)?;
        let mut remark = |reason: String| {
            problems.push(Problem {
                item: what.to_owned(),
                reason,
                rejected: false,
            });
        };
        let header = match std::mem::replace(&mut self.fault, before) {
            Some(reason) => {
                remark(format!("{reason}: what it holds is kept without it"));
                Header::default()
            }
            None => make(&message, Source::Json, &self.reader.notes),
        };
        self.reader
            .notes
            .reasons()
            .for_each(|reason| remark(reason.into_owned()));
        Ok(header)
    }

    /// Reports what was wrong with the envelope of a resource or scope.
    fn part_fault(&mut self, what: String, rejected: bool, problems: &mut Vec<Problem>) {
        if let Some(reason) = self.fault.take() {
            problems.push(Problem {
                item: what,
                reason: reason.into_owned(),
                rejected,
            });
        }
    }
}
