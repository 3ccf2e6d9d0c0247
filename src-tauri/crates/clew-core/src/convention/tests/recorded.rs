//! Recorded requests for tests: every span of a fixture folder with its resource, its scope and its log records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::model::SpanView;

/// A span and what belongs to it.
pub(crate) struct Recorded {
    pub(crate) span: Span,
    pub(crate) resource: Resource,
    pub(crate) scope: InstrumentationScope,
    pub(crate) logs: Vec<LogRecord>,
}

impl Recorded {
    pub(crate) fn view(&self) -> SpanView<'_> {
        SpanView {
            span: &self.span,
            resource: &self.resource,
            scope: &self.scope,
            logs: &self.logs,
        }
    }
}

/// Where fixtures of OTLP requests lie.
pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures/otlp")
}

/// Names of the fixture folders that hold recorded spans, sorted.
pub(crate) fn folders() -> Vec<String> {
    let names = |path: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    };
    let mut folders = names(&fixtures());
    folders.retain(|folder| {
        let files = names(&fixtures().join(folder));
        files
            .iter()
            .any(|file| file.contains("-traces-") && file.ends_with(".pb"))
    });
    folders.sort();
    assert!(!folders.is_empty(), "the fixtures are there");
    folders
}

/// All spans of a fixture folder in order of arrival.
pub(crate) fn recorded(folder: &str) -> Vec<Recorded> {
    let mut requests: Vec<PathBuf> = std::fs::read_dir(fixtures().join(folder))
        .expect("the fixture folder is there")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pb"))
        .collect();
    requests.sort();
    let mut spans = Vec::new();
    let mut logs: BTreeMap<Vec<u8>, Vec<LogRecord>> = BTreeMap::new();
    for path in requests {
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path).expect("the fixture can be read");
        if name.contains("-traces-") {
            let request = ExportTraceServiceRequest::decode(&*bytes).expect("a trace request");
            for resource in request.resource_spans {
                for scope in resource.scope_spans {
                    for span in scope.spans {
                        spans.push(Recorded {
                            span,
                            resource: resource.resource.clone().unwrap_or_default(),
                            scope: scope.scope.clone().unwrap_or_default(),
                            logs: Vec::new(),
                        });
                    }
                }
            }
        } else if name.contains("-logs-") {
            let request = ExportLogsServiceRequest::decode(&*bytes).expect("a log request");
            let scopes = request
                .resource_logs
                .into_iter()
                .flat_map(|resource| resource.scope_logs);
            for log in scopes.flat_map(|scope| scope.log_records) {
                logs.entry(log.span_id.clone()).or_default().push(log);
            }
        }
    }
    for recorded in &mut spans {
        recorded.logs = logs.remove(&recorded.span.span_id).unwrap_or_default();
        let at = |log: &LogRecord| log.time_unix_nano.max(log.observed_time_unix_nano);
        recorded.logs.sort_by_key(at);
    }
    spans
}
