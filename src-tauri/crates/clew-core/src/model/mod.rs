//! The vocabulary: what a trace is made of, in the field's own terms.
//!
//! OTLP's own messages ([`crate::otlp`]) stay what they are; this module holds what Clew adds to them.

mod bill;
mod bucket;
mod deep_link;
mod facts;
mod hash;
mod id;
mod llm;
mod media;
mod money;
mod outcome;
mod time;
mod usage;
mod value;

pub use bill::Bill;
pub use bucket::Bucket;
pub use deep_link::DeepLink;
pub use facts::{
    CacheCounting, CacheRule, Dialect, ErrorFact, Facts, PromptFact, Stated, Timing, ToolFact,
};
pub use hash::content_hash;
pub use id::{InvalidId, SpanId, TraceId};
pub use llm::{Document, Message, Operation, Part, ToolDefinition};
pub use media::{Embedded, MediaView};
pub use money::NanoUsd;
pub use outcome::{ErrorClass, Stage};
pub use time::{ROUNDING_NANOS, UnixNanos, first_token, nanos_between};
pub use usage::{Split, Usage, UsageFault};
pub use value::{SpanView, as_f64, as_str, as_u64, display, to_json};
