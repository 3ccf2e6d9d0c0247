//! Commands of the Trace view.

use std::collections::{BTreeSet, HashMap};

use clew_core::convention;
use clew_core::model::{Facts, Message, Operation, SpanId, SpanView, TraceId, UnixNanos};
use clew_core::otlp::{SpanSource, to_json};
use clew_core::trace::{
    self, SpanDetail, SpanRow, Surroundings, TraceState, Tree, VariantRow, Waterfall,
};
use sqlx::{QueryBuilder, Sqlite};

use crate::api::{CopyFormat, CopyTrace, GetAttribute, GetSpan, GetTrace, Text};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::spans::{self, PLACE, Place, Whole};
use crate::store::{derived, now_micros};

/// Tokens of copied Markdown where the caller does not say.
const MARKDOWN_TOKENS: u32 = 8_000;

/// A trace with its rows in memory.
struct Loaded {
    row: i64,
    id: TraceId,
    rows: Vec<SpanRow>,
    received: u64,
}

impl Engine {
    pub(crate) async fn get_waterfall(&self, params: GetTrace) -> Result<Waterfall, Error> {
        let loaded = self.load(params.source, &params.trace_id).await?;
        tokio::task::spawn_blocking(move || {
            let summary = trace::summary(
                loaded.id,
                params.source,
                &loaded.rows,
                now(),
                loaded.received,
            );
            trace::waterfall(summary, &loaded.rows)
        })
        .await
        .map_err(Error::internal)
    }

    pub(crate) async fn get_span(&self, params: GetSpan) -> Result<SpanDetail, Error> {
        let (loaded, places) = self.places_of(&params).await?;
        let shown = pick(&places, params.variant.as_deref())?.clone();
        let variants: Vec<VariantRow> = places.iter().map(variant).collect();
        let earlier = self.earlier(&loaded, shown.span_id).await?;
        let whole = self.one(shown).await?;
        tokio::task::spawn_blocking(move || build(&loaded, &whole, variants, &earlier))
            .await
            .map_err(Error::internal)?
    }

    pub(crate) async fn get_attribute(&self, params: GetAttribute) -> Result<Text, Error> {
        let (_, places) = self.places_of(&params.span).await?;
        let whole = self
            .one(pick(&places, params.span.variant.as_deref())?.clone())
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

    pub(crate) async fn copy_trace(&self, params: CopyTrace) -> Result<Text, Error> {
        let loaded = self.load(params.source, &params.trace_id).await?;
        let below = params.span_id.as_deref().map(span_id).transpose()?;
        let tree = trace::tree(&loaded.rows);
        let chosen: Option<BTreeSet<i64>> = below
            .map(|span| subtree(&loaded.rows, &tree, span, params.subtree))
            .transpose()?;
        let mut places = self.places(loaded.row, None).await?;
        places.retain(|place| {
            place.shown
                && chosen
                    .as_ref()
                    .is_none_or(|chosen| chosen.contains(&place.span_id))
        });
        let whole = spans::whole(&self.inner.store.reads, places).await?;
        let budget = params.max_tokens.unwrap_or(MARKDOWN_TOKENS);
        let text = tokio::task::spawn_blocking(move || match params.format {
            CopyFormat::OtlpJson => to_json(&whole.iter().map(source).collect::<Vec<_>>()),
            CopyFormat::Markdown => {
                let summary = trace::summary(
                    loaded.id,
                    params.source,
                    &loaded.rows,
                    now(),
                    loaded.received,
                );
                let facts: HashMap<SpanId, Facts> = whole
                    .iter()
                    .filter_map(|whole| {
                        Some((SpanId::from_i64(whole.place.span_id)?, facts(whole)))
                    })
                    .collect();
                trace::markdown(&summary, &loaded.rows, below, &facts, budget)
            }
        })
        .await
        .map_err(Error::internal)?;
        Ok(Text { text })
    }

    async fn load(&self, source: i64, trace_id: &str) -> Result<Loaded, Error> {
        let reads = &self.inner.store.reads;
        let (row, id) = spans::trace_row(reads, source, trace_id).await?;
        let rows = spans::rows(reads, &[row])
            .await?
            .remove(&row)
            .unwrap_or_default();
        let received: i64 = sqlx::query_scalar("SELECT received FROM traces WHERE id = ?")
            .bind(row)
            .fetch_one(reads)
            .await?;
        Ok(Loaded {
            row,
            id,
            rows,
            received: u64::try_from(received).unwrap_or(0),
        })
    }

    /// All variants of a span, the shown one first.
    async fn places_of(&self, params: &GetSpan) -> Result<(Loaded, Vec<Place>), Error> {
        let span = span_id(&params.span_id)?;
        let loaded = self.load(params.source, &params.trace_id).await?;
        let places = self.places(loaded.row, Some(span)).await?;
        if places.is_empty() {
            let message = format!(
                "trace {} has no span {span}: it may have been deleted",
                loaded.id
            );
            return Err(Error::new(ErrorCode::NotFound, message));
        }
        Ok((loaded, places))
    }

    async fn places(&self, trace: i64, span: Option<SpanId>) -> Result<Vec<Place>, Error> {
        let mut query =
            QueryBuilder::<Sqlite>::new(format!("SELECT {PLACE} FROM spans s WHERE s.trace = "));
        query.push_bind(trace);
        if let Some(span) = span {
            query.push(" AND s.span_id = ").push_bind(span.as_i64());
        }
        query.push(" ORDER BY s.shown DESC, s.rank DESC, s.hash");
        Ok(query
            .build()
            .fetch_all(&self.inner.store.reads)
            .await?
            .iter()
            .map(spans::place)
            .collect())
    }

    async fn one(&self, place: Place) -> Result<Whole, Error> {
        let mut whole = spans::whole(&self.inner.store.reads, vec![place]).await?;
        whole
            .pop()
            .ok_or_else(|| Error::internal("a span was read and is not there"))
    }

    /// What the model call before this one, on the same level or above, sent and got: its conversation is usually
    /// repeated by the next call.
    async fn earlier(&self, loaded: &Loaded, span: i64) -> Result<Vec<Message>, Error> {
        let Some(current) = loaded.rows.iter().find(|row| row.span_id.as_i64() == span) else {
            return Ok(Vec::new());
        };
        let calls = loaded.rows.iter().filter(|row| {
            row.operation() == Operation::Llm
                && row.span_id != current.span_id
                && row.start < current.start
        });
        let Some(before) = calls.max_by_key(|row| (row.start, row.span_id)) else {
            return Ok(Vec::new());
        };
        let places = self.places(loaded.row, Some(before.span_id)).await?;
        let Some(place) = places.into_iter().find(|place| place.shown) else {
            return Ok(Vec::new());
        };
        let facts = facts(&self.one(place).await?);
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

fn span_id(text: &str) -> Result<SpanId, Error> {
    text.parse().map_err(|error| {
        Error::new(
            ErrorCode::BadRequest,
            format!("{text:?} is not a span id: {error}"),
        )
    })
}

fn pick<'a>(places: &'a [Place], variant: Option<&str>) -> Result<&'a Place, Error> {
    let found = match variant {
        None => places.iter().find(|place| place.shown).or(places.first()),
        Some(hash) => places
            .iter()
            .find(|place| format!("{:016x}", place.hash) == hash),
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

fn view(whole: &Whole) -> SpanView<'_> {
    SpanView {
        span: &whole.span,
        resource: &whole.resource.message,
        scope: &whole.scope.message,
        logs: &whole.logs,
    }
}

pub(super) fn facts(whole: &Whole) -> Facts {
    convention::facts(&view(whole))
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

fn build(
    loaded: &Loaded,
    whole: &Whole,
    variants: Vec<VariantRow>,
    earlier: &[Message],
) -> Result<SpanDetail, Error> {
    let facts = facts(whole);
    let tree = trace::tree(&loaded.rows);
    let span_id = SpanId::from_i64(whole.place.span_id)
        .ok_or_else(|| Error::internal("a span without an id"))?;
    let index = loaded.rows.iter().position(|row| row.span_id == span_id);
    let state = TraceState::of_rows(&loaded.rows, loaded.received, now().micros());
    let around = Surroundings {
        trace_id: loaded.id,
        span_id,
        parent: index.and_then(|index| loaded.rows[index].parent),
        flags: index.map_or(0, |index| tree.flags[index] & trace::told(state)),
        repaired: whole.repaired,
        variants,
        earlier,
        findings: derived::findings(&facts),
    };
    Ok(trace::detail(&view(whole), &facts, around))
}

/// The span, and with `below` everything under it.
fn subtree(
    rows: &[SpanRow],
    tree: &Tree,
    span: SpanId,
    below: bool,
) -> Result<BTreeSet<i64>, Error> {
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
