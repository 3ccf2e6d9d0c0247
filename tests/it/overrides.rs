//! What the user says attributes mean: for what comes and for what is there already.

use clew_core::otlp::Signal;
use clew_engine::ErrorCode;
use clew_tests::Rig;
use clew_tests::otlp::{hex, number, span, text, traces};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

/// A call of a model in the words of one company.
fn own(trace: u128) -> Span {
    let mut span = span(trace, 1, 0, "ask");
    span.attributes = vec![
        text("acme.kind", "llm"),
        text("acme.model", "gpt-4o"),
        number("acme.in", 1_000),
        number("acme.out", 10),
        text("acme.answer", "Paris is the capital"),
        text("acme.other", "x"),
    ];
    span
}

fn said(pairs: &[(&str, &str)]) -> Value {
    let listed = pairs
        .iter()
        .map(|(key, fact)| json!({"key": key, "fact": fact}));
    json!({"overrides": listed.collect::<Vec<_>>()})
}

/// All five.
fn all() -> Value {
    said(&[
        ("acme.kind", "operation"),
        ("acme.model", "request_model"),
        ("acme.in", "input_tokens"),
        ("acme.out", "output_tokens"),
        ("acme.answer", "output"),
    ])
}

async fn row(rig: &Rig, trace: u128) -> Value {
    let rows = rig.list(json!({})).await;
    let found = rows.iter().find(|row| row["traceId"] == hex(trace));
    found.expect("the trace is listed").clone()
}

async fn understood(rig: &Rig, trace: u128) {
    let row = row(rig, trace).await;
    assert_eq!(row["models"], json!(["gpt-4o"]), "trace {trace}");
    assert_eq!([&row["inputTokens"], &row["outputTokens"]], [1_000, 10]);
    // 1,000 x $2.50 and 10 x $10 a million.
    assert_eq!(row["costNanos"], 2_600_000);
    assert_eq!(row["callCount"], 1);
}

async fn not_understood(rig: &Rig, trace: u128) {
    let row = row(rig, trace).await;
    assert_eq!(row["models"], json!([]), "trace {trace}");
    // Nothing says how many tokens, so nobody knows.
    assert_eq!(row["inputTokens"], Value::Null, "trace {trace}");
    assert_eq!(row["callCount"], 0, "trace {trace}");
}

#[tokio::test]
async fn what_an_attribute_means_holds_for_what_is_there_and_for_what_comes() {
    let rig = Rig::start().await;
    rig.take(Signal::Traces, &traces(vec![own(1)])).await;
    rig.settle().await;
    not_understood(&rig, 1).await;

    let kept = rig.call("set_overrides", all()).await;
    assert_eq!(kept["overrides"].as_array().expect("a list").len(), 5);
    rig.take(Signal::Traces, &traces(vec![own(2)])).await;
    rig.settle().await;
    for trace in [1, 2] {
        understood(&rig, trace).await;
    }
    assert_eq!(rig.call("get_overrides", json!({})).await["stale"], 0);

    // The span says which attribute it was, and which one nobody explains.
    let asked = json!({"traceId": hex(1), "spanId": "0000000000000001"});
    let shown = rig.call("get_span", asked).await;
    assert_eq!(
        shown["output"][0]["parts"][0]["text"],
        "Paris is the capital"
    );
    assert_eq!(shown["unexplained"], json!(["acme.other"]));
    let facts = shown["facts"].as_array().expect("a list");
    let stated = facts.iter().find(|fact| fact["value"] == "gpt-4o");
    let stated = stated.expect("the model is a fact");
    assert_eq!(
        [&stated["convention"], &stated["key"]],
        ["override", "acme.model"]
    );
    // The answer can be searched for.
    assert_eq!(rig.list(json!({"text": "capital"})).await.len(), 2);

    // After a restart too, until it is taken back.
    let rig = rig.reopen(|_| ()).await;
    rig.take(Signal::Traces, &traces(vec![own(3)])).await;
    rig.settle().await;
    understood(&rig, 3).await;
    rig.call("set_overrides", said(&[])).await;
    rig.settle().await;
    for trace in [1, 2, 3] {
        not_understood(&rig, trace).await;
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_as_a_whole() {
    let rig = Rig::start().await;
    rig.call("set_overrides", said(&[("acme.who", "user")]))
        .await;
    let long = "k".repeat(1_025);
    for (pairs, words) in [
        (
            vec![("a", "session"), ("b", "mood")],
            "there is no fact \"mood\"",
        ),
        (
            vec![("a", "session"), (" ", "user")],
            "states \"user\" has no key",
        ),
        (
            vec![("a", "user"), ("b", "user")],
            "two attributes are said to state \"user\"",
        ),
        (vec![(long.as_str(), "user")], "a key of 1025 bytes"),
    ] {
        let error = rig.ask("set_overrides", &said(&pairs)).await;
        let error = error.expect_err("it is refused");
        assert_eq!(error.code, ErrorCode::BadRequest);
        assert!(error.message.contains(words), "{}", error.message);
    }
    let kept = rig.call("get_overrides", json!({})).await;
    assert_eq!(
        kept["overrides"],
        said(&[("acme.who", "user")])["overrides"]
    );
}

#[tokio::test]
async fn an_end_before_all_spans_are_marked_is_made_up_for() {
    let rig = Rig::start().await;
    for trace in 1..=3 {
        rig.take(Signal::Traces, &traces(vec![own(trace)])).await;
    }
    rig.settle().await;
    // As a process leaves it that ended behind the first slice.
    let rig = rig
        .reopen(|connection| {
            connection
                .execute_batch(
                    "INSERT INTO overrides (fact, key) VALUES
                         ('operation', 'acme.kind'), ('request_model', 'acme.model'),
                         ('input_tokens', 'acme.in'), ('output_tokens', 'acme.out');
                     INSERT INTO stale_spans (span) SELECT min(id) FROM spans;
                     UPDATE derivation SET marked = (SELECT min(id) FROM spans);",
                )
                .expect("the tables are there");
        })
        .await;
    rig.settle().await;
    for trace in 1..=3 {
        understood(&rig, trace).await;
    }
}

#[tokio::test]
async fn whoever_says_it_last_while_spans_come_is_heard() {
    let rig = Rig::start().await;
    for round in 0..6_u128 {
        let spans = (0..20).map(|each| own(round * 20 + each + 1)).collect();
        let sent = traces(spans);
        // Two at once: which one comes last is not known, and must be one of them, for every span.
        let (none, every) = (said(&[]), all());
        let first = rig.ask("set_overrides", &none);
        let second = rig.ask("set_overrides", &every);
        let (_, one, two) = tokio::join!(rig.take(Signal::Traces, &sent), first, second);
        one.expect("taken");
        two.expect("taken");
        rig.settle().await;
        let kept = rig.call("get_overrides", json!({})).await;
        let is_none = kept["overrides"] == json!([]);
        for each in 0..20 {
            let trace = round * 20 + each + 1;
            match is_none {
                true => not_understood(&rig, trace).await,
                false => understood(&rig, trace).await,
            }
        }
    }
}

#[tokio::test]
async fn no_total_dips_while_spans_are_read_again() {
    let rig = Rig::start().await;
    let calls =
        (1..=1_200_u64).map(|id| clew_tests::otlp::call(1, id, u64::from(id > 1), "in", "out"));
    rig.take(Signal::Traces, &traces(calls.collect())).await;
    rig.settle().await;
    let sums = async || rig.call("list_ledger", json!({"limit": 1})).await["sums"].clone();
    let before = sums().await;
    assert_eq!(before["calls"], 1_199, "all but the root, which wraps them");
    rig.call("set_overrides", said(&[("acme.who", "user")]))
        .await;
    let mut looks = 0;
    while rig.call("get_overrides", json!({})).await["stale"] != 0 {
        assert_eq!(sums().await, before, "look {looks}");
        looks += 1;
    }
    assert!(looks > 0, "it was looked at while spans were read again");
    rig.settle().await;
    assert_eq!(sums().await, before);
}
