//! Every field that OTLP's descriptors name has a place: set alone, it comes back, from protobuf and from JSON.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;

use super::*;
use wire::{Fields, Payload};

/// A field as its descriptor tells it (`descriptor.proto`).
#[derive(Debug, Clone)]
struct Descriptor {
    name: String,
    json: String,
    number: u32,
    kind: u64,
    of: String,
    repeated: bool,
}

const MESSAGE: u64 = 11;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Visits the length-delimited fields of this number.
fn each(bytes: &[u8], number: u32) -> Vec<&[u8]> {
    let mut fields = Fields::new(bytes);
    let mut found = Vec::new();
    while let Some(field) = fields.next().expect("a descriptor") {
        match field.payload {
            Payload::Bytes(bytes) if field.number == number => found.push(bytes),
            _ => {}
        }
    }
    found
}

fn number(bytes: &[u8], wanted: u32) -> u64 {
    let mut fields = Fields::new(bytes);
    let mut found = 0;
    while let Some(field) = fields.next().expect("a descriptor") {
        match field.payload {
            Payload::Varint(value) if field.number == wanted => found = value,
            _ => {}
        }
    }
    found
}

fn message(bytes: &[u8], within: &str, into: &mut BTreeMap<String, Vec<Descriptor>>) {
    let name = format!("{within}.{}", text(each(bytes, 1)[0]));
    let mut fields: Vec<_> = each(bytes, 2)
        .into_iter()
        .map(|field| Descriptor {
            name: text(each(field, 1)[0]),
            json: text(each(field, 10)[0]),
            number: u32::try_from(number(field, 3)).expect("a field number"),
            kind: number(field, 5),
            of: each(field, 6)
                .first()
                .map(|name| text(name))
                .unwrap_or_default(),
            repeated: number(field, 4) == 3,
        })
        .collect();
    fields.sort_by_key(|field| field.number);
    for nested in each(bytes, 3) {
        message(nested, &name, into);
    }
    into.insert(name, fields);
}

fn descriptors() -> BTreeMap<String, Vec<Descriptor>> {
    let mut found = BTreeMap::new();
    for file in each(opentelemetry_proto::DESCRIPTORS, 1) {
        let package = format!(".{}", text(each(file, 2)[0]));
        for nested in each(file, 4) {
            message(nested, &package, &mut found);
        }
    }
    found
}

/// One way to fill a message: its bytes, its JSON without braces, and the path of fields.
struct Sample {
    bytes: Vec<u8>,
    json: String,
    path: String,
}

fn scalar(field: &Descriptor) -> (Vec<u8>, String) {
    let mut out = Vec::new();
    let key = |out: &mut Vec<u8>, kind: u32| {
        wire::put_varint(
            out,
            u64::from(field.number << 3 | if field.repeated { 2 } else { kind }),
        );
    };
    let json = match field.kind {
        1 => {
            key(&mut out, 1);
            if field.repeated {
                out.push(8);
            }
            out.extend(1.5_f64.to_le_bytes());
            "1.5".to_owned()
        }
        6 | 16 => {
            key(&mut out, 1);
            if field.repeated {
                out.push(8);
            }
            out.extend(3_u64.to_le_bytes());
            "\"3\"".to_owned()
        }
        7 => {
            key(&mut out, 5);
            out.extend(3_u32.to_le_bytes());
            "3".to_owned()
        }
        3 | 4 => {
            key(&mut out, 0);
            if field.repeated {
                out.push(1);
            }
            out.push(3);
            "\"3\"".to_owned()
        }
        5 | 13 | 14 => {
            key(&mut out, 0);
            out.push(2);
            "2".to_owned()
        }
        17 => {
            key(&mut out, 0);
            out.push(5);
            "-3".to_owned()
        }
        8 => {
            key(&mut out, 0);
            out.push(1);
            "true".to_owned()
        }
        9 => {
            wire::put_bytes(&mut out, field.number, "tëxt".as_bytes());
            if field.repeated {
                "[\"tëxt\"]"
            } else {
                "\"tëxt\""
            }
            .to_owned()
        }
        12 => match field.name.as_str() {
            "trace_id" => {
                wire::put_bytes(&mut out, field.number, &[0xab; 16]);
                format!("\"{}\"", "ab".repeat(16))
            }
            "span_id" | "parent_span_id" => {
                wire::put_bytes(&mut out, field.number, &[0xab; 8]);
                format!("\"{}\"", "ab".repeat(8))
            }
            _ => {
                wire::put_bytes(&mut out, field.number, &[1, 2, 255]);
                "\"AQL/\"".to_owned()
            }
        },
        other => panic!("{} has type {other}", field.name),
    };
    let json = if field.repeated && field.kind != 9 {
        format!("[{json}]")
    } else {
        json
    };
    (out, json)
}

fn samples(all: &BTreeMap<String, Vec<Descriptor>>, name: &str, depth: usize) -> Vec<Sample> {
    let mut found = Vec::new();
    for field in &all[name] {
        if field.kind != MESSAGE {
            let (bytes, json) = scalar(field);
            found.push(Sample {
                bytes,
                json: format!("\"{}\":{json}", field.json),
                path: field.name.clone(),
            });
            continue;
        }
        if depth == 0 {
            continue;
        }
        let empty = Sample {
            bytes: Vec::new(),
            json: String::new(),
            path: String::new(),
        };
        for inner in samples(all, &field.of, depth - 1)
            .into_iter()
            .chain([empty])
        {
            let mut bytes = Vec::new();
            wire::put_bytes(&mut bytes, field.number, &inner.bytes);
            let (open, close) = if field.repeated {
                ("[{", "}]")
            } else {
                ("{", "}")
            };
            // A key is written even where it is empty, as the descriptor says nothing of presence.
            found.push(Sample {
                bytes,
                json: format!("\"{}\":{open}{}{close}", field.json, inner.json),
                path: format!("{}.{}", field.name, inner.path),
            });
        }
    }
    found
}

const LEVELS: usize = 6;

#[test]
fn every_field_of_a_span_has_a_place() {
    let all = descriptors();
    let samples = samples(&all, ".opentelemetry.proto.trace.v1.Span", LEVELS);
    assert!(samples.len() > 100, "{}", samples.len());
    for sample in samples {
        let mut expected = Span::decode(sample.bytes.as_slice()).expect("prost");
        assert_ne!(
            expected,
            Span::default(),
            "{}: prost has no place",
            sample.path
        );
        let mut json = String::new();
        if expected.trace_id.is_empty() {
            expected.trace_id = vec![0x11; 16];
            json += &format!("\"traceId\":\"{}\",", "11".repeat(16));
        }
        if expected.span_id.is_empty() {
            expected.span_id = vec![0x11; 8];
            json += &format!("\"spanId\":\"{}\",", "11".repeat(8));
        }
        let raw = expected.encode_to_vec();
        let (batch, problems) = decode_protobuf(&request_of(std::slice::from_ref(&raw)));
        assert_eq!(problems, [], "{}", sample.path);
        let read = spans(&batch)[0];
        assert_eq!(read.span, expected, "{}", sample.path);
        assert_eq!(
            decode_span(&read.raw),
            Ok((expected.clone(), false)),
            "{}",
            sample.path
        );
        let (from_json, problems) = decode_json(&json_of(&format!("{{{json}{}}}", sample.json)));
        assert_eq!(problems, [], "{}", sample.path);
        assert_eq!(from_json, batch, "{} from {}", sample.path, sample.json);
        let (attributes, rest) = record::split(&raw);
        assert_eq!(record::join(&attributes, &rest), raw, "{}", sample.path);
        let scope = InstrumentationScope {
            name: "my.tracer".to_owned(),
            ..Default::default()
        };
        let written = to_json(&[SpanSource {
            resource: &Resource::default(),
            resource_schema_url: "",
            scope: &scope,
            scope_schema_url: "",
            span: &expected,
        }]);
        assert_eq!(
            decode_json(&written).0,
            batch,
            "{} is not written",
            sample.path
        );
    }
}

fn wrapped(list: &str, scopes: &str, items: &str, header: &str, item: &str) -> String {
    format!(r#"{{"{list}":[{{{header}"{scopes}":[{{"{items}":[{{{item}}}]}}]}}]}}"#)
}

fn wrapped_protobuf(header: &[u8], item: &[u8]) -> Vec<u8> {
    let (mut scope, mut resource, mut request) = (Vec::new(), Vec::new(), Vec::new());
    wire::put_bytes(&mut scope, 2, item);
    resource.extend(header);
    wire::put_bytes(&mut resource, 2, &scope);
    wire::put_bytes(&mut request, 1, &resource);
    request
}

fn both(signal: Signal, protobuf: &[u8], json: &str, path: &str) -> Batch {
    let (batch, problems) =
        decode(signal, Encoding::Protobuf, protobuf, &Limits::default()).expect("a request");
    assert_eq!(problems, [], "{path}");
    let (again, problems) =
        decode(signal, Encoding::Json, json.as_bytes(), &Limits::default()).expect("a request");
    assert_eq!(problems, [], "{path}");
    assert_eq!(again, batch, "{path} from {json}");
    batch
}

#[test]
fn every_field_of_a_log_record_has_a_place() {
    let all = descriptors();
    for sample in samples(&all, ".opentelemetry.proto.logs.v1.LogRecord", LEVELS) {
        let expected = LogRecord::decode(sample.bytes.as_slice()).expect("prost");
        assert_ne!(expected, LogRecord::default(), "{}", sample.path);
        let json = wrapped("resourceLogs", "scopeLogs", "logRecords", "", &sample.json);
        let protobuf = wrapped_protobuf(&[], &sample.bytes);
        let batch = both(Signal::Logs, &protobuf, &json, &sample.path);
        let read = &batch.logs[0].items[0];
        assert_eq!(read.record, expected, "{}", sample.path);
        assert_eq!(
            decode_log(&read.raw),
            Ok((expected, false)),
            "{}",
            sample.path
        );
    }
}

#[test]
fn every_field_of_a_metric_has_a_place() {
    let all = descriptors();
    for sample in samples(&all, ".opentelemetry.proto.metrics.v1.Metric", LEVELS) {
        let expected = Metric::decode(sample.bytes.as_slice()).expect("prost");
        assert_ne!(expected, Metric::default(), "{}", sample.path);
        let json = wrapped(
            "resourceMetrics",
            "scopeMetrics",
            "metrics",
            "",
            &sample.json,
        );
        let protobuf = wrapped_protobuf(&[], &sample.bytes);
        let batch = both(Signal::Metrics, &protobuf, &json, &sample.path);
        let read = &batch.metrics[0].items[0];
        let mut whole = decode_metric(&read.raw).expect("metric");
        for point in &read.points {
            let point = decode_point(read.kind, &point.raw).expect("point");
            match (&mut whole.data, point) {
                (Some(Data::Gauge(data)), Point::Number(point)) => data.data_points.push(point),
                (Some(Data::Sum(data)), Point::Number(point)) => data.data_points.push(point),
                (Some(Data::Histogram(data)), Point::Histogram(point)) => {
                    data.data_points.push(point);
                }
                (Some(Data::ExponentialHistogram(data)), Point::Exponential(point)) => {
                    data.data_points.push(point);
                }
                (Some(Data::Summary(data)), Point::Summary(point)) => data.data_points.push(point),
                (data, point) => panic!("{point:?} in {data:?}"),
            }
        }
        assert_eq!(whole, expected, "{}", sample.path);
    }
}

#[test]
fn every_field_of_a_resource_and_a_scope_has_a_place() {
    let all = descriptors();
    let id = r#""traceId":"11111111111111111111111111111111","spanId":"1111111111111111""#;
    let span = Span {
        trace_id: vec![0x11; 16],
        span_id: vec![0x11; 8],
        ..Span::default()
    }
    .encode_to_vec();
    for sample in samples(&all, ".opentelemetry.proto.resource.v1.Resource", LEVELS) {
        let header = format!("\"resource\":{{{}}},", sample.json);
        let json = wrapped("resourceSpans", "scopeSpans", "spans", &header, id);
        let mut resource = Vec::new();
        wire::put_bytes(&mut resource, 1, &sample.bytes);
        let protobuf = wrapped_protobuf(&resource, &span);
        let batch = both(Signal::Traces, &protobuf, &json, &sample.path);
        let expected = Resource::decode(sample.bytes.as_slice()).expect("prost");
        assert_eq!(
            decode_resource(&batch.spans[0].resource),
            Ok(expected),
            "{}",
            sample.path
        );
    }
    for sample in samples(
        &all,
        ".opentelemetry.proto.common.v1.InstrumentationScope",
        LEVELS,
    ) {
        let json = format!(
            r#"{{"resourceSpans":[{{"schemaUrl":"r","scopeSpans":[{{"schemaUrl":"s","spans":[{{{id}}}],"scope":{{{}}}}}]}}]}}"#,
            sample.json
        );
        let (mut scope, mut part, mut request) = (Vec::new(), Vec::new(), Vec::new());
        wire::put_bytes(&mut scope, 2, &span);
        wire::put_bytes(&mut scope, 1, &sample.bytes);
        wire::put_bytes(&mut scope, 3, b"s");
        wire::put_bytes(&mut part, 2, &scope);
        wire::put_bytes(&mut part, 3, b"r");
        wire::put_bytes(&mut request, 1, &part);
        let batch = both(Signal::Traces, &request, &json, &sample.path);
        let group = &batch.spans[0];
        assert_eq!(
            (
                group.resource_schema_url.as_str(),
                group.scope_schema_url.as_str()
            ),
            ("r", "s")
        );
        let expected = InstrumentationScope::decode(sample.bytes.as_slice()).expect("prost");
        assert_eq!(group.scope_name, expected.name);
        assert_eq!(decode_scope(&group.scope), Ok(expected), "{}", sample.path);
    }
}
