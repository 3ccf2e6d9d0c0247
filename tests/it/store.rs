//! The database as its owner finds it: private, locked, refused where foreign, kept over a crash, purged for good.

mod crash;
mod damage;
mod derivation;
mod disk;
mod files;
mod purge;
mod retention;
mod upgrade;

use std::time::{Duration, Instant};

use clew_core::otlp::Signal;
use clew_tests::otlp::{START, hex, span, traces};
use clew_tests::{Answer, Rig, wait_until};
use serde_json::json;

use crate::receive::client;

/// How long another program holds the database at least (C8).
const LOCKED: Duration = Duration::from_secs(30);

/// Reliability B15.
#[tokio::test]
async fn times_are_kept_as_they_came() {
    let rig = Rig::start().await;
    let times = [
        (u64::MAX, u64::MAX),
        (0, u64::MAX),
        (u64::MAX, 0),
        (0, 0),
        (1, 2),
        (START + 5, START),
        (i64::MAX as u64, i64::MAX as u64 + 1),
        (i64::MAX as u64 + 1, i64::MAX as u64),
        (START, START + 1),
    ];
    // Each in a trace of its own, and all in one.
    let one = |(at, &(start, end)): (usize, &(u64, u64)), trace: u128| {
        let mut span = span(trace, at as u64 + 1, 0, "odd times");
        (span.start_time_unix_nano, span.end_time_unix_nano) = (start, end);
        span
    };
    for (at, time) in times.iter().enumerate() {
        let spans = vec![one((at, time), at as u128 + 1), one((at, time), 99)];
        rig.take(Signal::Traces, &traces(spans)).await;
    }
    rig.settle().await;
    assert_eq!(
        rig.rows("facts"),
        rig.rows("spans"),
        "none is left underived"
    );
    for (at, (start, end)) in times.iter().enumerate() {
        for trace in [at as u128 + 1, 99] {
            let params = json!({"traceId": hex(trace), "spanId": format!("{:016x}", at + 1)});
            let detail = rig.call("get_span", params).await;
            assert_eq!(detail["startNanos"], start.to_string());
            assert_eq!(detail["endNanos"], end.to_string());
            let whole = json!({"traceId": hex(trace)});
            rig.call_packed("get_waterfall", whole).await;
            for format in ["markdown", "otlpJson"] {
                let copy = json!({"traceId": hex(trace), "format": format});
                let text = rig.call("copy_trace", copy).await["text"].clone();
                assert!(!text.as_str().expect("text").is_empty());
            }
        }
    }
    for sort in ["start", "duration"] {
        let rows = rig.list(json!({"sort": sort})).await;
        assert_eq!(rows.len(), times.len() + 1);
    }
    let totals = rig.call("summarise_traces", json!({})).await;
    assert_eq!(totals["traces"], 10);
    for chart in rig
        .call("list_charts", json!({}))
        .await
        .as_array()
        .expect("charts")
    {
        let draw = json!({"id": chart["id"], "width": 640, "height": 240, "utcOffsetMinutes": 0});
        rig.call("draw_chart", draw).await;
    }
    // Age is counted from arrival: nothing is purged because it claims to be of 1970 (B17).
    rig.call("set_settings", json!({"retention": {"maxDays": 1}}))
        .await;
    assert_eq!(rig.call("apply_retention", json!({})).await["traces"], 0);
}

/// Where a span has two contents, its trace's times are computed anew in SQL, which knows no unsigned numbers (B15).
#[tokio::test]
async fn times_beyond_the_signed_range_are_counted_to_the_microsecond() {
    let rig = Rig::start().await;
    let mut times = vec![
        u64::MAX,
        u64::MAX - 615,
        u64::MAX - 616,
        1 << 63,
        (1 << 63) - 1,
    ];
    times.extend((0..1_000).map(|step| (1 << 63) + step));
    times.extend((0..1_000).map(|step| u64::MAX - step));
    for (trace, &time) in (1_u128..).zip(&times) {
        let mut one = span(trace, 1, 0, "one content");
        (one.start_time_unix_nano, one.end_time_unix_nano) = (time, time);
        let mut other = one.clone();
        other.name = "another content".to_owned();
        let request = traces(vec![one, other]);
        rig.take(Signal::Traces, &request).await;
    }
    let connection = rig.read();
    for (trace, &time) in (1_u128..).zip(&times) {
        let counted: (i64, i64, i64) = connection
            .query_row(
                "SELECT start, finish, spans FROM traces WHERE trace_id = ?",
                [trace.to_be_bytes()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .expect("a trace");
        let micros = i64::try_from(time / 1_000).expect("it fits");
        assert_eq!(counted, (micros, micros, 1), "{time}");
    }
}

#[tokio::test]
async fn a_setting_that_is_none_is_named() {
    let rig = Rig::start().await;
    let before = rig.call("get_settings", json!({})).await;
    for (params, named) in [
        (json!({"retentoin": {}}), "\"retentoin\""),
        (
            json!({"retention": {"maxDay": 3}}),
            "\"retention.maxDay\": it may be one of maxBytes, maxDays",
        ),
        (json!({"appearance": {"theme": "purple"}}), "purple"),
        (json!({"retention": {"maxBytes": 1}}), "64 MiB"),
    ] {
        let error = rig.ask("set_settings", &params).await;
        let error = error.expect_err("it is refused");
        assert_eq!(error.code, clew_engine::ErrorCode::BadRequest, "{error}");
        assert!(error.message.contains(named), "{error}");
        assert_eq!(rig.call("get_settings", json!({})).await, before);
    }
    // What another version has stored there does not keep the database from opening.
    let rig = rig
        .reopen(|connection| {
            let json = r#"{"retention": {"maxDays": 3}, "from": "another version"}"#;
            let stored = "INSERT OR REPLACE INTO settings (id, json) VALUES (1, ?)";
            connection.execute(stored, [json]).expect("stored");
        })
        .await;
    let settings = rig.call("get_settings", json!({})).await;
    assert_eq!(settings["retention"]["maxDays"], 3);
}

/// Reliability C8.
#[tokio::test]
async fn while_another_program_locks_the_database_senders_are_told_to_wait() {
    let rig = Rig::start().await;
    let [grpc, http] = rig.listen().await;
    let request = |id: u128| traces(vec![span(id, 1, 0, "step")]);
    let mut acknowledged = Vec::new();
    let mut send = async |address, id: u128| {
        let answer = Answer::to(address, Signal::Traces, &request(id)).await;
        if answer.status == 200 {
            acknowledged.push(id);
        }
        answer
    };
    assert_eq!(send(http, 1).await.status, 200);
    // Derivation that is still to be stored would take a part of the time for which the lock is held.
    rig.settle().await;
    let lock = rusqlite::Connection::open(rig.database()).expect("the database opens");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("it locks");
    let locked = Instant::now();
    let refused = send(http, 2).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(
        refused.text.to_lowercase().contains("retry-after"),
        "{}",
        refused.text
    );
    let call = client::call(&request(4));
    let call = call.send(grpc, client::method("traces")).await;
    assert_eq!(call.grpc_status(), Some(14), "UNAVAILABLE");
    assert!(call.has_details(), "RetryInfo");
    // Reading goes on.
    assert_eq!(rig.list(json!({})).await.len(), 1);
    let status = rig.call("get_status", json!({})).await;
    assert!(status["problem"].is_string(), "{status}");
    tokio::time::sleep(LOCKED.saturating_sub(locked.elapsed())).await;
    lock.execute_batch("COMMIT").expect("it unlocks");
    wait_until("telemetry is taken again", async || {
        (send(grpc, 3).await.status == 200).then_some(())
    })
    .await;
    rig.settle().await;
    let rows = rig.list(json!({"sort": "start"})).await;
    for id in acknowledged {
        assert!(rows.iter().any(|row| row["traceId"] == hex(id)), "{id}");
    }
    let status = rig.call("get_status", json!({})).await;
    assert!(status["problem"].is_null(), "{status}");
}
