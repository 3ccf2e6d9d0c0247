//! OTLP JSON files: one request, several behind one another, or a list of them; pretty or not, signals mixed.
//!
//! A file is cut into pieces where a resource's part ends, so that a large one streams; a file that breaks off in the
//! middle keeps every item before the break.

use super::{Confidence, FileFormat, FileReader, Sink};
use crate::otlp::json::{self, Dialect};
use crate::otlp::{Batch, Limits, MadeIds, Problem};

/// One OTLP JSON document or several.
#[derive(Debug)]
pub struct OtlpJson;

impl FileFormat for OtlpJson {
    fn id(&self) -> &'static str {
        "otlp-json"
    }

    fn title(&self) -> &'static str {
        "OTLP JSON"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["json"]
    }

    fn sniff(&self, head: &[u8]) -> Confidence {
        match Glance::at(head) {
            Glance {
                telemetry: false, ..
            } => Confidence::No,
            Glance { first: b'[', .. } => Confidence::Certain,
            Glance { lines: true, .. } => Confidence::Possible,
            Glance {
                ended: false,
                pretty: false,
                ..
            } => Confidence::Likely,
            _ => Confidence::Certain,
        }
    }

    fn reader(&self) -> Box<dyn FileReader> {
        Box::new(Documents::default())
    }
}

/// Keys of the lists that make a document OTLP.
const LISTS: [&str; 6] = [
    "resourceSpans",
    "resourceLogs",
    "resourceMetrics",
    "resource_spans",
    "resource_logs",
    "resource_metrics",
];

/// What the beginning of a file shows.
#[derive(Debug, Default)]
pub(super) struct Glance {
    /// The first byte that is no white space.
    pub(super) first: u8,
    /// A key of OTLP stands on the outermost level of a document.
    pub(super) telemetry: bool,
    /// The first value ends within the head.
    pub(super) ended: bool,
    /// A line breaks within the first value.
    pub(super) pretty: bool,
    /// Each line seems to be a document.
    pub(super) lines: bool,
}

impl Glance {
    pub(super) fn at(head: &[u8]) -> Self {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let head = head.trim_ascii_start();
        let mut glance = Self {
            first: head.first().copied().unwrap_or_default(),
            ..Self::default()
        };
        let opens_document = |line: &[u8]| {
            let line = line.trim_ascii_start();
            line.first() == Some(&b'{')
                && LISTS.iter().any(|key| {
                    line[1..]
                        .trim_ascii_start()
                        .starts_with(format!("\"{key}\"").as_bytes())
                })
        };
        let mut later_lines = head.split(|&byte| byte == b'\n').skip(1);
        let later_document = later_lines.any(opens_document);
        if !matches!(glance.first, b'{' | b'[') {
            // A comment or a broken line may stand before the first document.
            glance.telemetry = later_document;
            glance.lines = later_document;
            return glance;
        }
        let outermost = if glance.first == b'[' { 2 } else { 1 };
        let mut cursor = Cursor::default();
        let mut string_start = 0;
        for (at, &byte) in head.iter().enumerate() {
            let was_in_string = cursor.in_string;
            cursor.step(byte);
            match (was_in_string, cursor.in_string) {
                (false, true) => string_start = at + 1,
                (true, false) if cursor.depth == outermost => {
                    let text = &head[string_start..at];
                    let is_key = head[at + 1..].trim_ascii_start().first() == Some(&b':');
                    glance.telemetry |= is_key && LISTS.iter().any(|key| key.as_bytes() == text);
                }
                _ => {}
            }
            glance.pretty |= byte == b'\n';
            if cursor.depth == 0 {
                glance.ended = true;
                let rest = head[at + 1..].trim_ascii_start();
                glance.lines = !glance.pretty && glance.first == b'{' && !rest.is_empty();
                break;
            }
        }
        if glance.first == b'{' && later_document {
            glance.telemetry = true;
            glance.lines = true;
        }
        glance
    }
}

/// Follows the nesting of JSON byte by byte, without judging it.
#[derive(Debug, Default)]
struct Cursor {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Cursor {
    fn step(&mut self, byte: u8) {
        if self.in_string {
            if std::mem::take(&mut self.escaped) {
                return;
            }
            match byte {
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Nesting of a list of resources, counted from its document: `{` and `[`.
const IN_RESOURCES: usize = 2;
/// Nesting of a list of items: `{[` of resources, `{[` of scopes, `{[` of items.
const IN_ITEMS: usize = 6;

/// Reads documents out of a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct Documents {
    intake: Intake,
    cursor: Cursor,
    /// The present document, from its `{`; after a cut, from the head that is repeated.
    buffer: Vec<u8>,
    /// Nesting around documents: 1 within a list of them.
    around: usize,
    line: usize,
    document_line: usize,
    /// Where the last string began in the buffer, and where the last one on the document's own level lies.
    string_start: usize,
    last_key: (usize, usize),
    /// Behind the last complete item in the buffer.
    last_item: usize,
    /// The comma behind a cut is not yet seen.
    after_cut: bool,
    /// Between the braces of a document.
    inside: bool,
    /// The present document is too large and is passed over.
    passing: bool,
    /// The present stretch between documents was reported.
    reported: bool,
}

impl Documents {
    fn byte(&mut self, byte: u8, sink: &mut Sink<'_>) {
        if byte == b'\n' {
            self.line += 1;
        }
        if !self.inside {
            self.between(byte, sink);
            return;
        }
        let was_in_string = self.cursor.in_string;
        self.cursor.step(byte);
        let depth = self.cursor.depth.saturating_sub(self.around);
        self.inside = depth > 0;
        if self.passing {
            return;
        }
        let after_cut = self.after_cut && depth == IN_RESOURCES && !self.cursor.in_string;
        if after_cut && (byte == b',' || byte.is_ascii_whitespace()) {
            return;
        }
        self.after_cut = false;
        self.buffer.push(byte);
        match (was_in_string, self.cursor.in_string) {
            (false, true) => self.string_start = self.buffer.len(),
            (true, false) if depth == 1 => {
                self.last_key = (self.string_start, self.buffer.len() - 1);
            }
            (false, false) if depth == 0 => self.document(sink),
            (false, false) if byte == b'}' && depth == IN_ITEMS => {
                self.last_item = self.buffer.len();
            }
            (false, false)
                if byte == b'}' && depth == IN_RESOURCES && self.buffer.len() >= PIECE_BYTES =>
            {
                self.cut(sink);
            }
            _ => {}
        }
        if self.buffer.len() > LARGEST_PIECE {
            self.intake.problem(
                format!("the document at line {}", self.document_line),
                format!(
                    "one resource in it takes more than {} MiB: left out; split the file",
                    LARGEST_PIECE >> 20
                ),
                true,
            );
            self.buffer = Vec::new();
            self.passing = true;
        }
    }

    /// A byte that stands outside of documents.
    fn between(&mut self, byte: u8, sink: &mut Sink<'_>) {
        match byte {
            b'{' => {
                self.document_line = self.line + 1;
                self.cursor = Cursor {
                    depth: self.around + 1,
                    ..Cursor::default()
                };
                self.buffer.clear();
                self.buffer.push(byte);
                self.inside = true;
                self.passing = false;
                self.last_item = 0;
                self.reported = false;
            }
            b'[' if self.around == 0 => self.around = 1,
            b']' if self.around == 1 => self.around = 0,
            b',' | 0xef | 0xbb | 0xbf => {}
            byte if byte.is_ascii_whitespace() => {}
            _ if self.reported => {}
            _ => {
                self.reported = true;
                self.intake.problem(
                    format!("line {}", self.line + 1),
                    "expected an OTLP document: passed over to the next one".to_owned(),
                    true,
                );
                self.intake.flush_if_full(sink);
            }
        }
    }

    /// A document is complete.
    fn document(&mut self, sink: &mut Sink<'_>) {
        let buffer = std::mem::take(&mut self.buffer);
        let place =
            (self.document_line > 1).then(|| format!("document at line {}", self.document_line));
        self.intake.take(&buffer, place.as_deref(), sink);
        self.buffer = buffer;
        self.buffer.clear();
    }

    /// Hands on the resources so far, and goes on as if the document began with the rest of its list.
    fn cut(&mut self, sink: &mut Sink<'_>) {
        let (start, end) = self.last_key;
        let Some(key) = self.buffer.get(start..end).map(<[u8]>::to_vec) else {
            return;
        };
        if !LISTS.iter().any(|list| list.as_bytes() == key) {
            return;
        }
        self.buffer.extend_from_slice(b"]}");
        self.document(sink);
        self.buffer.extend_from_slice(b"{\"");
        self.last_key = (2, 2 + key.len());
        self.buffer.extend_from_slice(&key);
        self.buffer.extend_from_slice(b"\":[");
        self.last_item = 0;
        self.after_cut = true;
    }
}

impl FileReader for Documents {
    fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>) {
        for &byte in bytes {
            self.byte(byte, sink);
        }
    }

    fn finish(&mut self, sink: &mut Sink<'_>) {
        if self.inside {
            self.intake.problem(
                format!("line {}", self.line + 1),
                "the file breaks off within a document: what is complete before is kept".to_owned(),
                true,
            );
            if self.last_item > 0 && !self.passing {
                self.buffer.truncate(self.last_item);
                self.buffer.extend_from_slice(b"]}]}]}");
                self.document(sink);
            }
        }
        self.intake.finish(sink);
    }
}

/// A document is cut between resources once it takes this much, in bytes.
const PIECE_BYTES: usize = 4 << 20;
/// The largest piece that is read at once, in bytes: one resource's part, or one line.
pub(super) const LARGEST_PIECE: usize = 256 << 20;
/// Items that are gathered before they are handed on, so that each commit is worth its while.
const GATHERED: usize = 1_000;

/// Decodes pieces of JSON and gathers what they hold.
#[derive(Debug, Default)]
pub(super) struct Intake {
    batch: Batch,
    problems: Vec<Problem>,
    items: usize,
    dialect: Dialect,
    made: MadeIds,
}

impl Intake {
    /// Decodes one piece; `place` is where it stands in the file.
    pub(super) fn take(&mut self, piece: &[u8], place: Option<&str>, sink: &mut Sink<'_>) {
        // A person opens a file on purpose, so a piece may hold more than a request, while memory stays bounded.
        let limits = Limits {
            items: 1_000_000,
            ..Limits::default()
        };
        let whole = || place.unwrap_or("the document").to_owned();
        match json::document(piece, limits, &mut self.made) {
            Ok(document) => {
                if !document.telemetry {
                    let reason = "it has no resourceSpans, resourceLogs or resourceMetrics";
                    self.problem(whole(), reason.to_owned(), false);
                }
                self.dialect.snake_case |= document.dialect.snake_case;
                self.dialect.enum_names |= document.dialect.enum_names;
                self.dialect.base64_ids |= document.dialect.base64_ids;
                for problem in document.problems {
                    let item = match place {
                        Some(place) => format!("{place}: {}", problem.item),
                        None => problem.item,
                    };
                    self.problem(item, problem.reason, problem.rejected);
                }
                let batch = document.batch;
                self.items += batch
                    .spans
                    .iter()
                    .map(|group| group.items.len())
                    .sum::<usize>();
                self.items += batch
                    .logs
                    .iter()
                    .map(|group| group.items.len())
                    .sum::<usize>();
                self.items += batch
                    .metrics
                    .iter()
                    .map(|group| group.items.len())
                    .sum::<usize>();
                self.batch.spans.extend(batch.spans);
                self.batch.logs.extend(batch.logs);
                self.batch.metrics.extend(batch.metrics);
            }
            Err(refusal) => self.problem(whole(), refusal.to_string(), true),
        }
        self.flush_if_full(sink);
    }

    pub(super) fn problem(&mut self, item: String, reason: String, rejected: bool) {
        self.problems.push(Problem {
            item,
            reason,
            rejected,
        });
    }

    fn flush_if_full(&mut self, sink: &mut Sink<'_>) {
        if self.items >= GATHERED || self.problems.len() >= GATHERED {
            self.flush(sink);
        }
    }

    fn flush(&mut self, sink: &mut Sink<'_>) {
        self.items = 0;
        if self.batch != Batch::default() || !self.problems.is_empty() {
            sink(
                std::mem::take(&mut self.batch),
                std::mem::take(&mut self.problems),
            );
        }
    }

    /// Hands on the rest, with one remark for each way of writing that OTLP does not allow.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) {
        for (used, reason) in [
            (
                self.dialect.base64_ids,
                "ids are in base64, as protobuf's own JSON has them: read by their length",
            ),
            (
                self.dialect.enum_names,
                "enums are names, as protobuf's own JSON has them: read as their numbers",
            ),
            (
                self.dialect.snake_case,
                "keys are in snake_case: read as lowerCamelCase",
            ),
        ] {
            if used {
                self.problem("the file".to_owned(), reason.to_owned(), false);
            }
        }
        self.flush(sink);
    }
}
