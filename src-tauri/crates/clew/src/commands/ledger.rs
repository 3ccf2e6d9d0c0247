//! `clew ledger`: what each model call used and cost, at which price, and what does not count, with the reason.

use std::time::Duration;

use clap::Args;
use clew_core::model::{Bucket, NanoUsd};
use clew_core::trace::{LedgerLine, LedgerRow, LedgerStanding};
use clew_engine::api::{GetTrace, LedgerFilter, LedgerPage, LedgerSums, Text, TimeRange};
use serde::Serialize;

use super::list::{clock, counted, micros_before, since};
use super::source::SourceChoice;
use super::totals::figures;
use super::trace::locate;
use super::{Exit, Shared, what_if};
use crate::door::Door;
use crate::print::{Ink, Out, count, cut, note, plain, with_estimate};

/// Entries that one page of the engine holds at most.
const PAGE: u32 = 5_000;

/// Which entries, and how.
#[derive(Debug, Args)]
pub(super) struct Ledger {
    /// Only this trace, in order of time: its id, 32 hex digits, or "latest".
    trace: Option<String>,
    /// At most so many entries, newest first; of one trace all. The totals are of all that match.
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<u32>,
    /// Words that a span of the trace must hold in its name, input, output or error.
    #[arg(
        long,
        default_value = "",
        value_name = "WORDS",
        conflicts_with = "trace"
    )]
    text: String,
    /// Only calls that began in this time before now (30s, 15m, 2h, 7d).
    #[arg(long, value_parser = since, value_name = "TIME")]
    since: Option<Duration>,
    /// Only traces with a span of this service.
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    /// Only traces of this session.
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only traces of this end user.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Only calls to this model.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Only calls that serve this feature or kind of task.
    #[arg(long, value_name = "NAME")]
    feature: Option<String>,
    /// Only calls of this prompt template.
    #[arg(long, value_name = "NAME")]
    prompt: Option<String>,
    /// Only calls of this version of a prompt template.
    #[arg(long, value_name = "VERSION")]
    prompt_version: Option<String>,
    #[command(flatten)]
    source: SourceChoice,
    /// Only entries that count in totals.
    #[arg(long)]
    counted: bool,
    /// List the lines of every entry: bucket, count, price and amount. Of one trace they are listed anyway.
    #[arg(long)]
    lines: bool,
    /// As CSV, one line for each line of every entry that matches, with whole nano-dollars that add up to the total.
    #[arg(long, conflicts_with_all = ["json", "limit", "lines"])]
    csv: bool,
    /// By feature and model, what calls would have cost without a cache, in a batch, and on these models (names of the
    /// price book, with or without a provider before a slash).
    #[arg(
        long,
        value_name = "MODEL",
        num_args = 0..,
        require_equals = true,
        value_delimiter = ',',
        conflicts_with_all = ["csv", "limit", "lines"]
    )]
    what_if: Option<Vec<String>>,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// The entries.
    rows: &'a [LedgerRow],
    /// Sums over all entries that match; a call that counts in a trace outside is not in them.
    sums: LedgerSums,
    /// Entries that match.
    total: u64,
}

pub(super) async fn run(command: Ledger, shared: &Shared, out: &mut Out) -> anyhow::Result<Exit> {
    let database = shared.start()?.options.database;
    let Some(door) = Door::reading(&database).await? else {
        return match command.what_if {
            Some(models) => what_if::none(models, out),
            None => none(out),
        };
    };
    let trace = match &command.trace {
        None => None,
        Some(id) => match locate(&door, id, &command.source).await? {
            Some(trace) => Some(trace),
            None => {
                note(&format!("no trace {id}"));
                return Ok(Exit::NoMatch);
            }
        },
    };
    let mut filter = filter(&command, trace.as_ref());
    if trace.is_none() {
        filter.traces.source = command.source.id(&door).await?;
    }
    if let Some(models) = command.what_if {
        return what_if::run(&door, filter, models, out).await;
    }
    if command.csv {
        let Text { text } = door.call("export_ledger", &filter).await?;
        out.text(&text)?;
        // A line of names alone has no entry.
        let is_empty = text.lines().nth(1).is_none();
        return Ok(if is_empty { Exit::NoMatch } else { Exit::Ok });
    }
    let limit = match (command.limit, &trace) {
        (Some(limit), _) => limit,
        (None, Some(_)) => u32::MAX,
        (None, None) => 50,
    };
    let (mut page, rows) = rows(&door, filter, limit).await?;
    page.rows = rows;
    if trace.is_some() {
        page.rows.reverse();
    }
    if page.total == 0 {
        return none(out);
    }
    if out.is_json() {
        out.json(&Answer {
            rows: &page.rows,
            sums: page.sums,
            total: page.total,
        })?;
    } else {
        table(
            &page,
            trace.is_none(),
            command.lines || trace.is_some(),
            out,
        )?;
    }
    Ok(Exit::Ok)
}

/// The answer where no entry matches.
fn none(out: &mut Out) -> anyhow::Result<Exit> {
    if out.is_json() {
        out.json(&Answer {
            rows: &[],
            sums: LedgerSums::default(),
            total: 0,
        })?;
    } else {
        note("no model call matches");
    }
    Ok(Exit::NoMatch)
}

fn filter(command: &Ledger, trace: Option<&GetTrace>) -> LedgerFilter {
    let mut filter = LedgerFilter {
        calls: TimeRange {
            from: command.since.and_then(micros_before),
            to: None,
        },
        model: command.model.clone(),
        prompt: command.prompt.clone(),
        prompt_version: command.prompt_version.clone(),
        feature: command.feature.clone(),
        user: command.user.clone(),
        counted: command.counted,
        ..LedgerFilter::default()
    };
    filter.traces.text.clone_from(&command.text);
    filter.traces.services.clone_from(&command.service);
    filter.traces.session.clone_from(&command.session);
    if let Some(trace) = trace {
        filter.traces.text.clone_from(&trace.trace_id);
        filter.traces.source = Some(trace.source);
    }
    filter
}

/// The first page, and the first `limit` entries of as many pages as it takes.
async fn rows(
    door: &Door,
    mut filter: LedgerFilter,
    limit: u32,
) -> anyhow::Result<(LedgerPage, Vec<LedgerRow>)> {
    filter.limit = limit.clamp(1, PAGE);
    let first: LedgerPage = door.call("list_ledger", &filter).await?;
    let mut rows = first.rows.clone();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    filter.cursor.clone_from(&first.next);
    while rows.len() < limit && filter.cursor.is_some() {
        let page: LedgerPage = door.call("list_ledger", &filter).await?;
        rows.extend(page.rows);
        filter.cursor = page.next;
    }
    rows.truncate(limit);
    Ok((first, rows))
}

/// Sources and reasons, each told once below the table.
#[derive(Default)]
struct Footnotes(Vec<String>);

impl Footnotes {
    fn mark(&mut self, text: &str) -> String {
        let known = self.0.iter().position(|each| each == text);
        let index = known.unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        });
        format!("[{}]", index + 1)
    }
}

fn table(page: &LedgerPage, traces: bool, lines: bool, out: &mut Out) -> anyhow::Result<()> {
    let mut footnotes = Footnotes::default();
    let mut cells = Vec::new();
    for row in &page.rows {
        cells.push(entry(row, &mut footnotes));
        if lines {
            cells.extend(row.lines.iter().map(line));
        }
    }
    let mut headings = vec![
        "TRACE", "STARTED", "SPAN", "NAME", "MODEL", "TOKENS", "$/1M", "COST", "FROM",
    ];
    let mut hidden: Vec<usize> = Vec::new();
    if !traces {
        hidden.push(0);
    }
    if !lines {
        hidden.push(6);
    }
    let keep = |index: &usize| !hidden.contains(index);
    let kept = |row: Vec<String>| -> Vec<String> {
        let cells = row.into_iter().enumerate();
        cells
            .filter(|(index, _)| keep(index))
            .map(|(_, cell)| cell)
            .collect()
    };
    let right: Vec<usize> = (0..headings.len())
        .filter(keep)
        .enumerate()
        .filter(|(_, old)| (5..=7).contains(old))
        .map(|(new, _)| new)
        .collect();
    let cells: Vec<Vec<String>> = cells.into_iter().map(kept).collect();
    let mut index = 0;
    headings.retain(|_| {
        index += 1;
        keep(&(index - 1))
    });
    out.table(&headings, &right, &cells)?;
    for (index, text) in footnotes.0.iter().enumerate() {
        let text = out.ink(Ink::Dim, &format!("[{}] {}", index + 1, plain(text)));
        out.line(&text)?;
    }
    let shown = page.rows.len() as u64;
    let entries = if page.total == 1 {
        "1 entry".to_owned()
    } else {
        format!("{} entries", count(Some(page.total)))
    };
    let entries = if shown < page.total {
        format!("{} of {entries}", count(Some(shown)))
    } else {
        entries
    };
    let sum = format!(
        "{entries} · {} · {}",
        counted(page.sums.calls, "model call"),
        figures(&page.sums, |cost| cost.to_string())
    );
    let sum = out.ink(Ink::Bold, &sum);
    out.line(&sum)?;
    Ok(())
}

/// One entry as cells.
fn entry(row: &LedgerRow, footnotes: &mut Footnotes) -> Vec<String> {
    let excluded = !matches!(
        row.standing,
        LedgerStanding::Counted | LedgerStanding::CostOnly
    );
    let guess = row
        .estimate
        .as_ref()
        .map(|estimate| estimate.tokens)
        .unwrap_or_default();
    let cost = match row.cost_nanos {
        Some(nanos) => NanoUsd(nanos).to_string(),
        None if excluded => "not counted".to_owned(),
        None if row.lines.is_empty() => {
            let guess = guess.cost_nanos.map(NanoUsd);
            with_estimate(None, guess, |cost| {
                cost.map_or_else(|| "–".to_owned(), |cost| cost.to_string())
            })
        }
        None => "unknown".to_owned(),
    };
    let mut from: Vec<String> = Vec::new();
    if let Some(reason) = &row.reason {
        from.push(footnotes.mark(reason));
        from.extend(teller(&row.standing));
    }
    if !excluded && !row.lines.is_empty() {
        from.push(footnotes.mark(&row.cost_source));
    }
    from.extend(row.notes.iter().map(|text| footnotes.mark(text)));
    let tokens = match (row.input_tokens, row.output_tokens) {
        (None, None) if row.estimate.is_none() => "–".to_owned(),
        (None, None) => {
            let sides = [guess.input_tokens, guess.output_tokens];
            sides
                .map(|side| with_estimate(None, side, count))
                .join(" → ")
        }
        (input, output) => format!("{} → {}", count(input), count(output)),
    };
    vec![
        row.trace_id.clone(),
        clock(row.start_micros),
        row.span_id.clone(),
        cut(&plain(&row.name), 32).into_owned(),
        cut(&plain(row.model.as_deref().unwrap_or("–")), 28).into_owned(),
        tokens,
        String::new(),
        cost,
        from.join(" "),
    ]
}

/// The span, and where it lies elsewhere its trace, that tells of the call in an entry's place.
fn teller(standing: &LedgerStanding) -> Option<String> {
    match standing {
        LedgerStanding::Counted | LedgerStanding::CostOnly => None,
        LedgerStanding::Below { span_id }
        | LedgerStanding::Above { span_id }
        | LedgerStanding::SameResponse { span_id }
        | LedgerStanding::SameCall { span_id } => Some(span_id.clone()),
        LedgerStanding::Elsewhere { trace_id, span_id } => Some(format!("{trace_id}/{span_id}")),
    }
}

/// One line of an entry as cells.
fn line(line: &LedgerLine) -> Vec<String> {
    let (name, tokens) = match line.bucket {
        Some(bucket) => (words(bucket), count(Some(line.count))),
        None => ("stated cost", String::new()),
    };
    let empty = String::new;
    vec![
        empty(),
        empty(),
        empty(),
        format!("  {name}"),
        empty(),
        tokens,
        line.price.clone().unwrap_or_default(),
        line.amount_nanos
            .map_or_else(empty, |nanos| NanoUsd(nanos).to_string()),
        line.priced_as
            .map_or_else(empty, |wider| format!("priced as {}", words(wider))),
    ]
}

const fn words(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Input => "input",
        Bucket::CacheRead => "cache read",
        Bucket::CacheWrite => "cache write",
        Bucket::CacheWrite1h => "cache write, 1 hour",
        Bucket::AudioInput => "audio in",
        Bucket::ImageInput => "images in",
        Bucket::Output => "output",
        Bucket::Reasoning => "reasoning",
        Bucket::AudioOutput => "audio out",
        Bucket::ImageOutput => "images out",
        Bucket::Request => "request",
    }
}
