//! Calls that two traces tell of: each counts in one of them.
//!
//! An instrumentation that does not make its span current leaves the client's span below it in a trace of its own
//! (semconv.md §12): both tell of one response of the provider. Of spans with the same response id at the same time the one
//! that says most counts, else the earlier one, whatever order they come in: each trace decides that for its own spans from
//! what the others' facts say, and names those that must decide anew.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{QueryBuilder, Row as _, Sqlite, SqlitePool};

use super::counted::ELSEWHERE;
use super::derived::Summarised;
use super::rows::Share;
use super::spans::push_list;
use crate::error::Error;

/// Values of one list in a query.
const CHUNK: usize = 8_192;

/// A span that owns a call in its own trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Teller {
    pub(crate) trace: i64,
    /// The span's row in the database.
    pub(crate) span: i64,
    /// The opened file, 0 for live telemetry: files and live telemetry are counted apart.
    pub(crate) source: i64,
    /// A hash of the response id.
    pub(crate) response: i64,
    /// How much it says of its call.
    pub(crate) rank: i64,
    /// Its id in its trace.
    pub(crate) span_id: i64,
    /// Microseconds since the epoch.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Whether it counts elsewhere by what is stored.
    pub(crate) is_elsewhere: bool,
}

impl Teller {
    /// The order of precedence, the last first.
    fn precedence(&self) -> impl Ord + use<> {
        let earliest = std::cmp::Reverse((self.start, self.span_id, self.trace));
        (self.rank, earliest)
    }
}

/// The hash under which an id or a name is kept that is only ever asked for whole.
pub(crate) fn hash(text: &str) -> i64 {
    clew_core::model::content_hash(&[text.as_bytes()]).cast_signed()
}

/// Decides which calls of these traces count elsewhere, and names other traces whose decision no longer holds.
pub(crate) async fn settle(
    reads: &SqlitePool,
    summaries: &mut [Summarised],
) -> Result<BTreeSet<i64>, Error> {
    let own: BTreeSet<i64> = summaries.iter().map(Summarised::trace).collect();
    let mut tellers: Vec<Teller> = summaries.iter().flat_map(Summarised::tellers).collect();
    let responses: BTreeSet<i64> = tellers.iter().map(|teller| teller.response).collect();
    let stored = stored(reads, &responses).await?;
    tellers.extend(
        stored
            .into_iter()
            .filter(|teller| !own.contains(&teller.trace)),
    );

    let mut others = BTreeSet::new();
    let mut lost: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for (counts, teller) in decided(tellers) {
        if own.contains(&teller.trace) {
            if !counts {
                lost.entry(teller.trace).or_default().insert(teller.span);
            }
        } else if counts == teller.is_elsewhere {
            others.insert(teller.trace);
        }
    }
    for summary in summaries {
        if let Some(spans) = lost.get(&summary.trace()) {
            summary.count_elsewhere(spans);
        }
    }
    Ok(others)
}

/// Says of each teller whether it is the one that counts among those that tell of the same response at the same time.
pub(crate) fn decided(mut tellers: Vec<Teller>) -> Vec<(bool, Teller)> {
    tellers.sort_unstable_by_key(|teller| {
        (
            teller.source,
            teller.response,
            teller.start,
            teller.span_id,
            teller.trace,
        )
    });
    let mut decided = Vec::with_capacity(tellers.len());
    let mut latest = i64::MIN;
    let groups = tellers.chunk_by(|one, next| {
        latest = latest.max(one.end);
        let same = (one.source, one.response) == (next.source, next.response);
        let together = same && next.start <= latest;
        if !together {
            latest = i64::MIN;
        }
        together
    });
    for group in groups {
        let best = group.iter().max_by_key(|teller| teller.precedence());
        // Two spans of one trace that stand in one group were both told to count by their own ledger: only other traces
        // are asked here.
        for teller in group {
            let counts = best.is_none_or(|best| best.trace == teller.trace);
            decided.push((counts, *teller));
        }
    }
    decided
}

/// The stored spans that own a call with one of these responses.
async fn stored(reads: &SqlitePool, responses: &BTreeSet<i64>) -> Result<Vec<Teller>, Error> {
    let responses: Vec<i64> = responses.iter().copied().collect();
    let mut found = Vec::new();
    for chunk in responses.chunks(CHUNK) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT f.trace, f.span, t.source, f.response, f.rank, s.span_id, f.start, f.duration, f.counted
             FROM facts f JOIN traces t ON t.id = f.trace JOIN spans s ON s.id = f.span
             WHERE f.counted <> 0 AND f.response IN (",
        );
        push_list(&mut query, chunk);
        for row in query.build().fetch_all(reads).await? {
            let (start, duration): (i64, Option<i64>) = (row.get(6), row.get(7));
            found.push(Teller {
                trace: row.get(0),
                span: row.get(1),
                source: row.get(2),
                response: row.get(3),
                rank: row.get::<Option<i64>, _>(4).unwrap_or(0),
                span_id: row.get(5),
                start,
                end: start.saturating_add(duration.unwrap_or(0) / 1_000),
                is_elsewhere: row.get::<i64, _>(8) & ELSEWHERE != 0,
            });
        }
    }
    Ok(found)
}

impl Share {
    /// The share of a call that counts in another trace.
    pub(crate) const fn elsewhere(self) -> Self {
        Self {
            counted: ELSEWHERE,
            cost: None,
            feature: self.feature,
        }
    }
}
