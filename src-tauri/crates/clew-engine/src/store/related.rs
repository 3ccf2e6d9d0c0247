//! Log records of other spans, or of none, that name a call by the id of its request or its response.

use std::collections::BTreeSet;

use clew_core::convention;
use clew_core::model::{SpanId, TraceId};
use clew_core::otlp;
use clew_core::trace::RelatedLog;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use super::elsewhere::hash;
use super::spans::{Place, data, fitting, open};
use crate::error::Error;

/// Records that are shown of one call at the most.
const MOST: i64 = 200;
/// Records that are looked at for each of its ids, those that came first: an id of one digit may stand in every record.
const LOOKED_AT: i64 = 2_000;
/// Bytes of records that are unpacked for it.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The records that state one of these ids, in order of time, but those of the span itself; `start` in nanoseconds since
/// the epoch. At most 200, of each id's 2,000 that came first, and as many as lie in 32 MiB. A record that cannot be read
/// is left out.
///
/// Opened files and live telemetry are told apart, as everywhere.
pub(crate) async fn logs(
    reads: &SqlitePool,
    place: &Place,
    ids: &[String],
    start: u64,
) -> Result<Vec<RelatedLog>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let hashes: BTreeSet<i64> = ids.iter().map(|id| hash(id)).collect();
    let hashes: Vec<i64> = hashes.into_iter().collect();
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT l.id, l.block, l.slot, l.span_id, t.trace_id, v.text, l.time
         FROM logs l
         LEFT JOIN traces t ON t.id = l.trace
         JOIN resources r ON r.id = l.resource
         JOIN strings v ON v.id = r.service
         WHERE l.id IN (",
    );
    for (index, hash) in hashes.iter().enumerate() {
        if index > 0 {
            query.push(" UNION ALL ");
        }
        query.push(
            "SELECT log FROM (SELECT i.log
                              FROM log_ids i
                              CROSS JOIN logs o ON o.id = i.log
                              WHERE i.id = ",
        );
        query.push_bind(*hash);
        query.push(" AND o.source = (SELECT source FROM traces WHERE id = ");
        query.push_bind(place.trace);
        query.push(") AND NOT coalesce(o.trace = ");
        query.push_bind(place.trace).push(" AND o.span_id = ");
        query.push_bind(place.span_id);
        query.push(", FALSE) LIMIT ").push_bind(LOOKED_AT).push(")");
    }
    // The 64 bits of an unsigned number.
    query.push(") ORDER BY l.time < 0, l.time, l.id LIMIT ");
    query.push_bind(MOST);
    let mut rows = query.build().fetch_all(reads).await?;
    let blocks: Vec<i64> = rows.iter().map(|row| row.get(1)).collect();
    let fits = fitting(reads, &blocks, MOST_BYTES).await?;
    rows.truncate(fits);
    let blocks: BTreeSet<i64> = blocks.into_iter().take(fits).collect();
    let select = "SELECT id, data FROM content_blocks WHERE id IN (";
    let blocks = data(reads, select, &blocks).await?;
    let ids = ids.to_vec();
    tokio::task::spawn_blocking(move || {
        let blocks = open(blocks);
        let found = rows.iter().filter_map(|row| {
            let block = blocks.get(&row.get::<i64, _>(1))?.as_ref().ok()?;
            let slot = usize::try_from(row.get::<i64, _>(2)).ok()?;
            let (record, _) = otlp::decode_log(block.item(slot)).ok()?;
            // Two ids may have one hash.
            let stated = convention::log_ids(&record);
            let id = stated.into_iter().find(|id| ids.contains(id))?;
            let span_id = row.get::<Option<i64>, _>(3).and_then(SpanId::from_i64);
            let trace_id = row.get::<Option<&[u8]>, _>(4);
            let trace_id = trace_id.and_then(|bytes| TraceId::from_bytes(bytes).ok());
            Some(RelatedLog::of(
                &record,
                start,
                id,
                row.get(5),
                trace_id,
                span_id,
            ))
        });
        found.collect()
    })
    .await
    .map_err(Error::internal)
}
