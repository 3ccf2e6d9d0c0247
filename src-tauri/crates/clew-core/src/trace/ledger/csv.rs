//! The ledger as a table in a file: one line for each line of each entry, so that the column `usd` adds up to the total.

use super::{LedgerCost, LedgerLine, LedgerRow, LedgerStanding};
use crate::model::Bucket;
use crate::price::PriceSource;

const HEADER: [&str; 22] = [
    "trace_id",
    "span_id",
    "start_micros",
    "service",
    "name",
    "operation",
    "provider",
    "model",
    "feature",
    "response_id",
    "standing",
    "told_by",
    "bucket",
    "count",
    "usd_per_million",
    "price_list",
    "price_since",
    "cost_from",
    "listed_nano_usd",
    "nano_usd",
    "usd",
    "model_from",
];

/// The rows as CSV (RFC 4180) with a line of names. `nano_usd` holds whole nano-dollars and is empty where a line does not
/// count or no price is known. A text that a spreadsheet would take for a formula begins with an apostrophe.
///
/// # Errors
/// None in practice: the table is written to memory.
pub fn csv(rows: &[LedgerRow]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADER)?;
    for row in rows {
        if row.lines.is_empty() {
            table.write_record(record(row, None))?;
        }
        for line in &row.lines {
            table.write_record(record(row, Some(line)))?;
        }
    }
    table
        .into_inner()
        .map_err(|error| error.into_error().into())
}

fn record(row: &LedgerRow, line: Option<&LedgerLine>) -> [String; 22] {
    let (standing, teller) = standing(&row.standing);
    let (list, since) = list(&row.price);
    let text = |text: Option<&String>| plain(text.map_or("", String::as_str));
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let amount = line.and_then(|line| line.amount_nanos);
    let bucket = line.map_or("", |line| line.bucket.map_or("stated", Bucket::name));
    [
        row.trace_id.clone(),
        row.span_id.clone(),
        row.start_micros.to_string(),
        plain(&row.service),
        plain(&row.name),
        row.operation.name().to_owned(),
        text(row.provider.as_ref()),
        text(row.model.as_ref()),
        text(row.feature.as_ref()),
        text(row.response_id.as_ref()),
        standing.to_owned(),
        teller,
        bucket.to_owned(),
        number(line.map(|line| line.count)),
        line.and_then(|line| line.price.clone()).unwrap_or_default(),
        plain(&list),
        since,
        cost(&row.cost).to_owned(),
        number(line.and_then(|line| line.listed_nanos)),
        number(amount),
        amount.map(usd).unwrap_or_default(),
        row.model_from.clone().unwrap_or_default(),
    ]
}

fn standing(standing: &LedgerStanding) -> (&'static str, String) {
    match standing {
        LedgerStanding::Counted => ("counted", String::new()),
        LedgerStanding::CostOnly => ("cost only", String::new()),
        LedgerStanding::Below { span_id } => ("told below", span_id.clone()),
        LedgerStanding::Above { span_id } => ("told above", span_id.clone()),
        LedgerStanding::SameResponse { span_id } => ("same response", span_id.clone()),
        LedgerStanding::SameCall { span_id } => ("same call", span_id.clone()),
        LedgerStanding::Elsewhere { trace_id, span_id } => {
            ("other trace", format!("{trace_id}/{span_id}"))
        }
    }
}

const fn cost(cost: &LedgerCost) -> &'static str {
    match cost {
        LedgerCost::Stated { .. } => "stated",
        LedgerCost::Logged { .. } => "stated in logs",
        LedgerCost::Listed => "list",
        LedgerCost::Above { .. } => "stated above",
        LedgerCost::Below { .. } => "stated below",
        LedgerCost::Unknown => "unknown",
    }
}

fn list(source: &PriceSource) -> (String, String) {
    match source {
        PriceSource::Custom { model, since } => (
            format!("own price of {model}"),
            since.clone().unwrap_or_default(),
        ),
        PriceSource::Book {
            provider,
            model,
            since,
            book,
            ..
        } => (
            format!("{book}: {provider}/{model}"),
            since.clone().unwrap_or_default(),
        ),
        PriceSource::Profile { profile } => (format!("profile {profile:?}"), String::new()),
        PriceSource::Local => ("local model".to_owned(), String::new()),
        PriceSource::Unknown => (String::new(), String::new()),
    }
}

/// Whole dollars and nine digits, exactly.
fn usd(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

/// The text with an apostrophe before it where a spreadsheet would take it for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
