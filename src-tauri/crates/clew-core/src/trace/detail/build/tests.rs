use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Status;
use std::sync::Arc;

use super::*;
use crate::convention::facts;
use crate::model::MediaView;

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Value::StringValue(text.to_owned()))
}

fn around() -> Surroundings<'static> {
    Surroundings {
        trace_id: TraceId::from_bytes(&[1; 16]).expect("valid"),
        span_id: SpanId::from_bytes(&[2; 8]).expect("valid"),
        parent: None,
        flags: 0,
        skew_nanos: None,
        served: Served::Unseen,
        named: None,
        repaired: false,
        variants: Vec::new(),
        earlier: &[],
        findings: Vec::new(),
        overrides: Arc::default(),
    }
}

fn shown(span: &Span, around: Surroundings<'_>) -> SpanDetail {
    let (resource, scope) = (Resource::default(), InstrumentationScope::default());
    let view = SpanView {
        span,
        resource: &resource,
        scope: &scope,
        logs: &[],
    };
    detail(&view, &facts(&view), around)
}

#[test]
fn long_values_are_cut_between_characters_and_keep_their_size() {
    let long = "é".repeat(40_000);
    let span = Span {
        attributes: vec![text("a", &format!("x{long}"))],
        ..Span::default()
    };
    let row = &shown(&span, around()).attributes[0];
    assert_eq!((row.size, row.value.len()), (80_001, 65_535));
}

#[test]
fn at_most_a_thousand_attributes_are_listed_and_all_are_counted() {
    let span = Span {
        attributes: (0..1_200).map(|n| text(&format!("k{n}"), "v")).collect(),
        ..Span::default()
    };
    let shown = shown(&span, around());
    assert_eq!(
        (shown.attributes.len(), shown.attribute_count),
        (1_000, 1_200)
    );
}

#[test]
fn oddities_are_told_in_sentences() {
    let span = Span {
        kind: 99,
        status: Some(Status {
            code: 7,
            message: String::new(),
        }),
        start_time_unix_nano: 500,
        end_time_unix_nano: 100,
        dropped_attributes_count: 2,
        attributes: vec![
            text("gen_ai.input.messages", "[{\"role\":\"user\",\"par"),
            text("k", "1"),
            text("k", "2"),
        ],
        ..Span::default()
    };
    let place = Surroundings {
        parent: SpanId::from_bytes(&[9; 8]).ok(),
        flags: flag::ORPHAN | flag::CYCLE,
        skew_nanos: Some(62_307_000),
        repaired: true,
        ..around()
    };
    let shown = shown(&span, place);
    let told = shown.problems.join("\n");
    for expected in [
        "ends 400 ns before it starts",
        "parent 0909090909090909 has not arrived",
        "lead back to itself",
        "starts 62 ms before its parent, so their clocks differ",
        "not UTF-8",
        "dropped 2 attributes",
        "gen_ai.input.messages breaks off",
        "1 attribute of a key stated before",
        "kind 99",
        "status 7",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert_eq!(
        (shown.kind.as_str(), shown.status, shown.duration_nanos),
        ("unknown (99)", 0, Some(0))
    );
    // The broken JSON is still shown, as the text that it is.
    assert_eq!(
        shown.input[0].parts,
        [Part::Text {
            text: "[{\"role\":\"user\",\"par".to_owned()
        }]
    );
}

#[test]
fn messages_that_an_earlier_call_sent_or_got_are_counted_as_reused() {
    let message = |role: &str, text: &str| Message {
        role: role.to_owned(),
        parts: vec![Part::Text {
            text: text.to_owned(),
        }],
        ..Message::default()
    };
    let mut answer = message("assistant", "hello");
    answer.finish_reason = Some("stop".to_owned());
    let earlier = [message("user", "hi"), answer];
    let input = [
        message("user", "hi"),
        message("assistant", "hello"),
        message("user", "more"),
        message("user", "hi"),
    ];
    assert_eq!(reused(&input, &earlier), 2);
    assert_eq!(reused(&input, &[]), 0);
}

#[test]
fn what_is_reused_has_its_size_in_tokens_where_these_can_be_counted() {
    let asked = |model: &str| {
        let messages = r#"[{"role":"user","parts":[{"type":"text","content":"hello world"}]},
            {"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"find","arguments":"{}"}]},
            {"role":"user","parts":[{"type":"text","content":"more"}]}]"#;
        Span {
            attributes: vec![
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.request.model", model),
                text("gen_ai.input.messages", messages),
            ],
            ..Span::default()
        }
    };
    let first = shown(&asked("gpt-4o"), around());
    assert_eq!((first.reused, first.fresh, first.reused_size), (0, 3, None));
    let earlier = &first.input[..2];
    let again = |model: &str| {
        let shown = shown(
            &asked(model),
            Surroundings {
                earlier,
                ..around()
            },
        );
        assert_eq!((shown.reused, shown.fresh), (2, 1));
        shown.reused_size.expect("something is reused")
    };
    // user, hello, world; assistant, find, {}; and three around each of the two.
    let known = again("gpt-4o");
    assert_eq!((known.tokens, known.characters), (Some(12), 17));
    assert_eq!(again("claude-sonnet-4-5").tokens, None);
}

#[test]
fn a_call_that_names_no_model_has_that_of_the_span_above_and_is_counted_by_it() {
    let chat = |model: Option<&str>| Span {
        attributes: [
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.input.messages", HELLO),
        ]
        .into_iter()
        .chain(model.map(|model| text("gen_ai.request.model", model)))
        .collect(),
        ..Span::default()
    };
    let earlier = shown(&chat(None), around()).input;
    let named = NamedAbove {
        model: "gpt-4o".to_owned(),
        provider: Some("azure.openai".to_owned()),
        by: SpanId::from_bytes(&[9; 8]).expect("valid"),
    };
    let below = || Surroundings {
        named: Some(named.clone()),
        earlier: &earlier,
        ..around()
    };
    let bare = shown(&chat(None), below());
    assert_eq!(bare.model.as_deref(), Some("gpt-4o"));
    assert_eq!(bare.provider.as_deref(), Some("azure.openai"));
    assert_eq!(bare.model_from.as_deref(), Some("0909090909090909"));
    // user, hello, world; and three around.
    assert_eq!(bare.reused_size.and_then(|size| size.tokens), Some(6));
    let own = shown(&chat(Some("claude-sonnet-4-5")), below());
    assert_eq!(own.model.as_deref(), Some("claude-sonnet-4-5"));
    assert_eq!(
        (own.model_from, own.provider),
        (None, Some("anthropic".to_owned()))
    );
}

/// A question of two words, as instrumentations send it.
const HELLO: &str = r#"[{"role":"user","parts":[{"type":"text","content":"hello world"}]}]"#;

#[test]
fn times_from_nothing_to_the_end_of_u64_do_no_harm() {
    for (start, end) in [
        (0, 0),
        (u64::MAX, 0),
        (0, u64::MAX),
        (u64::MAX, u64::MAX),
        (u64::MAX, 1),
    ] {
        let span = Span {
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            events: vec![
                Event {
                    time_unix_nano: u64::MAX,
                    ..Event::default()
                },
                Event::default(),
            ],
            ..Span::default()
        };
        let shown = shown(&span, around());
        assert_eq!(shown.start_nanos, start.to_string());
        assert!(
            shown
                .events
                .iter()
                .all(|event| event.offset_nanos.is_finite())
        );
    }
}

/// A call of ten output tokens that took two seconds.
fn timed(more: Vec<KeyValue>) -> Span {
    let mut attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.request.model", "gpt-4o"),
        attribute("gen_ai.usage.input_tokens", Value::IntValue(100)),
        attribute("gen_ai.usage.output_tokens", Value::IntValue(10)),
    ];
    attributes.extend(more);
    Span {
        start_time_unix_nano: 1_000_000_000,
        end_time_unix_nano: 3_000_000_000,
        attributes,
        ..Span::default()
    }
}

fn first_chunk(seconds: f64) -> Vec<KeyValue> {
    let key = "gen_ai.response.time_to_first_chunk";
    vec![attribute(key, Value::DoubleValue(seconds))]
}

#[test]
fn a_first_token_that_cannot_be_is_told_and_not_shown() {
    let possible = shown(&timed(first_chunk(0.4)), around());
    assert_eq!(possible.ttft_nanos, Some(400_000_000));
    assert_eq!(possible.tokens_per_second, Some(6.25));
    assert_eq!(possible.problems, Vec::<String>::new());

    let late = shown(&timed(first_chunk(2.5)), around());
    assert_eq!(late.ttft_nanos, None);
    assert_eq!(late.tokens_per_second, Some(5.0), "over the whole call");
    assert!(
        late.problems[0].contains("2.50 s to the first token, and the span took 2.00 s"),
        "{:?}",
        late.problems
    );

    let mut backward = timed(first_chunk(0.4));
    backward.end_time_unix_nano = 500_000_000;
    let backward = shown(&backward, around());
    assert_eq!(backward.ttft_nanos, None);
    let told = backward.problems.join("\n");
    assert!(
        told.contains("to the first token, and the span ends before it starts"),
        "{told}"
    );

    let negative = shown(&timed(first_chunk(-1.0)), around());
    assert_eq!(negative.ttft_nanos, None);
    assert!(
        negative.problems[0].contains("gen_ai.response.time_to_first_chunk")
            && negative.problems[0].contains("negative"),
        "{:?}",
        negative.problems
    );
}

#[test]
fn embedded_pictures_are_told_of_by_their_beginning() {
    let messages = r#"[{"role":"user","parts":[{"type":"blob","mime_type":"image/png","modality":"image",
        "content":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="}]}]"#;
    let span = Span {
        attributes: vec![text("gen_ai.input.messages", messages)],
        ..Span::default()
    };
    let shown = shown(&span, around());
    let Part::Media {
        embedded: Some(found),
        ..
    } = &shown.input[0].parts[0]
    else {
        panic!("{:?}", shown.input);
    };
    assert_eq!(
        (found.bytes, found.width, found.height),
        (Some(70), Some(1), Some(1))
    );
    assert_eq!(found.view, Some(MediaView::Picture));
}

#[test]
fn a_part_that_was_not_looked_into_says_nothing_of_it() {
    let part = Part::Media {
        modality: "image".to_owned(),
        mime_type: None,
        uri: None,
        data: None,
        embedded: None,
    };
    let written = serde_json::to_value(&part).expect("JSON");
    assert_eq!(written.get("embedded"), None);
    assert_eq!(
        serde_json::from_value::<Part>(written).expect("a part"),
        part
    );
}

#[test]
fn only_what_others_can_tell_of_is_asked_for() {
    let of = |attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(key, value)| text(key, value));
        let span = Span {
            attributes: attributes.collect(),
            ..Span::default()
        };
        shown(&span, around()).referable
    };
    assert!(!of(&[]));
    assert!(!of(&[
        ("gen_ai.operation.name", "execute_tool"),
        ("output.value", "kb/a.md")
    ]));
    assert!(of(&[("http.response.header.x-request-id", "req_7")]));
    assert!(of(&[
        ("openinference.span.kind", "LLM"),
        ("output.value", "kb/a.md")
    ]));
    assert!(of(&[
        ("openinference.span.kind", "RETRIEVER"),
        ("retrieval.documents.0.document.id", "kb/a.md"),
    ]));
}
