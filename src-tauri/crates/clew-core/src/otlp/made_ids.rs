//! Ids for spans of saved files that state none, or unusable ones (reliability.md B2).
//!
//! A receiver rejects such a span, because its sender can be told. A file is all there is: its spans are kept, under ids
//! that follow from what the file says alone, so that the same file opened again makes the same ids.

use std::collections::HashMap;

use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::model::{SpanId, TraceId};

/// What is hashed before the text or content that an id is made of, so that trace and span ids never depend on each other.
const OF_TEXT: &str = "clew 2026-11 id from text";
const OF_RESOURCE: &str = "clew 2026-11 trace id from resource";
const OF_CONTENT: &str = "clew 2026-11 span id from content";

/// Makes ids while one file is read.
#[derive(Debug, Default)]
pub(crate) struct MadeIds {
    /// The hash of the resource that is being read.
    pub(super) resource: u64,
    /// How often a span of this content without an id has come: equal spans are told apart by their order.
    seen: HashMap<u64, u32>,
}

impl MadeIds {
    /// The trace of a span that names none: all of one resource are taken together, so that their parents are found.
    pub(super) fn trace(&self) -> TraceId {
        let bytes = derived::<16>(OF_RESOURCE, &self.resource.to_be_bytes());
        TraceId::from_bytes(&bytes).expect("not all zeros")
    }

    /// The id of a span that has none, from all else that it says.
    pub(super) fn span(&mut self, span: &Span) -> SpanId {
        let content = Span {
            span_id: Vec::new(),
            ..span.clone()
        };
        let mut bytes = content.encode_to_vec();
        bytes.extend_from_slice(&self.resource.to_be_bytes());
        let hash = u64::from_be_bytes(derived::<8>(OF_CONTENT, &bytes));
        let order = self.seen.entry(hash).or_default();
        bytes.extend_from_slice(&order.to_be_bytes());
        *order = order.wrapping_add(1);
        SpanId::from_bytes(&derived::<8>(OF_CONTENT, &bytes)).expect("not all zeros")
    }
}

/// An id of `length` bytes out of text that is none, the same wherever a file says the same, so that what refers to it
/// finds it; with how it was read. Without a digit that counts it is no id at all.
///
/// Hex digits that are too few lack their leading zeros (ids of 64 bits, numbers printed short); hyphens and `0x` are
/// how UUIDs and numbers are written; anything else is hashed.
pub(super) fn from_text(text: &str, length: usize) -> Option<(Vec<u8>, &'static str)> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits).replace('-', "");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return None;
    }
    if digits.len() <= length * 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
        let mut bytes = vec![0; length];
        for (at, byte) in digits.bytes().rev().enumerate() {
            let digit = u8::try_from(digit(byte)).unwrap_or(0);
            bytes[length - 1 - at / 2] |= digit << (4 * (at % 2));
        }
        return Some((bytes, "read as the number that it is"));
    }
    let made = derived::<16>(OF_TEXT, text.as_bytes());
    Some((made[..length].to_vec(), "an id was made of its text"))
}

/// The first bytes of a hash, never all zero.
fn derived<const N: usize>(purpose: &str, of: &[u8]) -> [u8; N] {
    let hash = blake3::derive_key(purpose, of);
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash[..N]);
    bytes[N - 1] |= u8::from(bytes == [0; N]);
    bytes
}
