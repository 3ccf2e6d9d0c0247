//! Metrics and their points.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge,
    Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum, Summary, SummaryDataPoint,
    exemplar, number_data_point,
};

use super::{Decoder, Stop, object};
use crate::otlp::Point;
use crate::otlp::budget::Kind as Counted;
use crate::otlp::metric::Shape;
use crate::otlp::read::Notes;

/// A metric, and its points apart: each is an item of its own.
#[derive(Default)]
pub(super) struct MetricParts {
    pub(super) metric: Metric,
    pub(super) shape: Option<Shape>,
    pub(super) points: Vec<Result<(Point, Notes), String>>,
}

impl Decoder<'_> {
    pub(super) fn metric(&mut self) -> Result<MetricParts, Stop> {
        let mut read = MetricParts::default();
        object!(self, "metric" {
            "name" => read.metric.name = self.text("name")?,
            "description" => read.metric.description = self.text("description")?,
            "unit" => read.metric.unit = self.text("unit")?,
            "metadata" => read.metric.metadata = self.attributes(0)?,
            "gauge" => self.data(Shape::Gauge, &mut read)?,
            "sum" => self.data(Shape::Sum, &mut read)?,
            "histogram" => self.data(Shape::Histogram, &mut read)?,
            "exponentialHistogram" => self.data(Shape::Exponential, &mut read)?,
            "summary" => self.data(Shape::Summary, &mut read)?,
        });
        Ok(read)
    }

    fn data(&mut self, shape: Shape, into: &mut MetricParts) -> Result<(), Stop> {
        if !self.present()? {
            return Ok(());
        }
        let (mut temporality, mut monotonic, mut points) = (0, false, Vec::new());
        object!(self, "data" {
            "dataPoints" => self.list("dataPoints", |decoder| {
                decoder.count(Counted::Points)?;
                points.push(decoder.separate_point(shape)?);
                Ok(())
            })?,
            "aggregationTemporality" => {
                temporality =
                    self.named("aggregationTemporality", AggregationTemporality::from_str_name)?;
            },
            "isMonotonic" => monotonic = self.flag("isMonotonic")?.unwrap_or_default(),
        });
        into.shape = Some(shape);
        into.points = points;
        into.metric.data = Some(match shape {
            Shape::Gauge => Data::Gauge(Gauge::default()),
            Shape::Sum => Data::Sum(Sum {
                data_points: Vec::new(),
                aggregation_temporality: temporality,
                is_monotonic: monotonic,
            }),
            Shape::Histogram => Data::Histogram(Histogram {
                data_points: Vec::new(),
                aggregation_temporality: temporality,
            }),
            Shape::Exponential => Data::ExponentialHistogram(ExponentialHistogram {
                data_points: Vec::new(),
                aggregation_temporality: temporality,
            }),
            Shape::Summary => Data::Summary(Summary::default()),
        });
        Ok(())
    }

    /// A point with its own notes and faults, in the midst of its metric.
    fn separate_point(&mut self, shape: Shape) -> Result<Result<(Point, Notes), String>, Stop> {
        let notes = std::mem::take(&mut self.reader.notes);
        let fault = self.fault.take();
        let point = self.point(shape)?;
        let own_notes = std::mem::replace(&mut self.reader.notes, notes);
        let own_fault = std::mem::replace(&mut self.fault, fault);
        Ok(match own_fault {
            Some(reason) => Err(reason.into_owned()),
            None => Ok((point, own_notes)),
        })
    }

    fn point(&mut self, shape: Shape) -> Result<Point, Stop> {
        Ok(match shape {
            Shape::Gauge | Shape::Sum => Point::Number(self.number_point()?),
            Shape::Histogram => Point::Histogram(self.histogram_point()?),
            Shape::Exponential => Point::Exponential(self.exponential_point()?),
            Shape::Summary => Point::Summary(self.summary_point()?),
        })
    }

    fn number_point(&mut self) -> Result<NumberDataPoint, Stop> {
        use number_data_point::Value::{AsDouble, AsInt};
        let mut read = NumberDataPoint::default();
        object!(self, "data point" {
            "startTimeUnixNano" => read.start_time_unix_nano = self.u64("startTimeUnixNano")?,
            "timeUnixNano" => read.time_unix_nano = self.u64("timeUnixNano")?,
            "asDouble" => read.value = self.f64("asDouble")?.map(AsDouble).or(read.value),
            "asInt" => read.value = self.i64("asInt")?.map(AsInt).or(read.value),
            "exemplars" => read.exemplars = self.exemplars()?,
            "attributes" => read.attributes = self.attributes(0)?,
            "flags" => read.flags = self.u32("flags")?,
        });
        Ok(read)
    }

    fn histogram_point(&mut self) -> Result<HistogramDataPoint, Stop> {
        let mut read = HistogramDataPoint::default();
        object!(self, "data point" {
            "startTimeUnixNano" => read.start_time_unix_nano = self.u64("startTimeUnixNano")?,
            "timeUnixNano" => read.time_unix_nano = self.u64("timeUnixNano")?,
            "count" => read.count = self.u64("count")?,
            "sum" => read.sum = self.f64("sum")?,
            "bucketCounts" => read.bucket_counts = self.numbers("bucketCounts", Self::u64)?,
            "explicitBounds" => {
                read.explicit_bounds =
                    self.numbers("explicitBounds", |decoder, name| {
                        Ok(decoder.f64(name)?.unwrap_or_default())
                    })?;
            },
            "exemplars" => read.exemplars = self.exemplars()?,
            "attributes" => read.attributes = self.attributes(0)?,
            "flags" => read.flags = self.u32("flags")?,
            "min" => read.min = self.f64("min")?,
            "max" => read.max = self.f64("max")?,
        });
        Ok(read)
    }

    fn exponential_point(&mut self) -> Result<ExponentialHistogramDataPoint, Stop> {
        let mut read = ExponentialHistogramDataPoint::default();
        object!(self, "data point" {
            "startTimeUnixNano" => read.start_time_unix_nano = self.u64("startTimeUnixNano")?,
            "timeUnixNano" => read.time_unix_nano = self.u64("timeUnixNano")?,
            "count" => read.count = self.u64("count")?,
            "sum" => read.sum = self.f64("sum")?,
            "scale" => read.scale = self.i32("scale")?,
            "zeroCount" => read.zero_count = self.u64("zeroCount")?,
            "positive" => read.positive = self.buckets()?,
            "negative" => read.negative = self.buckets()?,
            "exemplars" => read.exemplars = self.exemplars()?,
            "attributes" => read.attributes = self.attributes(0)?,
            "flags" => read.flags = self.u32("flags")?,
            "min" => read.min = self.f64("min")?,
            "max" => read.max = self.f64("max")?,
            "zeroThreshold" => {
                read.zero_threshold = self.f64("zeroThreshold")?.unwrap_or_default();
            },
        });
        Ok(read)
    }

    fn buckets(&mut self) -> Result<Option<Buckets>, Stop> {
        if !self.present()? {
            return Ok(None);
        }
        let mut read = Buckets::default();
        object!(self, "buckets" {
            "offset" => read.offset = self.i32("offset")?,
            "bucketCounts" => read.bucket_counts = self.numbers("bucketCounts", Self::u64)?,
        });
        Ok(Some(read))
    }

    fn summary_point(&mut self) -> Result<SummaryDataPoint, Stop> {
        let mut read = SummaryDataPoint::default();
        object!(self, "data point" {
            "startTimeUnixNano" => read.start_time_unix_nano = self.u64("startTimeUnixNano")?,
            "timeUnixNano" => read.time_unix_nano = self.u64("timeUnixNano")?,
            "count" => read.count = self.u64("count")?,
            "sum" => read.sum = self.f64("sum")?.unwrap_or_default(),
            "quantileValues" => self.list("quantileValues", |decoder| {
                decoder.count(Counted::Values)?;
                read.quantile_values.push(decoder.quantile()?);
                Ok(())
            })?,
            "attributes" => read.attributes = self.attributes(0)?,
            "flags" => read.flags = self.u32("flags")?,
        });
        Ok(read)
    }

    fn quantile(&mut self) -> Result<ValueAtQuantile, Stop> {
        let mut read = ValueAtQuantile::default();
        object!(self, "quantile" {
            "quantile" => read.quantile = self.f64("quantile")?.unwrap_or_default(),
            "value" => read.value = self.f64("value")?.unwrap_or_default(),
        });
        Ok(read)
    }

    fn exemplars(&mut self) -> Result<Vec<Exemplar>, Stop> {
        let mut read = Vec::new();
        self.list("exemplars", |decoder| {
            decoder.count(Counted::Exemplars)?;
            read.push(decoder.exemplar()?);
            Ok(())
        })?;
        Ok(read)
    }

    fn exemplar(&mut self) -> Result<Exemplar, Stop> {
        use exemplar::Value::{AsDouble, AsInt};
        let mut read = Exemplar::default();
        object!(self, "exemplar" {
            "filteredAttributes" => read.filtered_attributes = self.attributes(0)?,
            "timeUnixNano" => read.time_unix_nano = self.u64("timeUnixNano")?,
            "asDouble" => read.value = self.f64("asDouble")?.map(AsDouble).or(read.value),
            "asInt" => read.value = self.i64("asInt")?.map(AsInt).or(read.value),
            "traceId" => read.trace_id = self.id("traceId", 16)?,
            "spanId" => read.span_id = self.id("spanId", 8)?,
        });
        Ok(read)
    }

    fn numbers<T>(
        &mut self,
        name: &'static str,
        read: fn(&mut Self, &'static str) -> Result<T, Stop>,
    ) -> Result<Vec<T>, Stop> {
        let mut numbers = Vec::new();
        self.elements(name, |decoder| {
            decoder.count(Counted::Values)?;
            numbers.push(read(decoder, name)?);
            Ok(())
        })?;
        Ok(numbers)
    }
}
