//! Time as OTLP states it: nanoseconds since the Unix epoch, never rounded.

use serde::{Deserialize, Serialize};

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
