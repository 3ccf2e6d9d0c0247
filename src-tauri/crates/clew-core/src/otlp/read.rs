//! Reads OTLP's protobuf messages into opentelemetry-proto's types.
//!
//! As prost does for valid input (repeated messages merge, the last scalar wins, packed or not), with four
//! differences: items are counted before they are allocated, text that is not UTF-8 is repaired, values nested too
//! deep are cut, and unknown fields are gathered for the hash.

mod logs;
mod metrics;
mod trace;
mod value;

use std::borrow::Cow;

use super::budget::{Budget, Kind};
use super::wire::{Broken, Field, Payload};
use super::{Limits, Refusal};

/// Why an item cannot be read, or the whole request not.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// This item is unreadable; its neighbours are not touched.
    Item(Cow<'static, str>),
    /// The request is refused.
    Refused(Refusal),
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::Item(Cow::Owned(format!("its protobuf is broken: {broken}")))
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What was noticed while one item was read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Text was not UTF-8.
    pub(super) text: bool,
    /// A value was nested too deep.
    pub(super) depth: bool,
    /// A key was too long.
    pub(super) key: bool,
    /// The id of a link or exemplar was unreadable (JSON only).
    pub(super) id: bool,
    /// An enum had a name that OTLP does not know (JSON only).
    pub(super) name: bool,
    /// Which ids were read in place of unusable ones, and why (saved files only).
    pub(super) made: Vec<String>,
    /// Unknown fields as received, each after the number of items before it.
    pub(super) unknown: Vec<u8>,
    seen: u32,
}

impl Notes {
    /// Whether the decoded form differs from what was received.
    pub(super) const fn repaired(&self) -> bool {
        self.text || self.depth || self.key
    }

    /// Each repair in words.
    pub(super) fn reasons(&self) -> impl Iterator<Item = Cow<'_, str>> {
        [
            (
                self.text,
                "text is not UTF-8: kept, with U+FFFD for each bad sequence; send UTF-8",
            ),
            (
                self.depth,
                "a value is nested too deep: the deepest levels are replaced by a marker; flatten it",
            ),
            (
                self.key,
                "an attribute key is longer than 64 KiB: kept, shown cut; shorten it",
            ),
            (
                self.id,
                "the id of a link or exemplar is unreadable: kept without it; send hex digits",
            ),
            (
                self.name,
                "an enum has a name that OTLP does not know: kept as unspecified; send the number",
            ),
        ]
        .into_iter()
        .filter_map(|(noted, reason)| noted.then_some(Cow::Borrowed(reason)))
        .chain(self.made.iter().map(|reason| Cow::Borrowed(reason.as_str())))
    }

    fn unknown(&mut self, raw: &[u8]) {
        self.unknown.extend_from_slice(&self.seen.to_le_bytes());
        self.unknown.extend_from_slice(raw);
    }
}

/// Longest attribute key that the decoded form keeps, in bytes (reliability.md B7).
pub(super) const KEY_BYTES: usize = 64 << 10;

/// Reads messages within the limits of one request.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) budget: Budget,
    pub(super) notes: Notes,
}

impl Reader {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            budget: Budget::new(limits),
            notes: Notes::default(),
        }
    }

    /// For what was stored: it passed the limits when it was received.
    pub(super) fn unlimited() -> Self {
        Self::new(Limits {
            items: usize::MAX,
            ..Limits::default()
        })
    }

    /// Forgets what was noticed, before the next item.
    pub(super) fn begin_item(&mut self) {
        self.notes.text = false;
        self.notes.depth = false;
        self.notes.key = false;
        self.notes.id = false;
        self.notes.name = false;
        self.notes.made.clear();
        self.notes.unknown.clear();
        self.notes.seen = 0;
    }

    pub(super) fn count(&mut self, kind: Kind) -> Result<(), Fault> {
        self.notes.seen = self.notes.seen.wrapping_add(1);
        Ok(self.budget.take(kind)?)
    }

    fn text(&mut self, field: &Field<'_>, name: &'static str) -> Result<String, Fault> {
        Ok(self.repair(field.bytes(name)?))
    }

    /// Bytes as text; each bad sequence becomes U+FFFD.
    pub(super) fn repair(&mut self, bytes: &[u8]) -> String {
        if let Ok(text) = std::str::from_utf8(bytes) {
            text.to_owned()
        } else {
            self.notes.text = true;
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

/// What is read in place of a value that is nested too deep.
pub(super) fn depth_marker(limit: usize) -> String {
    format!("[nested deeper than {limit} levels]")
}

/// Cuts a key to [`KEY_BYTES`], between characters; says whether it had to.
pub(super) fn cut_key(key: &mut String) -> bool {
    let long = key.len() > KEY_BYTES;
    if long {
        key.truncate(key.floor_char_boundary(KEY_BYTES));
        key.shrink_to_fit();
    }
    long
}

fn wrong_type(name: &'static str) -> Fault {
    Fault::Item(Cow::Owned(format!("`{name}` has the wrong wire type")))
}

impl<'a> Field<'a> {
    fn bytes(&self, name: &'static str) -> Result<&'a [u8], Fault> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(wrong_type(name)),
        }
    }

    fn varint(&self, name: &'static str) -> Result<u64, Fault> {
        match self.payload {
            Payload::Varint(value) => Ok(value),
            _ => Err(wrong_type(name)),
        }
    }

    /// `int32` and enums: the low 32 bits, as protobuf says.
    fn int32(&self, name: &'static str) -> Result<i32, Fault> {
        Ok(self.varint(name)? as i32)
    }

    /// `uint32`: the low 32 bits, as protobuf says.
    fn uint32(&self, name: &'static str) -> Result<u32, Fault> {
        Ok(self.varint(name)? as u32)
    }

    /// `sint32`: zigzag.
    fn sint32(&self, name: &'static str) -> Result<i32, Fault> {
        let value = self.varint(name)? as u32;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn fixed32(&self, name: &'static str) -> Result<u32, Fault> {
        match self.payload {
            Payload::Fixed32(value) => Ok(value),
            _ => Err(wrong_type(name)),
        }
    }

    fn fixed64(&self, name: &'static str) -> Result<u64, Fault> {
        match self.payload {
            Payload::Fixed64(value) => Ok(value),
            _ => Err(wrong_type(name)),
        }
    }

    fn double(&self, name: &'static str) -> Result<f64, Fault> {
        Ok(f64::from_bits(self.fixed64(name)?))
    }
}

/// Walks the fields of a message: one arm a field number, unknown fields into the notes.
macro_rules! fields {
    ($reader:ident, $bytes:ident, $field:ident { $($number:literal => $read:expr,)* }) => {{
        let mut fields = $crate::otlp::wire::Fields::new($bytes);
        while let Some($field) = fields.next()? {
            match $field.number {
                $($number => $read,)*
                _ => $reader.notes.unknown($field.raw),
            }
        }
        Ok(())
    }};
}
use fields;
