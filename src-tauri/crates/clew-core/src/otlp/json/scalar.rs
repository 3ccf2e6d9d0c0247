//! Numbers, texts, enums and ids in the forms in which senders write them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::tokens::Kind;
use super::{Decoder, Stop};
use crate::otlp::made_ids;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

impl<'a> Decoder<'a> {
    /// A text; `null` is empty.
    pub(super) fn text(&mut self, name: &'static str) -> Result<String, Stop> {
        match self.tokens.peek()? {
            Kind::Text => {
                let (text, repaired) = self.tokens.text()?;
                self.reader.notes.text |= repaired;
                Ok(text.into_owned())
            }
            Kind::Null => {
                self.tokens.null()?;
                Ok(String::new())
            }
            _ => {
                self.wrong(name, "a string")?;
                Ok(String::new())
            }
        }
    }

    /// A number as it is written, bare or in a string; `None` for `null`.
    pub(super) fn literal(&mut self, name: &'static str) -> Result<Option<Cow<'a, str>>, Stop> {
        match self.tokens.peek()? {
            Kind::Number => Ok(Some(Cow::Borrowed(self.tokens.number()?))),
            Kind::Text => Ok(Some(self.tokens.text()?.0)),
            Kind::Null => {
                self.tokens.null()?;
                Ok(None)
            }
            _ => {
                self.wrong(name, "a number")?;
                Ok(None)
            }
        }
    }

    /// An integer of any width, bare or in a string; a fraction is cut off; `null` is zero.
    fn integer<T: TryFrom<i128> + Default>(&mut self, name: &'static str) -> Result<T, Stop> {
        let Some(literal) = self.literal(name)? else {
            return Ok(T::default());
        };
        let read = integer(literal.trim()).and_then(|number| T::try_from(number).ok());
        Ok(read.unwrap_or_else(|| {
            self.fail(format!("`{name}` is not a number in its range"));
            T::default()
        }))
    }

    pub(super) fn u64(&mut self, name: &'static str) -> Result<u64, Stop> {
        self.integer(name)
    }

    pub(super) fn u32(&mut self, name: &'static str) -> Result<u32, Stop> {
        self.integer(name)
    }

    pub(super) fn i32(&mut self, name: &'static str) -> Result<i32, Stop> {
        self.integer(name)
    }

    /// An integer that may be absent.
    pub(super) fn i64(&mut self, name: &'static str) -> Result<Option<i64>, Stop> {
        if self.present()? {
            self.integer(name).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A double, bare or in a string, `NaN` and infinities included; `None` for `null`.
    pub(super) fn f64(&mut self, name: &'static str) -> Result<Option<f64>, Stop> {
        let Some(literal) = self.literal(name)? else {
            return Ok(None);
        };
        let read = literal.trim().parse().ok();
        if read.is_none() {
            self.fail(format!("`{name}` is not a number"));
        }
        Ok(read)
    }

    /// A truth value, bare or in a string; `None` for `null`.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Stop> {
        match self.tokens.peek()? {
            Kind::Bool => Ok(Some(self.tokens.flag()?)),
            Kind::Null => {
                self.tokens.null()?;
                Ok(None)
            }
            Kind::Text => {
                let read = self.tokens.text()?.0.parse().ok();
                if read.is_none() {
                    self.fail(format!("`{name}` is neither true nor false"));
                }
                Ok(read)
            }
            _ => {
                self.wrong(name, "a bool")?;
                Ok(None)
            }
        }
    }

    /// An enum: its number as OTLP says, or its name as protobuf's own JSON says.
    pub(super) fn named<E: Into<i32>>(
        &mut self,
        name: &'static str,
        find: fn(&str) -> Option<E>,
    ) -> Result<i32, Stop> {
        if self.tokens.peek()? != Kind::Text {
            return self.i32(name);
        }
        let (text, _) = self.tokens.text()?;
        if let Ok(number) = text.trim().parse() {
            return Ok(number);
        }
        self.dialect.enum_names = true;
        Ok(match find(&text) {
            Some(value) => value.into(),
            None => {
                self.reader.notes.name = true;
                0
            }
        })
    }

    /// Bytes in base64, of either alphabet, padded or not; `None` for `null`.
    pub(super) fn bytes(&mut self, name: &'static str) -> Result<Option<Vec<u8>>, Stop> {
        match self.tokens.peek()? {
            Kind::Text => {
                let (text, _) = self.tokens.text()?;
                let read = base64(&text);
                if read.is_none() {
                    self.fail(format!("`{name}` is not base64"));
                }
                Ok(read)
            }
            Kind::Null => {
                self.tokens.null()?;
                Ok(None)
            }
            _ => {
                self.wrong(name, "a string in base64")?;
                Ok(None)
            }
        }
    }

    /// An id of `length` bytes in hex, or in base64 if the text has base64's length; another number of bytes passes.
    ///
    /// `None` where it is neither.
    fn id_bytes(&mut self, name: &'static str, length: usize) -> Result<Option<Vec<u8>>, Stop> {
        match self.tokens.peek()? {
            Kind::Text => {
                let (text, _) = self.tokens.text()?;
                if text.len() == length.div_ceil(3) * 4
                    && let Some(bytes) = base64(&text)
                    && bytes.len() == length
                {
                    self.dialect.base64_ids = true;
                    return Ok(Some(bytes));
                }
                let bytes = hex(&text);
                let usable = bytes
                    .as_ref()
                    .is_some_and(|bytes| bytes.len() == length || bytes.is_empty());
                if !usable && self.made.is_some() {
                    return Ok(Some(self.made_id(name, length, &text)));
                }
                Ok(bytes)
            }
            Kind::Number if self.made.is_some() => {
                let text = self.tokens.number()?;
                Ok(Some(self.made_id(name, length, text)))
            }
            Kind::Null => {
                self.tokens.null()?;
                Ok(Some(Vec::new()))
            }
            _ if self.made.is_some() => {
                self.tokens.skip()?;
                self.reader
                    .notes
                    .made
                    .push(format!("`{name}` is no text: passed over"));
                Ok(Some(Vec::new()))
            }
            _ => {
                self.wrong(name, "a string of hex digits")?;
                Ok(Some(Vec::new()))
            }
        }
    }

    /// An id out of text that is none; empty where nothing can be made of it.
    fn made_id(&mut self, name: &'static str, length: usize, text: &str) -> Vec<u8> {
        let Some((id, how)) = made_ids::from_text(text, length) else {
            return Vec::new();
        };
        let digits = length * 2;
        let note = format!("`{name}` is not {digits} hex digits: {how}");
        self.reader.notes.made.push(note);
        id
    }

    /// An id without which its item is none.
    pub(super) fn needed_id(&mut self, name: &'static str, length: usize) -> Result<Vec<u8>, Stop> {
        let id = self.id_bytes(name, length)?;
        if id.is_none() {
            self.fail(format!(
                "`{name}` is not hexadecimal: send {} hex digits",
                length * 2
            ));
        }
        Ok(id.unwrap_or_default())
    }

    /// An id that its item can do without.
    pub(super) fn id(&mut self, name: &'static str, length: usize) -> Result<Vec<u8>, Stop> {
        let id = self.id_bytes(name, length)?;
        self.reader.notes.id |= id.is_none();
        Ok(id.unwrap_or_default())
    }
}

/// An integer from its digits, or from a double that someone made of it; the fraction is cut off.
fn integer(literal: &str) -> Option<i128> {
    literal.parse().ok().or_else(|| {
        let number: f64 = literal.parse().ok()?;
        // 2^65 is beyond every integer in OTLP, and far within i128.
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        (number.abs() < 36_893_488_147_419_103_232.0).then_some(number as i128)
    })
}

fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .ok()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs
        .iter()
        .map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok())
        .collect()
}
