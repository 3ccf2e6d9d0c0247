//! Charts drawn by plotters, with where every point landed, so that the UI can hover and zoom.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
}
