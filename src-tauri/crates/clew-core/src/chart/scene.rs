//! Draws series with plotters and notes where every point landed.
//!
//! Positions come from plotters' own mapping of figures to pixels, so the drawing and what the UI lays over it agree.
//! Text sizes are set here alone: the SVG backend divides what it is asked for by 1.24.

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::{self, Scale};
use super::ink::{Palette, Slot, paint};
use super::plot::Plotted;
use super::{Chart, Mark, Rect, Scene, ScenePoint, SceneSeries, View};
use crate::trend::Window;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Axes<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Fault = DrawingAreaErrorKind<std::io::Error>;
type Pixel = (i32, i32);

const FONT: &str = "Inter Variable, Inter, system-ui, sans-serif";
/// Pixels of axis and legend text.
const TEXT: f64 = 11.0;
/// Pixels of the title.
const TITLE: f64 = 14.0;
/// What the SVG backend divides sizes by.
const BACKEND_SCALE: f64 = 1.24;
/// Pixels that a character of axis text takes at most, tabular digits and capitals included.
const CHAR_WIDTH: f64 = 6.6;
/// Pixels that a character of a name in the legend takes on average.
const LEGEND_CHAR_WIDTH: f64 = 6.1;
/// Largest side of a drawing in pixels.
const MAX_SIDE: u32 = 8_192;

/// Buckets that a drawing of this width has room for; lines, which show percentiles, also want some calls in each.
pub(super) fn max_buckets(mark: Mark, width: u32, calls: usize) -> usize {
    let room = |pixels| usize::try_from(width.saturating_sub(80) / pixels).unwrap_or(1);
    match mark {
        Mark::StackedBars => room(10),
        Mark::Lines => room(8).min(calls / 5),
    }
    .clamp(10, 400)
}

/// Draws the series of a chart.
pub(super) fn compose(chart: &Chart, window: &Window, series: &[Plotted], view: &View) -> Scene {
    let size = (
        view.width.clamp(1, MAX_SIDE),
        view.height.clamp(1, MAX_SIDE),
    );
    let layout = Layout::new(chart, series, size, view.palette);
    let mut svg = String::new();
    // Writing into a string cannot fail; were it to, the scene would be empty, and the tests red.
    let (plot, series) = render(&mut svg, chart, window, series, view, &layout).unwrap_or((
        Rect {
            x: 0.0,
            y: 0.0,
            width: 0.0,
            height: 0.0,
        },
        Vec::new(),
    ));
    let values = series.iter().flat_map(|one| &one.points);
    let sum = values
        .map(|point| point.value)
        .reduce(|sum, value| sum + value);
    let adds_up = chart.mark == Mark::StackedBars;
    Scene {
        total: sum
            .filter(|_| adds_up)
            .map(|sum| axis::label(chart.unit, sum)),
        id: chart.id.to_owned(),
        title: chart.title.to_owned(),
        description: chart.description.to_owned(),
        svg: finish(&svg, chart, view.palette),
        width: size.0.into(),
        height: size.1.into(),
        plot,
        from: window.from,
        to: window.to(),
        step: window.step,
        series,
    }
}

/// Where things go, in pixels.
struct Layout {
    size: (u32, u32),
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
    scale: Scale,
    /// The names of the scale's ticks.
    tick_names: Vec<String>,
    /// Whether there is room for text.
    named: bool,
    /// Left edge and row of each legend entry.
    legend: Vec<Pixel>,
}

impl Layout {
    fn new(chart: &Chart, series: &[Plotted], size: (u32, u32), palette: Palette) -> Self {
        let legend = if palette == Palette::App {
            Vec::new()
        } else {
            legend_places(series, size.0)
        };
        let rows = legend.last().map_or(0, |(_, row)| row + 1);
        let top = match palette {
            Palette::App => 10,
            Palette::Light | Palette::Dark => 44 + 18 * u32::try_from(rows).unwrap_or(0),
        };
        let (right, bottom) = (20, 26);
        let plot_height = size.1.saturating_sub(top + bottom);
        let scale = axis::scale(
            chart.unit,
            highest(chart.mark, series),
            (plot_height / 36).clamp(1, 5),
        );
        let tick_names = axis::tick_names(chart.unit, &scale.ticks);
        let widest = tick_names.iter().map(|name| name.chars().count()).max();
        let left = pixels(pixel(widest.unwrap_or(0)) * CHAR_WIDTH) + 16;
        let left = u32::try_from(left).unwrap_or(0);
        if size.0 < left + right + 40 || plot_height < 24 {
            return Self {
                size,
                left: 0,
                top: 0,
                right: 0,
                bottom: 0,
                scale,
                tick_names,
                named: false,
                legend: Vec::new(),
            };
        }
        Self {
            size,
            left,
            top,
            right,
            bottom,
            scale,
            tick_names,
            named: true,
            legend,
        }
    }
}

/// The highest value to be drawn, 0 of none.
fn highest(mark: Mark, series: &[Plotted]) -> f64 {
    let buckets = series.iter().map(|series| series.values.len()).max();
    (0..buckets.unwrap_or(0))
        .map(|bucket| {
            let values = series.iter().filter_map(|series| value_at(series, bucket));
            match mark {
                Mark::StackedBars => values.map(|value| value.max(0.0)).sum(),
                Mark::Lines => values.fold(0.0, f64::max),
            }
        })
        .fold(0.0, f64::max)
        .min(f64::MAX)
}

fn value_at(series: &Plotted, bucket: usize) -> Option<f64> {
    series
        .values
        .get(bucket)
        .copied()
        .flatten()
        .filter(|value| value.is_finite())
}

fn render<'a>(
    svg: &'a mut String,
    chart: &Chart,
    window: &Window,
    series: &[Plotted],
    view: &View,
    layout: &Layout,
) -> Result<(Rect, Vec<SceneSeries>), Fault> {
    let area: Area<'a> = SVGBackend::with_string(svg, layout.size).into_drawing_area();
    if view.palette != Palette::App {
        area.fill(&Slot::Background.reserved())?;
    }
    let span = as_f64(window.to().saturating_sub(window.from)).max(1.0);
    let axes: Axes<'a> = ChartBuilder::on(&area)
        .margin_left(layout.left)
        .margin_top(layout.top)
        .margin_right(layout.right)
        .margin_bottom(layout.bottom)
        .build_cartesian_2d(0.0..span, 0.0..layout.scale.top)?;
    let (left, bottom) = axes.backend_coord(&(0.0, 0.0));
    let (right, top) = axes.backend_coord(&(span, layout.scale.top));
    draw_value_axis(&area, &axes, layout, (left, right))?;
    if layout.named {
        draw_time_axis(&area, &axes, window, view, (left, right, bottom))?;
        draw_heading(&area, chart, series, layout, view.palette)?;
    }
    let drawn = match chart.mark {
        Mark::StackedBars => draw_bars(&area, &axes, chart, window, series)?,
        Mark::Lines => draw_lines(&area, &axes, chart, window, series)?,
    };
    area.present()?;
    let plot = Rect {
        x: left.into(),
        y: top.into(),
        width: (right - left).into(),
        height: (bottom - top).into(),
    };
    Ok((plot, drawn))
}

/// Hairlines at the ticks, the lowest one stronger, and their names.
fn draw_value_axis(
    area: &Area<'_>,
    axes: &Axes<'_>,
    layout: &Layout,
    (left, right): Pixel,
) -> Result<(), Fault> {
    for (tick, name) in layout.scale.ticks.iter().zip(&layout.tick_names) {
        let (_, y) = axes.backend_coord(&(0.0, *tick));
        let slot = if *tick == 0.0 { Slot::Axis } else { Slot::Grid };
        fill(area, (left, y), (right, y + 1), slot)?;
        if layout.named {
            text(area, name, (left - 8, y + 1), Slot::Label, HPos::Right)?;
        }
    }
    Ok(())
}

/// Short marks below the plot and the times they stand for, left out where they would not fit.
fn draw_time_axis(
    area: &Area<'_>,
    axes: &Axes<'_>,
    window: &Window,
    view: &View,
    (left, right, bottom): (i32, i32, i32),
) -> Result<(), Fault> {
    let width = usize::try_from(right - left).unwrap_or(0);
    let (from, to) = (window.from, window.to());
    let most = if axis::names_seconds(from, to, width / 58) {
        width / 78
    } else {
        width / 58
    };
    let (drawing, _) = area.dim_in_pixel();
    for tick in axis::time_ticks(from, to, most, view.utc_offset_minutes.clamp(-1_440, 1_440)) {
        let (x, _) = axes.backend_coord(&(as_f64(tick.at - from), 0.0));
        fill(area, (x, bottom + 1), (x + 1, bottom + 5), Slot::Grid)?;
        let half = pixels(pixel(tick.text.chars().count()) * CHAR_WIDTH / 2.0);
        if x >= half && x + half <= i32::try_from(drawing).unwrap_or(i32::MAX) {
            text(
                area,
                &tick.text,
                (x, bottom + 15),
                Slot::Label,
                HPos::Center,
            )?;
        }
    }
    Ok(())
}

/// Title and legend of a drawing that stands alone.
fn draw_heading(
    area: &Area<'_>,
    chart: &Chart,
    series: &[Plotted],
    layout: &Layout,
    palette: Palette,
) -> Result<(), Fault> {
    if palette == Palette::App {
        return Ok(());
    }
    let style = style(TITLE, Slot::Title, HPos::Left, FontStyle::Bold);
    area.draw(&Text::new(chart.title.to_owned(), (16, 20), style))?;
    for (series, (x, row)) in series.iter().zip(&layout.legend) {
        let y = 42 + 18 * row;
        fill(area, (*x, y - 4), (x + 8, y + 4), Slot::Ink(series.ink))?;
        text(
            area,
            &legend_name(series),
            (x + 13, y + 1),
            Slot::Label,
            HPos::Left,
        )?;
    }
    Ok(())
}

fn legend_name(series: &Plotted) -> String {
    const CHARS: usize = 32;
    let mut name: String = series.name.chars().take(CHARS).collect();
    if name.len() < series.name.len() {
        name.push('…');
    }
    name
}

/// Left edge and row of each legend entry, filled from left to right.
fn legend_places(series: &[Plotted], width: u32) -> Vec<Pixel> {
    let width = i32::try_from(width).unwrap_or(i32::MAX);
    let (mut x, mut row) = (16, 0);
    series
        .iter()
        .map(|series| {
            let units = legend_name(series)
                .chars()
                // Ideographs and emoji are two letters wide.
                .map(|c| if c < '\u{1100}' { 1 } else { 2 })
                .sum::<usize>();
            let needs = 13 + pixels(pixel(units) * LEGEND_CHAR_WIDTH) + 14;
            if x > 16 && x + needs > width {
                (x, row) = (16, row + 1);
            }
            let place = (x, row);
            x += needs;
            place
        })
        .collect()
}

fn draw_bars(
    area: &Area<'_>,
    axes: &Axes<'_>,
    chart: &Chart,
    window: &Window,
    series: &[Plotted],
) -> Result<Vec<SceneSeries>, Fault> {
    let mut drawn: Vec<SceneSeries> = series.iter().map(named).collect();
    for bucket in 0..window.len {
        let (from, to) = bar_edges(axes, window, bucket);
        let mut below = 0.0;
        for (series, drawn) in series.iter().zip(&mut drawn) {
            let Some(value) = value_at(series, bucket) else {
                continue;
            };
            let above = (below + value.max(0.0)).min(f64::MAX);
            let (px, top) = place(axes, middle(window, bucket), above);
            let (_, bottom) = place(axes, 0.0, below);
            // A hairline keeps the parts of a stack apart, where they are high enough to spare it.
            let bottom = if below > 0.0 && bottom - top > 3 {
                bottom - 1
            } else {
                bottom
            };
            if top < bottom {
                fill(area, (from, top), (to, bottom), Slot::Ink(series.ink))?;
            }
            drawn
                .points
                .push(point(chart, window, bucket, value, (px, top)));
            below = above;
        }
    }
    Ok(drawn)
}

/// Left and right edge of a bucket's bar: around its middle, as wide as a bucket less a gap, at most 40 pixels.
fn bar_edges(axes: &Axes<'_>, window: &Window, bucket: usize) -> Pixel {
    let pixels = axes.plotting_area().get_x_axis_pixel_range();
    let slot = (pixels.end - pixels.start) / i32::try_from(window.len.max(1)).unwrap_or(i32::MAX);
    let gap = match slot {
        ..4 => 0,
        4..12 => 1,
        _ => slot / 5,
    };
    let bar = (slot - gap).clamp(1, 40);
    let (middle, _) = place(axes, middle(window, bucket), 0.0);
    let from = middle - bar / 2;
    (from, from + bar)
}

fn draw_lines(
    area: &Area<'_>,
    axes: &Axes<'_>,
    chart: &Chart,
    window: &Window,
    series: &[Plotted],
) -> Result<Vec<SceneSeries>, Fault> {
    let mut drawn = Vec::with_capacity(series.len());
    // The first series lies on top; points that coincide show as a dot within a ring.
    for (index, series) in series.iter().enumerate().rev() {
        let radius = 3 + 2 * i32::try_from(index).unwrap_or(0);
        let ink = Slot::Ink(series.ink).reserved();
        let mut line = named(series);
        let mut runs: Vec<Vec<Pixel>> = Vec::new();
        let mut last = None;
        for bucket in 0..window.len {
            let Some(value) = value_at(series, bucket) else {
                continue;
            };
            let pixel = place(axes, middle(window, bucket), value);
            line.points.push(point(chart, window, bucket, value, pixel));
            match runs.last_mut() {
                Some(run) if last == bucket.checked_sub(1) => run.push(pixel),
                _ => runs.push(vec![pixel]),
            }
            last = Some(bucket);
        }
        for pair in runs.windows(2) {
            if let [before, after] = pair
                && let (Some(from), Some(to)) = (before.last(), after.first())
            {
                let faint = ink.mix(0.3).stroke_width(2);
                area.draw(&PathElement::new(vec![*from, *to], faint))?;
            }
        }
        for run in runs {
            if let [alone] = run[..] {
                area.draw(&Circle::new(alone, radius, ink.filled()))?;
            } else {
                area.draw(&PathElement::new(run, ink.stroke_width(2)))?;
            }
        }
        drawn.push(line);
    }
    drawn.reverse();
    Ok(drawn)
}

fn named(series: &Plotted) -> SceneSeries {
    SceneSeries {
        name: series.name.clone(),
        ink: series.ink,
        points: Vec::new(),
    }
}

fn point(chart: &Chart, window: &Window, bucket: usize, value: f64, (px, py): Pixel) -> ScenePoint {
    ScenePoint {
        px: px.into(),
        py: py.into(),
        at: window.start(bucket),
        value,
        label: axis::label(chart.unit, value),
    }
}

/// Where plotters puts a figure, the figure taken to the nearest that the axes have.
fn place(axes: &Axes<'_>, micros: f64, value: f64) -> Pixel {
    let (x, y) = (axes.x_range(), axes.y_range());
    axes.backend_coord(&(micros.clamp(x.start, x.end), value.clamp(y.start, y.end)))
}

/// Microseconds from the window's start to the middle of a bucket.
fn middle(window: &Window, bucket: usize) -> f64 {
    let past = window.start(bucket).saturating_sub(window.from);
    as_f64(past) + as_f64(window.step) / 2.0
}

fn fill(area: &Area<'_>, from: Pixel, to: Pixel, slot: Slot) -> Result<(), Fault> {
    area.draw(&Rectangle::new([from, to], slot.reserved().filled()))
}

fn text(area: &Area<'_>, text: &str, at: Pixel, slot: Slot, anchor: HPos) -> Result<(), Fault> {
    let style = style(TEXT, slot, anchor, FontStyle::Normal);
    area.draw(&Text::new(text.to_owned(), at, style))
}

fn style(size: f64, slot: Slot, anchor: HPos, weight: FontStyle) -> TextStyle<'static> {
    FontDesc::new(FontFamily::Name(FONT), size * BACKEND_SCALE, weight)
        .color(&slot.reserved())
        .pos(Pos::new(anchor, VPos::Center))
}

/// Colours the drawing and says in words what it shows; what plotters writes needlessly is left out.
fn finish(svg: &str, chart: &Chart, palette: Palette) -> String {
    let painted = paint(svg, palette)
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(
            "<polyline ",
            "<polyline stroke-linejoin=\"round\" stroke-linecap=\"round\" ",
        );
    let label = format!("{}. {}", chart.title, chart.description)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    painted.replacen(
        "<svg ",
        &format!("<svg role=\"img\" aria-label=\"{label}\" "),
        1,
    )
}

#[expect(
    clippy::cast_precision_loss,
    reason = "lengths of time are mapped to some thousand pixels"
)]
fn as_f64(micros: u64) -> f64 {
    micros as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of characters, at most some hundred"
)]
fn pixel(chars: usize) -> f64 {
    chars as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float is clamped to the integer's range by the cast"
)]
fn pixels(width: f64) -> i32 {
    width.ceil() as i32
}
