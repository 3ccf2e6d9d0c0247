//! Ticks and numbers: which values an axis names, and how figures read.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};

use super::Unit;
use crate::trend::{DAY, MINUTE, SECOND, floor, round_step};

/// The longest steps of a duration axis that are not powers of ten, in nanoseconds.
const DURATIONS: [f64; 14] = [
    1e9, 2e9, 5e9, 10e9, 15e9, 30e9, 60e9, 120e9, 300e9, 600e9, 900e9, 1_800e9, 3_600e9, 7_200e9,
];

/// A vertical axis: ticks from 0 to the top, evenly spaced.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    pub(super) top: f64,
    pub(super) ticks: Vec<f64>,
}

/// An axis from 0 to at least `max` with at most `intervals` (1 to 20) round steps.
pub(super) fn scale(unit: Unit, max: f64, intervals: u32) -> Scale {
    let floor = match unit {
        Unit::Tokens | Unit::Calls => 1.0,
        Unit::Dollars => 1e-9,
        Unit::Nanos => 1.0,
    };
    let max = if max.is_finite() && max > 0.0 {
        max.clamp(floor, 1e300)
    } else {
        empty_top(unit)
    };
    let intervals = intervals.clamp(1, 20);
    let step = nice(unit, max / f64::from(intervals)).max(floor);
    // A hair below a whole number of steps is that number: 0.3 / 0.1 is 2.999…
    let steps = ((max / step) - 1e-9).ceil().clamp(1.0, 20.0);
    let ticks = (0..=20_u32)
        .map(f64::from)
        .filter(|tick| *tick <= steps)
        .map(|tick| tick * step)
        .collect();
    Scale {
        top: steps * step,
        ticks,
    }
}

/// Where an axis ends that has nothing to show.
fn empty_top(unit: Unit) -> f64 {
    match unit {
        Unit::Tokens => 1_000.0,
        Unit::Calls => 4.0,
        Unit::Dollars => 0.01,
        Unit::Nanos => 1e9,
    }
}

/// The smallest round number of at least `least`.
fn nice(unit: Unit, least: f64) -> f64 {
    if unit == Unit::Nanos && least > 1e9 {
        if let Some(step) = DURATIONS.into_iter().find(|step| *step >= least) {
            return step;
        }
        return 3.6e12 * decimal(least / 3.6e12);
    }
    decimal(least)
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least`.
fn decimal(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A figure for a tooltip, to three digits, with its unit: "12.4k tokens", "$0.0123", "1.84 s".
pub(super) fn label(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Tokens if value == 1.0 => "1 token".to_owned(),
        Unit::Tokens => format!("{} tokens", short(unit, value)),
        Unit::Calls if value == 1.0 => "1 call".to_owned(),
        Unit::Calls => format!("{} calls", short(unit, value)),
        Unit::Dollars | Unit::Nanos => short(unit, value),
    }
}

/// A figure for a tick: "12.4k", "$0.01", "850 ms".
pub(super) fn short(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Tokens | Unit::Calls => count(value),
        Unit::Dollars => dollars(value),
        Unit::Nanos => duration(value),
    }
}

/// The names of an axis' ticks: [`short`], with as many decimals for each sum of dollars as one of them needs; zero is
/// "0".
pub(super) fn tick_names(unit: Unit, ticks: &[f64]) -> Vec<String> {
    let names: Vec<String> = ticks.iter().map(|tick| short(unit, *tick)).collect();
    let decimals = |name: &String| name.split_once('.').map_or(0, |(_, digits)| digits.len());
    let most = names.iter().map(decimals).max().unwrap_or(0);
    let plain_dollars = unit == Unit::Dollars && ticks.iter().all(|tick| *tick < 999.5);
    ticks
        .iter()
        .zip(names)
        .map(|(tick, name)| match *tick {
            0.0 => "0".to_owned(),
            tick if plain_dollars && most > 0 && most <= 9 => format!("${tick:.most$}"),
            _ => name,
        })
        .collect()
}

fn count(value: f64) -> String {
    scaled(
        value,
        &[(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")],
        1e3,
    )
}

fn duration(nanos: f64) -> String {
    if nanos == 0.0 {
        return "0 s".to_owned();
    }
    const SUBSECOND: [(f64, &str); 4] = [(1.0, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s")];
    if rounded(nanos / 1e9).abs() < 60.0 {
        scaled(nanos, &SUBSECOND, 1e3)
    } else {
        scaled(nanos, &[(6e10, " min"), (3.6e12, " h")], 60.0)
    }
}

fn dollars(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 { "−" } else { "" };
    if size >= 999.5 {
        return format!("{sign}${}", count(size));
    }
    if size >= 1.0 {
        let cents = format!("{size:.2}");
        return format!("{sign}${}", cents.strip_suffix(".00").unwrap_or(&cents));
    }
    let text = plain(size);
    // Cents are written in full: $0.10, not $0.1.
    match text.strip_prefix("0.") {
        Some(digits) if digits.len() == 1 => format!("{sign}${text}0"),
        _ => format!("{sign}${text}"),
    }
}

/// A number in the largest unit of which it has at least one, where `limit` of one unit are one of the next.
fn scaled(value: f64, units: &[(f64, &str)], limit: f64) -> String {
    let mut text = String::new();
    for (size, name) in units {
        let here = rounded(value / size);
        text = format!("{}{name}", plain(here));
        if here.abs() < limit {
            break;
        }
    }
    text
}

/// The value to three significant digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// Three significant digits without trailing zeros; what is too small or too large for a plain number, with an
/// exponent.
fn plain(value: f64) -> String {
    let value = rounded(value);
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-9..1e6).contains(&value.abs()) {
        return format!("{value:e}").replace('-', "−");
    }
    format!("{value}").replace('-', "−")
}

/// One named instant of a time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeTick {
    pub(super) at: u64,
    pub(super) text: String,
}

/// Round local times between two instants, at most `most` of them, named by the clock, or by the date where the step is
/// a day or more and at midnight.
pub(super) fn time_ticks(
    from: u64,
    to: u64,
    most: usize,
    utc_offset_minutes: i32,
) -> Vec<TimeTick> {
    let most = u64::try_from(most.max(1)).unwrap_or(1);
    let step = round_step(to.saturating_sub(from).div_ceil(most));
    let mut at = floor(from, step, utc_offset_minutes);
    let mut ticks = Vec::new();
    while at <= to && ticks.len() <= 100 {
        if at >= from {
            ticks.push(TimeTick {
                at,
                text: clock(at, step, utc_offset_minutes),
            });
        }
        let Some(next) = at.checked_add(step) else {
            break;
        };
        at = next;
    }
    ticks
}

fn clock(at: u64, step: u64, utc_offset_minutes: i32) -> String {
    let local = i64::try_from(at)
        .ok()
        .and_then(DateTime::<Utc>::from_timestamp_micros)
        .and_then(|utc| utc.checked_add_signed(TimeDelta::minutes(utc_offset_minutes.into())));
    let Some(local) = local else {
        return String::new();
    };
    let month = MONTHS
        .get(usize::try_from(local.month0()).unwrap_or(0))
        .unwrap_or(&"");
    let midnight = local.hour() == 0 && local.minute() == 0 && local.second() == 0;
    if step >= 84 * DAY {
        format!("{month} {}", local.year())
    } else if step >= DAY || (midnight && step >= MINUTE) {
        format!("{} {month}", local.day())
    } else if step.is_multiple_of(MINUTE) {
        format!("{:02}:{:02}", local.hour(), local.minute())
    } else {
        format!(
            "{:02}:{:02}:{:02}",
            local.hour(),
            local.minute(),
            local.second()
        )
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Whether a time axis of this step names seconds, which need more room.
pub(super) fn names_seconds(from: u64, to: u64, most: usize) -> bool {
    let most = u64::try_from(most.max(1)).unwrap_or(1);
    !round_step(to.saturating_sub(from).div_ceil(most)).is_multiple_of(60 * SECOND)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        for (unit, value, text) in [
            (Unit::Tokens, 0.0, "0"),
            (Unit::Tokens, 312.0, "312"),
            (Unit::Tokens, 1_234.0, "1.23k"),
            (Unit::Tokens, 999_900.0, "1M"),
            (Unit::Tokens, 12_000_000.0, "12M"),
            (Unit::Dollars, 0.0, "$0"),
            (Unit::Dollars, 0.1, "$0.10"),
            (Unit::Dollars, 0.01, "$0.01"),
            (Unit::Dollars, 0.012_345, "$0.0123"),
            (Unit::Dollars, 0.000_05, "$0.00005"),
            (Unit::Dollars, 2.5, "$2.50"),
            (Unit::Dollars, 5.0, "$5"),
            (Unit::Dollars, 12_400.0, "$12.4k"),
            (Unit::Dollars, -0.5, "−$0.50"),
            (Unit::Nanos, 850e6, "850 ms"),
            (Unit::Nanos, 2.14e9, "2.14 s"),
            (Unit::Nanos, 999.9e6, "1 s"),
            (Unit::Nanos, 12e3, "12 µs"),
            (Unit::Nanos, 90e9, "1.5 min"),
            (Unit::Nanos, 59.99e9, "1 min"),
            (Unit::Nanos, 7_200e9, "2 h"),
        ] {
            assert_eq!(short(unit, value), text, "{value}");
        }
        assert_eq!(label(Unit::Tokens, 1.0), "1 token");
        assert_eq!(label(Unit::Tokens, 1_234.0), "1.23k tokens");
    }

    #[test]
    fn axes_end_on_a_round_number() {
        let ticks = |unit, max| -> Vec<String> { tick_names(unit, &scale(unit, max, 4).ticks) };
        assert_eq!(
            ticks(Unit::Tokens, 1_732.0),
            ["0", "500", "1k", "1.5k", "2k"]
        );
        assert_eq!(ticks(Unit::Tokens, 1.0), ["0", "1"]);
        assert_eq!(ticks(Unit::Dollars, 0.3), ["0", "$0.10", "$0.20", "$0.30"]);
        assert_eq!(ticks(Unit::Nanos, 3.1e9), ["0", "1 s", "2 s", "3 s", "4 s"]);
        assert_eq!(
            ticks(Unit::Nanos, 100e9),
            ["0", "30 s", "1 min", "1.5 min", "2 min"]
        );
    }

    #[test]
    fn times_are_the_readers() {
        // 2026-11-20T22:07:33Z
        let at = 1_795_212_453 * SECOND;
        let texts = |span, offset| -> Vec<String> {
            time_ticks(at, at + span, 6, offset)
                .into_iter()
                .map(|tick| tick.text)
                .collect()
        };
        assert_eq!(texts(60 * SECOND, 0)[0], "22:07:40");
        assert_eq!(texts(60 * MINUTE, 0)[0], "22:10");
        assert_eq!(
            texts(240 * MINUTE, 60),
            ["21 Nov", "01:00", "02:00", "03:00"]
        );
        assert_eq!(
            texts(5 * DAY, 0),
            ["21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov"]
        );
        assert_eq!(
            texts(800 * DAY, 0)
                .last()
                .map(String::as_str)
                .map(|text| text.len()),
            Some(8)
        );
    }

    proptest! {
        #[test]
        fn an_axis_always_covers_its_values(max in prop::num::f64::ANY, intervals: u32) {
            for unit in [Unit::Tokens, Unit::Dollars, Unit::Nanos, Unit::Calls] {
                let scale = scale(unit, max, intervals);
                prop_assert!(scale.top.is_finite() && scale.top > 0.0);
                prop_assert!(scale.ticks.len() >= 2 && scale.ticks.len() <= 21);
                if max.is_finite() && max <= 1e300 {
                    prop_assert!(scale.top >= max * (1.0 - 1e-6), "{} < {max}", scale.top);
                }
                let _ = label(unit, max);
            }
        }

        #[test]
        fn any_time_has_a_name(from: u64, span: u64, most in 0_usize..50, offset in -900_i32..900) {
            let to = from.saturating_add(span);
            let ticks = time_ticks(from, to, most, offset);
            prop_assert!(ticks.len() <= most.max(1) + 1);
            prop_assert!(ticks.iter().all(|tick| tick.at >= from && tick.at <= to));
        }
    }
}
