//! The built-in sample: recorded requests of real programs, moved to the present.

use clew_core::otlp::{self, Batch, Encoding, GroundSpan, Limits, Signal};
use prost::Message as _;

use super::{announce, source};
use crate::api::Opened;
use crate::engine::Engine;
use crate::error::{Error, ErrorCode};
use crate::store::now_micros;

/// Recorded with a stand-in model provider: a travel desk whose tool fails once, a support desk with a guardrail, a
/// hand-off, a refusal and an answer that was cut, a research agent that searches, reads and writes.
const REQUESTS: [&[u8]; 3] = [
    include_bytes!(
        "../../../../../fixtures/otlp/pydantic_ai_delegation/001-traces-http-protobuf.pb"
    ),
    include_bytes!(
        "../../../../../fixtures/otlp/openinference_openai_agents_stream/001-traces-http-protobuf.pb"
    ),
    include_bytes!(
        "../../../../../fixtures/otlp/openinference_langgraph/001-traces-http-protobuf.pb"
    ),
];

/// Opens the sample as a source; opened again, it adds nothing.
///
/// # Errors
/// When it cannot be stored.
pub(crate) async fn sample(engine: &Engine) -> Result<Opened, Error> {
    let source = source(engine, "sample".to_owned(), "Sample".to_owned(), "OTLP").await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM traces WHERE source = ?")
        .bind(source)
        .fetch_one(&engine.inner.store.reads)
        .await?;
    let mut opened = Opened {
        source: Some(source),
        label: "Sample".to_owned(),
        spans: 0,
        traces: 0,
        logs: 0,
        points: 0,
        problems: Vec::new(),
        problem_count: 0,
    };
    if known > 0 {
        return Ok(opened);
    }
    let now = u64::try_from(now_micros())
        .unwrap_or(0)
        .saturating_mul(1_000);
    for (age, request) in REQUESTS.into_iter().enumerate() {
        let (mut batch, _) = otlp::decode(
            Signal::Traces,
            Encoding::Protobuf,
            request,
            &Limits::default(),
        )
        .map_err(Error::internal)?;
        // One program after the other, the last one a moment ago.
        let minutes = u64::try_from(REQUESTS.len() - 1 - age).unwrap_or(0);
        shift(&mut batch, now.saturating_sub(minutes * 60_000_000_000));
        let stored = engine
            .ingest()?
            .commit_patiently(source, batch)
            .await
            .map_err(|refused| {
                Error::new(ErrorCode::Io, format!("cannot store the sample: {refused}"))
            })?;
        opened.spans += stored.spans;
        opened.traces += stored.traces;
    }
    announce(engine);
    Ok(opened)
}

/// Moves all times of a batch so that its latest end is at `end`, in nanoseconds since the epoch.
fn shift(batch: &mut Batch, end: u64) {
    let latest = spans(batch)
        .map(|item| item.span.end_time_unix_nano)
        .max()
        .unwrap_or(0);
    let moved = |time: u64| {
        if time == 0 {
            0
        } else {
            end.saturating_sub(latest.saturating_sub(time))
        }
    };
    for item in batch.spans.iter_mut().flat_map(|group| &mut group.items) {
        let span = &mut item.span;
        span.start_time_unix_nano = moved(span.start_time_unix_nano);
        span.end_time_unix_nano = moved(span.end_time_unix_nano);
        for event in &mut span.events {
            event.time_unix_nano = moved(event.time_unix_nano);
        }
        item.raw = span.encode_to_vec();
    }
}

fn spans(batch: &Batch) -> impl Iterator<Item = &GroundSpan> {
    batch.spans.iter().flat_map(|group| &group.items)
}
