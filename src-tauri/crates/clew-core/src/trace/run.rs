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

#[cfg(test)]
mod tests {
    use crate::model::Operation;
    use crate::trace::testing::{drawn, step};

    #[test]
    fn repeated_siblings_are_summed_up_as_a_run() {
        let mut rows = vec![step(1, None, Operation::Agent, 0, 100)];
        for id in 0..6 {
            let mut embed = step(10 + id, Some(1), Operation::Embedding, id * 10, id * 10 + 5);
            embed.name = "embed".to_owned();
            if id == 2 {
                embed.status = 2;
            }
            rows.push(embed);
        }
        let built = drawn(&rows);
        let [run] = built.value.runs.as_slice() else {
            panic!("one run: {:?}", built.value.runs);
        };
        assert_eq!((run.row, run.end, run.members, run.errors), (1, 7, 6, 1));
        assert_eq!(run.duration_nanos, 30.0);
        // Four are no run, and model calls never are one.
        assert_eq!(drawn(&rows[..5]).value.runs, []);
        for row in &mut rows[1..] {
            row.facts.as_mut().expect("facts").operation = Operation::Llm;
        }
        assert_eq!(drawn(&rows).value.runs, []);
    }
}
