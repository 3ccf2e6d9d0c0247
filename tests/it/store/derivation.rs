//! Facts and index follow the ground: after deletions, beside late logs, through a flood; small blocks are joined.

use std::collections::BTreeSet;

use clew_core::otlp::Signal;
use clew_tests::otlp::{call, hex, log, logs, span, traces};
use clew_tests::{Rig, wait_until};
use opentelemetry_proto::tonic::trace::v1::Span;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

/// A row that is deleted must not give its place in the order of arrival to another.
#[tokio::test]
async fn what_comes_after_the_newest_trace_was_deleted_is_derived() {
    let rig = Rig::start().await;
    for id in 1..=2_u128 {
        let spans = (1..=5).map(|n| call(id, n, 0, "first", "answer")).collect();
        rig.take(Signal::Traces, &traces(spans)).await;
        rig.settle().await;
    }
    let newest = json!({"traces": [{"traceId": hex(2)}]});
    assert_eq!(rig.call("delete_traces", newest).await["traces"], 1);
    let request = traces(vec![call(3, 1, 0, "a needle", "found")]);
    rig.take(Signal::Traces, &request).await;
    rig.settle().await;
    let found = rig.list(json!({"text": "needle"})).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["inputTokens"], 100);
    let all = json!({"traces": [{"traceId": hex(1)}, {"traceId": hex(3)}]});
    assert_eq!(rig.call("delete_traces", all).await["traces"], 2);
    rig.take(Signal::Traces, &request).await;
    rig.settle().await;
    assert_eq!(rig.list(json!({"text": "needle"})).await.len(), 1);
}

/// Texts go from the deriver to the index by hand where there is room, and by way of the ground where there is not.
#[tokio::test]
async fn a_flood_is_indexed_to_the_last_word() {
    let rig = Rig::start().await;
    // More than may wait for the index: 48 requests of 256 spans with 8 KB each.
    let padding = "lorem ipsum dolor sit amet ".repeat(300);
    let mut asked = Vec::new();
    for request in 0..48_u128 {
        let spans: Vec<Span> = (0..256)
            .map(|n| {
                let trace = request * 64 + n / 4;
                let word = format!("word{trace}x{n}");
                asked.push((trace, word.clone()));
                call(
                    trace + 1,
                    n as u64 + 1,
                    0,
                    &format!("{word} {padding}"),
                    "ok",
                )
            })
            .collect();
        let stored = rig.take(Signal::Traces, &traces(spans)).await;
        assert_eq!(stored.spans, 256);
        if request == 20 {
            // Deleted and told more of while they are on their way.
            let gone = json!({"traces": [{"traceId": hex(1)}, {"traceId": hex(request * 64 + 1)}]});
            assert_eq!(rig.call("delete_traces", gone).await["traces"], 2);
            let late = log(2, 5, "gen_ai.user.message", "latecomer");
            rig.take(Signal::Logs, &logs(vec![late])).await;
        }
    }
    rig.settle().await;
    assert_eq!(rig.rows("facts"), 48 * 256 - 8);
    assert_eq!(rig.rows("spans"), rig.rows("facts"));
    let mut sampled = rand::rngs::StdRng::seed_from_u64(7);
    for _ in 0..200 {
        let (trace, word) = &asked[sampled.random_range(0..asked.len())];
        let found = rig.list(json!({"text": word})).await;
        let gone = [0, 20 * 64].contains(trace);
        assert_eq!(found.len(), usize::from(!gone), "{word}");
    }
    for gone in ["word0x0", "word1280x0"] {
        assert_eq!(rig.list(json!({"text": gone})).await.len(), 0, "{gone}");
    }
}

/// Four kilobytes of words, as model calls have.
fn long_call(random: &mut rand::rngs::StdRng, trace: u128, id: u64) -> Span {
    let mut prose = |length: usize| {
        let mut text = String::new();
        while text.len() < length {
            text.push_str(&format!("word{} ", random.random_range(0..3_000)));
        }
        text
    };
    let (input, output) = (prose(3_400), prose(600));
    call(trace, id, id - 1, &input, &output)
}

/// Bytes of all blocks, and how many there are.
fn blocks(rig: &Rig) -> (i64, i64) {
    let sizes = "SELECT (SELECT sum(length(data)) FROM content_blocks)
                      + (SELECT sum(length(data)) FROM attribute_blocks), (SELECT count(*) FROM content_blocks)";
    let read = rig.read();
    read.query_row(sizes, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("sizes")
}

async fn copies(rig: &Rig, count: u128) -> Vec<String> {
    let mut copies = Vec::new();
    for trace in 1..=count {
        let copy = json!({"traceId": hex(trace), "format": "otlpJson"});
        let text = rig.call("copy_trace", copy).await["text"].clone();
        copies.push(text.as_str().expect("text").to_owned());
    }
    copies
}

#[tokio::test]
async fn what_trickles_in_ends_in_full_blocks() {
    let mut random = rand::rngs::StdRng::seed_from_u64(1);
    let calls: Vec<Span> = (0..1_000)
        .map(|n| long_call(&mut random, n / 50 + 1, (n % 50) as u64 + 1))
        .collect();
    let whole = Rig::start().await;
    whole.take(Signal::Traces, &traces(calls.clone())).await;
    whole.settle().await;
    let expected = copies(&whole, 20).await;
    let (least, _) = blocks(&whole);

    let rig = Rig::start().await;
    for (at, call) in calls.into_iter().enumerate() {
        rig.take(Signal::Traces, &traces(vec![call])).await;
        if at % 50 == 49 {
            let event = log(at as u128 / 50 + 1, 50, "note", "a line of its own");
            rig.take(Signal::Logs, &logs(vec![event])).await;
        }
    }
    let mut looks = 0;
    let mut seen = BTreeSet::new();
    wait_until("small blocks are joined", async || {
        // Whoever reads meanwhile sees every span.
        let trace = looks % 20 + 1;
        looks += 1;
        let copy = json!({"traceId": hex(trace), "format": "otlpJson"});
        let text = rig.call("copy_trace", copy).await["text"].clone();
        let spans = text.as_str().expect("text").matches("\"spanId\"").count();
        assert_eq!(spans, 50, "trace {trace}");
        let (_, count) = blocks(&rig);
        seen.insert(count);
        (count < 40).then_some(())
    })
    .await;
    assert!(seen.len() > 1, "nothing was read meanwhile: {seen:?}");
    rig.settle().await;
    let (bytes, count) = blocks(&rig);
    assert!(
        bytes * 10 < least * 13,
        "{bytes} bytes in {count} blocks, against {least}"
    );
    assert_eq!(copies(&rig, 20).await, expected);
    assert!(
        count - rig.rows("attribute_blocks") < 8,
        "logs are joined too"
    );
    // And still so after everything is read again, and after a part is deleted for good.
    let gone = json!({"traces": [{"traceId": hex(3)}]});
    assert_eq!(rig.call("delete_traces", gone).await["spans"], 50);
    let rig = rig
        .reopen(|connection| {
            connection
                .execute("UPDATE derivation SET version = 0", [])
                .expect("everything to be derived again");
        })
        .await;
    wait_until("derivation starts over", async || {
        let read = rig.read();
        let version = read.query_row("SELECT version FROM derivation", [], |row| row.get(0));
        (version != Ok(0_i64)).then_some(())
    })
    .await;
    rig.settle().await;
    assert_eq!(rig.rows("facts"), 950);
    let rows = rig.list(json!({"limit": 500})).await;
    assert!(rows.iter().all(|row| row["spanCount"] == 50), "{rows:?}");
    assert_eq!(rows.len(), 19);
}

/// More traces without their summary than a step may take.
#[tokio::test]
async fn summaries_that_are_missing_come_back() {
    let rig = Rig::start().await;
    for request in 0..25_u128 {
        let spans = (0..1_000_u64).map(|n| {
            let trace = request * 100 + u128::from(n / 10) + 1;
            call(trace, n % 10 + 1, n % 10, "a question", "an answer")
        });
        rig.take(Signal::Traces, &traces(spans.collect())).await;
    }
    rig.settle().await;
    let before = rig.call("summarise_traces", json!({})).await;
    assert_eq!(before["traces"], 2_500, "{before}");
    let rig = rig
        .reopen(|connection| {
            connection
                .execute_batch("DELETE FROM summaries; DELETE FROM trace_values;")
                .expect("nothing is summarised");
        })
        .await;
    rig.settle().await;
    assert_eq!(rig.rows("summaries"), 2_500);
    assert_eq!(rig.call("summarise_traces", json!({})).await, before);
}

/// A log record that comes while its span is being derived is not forgotten.
#[tokio::test]
async fn logs_that_race_with_their_spans_are_read() {
    let rig = Rig::start().await;
    for trace in 1..=40_u128 {
        let spans = (1..=8).map(|id| span(trace, id, id - 1, "chat")).collect();
        rig.take(Signal::Traces, &traces(spans)).await;
        for id in 1..=8 {
            let event = log(
                trace,
                id,
                "gen_ai.user.message",
                &format!("late{trace}x{id}"),
            );
            rig.take(Signal::Logs, &logs(vec![event])).await;
        }
    }
    rig.settle().await;
    for trace in 1..=40_u128 {
        for id in 1..=8 {
            let found = rig.list(json!({"text": format!("late{trace}x{id}")})).await;
            assert_eq!(found.len(), 1, "span {id} of trace {trace}");
        }
    }
}
