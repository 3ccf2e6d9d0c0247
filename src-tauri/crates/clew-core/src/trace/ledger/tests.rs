use std::collections::BTreeMap;
use std::path::Path;

use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value as Json;

use super::*;
use crate::convention::facts;
use crate::convention::tests::recorded::recorded;
use crate::model::{SpanId, SpanView, TraceId, UnixNanos};
use crate::trace::testing::{call, recorded_row, row, traced};
use crate::trace::{RowFacts, named_above, summary, waterfall};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    source: String,
    spans: Vec<CaseSpan>,
    input: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    calls: u32,
    working: String,
    nano_usd: u64,
    unpriced_tokens: u64,
    unstated_calls: u32,
}

#[derive(Debug, Deserialize)]
struct CaseSpan {
    id: u64,
    parent: Option<u64>,
    name: String,
    start: u64,
    end: u64,
    scope: String,
    #[serde(default)]
    failed: bool,
    attributes: BTreeMap<String, Json>,
}

/// 2026-03-01, in the middle of the days for which the book has prices.
const DAY: u64 = 1_772_366_400_000_000_000;

fn value(json: &Json) -> AnyValue {
    let value = match json {
        Json::Number(number) if number.is_f64() => {
            any_value::Value::DoubleValue(number.as_f64().expect("a double"))
        }
        Json::Number(number) => any_value::Value::IntValue(number.as_i64().expect("an integer")),
        other => any_value::Value::StringValue(other.as_str().expect("a text").to_owned()),
    };
    AnyValue { value: Some(value) }
}

fn read(case: &CaseSpan) -> SpanRow {
    let attributes = case.attributes.iter().map(|(key, json)| KeyValue {
        key: key.clone(),
        value: Some(value(json)),
        ..KeyValue::default()
    });
    let mut shown = row(case.id, case.parent, DAY + case.start, DAY + case.end);
    shown.status = if case.failed { 2 } else { 0 };
    let span = Span {
        span_id: shown.span_id.bytes().to_vec(),
        name: case.name.clone(),
        attributes: attributes.collect(),
        start_time_unix_nano: shown.start.0,
        end_time_unix_nano: shown.end.0,
        status: Some(Status {
            code: i32::from(shown.status),
            ..Status::default()
        }),
        ..Span::default()
    };
    let scope = InstrumentationScope {
        name: case.scope.clone(),
        ..InstrumentationScope::default()
    };
    let view = SpanView {
        span: &span,
        resource: &Resource::default(),
        scope: &scope,
        logs: &[],
    };
    shown.facts = Some(Box::new(RowFacts::of(&facts(&view), &[])));
    shown
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures/ledger/cases.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("the cases")).expect("valid")
}

#[test]
fn published_bugs_of_counting_and_caching_come_out_right_to_the_nano_dollar() {
    let cases = cases();
    assert!(cases.len() >= 20, "{}", cases.len());
    for case in cases {
        let mut rows: Vec<SpanRow> = case.spans.iter().map(read).collect();
        for turn in 0..rows.len() {
            rows.rotate_left(1);
            let trace = traced(&rows);
            let (ledger, sums) = (trace.ledger(), trace.ledger().sums);
            assert_eq!(
                (sums.input, sums.output, sums.cached, ledger.calls),
                (case.input, case.output, case.cached, case.calls),
                "{} ({}), order {turn}",
                case.name,
                case.source
            );
            assert_eq!(
                sums.cost,
                Some(NanoUsd(case.nano_usd)),
                "{} ({}): {}",
                case.name,
                case.source,
                case.working
            );
            assert_eq!(
                (sums.unpriced_tokens, ledger.unstated_calls),
                (case.unpriced_tokens, case.unstated_calls),
                "{}",
                case.name
            );
        }
    }
}

fn named(rows: &[SpanRow]) -> Vec<LedgerRow> {
    let id = TraceId::from_bytes(&[1; 16]).expect("valid");
    ledger_rows(id, 0, &traced(rows))
}

#[test]
fn what_does_not_count_is_kept_with_its_reason() {
    let mut agent = call(1, None, (300, 30), None);
    agent.facts.as_mut().expect("facts").operation = Operation::Agent;
    let mut plain = call(3, Some(1), (300, 30), Some("r"));
    plain.start = UnixNanos(1_002);
    let mut rich = call(2, Some(1), (300, 30), Some("r"));
    rich.facts.as_mut().expect("facts").ttft_nanos = Some(5);
    let rows = named(&[agent, plain, rich]);
    let standings: Vec<(&str, &LedgerStanding)> = rows
        .iter()
        .map(|row| (row.span_id.trim_start_matches('0'), &row.standing))
        .collect();
    let of = |id: u64| format!("{id:016x}");
    assert_eq!(
        standings,
        [
            ("1", &LedgerStanding::Below { span_id: of(2) }),
            ("2", &LedgerStanding::Counted),
            ("3", &LedgerStanding::SameResponse { span_id: of(2) }),
        ]
    );
    let counted: Vec<Option<u64>> = rows.iter().map(|row| row.cost_nanos).collect();
    assert_eq!(counted, [None, Some(300 * 2_500 + 30 * 10_000), None]);
}

#[test]
fn two_spans_of_one_sdk_are_one_call_where_the_second_brings_the_usage() {
    let named = |id: u64, usage: Option<(u64, u64)>| {
        let mut span = call(id, Some(9), usage.unwrap_or_default(), None);
        let facts = span.facts.as_mut().expect("facts");
        facts.same_call = Some("{\"messages\":[]}".to_owned());
        if usage.is_none() {
            facts.usage = None;
        }
        span
    };
    let rows = vec![
        row(9, None, 1, 9_000),
        named(1, None),
        named(2, Some((100, 10))),
        named(3, None),
        named(4, Some((100, 10))),
    ];
    let trace = traced(&rows);
    assert_eq!(trace.ledger().calls, 2);
    assert_eq!(trace.ledger().unstated_calls, 0);
    assert_eq!(trace.ledger().sums.input, Some(200));
}

#[test]
fn stated_and_listed_cost_that_differ_are_told() {
    let stated = |usd: f64| {
        let mut span = call(1, None, (1_000, 100), None);
        span.facts.as_mut().expect("facts").cost_usd = Some(usd);
        named(&[span]).remove(0)
    };
    // By the list: 1000 × 2500 + 100 × 10000 = 3,500,000.
    assert!(!stated(0.0035).disagrees);
    assert!(!stated(0.003_535).disagrees);
    assert!(stated(0.003_536).disagrees);
    assert!(stated(0.0).disagrees);
    assert_eq!(stated(0.003_536).cost_nanos, Some(3_536_000));
    assert_eq!(stated(0.003_536).listed_nanos, Some(3_500_000));
}

/// The amounts of a span that does not count stand nowhere else.
#[test]
fn what_does_not_count_says_what_it_states_and_what_the_list_makes_of_it() {
    let mut wrapper = call(1, None, (1_000, 100), None);
    wrapper.facts.as_mut().expect("facts").cost_usd = Some(0.01);
    let rows = named(&[wrapper.clone(), call(2, Some(1), (1_000, 100), None)]);
    let source = &rows[0].cost_source;
    assert!(
        source.starts_with("Not counted. The span states $0.01; by list $0.0035 (openai/gpt-4o"),
        "{source}"
    );
    assert!(rows[1].cost_source.starts_with("openai/gpt-4o"));
    let facts = wrapper.facts.as_mut().expect("facts");
    facts.model = Some("nobody's".to_owned());
    let rows = named(&[wrapper, call(2, Some(1), (1_000, 100), None)]);
    assert_eq!(
        rows[0].cost_source,
        "Not counted. The span states $0.01; no list names this model"
    );
    let mut left = named(&[call(1, None, (1_000, 100), None)]).remove(0);
    left.leave_to(LedgerStanding::Elsewhere {
        trace_id: "1".repeat(32),
        span_id: "1".repeat(16),
    });
    assert!(
        left.cost_source
            .starts_with("Not counted. By list $0.0035 ("),
        "{}",
        left.cost_source
    );
}

/// One bucket without a price leaves the whole unknown, and it is not the list's price that is shown.
#[test]
fn a_price_that_the_list_lacks_is_named() {
    let mut span = call(1, None, (1_000, 100), None);
    let facts = span.facts.as_mut().expect("facts");
    facts.provider = Some("azure".to_owned());
    facts.model = Some("text-embedding-3-large".to_owned());
    let row = named(&[span]).remove(0);
    assert_eq!(row.cost_nanos, None);
    assert!(
        row.cost_source
            .starts_with("the list has no price for output (azure/text-embedding-3-large"),
        "{}",
        row.cost_source
    );
}

/// A row of this operation that names this model, or none.
fn naming(id: u64, parent: Option<u64>, operation: Operation, model: Option<&str>) -> SpanRow {
    let mut row = call(id, parent, (0, 0), None);
    let facts = row.facts.as_mut().expect("facts");
    facts.operation = operation;
    facts.usage = None;
    facts.model = model.map(ToOwned::to_owned);
    row
}

#[test]
fn a_call_without_a_model_has_the_price_of_the_one_that_a_span_above_names() {
    let bare = |id: u64, parent: u64| {
        let mut row = call(id, Some(parent), (1_000_000, 0), None);
        row.facts.as_mut().expect("facts").model = None;
        row
    };
    let mut turn = naming(1, None, Operation::Agent, Some("gpt-4o"));
    turn.facts.as_mut().expect("facts").provider = Some("openai".to_owned());
    let request = naming(2, Some(1), Operation::Chain, None);
    let shown = named(&[turn.clone(), request.clone(), bare(3, 2)]);
    let row = shown.last().expect("the call");
    assert_eq!(row.cost_nanos, Some(2_500_000_000), "$2.50 a million");
    assert_eq!(row.model.as_deref(), Some("gpt-4o"));
    assert_eq!(row.provider.as_deref(), Some("openai"));
    assert_eq!(row.model_from.as_deref(), Some("0000000000000001"));
    assert!(
        row.cost_source
            .ends_with("; the span names no model, this is that of span 0000000000000001 above it"),
        "{}",
        row.cost_source
    );

    let table = String::from_utf8(csv(&shown).expect("in memory")).expect("text");
    assert!(
        table
            .lines()
            .any(|line| line.contains(",gpt-4o,") && line.ends_with(",0000000000000001")),
        "{table}"
    );

    // The nearest one above counts, and what the call names itself before all others.
    let nearer = naming(2, Some(1), Operation::Chain, Some("gpt-4o-mini"));
    let shown = named(&[
        turn.clone(),
        nearer,
        bare(3, 2),
        call(4, Some(2), (1, 1), None),
    ]);
    let models: Vec<_> = shown
        .iter()
        .map(|row| (row.model.as_deref(), row.model_from.as_deref()))
        .collect();
    assert_eq!(
        models,
        [
            (Some("gpt-4o-mini"), Some("0000000000000002")),
            (Some("gpt-4o"), None)
        ]
    );

    // Not what a tool calls, nor what another service does, nor an embedding; a retriever's model embeds, and what a
    // guardrail or an evaluator judges is not what it judges with.
    let under = |operation, model| naming(2, Some(1), operation, model);
    let tool = under(Operation::Tool, None);
    let mut served = bare(3, 1);
    served.service = "server".to_owned();
    let mut embedding = bare(4, 1);
    embedding.facts.as_mut().expect("facts").operation = Operation::Embedding;
    for rows in [
        vec![turn.clone(), tool, bare(3, 2)],
        vec![turn.clone(), served],
        vec![turn.clone(), embedding],
        vec![
            turn.clone(),
            under(Operation::Retriever, Some("gpt-4o-mini")),
            bare(3, 2),
        ],
        vec![turn.clone(), under(Operation::Guardrail, None), bare(3, 2)],
        vec![turn.clone(), under(Operation::Evaluator, None), bare(3, 2)],
    ] {
        let shown = named(&rows);
        let row = shown.last().expect("the call");
        assert_eq!((row.cost_nanos, row.model.as_deref()), (None, None));
        assert_eq!(row.cost_source, "no list names this model");
    }

    // The judge that it names itself is the one that is asked below it.
    for judge in [Operation::Guardrail, Operation::Evaluator] {
        let rows = [turn.clone(), under(judge, Some("gpt-4o-mini")), bare(3, 2)];
        let shown = named(&rows);
        let row = shown.last().expect("the call");
        assert_eq!(row.model.as_deref(), Some("gpt-4o-mini"));
    }
}

/// Codex names the model on the span of its request, and states what the call used on one below it.
#[test]
fn what_codex_used_has_the_price_of_the_model_that_its_request_names() {
    let rows: Vec<SpanRow> = recorded("codex").iter().map(recorded_row).collect();
    let trace = traced(&rows);
    // Per million $2 in, $2.50 to the cache, $0.10 from it, $10 out: 7,093 + 1,024 + 4,096 and 107; 7,339 + 5,120 and 76;
    // 7,453 + 5,632 and 30.
    assert_eq!(trace.ledger().sums.cost, Some(NanoUsd(49_944_800)));
    assert_eq!(trace.ledger().sums.unpriced_tokens, 0);
    for row in named(&rows) {
        let span = row.span_id.parse().expect("an id");
        let above = named_above(&rows, span).expect("a span above names it");
        assert_eq!(above.model, "gpt-6.1-sol");
        assert_eq!(Some(above.by.to_string()), row.model_from);
        assert_eq!(named_above(&rows, above.by), None, "it names its own");
    }
    let id = TraceId::from_bytes(&[1; 16]).expect("valid");
    let drawn = waterfall(summary(id, 0, &trace, UnixNanos(0), 0), &trace);
    let models = drawn.model.iter().zip(&drawn.model_from);
    let inherited: Vec<_> = models.filter(|(_, from)| **from >= 0).collect();
    assert_eq!(inherited.len(), 3);
    for (model, from) in inherited {
        assert_eq!(drawn.value.strings[*model as usize], "gpt-6.1-sol");
        assert_eq!(drawn.model[usize::try_from(*from).expect("a row")], *model);
    }
}

#[test]
fn what_gemini_cli_leaves_out_of_its_counts_is_said_of_each_call() {
    let rows: Vec<SpanRow> = recorded("gemini_cli").iter().map(recorded_row).collect();
    let shown = named(&rows);
    assert!(!shown.is_empty());
    for row in shown {
        assert_eq!(
            row.notes,
            [
                "Its program counts neither what was read from the cache nor thoughts: the one is priced as fresh input, the other is in no figure."
            ]
        );
    }
}

#[test]
fn parts_larger_than_their_whole_are_flagged_on_the_span() {
    let mut span = call(1, None, (100, 10), None);
    let usage = span.facts.as_mut().expect("facts").usage.as_mut();
    usage.expect("usage").reasoning = Some(20);
    assert_eq!(named(&[span])[0].faults, [UsageFault::PartsAboveOutput]);
}

#[test]
fn the_table_adds_up_to_the_total_and_holds_no_formula() {
    let mut odd = call(2, Some(1), (300, 30), None);
    odd.facts.as_mut().expect("facts").display_name = Some("=cmd|' /C calc'!A0".to_owned());
    let rows = vec![
        call(1, None, (999, 99), None),
        odd,
        call(3, Some(1), (7, 1), None),
    ];
    let trace = traced(&rows);
    let table = csv(&named(&rows)).expect("in memory");
    let mut reader = ::csv::Reader::from_reader(&*table);
    let (mut sum, mut names) = (0, Vec::new());
    for line in reader.records() {
        let line = line.expect("a line");
        sum += line[19].parse::<u64>().unwrap_or(0);
        names.push(line[4].to_owned());
    }
    assert_eq!(Some(NanoUsd(sum)), trace.ledger().sums.cost);
    assert!(
        names.contains(&"'=cmd|' /C calc'!A0".to_owned()),
        "{names:?}"
    );
}

/// A span of a random trace: parent, tokens, cost, response id, model, operation, start.
type AnySpan = (
    Option<u64>,
    Option<(u64, u64)>,
    Option<u32>,
    u8,
    u8,
    u8,
    u64,
);

fn any_span() -> impl Strategy<Value = AnySpan> {
    (
        prop::option::of(0_u64..12),
        prop::option::of((0_u64..5_000, 0_u64..900)),
        prop::option::of(0_u32..100_000),
        0_u8..5,
        0_u8..5,
        0_u8..5,
        0_u64..50,
    )
}

fn random(spans: &[AnySpan]) -> Vec<SpanRow> {
    let rows = spans.iter().enumerate().map(|(index, span)| {
        let (parent, tokens, cost, response, model, operation, start) = *span;
        let id = index as u64 + 1;
        let mut built = call(
            id,
            parent.map(|id| id + 1),
            tokens.unwrap_or_default(),
            None,
        );
        built.start = UnixNanos(start);
        built.end = UnixNanos(start + 20);
        let facts = built.facts.as_mut().expect("facts");
        if tokens.is_none() {
            facts.usage = None;
        }
        facts.operation = Operation::ALL[usize::from(operation)];
        facts.cost_usd = cost.map(|micros| f64::from(micros) / 1e6);
        facts.response_id = (response > 0).then(|| format!("r{response}"));
        let models = ["gpt-4o", "our-own-tune", "claude-3-opus", "o3-mini"];
        facts.model = models
            .get(usize::from(model))
            .map(|&model| model.to_owned());
        facts.same_call = (response == 0 && model == 1).then(|| "same".to_owned());
        built
    });
    rows.collect()
}

proptest! {
    #[test]
    fn lines_add_up_and_no_order_of_arrival_changes_them(
        spans in prop::collection::vec(any_span(), 1..13),
        seed in any::<u64>(),
    ) {
        let rows = random(&spans);
        let trace = traced(&rows);
        let shown = named(&rows);
        let lines = || shown.iter().flat_map(|row| &row.lines).filter_map(|line| line.amount_nanos);
        let total = trace.ledger().sums.cost.map(|cost| cost.0);
        prop_assert_eq!(lines().reduce(|sum, amount| sum + amount), total);
        let entries = shown.iter().filter_map(|row| row.cost_nanos).reduce(|sum, amount| sum + amount);
        prop_assert_eq!(entries, total);

        let mut shuffled = rows;
        let mut state = seed;
        for index in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(index, usize::try_from(state >> 33).expect("31 bits") % (index + 1));
        }
        prop_assert_eq!(&named(&shuffled), &shown);
        let again: Vec<SpanId> = shuffled.iter().map(|row| row.span_id).collect();
        prop_assert_eq!(again.len(), spans.len());
    }
}
