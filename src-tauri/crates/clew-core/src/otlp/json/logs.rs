//! Log records.

use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};

use super::{Decoder, Stop, object};

impl Decoder<'_> {
    pub(super) fn log(&mut self) -> Result<LogRecord, Stop> {
        let mut read = LogRecord::default();
        object!(self, "log record" {
            "timeUnixNano" => read.time_unix_nano = self.u64("timeUnixNano")?,
            "observedTimeUnixNano" => {
                read.observed_time_unix_nano = self.u64("observedTimeUnixNano")?;
            },
            "severityNumber" => {
                read.severity_number =
                    self.named("severityNumber", SeverityNumber::from_str_name)?;
            },
            "severityText" => read.severity_text = self.text("severityText")?,
            "body" => read.body = self.value(0)?,
            "attributes" => read.attributes = self.attributes(0)?,
            "droppedAttributesCount" => {
                read.dropped_attributes_count = self.u32("droppedAttributesCount")?;
            },
            "flags" => read.flags = self.u32("flags")?,
            "traceId" => read.trace_id = self.id("traceId", 16)?,
            "spanId" => read.span_id = self.id("spanId", 8)?,
            "eventName" => read.event_name = self.text("eventName")?,
        });
        Ok(read)
    }
}
