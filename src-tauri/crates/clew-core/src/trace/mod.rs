//! One trace: its tree, waterfall, summary, and the detail of each span.

mod citation;
mod content_hint;
mod critical_path;
mod detail;
mod idle;
mod ledger;
mod markdown;
mod references;
mod row;
mod rows;
mod run;
mod served;
mod skew;
mod summary;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod timing;
mod tree;
mod waterfall;

pub use citation::{Answered, Citation, CitingCall, Retrieved};
pub(crate) use content_hint::content_hint;
pub use detail::{
    AttributeRow, ContentHint, DialectRow, EventRow, FactRow, LinkRow, LogRow, RelatedLog,
    SpanDetail, SpanFacts, Surroundings, VariantRow, detail, span_facts,
};
pub use ledger::{
    Cost, CostBasis, Entry, Estimated, EstimatedCall, Exclusion, Ledger, LedgerCost,
    LedgerEstimate, LedgerLine, LedgerRow, LedgerStanding, Line, NamedAbove, Standing, Sums,
    WhatIfAmount, WhatIfFigures, WhatIfModel, WhatIfModelAmount, WhatIfRow, WhatIfSheet,
    WhatIfTable, csv, ledger_rows, named_above,
};
pub use markdown::markdown;
pub use references::References;
pub use row::{RowFacts, SpanRow};
pub use rows::TraceRows;
pub use run::Run;
pub use served::{Served, served};
pub use skew::skew;
pub use summary::{RUNNING_MICROS, Roots, TraceState, TraceSummary, summary};
pub use timing::{TimingPart, TimingRow};
pub use tree::{Tree, tree};
pub use waterfall::{Waterfall, WaterfallValue, WindowUse, flag, told, waterfall};
