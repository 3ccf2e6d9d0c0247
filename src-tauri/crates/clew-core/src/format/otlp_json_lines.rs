//! OTLP JSON Lines, as OTLP's file exporter writes them: one request a line, signals mixed.
//!
//! Blank lines and lines that begin with `#` or `//` are passed over. A line that cannot be read costs that line.

use super::otlp_json::{Documents, Glance, Intake, LARGEST_PIECE};
use super::{Confidence, FileFormat, FileReader, Sink};

/// One OTLP request a line.
#[derive(Debug)]
pub struct OtlpJsonLines;

impl FileFormat for OtlpJsonLines {
    fn id(&self) -> &'static str {
        "otlp-json-lines"
    }

    fn title(&self) -> &'static str {
        "OTLP JSON Lines"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["jsonl", "ndjson"]
    }

    fn sniff(&self, head: &[u8]) -> Confidence {
        match Glance::at(head) {
            Glance {
                telemetry: false, ..
            }
            | Glance { first: b'[', .. } => Confidence::No,
            Glance { lines: true, .. } => Confidence::Certain,
            Glance { pretty: true, .. } => Confidence::No,
            // One line that fills the head: as often the first of many.
            Glance { ended: false, .. } => Confidence::Likely,
            _ => Confidence::Possible,
        }
    }

    fn reader(&self) -> Box<dyn FileReader> {
        Box::new(Lines::default())
    }
}

#[derive(Debug, Default)]
struct Lines {
    intake: Intake,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Lines that are complete.
    number: usize,
    /// The present line is too long and is passed over.
    passing: bool,
}

impl Lines {
    fn line(&mut self, line: &[u8], sink: &mut Sink<'_>) {
        self.number += 1;
        if std::mem::take(&mut self.passing) {
            return;
        }
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(line) if self.number == 1 => line,
            _ => line,
        };
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"//") {
            return;
        }
        let place = format!("line {}", self.number);
        self.intake.take(line, Some(&place), sink);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.passing {
            return;
        }
        self.partial.extend_from_slice(bytes);
        if self.partial.len() > LARGEST_PIECE {
            self.intake.problem(
                format!("line {}", self.number + 1),
                format!("it takes more than {} MiB: left out", LARGEST_PIECE >> 20),
                true,
            );
            self.partial = Vec::new();
            self.passing = true;
        }
    }
}

impl FileReader for Lines {
    fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>) {
        let mut lines = bytes.split(|&byte| byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            if self.partial.is_empty() {
                self.line(line, sink);
            } else {
                self.keep(line);
                let whole = std::mem::take(&mut self.partial);
                self.line(&whole, sink);
            }
        }
        self.keep(last);
    }

    fn finish(&mut self, sink: &mut Sink<'_>) {
        let rest = std::mem::take(&mut self.partial);
        if self.number == 0 && !self.passing {
            // A file of one line is a document: if it breaks off, what is complete before is kept.
            let mut document = Documents::default();
            document.push(&rest, sink);
            document.finish(sink);
        } else if !rest.is_empty() {
            self.line(&rest, sink);
        }
        self.intake.finish(sink);
    }
}
