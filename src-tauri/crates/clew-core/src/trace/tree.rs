//! The forest of a trace: every span exactly once, whatever parents its spans claim, in whatever order they came.

use std::collections::HashMap;

use super::SpanRow;
use super::waterfall::flag;
use crate::model::SpanId;

/// The rows of a trace as a forest. Vectors other than `order` have one element a row, in the order of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// Indexes of the rows in pre-order: parents before children, siblings by start and then by id.
    pub order: Vec<usize>,
    /// The parent's row; `None` at top level.
    pub parent: Vec<Option<usize>>,
    /// Levels below the top.
    pub depth: Vec<u32>,
    /// How many rows belong below this one; they follow it directly in `order`.
    pub descendants: Vec<u32>,
    /// [`flag::ORPHAN`] and [`flag::CYCLE`] where a parent edge leads nowhere or was cut.
    pub flags: Vec<u16>,
}

/// Builds the forest, iteratively and in O(n log n).
///
/// A row whose parent is missing stands at top level. Of each cycle the earliest row (by start, then id) loses its parent
/// edge and stands at top level. Should two rows have the same id, children belong to the earlier of the two.
#[must_use]
pub fn tree(rows: &[SpanRow]) -> Tree {
    let mut sorted: Vec<usize> = (0..rows.len()).collect();
    sorted.sort_by_key(|&row| (rows[row].start, rows[row].span_id, rows[row].end, row));
    let mut rank = vec![0; rows.len()];
    let mut by_id: HashMap<SpanId, usize> = HashMap::with_capacity(rows.len());
    for (position, &row) in sorted.iter().enumerate() {
        rank[row] = position;
        by_id.entry(rows[row].span_id).or_insert(row);
    }
    let mut flags = vec![0; rows.len()];
    let mut parent: Vec<Option<usize>> = vec![None; rows.len()];
    for (row, span) in rows.iter().enumerate() {
        if let Some(id) = span.parent {
            parent[row] = by_id.get(&id).copied();
            if parent[row].is_none() {
                flags[row] |= flag::ORPHAN;
            }
        }
    }
    cut_cycles(&mut parent, &rank, &mut flags);

    // Children of each row in sorted order, as one list with offsets.
    let mut offsets = vec![0_usize; rows.len() + 1];
    for &above in parent.iter().flatten() {
        offsets[above + 1] += 1;
    }
    for row in 0..rows.len() {
        offsets[row + 1] += offsets[row];
    }
    let mut next = offsets.clone();
    let mut children = vec![0_usize; offsets[rows.len()]];
    for &row in &sorted {
        if let Some(above) = parent[row] {
            children[next[above]] = row;
            next[above] += 1;
        }
    }

    let mut order = Vec::with_capacity(rows.len());
    let mut depth = vec![0_u32; rows.len()];
    let mut stack: Vec<usize> = sorted
        .iter()
        .rev()
        .copied()
        .filter(|&row| parent[row].is_none())
        .collect();
    while let Some(row) = stack.pop() {
        order.push(row);
        depth[row] = parent[row].map_or(0, |above| depth[above].saturating_add(1));
        stack.extend(children[offsets[row]..offsets[row + 1]].iter().rev());
    }
    let mut descendants = vec![0_u32; rows.len()];
    for &row in order.iter().rev() {
        if let Some(above) = parent[row] {
            descendants[above] = descendants[above]
                .saturating_add(descendants[row])
                .saturating_add(1);
        }
    }
    Tree {
        order,
        parent,
        depth,
        descendants,
        flags,
    }
}

/// Walks up from every row once; a walk that meets itself has found a cycle.
fn cut_cycles(parent: &mut [Option<usize>], rank: &[usize], flags: &mut [u16]) {
    const NEW: usize = usize::MAX;
    let mut walk_of = vec![NEW; parent.len()];
    for walk in 0..parent.len() {
        let mut at = walk;
        while walk_of[at] == NEW {
            walk_of[at] = walk;
            match parent[at] {
                Some(above) => at = above,
                None => break,
            }
        }
        if walk_of[at] != walk || parent[at].is_none() {
            continue;
        }
        let (mut first, mut here) = (at, parent[at]);
        while let Some(row) = here.filter(|&row| row != at) {
            if rank[row] < rank[first] {
                first = row;
            }
            here = parent[row];
        }
        parent[first] = None;
        flags[first] |= flag::CYCLE;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trace::testing::row;

    fn shape(rows: &[SpanRow]) -> Vec<(SpanId, u32, u16)> {
        let tree = tree(rows);
        tree.order
            .iter()
            .map(|&row| (rows[row].span_id, tree.depth[row], tree.flags[row]))
            .collect()
    }

    #[test]
    fn children_follow_their_parents_by_start() {
        let rows = [
            row(3, Some(1), 30, 40),
            row(2, Some(1), 20, 60),
            row(1, None, 10, 90),
            row(4, Some(2), 25, 26),
        ];
        let tree = tree(&rows);
        assert_eq!(tree.order, [2, 1, 3, 0]);
        assert_eq!(tree.depth, [1, 1, 0, 2]);
        assert_eq!(tree.descendants, [0, 1, 3, 0]);
    }

    #[test]
    fn a_row_whose_parent_is_missing_stands_at_top_level() {
        let rows = [row(1, None, 10, 90), row(2, Some(9), 20, 30)];
        let tree = tree(&rows);
        assert_eq!(tree.order, [0, 1]);
        assert_eq!(tree.flags, [0, flag::ORPHAN]);
    }

    /// Reliability B11.
    #[test]
    fn cycles_are_cut_at_their_earliest_row() {
        let own = [row(1, Some(1), 10, 20)];
        assert_eq!(tree(&own).flags, [flag::CYCLE]);
        let two = [
            row(1, Some(2), 20, 30),
            row(2, Some(1), 10, 40),
            row(3, Some(1), 21, 22),
        ];
        let cut = tree(&two);
        assert_eq!(cut.flags, [0, flag::CYCLE, 0]);
        assert_eq!(cut.order, [1, 0, 2]);
        assert_eq!(cut.depth, [1, 0, 2]);
    }

    /// Reliability B10.
    #[test]
    fn a_chain_of_a_hundred_thousand_is_built() {
        let rows: Vec<SpanRow> = (1..=100_000)
            .map(|id| row(id, (id > 1).then(|| id - 1), id, id + 1))
            .collect();
        let tree = tree(&rows);
        assert_eq!(tree.order.len(), rows.len());
        assert_eq!(tree.depth[99_999], 99_999);
        assert_eq!(tree.descendants[0], 99_999);
    }

    /// Reliability B10, B11.
    #[test]
    fn a_cycle_of_a_hundred_thousand_is_cut_once() {
        let rows: Vec<SpanRow> = (1..=100_000)
            .map(|id| row(id, Some(if id == 1 { 100_000 } else { id - 1 }), id, id + 1))
            .collect();
        let cut = tree(&rows)
            .flags
            .iter()
            .filter(|&&flags| flags == flag::CYCLE)
            .count();
        assert_eq!(cut, 1);
    }

    proptest! {
        /// Reliability B11.
        #[test]
        fn every_span_is_there_once_and_the_order_of_arrival_does_not_matter(
            graph in prop::collection::vec((prop::option::of(0_u64..40), 0_u64..5), 1..40),
            seed in any::<u64>(),
        ) {
            let rows: Vec<SpanRow> = graph
                .iter()
                .enumerate()
                .map(|(index, (parent, start))| row(index as u64 + 1, parent.map(|id| id + 1), *start, start + 1))
                .collect();
            let built = tree(&rows);
            let mut seen = built.order.clone();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..rows.len()).collect::<Vec<_>>());
            for (position, &at) in built.order.iter().enumerate() {
                let below = built.descendants[at] as usize;
                for &inner in &built.order[position + 1..=position + below] {
                    prop_assert!(built.depth[inner] > built.depth[at]);
                }
            }
            let mut shuffled = rows.clone();
            let mut state = seed;
            for index in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(index, usize::try_from(state >> 33).expect("31 bits") % (index + 1));
            }
            prop_assert_eq!(shape(&rows), shape(&shuffled));
        }
    }
}
