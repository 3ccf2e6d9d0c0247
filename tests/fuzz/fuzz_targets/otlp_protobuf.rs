//! Any bytes as an export request in protobuf: no panic, and what was taken can be read again.
#![no_main]

use clew_core::otlp::{Encoding, Limits, Signal, decode, decode_log, decode_span};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        let Ok((batch, _)) = decode(signal, Encoding::Protobuf, body, &Limits::default()) else {
            continue;
        };
        for span in batch.spans.iter().flat_map(|group| &group.items) {
            decode_span(&span.raw).expect("a stored span can be read");
        }
        for log in batch.logs.iter().flat_map(|group| &group.items) {
            decode_log(&log.raw).expect("a stored log record can be read");
        }
    }
});
