//! Columns of numbers as bytes: how answers too big for JSON reach the UI as typed arrays.
//!
//! Layout, little-endian: `u32` length of the header; the header as JSON
//! (`{"value": …, "columns": [{"name","type","offset","length"}]}`); zero bytes up to the next multiple of 8; the columns,
//! each starting at a multiple of 8 counted from the start of the body. `offset` is counted from the body, in bytes;
//! `length` is the number of elements.

use serde::Serialize;

/// One column: its element type is what the UI's typed array holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// `Float64Array`.
    F64(Vec<f64>),
    /// `Uint32Array`.
    U32(Vec<u32>),
    /// `Int32Array`.
    I32(Vec<i32>),
    /// `Uint16Array`.
    U16(Vec<u16>),
    /// `Uint8Array`.
    U8(Vec<u8>),
}

impl Column {
    const fn type_name(&self) -> &'static str {
        match self {
            Self::F64(_) => "f64",
            Self::U32(_) => "u32",
            Self::I32(_) => "i32",
            Self::U16(_) => "u16",
            Self::U8(_) => "u8",
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    fn write(&self, body: &mut Vec<u8>) {
        match self {
            Self::F64(values) => values
                .iter()
                .for_each(|value| body.extend(value.to_le_bytes())),
            Self::U32(values) => values
                .iter()
                .for_each(|value| body.extend(value.to_le_bytes())),
            Self::I32(values) => values
                .iter()
                .for_each(|value| body.extend(value.to_le_bytes())),
            Self::U16(values) => values
                .iter()
                .for_each(|value| body.extend(value.to_le_bytes())),
            Self::U8(values) => body.extend(values),
        }
    }
}

/// A type that travels as a JSON value and columns beside it.
///
/// The implementor is also a [`ts_rs::TS`] type whose TypeScript is the value's fields together with one typed array a
/// column; `ui/src/host/packed.ts` puts the two together.
pub trait Pack {
    /// What travels as JSON.
    type Value: Serialize;
    /// The JSON part.
    fn value(&self) -> &Self::Value;
    /// The columns, each with the name of its TypeScript field.
    fn columns(&self) -> Vec<(&'static str, Column)>;
}

#[derive(Serialize)]
struct Header<'a, V> {
    value: &'a V,
    columns: Vec<ColumnHeader>,
}

#[derive(Serialize)]
struct ColumnHeader {
    name: &'static str,
    r#type: &'static str,
    offset: usize,
    length: usize,
}

/// Writes `packed` in the layout of this module.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn encode<P: Pack>(packed: &P) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = Vec::new();
    let mut columns = Vec::new();
    for (name, column) in packed.columns() {
        body.resize(body.len().next_multiple_of(8), 0);
        columns.push(ColumnHeader {
            name,
            r#type: column.type_name(),
            offset: body.len(),
            length: column.len(),
        });
        column.write(&mut body);
    }
    let header = serde_json::to_vec(&Header {
        value: packed.value(),
        columns,
    })?;
    let length = u32::try_from(header.len()).map_err(serde::ser::Error::custom)?;
    let mut bytes = Vec::with_capacity(4 + header.len() + 8 + body.len());
    bytes.extend(length.to_le_bytes());
    bytes.extend(header);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(body);
    Ok(bytes)
}
