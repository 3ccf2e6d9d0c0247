//! What is said of a span as a whole: its dialect, what nothing explains, what was cut, how cached tokens are counted.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::recorded::{Recorded, folders, recorded};
use super::{attribute, int, of, text, value};
use crate::convention::{CONVENTIONS, Overrides, facts, figures, unexplained};
use crate::model::{CacheCounting, Facts};

fn in_scope(scope: &str, keys: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) -> Facts {
    let recorded = Recorded {
        span: Span {
            attributes: keys,
            ..Span::default()
        },
        resource: Resource::default(),
        scope: InstrumentationScope {
            name: scope.to_owned(),
            ..InstrumentationScope::default()
        },
        logs: Vec::new(),
    };
    facts(&recorded.view())
}

#[test]
fn scopes_and_marks_name_the_dialect() {
    let model = || vec![text("gen_ai.request.model", "gpt-4o")];
    for (scope, expected) in [
        (
            "opentelemetry.instrumentation.genai.openai",
            "OpenTelemetry GenAI",
        ),
        (
            "opentelemetry.instrumentation.openai_v2",
            "OpenTelemetry GenAI",
        ),
        ("opentelemetry.instrumentation.openai.v1", "OpenLLMetry"),
        (
            "opentelemetry.instrumentation.openai_agents",
            "OpenAI Agents",
        ),
        ("openinference.instrumentation.openai", "OpenInference"),
        (
            "Microsoft.SemanticKernel.Connectors.OpenAI",
            "Semantic Kernel",
        ),
        ("ai", "AI SDK"),
        ("aiohttp", "OpenTelemetry GenAI"),
        ("my-program", "OpenTelemetry GenAI"),
    ] {
        let dialect = value(&in_scope(scope, model()).dialect).expect("a dialect");
        assert_eq!(dialect.title, expected, "{scope}");
        assert!(
            !dialect.tables.is_empty() && !dialect.source.is_empty(),
            "{scope}"
        );
    }
    let marked = of(vec![
        text("gen_ai.request.model", "m"),
        text("traceloop.workflow.name", "w"),
    ]);
    assert_eq!(
        value(&marked.dialect).expect("a dialect").title,
        "OpenLLMetry"
    );
    assert_eq!(of(vec![text("colour", "blue")]).dialect, None);
}

#[test]
fn every_recorded_span_of_a_vocabulary_has_a_dialect_and_figures_agree_with_facts() {
    for folder in folders() {
        for recorded in recorded(&folder) {
            let whole = facts(&recorded.view());
            let known = whole.operation.is_some() && whole.usage.is_some();
            assert!(
                whole.dialect.is_some() || !known,
                "{folder}: {}",
                recorded.span.name
            );
            let bare = figures(&recorded.view(), &Overrides::default());
            let name = &recorded.span.name;
            assert_eq!(bare.usage, whole.usage, "{folder}: {name}");
            assert_eq!(bare.cost_usd, whole.cost_usd, "{folder}: {name}");
            assert_eq!(bare.operation, whole.operation, "{folder}: {name}");
            assert_eq!(bare.response_id, whole.response_id, "{folder}: {name}");
            assert!(
                bare.input.is_none() && bare.output.is_none(),
                "{folder}: {name}"
            );
        }
    }
}

#[test]
fn conventions_state_their_version_and_source() {
    for convention in CONVENTIONS {
        let vocabulary = convention.vocabulary();
        assert!(!vocabulary.version.is_empty(), "{}", convention.id());
        assert!(!vocabulary.source.is_empty(), "{}", convention.id());
    }
}

#[test]
fn what_no_convention_explains_is_listed_once_and_in_order() {
    let span = Span {
        attributes: vec![
            text("acme.flavour", "x"),
            text("gen_ai.request.model", "m"),
            text("langsmith.metadata.anything", "m"),
            text("http.method", "GET"),
            text("gen_ai.invented", "y"),
            text("acme.flavour", "z"),
        ],
        ..Span::default()
    };
    let recorded = Recorded {
        span,
        resource: Resource::default(),
        scope: InstrumentationScope::default(),
        logs: Vec::new(),
    };
    let keys = unexplained(&recorded.view(), &Overrides::default());
    assert_eq!(keys, ["acme.flavour", "gen_ai.invented"]);
}

#[test]
fn a_conversation_that_breaks_off_is_read_as_far_as_it_goes_and_said_to_be_cut() {
    let cut = r#"[{"role":"user","parts":[{"type":"text","content":"What is the cap"#;
    let facts = of(vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.input.messages", cut),
    ]);
    let input = value(&facts.input).expect("messages");
    assert_eq!(input.len(), 1);
    let part = serde_json::to_value(&input[0].parts[0]).expect("JSON");
    assert_eq!(part["text"], "What is the cap");
    assert_eq!(
        value(&facts.truncated).expect("cut"),
        ["gen_ai.input.messages"]
    );
}

#[test]
fn each_source_counts_cached_tokens_its_own_way() {
    let cached = |keys: Vec<_>| {
        let facts = of(keys);
        let usage = value(&facts.usage).expect("stated");
        (
            usage.input,
            value(&facts.cache_rule).map(|rule| rule.counting),
        )
    };
    let sdk = |provider: &str| {
        vec![
            text("ai.operationId", "ai.generateText.doGenerate"),
            text("ai.model.provider", provider),
            int("ai.usage.inputTokens", 100),
            int("ai.usage.cachedInputTokens", 40),
        ]
    };
    // AI SDK 5 hands on what the provider counts.
    assert_eq!(
        cached(sdk("openai.chat")),
        (Some(100), Some(CacheCounting::Inclusive))
    );
    assert_eq!(
        cached(sdk("anthropic.messages")),
        (Some(140), Some(CacheCounting::Exclusive))
    );
    // Version 6 adds up by itself.
    let mut six = sdk("anthropic.messages");
    six.push(int("ai.usage.inputTokenDetails.noCacheTokens", 60));
    assert_eq!(cached(six), (Some(100), Some(CacheCounting::Inclusive)));
    // Claude Code's bare keys are Anthropic's.
    let code = vec![
        text("span.type", "llm_request"),
        int("input_tokens", 100),
        int("cache_read_tokens", 40),
    ];
    assert_eq!(cached(code), (Some(140), Some(CacheCounting::Exclusive)));
    // Langfuse: each name is a bucket of its own, but OpenAI's names mean what OpenAI means.
    let langfuse = |json: &str| {
        vec![
            text("langfuse.observation.type", "generation"),
            attribute(
                "langfuse.observation.usage_details",
                Value::StringValue(json.to_owned()),
            ),
        ]
    };
    assert_eq!(
        cached(langfuse(
            r#"{"input":100,"output":5,"cache_read_input_tokens":40}"#
        )),
        (Some(140), Some(CacheCounting::Exclusive))
    );
    assert_eq!(
        cached(langfuse(
            r#"{"prompt_tokens":100,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":40}}"#
        )),
        (Some(100), Some(CacheCounting::Inclusive))
    );
    // LangSmith writes dictionaries as JSON, LiteLLM as Python does.
    let litellm = "{'prompt_tokens': 100, 'completion_tokens': 5, 'prompt_tokens_details': {'cached_tokens': 40}}";
    assert_eq!(
        cached(vec![
            text("litellm.call_id", "1"),
            text("metadata.usage_object", litellm)
        ]),
        (Some(100), Some(CacheCounting::Inclusive))
    );
}

#[test]
fn a_streamed_call_of_logfire_has_one_key_in_both_spans() {
    let keys: Vec<_> = recorded("logfire")
        .iter()
        .filter_map(|recorded| value(&facts(&recorded.view()).same_call))
        .collect();
    let twins = keys
        .iter()
        .filter(|key| keys.iter().filter(|other| other == key).count() == 2)
        .count();
    assert!(twins >= 4, "two streamed calls, two spans each: {keys:?}");
}
