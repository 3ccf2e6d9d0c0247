//! Times that spans state as events or as ISO 8601.

use chrono::DateTime;

use super::key_map::KeyMap;
use super::table::Keys;
use crate::model::{self, Stated};

/// Nanoseconds from the span's start to the first event of one of these names.
pub(super) fn first_event(map: &KeyMap, convention: &str, names: Keys) -> Option<Stated<u64>> {
    if names.is_empty() {
        return None;
    }
    let span = map.view().span;
    let event = span
        .events
        .iter()
        .filter(|event| names.contains(&event.name.as_str()))
        .min_by_key(|event| event.time_unix_nano)?;
    let nanos = nanos_between(map, event.time_unix_nano, &event.name)?;
    Some(Stated::new(nanos, convention, &event.name))
}

/// Nanoseconds from the span's start to the time that `key` states.
pub(super) fn since_start(map: &KeyMap, iso: &str, key: &str) -> Option<u64> {
    let at = DateTime::parse_from_rfc3339(iso.trim().trim_matches('"')).ok()?;
    let at = u64::try_from(at.timestamp_nanos_opt()?).ok()?;
    nanos_between(map, at, key)
}

/// Nanoseconds from the span's start to `at`, as `told` states it; `None` where either is missing. A time before the
/// start, rounding aside, is noted.
fn nanos_between(map: &KeyMap, at: u64, told: &str) -> Option<u64> {
    let start = map.view().span.start_time_unix_nano;
    if start == 0 || at == 0 {
        return None;
    }
    let between = model::nanos_between(start, at);
    if between.is_none() {
        map.refuse(told);
    }
    between
}
