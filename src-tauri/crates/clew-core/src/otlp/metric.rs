//! The five shapes of metric data, and a metric without its points.

use super::budget::{Budget, Kind};
use super::read::Fault;
use super::wire::{Fields, Payload, put_bytes};

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

/// A metric taken apart.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// The encoded metric without its points.
    pub(super) rest: Vec<u8>,
    /// Its kind of data, where it has any.
    pub(super) shape: Option<Shape>,
    /// Each point, encoded.
    pub(super) points: Vec<&'a [u8]>,
}

/// Takes the points out of an encoded `Metric`, counting each before it is gathered.
///
/// Data is a `oneof`: of several kinds the last stands, and only its points.
pub(super) fn take_points<'a>(raw: &'a [u8], budget: &mut Budget) -> Result<Parts<'a>, Fault> {
    let mut parts = Parts::default();
    let mut fields = Fields::new(raw);
    while let Some(field) = fields.next()? {
        let (Some(found), Payload::Bytes(data)) = (Shape::from_field(field.number), field.payload)
        else {
            parts.rest.extend_from_slice(field.raw);
            continue;
        };
        if parts.shape.replace(found) != Some(found) {
            parts.points.clear();
        }
        let mut kept = Vec::new();
        let mut inside = Fields::new(data);
        while let Some(field) = inside.next()? {
            match (field.number, field.payload) {
                (1, Payload::Bytes(point)) => {
                    budget.take(Kind::Points)?;
                    parts.points.push(point);
                }
                _ => kept.extend_from_slice(field.raw),
            }
        }
        put_bytes(&mut parts.rest, field.number, &kept);
    }
    Ok(parts)
}
