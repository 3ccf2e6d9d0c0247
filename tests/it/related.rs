//! What others tell of a call: log records of gateways and servers that name it by an id.

use clew_core::otlp::Signal;
use clew_tests::Rig;
use clew_tests::otlp::{call, hex, log, logs, text, traces};
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_shows_the_records_that_name_its_request_or_its_response() {
    let rig = Rig::start().await;
    let of = |trace: u128, id: u64, key: &str, value: &str, body: &str| {
        let mut record = log(trace, id, "access", body);
        record.attributes.push(text(key, value));
        record
    };
    // One record comes before the call, and one speaks of another request.
    let first = vec![
        of(0, 3, "x-request-id", "req_7", "gateway passed it on"),
        of(0, 4, "x-request-id", "req_8", "another request"),
        log(0, 5, "access", "no id at all"),
    ];
    rig.take(Signal::Logs, &logs(first)).await;
    let mut asked = call(1, 1, 0, "question", "answer");
    asked
        .attributes
        .push(text("http.response.header.x-request-id", "req_7"));
    asked
        .attributes
        .push(text("gen_ai.response.id", "chatcmpl-9"));
    rig.take(Signal::Traces, &traces(vec![asked])).await;
    let then = vec![
        // Of a trace of its own, by the response's id.
        of(2, 9, "gen_ai.response.id", "chatcmpl-9", "billed"),
        // The call's own record stands among its logs.
        of(1, 1, "x-request-id", "req_7", "its own"),
    ];
    rig.take(Signal::Logs, &logs(then)).await;
    rig.settle().await;

    let params = json!({"traceId": hex(1), "spanId": format!("{:016x}", 1)});
    let told = rig.call("get_references", params.clone()).await;
    let related = |told: &Value| -> Vec<Value> {
        let rows = told["relatedLogs"].as_array().expect("records").iter();
        rows.map(|row| {
            json!([
                row["id"],
                row["log"]["body"],
                row["traceId"],
                row["service"]
            ])
        })
        .collect()
    };
    assert_eq!(
        related(&told),
        [
            json!(["req_7", "gateway passed it on", null, "shop"]),
            json!(["chatcmpl-9", "billed", hex(2), "shop"]),
        ]
    );
    let detail = rig.call("get_span", params.clone()).await;
    assert_eq!(detail["logs"].as_array().map(Vec::len), Some(1));
    assert_eq!(told["relatedLogs"][0]["log"]["offsetNanos"], 3e6 - 1e6);

    // What is deleted joins nothing any more.
    let delete = json!({"traces": [{"traceId": hex(2)}]});
    rig.call("delete_traces", delete).await;
    let told = rig.call("get_references", params).await;
    assert_eq!(related(&told).len(), 1);
}
