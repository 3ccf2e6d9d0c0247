//! The bills of the recorded Claude Code run, and of what may be lost of it. Dollars of its seven requests: 0.0750175,
//! 0.05884, 0.0592875, 0.05745 and 0.057895 (together 0.30849) of the agent, 0.0006926 and 0.00061194 (0.00130454) of the
//! agent below it.

use crate::convention::tests::recorded::recorded;
use crate::model::{Bill, Bucket, Operation, TraceId};
use crate::price::PriceSource;
use crate::trace::testing::{call, recorded_row, row, step, traced};
use crate::trace::{LedgerCost, LedgerRow, LedgerStanding, RowFacts, SpanRow, ledger_rows};

const INTERACTION: &str = "claude_code.interaction";
const EXECUTION: &str = "claude_code.tool.execution";

fn run() -> Vec<SpanRow> {
    recorded("claude_code").iter().map(recorded_row).collect()
}

fn facts(row: &mut SpanRow) -> &mut RowFacts {
    row.facts.as_mut().expect("rows have facts")
}

/// The same run with a model that no list names in the place of one.
fn unlisted(mut rows: Vec<SpanRow>, model: &str) -> Vec<SpanRow> {
    for row in &mut rows {
        let facts = facts(row);
        if facts.model.as_deref() == Some(model) {
            facts.model = Some("gateway-alias".to_owned());
            facts.request_model = None;
        }
    }
    rows
}

/// The entries, the same in any order of arrival, and what the trace costs in nano-dollars.
fn entries(rows: &[SpanRow]) -> (Vec<LedgerRow>, Option<u64>) {
    let id = TraceId::from_bytes(&[7; 16]).expect("a trace id");
    let of = |rows: &[SpanRow]| {
        let trace = traced(rows);
        let cost = trace.ledger().sums.cost.map(|cost| cost.0);
        (ledger_rows(id, 0, &trace), cost)
    };
    let (first, mut turned) = (of(rows), rows.to_vec());
    for _ in 0..rows.len() {
        turned.rotate_left(1);
        assert_eq!(of(&turned), first);
    }
    turned.reverse();
    assert_eq!(of(&turned), first);
    first
}

fn of_kind(entries: &[LedgerRow], kind: Operation) -> Vec<&LedgerRow> {
    let of = entries.iter().filter(|row| row.operation == kind);
    of.collect()
}

fn costs(entries: &[LedgerRow]) -> Vec<Option<u64>> {
    let calls = of_kind(entries, Operation::Llm);
    calls.iter().map(|row| row.cost_nanos).collect()
}

#[test]
fn each_request_has_the_cost_of_the_record_that_names_it() {
    let (entries, cost) = entries(&run());
    assert_eq!(cost, Some(309_794_540));
    assert_eq!(entries.len(), 7, "no span but the calls has an entry");
    assert_eq!(
        costs(&entries),
        [
            Some(75_017_500),
            Some(58_840_000),
            Some(692_600),
            Some(611_940),
            Some(59_287_500),
            Some(57_450_000),
            Some(57_895_000),
        ]
    );
    let first = &entries[0];
    assert_eq!(first.stated_nanos, first.listed_nanos);
    assert!(!first.disagrees);
    assert_eq!(
        first.cost_source,
        "stated by a log record of span 40bbd3f43353d65e"
    );
    // 162 for five minutes, 2,048 for an hour, which the span alone does not tell apart.
    let written = |bucket: Bucket| {
        let line = first.lines.iter().find(|line| line.bucket == Some(bucket));
        line.map(|line| (line.count, line.listed_nanos))
    };
    assert_eq!(written(Bucket::CacheWrite), Some((162, Some(1_012_500))));
    assert_eq!(
        written(Bucket::CacheWrite1h),
        Some((2_048, Some(20_480_000)))
    );
}

#[test]
fn a_model_that_no_list_names_costs_what_the_records_state() {
    let (some, cost) = entries(&unlisted(run(), "claude-opus-5"));
    assert_eq!(cost, Some(309_794_540));
    assert_eq!(some[0].price, PriceSource::Unknown);
    assert_eq!(some[0].cost_nanos, Some(75_017_500));
    let none = unlisted(unlisted(run(), "claude-opus-5"), "claude-haiku-5-5");
    let (none, cost) = entries(&none);
    assert_eq!(cost, Some(309_794_540));
    assert_eq!(costs(&none), costs(&entries(&run()).0));
}

#[test]
fn calls_whose_records_were_lost_are_in_nobodys_bill() {
    let mut rows = unlisted(run(), "claude-haiku-5-5");
    let execution = rows.iter_mut().filter(|row| row.name == EXECUTION);
    for row in execution {
        facts(row).bills.clear();
    }
    let (entries, cost) = entries(&rows);
    assert_eq!(cost, Some(308_490_000));
    for call in &entries[2..4] {
        assert_eq!(call.cost, LedgerCost::Unknown);
        assert_eq!(call.cost_source, "no list names this model");
    }
}

/// The span of a request may be sampled out or still under way.
#[test]
fn what_no_span_names_stays_with_the_span_of_its_records() {
    let mut rows = run();
    let lost = rows.iter().position(|row| {
        let facts = row.facts.as_ref().expect("facts");
        facts.request_id.as_deref() == Some("req_a073fced0df3aa8418095147")
    });
    rows.remove(lost.expect("the third request"));
    let (entries, cost) = entries(&rows);
    assert_eq!(cost, Some(309_794_540), "no dollar is lost");
    let rest = of_kind(&entries, Operation::Agent);
    assert_eq!(rest[0].cost_nanos, Some(59_287_500));
    assert_eq!(rest[0].standing, LedgerStanding::CostOnly);
    assert_eq!(rest[0].cost_source, "stated by the span's log records");
    assert_eq!(
        rest[0].reason.as_deref(),
        Some("Its cost counts: its log records state it, of requests that no span names")
    );
    assert_eq!(costs(&entries).len(), 6);
    assert_eq!(
        costs(&entries)[0],
        Some(75_017_500),
        "and no call is hidden"
    );
}

#[test]
fn a_bill_that_the_list_does_not_make_is_told() {
    let mut rows = run();
    for row in &mut rows {
        for bill in &mut facts(row).bills {
            bill.usd = bill.usd.map(|usd| usd * 2.0);
        }
    }
    let (entries, cost) = entries(&rows);
    assert_eq!(cost, Some(619_589_080));
    assert!(entries[0].disagrees);
    assert_eq!(
        entries[0].notes,
        ["A log record states $0.150035, the list makes it $0.0750175: more than 1 % apart."]
    );
}

#[test]
fn a_record_that_comes_twice_is_one_bill() {
    let mut rows = run();
    let of_agent = rows.iter().position(|row| row.name == INTERACTION);
    let bills = rows[of_agent.expect("the agent")].facts.clone();
    let bills = bills.expect("facts").bills;
    assert_eq!(bills.len(), 5);
    let execution = rows.iter_mut().find(|row| row.name == EXECUTION);
    facts(execution.expect("an execution")).bills.extend(bills);
    assert_eq!(entries(&rows).1, Some(309_794_540));
    // Nor are they two where the spans of the requests were lost.
    rows.retain(|row| row.operation() != Operation::Llm);
    assert_eq!(entries(&rows).1, Some(309_794_540));
}

/// A provider without request ids: the records may be of the calls below, and those count once.
#[test]
fn bills_without_a_request_are_of_the_calls_below_that_have_none() {
    let mut agent = step(1, None, Operation::Agent, 0, 9_000);
    facts(&mut agent).bills = vec![Bill {
        request: None,
        usd: Some(0.25),
        written: None,
    }];
    // 1,000 × 2.5 + 100 × 10 dollars a million.
    let listed = [agent.clone(), call(2, Some(1), (1_000, 100), None)];
    let (entries_listed, cost) = entries(&listed);
    assert_eq!(cost, Some(3_500_000));
    assert_eq!(
        entries_listed[0].cost_source,
        "Not counted. The span's log records state $0.25; no list names this model"
    );
    let unpriced = unlisted(listed.to_vec(), "gpt-4o");
    let (entries_unpriced, cost) = entries(&unpriced);
    assert_eq!(cost, Some(250_000_000));
    assert_eq!(
        entries_unpriced[1].cost_source,
        "in what span 0000000000000001 states"
    );
    let mut named = call(2, Some(1), (1_000, 100), None);
    facts(&mut named).request_id = Some("req_1".to_owned());
    let known = Bill {
        request: Some("req_2".to_owned()),
        ..facts(&mut agent).bills[0].clone()
    };
    facts(&mut agent).bills = vec![known];
    let (_, cost) = entries(&[agent, named, row(3, Some(1), 1, 2)]);
    assert_eq!(cost, Some(253_500_000), "another request's bill hides none");
}

fn nameless(dollars: &[f64]) -> Vec<Bill> {
    let bill = |&usd: &f64| Bill {
        request: None,
        usd: Some(usd),
        written: None,
    };
    dollars.iter().map(bill).collect()
}

/// The sum has both calls in it, so neither is added to it.
#[test]
fn a_priced_call_does_not_hide_what_the_records_state_of_one_without_a_price() {
    let mut agent = step(1, None, Operation::Agent, 0, 9_000);
    facts(&mut agent).bills = nameless(&[0.3, 0.0035]);
    let mut alias = call(2, Some(1), (90_000, 900), None);
    facts(&mut alias).model = Some("gateway-alias".to_owned());
    let (entries, cost) = entries(&[agent, alias, call(3, Some(1), (1_000, 100), None)]);
    assert_eq!(cost, Some(303_500_000));
    for call in of_kind(&entries, Operation::Llm) {
        assert_eq!(call.cost_source, "in what span 0000000000000001 states");
        assert_eq!(call.cost_nanos, None);
    }
}

#[test]
fn what_a_tool_or_another_service_calls_is_not_among_nameless_bills() {
    let agent = |dollars: &[f64]| {
        let mut agent = step(1, None, Operation::Agent, 0, 9_000);
        facts(&mut agent).bills = nameless(dollars);
        agent
    };
    // $0.0035 by the list.
    let mut served = call(3, Some(1), (1_000, 100), None);
    served.service = "gateway".to_owned();
    let (_, cost) = entries(&[agent(&[0.25]), served]);
    assert_eq!(cost, Some(253_500_000));
    let tool = step(2, Some(1), Operation::Tool, 1, 900);
    let below = call(3, Some(2), (1_000, 100), None);
    let (_, cost) = entries(&[agent(&[0.25]), tool, below]);
    assert_eq!(cost, Some(253_500_000));
}

/// A stand-in that gives every request one id says nothing of which record is whose.
#[test]
fn an_id_that_several_calls_have_gives_none_of_them_a_bill() {
    let mut agent = step(1, None, Operation::Agent, 0, 9_000);
    facts(&mut agent).bills = nameless(&[0.1, 0.02, 0.03]);
    for bill in &mut facts(&mut agent).bills {
        bill.request = Some("1".to_owned());
    }
    let calls = (2..5).map(|id| {
        let mut call = call(id, Some(1), (1_000, 100), None);
        facts(&mut call).request_id = Some("1".to_owned());
        facts(&mut call).model = Some("gateway-alias".to_owned());
        call
    });
    let rows: Vec<SpanRow> = std::iter::once(agent).chain(calls).collect();
    let (_, cost) = entries(&rows);
    assert_eq!(cost, Some(150_000_000));
}
