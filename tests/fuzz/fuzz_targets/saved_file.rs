//! See [`clew_fuzz::saved_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clew_fuzz::saved_file(bytes));
