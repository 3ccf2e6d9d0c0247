//! Requests that real programs sent: the same one in protobuf and in JSON is the same.

use super::*;

fn signal_of(name: &str) -> Signal {
    [Signal::Traces, Signal::Logs, Signal::Metrics]
        .into_iter()
        .find(|signal| name.contains(signal.name()))
        .expect("the name of a signal")
}

fn read(path: &Path, signal: Signal, encoding: Encoding) -> Batch {
    let body = std::fs::read(path).expect("fixture");
    let (batch, problems) = decode(signal, encoding, &body, &Limits::default()).expect("a request");
    assert_eq!(problems, [], "{}", path.display());
    batch
}

/// A value in writing, where NaN is NaN: the AI SDK 4 counts a stream's tokens so.
fn written(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// Equal in all that is read, and in hash. The stored bytes may differ: prost writes a `oneof` where the lowest of its
/// numbers stands, other senders where the number that is set stands (`as_int` of points and exemplars), and the Node.js
/// exporter writes zeros that prost leaves out.
fn assert_same(left: &Batch, right: &Batch, path: &Path) {
    let path = path.display();
    let (left_spans, right_spans) = (spans(left), spans(right));
    assert_eq!(left_spans.len(), right_spans.len(), "{path}");
    let what = |span: &GroundSpan| GroundSpan {
        raw: Vec::new(),
        ..span.clone()
    };
    for (left, right) in left_spans.iter().zip(&right_spans) {
        assert_eq!(written(&what(left)), written(&what(right)), "{path}");
    }
    assert!(left.logs == right.logs, "{path}: logs differ");
    assert_eq!(left.metrics.len(), right.metrics.len(), "{path}");
    for (left, right) in left.metrics.iter().zip(&right.metrics) {
        assert_eq!(left.resource, right.resource, "{path}");
        assert_eq!(left.scope, right.scope, "{path}");
        assert_eq!(left.items.len(), right.items.len(), "{path}");
        for (left, right) in left.items.iter().zip(&right.items) {
            assert_eq!(
                (&left.raw, &left.name, &left.unit, left.kind),
                (&right.raw, &right.name, &right.unit, right.kind),
                "{path}"
            );
            assert_eq!(left.points.len(), right.points.len(), "{path}");
            for (left_point, right_point) in left.points.iter().zip(&right.points) {
                let what = |point: &GroundPoint| {
                    let decoded = decode_point(left.kind, &point.raw).expect("stored");
                    (decoded, point.start, point.time, point.series, point.hash)
                };
                assert_eq!(what(left_point), what(right_point), "{path}");
            }
        }
    }
    for (left, right) in left.spans.iter().zip(&right.spans) {
        assert_eq!(left.service, right.service, "{path}");
        assert_eq!(left.scope_name, right.scope_name, "{path}");
        let resource = |raw: &[u8]| decode_resource(raw).expect("resource");
        assert_eq!(
            resource(&left.resource),
            resource(&right.resource),
            "{path}"
        );
        let scope = |raw: &[u8]| decode_scope(raw).expect("scope");
        assert_eq!(scope(&left.scope), scope(&right.scope), "{path}");
        assert_eq!(
            left.resource_schema_url, right.resource_schema_url,
            "{path}"
        );
        assert_eq!(left.scope_schema_url, right.scope_schema_url, "{path}");
    }
}

#[test]
fn every_recorded_request_is_the_same_in_each_encoding() {
    let mut seen = [0; 3];
    for path in fixtures("otlp", "-http-protobuf.pb")
        .into_iter()
        .chain(fixtures("otlp", "-http-json.pb"))
        .chain(fixtures("otlp", "-grpc.pb"))
    {
        let name = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        let signal = signal_of(&name);
        let protobuf = read(&path, signal, Encoding::Protobuf);
        let items = protobuf
            .spans
            .iter()
            .map(|group| group.items.len())
            .sum::<usize>()
            + protobuf
                .logs
                .iter()
                .map(|group| group.items.len())
                .sum::<usize>()
            + protobuf
                .metrics
                .iter()
                .map(|group| group.items.len())
                .sum::<usize>();
        assert!(items > 0, "{} is empty", path.display());
        let json = read(&path.with_extension("json"), signal, Encoding::Json);
        assert_same(&protobuf, &json, &path);
        let raw = path.with_extension("raw.json");
        if raw.exists() {
            assert_same(&protobuf, &read(&raw, signal, Encoding::Json), &raw);
        }
        seen[signal as usize] += items;
    }
    assert!(seen.iter().all(|&items| items > 0), "{seen:?}");
}

#[test]
fn what_is_stored_reads_back() {
    for path in fixtures("otlp", ".pb") {
        let Some(signal) = ["traces", "logs", "metrics"]
            .into_iter()
            .zip([Signal::Traces, Signal::Logs, Signal::Metrics])
            .find_map(|(name, signal)| path.to_string_lossy().contains(name).then_some(signal))
        else {
            continue;
        };
        let body = std::fs::read(&path).expect("fixture");
        let (batch, _) =
            decode(signal, Encoding::Protobuf, &body, &Limits::default()).expect("a request");
        for group in &batch.spans {
            decode_resource(&group.resource).expect("resource");
            decode_scope(&group.scope).expect("scope");
            for item in &group.items {
                assert_eq!(
                    written(&decode_span(&item.raw)),
                    written(&Ok::<_, &str>((item.span.clone(), item.repaired)))
                );
                let (attributes, rest) = record::split(&item.raw);
                assert_eq!(record::join(&attributes, &rest), item.raw);
            }
        }
        for item in batch.logs.iter().flat_map(|group| &group.items) {
            assert_eq!(
                decode_log(&item.raw),
                Ok((item.record.clone(), item.repaired))
            );
        }
        for metric in batch.metrics.iter().flat_map(|group| &group.items) {
            let shared = decode_metric(&metric.raw).expect("metric");
            assert_eq!(
                (shared.name, shared.unit),
                (metric.name.clone(), metric.unit.clone())
            );
            for point in &metric.points {
                decode_point(metric.kind, &point.raw).expect("point");
            }
        }
    }
}

#[test]
fn spans_written_as_json_read_back_equal() {
    for path in fixtures("otlp", ".pb") {
        let name = path.to_string_lossy().into_owned();
        if !name.contains("traces") {
            continue;
        }
        let batch = read(&path, Signal::Traces, Encoding::Protobuf);
        let headers: Vec<_> = batch
            .spans
            .iter()
            .map(|group| {
                let resource = decode_resource(&group.resource).expect("resource");
                (resource, decode_scope(&group.scope).expect("scope"))
            })
            .collect();
        let sources: Vec<_> = batch
            .spans
            .iter()
            .zip(&headers)
            .flat_map(|(group, (resource, scope))| {
                group.items.iter().map(move |item| SpanSource {
                    resource,
                    resource_schema_url: &group.resource_schema_url,
                    scope,
                    scope_schema_url: &group.scope_schema_url,
                    span: &item.span,
                })
            })
            .collect();
        let json = to_json(&sources);
        serde_json::from_str::<serde_json::Value>(&json).expect("JSON");
        let (again, problems) = decode_json(&json);
        assert_eq!(problems, []);
        assert_same(&batch, &again, &path);
    }
}

#[test]
fn examples_of_others_are_all_accepted() {
    let count = |path: &str, signal: Signal| {
        let encoding = if path.ends_with(".pb") {
            Encoding::Protobuf
        } else {
            Encoding::Json
        };
        let path = fixture("otlp/thirdparty").join(path);
        let batch = read(&path, signal, encoding);
        (
            spans(&batch).len(),
            batch
                .logs
                .iter()
                .map(|group| group.items.len())
                .sum::<usize>(),
            batch
                .metrics
                .iter()
                .map(|group| group.items.len())
                .sum::<usize>(),
        )
    };
    assert_eq!(
        count("otlp-proto-examples/trace.json", Signal::Traces),
        (1, 0, 0)
    );
    assert_eq!(
        count("otlp-proto-examples/logs.json", Signal::Logs),
        (0, 1, 0)
    );
    assert_eq!(
        count("otlp-proto-examples/events.json", Signal::Logs),
        (0, 1, 0)
    );
    assert_eq!(
        count("otlp-proto-examples/metrics.json", Signal::Metrics),
        (0, 0, 4)
    );
    assert_eq!(count("otlp2parquet/trace.json", Signal::Traces), (2, 0, 0));
    assert_eq!(count("otlp2parquet/trace.pb", Signal::Traces), (2, 0, 0));
    assert_eq!(count("otlp2parquet/traces.pb", Signal::Traces), (19, 0, 0));
    assert_eq!(count("otlp2parquet/logs.pb", Signal::Logs), (0, 81, 0));
    assert_eq!(count("otlp2parquet/log.json", Signal::Logs), (0, 1, 0));
    for kind in [
        "exponential_histogram",
        "gauge",
        "histogram",
        "mixed",
        "sum",
        "summary",
    ] {
        let json = count(
            &format!("otlp2parquet/metrics_{kind}.json"),
            Signal::Metrics,
        );
        let protobuf = count(&format!("otlp2parquet/metrics_{kind}.pb"), Signal::Metrics);
        assert_eq!(json, protobuf);
        assert!((1..=3).contains(&json.2), "{kind}: {json:?}");
    }
    for path in fixtures("otlp/thirdparty/otel-rust-expected", ".json") {
        let body = std::fs::read(&path).expect("fixture");
        let document =
            json::document(&body, Limits::default(), &mut MadeIds::default()).expect("a document");
        assert_eq!(document.problems, [], "{}", path.display());
        assert!(document.telemetry && document.batch != Batch::default());
    }
}

#[test]
fn broken_examples_of_others_cost_only_what_is_broken() {
    let read = |name: &str| {
        let path = fixture("otlp/thirdparty/otlp2parquet/invalid").join(name);
        let body = std::fs::read(path).expect("fixture");
        json::document(&body, Limits::default(), &mut MadeIds::default())
    };
    // An unknown name in an enum is a remark, an unreadable id is made, for a file has
    // nobody to send the span again (B2).
    for name in [
        "trace_invalid_kind.json",
        "log_invalid_severity.json",
        "metrics_invalid_temporality.json",
    ] {
        let document = read(name).expect("a document");
        assert_eq!(document.problems.len(), 1, "{name}");
        assert!(!document.problems[0].rejected && document.batch != Batch::default());
    }
    for name in ["trace_invalid_base64.json", "trace_mixed_encoding.json"] {
        let document = read(name).expect("a document");
        let spans: usize = document
            .batch
            .spans
            .iter()
            .map(|group| group.items.len())
            .sum();
        assert_eq!(spans, 1, "{name}");
        let made = document.problems.iter().filter(|problem| {
            !problem.rejected && problem.reason.contains("an id was made of its text")
        });
        assert!(made.count() >= 1, "{name}: {:?}", document.problems);
    }
    let Err(Refusal::Malformed(reason)) = read("malformed.json") else {
        panic!("malformed JSON was accepted");
    };
    assert!(reason.contains("line "), "{reason}");
}
