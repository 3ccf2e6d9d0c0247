//! Odd values from the socket to the copy: stored exact, shown in parts, never fatal (reliability B3-B7, B21-B23).

use clew_core::otlp::{Encoding, Limits, Signal};
use clew_tests::otlp::{attribute, call, hex, number, span, text, traces};
use clew_tests::{Rig, recorded};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    exponential_histogram_data_point::Buckets, metric, number_data_point,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

/// Sends a span, and reads it back from the copy of its trace as OTLP JSON.
async fn copied(rig: &Rig, sent: &Span) -> Span {
    rig.take(Signal::Traces, &traces(vec![sent.clone()])).await;
    let id = u128::from_be_bytes(sent.trace_id[..].try_into().expect("16 bytes"));
    let copy = json!({"traceId": hex(id), "format": "otlpJson"});
    let text = rig.call("copy_trace", copy).await["text"].clone();
    let json = text.as_str().expect("text").as_bytes();
    let decoded = clew_core::otlp::decode(Signal::Traces, Encoding::Json, json, &Limits::default());
    let (batch, problems) = decoded.expect("whole");
    assert_eq!(problems, []);
    batch.spans[0].items[0].span.clone()
}

async fn detail(rig: &Rig, trace: u128) -> Value {
    let params = json!({"traceId": hex(trace), "spanId": "0000000000000001"});
    rig.call("get_span", params).await
}

fn is_repaired(shown: &Value) -> bool {
    shown.to_string().contains("was repaired")
}

/// Reliability B6.
#[tokio::test]
async fn every_value_is_copied_bit_for_bit() {
    let naughty = std::fs::read(recorded::path("hostile/blns/blns.json")).expect("a fixture");
    let naughty: Vec<String> = serde_json::from_slice(&naughty).expect("JSON");
    let rig = Rig::start().await;
    let mut odd = span(1, 1, 0, "a\u{0}b\u{202e}c\u{200d}d");
    let values = [
        Any::DoubleValue(f64::NAN),
        Any::DoubleValue(f64::INFINITY),
        Any::DoubleValue(f64::NEG_INFINITY),
        Any::DoubleValue(-0.0),
        Any::DoubleValue(f64::from_bits(1)),
        Any::DoubleValue(f64::MAX),
        Any::DoubleValue(0.1 + 0.2),
        Any::IntValue(i64::MAX),
        Any::IntValue(i64::MIN),
        Any::IntValue((1 << 53) + 1),
        Any::StringValue("x".repeat(1 << 20)),
        Any::StringValue(String::new()),
        Any::BytesValue((0..=255).collect()),
        Any::ArrayValue(ArrayValue {
            values: vec![
                AnyValue { value: None },
                AnyValue {
                    value: Some(Any::BoolValue(false)),
                },
            ],
        }),
    ];
    odd.attributes = values
        .into_iter()
        .enumerate()
        .map(|(at, value)| attribute(&format!("odd.{at}"), value))
        .chain(naughty.iter().map(|one| text(one, one)))
        .collect();
    let read = copied(&rig, &odd).await;
    // As bytes: a NaN equals nothing, and zero equals its negative.
    assert!(read.encode_to_vec() == odd.encode_to_vec(), "{read:?}");
    rig.settle().await;
    let shown = detail(&rig, 1).await;
    assert_eq!(shown["name"], odd.name);
    let rows = shown["attributes"].as_array().expect("attributes");
    for (at, value) in [
        (0, "NaN"),
        (1, "Infinity"),
        (2, "-Infinity"),
        (7, "9223372036854775807"),
        (8, "-9223372036854775808"),
        (9, "9007199254740993"),
    ] {
        assert_eq!(rows[at]["value"], value, "never by way of a double");
    }
    assert_eq!(rows[10]["size"], 1 << 20);
    assert_eq!(rows[10]["value"].as_str().map(str::len), Some(64 * 1024));
    for (row, sent) in rows.iter().zip(&odd.attributes) {
        assert_eq!(row["key"], sent.key);
    }
    // Found by its name as it stands.
    assert_eq!(rig.list(json!({"text": odd.name})).await.len(), 1);
}

/// Reliability B7.
#[tokio::test]
async fn attributes_are_kept_all_in_order_and_the_first_thousand_shown() {
    let rig = Rig::start().await;
    let mut many = span(1, 1, 0, "many");
    many.attributes = (0..10_000)
        .map(|at| number(&format!("key {}", at % 5_000), at))
        .chain([
            text("", "an empty key"),
            text("twice", "first"),
            text("twice", "last"),
        ])
        .collect();
    let read = copied(&rig, &many).await;
    assert!(read == many, "in order, and nothing twice or lost");
    rig.settle().await;
    let shown = detail(&rig, 1).await;
    assert_eq!(shown["attributes"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(shown["attributeCount"], 10_003);
    let last = json!({"span": {"traceId": hex(1), "spanId": "0000000000000001"}, "index": 10_002});
    assert_eq!(rig.call("get_attribute", last).await["text"], "last");

    let mut long = span(2, 1, 0, "long");
    long.attributes = vec![text(&"k".repeat(1 << 20), "v")];
    let request = traces(vec![long]);
    let (batch, problems) = clew_core::otlp::decode(
        Signal::Traces,
        Encoding::Protobuf,
        &request,
        &Limits::default(),
    )
    .expect("decodes");
    assert_eq!(problems.len(), 1, "{problems:?}");
    let ingest = rig.engine.ingest().expect("the engine writes");
    assert_eq!(ingest.commit(0, batch).await.expect("taken").spans, 1);
    rig.settle().await;
    let shown = detail(&rig, 2).await;
    let key = shown["attributes"][0]["key"].as_str().expect("a key");
    assert_eq!(key.len(), 64 * 1024);
    assert!(is_repaired(&shown), "it says so: {shown}");
}

/// What is no UTF-8 is shown repaired, and says so; different bytes stay different spans (B4).
#[tokio::test]
async fn what_is_no_text_is_shown_repaired() {
    let rig = Rig::start().await;
    let mut requests = Vec::new();
    for byte in [0xfe_u8, 0xff] {
        let request = traces(vec![span(1, 1, 0, "a~b")]);
        let place = request
            .windows(3)
            .position(|part| part == b"a~b")
            .expect("there")
            + 1;
        let mut request = request;
        request[place] = byte;
        requests.push(request);
    }
    for request in &requests {
        let (batch, problems) = clew_core::otlp::decode(
            Signal::Traces,
            Encoding::Protobuf,
            request,
            &Limits::default(),
        )
        .expect("decodes");
        assert!(problems.len() == 1 && !problems[0].rejected, "{problems:?}");
        let ingest = rig.engine.ingest().expect("the engine writes");
        assert_eq!(ingest.commit(0, batch).await.expect("taken").spans, 1);
    }
    rig.settle().await;
    let shown = detail(&rig, 1).await;
    assert_eq!(shown["name"], "a\u{fffd}b");
    assert!(is_repaired(&shown), "{shown}");
    assert_eq!(shown["variants"].as_array().map(Vec::len), Some(2));
}

/// Whatever stands for a figure or a conversation: sums are finite, and what cannot be read stays text (B21, B22).
#[tokio::test]
async fn figures_and_conversations_of_any_kind_do_no_harm() {
    let rig = Rig::start().await;
    let figures = [
        Any::IntValue(-5),
        Any::IntValue(i64::MAX),
        Any::StringValue("12".to_owned()),
        Any::StringValue("twelve".to_owned()),
        Any::DoubleValue(12.0),
        Any::DoubleValue(12.5),
        Any::DoubleValue(1e308),
        Any::DoubleValue(f64::NAN),
        Any::DoubleValue(f64::INFINITY),
        Any::BoolValue(true),
    ];
    for (trace, figure) in (1_u128..).zip(figures) {
        let mut one = call(trace, 1, 0, "question", "answer");
        one.attributes
            .retain(|stated| !stated.key.contains("tokens"));
        for key in [
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "llm.cost.usd",
        ] {
            one.attributes.push(attribute(key, figure.clone()));
        }
        rig.take(Signal::Traces, &traces(vec![one])).await;
    }
    let mut nested = json!("the innermost words");
    for _ in 0..10 {
        nested = json!(json!([{"role": "user", "content": nested}]).to_string());
    }
    let conversations = [
        "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"cut off",
        "[",
        "null",
        "[[[[]]]]",
        "{\"role\":{}}",
        nested.as_str().expect("text"),
    ];
    for (trace, conversation) in (101_u128..).zip(conversations) {
        let mut one = call(trace, 1, 0, "", "");
        one.attributes.truncate(2);
        one.attributes
            .push(text("gen_ai.input.messages", conversation));
        assert!(copied(&rig, &one).await == one, "{conversation}");
    }
    // A whole array of brackets, deeper than any stack.
    let mut deep = call(200, 1, 0, "", "");
    deep.attributes
        .push(text("gen_ai.input.messages", &"[".repeat(1 << 20)));
    rig.take(Signal::Traces, &traces(vec![deep])).await;
    rig.settle().await;
    for row in rig.list(json!({"limit": 500})).await {
        for figure in ["inputTokens", "outputTokens", "costUsd"] {
            let figure = &row[figure];
            assert!(
                figure.is_null()
                    || figure
                        .as_f64()
                        .is_some_and(|number| number >= 0.0 && number.is_finite()),
                "{row}"
            );
        }
        let id = row["traceId"].as_str().expect("an id");
        let trace = u128::from_str_radix(id, 16).expect("hex");
        let shown = detail(&rig, trace).await;
        assert!(
            shown["input"].is_array() || shown["input"].is_null(),
            "{shown}"
        );
    }
    assert_eq!(rig.list(json!({"limit": 500})).await.len(), 17);
    let totals = rig.call("summarise_traces", json!({})).await;
    assert!(totals["tokens"].as_u64() >= Some(24), "{totals}");
    assert!(
        totals["costUsd"].as_f64().is_some_and(f64::is_finite),
        "{totals}"
    );
    let found = rig.list(json!({"text": "\"cut off\""})).await;
    assert_eq!(found.len(), 1, "what is no JSON is still text");
}

fn point(time: u64, start: u64, value: i64) -> NumberDataPoint {
    NumberDataPoint {
        time_unix_nano: time,
        start_time_unix_nano: start,
        value: Some(number_data_point::Value::AsInt(value)),
        ..NumberDataPoint::default()
    }
}

/// Metrics of every kind at their edges are kept point by point (B23).
#[tokio::test]
async fn metrics_at_their_edges_are_kept() {
    let sum = |temporality: i32, data_points| {
        metric::Data::Sum(Sum {
            data_points,
            aggregation_temporality: temporality,
            is_monotonic: true,
        })
    };
    let exponential = |scale: i32| ExponentialHistogramDataPoint {
        time_unix_nano: scale.unsigned_abs().into(),
        scale,
        count: u64::MAX,
        sum: Some(f64::NAN),
        zero_count: u64::MAX,
        positive: Some(Buckets {
            offset: i32::MAX,
            bucket_counts: vec![u64::MAX; 160],
        }),
        negative: Some(Buckets {
            offset: i32::MIN,
            bucket_counts: vec![],
        }),
        ..ExponentialHistogramDataPoint::default()
    };
    let kinds: Vec<(&str, u64, Option<metric::Data>)> = vec![
        ("nothing", 0, None),
        (
            "no points",
            0,
            Some(metric::Data::Gauge(Gauge {
                data_points: vec![],
            })),
        ),
        // A counter that starts again: less than before, and a new start.
        (
            "reset",
            3,
            Some(sum(
                2,
                vec![point(10, 1, 100), point(20, 1, 200), point(30, 25, 3)],
            )),
        ),
        (
            "delta",
            2,
            Some(sum(1, vec![point(10, 1, 100), point(20, 10, 5)])),
        ),
        // The same counter the other way.
        (
            "delta",
            2,
            Some(sum(2, vec![point(10, 1, 100), point(20, 1, 105)])),
        ),
        (
            "no such temporality",
            1,
            Some(sum(99, vec![point(u64::MAX, u64::MAX, i64::MIN)])),
        ),
        (
            "many buckets",
            1,
            Some(metric::Data::Histogram(Histogram {
                data_points: vec![HistogramDataPoint {
                    count: u64::MAX,
                    sum: Some(f64::INFINITY),
                    bucket_counts: vec![u64::MAX; 10_000],
                    // One bound too few, and none in order.
                    explicit_bounds: (0..9_000).map(|bound| f64::from(-bound)).collect(),
                    ..HistogramDataPoint::default()
                }],
                aggregation_temporality: 2,
            })),
        ),
        (
            "exponential",
            3,
            Some(metric::Data::ExponentialHistogram(ExponentialHistogram {
                data_points: vec![exponential(20), exponential(-20), exponential(i32::MAX)],
                aggregation_temporality: 1,
            })),
        ),
        (
            "no quantiles",
            0,
            Some(metric::Data::Summary(Summary {
                data_points: vec![],
            })),
        ),
    ];
    let points: u64 = kinds.iter().map(|kind| kind.1).sum();
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            scope_metrics: vec![ScopeMetrics {
                metrics: kinds
                    .into_iter()
                    .map(|(name, _, data)| Metric {
                        name: name.to_owned(),
                        data,
                        ..Metric::default()
                    })
                    .collect(),
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
    .encode_to_vec();
    let rig = Rig::start().await;
    assert_eq!(rig.take(Signal::Metrics, &request).await.points, points);
    assert_eq!(rig.take(Signal::Metrics, &request).await.points, 0);
    assert_eq!(rig.rows("points"), i64::try_from(points).expect("few"));
    // One series a set of attributes, however many of them.
    let many = (0..10_001).map(|at| NumberDataPoint {
        attributes: vec![KeyValue {
            key: "user".to_owned(),
            value: Some(AnyValue {
                value: Some(Any::IntValue(at)),
            }),
            ..KeyValue::default()
        }],
        ..point(1, 1, at)
    });
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![Metric {
                    name: "one for each user".to_owned(),
                    data: Some(metric::Data::Gauge(Gauge {
                        data_points: many.collect(),
                    })),
                    ..Metric::default()
                }],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
    .encode_to_vec();
    assert_eq!(rig.take(Signal::Metrics, &request).await.points, 10_001);
    let storage = rig.call("get_storage", json!({})).await;
    assert_eq!(storage["points"], points + 10_001);
}
