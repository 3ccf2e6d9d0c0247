//! Money: whole nano-dollars, so that lines add up to their total exactly.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// An amount in US dollars, in units of 10⁻⁹; at most about 18 billion dollars, where sums stay.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NanoUsd(pub u64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount nearest to a number of dollars; `None` where it is negative, not finite or out of range.
    #[must_use]
    pub fn from_usd(usd: f64) -> Option<Self> {
        let nanos = (usd * 1e9).round();
        // 2^63: exact as a double, and far beyond any bill.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range is checked"
        )]
        (0.0..9_223_372_036_854_775_808.0)
            .contains(&nanos)
            .then_some(Self(nanos as u64))
    }

    /// The amount in dollars; exact below 9 million dollars.
    #[must_use]
    pub fn usd(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact to 2^53 nano-dollars, which is said above"
        )]
        let nanos = self.0 as f64;
        nanos / 1e9
    }
}

/// Exact, without needless zeros: "$0.00275", "$12.40".
impl fmt::Display for NanoUsd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let digits = format!("{fraction:09}");
        let digits = digits.trim_end_matches('0');
        write!(out, "${whole}.{digits:0<2}")
    }
}

impl Add for NanoUsd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_to_its_last_digit() {
        for (nanos, text) in [
            (0, "$0.00"),
            (1, "$0.000000001"),
            (2_750_000, "$0.00275"),
            (12_400_000_000, "$12.40"),
        ] {
            assert_eq!(NanoUsd(nanos).to_string(), text);
        }
    }
}
