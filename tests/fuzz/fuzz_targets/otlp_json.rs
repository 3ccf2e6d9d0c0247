//! See [`clew_fuzz::otlp_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clew_fuzz::otlp_json(bytes));
