//! The ledger on the command line: totals count each call once, and every figure opens to what it is made of.

use serde_json::{Value, json};

use super::{json as answer, run, run_sender, send, text};
use crate::serve::Served;

/// Two traces that tell of one call, the second with what was cached: 40 × $2.50, 60 × $1.25 and 10 × $10 a million.
fn told_twice() -> String {
    let span = |trace: &str, more: Value| {
        let mut attributes = vec![
            json!({"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}),
            json!({"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}}),
            json!({"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}}),
            json!({"key": "gen_ai.response.id", "value": {"stringValue": "chatcmpl-1"}}),
            json!({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "100"}}),
            json!({"key": "gen_ai.usage.output_tokens", "value": {"intValue": "10"}}),
        ];
        attributes.extend(more.as_array().expect("attributes").iter().cloned());
        json!({
            "traceId": trace, "spanId": "00000000000000a1", "name": "chat gpt-4o", "kind": 3,
            "startTimeUnixNano": "1763668000000000000", "endTimeUnixNano": "1763668001500000000",
            "attributes": attributes
        })
    };
    let cached = json!([
        {"key": "gen_ai.usage.cache_read.input_tokens", "value": {"intValue": "60"}}
    ]);
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "shop"}},
            {"key": "clew.run.id", "value": {"stringValue": "RUN"}}
        ]},
        "scopeSpans": [{"spans": [span(POORER, json!([])), span(RICHER, cached)]}]
    }]})
    .to_string()
}

const POORER: &str = "11111111111111111111111111111111";
const RICHER: &str = "22222222222222222222222222222222";

#[test]
fn totals_of_traces_count_a_call_once_that_two_of_them_tell_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("clew.db");
    let told = text(&run_sender(&database, &[], &told_twice()).stderr);
    let expected = "100 tokens in, 10 out · cost $0.0003";
    assert!(
        told.contains(&format!("2 traces · 2 spans · {expected}")),
        "{told}"
    );
    let table = text(&run(&database, &["list"]).stdout);
    assert!(
        table.ends_with(&format!("2 traces · {expected}\n")),
        "{table}"
    );
    let table = text(&run(&database, &["list", "-n", "1"]).stdout);
    assert!(
        table.ends_with(&format!("1 of 2 traces · {expected}\n")),
        "{table}"
    );

    let database = folder.path().join("again.db");
    let run = answer(&run_sender(&database, &["--json"], &told_twice()));
    let totals = json!({
        "inputTokens": 100, "outputTokens": 10, "cachedTokens": 60, "costNanos": 275_000,
        "estimated": null, "unpricedTokens": 0, "calls": 1
    });
    assert_eq!(run["totals"], totals);
    assert_eq!(run["traces"].as_array().map(Vec::len), Some(2));
}

fn shown(output: &std::process::Output) -> String {
    text(&output.stdout)
}

#[test]
fn the_ledger_says_what_counts_at_which_price_and_why_the_rest_does_not() {
    let served = Served::start(&[]);
    send(&served, &told_twice());
    let database = served.database();
    let all = answer(&run(&database, &["ledger", "--json"]));
    assert_eq!(
        (&all["total"], &all["sums"]["calls"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(all["sums"]["costNanos"], 275_000);
    let of = |trace: &str| {
        let rows = all["rows"].as_array().expect("entries");
        let row = rows.iter().find(|row| row["traceId"] == trace);
        row.expect("an entry").clone()
    };
    let (poorer, richer) = (of(POORER), of(RICHER));
    assert_eq!(
        poorer["standing"],
        json!({"kind": "elsewhere", "traceId": RICHER, "spanId": "00000000000000a1"})
    );
    assert_eq!(poorer["costNanos"], Value::Null);
    let reason = poorer["reason"].as_str().expect("a reason").to_owned();
    assert!(reason.contains("another trace"), "{reason}");
    assert_eq!(richer["reason"], Value::Null);
    let source = richer["costSource"].as_str().expect("a source").to_owned();
    assert!(
        source.starts_with("openai/gpt-4o") && source.contains("in genai-prices 0."),
        "{source}"
    );
    assert_eq!(richer["cachedShare"], 0.6);

    let table = shown(&run(&database, &["ledger", "--lines"]));
    for part in [
        "cache read",
        "1.25",
        "$0.000075",
        "$0.000275",
        "not counted",
        &reason,
        &source,
        &format!("{RICHER}/00000000000000a1"),
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let sum = "2 entries · 1 model call · 100 tokens in, 10 out · cost $0.000275\n";
    assert!(table.ends_with(sum), "{table}");
    let one = shown(&run(&database, &["ledger", RICHER]));
    assert!(
        one.contains("1 entry · 1 model call") && one.contains("cache read"),
        "{one}"
    );
    let some = shown(&run(&database, &["ledger", "-n", "1"]));
    assert!(
        some.contains("1 of 2 entries · 1 model call · 100 tokens in"),
        "{some}"
    );

    let table = shown(&run(&database, &["ledger", "--csv"]));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let names = reader.headers().expect("names").clone();
    let nanos = names.iter().position(|name| name == "nano_usd");
    let nanos = nanos.expect("a column of amounts");
    let lines = reader.records().map(|line| line.expect("a line"));
    let sum: u64 = lines
        .filter_map(|line| line[nanos].parse::<u64>().ok())
        .sum();
    assert_eq!(sum, 275_000);

    for (filter, total) in [
        (&["latest"][..], 1),
        (&["--model", "gpt-4o"], 2),
        (&["--counted"], 1),
        (&["--service", "shop"], 2),
        (&["--model", "gpt-5"], 0),
        (&["--service", "bank"], 0),
        (&["--since", "1h"], 0),
        (&["--feature", "search"], 0),
        (&["--user", "amy"], 0),
        (&["--session", "s"], 0),
        (&["--prompt", "greet"], 0),
        (&["--prompt-version", "7"], 0),
        (&["--text", "nowhere"], 0),
    ] {
        let output = run(&database, &[&["ledger", "--json"], filter].concat());
        assert_eq!(answer(&output)["total"], total, "{filter:?}");
        assert_eq!(output.status.code(), Some(if total == 0 { 4 } else { 0 }));
        let output = run(&database, &[&["ledger", "--csv"], filter].concat());
        assert_eq!(output.status.code(), Some(if total == 0 { 4 } else { 0 }));
    }
    let missing = run(&database, &["ledger", &POORER.replace('1', "3")]);
    assert_eq!(missing.status.code(), Some(4));
    assert_eq!(run(&database, &["ledger", "x"]).status.code(), Some(1));
    let both = run(&database, &["ledger", "--csv", "--json"]);
    assert_eq!(both.status.code(), Some(2));
}

/// One call of a model that no list names, in a vocabulary of its own, with a key that none explains.
fn unpriced() -> String {
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [{
        "traceId": POORER, "spanId": "00000000000000b1", "name": "call", "kind": 3,
        "startTimeUnixNano": "1763668000000000000", "endTimeUnixNano": "1763668001500000000",
        "attributes": [
            {"key": "openinference.span.kind", "value": {"stringValue": "LLM"}},
            {"key": "llm.model_name", "value": {"stringValue": "our-own-tune"}},
            {"key": "llm.token_count.prompt", "value": {"intValue": "100"}},
            {"key": "llm.token_count.completion", "value": {"intValue": "30"}},
            {"key": "llm.token_count.completion_details.reasoning", "value": {"intValue": "20"}},
            {"key": "our.own.key", "value": {"stringValue": "x"}}
        ]
    }]}]}]})
    .to_string()
}

#[test]
fn a_trace_as_json_tells_who_stated_what_and_what_it_costs() {
    let served = Served::start(&[]);
    send(&served, &told_twice());
    let database = served.database();
    let whole = answer(&run(&database, &["trace", RICHER, "--json"]));
    assert_eq!(
        whole["totals"],
        json!({
            "inputTokens": 100, "outputTokens": 10, "cachedTokens": 60, "costNanos": 275_000,
            "estimated": null, "unpricedTokens": 0, "calls": 1
        })
    );
    assert_eq!(whole["cachedShare"], 0.6);
    assert_eq!(whole["fullest"]["tokens"], 100);
    assert_eq!(whole["fullest"]["window"], 128_000);
    let span = &whole["spans"][0];
    assert_eq!(
        span["usage"],
        json!({"input": 40, "cacheRead": 60, "output": 10})
    );
    let facts = span["facts"].as_array().expect("facts");
    let model = facts.iter().find(|fact| fact["name"] == "request model");
    assert_eq!(
        model,
        Some(&json!({
            "name": "request model", "value": "gpt-4o", "convention": "otel_genai",
            "key": "gen_ai.request.model"
        }))
    );
    assert_eq!(span["ledger"]["costNanos"], 275_000);
    assert_eq!(span["ledger"]["price"]["kind"], "book");
    let book = span["ledger"]["price"]["book"].as_str().expect("a book");
    assert!(
        book.starts_with("genai-prices") && book.contains("(20"),
        "{book}"
    );
    let poorer = answer(&run(&database, &["trace", POORER, "--json"]));
    let entry = &poorer["spans"][0]["ledger"];
    assert_eq!(entry["standing"]["kind"], "elsewhere");
    assert!(entry["reason"].is_string(), "{entry}");

    let served = Served::start(&[]);
    send(&served, &unpriced());
    let whole = answer(&run(&served.database(), &["trace", "latest", "--json"]));
    assert_eq!(whole["totals"]["unpricedTokens"], 130);
    assert_eq!(whole["totals"]["costNanos"], Value::Null);
    let span = &whole["spans"][0];
    assert_eq!(
        span["usage"],
        json!({"input": 100, "output": 10, "reasoning": 20})
    );
    assert_eq!(span["ledger"]["cost"]["kind"], "unknown");
    assert_eq!(span["ledger"]["costSource"], "no list names this model");
    assert_eq!(span["dialect"]["title"], "OpenInference");
    assert_eq!(span["unexplained"], json!(["our.own.key"]));
    let told = shown(&run(&served.database(), &["ledger"]));
    assert!(
        told.contains("unknown") && told.ends_with("cost not known\n"),
        "{told}"
    );
}

#[test]
fn what_if_says_what_calls_would_have_cost_on_other_models() {
    let served = Served::start(&[]);
    send(&served, &told_twice());
    let database = served.database();
    let asked = "--what-if=gpt-4o-mini,no-such-model";
    let table = shown(&run(&database, &["ledger", asked]));
    for part in [
        // 40 × 2,500 + 60 × 1,250 + 10 × 10,000, without a cache 100 × 2,500 + 10 × 10,000, and
        // 40 × 150 + 60 × 75 + 10 × 600 nano-dollars.
        "$0.000275",
        "$0.00035 +27.3 %",
        "$0.0000165 -94 %",
        "all calls",
        "no-such-model: no list names it",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let whole = answer(&run(&database, &["ledger", asked, "--json"]));
    assert_eq!(whole["totals"]["models"][0]["amount"]["nanos"], 16_500);
    let bare = answer(&run(&database, &["ledger", "--what-if", "--json"]));
    assert_eq!(bare["models"], json!([]));
    let one = answer(&run(&database, &["ledger", RICHER, "--what-if", "--json"]));
    assert_eq!(one["totals"]["calls"], 1);
}
