use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::*;
use crate::convention::facts;
use crate::convention::tests::recorded::recorded;
use crate::trace::flag;

/// 2026-11-20 in microseconds since the epoch.
const NOON: u64 = 1_795_000_000_000_000;

/// A span that one sends, and what surrounds it.
struct Sent {
    span: Span,
    resource: Resource,
    scope: InstrumentationScope,
    flags: u16,
    received_micros: u64,
    is_running: bool,
    doubled_by: Option<&'static str>,
}

fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Value::StringValue(text.to_owned()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// A call of a model about which nothing is to be said.
fn good() -> Sent {
    Sent {
        span: Span {
            name: "chat gpt-4o".to_owned(),
            start_time_unix_nano: NOON * 1_000,
            end_time_unix_nano: (NOON + 1_000_000) * 1_000,
            attributes: vec![
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.provider.name", "openai"),
                text("gen_ai.request.model", "gpt-4o"),
                attribute("gen_ai.usage.input_tokens", Value::IntValue(10)),
                attribute("gen_ai.usage.output_tokens", Value::IntValue(5)),
                text(
                    "gen_ai.input.messages",
                    r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"#,
                ),
                text(
                    "gen_ai.output.messages",
                    r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]"#,
                ),
            ],
            ..Span::default()
        },
        resource: Resource {
            attributes: vec![text("service.name", "shop")],
            ..Resource::default()
        },
        scope: InstrumentationScope {
            name: "opentelemetry.instrumentation.openai_v2".to_owned(),
            ..InstrumentationScope::default()
        },
        flags: 0,
        received_micros: NOON + 3_000_000,
        is_running: false,
        doubled_by: None,
    }
}

fn look(sent: &[Sent]) -> Vec<LintRow> {
    let views: Vec<(SpanView, Facts)> = sent
        .iter()
        .map(|sent| {
            let view = SpanView {
                span: &sent.span,
                resource: &sent.resource,
                scope: &sent.scope,
                logs: &[],
            };
            let facts = facts(&view);
            (view, facts)
        })
        .collect();
    lint(
        sent.iter()
            .zip(&views)
            .map(|(sent, (view, facts))| Observed {
                trace_id: TraceId::from_bytes(&[1; 16]).expect("valid"),
                span_id: SpanId::from_bytes(&[2; 8]).expect("valid"),
                view: *view,
                facts,
                flags: sent.flags,
                received_micros: sent.received_micros,
                source: 0,
                is_running: sent.is_running,
                doubled_by: sent.doubled_by,
            }),
    )
}

fn seen(change: impl FnOnce(&mut Sent)) -> Vec<(String, String)> {
    let mut sent = good();
    change(&mut sent);
    let rows = look(&[sent]);
    rows.into_iter().map(|row| (row.lint, row.fix)).collect()
}

fn names(change: impl FnOnce(&mut Sent)) -> Vec<String> {
    seen(change).into_iter().map(|(lint, _)| lint).collect()
}

fn without(sent: &mut Sent, keys: &[&str]) {
    sent.span
        .attributes
        .retain(|attribute| !keys.contains(&attribute.key.as_str()));
}

const USAGE: [&str; 2] = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"];

#[test]
fn nothing_is_said_of_a_good_call() {
    assert_eq!(look(&[good()]), []);
}

#[test]
fn a_streamed_call_without_token_counts_is_told_what_to_ask_for() {
    let found = seen(|sent| {
        without(sent, &USAGE);
        sent.span
            .attributes
            .push(attribute("gen_ai.request.stream", Value::BoolValue(true)));
    });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "missing_usage");
    assert!(found[0].1.contains("include_usage"), "{}", found[0].1);
    let found = seen(|sent| without(sent, &USAGE));
    assert!(found[0].1.contains("openai_v2"), "{}", found[0].1);
    // Neither while it runs, nor of one that failed.
    let running = names(|sent| {
        without(sent, &USAGE);
        sent.span.end_time_unix_nano = 0;
    });
    assert_eq!(running, [""; 0]);
}

#[test]
fn each_fault_is_seen_and_nothing_else() {
    type Change = fn(&mut Sent);
    let cases: [(&str, Change); 11] = [
        ("missing_model", |sent| {
            without(sent, &["gen_ai.request.model"])
        }),
        ("content_off", |sent| {
            without(sent, &["gen_ai.input.messages", "gen_ai.output.messages"]);
        }),
        ("cut_values", |sent| {
            for (key, letter) in [("app.first", "x"), ("app.second", "y")] {
                sent.span.attributes.push(text(key, &letter.repeat(1_024)));
            }
        }),
        ("dropped", |sent| sent.span.dropped_attributes_count = 3),
        ("doubled_usage", |sent| {
            sent.doubled_by = Some("openinference.instrumentation.langchain")
        }),
        ("broken_parent", |sent| sent.flags = flag::ORPHAN),
        ("cycle", |sent| sent.flags = flag::CYCLE),
        ("clock", |sent| sent.flags = flag::SKEW),
        ("clock", |sent| sent.received_micros = NOON - 60_000_000),
        ("late", |sent| sent.received_micros = NOON + 40_000_000),
        ("no_service", |sent| sent.resource.attributes.clear()),
    ];
    for (name, change) in cases {
        assert_eq!(names(change), [name]);
    }
    let old = seen(|sent| sent.span.attributes.push(text("gen_ai.system", "openai")));
    assert_eq!(old.len(), 1);
    assert_eq!(old[0].0, "deprecated_names");
    assert!(old[0].1.starts_with("OTEL_SEMCONV_STABILITY_OPT_IN"));
}

#[test]
fn one_long_value_is_not_a_limit_and_an_absent_parent_of_a_running_trace_no_fault() {
    assert_eq!(
        names(|sent| {
            for key in ["app.first", "app.same"] {
                sent.span.attributes.push(text(key, &"x".repeat(1_024)));
            }
        }),
        [""; 0]
    );
    assert_eq!(
        names(|sent| {
            sent.flags = flag::ORPHAN;
            sent.is_running = true;
        }),
        [""; 0]
    );
}

#[test]
fn what_is_the_same_is_told_once_worst_first() {
    let late = |service: &str| {
        let mut sent = good();
        sent.resource.attributes = vec![text("service.name", service)];
        sent.received_micros = NOON + 40_000_000;
        sent
    };
    let mut bare = good();
    without(&mut bare, &USAGE);
    let rows = look(&[late("shop"), late("shop"), late("desk"), good(), bare]);
    let told: Vec<(&str, &str, u32, u32)> = rows
        .iter()
        .map(|row| (row.lint.as_str(), row.service.as_str(), row.spans, row.of))
        .collect();
    assert_eq!(
        told,
        [
            ("missing_usage", "shop", 1, 4),
            ("late", "shop", 2, 4),
            ("late", "desk", 1, 1),
        ]
    );
}

/// What real programs sent is not called wrong where it is right.
#[test]
fn recordings_with_token_counts_and_content_pass() {
    for folder in ["openllmetry_langgraph", "vercel_ai6"] {
        let spans = recorded(folder);
        let sent: Vec<(SpanView, Facts)> = spans
            .iter()
            .map(|recorded| (recorded.view(), facts(&recorded.view())))
            .collect();
        let rows = lint(sent.iter().map(|(view, facts)| Observed {
            trace_id: TraceId::from_bytes(&view.span.trace_id).expect("an id"),
            span_id: SpanId::from_bytes(&view.span.span_id).expect("an id"),
            view: *view,
            facts,
            flags: 0,
            received_micros: view.span.end_time_unix_nano / 1_000,
            source: 0,
            is_running: false,
            doubled_by: None,
        }));
        let errors: Vec<&LintRow> = rows
            .iter()
            .filter(|row| row.severity == Severity::Error)
            .collect();
        assert_eq!(errors, [] as [&LintRow; 0], "{folder}");
    }
}
