//! Ids of retrieved documents in answers: which of the documents an answer names, and where.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::{Document, Facts, Message, Part, SpanId};

/// Characters of the shortest id that is looked for wherever it stands; a shorter one counts only in brackets.
const SHORTEST: usize = 3;
/// Characters of the longest list in brackets that a short id is looked for in.
const LONGEST_LIST: usize = 40;
/// Characters of the longest id that is looked for.
const LONGEST: usize = 500;
/// Documents of one span that are looked for.
const DOCUMENTS: usize = 200;
/// Bytes of one answer that are looked through.
const ANSWER: usize = 1024 * 1024;
/// Citations that are told of one span.
const TOLD: usize = 1_000;

/// The documents that a span found, to be looked for in answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieved {
    /// The span.
    pub span_id: SpanId,
    /// What it found; those without an id cannot be named.
    pub documents: Vec<Document>,
}

impl Retrieved {
    /// The documents of a span; `None` where none has an id.
    #[must_use]
    pub fn of(span_id: SpanId, facts: &Facts) -> Option<Self> {
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
    /// The answer of a span; `None` where it states none.
    #[must_use]
    pub fn of(span_id: SpanId, name: &str, facts: &Facts) -> Option<Self> {
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
/// the one that stands first in `retrieved`. At most 1,000.
pub(super) fn citations(output: &[Message], retrieved: &[Retrieved]) -> Vec<Citation> {
    let mut found: Vec<Citation> = Vec::new();
    for (message, part, text) in texts(output) {
        let from = found.len();
        for Retrieved { span_id, documents } in retrieved {
            for (document, id, score) in named(documents) {
                if found[from..].iter().any(|other| other.id == id) {
                    continue;
                }
                found.extend(places(text, id).map(|(start, end)| Citation {
                    message,
                    part,
                    range: (units(&text[..start]), units(&text[..end])),
                    id: id.to_owned(),
                    span_id: span_id.to_string(),
                    document,
                    score,
                }));
            }
            if found.len() >= TOLD {
                break;
            }
        }
    }
    found.sort_by_key(|one| (one.message, one.part, one.range));
    found.truncate(TOLD);
    found
}

/// The calls that name these documents in their answers, by document, then in the order of `answered`. At most 1,000.
pub(super) fn citing_calls(documents: &[Document], answered: &[Answered]) -> Vec<CitingCall> {
    let calls = named(documents).flat_map(|(document, id, _)| {
        answered.iter().filter_map(move |call| {
            let times: usize = texts(&call.output)
                .map(|(_, _, text)| places(text, id).count())
                .sum();
            (times > 0).then(|| CitingCall {
                document,
                span_id: call.span_id.to_string(),
                name: call.name.clone(),
                times: u32::try_from(times).unwrap_or(u32::MAX),
            })
        })
    });
    calls.take(TOLD).collect()
}

/// Documents that can be named, with their places and scores.
fn named(documents: &[Document]) -> impl Iterator<Item = (u32, &str, Option<f64>)> {
    let numbered = (0_u32..).zip(documents).take(DOCUMENTS);
    numbered.filter_map(|(place, document)| {
        let id = document.id.as_deref()?.trim();
        let fits = !id.is_empty() && id.len() <= LONGEST;
        fits.then_some((place, id, document.score))
    })
}

/// What a model said, by message and part.
fn texts(output: &[Message]) -> impl Iterator<Item = (u32, u32, &str)> {
    (0_u32..).zip(output).flat_map(|(message, said)| {
        let parts = (0_u32..).zip(&said.parts);
        parts.filter_map(move |(part, piece)| match piece {
            Part::Text { text } => Some((message, part, &text[..text.floor_char_boundary(ANSWER)])),
            _ => None,
        })
    })
}

/// Where an id stands in a text as a word of its own, in bytes.
fn places<'a>(text: &'a str, id: &'a str) -> impl Iterator<Item = (usize, usize)> {
    let is_short = id.chars().nth(SHORTEST - 1).is_none();
    text.match_indices(id).filter_map(move |(start, _)| {
        let end = start + id.len();
        let (before, after) = (&text[..start], &text[end..]);
        let alone = !continues(before.chars().rev()) && !continues(after.chars());
        let counts = alone && (!is_short || is_bracketed(before, after));
        counts.then_some((start, end))
    })
}

/// Whether a word goes on with these characters: a letter or digit, or one after a sign that joins ("/", "-", "." …).
fn continues(mut characters: impl Iterator<Item = char>) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    match characters.next() {
        Some(first) if is_word(first) => true,
        Some('-' | '/' | '.' | ':' | '#' | '@') => characters.next().is_some_and(is_word),
        _ => false,
    }
}

/// Whether brackets stand around an id, with nothing else in them but a list of such: "[3]", "[1, 3]", "【3】".
fn is_bracketed(before: &str, after: &str) -> bool {
    let in_list = |letter: &char| {
        letter.is_alphanumeric() || matches!(letter, ' ' | ',' | ';' | '-' | '_' | '^' | '#')
    };
    let mut before = before.chars().rev().take(LONGEST_LIST).skip_while(in_list);
    let mut after = after.chars().take(LONGEST_LIST).skip_while(in_list);
    matches!(
        (before.next(), after.next()),
        (Some('['), Some(']')) | (Some('【'), Some('】')) | (Some('('), Some(')'))
    )
}

/// Length in UTF-16 code units.
fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str) -> Document {
        Document {
            id: Some(id.to_owned()),
            score: Some(0.5),
            ..Document::default()
        }
    }

    fn answer(text: &str) -> Vec<Message> {
        vec![Message {
            role: "assistant".to_owned(),
            parts: vec![
                Part::Reasoning {
                    text: "doc-12".to_owned(),
                },
                Part::Text {
                    text: text.to_owned(),
                },
            ],
            ..Message::default()
        }]
    }

    fn retrieved(span: u8, ids: &[&str]) -> Retrieved {
        Retrieved {
            span_id: SpanId::from_bytes(&[span; 8]).expect("an id"),
            documents: ids.iter().map(|id| document(id)).collect(),
        }
    }

    fn cited(text: &str, ids: &[&str]) -> Vec<(String, (u32, u32))> {
        let found = citations(&answer(text), &[retrieved(1, ids)]);
        found.into_iter().map(|one| (one.id, one.range)).collect()
    }

    fn ids(text: &str, ids: &[&str]) -> Vec<String> {
        cited(text, ids).into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn an_id_is_found_as_a_word_of_its_own() {
        let kb = ["doc-1", "doc-12", "kb/returns.md"];
        assert_eq!(
            ids("See [doc-12] and kb/returns.md.", &kb),
            ["doc-12", "kb/returns.md"]
        );
        for other in [
            "doc-123",
            "my-doc-12",
            "doc-12.txt",
            "x/doc-12",
            "doc-12-b",
            "DOC-12",
            "docs/kb/returns.md",
            "kb/returns.mdx",
        ] {
            assert_eq!(ids(other, &kb), [""; 0], "{other}");
        }
        for same in [
            "(doc-12)",
            "doc-12, doc",
            "\"doc-12\"",
            "doc-12: yes",
            "doc-12/",
            "^doc-12",
        ] {
            assert_eq!(ids(same, &kb), ["doc-12"], "{same}");
        }
        assert_eq!(ids("doc-12 or doc-12", &kb).len(), 2);
    }

    #[test]
    fn a_short_id_counts_only_in_brackets() {
        assert_eq!(ids("We have 2 of 3 left.", &["2", "3"]), [""; 0]);
        assert_eq!(ids("As told [3], and【2】", &["2", "3"]), ["3", "2"]);
        assert_eq!(ids("As told [1, 3]", &["2", "3"]), ["3"]);
        assert_eq!(ids("an array a[i] = 3", &["3"]), [""; 0]);
        assert_eq!(ids("[12]", &["2", ""]), [""; 0]);
    }

    #[test]
    fn places_are_counted_as_the_page_counts_them() {
        // "é" is two bytes and one unit, "🦀" four bytes and two units.
        assert_eq!(
            cited("é🦀 doc-12", &["doc-12"]),
            [("doc-12".to_owned(), (4, 10))]
        );
    }

    #[test]
    fn a_document_that_was_found_twice_is_told_of_once() {
        let found = citations(
            &answer("doc-12"),
            &[
                retrieved(1, &["other", "doc-12"]),
                retrieved(2, &["doc-12"]),
            ],
        );
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].span_id.as_str(), found[0].document),
            ("0101010101010101", 1)
        );
        assert_eq!(
            (found[0].message, found[0].part, found[0].score),
            (0, 1, Some(0.5))
        );
    }

    #[test]
    fn calls_that_name_a_document_are_told_by_document() {
        let call = |id: u8, text: &str| Answered {
            span_id: SpanId::from_bytes(&[id; 8]).expect("an id"),
            name: format!("chat {id}"),
            output: answer(text),
        };
        let documents = [document("doc-12"), Document::default(), document("faq.md")];
        let found = citing_calls(
            &documents,
            &[
                call(3, "faq.md says so, faq.md"),
                call(4, "doc-12 and faq.md"),
                call(5, "no"),
            ],
        );
        let told: Vec<_> = found
            .iter()
            .map(|call| (call.document, call.name.as_str(), call.times))
            .collect();
        assert_eq!(told, [(0, "chat 4", 1), (2, "chat 3", 2), (2, "chat 4", 1)]);
    }
}
