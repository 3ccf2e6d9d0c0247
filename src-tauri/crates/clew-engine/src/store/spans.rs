//! Reads spans: rows of a trace, payloads, resources, logs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clew_core::convention::{self, Heard};
use clew_core::model::{SpanId, TraceId, UnixNanos};
use clew_core::otlp::{self, record};
use clew_core::trace::{RowFacts, SpanRow};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use super::blocks::Block;
use crate::error::{Error, ErrorCode};

/// Values bound to one `IN (…)`; SQLite takes at most 32,766.
const CHUNK: usize = 8_192;

/// Where a span lies, and what is needed to read it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: i64,
    pub(crate) trace: i64,
    pub(crate) span_id: i64,
    pub(crate) hash: i64,
    pub(crate) shown: bool,
    pub(crate) resource: i64,
    pub(crate) scope: i64,
    pub(crate) received: i64,
    pub(crate) rank: i64,
    pub(crate) block: i64,
    pub(crate) slot: usize,
}

/// The columns of a [`Place`], in its order.
pub(crate) const PLACE: &str = "s.id, s.trace, s.span_id, s.hash, s.shown, s.resource, s.scope, s.received, s.rank, s.block, s.slot";

pub(crate) fn place(row: &SqliteRow) -> Place {
    Place {
        id: row.get(0),
        trace: row.get(1),
        span_id: row.get(2),
        hash: row.get(3),
        shown: row.get(4),
        resource: row.get(5),
        scope: row.get(6),
        received: row.get(7),
        rank: row.get(8),
        block: row.get(9),
        slot: usize::try_from(row.get::<i64, _>(10)).unwrap_or(usize::MAX),
    }
}

/// A span read back whole.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub(crate) place: Place,
    pub(crate) span: Span,
    pub(crate) repaired: bool,
    pub(crate) resource: Arc<Shared<Resource>>,
    pub(crate) scope: Arc<Shared<InstrumentationScope>>,
    pub(crate) logs: Vec<LogRecord>,
}

/// A resource or a scope as many spans share it.
#[derive(Debug)]
pub(crate) struct Shared<M> {
    pub(crate) message: M,
    pub(crate) schema_url: String,
}

/// The database's row of a trace.
///
/// # Errors
/// `not_found` where there is no such trace, `bad_request` where the id is none.
pub(crate) async fn trace_row(
    reads: &SqlitePool,
    source: i64,
    trace_id: &str,
) -> Result<(i64, TraceId), Error> {
    let id: TraceId = trace_id.parse().map_err(|error| {
        Error::new(
            ErrorCode::BadRequest,
            format!("{trace_id:?} is not a trace id: {error}"),
        )
    })?;
    let row: Option<i64> =
        sqlx::query_scalar("SELECT id FROM traces WHERE source = ? AND trace_id = ?")
            .bind(source)
            .bind(&id.bytes()[..])
            .fetch_optional(reads)
            .await?;
    row.map(|row| (row, id)).ok_or_else(|| {
        Error::new(
            ErrorCode::NotFound,
            format!("there is no trace {id}: it may have been deleted"),
        )
    })
}

/// The rows of some traces, shown variants only, each with its facts.
pub(crate) async fn rows(
    reads: &SqlitePool,
    traces: &[i64],
) -> Result<BTreeMap<i64, Vec<SpanRow>>, Error> {
    let mut found: BTreeMap<i64, Vec<SpanRow>> = BTreeMap::new();
    let mut variants: HashMap<(i64, i64), u32> = HashMap::new();
    for chunk in traces.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT s.trace, s.span_id, s.parent, s.start, s.finish, n.text, v.text, s.status, s.repaired, s.received,
                    s.shown, f.json
             FROM spans s
             JOIN strings n ON n.id = s.name
             JOIN resources r ON r.id = s.resource
             JOIN strings v ON v.id = r.service
             LEFT JOIN facts f ON f.span = s.id
             WHERE s.trace IN (",
        );
        let mut list = query.separated(", ");
        chunk.iter().for_each(|trace| {
            list.push_bind(*trace);
        });
        query.push(")");
        for row in query.build().fetch_all(reads).await? {
            let (trace, span_id): (i64, i64) = (row.get(0), row.get(1));
            *variants.entry((trace, span_id)).or_insert(0) += 1;
            if let Some(span) = row.get::<bool, _>(10).then(|| span_row(&row)).flatten() {
                found.entry(trace).or_default().push(span);
            }
        }
    }
    for (trace, rows) in &mut found {
        for row in rows {
            row.variants = variants
                .get(&(*trace, row.span_id.as_i64()))
                .copied()
                .unwrap_or(1);
        }
    }
    Ok(found)
}

fn span_row(row: &SqliteRow) -> Option<SpanRow> {
    Some(SpanRow {
        span_id: SpanId::from_i64(row.get(1))?,
        parent: row.get::<Option<i64>, _>(2).and_then(SpanId::from_i64),
        start: UnixNanos::from_i64(row.get(3)),
        end: UnixNanos::from_i64(row.get(4)),
        name: row.get(5),
        service: row.get(6),
        status: u8::try_from(row.get::<i64, _>(7)).unwrap_or(0),
        repaired: row.get(8),
        variants: 1,
        received_micros: u64::try_from(row.get::<i64, _>(9)).unwrap_or(0),
        facts: row
            .get::<Option<String>, _>(11)
            .and_then(|json| serde_json::from_str::<RowFacts>(&json).ok()),
    })
}

/// Reads spans whole, in the order of `places`, with their log records.
pub(crate) async fn whole(reads: &SqlitePool, places: Vec<Place>) -> Result<Vec<Whole>, Error> {
    let blocks: BTreeSet<i64> = places.iter().map(|place| place.block).collect();
    let attributes = data(
        reads,
        "SELECT id, data FROM attribute_blocks WHERE id IN (",
        &blocks,
    )
    .await?;
    let content = data(
        reads,
        "SELECT id, data FROM content_blocks WHERE id IN (",
        &blocks,
    )
    .await?;
    let resources = shared(
        reads,
        "SELECT id, raw, schema_url FROM resources WHERE id IN (",
        places.iter().map(|place| place.resource).collect(),
        otlp::decode_resource,
    )
    .await?;
    let scopes = shared(
        reads,
        "SELECT id, raw, schema_url FROM scopes WHERE id IN (",
        places.iter().map(|place| place.scope).collect(),
        otlp::decode_scope,
    )
    .await?;
    let mut logs = logs(reads, &places.iter().map(|place| place.trace).collect()).await?;
    tokio::task::spawn_blocking(move || {
        let (attributes, content) = (open(&attributes)?, open(&content)?);
        let mut whole = Vec::with_capacity(places.len());
        for place in places {
            let (Some(attributes), Some(content)) =
                (attributes.get(&place.block), content.get(&place.block))
            else {
                return Err(damaged(&place, "its block is missing"));
            };
            let raw = record::join(attributes.item(place.slot), content.item(place.slot));
            let (span, repaired) =
                otlp::decode_span(&raw).map_err(|error| damaged(&place, &error))?;
            let (Some(resource), Some(scope)) =
                (resources.get(&place.resource), scopes.get(&place.scope))
            else {
                return Err(damaged(&place, "its resource or scope is missing"));
            };
            let logs = logs
                .remove(&(place.trace, place.span_id))
                .unwrap_or_default();
            whole.push(Whole {
                span,
                repaired,
                resource: Arc::clone(resource),
                scope: Arc::clone(scope),
                logs,
                place,
            });
        }
        Ok(whole)
    })
    .await
    .map_err(Error::internal)?
}

fn damaged(place: &Place, why: &str) -> Error {
    Error::new(
        ErrorCode::Io,
        format!(
            "cannot read span {:016x} of the database: {why}",
            place.span_id
        ),
    )
}

type Blocks = Vec<(i64, Vec<u8>)>;

async fn data(
    reads: &SqlitePool,
    select: &'static str,
    ids: &BTreeSet<i64>,
) -> Result<Blocks, Error> {
    let ids: Vec<i64> = ids.iter().copied().collect();
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(select);
        push_list(&mut query, chunk);
        found.extend(
            query
                .build_query_as::<(i64, Vec<u8>)>()
                .fetch_all(reads)
                .await?,
        );
    }
    Ok(found)
}

fn push_list(query: &mut QueryBuilder<Sqlite>, ids: &[i64]) {
    let mut list = query.separated(", ");
    ids.iter().for_each(|id| {
        list.push_bind(*id);
    });
    query.push(")");
}

fn open(blocks: &Blocks) -> Result<HashMap<i64, Block>, Error> {
    blocks
        .iter()
        .map(|(id, data)| {
            let block = Block::decode(data).map_err(|error| {
                Error::new(
                    ErrorCode::Io,
                    format!("cannot read block {id} of the database: {error}"),
                )
            })?;
            Ok((*id, block))
        })
        .collect()
}

/// Reads what spans share, each decoded once.
async fn shared<M>(
    reads: &SqlitePool,
    select: &'static str,
    ids: BTreeSet<i64>,
    decode: fn(&[u8]) -> Result<M, String>,
) -> Result<HashMap<i64, Arc<Shared<M>>>, Error> {
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(select);
        push_list(&mut query, chunk);
        let rows = query.build_query_as::<(i64, Vec<u8>, String)>();
        for (id, raw, schema_url) in rows.fetch_all(reads).await? {
            let message = decode(&raw).map_err(Error::internal)?;
            found.insert(
                id,
                Arc::new(Shared {
                    message,
                    schema_url,
                }),
            );
        }
    }
    Ok(found)
}

/// Log records of the spans of some traces, in order ([`convention::in_order`]), by trace and span.
async fn logs(
    reads: &SqlitePool,
    traces: &BTreeSet<i64>,
) -> Result<HashMap<(i64, i64), Vec<LogRecord>>, Error> {
    let traces: Vec<i64> = traces.iter().copied().collect();
    let mut rows: Vec<LogPlace> = Vec::new();
    for chunk in traces.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT trace, span_id, block, slot, batch, CASE WHEN batch = 0 THEN id ELSE position END, hash
             FROM logs
             WHERE span_id IS NOT NULL AND trace IN (SELECT id FROM traces WHERE logs > 0 AND id IN (",
        );
        push_list(&mut query, chunk);
        query.push(")");
        rows.extend(query.build_query_as::<LogPlace>().fetch_all(reads).await?);
    }
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let blocks = rows.iter().map(|row| row.2).collect();
    let blocks = data(
        reads,
        "SELECT id, data FROM content_blocks WHERE id IN (",
        &blocks,
    )
    .await?;
    tokio::task::spawn_blocking(move || {
        let blocks = open(&blocks)?;
        let mut found: HashMap<(i64, i64), Vec<Heard>> = HashMap::new();
        for (trace, span_id, block, slot, batch, position, hash) in rows {
            let slot = usize::try_from(slot).unwrap_or(usize::MAX);
            let raw = blocks
                .get(&block)
                .map(|block| block.item(slot))
                .unwrap_or_default();
            let (record, _) = otlp::decode_log(raw).map_err(Error::internal)?;
            found.entry((trace, span_id)).or_default().push(Heard {
                record,
                batch: batch.cast_unsigned(),
                position: position.cast_unsigned(),
                hash: hash.cast_unsigned(),
            });
        }
        let sorted = found.into_iter();
        Ok(sorted
            .map(|(span, heard)| (span, convention::in_order(heard)))
            .collect())
    })
    .await
    .map_err(Error::internal)?
}

/// Trace, span, block, slot, request, position and hash of a log record.
type LogPlace = (i64, i64, i64, i64, i64, i64, i64);
