//! Every command through the door, on a store that holds what real programs sent.

use clew_core::otlp::{self, Encoding, Limits, Signal};
use clew_engine::{ErrorCode, api};
use clew_tests::{Rig, otlp as by_hand, recorded};
use serde_json::{Value, json};

/// An engine that holds everything recorded, and listens.
async fn loaded() -> Rig {
    let rig = Rig::start().await;
    rig.listen().await;
    for program in recorded::programs() {
        for (signal, request) in recorded::requests(&program) {
            rig.take(signal, &request).await;
        }
    }
    rig.settle().await;
    rig
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

/// A model call of the store: trace id and span id.
async fn some_call(rig: &Rig) -> (String, String) {
    let page = rig.list(json!({"operations": ["llm"], "limit": 1})).await;
    let trace = text(&page[0], "traceId").to_owned();
    let connection = rig.read();
    let span: i64 = connection
        .query_row(
            "SELECT s.span_id FROM spans s JOIN traces t ON t.id = s.trace JOIN facts f ON f.span = s.id
             WHERE t.trace_id = unhex(?) ORDER BY f.counted DESC",
            [&trace],
            |row| row.get(0),
        )
        .expect("the trace has spans");
    (trace, format!("{span:016x}"))
}

#[tokio::test]
async fn every_command_answers_and_refuses_what_it_does_not_know() {
    let rig = loaded().await;
    let (trace, span) = some_call(&rig).await;
    let file = rig.folder().join("opened.jsonl");
    std::fs::copy(
        recorded::path("otlp/thirdparty/otlp2parquet/traces.jsonl"),
        &file,
    )
    .expect("copies");
    let token = rig.engine.offer_file(&file);
    let prompts = rig.call("list_prompts", json!({})).await;
    let prompt = prompts
        .as_array()
        .expect("templates")
        .iter()
        .find(|template| {
            template["versions"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        });
    let (name, version) = prompt.map_or(("none", "none"), |template| {
        (
            text(template, "name"),
            text(&template["versions"][0], "version"),
        )
    });
    let charts = rig.call("list_charts", json!({})).await;
    let chart = text(&charts[0], "id");
    // Those that delete come last.
    let sensible = [
        ("get_status", json!({})),
        ("list_traces", json!({"limit": 5})),
        ("summarise_traces", json!({"statuses": ["ok", "error"]})),
        ("get_waterfall", json!({"traceId": trace})),
        ("get_span", json!({"traceId": trace, "spanId": span})),
        ("get_references", json!({"traceId": trace, "spanId": span})),
        (
            "get_attribute",
            json!({"span": {"traceId": trace, "spanId": span}, "index": 0}),
        ),
        (
            "copy_trace",
            json!({"traceId": trace, "format": "markdown"}),
        ),
        ("get_ledger", json!({"traceId": trace})),
        ("get_facts", json!({"traceId": trace})),
        (
            "list_ledger",
            json!({"traces": {"operations": ["llm"]}, "counted": true, "limit": 5}),
        ),
        ("export_ledger", json!({"calls": {"from": 0}})),
        (
            "what_if",
            json!({"filter": {"calls": {"from": 0}}, "models": ["gpt-4o-mini", "no/such"]}),
        ),
        ("get_prices", json!({})),
        (
            "set_prices",
            json!({"profile": "book", "custom": [
                {"provider": null, "model": "gpt-x", "since": null, "input": "1", "output": "2",
                 "cacheRead": null, "cacheWrite": null, "reasoning": null}
            ], "book": {"kind": "vendored"}}),
        ),
        ("reprice_history", json!({})),
        ("undo_reprice", json!({})),
        ("get_overrides", json!({})),
        (
            "set_overrides",
            json!({"overrides": [{"key": "acme.who", "fact": "user"}]}),
        ),
        ("lint_telemetry", json!({})),
        ("list_prompts", json!({"from": 0})),
        (
            "diff_prompts",
            json!({"name": name, "old": version, "new": version}),
        ),
        ("list_findings", json!({"limit": 5})),
        ("list_charts", json!({})),
        (
            "draw_chart",
            json!({"id": chart, "width": 640, "height": 240, "utcOffsetMinutes": 60}),
        ),
        ("get_settings", json!({})),
        (
            "set_settings",
            json!({"retention": {"maxBytes": 1_000_000_000, "maxDays": 30}}),
        ),
        ("get_storage", json!({})),
        ("get_connections", json!({})),
        ("send_test_trace", json!({})),
        ("open_sample", json!({})),
        ("open_files", json!({"tokens": [token]})),
        ("list_sources", json!({})),
        ("close_source", json!({"id": 1})),
        (
            "preview_retention",
            json!({"maxBytes": 1_000_000_000, "maxDays": 30}),
        ),
        ("apply_retention", json!({})),
        ("delete_traces", json!({"traces": [{"traceId": trace}]})),
    ];
    let mut called: Vec<&str> = Vec::new();
    for (command, params) in &sensible {
        let mut unknown = params.clone();
        unknown["noSuchParameter"] = json!(1);
        // Settings are read back from databases of other versions, so they pass over what they do not know.
        if *command != "set_settings" {
            let error = rig.ask(command, &unknown).await.expect_err(command);
            assert_eq!(error.code, ErrorCode::BadRequest, "{command}: {error}");
            assert!(error.message.contains("noSuchParameter"), "{error}");
        }
        let error = rig.ask(command, &json!("text")).await.expect_err(command);
        assert_eq!(error.code, ErrorCode::BadRequest, "{command}: {error}");
        if name == "none" && *command == "diff_prompts" {
            let error = rig.ask(command, params).await.expect_err(command);
            assert_eq!(error.code, ErrorCode::NotFound, "{error}");
        } else if let Err(error) = rig.ask(command, params).await {
            panic!("{command} {params}: {error:?}");
        }
        called.push(command);
    }
    let (mut called, mut all) = (called, api::COMMANDS.to_vec());
    called.sort_unstable();
    all.sort_unstable();
    assert_eq!(called, all);
    for unknown in ["", "get_statu", "GET_STATUS", "get_status ", "__proto__"] {
        let error = rig.ask(unknown, &json!({})).await.expect_err(unknown);
        assert_eq!(error.code, ErrorCode::UnknownCommand, "{unknown}");
    }
}

#[tokio::test]
async fn pages_hold_every_trace_once_and_in_order() {
    let rig = loaded().await;
    // Some without figures, some with equal ones, one that has not ended.
    for id in 1..=12_u128 {
        let mut span = match id % 3 {
            0 => by_hand::call(id, 1, 0, "in", "out"),
            _ => by_hand::span(id, 1, 0, "step"),
        };
        span.end_time_unix_nano *= u64::from(id != 5);
        rig.take(Signal::Traces, &by_hand::traces(vec![span])).await;
    }
    rig.settle().await;
    let all = rig.list(json!({"limit": 500})).await;
    assert!(all.len() > 40, "{} traces", all.len());
    let mut ids: Vec<&str> = all.iter().map(|row| text(row, "traceId")).collect();
    ids.sort_unstable();
    for sort in ["start", "duration", "tokens", "cost", "spans"] {
        let key = |row: &Value| match sort {
            "start" => row["startMicros"].as_f64(),
            "duration" => row["durationNanos"].as_f64(),
            "tokens" => {
                let part = |key: &str| row[key].as_f64();
                match (part("inputTokens"), part("outputTokens")) {
                    (None, None) => None,
                    (input, output) => Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)),
                }
            }
            "cost" => row["costUsd"].as_f64(),
            _ => row["spanCount"].as_f64(),
        };
        let mut down = Vec::new();
        for ascending in [false, true] {
            let mut rows: Vec<Value> = Vec::new();
            let mut cursor = Value::Null;
            loop {
                let filter =
                    json!({"sort": sort, "ascending": ascending, "limit": 7, "cursor": cursor});
                let page = rig.call("list_traces", filter).await;
                let more = page["rows"].as_array().expect("rows");
                assert!(more.len() == 7 || page["next"].is_null(), "a short page");
                rows.extend(more.iter().cloned());
                cursor = page["next"].clone();
                if cursor.is_null() {
                    break;
                }
            }
            let order: Vec<String> = rows
                .iter()
                .map(|row| text(row, "traceId").to_owned())
                .collect();
            let mut seen: Vec<&str> = order.iter().map(String::as_str).collect();
            seen.sort_unstable();
            assert_eq!(seen, ids, "{sort}, ascending {ascending}");
            // What states no figure comes below zero.
            let keys: Vec<f64> = rows.iter().map(|row| key(row).unwrap_or(-1.0)).collect();
            let sorted = |pair: &[f64]| {
                if ascending {
                    pair[0] <= pair[1]
                } else {
                    pair[0] >= pair[1]
                }
            };
            assert!(
                keys.windows(2).all(sorted),
                "{sort}, ascending {ascending}: {keys:?}"
            );
            if ascending {
                down.reverse();
                assert_eq!(down, order, "{sort}: the other way round");
            } else {
                down = order;
            }
        }
    }
    for cursor in ["", "x", "1", "1:", ":1", "1:2:3", "9223372036854775808:1"] {
        let error = rig.ask("list_traces", &json!({"cursor": cursor})).await;
        let error = error.expect_err(cursor);
        assert_eq!(error.code, ErrorCode::BadRequest, "{cursor:?}");
    }
    let error = rig.ask("list_traces", &json!({"limit": 501})).await;
    assert_eq!(error.expect_err("501").code, ErrorCode::BadRequest);
}

#[tokio::test]
async fn any_text_can_be_searched_for() {
    let rig = Rig::start().await;
    let naughty: Vec<String> = serde_json::from_slice(
        &std::fs::read(recorded::path("hostile/blns/blns.json")).expect("is there"),
    )
    .expect("a list of texts");
    let spans = |(at, text): (usize, &String)| {
        by_hand::call(1, at as u64 + 1, u64::from(at > 0), text, text)
    };
    let spans = naughty.iter().enumerate().map(spans).collect();
    rig.take(Signal::Traces, &by_hand::traces(spans)).await;
    rig.settle().await;
    let mut found = 0;
    for text in &naughty {
        let rows = rig.list(json!({"text": text})).await;
        // A word alone is found as it was sent; punctuation alone finds nothing, and an empty text filters nothing.
        let word = !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric());
        if word || text.trim().is_empty() {
            assert_eq!(rows.len(), 1, "{text:?}");
        }
        found += rows.len();
        rig.call("summarise_traces", json!({"text": text})).await;
        let quoted = format!("\"{text}\"");
        rig.list(json!({"text": quoted})).await;
        for params in [
            json!({"services": [text], "models": [text], "session": text}),
            json!({"cursor": text}),
        ] {
            if let Err(error) = rig.ask("list_traces", &params).await {
                assert_eq!(error.code, ErrorCode::BadRequest, "{text:?}: {error}");
            }
        }
        for (command, params) in [
            ("get_waterfall", json!({"traceId": text})),
            (
                "get_span",
                json!({"traceId": by_hand::hex(1), "spanId": text}),
            ),
            (
                "get_references",
                json!({"traceId": by_hand::hex(1), "spanId": text}),
            ),
            ("list_findings", json!({"heuristic": text})),
            ("list_findings", json!({"cursor": text})),
            (
                "diff_prompts",
                json!({"name": text, "old": text, "new": text}),
            ),
            (
                "draw_chart",
                json!({"id": text, "width": 640, "height": 240, "utcOffsetMinutes": 0}),
            ),
            ("open_files", json!({"tokens": [text]})),
        ] {
            if let Err(error) = rig.ask(command, &params).await {
                let kind = matches!(error.code, ErrorCode::BadRequest | ErrorCode::NotFound);
                assert!(kind, "{command} {text:?}: {error:?}");
            }
        }
    }
    assert!(found > naughty.len() / 2, "{found} found");
}

#[tokio::test]
async fn a_copied_trace_is_the_same_trace_again() {
    let rig = loaded().await;
    for row in rig.list(json!({"limit": 500})).await {
        let trace = text(&row, "traceId");
        let copied = rig
            .call(
                "copy_trace",
                json!({"traceId": trace, "format": "otlpJson"}),
            )
            .await;
        let json = text(&copied, "text").as_bytes();
        let (batch, problems) =
            otlp::decode(Signal::Traces, Encoding::Json, json, &Limits::default())
                .expect("a copied trace is OTLP JSON");
        assert_eq!(problems, [], "{trace}");
        // The hash covers content, resource and scope.
        let mut hashes: Vec<i64> = batch
            .spans
            .iter()
            .flat_map(|group| &group.items)
            .map(|item| item.hash.cast_signed())
            .collect();
        hashes.sort_unstable();
        let connection = rig.read();
        let mut stored = connection
            .prepare(
                "SELECT s.hash FROM spans s JOIN traces t ON t.id = s.trace
                 WHERE t.trace_id = unhex(?) AND s.shown = 1 ORDER BY s.hash",
            )
            .expect("prepares");
        let stored: Vec<i64> = stored
            .query_map([trace], |row| row.get(0))
            .expect("rows")
            .collect::<Result<_, _>>()
            .expect("numbers");
        assert_eq!(hashes, stored, "{trace}");
        for budget in [200, 1_000, 8_000] {
            let params = json!({"traceId": trace, "format": "markdown", "maxTokens": budget});
            let copied = rig.call("copy_trace", params).await;
            let characters = text(&copied, "text").chars().count();
            assert!(
                characters > 0 && characters <= budget * 4,
                "{trace}: {characters} characters for {budget} tokens"
            );
        }
    }
}

#[tokio::test]
async fn one_span_and_what_lies_below_it_can_be_copied() {
    let rig = Rig::start().await;
    let spans = vec![
        by_hand::span(1, 1, 0, "root"),
        by_hand::span(1, 2, 1, "left"),
        by_hand::span(1, 3, 2, "below left"),
        by_hand::span(1, 4, 1, "right"),
    ];
    rig.take(Signal::Traces, &by_hand::traces(spans)).await;
    for (subtree, expected) in [(false, vec!["left"]), (true, vec!["left", "below left"])] {
        let params = json!({
            "traceId": by_hand::hex(1), "spanId": "0000000000000002", "subtree": subtree, "format": "otlpJson"
        });
        let copied = rig.call("copy_trace", params).await;
        let json = text(&copied, "text").as_bytes();
        let (batch, _) = otlp::decode(Signal::Traces, Encoding::Json, json, &Limits::default())
            .expect("OTLP JSON");
        let names: Vec<String> = batch
            .spans
            .iter()
            .flat_map(|group| &group.items)
            .map(|item| item.span.name.clone())
            .collect();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn each_content_of_a_span_can_be_seen() {
    let rig = Rig::start().await;
    let shown = by_hand::call(1, 1, 0, "long question", "long answer");
    let mut other = by_hand::span(1, 1, 0, "another name");
    other.attributes = vec![by_hand::text("input.value", "short question")];
    for span in [shown, other] {
        rig.take(Signal::Traces, &by_hand::traces(vec![span])).await;
    }
    rig.settle().await;
    let of = |variant: Value| {
        let params =
            json!({"traceId": by_hand::hex(1), "spanId": "0000000000000001", "variant": variant});
        rig.call("get_span", params)
    };
    let detail = of(Value::Null).await;
    assert_eq!(detail["name"], "chat gpt-x");
    let variants = detail["variants"].as_array().expect("variants").clone();
    assert_eq!(variants.len(), 2);
    let names = [&variants[0], &variants[1]].map(|variant| variant["hash"].clone());
    for (hash, shown, name) in [
        (&names[0], true, "chat gpt-x"),
        (&names[1], false, "another name"),
    ] {
        let detail = of(hash.clone()).await;
        assert_eq!(detail["name"], name);
        let variant = detail["variants"].as_array().expect("variants");
        let variant = variant.iter().find(|variant| &variant["hash"] == hash);
        assert_eq!(variant.expect("its own")["shown"], shown);
        let at = json!({
            "span": {"traceId": by_hand::hex(1), "spanId": "0000000000000001", "variant": hash},
            "index": if shown { 4 } else { 0 }
        });
        let value = rig.call("get_attribute", at).await;
        let expected = if shown {
            "long question"
        } else {
            "short question"
        };
        assert_eq!(value["text"], expected);
        // What is copied is what is read.
        for format in ["otlpJson", "markdown"] {
            let params = json!({
                "traceId": by_hand::hex(1), "spanId": "0000000000000001", "variant": hash, "format": format
            });
            let copied = rig.call("copy_trace", params).await;
            let copied = text(&copied, "text");
            for (each, of) in [("long question", true), ("another name", false)] {
                assert_eq!(copied.contains(each), of == shown, "{each} in {copied}");
            }
        }
    }
    let params = json!({
        "traceId": by_hand::hex(1), "spanId": "0000000000000001", "variant": "00000000000000ff"
    });
    let error = rig.ask("get_span", &params).await.expect_err("no such");
    assert_eq!(error.code, ErrorCode::NotFound);
    for (span, code) in [
        (json!("0000000000000001"), ErrorCode::NotFound),
        (Value::Null, ErrorCode::BadRequest),
    ] {
        let params = json!({
            "traceId": by_hand::hex(1), "spanId": span, "variant": "00000000000000ff", "format": "otlpJson"
        });
        let error = rig.ask("copy_trace", &params).await.expect_err("no such");
        assert_eq!(error.code, code);
    }
}
