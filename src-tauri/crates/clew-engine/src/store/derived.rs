//! What is derived, as values and as rows: the facts of a span, the summary of a trace.

use std::collections::BTreeSet;

use clew_core::convention;
use clew_core::model::{Facts, Message, Operation, Part, SpanView, TraceId, UnixNanos};
use clew_core::quality::{self, Finding};
use clew_core::trace::{self, RowFacts, SpanRow, TraceSummary};
use rusqlite::params;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::Store;
use super::search::Texts;
use super::spans::{Place, Whole};
use super::writer::Session;
use crate::error::Error;

/// What is derived from one span.
pub(crate) struct Derived {
    place: Place,
    start: i64,
    duration: Option<i64>,
    failed: bool,
    facts: Facts,
    row: RowFacts,
    findings: Vec<Finding>,
    pub(crate) texts: Texts,
}

/// The pure part: one span's facts, findings and texts.
pub(crate) fn derive(whole: Whole) -> Derived {
    let view = SpanView {
        span: &whole.span,
        resource: &whole.resource.message,
        scope: &whole.scope.message,
        logs: &whole.logs,
    };
    let facts = convention::facts(&view);
    let findings = findings(&facts);
    let row = RowFacts::of(&facts, &findings);
    let (start, end) = (
        whole.span.start_time_unix_nano,
        whole.span.end_time_unix_nano,
    );
    let texts = Texts {
        span: whole.place.id,
        name: whole.span.name.clone(),
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
    };
    let failed = facts.error.is_some()
        || whole
            .span
            .status
            .as_ref()
            .is_some_and(|status| status.code == 2);
    Derived {
        start: i64::try_from(start / 1_000).unwrap_or(i64::MAX),
        duration: (end != 0).then(|| i64::try_from(end.saturating_sub(start)).unwrap_or(i64::MAX)),
        failed,
        place: whole.place,
        facts,
        row,
        findings,
        texts,
    }
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

/// A row of `facts` with its findings.
pub(crate) struct FactsRow {
    span: i64,
    trace: i64,
    operation: i64,
    start: i64,
    duration: Option<i64>,
    failed: bool,
    model: Option<String>,
    tokens: [Option<i64>; 3],
    cost: Option<i64>,
    prompt: Option<String>,
    json: String,
    findings: Vec<(String, f64, String)>,
}

/// US dollars in billionths, as the database keeps them; `None` for what is no amount.
pub(crate) fn nano_usd(usd: f64) -> Option<i64> {
    let nano = (usd * 1e9).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked: up to a million dollars a call"
    )]
    (nano.is_finite() && nano.abs() <= 1e15).then_some(nano as i64)
}

impl FactsRow {
    pub(crate) fn of(derived: &Derived) -> Result<Self, Error> {
        let usage = derived
            .facts
            .usage
            .as_ref()
            .map(|usage| usage.value)
            .unwrap_or_default();
        let count = |tokens: Option<u64>| tokens.and_then(|tokens| i64::try_from(tokens).ok());
        let operation = derived.row.operation;
        let index = Operation::ALL
            .iter()
            .position(|candidate| *candidate == operation)
            .unwrap_or(9);
        let mut findings = Vec::with_capacity(derived.findings.len());
        for finding in &derived.findings {
            let evidence = serde_json::to_string(&finding.evidence).map_err(Error::internal)?;
            findings.push((finding.heuristic.clone(), finding.value, evidence));
        }
        let prompt = derived
            .facts
            .prompt
            .as_ref()
            .map(|prompt| serde_json::to_string(&prompt.value));
        Ok(Self {
            span: derived.place.id,
            trace: derived.place.trace,
            operation: i64::try_from(index).unwrap_or(9),
            start: derived.start,
            duration: derived.duration,
            failed: derived.failed,
            model: derived.row.model.clone(),
            tokens: [
                count(usage.input),
                count(usage.output),
                count(usage.cache_read),
            ],
            cost: derived
                .facts
                .cost_usd
                .as_ref()
                .and_then(|cost| nano_usd(cost.value)),
            prompt: prompt.transpose().map_err(Error::internal)?,
            json: serde_json::to_string(&derived.row).map_err(Error::internal)?,
            findings,
        })
    }

    pub(crate) fn store(&self, session: &mut Session<'_>) -> Result<(), Error> {
        let connection = session.connection;
        let model = match &self.model {
            Some(model) => Some(
                session
                    .interned
                    .string(connection, &model[..model.floor_char_boundary(1024)])?,
            ),
            None => None,
        };
        let [input, output, cached] = self.tokens;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO facts (span, trace, operation, counted, start, duration, failed, model, input, output,
                                               cached, cost, prompt, json)
                 SELECT ?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
                 WHERE EXISTS (SELECT 1 FROM spans WHERE id = ?1)",
            )?
            .execute(params![
                self.span,
                self.trace,
                self.operation,
                self.start,
                self.duration,
                self.failed,
                model,
                input,
                output,
                cached,
                self.cost,
                self.prompt,
                self.json
            ])?;
        connection
            .prepare_cached("DELETE FROM findings WHERE span = ?")?
            .execute([self.span])?;
        for (heuristic, value, evidence) in &self.findings {
            connection
                .prepare_cached(
                    "INSERT INTO findings (span, heuristic, start, value, evidence)
                     SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM spans WHERE id = ?1)",
                )?
                .execute(params![self.span, heuristic, self.start, value, evidence])?;
        }
        Ok(())
    }
}

/// What the ground says of a trace.
pub(crate) struct Head {
    pub(crate) id: i64,
    trace_id: TraceId,
    source: i64,
    changed: i64,
    received: u64,
}

pub(crate) async fn heads(store: &Store, traces: &[i64]) -> Result<Vec<Head>, Error> {
    let mut heads = Vec::with_capacity(traces.len());
    for chunk in traces.chunks(8_192) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT id, trace_id, source, changed, received FROM traces WHERE id IN (",
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
                received: u64::try_from(row.get::<i64, _>(4)).unwrap_or(0),
            });
        }
    }
    Ok(heads)
}

/// A trace's summary, ready to be stored.
pub(crate) struct Summarised {
    trace: i64,
    changed: i64,
    summary: TraceSummary,
    json: String,
    operations: i64,
    services: BTreeSet<String>,
    models: BTreeSet<String>,
    /// Spans that count in totals, and what of them (`facts.counted`).
    counted: Vec<(i64, i64)>,
}

impl Summarised {
    pub(crate) fn of(head: &Head, rows: &[SpanRow], now: UnixNanos) -> Result<Self, Error> {
        let summary = trace::summary(head.trace_id, head.source, rows, now, head.received);
        let json = serde_json::to_string(&summary).map_err(Error::internal)?;
        let counted = trace::counted(rows, &trace::tree(rows));
        let mut operations = 0;
        let (mut services, mut models) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            services.insert(row.service.clone());
            if let Some(facts) = &row.facts {
                operations |= 1
                    << Operation::ALL
                        .iter()
                        .position(|one| *one == facts.operation)
                        .unwrap_or(9);
                models.extend(facts.model.clone());
            }
        }
        Ok(Self {
            trace: head.id,
            changed: head.changed,
            summary,
            json,
            operations,
            services,
            models,
            counted: rows
                .iter()
                .enumerate()
                .map(|(index, row)| {
                    let usage = i64::from(counted.usage[index]);
                    let (cost, call) = (
                        i64::from(counted.cost[index]),
                        i64::from(counted.call[index]),
                    );
                    (row.span_id.as_i64(), usage | cost << 1 | call << 2)
                })
                .filter(|(_, counted)| *counted != 0)
                .collect(),
        })
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
                                                   session, json)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE EXISTS (SELECT 1 FROM traces WHERE id = ?1)",
            )?
            .execute(params![
                self.trace,
                self.changed,
                signed(summary.start_micros),
                signed(summary.duration_nanos),
                summary.span_count,
                summary.error_count,
                tokens,
                summary.cost_usd.and_then(nano_usd),
                self.operations,
                summary.session,
                self.json
            ])?;
        connection
            .prepare_cached("DELETE FROM trace_values WHERE trace = ?")?
            .execute([self.trace])?;
        for (facet, values) in [("service", &self.services), ("model", &self.models)] {
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
        connection
            .prepare_cached("UPDATE facts SET counted = 0 WHERE trace = ? AND counted <> 0")?
            .execute([self.trace])?;
        for (span, counted) in &self.counted {
            connection
                .prepare_cached(
                    "UPDATE facts SET counted = ?
                     WHERE span = (SELECT id FROM spans WHERE trace = ? AND span_id = ? AND shown = 1)",
                )?
                .execute([*counted, self.trace, *span])?;
        }
        Ok(())
    }
}
