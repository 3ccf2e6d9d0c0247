//! Sentiment by counted words (seed S2).

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Heuristic, HeuristicKind, Response, evidence, expressions};

/// Counts praise less blame over all words, by the formula of the S2 reference.
///
/// Value: (positive words − negative words) ÷ max(words, 1), between −1 and 1 for ordinary prose. Counted are whole
/// words in any case; words are what white space separates. Punctuation glued between counted words ("good-bad") counts
/// both in one word, as the formula does. Evidence: the counted words of either sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentiment;

/// The positive words of S2, to the letter.
pub(super) const POSITIVE: &str = r"\b(good|great|excellent|helpful|correct)\b";
/// The negative words of S2, to the letter.
pub(super) const NEGATIVE: &str = r"\b(bad|wrong|error|incorrect|sorry)\b";

/// Positive, then negative.
static EXPRESSIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| expressions(&[POSITIVE, NEGATIVE]));

impl Heuristic for Sentiment {
    fn id(&self) -> &'static str {
        "sentiment"
    }

    fn title(&self) -> &'static str {
        "Sentiment"
    }

    fn description(&self) -> &'static str {
        "Praising less blaming words as a share of all words: above 0 is praise, below 0 is blame."
    }

    fn kind(&self) -> HeuristicKind {
        HeuristicKind::Score
    }

    fn score(&self, response: &Response<'_>) -> Option<Finding> {
        let text = response.text;
        let words = text
            .split(is_separator)
            .filter(|word| !word.is_empty())
            .count();
        if words == 0 {
            return None;
        }
        let mut ranges = Vec::new();
        let mut balance = 0.0;
        for (expression, weight) in EXPRESSIONS.iter().zip([1.0, -1.0]) {
            for found in expression.find_iter(text) {
                balance += weight;
                ranges.push(found.range());
            }
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a text of 2^52 words does not fit into memory"
        )]
        let value = balance / words as f64;
        Some(Finding {
            heuristic: self.id().to_owned(),
            kind: self.kind(),
            value,
            evidence: evidence::utf16(text, ranges),
        })
    }
}

/// White space as the reference's language splits on: Unicode's, and the four ASCII information separators.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
