//! The row of a span's facts and its findings, as the database holds them.

use clew_core::model::{ErrorClass, Facts, Operation};
use clew_core::prompt;
use clew_core::quality::Finding;
use clew_core::trace::RowFacts;
use rusqlite::{OptionalExtension as _, params};

use super::elsewhere;
use super::rows::Share;
use super::spans::Whole;
use super::writer::Session;
use crate::error::Error;

/// A row of `facts` with its findings.
pub(crate) struct FactsRow {
    span: i64,
    trace: i64,
    operation: i64,
    /// What of it counts in totals; `None` until its trace is summarised.
    pub(crate) share: Option<Share>,
    start: i64,
    duration: Option<i64>,
    failed: bool,
    error: Option<u8>,
    model: Option<String>,
    /// A hash of the response id, and how much the span says of its call.
    response: Option<i64>,
    rank: u32,
    tokens: [Option<i64>; 3],
    /// Tokens sent and generated, where they are estimated.
    estimated: [Option<i64>; 2],
    prompt: Option<String>,
    /// The template and version under which it is listed.
    listed: Option<(String, String)>,
    json: String,
    findings: Vec<(String, f64, String)>,
}

impl FactsRow {
    pub(super) fn of(
        whole: &Whole,
        facts: &Facts,
        row: &RowFacts,
        findings: &[Finding],
    ) -> Result<Self, Error> {
        let usage = facts.usage.as_ref().map(|usage| usage.value);
        // As the ledger's lines have them: what is stated of a whole and of its parts may differ.
        let split = usage.unwrap_or_default().split();
        let count = |tokens: Option<u64>| tokens.and_then(|tokens| i64::try_from(tokens).ok());
        let index = Operation::ALL
            .iter()
            .position(|candidate| *candidate == row.operation)
            .unwrap_or(9);
        let prompt = facts
            .prompt
            .as_ref()
            .map(|prompt| serde_json::to_string(&prompt.value));
        let (start, end) = (
            whole.span.start_time_unix_nano,
            whole.span.end_time_unix_nano,
        );
        let status = whole.span.status.as_ref();
        let failed = facts.error.is_some() || status.is_some_and(|status| status.code == 2);
        Ok(Self {
            span: whole.place.id,
            trace: whole.place.trace,
            operation: i64::try_from(index).unwrap_or(9),
            share: None,
            start: i64::try_from(start / 1_000).unwrap_or(i64::MAX),
            duration: (end != 0)
                .then(|| i64::try_from(end.saturating_sub(start)).unwrap_or(i64::MAX)),
            failed,
            error: row.error_class.map(ErrorClass::index),
            model: row.model.clone(),
            response: row.response_id.as_deref().map(elsewhere::hash),
            rank: row.rank(failed),
            tokens: [
                count(split.input()),
                count(split.output()),
                count(usage.and_then(|usage| usage.cache_read)),
            ],
            estimated: [
                count(row.estimate.and_then(|estimate| estimate.input)),
                count(row.estimate.and_then(|estimate| estimate.output)),
            ],
            prompt: prompt.transpose().map_err(Error::internal)?,
            listed: facts
                .prompt
                .as_ref()
                .and_then(|prompt| prompt::listed(&prompt.value)),
            json: serde_json::to_string(row).map_err(Error::internal)?,
            findings: findings
                .iter()
                .map(|finding| {
                    let evidence =
                        serde_json::to_string(&finding.evidence).map_err(Error::internal)?;
                    Ok((finding.heuristic.clone(), finding.value, evidence))
                })
                .collect::<Result<_, Error>>()?,
        })
    }

    /// Stores it, if its span has not been purged meanwhile. `again` where the span may have facts already.
    pub(crate) fn store(&self, session: &mut Session<'_>, again: bool) -> Result<(), Error> {
        let connection = session.connection;
        let mut share = self.share;
        if again {
            // What counts is kept until the trace is summarised anew: no total dips meanwhile.
            share = match share {
                Some(share) => Some(share),
                None => share_of(session, self.span)?,
            };
            forget(session, self.span)?;
        }
        let share = share.unwrap_or_default();
        let alive = connection
            .prepare_cached("SELECT 1 FROM spans WHERE id = ?")?
            .exists([self.span])?;
        if !alive {
            return Ok(());
        }
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
                "INSERT INTO facts (span, trace, operation, counted, start, duration, failed, model, input, output,
                                    cached, cost, prompt, json, response, rank, prompt_name, prompt_version,
                                    estimated_input, estimated_output, feature, error)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.span,
                self.trace,
                self.operation,
                share.counted,
                self.start,
                self.duration,
                self.failed,
                model,
                input,
                output,
                cached,
                share.cost,
                self.prompt,
                self.json,
                self.response,
                self.response.map(|_| self.rank),
                self.listed.as_ref().map(|(name, _)| name),
                self.listed.as_ref().map(|(_, version)| version),
                self.estimated[0],
                self.estimated[1],
                share.feature,
                self.error,
            ])?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO findings (span, heuristic, start, value, evidence) VALUES (?, ?, ?, ?, ?)",
        )?;
        for (heuristic, value, evidence) in &self.findings {
            insert.execute(params![self.span, heuristic, self.start, value, evidence])?;
        }
        Ok(())
    }
}

/// What the facts of a span say counts in totals; `None` where it has none.
fn share_of(session: &Session<'_>, span: i64) -> Result<Option<Share>, Error> {
    let share = session
        .connection
        .prepare_cached("SELECT counted, cost, feature FROM facts WHERE span = ?")?
        .query_row([span], |row| {
            Ok(Share {
                counted: row.get(0)?,
                cost: row.get(1)?,
                feature: row.get(2)?,
            })
        })
        .optional()?;
    Ok(share)
}

/// Drops what was derived from a span.
pub(crate) fn forget(session: &Session<'_>, span: i64) -> Result<(), Error> {
    for delete in [
        "DELETE FROM facts WHERE span = ?",
        "DELETE FROM findings WHERE span = ?",
    ] {
        session.connection.prepare_cached(delete)?.execute([span])?;
    }
    Ok(())
}
