//! Metrics and their points.

use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, Sum, Summary, SummaryDataPoint, exemplar,
    number_data_point,
};

use super::{Fault, Reader, fields, wrong_type};
use crate::otlp::Point;
use crate::otlp::budget::Kind;
use crate::otlp::metric::Shape;
use crate::otlp::wire::{Field, Payload, varint};

impl Reader {
    /// Reads what the points of a metric share. Points are read one by one with [`Reader::point`]; those that stand
    /// in `bytes` are passed over.
    pub(in crate::otlp) fn metric(&mut self, bytes: &[u8], into: &mut Metric) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.name = self.text(&field, "name")?,
            2 => into.description = self.text(&field, "description")?,
            3 => into.unit = self.text(&field, "unit")?,
            5 => self.data(&field, Data::Gauge(Gauge::default()), into)?,
            7 => self.data(&field, Data::Sum(Sum::default()), into)?,
            9 => self.data(&field, Data::Histogram(Histogram::default()), into)?,
            10 => {
                let empty = Data::ExponentialHistogram(ExponentialHistogram::default());
                self.data(&field, empty, into)?;
            },
            11 => self.data(&field, Data::Summary(Summary::default()), into)?,
            12 => self.attribute(&field, &mut into.metadata, 0)?,
        })
    }

    fn data(&mut self, field: &Field<'_>, empty: Data, into: &mut Metric) -> Result<(), Fault> {
        let bytes = field.bytes("data")?;
        let same = into
            .data
            .as_ref()
            .is_some_and(|data| std::mem::discriminant(data) == std::mem::discriminant(&empty));
        if !same {
            into.data = Some(empty);
        }
        let (mut temporality, mut monotonic) = (None, None);
        let has_temporality = !matches!(into.data, Some(Data::Gauge(_) | Data::Summary(_)) | None);
        let has_monotonic = matches!(into.data, Some(Data::Sum(_)));
        let mut fields = crate::otlp::wire::Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => {
                    field.bytes("data_points")?;
                }
                2 if has_temporality => {
                    temporality = Some(field.int32("aggregation_temporality")?);
                }
                3 if has_monotonic => monotonic = Some(field.varint("is_monotonic")? != 0),
                _ => self.notes.unknown(field.raw),
            }
        }
        match &mut into.data {
            Some(Data::Sum(sum)) => {
                sum.aggregation_temporality = temporality.unwrap_or(sum.aggregation_temporality);
                sum.is_monotonic = monotonic.unwrap_or(sum.is_monotonic);
            }
            Some(Data::Histogram(histogram)) => {
                histogram.aggregation_temporality =
                    temporality.unwrap_or(histogram.aggregation_temporality);
            }
            Some(Data::ExponentialHistogram(histogram)) => {
                histogram.aggregation_temporality =
                    temporality.unwrap_or(histogram.aggregation_temporality);
            }
            Some(Data::Gauge(_) | Data::Summary(_)) | None => {}
        }
        Ok(())
    }

    /// Reads one point of a metric of this shape.
    pub(in crate::otlp) fn point(&mut self, shape: Shape, bytes: &[u8]) -> Result<Point, Fault> {
        Ok(match shape {
            Shape::Gauge | Shape::Sum => {
                let mut read = NumberDataPoint::default();
                self.number_point(bytes, &mut read)?;
                Point::Number(read)
            }
            Shape::Histogram => {
                let mut read = HistogramDataPoint::default();
                self.histogram_point(bytes, &mut read)?;
                Point::Histogram(read)
            }
            Shape::Exponential => {
                let mut read = ExponentialHistogramDataPoint::default();
                self.exponential_point(bytes, &mut read)?;
                Point::Exponential(read)
            }
            Shape::Summary => {
                let mut read = SummaryDataPoint::default();
                self.summary_point(bytes, &mut read)?;
                Point::Summary(read)
            }
        })
    }

    fn number_point(&mut self, bytes: &[u8], into: &mut NumberDataPoint) -> Result<(), Fault> {
        use number_data_point::Value::{AsDouble, AsInt};
        fields!(self, bytes, field {
            2 => into.start_time_unix_nano = field.fixed64("start_time_unix_nano")?,
            3 => into.time_unix_nano = field.fixed64("time_unix_nano")?,
            4 => into.value = Some(AsDouble(field.double("as_double")?)),
            5 => self.exemplar(&field, &mut into.exemplars)?,
            6 => into.value = Some(AsInt(field.fixed64("as_int")?.cast_signed())),
            7 => self.attribute(&field, &mut into.attributes, 0)?,
            8 => into.flags = field.uint32("flags")?,
        })
    }

    fn histogram_point(
        &mut self,
        bytes: &[u8],
        into: &mut HistogramDataPoint,
    ) -> Result<(), Fault> {
        fields!(self, bytes, field {
            2 => into.start_time_unix_nano = field.fixed64("start_time_unix_nano")?,
            3 => into.time_unix_nano = field.fixed64("time_unix_nano")?,
            4 => into.count = field.fixed64("count")?,
            5 => into.sum = Some(field.double("sum")?),
            6 => self.fixed64s(&field, "bucket_counts", &mut into.bucket_counts, |bits| bits)?,
            7 => {
                self.fixed64s(&field, "explicit_bounds", &mut into.explicit_bounds, f64::from_bits)?;
            },
            8 => self.exemplar(&field, &mut into.exemplars)?,
            9 => self.attribute(&field, &mut into.attributes, 0)?,
            10 => into.flags = field.uint32("flags")?,
            11 => into.min = Some(field.double("min")?),
            12 => into.max = Some(field.double("max")?),
        })
    }

    fn exponential_point(
        &mut self,
        bytes: &[u8],
        into: &mut ExponentialHistogramDataPoint,
    ) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => self.attribute(&field, &mut into.attributes, 0)?,
            2 => into.start_time_unix_nano = field.fixed64("start_time_unix_nano")?,
            3 => into.time_unix_nano = field.fixed64("time_unix_nano")?,
            4 => into.count = field.fixed64("count")?,
            5 => into.sum = Some(field.double("sum")?),
            6 => into.scale = field.sint32("scale")?,
            7 => into.zero_count = field.fixed64("zero_count")?,
            8 => self.buckets(field.bytes("positive")?, into.positive.get_or_insert_default())?,
            9 => self.buckets(field.bytes("negative")?, into.negative.get_or_insert_default())?,
            10 => into.flags = field.uint32("flags")?,
            11 => self.exemplar(&field, &mut into.exemplars)?,
            12 => into.min = Some(field.double("min")?),
            13 => into.max = Some(field.double("max")?),
            14 => into.zero_threshold = field.double("zero_threshold")?,
        })
    }

    fn buckets(&mut self, bytes: &[u8], into: &mut Buckets) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.offset = field.sint32("offset")?,
            2 => self.varints(&field, &mut into.bucket_counts)?,
        })
    }

    fn summary_point(&mut self, bytes: &[u8], into: &mut SummaryDataPoint) -> Result<(), Fault> {
        fields!(self, bytes, field {
            2 => into.start_time_unix_nano = field.fixed64("start_time_unix_nano")?,
            3 => into.time_unix_nano = field.fixed64("time_unix_nano")?,
            4 => into.count = field.fixed64("count")?,
            5 => into.sum = field.double("sum")?,
            6 => {
                let bytes = field.bytes("quantile_values")?;
                self.count(Kind::Values)?;
                let mut read = ValueAtQuantile::default();
                self.quantile(bytes, &mut read)?;
                into.quantile_values.push(read);
            },
            7 => self.attribute(&field, &mut into.attributes, 0)?,
            8 => into.flags = field.uint32("flags")?,
        })
    }

    fn quantile(&mut self, bytes: &[u8], into: &mut ValueAtQuantile) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.quantile = field.double("quantile")?,
            2 => into.value = field.double("value")?,
        })
    }

    fn exemplar(&mut self, field: &Field<'_>, into: &mut Vec<Exemplar>) -> Result<(), Fault> {
        let bytes = field.bytes("exemplars")?;
        self.count(Kind::Exemplars)?;
        let mut read = Exemplar::default();
        self.exemplar_fields(bytes, &mut read)?;
        into.push(read);
        Ok(())
    }

    fn exemplar_fields(&mut self, bytes: &[u8], into: &mut Exemplar) -> Result<(), Fault> {
        use exemplar::Value::{AsDouble, AsInt};
        fields!(self, bytes, field {
            2 => into.time_unix_nano = field.fixed64("time_unix_nano")?,
            3 => into.value = Some(AsDouble(field.double("as_double")?)),
            4 => into.span_id = field.bytes("span_id")?.to_vec(),
            5 => into.trace_id = field.bytes("trace_id")?.to_vec(),
            6 => into.value = Some(AsInt(field.fixed64("as_int")?.cast_signed())),
            7 => self.attribute(&field, &mut into.filtered_attributes, 0)?,
        })
    }

    /// Repeated 64-bit numbers of fixed width, packed or one by one.
    fn fixed64s<T>(
        &mut self,
        field: &Field<'_>,
        name: &'static str,
        into: &mut Vec<T>,
        make: fn(u64) -> T,
    ) -> Result<(), Fault> {
        match field.payload {
            Payload::Fixed64(bits) => {
                self.count(Kind::Values)?;
                into.push(make(bits));
            }
            Payload::Bytes(packed) => {
                let (numbers, rest) = packed.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(Fault::Item(format!("`{name}` is cut").into()));
                }
                self.budget.take_many(Kind::Values, numbers.len())?;
                into.extend(numbers.iter().map(|bytes| make(u64::from_le_bytes(*bytes))));
            }
            _ => return Err(wrong_type(name)),
        }
        Ok(())
    }

    /// Repeated variable-length integers, packed or one by one.
    fn varints(&mut self, field: &Field<'_>, into: &mut Vec<u64>) -> Result<(), Fault> {
        match field.payload {
            Payload::Varint(value) => {
                self.count(Kind::Values)?;
                into.push(value);
            }
            Payload::Bytes(mut packed) => {
                // Every integer ends with the one byte of it that has no continuation bit.
                let number = packed.iter().filter(|&&byte| byte < 0x80).count();
                self.budget.take_many(Kind::Values, number)?;
                into.reserve(number);
                while !packed.is_empty() {
                    let (value, length) = varint(packed)?;
                    into.push(value);
                    packed = &packed[length..];
                }
            }
            _ => return Err(wrong_type("bucket_counts")),
        }
        Ok(())
    }
}
