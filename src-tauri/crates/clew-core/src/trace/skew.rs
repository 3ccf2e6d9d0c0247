//! Clocks that disagree (reliability.md B16): nothing starts before what started it.
//!
//! Times are shown as received and never moved, because moving them would invent a measurement; a span that cannot have
//! started when it says is flagged instead. Ending after the parent is no sign: work that nobody waits for does so.

use crate::model::{ROUNDING_NANOS, UnixNanos};

/// How long before its parent a span says that it started, in nanoseconds; `None` where that is less than a millisecond,
/// or one of the two states no start (0).
#[must_use]
pub fn skew(parent: UnixNanos, start: UnixNanos) -> Option<u64> {
    if parent.0 == 0 || start.0 == 0 {
        return None;
    }
    parent
        .0
        .checked_sub(start.0)
        .filter(|&before| before >= ROUNDING_NANOS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TraceId;
    use crate::trace::testing::{row, traced};
    use crate::trace::{flag, summary, waterfall};

    #[test]
    fn b16_only_a_start_before_the_parents_is_skew() {
        for (parent, start, expected) in [
            (5_000_000, 4_000_000, Some(1_000_000)),
            (5_000_000, 4_000_001, None),
            (5_000_000, 5_000_000, None),
            (5_000_000, 9_000_000, None),
            (0, 9_000_000, None),
            (5_000_000, 0, None),
            (u64::MAX, 1, Some(u64::MAX - 1)),
        ] {
            let found = skew(UnixNanos(parent), UnixNanos(start));
            assert_eq!(found, expected, "{parent} {start}");
        }
    }

    /// The trace of Zipkin's `skew.json`: service b's clock is 62 ms behind that of a, which calls it.
    #[test]
    fn b16_skew_between_hosts_is_flagged_and_times_stay_raw() {
        const MICROS: u64 = 1_000;
        let at = |micros: u64| (1_470_150_004_000_000 + micros) * MICROS;
        let rows = [
            row(1, None, at(71_068), at(71_068 + 99_411)),
            row(2, Some(1), at(8_761), at(8_761 + 93_577)),
            row(3, Some(2), at(8_762), at(8_762 + 65_000)),
        ];
        let id = TraceId::from_bytes(&[1; 16]).expect("an id");
        let summary = summary(id, 0, &traced(&rows), UnixNanos(at(9_000_000)), 1);
        let built = waterfall(summary, &traced(&rows));
        let skewed: Vec<bool> = built
            .flags
            .iter()
            .map(|flags| flags & flag::SKEW != 0)
            .collect();
        assert_eq!(skewed, [false, true, false]);
        assert_eq!(
            built.start,
            [62_307_000.0, 0.0, 1_000.0],
            "raw, from the earliest"
        );
        assert_eq!(built.duration, [99_411_000.0, 93_577_000.0, 65_000_000.0]);
    }
}
