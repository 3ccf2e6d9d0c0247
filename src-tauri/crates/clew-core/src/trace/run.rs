//! Runs of repeated siblings: what a waterfall folds to one line ("embed ×48").

use serde::Serialize;
use ts_rs::TS;

use super::Waterfall;
use crate::model::Operation;

/// So many consecutive siblings of one name make a run.
const LENGTH: u32 = 5;

/// Consecutive siblings of one name and operation, with everything below them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Row of the first member.
    pub row: u32,
    /// The row after the last one that belongs to the run.
    pub end: u32,
    /// How many siblings there are.
    pub members: u32,
    /// Nanoseconds of all members together; a pending one counts none.
    pub duration_nanos: f64,
    /// Rows of the run that failed, those below its members included.
    pub errors: u32,
}

/// Finds the runs of a waterfall, in order of their rows.
///
/// Model calls and agents never fold away: they are what the reader came for.
pub(super) fn runs(waterfall: &Waterfall) -> Vec<Run> {
    let never = [Operation::Llm, Operation::Agent]
        .map(|kept| Operation::ALL.iter().position(|kind| *kind == kept));
    let count = waterfall.parent.len();
    let after = |row: usize| {
        usize::try_from(waterfall.descendants[row])
            .unwrap_or(count)
            .saturating_add(row)
            .saturating_add(1)
            .min(count)
    };
    let mut member = vec![false; count];
    let mut found = Vec::new();
    for row in 0..count {
        let operation = waterfall.operation[row];
        if member[row] || never.contains(&Some(usize::from(operation))) {
            continue;
        }
        let (mut members, mut nanos, mut next) = (0, 0.0, row);
        while next < count
            && waterfall.parent[next] == waterfall.parent[row]
            && waterfall.name[next] == waterfall.name[row]
            && waterfall.operation[next] == operation
        {
            member[next] = true;
            members += 1;
            nanos += waterfall.duration[next].max(0.0);
            next = after(next);
        }
        if members >= LENGTH {
            let failed = waterfall.status[row..next]
                .iter()
                .filter(|status| **status == 2);
            found.push(Run {
                row: narrow(row),
                end: narrow(next),
                members,
                duration_nanos: nanos,
                errors: narrow(failed.count()),
            });
        }
    }
    found
}

fn narrow(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}
