//! The five shapes of metric data, and a metric without its points.

use super::wire::{Broken, Fields, Payload, put_bytes};

/// What kind of data a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Gauge,
    Sum,
    Histogram,
    Exponential,
    Summary,
}

impl Shape {
    const ALL: [Self; 5] = [
        Self::Gauge,
        Self::Sum,
        Self::Histogram,
        Self::Exponential,
        Self::Summary,
    ];

    /// The name in [`super::GroundMetric::kind`].
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Sum => "sum",
            Self::Histogram => "histogram",
            Self::Exponential => "exponential_histogram",
            Self::Summary => "summary",
        }
    }

    /// Reads [`Shape::name`] back.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// The number of its field in `Metric`.
    const fn field(self) -> u32 {
        match self {
            Self::Gauge => 5,
            Self::Sum => 7,
            Self::Histogram => 9,
            Self::Exponential => 10,
            Self::Summary => 11,
        }
    }

    fn from_field(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.field() == number)
    }
}

/// Takes the points out of an encoded `Metric`: the metric without them, its shape, and the bytes of each point.
///
/// Data is a `oneof`: of several kinds the last stands, and only its points.
pub(super) fn take_points(raw: &[u8]) -> Result<(Vec<u8>, Option<Shape>, Vec<&[u8]>), Broken> {
    let (mut rest, mut shape, mut points) = (Vec::new(), None, Vec::new());
    let mut fields = Fields::new(raw);
    while let Some(field) = fields.next()? {
        let (Some(found), Payload::Bytes(data)) = (Shape::from_field(field.number), field.payload)
        else {
            rest.extend_from_slice(field.raw);
            continue;
        };
        if shape.replace(found) != Some(found) {
            points.clear();
        }
        let mut kept = Vec::new();
        let mut inside = Fields::new(data);
        while let Some(field) = inside.next()? {
            match (field.number, field.payload) {
                (1, Payload::Bytes(point)) => points.push(point),
                _ => kept.extend_from_slice(field.raw),
            }
        }
        put_bytes(&mut rest, field.number, &kept);
    }
    Ok((rest, shape, points))
}
