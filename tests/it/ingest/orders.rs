//! One trace in a thousand orders of arrival (reliability B12), and what makes its parts fall into place.

use clew_core::otlp::{Batch, Encoding, Limits, Signal};
use clew_tests::Rig;
use clew_tests::otlp::{call, hex, log, logs, number, span, text, traces};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::{make_sources, of, same_in_every_order};

/// Orders that are tried.
const ORDERS: i64 = 1_000;

/// A message of a conversation; all have one time, as under a coarse clock.
fn message(role: &str, body: &str) -> LogRecord {
    LogRecord {
        time_unix_nano: clew_tests::otlp::START,
        ..log(1, 2, &format!("gen_ai.{role}.message"), body)
    }
}

/// A trace with everything that may come late, twice, in two versions or never.
fn parts() -> Vec<(Signal, Vec<u8>)> {
    let root = span(1, 1, 0, "root");
    let model = call(1, 2, 1, "a question", "an answer");
    let pending = |span: &Span| Span {
        end_time_unix_nano: 0,
        attributes: Vec::new(),
        ..span.clone()
    };
    let mut other = model.clone();
    other.attributes[2] = number("gen_ai.usage.input_tokens", 7);
    let mut longer = model.clone();
    longer.attributes.push(text("session.id", "s-1"));
    vec![
        of(vec![root.clone()]),
        of(vec![pending(&root), pending(&model)]),
        of(vec![model.clone()]),
        of(vec![model]),
        of(vec![other]),
        of(vec![longer, span(1, 3, 2, "leaf")]),
        of(vec![span(1, 4, 99, "an orphan")]),
        of(vec![pending(&span(1, 5, 0, "a root that still runs"))]),
        of(vec![span(1, 6, 7, "round"), span(1, 8, 6, "below")]),
        of(vec![span(1, 7, 6, "and round")]),
        (
            Signal::Logs,
            logs(vec![
                message("system", "rules"),
                message("user", "first question"),
                message("assistant", "first answer"),
            ]),
        ),
        (
            Signal::Logs,
            logs(vec![
                message("user", "second question"),
                message("assistant", "second answer"),
            ]),
        ),
        // One record once more, in another place of another request.
        (
            Signal::Logs,
            logs(vec![
                message("user", "third question"),
                message("assistant", "second answer"),
            ]),
        ),
        (
            Signal::Logs,
            logs(vec![log(1, 77, "note", "of a span that never comes")]),
        ),
    ]
}

fn decoded(signal: Signal, request: &[u8]) -> Batch {
    let decoded = clew_core::otlp::decode(signal, Encoding::Protobuf, request, &Limits::default());
    decoded.expect("decodes").0
}

/// What is shown of the trace under a source.
async fn shown(rig: &Rig, source: i64) -> (Value, Value, Vec<u8>, Value) {
    let rows = rig.list(json!({"source": source})).await;
    assert_eq!(rows.len(), 1, "source {source}: {rows:?}");
    let trace = json!({"traceId": hex(1), "source": source});
    let (waterfall, columns) = rig.call_packed("get_waterfall", trace).await;
    let span = json!({"traceId": hex(1), "spanId": "0000000000000002", "source": source});
    let detail = rig.call("get_span", span).await;
    let row = super::timeless(rows[0].clone());
    (
        row,
        super::timeless(waterfall),
        columns,
        super::timeless(detail),
    )
}

/// Reliability B12.
#[tokio::test]
async fn a_thousand_orders_make_one_picture() {
    let rig = Rig::start().await;
    make_sources(&rig, ORDERS);
    let parts = parts();
    let mut random = rand::rngs::StdRng::seed_from_u64(12);
    let senders = (1..=ORDERS).map(|source| {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        if source > 1 {
            order.shuffle(&mut random);
            // Some come twice.
            order.push(random.random_range(0..parts.len()));
        }
        let batches: Vec<Batch> = order
            .iter()
            .map(|&part| decoded(parts[part].0, &parts[part].1))
            .collect();
        let ingest = rig.engine.ingest().expect("the engine writes").clone();
        let sender = tokio::spawn(async move {
            for batch in batches {
                let taken = ingest.commit_patiently(source, batch).await;
                taken.expect("it is taken");
            }
        });
        (source, order, sender)
    });
    let mut orders = Vec::new();
    for (source, order, sender) in senders.collect::<Vec<_>>() {
        sender.await.expect("no panic");
        orders.push((source, order));
    }
    rig.settle().await;
    let expected = shown(&rig, 1).await;
    let (row, waterfall, _, detail) = &expected;
    assert_eq!(row["spanCount"], 8);
    assert_eq!(row["state"], "running");
    assert_eq!(&waterfall["summary"], row);
    assert_eq!(detail["variants"].as_array().map(Vec::len), Some(4));
    let told: Vec<&str> = detail["logs"]
        .as_array()
        .expect("log records")
        .iter()
        .filter_map(|log| log["body"].as_str())
        .collect();
    assert_eq!(told[..3], ["rules", "first question", "first answer"]);
    assert_eq!(told.len(), 6, "{told:?}");
    for (source, order) in orders {
        let seen = shown(&rig, source).await;
        assert!(
            seen == expected,
            "{order:?}: {seen:#?} is not {expected:#?}"
        );
    }
}

#[tokio::test]
async fn messages_of_one_time_keep_the_order_of_their_program() {
    let turns = ["user", "assistant", "user", "assistant", "user"];
    let conversation: Vec<LogRecord> = turns
        .iter()
        .enumerate()
        .map(|(at, role)| message(role, &format!("{at}")))
        .collect();
    let parts = [
        of(vec![span(1, 2, 0, "chat")]),
        (Signal::Logs, logs(conversation)),
        (Signal::Logs, logs(vec![message("system", "rules")])),
    ];
    let (_, seen) = same_in_every_order(&parts).await;
    let told: Vec<&Value> = seen[0].3[0]["logs"]
        .as_array()
        .expect("log records")
        .iter()
        .map(|log| &log["body"])
        .collect();
    assert_eq!(told, ["rules", "0", "1", "2", "3", "4"]);
}

/// Lists, waterfalls and filters agree on what still runs.
#[tokio::test]
async fn a_trace_runs_until_all_its_roots_have_ended() {
    let open = Span {
        end_time_unix_nano: 0,
        ..span(1, 2, 0, "second root")
    };
    let parts = [
        of(vec![span(1, 1, 0, "first root")]),
        of(vec![open]),
        of(vec![span(1, 3, 1, "child")]),
    ];
    let (rig, seen) = same_in_every_order(&parts).await;
    let (row, waterfall, ..) = &seen[0];
    assert_eq!(row["state"], "running");
    assert_eq!(waterfall["summary"], *row);
    let running = |status: &str| json!({"source": 1, "statuses": [status]});
    assert_eq!(rig.list(running("running")).await.len(), 1);
    assert_eq!(rig.list(running("ok")).await.len(), 0);
    let totals = rig.call("summarise_traces", json!({"source": 1})).await;
    let counted = totals["statuses"].as_array().expect("statuses");
    assert!(
        counted.contains(&json!({"value": "running", "count": 1})),
        "{totals}"
    );
    assert_eq!(
        totals["p95Nanos"],
        Value::Null,
        "nothing has ended: {totals}"
    );
    // Its end closes the trace.
    let ended = traces(vec![span(1, 2, 0, "second root")]);
    rig.commit(1, Signal::Traces, &ended).await.expect("taken");
    rig.settle().await;
    let row = &rig.list(json!({"source": 1})).await[0];
    assert_eq!(row["state"], "complete");
    assert_eq!(rig.list(running("ok")).await.len(), 1);
}
