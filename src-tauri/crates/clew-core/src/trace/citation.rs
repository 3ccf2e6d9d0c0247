//! Ids of retrieved documents in answers: which of the documents an answer names, and where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::{Document, Facts, Message, Operation, Part, SpanId};

use ids::Ids;

mod ids;
#[cfg(test)]
mod tests;

/// Documents of one span that are looked for.
const DOCUMENTS: usize = 200;
/// Bytes of one answer that are looked through, over all its parts.
const ANSWER: usize = 1024 * 1024;
/// Citations that are told of one span.
const TOLD: usize = 1_000;
/// Steps of comparing that are made for one span, over all answers: each is a byte or two, so this is about 0.1 s.
const STEPS: usize = 64 * 1024 * 1024;

/// The documents that a span found, to be looked for in answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieved {
    /// The span.
    pub span_id: SpanId,
    /// What it found; those without an id cannot be named.
    pub documents: Vec<Document>,
}

impl Retrieved {
    /// The documents of a retriever or reranker; `None` where none has an id.
    #[must_use]
    pub fn of(span_id: SpanId, facts: &Facts) -> Option<Self> {
        let operation = facts.operation.as_ref()?.value;
        if !matches!(operation, Operation::Retriever | Operation::Reranker) {
            return None;
        }
        let documents = &facts.documents.as_ref()?.value;
        let named = documents.iter().any(|document| document.id.is_some());
        named.then(|| Self {
            span_id,
            documents: documents.clone(),
        })
    }
}

/// The answer of a model call, to be looked through.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The call.
    pub span_id: SpanId,
    /// Its name.
    pub name: String,
    /// Its answers.
    pub output: Vec<Message>,
}

impl Answered {
    /// The answer of a model call; `None` where it states none. One that states no messages but an output answers with
    /// that: as one message of one part.
    #[must_use]
    pub fn of(span_id: SpanId, name: &str, facts: &Facts) -> Option<Self> {
        if facts.operation.as_ref()?.value != Operation::Llm {
            return None;
        }
        let messages = facts.output.as_ref().map(|output| output.value.clone());
        let output = messages.or_else(|| {
            let text = facts.output_value.as_ref()?.value.clone();
            Some(vec![Message {
                role: "assistant".to_owned(),
                parts: vec![Part::Text { text }],
                ..Message::default()
            }])
        })?;
        Some(Self {
            span_id,
            name: name.to_owned(),
            output,
        })
    }
}

/// A place in an answer that names a document by its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Citation {
    /// The number of the answer's message, from 0.
    pub message: u32,
    /// The number of the part in it, from 0.
    pub part: u32,
    /// Where the id stands in the part's text: start and end in UTF-16 code units.
    pub range: (u32, u32),
    /// The document's id.
    pub id: String,
    /// The span that found the document: 16 hex digits.
    pub span_id: String,
    /// The document's place in what that span found, from 0.
    pub document: u32,
    /// Its score there.
    pub score: Option<f64>,
}

/// A model call whose answer names a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CitingCall {
    /// The document's place in what was found, from 0.
    pub document: u32,
    /// The call: 16 hex digits.
    pub span_id: String,
    /// The call's name.
    pub name: String,
    /// How often its answer names the document.
    pub times: u32,
}

/// Where the answer names documents that were found before it, in order of place; of a document that several spans found
/// the one that stands first in `retrieved`. At most 1,000, the first of the answer.
pub(super) fn citations(output: &[Message], retrieved: &[Retrieved]) -> Vec<Citation> {
    let all = retrieved
        .iter()
        .flat_map(|Retrieved { span_id, documents }| {
            named(documents).map(move |(document, id, score)| (id, (span_id, document, score)))
        });
    let ids = Ids::of(all);
    let mut found: Vec<Citation> = Vec::new();
    let mut steps = STEPS;
    for (message, part, text) in texts(output) {
        ids.look(text, &mut steps, |id, (span_id, document, score), range| {
            if found.len() < TOLD {
                found.push(Citation {
                    message,
                    part,
                    range,
                    id: id.to_owned(),
                    span_id: span_id.to_string(),
                    document: *document,
                    score: *score,
                });
            }
            found.len() < TOLD
        });
        if found.len() >= TOLD || steps == 0 {
            break;
        }
    }
    found
}

/// The calls that name these documents in their answers, by document, then in the order of `answered`; of documents with
/// one id the first. At most 1,000.
pub(super) fn citing_calls(documents: &[Document], answered: &[Answered]) -> Vec<CitingCall> {
    let ids = Ids::of(named(documents).map(|(document, id, _)| (id, document)));
    let mut found: BTreeMap<(u32, usize), u32> = BTreeMap::new();
    let mut steps = STEPS;
    for (place, call) in answered.iter().enumerate() {
        for (_, _, text) in texts(&call.output) {
            ids.look(text, &mut steps, |_, &document, _| {
                let times = found.entry((document, place)).or_default();
                *times = times.saturating_add(1);
                true
            });
        }
        if steps == 0 {
            break;
        }
    }
    let told = found.into_iter().take(TOLD);
    told.filter_map(|((document, place), times)| {
        let call = answered.get(place)?;
        Some(CitingCall {
            document,
            span_id: call.span_id.to_string(),
            name: call.name.clone(),
            times,
        })
    })
    .collect()
}

/// Documents that can be named, with their places and scores.
fn named(documents: &[Document]) -> impl Iterator<Item = (u32, &str, Option<f64>)> {
    let numbered = (0_u32..).zip(documents).take(DOCUMENTS);
    numbered.filter_map(|(place, document)| {
        let id = document.id.as_deref()?.trim();
        Some((place, id, document.score))
    })
}

/// What a model said, by message and part, up to a length in all.
fn texts(output: &[Message]) -> impl Iterator<Item = (u32, u32, &str)> {
    let parts = (0_u32..).zip(output).flat_map(|(message, said)| {
        let parts = (0_u32..).zip(&said.parts);
        parts.filter_map(move |(part, piece)| match piece {
            Part::Text { text } => Some((message, part, text.as_str())),
            _ => None,
        })
    });
    parts.scan(ANSWER, |left, (message, part, text)| {
        let text = &text[..text.floor_char_boundary(*left)];
        *left -= text.len();
        (*left > 0 || !text.is_empty()).then_some((message, part, text))
    })
}
