use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::*;
use crate::convention::{facts_with, unexplained};
use crate::model::{SpanView, Stated};

fn overrides(pairs: &[(&str, &str)]) -> Result<Overrides, OverrideError> {
    let listed: Vec<Override> = pairs
        .iter()
        .map(|(key, fact)| Override {
            key: (*key).to_owned(),
            fact: (*fact).to_owned(),
        })
        .collect();
    Overrides::new(&listed)
}

fn span(attributes: &[(&str, Value)]) -> Span {
    Span {
        attributes: attributes
            .iter()
            .map(|(key, value)| KeyValue {
                key: (*key).to_owned(),
                value: Some(AnyValue {
                    value: Some(value.clone()),
                }),
                ..KeyValue::default()
            })
            .collect(),
        ..Span::default()
    }
}

fn with<T>(span: &Span, read: impl Fn(&SpanView) -> T) -> T {
    read(&SpanView {
        span,
        resource: &Resource::default(),
        scope: &InstrumentationScope::default(),
        logs: &[],
    })
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

#[test]
fn a_time_that_cannot_be_is_noted_under_the_users_key() {
    let chosen = overrides(&[("acme.wait", "ttft_ms")]).expect("good overrides");
    let span = span(&[("acme.wait", Value::IntValue(-40))]);
    let facts = with(&span, |view| facts_with(view, &chosen));
    assert_eq!(facts.ttft_nanos, None);
    let noted = facts.impossible.expect("a time that cannot be");
    assert_eq!(noted.value, ["acme.wait"]);
}

#[test]
fn the_users_part_of_a_calls_time_stands_beside_those_of_a_convention() {
    let chosen = overrides(&[("acme.wait", "queue_ms"), ("acme.wire", "network_ms")])
        .expect("good overrides");
    let span = span(&[
        ("gen_ai.latency.e2e", Value::DoubleValue(1.5)),
        ("gen_ai.latency.time_in_queue", Value::DoubleValue(0.2)),
        ("acme.wait", Value::IntValue(40)),
    ]);
    let facts = with(&span, |view| facts_with(view, &chosen));
    let timing = facts.timing.expect("a timing").value;
    let stated =
        |nanos: u64, convention: &str, key: &str| Some(Stated::new(nanos, convention, key));
    assert_eq!(
        timing.queue_nanos,
        stated(40_000_000, "override", "acme.wait")
    );
    assert_eq!(
        timing.total_nanos,
        stated(1_500_000_000, "vllm", "gen_ai.latency.e2e")
    );
    assert_eq!(timing.network_nanos, None);
}

#[test]
fn what_the_user_says_of_a_key_comes_before_any_convention() {
    let chosen = overrides(&[
        ("acme.model", "request_model"),
        ("acme.kind", "operation"),
        ("acme.wait", "ttft_ms"),
        ("acme.said", "output"),
        ("acme.missing", "user"),
    ])
    .expect("good overrides");
    let span = span(&[
        ("gen_ai.request.model", text("gpt-4o")),
        ("acme.model", text("acme-1")),
        ("acme.kind", text("LLM")),
        ("acme.wait", Value::IntValue(40)),
        (
            "acme.said",
            text(r#"[{"role":"assistant","content":"hi"}]"#),
        ),
        ("user.id", text("amy")),
    ]);
    let facts = with(&span, |view| facts_with(view, &chosen));
    assert_eq!(
        facts.request_model,
        Some(Stated::new("acme-1".to_owned(), "override", "acme.model"))
    );
    assert_eq!(
        facts.operation.map(|stated| stated.value),
        Some(Operation::Llm)
    );
    assert_eq!(
        facts.ttft_nanos.map(|stated| stated.value),
        Some(40_000_000)
    );
    assert_eq!(facts.output.map(|stated| stated.value.len()), Some(1));
    // A key that the span does not have takes nothing away.
    assert_eq!(
        facts.user.map(|stated| stated.value).as_deref(),
        Some("amy")
    );
}

#[test]
fn a_count_of_the_users_corrects_that_count_alone() {
    let chosen = overrides(&[("acme.cached", "cache_read_tokens")]).expect("good overrides");
    let span = span(&[
        ("gen_ai.usage.input_tokens", Value::IntValue(100)),
        ("gen_ai.usage.output_tokens", Value::IntValue(7)),
        ("acme.cached", Value::IntValue(60)),
    ]);
    let usage = with(&span, |view| facts_with(view, &chosen))
        .usage
        .expect("stated");
    assert_eq!(
        (
            usage.value.input,
            usage.value.output,
            usage.value.cache_read
        ),
        (Some(100), Some(7), Some(60))
    );
    assert_eq!(
        (usage.convention.as_str(), usage.key.as_str()),
        ("override", "acme.cached")
    );
}

#[test]
fn an_overridden_key_is_explained() {
    let span = span(&[("acme.model", text("acme-1")), ("acme.other", text("x"))]);
    let chosen = overrides(&[("acme.model", "request_model")]).expect("good overrides");
    assert_eq!(
        with(&span, |view| unexplained(view, &chosen)),
        ["acme.other"]
    );
    let none = Overrides::default();
    assert_eq!(
        with(&span, |view| unexplained(view, &none)),
        ["acme.model", "acme.other"]
    );
}

#[test]
fn what_cannot_be_taken_says_why() {
    assert_eq!(
        overrides(&[("", "user")]),
        Err(OverrideError::NoKey("user".to_owned()))
    );
    let unknown = overrides(&[("a", "colour")]).expect_err("unknown");
    assert_eq!(
        unknown.to_string(),
        "there is no fact \"colour\" that an attribute could state"
    );
    assert_eq!(
        overrides(&[("a", "user"), ("b", "user")]),
        Err(OverrideError::Repeated("user".to_owned()))
    );
}
