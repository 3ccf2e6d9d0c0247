//! Measures over time: what is counted of each call, in which buckets, by which statistic.

use std::collections::BTreeMap;

use crate::model::ErrorClass;

mod window;

pub use window::Window;
pub(crate) use window::{DAY, MINUTE, SECOND, floor, round_step};

/// One model call with its figures; `None` is "not stated".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelCall {
    /// Microseconds since the epoch of its start.
    pub start_micros: u64,
    /// The model that answered, or was asked.
    pub model: Option<String>,
    /// Duration in nanoseconds, of a call that ended.
    pub duration_nanos: Option<u64>,
    /// Prompt tokens, cached ones included.
    pub input_tokens: Option<u64>,
    /// Prompt tokens read from the provider's cache, a part of the input.
    pub cached_tokens: Option<u64>,
    /// Output tokens.
    pub output_tokens: Option<u64>,
    /// Cost in US dollars, as the ledger has it.
    pub cost_usd: Option<f64>,
    /// Whether it failed.
    pub failed: bool,
    /// Why it failed.
    pub error: Option<ErrorClass>,
}

/// What is measured of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Prompt tokens, cached ones included.
    InputTokens,
    /// Prompt tokens that the provider's cache did not serve: input less cached.
    FreshTokens,
    /// Prompt tokens that the provider's cache served.
    CachedTokens,
    /// Output tokens.
    OutputTokens,
    /// Cost in US dollars, as the ledger has it.
    Cost,
    /// Duration in nanoseconds.
    Latency,
    /// 1 for every call.
    Calls,
    /// 1 for a call that failed, else 0.
    Errors,
}

impl Measure {
    /// The figure of one call; `None` where the call does not state it or states what is not a number.
    #[must_use]
    pub fn of(self, call: &ModelCall) -> Option<f64> {
        let whole = match self {
            Self::InputTokens => call.input_tokens,
            Self::FreshTokens => call
                .input_tokens
                .map(|input| input.saturating_sub(call.cached_tokens.unwrap_or(0))),
            Self::CachedTokens => call.cached_tokens,
            Self::OutputTokens => call.output_tokens,
            Self::Cost => return call.cost_usd.filter(|cost| cost.is_finite()),
            Self::Latency => call.duration_nanos,
            Self::Calls => Some(1),
            Self::Errors => Some(u64::from(call.failed)),
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "figures are drawn and shown to three digits"
        )]
        whole.map(|value| value as f64)
    }
}

/// How the figures of one bucket become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stat {
    /// Their sum.
    Sum,
    /// Their number.
    Count,
    /// Their sum for each second of the bucket.
    Rate,
    /// The 50th percentile ([`quantile`]).
    P50,
    /// The 95th percentile ([`quantile`]).
    P95,
}

/// One figure at one instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendPoint<'a> {
    /// Microseconds since the epoch.
    pub at_micros: u64,
    /// The figure, finite.
    pub value: f64,
    /// The series that it belongs to.
    pub group: &'a str,
}

/// One series of a trend.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendSeries {
    /// Its name.
    pub name: String,
    /// Its value in each bucket of the window; `None` where nothing was measured, which is not 0.
    pub values: Vec<Option<f64>>,
}

impl TrendSeries {
    /// The sum of its values, at most the largest finite number.
    #[must_use]
    pub fn total(&self) -> f64 {
        finite(self.values.iter().flatten().sum())
    }
}

/// Sorts figures into the window's buckets and takes one statistic of each; series are sorted by name.
///
/// Figures outside of the window or not finite are left out. Exact: no figure is sampled or rounded.
#[must_use]
pub fn aggregate<'a>(
    points: impl IntoIterator<Item = TrendPoint<'a>>,
    window: &Window,
    stat: Stat,
) -> Vec<TrendSeries> {
    let mut groups: BTreeMap<&str, Vec<Vec<f64>>> = BTreeMap::new();
    for point in points {
        let Some(bucket) = window.bucket(point.at_micros) else {
            continue;
        };
        if !point.value.is_finite() {
            continue;
        }
        let buckets = groups
            .entry(point.group)
            .or_insert_with(|| vec![Vec::new(); window.len]);
        if let Some(values) = buckets.get_mut(bucket) {
            values.push(point.value);
        }
    }
    groups
        .into_iter()
        .map(|(name, buckets)| TrendSeries {
            name: name.to_owned(),
            values: buckets
                .into_iter()
                .map(|mut values| statistic(&mut values, stat, window.step))
                .collect(),
        })
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "neither a bucket's length nor its number of calls nears 2^53"
)]
fn statistic(values: &mut [f64], stat: Stat, step: u64) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    // In order of size, so that a sum does not depend on the order of arrival.
    values.sort_by(f64::total_cmp);
    let value = match stat {
        Stat::Sum => values.iter().sum(),
        Stat::Count => values.len() as f64,
        Stat::Rate => values.iter().sum::<f64>() / (step.max(1) as f64 / SECOND as f64),
        Stat::P50 => quantile(values, 50)?,
        Stat::P95 => quantile(values, 95)?,
    };
    Some(finite(value))
}

/// A percentile (0 to 100) by the nearest rank: the smallest value that at least `percent` % of the values do not
/// exceed, so always one that was measured. `sorted` is in ascending order; `None` of none.
#[must_use]
pub fn quantile(sorted: &[f64], percent: u32) -> Option<f64> {
    let percent = usize::try_from(percent.min(100)).unwrap_or(100);
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

fn finite(value: f64) -> f64 {
    value.clamp(f64::MIN, f64::MAX)
}

#[cfg(test)]
mod tests;
