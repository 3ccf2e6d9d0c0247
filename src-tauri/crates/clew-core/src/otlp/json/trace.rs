//! Spans, their events, links and status.

use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::{Decoder, Stop, object};
use crate::otlp::budget::Kind as Counted;

impl Decoder<'_> {
    pub(super) fn span(&mut self) -> Result<Span, Stop> {
        let mut read = Span::default();
        object!(self, "span" {
            "traceId" => read.trace_id = self.needed_id("traceId", 16)?,
            "spanId" => read.span_id = self.needed_id("spanId", 8)?,
            "traceState" => read.trace_state = self.text("traceState")?,
            "parentSpanId" => read.parent_span_id = self.id("parentSpanId", 8)?,
            "flags" => read.flags = self.u32("flags")?,
            "name" => read.name = self.text("name")?,
            "kind" => read.kind = self.named("kind", SpanKind::from_str_name)?,
            "startTimeUnixNano" => read.start_time_unix_nano = self.u64("startTimeUnixNano")?,
            "endTimeUnixNano" => read.end_time_unix_nano = self.u64("endTimeUnixNano")?,
            "attributes" => read.attributes = self.attributes(0)?,
            "droppedAttributesCount" => {
                read.dropped_attributes_count = self.u32("droppedAttributesCount")?;
            },
            "events" => {
                read.events.clear();
                self.list("events", |decoder| {
                    decoder.count(Counted::Events)?;
                    read.events.push(decoder.event()?);
                    Ok(())
                })?;
            },
            "droppedEventsCount" => read.dropped_events_count = self.u32("droppedEventsCount")?,
            "links" => {
                read.links.clear();
                self.list("links", |decoder| {
                    decoder.count(Counted::Links)?;
                    read.links.push(decoder.link()?);
                    Ok(())
                })?;
            },
            "droppedLinksCount" => read.dropped_links_count = self.u32("droppedLinksCount")?,
            "status" => read.status = self.status()?,
        });
        Ok(read)
    }

    fn event(&mut self) -> Result<Event, Stop> {
        let mut read = Event::default();
        object!(self, "event" {
            "timeUnixNano" => read.time_unix_nano = self.u64("timeUnixNano")?,
            "name" => read.name = self.text("name")?,
            "attributes" => read.attributes = self.attributes(0)?,
            "droppedAttributesCount" => {
                read.dropped_attributes_count = self.u32("droppedAttributesCount")?;
            },
        });
        Ok(read)
    }

    fn link(&mut self) -> Result<Link, Stop> {
        let mut read = Link::default();
        object!(self, "link" {
            "traceId" => read.trace_id = self.id("traceId", 16)?,
            "spanId" => read.span_id = self.id("spanId", 8)?,
            "traceState" => read.trace_state = self.text("traceState")?,
            "attributes" => read.attributes = self.attributes(0)?,
            "droppedAttributesCount" => {
                read.dropped_attributes_count = self.u32("droppedAttributesCount")?;
            },
            "flags" => read.flags = self.u32("flags")?,
        });
        Ok(read)
    }

    fn status(&mut self) -> Result<Option<Status>, Stop> {
        if !self.present()? {
            return Ok(None);
        }
        let mut read = Status::default();
        object!(self, "status" {
            "message" => read.message = self.text("message")?,
            "code" => read.code = self.named("code", StatusCode::from_str_name)?,
        });
        Ok(Some(read))
    }
}
