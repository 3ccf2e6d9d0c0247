//! Reads the rows of spans: what lists, waterfalls and totals need of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use clew_core::model::{SpanId, UnixNanos};
use clew_core::trace::{RowFacts, SpanRow};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::columns::{self, Answers, integers, joined};
use super::spans::{self, PLACE, Place};
use crate::error::Error;

/// What of a span counts in totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Share {
    /// `facts.counted`: the bits of [`super::counted`].
    pub(crate) counted: i64,
    /// `facts.cost`: what it adds to the cost, in nano-dollars.
    pub(crate) cost: Option<i64>,
    /// `facts.feature`: a hash of the feature that it serves.
    pub(crate) feature: Option<i64>,
}

/// A shown span's row with what the database says of its facts.
#[derive(Debug, Clone)]
pub(crate) struct StoredRow {
    /// The span's row in the database.
    pub(crate) id: i64,
    /// What its facts say of its share in totals; `None` without facts.
    pub(crate) share: Option<Share>,
    pub(crate) row: SpanRow,
}

/// What could be read of some traces.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Shown variants, by trace, in the order of their span ids.
    pub(crate) found: BTreeMap<i64, Vec<StoredRow>>,
    /// Spans, any variant, that lie on damaged pages.
    pub(crate) lost: usize,
}

/// The rows of some traces, each with its facts.
pub(crate) async fn stored(reads: &SqlitePool, traces: &[i64]) -> Result<Rows, Error> {
    let ids = spans::ids_of(reads, traces).await?;
    let select = format!(
        "{}, group_concat(ifnull(f.json, ''), char(10))",
        joined(
            &[
                &ROW[..],
                &[
                    "s.trace",
                    "s.id",
                    "s.shown",
                    "f.counted",
                    "f.cost",
                    "f.feature"
                ]
            ]
            .concat()
        )
    );
    let from = format!("{} LEFT JOIN facts f ON f.span = s.id", spans::BY_ID);
    let Answers {
        found: answers,
        lost,
    } = columns::by_id(reads, &select, &from, &ids).await?;
    let mut read = tokio::task::spawn_blocking(move || -> Vec<Stored> {
        answers.iter().flat_map(Stored::all).collect()
    })
    .await
    .map_err(Error::internal)?;
    let texts = Texts::of(reads, read.iter().map(|read| &read.columns)).await?;
    // Variants of one span stand together, the shown one first.
    read.sort_unstable_by_key(|read| (read.trace, read.columns.span_id, Reverse(read.shown)));
    let mut found: BTreeMap<i64, Vec<StoredRow>> = BTreeMap::new();
    let is_variant = |one: &Stored, other: &Stored| {
        (one.trace, one.columns.span_id) == (other.trace, other.columns.span_id)
    };
    for variants in read.chunk_by_mut(is_variant) {
        let count = u32::try_from(variants.len()).unwrap_or(u32::MAX);
        let first = &mut variants[0];
        if !first.shown {
            continue;
        }
        let mut row = texts.row(&first.columns);
        row.variants = count;
        row.facts = first.facts.take();
        found.entry(first.trace).or_default().push(StoredRow {
            id: first.id,
            share: first.share,
            row,
        });
    }
    Ok(Rows { found, lost })
}

/// Spans in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) spans: Vec<(Place, Option<SpanRow>)>,
    /// The last of those that were asked for, readable or not; `None` where there are none.
    pub(crate) through: Option<i64>,
    /// Those that lie on damaged pages.
    pub(crate) lost: usize,
}

/// The spans that arrived after one, each with its row.
pub(crate) async fn arrived(reads: &SqlitePool, after: i64, limit: i64) -> Result<Arrived, Error> {
    const ARRIVED: usize = ROW.len() + PLACE.len();
    let ids = spans::ids_after(reads, after, i64::MAX, limit).await?;
    let select = joined(&[&ROW[..], &PLACE[..]].concat());
    let answers = columns::by_id(reads, &select, spans::BY_ID, &ids).await?;
    let rows = answers.found.iter().flat_map(integers::<ARRIVED>);
    let mut read: Vec<(Place, Option<Columns>)> = rows
        .filter_map(|values| {
            let (row, place) = values.split_at(ROW.len());
            Some((Place::of(place)?, Columns::of(row)))
        })
        .collect();
    read.sort_unstable_by_key(|(place, _)| place.id);
    let texts = Texts::of(reads, read.iter().filter_map(|(_, row)| row.as_ref())).await?;
    let rows = read.into_iter();
    Ok(Arrived {
        spans: rows
            .map(|(place, row)| (place, row.map(|row| texts.row(&row))))
            .collect(),
        through: ids.last().copied(),
        lost: answers.lost,
    })
}

/// The columns of a [`SpanRow`] without its texts and facts.
const ROW: [&str; 9] = [
    "s.span_id",
    "s.parent",
    "s.start",
    "s.finish",
    "s.name",
    "s.resource",
    "s.status",
    "s.repaired",
    "s.received",
];

/// The values of [`ROW`].
struct Columns {
    span_id: SpanId,
    parent: Option<SpanId>,
    start: i64,
    finish: i64,
    name: i64,
    resource: i64,
    status: i64,
    repaired: bool,
    received: i64,
}

impl Columns {
    /// `None` where an id is none.
    fn of(values: &[Option<i64>]) -> Option<Self> {
        let &[
            span_id,
            parent,
            start,
            finish,
            name,
            resource,
            status,
            repaired,
            received,
        ] = values
        else {
            return None;
        };
        Some(Self {
            span_id: SpanId::from_i64(span_id?)?,
            parent: parent.and_then(SpanId::from_i64),
            start: start?,
            finish: finish?,
            name: name?,
            resource: resource?,
            status: status?,
            repaired: repaired? != 0,
            received: received?,
        })
    }
}

/// A row of any variant, as it is read.
struct Stored {
    columns: Columns,
    trace: i64,
    id: i64,
    shown: bool,
    share: Option<Share>,
    facts: Option<Box<RowFacts>>,
}

impl Stored {
    /// Takes apart the rows that one answer stands for.
    fn all(answer: &SqliteRow) -> Vec<Self> {
        const NUMBERS: usize = ROW.len() + 6;
        let facts = answer.get::<Option<&str>, _>(NUMBERS).unwrap_or_default();
        let rows = integers::<NUMBERS>(answer)
            .into_iter()
            .zip(facts.split('\n'));
        rows.filter_map(|(values, json)| {
            let (row, [trace, id, shown, counted, cost, feature]) = values.split_last_chunk()?;
            Some(Self {
                columns: Columns::of(row)?,
                trace: (*trace)?,
                id: (*id)?,
                shown: (*shown)? != 0,
                share: counted.map(|counted| Share {
                    counted,
                    cost: *cost,
                    feature: *feature,
                }),
                facts: serde_json::from_str(json).ok(),
            })
        })
        .collect()
    }
}

/// The texts that rows refer to: each is read once.
struct Texts {
    names: HashMap<i64, String>,
    /// `service.name` by resource.
    services: HashMap<i64, String>,
}

impl Texts {
    async fn of(reads: &SqlitePool, rows: impl Iterator<Item = &Columns>) -> Result<Self, Error> {
        let (mut names, mut resources) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            names.insert(row.name);
            resources.insert(row.resource);
        }
        let service = "resources r ON r.id = e.value JOIN strings n ON n.id = r.service";
        Ok(Self {
            names: columns::texts(reads, "n.text", "strings n ON n.id = e.value", &names).await?,
            services: columns::texts(reads, "n.text", service, &resources).await?,
        })
    }

    fn row(&self, columns: &Columns) -> SpanRow {
        let text = |texts: &HashMap<i64, String>, id| texts.get(id).cloned().unwrap_or_default();
        SpanRow {
            span_id: columns.span_id,
            parent: columns.parent,
            start: UnixNanos::from_i64(columns.start),
            end: UnixNanos::from_i64(columns.finish),
            name: text(&self.names, &columns.name),
            service: text(&self.services, &columns.resource),
            status: u8::try_from(columns.status).unwrap_or(0),
            repaired: columns.repaired,
            variants: 1,
            received_micros: u64::try_from(columns.received).unwrap_or(0),
            facts: None,
        }
    }
}
