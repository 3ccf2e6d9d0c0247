use proptest::prelude::*;

use super::*;
use crate::model::ErrorClass;

/// 2026-11-20T14:00:00Z.
const NOON: u64 = 1_795_183_200_000_000;
const MINUTE: u64 = 60_000_000;

const VIEW: View = View {
    width: 560,
    height: 220,
    palette: Palette::App,
    utc_offset_minutes: 0,
};

/// An hour of calls of two models, with a quiet quarter, made without chance.
fn calls() -> Vec<ModelCall> {
    (0..240_u64)
        .filter(|number| !(90..150).contains(number))
        .map(|number| {
            let wave = (number * 37) % 50;
            ModelCall {
                start_micros: NOON + number * MINUTE / 4,
                model: Some(
                    ["gpt-4o", "claude-haiku-4.5", "mistral-small"][(number % 7 % 3) as usize]
                        .into(),
                ),
                duration_nanos: Some(400_000_000 + wave * wave * 1_700_000),
                input_tokens: Some(800 + wave * 30),
                cached_tokens: Some(wave * 12),
                output_tokens: Some(100 + wave * 7),
                cost_usd: (number % 3 != 0).then_some(0.001 + wave as f64 * 0.0002),
                failed: number % 11 == 0,
                error: (number % 22 == 0).then_some(ErrorClass::RateLimit),
            }
        })
        .collect()
}

fn scene(id: &str, calls: &[ModelCall], view: &View) -> Scene {
    let chart = Chart::find(id).expect("a chart of this id");
    draw(chart, calls, NOON, NOON + 60 * MINUTE, view)
}

#[test]
fn every_chart_is_drawn_as_before() {
    for chart in CHARTS {
        let scene = scene(chart.id, &calls(), &VIEW);
        insta::assert_snapshot!(format!("{}-app", chart.id), scene.svg);
        let file = View {
            palette: Palette::Light,
            ..VIEW
        };
        let scene = self::scene(chart.id, &calls(), &file);
        insta::assert_snapshot!(format!("{}-light", chart.id), scene.svg);
    }
}

#[test]
fn points_lie_where_the_drawing_is() {
    let latency = scene("latency", &calls(), &VIEW);
    assert_eq!(latency.series.len(), 2);
    for series in &latency.series {
        assert!(series.points.len() > 20);
        for point in &series.points {
            assert!(latency.svg.contains(&format!("{},{} ", point.px, point.py)));
        }
    }
    let tokens = scene("tokens", &calls(), &VIEW);
    let output = tokens.series.last().expect("a series of output tokens");
    for point in output.points.iter().filter(|point| point.value > 0.0) {
        assert!(
            tokens.svg.contains(&format!(" y=\"{}\" ", point.py)),
            "{point:?}"
        );
    }
}

#[test]
fn points_lie_within_the_plot_and_in_order() {
    for chart in CHARTS {
        let scene = scene(chart.id, &calls(), &VIEW);
        let plot = scene.plot;
        assert!(plot.width > 400.0 && plot.height > 150.0);
        assert_eq!((scene.from, scene.to), (NOON, NOON + 60 * MINUTE));
        for series in &scene.series {
            assert!(series.points.windows(2).all(|pair| pair[0].px < pair[1].px));
            for point in &series.points {
                assert!(point.px >= plot.x && point.px <= plot.x + plot.width);
                assert!(point.py >= plot.y && point.py <= plot.y + plot.height);
                assert!(point.at >= scene.from && point.at < scene.to);
            }
        }
    }
}

#[test]
fn the_bars_add_up_to_the_calls() {
    let scene = scene("tokens", &calls(), &VIEW);
    let sum = |name: &str| -> f64 {
        let series = scene.series.iter().find(|series| series.name == name);
        series
            .expect("a series of this name")
            .points
            .iter()
            .map(|point| point.value)
            .sum()
    };
    let total: u64 = calls().iter().filter_map(|call| call.input_tokens).sum();
    assert_eq!(sum("Prompt") + sum("Cached prompt"), total as f64);
}

#[test]
fn without_calls_there_are_axes_and_no_series() {
    for chart in CHARTS {
        let scene = scene(chart.id, &[], &VIEW);
        assert_eq!(scene.series, vec![]);
        assert!(scene.svg.contains("<text") && scene.svg.ends_with("</svg>\n"));
        assert!(!scene.svg.contains("--ink-"));
    }
}

#[test]
fn a_hostile_model_name_stays_text() {
    let mut call = calls().remove(1);
    call.cost_usd = Some(1.0);
    call.model = Some("</text><script>alert(1)</script>\" =\"#010200\u{202e}\0&".repeat(3));
    for palette in [Palette::App, Palette::Light] {
        let scene = scene("cost", &[call.clone()], &View { palette, ..VIEW });
        assert!(!scene.svg.contains("<script") && !scene.svg.contains('\0'));
        let name = &scene.series[0].name;
        assert_eq!(name.chars().count(), 80);
        assert!(!name.contains(['\0', '\u{202e}']));
    }
    // A name that spells a colour reserved for drawing is left as it is.
    call.model = Some("fill=\"#010200\"".into());
    let light = View {
        palette: Palette::Light,
        ..VIEW
    };
    let scene = scene("cost", &[call], &light);
    assert!(scene.svg.contains("fill=&quot;#010200&quot;"));
}

#[test]
fn beyond_seven_models_the_rest_is_one_series() {
    let calls: Vec<ModelCall> = (0..30_u32)
        .map(|number| ModelCall {
            start_micros: NOON,
            model: (number > 0).then(|| format!("model {number}")),
            cost_usd: Some(f64::from(number) + 1.0),
            ..ModelCall::default()
        })
        .collect();
    let scene = scene("cost", &calls, &VIEW);
    let names: Vec<&str> = scene
        .series
        .iter()
        .map(|series| series.name.as_str())
        .collect();
    assert_eq!(names.len(), 8);
    assert_eq!((names[0], names[7]), ("model 29", "other models"));
    let mut inks: Vec<u32> = scene.series.iter().map(|series| series.ink).collect();
    assert_eq!(inks[7], REST_INK);
    inks.sort_unstable();
    assert_eq!(inks, (0..8).collect::<Vec<_>>());
    let total: f64 = scene
        .series
        .iter()
        .map(|series| series.points[0].value)
        .sum();
    assert_eq!(total, (1..=30).map(f64::from).sum::<f64>());
}

#[test]
fn text_has_the_size_that_was_asked_for() {
    let svg = scene("tokens", &calls(), &VIEW).svg;
    let sizes: std::collections::BTreeSet<&str> = svg
        .split("font-size=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), ["11"]);
}

#[test]
fn ids_are_unique_and_can_be_found() {
    for chart in CHARTS {
        assert_eq!(Chart::find(chart.id), Some(chart));
        assert!(chart.description.ends_with('.'));
        assert_eq!(chart.info().title, chart.title);
    }
    assert_eq!(Chart::find("none"), None);
}

proptest! {
    /// Whatever finite figures and whatever size: a scene, and every position within the drawing.
    #[test]
    fn anything_finite_is_drawn(
        values in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 1..30),
        width in prop_oneof![1_u32..60, 1_u32..4_000, Just(u32::MAX)],
        height in prop_oneof![1_u32..60, 1_u32..2_000, Just(u32::MAX)],
        from: u64,
        step in 1_u64..u64::MAX,
        offset: i32,
        light: bool,
    ) {
        let window = Window { from, step, len: values.len() };
        let palette = if light { Palette::Light } else { Palette::App };
        let view = View { width, height, palette, utc_offset_minutes: offset };
        let series: Vec<_> = (0..3)
            .map(|ink| plot::Plotted { name: format!("s{ink}"), ink, values: values.clone() })
            .collect();
        for chart in CHARTS {
            let scene = scene::compose(chart, &window, &series, &view);
            prop_assert!(scene.svg.ends_with("</svg>\n"));
            prop_assert!(scene.plot.width >= 0.0 && scene.plot.height >= 0.0);
            for point in scene.series.iter().flat_map(|series| &series.points) {
                prop_assert!(point.px >= 0.0 && point.px <= scene.width, "{point:?}");
                prop_assert!(point.py >= 0.0 && point.py <= scene.height, "{point:?}");
            }
        }
    }

    #[test]
    fn any_range_is_drawn(from: u64, to: u64, width in 1_u32..2_000, offset: i32) {
        let view = View { width, utc_offset_minutes: offset, ..VIEW };
        for chart in CHARTS {
            prop_assert!(draw(chart, &calls(), from, to, &view).svg.ends_with("</svg>\n"));
        }
    }
}
