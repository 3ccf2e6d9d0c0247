//! What is fuzzed: each entry takes any bytes and panics where a promise is broken.
//!
//! One definition for two runners: libFuzzer's targets, and the replay of the corpus in the tests of the workspace.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use clew_core::convention::{conversation, facts};
use clew_core::format::{FORMATS, sniff};
use clew_core::model::{SpanView, TraceId, UnixNanos};
use clew_core::otlp::{
    Batch, Encoding, Limits, Signal, SpanSource, decode, decode_log, decode_metric, decode_point,
    decode_resource, decode_scope, decode_span, record, to_json,
};
use clew_core::price::PriceDesk;
use clew_core::quality::{Response, response_text, score};
use clew_core::trace::{
    RowFacts, Served, SpanRow, Surroundings, TraceRows, csv, detail, ledger_rows, markdown,
    summary, waterfall,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// An entry: the name of its target and of its corpus, and what it does with bytes.
pub type Entry = (&'static str, fn(&[u8]));

/// Every entry, by name.
pub const ENTRIES: &[Entry] = &[
    ("otlp_json", otlp_json),
    ("otlp_protobuf", otlp_protobuf),
    ("saved_file", saved_file),
    ("trace_view", trace_view),
];

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

/// Any bytes as an export request in JSON.
pub fn otlp_json(body: &[u8]) {
    for signal in SIGNALS {
        if let Ok((batch, _)) = decode(signal, Encoding::Json, body, &Limits::default()) {
            reads_back(&batch);
        }
    }
}

/// Any bytes as an export request in protobuf, as a stored span, and as the two halves of one.
pub fn otlp_protobuf(body: &[u8]) {
    for signal in SIGNALS {
        if let Ok((batch, _)) = decode(signal, Encoding::Protobuf, body, &Limits::default()) {
            reads_back(&batch);
        }
    }
    if let Ok((span, repaired)) = decode_span(body) {
        let own = span.encode_to_vec();
        if !repaired && let Ok(other) = Span::decode(body) {
            assert_eq!(
                own,
                other.encode_to_vec(),
                "another reader sees another span"
            );
        }
        let (again, _) = decode_span(&own).expect("what was written can be read");
        assert_eq!(
            own,
            again.encode_to_vec(),
            "reading what was written changes it"
        );
    }
    let _no_panic = record::join(body, body);
    let _no_panic = record::scan(body).count();
}

/// Any bytes as a saved trace file that comes in pieces; the last byte is their size.
pub fn saved_file(data: &[u8]) {
    let Some((size, file)) = data.split_last() else {
        return;
    };
    let _any = sniff(file);
    for format in FORMATS {
        let read = |size: usize| {
            let mut items = 0_usize;
            let mut reader = format.reader();
            let mut sink = |batch: Batch, _| {
                reads_back(&batch);
                items += count(&batch);
            };
            for piece in file.chunks(size) {
                reader.push(piece, &mut sink);
            }
            reader.finish(&mut sink);
            items
        };
        let whole = read(file.len().max(1));
        let pieces = read(usize::from(*size).max(1));
        assert_eq!(whole, pieces, "{}: pieces hold other items", format.id());
    }
}

/// Any bytes as a request of spans (JSON where they begin with a brace): everything that is derived and shown of it.
pub fn trace_view(body: &[u8]) {
    let encoding = match body.first() {
        Some(b'{') => Encoding::Json,
        _ => Encoding::Protobuf,
    };
    let Ok((batch, _)) = decode(Signal::Traces, encoding, body, &Limits::default()) else {
        return;
    };
    let mut rows: Vec<SpanRow> = Vec::new();
    let mut known = HashMap::new();
    let mut seen = HashSet::new();
    let mut trace_id: Option<TraceId> = None;
    for group in &batch.spans {
        let resource = decode_resource(&group.resource).expect("a stored resource can be read");
        let scope = decode_scope(&group.scope).expect("a stored scope can be read");
        for item in &group.items {
            let view = SpanView {
                span: &item.span,
                resource: &resource,
                scope: &scope,
                logs: &[],
            };
            let facts = facts(&view);
            let output = facts.output.as_ref().map(|stated| stated.value.as_slice());
            let text = response_text(output.unwrap_or_default());
            let findings = score(&Response { text: &text });
            for finding in &findings {
                assert!(
                    finding.value.is_finite(),
                    "{}: no number",
                    finding.heuristic
                );
            }
            if let Some(input) = &facts.input_value {
                let _any = conversation(&input.value);
            }
            trace_id = trace_id.or(Some(item.trace_id));
            let around = Surroundings {
                trace_id: item.trace_id,
                span_id: item.span_id,
                parent: item.parent,
                flags: 0,
                skew_nanos: None,
                served: Served::Unseen,
                named: None,
                repaired: item.repaired,
                variants: Vec::new(),
                earlier: &[],
                findings: findings.clone(),
                overrides: Arc::default(),
            };
            let _no_panic = detail(&view, &facts, around);
            // A trace shows one variant of each span.
            if seen.insert(item.span_id) {
                rows.push(SpanRow {
                    span_id: item.span_id,
                    parent: item.parent,
                    start: UnixNanos(item.span.start_time_unix_nano),
                    end: UnixNanos(item.span.end_time_unix_nano),
                    name: item.span.name.clone(),
                    service: group.service.clone(),
                    status: u8::try_from(item.span.status.as_ref().map_or(0, |status| status.code))
                        .unwrap_or(0),
                    repaired: item.repaired,
                    variants: 1,
                    received_micros: 0,
                    facts: Some(Box::new(RowFacts::of(&facts, &findings))),
                });
                known.insert(item.span_id, facts);
            }
            let json = to_json(&[SpanSource {
                resource: &resource,
                resource_schema_url: &group.resource_schema_url,
                scope: &scope,
                scope_schema_url: &group.scope_schema_url,
                span: &item.span,
            }]);
            let again = decode(
                Signal::Traces,
                Encoding::Json,
                json.as_bytes(),
                &Limits::default(),
            );
            let (again, _) = again.expect("our own JSON can be read");
            assert_eq!(count(&again), 1, "our own JSON holds the span");
        }
    }
    let Some(trace_id) = trace_id else { return };
    let trace = TraceRows::of(rows, &mut PriceDesk::default());
    let now = UnixNanos(1_800_000_000_000_000_000);
    let summary = summary(trace_id, 0, &trace, now, 0);
    let _no_panic = markdown(&summary, &trace, None, &known, 2_000);
    let _no_panic = waterfall(summary, &trace);
    let _no_panic = csv(&ledger_rows(trace_id, 0, &trace));
}

/// Items of a batch.
fn count(batch: &Batch) -> usize {
    let spans = batch.spans.iter().map(|group| group.items.len());
    let logs = batch.logs.iter().map(|group| group.items.len());
    let metrics = batch.metrics.iter().flat_map(|group| &group.items);
    spans.chain(logs).sum::<usize>() + metrics.map(|metric| metric.points.len()).sum::<usize>()
}

/// What was taken can be read again, equal, and its two halves belong together.
fn reads_back(batch: &Batch) {
    for group in &batch.spans {
        decode_resource(&group.resource).expect("a stored resource can be read");
        decode_scope(&group.scope).expect("a stored scope can be read");
        for item in &group.items {
            let (span, repaired) = decode_span(&item.raw).expect("a stored span can be read");
            let span = span.encode_to_vec();
            assert_eq!(
                span,
                item.span.encode_to_vec(),
                "a stored span reads differently"
            );
            // What came as JSON was repaired before it was stored.
            assert!(!repaired || item.repaired, "a repair is not told");
            let (attributes, rest) = record::split(&item.raw);
            let (joined, _) =
                decode_span(&record::join(&attributes, &rest)).expect("the halves can be read");
            assert_eq!(span, joined.encode_to_vec(), "the halves are another span");
        }
    }
    for group in &batch.logs {
        for item in &group.items {
            let (log, _) = decode_log(&item.raw).expect("a stored log record can be read");
            assert_eq!(
                log.encode_to_vec(),
                item.record.encode_to_vec(),
                "a stored log differs"
            );
        }
    }
    for item in batch.metrics.iter().flat_map(|group| &group.items) {
        decode_metric(&item.raw).expect("a stored metric can be read");
        for point in &item.points {
            decode_point(item.kind, &point.raw).expect("a stored point can be read");
        }
    }
}
