//! `clew trace`: one trace as a tree, as Markdown for a model, or as JSON.

use clap::Args;
use clew_core::trace::TraceSummary;
use clew_engine::ErrorCode;
use clew_engine::api::{CopyFormat, CopyTrace, GetTrace, NoParams, Source, Text, TraceFilter};
use serde::Serialize;

use super::list::{clock, rows, state, totals};
use super::{Exit, Shared};
use crate::door::Door;
use crate::print::{Ink, Out, count, cut, dollars, duration, note, plain};
use crate::waterfall::{Row, Waterfall};

/// Cells of the time axis.
const AXIS: u64 = 24;
/// A cell filled by eighths from the left.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Levels whose branches are drawn before a name.
const INNER: usize = 11;
/// Width of the column of names.
const NAMES: usize = 44;

/// Which trace, and how.
#[derive(Debug, Args)]
pub(super) struct Trace {
    /// The trace's id, 32 hex digits; "latest" is the one that began last.
    id: String,
    /// As a tree of its spans (this is the default).
    #[arg(long, conflicts_with_all = ["md", "json"])]
    tree: bool,
    /// As Markdown to give to a model.
    #[arg(long, conflicts_with = "json")]
    md: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    summary: &'a TraceSummary,
    spans: &'a [Row],
}

pub(super) async fn run(command: Trace, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let database = shared.start()?.options.database;
    let Some(door) = Door::reading(&database).await? else {
        note("there is no database yet");
        return Ok(Exit::NoMatch);
    };
    let Some((trace, waterfall)) = find(&door, &command.id).await? else {
        note(&format!("no trace {}", command.id));
        return Ok(Exit::NoMatch);
    };
    if out.is_json() {
        out.json(&Whole {
            summary: &waterfall.summary,
            spans: &waterfall.rows,
        })?;
    } else if command.md {
        let copy = CopyTrace {
            trace_id: trace.trace_id,
            source: trace.source,
            span_id: None,
            subtree: true,
            variant: None,
            format: CopyFormat::Markdown,
            max_tokens: None,
        };
        let text: Text = door.call("copy_trace", &copy).await?;
        out.text(&text.text)?;
    } else {
        tree(&waterfall, out)?;
    }
    Ok(Exit::Ok)
}

/// Finds a trace among live telemetry, then among opened files.
async fn find(door: &Door, id: &str) -> anyhow::Result<Option<(GetTrace, Waterfall)>> {
    let candidates: Vec<GetTrace> = if id == "latest" {
        let latest = rows(door, TraceFilter::default(), 1).await?;
        latest
            .into_iter()
            .map(|row| GetTrace {
                trace_id: row.trace_id,
                source: row.source,
            })
            .collect()
    } else {
        let sources: Vec<Source> = door.call("list_sources", &NoParams {}).await?;
        std::iter::once(0)
            .chain(sources.into_iter().map(|source| source.id))
            .map(|source| GetTrace {
                trace_id: id.to_ascii_lowercase(),
                source,
            })
            .collect()
    };
    for trace in candidates {
        match door.ask("get_waterfall", &trace).await {
            Ok(bytes) => return Ok(Some((trace, Waterfall::read(&bytes)?))),
            Err(error) if error.code == ErrorCode::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn tree(waterfall: &Waterfall, out: &mut Out) -> anyhow::Result<()> {
    let summary = &waterfall.summary;
    let heading = out.ink(Ink::Bold, &plain(&summary.name));
    out.line(&format!(
        "{heading}  {}  {}",
        duration(summary.duration_nanos),
        state(summary)
    ))?;
    let place = format!(
        "{}  {}  {}",
        summary.trace_id,
        plain(&summary.service),
        clock(summary.start_micros)
    );
    let place = out.ink(Ink::Dim, &place);
    out.line(&place)?;
    let sum = totals(std::slice::from_ref(summary), out);
    out.line(&sum)?;
    out.line("")?;
    let guides = guides(&waterfall.rows);
    for (row, guide) in waterfall.rows.iter().zip(&guides) {
        let line = line(row, guide, waterfall.extent_nanos, out);
        out.line(line.trim_end())?;
    }
    Ok(())
}

/// The branches before each row. One pass from the last row up: a level is open while a later row stands on it.
fn guides(rows: &[Row]) -> Vec<String> {
    let mut open: Vec<bool> = Vec::new();
    let mut guides: Vec<String> = rows
        .iter()
        .rev()
        .map(|row| {
            let depth = row.depth as usize;
            open.resize(depth + 1, false);
            let mut guide = String::new();
            // Deep trees: only the innermost levels fit beside a name.
            let inner = depth.saturating_sub(INNER).max(1);
            for is_open in open.iter().take(depth).skip(inner) {
                guide.push_str(if *is_open { "│ " } else { "  " });
            }
            if depth > 0 {
                guide.push_str(if open[depth] { "├ " } else { "└ " });
            }
            open[depth] = true;
            guide
        })
        .collect();
    guides.reverse();
    guides
}

fn line(row: &Row, guide: &str, extent: u64, out: &Out) -> String {
    let name = format!("{guide}{}", plain(&row.name));
    let name = cut(&name, NAMES);
    let room = " ".repeat(NAMES.saturating_sub(name.chars().count()));
    let name = if row.status == 2 {
        out.ink(Ink::Red, &name)
    } else {
        name.into_owned()
    };
    let took = row
        .duration_nanos
        .map_or_else(|| "running".to_owned(), duration);
    let axis = if out.is_terminal() {
        format!("  {}", bar(row.start_nanos, row.duration_nanos, extent))
    } else {
        String::new()
    };
    let mut notes = vec![row.operation.name().to_owned()];
    notes.extend(row.model.as_deref().map(|model| plain(model).into_owned()));
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        notes.push(format!(
            "{} → {} tokens",
            count(row.input_tokens),
            count(row.output_tokens)
        ));
    }
    notes.extend(row.cost_usd.map(|cost| dollars(Some(cost))));
    let mut line = format!("{name}{room}  {took:>10}{axis}  {}", notes.join(" · "));
    if let Some(error) = &row.error {
        line.push_str("  ");
        line.push_str(&out.ink(Ink::Red, &cut(&plain(error), 80)));
    }
    line
}

/// A span on the time axis, to an eighth of a cell; the shortest is still to be seen.
fn bar(start: u64, length: Option<u64>, extent: u64) -> String {
    let steps = AXIS * 8;
    let scale = |nanos: u64| {
        let steps = u128::from(nanos) * u128::from(steps) / u128::from(extent.max(1));
        u64::try_from(steps).unwrap_or(u64::MAX)
    };
    // Blocks grow from the left edge of a cell, so a bar begins at one.
    let first = (scale(start) / 8).min(AXIS - 1);
    let room = steps - first * 8;
    let filled = length.map_or(room, scale).clamp(1, room);
    let mut bar = " ".repeat(usize::try_from(first).unwrap_or(0));
    for _ in 0..filled / 8 {
        bar.push('█');
    }
    if let Some(index) = (filled % 8).checked_sub(1) {
        bar.push(EIGHTHS[usize::try_from(index).unwrap_or(0)]);
    }
    let missing = usize::try_from(AXIS)
        .unwrap_or(0)
        .saturating_sub(bar.chars().count());
    bar + &" ".repeat(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_stands_where_its_span_does() {
        assert_eq!(bar(0, Some(100), 100), "█".repeat(24));
        assert_eq!(
            bar(50, Some(25), 100),
            format!("{}{}{}", " ".repeat(12), "█".repeat(6), " ".repeat(6))
        );
        assert_eq!(bar(0, Some(0), 100).trim_end(), "▏");
        assert_eq!(bar(100, Some(0), 100).chars().nth(23), Some('▏'));
        assert_eq!(bar(0, Some(0), 0).chars().count(), 24);
        assert_eq!(bar(u64::MAX, None, 1).chars().count(), 24);
    }

    #[test]
    fn branches_join_siblings() {
        let row = |depth| Row {
            span_id: String::new(),
            parent_span_id: None,
            depth,
            name: String::new(),
            service: String::new(),
            operation: clew_core::model::Operation::Other,
            model: None,
            error: None,
            status: 0,
            start_nanos: 0,
            duration_nanos: None,
            ttft_nanos: None,
            input_tokens: None,
            output_tokens: None,
            cached_tokens: None,
            cost_usd: None,
        };
        let rows: Vec<Row> = [0, 1, 2, 2, 1, 0].into_iter().map(row).collect();
        assert_eq!(guides(&rows), ["", "├ ", "│ ├ ", "│ └ ", "└ ", ""]);
    }
}
