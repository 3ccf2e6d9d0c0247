//! Commands of the Quality view.

use clew_core::model::{Message, TraceId};
use clew_core::quality::{self, Finding, HeuristicKind};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::prompts::push_range;
use crate::api::{
    Distribution, FindingFilter, FindingPage, FindingRow, HeuristicTotals, TimeRange,
};
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::spans;

impl Engine {
    pub(crate) async fn list_findings(&self, filter: FindingFilter) -> Result<FindingPage, Error> {
        let limit = match filter.limit {
            0 => 100,
            1..=500 => filter.limit,
            more => {
                let message = format!("limit is {more}: it must lie between 1 and 500");
                return Err(Error::new(ErrorCode::BadRequest, message));
            }
        };
        let heuristics = self.heuristics(filter.range).await?;
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT d.heuristic, d.value, d.evidence, d.start, t.trace_id, s.span_id, t.source, n.text, m.text, d.span
             FROM findings d
             JOIN spans s ON s.id = d.span
             JOIN traces t ON t.id = s.trace
             JOIN strings n ON n.id = s.name
             LEFT JOIN facts f ON f.span = d.span
             LEFT JOIN strings m ON m.id = f.model
             WHERE d.value <> 0 AND +d.heuristic IN (",
        );
        // The plus keeps the index by heuristic away, which would have all of them sorted.
        let mut fires = query.separated(", ");
        for heuristic in quality::yes_or_no() {
            fires.push_bind(heuristic);
        }
        query.push(")");
        if let Some(heuristic) = &filter.heuristic {
            query
                .push(" AND d.heuristic = ")
                .push_bind(heuristic.clone());
        }
        push_range(&mut query, "d.start", filter.range);
        if let Some(cursor) = &filter.cursor {
            let (start, span, heuristic) = read_cursor(cursor)?;
            query
                .push(" AND (d.start, d.span, d.heuristic) < (")
                .push_bind(start);
            query
                .push(", ")
                .push_bind(span)
                .push(", ")
                .push_bind(heuristic)
                .push(")");
        }
        query
            .push(" ORDER BY d.start DESC, d.span DESC, d.heuristic DESC LIMIT ")
            .push_bind(i64::from(limit) + 1);
        let mut found = query.build().fetch_all(&self.inner.store.reads).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let cursor = |row: &SqliteRow| {
            format!(
                "{}:{}:{}",
                row.get::<i64, _>(3),
                row.get::<i64, _>(9),
                row.get::<String, _>(0)
            )
        };
        let next = found.last().filter(|_| more).map(cursor);
        let texts = self.responses(&found).await?;
        let rows = found
            .iter()
            .zip(texts)
            .map(|(row, text)| finding_row(row, &text))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(FindingPage {
            heuristics,
            rows,
            next,
        })
    }

    async fn heuristics(&self, range: TimeRange) -> Result<Vec<HeuristicTotals>, Error> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT d.heuristic, count(*), sum(d.value <> 0), avg(d.value) FROM findings d WHERE TRUE",
        );
        push_range(&mut query, "d.start", range);
        query.push(" GROUP BY d.heuristic");
        let rows: Vec<(String, i64, i64, f64)> = query
            .build_query_as()
            .fetch_all(&self.inner.store.reads)
            .await?;
        let mut all = Vec::with_capacity(quality::HEURISTICS.len());
        for heuristic in quality::HEURISTICS {
            let row = rows.iter().find(|row| row.0 == heuristic.id());
            let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
            let scored = row.map_or(0, |row| unsigned(row.1));
            let mut totals = HeuristicTotals {
                id: heuristic.id().to_owned(),
                title: heuristic.title().to_owned(),
                description: heuristic.description().to_owned(),
                kind: heuristic.kind(),
                scored,
                fired: 0,
                rate: None,
                mean: None,
                distribution: None,
            };
            match heuristic.kind() {
                HeuristicKind::Finding => {
                    totals.fired = row.map_or(0, |row| unsigned(row.2));
                    totals.rate = (scored > 0).then(|| share(totals.fired, scored));
                }
                HeuristicKind::Score => {
                    totals.mean = row.map(|row| row.3);
                    totals.distribution = self.distribution(heuristic.id(), range).await?;
                }
            }
            all.push(totals);
        }
        Ok(all)
    }

    /// How the values of one score are spread; `None` without any.
    async fn distribution(
        &self,
        heuristic: &'static str,
        range: TimeRange,
    ) -> Result<Option<Distribution>, Error> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT d.value, count(*) FROM findings d WHERE d.heuristic = ",
        );
        query.push_bind(heuristic);
        push_range(&mut query, "d.start", range);
        query.push(" GROUP BY d.value");
        let values: Vec<(f64, i64)> = query
            .build_query_as()
            .fetch_all(&self.inner.store.reads)
            .await?;
        Ok(spread(&values))
    }

    /// The response text of each row's span.
    async fn responses(&self, rows: &[SqliteRow]) -> Result<Vec<String>, Error> {
        let ids: Vec<i64> = rows.iter().map(|row| row.get(9)).collect();
        let store = &self.inner.store;
        let (places, lost) = spans::places(&store.reads, ids.clone()).await?;
        self.lost(lost, "spans");
        let whole = spans::whole(store, places).await?;
        let texts: std::collections::BTreeMap<i64, String> =
            tokio::task::spawn_blocking(move || {
                whole
                    .iter()
                    .map(|whole| (whole.place.id, text(&whole.facts().output)))
                    .collect()
            })
            .await
            .map_err(Error::internal)?;
        Ok(ids
            .iter()
            .map(|id| texts.get(id).cloned().unwrap_or_default())
            .collect())
    }
}

fn text(output: &Option<clew_core::model::Stated<Vec<Message>>>) -> String {
    output
        .as_ref()
        .map(|output| quality::response_text(&output.value))
        .unwrap_or_default()
}

fn read_cursor(cursor: &str) -> Result<(i64, i64, String), Error> {
    let mut parts = cursor.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse().ok());
    let (start, span) = (number(), number());
    match (start, span, parts.next()) {
        (Some(start), Some(span), Some(heuristic)) => Ok((start, span, heuristic.to_owned())),
        _ => Err(Error::new(
            ErrorCode::BadRequest,
            format!("{cursor:?} is not a cursor of this list"),
        )),
    }
}

/// Bins of a distribution: odd, so that a score around 0 has one bin for 0.
const BINS: usize = 21;

/// Spreads values with their counts over bins: from the least to the largest, and around 0 where some lie below it, as
/// far to the one side as to the other. Values of one kind alone, such as only zeros, lie between -1 and 1.
fn spread(values: &[(f64, i64)]) -> Option<Distribution> {
    let reach = values
        .iter()
        .map(|(value, _)| value.abs())
        .reduce(f64::max)?;
    let reach = if reach > 0.0 { reach } else { 1.0 };
    let negative = values.iter().any(|(value, _)| *value < 0.0);
    let from = if negative || values.iter().all(|(value, _)| *value == 0.0) {
        -reach
    } else {
        0.0
    };
    let mut distribution = Distribution {
        from,
        to: reach,
        bins: vec![0; BINS],
        below: 0,
        zero: 0,
        above: 0,
    };
    for (value, count) in values {
        let count = u64::try_from(*count).unwrap_or(0);
        let side = if *value < 0.0 {
            &mut distribution.below
        } else if *value > 0.0 {
            &mut distribution.above
        } else {
            &mut distribution.zero
        };
        *side = side.saturating_add(count);
        if let Some(bin) = distribution.bins.get_mut(bin(*value, from, reach)) {
            *bin = bin.saturating_add(count);
        }
    }
    Some(distribution)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share from 0 to 1 of few bins; a value that is no number falls into the first"
)]
fn bin(value: f64, from: f64, to: f64) -> usize {
    let share = (value - from) / (to - from);
    ((share * BINS as f64) as usize).min(BINS - 1)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with two or three digits"
)]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn finding_row(row: &SqliteRow, text: &str) -> Result<FindingRow, Error> {
    let evidence: Vec<(u32, u32)> = serde_json::from_str(row.get(2)).map_err(Error::internal)?;
    let quality::Excerpt {
        text: excerpt,
        marks,
    } = quality::excerpt(text, &evidence);
    Ok(FindingRow {
        finding: Finding {
            heuristic: row.get(0),
            // Only those that answer yes or no are listed.
            kind: HeuristicKind::Finding,
            value: row.get(1),
            evidence,
        },
        excerpt,
        marks,
        trace_id: TraceId::from_bytes(row.get(4))
            .map_err(Error::internal)?
            .to_string(),
        span_id: format!("{:016x}", row.get::<i64, _>(5)),
        source: row.get(6),
        name: row.get(7),
        model: row.get(8),
        start_micros: u64::try_from(row.get::<i64, _>(3)).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_spread_around_zero_where_some_lie_below_it() {
        let found = spread(&[(-0.2, 3), (0.0, 10), (0.1, 2)]).expect("values");
        assert_eq!((found.from, found.to), (-0.2, 0.2));
        assert_eq!((found.below, found.zero, found.above), (3, 10, 2));
        assert_eq!((found.bins[0], found.bins[BINS / 2]), (3, 10));
        assert_eq!(found.bins.iter().sum::<u64>(), 15);
    }

    #[test]
    fn scores_that_are_never_negative_start_at_zero_and_no_score_has_no_spread() {
        let found = spread(&[(0.0, 1), (0.5, 1), (1.0, 4)]).expect("values");
        assert_eq!((found.from, found.to), (0.0, 1.0));
        assert_eq!((found.bins[0], found.bins[BINS - 1]), (1, 4));
        let zeros = spread(&[(0.0, 7)]).expect("values");
        assert_eq!((zeros.from, zeros.to), (-1.0, 1.0));
        assert_eq!(zeros.bins[BINS / 2], 7);
        assert_eq!(spread(&[]), None);
    }
}
