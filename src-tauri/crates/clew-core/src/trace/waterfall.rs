//! A trace as waterfall rows: pre-order, packed in columns.

use serde::Serialize;
use ts_rs::TS;

use super::TraceSummary;
use crate::packed::{Column, Pack};

/// Bits of [`Waterfall::flags`].
pub mod flag {
    /// The parent has not arrived: the row stands at top level.
    pub const ORPHAN: u16 = 1;
    /// The row's parent edge closed a cycle and was cut.
    pub const CYCLE: u16 = 1 << 1;
    /// Other content was received under the same span id.
    pub const VARIANTS: u16 = 1 << 2;
    /// The end lies before the start; the bar has no length.
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
    /// Nanoseconds from the start to the first token; -1 where not stated.
    #[ts(type = "Float64Array")]
    pub ttft: Vec<f64>,
    /// Display name, as an index into `strings`.
    #[ts(type = "Uint32Array")]
    pub name: Vec<u32>,
    /// `service.name`, as an index into `strings`.
    #[ts(type = "Uint32Array")]
    pub service: Vec<u32>,
    /// The model, as an index into `strings`.
    #[ts(type = "Uint32Array")]
    pub model: Vec<u32>,
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
    /// Stated cost in US dollars; -1 where not stated.
    #[ts(type = "Float64Array")]
    pub cost: Vec<f64>,
    /// Documents retrieved.
    #[ts(type = "Uint16Array")]
    pub documents: Vec<u16>,
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
            ("error", Column::U32(self.error.clone())),
            ("operation", Column::U8(self.operation.clone())),
            ("status", Column::U8(self.status.clone())),
            ("flags", Column::U16(self.flags.clone())),
            ("inputTokens", Column::F64(self.input_tokens.clone())),
            ("outputTokens", Column::F64(self.output_tokens.clone())),
            ("cachedTokens", Column::F64(self.cached_tokens.clone())),
            ("cost", Column::F64(self.cost.clone())),
            ("documents", Column::U16(self.documents.clone())),
        ]
    }
}
