//! Deriving facts from recorded model calls of about 4 KB: `cargo bench --package clew-core --bench facts`.

use std::path::Path;

use clew_core::convention::{Overrides, facts, figures};
use clew_core::model::SpanView;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// Recordings of one model call each vocabulary: the one whose protobuf is nearest to 4 KB is measured.
const FOLDERS: [&str; 5] = [
    "otel_genai_openai_agents",
    "openllmetry_langgraph",
    "openinference_langgraph",
    "vercel_ai6",
    "pydantic_ai_delegation",
];

fn main() {
    divan::main();
}

struct Call {
    span: Span,
    resource: Resource,
    scope: InstrumentationScope,
}

impl Call {
    fn view(&self) -> SpanView<'_> {
        SpanView {
            span: &self.span,
            resource: &self.resource,
            scope: &self.scope,
            logs: &[],
        }
    }
}

/// The call of the folder that states usage and is nearest to 4 KB.
fn call(folder: &str) -> Call {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures/otlp");
    let files = std::fs::read_dir(fixtures.join(folder)).expect("the fixture folder is there");
    let mut calls = Vec::new();
    for file in files {
        let path = file.expect("the folder can be listed").path();
        let name = path.to_string_lossy().into_owned();
        if !name.contains("-traces-") || !name.ends_with(".pb") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("the fixture can be read");
        let request = ExportTraceServiceRequest::decode(&*bytes).expect("a trace request");
        for resource in request.resource_spans {
            for scope in resource.scope_spans {
                calls.extend(scope.spans.into_iter().map(|span| Call {
                    span,
                    resource: resource.resource.clone().unwrap_or_default(),
                    scope: scope.scope.clone().unwrap_or_default(),
                }));
            }
        }
    }
    calls.retain(|call| {
        let facts = figures(&call.view(), &Overrides::default());
        facts
            .usage
            .is_some_and(|usage| usage.value.output.is_some())
    });
    calls
        .into_iter()
        .min_by_key(|call| call.span.encoded_len().abs_diff(4_096))
        .expect("a call that states usage")
}

/// What the ledger needs: no content is parsed.
#[divan::bench(args = FOLDERS)]
fn figures_of_a_call(bencher: divan::Bencher, folder: &str) {
    let call = call(folder);
    let view = call.view();
    bencher
        .counter(divan::counter::BytesCount::new(call.span.encoded_len()))
        .bench(|| figures(divan::black_box(&view), &Overrides::default()));
}

/// Everything, conversations too.
#[divan::bench(args = FOLDERS)]
fn facts_of_a_call(bencher: divan::Bencher, folder: &str) {
    let call = call(folder);
    let view = call.view();
    bencher
        .counter(divan::counter::BytesCount::new(call.span.encoded_len()))
        .bench(|| facts(divan::black_box(&view)));
}
