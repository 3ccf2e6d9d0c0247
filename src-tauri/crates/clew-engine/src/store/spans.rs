//! Reads spans: where they lie, payloads, resources, logs.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use clew_core::convention::{self, Heard, Overrides};
use clew_core::model::{Facts, SpanView, TraceId};
use clew_core::otlp::{self, record};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::Store;
use super::blocks::Block;
use super::columns::{self, integers, joined};
use crate::error::{Cause, Error, ErrorCode};

/// Values bound to one `IN (…)`; SQLite takes at most 32,766.
pub(crate) const CHUNK: usize = 8_192;

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
    /// Whether it was repaired as it was received.
    pub(crate) repaired: bool,
}

/// The columns of a [`Place`], in its order.
pub(crate) const PLACE: [&str; 12] = [
    "s.id",
    "s.trace",
    "s.span_id",
    "s.hash",
    "s.shown",
    "s.resource",
    "s.scope",
    "s.received",
    "s.rank",
    "s.block",
    "s.slot",
    "s.repaired",
];

/// Joins spans to their ids, for [`columns::by_id`].
pub(crate) const BY_ID: &str = "spans s ON s.id = e.value";

impl Place {
    /// From the values of [`PLACE`].
    pub(crate) fn of(values: &[Option<i64>]) -> Option<Self> {
        let &[
            id,
            trace,
            span_id,
            hash,
            shown,
            resource,
            scope,
            received,
            rank,
            block,
            slot,
            repaired,
        ] = values
        else {
            return None;
        };
        Some(Self {
            id: id?,
            trace: trace?,
            span_id: span_id?,
            hash: hash?,
            shown: shown? != 0,
            resource: resource?,
            scope: scope?,
            received: received?,
            rank: rank?,
            block: block?,
            slot: usize::try_from(slot?).unwrap_or(usize::MAX),
            repaired: repaired? != 0,
        })
    }
}

/// Where some spans lie, in the order of their ids; and how many of them lie on damaged pages.
pub(crate) async fn places(
    reads: &SqlitePool,
    mut ids: Vec<i64>,
) -> Result<(Vec<Place>, usize), Error> {
    ids.sort_unstable();
    ids.dedup();
    let answers = columns::by_id(reads, &joined(&PLACE), BY_ID, &ids).await?;
    let rows = answers.found.iter().flat_map(integers::<{ PLACE.len() }>);
    let mut places: Vec<Place> = rows.filter_map(|row| Place::of(&row)).collect();
    places.sort_unstable_by_key(|place| place.id);
    Ok((places, answers.lost))
}

/// The ids of all spans of some traces, in order.
pub(crate) async fn ids_of(reads: &SqlitePool, traces: &[i64]) -> Result<Vec<i64>, Error> {
    let mut ids = Vec::new();
    for chunk in traces.chunks(CHUNK) {
        let found = async |table: &'static str| {
            let found = columns::column(reads, "s.id", |query| {
                query.push("FROM ").push(table).push(" WHERE s.trace IN (");
                push_list(query, chunk);
            });
            found.await
        };
        // By the index alone; where that is damaged, by the table.
        let found = match found("spans s").await {
            Err(error) if error.cause == Cause::Damage => found("spans s NOT INDEXED").await,
            found => found,
        };
        ids.append(&mut found?);
    }
    ids.sort_unstable();
    Ok(ids)
}

/// The ids of the spans that arrived after one, up to another, in order.
pub(crate) async fn ids_after(
    reads: &SqlitePool,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    let found = async |table: &'static str| {
        let found = columns::column(reads, "s.id", |query| {
            query
                .push("FROM (SELECT id FROM ")
                .push(table)
                .push(" WHERE id > ")
                .push_bind(after)
                .push(" AND id <= ")
                .push_bind(until)
                .push(" ORDER BY id LIMIT ")
                .push_bind(limit)
                .push(") s");
        });
        found.await
    };
    // By the table; where that is damaged, by an index alone.
    let mut ids = match found("spans").await {
        Err(error) if error.cause == Cause::Damage => {
            found("spans INDEXED BY spans_by_block").await?
        }
        found => found?,
    };
    ids.sort_unstable();
    Ok(ids)
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
    /// What the user says attributes mean.
    pub(crate) overrides: Arc<Overrides>,
}

impl Whole {
    /// The span with what surrounds it, as conventions read it.
    pub(crate) fn view(&self) -> SpanView<'_> {
        SpanView {
            span: &self.span,
            resource: &self.resource.message,
            scope: &self.scope.message,
            logs: &self.logs,
        }
    }

    /// What the span says of itself.
    pub(crate) fn facts(&self) -> Facts {
        convention::facts_with(&self.view(), &self.overrides)
    }
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

/// Reads spans whole, in the order of `places`, with their log records.
pub(crate) async fn whole(store: &Store, places: Vec<Place>) -> Result<Vec<Whole>, Error> {
    each(store, places, |whole| whole)
        .await?
        .into_iter()
        .collect()
}

/// Reads spans whole, in the order of `places`, and makes something of each. One that cannot be read costs itself.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn each<T: Send + 'static>(
    store: &Store,
    mut places: Vec<Place>,
    make: impl Fn(Whole) -> T + Send + 'static,
) -> Result<Vec<Result<T, Error>>, Error> {
    let reads = &store.reads;
    let overrides = store.overrides.overrides();
    let (attributes, content) = payloads(reads, &mut places).await?;
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
    let mut logs = logs(reads, &places).await?;
    tokio::task::spawn_blocking(move || {
        let (attributes, content) = (open(attributes), open(content));
        let mut read = |place: Place| {
            let (attributes, content) = (item(&attributes, &place)?, item(&content, &place)?);
            let raw = record::join(attributes, content);
            let (span, repaired) =
                otlp::decode_span(&raw).map_err(|error| damaged(&place, &error))?;
            let (Some(resource), Some(scope)) =
                (resources.get(&place.resource), scopes.get(&place.scope))
            else {
                return Err(damaged(&place, "its resource or scope is missing"));
            };
            let logs = logs.remove(&(place.trace, place.span_id));
            let logs = logs.unwrap_or_else(|| Ok(Vec::new()))?;
            Ok(make(Whole {
                span,
                repaired: repaired || place.repaired,
                resource: resource.clone().map_err(|error| damaged(&place, &error))?,
                scope: scope.clone().map_err(|error| damaged(&place, &error))?,
                logs,
                overrides: Arc::clone(&overrides),
                place,
            }))
        };
        places.into_iter().map(&mut read).collect()
    })
    .await
    .map_err(Error::internal)
}

/// The blocks of some spans. Repacking may move spans between the look at where they lie and the look there: whose block
/// is gone is looked up again.
async fn payloads(reads: &SqlitePool, places: &mut [Place]) -> Result<(Blocks, Blocks), Error> {
    loop {
        let ids: BTreeSet<i64> = places.iter().map(|place| place.block).collect();
        let attributes = data(
            reads,
            "SELECT id, data FROM attribute_blocks WHERE id IN (",
            &ids,
        )
        .await?;
        let content = data(
            reads,
            "SELECT id, data FROM content_blocks WHERE id IN (",
            &ids,
        )
        .await?;
        let missing: Vec<i64> = places
            .iter()
            .filter(|place| {
                !(attributes.contains_key(&place.block) && content.contains_key(&place.block))
            })
            .map(|place| place.id)
            .collect();
        let mut moved = false;
        let new = blocks_of(reads, &missing).await?;
        for place in places.iter_mut() {
            if let Some(&(block, slot)) = new.get(&place.id) {
                moved |= (block, slot) != (place.block, place.slot);
                (place.block, place.slot) = (block, slot);
            }
        }
        if !moved {
            return Ok((attributes, content));
        }
    }
}

/// Block and slot of some spans, by their rows.
async fn blocks_of(reads: &SqlitePool, spans: &[i64]) -> Result<HashMap<i64, (i64, usize)>, Error> {
    let mut found = HashMap::with_capacity(spans.len());
    for chunk in spans.chunks(CHUNK) {
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT id, block, slot FROM spans WHERE id IN (");
        push_list(&mut query, chunk);
        for (id, block, slot) in query
            .build_query_as::<(i64, i64, i64)>()
            .fetch_all(reads)
            .await?
        {
            found.insert(id, (block, usize::try_from(slot).unwrap_or(usize::MAX)));
        }
    }
    Ok(found)
}

/// How many of some items, in whose order these are their blocks, lie in blocks that unpack to `most` bytes together; one
/// at the least.
pub(crate) async fn fitting(
    reads: &SqlitePool,
    blocks: &[i64],
    most: usize,
) -> Result<usize, Error> {
    let sizes = unpacked(reads, &blocks.iter().copied().collect()).await?;
    let (mut opened, mut bytes) = (BTreeSet::new(), 0_usize);
    let fits = blocks.iter().take_while(|block| {
        if opened.insert(**block) {
            bytes = bytes.saturating_add(sizes.get(block).copied().unwrap_or(0));
        }
        opened.len() == 1 || bytes <= most
    });
    Ok(fits.count())
}

/// Bytes of the content of some blocks once they are unpacked, as their first four bytes say.
pub(crate) async fn unpacked(
    reads: &SqlitePool,
    blocks: &BTreeSet<i64>,
) -> Result<HashMap<i64, usize>, Error> {
    let heads = data(
        reads,
        "SELECT id, substr(data, 1, 4) FROM content_blocks WHERE id IN (",
        blocks,
    )
    .await?;
    let size = |head: Vec<u8>| {
        head.first_chunk()
            .map_or(0, |head| u32::from_le_bytes(*head))
    };
    Ok(heads
        .into_iter()
        .map(|(id, head)| (id, usize::try_from(size(head)).unwrap_or(usize::MAX)))
        .collect())
}

fn item<'a>(blocks: &'a Opened, place: &Place) -> Result<&'a [u8], Error> {
    match blocks.get(&place.block) {
        Some(Ok(block)) => Ok(block.item(place.slot)),
        Some(Err(error)) => Err(error.clone()),
        None => Err(damaged(place, "its block is missing")),
    }
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

pub(super) type Blocks = HashMap<i64, Vec<u8>>;
pub(super) type Opened = HashMap<i64, Result<Block, Error>>;

pub(super) async fn data(
    reads: &SqlitePool,
    select: &'static str,
    ids: &BTreeSet<i64>,
) -> Result<Blocks, Error> {
    let ids: Vec<i64> = ids.iter().copied().collect();
    let mut found = HashMap::with_capacity(ids.len());
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

pub(super) fn push_list(query: &mut QueryBuilder<Sqlite>, ids: &[i64]) {
    let mut list = query.separated(", ");
    ids.iter().for_each(|id| {
        list.push_bind(*id);
    });
    query.push(")");
}

pub(super) fn open(blocks: Blocks) -> Opened {
    let open = |id: i64, data: &[u8]| {
        Block::decode(data).map_err(|error| {
            Error::new(
                ErrorCode::Io,
                format!("cannot read block {id} of the database: {error}"),
            )
        })
    };
    blocks
        .into_iter()
        .map(|(id, data)| (id, open(id, &data)))
        .collect()
}

type SharedRows<M> = HashMap<i64, Result<Arc<Shared<M>>, String>>;

/// Reads what spans share, each decoded once. What cannot be decoded costs the spans that share it.
async fn shared<M>(
    reads: &SqlitePool,
    select: &'static str,
    ids: BTreeSet<i64>,
    decode: fn(&[u8]) -> Result<M, String>,
) -> Result<SharedRows<M>, Error> {
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(select);
        push_list(&mut query, chunk);
        let rows = query.build_query_as::<(i64, Vec<u8>, String)>();
        for (id, raw, schema_url) in rows.fetch_all(reads).await? {
            let shared = decode(&raw).map(|message| {
                Arc::new(Shared {
                    message,
                    schema_url,
                })
            });
            found.insert(id, shared);
        }
    }
    Ok(found)
}

/// By trace and span; what cannot be read costs its span.
type Logs = HashMap<(i64, i64), Result<Vec<LogRecord>, Error>>;

/// Trace, span, block, slot, request, position and hash of a log record.
type LogPlace = (i64, i64, i64, i64, i64, i64, i64);

/// Log records of some spans, in order ([`convention::in_order`]), by trace and span.
async fn logs(reads: &SqlitePool, places: &[Place]) -> Result<Logs, Error> {
    let traces: BTreeSet<i64> = places.iter().map(|place| place.trace).collect();
    let traces: Vec<i64> = traces.into_iter().collect();
    let mut logged: BTreeSet<i64> = BTreeSet::new();
    for chunk in traces.chunks(CHUNK) {
        let mut query =
            QueryBuilder::<Sqlite>::new("SELECT id FROM traces WHERE logs > 0 AND id IN (");
        push_list(&mut query, chunk);
        logged.extend(query.build_query_scalar::<i64>().fetch_all(reads).await?);
    }
    let spans: BTreeSet<(i64, i64)> = places
        .iter()
        .filter(|place| logged.contains(&place.trace))
        .map(|place| (place.trace, place.span_id))
        .collect();
    let spans: Vec<(i64, i64)> = spans.into_iter().collect();
    let mut found = Logs::new();
    for chunk in spans.chunks(CHUNK) {
        found.extend(logs_of(reads, chunk).await?);
    }
    Ok(found)
}

async fn logs_of(reads: &SqlitePool, spans: &[(i64, i64)]) -> Result<Logs, Error> {
    let mut before = Vec::new();
    let (rows, blocks) = loop {
        let mut query = QueryBuilder::<Sqlite>::new("WITH wanted (trace, span) AS (");
        query.push_values(spans, |mut row, (trace, span)| {
            row.push_bind(*trace).push_bind(*span);
        });
        query.push(
            ") SELECT l.trace, l.span_id, l.block, l.slot, l.batch,
                      CASE WHEN l.batch = 0 THEN l.id ELSE l.position END, l.hash
             FROM wanted w
             JOIN logs l ON l.trace = w.trace AND l.span_id = w.span
             ORDER BY l.id",
        );
        let rows: Vec<LogPlace> = query.build_query_as().fetch_all(reads).await?;
        let ids: BTreeSet<i64> = rows.iter().map(|row| row.2).collect();
        let blocks = data(
            reads,
            "SELECT id, data FROM content_blocks WHERE id IN (",
            &ids,
        )
        .await?;
        // As in `payloads`: repacking may have moved them meanwhile.
        if blocks.len() == ids.len() || rows == before {
            break (rows, blocks);
        }
        before = rows;
    };
    if rows.is_empty() {
        return Ok(Logs::new());
    }
    tokio::task::spawn_blocking(move || {
        let blocks = open(blocks);
        let mut found: HashMap<(i64, i64), Result<Vec<Heard>, Error>> = HashMap::new();
        for (trace, span_id, block, slot, batch, position, hash) in rows {
            let slot = usize::try_from(slot).unwrap_or(usize::MAX);
            let unreadable = |why: &str| {
                Error::new(
                    ErrorCode::Io,
                    format!(
                        "cannot read a log record of span {span_id:016x} of the database: {why}"
                    ),
                )
            };
            let raw = match blocks.get(&block) {
                Some(Ok(block)) => Ok(block.item(slot)),
                Some(Err(error)) => Err(error.clone()),
                None => Err(unreadable("its block is missing")),
            };
            let heard = raw.and_then(|raw| {
                let (record, _) = otlp::decode_log(raw).map_err(|error| unreadable(&error))?;
                Ok(Heard {
                    record,
                    batch: batch.cast_unsigned(),
                    position: position.cast_unsigned(),
                    hash: hash.cast_unsigned(),
                })
            });
            let of_span = found
                .entry((trace, span_id))
                .or_insert_with(|| Ok(Vec::new()));
            match (of_span, heard) {
                (Ok(all), Ok(heard)) => all.push(heard),
                (Err(_), _) => {}
                (of_span, Err(error)) => *of_span = Err(error),
            }
        }
        let sorted = found.into_iter();
        sorted
            .map(|(span, heard)| (span, heard.map(convention::in_order)))
            .collect()
    })
    .await
    .map_err(Error::internal)
}
