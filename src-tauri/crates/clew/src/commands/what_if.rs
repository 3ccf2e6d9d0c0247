//! `clew ledger --what-if`: what calls would have cost on other models, without a cache or all from it, and in a batch.

use clew_core::model::NanoUsd;
use clew_core::price::PriceDesk;
use clew_core::trace::{WhatIfAmount, WhatIfFigures, WhatIfRow, WhatIfSheet, WhatIfTable};
use clew_engine::api::{LedgerFilter, WhatIf};

use super::Exit;
use super::list::counted;
use crate::door::Door;
use crate::print::{Ink, Out, count, cut, note, plain};

/// Columns before those of the asked models.
const HEADINGS: [&str; 10] = [
    "FEATURE",
    "MODEL",
    "CALLS",
    "IN",
    "CACHED",
    "OUT",
    "COST",
    "NO CACHE",
    "ALL CACHED",
    "BATCH",
];
/// Of these, the first that holds figures.
const FIGURES: usize = 2;

pub(super) async fn run(
    door: &Door,
    filter: LedgerFilter,
    models: Vec<String>,
    out: &mut Out,
) -> anyhow::Result<Exit> {
    let table: WhatIfTable = door.call("what_if", &WhatIf { filter, models }).await?;
    show(&table, out)
}

/// The answer where there is no database.
pub(super) fn none(models: Vec<String>, out: &mut Out) -> anyhow::Result<Exit> {
    show(&WhatIfSheet::new(PriceDesk::default(), models).table(), out)
}

fn show(table: &WhatIfTable, out: &mut Out) -> anyhow::Result<Exit> {
    if out.is_json() {
        out.json(table)?;
    } else if table.rows.is_empty() {
        note("no model call matches");
    } else {
        print(table, out)?;
    }
    Ok(if table.rows.is_empty() {
        Exit::NoMatch
    } else {
        Exit::Ok
    })
}

fn print(table: &WhatIfTable, out: &mut Out) -> anyhow::Result<()> {
    let models: Vec<String> = table
        .models
        .iter()
        .map(|model| cut(&plain(&model.name), 40).into_owned())
        .collect();
    let mut headings: Vec<&str> = HEADINGS.to_vec();
    headings.extend(models.iter().map(String::as_str));
    let right: Vec<usize> = (FIGURES..headings.len()).collect();
    let mut cells: Vec<Vec<String>> = table.rows.iter().map(row).collect();
    let mut all = vec!["all calls".to_owned(), String::new()];
    all.extend(figures(&table.totals));
    cells.push(all);
    out.table(&headings, &right, &cells)?;
    for text in notes(table) {
        let text = out.ink(Ink::Dim, &text);
        out.line(&text)?;
    }
    Ok(())
}

fn row(row: &WhatIfRow) -> Vec<String> {
    let name =
        |name: Option<&String>| cut(&plain(name.map_or("–", String::as_str)), 28).into_owned();
    let mut cells = vec![name(row.feature.as_ref()), name(row.model.as_ref())];
    cells.extend(figures(&row.figures));
    cells
}

fn figures(of: &WhatIfFigures) -> Vec<String> {
    let cost = match of.cost_nanos {
        Some(nanos) => NanoUsd(nanos).to_string(),
        None if of.unpriced_calls > 0 => "unknown".to_owned(),
        None => "–".to_owned(),
    };
    let mut cells = vec![
        count(Some(of.calls)),
        count(of.input_tokens),
        count(of.cached_tokens),
        count(of.output_tokens),
        cost,
        amount(&of.uncached),
        amount(&of.all_cached),
        amount(&of.batch),
    ];
    cells.extend(of.models.iter().map(|model| {
        let text = amount(&model.amount);
        match model.fits {
            Some(false) => format!("{text} (too small)"),
            Some(true) | None => text,
        }
    }));
    cells
}

/// An amount and how much more or less it is: "$0.00035 +27.3 %".
fn amount(amount: &WhatIfAmount) -> String {
    match (amount.nanos, amount.change) {
        (None, _) => "–".to_owned(),
        (Some(nanos), None) => NanoUsd(nanos).to_string(),
        (Some(nanos), Some(share)) => format!("{} {}", NanoUsd(nanos), change(share)),
    }
}

fn change(share: f64) -> String {
    let size = format!("{:.1}", share.abs() * 100.0);
    let size = size.strip_suffix(".0").unwrap_or(&size);
    match (size, share < 0.0) {
        ("0", _) => "±0 %".to_owned(),
        (size, true) => format!("-{size} %"),
        (size, false) => format!("+{size} %"),
    }
}

/// What the table does not say by itself.
fn notes(table: &WhatIfTable) -> Vec<String> {
    let totals = &table.totals;
    let mut notes = Vec::new();
    let shown = table.rows.len() as u64;
    if shown < table.total {
        notes.push(format!(
            "The {} dearest of {} rows; the last is of all calls.",
            count(Some(shown)),
            count(Some(table.total))
        ));
    }
    for model in &table.models {
        match &model.price_list {
            Some(list) => notes.push(format!("{}: {}.", plain(&model.name), plain(list))),
            None => notes.push(format!(
                "{}: no list names it; PROVIDER/MODEL may.",
                plain(&model.name)
            )),
        }
    }
    if totals.models.iter().any(|model| model.fits == Some(false)) {
        notes.push(
            "Too small: the largest prompt does not fit into the model's context window."
                .to_owned(),
        );
    }
    if totals.stated_calls > 0 {
        notes.push(format!(
            "Of {} a span or a log record states the cost; what stands beside it is by list prices.",
            counted(totals.stated_calls, "call")
        ));
    }
    if totals.unpriced_calls > 0 {
        notes.push(format!(
            "Of {} no cost is known.",
            counted(totals.unpriced_calls, "call")
        ));
    }
    if totals.unstated_calls > 0 {
        notes.push(format!(
            "In no figure, because no tokens are stated: {}.",
            counted(totals.unstated_calls, "call")
        ));
    }
    notes.push(
        "The same tokens at the list prices of each call's time; all cached is the least that a cache could leave to pay. \
         A dash: a price is missing."
            .to_owned(),
    );
    notes
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn a_change_has_a_sign_and_at_most_one_decimal() {
        let changes = [0.0, 0.000_1, 0.12, -0.94, 75.0 / 275.0, 4.0];
        assert_eq!(
            changes.map(change),
            ["±0 %", "±0 %", "+12 %", "-94 %", "+27.3 %", "+400 %"]
        );
    }
}
