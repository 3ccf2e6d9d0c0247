//! Lints about times, stated and of arrival.

use super::{Observed, Seen};
use crate::trace::flag;

/// How far a span may start after it arrived, in microseconds: clocks of good machines differ by less.
const AHEAD_MICROS: u64 = 2_000_000;
/// How long after its end a span may arrive, in microseconds: three times the delay of a batch by default
/// (`OTEL_BSP_SCHEDULE_DELAY`, 5,000 ms).
const LATE_MICROS: u64 = 15_000_000;
/// Spans that arrive later than this were kept and sent again on purpose.
const KEPT_MICROS: u64 = 3_600_000_000;

const SYNC: &str =
    "Set the clocks by NTP on all machines, and in virtual machines and containers after sleep.";

/// A start in the future, or before its parent's.
pub(super) fn clock(span: &Observed) -> Option<Seen> {
    let start = span.view.span.start_time_unix_nano / 1_000;
    if span.is_live() && start > span.received_micros.saturating_add(AHEAD_MICROS) {
        let seconds = (start - span.received_micros) / 1_000_000;
        let what =
            format!("A span starts {seconds} s after it arrived: the clock that timed it is ahead");
        return Some(Seen::new(what, SYNC));
    }
    (span.flags & flag::SKEW != 0)
        .then(|| Seen::new("A span starts before its parent: two clocks disagree", SYNC))
}

/// An arrival long after the end. Batches that are sent late look like spans that something held back.
pub(super) fn late(span: &Observed) -> Option<Seen> {
    let end = span.view.span.end_time_unix_nano / 1_000;
    let took = span.received_micros.checked_sub(end)?;
    if !span.is_live() || !span.has_ended() || !(LATE_MICROS..KEPT_MICROS).contains(&took) {
        return None;
    }
    let what = format!(
        "A span came {} s after it ended: its program batches that long, or Clew was closed, or a collector holds spans \
         back, or the sender's clock is slow",
        took / 1_000_000
    );
    Some(
        Seen::new(what, "If it is the program, send smaller batches sooner.")
            .set("OTEL_BSP_SCHEDULE_DELAY=1000 OTEL_BSP_MAX_EXPORT_BATCH_SIZE=128"),
    )
}
