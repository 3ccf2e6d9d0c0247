//! Trends: what is drawn, and what is in no drawing.

use clew_core::otlp::Signal;
use clew_tests::Rig;
use clew_tests::otlp::{call, number, text, traces};
use serde_json::{Value, json};

/// The sample's programs are not this machine's.
#[tokio::test]
async fn what_a_file_tells_is_in_no_trend() {
    let rig = Rig::start().await;
    let tokens = async || {
        let draw = json!({"id": "tokens", "width": 640, "height": 240, "utcOffsetMinutes": 0});
        let scene = rig.call("draw_chart", draw).await;
        scene["series"].as_array().map_or(0, Vec::len)
    };
    rig.call("open_sample", json!({})).await;
    rig.settle().await;
    assert!(rig.call("list_ledger", json!({})).await["sums"]["calls"].as_u64() > Some(0));
    assert_eq!(tokens().await, 0);
    rig.take(Signal::Traces, &traces(vec![call(1, 1, 0, "in", "out")]))
        .await;
    rig.settle().await;
    assert!(tokens().await > 0);
}

#[tokio::test]
async fn failed_calls_are_drawn_by_why_they_failed() {
    let rig = Rig::start().await;
    let failed = |id: u64, code: i64| {
        let mut failed = call(u128::from(id), id, 0, "in", "out");
        failed
            .attributes
            .push(number("http.response.status_code", code));
        failed
            .attributes
            .push(text("error.type", &code.to_string()));
        failed.status = Some(clew_tests::otlp::failed("it failed"));
        failed
    };
    let mut wrapper = failed(6, 503);
    wrapper.trace_id = clew_tests::otlp::trace_id(5);
    wrapper.attributes[0] = text("gen_ai.operation.name", "invoke_agent");
    let mut below = failed(5, 503);
    below.parent_span_id.clone_from(&wrapper.span_id);
    // The agent alone says what was used.
    below
        .attributes
        .retain(|attribute| !attribute.key.starts_with("gen_ai.usage."));
    let spans = vec![
        failed(1, 429),
        failed(2, 429),
        failed(3, 503),
        call(4, 4, 0, "in", "out"),
        // What wraps a call that failed is no other one.
        below,
        wrapper,
    ];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    let draw = json!({"id": "errors", "width": 640, "height": 240, "utcOffsetMinutes": 0});
    let scene = rig.call("draw_chart", draw).await;
    let series = scene["series"].as_array().expect("series").iter();
    let told: Vec<Value> = series
        .map(|series| {
            let points = series["points"].as_array().expect("points").iter();
            let sum: f64 = points.filter_map(|point| point["value"].as_f64()).sum();
            json!([series["name"], sum])
        })
        .collect();
    assert_eq!(
        told,
        [json!(["Rate limit", 2.0]), json!(["Server error", 2.0])]
    );
}
