//! What is wrong with telemetry, told of what real programs sent; and the classes of errors.

use clew_core::otlp::Signal;
use clew_tests::otlp::{hex, span, text, traces};
use clew_tests::{Rig, recorded};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::{Value, json};

async fn linted(rig: &Rig) -> Vec<Value> {
    let linted = rig.call("lint_telemetry", json!({})).await;
    linted["rows"].as_array().expect("rows").clone()
}

async fn of(program: &str, signals: &[Signal]) -> Vec<Value> {
    let rig = Rig::start().await;
    for (signal, request) in recorded::requests(program) {
        if signals.contains(&signal) {
            rig.take(signal, &request).await;
        }
    }
    rig.settle().await;
    linted(&rig).await
}

fn row<'a>(rows: &'a [Value], lint: &str) -> &'a Value {
    let found = rows.iter().find(|row| row["lint"] == lint);
    found.unwrap_or_else(|| panic!("no {lint} in {rows:?}"))
}

#[tokio::test]
async fn what_instrumentations_leave_out_is_told_with_the_setting() {
    // It states content in log records, and this program has no exporter for logs.
    let rows = of("openai_v2_default", &[Signal::Traces]).await;
    let bare = row(&rows, "content_off");
    assert_eq!(bare["severity"], "note");
    assert_eq!(bare["sourceName"], Value::Null);
    let setting = bare["setting"].as_str().expect("a setting");
    assert!(
        setting.contains("CAPTURE_MESSAGE_CONTENT=span_only"),
        "{setting}"
    );
    assert!(bare["spans"].as_u64() <= bare["of"].as_u64());
    assert_eq!(bare["traceId"].as_str().map(str::len), Some(32));
    // Worst first.
    let ranks: Vec<usize> = rows
        .iter()
        .map(|row| match row["severity"].as_str() {
            Some("error") => 0,
            Some("warning") => 1,
            _ => 2,
        })
        .collect();
    assert!(ranks.is_sorted(), "{ranks:?}");
}

#[tokio::test]
async fn two_instrumentations_of_one_call_are_told() {
    let rows = of("double_langchain_openai", &[Signal::Traces]).await;
    let doubled = row(&rows, "doubled_usage");
    let advice = doubled["advice"].as_str().expect("text");
    assert!(
        advice.contains("langchain") && advice.contains("openai"),
        "{advice}"
    );
    assert_eq!(doubled["setting"], Value::Null);
}

/// A call that an SDK or a wrapper tells of in two spans has its tokens in one of them.
#[tokio::test]
async fn tokens_that_stand_on_another_span_of_the_call_are_not_missing() {
    let logfire = of("logfire", &[Signal::Traces]).await;
    assert!(
        logfire.iter().all(|row| row["lint"] != "missing_usage"),
        "{logfire:?}"
    );
    // One streamed call, of two spans, in which usage was not asked for.
    let llama = of("openinference_llama_index", &[Signal::Traces]).await;
    assert_eq!(row(&llama, "missing_usage")["spans"], 1);
}

/// A large trace does not hide those before it, and of it the newest spans are looked at.
#[tokio::test]
async fn the_newest_spans_are_looked_at_as_many_as_fit() {
    let rig = Rig::start().await;
    let many = (1..=2_500).map(|id| span(1, id, 0, "step")).collect();
    rig.take(Signal::Traces, &traces(many)).await;
    rig.take(Signal::Traces, &traces(vec![span(2, 1, 0, "one")]))
        .await;
    rig.settle().await;
    let linted = rig.call("lint_telemetry", json!({})).await;
    assert_eq!(
        (&linted["traces"], &linted["spans"]),
        (&json!(2), &json!(2_000))
    );
}

#[tokio::test]
async fn there_is_nothing_to_say_of_nothing() {
    let rig = Rig::start().await;
    let linted = rig.call("lint_telemetry", json!({})).await;
    assert_eq!(linted, json!({"traces": 0, "spans": 0, "rows": []}));
}

fn failed(trace: u128, operation: &str, message: &str) -> Span {
    let mut span = span(trace, 1, 0, "step");
    span.attributes = vec![text("gen_ai.operation.name", operation)];
    span.status = Some(Status {
        code: 2,
        message: message.to_owned(),
    });
    span
}

#[tokio::test]
async fn errors_are_classed_counted_and_found_by_their_class() {
    let rig = Rig::start().await;
    let sent = [
        failed(1, "chat", "Error code: 429 - Rate limit reached for gpt-4o"),
        failed(2, "chat", "Rate limit reached"),
        failed(3, "execute_tool", "Rate limit reached"),
        failed(4, "chat", "something else"),
        span(5, 1, 0, "well"),
    ];
    rig.take(Signal::Traces, &traces(sent.to_vec())).await;
    rig.settle().await;
    let totals = rig.call("summarise_traces", json!({})).await;
    assert_eq!(
        totals["errorClasses"],
        json!([
            {"value": "rate_limit", "count": 2},
            {"value": "other", "count": 1},
            {"value": "tool", "count": 1},
        ])
    );
    let rows = rig
        .list(json!({"errorClasses": ["rate_limit", "tool"]}))
        .await;
    let mut found: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["traceId"].as_str())
        .collect();
    found.sort_unstable();
    assert_eq!(found, [hex(1), hex(2), hex(3)]);
    let asked = json!({"traceId": hex(3), "spanId": "0000000000000001"});
    assert_eq!(rig.call("get_span", asked).await["errorClass"], "tool");
}
