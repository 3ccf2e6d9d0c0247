//! Reads the packed waterfall as the UI does: rows of named columns (`clew_core::packed` has the layout).

use anyhow::Context as _;
use clew_core::model::Operation;
use clew_core::trace::{TraceSummary, WindowUse};
use serde::{Deserialize, Serialize};

/// A trace in rows.
#[derive(Debug)]
pub(crate) struct Waterfall {
    pub(crate) summary: TraceSummary,
    pub(crate) extent_nanos: u64,
    pub(crate) cached_share: Option<f64>,
    pub(crate) fullest: Option<WindowUse>,
    pub(crate) rows: Vec<Row>,
}

/// One span of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) span_id: String,
    pub(crate) parent_span_id: Option<String>,
    pub(crate) depth: u32,
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) operation: Operation,
    pub(crate) model: Option<String>,
    /// The span above that names the model, where this one names none.
    pub(crate) model_from: Option<String>,
    pub(crate) error: Option<String>,
    /// 0 unset, 1 ok, 2 error.
    pub(crate) status: u32,
    pub(crate) start_nanos: u64,
    pub(crate) duration_nanos: Option<u64>,
    pub(crate) ttft_nanos: Option<u64>,
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) cached_tokens: Option<u64>,
    pub(crate) cost_usd: Option<f64>,
}

#[derive(Deserialize)]
struct Header {
    value: Value,
    columns: Vec<Column>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    summary: TraceSummary,
    extent_nanos: f64,
    cached_share: Option<f64>,
    fullest: Option<WindowUse>,
    strings: Vec<String>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    r#type: String,
    offset: usize,
    length: usize,
}

/// The columns of an answer, by name.
struct Columns<'a> {
    headers: &'a [Column],
    body: &'a [u8],
}

impl Columns<'_> {
    /// One column as numbers; every element type of the layout fits an `f64`.
    fn numbers(&self, name: &str) -> anyhow::Result<Vec<f64>> {
        let column = self
            .headers
            .iter()
            .find(|column| column.name == name)
            .with_context(|| format!("the waterfall has no column {name}"))?;
        let bytes = self.body.get(column.offset..).unwrap_or_default();
        let values: Vec<f64> = match column.r#type.as_str() {
            "f64" => elements(bytes, f64::from_le_bytes).collect(),
            "u32" => elements(bytes, u32::from_le_bytes).map(f64::from).collect(),
            "i32" => elements(bytes, i32::from_le_bytes).map(f64::from).collect(),
            "u16" => elements(bytes, u16::from_le_bytes).map(f64::from).collect(),
            "u8" => elements(bytes, u8::from_le_bytes).map(f64::from).collect(),
            other => anyhow::bail!("column {name} of the waterfall has the unknown type {other}"),
        };
        values
            .get(..column.length)
            .map(<[f64]>::to_vec)
            .with_context(|| format!("column {name} of the waterfall is cut short"))
    }

    /// One column as indices; a negative number has none.
    fn indices(&self, name: &str) -> anyhow::Result<Vec<Option<usize>>> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole numbers below 2^32"
        )]
        let index = |value: f64| (value >= 0.0).then_some(value as usize);
        Ok(self.numbers(name)?.into_iter().map(index).collect())
    }
}

fn elements<const N: usize, T: 'static>(
    bytes: &[u8],
    read: fn([u8; N]) -> T,
) -> impl Iterator<Item = T> {
    bytes
        .chunks_exact(N)
        .filter_map(move |chunk| chunk.try_into().ok().map(read))
}

/// A count or a time of the wire, which are whole numbers below 2^53; a negative one is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` cuts at the bounds"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

impl Waterfall {
    /// Reads the answer to `get_waterfall`.
    pub(crate) fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let length = bytes
            .first_chunk()
            .map(|length| u32::from_le_bytes(*length) as usize)
            .context("the waterfall is empty")?;
        let end = length.saturating_add(4);
        let header = bytes.get(4..end).context("the waterfall is cut short")?;
        let Header { value, columns } = serde_json::from_slice(header)?;
        let columns = Columns {
            headers: &columns,
            body: bytes.get(end.next_multiple_of(8)..).unwrap_or_default(),
        };
        let high = columns.indices("spanHigh")?;
        let low = columns.indices("spanLow")?;
        let ids: Vec<String> = high
            .iter()
            .zip(&low)
            .map(|(high, low)| format!("{:08x}{:08x}", high.unwrap_or(0), low.unwrap_or(0)))
            .collect();
        let texts = |name: &str| -> anyhow::Result<Vec<String>> {
            let text = |index: Option<usize>| {
                index
                    .and_then(|index| value.strings.get(index).cloned())
                    .unwrap_or_default()
            };
            Ok(columns.indices(name)?.into_iter().map(text).collect())
        };
        let parent = columns.indices("parent")?;
        let depth = columns.indices("depth")?;
        let (name, service) = (texts("name")?, texts("service")?);
        let (model, error) = (texts("model")?, texts("error")?);
        let model_from = columns.indices("modelFrom")?;
        let operation = columns.indices("operation")?;
        let status = columns.indices("status")?;
        let start = columns.numbers("start")?;
        let duration = columns.numbers("duration")?;
        let ttft = columns.numbers("ttft")?;
        let input = columns.numbers("inputTokens")?;
        let output = columns.numbers("outputTokens")?;
        let cached = columns.numbers("cachedTokens")?;
        let cost = columns.numbers("cost")?;

        let number = |column: &[Option<usize>], row: usize| {
            column
                .get(row)
                .copied()
                .flatten()
                .and_then(|value| u32::try_from(value).ok())
                .unwrap_or(0)
        };
        let stated =
            |column: &[f64], row: usize| column.get(row).copied().filter(|value| *value >= 0.0);
        let figure = |column: &[f64], row: usize| stated(column, row).map(whole);
        let text = |column: &[String], row: usize| column.get(row).cloned().unwrap_or_default();
        let some = |text: String| (!text.is_empty()).then_some(text);
        let rows = ids
            .iter()
            .enumerate()
            .map(|(row, id)| Row {
                span_id: id.clone(),
                parent_span_id: parent
                    .get(row)
                    .copied()
                    .flatten()
                    .and_then(|parent| ids.get(parent).cloned()),
                depth: number(&depth, row),
                name: text(&name, row),
                service: text(&service, row),
                operation: operation
                    .get(row)
                    .copied()
                    .flatten()
                    .and_then(|index| Operation::ALL.get(index).copied())
                    .unwrap_or(Operation::Other),
                model: some(text(&model, row)),
                model_from: model_from
                    .get(row)
                    .copied()
                    .flatten()
                    .and_then(|above| ids.get(above).cloned()),
                error: some(text(&error, row)),
                status: number(&status, row),
                start_nanos: figure(&start, row).unwrap_or(0),
                duration_nanos: figure(&duration, row),
                ttft_nanos: figure(&ttft, row),
                input_tokens: figure(&input, row),
                output_tokens: figure(&output, row),
                cached_tokens: figure(&cached, row),
                cost_usd: stated(&cost, row),
            })
            .collect();
        Ok(Self {
            summary: value.summary,
            extent_nanos: whole(value.extent_nanos),
            cached_share: value.cached_share,
            fullest: value.fullest,
            rows,
        })
    }
}
