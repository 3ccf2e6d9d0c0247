//! Time cut into buckets of a round length.

/// Microseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000;
/// Microseconds of a minute.
pub(crate) const MINUTE: u64 = 60 * SECOND;
/// Microseconds of an hour.
pub(crate) const HOUR: u64 = 60 * MINUTE;
/// Microseconds of a day.
pub(crate) const DAY: u64 = 24 * HOUR;

/// The lengths that a clock's reader finds round, in microseconds, shortest first; beyond, four weeks are doubled.
const STEPS: [u64; 22] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
];

/// A stretch of time in buckets of equal length. Instants and lengths are in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Start of the first bucket.
    pub from: u64,
    /// Length of one bucket, at least 1.
    pub step: u64,
    /// Number of buckets, at least 1.
    pub len: usize,
}

impl Window {
    /// Covers `from` to `to` (not included) with whole buckets of a round length, at most about `max_buckets` of them
    /// (one more where the ends are not round), from a second to a day, beyond that in whole days.
    ///
    /// Buckets start on round local time, `utc_offset_minutes` east of UTC: a day is the reader's day, a week begins
    /// on Monday. An empty or reversed range is one bucket.
    #[must_use]
    pub fn new(from: u64, to: u64, max_buckets: usize, utc_offset_minutes: i32) -> Self {
        let to = to.max(from.saturating_add(1));
        let step = round_step((to - from).div_ceil(u64::try_from(max_buckets.max(1)).unwrap_or(1)));
        let start = floor(from, step, utc_offset_minutes);
        // At most twice as many as asked for: a step is at least the range over the number asked for.
        let len = usize::try_from((to - start).div_ceil(step)).unwrap_or(1);
        Self {
            from: start,
            step,
            len: len.max(1),
        }
    }

    /// End of the last bucket, not included.
    #[must_use]
    pub fn to(&self) -> u64 {
        self.start(self.len)
    }

    /// Start of a bucket.
    #[must_use]
    pub fn start(&self, bucket: usize) -> u64 {
        let bucket = u64::try_from(bucket).unwrap_or(u64::MAX);
        self.from.saturating_add(self.step.saturating_mul(bucket))
    }

    /// The bucket in which an instant lies; `None` outside of the window.
    #[must_use]
    pub fn bucket(&self, at_micros: u64) -> Option<usize> {
        let past = at_micros.checked_sub(self.from)?;
        usize::try_from(past / self.step.max(1))
            .ok()
            .filter(|bucket| *bucket < self.len)
    }
}

/// The shortest round length of at least `micros`.
pub(crate) fn round_step(micros: u64) -> u64 {
    if let Some(step) = STEPS.into_iter().find(|step| *step >= micros) {
        return step;
    }
    let mut step = 28 * DAY;
    while step < micros {
        step = step.saturating_mul(2);
    }
    step
}

/// The last round local time at or before an instant, not before the epoch.
pub(crate) fn floor(at: u64, step: u64, utc_offset_minutes: i32) -> u64 {
    // 1970-01-05 was a Monday.
    let origin = if step.is_multiple_of(7 * DAY) {
        4 * DAY
    } else {
        0
    };
    let shift = i128::from(utc_offset_minutes) * i128::from(MINUTE) - i128::from(origin);
    let local = i128::from(at) + shift;
    let round = local.div_euclid(i128::from(step.max(1))) * i128::from(step.max(1)) - shift;
    u64::try_from(round.max(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-20T14:07:33Z.
    const NOW: u64 = 1_795_183_653 * SECOND;

    #[test]
    fn steps_are_round() {
        for (span, max, step) in [
            (15 * MINUTE, 60, 15 * SECOND),
            (HOUR, 60, MINUTE),
            (6 * HOUR, 100, 5 * MINUTE),
            (24 * HOUR, 100, 15 * MINUTE),
            (7 * DAY, 100, 2 * HOUR),
            (90 * DAY, 100, DAY),
            (10, 100, SECOND),
        ] {
            let window = Window::new(NOW - span, NOW, max, 0);
            assert_eq!(window.step, step, "{span}");
        }
    }

    #[test]
    fn days_and_weeks_begin_where_the_reader_is() {
        let day = Window::new(NOW, NOW + 30 * DAY, 30, 120);
        assert_eq!((day.from + 120 * MINUTE) % DAY, 0);
        let week = Window::new(NOW, NOW + 70 * DAY, 10, 0);
        assert_eq!(week.step, 7 * DAY);
        assert_eq!((week.from / DAY) % 7, 4, "1970-01-01 was a Thursday");
    }

    #[test]
    fn an_empty_range_is_one_bucket() {
        let window = Window::new(NOW, NOW, 100, 0);
        assert_eq!((window.len, window.step), (1, SECOND));
        assert_eq!(window.bucket(NOW), Some(0));
        assert_eq!(window.bucket(NOW + SECOND), None);
        assert_eq!(window.bucket(NOW - 1), None);
    }

    proptest! {
        #[test]
        fn every_instant_of_the_range_has_its_bucket(
            from: u64, span in 0_u64..u64::MAX, max in 1_usize..500, offset in -840_i32..=840, at in 0.0_f64..1.0,
        ) {
            let to = from.saturating_add(span);
            let window = Window::new(from, to, max, offset);
            prop_assert!(window.len <= max + 2);
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "any instant will do")]
            let at = from + ((to - from).saturating_sub(1) as f64 * at * 0.999) as u64;
            let bucket = window.bucket(at);

            prop_assert!(bucket.is_some_and(|bucket| window.start(bucket) <= at));
        }
    }
}
