//! Charts drawn by plotters, with where every point landed, so that the UI can hover and zoom.
//!
//! To add one: an entry in [`CHARTS`]. The UI, the command line and the snapshot test go through that slice.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::trend::{Measure, ModelCall, Stat, Window};

mod axis;
mod ink;
mod plot;
mod scene;

pub use ink::{INKS, NAMED_INKS, Palette, REST_INK, TOKENS, Token, inks_of, palette_css};

/// What a chart's figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Tokens.
    Tokens,
    /// US dollars.
    Dollars,
    /// A duration in nanoseconds.
    Nanos,
    /// Model calls.
    Calls,
}

/// How a chart draws its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A bar a bucket, the series on top of each other.
    StackedBars,
    /// A line a series, faint where buckets without calls lie between.
    Lines,
}

/// One series that a chart names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// What is measured.
    pub measure: Measure,
    /// The statistic of a bucket.
    pub stat: Stat,
    /// Its place in [`INKS`].
    pub ink: u32,
}

/// Which series a chart has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// These, for all calls together, from the bottom of a stack to its top.
    Named(&'static [Line]),
    /// One for each model: the largest seven, and the others together.
    ByModel {
        /// What is measured.
        measure: Measure,
        /// The statistic of a bucket.
        stat: Stat,
    },
    /// One for each class of errors that calls failed with: how many there were, the seven most frequent classes and the
    /// others together.
    ByErrorClass,
}

/// One entry of the registry of charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chart {
    /// The id in addresses, files and on the wire.
    pub id: &'static str,
    /// The title.
    pub title: &'static str,
    /// One sentence on what it shows, with the unit.
    pub description: &'static str,
    /// Its series.
    pub grouping: Grouping,
    /// How they are drawn.
    pub mark: Mark,
    /// What its figures are.
    pub unit: Unit,
}

/// Every chart, in the order in which the Trends view shows them.
pub const CHARTS: &[Chart] = &[
    Chart {
        id: "tokens",
        title: "Tokens",
        description: "Tokens that model calls state: prompt, prompt from the cache, and output.",
        grouping: Grouping::Named(&[
            Line {
                name: "Prompt",
                measure: Measure::FreshTokens,
                stat: Stat::Sum,
                ink: 0,
            },
            Line {
                name: "Cached prompt",
                measure: Measure::CachedTokens,
                stat: Stat::Sum,
                ink: 4,
            },
            Line {
                name: "Output",
                measure: Measure::OutputTokens,
                stat: Stat::Sum,
                ink: 5,
            },
        ]),
        mark: Mark::StackedBars,
        unit: Unit::Tokens,
    },
    Chart {
        id: "cost",
        title: "Cost by model",
        description: "Cost of model calls in US dollars, stated or by the price list, by model.",
        grouping: Grouping::ByModel {
            measure: Measure::Cost,
            stat: Stat::Sum,
        },
        mark: Mark::StackedBars,
        unit: Unit::Dollars,
    },
    Chart {
        id: "latency",
        title: "Latency",
        description: "Duration of model calls: the middle one (p50) and the one that 95 % do not exceed (p95).",
        grouping: Grouping::Named(&[
            Line {
                name: "p50",
                measure: Measure::Latency,
                stat: Stat::P50,
                ink: 0,
            },
            Line {
                name: "p95",
                measure: Measure::Latency,
                stat: Stat::P95,
                ink: 6,
            },
        ]),
        mark: Mark::Lines,
        unit: Unit::Nanos,
    },
    Chart {
        id: "errors",
        title: "Failed calls by class",
        description: "Model calls that failed, by why they failed.",
        grouping: Grouping::ByErrorClass,
        mark: Mark::StackedBars,
        unit: Unit::Calls,
    },
];

impl Chart {
    /// The chart of this id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        CHARTS.iter().find(|chart| chart.id == id)
    }

    /// What the UI lists of it.
    #[must_use]
    pub fn info(&self) -> ChartInfo {
        ChartInfo {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            description: self.description.to_owned(),
        }
    }
}

/// How a chart is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Width in pixels, 1 to 8,192; clamped.
    pub width: u32,
    /// Height in pixels, 1 to 8,192; clamped.
    pub height: u32,
    /// The colours. For files ([`Palette::Light`], [`Palette::Dark`]) the drawing has a background, a title and a
    /// legend; the app ([`Palette::App`]) shows its own.
    pub palette: Palette,
    /// Minutes by which the reader's clock is ahead of UTC, -1,440 to 1,440; clamped.
    pub utc_offset_minutes: i32,
}

/// Draws a chart of the calls that start from `from` to `to` (not included), both in microseconds since the epoch.
///
/// The drawing covers whole buckets ([`Window::new`]), so it may begin a little earlier and end a little later than
/// asked; calls there are drawn where they are given. Without calls it has axes and no series.
#[must_use]
pub fn draw(chart: &Chart, calls: &[ModelCall], from: u64, to: u64, view: &View) -> Scene {
    let within = calls
        .iter()
        .filter(|call| (from..to).contains(&call.start_micros))
        .count();
    let window = Window::new(
        from,
        to,
        scene::max_buckets(chart.mark, view.width, within),
        view.utc_offset_minutes.clamp(-1_440, 1_440),
    );
    scene::compose(chart, &window, &plot::series(chart, calls, &window), view)
}

/// One entry of the registry of charts, as the UI lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChartInfo {
    /// The chart's id ("tokens").
    pub id: String,
    /// Its title.
    pub title: String,
    /// One sentence on what it shows.
    pub description: String,
}

/// A rectangle in pixels of the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// One drawn point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ScenePoint {
    /// Pixels from the left of the drawing.
    pub px: f64,
    /// Pixels from the top of the drawing.
    pub py: f64,
    /// Microseconds since the epoch of the bucket's start.
    pub at: u64,
    /// The value in the chart's unit.
    pub value: f64,
    /// The value as text ("1.2k tokens").
    pub label: String,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SceneSeries {
    /// Its name, as the legend shows it.
    pub name: String,
    /// Its colour: `var(--ink-N)`.
    pub ink: u32,
    /// Its points from left to right.
    pub points: Vec<ScenePoint>,
}

/// A drawing and where everything in it landed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Scene {
    /// The chart's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// One sentence on what it shows, with the unit.
    pub description: String,
    /// The drawing: our own SVG, whose colours are `var(--ink-N)` and `var(--text…)`.
    pub svg: String,
    /// Width of the drawing in pixels.
    pub width: f64,
    /// Height of the drawing in pixels.
    pub height: f64,
    /// Where the data lie, axes excluded.
    pub plot: Rect,
    /// Microseconds since the epoch at the plot's left edge.
    pub from: u64,
    /// Microseconds since the epoch at the plot's right edge.
    pub to: u64,
    /// Microseconds that one bucket spans.
    pub step: u64,
    /// The series.
    pub series: Vec<SceneSeries>,
    /// All of it together as text, of what adds up ("1.2k tokens"); `null` of percentiles, and where there is nothing.
    pub total: Option<String>,
}

#[cfg(test)]
mod tests;
