//! What other spans of a trace retrieved or answered, as far as it is looked through for the ids of documents.

use std::collections::BTreeSet;

use clew_core::model::{Facts, Operation, SpanId};
use clew_core::trace::{Answered, Retrieved};

use crate::engine::Engine;
use crate::error::Error;
use crate::store::spans::{self, Place, Whole};

/// Calls after a retriever that are looked through, the nearest.
const CALLS: i64 = 50;
/// Retrievers before a call whose documents are looked for, the nearest.
const RETRIEVERS: i64 = 20;
/// Bytes of content that are unpacked for it.
const MOST: usize = 32 * 1024 * 1024;

/// Retrievers and rerankers, in these words in the queries below.
const _: () = assert!(matches!(
    (Operation::ALL[4], Operation::ALL[6]),
    (Operation::Retriever, Operation::Reranker)
));

/// What a span's documents or answer are compared with.
#[derive(Default)]
pub(super) struct Compared {
    pub(super) retrieved: Vec<Retrieved>,
    pub(super) answered: Vec<Answered>,
}

impl Engine {
    /// Of a span with documents that have ids the calls after it, of a call's span with an answer what was retrieved
    /// before it.
    pub(super) async fn compared(
        &self,
        place: &Place,
        start: u64,
        facts: &Facts,
    ) -> Result<Compared, Error> {
        let mut compared = Compared::default();
        let own = SpanId::from_i64(place.span_id);
        if own.and_then(|own| Retrieved::of(own, facts)).is_some() {
            let after = self.calls_after(place, start).await?;
            compared.answered = self
                .each_of(after, |whole, span| {
                    Answered::of(span, &whole.span.name, &whole.facts())
                })
                .await?;
        }
        let operation = facts.operation.as_ref().map(|operation| operation.value);
        if operation == Some(Operation::Llm) && facts.output.is_some() {
            let before = self.retrievers_before(place, start).await?;
            compared.retrieved = self
                .each_of(before, |whole, span| Retrieved::of(span, &whole.facts()))
                .await?;
        }
        Ok(compared)
    }

    /// The nearest first.
    async fn calls_after(&self, place: &Place, start: u64) -> Result<Vec<i64>, Error> {
        let found = sqlx::query_scalar(
            "SELECT s.id
             FROM facts f
             CROSS JOIN spans s ON s.id = f.span
             WHERE f.trace = ?1 AND f.operation = 2 AND f.start >= ?2 AND s.shown = 1 AND s.span_id <> ?3
             ORDER BY f.start, s.id
             LIMIT ?4",
        )
        .bind(place.trace)
        .bind((start / 1_000).cast_signed())
        .bind(place.span_id)
        .bind(CALLS)
        .fetch_all(&self.inner.store.reads)
        .await?;
        Ok(found)
    }

    /// The nearest first.
    async fn retrievers_before(&self, place: &Place, start: u64) -> Result<Vec<i64>, Error> {
        let found = sqlx::query_scalar(
            "SELECT s.id
             FROM facts f
             CROSS JOIN spans s ON s.id = f.span
             WHERE f.trace = ?1 AND f.operation IN (4, 6) AND f.start <= ?2 AND s.shown = 1 AND s.span_id <> ?3
             ORDER BY f.start DESC, s.id DESC
             LIMIT ?4",
        )
        .bind(place.trace)
        .bind((start / 1_000).cast_signed())
        .bind(place.span_id)
        .bind(RETRIEVERS)
        .fetch_all(&self.inner.store.reads)
        .await?;
        Ok(found)
    }

    /// Makes something of each of these spans, in their order, as many as fit. What cannot be read is left out.
    async fn each_of<T: Send + 'static>(
        &self,
        ids: Vec<i64>,
        make: impl Fn(&Whole, SpanId) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.inner.store;
        let (mut places, lost) = spans::places(&store.reads, ids.clone()).await?;
        self.lost(lost, "spans");
        places.sort_by_key(|place| ids.iter().position(|id| *id == place.id));
        let blocks: BTreeSet<i64> = places.iter().map(|place| place.block).collect();
        let sizes = spans::unpacked(&store.reads, &blocks).await?;
        let (mut open, mut bytes) = (BTreeSet::new(), 0_usize);
        let fits = places.iter().take_while(|place| {
            if open.insert(place.block) {
                bytes = bytes.saturating_add(sizes.get(&place.block).copied().unwrap_or(0));
            }
            open.len() == 1 || bytes <= MOST
        });
        let fits = fits.count();
        places.truncate(fits);
        let read = spans::each(store, places, move |whole| {
            make(&whole, SpanId::from_i64(whole.place.span_id)?)
        })
        .await?;
        self.lost(read.iter().filter(|one| one.is_err()).count(), "spans");
        Ok(read.into_iter().flatten().flatten().collect())
    }
}
