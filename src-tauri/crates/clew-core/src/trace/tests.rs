//! Totals of traces against the rules, and recorded ones as a person gets to see them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use proptest::prelude::*;

use super::testing::{call, drawn, recorded_row, row, step, traced};
use super::*;
use crate::convention::facts;
use crate::convention::tests::recorded::{folders, recorded};
use crate::model::{Facts, Operation, SpanId, TraceId, UnixNanos, Usage};

/// Rows of a recording by trace.
fn traces(folder: &str) -> BTreeMap<Vec<u8>, Vec<SpanRow>> {
    let mut traces: BTreeMap<Vec<u8>, Vec<SpanRow>> = BTreeMap::new();
    for recorded in recorded(folder) {
        traces
            .entry(recorded.span.trace_id.clone())
            .or_default()
            .push(recorded_row(&recorded));
    }
    traces
}

fn summarised(rows: &[SpanRow]) -> TraceSummary {
    let id = TraceId::from_bytes(&[1; 16]).expect("valid");
    summary(id, 0, &traced(rows), UnixNanos(0), 0)
}

#[test]
fn a_wrapper_that_repeats_its_calls_does_not_count() {
    let mut agent = call(1, None, (50, 12), None);
    agent.facts.as_mut().expect("facts").operation = Operation::Agent;
    let rows = [
        agent,
        call(2, Some(1), (20, 5), Some("a")),
        call(3, Some(1), (30, 7), Some("b")),
    ];
    let summary = summarised(&rows);
    assert_eq!(
        (summary.input_tokens, summary.output_tokens),
        (Some(50), Some(12))
    );
    assert_eq!(summary.call_count, 2);
    let drawn = waterfall(summary, &traced(&rows));
    assert_eq!(drawn.flags, [flag::NOT_COUNTED, 0, 0]);
}

#[test]
fn a_wrapper_owns_what_no_span_below_it_states() {
    let mut inner = call(2, Some(1), (0, 0), None);
    inner.facts.as_mut().expect("facts").usage = None;
    let summary = summarised(&[call(1, None, (50, 12), None), inner]);
    assert_eq!((summary.input_tokens, summary.call_count), (Some(50), 1));
}

#[test]
fn two_spans_with_one_response_id_count_once_in_either_order() {
    let mut rich = call(3, Some(1), (20, 5), Some("resp_1"));
    rich.facts.as_mut().expect("facts").cost_usd = Some(0.5);
    let mut rows = vec![
        row(1, None, 1, 9),
        call(2, Some(1), (20, 5), Some("resp_1")),
        rich,
    ];
    for _ in 0..3 {
        rows.rotate_left(1);
        let summary = summarised(&rows);
        assert_eq!((summary.input_tokens, summary.call_count), (Some(20), 1));
        let drawn = waterfall(summary, &traced(&rows));
        assert_eq!(drawn.flags, [0, flag::NOT_COUNTED, 0]);
    }
}

#[test]
fn calls_after_one_another_count_each_even_if_the_server_repeats_its_ids() {
    let mut rows: Vec<SpanRow> = (1..=3)
        .map(|id| call(id, None, (20, 5), Some("chatcmpl-0")))
        .collect();
    for (row, start) in rows.iter_mut().zip([1_000, 2_000, 3_000]) {
        (row.start, row.end) = (UnixNanos(start), UnixNanos(start + 500));
    }
    let summary = summarised(&rows);
    assert_eq!((summary.input_tokens, summary.call_count), (Some(60), 3));
}

#[test]
fn what_no_call_states_is_unknown_and_not_zero() {
    let summary = summarised(&[row(1, None, 1, 2)]);
    assert_eq!(
        (summary.input_tokens, summary.cost_usd, summary.call_count),
        (None, None, 0)
    );
}

#[test]
fn a_trace_is_complete_when_its_roots_have_ended() {
    let id = TraceId::from_bytes(&[1; 16]).expect("valid");
    let state = |rows: &[SpanRow], now_secs: u64| {
        summary(
            id,
            0,
            &traced(rows),
            UnixNanos(now_secs * 1_000_000_000),
            1_000_000,
        )
        .state
    };
    let (ended, pending, child) = (
        row(1, None, 1, 9),
        row(1, None, 1, 0),
        row(2, Some(1), 2, 3),
    );
    assert_eq!(
        state(&[ended.clone(), child.clone()], 5),
        TraceState::Complete
    );
    assert_eq!(
        state(&[pending.clone(), child.clone()], 5),
        TraceState::Running
    );
    assert_eq!(state(std::slice::from_ref(&child), 5), TraceState::Running);
    assert_eq!(
        state(std::slice::from_ref(&child), 500),
        TraceState::Rootless
    );
    assert_eq!(state(&[pending, child], 500), TraceState::Rootless);
    assert_eq!(state(&[ended, row(3, None, 4, 0)], 5), TraceState::Running);
}

#[test]
fn the_list_shows_the_roots_name_and_the_first_calls_words_where_the_root_has_none() {
    let mut first = call(2, Some(1), (1, 1), None);
    let facts = first.facts.as_mut().expect("facts");
    facts.input_preview = Some("where is my order?".to_owned());
    facts.session = Some("s-1".to_owned());
    let mut other = call(3, Some(1), (1, 1), None);
    other.facts.as_mut().expect("facts").model = Some("haiku".to_owned());
    let summary = summarised(&[other, first, row(1, None, 1, 9)]);
    assert_eq!(summary.name, "span 1");
    assert_eq!(summary.models, ["gpt-4o", "haiku"]);
    assert_eq!(summary.input_preview.as_deref(), Some("where is my order?"));
    assert_eq!(summary.session.as_deref(), Some("s-1"));
}

#[test]
fn a_start_of_nothing_does_not_move_the_origin() {
    const NOW: u64 = 1_795_206_130_000_000_000;
    let rows = [
        row(1, None, 0, NOW + 5),
        row(2, None, NOW, NOW + 10),
        row(3, None, NOW + 4, NOW + 1),
        row(4, None, NOW + 1, u64::MAX),
    ];
    let drawn = waterfall(summarised(&rows), &traced(&rows));
    assert_eq!(drawn.value.origin_nanos, NOW.to_string());
    assert_eq!(drawn.value.extent_nanos, 10.0);
    assert_eq!(drawn.start, [0.0, 0.0, 1.0, 4.0]);
    assert_eq!(drawn.duration, [5.0, 10.0, 9.0, 0.0]);
    assert_eq!(drawn.flags, [flag::CLOCK, 0, flag::CLOCK, flag::CLOCK]);
}

#[test]
fn texts_are_written_once() {
    let rows = [
        row(1, None, 1, 9),
        call(2, Some(1), (1, 1), None),
        call(3, Some(1), (1, 1), None),
    ];
    let drawn = waterfall(summarised(&rows), &traced(&rows));
    assert_eq!(
        drawn.value.strings,
        ["", "span 1", "shop", "span 2", "gpt-4o", "span 3"]
    );
    assert_eq!(drawn.model, [0, 4, 4]);
    assert_eq!(
        (drawn.parent, drawn.descendants),
        (vec![-1, 0, 0], vec![2, 0, 0])
    );
}

proptest! {
    #[test]
    fn every_bar_lies_within_its_trace_and_totals_stay_finite(
        times in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<f64>()), 1..20),
    ) {
        let mut rows = Vec::new();
        for (index, (start, end, tokens, cost)) in times.into_iter().enumerate() {
            let mut span = call(index as u64 + 1, None, (tokens, tokens), None);
            (span.start, span.end) = (UnixNanos(start), UnixNanos(end));
            span.facts.as_mut().expect("facts").cost_usd = Some(cost.abs()).filter(|cost| cost.is_finite());
            rows.push(span);
        }
        let summary = summarised(&rows);
        prop_assert!(summary.cost_usd.is_none_or(f64::is_finite));
        let drawn = waterfall(summary, &traced(&rows));
        for (start, duration) in drawn.start.iter().zip(&drawn.duration) {
            prop_assert!(*start >= 0.0 && start + duration.max(0.0) <= drawn.value.extent_nanos * 1.000_001);
        }
    }

    #[test]
    fn the_order_of_arrival_changes_no_total(
        graph in prop::collection::vec((prop::option::of(0_u64..12), 0_u64..3, 0_u64..100), 1..12),
        turn in 0_usize..12,
    ) {
        let mut rows: Vec<SpanRow> = graph
            .iter()
            .enumerate()
            .map(|(index, (parent, id, tokens))| {
                let id = format!("resp_{id}");
                call(index as u64 + 1, parent.map(|id| id + 1), (*tokens, 1), Some(&id))
            })
            .collect();
        let before = summarised(&rows);
        let turn = turn % rows.len();
        rows.rotate_left(turn);
        prop_assert_eq!(before, summarised(&rows));
    }
}

#[test]
fn a_call_without_content_says_what_to_set() {
    let around = |span: &opentelemetry_proto::tonic::trace::v1::Span| Surroundings {
        trace_id: TraceId::from_bytes(&span.trace_id).expect("a trace id"),
        span_id: SpanId::from_bytes(&span.span_id).expect("a span id"),
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
    };
    let hints = |folder: &str| -> BTreeSet<String> {
        let spans = recorded(folder);
        let shown = spans.iter().map(|recorded| {
            let view = recorded.view();
            detail(&view, &facts(&view), around(&recorded.span))
        });
        shown
            .filter_map(|shown| shown.content_hint)
            .map(|hint| hint.setting)
            .collect()
    };
    assert!(
        hints("google_adk")
            .iter()
            .all(|setting| setting.contains("span_and_event"))
    );
    assert_eq!(hints("google_adk").len(), 1);
    for folder in [
        "otel_genai_openai",
        "openai_v2_default",
        "openinference_langchain",
        "strands",
    ] {
        assert!(hints(folder).is_empty(), "{folder}");
    }
}

/// The longest trace of a recording, as a person and a model get to see it.
#[test]
fn recorded_traces_look_like_this() {
    for folder in ["strands", "openinference_langchain", "google_adk"] {
        let traces = traces(folder);
        let (id, rows) = traces
            .iter()
            .max_by_key(|(_, rows)| rows.len())
            .expect("a trace");
        let summary = summary(
            TraceId::from_bytes(id).expect("a trace id"),
            0,
            &traced(rows),
            UnixNanos(0),
            0,
        );
        let by_span: HashMap<SpanId, Facts> = recorded(folder)
            .iter()
            .filter(|recorded| recorded.span.trace_id == *id)
            .map(|recorded| {
                let span_id = SpanId::from_bytes(&recorded.span.span_id).expect("a span id");
                (span_id, facts(&recorded.view()))
            })
            .collect();
        let text = markdown(&summary, &traced(rows), None, &by_span, 4_000);
        let drawn = waterfall(summary, &traced(rows));
        let bars: Vec<String> = (0..drawn.name.len())
            .map(|at| {
                let text = |index: u32| &drawn.value.strings[index as usize];
                format!(
                    "{}{} {} +{} {} ttft {} in {} out {} flags {} {}",
                    "  ".repeat(drawn.depth[at].into()),
                    Operation::ALL[usize::from(drawn.operation[at])].name(),
                    text(drawn.name[at]),
                    drawn.start[at],
                    drawn.duration[at],
                    drawn.ttft[at],
                    drawn.input_tokens[at],
                    drawn.output_tokens[at],
                    drawn.flags[at],
                    text(drawn.model[at]),
                )
            })
            .collect();
        insta::with_settings!({ prepend_module_to_snapshot => false }, {
            insta::assert_json_snapshot!(format!("{folder}_summary"), drawn.value.summary);
            insta::assert_snapshot!(format!("{folder}_waterfall"), bars.join("\n"));
            insta::assert_snapshot!(format!("{folder}_markdown"), text);
        });
    }
}

#[test]
fn every_recorded_trace_shows_every_span_once() {
    for folder in folders() {
        for rows in traces(&folder).values() {
            let drawn = waterfall(summarised(rows), &traced(rows));
            assert_eq!(drawn.name.len(), rows.len(), "{folder}");
            assert!(
                drawn.flags.iter().all(|flags| flags & flag::CYCLE == 0),
                "{folder}"
            );
        }
    }
}

#[test]
fn only_a_trace_that_no_longer_runs_has_orphans() {
    let id = TraceId::from_bytes(&[7; 16]).expect("a trace id");
    let flags = |rows: &[SpanRow], now_secs: u64| {
        let now = UnixNanos(now_secs * 1_000_000_000);
        waterfall(summary(id, 0, &traced(rows), now, 1_000_000), &traced(rows)).flags
    };
    // The call has ended and was sent; the agent that it belongs to has not.
    let waiting = [step(2, Some(1), Operation::Llm, 0, 9)];
    assert_eq!(flags(&waiting, 5), [0]);
    assert_eq!(flags(&waiting, 500), [flag::ORPHAN]);
    let lost = [
        step(1, None, Operation::Agent, 0, 9),
        step(3, Some(2), Operation::Llm, 1, 2),
    ];
    assert_eq!(flags(&lost, 5), [0, flag::ORPHAN]);
    // A cycle is wrong whatever is still to come.
    assert_eq!(
        flags(&[step(4, Some(4), Operation::Tool, 0, 1)], 5),
        [flag::CYCLE]
    );
}

#[test]
fn a_first_token_after_the_end_is_in_no_row_and_no_summary() {
    let mut call = call(1, None, (100, 10), None);
    let facts = call.facts.as_mut().expect("call gives facts");
    facts.ttft_nanos = Some(5_000_000);
    let shown = drawn(&[call.clone()]);
    assert_eq!(
        (shown.ttft[0], shown.value.summary.ttft_nanos),
        (-1.0, None)
    );
    call.end = UnixNanos(call.start.0 + 6_000_000);
    let shown = drawn(&[call]);
    assert_eq!(
        (shown.ttft[0], shown.value.summary.ttft_nanos),
        (5_000_000.0, Some(5_000_000))
    );
}

#[test]
fn a_trace_names_the_call_that_fills_its_window_most_and_the_share_from_cache() {
    let mut cached = call(2, None, (64_000, 10), None);
    let facts = cached.facts.as_mut().expect("call gives facts");
    facts.usage = facts.usage.map(|usage| Usage {
        cache_read: Some(32_000),
        ..usage
    });
    let shown = drawn(&[call(1, None, (64, 1), None), cached]);
    let fullest = shown.value.fullest.expect("the window is known");
    assert_eq!((fullest.tokens, fullest.window), (64_000, 128_000));
    assert!((fullest.share - 0.5).abs() < 1e-9);
    assert_eq!(fullest.span_id, "0000000000000002");
    let share = shown.value.cached_share.expect("both are stated");
    assert!((share - 32_000.0 / 64_064.0).abs() < 1e-9, "{share}");
}
