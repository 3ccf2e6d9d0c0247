//! What else tells of a span: what other spans of its trace retrieved or answered, as far as it is looked through for the
//! ids of documents, and log records that name it.

use clew_core::convention;
use clew_core::model::{Facts, Operation, SpanId};
use clew_core::trace::{Answered, References, Retrieved};

use super::trace::pick;
use crate::api::GetSpan;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::related;
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

impl Engine {
    pub(crate) async fn get_references(&self, params: GetSpan) -> Result<References, Error> {
        let (_, places) = self.places_of(&params).await?;
        let place = pick(places.iter(), params.variant.as_deref())?.clone();
        let span = SpanId::from_i64(place.span_id)
            .ok_or_else(|| Error::internal("a span without an id"))?;
        let whole = self.one(place).await?;
        let read = tokio::task::spawn_blocking(move || {
            let facts = whole.facts();
            let ids = convention::ids(&whole.view(), &facts);
            (whole.place, whole.span.start_time_unix_nano, facts, ids)
        });
        let (place, start, facts, ids) = read.await.map_err(Error::internal)?;
        let answered = self.answered_after(span, &place, start, &facts).await?;
        let retrieved = self.retrieved_before(span, &place, start, &facts).await?;
        let related = related::logs(&self.inner.store.reads, &place, &ids, start).await?;
        tokio::task::spawn_blocking(move || {
            References::of(span, &facts, &retrieved, &answered, related)
        })
        .await
        .map_err(Error::internal)
    }

    /// What the calls after a span answered, where it found documents that have ids.
    async fn answered_after(
        &self,
        span: SpanId,
        place: &Place,
        start: u64,
        facts: &Facts,
    ) -> Result<Vec<Answered>, Error> {
        if Retrieved::of(span, facts).is_none() {
            return Ok(Vec::new());
        }
        let after = self.calls_after(place, start).await?;
        self.each_of(after, |whole, span| {
            Answered::of(span, &whole.span.name, &whole.facts())
        })
        .await
    }

    /// What was retrieved before a span, where it is a call with an answer.
    async fn retrieved_before(
        &self,
        span: SpanId,
        place: &Place,
        start: u64,
        facts: &Facts,
    ) -> Result<Vec<Retrieved>, Error> {
        if Answered::of(span, "", facts).is_none() {
            return Ok(Vec::new());
        }
        let before = self.retrievers_before(place, start).await?;
        self.each_of(before, |whole, span| Retrieved::of(span, &whole.facts()))
            .await
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
        let blocks: Vec<i64> = places.iter().map(|place| place.block).collect();
        places.truncate(spans::fitting(&store.reads, &blocks, MOST).await?);
        let read = spans::each(store, places, move |whole| {
            make(&whole, SpanId::from_i64(whole.place.span_id)?)
        })
        .await?;
        self.lost(read.iter().filter(|one| one.is_err()).count(), "spans");
        Ok(read.into_iter().flatten().flatten().collect())
    }
}
