//! Any bytes as a saved trace file, in pieces of any size: no panic, and every format answers.
#![no_main]

use clew_core::format::{FORMATS, sniff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, file)) = data.split_first() else {
        return;
    };
    let _ = sniff(file);
    for format in FORMATS {
        let mut reader = format.reader();
        for piece in file.chunks(usize::from(*first).max(1)) {
            reader.push(piece, &mut |_, _| {});
        }
        reader.finish(&mut |_, _| {});
    }
});
