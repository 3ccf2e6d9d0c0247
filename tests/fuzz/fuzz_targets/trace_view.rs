//! See [`clew_fuzz::trace_view`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clew_fuzz::trace_view(bytes));
