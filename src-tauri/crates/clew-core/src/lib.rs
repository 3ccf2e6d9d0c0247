//! What Clew knows about traces, as pure functions: bytes and rows in, values out.
//!
//! No io, no async, no clock, no global state: equal inputs give equal bytes. Effects are `clew-engine`'s.
//!
//! Code map, in the order in which modules may depend on one another:
//! - [`model`]: the vocabulary (ids, time, values, operations, messages, facts).
//! - [`otlp`]: requests as bytes or JSON to single spans, logs and metrics, and what was wrong with each.
//! - [`format`]: saved trace files; everything becomes OTLP first.
//! - [`convention`]: what a span says of itself, in every vocabulary of attributes.
//! - [`price`]: what a model call cost, from whose list, and since when.
//! - [`quality`]: heuristics over responses, with their evidence.
//! - [`estimate`]: tokens of calls that state none, counted in what is recorded of them.
//! - [`prompt`]: template versions and their differences.
//! - [`trace`]: tree, waterfall, summary, detail of one span, Markdown for a model.
//! - [`lint`]: what is wrong with telemetry that arrives, and what to change.
//! - [`trend`]: measures over time, buckets, quantiles.
//! - [`chart`]: drawings of trends, with where every point landed.
//! - [`packed`]: columns of numbers as bytes, for answers too big for JSON.

pub mod chart;
pub mod convention;
pub mod estimate;
pub mod format;
pub mod lint;
pub mod model;
pub mod otlp;
pub mod packed;
pub mod price;
pub mod prompt;
pub mod quality;
pub mod trace;
pub mod trend;
