//! Hedging, which the S2 reference takes as a marker of hallucination.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Heuristic, HeuristicKind, Response, expressions, marked};

/// Fires on the six hedging phrases of the S2 reference, anywhere in the text, in any case.
///
/// Value: 1 if any phrase occurs, else 0. A hedge says that the model is unsure, not that it is wrong: on labelled
/// grounded answers the phrases tell hardly better than chance (AUROC 0.54 on BEGIN's development sets).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HallucinationMarker;

/// The phrases of S2, to the letter.
pub(super) const PHRASES: [&str; 6] = [
    "I think",
    "I believe",
    "probably",
    "might be",
    "I'm not sure",
    "as far as I know",
];

static EXPRESSIONS: LazyLock<Vec<Regex>> = LazyLock::new(|| expressions(&PHRASES));

impl Heuristic for HallucinationMarker {
    fn id(&self) -> &'static str {
        "hallucination_marker"
    }

    fn title(&self) -> &'static str {
        "Hallucination markers"
    }

    fn description(&self) -> &'static str {
        "The answer hedges, told by phrases such as “I think” or “probably”: unsure, not necessarily wrong."
    }

    fn kind(&self) -> HeuristicKind {
        HeuristicKind::Finding
    }

    fn score(&self, response: &Response<'_>) -> Option<Finding> {
        marked(self, &EXPRESSIONS, response.text)
    }
}
