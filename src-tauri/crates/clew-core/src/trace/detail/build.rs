//! Builds the detail of a span from its content, its facts and what surrounds it.

use std::collections::HashSet;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};

use super::super::content_hint::content_hint;
use super::super::flag;
use super::super::ledger::NamedAbove;
use super::super::markdown::took;
use super::super::references::referable;
use super::super::served::Served;
use super::super::timing::split;
use super::rows::fact_rows;
use super::{
    AttributeRow, DialectRow, EventRow, LinkRow, LogRow, RelatedLog, SpanDetail, SpanFacts,
    VariantRow,
};
use crate::convention::{Overrides, unexplained};
use crate::estimate::size;
use crate::model::{
    self, Dialect, Embedded, Facts, Message, Operation, Part, SpanId, SpanView, Stated, TraceId,
    display,
};
use crate::quality::Finding;

/// Longest value text that a detail carries, in bytes.
const MAX_VALUE: usize = 64 * 1024;
/// Most attributes that a detail lists.
const MAX_ATTRIBUTES: usize = 1_000;

/// What the trace and the store know of a span beyond its own content.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// The trace's id.
    pub trace_id: TraceId,
    /// The span's id.
    pub span_id: SpanId,
    /// The parent that the span states.
    pub parent: Option<SpanId>,
    /// [`crate::trace::flag::ORPHAN`] and [`crate::trace::flag::CYCLE`], as the waterfall has them.
    pub flags: u16,
    /// How long before its parent it started, as [`crate::trace::skew`] has it, in nanoseconds.
    pub skew_nanos: Option<u64>,
    /// What tells of a model call from its server's side, as [`crate::trace::served`] has it.
    pub served: Served,
    /// The model of a call that names none, as a span above names it.
    pub named: Option<NamedAbove>,
    /// Whether text that was not UTF-8 was repaired, or a value nested too deep was cut.
    pub repaired: bool,
    /// All contents received under the id.
    pub variants: Vec<VariantRow>,
    /// Messages that earlier calls of the trace sent or got as answers.
    pub earlier: &'a [Message],
    /// What heuristics saw in the response.
    pub findings: Vec<Finding>,
    /// What the user says attributes mean.
    pub overrides: Arc<Overrides>,
}

/// Everything that the side panel shows of the span.
#[must_use]
pub fn detail(view: &SpanView, facts: &Facts, around: Surroundings<'_>) -> SpanDetail {
    let span = view.span;
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    let status = span.status.clone().unwrap_or_default();
    let tool = facts
        .tool
        .as_ref()
        .map(|tool| tool.value.clone())
        .unwrap_or_default();
    let prompt = facts
        .prompt
        .as_ref()
        .map(|prompt| prompt.value.clone())
        .unwrap_or_default();
    let error = facts
        .error
        .as_ref()
        .map(|error| error.value.clone())
        .unwrap_or_default();
    let input = list(facts.input.as_ref());
    let reused = reused(&input, around.earlier);
    let model = facts
        .response_model
        .as_ref()
        .or(facts.request_model.as_ref());
    let named = around.named.as_ref().filter(|_| model.is_none());
    let split = split(facts, start, end, &around.served);
    let mut problems = problems(view, facts, &around);
    problems.extend(split.problems);
    SpanDetail {
        trace_id: around.trace_id.to_string(),
        span_id: around.span_id.to_string(),
        parent_span_id: around.parent.map(|parent| parent.to_string()),
        name: span.name.clone(),
        operation: facts
            .operation
            .as_ref()
            .map_or(Operation::Other, |operation| operation.value),
        kind: kind(span.kind),
        status: if (0..=2).contains(&status.code) {
            u8::try_from(status.code).unwrap_or(0)
        } else {
            0
        },
        status_message: status.message,
        start_nanos: start.to_string(),
        end_nanos: end.to_string(),
        duration_nanos: (end != 0).then(|| end.saturating_sub(start)),
        service: view
            .resource_attr("service.name")
            .map(display)
            .unwrap_or_default(),
        provider: one(facts.provider.as_ref())
            .or_else(|| named.and_then(|named| named.provider.clone())),
        model: one(model).or_else(|| named.map(|named| named.model.clone())),
        model_from: named.map(|named| named.by.to_string()),
        usage: facts
            .usage
            .as_ref()
            .map(|usage| usage.value)
            .unwrap_or_default(),
        cost_usd: facts.cost_usd.as_ref().map(|cost| cost.value),
        ttft_nanos: first_token(facts, span),
        tokens_per_second: speed(facts, span),
        timing: split.rows,
        finish_reasons: list(facts.finish_reasons.as_ref()),
        error_type: error.kind,
        error_class: facts.error_class.as_ref().map(|class| class.value),
        stage: facts.stage.as_ref().map(|stage| stage.value),
        error_message: error.message,
        reused: counted_u32(reused),
        fresh: counted_u32(input.len() - reused),
        reused_size: (reused > 0).then(|| {
            size(
                facts,
                named.map(|named| named.model.as_str()),
                &input[..reused],
            )
        }),
        input: looked_into(input),
        output: looked_into(list(facts.output.as_ref())),
        input_value: one(facts.input_value.as_ref()),
        output_value: one(facts.output_value.as_ref()),
        tool_name: tool.name,
        tool_call_id: tool.call_id,
        tool_arguments: tool.arguments,
        tool_result: tool.result,
        query: one(facts.query.as_ref()),
        documents: list(facts.documents.as_ref()),
        referable: referable(view, facts),
        tools: list(facts.tools.as_ref()),
        parameters: list(facts.parameters.as_ref()),
        prompt_name: prompt.name,
        prompt_version: prompt.version,
        facts: fact_rows(facts),
        dialect: facts.dialect.as_ref().map(dialect_row),
        unexplained: unexplained(view, &around.overrides),
        content_hint: content_hint(&view.scope.name, facts).map(|hint| hint.shown()),
        findings: around.findings,
        attributes: attribute_rows(&span.attributes),
        attribute_count: u32::try_from(span.attributes.len()).unwrap_or(u32::MAX),
        dropped: (
            span.dropped_attributes_count,
            span.dropped_events_count,
            span.dropped_links_count,
        ),
        resource: scope_rows(view.scope)
            .into_iter()
            .chain(attribute_rows(&view.resource.attributes))
            .collect(),
        events: event_rows(span),
        links: span.links.iter().map(link_row).collect(),
        logs: view.logs.iter().map(|log| log_row(log, start)).collect(),
        problems,
        variants: around.variants,
    }
}

/// The facts of a span, and what nothing explains of it.
#[must_use]
pub fn span_facts(
    span_id: SpanId,
    view: &SpanView,
    facts: &Facts,
    overrides: &Overrides,
) -> SpanFacts {
    SpanFacts {
        span_id: span_id.to_string(),
        dialect: facts.dialect.as_ref().map(dialect_row),
        facts: fact_rows(facts),
        unexplained: unexplained(view, overrides),
    }
}

fn dialect_row(stated: &Stated<Dialect>) -> DialectRow {
    let dialect = &stated.value;
    DialectRow {
        title: dialect.title.clone(),
        version: dialect.version.clone(),
        told_by: stated.key.clone(),
        tables: dialect.tables.clone(),
        source: dialect.source.clone(),
    }
}

fn one(stated: Option<&Stated<String>>) -> Option<String> {
    stated.map(|stated| stated.value.clone())
}

fn list<T: Clone>(stated: Option<&Stated<Vec<T>>>) -> Vec<T> {
    stated
        .map(|stated| stated.value.clone())
        .unwrap_or_default()
}

/// Says of embedded content what it is.
fn looked_into(mut messages: Vec<Message>) -> Vec<Message> {
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        if let Part::Media {
            mime_type,
            data: Some(data),
            embedded,
            ..
        } = part
        {
            *embedded = Some(Embedded::of(data, mime_type.as_deref()));
        }
    }
    messages
}

/// How many messages at the start of `input` are among `earlier`, by role and content.
fn reused(input: &[Message], earlier: &[Message]) -> usize {
    let known: HashSet<String> = earlier.iter().filter_map(said).collect();
    let known_too = |message: &&Message| said(message).is_some_and(|said| known.contains(&said));
    input.iter().take_while(known_too).count()
}

fn counted_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn said(message: &Message) -> Option<String> {
    serde_json::to_string(&(&message.role, &message.parts)).ok()
}

fn kind(kind: i32) -> String {
    match kind {
        0 => "unspecified".to_owned(),
        1 => "internal".to_owned(),
        2 => "server".to_owned(),
        3 => "client".to_owned(),
        4 => "producer".to_owned(),
        5 => "consumer".to_owned(),
        other => format!("unknown ({other})"),
    }
}

fn severity(log: &LogRecord) -> String {
    const NAMES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    if !log.severity_text.is_empty() {
        return log.severity_text.clone();
    }
    match usize::try_from(log.severity_number) {
        Ok(0) => "unspecified".to_owned(),
        Ok(number @ 1..=24) => match (number - 1) % 4 {
            0 => NAMES[(number - 1) / 4].to_owned(),
            step => format!("{}{}", NAMES[(number - 1) / 4], step + 1),
        },
        _ => format!("unknown ({})", log.severity_number),
    }
}

/// Nanoseconds from `start` to `at`, negative where `at` lies before.
#[expect(
    clippy::cast_precision_loss,
    reason = "the wire to the UI is doubles; beyond 2^53 the nearest one is shown"
)]
fn offset(start: u64, at: u64) -> f64 {
    (i128::from(at) - i128::from(start)) as f64
}

fn attribute_rows(attributes: &[KeyValue]) -> Vec<AttributeRow> {
    attributes
        .iter()
        .take(MAX_ATTRIBUTES)
        .map(attribute_row)
        .collect()
}

fn attribute_row(attribute: &KeyValue) -> AttributeRow {
    let value = attribute.value.as_ref().and_then(|any| any.value.as_ref());
    let whole = value.map(display).unwrap_or_default();
    text_row(&attribute.key, type_name(value), whole)
}

fn text_row(key: &str, r#type: &str, whole: String) -> AttributeRow {
    let size = whole.len();
    let value = cut(whole);
    AttributeRow {
        key: key.to_owned(),
        r#type: r#type.to_owned(),
        size: u32::try_from(size).unwrap_or(u32::MAX),
        cut: value.len() < size,
        value,
    }
}

fn scope_rows(scope: &InstrumentationScope) -> Vec<AttributeRow> {
    [
        ("scope.name", &scope.name),
        ("scope.version", &scope.version),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| text_row(key, "scope", value.clone()))
    .collect()
}

/// Nanoseconds from start to end; `None` while pending, and where the end lies before the start, rounding aside.
const fn took_nanos(span: &Span) -> Option<u64> {
    match span.end_time_unix_nano {
        0 => None,
        end => model::nanos_between(span.start_time_unix_nano, end),
    }
}

/// [`SpanDetail::ttft_nanos`]; `None` where it cannot be.
fn first_token(facts: &Facts, span: &Span) -> Option<u64> {
    let stated = facts.ttft_nanos.as_ref()?.value;
    model::first_token(stated, span.start_time_unix_nano, span.end_time_unix_nano)
}

/// [`SpanDetail::tokens_per_second`]: as stated, else of the output; `None` where the call states no output, has not
/// ended or took no time.
#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is shown with two or three digits"
)]
fn speed(facts: &Facts, span: &Span) -> Option<f64> {
    let timing = facts.timing.as_ref().map(|timing| &timing.value);
    if let Some(stated) = timing.and_then(|timing| timing.tokens_per_second.as_ref()) {
        return Some(stated.value);
    }
    let output = facts
        .usage
        .as_ref()?
        .value
        .output
        .filter(|&output| output > 0)?;
    let ttft = first_token(facts, span).unwrap_or(0);
    let streaming = took_nanos(span)?
        .checked_sub(ttft)
        .filter(|&nanos| nanos > 0)?;
    Some(output as f64 * 1e9 / streaming as f64)
}

fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None | Some(Value::StringValueStrindex(_)) => "empty",
        Some(Value::StringValue(_)) => "string",
        Some(Value::BoolValue(_)) => "bool",
        Some(Value::IntValue(_)) => "int",
        Some(Value::DoubleValue(_)) => "double",
        Some(Value::BytesValue(_)) => "bytes",
        Some(Value::ArrayValue(_)) => "array",
        Some(Value::KvlistValue(_)) => "kvlist",
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_VALUE));
    text
}

fn event_rows(span: &Span) -> Vec<EventRow> {
    let mut events: Vec<&Event> = span.events.iter().collect();
    events.sort_by_key(|event| event.time_unix_nano);
    events
        .into_iter()
        .map(|event| EventRow {
            name: event.name.clone(),
            offset_nanos: offset(span.start_time_unix_nano, event.time_unix_nano),
            attributes: attribute_rows(&event.attributes),
        })
        .collect()
}

fn link_row(link: &Link) -> LinkRow {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    LinkRow {
        trace_id: hex(&link.trace_id),
        span_id: hex(&link.span_id),
        attributes: attribute_rows(&link.attributes),
    }
}

impl RelatedLog {
    /// Shapes a record that states `id`; `start` is that of the call, in nanoseconds since the epoch.
    #[must_use]
    pub fn of(
        log: &LogRecord,
        start: u64,
        id: String,
        service: String,
        trace: Option<TraceId>,
        span: Option<SpanId>,
    ) -> Self {
        Self {
            id,
            service,
            trace_id: trace.map(|id| id.to_string()),
            span_id: span.map(|id| id.to_string()),
            log: log_row(log, start),
        }
    }
}

fn log_row(log: &LogRecord, start: u64) -> LogRow {
    let at = if log.time_unix_nano == 0 {
        log.observed_time_unix_nano
    } else {
        log.time_unix_nano
    };
    let body = log.body.as_ref().and_then(|body| body.value.as_ref());
    LogRow {
        offset_nanos: offset(start, at),
        severity: severity(log),
        event_name: log.event_name.clone(),
        body: cut(body.map(display).unwrap_or_default()),
        attributes: attribute_rows(&log.attributes),
    }
}

pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What is odd about the span, in sentences.
fn problems(view: &SpanView, facts: &Facts, around: &Surroundings<'_>) -> Vec<String> {
    let span = view.span;
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    let mut problems = Vec::new();
    if start == 0 {
        problems.push("It states no start time.".to_owned());
    }
    if end != 0 && end < start {
        problems.push(format!("It ends {} ns before it starts.", start - end));
    }
    if let Some(stated) = &facts.ttft_nanos
        && first_token(facts, span).is_none()
    {
        let why = took_nanos(span).map_or_else(
            || "the span ends before it starts".to_owned(),
            |length| format!("the span took {}", took(length)),
        );
        problems.push(format!(
            "{} states {} to the first token, and {why}: it is not shown.",
            stated.key,
            took(stated.value)
        ));
    }
    if let Some(keys) = &facts.impossible {
        problems.push(format!(
            "What {} states of its time cannot be: it is negative or lies before the start, and is not shown.",
            keys.value.join(", ")
        ));
    }
    let parent = around
        .parent
        .map(|parent| parent.to_string())
        .unwrap_or_default();
    if around.flags & flag::ORPHAN != 0 {
        problems.push(format!(
            "Its parent {parent} has not arrived, so it stands at top level."
        ));
    }
    if around.flags & flag::CYCLE != 0 {
        problems.push(format!(
            "Its parents lead back to itself, so its link to its parent {parent} was cut."
        ));
    }
    if let Some(before) = around.skew_nanos {
        problems.push(format!(
            "It starts {} before its parent, so their clocks differ; all times are shown as received.",
            took(before)
        ));
    }
    if around.repaired {
        problems.push(
            "Text that was not UTF-8 was repaired, or values nested too deep were cut.".to_owned(),
        );
    }
    for (number, what, limit) in [
        (
            span.dropped_attributes_count,
            "attribute",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        ),
        (
            span.dropped_events_count,
            "event",
            "OTEL_SPAN_EVENT_COUNT_LIMIT",
        ),
        (
            span.dropped_links_count,
            "link",
            "OTEL_SPAN_LINK_COUNT_LIMIT",
        ),
    ] {
        if number > 0 {
            let number = counted(usize::try_from(number).unwrap_or(usize::MAX), what);
            problems.push(format!(
                "The SDK dropped {number}; {limit} raises its limit."
            ));
        }
    }
    let cut: Vec<&str> = span
        .attributes
        .iter()
        .filter(|attribute| cut_json(attribute))
        .map(|attribute| attribute.key.as_str())
        .take(5)
        .collect();
    if !cut.is_empty() {
        problems.push(format!(
            "The JSON in {} breaks off, as the SDK cuts long values; OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT raises its limit. What stands before the cut is shown.",
            cut.join(", ")
        ));
    }
    let mut keys = HashSet::new();
    let repeated = span
        .attributes
        .iter()
        .filter(|attribute| !keys.insert(attribute.key.as_str()))
        .count();
    if repeated > 0 {
        problems.push(format!(
            "{} of a key stated before; the last one counts.",
            counted(repeated, "attribute")
        ));
    }
    if kind(span.kind).starts_with("unknown") {
        problems.push(format!(
            "Its kind {} is not one that OTLP knows.",
            span.kind
        ));
    }
    let code = span.status.as_ref().map_or(0, |status| status.code);
    if !(0..=2).contains(&code) {
        problems.push(format!("Its status {code} is not one that OTLP knows."));
    }
    problems
}

/// Whether the value is JSON that ends too early: what an SDK's length limit leaves of a conversation.
fn cut_json(attribute: &KeyValue) -> bool {
    let Some(Value::StringValue(text)) =
        attribute.value.as_ref().and_then(|any| any.value.as_ref())
    else {
        return false;
    };
    let opens = ["[{", "{\"", "[\""]
        .iter()
        .any(|start| text.starts_with(start));
    opens
        && text.len() <= 1 << 20
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof())
}

#[cfg(test)]
mod tests;
