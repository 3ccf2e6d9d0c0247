//! What a chart draws of the calls: its series with names and inks.

use std::collections::BTreeMap;

use super::{Chart, Grouping, NAMED_INKS, REST_INK, inks_of};
use crate::model::ErrorClass;
use crate::trend::{Measure, ModelCall, Stat, TrendPoint, TrendSeries, Window, aggregate};

/// Characters of a series' name.
const NAME_CHARS: usize = 80;

/// The series of calls that name no model.
const NO_MODEL: &str = "no model stated";

/// The series of all models beyond the largest.
const REST: &str = "other models";

/// The series of all classes of errors beyond the most frequent.
const REST_CLASSES: &str = "other classes";

/// One series to draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plotted {
    pub(super) name: String,
    pub(super) ink: u32,
    pub(super) values: Vec<Option<f64>>,
}

/// The series that a chart has of these calls, from the bottom of a stack to its top.
pub(super) fn series(chart: &Chart, calls: &[ModelCall], window: &Window) -> Vec<Plotted> {
    match chart.grouping {
        Grouping::Named(lines) => lines
            .iter()
            .flat_map(|line| {
                aggregate(points(calls, line.measure, |_| ""), window, line.stat)
                    .into_iter()
                    .map(|series| Plotted {
                        name: line.name.to_owned(),
                        ink: line.ink,
                        values: series.values,
                    })
            })
            .collect(),
        Grouping::ByModel { measure, stat } => {
            by_largest(calls, measure, stat, window, model, REST)
        }
        Grouping::ByErrorClass => {
            let failed: Vec<ModelCall> = calls.iter().filter(|call| call.failed).cloned().collect();
            by_largest(
                &failed,
                Measure::Errors,
                Stat::Sum,
                window,
                class,
                REST_CLASSES,
            )
        }
    }
}

/// One series for each of the largest groups; all others make the one named `rest`.
fn by_largest(
    calls: &[ModelCall],
    measure: Measure,
    stat: Stat,
    window: &Window,
    group: fn(&ModelCall) -> &str,
    rest: &str,
) -> Vec<Plotted> {
    let largest = largest_groups(calls, measure, window, group);
    let grouped = points(calls, measure, |call| {
        let name = group(call);
        largest
            .iter()
            .find(|kept| **kept == name)
            .copied()
            .unwrap_or_default()
    });
    let mut groups = aggregate(grouped, window, stat);
    groups.sort_by(|one, other| other.total().total_cmp(&one.total()));
    named(groups, rest)
}

fn class(call: &ModelCall) -> &str {
    call.error.unwrap_or(ErrorClass::Other).title()
}

fn model(call: &ModelCall) -> &str {
    call.model
        .as_deref()
        .filter(|model| !model.is_empty())
        .unwrap_or(NO_MODEL)
}

/// The groups that get a series of their own: those with the largest sums, however many there are.
fn largest_groups<'a>(
    calls: &'a [ModelCall],
    measure: Measure,
    window: &Window,
    group: fn(&ModelCall) -> &str,
) -> Vec<&'a str> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for point in points(calls, measure, group) {
        if window.bucket(point.at_micros).is_some() {
            *sums.entry(point.group).or_default() += point.value;
        }
    }
    let mut sums: Vec<(&str, f64)> = sums.into_iter().collect();
    sums.sort_by(|one, other| other.1.total_cmp(&one.1));
    sums.into_iter()
        .take(NAMED_INKS)
        .map(|(name, _)| name)
        .collect()
}

/// Gives groups their inks, in order of name so that sizes do not matter; the one named `""` is the rest, at the end.
fn named(mut groups: Vec<TrendSeries>, rest: &str) -> Vec<Plotted> {
    groups.sort_by_key(|group| group.name.is_empty());
    let mut names: Vec<&str> = groups
        .iter()
        .map(|group| group.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    let inks = inks_of(&names);
    groups
        .iter()
        .map(|group| {
            let place = names.iter().position(|name| *name == group.name);
            Plotted {
                name: if group.name.is_empty() {
                    rest.to_owned()
                } else {
                    shown_name(&group.name)
                },
                ink: place
                    .and_then(|at| inks.get(at).copied())
                    .unwrap_or(REST_INK),
                values: group.values.clone(),
            }
        })
        .collect()
}

fn points<'a>(
    calls: &'a [ModelCall],
    measure: Measure,
    group: impl Fn(&'a ModelCall) -> &'a str,
) -> impl Iterator<Item = TrendPoint<'a>> {
    calls.iter().filter_map(move |call| {
        Some(TrendPoint {
            at_micros: call.start_micros,
            value: measure.of(call)?,
            group: group(call),
        })
    })
}

/// A foreign name made safe to show and to write into a drawing: at most 80 characters, with control characters,
/// characters that turn the direction of writing and what XML forbids replaced by `�`.
pub(super) fn shown_name(name: &str) -> String {
    let mut shown: String = name
        .chars()
        .take(NAME_CHARS)
        .map(|c| match c {
            c if c.is_control() => '\u{fffd}',
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => '\u{fffd}',
            '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            c => c,
        })
        .collect();
    if shown.chars().count() == NAME_CHARS && name.chars().nth(NAME_CHARS).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}
