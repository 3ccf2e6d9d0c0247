//! Log records.

use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::{Fault, Reader, fields};

impl Reader {
    /// Reads a log record; ids of any length pass here.
    pub(in crate::otlp) fn log(&mut self, bytes: &[u8], into: &mut LogRecord) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.time_unix_nano = field.fixed64("time_unix_nano")?,
            2 => into.severity_number = field.int32("severity_number")?,
            3 => into.severity_text = self.text(&field, "severity_text")?,
            5 => self.value(field.bytes("body")?, into.body.get_or_insert_default(), 0)?,
            6 => self.attribute(&field, &mut into.attributes, 0)?,
            7 => into.dropped_attributes_count = field.uint32("dropped_attributes_count")?,
            8 => into.flags = field.fixed32("flags")?,
            9 => into.trace_id = field.bytes("trace_id")?.to_vec(),
            10 => into.span_id = field.bytes("span_id")?.to_vec(),
            11 => into.observed_time_unix_nano = field.fixed64("observed_time_unix_nano")?,
            12 => into.event_name = self.text(&field, "event_name")?,
        })
    }
}
