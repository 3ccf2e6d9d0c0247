//! Protobuf's wire format: fields out of bytes, without recursion, without copies.

/// Says where bytes stop being protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// The bytes end inside a field.
    #[error("it ends inside a field")]
    Cut,
    /// A variable-length integer takes more than 64 bits.
    #[error("an integer takes more than 64 bits")]
    Varint,
    /// A field has number 0 or one above 2^29 - 1.
    #[error("a field number is out of range")]
    Number,
    /// Wire types 6 and 7 do not exist.
    #[error("a field has an unknown wire type")]
    Type,
    /// A group ends that never began.
    #[error("a group ends that never began")]
    Group,
}

/// The payload of one field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Payload<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2: text, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Wire types 3 and 4, skipped: no OTLP message has groups.
    Group,
    /// Wire type 5.
    Fixed32(u32),
}

/// One field as it stands in its message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Field<'a> {
    /// Its number.
    pub(super) number: u32,
    /// What it holds.
    pub(super) payload: Payload<'a>,
    /// All its bytes, key included.
    pub(super) raw: &'a [u8],
}

/// Walks the fields of one message.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// Begins at the first field of `bytes`.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads the next field; `None` at the end of the message.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, Broken> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let start = self.at;
        let (number, kind) = self.key()?;
        let payload = match kind {
            3 => {
                self.skip_group()?;
                Payload::Group
            }
            4 => return Err(Broken::Group),
            kind => self.payload(kind)?,
        };
        Ok(Some(Field {
            number,
            payload,
            raw: &self.bytes[start..self.at],
        }))
    }

    #[inline]
    fn key(&mut self) -> Result<(u32, u8), Broken> {
        let key = u32::try_from(self.varint()?).map_err(|_| Broken::Number)?;
        let number = key >> 3;
        if number == 0 {
            return Err(Broken::Number);
        }
        Ok((number, (key & 7) as u8))
    }

    #[inline]
    fn payload(&mut self, kind: u8) -> Result<Payload<'a>, Broken> {
        Ok(match kind {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Broken::Cut)?;
                Payload::Bytes(self.take(length)?)
            }
            5 => Payload::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(Broken::Type),
        })
    }

    /// Skips to the end of a group whose start was just read, counting nested groups instead of entering them.
    fn skip_group(&mut self) -> Result<(), Broken> {
        let mut open = 1_usize;
        while open > 0 {
            match self.key()?.1 {
                3 => open = open.saturating_add(1),
                4 => open -= 1,
                kind => {
                    self.payload(kind)?;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Broken> {
        let rest = self.bytes.get(self.at..).ok_or(Broken::Cut)?;
        match rest.first() {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => {
                let (value, length) = long_varint(rest)?;
                self.at += length;
                Ok(value)
            }
        }
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let end = self.at.checked_add(length).ok_or(Broken::Cut)?;
        let taken = self.bytes.get(self.at..end).ok_or(Broken::Cut)?;
        self.at = end;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        self.take(N)?.try_into().map_err(|_| Broken::Cut)
    }
}

fn long_varint(bytes: &[u8]) -> Result<(u64, usize), Broken> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && byte > 1 {
            return Err(Broken::Varint);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((value, index + 1));
        }
    }
    Err(if bytes.len() < 10 {
        Broken::Cut
    } else {
        Broken::Varint
    })
}

/// Reads a variable-length integer from the front of `bytes`: its value and how many bytes it takes.
pub(super) fn varint(bytes: &[u8]) -> Result<(u64, usize), Broken> {
    match bytes.first() {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), 1)),
        _ => long_varint(bytes),
    }
}

/// Appends a variable-length integer.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length-delimited field.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Field<'_>>, Broken> {
        let mut fields = Fields::new(bytes);
        let mut found = Vec::new();
        while let Some(field) = fields.next()? {
            found.push(field);
        }
        Ok(found)
    }

    #[test]
    fn every_wire_type_is_read() {
        let bytes = [
            0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'o', b'k', 0x25, 7, 0, 0, 0,
        ];
        let found = all(&bytes).expect("well formed");
        assert_eq!(
            found
                .iter()
                .map(|field| (field.number, field.payload))
                .collect::<Vec<_>>(),
            [
                (1, Payload::Varint(150)),
                (2, Payload::Fixed64(1)),
                (3, Payload::Bytes(b"ok")),
                (4, Payload::Fixed32(7)),
            ]
        );
        assert_eq!(found[2].raw, [0x1a, 2, b'o', b'k']);
    }

    #[test]
    fn nested_groups_are_skipped_whole() {
        let deep = 100_000;
        let mut bytes = vec![0x0b; deep];
        bytes.extend(vec![0x0c; deep]);
        bytes.extend([0x10, 5]);
        let found = all(&bytes).expect("well formed");
        assert_eq!(found[0].raw.len(), deep * 2);
        assert_eq!((found[1].number, found[1].payload), (2, Payload::Varint(5)));
    }

    #[test]
    fn what_is_broken_is_named() {
        assert_eq!(all(&[0x0a, 5, 1]), Err(Broken::Cut));
        assert_eq!(all(&[0x08]), Err(Broken::Cut));
        assert_eq!(all(&[0x08, 0x80]), Err(Broken::Cut));
        assert_eq!(all(&[0x0b, 0x08, 1]), Err(Broken::Cut));
        assert_eq!(all(&[0x0c]), Err(Broken::Group));
        assert_eq!(all(&[0x0e]), Err(Broken::Type));
        assert_eq!(all(&[0x00, 1]), Err(Broken::Number));
        assert_eq!(all(&[0x08; 1]), Err(Broken::Cut));
        let mut long = vec![0x08];
        long.extend([0xff; 10]);
        assert_eq!(all(&long), Err(Broken::Varint));
        let mut huge = vec![0x0a];
        put_varint(&mut huge, u64::MAX);
        assert_eq!(all(&huge), Err(Broken::Cut));
    }

    #[test]
    fn integers_go_both_ways() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(varint(&out), Ok((value, out.len())));
        }
    }
}
