//! What each row states of its cost: itself, or log records that stand at another span and name its request. Claude Code
//! tells of a request at the span from which it was made.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::super::{SpanRow, Tree};
use super::standing::states_usage;
use crate::model::{Bill, NanoUsd, Operation};

/// What a bill tells of a request: its id, the bits of its cost, and what was written to the cache.
type Told<'a> = (&'a str, Option<u64>, Option<(u64, u64)>);

/// A cost that is stated of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatedCost {
    pub(super) amount: NanoUsd,
    /// The row where it stands.
    pub(super) by: usize,
    /// Whether log records of that row state it, and not the span.
    pub(super) logged: bool,
}

/// What is stated of the rows of a trace, each request once.
pub(super) struct Billed {
    cost: Vec<Option<StatedCost>>,
    /// Tokens written to the cache for five minutes and for an hour.
    written: Vec<Option<(u64, u64)>>,
    /// Rows whose cost is that of requests which no span names.
    rest: Vec<bool>,
    /// Calls that may be among those requests, as neither they nor the records say which is whose: the row with these.
    claimed_by: Vec<Option<usize>>,
}

impl Billed {
    /// Gives each call the bill that names its request; what is left of a row's bills is its own.
    pub(super) fn of(rows: &[SpanRow], tree: &Tree) -> Self {
        let own = |row: usize| {
            let facts = rows[row].facts.as_ref()?;
            let cost = facts
                .cost_usd
                .filter(|_| facts.states_cost(rows[row].failed()))?;
            Some(StatedCost {
                amount: NanoUsd::from_usd(cost)?,
                by: row,
                logged: false,
            })
        };
        let mut billed = Self {
            cost: (0..rows.len()).map(own).collect(),
            written: vec![None; rows.len()],
            rest: vec![false; rows.len()],
            claimed_by: vec![None; rows.len()],
        };
        if rows.iter().all(|row| bills(row).is_empty()) {
            return billed;
        }
        let (calls, shared) = calls(rows, tree);
        let mut told: HashSet<Told<'_>> = HashSet::new();
        let mut nameless = vec![false; rows.len()];
        let mut tellers: Vec<usize> = (0..rows.len()).collect();
        tellers.sort_by_key(|&row| (rows[row].start, rows[row].span_id));
        for teller in tellers {
            let mut rest: Option<NanoUsd> = None;
            for bill in bills(&rows[teller]) {
                let request = bill.request.as_deref();
                let bits = bill.usd.map(f64::to_bits);
                if request.is_some_and(|request| !told.insert((request, bits, bill.written))) {
                    continue;
                }
                // An id that several calls have tells nothing.
                let request = request.filter(|request| !shared.contains(request));
                let amount = bill.usd.and_then(NanoUsd::from_usd);
                if let Some(&call) = request.and_then(|request| calls.get(request)) {
                    billed.written[call] = bill.written;
                    billed.cost[call] = billed.cost[call].or(amount.map(|amount| StatedCost {
                        amount,
                        by: teller,
                        logged: true,
                    }));
                } else if let Some(amount) = amount {
                    nameless[teller] |= request.is_none();
                    rest = Some(rest.map_or(amount, |rest| rest + amount));
                }
            }
            if let (Some(amount), None) = (rest, billed.cost[teller]) {
                billed.rest[teller] = true;
                billed.cost[teller] = Some(StatedCost {
                    amount,
                    by: teller,
                    logged: true,
                });
            }
        }
        billed.claims(rows, tree, &nameless, &shared);
        billed
    }

    /// Finds the calls that may be among the rest of what a row above tells of.
    fn claims(&mut self, rows: &[SpanRow], tree: &Tree, nameless: &[bool], shared: &HashSet<&str>) {
        let mut teller: Vec<Option<usize>> = vec![None; rows.len()];
        for &row in &tree.order {
            // What a tool calls, or another service, is told of by others.
            let own = tree.parent[row].filter(|&above| {
                rows[above].operation() != Operation::Tool
                    && rows[above].service == rows[row].service
            });
            let above = own.and_then(|above| teller[above]);
            teller[row] = if bills(&rows[row]).is_empty() {
                above
            } else {
                Some(row)
            };
            let names_request = request(&rows[row]).is_some_and(|id| !shared.contains(id));
            self.claimed_by[row] = above.filter(|&above| {
                self.rest[above]
                    && self.cost[row].is_none()
                    && rows[row].operation() == Operation::Llm
                    && (nameless[above] || !names_request)
            });
        }
    }

    /// What is stated of a row.
    pub(super) fn cost(&self, row: usize) -> Option<StatedCost> {
        self.cost[row]
    }

    /// Whether a cost is stated of a row.
    pub(super) fn states_cost(&self, row: usize) -> bool {
        self.cost[row].is_some()
    }

    /// Tokens that a row's call wrote to the cache for five minutes and for an hour.
    pub(super) fn written(&self, row: usize) -> Option<(u64, u64)> {
        self.written[row]
    }

    /// Whether a row's cost is that of requests which no span of the trace names.
    pub(super) fn is_rest(&self, row: usize) -> bool {
        self.rest[row]
    }

    /// The row whose rest may have this call in it.
    pub(super) fn claimed_by(&self, row: usize) -> Option<usize> {
        self.claimed_by[row]
    }
}

fn bills(row: &SpanRow) -> &[Bill] {
    row.facts
        .as_ref()
        .map_or(&[], |facts| facts.bills.as_slice())
}

fn request(row: &SpanRow) -> Option<&str> {
    row.facts.as_ref()?.request_id.as_deref()
}

/// The call of each request: of several rows that name one the one that owns its tokens, which is the lowest; and the ids
/// that are no request's own, as calls beside one another have them.
fn calls<'a>(rows: &'a [SpanRow], tree: &Tree) -> (HashMap<&'a str, usize>, HashSet<&'a str>) {
    let mut calls: HashMap<&str, usize> = HashMap::new();
    let mut shared: HashSet<&str> = HashSet::new();
    let is_above = |above: usize, row: usize| {
        std::iter::successors(tree.parent[row], |&next| tree.parent[next]).any(|next| next == above)
    };
    let weight = |row: usize| {
        let earliest = Reverse((rows[row].start, rows[row].span_id));
        (states_usage(&rows[row]), tree.depth[row], earliest)
    };
    for (row, span) in rows.iter().enumerate() {
        if let Some(request) = request(span) {
            let call = calls.entry(request).or_insert(row);
            let both_used = *call != row && states_usage(span) && states_usage(&rows[*call]);
            if both_used && !is_above(row, *call) && !is_above(*call, row) {
                shared.insert(request);
            }
            if weight(row) > weight(*call) {
                *call = row;
            }
        }
    }
    calls.retain(|request, _| !shared.contains(request));
    (calls, shared)
}

#[cfg(test)]
mod tests;
