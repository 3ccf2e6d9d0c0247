//! OTLP JSON as senders write it (otlp.md §5), and one bad span among good ones.

use super::*;

fn one(fields: &str) -> Span {
    let (batch, problems) = decode_json(&json_of(&json_span(fields)));
    assert_eq!(problems, [], "{fields}");
    let spans = spans(&batch);
    assert_eq!(spans.len(), 1, "{fields}");
    let stored = decode_span(&spans[0].raw).expect("stored").0;
    // NaN is not equal to itself; its encoding is.
    assert_eq!(
        prost::Message::encode_to_vec(&stored),
        prost::Message::encode_to_vec(&spans[0].span)
    );
    spans[0].span.clone()
}

fn one_value(value: &str) -> Option<Value> {
    one(&format!(r#","attributes":[{{"key":"k","value":{value}}}]"#)).attributes[0]
        .value
        .clone()
        .and_then(|value| value.value)
}

#[test]
fn integers_come_as_numbers_strings_and_floats() {
    for text in [
        "1700000000000000000",
        r#""1700000000000000000""#,
        "1.7e18",
        r#""1.7e18""#,
    ] {
        assert_eq!(
            one(&format!(r#","startTimeUnixNano":{text}"#)).start_time_unix_nano,
            1_700_000_000_000_000_000,
            "{text}"
        );
    }
    let most = one(r#","startTimeUnixNano":"18446744073709551615","flags":"257""#);
    assert_eq!((most.start_time_unix_nano, most.flags), (u64::MAX, 257));
    assert_eq!(
        one_value(r#"{"intValue":9007199254740993}"#),
        Some(Value::IntValue(9_007_199_254_740_993))
    );
    assert_eq!(
        one_value(r#"{"intValue":"-9223372036854775808"}"#),
        Some(Value::IntValue(i64::MIN))
    );
    assert_eq!(one_value(r#"{"intValue":5.0}"#), Some(Value::IntValue(5)));
    assert_eq!(
        one_value(r#"{"intValue":1.5}"#),
        Some(Value::DoubleValue(1.5))
    );
    assert_eq!(
        one_value(r#"{"intValue":"18446744073709551615"}"#),
        Some(Value::StringValue("18446744073709551615".to_owned()))
    );
}

#[test]
fn doubles_come_in_every_form() {
    for (text, bits) in [
        ("1.5", 1.5_f64),
        ("-0", -0.0),
        ("-0.0", -0.0),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
        (r#""0.1""#, 0.1),
        (r#""Infinity""#, f64::INFINITY),
        (r#""-Infinity""#, f64::NEG_INFINITY),
        // serde_json's default parser gives the neighbour of this one.
        ("2.638344616030823e-256", 2.638_344_616_030_823e-256),
    ] {
        let Some(Value::DoubleValue(read)) = one_value(&format!(r#"{{"doubleValue":{text}}}"#))
        else {
            panic!("{text} is no double");
        };
        assert_eq!(read.to_bits(), bits.to_bits(), "{text}");
    }
    let Some(Value::DoubleValue(read)) = one_value(r#"{"doubleValue":"NaN"}"#) else {
        panic!("NaN is no double");
    };
    assert!(read.is_nan());
}

#[test]
fn null_and_empty_are_absent() {
    let span = one(concat!(
        r#","parentSpanId":null,"name":null,"kind":null,"startTimeUnixNano":null,"attributes":null,"#,
        r#""events":[null,{}],"links":null,"status":null,"traceState":null,"droppedEventsCount":null"#
    ));
    assert_eq!(span.events.len(), 1);
    assert_eq!(span.status, None);
    assert_eq!(one(r#","parentSpanId":"""#).parent_span_id, b"");
    for value in [
        "{}",
        r#"{"doubleValue":null}"#,
        r#"{"stringValue":null,"arrayValue":null}"#,
    ] {
        assert_eq!(one_value(value), None, "{value}");
    }
    assert_eq!(
        one(r#","attributes":[{"key":"k","value":null}]"#).attributes[0].value,
        None
    );
    assert_eq!(
        one_value(r#"{"arrayValue":{}}"#),
        Some(Value::ArrayValue(Default::default()))
    );
    for body in [
        "",
        "  ",
        "{}",
        r#"{"resourceSpans":null}"#,
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":[null,{"scopeSpans":null}]}"#,
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}"#,
    ] {
        assert_eq!(decode_json(body), (Batch::default(), vec![]), "{body}");
    }
    assert_eq!(decode_protobuf(b""), (Batch::default(), vec![]));
    assert_eq!(decode_protobuf(&[0x0a, 0]), (Batch::default(), vec![]));
}

#[test]
fn ids_enums_and_keys_of_protobufs_own_json_are_read() {
    let body = json_of(
        r#"{"trace_id":"AQIDBAUGBwgJCgsMDQ4PEA==","span_id":"AQIDBAUGBwg=","kind":"SPAN_KIND_CLIENT",
            "start_time_unix_nano":"5","status":{"code":"STATUS_CODE_ERROR"},"unknown":{"a":[1,{"b":null}]}}"#,
    );
    let (batch, problems) = decode_json(&body);
    assert_eq!(problems, []);
    let span = spans(&batch)[0];
    assert_eq!(
        span.trace_id.to_string(),
        "0102030405060708090a0b0c0d0e0f10"
    );
    assert_eq!(span.span_id.to_string(), "0102030405060708");
    assert_eq!((span.span.kind, span.span.start_time_unix_nano), (3, 5));
    assert_eq!(span.span.status.as_ref().map(|status| status.code), Some(2));
    let (other, _) = decode_json(&json_of(&json_span(r#","_name":"x","__name":"y""#)));
    assert_eq!(
        spans(&other)[0].span.name,
        "",
        "an unknown key is no known one"
    );
    let upper = decode_json(&json_of(
        &json_span("").replace("0a0b0c0d0e0f10", "0A0B0C0D0E0F10"),
    ));
    assert_eq!(spans(&upper.0)[0].trace_id, span.trace_id);
}

#[test]
fn order_of_keys_bom_duplicates_and_old_names_do_not_matter() {
    let usual = decode_json(&json_of(&json_span(r#","name":"a""#))).0;
    let span = json_span(r#","name":"b","name":"a""#);
    let turned = format!(
        "\u{feff}{}",
        format_args!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}],"scope":{{"name":"my.tracer"}}}}],"resource":{{}}}}]}}"#
        )
    );
    assert_eq!(decode_json(&turned).0, usual);
    let old = json_of(&json_span(r#","name":"a""#))
        .replace("scopeSpans", "instrumentationLibrarySpans")
        .replace("\"scope\"", "\"instrumentationLibrary\"");
    assert_eq!(decode_json(&old).0, usual);
}

/// Reliability B5.
#[test]
fn lone_surrogates_and_nul_are_kept_as_far_as_text_can() {
    let body = json_of(&json_span(r#","name":"a\ud800b\u0000c\ud83d\ude00\udc00""#));
    let (batch, problems) = decode_json(&body);
    let span = spans(&batch)[0];
    assert_eq!(span.span.name, "a\u{fffd}b\u{0}c\u{1f600}\u{fffd}");
    assert!(span.repaired && problems.len() == 1 && !problems[0].rejected);
    let mut bytes = json_of(&json_span(r#","name":"aXb""#)).into_bytes();
    let place = bytes.iter().position(|&byte| byte == b'X').expect("there");
    bytes[place] = 0xff;
    let (batch, _) =
        decode(Signal::Traces, Encoding::Json, &bytes, &Limits::default()).expect("a request");
    assert_eq!(spans(&batch)[0].span.name, "a\u{fffd}b");
}

/// Reliability B1, B2.
#[test]
fn one_bad_span_in_json_costs_that_span() {
    for bad in [
        json_span(r#","name":5"#),
        json_span(r#","startTimeUnixNano":"soon""#),
        json_span(r#","startTimeUnixNano":-1"#),
        json_span(r#","attributes":{"a":1}"#),
        json_span(r#","attributes":[{"key":"k","value":"text"}]"#),
        json_span(r#","attributes":[{"key":"k","value":{"bytesValue":"*"}}]"#),
        json_span(r#","events":[5]"#),
        json_span("").replace("0102030405060708\"}", "01\"}"),
        json_span("").replace("0102030405060708\"}", "000000000000000g\"}"),
        json_span("").replace("0102030405060708090a0b0c0d0e0f10", "0"),
        json_span("").replace(
            "0102030405060708090a0b0c0d0e0f10",
            "00000000000000000000000000000000",
        ),
        "{}".to_owned(),
        "5".to_owned(),
        r#"[{"a":"]"}]"#.to_owned(),
    ] {
        let good = json_span(r#","name":"good""#);
        let (batch, problems) = decode_json(&json_of(&format!("{good},{bad},{good}")));
        assert_eq!(spans(&batch).len(), 2, "{bad}");
        assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
        assert!(problems[0].rejected);
        assert_eq!(problems[0].item, "span 2 of scope `my.tracer`");
        assert!(!problems[0].reason.is_empty() && !problems[0].reason.contains("soon"));
    }
}

/// Reliability B1, B2.
#[test]
fn one_bad_span_in_protobuf_costs_that_span() {
    let good = prost::Message::encode_to_vec(&good_span("good"));
    let with = |change: fn(&mut Span)| {
        let mut span = good_span("bad");
        change(&mut span);
        prost::Message::encode_to_vec(&span)
    };
    let mut cut = good.clone();
    cut.pop();
    let mut wrong_type = good.clone();
    wrong_type.extend([0x28, 1]);
    for (bad, reason) in [
        (
            with(|span| span.trace_id = vec![1; 2]),
            "trace id has 2 bytes, not 16",
        ),
        (
            with(|span| span.trace_id = vec![0; 16]),
            "trace id is all zeros",
        ),
        (
            with(|span| span.span_id.clear()),
            "span id has 0 bytes, not 8",
        ),
        (cut, "its protobuf is broken: it ends inside a field"),
        (wrong_type, "`name` has the wrong wire type"),
        (Vec::new(), "trace id has 0 bytes, not 16"),
    ] {
        let (batch, problems) = decode_protobuf(&request_of(&[good.clone(), bad, good.clone()]));
        assert_eq!(spans(&batch).len(), 2, "{reason}");
        assert_eq!(
            problems,
            [Problem {
                item: "span 2 of scope `my.tracer`".to_owned(),
                reason: reason.to_owned(),
                rejected: true,
            }]
        );
    }
    let (batch, problems) = decode_protobuf(&request_of(&[with(|span| {
        span.parent_span_id = vec![1; 3]
    })]));
    assert_eq!(spans(&batch)[0].parent, None);
    assert!(problems.len() == 1 && !problems[0].rejected);
}

/// Reliability B24.
#[test]
fn logs_need_no_ids() {
    for (ids, problems) in [
        ("", 0),
        (r#","traceId":"","spanId":"0000000000000000""#, 0),
        (r#","traceId":"0102","spanId":"xyz""#, 2),
    ] {
        let body = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"observedTimeUnixNano":"5","body":{{"kvlistValue":{{"values":[{{"key":"a","value":{{"intValue":1}}}}]}}}}{ids}}}]}}]}}]}}"#
        );
        let (batch, found) = decode(
            Signal::Logs,
            Encoding::Json,
            body.as_bytes(),
            &Limits::default(),
        )
        .expect("a request");
        let log = &batch.logs[0].items[0];
        assert_eq!((log.trace_id, log.span_id), (None, None));
        assert_eq!(log.record.observed_time_unix_nano, 5);
        assert!(matches!(
            log.record
                .body
                .as_ref()
                .and_then(|body| body.value.as_ref()),
            Some(Value::KvlistValue(_))
        ));
        assert_eq!(found.len(), problems, "{found:?}");
        assert!(found.iter().all(|problem| !problem.rejected));
    }
}

#[test]
fn one_bad_point_costs_that_point() {
    let body = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"sum":{"dataPoints":[
        {"asInt":"1","timeUnixNano":"5","attributes":[{"key":"a","value":{"intValue":1}},{"key":"b","value":{}}]},
        {"asInt":"x"},
        {"asDouble":"NaN","attributes":[{"key":"b","value":{}},{"key":"a","value":{"intValue":1}}]}
        ],"aggregationTemporality":2,"isMonotonic":true},"name":"m","unit":"s"}]}]}]}"#;
    let (batch, problems) = decode(
        Signal::Metrics,
        Encoding::Json,
        body.as_bytes(),
        &Limits::default(),
    )
    .expect("a request");
    let metric = &batch.metrics[0].items[0];
    assert_eq!(
        (metric.name.as_str(), metric.unit.as_str(), metric.kind),
        ("m", "s", "sum")
    );
    assert_eq!(metric.points.len(), 2);
    assert_eq!(metric.points[0].series, metric.points[1].series);
    assert_ne!(metric.points[0].hash, metric.points[1].hash);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].item, "point 2 of metric 1 of scope ``");
    assert!(problems[0].rejected);
}
