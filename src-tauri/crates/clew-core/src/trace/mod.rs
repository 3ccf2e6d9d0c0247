//! One trace: its tree, waterfall, summary, and the detail of each span.

mod detail;
mod summary;
mod waterfall;

pub use detail::{
    AttributeRow, ContentHint, EventRow, FactRow, LinkRow, LogRow, ScopeRow, SpanDetail, VariantRow,
};
pub use summary::{TraceState, TraceSummary};
pub use waterfall::{Waterfall, WaterfallValue, flag};
