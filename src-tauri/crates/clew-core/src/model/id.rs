//! Trace and span ids: fixed-size bytes, never all zero, written as lower-case hex.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Says why bytes or text are not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The id has the wrong number of bytes.
    #[error("id has {found} bytes, not {expected}")]
    Length {
        /// Bytes that an id of this kind has.
        expected: usize,
        /// Bytes that were found.
        found: usize,
    },
    /// Every byte is zero, which OTLP calls invalid.
    #[error("id is all zeros")]
    Zero,
    /// The text is not hexadecimal.
    #[error("id is not hexadecimal")]
    NotHex,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Reads an id from its bytes; wrong length and all zeros are refused.
            ///
            /// # Errors
            /// [`InvalidId::Length`] or [`InvalidId::Zero`].
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidId> {
                let array: [u8; $len] = bytes
                    .try_into()
                    .map_err(|_| InvalidId::Length { expected: $len, found: bytes.len() })?;
                if array == [0; $len] { Err(InvalidId::Zero) } else { Ok(Self(array)) }
            }

            /// The bytes as they travel in protobuf.
            #[must_use]
            pub const fn bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if text.len() != $len * 2 {
                    return Err(InvalidId::Length { expected: $len, found: text.len().div_ceil(2) });
                }
                let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(InvalidId::NotHex);
                let mut bytes = [0; $len];
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let (high, low) = (digit(pair[0])?, digit(pair[1])?);
                    *byte = u8::try_from(high * 16 + low).map_err(|_| InvalidId::NotHex)?;
                }
                Self::from_bytes(&bytes)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// Names a trace: 16 bytes, 32 hex digits.
    TraceId,
    16
);
id!(
    /// Names a span within its trace: 8 bytes, 16 hex digits.
    SpanId,
    8
);

impl SpanId {
    /// The id as the signed integer that SQLite stores: the same 64 bits.
    #[must_use]
    pub const fn as_i64(&self) -> i64 {
        i64::from_be_bytes(self.0)
    }

    /// Reads the id back from the integer that SQLite stores; zero is no id.
    #[must_use]
    pub fn from_i64(bits: i64) -> Option<Self> {
        (bits != 0).then(|| Self(bits.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways_in_either_case() {
        let id: TraceId = "A16FE738C42DB1A8A8316AF482D7BEFB".parse().expect("valid");
        assert_eq!(id.to_string(), "a16fe738c42db1a8a8316af482d7befb");
        assert_eq!(
            SpanId::from_i64(-2).map(|id| id.to_string()),
            Some("fffffffffffffffe".to_owned())
        );
    }

    #[test]
    fn wrong_ids_say_why() {
        assert_eq!(
            "12".parse::<SpanId>(),
            Err(InvalidId::Length {
                expected: 8,
                found: 1
            })
        );
        assert_eq!("zz00000000000000".parse::<SpanId>(), Err(InvalidId::NotHex));
        assert_eq!(SpanId::from_bytes(&[0; 8]), Err(InvalidId::Zero));
    }
}
