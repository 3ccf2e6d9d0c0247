//! What figures are made of: every total opens to its entries, each call counts once in all traces, and prices change only
//! what the user asks for.

mod truth;
mod what_if;

use clew_core::otlp::Signal;
use clew_engine::ErrorCode;
use clew_tests::otlp::{call, hex, text, traces};
use clew_tests::{Rig, recorded};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

/// A call of `model` that names its response.
fn told(trace: u128, model: &str, response: &str, more: &[(&str, i64)]) -> Span {
    let mut span = call(trace, 1, 0, "in", "out");
    span.attributes
        .retain(|attribute| attribute.key != "gen_ai.request.model");
    span.attributes.push(text("gen_ai.request.model", model));
    span.attributes.push(text("gen_ai.response.id", response));
    for (key, value) in more {
        span.attributes.push(clew_tests::otlp::number(key, *value));
    }
    span
}

async fn ledger(rig: &Rig, trace: u128) -> Vec<Value> {
    let rows = rig.call("get_ledger", json!({"traceId": hex(trace)})).await;
    rows.as_array().expect("entries").clone()
}

async fn sums(rig: &Rig) -> Value {
    rig.call("list_ledger", json!({})).await["sums"].clone()
}

/// The sum of the last column but one of a CSV.
async fn exported(rig: &Rig) -> u64 {
    let table = rig.call("export_ledger", json!({})).await;
    let table = table["text"].as_str().expect("text").to_owned();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names = reader.headers().expect("names").clone();
    let column = names.iter().position(|name| name == "nano_usd");
    let column = column.expect("the column");
    let lines = reader.records().map(|line| line.expect("a line"));
    lines
        .filter_map(|line| line[column].parse::<u64>().ok())
        .sum()
}

#[tokio::test]
async fn every_total_opens_to_entries_that_add_up_to_it() {
    let rig = Rig::start().await;
    for program in recorded::programs() {
        for (signal, request) in recorded::requests(&program) {
            rig.take(signal, &request).await;
        }
    }
    rig.settle().await;
    let nanos = |value: &Value| value["costNanos"].as_u64();
    let (mut total, mut seen) = (0, 0);
    let rows = rig.list(json!({"limit": 500})).await;
    for row in &rows {
        let params = json!({"traceId": row["traceId"]});
        let entries = rig.call("get_ledger", params).await;
        let entries = entries.as_array().expect("entries");
        let elsewhere = entries
            .iter()
            .filter(|entry| entry["standing"]["kind"] == "elsewhere");
        let elsewhere = elsewhere.count();
        seen += elsewhere;
        let lines: u64 = entries
            .iter()
            .flat_map(|entry| entry["lines"].as_array().expect("lines"))
            .filter_map(|line| line["amountNanos"].as_u64())
            .sum();
        let sum: u64 = entries.iter().filter_map(nanos).sum();
        assert_eq!(lines, sum, "{row}");
        if elsewhere == 0 {
            assert_eq!(sum, nanos(row).unwrap_or(0), "{row}");
        }
        total += sum;
    }
    assert!(
        seen > 0,
        "the recordings hold calls that two traces tell of"
    );
    assert_eq!(nanos(&sums(&rig).await), Some(total));
    assert_eq!(exported(&rig).await, total);
    let totals = rig.call("summarise_traces", json!({})).await;
    let shown = totals["costUsd"].as_f64().expect("a cost");
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let expected = total as f64 / 1e9;
    assert!((shown - expected).abs() < 1e-12, "{shown} {expected}");
}

/// A router states the task above the call that it routes (article S1).
#[tokio::test]
async fn a_call_serves_the_task_that_is_stated_above_it() {
    let rig = Rig::start().await;
    for (signal, request) in recorded::requests("manual_routed") {
        rig.take(signal, &request).await;
    }
    rig.settle().await;
    let sums = async |feature: &str| {
        let asked = json!({"feature": feature, "counted": true});
        rig.call("list_ledger", asked).await["sums"].clone()
    };
    let classified = sums("classify").await;
    // One was answered, one was refused with 429.
    assert_eq!(classified["calls"], 2);
    assert_eq!(
        [&classified["inputTokens"], &classified["outputTokens"]],
        [16, 3]
    );
    // Its own price of a token, as the span states it: 16 x $0.15 and 3 x $0.60 a million.
    assert_eq!(classified["costNanos"], 4_200);
    let reasoned = sums("reason").await;
    assert_eq!([&reasoned["calls"], &reasoned["inputTokens"]], [1, 12]);
    assert_eq!(sums("nothing").await["calls"], 0);
    let page = rig.call("list_ledger", json!({"feature": "reason"})).await;
    assert_eq!(page["rows"][0]["feature"], "reason");
}

/// Codex names the model on the span of its request, and states what the call used on one below it.
#[tokio::test]
async fn a_call_that_names_no_model_is_found_and_priced_by_the_one_above_it() {
    let rig = Rig::start().await;
    for (signal, request) in recorded::requests("codex") {
        rig.take(signal, &request).await;
    }
    rig.settle().await;
    let asked = json!({"model": "gpt-6.1-sol", "counted": true});
    let page = rig.call("list_ledger", asked).await;
    assert_eq!(page["sums"]["calls"], 3);
    // Per million $2 in, $2.50 to the cache, $0.10 from it, $10 out: 7,093 + 1,024 + 4,096 and 107; 7,339 + 5,120 and 76;
    // 7,453 + 5,632 and 30.
    assert_eq!(page["sums"]["costNanos"], 49_944_800);
    assert_eq!(page["rows"][0]["model"], "gpt-6.1-sol");
    let call = &page["rows"][0];
    assert!(call["modelFrom"].is_string(), "{page}");
    let asked = json!({"traceId": call["traceId"], "spanId": call["spanId"]});
    let span = rig.call("get_span", asked).await;
    assert_eq!(span["model"], "gpt-6.1-sol");
    assert_eq!(span["modelFrom"], call["modelFrom"]);
    let linted = rig.call("lint_telemetry", json!({})).await;
    assert!(!linted.to_string().contains("missing_model"), "{linted}");
}

/// Claude Code states what a request cost in a log record at the span above it, which comes before or after that.
#[tokio::test]
async fn each_request_costs_what_a_log_record_at_another_span_states() {
    let mut requests = recorded::requests("claude_code");
    for turn in 0..2 {
        let rig = Rig::start().await;
        for (signal, request) in &requests {
            rig.take(*signal, request).await;
            // So that each is worked out before the next one comes.
            rig.settle().await;
        }
        let page = rig.call("list_ledger", json!({"counted": true})).await;
        let sums = &page["sums"];
        assert_eq!(sums["calls"], 7, "turn {turn}: {page}");
        // $0.30849 of the agent's five requests and $0.00130454 of the two of the agent below it.
        assert_eq!(sums["costNanos"], 309_794_540, "turn {turn}: {page}");
        for row in page["rows"].as_array().expect("rows") {
            assert_eq!(row["cost"]["kind"], "logged", "turn {turn}: {row}");
            assert_eq!(row["disagrees"], false, "turn {turn}: {row}");
        }
        requests.reverse();
    }
}

/// Audio tokens may be cached ones, and providers state thoughts beside the output or as a part of it.
#[tokio::test]
async fn sums_are_those_of_the_lines_where_parts_are_above_the_whole() {
    let rig = Rig::start().await;
    let parts = [
        ("gen_ai.usage.cache_read.input_tokens", 60),
        ("gen_ai.usage.reasoning.output_tokens", 30),
    ];
    let mut span = told(1, "gpt-4o", "chatcmpl-1", &parts);
    span.attributes.push(clew_tests::otlp::number(
        "llm.token_count.prompt_details.audio",
        80,
    ));
    rig.take(Signal::Traces, &traces(vec![span])).await;
    rig.settle().await;
    let lines: Vec<(String, u64)> = ledger(&rig, 1).await[0]["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| {
            (
                line["bucket"].to_string(),
                line["count"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    let side = |names: &[&str]| -> u64 {
        let of = |(bucket, _): &&(String, u64)| names.iter().any(|name| bucket.contains(name));
        lines.iter().filter(of).map(|(_, count)| count).sum()
    };
    let sums = sums(&rig).await;
    assert_eq!(
        sums["inputTokens"],
        side(&["nput", "cacheRead"]),
        "{lines:?}"
    );
    assert_eq!(
        sums["outputTokens"],
        side(&["utput", "reasoning"]),
        "{lines:?}"
    );
    assert_eq!(sums["outputTokens"], 30);
    let row = &rig.list(json!({})).await[0];
    assert_eq!(row["inputTokens"], sums["inputTokens"]);
    assert_eq!(row["outputTokens"], sums["outputTokens"]);
}

#[tokio::test]
async fn a_call_that_two_traces_tell_of_counts_in_the_one_that_says_more() {
    let plain = || told(1, "gpt-4o", "chatcmpl-1", &[]);
    let cached = || {
        let cached = [("gen_ai.usage.cache_read.input_tokens", 60)];
        told(2, "gpt-4o", "chatcmpl-1", &cached)
    };
    for order in [[plain(), cached()], [cached(), plain()]] {
        let rig = Rig::start().await;
        for span in order {
            rig.take(Signal::Traces, &traces(vec![span])).await;
            rig.settle().await;
        }
        // 40 × 2500 + 60 × 1250 + 10 × 10000 nano-dollars.
        let expected = json!({
            "inputTokens": 100, "outputTokens": 10, "cachedTokens": 60, "costNanos": 275_000,
            "estimated": null, "unpricedTokens": 0, "calls": 1
        });
        assert_eq!(sums(&rig).await, expected);
        assert_eq!(exported(&rig).await, 275_000);
        let [loser, winner] = [ledger(&rig, 1).await, ledger(&rig, 2).await];
        assert_eq!(
            loser[0]["standing"],
            json!({"kind": "elsewhere", "traceId": hex(2), "spanId": "0000000000000001"})
        );
        assert_eq!(winner[0]["standing"]["kind"], "counted");
        let totals = rig.call("summarise_traces", json!({})).await;
        assert_eq!(totals["tokens"], 110);

        // Where the trace that owned it goes, the call counts in the other.
        let owner = json!({"traces": [{"traceId": hex(2)}]});
        rig.call("delete_traces", owner).await;
        rig.settle().await;
        assert_eq!(ledger(&rig, 1).await[0]["standing"]["kind"], "counted");
        assert_eq!(sums(&rig).await["costNanos"], 350_000);
    }
}

#[tokio::test]
async fn calls_in_one_request_are_told_apart_as_well() {
    let rig = Rig::start().await;
    let both = [
        told(1, "gpt-4o", "chatcmpl-1", &[]),
        told(2, "gpt-4o", "chatcmpl-1", &[]),
        told(3, "gpt-4o", "chatcmpl-2", &[]),
    ];
    rig.take(Signal::Traces, &traces(both.to_vec())).await;
    rig.settle().await;
    assert_eq!(sums(&rig).await["calls"], 2);
    assert_eq!(ledger(&rig, 1).await[0]["standing"]["kind"], "counted");
    assert_eq!(ledger(&rig, 2).await[0]["standing"]["kind"], "elsewhere");
}

fn own(input: &str) -> Value {
    json!({"profile": "book", "custom": [{
        "provider": null, "model": "our-own-*", "since": null, "input": input, "output": "2",
        "cacheRead": null, "cacheWrite": null, "reasoning": null
    }]})
}

#[tokio::test]
async fn prices_change_what_comes_and_history_only_when_asked() {
    let rig = Rig::start().await;
    let take = async |rig: &Rig, trace: u128| {
        let span = told(trace, "our-own-tune", &format!("r{trace}"), &[]);
        rig.take(Signal::Traces, &traces(vec![span])).await;
        rig.settle().await;
    };
    let cost = async |rig: &Rig, trace: u128| {
        let rows = rig.list(json!({"text": hex(trace)})).await;
        rows[0]["costNanos"].clone()
    };
    take(&rig, 1).await;
    assert_eq!(cost(&rig, 1).await, Value::Null, "unknown is never zero");
    assert_eq!(sums(&rig).await["unpricedTokens"], 110);

    let prices = rig.call("set_prices", own("1")).await;
    assert_eq!(prices["isHistoryOlder"], true);
    take(&rig, 2).await;
    assert_eq!(cost(&rig, 1).await, Value::Null);
    assert_eq!(cost(&rig, 2).await, 100 * 1_000 + 10 * 2_000);
    let entry = ledger(&rig, 2).await.remove(0);
    assert_eq!(
        entry["price"],
        json!({"kind": "custom", "model": "our-own-*", "since": null})
    );

    rig.call("set_prices", own("3")).await;
    let prices = rig.call("reprice_history", json!({})).await;
    assert_eq!(prices["canUndo"], true);
    rig.settle().await;
    for trace in [1, 2] {
        assert_eq!(cost(&rig, trace).await, 100 * 3_000 + 10 * 2_000);
    }
    assert_eq!(sums(&rig).await["unpricedTokens"], 0);

    // Decisions outlive a restart, and are taken back as they were made.
    let rig = rig.reopen(|_| {}).await;
    rig.settle().await;
    assert_eq!(cost(&rig, 1).await, 320_000);
    rig.call("undo_reprice", json!({})).await;
    rig.settle().await;
    assert_eq!(cost(&rig, 1).await, Value::Null);
    assert_eq!(cost(&rig, 2).await, 120_000);
    let error = rig.ask("undo_reprice", &json!({})).await;
    assert_eq!(error.expect_err("refused").code, ErrorCode::BadRequest);
}

#[tokio::test]
async fn a_price_that_cannot_be_read_changes_nothing() {
    let rig = Rig::start().await;
    let error = rig.ask("set_prices", &own("cheap")).await;
    let error = error.expect_err("refused");
    assert!(error.message.contains("dollars per million"), "{error}");
    let prices = rig.call("get_prices", json!({})).await;
    assert_eq!(prices["custom"], json!([]));
    assert_eq!(prices["isVendored"], true);

    let file = rig.folder().join("book.json");
    for (content, told) in [("{", "EOF"), ("[]", "invalid"), ("\u{0}", "expected")] {
        std::fs::write(&file, content).expect("writes");
        let token = rig.engine.offer_file(&file);
        let params =
            json!({"profile": "book", "custom": [], "book": {"kind": "file", "token": token}});
        let error = rig.ask("set_prices", &params).await.expect_err("refused");
        assert!(
            error.message.contains("book.json is not a price book") && error.message.contains(told),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_book_from_a_file_holds_for_what_comes() {
    let rig = Rig::start().await;
    let vendored = include_str!("../../src-tauri/crates/clew-core/src/price/book.json");
    let mut book: Value = serde_json::from_str(vendored).expect("JSON");
    book["version"] = json!("of-the-test");
    let file = rig.folder().join("book.json");
    std::fs::write(&file, book.to_string()).expect("writes");
    let token = rig.engine.offer_file(&file);
    let params = json!({"profile": "book", "custom": [], "book": {"kind": "file", "token": token}});
    let prices = rig.call("set_prices", params).await;
    assert_eq!(prices["book"]["version"], "of-the-test");
    assert_eq!(prices["isVendored"], false);
    let span = told(1, "gpt-4o", "r", &[]);
    rig.take(Signal::Traces, &traces(vec![span])).await;
    rig.settle().await;
    let entry = ledger(&rig, 1).await.remove(0);
    let told = entry["price"]["book"].as_str().expect("the book");
    assert!(told.contains("of-the-test"), "{told}");
}

#[tokio::test]
async fn entries_are_found_by_span_and_by_the_prompt_behind_them() {
    let rig = Rig::start().await;
    let prompted = |trace: u128, more: &[(&str, &str)]| {
        let mut span = told(trace, "gpt-4o", &format!("r{trace}"), &[]);
        span.attributes
            .extend(more.iter().map(|(key, value)| text(key, value)));
        span
    };
    let spans = [
        prompted(
            1,
            &[
                ("gen_ai.prompt.name", "greet"),
                ("gen_ai.prompt.version", "1"),
            ],
        ),
        prompted(2, &[("gen_ai.prompt.name", "greet")]),
        // Neither a name nor a version: both are made of the text.
        prompted(3, &[("gen_ai.prompt.template", "Greet {name}.\nBe brief.")]),
        prompted(4, &[]),
    ];
    rig.take(Signal::Traces, &traces(spans.to_vec())).await;
    rig.settle().await;
    let of = async |filter: Value| {
        let page = rig.call("list_ledger", filter).await;
        let rows = page["rows"].as_array().expect("entries").clone();
        assert_eq!(page["total"], rows.len());
        let ids = rows
            .iter()
            .map(|row| row["traceId"].as_str().expect("an id"));
        let mut ids: Vec<String> = ids.map(ToOwned::to_owned).collect();
        ids.sort();
        ids
    };
    assert_eq!(of(json!({"prompt": "greet"})).await, [hex(1), hex(2)]);
    let version = json!({"prompt": "greet", "promptVersion": "1"});
    assert_eq!(of(version).await, [hex(1)]);
    let without = json!({"prompt": "greet", "promptVersion": ""});
    assert_eq!(of(without).await, [hex(2)]);
    let templates = rig.call("list_prompts", json!({})).await;
    let templates = templates.as_array().expect("templates");
    let unnamed = templates.iter().find(|one| one["name"] == "Greet {name}.");
    let version = unnamed.expect("named by its text")["versions"][0]["version"].clone();
    let made = json!({"prompt": "Greet {name}.", "promptVersion": version});
    assert_eq!(of(made).await, [hex(3)]);

    let one = json!({"traceId": hex(1), "spanId": "0000000000000001"});
    assert_eq!(rig.call("get_ledger", one).await[0]["traceId"], hex(1));
    let other = json!({"traceId": hex(1), "spanId": "0000000000000009"});
    assert_eq!(rig.call("get_ledger", other).await, json!([]));
    let facts = rig.call("get_facts", json!({"traceId": hex(1)})).await;
    let stated = facts[0]["facts"].as_array().expect("facts");
    let prompt = stated.iter().find(|fact| fact["name"] == "prompt");
    let prompt = prompt.expect("the prompt");
    assert_eq!(
        (&prompt["value"], &prompt["key"]),
        (&json!("greet 1"), &json!("gen_ai.prompt.name"))
    );
}
