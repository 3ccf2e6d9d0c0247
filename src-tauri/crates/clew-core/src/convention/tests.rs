mod coding;
mod dialects;
pub(crate) mod recorded;

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use self::recorded::{Recorded, folders, recorded};
use super::*;
use crate::model::{Operation, Stated};

/// One snapshot a folder: a new recording is a new test without code.
#[test]
fn recorded_spans_state_these_facts() {
    for folder in folders() {
        let mut spans: Vec<Json> = recorded(&folder).iter().map(golden).collect();
        if spans.len() > MANY {
            spans.retain(says_something);
        }
        insta::with_settings!({ prepend_module_to_snapshot => false }, {
            insta::assert_json_snapshot!(folder, spans);
        });
    }
}

/// More spans than this are a program's own housekeeping for the most part.
const MANY: usize = 100;

/// Whether more is told of a span than that it is none of those which count.
fn says_something(golden: &Json) -> bool {
    let told = golden["facts"].as_object().into_iter().flatten();
    let mut told = told.filter(|(fact, _)| !matches!(fact.as_str(), "dialect" | "operation"));
    told.next().is_some() || golden["facts"]["operation"]["value"] != "other"
}

/// Facts of a span without what is not stated; long texts cut, as the recording has them whole.
fn golden(recorded: &Recorded) -> Json {
    let mut facts = serde_json::to_value(facts(&recorded.view())).expect("facts are JSON");
    shorten(&mut facts);
    // The same on every span of a scope: its name and version are enough.
    if let Some(dialect) = facts.pointer_mut("/dialect") {
        let stated = |name: &str| {
            dialect["value"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let told = format!("{} {}", stated("title"), stated("version"));
        *dialect = Json::from(told.trim());
    }
    json!({
        "span": recorded.span.name,
        "scope": recorded.scope.name,
        "facts": facts,
    })
}

fn shorten(json: &mut Json) {
    match json {
        Json::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(shorten);
        }
        Json::Array(items) => items.iter_mut().for_each(shorten),
        Json::String(text) if text.chars().count() > 160 => {
            let head: String = text.chars().take(120).collect();
            *text = format!("{head}… ({} bytes)", text.len());
        }
        _ => {}
    }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Looks at a span that has these attributes and nothing else.
pub(crate) fn with_attributes<T>(attributes: &[(&str, Value)], look: impl Fn(&SpanView) -> T) -> T {
    let attributes = attributes.iter();
    let span = Span {
        attributes: attributes
            .map(|(key, value)| attribute(key, value.clone()))
            .collect(),
        ..Span::default()
    };
    look(&SpanView {
        span: &span,
        resource: &Resource::default(),
        scope: &InstrumentationScope::default(),
        logs: &[],
    })
}

fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Value::StringValue(text.to_owned()))
}

fn int(key: &str, number: i64) -> KeyValue {
    attribute(key, Value::IntValue(number))
}

fn of_span(span: Span) -> Facts {
    let recorded = Recorded {
        span,
        resource: Resource::default(),
        scope: InstrumentationScope::default(),
        logs: Vec::new(),
    };
    facts(&recorded.view())
}

fn of(attributes: Vec<KeyValue>) -> Facts {
    of_span(Span {
        attributes,
        ..Span::default()
    })
}

fn value<T: Clone>(stated: &Option<Stated<T>>) -> Option<T> {
    stated.as_ref().map(|stated| stated.value.clone())
}

#[test]
fn every_convention_has_a_name_of_its_own() {
    let ids: BTreeSet<&str> = CONVENTIONS
        .iter()
        .map(|convention| convention.id())
        .collect();
    assert_eq!(ids.len(), CONVENTIONS.len());
    assert!(
        CONVENTIONS
            .iter()
            .all(|convention| !convention.title().is_empty())
    );
}

#[test]
fn a_fact_names_who_stated_it_and_the_first_wins() {
    let facts = of(vec![
        text("llm.model", "from the seeds"),
        text("gen_ai.request.model", "gpt-4o"),
        int("llm.prompt_tokens", 9),
        int("gen_ai.usage.prompt_tokens", 8),
    ]);
    assert_eq!(
        facts.request_model,
        Some(Stated::new(
            "gpt-4o".to_owned(),
            "otel_genai",
            "gen_ai.request.model"
        ))
    );
    let usage = facts.usage.expect("stated");
    assert_eq!(
        (usage.value.input, usage.key.as_str()),
        (Some(8), "gen_ai.usage.prompt_tokens")
    );
}

#[test]
fn cached_tokens_are_part_of_the_input_whatever_the_source_thinks() {
    for (stated, input) in [
        // Inclusive, as the convention says.
        (
            vec![
                int("gen_ai.usage.input_tokens", 145),
                int("gen_ai.usage.cache_read.input_tokens", 72),
            ],
            145,
        ),
        // More cached than there is: cached tokens are not in it.
        (
            vec![
                int("gen_ai.usage.input_tokens", 10),
                int("gen_ai.usage.cache_read_input_tokens", 72),
                int("gen_ai.usage.cache_creation_input_tokens", 5),
            ],
            87,
        ),
        // The stated total gives it away.
        (
            vec![
                int("gen_ai.usage.input_tokens", 100),
                int("gen_ai.usage.output_tokens", 10),
                int("gen_ai.usage.cache_read_input_tokens", 20),
                int("gen_ai.usage.total_tokens", 130),
            ],
            120,
        ),
        (
            vec![
                int("llm.token_count.prompt", 3),
                int("llm.token_count.prompt_details.cache_read", 4),
            ],
            7,
        ),
    ] {
        let facts = of(stated);
        assert_eq!(value(&facts.usage).expect("stated").input, Some(input));
    }
}

#[test]
fn counts_may_come_as_text_and_nonsense_is_not_stated() {
    let input = |value: Value| {
        of(vec![attribute("gen_ai.usage.input_tokens", value)])
            .usage
            .and_then(|usage| usage.value.input)
    };
    assert_eq!(input(Value::StringValue("12".to_owned())), Some(12));
    assert_eq!(input(Value::DoubleValue(12.0)), Some(12));
    for nonsense in [
        Value::IntValue(-1),
        Value::DoubleValue(1e308),
        Value::DoubleValue(f64::NAN),
        Value::StringValue("many".to_owned()),
        Value::BoolValue(true),
    ] {
        assert_eq!(input(nonsense.clone()), None, "{nonsense:?}");
    }
    let cost =
        |number: f64| of(vec![attribute("llm.cost.usd", Value::DoubleValue(number))]).cost_usd;
    assert!(cost(f64::INFINITY).is_none() && cost(-1.0).is_none());
}

#[test]
fn the_first_token_comes_in_seconds_milliseconds_and_events() {
    let ttft = |stated: KeyValue| value(&of(vec![stated]).ttft_nanos);
    let seconds = attribute(
        "gen_ai.response.time_to_first_chunk",
        Value::DoubleValue(0.25),
    );
    assert_eq!(ttft(seconds), Some(250_000_000));
    assert_eq!(
        ttft(int("gen_ai.server.time_to_first_token", 929)),
        Some(929_000_000)
    );
    let server = attribute("gen_ai.server.time_to_first_token", Value::DoubleValue(0.5));
    assert_eq!(ttft(server), Some(500_000_000));
    assert_eq!(
        ttft(int("llm.time_to_first_token_ms", 41)),
        Some(41_000_000)
    );
    assert_eq!(
        ttft(attribute(
            "gen_ai.response.time_to_first_chunk",
            Value::DoubleValue(-1.0)
        )),
        None
    );
    let streamed = |start: u64| {
        let chunks = [5_000, 3_000].into_iter().map(|time_unix_nano| Event {
            name: "gen_ai.content.completion.chunk".to_owned(),
            time_unix_nano,
            ..Event::default()
        });
        of_span(Span {
            start_time_unix_nano: start,
            events: chunks.collect(),
            ..Span::default()
        })
    };
    assert_eq!(value(&streamed(1_000).ttft_nanos), Some(2_000));
    // Less than a millisecond before the start is rounding, more cannot be.
    let rounded = streamed(1_002_999);
    assert_eq!(
        (value(&rounded.ttft_nanos), rounded.impossible),
        (Some(0), None)
    );
    let before = streamed(1_003_000);
    assert_eq!(value(&before.ttft_nanos), None);
    assert_eq!(
        value(&before.impossible),
        Some(vec!["gen_ai.content.completion.chunk".to_owned()])
    );
}

#[test]
fn spans_of_no_vocabulary_are_told_by_their_signs() {
    let named = |name: &str| {
        let span = Span {
            name: name.to_owned(),
            ..Span::default()
        };
        value(&of_span(span).operation)
    };
    assert_eq!(named("chat gpt-4o"), Some(Operation::Llm));
    assert_eq!(named("tool.calculator"), Some(Operation::Tool));
    assert_eq!(named("llm.route"), Some(Operation::Chain));
    assert_eq!(named("GET /chat"), None);
    assert_eq!(named("chatter"), None);
    let signed = |stated: Vec<KeyValue>| value(&of(stated).operation);
    assert_eq!(
        signed(vec![text("gen_ai.tool.name", "add")]),
        Some(Operation::Tool)
    );
    assert_eq!(
        signed(vec![text("gen_ai.agent.name", "bot")]),
        Some(Operation::Agent)
    );
    assert_eq!(
        signed(vec![
            text("gen_ai.agent.name", "bot"),
            text("gen_ai.request.model", "m")
        ]),
        Some(Operation::Llm)
    );
    assert_eq!(
        signed(vec![
            text("db.system", "qdrant"),
            text("db.operation", "search")
        ]),
        Some(Operation::Retriever)
    );
    assert_eq!(
        signed(vec![
            text("db.system", "qdrant"),
            text("db.operation", "upsert")
        ]),
        Some(Operation::Other)
    );
    assert_eq!(signed(vec![text("http.method", "GET")]), None);
}

#[test]
fn an_unknown_span_keeps_what_any_span_may_say() {
    let facts = of_span(Span {
        name: "checkout".to_owned(),
        attributes: vec![text("session.id", "s-1"), text("user.id", "amy")],
        status: Some(Status {
            code: 2,
            message: "card declined".to_owned(),
        }),
        ..Span::default()
    });
    assert_eq!(
        (
            value(&facts.session).as_deref(),
            value(&facts.user).as_deref()
        ),
        (Some("s-1"), Some("amy"))
    );
    assert_eq!(
        facts.error.and_then(|error| error.value.message).as_deref(),
        Some("card declined")
    );
    assert_eq!((facts.operation, facts.usage), (None, None));
}

#[test]
fn an_exception_that_the_span_survived_is_no_error() {
    let exception = Event {
        name: "exception".to_owned(),
        attributes: vec![
            text("exception.type", "Timeout"),
            text("exception.message", "slow"),
        ],
        ..Event::default()
    };
    let with_status = |code: i32| {
        let span = Span {
            events: vec![exception.clone()],
            status: Some(Status {
                code,
                message: String::new(),
            }),
            ..Span::default()
        };
        of_span(span).error.map(|error| error.value)
    };
    let error = with_status(2).expect("failed");
    assert_eq!(
        (error.kind.as_deref(), error.message.as_deref()),
        (Some("Timeout"), Some("slow"))
    );
    assert!(with_status(0).is_some());
    assert!(with_status(1).is_none());
}

#[test]
fn an_index_bomb_costs_nothing_and_its_neighbours_are_read() {
    let mut attributes: Vec<KeyValue> = vec![
        text("openinference.span.kind", "LLM"),
        text("llm.input_messages.0.message.role", "user"),
        text("llm.input_messages.0.message.content", "hello"),
        text("llm.input_messages.4294967295.message.content", "far"),
        text("llm.input_messages", "a value where a list should be"),
        text("llm.input_messages.0", "and another"),
        text(
            "llm.input_messages.99999999999999999999999.message.content",
            "too far",
        ),
    ];
    attributes.extend(
        (0..200_000_u64).map(|n| text(&format!("llm.output_messages.{}.x", n * 21_474), "x")),
    );
    attributes.push(text("llm.model_name", "gpt-4o"));
    let facts = of(attributes);
    let input = value(&facts.input).expect("messages");
    assert_eq!(input.len(), 2);
    assert_eq!(value(&facts.response_model).as_deref(), Some("gpt-4o"));
    assert!(facts.output.is_none());
}

#[test]
fn names_that_scripts_know_are_only_names() {
    let facts = of(vec![
        text("__proto__", "x"),
        text("gen_ai.operation.name", "execute_tool"),
        text("gen_ai.tool.name", "__proto__"),
        text("gen_ai.prompt.variable.constructor", "y"),
        text("gen_ai.request.model", "toString"),
    ]);
    assert_eq!(value(&facts.display_name).as_deref(), Some("__proto__"));
    assert_eq!(value(&facts.request_model).as_deref(), Some("toString"));
}

fn any_value() -> impl Strategy<Value = Value> {
    let json = prop_oneof![
        Just(r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#.to_owned()),
        Just(
            r#"[{"role":"user","content":[{"type":"tool_use"},{"toolUse":null},3,null]}]"#
                .to_owned()
        ),
        Just(r#"{"messages":{"a":[1]},"choices":[[{"message":3}]],"input":[[]]}"#.to_owned()),
        Just(r#"[{"kwargs":{"content":{}}},{"data":{"content":[]}}]"#.to_owned()),
        Just("[".repeat(5_000)),
        Just(format!("{}1{}", r#"{"a":"#.repeat(60), "}".repeat(60))),
    ];
    let leaf = prop_oneof![
        ".{0,40}".prop_map(Value::StringValue),
        (json, 0_usize..80).prop_map(|(json, cut)| {
            let end = json.floor_char_boundary(json.len().saturating_sub(cut));
            Value::StringValue(json[..end].to_owned())
        }),
        any::<i64>().prop_map(Value::IntValue),
        any::<f64>().prop_map(Value::DoubleValue),
        any::<bool>().prop_map(Value::BoolValue),
        prop::collection::vec(any::<u8>(), 0..8).prop_map(Value::BytesValue),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let entries = prop::collection::vec(
            ("(role|content|parts|type|id|name|text|[a-z]{1,4})", inner),
            0..5,
        );
        prop_oneof![
            list.prop_map(|values| Value::ArrayValue(ArrayValue {
                values: values
                    .into_iter()
                    .map(|value| AnyValue { value: Some(value) })
                    .collect(),
            })),
            entries.prop_map(|entries| Value::KvlistValue(KeyValueList {
                values: entries
                    .into_iter()
                    .map(|(key, value)| attribute(&key, value))
                    .collect(),
            })),
        ]
    })
}

const KEYS: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt",
    "gen_ai.completion.0.message",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.total_tokens",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.retrieval.documents",
    "gen_ai.operation.name",
    "openinference.span.kind",
    "llm.input_messages.0.message.contents.0.message_content.text",
    "llm.invocation_parameters",
    "input.value",
    "output.value",
    "metadata",
    "llm.tools.0.tool.json_schema",
    "retrieval.documents.0.document.score",
    "llm.cost.usd",
    "gen_ai.event.content",
    "exception.type",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_a_span_says_its_facts_are_sane(
        stated in prop::collection::vec((prop::sample::select(KEYS), any_value()), 0..8),
        event in prop::sample::select(vec!["gen_ai.choice", "gen_ai.tool.message", "gen_ai.client.inference.operation.details", "exception", "gen_ai.content.prompt"]),
        status in any::<i32>(),
        start in any::<u64>(),
        at in any::<u64>(),
    ) {
        let attributes: Vec<KeyValue> = stated.into_iter().map(|(key, value)| attribute(key, value)).collect();
        let body = attributes.first().and_then(|first| first.value.clone());
        let recorded = Recorded {
            span: Span {
                attributes: attributes.clone(),
                start_time_unix_nano: start,
                events: vec![Event { name: event.to_owned(), time_unix_nano: at, attributes: attributes.clone(), ..Event::default() }],
                status: Some(Status { code: status, message: String::new() }),
                ..Span::default()
            },
            resource: Resource::default(),
            scope: InstrumentationScope::default(),
            logs: vec![LogRecord { event_name: event.to_owned(), attributes, body, ..LogRecord::default() }],
        };
        let facts = facts(&recorded.view());
        prop_assert!(value(&facts.cost_usd).is_none_or(|cost| cost.is_finite() && cost >= 0.0));
        if let Some(usage) = value(&facts.usage) {
            let cached = usage.cache_read.unwrap_or(0).saturating_add(usage.cache_write.unwrap_or(0));
            prop_assert!(usage.input.is_none_or(|input| input >= cached));
        }
        let row = crate::trace::RowFacts::of(&facts, &[]);
        prop_assert!(row.input_preview.is_none_or(|preview| preview.chars().count() <= 200));
        serde_json::to_vec(&facts).expect("facts are JSON");
    }
}
