//! A trace as waterfall rows: pre-order, packed in columns.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::critical_path::{Stretch, critical_path};
use super::idle::{idle, total, works};
use super::ledger::share;
use super::run::{Run, runs};
use super::{Entry, SpanRow, TraceRows, TraceState, TraceSummary, skew};
use crate::model::{NanoUsd, Operation};
use crate::packed::{Column, Pack};

/// Bits of [`Waterfall::flags`].
pub mod flag {
    /// The parent has not arrived, and the trace no longer runs: the row stands at top level. While a trace runs, parents
    /// are still to come, since most exporters send a span when it ends.
    pub const ORPHAN: u16 = 1;
    /// The row's parent edge closed a cycle and was cut.
    pub const CYCLE: u16 = 1 << 1;
    /// Other content was received under the same span id.
    pub const VARIANTS: u16 = 1 << 2;
    /// The times cannot be: the end lies before the start, or they lie far outside the trace; the bar is clamped to it.
    pub const CLOCK: u16 = 1 << 3;
    /// No end has been received.
    pub const PENDING: u16 = 1 << 4;
    /// Text that was not UTF-8 was repaired.
    pub const REPAIRED: u16 = 1 << 5;
    /// A heuristic fired on the response.
    pub const FINDING: u16 = 1 << 6;
    /// Facts are still being derived.
    pub const UNDERIVED: u16 = 1 << 7;
    /// The usage is a roll-up or a duplicate: it counts in no total.
    pub const NOT_COUNTED: u16 = 1 << 8;
    /// It starts before its parent: their clocks differ. Its bar lies where its own clock says.
    pub const SKEW: u16 = 1 << 9;
}

/// The part of a waterfall that travels as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WaterfallValue {
    /// Totals of the trace.
    pub summary: TraceSummary,
    /// Nanoseconds since the epoch of the time 0 of all rows, in decimal digits.
    pub origin_nanos: String,
    /// Nanoseconds from time 0 to the latest end.
    pub extent_nanos: f64,
    /// Texts that columns refer to by index; index 0 is the empty text.
    pub strings: Vec<String>,
    /// Runs of at least five repeated siblings, in order of their rows.
    pub runs: Vec<Run>,
    /// Stretches in which nothing works: nanoseconds from time 0 to start and end. Empty where they do not matter.
    pub idle: Vec<(f64, f64)>,
    /// Nanoseconds of all idle stretches together.
    pub idle_nanos: f64,
    /// Their share of the whole trace, 0 to 1.
    pub idle_share: f64,
    /// Nanoseconds of the critical path in which something worked: waiting agents and chains aside.
    pub critical_nanos: f64,
    /// How much of the prompts of all calls was read from cache, 0 to 1; `null` where that is not stated.
    pub cached_share: Option<f64>,
    /// The call that fills its model's window most; `null` where no call's window is known.
    pub fullest: Option<WindowUse>,
}

/// How much of its model's window a call fills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WindowUse {
    /// The call's span: 16 hex digits.
    pub span_id: String,
    /// Its prompt's tokens.
    pub tokens: u64,
    /// The most tokens that its model reads.
    pub window: u64,
    /// The one as a share of the other, 0 to 1 and above.
    pub share: f64,
}

/// A trace as rows in pre-order; each column has one element a row.
#[derive(Debug, Clone, PartialEq, TS)]
#[ts(rename_all = "camelCase")]
pub struct Waterfall {
    /// What travels as JSON beside the columns.
    #[ts(flatten)]
    pub value: WaterfallValue,
    /// The high 32 bits of the span id.
    #[ts(type = "Uint32Array")]
    pub span_high: Vec<u32>,
    /// The low 32 bits of the span id.
    #[ts(type = "Uint32Array")]
    pub span_low: Vec<u32>,
    /// Row of the parent, -1 at top level.
    #[ts(type = "Int32Array")]
    pub parent: Vec<i32>,
    /// Levels below the top.
    #[ts(type = "Uint16Array")]
    pub depth: Vec<u16>,
    /// Rows below this one that belong to it; they follow it directly.
    #[ts(type = "Uint32Array")]
    pub descendants: Vec<u32>,
    /// Nanoseconds from time 0 to the start.
    #[ts(type = "Float64Array")]
    pub start: Vec<f64>,
    /// Nanoseconds from start to end; -1 while pending.
    #[ts(type = "Float64Array")]
    pub duration: Vec<f64>,
    /// Nanoseconds from the start to the first token; -1 where not stated, or where it cannot be.
    #[ts(type = "Float64Array")]
    pub ttft: Vec<f64>,
    /// Display name, as an index into `strings`.
    #[ts(type = "Uint32Array")]
    pub name: Vec<u32>,
    /// `service.name`, as an index into `strings`.
    #[ts(type = "Uint32Array")]
    pub service: Vec<u32>,
    /// The model, as an index into `strings`; of a call that names none the one that a row above it names.
    #[ts(type = "Uint32Array")]
    pub model: Vec<u32>,
    /// The row above that names the model, -1 where the row names its own or has none.
    #[ts(type = "Int32Array")]
    pub model_from: Vec<i32>,
    /// The error's short text, as an index into `strings`.
    #[ts(type = "Uint32Array")]
    pub error: Vec<u32>,
    /// Index of the operation in `Operation::ALL`.
    #[ts(type = "Uint8Array")]
    pub operation: Vec<u8>,
    /// 0 unset, 1 ok, 2 error.
    #[ts(type = "Uint8Array")]
    pub status: Vec<u8>,
    /// Bits of [`flag`].
    #[ts(type = "Uint16Array")]
    pub flags: Vec<u16>,
    /// Prompt tokens; -1 where not stated.
    #[ts(type = "Float64Array")]
    pub input_tokens: Vec<f64>,
    /// Output tokens; -1 where not stated.
    #[ts(type = "Float64Array")]
    pub output_tokens: Vec<f64>,
    /// Prompt tokens read from cache; -1 where not stated.
    #[ts(type = "Float64Array")]
    pub cached_tokens: Vec<f64>,
    /// What the row adds to the trace's cost, in US dollars; -1 where it adds nothing or no price is known.
    #[ts(type = "Float64Array")]
    pub cost: Vec<f64>,
    /// Prompt tokens of all calls that count below the row; -1 where there are none.
    #[ts(type = "Float64Array")]
    pub input_below: Vec<f64>,
    /// Output tokens of all calls that count below it; -1 where there are none.
    #[ts(type = "Float64Array")]
    pub output_below: Vec<f64>,
    /// What the calls that count below it cost together, in US dollars; -1 where none has a known price.
    #[ts(type = "Float64Array")]
    pub cost_below: Vec<f64>,
    /// Documents retrieved.
    #[ts(type = "Uint16Array")]
    pub documents: Vec<u16>,
    /// Rows of the critical path's stretches, in order of time; these three columns have one element a stretch.
    #[ts(type = "Uint32Array")]
    pub critical_row: Vec<u32>,
    /// Nanoseconds from time 0 to the start of the stretch.
    #[ts(type = "Float64Array")]
    pub critical_from: Vec<f64>,
    /// Nanoseconds from time 0 to its end.
    #[ts(type = "Float64Array")]
    pub critical_to: Vec<f64>,
}

impl Pack for Waterfall {
    type Value = WaterfallValue;

    fn value(&self) -> &WaterfallValue {
        &self.value
    }

    fn columns(&self) -> Vec<(&'static str, Column)> {
        vec![
            ("spanHigh", Column::U32(self.span_high.clone())),
            ("spanLow", Column::U32(self.span_low.clone())),
            ("parent", Column::I32(self.parent.clone())),
            ("depth", Column::U16(self.depth.clone())),
            ("descendants", Column::U32(self.descendants.clone())),
            ("start", Column::F64(self.start.clone())),
            ("duration", Column::F64(self.duration.clone())),
            ("ttft", Column::F64(self.ttft.clone())),
            ("name", Column::U32(self.name.clone())),
            ("service", Column::U32(self.service.clone())),
            ("model", Column::U32(self.model.clone())),
            ("modelFrom", Column::I32(self.model_from.clone())),
            ("error", Column::U32(self.error.clone())),
            ("operation", Column::U8(self.operation.clone())),
            ("status", Column::U8(self.status.clone())),
            ("flags", Column::U16(self.flags.clone())),
            ("inputTokens", Column::F64(self.input_tokens.clone())),
            ("outputTokens", Column::F64(self.output_tokens.clone())),
            ("cachedTokens", Column::F64(self.cached_tokens.clone())),
            ("cost", Column::F64(self.cost.clone())),
            ("inputBelow", Column::F64(self.input_below.clone())),
            ("outputBelow", Column::F64(self.output_below.clone())),
            ("costBelow", Column::F64(self.cost_below.clone())),
            ("documents", Column::U16(self.documents.clone())),
            ("criticalRow", Column::U32(self.critical_row.clone())),
            ("criticalFrom", Column::F64(self.critical_from.clone())),
            ("criticalTo", Column::F64(self.critical_to.clone())),
        ]
    }
}

/// The bits of [`flag`] that say something in this state of a trace: while it runs, no row is an orphan yet.
#[must_use]
pub const fn told(state: TraceState) -> u16 {
    match state {
        TraceState::Running => !flag::ORPHAN,
        TraceState::Complete | TraceState::Rootless => u16::MAX,
    }
}

/// The waterfall of a trace.
///
/// Offsets are clamped to the trace: times that cannot be (an end before its start, a start outside the years 2000 to
/// 2262 in a trace whose other times lie inside) are flagged [`flag::CLOCK`] and lie at the trace's edge.
#[must_use]
pub fn waterfall(summary: TraceSummary, trace: &TraceRows) -> Waterfall {
    let (rows, tree, ledger) = (trace.rows(), trace.tree(), trace.ledger());
    let axis = Axis::of(rows);
    let mut texts = Texts::default();
    let mut position = vec![-1; rows.len()];
    let heard = told(summary.state);
    let below = ledger.below(tree);
    let fullest = ledger.fullest().and_then(|entry| {
        Some(WindowUse {
            span_id: rows[entry.row].span_id.to_string(),
            tokens: entry.tokens(false)?,
            window: entry.cost.window?,
            share: entry.window_share()?,
        })
    });
    let mut built = Waterfall::empty(WaterfallValue {
        cached_share: share(summary.cached_tokens, summary.input_tokens),
        fullest,
        summary,
        origin_nanos: axis.origin.to_string(),
        extent_nanos: exact(axis.extent()),
        strings: Vec::new(),
        runs: Vec::new(),
        idle: Vec::new(),
        idle_nanos: 0.0,
        idle_share: 0.0,
        critical_nanos: 0.0,
    });
    for (index, &at) in tree.order.iter().enumerate() {
        position[at] = i32::try_from(index).unwrap_or(i32::MAX);
        let row = &rows[at];
        let facts = row.facts.as_ref();
        let usage = facts.and_then(|facts| facts.usage).unwrap_or_default();
        let bits = u64::from_be_bytes(*row.span_id.bytes());
        let bar = axis.bar(row);
        let counts = ledger.counts_usage(at) || facts.is_none_or(|facts| facts.usage.is_none());
        let skewed = tree.parent[at].and_then(|above| skew(rows[above].start, row.start));
        let flags = [
            (flag::VARIANTS, row.variants > 1),
            (flag::CLOCK, bar.odd),
            (flag::PENDING, row.end.0 == 0),
            (flag::REPAIRED, row.repaired),
            (
                flag::FINDING,
                facts.is_some_and(|facts| !facts.findings.is_empty()),
            ),
            (flag::UNDERIVED, facts.is_none()),
            (flag::NOT_COUNTED, !counts),
            (flag::SKEW, skewed.is_some()),
        ];
        let set = flags.iter().filter(|(_, on)| *on);
        let operation = Operation::ALL
            .iter()
            .position(|kind| *kind == row.operation());
        let error = facts.and_then(|facts| facts.error.as_deref());
        let stated = |tokens: Option<u64>| tokens.map_or(-1.0, exact);

        built
            .span_high
            .push(u32::try_from(bits >> 32).unwrap_or(u32::MAX));
        built
            .span_low
            .push(u32::try_from(bits & 0xffff_ffff).unwrap_or(u32::MAX));
        built
            .parent
            .push(tree.parent[at].map_or(-1, |above| position[above]));
        built
            .depth
            .push(u16::try_from(tree.depth[at]).unwrap_or(u16::MAX));
        built.descendants.push(tree.descendants[at]);
        built.start.push(bar.start);
        built.duration.push(bar.duration);
        built.ttft.push(row.ttft_nanos().map_or(-1.0, exact));
        built.name.push(texts.index(row.title()));
        built.service.push(texts.index(&row.service));
        let model_from = ledger.entry(at).and_then(|entry| entry.model_from);
        let named = model_from.map_or(facts, |above| rows[above].facts.as_ref());
        built
            .model
            .push(texts.index(named.and_then(|named| named.model.as_deref()).unwrap_or("")));
        built
            .model_from
            .push(model_from.map_or(-1, |above| position[above]));
        built
            .error
            .push(texts.index(error.unwrap_or(if row.failed() { "error" } else { "" })));
        built.operation.push(
            operation
                .and_then(|index| u8::try_from(index).ok())
                .unwrap_or(u8::MAX),
        );
        built.status.push(if row.failed() { 2 } else { row.status });
        built
            .flags
            .push(set.fold(tree.flags[at] & heard, |flags, (bit, _)| flags | bit));
        built.input_tokens.push(stated(usage.input));
        built.output_tokens.push(stated(usage.output));
        built.cached_tokens.push(stated(usage.cache_read));
        built.cost.push(
            ledger
                .entry(at)
                .and_then(Entry::amount)
                .map_or(-1.0, NanoUsd::usd),
        );
        built.input_below.push(stated(below[at].input));
        built.output_below.push(stated(below[at].output));
        built
            .cost_below
            .push(below[at].cost.map_or(-1.0, NanoUsd::usd));
        let documents = facts.map_or(0, |facts| facts.documents);
        built
            .documents
            .push(u16::try_from(documents).unwrap_or(u16::MAX));
    }
    built.value.strings = texts.list;
    built.read_shape();
    built
}

impl Waterfall {
    fn empty(value: WaterfallValue) -> Self {
        Self {
            value,
            span_high: Vec::new(),
            span_low: Vec::new(),
            parent: Vec::new(),
            depth: Vec::new(),
            descendants: Vec::new(),
            start: Vec::new(),
            duration: Vec::new(),
            ttft: Vec::new(),
            name: Vec::new(),
            service: Vec::new(),
            model: Vec::new(),
            model_from: Vec::new(),
            error: Vec::new(),
            operation: Vec::new(),
            status: Vec::new(),
            flags: Vec::new(),
            input_tokens: Vec::new(),
            output_tokens: Vec::new(),
            cached_tokens: Vec::new(),
            cost: Vec::new(),
            input_below: Vec::new(),
            output_below: Vec::new(),
            cost_below: Vec::new(),
            documents: Vec::new(),
            critical_row: Vec::new(),
            critical_from: Vec::new(),
            critical_to: Vec::new(),
        }
    }

    /// Fills in what follows from all rows together: runs, idle stretches and the critical path.
    fn read_shape(&mut self) {
        self.value.runs = runs(self);
        self.value.idle = idle(self);
        self.value.idle_nanos = total(&self.value.idle);
        if self.value.extent_nanos > 0.0 {
            self.value.idle_share = self.value.idle_nanos / self.value.extent_nanos;
        }
        for Stretch { row, from, to } in critical_path(self) {
            if works(self, row as usize) {
                self.value.critical_nanos += to - from;
            }
            self.critical_row.push(row);
            self.critical_from.push(from);
            self.critical_to.push(to);
        }
    }
}

/// Texts, each once; index 0 is the empty text.
struct Texts {
    list: Vec<String>,
    known: HashMap<String, u32>,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            list: vec![String::new()],
            known: HashMap::from([(String::new(), 0)]),
        }
    }
}

impl Texts {
    fn index(&mut self, text: &str) -> u32 {
        if let Some(&index) = self.known.get(text) {
            return index;
        }
        let index = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(text.to_owned());
        self.known.insert(text.to_owned(), index);
        index
    }
}

/// The time axis of a trace, in nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    /// Time 0 of all rows.
    pub(super) origin: u64,
    /// The latest time.
    pub(super) latest: u64,
}

/// Where a row lies on the axis, in nanoseconds from its origin.
struct Bar {
    start: f64,
    /// -1 while pending.
    duration: f64,
    /// Whether the times cannot be.
    odd: bool,
}

impl Axis {
    /// Times that a program of today may state: 2000-01-01 to 2262-04-11, where `i64` ends.
    const SANE: std::ops::RangeInclusive<u64> = 946_684_800_000_000_000..=0x7fff_ffff_ffff_ffff;

    /// From the earliest start to the latest start or end. Times that are not sane count only where none is.
    pub(super) fn of(rows: &[SpanRow]) -> Self {
        let starts = || rows.iter().map(|row| row.start.0);
        let ends = || rows.iter().map(|row| row.end.0).filter(|&end| end != 0);
        let sane = |time: &u64| Self::SANE.contains(time);
        let origin = starts()
            .filter(sane)
            .min()
            .or_else(|| starts().filter(|&start| start != 0).min())
            .or_else(|| ends().min())
            .unwrap_or(0);
        let latest = if starts().any(|start| sane(&start)) {
            starts().chain(ends()).filter(sane).max()
        } else {
            starts().chain(ends()).max()
        };
        Self {
            origin,
            latest: latest.unwrap_or(origin).max(origin),
        }
    }

    /// Nanoseconds from origin to the latest time.
    pub(super) const fn extent(self) -> u64 {
        self.latest.saturating_sub(self.origin)
    }

    fn bar(self, row: &SpanRow) -> Bar {
        let (start, end) = (row.start.0, row.end.0);
        let left = start.clamp(self.origin, self.latest);
        let right = end.clamp(left, self.latest);
        let pending = end == 0;
        Bar {
            start: exact(left - self.origin),
            duration: if pending { -1.0 } else { exact(right - left) },
            odd: start != left || (!pending && end != right),
        }
    }
}

/// Nanoseconds or tokens as a double: exact to 2^53, which is 104 days.
#[expect(
    clippy::cast_precision_loss,
    reason = "the wire to the UI is doubles; beyond 2^53 the nearest one is shown"
)]
fn exact(number: u64) -> f64 {
    number as f64
}
