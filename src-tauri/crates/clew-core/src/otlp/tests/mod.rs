//! What a sender would notice, and what must hold for every input.

mod fields;
mod hostile;
mod laws;
mod lenient;
mod recorded;

use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use super::*;

/// The folder of fixtures, or a file in it.
pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../fixtures")
        .join(path)
}

/// All files below a folder of fixtures whose name ends so, in order.
pub(crate) fn fixtures(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut folders = vec![fixture(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("folder of fixtures") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no {ending} in {folder}");
    files
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        key_strindex: 0,
    }
}

fn good_span(name: &str) -> Span {
    Span {
        trace_id: vec![7; 16],
        span_id: vec![9; 8],
        name: name.to_owned(),
        ..Span::default()
    }
}

/// A request of encoded spans, all in one scope named `my.tracer`.
fn request_of(spans: &[Vec<u8>]) -> Vec<u8> {
    let mut scope = vec![0x0a, 11, 0x0a, 9];
    scope.extend(b"my.tracer");
    for span in spans {
        wire::put_bytes(&mut scope, 2, span);
    }
    let (mut resource, mut request) = (Vec::new(), Vec::new());
    wire::put_bytes(&mut resource, 2, &scope);
    wire::put_bytes(&mut request, 1, &resource);
    request
}

fn json_of(spans: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"resource":{{}},"scopeSpans":[{{"scope":{{"name":"my.tracer"}},"spans":[{spans}]}}]}}]}}"#
    )
}

/// A JSON span with good ids and these further fields.
fn json_span(fields: &str) -> String {
    format!(
        r#"{{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708"{fields}}}"#
    )
}

fn decode_json(body: &str) -> (Batch, Vec<Problem>) {
    decode(
        Signal::Traces,
        Encoding::Json,
        body.as_bytes(),
        &Limits::default(),
    )
    .expect("a request")
}

fn decode_protobuf(body: &[u8]) -> (Batch, Vec<Problem>) {
    decode(Signal::Traces, Encoding::Protobuf, body, &Limits::default()).expect("a request")
}

fn spans(batch: &Batch) -> Vec<&GroundSpan> {
    batch.spans.iter().flat_map(|group| &group.items).collect()
}
