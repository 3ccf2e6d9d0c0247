//! Time as OTLP states it: nanoseconds since the Unix epoch, never rounded.

use serde::{Deserialize, Serialize};

/// Below this, in nanoseconds, two times that stand in the wrong order are none the less equal: clocks of different
/// resolution round that much apart.
pub const ROUNDING_NANOS: u64 = 1_000_000;

/// Nanoseconds from one time to a later one, both in nanoseconds of one clock; 0 where the later one lies less than
/// [`ROUNDING_NANOS`] before, `None` where it lies further before.
#[must_use]
pub const fn nanos_between(from: u64, to: u64) -> Option<u64> {
    match to.checked_sub(from) {
        None if from - to < ROUNDING_NANOS => Some(0),
        between => between,
    }
}

/// Nanoseconds to the first token of a call with this start and end (0 while it runs), as far as what is stated can be:
/// `None` where the end lies before the start or the token after the end, rounding aside.
#[must_use]
pub fn first_token(stated: u64, start: u64, end: u64) -> Option<u64> {
    if end == 0 {
        return Some(stated);
    }
    let took = nanos_between(start, end)?;
    nanos_between(stated, took).map(|_| stated.min(took))
}

/// An instant: nanoseconds since 1970-01-01T00:00:00Z, exact over all of `u64` (to the year 2554).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct UnixNanos(pub u64);

impl UnixNanos {
    /// Whole microseconds since the epoch: the unit of instants on the wire to the UI, exact in an
    /// IEEE double until the year 2255.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0 / 1_000
    }

    /// The 64 bits as the signed integer that SQLite stores; `u64` values above `i64::MAX` become negative
    /// and come back exact by [`UnixNanos::from_i64`].
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// Reads back what [`UnixNanos::as_i64`] stored.
    #[must_use]
    pub const fn from_i64(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_the_wrong_order_are_rounding_below_a_millisecond() {
        for (from, to, expected) in [
            (5, 9, Some(4)),
            (2_000_000, 1_000_001, Some(0)),
            (2_000_000, 1_000_000, None),
            (u64::MAX, 0, None),
            (0, u64::MAX, Some(u64::MAX)),
        ] {
            assert_eq!(nanos_between(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn a_first_token_lies_between_start_and_end() {
        for (stated, start, end, expected) in [
            (400, 1_000, 0, Some(400)),
            (400, 1_000, 2_000, Some(400)),
            (1_400, 1_000, 2_000, Some(1_000)),
            (1_001_000, 1_000, 2_000, None),
            (400, 2_000_000, 1_000_000, None),
            (400, 2_000, 1_000, Some(0)),
            (u64::MAX, u64::MAX, 1, None),
        ] {
            assert_eq!(
                first_token(stated, start, end),
                expected,
                "{stated} {start} {end}"
            );
        }
    }
}
