//! The critical path: the chain of work that the end of a trace waited for.

use super::Waterfall;

/// One stretch of the path: from `from` to `to` (nanoseconds from time 0) the trace waited for `row` itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    /// The row.
    pub(super) row: u32,
    /// Where the stretch starts.
    pub(super) from: f64,
    /// Where it ends.
    pub(super) to: f64,
}

/// A row that is still to be walked, within these points in time.
struct Walk {
    row: usize,
    since: f64,
    until: f64,
}

/// Walks a trace from its end back to its start and answers what it waited for, in order of time.
///
/// Within a row the walk goes to the child that ended last, from there to the one that had ended last when that one
/// started, and so on; what no child covers is the row's own. Children that begin before their parent or outlive it
/// count only within it. A pending row reaches to the end. Top-level rows are walked as children of the trace.
pub(super) fn critical_path(waterfall: &Waterfall) -> Vec<Stretch> {
    let count = waterfall.parent.len();
    let extent = waterfall.value.extent_nanos;
    let start = |row: usize| waterfall.start[row];
    let end = |row: usize| match waterfall.duration[row] {
        nanos if nanos < 0.0 => extent,
        nanos => waterfall.start[row] + nanos,
    };
    // Children of each row, and of the trace itself (the last list), those that end last first.
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); count + 1];
    for row in 0..count {
        let above = usize::try_from(waterfall.parent[row]).unwrap_or(count);
        children[above.min(count)].push(row);
    }
    for list in &mut children {
        list.sort_by(|&one, &other| {
            let ends = end(other).total_cmp(&end(one));
            ends.then(start(other).total_cmp(&start(one)))
        });
    }

    let mut path = Vec::new();
    let mut open = vec![Walk {
        row: count,
        since: 0.0,
        until: extent,
    }];
    while let Some(Walk { row, since, until }) = open.pop() {
        let began = if row == count {
            since
        } else {
            start(row).max(since)
        };
        let own = |from: f64, to: f64, path: &mut Vec<Stretch>| {
            if to > from && row < count {
                path.push(Stretch {
                    row: u32::try_from(row).unwrap_or(u32::MAX),
                    from,
                    to,
                });
            }
        };
        let mut at = until;
        for &child in &children[row] {
            if start(child) >= at || at <= began {
                continue;
            }
            let ended = end(child).min(at);
            if ended <= began {
                break;
            }
            own(ended, at, &mut path);
            at = start(child).max(began);
            open.push(Walk {
                row: child,
                since: at,
                until: ended,
            });
        }
        own(began, at, &mut path);
    }
    path.sort_by(|one, other| one.from.total_cmp(&other.from));
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::model::Operation;
    use crate::trace::SpanRow;
    use crate::trace::testing::{drawn, step};

    #[test]
    fn the_critical_path_is_what_the_end_waited_for() {
        let rows = [
            step(1, None, Operation::Agent, 0, 100),
            step(2, Some(1), Operation::Llm, 10, 40),
            // Runs beside the tool and ends before it: nothing waits for it.
            step(3, Some(1), Operation::Tool, 45, 60),
            step(4, Some(1), Operation::Tool, 42, 80),
            // Outlives its parent and counts up to its end.
            step(5, Some(4), Operation::Tool, 70, 95),
        ];
        let built = drawn(&rows);
        let path: Vec<(String, f64, f64)> = (0..built.critical_row.len())
            .map(|at| {
                let row = built.critical_row[at] as usize;
                let name = built.value.strings[built.name[row] as usize].clone();
                (name, built.critical_from[at], built.critical_to[at])
            })
            .collect();
        let stretch = |id: u64, from: f64, to: f64| (format!("span {id}"), from, to);
        assert_eq!(
            path,
            [
                stretch(1, 0.0, 10.0),
                stretch(2, 10.0, 40.0),
                stretch(1, 40.0, 42.0),
                stretch(4, 42.0, 70.0),
                stretch(5, 70.0, 80.0),
                stretch(1, 80.0, 100.0),
            ]
        );
        assert_eq!(built.value.critical_nanos, 68.0);
    }

    proptest! {
        #[test]
        fn the_critical_path_never_overlaps_and_never_leaves_the_trace(
            spans in prop::collection::vec((0..30_u64, 0..1_000_u64, 0..1_000_u64), 1..30)
        ) {
            let rows: Vec<SpanRow> = spans
                .iter()
                .zip(1..)
                .map(|(&(parent, from, took), id)| {
                    step(id, (parent != 0).then_some(parent), Operation::Other, from, from + took)
                })
                .collect();
            let built = drawn(&rows);
            let mut at = 0.0;
            for (from, to) in built.critical_from.iter().zip(&built.critical_to) {
                prop_assert!(*from >= at && to > from);
                at = *to;
            }
            prop_assert!(at <= built.value.extent_nanos);
            prop_assert!(built.value.critical_nanos <= built.value.extent_nanos);
        }
    }
}
