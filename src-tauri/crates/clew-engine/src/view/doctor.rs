//! The command that looks for what is wrong with telemetry.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use clew_core::lint::{Known, LintRow, Linting, Observed, Twin, says_content, told};
use clew_core::model::{Facts, SpanId, TraceId};
use clew_core::price::PriceDesk;
use clew_core::trace::{TraceRows, flag, skew};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use crate::api::{LintTelemetry, Linted};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::ledger::{self, Elsewhere};
use crate::store::rows::StoredRow;
use crate::store::spans::{self, Place, Whole};
use crate::store::traces::RUNNING_MICROS;
use crate::store::{Store, now_micros, rows};

/// Traces that are looked at and their spans, newest first; of the trace that does not fit its newest spans.
const TRACES: i64 = 200;
const SPANS: usize = 2_000;
/// Spans of a trace whose rows are too many to be read in passing: it is looked at only where there is no other.
const LARGE: usize = 50_000;
/// Bytes of content that are unpacked at a time.
const STEP_BYTES: usize = 32 * 1024 * 1024;

/// A trace that is chosen to be looked at.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    /// Its row in the database.
    row: i64,
    id: TraceId,
    source: i64,
    is_running: bool,
    /// Only so many of its spans, the newest; `None` where all of them fit.
    newest: Option<usize>,
}

impl Engine {
    pub(crate) async fn lint_telemetry(&self, params: LintTelemetry) -> Result<Linted, Error> {
        let store = &self.inner.store;
        let now = now_micros();
        let chosen = chosen(&store.reads, params.source, now).await?;
        let ids: Vec<i64> = chosen.iter().map(|trace| trace.row).collect();
        let stored = rows::stored(&store.reads, &ids).await?;
        self.lost(stored.lost, "spans");
        let places = newest(&store.reads, &chosen).await?;
        let elsewhere = ledger::elsewhere(&store.reads, &ids).await?;
        let names = names(&store.reads, &places).await?;
        let scopes = places
            .iter()
            .map(|place| ((place.trace, place.span_id), place.scope))
            .collect();
        let mut desk = store.prices.desk();
        let around = tokio::task::spawn_blocking(move || {
            let traces = looked(&chosen, stored.found, &mut desk);
            Around {
                content_elsewhere: content_elsewhere(&traces, &elsewhere),
                traces,
                elsewhere,
                scopes,
                names,
                now: u64::try_from(now).unwrap_or(0),
            }
        })
        .await
        .map_err(Error::internal)?;
        let traces = u32::try_from(around.traces.len()).unwrap_or(u32::MAX);
        let (linting, spans) = look(store, &places, around).await?;
        let mut rows = linting.rows();
        name_sources(&store.reads, &mut rows).await?;
        Ok(Linted {
            traces,
            spans,
            rows,
        })
    }
}

/// The traces that were received last, as many as fit.
async fn chosen(reads: &SqlitePool, source: Option<i64>, now: i64) -> Result<Vec<Chosen>, Error> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT id, trace_id, source, spans, rooted <> 1 AND received > ",
    );
    query
        .push_bind(now - RUNNING_MICROS)
        .push(" FROM traces WHERE spans > 0");
    if let Some(source) = source {
        query.push(" AND source = ").push_bind(source);
    }
    query
        .push(" ORDER BY received DESC, id DESC LIMIT ")
        .push_bind(TRACES);
    let mut room = SPANS;
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut large: Option<Chosen> = None;
    for row in query.build().fetch_all(reads).await? {
        let Ok(id) = TraceId::from_bytes(row.get(1)) else {
            continue;
        };
        let spans = usize::try_from(row.get::<i64, _>(3)).unwrap_or(usize::MAX);
        let trace = Chosen {
            row: row.get(0),
            id,
            source: row.get(2),
            is_running: row.get(4),
            newest: (spans > room).then_some(room),
        };
        if spans > LARGE {
            large = large.or(Some(trace));
            continue;
        }
        chosen.push(trace);
        room = room.saturating_sub(spans);
        if room == 0 {
            break;
        }
    }
    if chosen.is_empty() {
        chosen.extend(large);
    }
    Ok(chosen)
}

/// Where the spans of these traces lie, the newest first.
async fn newest(reads: &SqlitePool, chosen: &[Chosen]) -> Result<Vec<Place>, Error> {
    let whole = chosen.iter().filter(|trace| trace.newest.is_none());
    let whole: Vec<i64> = whole.map(|trace| trace.row).collect();
    let mut ids = spans::ids_of(reads, &whole).await?;
    for trace in chosen {
        if let Some(newest) = trace.newest {
            let all = spans::ids_of(reads, &[trace.row]).await?;
            ids.extend_from_slice(&all[all.len().saturating_sub(newest)..]);
        }
    }
    let (mut places, _) = spans::places(reads, ids).await?;
    places.retain(|place| place.shown);
    places.sort_unstable_by_key(|place| Reverse(place.id));
    places.truncate(SPANS);
    Ok(places)
}

/// The names of the scopes of these spans, by the scopes' rows.
async fn names(reads: &SqlitePool, places: &[Place]) -> Result<HashMap<i64, String>, Error> {
    let scopes: BTreeSet<i64> = places.iter().map(|place| place.scope).collect();
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT c.id, n.text FROM scopes c JOIN strings n ON n.id = c.name WHERE c.id IN (",
    );
    let mut list = query.separated(", ");
    for scope in scopes {
        list.push_bind(scope);
    }
    query.push(")");
    let found = query.build_query_as::<(i64, String)>();
    Ok(found.fetch_all(reads).await?.into_iter().collect())
}

/// Names the opened files from which rows come.
async fn name_sources(reads: &SqlitePool, rows: &mut [LintRow]) -> Result<(), Error> {
    if rows.iter().all(|row| row.source == 0) {
        return Ok(());
    }
    let labels: Vec<(i64, String)> = sqlx::query_as("SELECT id, label FROM sources WHERE id <> 0")
        .fetch_all(reads)
        .await?;
    let labels: HashMap<i64, String> = labels.into_iter().collect();
    for row in rows {
        row.source_name = labels.get(&row.source).cloned();
    }
    Ok(())
}

/// A trace that is looked at.
struct Looked {
    id: TraceId,
    is_running: bool,
    source: i64,
    rows: TraceRows,
    /// Where each span stands among the rows.
    at: HashMap<SpanId, usize>,
}

fn looked(
    chosen: &[Chosen],
    mut found: BTreeMap<i64, Vec<StoredRow>>,
    desk: &mut PriceDesk,
) -> HashMap<i64, Looked> {
    let mut all = HashMap::with_capacity(chosen.len());
    for trace in chosen {
        let Some(rows) = found.remove(&trace.row) else {
            continue;
        };
        let rows: Vec<_> = rows.into_iter().map(|stored| stored.row).collect();
        let spans = rows.iter().map(|row| row.span_id);
        let looked = Looked {
            at: spans.zip(0..).collect(),
            id: trace.id,
            is_running: trace.is_running,
            source: trace.source,
            rows: TraceRows::of(rows, desk),
        };
        all.insert(trace.row, looked);
    }
    all
}

/// Spans, by row of the trace and id, of whose call a span of another trace says what was sent or answered.
fn content_elsewhere(
    traces: &HashMap<i64, Looked>,
    elsewhere: &HashMap<(i64, i64), Elsewhere>,
) -> HashSet<(i64, i64)> {
    let says = |&(trace, span): &(i64, i64)| {
        let trace = traces.get(&trace)?;
        let row = *trace.at.get(&SpanId::from_i64(span)?)?;
        trace.rows.rows().get(row).map(says_content)
    };
    let telling = elsewhere
        .iter()
        .filter(|(place, _)| says(place) == Some(true));
    telling
        .map(|(_, owner)| (owner.trace, owner.span_id))
        .collect()
}

/// What surrounds the spans that are looked at.
struct Around {
    /// By the traces' rows.
    traces: HashMap<i64, Looked>,
    /// Calls that count in other traces, by row of the trace and id of the span.
    elsewhere: HashMap<(i64, i64), Elsewhere>,
    /// Of the spans in whose place those count, the ones of which another trace says what was sent or answered.
    content_elsewhere: HashSet<(i64, i64)>,
    /// The scope's row of each span, by row of the trace and id of the span.
    scopes: HashMap<(i64, i64), i64>,
    /// The scopes' names.
    names: HashMap<i64, String>,
    /// Microseconds since the epoch.
    now: u64,
}

impl Around {
    fn observed<'a>(&'a self, whole: &'a Whole, facts: &'a Facts) -> Option<Observed<'a>> {
        let trace = self.traces.get(&whole.place.trace)?;
        let span_id = SpanId::from_i64(whole.place.span_id)?;
        let rows = trace.rows.rows();
        let row = *trace.at.get(&span_id)?;
        let tree = trace.rows.tree();
        let parent = tree.parent[row].map(|parent| rows[parent].start);
        let skewed = parent.and_then(|parent| skew(parent, rows[row].start));
        let told = told(&trace.rows, row);
        let here = (whole.place.trace, whole.place.span_id);
        let elsewhere = self.elsewhere.get(&here);
        let twin = match told.twin {
            Some(twin) => Some((whole.place.trace, rows[twin].span_id.as_i64())),
            None => elsewhere.map(|one| (one.trace, one.span_id)),
        };
        Some(Observed {
            trace_id: trace.id,
            span_id,
            view: whole.view(),
            facts,
            flags: tree.flags[row] | if skewed.is_some() { flag::SKEW } else { 0 },
            received_micros: u64::try_from(whole.place.received).unwrap_or(0),
            now_micros: self.now,
            source: trace.source,
            is_running: trace.is_running,
            counts: told.counts && elsewhere.is_none(),
            twin: twin.and_then(|place| self.twin(place)),
            known: Known {
                content: told.known.content || self.content_elsewhere.contains(&here),
                ..told.known
            },
        })
    }

    /// Who sent a span, where it is looked at too.
    fn twin(&self, place: (i64, i64)) -> Option<Twin<'_>> {
        let (trace, span) = place;
        let scope = self.names.get(self.scopes.get(&place)?)?;
        let trace = self.traces.get(&trace)?;
        let row = *trace.at.get(&SpanId::from_i64(span)?)?;
        let service = &trace.rows.rows().get(row)?.service;
        Some(Twin { scope, service })
    }
}

/// Looks at spans, a step after another, and keeps nothing of them but what was seen; and how many they are. Those that
/// cannot be read are reported where they are derived.
async fn look(store: &Store, places: &[Place], around: Around) -> Result<(Linting, u32), Error> {
    let blocks: BTreeSet<i64> = places.iter().map(|place| place.block).collect();
    let sizes = spans::unpacked(&store.reads, &blocks).await?;
    let around = Arc::new(around);
    let linting = Arc::new(Mutex::new(Linting::default()));
    let mut read = 0_usize;
    let mut left = places;
    while !left.is_empty() {
        let (now, later) = left.split_at(step(left, &sizes));
        left = later;
        let (around, linting) = (Arc::clone(&around), Arc::clone(&linting));
        let looked = spans::each(store, now.to_vec(), move |whole| {
            let facts = whole.facts();
            if let Some(observed) = around.observed(&whole, &facts) {
                linting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .look(&observed);
            }
        });
        read += looked.await?.iter().filter(|one| one.is_ok()).count();
    }
    let linting = std::mem::take(&mut *linting.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((linting, u32::try_from(read).unwrap_or(u32::MAX)))
}

/// How many of the first of these spans are read together: those whose blocks unpack to no more than a step, and at
/// least those of one block.
fn step(places: &[Place], sizes: &HashMap<i64, usize>) -> usize {
    let mut open: BTreeSet<i64> = BTreeSet::new();
    let mut bytes = 0_usize;
    let fits = places.iter().take_while(|place| {
        if open.insert(place.block) {
            let size = sizes.get(&place.block).copied().unwrap_or(0);
            bytes = bytes.saturating_add(size);
        }
        open.len() == 1 || bytes <= STEP_BYTES
    });
    fits.count()
}
