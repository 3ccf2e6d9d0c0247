//! Saved trace files: every format becomes OTLP, so nothing downstream knows which it was.
//!
//! A new format is one file here and its line in [`FORMATS`]; open dialog, drag and drop, import and standard input
//! follow.

mod otlp_json;
mod otlp_json_lines;

use crate::otlp::{Batch, Problem};

pub use otlp_json::OtlpJson;
pub use otlp_json_lines::OtlpJsonLines;

/// How sure a format is that a file is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The file is something else.
    No,
    /// Nothing speaks against it.
    Possible,
    /// Its marks are there, as they are in a sibling format.
    Likely,
    /// Its own marks are there.
    Certain,
}

/// Takes what a file holds, piece by piece: items, and what was wrong with others.
pub type Sink<'a> = dyn FnMut(Batch, Vec<Problem>) + 'a;

/// Reads one kind of saved trace file.
pub trait FileFormat: Sync {
    /// Names the format in commands and settings: lower case, hyphens.
    fn id(&self) -> &'static str;
    /// Names the format to people.
    fn title(&self) -> &'static str;
    /// Usual file name extensions, without the dot; the content decides, never the name.
    fn extensions(&self) -> &'static [&'static str];
    /// Says whether a file that begins with `head` (decompressed; 64 KiB are plenty) is of this format.
    fn sniff(&self, head: &[u8]) -> Confidence;
    /// Begins to read a file.
    fn reader(&self) -> Box<dyn FileReader>;
}

/// Reads one file that comes in pieces of any size, so that a file of gigabytes streams.
///
/// It never fails as a whole: what cannot be read is a [`Problem`] that names the line, and the rest goes on.
pub trait FileReader: Send {
    /// Takes the next bytes of the file and hands on what is complete.
    fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>);
    /// Takes the end of the file and hands on what is left.
    fn finish(&mut self, sink: &mut Sink<'_>);
}

/// All formats, in the order in which equal confidence is resolved.
pub const FORMATS: &[&dyn FileFormat] = &[&OtlpJsonLines, &OtlpJson];

/// Finds the format of a file that begins with `head` (decompressed); `None` where no format knows it.
#[must_use]
pub fn sniff(head: &[u8]) -> Option<&'static dyn FileFormat> {
    let mut best: Option<(Confidence, &'static dyn FileFormat)> = None;
    for format in FORMATS {
        let confidence = format.sniff(head);
        if confidence > best.map_or(Confidence::No, |(found, _)| found) {
            best = Some((confidence, *format));
        }
    }
    best.map(|(_, format)| format)
}

#[cfg(test)]
mod tests;
