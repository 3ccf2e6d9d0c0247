//! What is derived, as values and as rows: the facts of a span, the summary of a trace.

use std::collections::BTreeSet;

use clew_core::convention;
use clew_core::model::{Facts, Message, Operation, Part, TraceId, UnixNanos};
use clew_core::price::PriceDesk;
use clew_core::quality::{self, Finding};
use clew_core::trace::{self, Ledger, RowFacts, SpanRow, Standing, TraceRows, TraceSummary};
use rusqlite::params;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::Store;
use super::counted;
use super::elsewhere::{self, Teller};
use super::facts_row::FactsRow;
use super::rows::{Share, StoredRow};
use super::search::Texts;
use super::spans::{self, Place, Whole};
use super::writer::Session;
use crate::error::{Cause, Error};

/// Bytes of content that are unpacked at a time, and of what is made of it after which a step ends early.
const STEP_BYTES: usize = 32 * 1024 * 1024;

/// What is derived from one span.
pub(crate) struct Derived {
    pub(crate) place: Place,
    pub(crate) row: RowFacts,
    pub(crate) facts: FactsRow,
    pub(crate) texts: Texts,
}

/// The pure part: one span's facts, findings and texts.
///
/// # Errors
/// When what was found cannot be written as JSON.
pub(crate) fn derive(whole: &Whole) -> Result<Derived, Error> {
    let facts = whole.facts();
    let findings = findings(&facts);
    let row = RowFacts::of(&facts, &findings);
    Ok(Derived {
        facts: FactsRow::of(whole, &facts, &row, &findings)?,
        row,
        texts: texts_of(whole, &facts),
        place: whole.place.clone(),
    })
}

/// What is searched of a span.
pub(crate) fn texts(whole: &Whole) -> Texts {
    texts_of(whole, &whole.facts())
}

fn texts_of(whole: &Whole, facts: &Facts) -> Texts {
    Texts {
        span: whole.place.id,
        name: named(whole, facts),
        input: text(
            facts.input.as_ref().map(|input| &input.value),
            facts.input_value.as_ref().map(|text| &text.value),
        ),
        output: text(
            facts.output.as_ref().map(|output| &output.value),
            facts.output_value.as_ref().map(|text| &text.value),
        ),
        error: facts
            .error
            .as_ref()
            .and_then(|error| error.value.message.clone())
            .unwrap_or_default(),
    }
}

/// The span's name, and a line for each id by which others name its response or request.
fn named(whole: &Whole, facts: &Facts) -> String {
    let mut name = whole.span.name.clone();
    for id in convention::ids(&whole.view(), facts) {
        name.push('\n');
        name.push_str(&id);
    }
    name
}

/// What [`each`] has made of spans.
pub(crate) struct Made<T> {
    pub(crate) all: Vec<T>,
    /// How many spans that took.
    pub(crate) taken: usize,
    /// Why some of them are left out.
    pub(crate) unreadable: Vec<Error>,
}

/// Reads spans and makes something of each, until a step is full. One that cannot be read is left out and does not hold
/// up the others.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn each<T: Send + 'static>(
    store: &Store,
    places: Vec<Place>,
    make: fn(&Whole) -> Result<T, Error>,
    weigh: fn(&T) -> usize,
) -> Result<Made<T>, Error> {
    let blocks: BTreeSet<i64> = places.iter().map(|place| place.block).collect();
    let sizes = spans::unpacked(&store.reads, &blocks).await?;
    let mut made: Vec<T> = Vec::with_capacity(places.len());
    let mut unreadable = Vec::new();
    let (mut taken, mut bytes) = (0, 0_usize);
    while taken < places.len() && bytes < STEP_BYTES {
        let mut open: BTreeSet<i64> = BTreeSet::new();
        let mut unpacked = 0_usize;
        let chunk: Vec<Place> = places[taken..]
            .iter()
            .take_while(|place| {
                if open.insert(place.block) {
                    let size = sizes.get(&place.block).copied().unwrap_or(0);
                    unpacked = unpacked.saturating_add(size);
                }
                open.len() == 1 || unpacked <= STEP_BYTES
            })
            .cloned()
            .collect();
        taken += chunk.len();
        for one in together_or_apart(store, chunk, make).await? {
            match one.and_then(|one| one) {
                Ok(one) => {
                    bytes = bytes.saturating_add(weigh(&one));
                    made.push(one);
                }
                Err(error) => unreadable.push(error),
            }
        }
    }
    Ok(Made {
        all: made,
        taken,
        unreadable,
    })
}

/// A damaged page fails everything that is read with it: then each span is read by itself.
async fn together_or_apart<T: Send + 'static>(
    store: &Store,
    places: Vec<Place>,
    make: fn(&Whole) -> T,
) -> Result<Vec<Result<T, Error>>, Error> {
    let error = match spans::each(store, places.clone(), move |whole| make(&whole)).await {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    let mut all = Vec::with_capacity(places.len());
    for place in places {
        match spans::each(store, vec![place], move |whole| make(&whole)).await {
            Ok(mut one) => all.append(&mut one),
            Err(error) => all.push(Err(error)),
        }
    }
    // Where none can be read and that is not for damage, it is the disk that fails, and it is tried again.
    let failed = all.iter().all(Result::is_err);
    let mut errors = all.iter().filter_map(|one| one.as_ref().err());
    if failed && errors.any(|error| error.cause != Cause::Damage) {
        return Err(error);
    }
    Ok(all)
}

/// Scores the response of a model call; other spans have none.
pub(crate) fn findings(facts: &Facts) -> Vec<Finding> {
    if facts.operation.as_ref().map(|operation| operation.value) != Some(Operation::Llm) {
        return Vec::new();
    }
    match &facts.output {
        Some(output) => quality::score(&quality::Response {
            text: &quality::response_text(&output.value),
        }),
        None => Vec::new(),
    }
}

/// What is searched of a conversation, or of a plain value where there is none.
fn text(messages: Option<&Vec<Message>>, value: Option<&String>) -> String {
    let Some(messages) = messages else {
        return value.cloned().unwrap_or_default();
    };
    let mut text = String::new();
    for part in messages.iter().flat_map(|message| &message.parts) {
        let pieces: [&str; 2] = match part {
            Part::Text { text } | Part::Reasoning { text } | Part::Refusal { text } => [text, ""],
            Part::ToolCall {
                name, arguments, ..
            } => [name, arguments],
            Part::ToolResult { content, .. } => [content, ""],
            Part::Media { uri, .. } => [uri.as_deref().unwrap_or_default(), ""],
        };
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            text.push_str(piece);
            text.push('\n');
        }
    }
    text
}

/// What the ground says of a trace.
pub(crate) struct Head {
    pub(crate) id: i64,
    trace_id: TraceId,
    source: i64,
    changed: i64,
    /// Its shown spans.
    pub(crate) spans: i64,
    received: u64,
}

pub(crate) async fn heads(store: &Store, traces: &[i64]) -> Result<Vec<Head>, Error> {
    let mut heads = Vec::with_capacity(traces.len());
    for chunk in traces.chunks(8_192) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT id, trace_id, source, changed, spans, received FROM traces WHERE id IN (",
        );
        let mut list = query.separated(", ");
        chunk.iter().for_each(|trace| {
            list.push_bind(*trace);
        });
        query.push(")");
        for row in query.build().fetch_all(&store.reads).await? {
            heads.push(Head {
                id: row.get(0),
                trace_id: TraceId::from_bytes(row.get(1)).map_err(Error::internal)?,
                source: row.get(2),
                changed: row.get(3),
                spans: row.get(4),
                received: u64::try_from(row.get::<i64, _>(5)).unwrap_or(0),
            });
        }
    }
    Ok(heads)
}

/// What of a row counts in totals.
fn share(ledger: &Ledger, row: usize, feature: Option<&str>) -> Share {
    let entry = ledger.entry(row);
    let amount = entry.and_then(trace::Entry::amount);
    let estimated = entry.and_then(trace::Entry::estimated);
    let is_unpriced = entry.is_some_and(|entry| entry.unpriced() > 0);
    let bits = [
        (counted::TOKENS, ledger.counts_usage(row)),
        (counted::COST, amount.is_some()),
        (counted::CALL, ledger.is_call[row]),
        (counted::UNPRICED, is_unpriced && ledger.counts_usage(row)),
        (counted::ESTIMATED, estimated.is_some()),
    ];
    let set = bits.iter().filter(|(_, set)| *set);
    Share {
        counted: set.map(|(bit, _)| bit).sum(),
        cost: amount
            .map(|amount| amount.0)
            .or(estimated.and_then(|estimated| estimated.cost_nanos))
            .map(|nanos| i64::try_from(nanos).unwrap_or(i64::MAX)),
        feature: feature.map(elsewhere::hash),
    }
}

/// The tokens of a row that count in totals.
fn tokens(ledger: &Ledger, row: usize) -> i64 {
    let entry = ledger.entry(row).filter(|_| ledger.counts_usage(row));
    let sides = [false, true].map(|is_output| entry.and_then(|entry| entry.tokens(is_output)));
    let tokens = sides.into_iter().flatten().fold(0, u64::saturating_add);
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// What other traces are told of a row that owns a call.
fn teller(head: &Head, span: i64, trace: &TraceRows, row: usize) -> Option<Teller> {
    let entry = trace.ledger().entry(row)?;
    if entry.standing != Standing::Counted {
        return None;
    }
    let row = trace.rows().get(row)?;
    let facts = row.facts.as_ref()?;
    let signed = |micros: u64| i64::try_from(micros).unwrap_or(i64::MAX);
    let took = row.end.0.saturating_sub(row.start.0) / 1_000;
    Some(Teller {
        trace: head.id,
        span,
        source: head.source,
        response: elsewhere::hash(facts.response_id.as_deref()?),
        rank: facts.rank(row.failed()).into(),
        span_id: row.span_id.as_i64(),
        start: signed(row.start.micros()),
        end: signed(row.start.micros()).saturating_add(signed(took)),
        is_elsewhere: false,
    })
}

/// The stored span above a call from which its model comes; `None` where none of them names one.
#[derive(Clone, Copy)]
struct Inherited(Option<i64>);

/// What a row that names no model itself has for one; `None` where it is no call of a language model or names one.
fn inherited(trace: &TraceRows, row: usize, spans: &[(i64, Option<Share>)]) -> Option<Inherited> {
    let facts = trace.rows().get(row)?.facts.as_ref()?;
    if facts.operation != Operation::Llm || facts.model.is_some() {
        return None;
    }
    let above = trace.ledger().entry(row)?.model_from;
    Some(Inherited(
        above.and_then(|above| spans.get(above)).map(|span| span.0),
    ))
}

/// A stored span's share in totals, as it is and as it was.
struct Shared {
    span: i64,
    share: Share,
    /// `None` where the span has no facts yet: they are stored with the share.
    before: Option<Share>,
    tokens: i64,
    /// Where the model of a call comes from that names none.
    model: Option<Inherited>,
}

/// A trace's summary, ready to be stored.
pub(crate) struct Summarised {
    trace: i64,
    changed: i64,
    summary: TraceSummary,
    json: String,
    operations: i64,
    /// What it has of each facet.
    values: [(&'static str, BTreeSet<String>); 3],
    shares: Vec<Shared>,
    /// Its spans that own a call which names its response.
    tellers: Vec<Teller>,
    /// Tokens and nano-dollars of its calls that count in another trace.
    elsewhere: (i64, i64),
}

impl Summarised {
    /// Summarises a trace from its rows by the desk's prices, and decides what of each counts in totals.
    pub(crate) fn of(
        head: &Head,
        stored: Vec<StoredRow>,
        desk: &mut PriceDesk,
        now: UnixNanos,
    ) -> Result<Self, Error> {
        let (before, rows): (Vec<(i64, Option<Share>)>, Vec<SpanRow>) = stored
            .into_iter()
            .map(|stored| ((stored.id, stored.share), stored.row))
            .unzip();
        let trace = TraceRows::of(rows, desk);
        let summary = trace::summary(head.trace_id, head.source, &trace, now, head.received);
        let json = serde_json::to_string(&summary).map_err(Error::internal)?;
        let rows = before.iter().zip(0..);
        let features = trace.features();
        let spans = before.as_slice();
        let shares = rows
            .clone()
            .map(|((span, before), row)| Shared {
                span: *span,
                share: share(trace.ledger(), row, features[row]),
                before: *before,
                tokens: tokens(trace.ledger(), row),
                model: inherited(&trace, row, spans),
            })
            .collect();
        let tellers = rows
            .filter_map(|((span, _), row)| teller(head, *span, &trace, row))
            .collect();
        let mut operations = 0;
        let mut services = BTreeSet::new();
        let (mut models, mut errors) = (BTreeSet::new(), BTreeSet::new());
        for row in trace.rows() {
            services.insert(row.service.clone());
            if let Some(facts) = &row.facts {
                operations |= 1
                    << Operation::ALL
                        .iter()
                        .position(|one| *one == facts.operation)
                        .unwrap_or(9);
                models.extend(facts.model.clone());
                errors.extend(facts.error_class.map(|class| class.name().to_owned()));
            }
        }
        Ok(Self {
            trace: head.id,
            changed: head.changed,
            summary,
            json,
            operations,
            values: [("service", services), ("model", models), ("error", errors)],
            shares,
            tellers,
            elsewhere: (0, 0),
        })
    }

    pub(crate) const fn trace(&self) -> i64 {
        self.trace
    }

    pub(crate) fn tellers(&self) -> impl Iterator<Item = Teller> {
        self.tellers.iter().copied()
    }

    /// Each span's share in totals, by its row in the database.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (i64, Share)> {
        self.shares.iter().map(|shared| (shared.span, shared.share))
    }

    /// Leaves the calls of these spans to other traces.
    pub(crate) fn count_elsewhere(&mut self, spans: &BTreeSet<i64>) {
        for shared in &mut self.shares {
            if spans.contains(&shared.span) {
                let (tokens, cost) = &mut self.elsewhere;
                *tokens = tokens.saturating_add(shared.tokens);
                let counts = shared.share.counted & counted::COST != 0;
                *cost = cost.saturating_add(shared.share.cost.filter(|_| counts).unwrap_or(0));
                shared.share = shared.share.elsewhere();
            }
        }
    }

    pub(crate) fn store(&self, session: &mut Session<'_>) -> Result<(), Error> {
        let connection = session.connection;
        let summary = &self.summary;
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let tokens = match (summary.input_tokens, summary.output_tokens) {
            (None, None) => None,
            (input, output) => Some(signed(
                input.unwrap_or(0).saturating_add(output.unwrap_or(0)),
            )),
        };
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO summaries (trace, changed, start, duration, spans, errors, tokens, cost, operations,
                                                   session, json, tokens_elsewhere, cost_elsewhere)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 WHERE EXISTS (SELECT 1 FROM traces WHERE id = ?1)",
            )?
            .execute(params![
                self.trace,
                self.changed,
                signed(summary.start_micros),
                signed(summary.duration_nanos),
                summary.span_count,
                summary.error_count,
                tokens,
                summary.cost_nanos.map(signed),
                self.operations,
                summary.session,
                self.json,
                self.elsewhere.0,
                self.elsewhere.1
            ])?;
        connection
            .prepare_cached("DELETE FROM trace_values WHERE trace = ?")?
            .execute([self.trace])?;
        for (facet, values) in &self.values {
            for value in values {
                let value = session
                    .interned
                    .string(connection, &value[..value.floor_char_boundary(1024)])?;
                connection
                    .prepare_cached(
                        "INSERT OR IGNORE INTO trace_values (facet, value, trace)
                         SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM traces WHERE id = ?3)",
                    )?
                    .execute(params![facet, value, self.trace])?;
            }
        }
        let mut update = connection
            .prepare_cached("UPDATE facts SET counted = ?, cost = ?, feature = ? WHERE span = ?")?;
        for shared in &self.shares {
            if shared.before.is_some_and(|before| before != shared.share) {
                update.execute(params![
                    shared.share.counted,
                    shared.share.cost,
                    shared.share.feature,
                    shared.span
                ])?;
            }
        }
        let mut inherit = connection.prepare_cached(
            "UPDATE facts SET model = (SELECT model FROM facts WHERE span = ?1)
             WHERE span = ?2 AND model IS NOT (SELECT model FROM facts WHERE span = ?1)",
        )?;
        for shared in &self.shares {
            if let Some(Inherited(above)) = shared.model {
                inherit.execute(params![above, shared.span])?;
            }
        }
        Ok(())
    }
}
