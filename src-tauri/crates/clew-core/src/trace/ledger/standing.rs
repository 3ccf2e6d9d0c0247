//! Which spans count: by ancestry, by the provider's response, by the pairs that one SDK sends.

use std::cmp::Reverse;

use super::super::{RowFacts, SpanRow, Tree};
use super::billed::Billed;
use super::is_call;
use crate::model::UnixNanos;

/// Whether an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its tokens and its cost count.
    Counted,
    /// Its stated cost counts: of the calls below it, which own the tokens, no price is known.
    CostOnly,
    /// It counts in no total.
    Excluded(Exclusion),
}

/// Why an entry counts in no total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// A span below it states what it repeats: this row, or one of several.
    Below(usize),
    /// It states nothing, and a span above it, this row, states the sum of what is below.
    Above(usize),
    /// This row tells of the same response of the provider, and says more.
    SameResponse(usize),
    /// This row of the same SDK tells of the same call, and says more.
    SameCall(usize),
}

/// What is decided of every row.
pub(super) struct Standings {
    /// `None` where a row has no entry.
    pub(super) of_row: Vec<Option<Standing>>,
    /// The other rows that tell of the call that a row owns.
    pub(super) twins: Vec<Vec<usize>>,
    /// Whether the row is a model call that counts as one.
    pub(super) is_call: Vec<bool>,
    /// Whether it is such a call of which no span states any usage.
    pub(super) unstated: Vec<bool>,
    /// A model call below each row.
    called_below: Vec<Option<usize>>,
}

pub(super) fn states_usage(row: &SpanRow) -> bool {
    let usage = row.facts.as_ref().and_then(|facts| facts.usage);
    usage.is_some_and(|usage| usage.is_stated())
}

impl RowFacts {
    /// Whether it states a cost. Nothing for a call that failed and used nothing is no price.
    pub(super) fn states_cost(&self, failed: bool) -> bool {
        let used = self.usage.is_some_and(|usage| usage.is_stated());
        self.cost_usd
            .is_some_and(|cost| cost > 0.0 || !failed || used)
    }

    /// How much a span knows of its call: of several that tell of one call the one with most counts. Usage weighs more
    /// than anything else.
    #[must_use]
    pub fn rank(&self, failed: bool) -> u32 {
        let usage = self.usage.unwrap_or_default();
        let others = u32::from(self.states_cost(failed))
            + u32::from(self.output_preview.is_some())
            + u32::from(self.ttft_nanos.is_some());
        u32::from(usage.is_stated()) * 100 + usage.richness() + others
    }
}

fn rank(row: &SpanRow) -> u32 {
    row.facts
        .as_ref()
        .map_or(0, |facts| facts.rank(row.failed()))
}

/// Decides of every row. Costs that only a span above states are looked at afterwards ([`super::cost`]).
pub(super) fn standings(rows: &[SpanRow], tree: &Tree, billed: &Billed) -> Standings {
    let calls = |row: &SpanRow| is_call(row.operation());
    let stated_below = lowest(rows, tree, states_usage);
    let called_below = lowest(rows, tree, calls);
    let owns = |row: usize| states_usage(&rows[row]) && stated_below[row].is_none();

    let mut decided = Standings {
        of_row: vec![None; rows.len()],
        twins: vec![Vec::new(); rows.len()],
        is_call: (0..rows.len())
            .map(|row| calls(&rows[row]) && called_below[row].is_none())
            .collect(),
        unstated: vec![false; rows.len()],
        called_below,
    };
    for (row, span) in rows.iter().enumerate() {
        if states_usage(span) || billed.states_cost(row) || calls(span) {
            let standing = stated_below[row].map_or(Standing::Counted, |below| {
                Standing::Excluded(Exclusion::Below(below))
            });
            decided.of_row[row] = Some(standing);
        }
    }
    let candidates: Vec<usize> = (0..rows.len())
        .filter(|&row| decided.of_row[row] == Some(Standing::Counted))
        .collect();
    for (told, exclusion) in same_response(rows, &candidates)
        .into_iter()
        .map(|told| (told, Exclusion::SameResponse as fn(usize) -> Exclusion))
        .chain(
            same_call(rows, tree, &candidates)
                .into_iter()
                .map(|told| (told, Exclusion::SameCall as fn(usize) -> Exclusion)),
        )
    {
        decided.join(rows, tree, &told, exclusion);
    }

    // A call that states nothing is told by the nearest span above that owns what is below it.
    let mut owner_above: Vec<Option<usize>> = vec![None; rows.len()];
    for &row in &tree.order {
        if let Some(above) = tree.parent[row] {
            let owned = owns(above) && decided.of_row[above] == Some(Standing::Counted);
            owner_above[row] = if owned {
                Some(above)
            } else {
                owner_above[above]
            };
        }
        if decided.of_row[row] == Some(Standing::Counted)
            && !states_usage(&rows[row])
            && !billed.states_cost(row)
            && let Some(above) = owner_above[row]
        {
            decided.of_row[row] = Some(Standing::Excluded(Exclusion::Above(above)));
        }
        decided.unstated[row] = decided.is_call[row]
            && decided.of_row[row] == Some(Standing::Counted)
            && !states_usage(&rows[row]);
    }
    decided
}

impl Standings {
    /// Of rows that tell of one call the one that says most counts; it is a call if one of them is.
    fn join(
        &mut self,
        rows: &[SpanRow],
        tree: &Tree,
        told: &[usize],
        exclusion: fn(usize) -> Exclusion,
    ) {
        let standing: Vec<usize> = told
            .iter()
            .copied()
            .filter(|&row| self.of_row[row] == Some(Standing::Counted))
            .collect();
        let says_most = standing.iter().copied().max_by_key(|&row| {
            let earliest = Reverse((rows[row].start, rows[row].span_id));
            (rank(&rows[row]), tree.depth[row], earliest)
        });
        let Some(owner) = says_most.filter(|_| standing.len() > 1) else {
            return;
        };
        // A wrapper's call is the one below it, which is among the twins or counts for itself.
        let wraps = |row: usize| self.called_below[row].is_some_and(|call| !told.contains(&call));
        let is_call = standing.iter().any(|&row| self.is_call[row])
            && !standing.iter().any(|&row| wraps(row));
        for row in standing {
            self.is_call[row] = row == owner && is_call;
            if row != owner {
                self.of_row[row] = Some(Standing::Excluded(exclusion(owner)));
                self.twins[owner].push(row);
            }
        }
    }
}

/// For each row a row below it for which `holds`, the first in pre-order; `None` where there is none.
fn lowest(rows: &[SpanRow], tree: &Tree, holds: impl Fn(&SpanRow) -> bool) -> Vec<Option<usize>> {
    let mut below: Vec<Option<usize>> = vec![None; rows.len()];
    for &row in tree.order.iter().rev() {
        let found = if holds(&rows[row]) {
            Some(row)
        } else {
            below[row]
        };
        if let (Some(found), Some(above)) = (found, tree.parent[row]) {
            below[above] = Some(found);
        }
    }
    below
}

/// Rows that tell of one response: the same id, and at the same time. Servers for tests give every response one id;
/// calls after one another are calls of their own.
fn same_response(rows: &[SpanRow], candidates: &[usize]) -> Vec<Vec<usize>> {
    let id = |row: usize| rows[row].facts.as_ref()?.response_id.as_deref();
    let mut named: Vec<usize> = candidates
        .iter()
        .copied()
        .filter(|&row| id(row).is_some())
        .collect();
    named.sort_by_key(|&row| (id(row), rows[row].start, rows[row].span_id));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut latest = UnixNanos(0);
    for row in named {
        let same = groups
            .last()
            .and_then(|group| group.first())
            .is_some_and(|&first| id(first) == id(row));
        match groups.last_mut() {
            Some(group) if same && rows[row].start <= latest => {
                group.push(row);
                latest = latest.max(rows[row].end);
            }
            _ => {
                groups.push(vec![row]);
                latest = rows[row].end;
            }
        }
    }
    groups
}

/// Rows by which one SDK tells of one call without naming the response in both: the same key under the same parent, one
/// that states usage together with the ones before it that state none.
fn same_call(rows: &[SpanRow], tree: &Tree, candidates: &[usize]) -> Vec<Vec<usize>> {
    let key = |row: usize| rows[row].facts.as_ref()?.same_call.as_deref();
    let mut named: Vec<usize> = candidates
        .iter()
        .copied()
        .filter(|&row| key(row).is_some())
        .collect();
    named.sort_by_key(|&row| {
        (
            key(row),
            tree.parent[row],
            rows[row].start,
            rows[row].span_id,
        )
    });
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for row in named {
        let open = groups.last_mut().filter(|group| {
            group.iter().all(|&other| {
                key(other) == key(row)
                    && tree.parent[other] == tree.parent[row]
                    && !states_usage(&rows[other])
            })
        });
        match open {
            Some(group) if states_usage(&rows[row]) => group.push(row),
            _ => groups.push(vec![row]),
        }
    }
    groups
}
