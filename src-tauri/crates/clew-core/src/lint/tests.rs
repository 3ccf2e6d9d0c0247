use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::*;
use crate::convention::facts;
use crate::convention::tests::recorded::{Recorded, folders, recorded};
use crate::trace::testing::{call as traced_call, recorded_row, traced};
use crate::trace::{SpanRow, flag};

/// 2026-11-20 in microseconds since the epoch.
const NOON: u64 = 1_795_000_000_000_000;

/// A span that one sends, and what surrounds it.
struct Sent {
    span: Span,
    resource: Resource,
    scope: InstrumentationScope,
    flags: u16,
    received_micros: u64,
    now_micros: u64,
    source: i64,
    is_running: bool,
    counts: bool,
    twin: Option<Twin<'static>>,
    known: Known,
}

fn text(key: &str, text: &str) -> KeyValue {
    attribute(key, Value::StringValue(text.to_owned()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// A call of a model about which nothing is to be said.
fn good() -> Sent {
    Sent {
        span: Span {
            name: "chat gpt-4o".to_owned(),
            start_time_unix_nano: NOON * 1_000,
            end_time_unix_nano: (NOON + 1_000_000) * 1_000,
            attributes: vec![
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.provider.name", "openai"),
                text("gen_ai.request.model", "gpt-4o"),
                attribute("gen_ai.usage.input_tokens", Value::IntValue(10)),
                attribute("gen_ai.usage.output_tokens", Value::IntValue(5)),
                text(
                    "gen_ai.input.messages",
                    r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"#,
                ),
                text(
                    "gen_ai.output.messages",
                    r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]"#,
                ),
            ],
            ..Span::default()
        },
        resource: Resource {
            attributes: vec![text("service.name", "shop")],
            ..Resource::default()
        },
        scope: InstrumentationScope {
            name: "opentelemetry.instrumentation.openai_v2".to_owned(),
            ..InstrumentationScope::default()
        },
        flags: 0,
        received_micros: NOON + 3_000_000,
        now_micros: NOON + 7_200_000_000,
        source: 0,
        is_running: false,
        counts: true,
        twin: None,
        known: Known::default(),
    }
}

fn look(sent: &[Sent]) -> Vec<LintRow> {
    let mut linting = Linting::default();
    for sent in sent {
        let view = SpanView {
            span: &sent.span,
            resource: &sent.resource,
            scope: &sent.scope,
            logs: &[],
        };
        linting.look(&Observed {
            trace_id: TraceId::from_bytes(&[1; 16]).expect("valid"),
            span_id: SpanId::from_bytes(&[2; 8]).expect("valid"),
            view,
            facts: &facts(&view),
            flags: sent.flags,
            received_micros: sent.received_micros,
            now_micros: sent.now_micros,
            source: sent.source,
            is_running: sent.is_running,
            counts: sent.counts,
            twin: sent.twin,
            known: sent.known,
        });
    }
    linting.rows()
}

/// The lint, what it advises and the setting.
fn seen(change: impl FnOnce(&mut Sent)) -> Vec<(String, String, String)> {
    let mut sent = good();
    change(&mut sent);
    let rows = look(&[sent]);
    rows.into_iter()
        .map(|row| (row.lint, row.advice, row.setting.unwrap_or_default()))
        .collect()
}

fn names(change: impl FnOnce(&mut Sent)) -> Vec<String> {
    seen(change).into_iter().map(|(lint, ..)| lint).collect()
}

fn without(sent: &mut Sent, keys: &[&str]) {
    sent.span
        .attributes
        .retain(|attribute| !keys.contains(&attribute.key.as_str()));
}

const USAGE: [&str; 2] = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"];

#[test]
fn nothing_is_said_of_a_good_call() {
    assert_eq!(look(&[good()]), []);
}

fn put(sent: &mut Sent, key: &str, value: &str) {
    without(sent, &[key]);
    sent.span.attributes.push(text(key, value));
}

fn put_true(sent: &mut Sent, key: &str) {
    let value = attribute(key, Value::BoolValue(true));
    sent.span.attributes.push(value);
}

fn events(sent: &mut Sent, names: &[&str]) {
    let named = names.iter().map(|name| Event {
        name: (*name).to_owned(),
        ..Event::default()
    });
    sent.span.events = named.collect();
}

/// A conversation that breaks off.
const BROKEN: &str = r#"[{"role":"assistant","parts":[{"type":"text","content":"{\"a"#;
const CONTENT: [&str; 2] = ["gen_ai.input.messages", "gen_ai.output.messages"];

type Change = fn(&mut Sent);

/// For each lint a change of a good call in which it sees something, and nothing else does; and one that looks like it
/// and is none.
const CASES: &[(&str, Change, Change)] = &[
    (
        "missing_usage",
        |sent| without(sent, &USAGE),
        // Another span tells of the call, and this one of no tokens.
        |sent| {
            without(sent, &USAGE);
            sent.counts = false;
        },
    ),
    (
        "missing_model",
        |sent| without(sent, &["gen_ai.request.model"]),
        |sent| {
            without(sent, &["gen_ai.request.model"]);
            sent.counts = false;
        },
    ),
    (
        "cut_values",
        |sent| put(sent, "gen_ai.output.messages", BROKEN),
        // The model stopped in the middle of the JSON that it was asked for.
        |sent| {
            put(sent, "gen_ai.output.messages", BROKEN);
            put(sent, "gen_ai.response.finish_reasons", r#"["max_tokens"]"#);
        },
    ),
    (
        "dropped",
        |sent| sent.span.dropped_attributes_count = 3,
        |sent| sent.span.dropped_attributes_count = 0,
    ),
    (
        "partial_usage",
        |sent| sent.scope.name = "gemini-cli".to_owned(),
        // One that states what it read from the cache.
        |sent| {
            sent.scope.name = "gemini-cli".to_owned();
            put(sent, "gen_ai.usage.cache_read.input_tokens", "4");
        },
    ),
    (
        "doubled_usage",
        |sent| {
            sent.counts = false;
            sent.twin = Some(Twin {
                scope: "openinference.instrumentation.langchain",
                service: "shop",
            });
        },
        // The client's span and that of the server that it called.
        |sent| {
            sent.counts = false;
            sent.twin = Some(Twin {
                scope: "vllm.llm_engine",
                service: "vllm",
            });
        },
    ),
    (
        "broken_parent",
        |sent| sent.flags = flag::ORPHAN,
        // An agent that waits for its user.
        |sent| {
            sent.flags = flag::ORPHAN;
            sent.now_micros = sent.received_micros + 1_200_000_000;
        },
    ),
    ("cycle", |sent| sent.flags = flag::CYCLE, |_| {}),
    (
        "clock",
        |sent| sent.flags = flag::SKEW,
        |sent| sent.received_micros = NOON - 1_000_000,
    ),
    (
        "no_service",
        |sent| sent.resource.attributes.clear(),
        |sent| sent.resource.attributes = vec![text("service.name", "no_unknown_service")],
    ),
    (
        "content_off",
        |sent| without(sent, &CONTENT),
        // It may still come.
        |sent| {
            without(sent, &CONTENT);
            sent.span.end_time_unix_nano = 0;
        },
    ),
    (
        "equal_lengths",
        |sent| {
            for key in ["app.first", "app.second"] {
                put(sent, key, &key.repeat(1_024)[..1_024]);
            }
            // Of more bytes, and of as many characters.
            put(sent, "app.third", &format!("ü{}", "z".repeat(1_023)));
        },
        // Pieces of documents are cut by the program, and hashes are of one length by nature.
        |sent| {
            for (key, letter) in [
                ("retrieval.documents.0.document.content", "x"),
                ("retrieval.documents.1.document.content", "y"),
                ("retrieval.documents.12.document.content", "z"),
                ("app.one", "0"),
                ("app.two", "a"),
                ("app.three", "f"),
                ("app.same", "x"),
            ] {
                put(sent, key, &letter.repeat(1_000));
            }
            for key in ["app.first", "app.second", "app.third"] {
                put(sent, key, &"z".repeat(2_000));
            }
        },
    ),
    (
        "dropped_events",
        |sent| {
            sent.span.dropped_events_count = 3;
            events(sent, &["gen_ai.content.completion.chunk", "retry"]);
        },
        // One for each chunk of an answer.
        |sent| {
            sent.span.dropped_events_count = 3;
            events(sent, &["mlflow.chunk.item.9", "mlflow.chunk.item.10"]);
        },
    ),
    (
        "remote_parent",
        |sent| {
            sent.flags = flag::ORPHAN;
            sent.span.flags = 0x301;
        },
        |sent| sent.span.flags = 0x301,
    ),
    (
        "late",
        |sent| sent.received_micros = NOON + 40_000_000,
        |sent| {
            sent.received_micros = NOON + 40_000_000;
            sent.source = 1;
        },
    ),
    (
        "deprecated_names",
        |sent| {
            without(sent, &["gen_ai.provider.name"]);
            put(sent, "gen_ai.system", "openai");
        },
        // Both, for older readers.
        |sent| put(sent, "gen_ai.system", "openai"),
    ),
];

#[test]
fn every_lint_sees_its_fault_and_not_what_looks_like_it() {
    let cases: Vec<&str> = CASES.iter().map(|(name, ..)| *name).collect();
    let lints: Vec<&str> = LINTS.iter().map(|lint| lint.id).collect();
    assert_eq!(cases, lints, "a case for each lint, in its order");
    for (name, fault, none) in CASES {
        assert_eq!(names(fault), [*name]);
        assert_eq!(names(none), [""; 0], "{name}");
    }
}

#[test]
fn a_call_without_token_counts_is_told_what_to_do() {
    let found = seen(|sent| {
        without(sent, &USAGE);
        put_true(sent, "gen_ai.request.stream");
    });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "missing_usage");
    assert!(found[0].2.contains("include_usage"), "{}", found[0].2);
    let found = seen(|sent| without(sent, &USAGE));
    assert!(found[0].1.contains("openai_v2"), "{}", found[0].1);
    assert_eq!(found[0].2, "", "nothing to paste");
    // Neither while it runs, nor of one that failed.
    let running = names(|sent| {
        without(sent, &USAGE);
        sent.span.end_time_unix_nano = 0;
    });
    assert_eq!(running, [""; 0]);
}

#[test]
fn servers_that_never_have_content_are_not_told_to_send_it() {
    let found = names(|sent| {
        without(sent, &CONTENT);
        sent.scope.name = "vllm.llm_engine".to_owned();
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_parent_that_is_missing_from_a_file_will_not_come() {
    let orphan = |source: i64| {
        names(|sent| {
            sent.flags = flag::ORPHAN;
            sent.source = source;
            sent.now_micros = sent.received_micros;
        })
    };
    assert_eq!(orphan(0), [""; 0]);
    assert_eq!(orphan(1), ["broken_parent"]);
    let running = names(|sent| {
        sent.flags = flag::ORPHAN;
        sent.is_running = true;
    });
    assert_eq!(running, [""; 0]);
}

#[test]
fn a_start_after_the_arrival_is_a_clock_ahead() {
    let found = names(|sent| sent.received_micros = NOON - 60_000_000);
    assert_eq!(found, ["clock"]);
}

#[test]
fn only_scopes_that_read_the_variable_are_told_to_set_it() {
    let old = |scope: &str| {
        seen(|sent| {
            without(sent, &["gen_ai.provider.name"]);
            put(sent, "gen_ai.system", "openai");
            sent.scope.name = scope.to_owned();
        })
        .remove(0)
    };
    let (_, _, setting) = old("opentelemetry.instrumentation.openai_v2");
    assert!(
        setting.starts_with("OTEL_SEMCONV_STABILITY_OPT_IN"),
        "{setting}"
    );
    for scope in [
        "opentelemetry.instrumentation.openai.v1",
        "opentelemetry.instrumentation.langchain",
    ] {
        let (_, advice, setting) = old(scope);
        assert_eq!(setting, "");
        assert!(advice.starts_with(&format!("Update {scope}")), "{advice}");
    }
}

/// Whatever a program calls itself, no sentence grows with it.
#[test]
fn names_from_telemetry_are_cut_and_never_pasted() {
    let long = "ü".repeat(5_000);
    let sent = || {
        let mut sent = good();
        sent.scope.name = long.clone();
        sent.resource.attributes = vec![text("service.name", &long)];
        sent
    };
    let mut bare = sent();
    without(&mut bare, &USAGE);
    let mut old = sent();
    without(&mut old, &["gen_ai.provider.name"]);
    put(&mut old, "gen_ai.system", "openai");
    let mut broken = sent();
    put(&mut broken, &long, "{");
    for key in ["one", "two", "three"] {
        put(
            &mut broken,
            &format!("{key}{long}"),
            &format!("{key:z<1024}"),
        );
    }
    let rows = look(&[bare, old, broken]);
    assert_eq!(rows.len(), 3, "{rows:?}");
    for row in rows {
        for text in [&row.what, &row.advice, &row.service, &row.scope] {
            assert!(text.len() < 500, "{text}");
        }
        assert!(!row.setting.unwrap_or_default().contains('ü'));
    }
}

#[test]
fn values_beyond_all_limits_are_not_counted_and_damaged_ones_do_no_harm() {
    let found = names(|sent| {
        for key in ["one", "two", "three"] {
            put(sent, key, &format!("{key}{}", "é".repeat(1 << 20)));
        }
        sent.span.attributes.push(KeyValue::default());
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_is_the_same_is_told_once_worst_first() {
    let late = |service: &str| {
        let mut sent = good();
        sent.resource.attributes = vec![text("service.name", service)];
        sent.received_micros = NOON + 40_000_000;
        sent
    };
    let mut bare = good();
    without(&mut bare, &USAGE);
    let rows = look(&[late("shop"), late("shop"), late("desk"), good(), bare]);
    let told: Vec<(&str, &str, u32, u32)> = rows
        .iter()
        .map(|row| (row.lint.as_str(), row.service.as_str(), row.spans, row.of))
        .collect();
    assert_eq!(
        told,
        [
            ("missing_usage", "shop", 1, 4),
            ("late", "shop", 2, 4),
            ("late", "desk", 1, 1),
        ]
    );
}

#[test]
fn a_wrapped_call_lacks_no_content_that_its_wrapper_tells() {
    let told_of = |change: fn(&mut SpanRow)| {
        let mut wrapper = traced_call(1, None, (10, 5), None);
        wrapper.facts.as_mut().expect("facts").output_preview = Some("Hello".to_owned());
        change(&mut wrapper);
        let trace = traced(&[wrapper, traced_call(2, Some(1), (10, 5), None)]);
        told(&trace, 1).known.content
    };
    assert!(told_of(|_| ()));
    assert!(!told_of(|wrapper| {
        wrapper.facts.as_mut().expect("facts").output_preview = None;
    }));
    assert!(
        !told_of(|wrapper| {
            wrapper.facts.as_mut().expect("facts").operation = Operation::Agent;
        }),
        "an agent's answer is not the call's"
    );

    // Beside one another, told of as one by the response's id.
    let mut beside = traced_call(1, None, (10, 5), Some("r1"));
    let facts = beside.facts.as_mut().expect("facts");
    facts.input_preview = Some("Hi".to_owned());
    facts.usage = None;
    let trace = traced(&[beside, traced_call(2, None, (10, 5), Some("r1"))]);
    assert!(told(&trace, 1).known.content);
    let found = names(|sent| {
        without(sent, &CONTENT);
        sent.known.content = true;
    });
    assert_eq!(found, [""; 0]);
    // The wrapper has not arrived yet.
    let found = names(|sent| {
        without(sent, &CONTENT);
        sent.flags = flag::ORPHAN;
        sent.is_running = true;
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_model_that_a_span_above_names_is_not_missing() {
    let found = names(|sent| {
        without(sent, &["gen_ai.request.model"]);
        sent.known.model = true;
    });
    assert_eq!(found, [""; 0]);
}

/// What is wrong with a recording, as its traces stand when they rest.
fn of_recording(folder: &str) -> Vec<LintRow> {
    let mut traces: BTreeMap<Vec<u8>, Vec<Recorded>> = BTreeMap::new();
    for span in recorded(folder) {
        traces
            .entry(span.span.trace_id.clone())
            .or_default()
            .push(span);
    }
    let mut linting = Linting::default();
    for spans in traces.values() {
        let rows: Vec<SpanRow> = spans.iter().map(recorded_row).collect();
        let trace = traced(&rows);
        for (row, recorded) in spans.iter().enumerate() {
            let view = recorded.view();
            let told = told(&trace, row);
            linting.look(&Observed {
                trace_id: TraceId::from_bytes(&view.span.trace_id).expect("an id"),
                span_id: rows[row].span_id,
                view,
                facts: &facts(&view),
                flags: trace.tree().flags[row],
                received_micros: view.span.end_time_unix_nano / 1_000,
                now_micros: u64::MAX,
                source: 0,
                is_running: false,
                counts: told.counts,
                twin: told.twin.map(|twin| Twin {
                    scope: &spans[twin].scope.name,
                    service: &rows[twin].service,
                }),
                known: told.known,
            });
        }
    }
    linting.rows()
}

#[test]
fn recordings_are_linted_like_this() {
    let told: Vec<String> = folders()
        .iter()
        .flat_map(|folder| {
            let rows = of_recording(folder).into_iter();
            rows.map(move |row| {
                let share = format!("{} of {}", row.spans, row.of);
                format!("{folder}: {} {} ({share})", row.lint, row.scope)
            })
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// What real programs sent is not called wrong where it is right.
#[test]
fn recordings_with_token_counts_and_content_pass() {
    for folder in ["openllmetry_langgraph", "vercel_ai6"] {
        let rows = of_recording(folder);
        let errors: Vec<&LintRow> = rows
            .iter()
            .filter(|row| row.severity == Severity::Error)
            .collect();
        assert_eq!(errors, [] as [&LintRow; 0], "{folder}");
    }
}
