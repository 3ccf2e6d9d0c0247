//! A span as two records: small attributes apart from everything else, so that a filter on an attribute reads little.
//!
//! The record of small attributes is empty for a span without attributes, and otherwise
//!
//! ```text
//! varint n           how many attributes the span has, large ones included
//! ceil(n / 8) bytes  bit i (from the lowest of the first byte) is 1 where attribute i is small
//! fields             the small attributes as they stand in the span: key, length, KeyValue
//! ```
//!
//! The rest is the span's other fields as they stand, in order: large and structured attributes too, and unknown
//! fields. Both are untouched bytes, so nothing is lost; the bits restore the order of all attributes, duplicates
//! included.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::wire::{Field, Fields, Payload, put_varint, varint};

/// The largest `KeyValue` that counts as small, in bytes (issue 2: small scalar attributes apart from content).
const SMALL: usize = 256;

/// Field `attributes` of `Span`.
const ATTRIBUTES: u32 = 9;

/// Splits an encoded `Span` into its small attributes and the rest; [`join`] puts them together again.
///
/// Small is an attribute whose value is a string, bool, int, double or empty, and whose `KeyValue` takes at most 256
/// bytes. Bytes that are no message come back whole as the rest.
#[must_use]
pub fn split(raw: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut small = Vec::new();
    let mut rest = Vec::with_capacity(raw.len());
    let mut bits = Vec::new();
    let mut number = 0_usize;
    let mut fields = Fields::new(raw);
    loop {
        let field = match fields.next() {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(_) => return (Vec::new(), raw.to_vec()),
        };
        if field.number == ATTRIBUTES {
            if number.is_multiple_of(8) {
                bits.push(0);
            }
            if scalar(&field).is_some() {
                bits[number / 8] |= 1 << (number % 8);
                small.extend_from_slice(field.raw);
            } else {
                rest.extend_from_slice(field.raw);
            }
            number += 1;
        } else {
            rest.extend_from_slice(field.raw);
        }
    }
    if number == 0 {
        return (Vec::new(), rest);
    }
    let mut record = Vec::with_capacity(small.len() + bits.len() + 3);
    put_varint(&mut record, number as u64);
    record.extend(bits);
    record.extend(small);
    (record, rest)
}

/// Puts together what [`split`] took apart: a `Span` with the same fields, its attributes in the same order.
///
/// Of a span whose fields stand in order of their numbers, as senders write them, it gives the same bytes.
#[must_use]
pub fn join(attributes: &[u8], rest: &[u8]) -> Vec<u8> {
    let Some((bits, number, mut small)) = open(attributes) else {
        return rest.to_vec();
    };
    let mut raw = Vec::with_capacity(attributes.len() + rest.len());
    let mut others = Run::new(rest);
    others.copy_while(&mut raw, |field| field.number < ATTRIBUTES);
    for index in 0..number {
        if bits[index / 8] & (1 << (index % 8)) == 0 {
            others.copy_while(&mut raw, |field| field.number != ATTRIBUTES);
            others.copy_one(&mut raw);
        } else if let Ok(Some(field)) = small.next() {
            raw.extend_from_slice(field.raw);
        }
    }
    others.copy_while(&mut raw, |_| true);
    raw
}

/// Walks the attributes of a record of small attributes, in order, duplicates included; an empty value is `None`.
pub fn scan(attributes: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Option<Value>)> {
    let mut small = open(attributes).map_or(Fields::new(&[]), |(_, _, small)| small);
    std::iter::from_fn(move || {
        let (key, value) = scalar(&small.next().ok()??)?;
        Some((String::from_utf8_lossy(key), value.value()))
    })
}

/// The bits, the number of attributes and the small ones of a record; `None` where it is empty or no record.
fn open(record: &[u8]) -> Option<(&[u8], usize, Fields<'_>)> {
    if record.is_empty() {
        return None;
    }
    let (number, length) = varint(record).ok()?;
    let number = usize::try_from(number).ok()?;
    let (bits, small) = record.get(length..)?.split_at_checked(number.div_ceil(8))?;
    Some((bits, number, Fields::new(small)))
}

/// A value that is small, still in the record's bytes.
enum Scalar<'a> {
    Empty,
    Text(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl Scalar<'_> {
    fn value(&self) -> Option<Value> {
        Some(match *self {
            Self::Empty => return None,
            Self::Text(text) => Value::StringValue(String::from_utf8_lossy(text).into_owned()),
            Self::Bool(flag) => Value::BoolValue(flag),
            Self::Int(number) => Value::IntValue(number),
            Self::Double(number) => Value::DoubleValue(number),
        })
    }
}

/// The key and value of an attribute that is small.
fn scalar<'a>(field: &Field<'a>) -> Option<(&'a [u8], Scalar<'a>)> {
    let Payload::Bytes(pair) = field.payload else {
        return None;
    };
    if pair.len() > SMALL {
        return None;
    }
    let (mut key, mut value): (&[u8], _) = (&[], Scalar::Empty);
    let mut fields = Fields::new(pair);
    while let Some(field) = fields.next().ok()? {
        match (field.number, field.payload) {
            (1, Payload::Bytes(text)) => key = text,
            (2, Payload::Bytes(any)) => {
                let mut fields = Fields::new(any);
                while let Some(field) = fields.next().ok()? {
                    value = match (field.number, field.payload) {
                        (1, Payload::Bytes(text)) => Scalar::Text(text),
                        (2, Payload::Varint(bits)) => Scalar::Bool(bits != 0),
                        (3, Payload::Varint(bits)) => Scalar::Int(bits.cast_signed()),
                        (4, Payload::Fixed64(bits)) => Scalar::Double(f64::from_bits(bits)),
                        _ => return None,
                    };
                }
            }
            _ => return None,
        }
    }
    Some((key, value))
}

/// Fields that are copied in runs.
struct Run<'a> {
    fields: Fields<'a>,
    next: Option<Field<'a>>,
}

impl<'a> Run<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut fields = Fields::new(bytes);
        let next = fields.next().ok().flatten();
        Self { fields, next }
    }

    fn copy_one(&mut self, out: &mut Vec<u8>) {
        if let Some(field) = self.next {
            out.extend_from_slice(field.raw);
            self.next = self.fields.next().ok().flatten();
        }
    }

    fn copy_while(&mut self, out: &mut Vec<u8>, wanted: impl Fn(&Field<'_>) -> bool) {
        while self.next.as_ref().is_some_and(&wanted) {
            self.copy_one(out);
        }
    }
}
