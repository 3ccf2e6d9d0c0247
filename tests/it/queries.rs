//! Filters, facets, totals and findings agree with one another and with what was sent.

use std::collections::BTreeSet;

use clew_core::otlp::Signal;
use clew_engine::Topic;
use clew_tests::otlp::{
    START, attribute, call, hex, log, logs, number, span, text, traces, traces_of,
};
use clew_tests::{Rig, recorded};
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::{Value, json};

async fn loaded() -> Rig {
    let rig = Rig::start().await;
    for program in recorded::programs() {
        for (signal, request) in recorded::requests(&program) {
            rig.take(signal, &request).await;
        }
    }
    let failed = Span {
        status: Some(Status {
            code: 2,
            message: "timeout".to_owned(),
        }),
        ..span(1, 1, 0, "fails")
    };
    let pending = Span {
        end_time_unix_nano: 0,
        ..span(2, 1, 0, "runs")
    };
    rig.take(Signal::Traces, &traces(vec![failed])).await;
    rig.take(Signal::Traces, &traces(vec![pending])).await;
    rig.settle().await;
    rig
}

/// What its details say of a span's link to its parent: `has not arrived`, `was cut`, or nothing.
async fn link(rig: &Rig, trace: u128, span: u64) -> &'static str {
    let params = json!({"traceId": hex(trace), "spanId": format!("{span:016x}")});
    let detail = rig.call("get_span", params).await.to_string();
    let said = ["has not arrived", "was cut"];
    said.into_iter()
        .find(|words| detail.contains(words))
        .unwrap_or("")
}

#[tokio::test]
async fn a_span_says_where_it_stands_and_what_its_conversation_repeats() {
    let rig = Rig::start().await;
    let later = |id: u64, parent: u64, nanos: u64| {
        let mut span = span(1, id, parent, "step");
        span.start_time_unix_nano = START + nanos;
        span
    };
    let spans = vec![
        later(1, 0, 0),
        later(2, 1, 10),
        later(3, 99, 20),
        // A cycle of three, its earliest the second, and one that hangs on it.
        later(4, 6, 40),
        later(5, 4, 30),
        later(6, 5, 50),
        later(7, 6, 60),
        later(8, 8, 70),
    ];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    let mut links = Vec::new();
    for span in 1..=8 {
        links.push(link(&rig, 1, span).await);
    }
    let (none, gone, cut) = ("", "has not arrived", "was cut");
    assert_eq!(links, [none, none, gone, none, cut, none, none, cut]);

    // Three calls within one microsecond, sent in another order: the latest before each is what counts.
    let asks = |id: u64, start: u64, question: u64| {
        let mut span = call(2, id, 0, "", "");
        let messages = json!([{"role": "user", "parts": [{"type": "text", "content": format!("question {question}")}]}]);
        span.attributes
            .push(text("gen_ai.input.messages", &messages.to_string()));
        span.start_time_unix_nano = start;
        span
    };
    let calls = vec![
        asks(13, START + 30, 13),
        asks(11, START + 10, 11),
        asks(12, START + 20, 12),
        asks(14, u64::MAX - 5, 13),
        asks(15, u64::MAX - 4, 11),
    ];
    rig.take(Signal::Traces, &traces(calls)).await;
    rig.settle().await;
    let mut reused = Vec::new();
    for id in 11..=15 {
        let params = json!({"traceId": hex(2), "spanId": format!("{id:016x}")});
        reused.push(rig.call("get_span", params).await["reused"].clone());
    }
    assert_eq!(
        reused,
        [0, 0, 0, 1, 0],
        "of the call before, and of no other"
    );
}

#[tokio::test]
async fn traces_are_found_by_what_their_resource_holds_and_by_when_they_came() {
    let rig = Rig::start().await;
    for (trace, service) in [(1, "run-a1b2"), (2, "run-c3d4")] {
        let request = traces_of(service, vec![span(trace, 1, 0, "step")]);
        rig.take(Signal::Traces, &request).await;
    }
    rig.settle().await;
    let found = ids(&rig, json!({"resource": "a1b2"})).await;
    assert_eq!(found, BTreeSet::from([hex(1)]));
    assert!(ids(&rig, json!({"resource": "e5f6"})).await.is_empty());
    let received = rig.list(json!({"resource": "c3d4"})).await[0]["receivedMicros"].clone();
    let received = received.as_u64().expect("a number");
    let found = ids(&rig, json!({"receivedFrom": received})).await;
    assert!(found.contains(&hex(2)), "{found:?}");
    let none = ids(&rig, json!({"receivedFrom": received + 1})).await;
    assert!(!none.contains(&hex(2)), "{none:?}");
    let totals = rig
        .call("summarise_traces", json!({"resource": "a1b2"}))
        .await;
    assert_eq!(totals["traces"], 1);
}

/// Reliability B16.
#[tokio::test]
async fn a_child_hours_before_its_parent_is_shown_as_it_came() {
    const HOURS: u64 = 2 * 3_600_000_000_000;
    let rig = Rig::start().await;
    let mut early = span(1, 2, 1, "on another machine");
    early.start_time_unix_nano -= HOURS;
    early.end_time_unix_nano -= HOURS;
    let spans = vec![span(1, 1, 0, "root"), early.clone()];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    let (waterfall, _) = rig
        .call_packed("get_waterfall", json!({"traceId": hex(1)}))
        .await;
    let origin = early.start_time_unix_nano.to_string();
    assert_eq!(waterfall["originNanos"], json!(origin), "{waterfall}");
    let params = json!({"traceId": hex(1), "spanId": "0000000000000002"});
    let detail = rig.call("get_span", params).await;
    assert_eq!(detail["startNanos"], json!(origin), "{detail}");
    assert_eq!(detail["parentSpanId"], "0000000000000001", "{detail}");
}

async fn ids(rig: &Rig, mut filter: Value) -> BTreeSet<String> {
    filter["limit"] = json!(500);
    let rows = rig.list(filter).await;
    let id = |row: &Value| row["traceId"].as_str().expect("an id").to_owned();
    rows.iter().map(id).collect()
}

/// Tokens of a listed trace that count in another one.
fn elsewhere(rig: &Rig, row: &Value) -> i64 {
    let again = rig.read().query_row(
        "SELECT m.tokens_elsewhere FROM summaries m JOIN traces t ON t.id = m.trace WHERE t.trace_id = unhex(?)",
        [row["traceId"].as_str()],
        |row| row.get(0),
    );
    again.expect("a summary")
}

#[tokio::test]
async fn every_facet_counts_what_its_filter_lists() {
    let rig = loaded().await;
    for base in [
        json!({}),
        json!({"operations": ["llm"]}),
        json!({"text": "order"}),
        json!({"statuses": ["error"]}),
    ] {
        let totals = rig.call("summarise_traces", base.clone()).await;
        let rows = rig
            .list(json!({"limit": 500, "sort": "spans"}).merged(&base))
            .await;
        assert_eq!(totals["traces"], json!(rows.len()), "{base}");
        let sum = |key: &str| -> u64 { rows.iter().filter_map(|row| row[key].as_u64()).sum() };
        assert_eq!(totals["spans"], json!(sum("spanCount")), "{base}");
        // A call that two traces tell of counts once.
        let again: i64 = rows.iter().map(|row| elsewhere(&rig, row)).sum();
        let again = u64::try_from(again).expect("tokens");
        assert!(again > 0 || base != json!({}), "recordings hold such calls");
        let tokens = sum("inputTokens") + sum("outputTokens") - again;
        assert_eq!(totals["tokens"].as_u64().unwrap_or(0), tokens, "{base}");
        let failed = rows.iter().filter(|row| row["errorCount"] != 0).count();
        assert_eq!(totals["errors"], json!(failed), "{base}");
        let histogram: u64 = totals["histogram"]
            .as_array()
            .expect("buckets")
            .iter()
            .filter_map(|bucket| bucket[0].as_u64())
            .sum();
        assert_eq!(histogram, rows.len() as u64, "{base}");
        for facet in ["services", "models", "operations", "statuses"] {
            let values = totals[facet].as_array().expect("values");
            assert!(!values.is_empty(), "{facet} of {base}");
            // A facet's own filter does not limit its counts, so where the base filters it, the value replaces that.
            for value in values {
                let mut filter = base.clone();
                filter[facet] = json!([value["value"]]);
                let listed = ids(&rig, filter).await.len();
                assert_eq!(value["count"], json!(listed), "{facet} {value} of {base}");
            }
        }
    }
}

/// Fields of one object over those of another.
trait Merged {
    fn merged(self, over: &Value) -> Value;
}

impl Merged for Value {
    fn merged(mut self, over: &Value) -> Value {
        for (key, value) in over.as_object().expect("an object") {
            self[key] = value.clone();
        }
        self
    }
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let rig = loaded().await;
    let all = ids(&rig, json!({})).await;
    let statuses = json!({"statuses": ["ok", "error", "running"]});
    assert_eq!(ids(&rig, statuses).await, all);
    let running = ids(&rig, json!({"statuses": ["running"]})).await;
    assert!(running.contains(&hex(2)) && !running.contains(&hex(1)));
    let failed = ids(&rig, json!({"statuses": ["error"]})).await;
    assert!(failed.contains(&hex(1)) && !failed.contains(&hex(2)));
    // A trace id finds its trace, in upper case too.
    assert_eq!(
        ids(&rig, json!({"text": hex(1)})).await,
        BTreeSet::from([hex(1)])
    );
    // From is included, to is not.
    let at = (START + 1_000_000) / 1_000;
    for (range, expected) in [
        (json!({"from": at, "to": at + 1}), true),
        (json!({"from": at + 1}), false),
        (json!({"to": at}), false),
        (json!({"to": at + 1}), true),
    ] {
        let found = ids(&rig, json!({"range": range})).await;
        assert_eq!(found.contains(&hex(1)), expected, "{range}");
    }
    assert_eq!(ids(&rig, json!({"source": 0})).await, all);
    assert_eq!(ids(&rig, json!({"source": 5})).await, BTreeSet::new());
    // Strings of two fields all apply; of one field, any.
    let either = ids(&rig, json!({"services": ["shop", "no such"]})).await;
    assert_eq!(either, BTreeSet::from([hex(1), hex(2)]));
    let both = json!({"services": ["shop"], "statuses": ["error"]});
    assert_eq!(ids(&rig, both).await, BTreeSet::from([hex(1)]));
    let both = json!({"services": ["shop"], "models": ["gpt-x"]});
    assert_eq!(ids(&rig, both).await, BTreeSet::new());
}

#[tokio::test]
async fn words_are_found_wherever_a_span_says_them() {
    let rig = Rig::start().await;
    let mut one = call(1, 1, 0, "Where is the Käsekuchen recipe?", "In the drawer.");
    one.name = "ask baker".to_owned();
    one.status = Some(Status {
        code: 2,
        message: "oven exploded".to_owned(),
    });
    let other = call(1, 2, 1, "unrelated", "words");
    rig.take(Signal::Traces, &traces(vec![one, other])).await;
    rig.settle().await;
    for (typed, found) in [
        ("recipe", true),
        ("RECIPE", true),
        ("kasekuchen", true),
        ("reci", true),
        ("recipe where", true),
        ("\"the drawer\"", true),
        ("\"drawer the\"", false),
        ("baker exploded", true),
        ("recipe unrelated", false),
        ("recip drawer", false),
        ("recipe -drawer", true),
        ("recipe AND", false),
    ] {
        let rows = rig.list(json!({"text": typed})).await;
        assert_eq!(!rows.is_empty(), found, "{typed:?}");
    }
}

#[tokio::test]
async fn a_response_or_request_id_finds_its_call() {
    const BARE: &str = "9f86d081884c7d659a2feaa0c55ad015";
    let rig = Rig::start().await;
    let with = |trace: u128, key: &str, id: &str| {
        let mut call = call(trace, 1, 0, "question", "answer");
        call.attributes.push(text(key, id));
        call
    };
    let spans = vec![
        with(1, "gen_ai.response.id", "chatcmpl-AbC123xyz"),
        with(2, "gen_ai.response.id", "msg_01XFDUDYJgAACzvnptvVoYEL"),
        with(3, "http.response.header.x-request-id", "req_0007"),
        with(4, "gen_ai.request.id", BARE),
        call(5, 1, 0, "question", "answer"),
    ];
    rig.take(Signal::Traces, &traces(spans)).await;
    rig.settle().await;
    // A record that comes after its span speaks for it too.
    let mut late = log(5, 1, "sent", "request sent");
    late.attributes.push(text("x-request-id", "req-late-42"));
    rig.take(Signal::Logs, &logs(vec![late])).await;
    rig.settle().await;
    let whole = hex(5);
    for (typed, trace) in [
        ("chatcmpl-AbC123xyz", 1),
        ("chatcmpl-AbC", 1),
        ("msg_01XFDUDYJgAACzvnptvVoYEL", 2),
        ("req_0007", 3),
        // Looks like a trace's id, and is none.
        (BARE, 4),
        ("req-late-42", 5),
        (whole.as_str(), 5),
    ] {
        let found = ids(&rig, json!({"text": typed})).await;
        assert_eq!(found, BTreeSet::from([hex(trace)]), "{typed:?}");
        let filter = json!({"traces": {"text": typed}});
        let ledger = rig.call("list_ledger", filter).await;
        assert_eq!(ledger["rows"][0]["traceId"], hex(trace), "{typed:?}");
    }
    assert!(ids(&rig, json!({"text": "req_0008"})).await.is_empty());
    let params = json!({"traceId": hex(5), "spanId": format!("{:016x}", 1)});
    let detail = rig.call("get_span", params).await;
    let rows = detail["facts"].as_array().expect("facts");
    let row = rows.iter().find(|row| row["name"] == "request id");
    assert_eq!(row.map(|row| &row["value"]), Some(&json!("req-late-42")));
    assert_eq!(detail["name"], "chat gpt-x");
}

/// A call of a second in the shop, served in 0.9 s by another service.
#[tokio::test]
async fn the_time_of_a_call_is_split_by_what_its_server_tells() {
    let rig = Rig::start().await;
    let mut asked = call(1, 1, 0, "question", "answer");
    let key = "gen_ai.response.time_to_first_chunk";
    let first = attribute(key, any_value::Value::DoubleValue(0.3));
    asked.attributes.push(first);
    let mut served = span(1, 2, 1, "POST /v1/chat/completions");
    served.kind = 2;
    served.end_time_unix_nano = served.start_time_unix_nano + 900_000_000;
    rig.take(Signal::Traces, &traces(vec![asked])).await;
    rig.take(Signal::Traces, &traces_of("gateway", vec![served]))
        .await;
    rig.settle().await;
    let timing = async |span: u64| {
        let params = json!({"traceId": hex(1), "spanId": format!("{span:016x}")});
        rig.call("get_span", params).await["timing"].clone()
    };
    let split = timing(1).await;
    let nanos: Vec<Value> = split
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| json!([row["part"], row["nanos"]]))
        .collect();
    assert_eq!(
        nanos,
        [
            json!(["queue", null]),
            json!(["network", 100_000_000]),
            json!(["first_token", 200_000_000]),
            json!(["generation", 700_000_000]),
            json!(["post_processing", null]),
            json!(["rest", 0]),
        ]
    );
    assert_eq!(
        split[1]["how"],
        "Derived: the call took 1.00 s, and the span of gateway below it 900 ms."
    );
    assert_eq!(timing(2).await, json!([]), "no model call");
}

#[tokio::test]
async fn figures_beyond_all_measure_do_not_break_totals() {
    let rig = Rig::start().await;
    for id in 1..=3_u128 {
        let mut call = call(id, 1, 0, "question", "answer");
        call.attributes[2] = number("gen_ai.usage.input_tokens", i64::MAX);
        call.attributes[3] = number("gen_ai.usage.output_tokens", i64::MAX);
        call.attributes.push(text("prompt.name", "huge"));
        call.start_time_unix_nano = 0;
        call.end_time_unix_nano = u64::MAX;
        let request = traces(vec![call]);
        rig.take(Signal::Traces, &request).await;
        rig.call("summarise_traces", json!({})).await;
    }
    let mut negative = call(9, 1, 0, "question", "answer");
    negative.attributes[2] = number("gen_ai.usage.input_tokens", i64::MIN);
    rig.take(Signal::Traces, &traces(vec![negative])).await;
    rig.settle().await;
    let totals = rig.call("summarise_traces", json!({})).await;
    assert_eq!(totals["traces"], 4);
    assert!(
        totals["tokens"].as_u64() >= Some(i64::MAX as u64),
        "{totals}"
    );
    assert!(totals["p95Nanos"].as_u64() > Some(0), "{totals}");
    assert_eq!(rig.list(json!({"sort": "tokens"})).await.len(), 4);
    rig.call("list_prompts", json!({})).await;
    rig.call("list_findings", json!({})).await;
    let charts = rig.call("list_charts", json!({})).await;
    for chart in charts.as_array().expect("charts") {
        let draw =
            json!({"id": chart["id"], "width": 640, "height": 240, "utcOffsetMinutes": -720});
        rig.call("draw_chart", draw).await;
    }
}

#[tokio::test]
async fn findings_are_listed_once_newest_first() {
    let rig = Rig::start().await;
    let refusals = (1..=30_u64).map(|id| {
        let output = if id % 3 == 0 {
            r#"[{"role":"assistant","parts":[{"type":"text","content":"It is in the drawer."}]}]"#
        } else {
            r#"[{"role":"assistant","parts":[{"type":"text","content":"I cannot share another customer's address."}]}]"#
        };
        let mut call = call(u128::from(id), id, 0, "where?", "");
        call.attributes[5] = text("gen_ai.output.messages", output);
        call
    });
    rig.take(Signal::Traces, &traces(refusals.collect())).await;
    rig.settle().await;
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let filter = json!({"heuristic": "refusal", "limit": 7, "cursor": cursor});
        let page = rig.call("list_findings", filter).await;
        rows.extend(page["rows"].as_array().expect("rows").iter().cloned());
        cursor = page["next"].clone();
        let refusal = page["heuristics"]
            .as_array()
            .expect("heuristics")
            .iter()
            .find(|heuristic| heuristic["id"] == "refusal");
        let refusal = refusal.expect("the heuristic");
        assert_eq!(
            (&refusal["scored"], &refusal["fired"]),
            (&json!(30), &json!(20))
        );
        if cursor.is_null() {
            break;
        }
    }
    let starts: Vec<u64> = rows
        .iter()
        .filter_map(|row| row["startMicros"].as_u64())
        .collect();
    assert_eq!(starts.len(), 20);
    assert!(
        starts.windows(2).all(|pair| pair[0] > pair[1]),
        "{starts:?}"
    );
    for row in &rows {
        let excerpt: Vec<u16> = row["excerpt"]
            .as_str()
            .expect("text")
            .encode_utf16()
            .collect();
        let mark = |end: usize| row["marks"][0][end].as_u64().expect("a mark") as usize;
        let marked = String::from_utf16_lossy(&excerpt[mark(0)..mark(1)]);
        assert_eq!(marked, "I cannot", "{row}");
    }
}

#[tokio::test]
async fn prompt_versions_are_told_apart() {
    let rig = Rig::start().await;
    for (id, version, template) in [
        (1, "1", "Answer {question}."),
        (2, "1", "Answer {question}."),
        (3, "2", "Answer {question} for {user}."),
    ] {
        let mut call = call(id, 1, 0, "question", "answer");
        call.start_time_unix_nano += u64::try_from(id).expect("small") * 1_000_000_000;
        call.end_time_unix_nano = call.start_time_unix_nano + 1_000_000;
        call.attributes.extend([
            text("llm.prompt.name", "support"),
            text("llm.prompt.version", version),
            text("llm.prompt.template", template),
        ]);
        rig.take(Signal::Traces, &traces(vec![call])).await;
    }
    rig.settle().await;
    let prompts = rig.call("list_prompts", json!({})).await;
    assert_eq!(prompts[0]["name"], "support", "{prompts}");
    let versions = prompts[0]["versions"].as_array().expect("versions");
    let calls: Vec<(&Value, &Value)> = versions
        .iter()
        .map(|version| (&version["version"], &version["calls"]))
        .collect();
    assert_eq!(calls, [(&json!("1"), &json!(2)), (&json!("2"), &json!(1))]);
    let params = json!({"name": "support", "old": "1", "new": "2"});
    let diff = rig.call("diff_prompts", params).await;
    assert_eq!(diff["variablesAdded"], json!(["user"]));
    assert_eq!(diff["variablesKept"], json!(["question"]));
}

/// Log records that belong to no span are kept, and show up in no list of traces (B24).
#[tokio::test]
async fn log_records_without_a_span_are_kept() {
    let rig = Rig::start().await;
    let mut observed = log(0, 1, "note", "observed only");
    observed.observed_time_unix_nano = observed.time_unix_nano;
    observed.time_unix_nano = 0;
    observed.severity_number = 200;
    let records = vec![
        log(0, 1, "note", "loose"),
        observed,
        log(5, 1, "note", "no span"),
    ];
    assert_eq!(rig.take(Signal::Logs, &logs(records)).await.logs, 3);
    assert_eq!(rig.list(json!({})).await, [Value::Null; 0]);
    let storage = rig.call("get_storage", json!({})).await;
    assert_eq!(
        (&storage["logs"], &storage["traces"]),
        (&json!(3), &json!(0))
    );
    let status = rig.call("get_status", json!({})).await;
    assert_eq!(status["received"], false);
    assert_eq!(status["underived"], 0);
}

#[tokio::test]
async fn whoever_listens_is_told_of_changes() {
    let rig = Rig::start().await;
    let mut changes = rig.engine.subscribe();
    let mut told = async |topic: Topic| {
        clew_tests::wait_until(topic.name(), async || {
            let next = tokio::time::timeout(clew_tests::PATIENCE, changes.recv());
            (next.await.ok()?.ok()? == topic).then_some(())
        })
        .await;
    };
    let request = traces_of("shop", vec![span(1, 1, 0, "step")]);
    rig.take(Signal::Traces, &request).await;
    told(Topic::Status).await;
    told(Topic::Spans).await;
    rig.call("set_settings", json!({})).await;
    told(Topic::Settings).await;
    rig.call("open_sample", json!({})).await;
    told(Topic::Sources).await;
}

/// The sample's programs are not this machine's.
#[tokio::test]
async fn what_a_file_tells_is_in_no_trend() {
    let rig = Rig::start().await;
    let tokens = async || {
        let draw = json!({"id": "tokens", "width": 640, "height": 240, "utcOffsetMinutes": 0});
        let scene = rig.call("draw_chart", draw).await;
        scene["series"].as_array().map_or(0, Vec::len)
    };
    rig.call("open_sample", json!({})).await;
    rig.settle().await;
    assert!(rig.call("list_ledger", json!({})).await["sums"]["calls"].as_u64() > Some(0));
    assert_eq!(tokens().await, 0);
    rig.take(Signal::Traces, &traces(vec![call(1, 1, 0, "in", "out")]))
        .await;
    rig.settle().await;
    assert!(tokens().await > 0);
}
