//! Input that means harm: bombs, depth, bad text, cut and random bytes.

use std::time::{Duration, Instant};

use super::*;

/// Longest time for a bomb in an unoptimised build on a busy machine; going on with it takes minutes.
const LONGEST: Duration = Duration::from_secs(20);

fn nested(number: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bytes(&mut out, number, bytes);
    out
}

fn in_scope(scope: &[u8]) -> Vec<u8> {
    nested(1, &nested(2, scope))
}

/// Reliability A3.
#[test]
fn structures_without_content_are_refused_before_they_cost_memory() {
    const BYTES: usize = 8 << 20;
    let repeat = |unit: &[u8]| unit.repeat(BYTES / unit.len());
    let ids = {
        let mut ids = nested(1, &[7; 16]);
        ids.extend(nested(2, &[9; 8]));
        ids
    };
    let span_with = |field: &[u8]| {
        let mut span = ids.clone();
        span.extend(repeat(field));
        in_scope(&nested(2, &span))
    };
    let sum_with = |points: &[u8]| in_scope(&nested(2, &nested(7, points)));
    let array = {
        let mut span = ids.clone();
        let array = nested(5, &repeat(&[0x0a, 0]));
        span.extend(nested(9, &nested(2, &array)));
        in_scope(&nested(2, &span))
    };
    let buckets = nested(8, &nested(2, &vec![1; BYTES]));
    let huge_resource = {
        let mut part = nested(1, &nested(1, &nested(1, &[b'k'; 60_000])));
        let mut span = nested(2, &ids);
        span = nested(2, &span);
        part.extend(span.repeat(10_000));
        nested(1, &part)
    };
    for (signal, body, what) in [
        (Signal::Traces, repeat(&[0x0a, 0]), "resources"),
        (Signal::Traces, nested(1, &repeat(&[0x12, 0])), "scopes"),
        (Signal::Traces, in_scope(&repeat(&[0x12, 0])), "spans"),
        (Signal::Traces, span_with(&[0x4a, 0]), "attributes"),
        (Signal::Traces, span_with(&[0x5a, 0]), "span events"),
        (Signal::Traces, span_with(&[0x6a, 0]), "span links"),
        (Signal::Traces, array, "values in arrays and histograms"),
        (
            Signal::Traces,
            huge_resource,
            "bytes of resources and scopes, each scope with its resource",
        ),
        (Signal::Logs, in_scope(&repeat(&[0x12, 0])), "log records"),
        (Signal::Metrics, in_scope(&repeat(&[0x12, 0])), "metrics"),
        (
            Signal::Metrics,
            sum_with(&repeat(&[0x0a, 0])),
            "metric points",
        ),
        (
            Signal::Metrics,
            sum_with(&nested(1, &repeat(&[0x2a, 0]))),
            "exemplars",
        ),
        (
            Signal::Metrics,
            in_scope(&nested(2, &nested(10, &nested(1, &buckets)))),
            "values in arrays and histograms",
        ),
    ] {
        let start = Instant::now();
        let refused = decode(signal, Encoding::Protobuf, &body, &Limits::default());
        let took = start.elapsed();
        let Err(Refusal::TooMany { what: found, .. }) = refused else {
            panic!("{what} were accepted");
        };
        assert_eq!(found, what);
        assert!(took < LONGEST, "{what} took {took:?}");
    }
    for (unit, what) in [
        ("{},", "spans"),
        ("null,", ""),
        (r#"{"attributes":[{},{},{},{}]},"#, "spans"),
    ] {
        let body = json_of(unit.repeat(BYTES / unit.len()).trim_end_matches(','));
        let start = Instant::now();
        match decode(
            Signal::Traces,
            Encoding::Json,
            body.as_bytes(),
            &Limits::default(),
        ) {
            Err(Refusal::TooMany { what: found, .. }) => assert_eq!(found, what),
            other => assert!(what.is_empty() && other.is_ok()),
        }
        assert!(start.elapsed() < LONGEST, "{unit}");
    }
}

/// A value in `depth` containers, arrays and lists by turns as `list` says; and its JSON.
fn deep(depth: usize, list: impl Fn(usize) -> bool) -> (Vec<u8>, String) {
    // Lengths grow with depth, so the front is written last and the bytes turned around.
    let mut reversed: Vec<u8> = nested(1, b"end").into_iter().rev().collect();
    let (mut front, mut back) = (String::new(), String::new());
    let put = |reversed: &mut Vec<u8>, number: u32, length: usize| {
        let mut head = Vec::new();
        wire::put_varint(&mut head, u64::from(number << 3 | 2));
        wire::put_varint(&mut head, length as u64);
        reversed.extend(head.into_iter().rev());
    };
    for level in (0..depth).rev() {
        let length = reversed.len();
        if list(level) {
            put(&mut reversed, 2, length);
        }
        let length = reversed.len();
        put(&mut reversed, 1, length);
        let length = reversed.len();
        put(&mut reversed, if list(level) { 6 } else { 5 }, length);
    }
    for level in 0..depth {
        if list(level) {
            front.push_str(r#"{"kvlistValue":{"values":[{"key":"","value":"#);
            back.insert_str(0, "}]}}");
        } else {
            front.push_str(r#"{"arrayValue":{"values":["#);
            back.insert_str(0, "]}}");
        }
    }
    front.push_str(r#"{"stringValue":"end"}"#);
    reversed.reverse();
    (reversed, front + &back)
}

fn levels(value: &AnyValue) -> (usize, String) {
    let (mut value, mut levels) = (value, 0);
    loop {
        value = match value.value.as_ref().expect("a value") {
            Value::ArrayValue(array) => &array.values[0],
            Value::KvlistValue(list) => list.values[0].value.as_ref().expect("a value"),
            Value::StringValue(text) => return (levels, text.clone()),
            other => panic!("{other:?}"),
        };
        levels += 1;
    }
}

/// Reliability B3.
#[test]
fn values_are_kept_to_64_levels_and_cut_below() {
    let shapes: [fn(usize) -> bool; 3] = [|_| false, |_| true, |level| level % 2 == 0];
    for list in shapes {
        for depth in [0, 1, 47, 63, 64, 65, 200, 10_000] {
            let (protobuf, json) = deep(depth, list);
            let mut span = prost::Message::encode_to_vec(&good_span("deep"));
            span.extend(nested(9, &nested(2, &protobuf)));
            let body = request_of(std::slice::from_ref(&span));
            let json = json_of(&json_span(&format!(
                r#","attributes":[{{"value":{json}}}]"#
            )));
            // As small a stack as a receiver's thread has.
            let read = std::thread::Builder::new()
                .stack_size(2 << 20)
                .spawn(move || (decode_protobuf(&body), decode_json(&json)))
                .expect("thread")
                .join()
                .expect("no overflow");
            let raw = spans(&read.0.0)[0].raw.clone();
            assert_eq!(raw, span, "stored as received");
            assert_eq!(
                decode_span(&raw).expect("stored").0,
                spans(&read.0.0)[0].span
            );
            for (batch, problems) in [read.0, read.1] {
                let span = spans(&batch)[0];
                let value = span.span.attributes[0].value.as_ref().expect("a value");
                let cut = depth > 64;
                let expected = if cut {
                    "[nested deeper than 64 levels]"
                } else {
                    "end"
                };
                assert_eq!(levels(value), (depth.min(64), expected.to_owned()));
                assert_eq!(span.repaired, cut);
                assert_eq!(problems.len(), usize::from(cut));
                assert!(problems.iter().all(|problem| !problem.rejected));
            }
        }
    }
}

/// Reliability B3.
#[test]
fn brackets_without_end_do_not_overflow_the_stack() {
    for open in ["[", r#"{"a":"#] {
        let body = format!(r#"{{"x":{}"#, open.repeat(1_000_000));
        let refused = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || {
                decode(
                    Signal::Traces,
                    Encoding::Json,
                    body.as_bytes(),
                    &Limits::default(),
                )
            })
            .expect("thread")
            .join()
            .expect("no overflow");
        assert!(matches!(refused, Err(Refusal::Malformed(_))));
    }
}

/// Reliability B4.
#[test]
fn text_that_is_not_utf8_is_repaired_as_the_reference_says() {
    let bytes = std::fs::read(fixture("hostile/utf8tests/utf8tests.bin")).expect("fixture");
    let reference =
        std::fs::read(fixture("hostile/utf8tests/utf8.replace.ref.txt")).expect("fixture");
    let reference = String::from_utf8(reference).expect("UTF-8");
    for place in 0..5 {
        let mut fields = nested(1, &[7; 16]);
        fields.extend(nested(2, &[9; 8]));
        let text = match place {
            0 => nested(5, &bytes),
            1 => nested(3, &bytes),
            2 => nested(9, &nested(1, &bytes)),
            3 => nested(9, &nested(2, &nested(1, &bytes))),
            _ => nested(15, &nested(2, &bytes)),
        };
        fields.extend(&text);
        let (batch, problems) = decode_protobuf(&request_of(std::slice::from_ref(&fields)));
        let span = spans(&batch)[0];
        assert_eq!(span.raw, fields, "kept as received");
        assert!(span.repaired && problems.len() == 1 && !problems[0].rejected);
        let attribute = span.span.attributes.first();
        let read = match place {
            0 => span.span.name.clone(),
            1 => span.span.trace_state.clone(),
            2 => attribute.expect("one").key.clone(),
            3 => match attribute.and_then(|one| one.value.as_ref()?.value.as_ref()) {
                Some(Value::StringValue(text)) => text.clone(),
                other => panic!("{other:?}"),
            },
            _ => span.span.status.as_ref().expect("status").message.clone(),
        };
        assert_eq!(read, String::from_utf8_lossy(&bytes));
        let valid = |text: &str| {
            text.lines()
                .filter(|line| line.contains(":valid:"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(valid(&read), valid(&reference));
    }
    let different = |byte: u8| {
        let mut fields = prost::Message::encode_to_vec(&good_span(""));
        fields.extend(nested(5, &[byte]));
        spans(&decode_protobuf(&request_of(&[fields])).0)[0].hash
    };
    assert_ne!(
        different(0xfe),
        different(0xff),
        "different content, though shown alike"
    );
}

/// Reliability B5.
#[test]
fn naughty_strings_pass_through_unchanged() {
    let list = std::fs::read(fixture("hostile/blns/blns.json")).expect("fixture");
    let list: Vec<String> = serde_json::from_slice(&list).expect("JSON");
    let span = Span {
        attributes: list
            .iter()
            .map(|text| attribute(text, Value::StringValue(text.clone())))
            .collect(),
        ..good_span("naughty")
    };
    let protobuf = decode_protobuf(&request_of(&[prost::Message::encode_to_vec(&span)]));
    let json = decode_json(&to_json(&[SpanSource {
        resource: &Resource::default(),
        resource_schema_url: "",
        scope: &InstrumentationScope {
            name: "my.tracer".to_owned(),
            ..InstrumentationScope::default()
        },
        scope_schema_url: "",
        span: &span,
    }]));
    assert_eq!(protobuf, json);
    assert_eq!(spans(&protobuf.0)[0].span, span);
}

/// Reliability B7.
#[test]
fn long_keys_are_cut_and_many_attributes_kept_in_order() {
    let long = "é".repeat(1 << 19);
    let span = Span {
        attributes: (0..10_000)
            .map(|index| attribute(&format!("k{}", index % 7), Value::IntValue(index)))
            .chain([
                attribute("", Value::BoolValue(true)),
                attribute(&long, Value::BoolValue(true)),
            ])
            .collect(),
        ..good_span("many")
    };
    let raw = prost::Message::encode_to_vec(&span);
    let (batch, problems) = decode_protobuf(&request_of(std::slice::from_ref(&raw)));
    let read = spans(&batch)[0];
    assert_eq!(read.span.attributes[..10_001], span.attributes[..10_001]);
    assert_eq!(read.span.attributes[10_001].key, "é".repeat(1 << 15));
    assert!(read.repaired && problems.len() == 1 && !problems[0].rejected);
    assert_eq!(read.raw, raw);
    let (attributes, rest) = record::split(&raw);
    assert_eq!(record::scan(&attributes).count(), 10_001);
    assert_eq!(record::join(&attributes, &rest), raw);
}

/// Reliability B20.
#[test]
fn unknown_fields_and_numbers_are_kept() {
    let mut span = prost::Message::encode_to_vec(&Span {
        kind: 99,
        status: Some(opentelemetry_proto::tonic::trace::v1::Status {
            code: 7,
            ..Default::default()
        }),
        ..good_span("new")
    });
    let plain = span.clone();
    span.extend(nested(4_000, b"from the future"));
    span.extend([0x0b + 0xe0, 0x03, 0x08, 1, 0x0c + 0xe0, 0x03]);
    let (batch, problems) = decode_protobuf(&request_of(&[span.clone(), plain]));
    assert_eq!(problems, []);
    let read = spans(&batch);
    assert_eq!(read[0].raw, span);
    assert_eq!(
        (
            read[0].span.kind,
            read[0].span.status.as_ref().map(|status| status.code)
        ),
        (99, Some(7))
    );
    assert_eq!(read[0].span, read[1].span);
    assert_ne!(read[0].hash, read[1].hash);
}

#[test]
fn other_peoples_json_is_judged_as_json() {
    for path in fixtures("hostile/jsontestsuite", ".json") {
        let name = path
            .file_name()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read(&path).expect("fixture");
        let mut body = br#"{"x":"#.to_vec();
        body.extend(&text);
        body.push(b'}');
        let read = decode(Signal::Traces, Encoding::Json, &body, &Limits::default());
        // Put into an object, a comma or brace at the end of a text is no longer wrong by itself.
        let alone = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err();
        match name.as_bytes()[0] {
            b'y' => assert!(read.is_ok(), "{name}: {read:?}"),
            b'n' if alone && !name.contains("utf-8") && !name.contains("utf8") => {
                assert!(read.is_err(), "{name}");
            }
            _ => {}
        }
        let _no_panic = decode(Signal::Traces, Encoding::Json, &text, &Limits::default());
        let _no_panic = decode(
            Signal::Traces,
            Encoding::Protobuf,
            &text,
            &Limits::default(),
        );
    }
}

#[test]
fn a_request_cut_at_any_byte_is_refused_or_read_in_part() {
    let protobuf =
        std::fs::read(fixture("otlp/vercel_ai7/001-traces-http-json.pb")).expect("fixture");
    let json = std::fs::read(fixture("otlp/manual_generic/001-traces-http-json.raw.json"))
        .expect("fixture");
    let protobuf = &protobuf[..protobuf.len().min(6_000)];
    for length in 0..protobuf.len() {
        let _no_panic = decode(
            Signal::Traces,
            Encoding::Protobuf,
            &protobuf[..length],
            &Limits::default(),
        );
        let _no_panic = decode_span(&protobuf[..length]);
        let (attributes, rest) = record::split(&protobuf[..length]);
        let _no_panic = record::join(&attributes, &rest);
    }
    for length in (1..json.len()).step_by(1 + json.len() / 3_000) {
        let read = decode(
            Signal::Traces,
            Encoding::Json,
            &json[..length],
            &Limits::default(),
        );
        assert!(matches!(read, Err(Refusal::Malformed(_))), "{length}");
    }
}

#[test]
fn what_is_no_otlp_says_so() {
    for (encoding, body) in [
        (Encoding::Protobuf, &b"{\"resourceSpans\":[]}"[..]),
        (Encoding::Protobuf, b"\x08\x01"),
        (Encoding::Json, b"\x0a\x00"),
        (Encoding::Json, b"[]"),
        (Encoding::Json, b"{\"resourceSpans\":5}"),
        (Encoding::Json, b"{} x"),
    ] {
        let refused = decode(Signal::Traces, encoding, body, &Limits::default());
        let Err(refusal @ Refusal::Malformed(_)) = refused else {
            if body == b"\x08\x01" {
                panic!("{refused:?}");
            }
            panic!("{body:?} was accepted");
        };
        assert!(
            refusal
                .to_string()
                .starts_with("cannot read the request as an OTLP traces request in ")
        );
    }
}
