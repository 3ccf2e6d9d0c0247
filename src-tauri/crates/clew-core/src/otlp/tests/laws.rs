//! What holds for every span.

use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::*;

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        ".{0,300}".prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|flag| Some(Value::BoolValue(flag))),
        any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        // NaN is not equal to itself; it has a test of its own.
        any::<f64>()
            .prop_filter("equal to itself", |number| !number.is_nan())
            .prop_map(|number| Some(Value::DoubleValue(number))),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(5, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| AnyValue {
                value: Some(Value::ArrayValue(ArrayValue { values }))
            }),
            vec(key_value(inner), 0..4).prop_map(|values| AnyValue {
                value: Some(Value::KvlistValue(KeyValueList { values }))
            }),
        ]
    })
}

fn key_value(value: impl Strategy<Value = AnyValue>) -> impl Strategy<Value = KeyValue> {
    ("[a-c.]{0,3}|.{0,20}", proptest::option::of(value)).prop_map(|(key, value)| KeyValue {
        key,
        value,
        key_strindex: 0,
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(key_value(any_value()), 0..12)
}

fn any_span() -> impl Strategy<Value = Span> {
    let id = |length| vec(1_u8.., length);
    let head = (
        id(16),
        id(8),
        prop_oneof![Just(Vec::new()), id(8)],
        ".{0,8}",
        ".{0,20}",
    );
    let numbers = (
        any::<i32>(),
        any::<u64>(),
        any::<u64>(),
        any::<u32>(),
        any::<u32>(),
    );
    let event = (any::<u64>(), ".{0,9}", attributes(), any::<u32>()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    );
    let link = (id(16), id(8), attributes(), any::<u32>()).prop_map(
        |(trace_id, span_id, attributes, flags)| Link {
            trace_id,
            span_id,
            trace_state: String::new(),
            attributes,
            dropped_attributes_count: flags / 2,
            flags,
        },
    );
    let status = proptest::option::of(
        (".{0,9}", any::<i32>()).prop_map(|(message, code)| Status { message, code }),
    );
    (
        head,
        numbers,
        attributes(),
        vec(event, 0..3),
        vec(link, 0..3),
        status,
    )
        .prop_map(|(head, numbers, attributes, events, links, status)| Span {
            trace_id: head.0,
            span_id: head.1,
            parent_span_id: head.2,
            trace_state: head.3,
            name: head.4,
            kind: numbers.0,
            start_time_unix_nano: numbers.1,
            end_time_unix_nano: numbers.2,
            flags: numbers.3,
            dropped_attributes_count: numbers.4,
            dropped_events_count: numbers.4 / 3,
            dropped_links_count: numbers.3 / 3,
            attributes,
            events,
            links,
            status,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn valid_spans_read_as_prost_reads_them_and_json_is_the_same(span in any_span()) {
        let raw = span.encode_to_vec();
        let (batch, problems) = decode_protobuf(&request_of(std::slice::from_ref(&raw)));
        prop_assert_eq!(problems, []);
        let read = spans(&batch)[0];
        prop_assert_eq!(&read.span, &span);
        prop_assert_eq!(&read.raw, &raw);
        prop_assert_eq!(&Span::decode(raw.as_slice()).expect("prost"), &span);
        let scope = InstrumentationScope { name: "my.tracer".to_owned(), ..Default::default() };
        let json = to_json(&[SpanSource {
            resource: &Resource::default(),
            resource_schema_url: "",
            scope: &scope,
            scope_schema_url: "",
            span: &span,
        }]);
        prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok());
        let (again, problems) = decode_json(&json);
        prop_assert_eq!(problems, []);
        prop_assert_eq!(&again, &batch);
    }

    #[test]
    fn a_split_span_joins_to_the_same_bytes(span in any_span(), shuffle in any::<u64>()) {
        let raw = span.encode_to_vec();
        let (attributes, rest) = record::split(&raw);
        prop_assert_eq!(record::join(&attributes, &rest), raw.clone());
        let small: Vec<_> = record::scan(&attributes).collect();
        let expected: Vec<_> = span
            .attributes
            .iter()
            .filter(|attribute| attribute.encoded_len() <= 256)
            .filter_map(|attribute| {
                let value = attribute.value.as_ref().and_then(|value| value.value.clone());
                let structured = matches!(
                    value,
                    Some(Value::ArrayValue(_) | Value::KvlistValue(_) | Value::BytesValue(_))
                );
                (!structured).then(|| (attribute.key.as_str().into(), value))
            })
            .collect();
        prop_assert_eq!(small, expected);

        // Fields in another order, as a sender may write them: nothing is lost, attributes keep their order.
        let mut fields = Vec::new();
        let mut walk = wire::Fields::new(&raw);
        while let Some(field) = walk.next().expect("well formed") {
            fields.push(field.raw.to_vec());
        }
        let mut seed = shuffle;
        for index in (1..fields.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            fields.swap(index, (seed >> 33) as usize % (index + 1));
        }
        let turned = fields.concat();
        let (attributes, rest) = record::split(&turned);
        let joined = record::join(&attributes, &rest);
        prop_assert_eq!(joined.len(), turned.len());
        prop_assert_eq!(decode_span(&joined), decode_span(&turned));
    }

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..600)) {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
                let _any_answer = decode(signal, encoding, &bytes, &Limits::default());
            }
        }
        if let Ok((span, _)) = decode_span(&bytes) {
            prop_assert_eq!(decode_span(&span.encode_to_vec()).expect("canonical").0.encode_to_vec(), span.encode_to_vec());
        }
        let (attributes, rest) = record::split(&bytes);
        let _no_panic = record::join(&attributes, &rest);
        let _no_panic = record::join(&bytes, &bytes);
        let _any_number = record::scan(&bytes).count();
    }

    #[test]
    fn a_changed_byte_never_panics_and_what_is_accepted_reads_back(
        span in any_span(),
        place in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = request_of(&[span.encode_to_vec(), good_span("good").encode_to_vec()]);
        let place = place.index(body.len());
        body[place] = byte;
        if let Ok((batch, _)) = decode(Signal::Traces, Encoding::Protobuf, &body, &Limits::default()) {
            for span in spans(&batch) {
                let (again, repaired) = decode_span(&span.raw).expect("stored");
                prop_assert_eq!(again.encode_to_vec(), span.span.encode_to_vec());
                prop_assert_eq!(repaired, span.repaired);
            }
        }
        let mut json = json_of(&json_span(
            r#","name":"a\u00e9","attributes":[{"key":"k","value":{"arrayValue":{"values":[{"intValue":"5"}]}}}]"#,
        ))
        .into_bytes();
        let place = place % json.len();
        json[place] = byte;
        if let Ok((batch, _)) = decode(Signal::Traces, Encoding::Json, &json, &Limits::default()) {
            for span in spans(&batch) {
                prop_assert_eq!(&decode_span(&span.raw).expect("stored").0, &span.span);
            }
        }
    }
}

#[test]
fn hashes_tell_content_resource_and_scope_apart() {
    let hash = |body: &str| spans(&decode_json(body).0)[0].hash;
    let usual = json_of(&json_span(""));
    assert_eq!(hash(&usual), hash(&usual.replace("\"resource\":{},", "")));
    assert_ne!(hash(&usual), hash(&json_of(&json_span(r#","name":"a""#))));
    assert_ne!(hash(&usual), hash(&usual.replace("my.tracer", "other")));
    let resource = r#""resource":{"attributes":[{"key":"a"}]}"#;
    assert_ne!(
        hash(&usual),
        hash(&usual.replace(r#""resource":{}"#, resource))
    );
}
