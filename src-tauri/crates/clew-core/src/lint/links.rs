//! Lints about how spans hang together.

use super::{Observed, Seen};
use crate::trace::flag;

/// How long a live span waits for its parent, in microseconds: spans are sent when they end, and an agent that waits for
/// its user may take long.
const PATIENCE_MICROS: u64 = 1_800_000_000;

/// Bits of OTLP's span flags: whether it is known that the parent lies in another process, and whether it does.
const KNOWS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Whether the span's parent is missing though its trace rests.
fn has_lost_its_parent(span: &Observed) -> bool {
    span.flags & flag::ORPHAN != 0 && !span.is_running
}

fn is_remote(span: &Observed) -> bool {
    let remote = KNOWS_REMOTE | IS_REMOTE;
    span.view.span.flags & remote == remote
}

/// A parent in the same program, or perhaps in it, that does not come.
pub(super) fn broken_parent(span: &Observed) -> Option<Seen> {
    let waits =
        span.is_live() && span.now_micros.saturating_sub(span.received_micros) < PATIENCE_MICROS;
    if !has_lost_its_parent(span) || is_remote(span) || waits {
        return None;
    }
    Some(
        Seen::new(
            "A span names a parent that never came: its process ended before it sent, or does not export to Clew, or the \
             parent was sampled out",
            "Call the provider's shutdown at the program's end, export from every process of the trace, and sample by \
             parent.",
        )
        .set("OTEL_TRACES_SAMPLER=parentbased_always_on"),
    )
}

/// A parent in another program, such as a gateway or a browser, that does not come.
pub(super) fn remote_parent(span: &Observed) -> Option<Seen> {
    (has_lost_its_parent(span) && is_remote(span)).then(|| {
        Seen::new(
            "A span's parent lies in another program, which does not export to Clew: its trace begins in the middle",
            "Export from the program that calls this one too, if it is yours.",
        )
    })
}

/// A span that is its own ancestor.
pub(super) fn cycle(span: &Observed) -> Option<Seen> {
    (span.flags & flag::CYCLE != 0).then(|| {
        Seen::new(
            "A span is its own ancestor: one of the parents in its line is wrong",
            "Do not set ids by hand: take the parent from the context (traceparent).",
        )
    })
}
