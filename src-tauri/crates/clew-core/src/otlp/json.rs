//! Reads OTLP's JSON mapping, leniently, into opentelemetry-proto's types.
//!
//! One pass over the text, item by item, no tree of values. What OTLP allows is read, and what its senders write
//! besides (otlp.md §5): numbers or strings for every number, `null` for anything absent, enums by name, ids in
//! base64, keys in snake_case, unknown keys. A value of the wrong type costs its item; only text that is not JSON
//! costs the request.

mod logs;
mod metrics;
mod request;
mod scalar;
mod tokens;
mod trace;
mod value;

pub(crate) use request::{Dialect, decode, document};

use std::borrow::Cow;

use super::Refusal;
use super::budget::Kind as Counted;
use super::made_ids::MadeIds;
use super::read::{Fault, Reader};
use tokens::{Broken, Kind, Tokens};

/// Why reading ends before the end of the text.
#[derive(Debug)]
enum Stop {
    /// The text is not JSON.
    Broken(Broken),
    /// The text holds too much.
    Refused(Refusal),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Reads one JSON text within the limits of one request.
struct Decoder<'a> {
    tokens: Tokens<'a>,
    reader: Reader,
    dialect: Dialect,
    /// Makes the ids that a saved file lacks; a request must have them.
    made: Option<&'a mut MadeIds>,
    /// The first thing that makes the present item unreadable.
    fault: Option<Cow<'static, str>>,
}

impl<'a> Decoder<'a> {
    fn begin_item(&mut self) {
        self.reader.begin_item();
        self.fault = None;
    }

    fn count(&mut self, kind: Counted) -> Result<(), Stop> {
        self.reader.count(kind).map_err(|fault| match fault {
            Fault::Refused(refusal) => Stop::Refused(refusal),
            Fault::Item(_) => Stop::Broken(self.tokens.broken("fewer items")),
        })
    }

    /// Remembers that the present item is unreadable, and passes over the value that makes it so.
    fn wrong(&mut self, name: &'static str, expected: &'static str) -> Result<(), Stop> {
        self.fail(format!("`{name}` is not {expected}"));
        Ok(self.tokens.skip()?)
    }

    fn fail(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.fault.get_or_insert_with(|| reason.into());
    }

    /// Whether a value is there; passes over `null`, which means absent.
    fn present(&mut self) -> Result<bool, Stop> {
        if self.tokens.peek()? == Kind::Null {
            self.tokens.null()?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Enters an object; `false` where there is none, which for `null` is fine.
    fn object(&mut self, name: &'static str) -> Result<bool, Stop> {
        match self.tokens.peek()? {
            Kind::Object => {
                self.tokens.enter();
                Ok(true)
            }
            Kind::Null => {
                self.tokens.null()?;
                Ok(false)
            }
            _ => {
                self.wrong(name, "an object")?;
                Ok(false)
            }
        }
    }

    /// Reads each element of an array; `null` is an empty one, and so is a `null` element none.
    fn list(
        &mut self,
        name: &'static str,
        mut each: impl FnMut(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.elements(name, |decoder| match decoder.tokens.peek()? {
            Kind::Null => Ok(decoder.tokens.null()?),
            _ => each(decoder),
        })
    }

    /// As [`Decoder::list`], `null` elements included.
    fn elements(
        &mut self,
        name: &'static str,
        mut each: impl FnMut(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        match self.tokens.peek()? {
            Kind::Array => self.tokens.enter(),
            Kind::Null => return Ok(self.tokens.null()?),
            _ => return self.wrong(name, "a list"),
        }
        let mut first = true;
        while self.tokens.element(&mut first)? {
            each(self)?;
        }
        Ok(())
    }

    /// The next key of the object that was entered, in lowerCamelCase, and whether it was in snake_case.
    fn key(&mut self, first: &mut bool) -> Result<Option<(Cow<'a, str>, bool)>, Stop> {
        let Some((key, _)) = self.tokens.key(first)? else {
            return Ok(None);
        };
        if !key.contains('_') || key.starts_with('_') {
            return Ok(Some((key, false)));
        }
        let mut camel = String::with_capacity(key.len());
        let mut raise = false;
        for character in key.chars() {
            if character == '_' {
                raise = true;
            } else if std::mem::take(&mut raise) {
                camel.push(character.to_ascii_uppercase());
            } else {
                camel.push(character);
            }
        }
        Ok(Some((Cow::Owned(camel), true)))
    }
}

/// Reads an object: one arm a key, unknown keys are passed over.
macro_rules! object {
    ($decoder:ident, $name:literal { $($($key:literal)|+ => $read:expr,)* }) => {
        if $decoder.object($name)? {
            let mut first = true;
            while let Some((key, snake)) = $decoder.key(&mut first)? {
                match key.as_ref() {
                    $($($key)|+ => {
                        $decoder.dialect.snake_case |= snake;
                        $read
                    })*
                    _ => $decoder.tokens.skip()?,
                }
            }
        }
    };
}
use object;
