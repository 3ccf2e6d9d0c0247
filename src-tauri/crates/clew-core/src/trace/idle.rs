//! Stretches of a trace in which nothing works: the time axis may leave them out.

use super::Waterfall;
use crate::model::Operation;

/// A stretch shorter than this share of the trace is not worth cutting out.
const LEAST_GAP: f64 = 0.05;
/// Idling less than this share of the trace is not worth a word.
const LEAST_SHARE: f64 = 0.2;

/// The idle stretches, each as nanoseconds from time 0 to its start and to its end, in order; empty where they are too
/// short or too few to matter (under 5 % of the trace each, or under 20 % together).
///
/// A row works while it runs, unless it only waits for others: an agent, a chain or an unknown step with rows below it.
/// A pending row works to the end.
pub(super) fn idle(waterfall: &Waterfall) -> Vec<(f64, f64)> {
    let extent = waterfall.value.extent_nanos;
    if extent <= 0.0 {
        return Vec::new();
    }
    let mut busy: Vec<(f64, f64)> = (0..waterfall.parent.len())
        .filter(|&row| works(waterfall, row))
        .map(|row| {
            let (start, duration) = (waterfall.start[row], waterfall.duration[row]);
            let end = if duration < 0.0 {
                extent
            } else {
                start + duration
            };
            (start, end)
        })
        .collect();
    busy.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut gaps = Vec::new();
    let mut at = 0.0;
    for (start, end) in busy.into_iter().chain([(extent, extent)]) {
        if start - at >= extent * LEAST_GAP {
            gaps.push((at, start));
        }
        at = end.max(at);
    }
    if total(&gaps) < extent * LEAST_SHARE {
        gaps.clear();
    }
    gaps
}

/// Nanoseconds of all stretches together.
pub(super) fn total(gaps: &[(f64, f64)]) -> f64 {
    gaps.iter().map(|(from, to)| to - from).sum()
}

/// Whether a row works while it runs: it is none of those that only wait for the rows below them.
pub(super) fn works(waterfall: &Waterfall, row: usize) -> bool {
    let operation = Operation::ALL
        .get(usize::from(waterfall.operation[row]))
        .copied()
        .unwrap_or(Operation::Other);
    let waits = matches!(
        operation,
        Operation::Agent | Operation::Chain | Operation::Other
    );
    !waits || waterfall.descendants[row] == 0
}

#[cfg(test)]
mod tests {
    use crate::model::Operation;
    use crate::trace::testing::{drawn, step};

    #[test]
    fn a_trace_idles_where_only_those_that_wait_run() {
        let rows = [
            step(1, None, Operation::Agent, 0, 1_000),
            step(2, Some(1), Operation::Llm, 0, 200),
            step(3, Some(1), Operation::Tool, 190, 300),
            step(4, Some(1), Operation::Llm, 900, 1_000),
        ];
        let built = drawn(&rows);
        assert_eq!(built.value.idle, [(300.0, 900.0)]);
        assert_eq!(built.value.idle_nanos, 600.0);
        assert!((built.value.idle_share - 0.6).abs() < 1e-9);
        // A step without children works, whatever it is; a gap of under a fifth is not worth a word.
        assert_eq!(drawn(&rows[..1]).value.idle, []);
        let mut busy = rows.to_vec();
        busy.push(step(5, Some(1), Operation::Tool, 300, 750));
        assert_eq!(drawn(&busy).value.idle, []);
        assert_eq!(drawn(&[]).value.idle, []);
    }
}
