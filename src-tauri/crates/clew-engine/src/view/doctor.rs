//! The command that looks for what is wrong with telemetry.

use std::collections::{BTreeMap, HashMap};

use clew_core::lint::{self, Observed};
use clew_core::model::{Facts, Operation, SpanId, TraceId};
use clew_core::trace::{Exclusion, Standing, TraceRows, flag, skew};
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::api::{LintTelemetry, Linted};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::ledger::{self, Elsewhere};
use crate::store::spans::{self, Whole};
use crate::store::traces::RUNNING_MICROS;
use crate::store::{now_micros, rows};

/// Traces and spans that are looked at, newest first; of a larger trace its first spans.
const TRACES: i64 = 200;
const SPANS: usize = 2_000;

/// A trace that is looked at.
struct Looked {
    id: TraceId,
    is_running: bool,
    source: i64,
    rows: TraceRows,
    /// Where each span stands among the rows.
    at: HashMap<SpanId, usize>,
}

impl Engine {
    pub(crate) async fn lint_telemetry(&self, params: LintTelemetry) -> Result<Linted, Error> {
        let store = &self.inner.store;
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT id, trace_id, source, spans, rooted <> 1 AND received > ",
        );
        query
            .push_bind(now_micros() - RUNNING_MICROS)
            .push(" FROM traces WHERE spans > 0");
        if let Some(source) = params.source {
            query.push(" AND source = ").push_bind(source);
        }
        query
            .push(" ORDER BY received DESC, id DESC LIMIT ")
            .push_bind(TRACES);
        let mut room = SPANS;
        let mut traces: BTreeMap<i64, (TraceId, i64, bool)> = BTreeMap::new();
        for row in query.build().fetch_all(&store.reads).await? {
            let spans = usize::try_from(row.get::<i64, _>(3)).unwrap_or(usize::MAX);
            if spans > room && !traces.is_empty() {
                break;
            }
            room = room.saturating_sub(spans);
            if let Ok(id) = TraceId::from_bytes(row.get(1)) {
                traces.insert(row.get(0), (id, row.get(2), row.get(4)));
            }
        }
        let ids: Vec<i64> = traces.keys().copied().collect();
        let stored = rows::stored(&store.reads, &ids).await?;
        self.lost(stored.lost, "spans");
        let elsewhere = ledger::elsewhere(&store.reads, &ids).await?;
        let mut all = spans::ids_of(&store.reads, &ids).await?;
        // The newest first, and of a trace beyond all measure what fits.
        all.reverse();
        all.truncate(SPANS);
        let (mut places, _) = spans::places(&store.reads, all).await?;
        places.retain(|place| place.shown);
        places.sort_unstable_by_key(|place| std::cmp::Reverse(place.id));
        // What cannot be read is reported where it is derived.
        let read = spans::each(store, places, |whole| {
            let facts = whole.facts();
            (whole, facts)
        });
        let read: Vec<(Whole, Facts)> = read.await?.into_iter().flatten().collect();
        let mut desk = store.prices.desk();
        tokio::task::spawn_blocking(move || {
            let looked: HashMap<i64, Looked> = stored
                .found
                .into_iter()
                .filter_map(|(trace, rows)| {
                    let (id, source, is_running) = *traces.get(&trace)?;
                    let rows: Vec<_> = rows.into_iter().map(|stored| stored.row).collect();
                    let spans = rows.iter().map(|row| row.span_id);
                    let looked = Looked {
                        at: spans.zip(0..).collect(),
                        id,
                        is_running,
                        source,
                        rows: TraceRows::of(rows, &mut desk),
                    };
                    Some((trace, looked))
                })
                .collect();
            Linted {
                traces: u32::try_from(looked.len()).unwrap_or(u32::MAX),
                spans: u32::try_from(read.len()).unwrap_or(u32::MAX),
                rows: lint::lint(observed(&looked, &elsewhere, &read)),
            }
        })
        .await
        .map_err(Error::internal)
    }
}

fn observed<'a>(
    looked: &'a HashMap<i64, Looked>,
    elsewhere: &'a HashMap<(i64, i64), Elsewhere>,
    read: &'a [(Whole, Facts)],
) -> impl Iterator<Item = Observed<'a>> {
    let scopes: HashMap<(i64, i64), &str> = read
        .iter()
        .map(|(whole, _)| {
            let place = (whole.place.trace, whole.place.span_id);
            (place, whole.scope.message.name.as_str())
        })
        .collect();
    read.iter().filter_map(move |(whole, facts)| {
        let trace = looked.get(&whole.place.trace)?;
        let span_id = SpanId::from_i64(whole.place.span_id)?;
        let rows = trace.rows.rows();
        let row = *trace.at.get(&span_id)?;
        let tree = trace.rows.tree();
        let parent = tree.parent[row].map(|parent| rows[parent].start);
        let skewed = parent.and_then(|parent| skew(parent, rows[row].start));
        let own = whole.scope.message.name.as_str();
        let here = (whole.place.trace, whole.place.span_id);
        let twin = match twin(&trace.rows, row) {
            Some(twin) => Some((whole.place.trace, rows[twin].span_id.as_i64())),
            None => elsewhere.get(&here).map(|one| (one.trace, one.span_id)),
        };
        let doubled_by = twin.and_then(|place| {
            let scope = scopes.get(&place).copied();
            scope.filter(|scope| *scope != own)
        });
        Some(Observed {
            trace_id: trace.id,
            span_id,
            view: whole.view(),
            facts,
            flags: tree.flags[row] | if skewed.is_some() { flag::SKEW } else { 0 },
            received_micros: u64::try_from(whole.place.received).unwrap_or(0),
            source: trace.source,
            is_running: trace.is_running,
            doubled_by,
        })
    })
}

/// The span that tells of the same model call and counts in the place of this one.
fn twin(trace: &TraceRows, row: usize) -> Option<usize> {
    if trace.rows()[row].operation() != Operation::Llm {
        return None;
    }
    match trace.ledger().entry(row)?.standing {
        Standing::Excluded(
            Exclusion::SameResponse(other) | Exclusion::SameCall(other) | Exclusion::Below(other),
        ) => Some(other),
        _ => None,
    }
}
