//! `clew list`: traces, newest first.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use clew_core::model::NanoUsd;
use clew_core::trace::{TraceState, TraceSummary};
use clew_engine::api::{LedgerSums, TimeRange, TraceFilter, TracePage, TraceStatus, TraceTotals};

use super::source::SourceChoice;
use super::totals::{figures, rounded, sums};
use super::{Exit, Shared};
use crate::door::Door;
use crate::print::{Ink, Out, count, cut, dollars, duration, note, plain, with_estimate};

/// Rows that one page of the engine holds at most.
const PAGE: u32 = 500;

/// Which traces.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Words that a span's name, input, output, error or the id of its response or request must hold.
    text: Vec<String>,
    /// At most so many rows.
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
    limit: u32,
    /// Only traces that began in this time before now (30s, 15m, 2h, 7d).
    #[arg(long, value_parser = since, value_name = "TIME")]
    since: Option<Duration>,
    /// Only traces with a span of this service.
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    /// Only traces with a call to this model.
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// Only traces with an error.
    #[arg(long)]
    errors: bool,
    #[command(flatten)]
    source: SourceChoice,
}

pub(super) async fn run(command: List, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let database = shared.start()?.options.database;
    let Some(door) = Door::reading(&database).await? else {
        return none(out);
    };
    let filter = TraceFilter {
        source: command.source.id(&door).await?,
        ..filter(&command)
    };
    let rows = rows(&door, filter.clone(), command.limit).await?;
    if rows.is_empty() {
        return none(out);
    }
    if out.is_json() {
        out.json(&rows)?;
    } else {
        table(&rows, out)?;
        let all: TraceTotals = door.call("summarise_traces", &filter).await?;
        let sums = figures(&sums(&door, filter).await?, rounded);
        let shown = match all.traces {
            all if all > rows.len() as u64 => {
                format!("{} of {}", rows.len(), counted(all, "trace"))
            }
            all => counted(all, "trace"),
        };
        let line = out.ink(Ink::Bold, &format!("{shown} · {sums}"));
        out.line(&line)?;
    }
    Ok(Exit::Ok)
}

/// The answer where no trace matches.
fn none(out: &mut Out) -> anyhow::Result<Exit> {
    if out.is_json() {
        out.json(&[(); 0])?;
    } else {
        note("no trace matches");
    }
    Ok(Exit::NoMatch)
}

fn filter(command: &List) -> TraceFilter {
    let from = command.since.and_then(micros_before);
    TraceFilter {
        text: command.text.join(" "),
        services: command.service.clone(),
        models: command.model.clone(),
        statuses: command
            .errors
            .then_some(TraceStatus::Error)
            .into_iter()
            .collect(),
        range: TimeRange { from, to: None },
        ..TraceFilter::default()
    }
}

/// The first `limit` traces, as many pages as it takes.
pub(super) async fn rows(
    door: &Door,
    mut filter: TraceFilter,
    limit: u32,
) -> anyhow::Result<Vec<TraceSummary>> {
    let mut rows: Vec<TraceSummary> = Vec::new();
    let mut left = limit;
    while left > 0 {
        filter.limit = left.min(PAGE);
        let page: TracePage = door.call("list_traces", &filter).await?;
        if let Some(notice) = &page.notice {
            note(notice);
        }
        left = left.saturating_sub(u32::try_from(page.rows.len()).unwrap_or(u32::MAX));
        rows.extend(page.rows);
        if page.next.is_none() {
            break;
        }
        filter.cursor = page.next;
    }
    rows.truncate(limit as usize);
    Ok(rows)
}

/// Prints traces one a line.
pub(super) fn table(rows: &[TraceSummary], out: &mut Out) -> anyhow::Result<()> {
    let headings = [
        "TRACE", "STARTED", "NAME", "SERVICE", "DURATION", "SPANS", "IN", "OUT", "COST", "STATE",
    ];
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let guess = row.estimated.unwrap_or_default();
            vec![
                row.trace_id.clone(),
                clock(row.start_micros),
                cut(&plain(&row.name), 40).into_owned(),
                cut(&plain(&row.service), 20).into_owned(),
                duration(row.duration_nanos),
                count(Some(row.span_count.into())),
                with_estimate(row.input_tokens, guess.input_tokens, count),
                with_estimate(row.output_tokens, guess.output_tokens, count),
                with_estimate(
                    row.cost_nanos.map(NanoUsd),
                    guess.cost_nanos.map(NanoUsd),
                    |cost| dollars(cost.map(NanoUsd::usd)),
                ),
                state(row),
            ]
        })
        .collect();
    Ok(out.table(&headings, &[4, 5, 6, 7, 8], &cells)?)
}

/// What a trace's row says of its end.
pub(super) fn state(row: &TraceSummary) -> String {
    let name = state_name(row.state);
    match row.error_count {
        0 => name.to_owned(),
        errors => format!("{name} · {}", counted(errors.into(), "error")),
    }
}

fn state_name(state: TraceState) -> &'static str {
    match state {
        TraceState::Running => "running",
        TraceState::Complete => "complete",
        TraceState::Rootless => "no root",
    }
}

/// Local date and time of an instant, to the second.
pub(super) fn clock(micros: u64) -> String {
    i64::try_from(micros)
        .ok()
        .and_then(chrono::DateTime::from_timestamp_micros)
        .map_or_else(
            || "–".to_owned(),
            |time| {
                time.with_timezone(&chrono::Local)
                    .format("%Y-%m-%d %H:%M:%S")
                    .to_string()
            },
        )
}

/// Traces and their sums on one line.
pub(super) fn totals(rows: &[TraceSummary], sums: &LedgerSums, out: &Out) -> String {
    let spans = rows.iter().map(|row| u64::from(row.span_count)).sum();
    let errors = rows.iter().map(|row| u64::from(row.error_count)).sum();
    let failed = match errors {
        0 => "no errors".to_owned(),
        _ => out.ink(Ink::Red, &counted(errors, "error")),
    };
    let traces = counted(rows.len() as u64, "trace");
    let spans = counted(spans, "span");
    format!("{traces} · {spans} · {} · {failed}", figures(sums, rounded))
}

/// "1 span", "2 spans".
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(Some(number)))
}

/// So long before now, in microseconds since the epoch.
pub(super) fn micros_before(time: Duration) -> Option<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(now.saturating_sub(time).as_micros()).ok()
}

/// Reads "30s", "15m", "2h", "7d".
pub(super) fn since(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time like 30s, 15m, 2h or 7d");
    let split = text.len().checked_sub(1).ok_or_else(wrong)?;
    let (number, unit) = text.split_at_checked(split).ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(since("2h"), Ok(Duration::from_secs(7_200)));
        assert_eq!(since("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in [
            "",
            "h",
            "2",
            "2w",
            "-1h",
            "1.5h",
            "2é",
            "99999999999999999999d",
        ] {
            assert!(since(wrong).is_err(), "{wrong:?}");
        }
    }
}
