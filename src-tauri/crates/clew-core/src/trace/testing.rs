//! Rows for tests.

use super::{RowFacts, SpanRow, TraceRows, Waterfall, summary, waterfall};
use crate::convention::facts;
use crate::convention::tests::recorded::Recorded;
use crate::model::{Facts, Operation, SpanId, TraceId, UnixNanos, Usage, display};
use crate::price::PriceDesk;

/// A span without facts.
pub(crate) fn row(id: u64, parent: Option<u64>, start: u64, end: u64) -> SpanRow {
    let id_of = |id: u64| SpanId::from_bytes(&id.to_be_bytes()).expect("not zero");
    SpanRow {
        span_id: id_of(id),
        parent: parent.map(id_of),
        start: UnixNanos(start),
        end: UnixNanos(end),
        name: format!("span {id}"),
        service: "shop".to_owned(),
        status: 0,
        repaired: false,
        variants: 1,
        received_micros: 0,
        facts: Some(Box::new(RowFacts::of(&Facts::default(), &[]))),
    }
}

/// The row of a recorded span.
pub(crate) fn recorded_row(recorded: &Recorded) -> SpanRow {
    let (span, view) = (&recorded.span, recorded.view());
    let status = span.status.as_ref().map_or(0, |status| status.code);
    SpanRow {
        span_id: SpanId::from_bytes(&span.span_id).expect("a span id"),
        parent: SpanId::from_bytes(&span.parent_span_id).ok(),
        start: UnixNanos(span.start_time_unix_nano),
        end: UnixNanos(span.end_time_unix_nano),
        name: span.name.clone(),
        service: view
            .resource_attr("service.name")
            .map(display)
            .unwrap_or_default(),
        status: u8::try_from(status).unwrap_or(0),
        repaired: false,
        variants: 1,
        received_micros: 0,
        facts: Some(Box::new(RowFacts::of(&facts(&view), &[]))),
    }
}

/// A model call with tokens.
pub(crate) fn call(
    id: u64,
    parent: Option<u64>,
    tokens: (u64, u64),
    response: Option<&str>,
) -> SpanRow {
    let mut call = row(id, parent, 1_000 + id, 2_000 + id);
    let facts = call.facts.as_mut().expect("row gives facts");
    facts.operation = Operation::Llm;
    facts.model = Some("gpt-4o".to_owned());
    facts.response_id = response.map(ToOwned::to_owned);
    facts.usage = Some(Usage {
        input: Some(tokens.0),
        output: Some(tokens.1),
        ..Usage::default()
    });
    call
}

/// A trace of these rows, at the prices that come with Clew.
pub(crate) fn traced(rows: &[SpanRow]) -> TraceRows {
    TraceRows::of(rows.to_vec(), &mut PriceDesk::default())
}

/// A row named by its operation, as an agent's program would send it.
pub(crate) fn step(
    id: u64,
    parent: Option<u64>,
    operation: Operation,
    from: u64,
    to: u64,
) -> SpanRow {
    let mut step = row(
        id,
        parent,
        1_000 + from,
        if to == 0 { 0 } else { 1_000 + to },
    );
    step.facts.as_mut().expect("row gives facts").operation = operation;
    step
}

/// The waterfall of rows.
pub(crate) fn drawn(rows: &[SpanRow]) -> Waterfall {
    let id = TraceId::from_bytes(&[7; 16]).expect("a trace id");
    let trace = traced(rows);
    waterfall(summary(id, 0, &trace, UnixNanos(0), 0), &trace)
}
