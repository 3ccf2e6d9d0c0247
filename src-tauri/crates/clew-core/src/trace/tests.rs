//! Totals of recorded traces against what the provider really served.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::*;
use crate::convention::facts;
use crate::convention::testing::{fixtures, recorded};
use crate::model::{SpanId, TraceId, UnixNanos, display};
use testing::{call, row};

/// Rows of a recording by trace.
fn traces(folder: &str) -> BTreeMap<Vec<u8>, Vec<SpanRow>> {
    let mut traces: BTreeMap<Vec<u8>, Vec<SpanRow>> = BTreeMap::new();
    for recorded in recorded(folder) {
        let (span, view) = (&recorded.span, recorded.view());
        traces
            .entry(span.trace_id.clone())
            .or_default()
            .push(SpanRow {
                span_id: SpanId::from_bytes(&span.span_id).expect("a span id"),
                parent: SpanId::from_bytes(&span.parent_span_id).ok(),
                start: UnixNanos(span.start_time_unix_nano),
                end: UnixNanos(span.end_time_unix_nano),
                name: span.name.clone(),
                service: view
                    .resource_attr("service.name")
                    .map(display)
                    .unwrap_or_default(),
                status: u8::try_from(span.status.as_ref().map_or(0, |status| status.code))
                    .unwrap_or(0),
                repaired: false,
                variants: 1,
                received_micros: 0,
                facts: Some(RowFacts::of(&facts(&view), &[])),
            });
    }
    traces
}

fn summaries(folder: &str) -> Vec<TraceSummary> {
    let traces = traces(folder);
    let summarise = |(id, rows): (&Vec<u8>, &Vec<SpanRow>)| {
        let id = TraceId::from_bytes(id).expect("a trace id");
        summary(id, 0, rows, UnixNanos(0), 0)
    };
    traces.iter().map(summarise).collect()
}

/// Input, output, cached, cache write, reasoning: summed over calls of the run that `keep` keeps.
fn truth(run: &str, keep: impl Fn(&Json) -> bool) -> [u64; 3] {
    let text = std::fs::read_to_string(fixtures().join("ground_truth.jsonl")).expect("the truth");
    let mut sums = [0; 3];
    for line in text.lines() {
        let call: Json = serde_json::from_str(line).expect("a line of JSON");
        if call["run"] == run && call["usage"].is_object() && keep(&call) {
            for (sum, name) in sums.iter_mut().zip(["input", "output", "cached"]) {
                *sum += call["usage"][name].as_u64().expect("a count");
            }
        }
    }
    sums
}

fn totals(summaries: &[TraceSummary]) -> [u64; 3] {
    let sum = |figure: fn(&TraceSummary) -> Option<u64>| summaries.iter().filter_map(figure).sum();
    [
        sum(|summary| summary.input_tokens),
        sum(|summary| summary.output_tokens),
        sum(|summary| summary.cached_tokens),
    ]
}

/// Response ids of the calls whose usage some span states.
fn stating(folder: &str) -> BTreeSet<String> {
    let rows = traces(folder).into_values().flatten();
    let facts = rows.filter_map(|row| row.facts);
    facts
        .filter(|facts| facts.usage.is_some())
        .filter_map(|facts| facts.response_id)
        .collect()
}

#[test]
fn show() {
    for folder in [
        "otel_genai_openai",
        "openai_v2_default",
        "openai_v2_experimental",
        "otel_genai_anthropic",
        "openinference_openai",
        "openinference_langchain",
        "double_langchain_openai",
        "manual_generic",
        "google_adk",
        "strands",
    ] {
        let summaries = summaries(folder);
        eprintln!(
            "{folder} {:?} truth {:?} calls {} ids {}",
            totals(&summaries),
            truth(folder, |_| true),
            summaries.iter().map(|s| s.call_count).sum::<u32>(),
            stating(folder).len()
        );
    }
    let _ = (call(1, None, (1, 1), None), row(1, None, 1, 2));
}
