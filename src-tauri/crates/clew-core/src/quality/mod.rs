//! Heuristics over responses: what each saw, and where.
//!
//! To add one: a file with a unit struct, its docs, its expressions and its tests, and a line in [`HEURISTICS`].

use regex::Regex;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::{Message, Part};

mod evidence;
mod hallucination_marker;
mod refusal;
mod sentiment;

pub use evidence::{Excerpt, excerpt};
pub use hallucination_marker::HallucinationMarker;
pub use refusal::Refusal;
pub use sentiment::Sentiment;

/// What a heuristic's value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum HeuristicKind {
    /// Yes or no: 1 where it fired, 0 where not. Lists show those on which it fired.
    Finding,
    /// A figure on a scale of its own. It never fires; its mean and distribution are shown.
    Score,
}

/// What one heuristic says of one response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Id of the heuristic ("refusal").
    pub heuristic: String,
    /// What its value means.
    pub kind: HeuristicKind,
    /// Its value: 1 where it fired and 0 where not, or a score on its own scale.
    pub value: f64,
    /// Where it saw it: ranges of the response text, in UTF-16 code units (as JavaScript counts), start and end.
    pub evidence: Vec<(u32, u32)>,
}

impl Finding {
    /// Whether the heuristic fired: it answers yes or no, and said yes. A score never fires, whatever its value.
    #[must_use]
    pub fn fired(&self) -> bool {
        self.kind == HeuristicKind::Finding && self.value != 0.0
    }
}

/// What a heuristic is given to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The answer's text, as [`response_text`] puts it together.
    pub text: &'a str,
}

/// Judges one response by rule, the same for the same text wherever and whenever it runs.
pub trait Heuristic: Sync {
    /// The id in filters, files and on the wire ("refusal").
    fn id(&self) -> &'static str;
    /// The title that lists show.
    fn title(&self) -> &'static str;
    /// One sentence on what it looks for.
    fn description(&self) -> &'static str;
    /// What its value means.
    fn kind(&self) -> HeuristicKind;
    /// What it says of a response; `None` where it has nothing to judge, which is not the same as 0.
    fn score(&self, response: &Response<'_>) -> Option<Finding>;
}

/// Every heuristic, in the order in which lists show them.
pub const HEURISTICS: &[&dyn Heuristic] = &[&Refusal, &HallucinationMarker, &Sentiment];

/// Ids of the heuristics that answer yes or no, in the order of [`HEURISTICS`].
pub fn yes_or_no() -> impl Iterator<Item = &'static str> {
    HEURISTICS
        .iter()
        .filter(|heuristic| heuristic.kind() == HeuristicKind::Finding)
        .map(|heuristic| heuristic.id())
}

/// What every heuristic says of a response, in the order of [`HEURISTICS`]; empty for a response without text.
#[must_use]
pub fn score(response: &Response<'_>) -> Vec<Finding> {
    HEURISTICS
        .iter()
        .filter_map(|heuristic| heuristic.score(response))
        .collect()
}

/// Puts the text of an answer together: its text parts and stated refusals, one a line, in order.
///
/// Reasoning, tool calls and tool results are not the answer; neither are messages of `system`, `developer`, `user`
/// or `tool` that a source lists among its output. Evidence counts positions in this text.
#[must_use]
pub fn response_text(messages: &[Message]) -> String {
    let mut out = String::new();
    let said = messages
        .iter()
        .filter(|message| !["system", "developer", "user", "tool"].contains(&message.role.as_str()))
        .flat_map(|message| &message.parts);
    for part in said {
        let (Part::Text { text } | Part::Refusal { text }) = part else {
            continue;
        };
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(text);
    }
    out
}

/// Where any of the expressions matches, as a finding of 1, or 0 if none does; `None` for a text of white space.
fn marked(heuristic: &dyn Heuristic, expressions: &[Regex], text: &str) -> Option<Finding> {
    if text.trim().is_empty() {
        return None;
    }
    let found = expressions
        .iter()
        .flat_map(|expression| expression.find_iter(text).map(|found| found.range()))
        .collect();
    let evidence = evidence::utf16(text, found);
    Some(Finding {
        heuristic: heuristic.id().to_owned(),
        kind: heuristic.kind(),
        value: if evidence.is_empty() { 0.0 } else { 1.0 },
        evidence,
    })
}

/// Compiles our own expressions, case-insensitive, each `'` also matching the typographic apostrophe `’` that models
/// write (U+2019). An expression that does not compile is left out; a test holds that none is.
fn expressions(patterns: &[&str]) -> Vec<Regex> {
    patterns
        .iter()
        .filter_map(|pattern| {
            regex::RegexBuilder::new(&pattern.replace('\'', "['\u{2019}]"))
                .case_insensitive(true)
                .build()
                .ok()
        })
        .collect()
}

#[cfg(test)]
mod tests;
