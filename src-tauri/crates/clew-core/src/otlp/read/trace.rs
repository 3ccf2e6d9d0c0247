//! Spans, their events, links and status.

use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::{Fault, Reader, fields};
use crate::otlp::budget::Kind;

impl Reader {
    /// Reads a span; ids of any length pass here.
    pub(in crate::otlp) fn span(&mut self, bytes: &[u8], into: &mut Span) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.trace_id = field.bytes("trace_id")?.to_vec(),
            2 => into.span_id = field.bytes("span_id")?.to_vec(),
            3 => into.trace_state = self.text(&field, "trace_state")?,
            4 => into.parent_span_id = field.bytes("parent_span_id")?.to_vec(),
            5 => into.name = self.text(&field, "name")?,
            6 => into.kind = field.int32("kind")?,
            7 => into.start_time_unix_nano = field.fixed64("start_time_unix_nano")?,
            8 => into.end_time_unix_nano = field.fixed64("end_time_unix_nano")?,
            9 => self.attribute(&field, &mut into.attributes, 0)?,
            10 => into.dropped_attributes_count = field.uint32("dropped_attributes_count")?,
            11 => {
                let bytes = field.bytes("events")?;
                self.count(Kind::Events)?;
                let mut read = Event::default();
                self.event(bytes, &mut read)?;
                into.events.push(read);
            },
            12 => into.dropped_events_count = field.uint32("dropped_events_count")?,
            13 => {
                let bytes = field.bytes("links")?;
                self.count(Kind::Links)?;
                let mut read = Link::default();
                self.link(bytes, &mut read)?;
                into.links.push(read);
            },
            14 => into.dropped_links_count = field.uint32("dropped_links_count")?,
            15 => self.status(field.bytes("status")?, into.status.get_or_insert_default())?,
            16 => into.flags = field.fixed32("flags")?,
        })
    }

    fn event(&mut self, bytes: &[u8], into: &mut Event) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.time_unix_nano = field.fixed64("time_unix_nano")?,
            2 => into.name = self.text(&field, "name")?,
            3 => self.attribute(&field, &mut into.attributes, 0)?,
            4 => into.dropped_attributes_count = field.uint32("dropped_attributes_count")?,
        })
    }

    fn link(&mut self, bytes: &[u8], into: &mut Link) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.trace_id = field.bytes("trace_id")?.to_vec(),
            2 => into.span_id = field.bytes("span_id")?.to_vec(),
            3 => into.trace_state = self.text(&field, "trace_state")?,
            4 => self.attribute(&field, &mut into.attributes, 0)?,
            5 => into.dropped_attributes_count = field.uint32("dropped_attributes_count")?,
            6 => into.flags = field.fixed32("flags")?,
        })
    }

    fn status(&mut self, bytes: &[u8], into: &mut Status) -> Result<(), Fault> {
        fields!(self, bytes, field {
            2 => into.message = self.text(&field, "message")?,
            3 => into.code = field.int32("code")?,
        })
    }
}
