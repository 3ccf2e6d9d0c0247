//! Times that spans state as events or as ISO 8601.

use chrono::DateTime;

use super::table::Keys;
use crate::model::{SpanView, Stated};

/// Nanoseconds from the span's start to the first event of one of these names.
pub(super) fn first_event(view: &SpanView, convention: &str, names: Keys) -> Option<Stated<u64>> {
    if names.is_empty() {
        return None;
    }
    let event = view
        .span
        .events
        .iter()
        .filter(|event| names.contains(&event.name.as_str()))
        .min_by_key(|event| event.time_unix_nano)?;
    let nanos = nanos_between(view.span.start_time_unix_nano, event.time_unix_nano)?;
    Some(Stated::new(nanos, convention, &event.name))
}

/// Nanoseconds from the span's start to this time.
pub(super) fn since_start(view: &SpanView, iso: &str) -> Option<u64> {
    let at = DateTime::parse_from_rfc3339(iso.trim().trim_matches('"')).ok()?;
    let at = u64::try_from(at.timestamp_nanos_opt()?).ok()?;
    nanos_between(view.span.start_time_unix_nano, at)
}

/// Nanoseconds from `start` to `at`; `None` where either is missing or they are in the wrong order.
fn nanos_between(start: u64, at: u64) -> Option<u64> {
    (start != 0 && at != 0)
        .then(|| at.checked_sub(start))
        .flatten()
}
