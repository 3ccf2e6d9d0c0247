//! B2: a span of a file is kept whatever its ids are; which were made, and why, is reported with its line.

use crate::model::{SpanId, TraceId};
use crate::otlp::{Encoding, GroundSpan, Limits, Refusal, Signal, decode};

use super::super::{Batch, Problem, sniff};

fn read(file: &str) -> (Batch, Vec<Problem>) {
    let format = sniff(file.as_bytes()).expect("a known format");
    let (mut all, mut problems) = (Batch::default(), Vec::new());
    let mut sink = |batch: Batch, found: Vec<Problem>| {
        all.spans.extend(batch.spans);
        all.logs.extend(batch.logs);
        problems.extend(found);
    };
    let mut reader = format.reader();
    reader.push(file.as_bytes(), &mut sink);
    reader.finish(&mut sink);
    (all, problems)
}

fn spans(batch: &Batch) -> Vec<&GroundSpan> {
    batch.spans.iter().flat_map(|group| &group.items).collect()
}

/// One line with these spans, of a service.
fn line(service: &str, spans: &[&str]) -> String {
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"scope":{{"name":"s"}},"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    )
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// The ids as they are written in a file (JSON), what is read of them, and the warning; `None` for an id that is made.
#[test]
fn b2_each_unusable_id_is_read_or_made_and_says_why() {
    let trace = format!(r#""{TRACE}""#);
    let span = format!(r#""{SPAN}""#);
    let read_as = "is not 32 hex digits: read as the number that it is";
    let hashed = "is not 32 hex digits: an id was made of its text";
    for (trace_id, span_id, expected_trace, expected_span, warning) in [
        (&*trace, &*span, Some(TRACE), Some(SPAN), ""),
        (
            r#""0AF7651916CD43DD8448EB211C80319C""#,
            r#""B7AD6B7169203331""#,
            Some(TRACE),
            Some(SPAN),
            "",
        ),
        // Jaeger's and Zipkin's 64 bits; an odd number of digits; a UUID; a number.
        (
            r#""8448eb211c80319c""#,
            &span,
            Some("00000000000000008448eb211c80319c"),
            Some(SPAN),
            read_as,
        ),
        (
            r#""448eb211c80319c""#,
            &span,
            Some("00000000000000000448eb211c80319c"),
            Some(SPAN),
            read_as,
        ),
        (
            r#""0af76519-16cd-43dd-8448-eb211c80319c""#,
            &span,
            Some(TRACE),
            Some(SPAN),
            read_as,
        ),
        (
            "17",
            &span,
            Some("00000000000000000000000000000017"),
            Some(SPAN),
            read_as,
        ),
        (r#""run 7""#, &span, None, Some(SPAN), hashed),
        (
            r#""0af7651916cd43dd8448eb211c80319c00""#,
            &span,
            None,
            Some(SPAN),
            hashed,
        ),
        (
            r#""""#,
            &span,
            None,
            Some(SPAN),
            "trace id has 0 bytes, not 16: kept in a trace made for its resource",
        ),
        (
            r#""00000000000000000000000000000000""#,
            &span,
            None,
            Some(SPAN),
            "trace id is all zeros: kept in a trace made for its resource",
        ),
        ("{}", &span, None, Some(SPAN), "`traceId` is no text"),
        (
            &trace,
            r#""""#,
            Some(TRACE),
            None,
            "span id has 0 bytes, not 8: kept under an id made of its content",
        ),
        (
            &trace,
            "null",
            Some(TRACE),
            None,
            "span id has 0 bytes, not 8",
        ),
        (
            &trace,
            r#""0000000000000000""#,
            Some(TRACE),
            None,
            "span id is all zeros",
        ),
        (
            &trace,
            r#""span-1""#,
            Some(TRACE),
            None,
            "`spanId` is not 16 hex digits",
        ),
    ] {
        let written = format!(r#"{{"traceId":{trace_id},"spanId":{span_id},"name":"n","kind":1}}"#);
        let good = format!(r#"{{"traceId":{trace},"spanId":"1111111111111111","name":"good"}}"#);
        let file = [
            line("svc", &[&good]),
            line("svc", &[&good, &written]),
            line("svc", &[&good]),
        ]
        .join("\n");
        let (batch, problems) = read(&file);
        let found = spans(&batch);
        assert_eq!(found.len(), 4, "{written}: kept, and its neighbours too");
        let found = found[2];
        if let Some(expected) = expected_trace {
            assert_eq!(found.trace_id.to_string(), expected, "{written}");
        }
        if let Some(expected) = expected_span {
            assert_eq!(found.span_id.to_string(), expected, "{written}");
        }
        assert_eq!(
            (&found.span.trace_id[..], &found.span.span_id[..]),
            (&found.trace_id.bytes()[..], &found.span_id.bytes()[..]),
            "what is stored says the same ids"
        );
        assert!(problems.iter().all(|problem| !problem.rejected));
        if warning.is_empty() {
            assert_eq!(problems, [], "{written}");
        } else {
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.item == "line 2: span 2 of scope `s`"
                        && problem.reason.contains(warning)),
                "{written}: {problems:?}"
            );
        }
        // The same file makes the same ids, and a receiver still refuses what OTLP forbids.
        assert_eq!(read(&file), (batch, problems.clone()));
        let decoded = decode(
            Signal::Traces,
            Encoding::Json,
            line("svc", &[&good, &written]).as_bytes(),
            &Limits::default(),
        );
        let (batch, rejected) = decoded.expect("a request");
        let rejected = rejected.iter().filter(|problem| problem.rejected).count();
        assert_eq!(
            (spans(&batch).len(), rejected),
            if warning.is_empty() { (2, 0) } else { (1, 1) },
            "{written} over the wire"
        );
    }
}

/// The shape of the countconnector's `input.json`: spans without any id, several alike.
#[test]
fn b2_spans_without_any_id_are_told_apart_by_content_then_order() {
    let bare = r#"{"traceId":"","spanId":"","parentSpanId":"","name":"","status":{}}"#;
    let named = r#"{"traceId":"","spanId":"","parentSpanId":"","name":"x","status":{}}"#;
    let file = [
        line("a", &[bare, bare, named]),
        line("b", &[bare]),
        line("a", &[bare]),
    ]
    .join("\n");
    let (batch, problems) = read(&file);
    let ids: Vec<(TraceId, SpanId)> = spans(&batch)
        .iter()
        .map(|span| (span.trace_id, span.span_id))
        .collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(
        (ids.len(), unique.len()),
        (5, 5),
        "each is a span of its own"
    );
    assert_eq!(problems.len(), 10);
    let traces: Vec<TraceId> = ids.iter().map(|id| id.0).collect();
    assert_eq!(
        [traces[0]; 3],
        [traces[1], traces[2], traces[4]],
        "one trace for a resource"
    );
    assert_ne!(traces[0], traces[3], "another for another");
    // What is added behind, and what is changed before, leaves the ids of the others.
    let grown = [line("c", &[named]), file, line("a", &[bare])].join("\n");
    let (grown, _) = read(&grown);
    let later: Vec<(TraceId, SpanId)> = spans(&grown)
        .iter()
        .map(|span| (span.trace_id, span.span_id))
        .collect();
    assert_eq!(later[1..6], ids[..]);
    assert!(!ids.contains(&later[6]));
}

/// Parents, links and log records that name an odd id find its span.
#[test]
fn b2_what_refers_to_an_odd_id_finds_its_span() {
    let file = [
        line(
            "svc",
            &[
                r#"{"traceId":"run 7","spanId":"root","name":"root"}"#,
                r#"{"traceId":"run 7","spanId":"c1","parentSpanId":"root","name":"child",
                   "links":[{"traceId":"run 7","spanId":"root"}]}"#,
            ]
            .map(|span| span.replace('\n', " "))
            .each_ref()
            .map(String::as_str),
        ),
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"run 7","spanId":"root","body":{"stringValue":"x"}}]}]}]}"#
            .to_owned(),
    ]
    .join("\n");
    let (batch, problems) = read(&file);
    let spans = spans(&batch);
    let [root, child] = spans[..] else {
        panic!("two spans: {problems:?}")
    };
    assert_eq!(child.trace_id, root.trace_id);
    assert_eq!(child.parent, Some(root.span_id));
    let link = &child.span.links[0];
    assert_eq!(
        (&link.trace_id[..], &link.span_id[..]),
        (&root.trace_id.bytes()[..], &root.span_id.bytes()[..])
    );
    let log = &batch.logs[0].items[0];
    assert_eq!(
        (log.trace_id, log.span_id),
        (Some(root.trace_id), Some(root.span_id))
    );
}

/// A file without a readable document is refused as before; ids are made for spans, not for text that is no JSON.
#[test]
fn b2_ids_are_not_made_for_what_is_no_span() {
    let (batch, problems) = read(&format!("{}\n{{\"resourceSpans\":[{{]\n", line("svc", &[])));
    assert_eq!(spans(&batch).len(), 0);
    assert!(problems.iter().any(|problem| problem.rejected));
    assert!(matches!(
        decode(Signal::Traces, Encoding::Json, b"[", &Limits::default()),
        Err(Refusal::Malformed(_))
    ));
}
