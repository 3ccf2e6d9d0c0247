//! Who is who: one id with two contents, and one id in two traces (reliability B13, B14).

use clew_core::otlp::Signal;
use clew_core::trace::flag::VARIANTS;
use clew_engine::api::Reply;
use clew_tests::Rig;
use clew_tests::otlp::{hex, span, traces};
use serde_json::{Value, json};

async fn detail(rig: &Rig, source: i64, trace: u128, id: u64, variant: Option<&str>) -> Value {
    let params = json!({
        "source": source, "traceId": hex(trace), "spanId": format!("{id:016x}"), "variant": variant
    });
    rig.call("get_span", params).await
}

/// A client's and a server's half under one id, as Zipkin shares them: both are kept and can be read, whether they come
/// over the wire or in a file (B13).
#[tokio::test]
async fn two_contents_under_one_id_are_both_kept_with_a_badge() {
    let rig = Rig::start().await;
    let (mut client, mut server) = (span(1, 2, 1, "client"), span(1, 2, 1, "server"));
    (client.kind, server.kind) = (3, 2);
    rig.take(
        Signal::Traces,
        &traces(vec![span(1, 1, 0, "root"), client, server]),
    )
    .await;
    let line = |name: &str, kind: u8| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"0000000000000002","name":"{name}","kind":{kind},"startTimeUnixNano":"5","endTimeUnixNano":"9"}}]}}]}}]}}"#,
            hex(1)
        )
    };
    let path = rig.folder().join("shared.jsonl");
    std::fs::write(
        &path,
        format!("{}\n{}", line("client", 3), line("server", 2)),
    )
    .expect("writes");
    let token = rig.engine.offer_file(&path);
    let opened = rig.call("open_files", json!({"tokens": [token]})).await;
    let source = opened[0]["source"].as_i64().expect("a source");
    rig.settle().await;
    for (source, spans) in [(0, 2), (source, 1)] {
        let whole = json!({"source": source, "traceId": hex(1)});
        let (waterfall, _) = rig.call_packed("get_waterfall", whole).await;
        assert_eq!(
            waterfall["summary"]["spanCount"], spans,
            "each id counts once"
        );
        let shown = detail(&rig, source, 1, 2, None).await;
        let variants = shown["variants"].as_array().expect("variants").clone();
        assert_eq!(variants.len(), 2, "{shown}");
        let mut names = Vec::new();
        for variant in &variants {
            let hash = variant["hash"].as_str().expect("a hash");
            let each = detail(&rig, source, 1, 2, Some(hash)).await;
            names.push(each["name"].as_str().expect("a name").to_owned());
        }
        names.sort();
        assert_eq!(names, ["client", "server"]);
        let badges = flags(&rig, source, 1).await;
        let badges = badges.iter().filter(|flags| *flags & VARIANTS != 0);
        assert_eq!(badges.count(), 1, "the row of both has a badge");
    }
}

/// The flags of a waterfall's rows.
async fn flags(rig: &Rig, source: i64, trace: u128) -> Vec<u16> {
    let params = json!({"source": source, "traceId": hex(trace)});
    let Ok(Reply::Packed(bytes)) = rig.ask("get_waterfall", &params).await else {
        panic!("a waterfall is columns");
    };
    let (length, rest) = bytes.split_first_chunk::<4>().expect("a length");
    let length = u32::from_le_bytes(*length) as usize;
    let header: Value = serde_json::from_slice(&rest[..length]).expect("JSON");
    let column = header["columns"]
        .as_array()
        .and_then(|columns| columns.iter().find(|column| column["name"] == "flags"))
        .expect("it has flags");
    let number = |name: &str| column[name].as_u64().expect("a number") as usize;
    let body = (4 + length).next_multiple_of(8) + number("offset");
    let (flags, _) = bytes[body..body + 2 * number("length")].as_chunks::<2>();
    flags.iter().map(|bits| u16::from_le_bytes(*bits)).collect()
}

/// Ids are a trace's own: what another trace calls by the same is neither parent nor child of it (B14).
#[tokio::test]
async fn the_same_span_id_in_another_trace_is_another_span() {
    let rig = Rig::start().await;
    let spans = vec![
        span(1, 1, 0, "root of the first"),
        span(1, 2, 1, "child in the first"),
        // Its parent's id is in the first trace only.
        span(2, 3, 1, "stray in the second"),
        span(2, 2, 3, "child in the second"),
    ];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    for (trace, name) in [(1, "child in the first"), (2, "child in the second")] {
        let child = detail(&rig, 0, trace, 2, None).await;
        assert_eq!(child["name"], name);
        assert_eq!(child["variants"].as_array().map(Vec::len), Some(1));
        let whole = json!({"traceId": hex(trace)});
        let (waterfall, _) = rig.call_packed("get_waterfall", whole).await;
        assert_eq!(waterfall["summary"]["spanCount"], 2);
    }
    let whole = json!({"traceId": hex(1), "format": "otlpJson"});
    let copied = rig.call("copy_trace", whole).await.to_string();
    assert!(!copied.contains("second"), "{copied}");
}

/// A trace id that is used again days later is one trace, with every span of both days once (B14).
#[tokio::test]
async fn a_trace_id_used_again_after_days_keeps_both_days() {
    const DAYS: u64 = 3 * 24 * 3_600 * 1_000_000_000;
    let rig = Rig::start().await;
    let first = vec![span(1, 1, 0, "monday"), span(1, 2, 1, "step")];
    let mut second = vec![span(1, 11, 0, "thursday"), span(1, 12, 11, "step")];
    for span in &mut second {
        span.start_time_unix_nano += DAYS;
        span.end_time_unix_nano += DAYS;
    }
    rig.take(Signal::Traces, &traces(first)).await;
    rig.take(Signal::Traces, &traces(second)).await;
    rig.settle().await;
    let rows = rig.list(json!({})).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["spanCount"], &rows[0]["name"]),
        (&json!(4), &json!("monday"))
    );
    for (id, parent) in [(2, "0000000000000001"), (12, "000000000000000b")] {
        let shown = detail(&rig, 0, 1, id, None).await;
        assert_eq!(shown["parentSpanId"], parent);
        assert_eq!(shown["problems"], json!([]), "{shown}");
    }
}
