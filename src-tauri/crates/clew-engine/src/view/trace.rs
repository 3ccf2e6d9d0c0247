//! Commands of the Trace view.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clew_core::model::{Facts, Message, Operation, SpanId, TraceId, UnixNanos};
use clew_core::otlp::{SpanSource, to_json};
use clew_core::trace::{
    self, NamedAbove, Roots, RowFacts, Served, SpanDetail, SpanFacts, SpanRow, Surroundings,
    TraceRows, TraceState, VariantRow, Waterfall, flag,
};

use crate::api::{CopyFormat, CopyTrace, GetAttribute, GetSpan, GetTrace, Text};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::spans::{self, Place, Whole};
use crate::store::{derived, now_micros, rows};

/// Tokens of copied Markdown where the caller does not say.
const MARKDOWN_TOKENS: u32 = 8_000;

/// The index of calls of models is over this number, which a query must state to use it.
const _: () = assert!(matches!(Operation::ALL[2], Operation::Llm));

/// Where a shown span stands in its trace.
#[derive(Clone, Copy)]
struct Standing {
    /// Nanoseconds since the epoch.
    start: u64,
    parent: Option<SpanId>,
    /// Flags of the waterfall.
    flags: u16,
    /// How long before its parent it started, where that cannot be.
    skew_nanos: Option<u64>,
}

/// What the other spans of its trace tell of a span, and its other contents.
struct Beside<'a> {
    variants: Vec<VariantRow>,
    earlier: &'a [Message],
    served: Served,
    named: Option<NamedAbove>,
}

/// A trace with its rows in memory.
struct Loaded {
    row: i64,
    id: TraceId,
    trace: TraceRows,
    received: u64,
}

impl Engine {
    pub(crate) async fn get_waterfall(&self, params: GetTrace) -> Result<Waterfall, Error> {
        let loaded = self.load(params.source, &params.trace_id).await?;
        tokio::task::spawn_blocking(move || {
            let summary = trace::summary(
                loaded.id,
                params.source,
                &loaded.trace,
                now(),
                loaded.received,
            );
            trace::waterfall(summary, &loaded.trace)
        })
        .await
        .map_err(Error::internal)
    }

    pub(crate) async fn get_span(&self, params: GetSpan) -> Result<SpanDetail, Error> {
        let (trace, places) = self.places_of(&params).await?;
        let shown = pick(places.iter(), params.variant.as_deref())?.clone();
        let variants: Vec<VariantRow> = places.iter().map(variant).collect();
        let standing = self.standing(shown.trace, shown.span_id).await?;
        let earlier = self
            .earlier(shown.trace, shown.span_id, standing.start)
            .await?;
        let served = self.served(shown.trace, shown.span_id).await?;
        let named = self.named_above(&shown).await?;
        let whole = self.one(shown).await?;
        let built = tokio::task::spawn_blocking(move || {
            let facts = whole.facts();
            let beside = Beside {
                variants,
                earlier: &earlier,
                served,
                named,
            };
            build(trace, &whole, &facts, standing, beside)
        });
        built.await.map_err(Error::internal)?
    }

    pub(crate) async fn get_attribute(&self, params: GetAttribute) -> Result<Text, Error> {
        let (_, places) = self.places_of(&params.span).await?;
        let whole = self
            .one(pick(places.iter(), params.span.variant.as_deref())?.clone())
            .await?;
        let index = usize::try_from(params.index).unwrap_or(usize::MAX);
        let attribute = whole.span.attributes.get(index).ok_or_else(|| {
            let message = format!(
                "the span has {} attributes, so none at {index}",
                whole.span.attributes.len()
            );
            Error::new(ErrorCode::NotFound, message)
        })?;
        let value = attribute
            .value
            .as_ref()
            .and_then(|value| value.value.as_ref());
        Ok(Text {
            text: value.map(clew_core::model::display).unwrap_or_default(),
        })
    }

    pub(crate) async fn get_facts(&self, params: GetTrace) -> Result<Vec<SpanFacts>, Error> {
        let loaded = self.load(params.source, &params.trace_id).await?;
        let mut places = self.places(loaded.row, None).await?;
        places.retain(|place| place.shown);
        let mut facts: HashMap<SpanId, SpanFacts> = HashMap::with_capacity(places.len());
        // Whole spans are large: so many are held at a time.
        for places in places.chunks(256) {
            let read = spans::each(&self.inner.store, places.to_vec(), |whole| {
                let id = SpanId::from_i64(whole.place.span_id)?;
                let (view, facts) = (whole.view(), whole.facts());
                Some((id, trace::span_facts(id, &view, &facts, &whole.overrides)))
            });
            let read = read.await?;
            self.lost(read.iter().filter(|one| one.is_err()).count(), "spans");
            facts.extend(read.into_iter().flatten().flatten());
        }
        let (rows, tree) = (loaded.trace.rows(), loaded.trace.tree());
        let order = tree.order.iter().map(|&row| rows[row].span_id);
        Ok(order.filter_map(|span| facts.remove(&span)).collect())
    }

    pub(crate) async fn copy_trace(&self, params: CopyTrace) -> Result<Text, Error> {
        let mut loaded = self.load(params.source, &params.trace_id).await?;
        let below = params.span_id.as_deref().map(span_id).transpose()?;
        let chosen: Option<BTreeSet<i64>> = below
            .map(|span| subtree(&loaded.trace, span, params.subtree))
            .transpose()?;
        let mut places = self.places(loaded.row, None).await?;
        let read = match (below, params.variant.as_deref()) {
            (_, None) => None,
            (None, Some(_)) => {
                let message = "a variant is one span's: spanId names it";
                return Err(Error::new(ErrorCode::BadRequest, message));
            }
            (Some(span), Some(hash)) => {
                let own = places.iter().filter(|place| place.span_id == span.as_i64());
                Some(pick(own, Some(hash))?.clone())
            }
        };
        places.retain(|place| {
            let wanted = match &read {
                Some(read) if read.span_id == place.span_id => read.id == place.id,
                _ => place.shown,
            };
            wanted
                && chosen
                    .as_ref()
                    .is_none_or(|chosen| chosen.contains(&place.span_id))
        });
        let whole = spans::whole(&self.inner.store, places).await?;
        let budget = params.max_tokens.unwrap_or(MARKDOWN_TOKENS);
        let mut desk = self.inner.store.prices.desk();
        let text = tokio::task::spawn_blocking(move || match params.format {
            CopyFormat::OtlpJson => to_json(&whole.iter().map(source).collect::<Vec<_>>()),
            CopyFormat::Markdown => {
                let other = read.filter(|place| !place.shown);
                if let Some(whole) =
                    other.and_then(|place| whole.iter().find(|whole| whole.place.id == place.id))
                {
                    let mut rows = loaded.trace.into_rows();
                    restate(&mut rows, whole);
                    loaded.trace = TraceRows::of(rows, &mut desk);
                }
                let summary = trace::summary(
                    loaded.id,
                    params.source,
                    &loaded.trace,
                    now(),
                    loaded.received,
                );
                let facts: HashMap<SpanId, Facts> = whole
                    .iter()
                    .filter_map(|whole| {
                        Some((SpanId::from_i64(whole.place.span_id)?, whole.facts()))
                    })
                    .collect();
                trace::markdown(&summary, &loaded.trace, below, &facts, budget)
            }
        })
        .await
        .map_err(Error::internal)?;
        Ok(Text { text })
    }

    async fn load(&self, source: i64, trace_id: &str) -> Result<Loaded, Error> {
        let reads = &self.inner.store.reads;
        let (row, id) = spans::trace_row(reads, source, trace_id).await?;
        let mut stored = rows::stored(reads, &[row]).await?;
        self.lost(stored.lost, "spans");
        let stored = stored.found.remove(&row);
        let rows = stored.unwrap_or_default().into_iter();
        let rows = rows.map(|stored| stored.row).collect();
        let received: i64 = sqlx::query_scalar("SELECT received FROM traces WHERE id = ?")
            .bind(row)
            .fetch_one(reads)
            .await?;
        let mut desk = self.inner.store.prices.desk();
        let trace = tokio::task::spawn_blocking(move || TraceRows::of(rows, &mut desk))
            .await
            .map_err(Error::internal)?;
        Ok(Loaded {
            row,
            id,
            trace,
            received: u64::try_from(received).unwrap_or(0),
        })
    }

    /// All variants of a span, the shown one first, and its trace.
    pub(super) async fn places_of(&self, params: &GetSpan) -> Result<(TraceId, Vec<Place>), Error> {
        let span = span_id(&params.span_id)?;
        let reads = &self.inner.store.reads;
        let (row, id) = spans::trace_row(reads, params.source, &params.trace_id).await?;
        let places = self.places(row, Some(span)).await?;
        if places.is_empty() {
            let message = format!("trace {id} has no span {span}: it may have been deleted");
            return Err(Error::new(ErrorCode::NotFound, message));
        }
        Ok((id, places))
    }

    /// Where a shown span stands, as [`trace::tree`] would say, from the spans above it alone.
    async fn standing(&self, trace: i64, span: i64) -> Result<Standing, Error> {
        let above: Vec<(i64, Option<i64>, i64)> = sqlx::query_as(
            "WITH RECURSIVE above (span_id, parent, start) AS (
                 SELECT span_id, parent, start FROM spans WHERE trace = ?1 AND span_id = ?2 AND shown = 1
                 UNION
                 SELECT s.span_id, s.parent, s.start
                 FROM above a CROSS JOIN spans s ON s.trace = ?1 AND s.span_id = a.parent AND s.shown = 1)
             SELECT span_id, parent, start FROM above",
        )
        .bind(trace)
        .bind(span)
        .fetch_all(&self.inner.store.reads)
        .await?;
        let own = above.iter().find(|row| row.0 == span);
        let (_, parent, start) =
            own.ok_or_else(|| Error::internal("a span was read and is not there"))?;
        let parent = parent.and_then(SpanId::from_i64);
        let is_there = |id: SpanId| above.iter().any(|row| row.0 == id.as_i64());
        let mut flags = 0;
        if parent.is_some_and(|id| !is_there(id)) {
            flags |= flag::ORPHAN;
        }
        // Who is above itself is in a cycle with all that is above it; the earliest of them stands at top level.
        let cycle = above.iter().any(|row| row.1 == Some(span));
        let first = above
            .iter()
            .min_by_key(|row| (row.2.cast_unsigned(), row.0.cast_unsigned()));
        if cycle && first.is_some_and(|row| row.0 == span) {
            flags |= flag::CYCLE;
        }
        // As the tree has it: a parent whose edge was cut is none.
        let skew_nanos = above
            .iter()
            .find(|row| flags & flag::CYCLE == 0 && parent.is_some_and(|id| row.0 == id.as_i64()))
            .and_then(|row| {
                let nanos = |start: i64| UnixNanos(start.cast_unsigned());
                trace::skew(nanos(row.2), nanos(*start))
            });
        let (rooted, received): (i64, i64) =
            sqlx::query_as("SELECT rooted, received FROM traces WHERE id = ?")
                .bind(trace)
                .fetch_one(&self.inner.store.reads)
                .await?;
        let received = u64::try_from(received).unwrap_or(0);
        let state = TraceState::of(Roots::from_number(rooted), received, now().micros());
        Ok(Standing {
            start: start.cast_unsigned(),
            parent,
            flags: flags & trace::told(state),
            skew_nanos,
        })
    }

    /// What tells of a model call from its server's side. The trace's rows are read only where another service is in it.
    async fn served(&self, trace: i64, span: i64) -> Result<Served, Error> {
        let reads = &self.inner.store.reads;
        let (is_call, services): (bool, i64) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM spans s JOIN facts f ON f.span = s.id
                            WHERE s.trace = ?1 AND s.span_id = ?2 AND s.shown = 1 AND f.operation = 2),
                    (SELECT count(*) FROM trace_values WHERE trace = ?1 AND facet = 'service')",
        )
        .bind(trace)
        .bind(span)
        .fetch_one(reads)
        .await?;
        let Some(span) = SpanId::from_i64(span).filter(|_| is_call && services > 1) else {
            return Ok(Served::Unseen);
        };
        let rows = self.rows_of(trace).await?;
        tokio::task::spawn_blocking(move || trace::served(&rows, span))
            .await
            .map_err(Error::internal)
    }

    /// The model that a span above names, of a model call that names none. The trace's rows are read for such a call only.
    async fn named_above(&self, place: &Place) -> Result<Option<NamedAbove>, Error> {
        // The column of the model may have the one above; the row's own facts have what it states.
        let asks: Option<bool> = sqlx::query_scalar(
            "SELECT operation = 2 AND model IS NOT NULL AND json_extract(json, '$.model') IS NULL FROM facts WHERE span = ?",
        )
        .bind(place.id)
        .fetch_optional(&self.inner.store.reads)
        .await?;
        let asks = asks.unwrap_or(false);
        let Some(span) = SpanId::from_i64(place.span_id).filter(|_| asks) else {
            return Ok(None);
        };
        let rows = self.rows_of(place.trace).await?;
        tokio::task::spawn_blocking(move || trace::named_above(&rows, span))
            .await
            .map_err(Error::internal)
    }

    /// The rows of a trace.
    async fn rows_of(&self, trace: i64) -> Result<Vec<SpanRow>, Error> {
        let mut stored = rows::stored(&self.inner.store.reads, &[trace]).await?;
        let rows = stored.found.remove(&trace).unwrap_or_default();
        Ok(rows.into_iter().map(|stored| stored.row).collect())
    }

    async fn places(&self, trace: i64, span: Option<SpanId>) -> Result<Vec<Place>, Error> {
        let reads = &self.inner.store.reads;
        let ids = match span {
            None => spans::ids_of(reads, &[trace]).await?,
            Some(span) => {
                sqlx::query_scalar("SELECT id FROM spans WHERE trace = ? AND span_id = ?")
                    .bind(trace)
                    .bind(span.as_i64())
                    .fetch_all(reads)
                    .await?
            }
        };
        let (mut places, lost) = spans::places(reads, ids).await?;
        self.lost(lost, "spans");
        places.sort_by_key(|place| (Reverse(place.shown), Reverse(place.rank), place.hash));
        Ok(places)
    }

    pub(super) async fn one(&self, place: Place) -> Result<Whole, Error> {
        let mut whole = spans::whole(&self.inner.store, vec![place]).await?;
        whole
            .pop()
            .ok_or_else(|| Error::internal("a span was read and is not there"))
    }

    /// What the model call before this one, on the same level or above, sent and got: its conversation is usually
    /// repeated by the next call.
    async fn earlier(&self, trace: i64, span: i64, start: u64) -> Result<Vec<Message>, Error> {
        // Facts keep microseconds; which of them is the latest is told by the spans' nanoseconds, both unsigned.
        let before: Option<i64> = sqlx::query_scalar(
            "SELECT s.span_id
             FROM facts f
             CROSS JOIN spans s ON s.id = f.span
             WHERE f.trace = ?1 AND f.operation = 2 AND f.start <= ?4
               AND s.shown = 1 AND s.span_id <> ?2 AND (s.start < 0, s.start) < (?3 < 0, ?3)
             ORDER BY f.start DESC, s.start < 0 DESC, s.start DESC, s.span_id < 0 DESC, s.span_id DESC
             LIMIT 1",
        )
        .bind(trace)
        .bind(span)
        .bind(start.cast_signed())
        .bind((start / 1_000).cast_signed())
        .fetch_optional(&self.inner.store.reads)
        .await?;
        let Some(before) = before.and_then(SpanId::from_i64) else {
            return Ok(Vec::new());
        };
        let places = self.places(trace, Some(before)).await?;
        let Some(place) = places.into_iter().find(|place| place.shown) else {
            return Ok(Vec::new());
        };
        let facts = self.one(place).await?.facts();
        let mut messages = facts.input.map(|input| input.value).unwrap_or_default();
        messages.extend(facts.output.map(|output| output.value).unwrap_or_default());
        Ok(messages)
    }
}

fn now() -> UnixNanos {
    UnixNanos(
        u64::try_from(now_micros())
            .unwrap_or(0)
            .saturating_mul(1_000),
    )
}

pub(super) fn span_id(text: &str) -> Result<SpanId, Error> {
    text.parse().map_err(|error| {
        Error::new(
            ErrorCode::BadRequest,
            format!("{text:?} is not a span id: {error}"),
        )
    })
}

/// Of a span's contents, the one of that hash, or the one shown by default.
pub(super) fn pick<'a>(
    mut places: impl Iterator<Item = &'a Place> + Clone,
    variant: Option<&str>,
) -> Result<&'a Place, Error> {
    let found = match variant {
        None => places
            .clone()
            .find(|place| place.shown)
            .or_else(|| places.next()),
        Some(hash) => places.find(|place| format!("{:016x}", place.hash) == hash),
    };
    found.ok_or_else(|| Error::new(ErrorCode::NotFound, "the span has no content of that hash"))
}

fn variant(place: &Place) -> VariantRow {
    VariantRow {
        hash: format!("{:016x}", place.hash),
        shown: place.shown,
        received_micros: u64::try_from(place.received).unwrap_or(0),
        attributes: u32::try_from(place.rank & i64::from(u32::MAX)).unwrap_or(0),
        ended: place.rank >> 32 != 0,
    }
}

fn source(whole: &Whole) -> SpanSource<'_> {
    SpanSource {
        resource: &whole.resource.message,
        resource_schema_url: &whole.resource.schema_url,
        scope: &whole.scope.message,
        scope_schema_url: &whole.scope.schema_url,
        span: &whole.span,
    }
}

/// Lets a content that is not shown by default speak for its span; the span keeps its place in the trace.
fn restate(rows: &mut [SpanRow], whole: &Whole) {
    let facts = whole.facts();
    let id = whole.place.span_id;
    if let Some(row) = rows.iter_mut().find(|row| row.span_id.as_i64() == id) {
        row.name.clone_from(&whole.span.name);
        row.start = UnixNanos(whole.span.start_time_unix_nano);
        row.end = UnixNanos(whole.span.end_time_unix_nano);
        row.status = whole
            .span
            .status
            .as_ref()
            .map_or(0, |status| u8::try_from(status.code).unwrap_or(0));
        row.facts = Some(Box::new(RowFacts::of(&facts, &derived::findings(&facts))));
    }
}

fn build(
    trace_id: TraceId,
    whole: &Whole,
    facts: &Facts,
    standing: Standing,
    beside: Beside<'_>,
) -> Result<SpanDetail, Error> {
    let span_id = SpanId::from_i64(whole.place.span_id)
        .ok_or_else(|| Error::internal("a span without an id"))?;
    let around = Surroundings {
        trace_id,
        span_id,
        parent: standing.parent,
        flags: standing.flags,
        skew_nanos: standing.skew_nanos,
        served: beside.served,
        named: beside.named,
        repaired: whole.repaired,
        variants: beside.variants,
        earlier: beside.earlier,
        findings: derived::findings(facts),
        overrides: Arc::clone(&whole.overrides),
    };
    Ok(trace::detail(&whole.view(), facts, around))
}

/// The span, and with `below` everything under it.
fn subtree(trace: &TraceRows, span: SpanId, below: bool) -> Result<BTreeSet<i64>, Error> {
    let (rows, tree) = (trace.rows(), trace.tree());
    let place = tree
        .order
        .iter()
        .position(|&index| rows[index].span_id == span)
        .ok_or_else(|| Error::new(ErrorCode::NotFound, format!("the trace has no span {span}")))?;
    let index = tree.order[place];
    let count = if below {
        usize::try_from(tree.descendants[index]).unwrap_or(usize::MAX)
    } else {
        0
    };
    let end = place
        .saturating_add(count)
        .saturating_add(1)
        .min(tree.order.len());
    Ok(tree.order[place..end]
        .iter()
        .map(|&index| rows[index].span_id.as_i64())
        .collect())
}
