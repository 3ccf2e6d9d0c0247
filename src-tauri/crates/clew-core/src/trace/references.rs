//! What else tells of a span: answers that name its documents, documents that its answer names, records of others.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::citation::{Answered, Citation, CitingCall, Retrieved, citations, citing_calls};
use super::detail::RelatedLog;
use crate::convention::ids;
use crate::model::{Facts, Operation, SpanId, SpanView};

/// What else in the trace and elsewhere tells of a span.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct References {
    /// Of a retriever or reranker: calls after it whose answers name its documents by their ids.
    pub cited_by: Vec<CitingCall>,
    /// Of a model call: where its answer names documents that were retrieved before it. One that states no messages but an
    /// output has it as message 0, part 0.
    pub citations: Vec<Citation>,
    /// Log records elsewhere that name the call by the id of its request or response, the earliest 200, in order of time.
    pub related_logs: Vec<RelatedLog>,
}

impl References {
    /// Of a span by its facts, what retrievers found before it and what calls answered after it, the nearest first, and
    /// the records that name it.
    #[must_use]
    pub fn of(
        span_id: SpanId,
        facts: &Facts,
        retrieved: &[Retrieved],
        answered: &[Answered],
        related_logs: Vec<RelatedLog>,
    ) -> Self {
        let own = Retrieved::of(span_id, facts);
        let said = Answered::of(span_id, "", facts);
        Self {
            cited_by: own
                .map(|own| citing_calls(&own.documents, answered))
                .unwrap_or_default(),
            citations: said
                .map(|said| citations(&said.output, retrieved))
                .unwrap_or_default(),
            related_logs,
        }
    }
}

/// Whether there may be references of a span.
pub(super) fn referable(view: &SpanView, facts: &Facts) -> bool {
    let operation = facts.operation.as_ref().map(|operation| operation.value);
    let is_looked_through = match operation {
        Some(Operation::Llm) => facts.output.is_some() || facts.output_value.is_some(),
        Some(Operation::Retriever | Operation::Reranker) => facts.documents.is_some(),
        _ => false,
    };
    is_looked_through || !ids(view, facts).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Document, Message, Part, Stated};

    fn span(id: u8) -> SpanId {
        SpanId::from_bytes(&[id; 8]).expect("an id")
    }

    fn stated<T>(value: T) -> Option<Stated<T>> {
        Some(Stated::new(value, "gen_ai", "key"))
    }

    fn found(operation: Operation) -> Facts {
        let document = Document {
            id: Some("kb/returns.md".to_owned()),
            score: Some(0.8),
            ..Document::default()
        };
        Facts {
            operation: stated(operation),
            documents: stated(vec![document]),
            ..Facts::default()
        }
    }

    const ANSWER: &str = "Within 30 days [kb/returns.md].";

    fn messages() -> Facts {
        let text = ANSWER.to_owned();
        Facts {
            operation: stated(Operation::Llm),
            output: stated(vec![Message {
                role: "assistant".to_owned(),
                parts: vec![Part::Text { text }],
                ..Message::default()
            }]),
            ..Facts::default()
        }
    }

    fn value() -> Facts {
        Facts {
            operation: stated(Operation::Llm),
            output_value: stated(ANSWER.to_owned()),
            ..Facts::default()
        }
    }

    /// What the retriever 3 and the call 4 say of one another.
    fn both(found: &Facts, said: &Facts) -> (References, References) {
        let retrieved: Vec<Retrieved> = Retrieved::of(span(3), found).into_iter().collect();
        let answered: Vec<Answered> = Answered::of(span(4), "chat", said).into_iter().collect();
        (
            References::of(span(3), found, &[], &answered, Vec::new()),
            References::of(span(4), said, &retrieved, &[], Vec::new()),
        )
    }

    #[test]
    fn documents_and_answers_that_name_them_are_linked_both_ways() {
        for said in [messages(), value()] {
            let (retriever, call) = both(&found(Operation::Retriever), &said);
            assert_eq!(retriever.cited_by.len(), 1);
            assert_eq!(
                (
                    retriever.cited_by[0].name.as_str(),
                    retriever.cited_by[0].span_id.as_str()
                ),
                ("chat", "0404040404040404")
            );
            assert_eq!(retriever.citations, []);
            assert_eq!(call.cited_by, []);
            let citation = &call.citations[0];
            assert_eq!(
                (
                    citation.id.as_str(),
                    citation.range,
                    citation.span_id.as_str()
                ),
                ("kb/returns.md", (16, 29), "0303030303030303")
            );
        }
    }

    #[test]
    fn what_is_no_retriever_or_no_call_is_linked_neither_way() {
        let mut agent = value();
        agent.operation = stated(Operation::Agent);
        for (found, said) in [
            (found(Operation::Tool), messages()),
            (found(Operation::Retriever), agent),
        ] {
            let (retriever, call) = both(&found, &said);
            assert_eq!(
                (retriever.cited_by, call.citations),
                (Vec::new(), Vec::new())
            );
        }
    }
}
