use proptest::prelude::*;

use super::*;

fn point(at_micros: u64, value: f64, group: &str) -> TrendPoint<'_> {
    TrendPoint {
        at_micros,
        value,
        group,
    }
}

#[test]
fn the_nearest_rank_is_a_measured_value() {
    let twenty: Vec<f64> = (1..=20).map(f64::from).collect();
    let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
    for (values, percent, expected) in [
        (&twenty[..], 50, Some(10.0)),
        (&twenty[..], 95, Some(19.0)),
        (&twenty[..1], 95, Some(1.0)),
        (&twenty[..2], 50, Some(1.0)),
        (&twenty[..3], 50, Some(2.0)),
        (&hundred[..], 7, Some(7.0)),
        (&hundred[..], 95, Some(95.0)),
        (&hundred[..], 100, Some(100.0)),
        (&hundred[..], 0, Some(1.0)),
        (&[], 50, None),
    ] {
        assert_eq!(
            quantile(values, percent),
            expected,
            "{percent} of {}",
            values.len()
        );
    }
}

#[test]
fn figures_fall_into_buckets_by_group() {
    let window = Window {
        from: 10 * SECOND,
        step: 2 * SECOND,
        len: 3,
    };
    let points = [
        point(10 * SECOND, 1.0, "b"),
        point(12 * SECOND - 1, 2.0, "b"),
        point(12 * SECOND, 4.0, "b"),
        point(15 * SECOND, 8.0, "a"),
        point(9 * SECOND, 100.0, "b"),
        point(16 * SECOND, 100.0, "b"),
        point(14 * SECOND, f64::NAN, "b"),
    ];
    let values = |stat| -> Vec<(String, Vec<Option<f64>>)> {
        aggregate(points, &window, stat)
            .into_iter()
            .map(|series| (series.name, series.values))
            .collect()
    };
    assert_eq!(
        values(Stat::Sum),
        [
            ("a".to_owned(), vec![None, None, Some(8.0)]),
            ("b".to_owned(), vec![Some(3.0), Some(4.0), None]),
        ]
    );
    assert_eq!(values(Stat::Count)[1].1[0], Some(2.0));
    assert_eq!(values(Stat::Rate)[1].1[0], Some(1.5));
    assert_eq!(values(Stat::P50)[1].1[0], Some(1.0));
    assert_eq!(values(Stat::P95)[1].1[0], Some(2.0));
}

#[test]
fn cached_tokens_are_counted_once() {
    let call = ModelCall {
        input_tokens: Some(100),
        cached_tokens: Some(30),
        cost_usd: Some(f64::INFINITY),
        failed: true,
        ..ModelCall::default()
    };
    assert_eq!(Measure::InputTokens.of(&call), Some(100.0));
    assert_eq!(Measure::FreshTokens.of(&call), Some(70.0));
    assert_eq!(Measure::CachedTokens.of(&call), Some(30.0));
    assert_eq!(Measure::OutputTokens.of(&call), None);
    assert_eq!(Measure::Cost.of(&call), None);
    assert_eq!(Measure::Latency.of(&call), None);
    assert_eq!(Measure::Calls.of(&call), Some(1.0));
    assert_eq!(Measure::Errors.of(&call), Some(1.0));
}

proptest! {
    /// What the buckets hold together is what was put in, in whatever order.
    #[test]
    fn nothing_is_lost(mut figures in prop::collection::vec((0_u64..100, 0_u32..1_000), 0..50)) {
        let window = Window { from: 0, step: 7, len: 20 };
        let sums = |figures: &[(u64, u32)]| {
            aggregate(figures.iter().map(|&(at, value)| point(at, f64::from(value), "x")), &window, Stat::Sum)
        };
        let forward = sums(&figures);
        let total: f64 = figures.iter().map(|figure| f64::from(figure.1)).sum();
        prop_assert_eq!(forward.first().map_or(0.0, TrendSeries::total), total);
        figures.reverse();
        prop_assert_eq!(sums(&figures), forward);
    }
}
