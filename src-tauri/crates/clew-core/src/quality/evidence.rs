//! Where something was seen, in the units that the UI counts in.

use std::ops::Range;

/// Ranges kept for one finding, the first ones: enough to show, and bounded for a text that is one long match.
const MAX_RANGES: usize = 500;

/// Length in characters of an excerpt, its ellipses included.
const EXCERPT_CHARS: usize = 400;

/// Turns byte ranges of `text` into UTF-16 code units, sorted, overlapping and touching ones merged, at most 500.
///
/// The ranges must lie on character boundaries of `text`, as those of `regex` do.
pub(super) fn utf16(text: &str, mut ranges: Vec<Range<usize>>) -> Vec<(u32, u32)> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        let kept = merged.len();
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ if kept == MAX_RANGES => break,
            _ => merged.push(range),
        }
    }
    let mut counted = 0_u32;
    let mut at = 0;
    let mut units_at = |to: usize| {
        let passed = text.get(at..to).unwrap_or_default();
        counted = counted.saturating_add(utf16_len(passed));
        at = to;
        counted
    };
    merged
        .into_iter()
        .map(|range| (units_at(range.start), units_at(range.end)))
        .collect()
}

/// A text around the first evidence, short enough for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// At most 400 characters of the text, with `…` where it was cut.
    pub text: String,
    /// The evidence that lies within, in UTF-16 code units of [`Excerpt::text`], cut to it.
    pub marks: Vec<(u32, u32)>,
}

/// Cuts `text` to at most 400 characters around the first of `evidence` (UTF-16 code units of `text`), or from the
/// start without evidence; ranges outside of the text are left out.
#[must_use]
pub fn excerpt(text: &str, evidence: &[(u32, u32)]) -> Excerpt {
    let chars = text.chars().count();
    let first = evidence
        .first()
        .map_or(0, |&(start, _)| chars_before(text, start));
    let (from, to) = if chars <= EXCERPT_CHARS {
        (0, chars)
    } else {
        // A third before the evidence, the rest from it on; two characters are kept for the ellipses.
        let room = EXCERPT_CHARS - 2;
        let from = first.saturating_sub(room / 3).min(chars - room);
        (from, from + room)
    };
    let body: String = text.chars().skip(from).take(to - from).collect();
    let cut = utf16_len(&text.chars().take(from).collect::<String>());
    let (lead, tail) = (from > 0, to < chars);
    let shift = u32::from(lead);
    let end = utf16_len(&body);
    let marks = evidence
        .iter()
        .filter_map(|&(start, stop)| {
            let start = start.max(cut) - cut;
            let stop = stop.saturating_sub(cut).min(end);
            (start < stop).then_some((start + shift, stop + shift))
        })
        .collect();
    Excerpt {
        text: format!(
            "{}{body}{}",
            if lead { "…" } else { "" },
            if tail { "…" } else { "" }
        ),
        marks,
    }
}

/// Characters that lie wholly before a position in UTF-16 code units.
fn chars_before(text: &str, units: u32) -> usize {
    let mut counted = 0_u32;
    text.chars()
        .take_while(|c| {
            counted = counted.saturating_add(if *c > '\u{ffff}' { 2 } else { 1 });
            counted <= units
        })
        .count()
}

fn utf16_len(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}
