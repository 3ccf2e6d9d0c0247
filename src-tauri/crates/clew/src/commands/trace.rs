//! `clew trace`: one trace as a tree, as Markdown for a model, or as JSON.

use std::collections::{BTreeMap, HashMap};

use clap::Args;
use clew_core::model::{Bucket, TraceId};
use clew_core::trace::{DialectRow, FactRow, LedgerRow, SpanFacts, TraceSummary, WindowUse};
use clew_engine::api::{CopyFormat, CopyTrace, GetTrace, LedgerSums, Text, TraceFilter};
use serde::Serialize;

use super::list::{clock, rows, state, totals};
use super::source::SourceChoice;
use super::totals::of_trace;
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
    #[command(flatten)]
    source: SourceChoice,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    #[serde(flatten)]
    summary: &'a TraceSummary,
    /// The figures of all model calls, each once.
    totals: LedgerSums,
    /// How much of all prompts was read from cache, 0 to 1.
    cached_share: Option<f64>,
    /// The call that fills its model's window most.
    fullest: Option<&'a WindowUse>,
    spans: Vec<Told<'a>>,
}

/// One span of it.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    row: &'a Row,
    /// The tokens that it states, each in one bucket; `null` where it states none.
    usage: Option<BTreeMap<Bucket, u64>>,
    /// Whether its figures count, and if not, why; what it costs, by whose price and since when. `null` where it states
    /// neither usage nor a cost and calls no model.
    ledger: Option<&'a LedgerRow>,
    /// The vocabulary that explains it best.
    dialect: Option<&'a DialectRow>,
    /// Every fact with the key and the convention that stated it.
    facts: &'a [FactRow],
    /// Keys of its attributes that no vocabulary explains.
    unexplained: &'a [String],
}

pub(super) async fn run(command: Trace, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let database = shared.start()?.options.database;
    let Some(door) = Door::reading(&database).await? else {
        note("there is no database yet");
        return Ok(Exit::NoMatch);
    };
    let Some((trace, waterfall)) = find(&door, &command.id, &command.source).await? else {
        note(&format!("no trace {}", command.id));
        return Ok(Exit::NoMatch);
    };
    if out.is_json() {
        whole(&door, &trace, &waterfall, out).await?;
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

/// Prints everything that is known of the trace as one JSON value.
async fn whole(
    door: &Door,
    trace: &GetTrace,
    waterfall: &Waterfall,
    out: &mut Out,
) -> anyhow::Result<()> {
    let facts: Vec<SpanFacts> = door.call("get_facts", trace).await?;
    let entries: Vec<LedgerRow> = door.call("get_ledger", trace).await?;
    let facts: HashMap<&str, &SpanFacts> = facts
        .iter()
        .map(|facts| (facts.span_id.as_str(), facts))
        .collect();
    let entries: HashMap<&str, &LedgerRow> = entries
        .iter()
        .map(|entry| (entry.span_id.as_str(), entry))
        .collect();
    let spans = waterfall.rows.iter().map(|row| {
        let ledger = entries.get(row.span_id.as_str()).copied();
        let told = facts.get(row.span_id.as_str()).copied();
        Told {
            row,
            usage: ledger.and_then(usage),
            ledger,
            dialect: told.and_then(|told| told.dialect.as_ref()),
            facts: told.map_or(&[][..], |told| &told.facts),
            unexplained: told.map_or(&[][..], |told| &told.unexplained),
        }
    });
    out.json(&Whole {
        summary: &waterfall.summary,
        totals: of_trace(&waterfall.summary),
        cached_share: waterfall.cached_share,
        fullest: waterfall.fullest.as_ref(),
        spans: spans.collect(),
    })
}

/// The tokens of an entry by bucket.
fn usage(entry: &LedgerRow) -> Option<BTreeMap<Bucket, u64>> {
    let tokens = entry.lines.iter().filter_map(|line| {
        let bucket = line.bucket.filter(|bucket| *bucket != Bucket::Request)?;
        Some((bucket, line.count))
    });
    let tokens: BTreeMap<Bucket, u64> = tokens.collect();
    (!tokens.is_empty()).then_some(tokens)
}

/// Finds a trace: the latest of a source, or by its id among live telemetry, then among opened files.
pub(super) async fn locate(
    door: &Door,
    id: &str,
    source: &SourceChoice,
) -> anyhow::Result<Option<GetTrace>> {
    // An id means the same trace wherever it lies.
    let source = if source.is_stated() || id == "latest" {
        source.id(door).await?
    } else {
        None
    };
    let (text, limit) = match id {
        "latest" => (String::new(), 1),
        id => {
            let id: TraceId = id
                .parse()
                .map_err(|error| anyhow::anyhow!("{id:?} is not a trace id: {error}"))?;
            (id.to_string(), u32::MAX)
        }
    };
    let filter = TraceFilter {
        text,
        source,
        ..TraceFilter::default()
    };
    let found = rows(door, filter, limit).await?;
    let first = found.into_iter().min_by_key(|row| row.source);
    Ok(first.map(|row| GetTrace {
        trace_id: row.trace_id,
        source: row.source,
    }))
}

async fn find(
    door: &Door,
    id: &str,
    source: &SourceChoice,
) -> anyhow::Result<Option<(GetTrace, Waterfall)>> {
    let Some(trace) = locate(door, id, source).await? else {
        return Ok(None);
    };
    let bytes = door.ask("get_waterfall", &trace).await?;
    Ok(Some((trace, Waterfall::read(&bytes)?)))
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
    let sum = totals(std::slice::from_ref(summary), &of_trace(summary), out);
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
            model_from: None,
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
