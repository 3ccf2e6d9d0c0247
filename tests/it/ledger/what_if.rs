//! What calls would have cost otherwise, through the door.

use clew_core::otlp::Signal;
use clew_engine::ErrorCode;
use clew_tests::otlp::{text, traces};
use clew_tests::{Rig, recorded};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use super::told;

/// 2026-11-01, when the book has prices for batches.
const DAY: u64 = 1_793_491_200_000_000_000;

/// A call of OpenAI: 100 tokens sent and 10 generated.
fn served(trace: u128, model: &str, feature: &str, more: &[(&str, i64)]) -> Span {
    let mut span = told(trace, model, &format!("r{trace}"), more);
    span.attributes.push(text("gen_ai.provider.name", "openai"));
    span.attributes.push(text("llm.task_type", feature));
    span.start_time_unix_nano = DAY;
    span.end_time_unix_nano = DAY + 1_000_000_000;
    span
}

fn row<'a>(table: &'a Value, feature: &str) -> &'a Value {
    let mut rows = table["rows"].as_array().expect("rows").iter();
    let row = rows.find(|row| row["feature"] == feature);
    &row.expect("a row of the feature")["figures"]
}

#[tokio::test]
async fn calls_are_summed_by_feature_and_model_and_priced_otherwise() {
    let rig = Rig::start().await;
    let cached = [("gen_ai.usage.cache_read.input_tokens", 60)];
    let spans = vec![
        served(1, "gpt-4o", "search", &cached),
        served(2, "gpt-4o", "search", &[]),
        served(3, "gpt-4o-mini", "chat", &[]),
    ];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    let params = json!({"models": ["gpt-4o-mini", "no-such-model", " gpt-4o-mini "]});
    let table = rig.call("what_if", params).await;
    assert_eq!(table["total"], 2);
    assert_eq!(table["models"].as_array().map(Vec::len), Some(2));
    assert_eq!(table["models"][1]["priceList"], Value::Null);
    assert_eq!(table["rows"][0]["feature"], "search", "the dearest first");
    assert_eq!(table["rows"][0]["model"], "gpt-4o");
    assert_eq!(table["rows"][0]["provider"], "openai");

    let search = row(&table, "search");
    assert_eq!(search["calls"], 2);
    assert_eq!(
        [
            &search["inputTokens"],
            &search["outputTokens"],
            &search["cachedTokens"]
        ],
        [200, 20, 60]
    );
    // 40 × 2,500 + 60 × 1,250 + 10 × 10,000, and 100 × 2,500 + 10 × 10,000 nano-dollars.
    assert_eq!(search["costNanos"], 275_000 + 350_000);
    assert_eq!(search["uncached"]["nanos"], 2 * 350_000);
    assert_eq!(search["uncached"]["change"], 0.12);
    // 100 × 1,250 + 10 × 5,000 each: what is cached has no price of its own for batches, and $1.25 as ever.
    assert_eq!(search["batch"]["nanos"], 2 * 175_000);
    // 40 × 150 + 60 × 75 + 10 × 600, and 100 × 150 + 10 × 600.
    let mini = &search["models"][0];
    assert_eq!(mini["amount"]["nanos"], 16_500 + 21_000);
    assert_eq!(mini["amount"]["change"], -0.94);
    assert_eq!(mini["fits"], true);
    assert_eq!(
        search["models"][1],
        json!({"amount": {"nanos": null, "change": null, "leftOut": 2}, "fits": null})
    );

    let totals = &table["totals"];
    let sums = rig.call("list_ledger", json!({})).await["sums"].clone();
    assert_eq!(totals["costNanos"], sums["costNanos"]);
    assert_eq!(totals["calls"], sums["calls"]);
    assert_eq!(
        totals["models"][0]["amount"]["nanos"],
        16_500 + 21_000 + 21_000
    );
    assert_eq!(totals["models"][1]["amount"]["leftOut"], 3);

    let narrowed = json!({"filter": {"feature": "chat"}});
    let table = rig.call("what_if", narrowed).await;
    assert_eq!(table["totals"]["costNanos"], 21_000);
    assert_eq!(table["totals"]["models"], json!([]));
}

#[tokio::test]
async fn its_cost_is_that_of_the_ledger_for_every_recorded_program() {
    let rig = Rig::start().await;
    for program in recorded::programs() {
        for (signal, request) in recorded::requests(&program) {
            rig.take(signal, &request).await;
        }
    }
    rig.settle().await;
    let table = rig.call("what_if", json!({})).await;
    let sums = rig.call("list_ledger", json!({})).await["sums"].clone();
    assert_eq!(table["totals"]["costNanos"], sums["costNanos"]);
    assert_eq!(table["totals"]["inputTokens"], sums["inputTokens"]);
    assert_eq!(table["totals"]["outputTokens"], sums["outputTokens"]);
    let rows = table["rows"].as_array().expect("rows");
    let cost = |row: &Value| row["figures"]["costNanos"].as_u64().unwrap_or(0);
    let sum: u64 = rows.iter().map(cost).sum();
    assert_eq!(table["totals"]["costNanos"], sum);
}

#[tokio::test]
async fn names_that_are_none_and_too_many_are_refused() {
    let rig = Rig::start().await;
    let many: Vec<String> = (0..9).map(|each| format!("model-{each}")).collect();
    for models in [json!([" "]), json!(["x".repeat(201)]), json!(many)] {
        let error = rig.ask("what_if", &json!({"models": models})).await;
        assert_eq!(error.expect_err("refused").code, ErrorCode::BadRequest);
    }
    let empty = rig.call("what_if", json!({})).await;
    assert_eq!(empty["rows"], json!([]));
    assert_eq!(empty["totals"]["uncached"]["nanos"], Value::Null);
}
