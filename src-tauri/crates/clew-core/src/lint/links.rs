//! Lints about how spans hang together.

use super::{Observed, Seen};
use crate::trace::flag;

/// A parent that is not there though its trace rests.
pub(super) fn broken_parent(span: &Observed) -> Option<Seen> {
    // A parent that still runs is not sent yet.
    if span.flags & flag::ORPHAN == 0 || span.is_running {
        return None;
    }
    Some(Seen::new(
        "A span names a parent that never came: its process does not export to Clew, ended before it sent, or the parent \
         was sampled out",
        "export from every process of the trace, call the provider's shutdown at its end, and sample by parent: \
         OTEL_TRACES_SAMPLER=parentbased_always_on",
    ))
}

/// A span that is its own ancestor.
pub(super) fn cycle(span: &Observed) -> Option<Seen> {
    (span.flags & flag::CYCLE != 0).then(|| {
        Seen::new(
            "A span is its own ancestor: one of the parents in its line is wrong",
            "do not set ids by hand: take the parent from the context (traceparent)",
        )
    })
}
