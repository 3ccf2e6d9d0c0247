//! Price tables of the articles that Clew grew from, to the digit: profiles that may be chosen in place of the book.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::rate::{PerToken, Rates};

/// Which prices hold where neither the span nor the user states one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "lowercase")]
pub enum PriceProfile {
    /// The dated price book.
    #[default]
    Book,
    /// The table of seed S1 (dollars a token); models that it does not name cost nothing.
    S1,
    /// The table of seed S2 (dollars a thousand tokens); models that it does not name cost nothing.
    S2,
}

/// Model, dollars a million prompt tokens, dollars a million output tokens.
type Table = &'static [(&'static str, PerToken, PerToken)];

/// A price of so many thousandths of a dollar a million tokens.
const fn milli(thousandths: u64) -> PerToken {
    PerToken(thousandths * 1_000_000)
}

/// S1: 0.00003/0.00006, 0.000005/0.000015 and 0.0000015/0.000002 dollars a token.
const S1: Table = &[
    ("gpt-4", milli(30_000), milli(60_000)),
    ("gpt-4o", milli(5_000), milli(15_000)),
    ("gpt-3.5-turbo", milli(1_500), milli(2_000)),
];

/// S2: .0025/.01, .00015/.0006, .01/.03, .003/.015 and .015/.075 dollars a thousand tokens.
const S2: Table = &[
    ("gpt-4o", milli(2_500), milli(10_000)),
    ("gpt-4o-mini", milli(150), milli(600)),
    ("gpt-4-turbo", milli(10_000), milli(30_000)),
    ("claude-3-5-sonnet", milli(3_000), milli(15_000)),
    ("claude-3-opus", milli(15_000), milli(75_000)),
];

impl PriceProfile {
    /// The rates of a model in a seed's table, by its exact name: zero for one that the table does not name, as the
    /// seeds have it. `None` for the book, which is no table.
    #[must_use]
    pub fn rates(self, model: &str) -> Option<Rates> {
        let table = match self {
            Self::Book => return None,
            Self::S1 => S1,
            Self::S2 => S2,
        };
        let listed = table.iter().find(|(name, ..)| *name == model);
        let (input, output) =
            listed.map_or((milli(0), milli(0)), |(_, input, output)| (*input, *output));
        Some(Rates::of_two(input, output))
    }
}
