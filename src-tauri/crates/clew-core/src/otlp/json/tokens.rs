//! Reads JSON token by token: strict in its grammar, lenient in its text, without recursion.
//!
//! serde_json refuses lone surrogates and bad UTF-8, cannot go on behind a value of the wrong type, stops at 128
//! levels and may round a double in its last place; OTLP needs none of these to cost a span.

use std::borrow::Cow;

/// Says where bytes stop being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    /// What was expected.
    pub(super) expected: &'static str,
    /// The place, in bytes from the start.
    pub(super) at: usize,
}

/// What the next value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    Number,
    Bool,
    Null,
}

/// A text, and whether bad UTF-8 or a lone surrogate in it was replaced by U+FFFD.
pub(super) type Text<'a> = (Cow<'a, str>, bool);

/// Stands before a value, a key or an element of a JSON text.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Begins at the front of `bytes`; a byte order mark is passed over.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        Self { bytes, at }
    }

    /// The present place; [`Tokens::return_to`] comes back to it.
    pub(super) const fn place(&self) -> usize {
        self.at
    }

    /// Goes to a place that [`Tokens::place`] named.
    pub(super) const fn return_to(&mut self, place: usize) {
        self.at = place;
    }

    /// Whether nothing but white space is left.
    pub(super) fn at_end(&mut self) -> bool {
        self.blank();
        self.at >= self.bytes.len()
    }

    /// The kind of the value that comes next.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<Kind, Broken> {
        self.blank();
        Ok(match self.bytes.get(self.at) {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::Text,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => return Err(self.broken("a value")),
        })
    }

    /// Enters the object or array that [`Tokens::peek`] saw.
    pub(super) const fn enter(&mut self) {
        self.at += 1;
    }

    /// The next key of the object that was entered, with its colon; `None` behind its end.
    #[inline]
    pub(super) fn key(&mut self, first: &mut bool) -> Result<Option<Text<'a>>, Broken> {
        if !self.more(b'}', first)? {
            return Ok(None);
        }
        self.blank();
        let key = self.text()?;
        self.blank();
        self.expect(b':', "`:`")?;
        Ok(Some(key))
    }

    /// Whether the array that was entered has one more element; `false` behind its end.
    #[inline]
    pub(super) fn element(&mut self, first: &mut bool) -> Result<bool, Broken> {
        self.more(b']', first)
    }

    fn more(&mut self, close: u8, first: &mut bool) -> Result<bool, Broken> {
        self.blank();
        let begins = std::mem::replace(first, false);
        match self.bytes.get(self.at) {
            Some(&byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !begins => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if begins => Ok(true),
            _ => Err(self.broken("`,` or the end of an object or array")),
        }
    }

    /// Reads a string.
    pub(super) fn text(&mut self) -> Result<Text<'a>, Broken> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let end = self.plain()?;
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            let bytes = &self.bytes[start..end];
            return Ok(match std::str::from_utf8(bytes) {
                Ok(text) => (Cow::Borrowed(text), false),
                Err(_) => (String::from_utf8_lossy(bytes), true),
            });
        }
        self.escaped_text(start)
    }

    /// The rest of a string whose first escape stands before `self.at`'s next special byte.
    fn escaped_text(&mut self, start: usize) -> Result<Text<'a>, Broken> {
        self.at = start;
        let mut out = Vec::new();
        let mut repaired = false;
        loop {
            let from = self.at;
            let end = self.plain()?;
            out.extend_from_slice(&self.bytes[from..end]);
            self.at = end + 1;
            if self.bytes[end] == b'"' {
                break;
            }
            let escape = self.bytes.get(self.at).copied();
            self.at += 1;
            let plain = match escape {
                Some(same @ (b'"' | b'\\' | b'/')) => same,
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'u') => {
                    let character = self.unicode()?;
                    repaired |= character.is_none();
                    let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                _ => {
                    self.at -= 1;
                    return Err(self.broken("an escape that JSON knows"));
                }
            };
            out.push(plain);
        }
        Ok(match String::from_utf8(out) {
            Ok(text) => (Cow::Owned(text), repaired),
            Err(error) => {
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                (Cow::Owned(text), true)
            }
        })
    }

    /// The end of the run of plain characters that begins here: the next quote or backslash.
    #[inline]
    fn plain(&self) -> Result<usize, Broken> {
        let run = self.bytes[self.at..]
            .iter()
            .position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
        match run {
            Some(length) if self.bytes[self.at + length] >= 0x20 => Ok(self.at + length),
            Some(length) => Err(Broken {
                expected: "no bare control character in a string",
                at: self.at + length,
            }),
            None => Err(Broken {
                expected: "the end of a string",
                at: self.bytes.len(),
            }),
        }
    }

    /// The character of `\uXXXX`, or of a pair of them; `None` for half a pair alone.
    fn unicode(&mut self) -> Result<Option<char>, Broken> {
        let unit = self.hex4()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(char::from_u32(unit));
        }
        if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
            return Ok(None);
        }
        let behind_first = self.at;
        self.at += 2;
        let low = self.hex4()?;
        if (0xdc00..0xe000).contains(&low) {
            return Ok(char::from_u32(
                0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00),
            ));
        }
        self.at = behind_first;
        Ok(None)
    }

    fn hex4(&mut self) -> Result<u32, Broken> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self
                .bytes
                .get(self.at)
                .and_then(|&byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.broken("four hex digits"));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Reads a number and gives it as it is written.
    pub(super) fn number(&mut self) -> Result<&'a str, Broken> {
        let start = self.at;
        self.accept(b'-');
        if !self.accept(b'0') && self.digits() == 0 {
            return Err(self.broken("a digit"));
        }
        if self.accept(b'.') && self.digits() == 0 {
            return Err(self.broken("a digit"));
        }
        if self.accept(b'e') || self.accept(b'E') {
            if !self.accept(b'+') {
                self.accept(b'-');
            }
            if self.digits() == 0 {
                return Err(self.broken("a digit"));
            }
        }
        std::str::from_utf8(&self.bytes[start..self.at]).map_err(|_| self.broken("a number"))
    }

    fn digits(&mut self) -> usize {
        let number = self.bytes[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += number;
        number
    }

    /// Reads `true` or `false`.
    pub(super) fn flag(&mut self) -> Result<bool, Broken> {
        if self.word(b"true") {
            return Ok(true);
        }
        if self.word(b"false") {
            return Ok(false);
        }
        Err(self.broken("`true` or `false`"))
    }

    /// Reads `null`.
    pub(super) fn null(&mut self) -> Result<(), Broken> {
        if self.word(b"null") {
            return Ok(());
        }
        Err(self.broken("`null`"))
    }

    fn word(&mut self, word: &[u8]) -> bool {
        let here = self.bytes[self.at..].starts_with(word);
        if here {
            self.at += word.len();
        }
        here
    }

    /// Passes over a value of any kind and depth, checking its grammar.
    pub(super) fn skip(&mut self) -> Result<(), Broken> {
        // Whether each open container is an object; a byte each, so memory is bounded by the text.
        let mut open: Vec<bool> = Vec::new();
        loop {
            let mut entered = false;
            match self.peek()? {
                kind @ (Kind::Object | Kind::Array) => {
                    self.enter();
                    open.push(kind == Kind::Object);
                    entered = true;
                }
                Kind::Text => self.skip_text()?,
                Kind::Number => {
                    self.number()?;
                }
                Kind::Bool => {
                    self.flag()?;
                }
                Kind::Null => self.null()?,
            }
            loop {
                let Some(&object) = open.last() else {
                    return Ok(());
                };
                let more = if object {
                    self.skip_key(&mut entered)?
                } else {
                    self.element(&mut entered)?
                };
                if more {
                    break;
                }
                entered = false;
                open.pop();
            }
        }
    }

    fn skip_key(&mut self, first: &mut bool) -> Result<bool, Broken> {
        if !self.more(b'}', first)? {
            return Ok(false);
        }
        self.blank();
        self.skip_text()?;
        self.blank();
        self.expect(b':', "`:`")?;
        Ok(true)
    }

    fn skip_text(&mut self) -> Result<(), Broken> {
        self.expect(b'"', "a string")?;
        loop {
            let end = self.plain()?;
            self.at = end + 1;
            if self.bytes[end] == b'"' {
                return Ok(());
            }
            match self.bytes.get(self.at) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                Some(b'u') => {
                    self.at += 1;
                    self.hex4()?;
                }
                _ => return Err(self.broken("an escape that JSON knows")),
            }
        }
    }

    #[inline]
    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn accept(&mut self, byte: u8) -> bool {
        let here = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(here);
        here
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Broken> {
        if self.accept(byte) {
            return Ok(());
        }
        Err(self.broken(expected))
    }

    /// Says that something else was expected here.
    pub(super) const fn broken(&self, expected: &'static str) -> Broken {
        Broken {
            expected,
            at: self.at,
        }
    }

    /// Line and column of a place, both from 1; a column is a byte.
    pub(super) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.bytes[..at.min(self.bytes.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let start = before
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        (line, before.len() - start + 1)
    }
}
