//! From a decoded batch to rows and compressed blocks: the work that needs no database, done beside the writer.

use std::collections::HashMap;
use std::io;

use clew_core::convention;
use clew_core::model::{SpanId, TraceId, UnixNanos, content_hash};
use clew_core::otlp::{Batch, GroundLog, GroundMetric, GroundSpan, Group, record};

use super::blocks;

/// Bytes of a name that are interned; the payload keeps the whole.
const NAME_BYTES: usize = 1024;

/// A batch ready to be stored.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    pub(crate) resources: Vec<SharedRow>,
    pub(crate) scopes: Vec<SharedRow>,
    pub(crate) spans: Vec<SpanRow>,
    pub(crate) logs: Vec<LogRow>,
    pub(crate) metrics: Vec<MetricRow>,
    pub(crate) span_blocks: Vec<SpanBlock>,
    pub(crate) log_blocks: Vec<Vec<u8>>,
    /// Where a resource or a scope stands among the others, by its hash.
    resource_places: HashMap<i64, usize>,
    scope_places: HashMap<i64, usize>,
}

/// A resource or a scope.
#[derive(Debug)]
pub(crate) struct SharedRow {
    pub(crate) hash: i64,
    pub(crate) name: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) schema_url: String,
}

/// Two halves of the same spans, slot by slot.
#[derive(Debug)]
pub(crate) struct SpanBlock {
    pub(crate) attributes: Vec<u8>,
    pub(crate) content: Vec<u8>,
}

/// A span's row; `resource`, `scope` and `block` index into [`Prepared`].
#[derive(Debug)]
pub(crate) struct SpanRow {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) hash: i64,
    pub(crate) start: UnixNanos,
    pub(crate) finish: UnixNanos,
    pub(crate) name: String,
    pub(crate) status: i32,
    pub(crate) repaired: bool,
    pub(crate) rank: i64,
    pub(crate) resource: usize,
    pub(crate) scope: usize,
    pub(crate) block: usize,
    pub(crate) slot: usize,
}

/// A log record's row.
#[derive(Debug)]
pub(crate) struct LogRow {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) hash: i64,
    pub(crate) time: UnixNanos,
    pub(crate) severity: i32,
    pub(crate) name: String,
    /// Ids of requests and responses that it states.
    pub(crate) ids: Vec<String>,
    pub(crate) resource: usize,
    pub(crate) scope: usize,
    pub(crate) block: usize,
    pub(crate) slot: usize,
}

/// A metric and its points.
#[derive(Debug)]
pub(crate) struct MetricRow {
    pub(crate) hash: i64,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) raw: Vec<u8>,
    pub(crate) resource: usize,
    pub(crate) scope: usize,
    pub(crate) points: Vec<clew_core::otlp::GroundPoint>,
}

/// Turns a batch into rows and blocks.
///
/// # Errors
/// When zstd fails.
pub(crate) fn prepare(batch: Batch) -> io::Result<Prepared> {
    let mut prepared = Prepared::default();
    let mut spans = SpanBlocks::default();
    for group in batch.spans {
        let (resource, scope) = prepared.share(&group);
        for item in group.items {
            let (block, slot) = spans.push(&item, &mut prepared.span_blocks)?;
            prepared
                .spans
                .push(span_row(item, resource, scope, block, slot));
        }
    }
    spans.close(&mut prepared.span_blocks)?;
    let mut logs = Pending::default();
    for group in batch.logs {
        let (resource, scope) = prepared.share(&group);
        for item in group.items {
            if logs.full() {
                prepared.log_blocks.push(blocks::encode(&logs.take())?);
            }
            let (block, slot) = (prepared.log_blocks.len(), logs.items.len());
            let row = log_row(&item, resource, scope, block, slot);
            logs.push(item.raw);
            prepared.logs.push(row);
        }
    }
    if !logs.items.is_empty() {
        prepared.log_blocks.push(blocks::encode(&logs.take())?);
    }
    for group in batch.metrics {
        let (resource, scope) = prepared.share(&group);
        for item in group.items {
            let row = metric_row(item, resource, scope, &prepared);
            prepared.metrics.push(row);
        }
    }
    Ok(prepared)
}

impl Prepared {
    fn share<T>(&mut self, group: &Group<T>) -> (usize, usize) {
        let resource = intern(
            &mut self.resources,
            &mut self.resource_places,
            &group.resource,
            &group.resource_schema_url,
            &group.service,
        );
        let scope = intern(
            &mut self.scopes,
            &mut self.scope_places,
            &group.scope,
            &group.scope_schema_url,
            &group.scope_name,
        );
        (resource, scope)
    }
}

fn intern(
    rows: &mut Vec<SharedRow>,
    places: &mut HashMap<i64, usize>,
    raw: &[u8],
    schema_url: &str,
    name: &str,
) -> usize {
    let hash = hash(&[raw, schema_url.as_bytes()]);
    let place = *places.entry(hash).or_insert(rows.len());
    if place < rows.len() {
        return place;
    }
    rows.push(SharedRow {
        hash,
        name: cut(name),
        raw: raw.to_vec(),
        schema_url: schema_url.to_owned(),
    });
    place
}

/// First 8 bytes of BLAKE3 over the parts, each behind its length.
fn hash(parts: &[&[u8]]) -> i64 {
    content_hash(parts).cast_signed()
}

/// The first [`NAME_BYTES`] of a name, cut between characters.
fn cut(name: &str) -> String {
    name[..name.floor_char_boundary(NAME_BYTES)].to_owned()
}

#[derive(Default)]
struct Pending {
    items: Vec<Vec<u8>>,
    bytes: usize,
}

impl Pending {
    fn full(&self) -> bool {
        self.items.len() >= blocks::SLOTS || self.bytes >= blocks::FULL_BYTES
    }

    fn push(&mut self, item: Vec<u8>) {
        self.bytes += item.len();
        self.items.push(item);
    }

    fn take(&mut self) -> Vec<Vec<u8>> {
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }
}

#[derive(Default)]
struct SpanBlocks {
    attributes: Pending,
    content: Pending,
}

impl SpanBlocks {
    fn push(&mut self, item: &GroundSpan, done: &mut Vec<SpanBlock>) -> io::Result<(usize, usize)> {
        if self.content.full() {
            self.close(done)?;
        }
        let place = (done.len(), self.content.items.len());
        let (attributes, content) = record::split(&item.raw);
        self.attributes.push(attributes);
        self.content.push(content);
        Ok(place)
    }

    fn close(&mut self, done: &mut Vec<SpanBlock>) -> io::Result<()> {
        if !self.content.items.is_empty() {
            done.push(SpanBlock {
                attributes: blocks::encode(&self.attributes.take())?,
                content: blocks::encode(&self.content.take())?,
            });
        }
        Ok(())
    }
}

fn span_row(item: GroundSpan, resource: usize, scope: usize, block: usize, slot: usize) -> SpanRow {
    let span = item.span;
    let ended = i64::from(span.end_time_unix_nano != 0);
    let attributes = i64::from(u32::try_from(span.attributes.len()).unwrap_or(u32::MAX));
    SpanRow {
        trace_id: item.trace_id,
        span_id: item.span_id,
        parent: item.parent,
        hash: item.hash.cast_signed(),
        start: UnixNanos(span.start_time_unix_nano),
        finish: UnixNanos(span.end_time_unix_nano),
        name: cut(&span.name),
        status: span.status.as_ref().map_or(0, |status| status.code),
        repaired: item.repaired,
        rank: (ended << 32) | attributes,
        resource,
        scope,
        block,
        slot,
    }
}

fn log_row(item: &GroundLog, resource: usize, scope: usize, block: usize, slot: usize) -> LogRow {
    let record = &item.record;
    let time = if record.time_unix_nano == 0 {
        record.observed_time_unix_nano
    } else {
        record.time_unix_nano
    };
    LogRow {
        trace_id: item.trace_id,
        span_id: item.span_id,
        hash: item.hash.cast_signed(),
        time: UnixNanos(time),
        severity: record.severity_number,
        name: cut(&record.event_name),
        ids: convention::log_ids(record),
        resource,
        scope,
        block,
        slot,
    }
}

fn metric_row(item: GroundMetric, resource: usize, scope: usize, prepared: &Prepared) -> MetricRow {
    let owners = [
        prepared.resources[resource].hash.to_be_bytes(),
        prepared.scopes[scope].hash.to_be_bytes(),
    ];
    MetricRow {
        hash: hash(&[&owners[0], &owners[1], &item.raw]),
        name: cut(&item.name),
        kind: item.kind,
        raw: item.raw,
        resource,
        scope,
        points: item.points,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// As many groups as a request may have, each with a resource and a scope of its own.
    #[test]
    fn every_shape_is_prepared_in_no_time() {
        let group = |n: u32| Group {
            resource: n.to_be_bytes().to_vec(),
            resource_schema_url: String::new(),
            service: String::new(),
            scope: n.to_le_bytes().to_vec(),
            scope_schema_url: String::new(),
            scope_name: String::new(),
            items: Vec::new(),
        };
        let batch = Batch {
            spans: (0..124_000).map(group).collect(),
            ..Batch::default()
        };
        let began = Instant::now();
        let prepared = prepare(batch).expect("is prepared");
        assert!(began.elapsed() < Duration::from_secs(2));
        assert_eq!(prepared.resources.len(), 124_000);
        let again = Batch {
            spans: [7, 8, 7].map(group).to_vec(),
            ..Batch::default()
        };
        assert_eq!(prepare(again).expect("is prepared").scopes.len(), 2);
    }
}
