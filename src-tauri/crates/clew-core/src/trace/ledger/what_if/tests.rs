use super::*;
use crate::model::{TraceId, Usage};
use crate::trace::testing::{call, traced};
use crate::trace::{SpanRow, ledger_rows};

/// 2026-11-01, when the book has prices for batches.
const DAY: u64 = 1_793_491_200_000_000_000;

/// A call of OpenAI's gpt-4o: 100 tokens sent, 60 of them from cache, and 10 generated, at $2.50, $1.25 and $10 a million.
fn cached(id: u64, feature: &str) -> SpanRow {
    let mut row = call(id, None, (100, 10), None);
    row.start = UnixNanos(DAY + id);
    row.end = UnixNanos(DAY + id + 1_000);
    let facts = row.facts.as_mut().expect("facts");
    facts.provider = Some("openai".to_owned());
    facts.feature = Some(feature.to_owned());
    if let Some(usage) = &mut facts.usage {
        usage.cache_read = Some(60);
    }
    row
}

fn changed(mut row: SpanRow, change: impl FnOnce(&mut crate::trace::RowFacts)) -> SpanRow {
    change(row.facts.as_mut().expect("facts"));
    row
}

fn sheet(rows: &[SpanRow], models: &[&str]) -> WhatIfTable {
    let models = models.iter().map(|&name| name.to_owned()).collect();
    let mut sheet = WhatIfSheet::new(PriceDesk::default(), models);
    let id = TraceId::from_bytes(&[7; 16]).expect("a trace id");
    for row in ledger_rows(id, 0, &traced(rows)) {
        sheet.add(&row);
    }
    sheet.table()
}

fn nanos(amount: &WhatIfAmount) -> (Option<u64>, u64) {
    (amount.nanos, amount.left_out)
}

fn near(change: Option<f64>, expected: f64) {
    let change = change.expect("a change");
    assert!((change - expected).abs() < 1e-12, "{change} {expected}");
}

#[test]
fn the_same_tokens_are_priced_on_other_models_without_a_cache_and_in_a_batch() {
    let models = [
        "gpt-4o-mini",
        "openai/gpt-4o-2024-05-13",
        "someone/unheard-of",
    ];
    let table = sheet(&[cached(1, "search")], &models);
    assert_eq!((table.rows.len(), table.total), (1, 1));
    let row = &table.rows[0];
    assert_eq!(row.feature.as_deref(), Some("search"));
    assert_eq!(row.model.as_deref(), Some("gpt-4o"));
    assert_eq!(row.provider.as_deref(), Some("openai"));
    let figures = &row.figures;
    assert_eq!(
        (figures.calls, figures.input_tokens, figures.output_tokens),
        (1, Some(100), Some(10))
    );
    assert_eq!(
        (figures.cached_tokens, figures.largest_prompt),
        (Some(60), Some(100))
    );
    // 40 × 2,500 + 60 × 1,250 + 10 × 10,000 nano-dollars.
    assert_eq!(figures.cost_nanos, Some(275_000));
    // 100 × 2,500 + 10 × 10,000.
    assert_eq!(nanos(&figures.uncached), (Some(350_000), 0));
    near(figures.uncached.change, 75.0 / 275.0);
    // 100 × 1,250 + 10 × 10,000.
    assert_eq!(nanos(&figures.all_cached), (Some(225_000), 0));
    // 40 × 1,250 + 60 × 1,250, as the book lists no price of batches for what is cached, + 10 × 5,000.
    assert_eq!(nanos(&figures.batch), (Some(175_000), 0));
    near(figures.batch.change, -100.0 / 275.0);
    // 40 × 150 + 60 × 75 + 10 × 600.
    assert_eq!(nanos(&figures.models[0].amount), (Some(16_500), 0));
    assert_eq!(figures.models[0].fits, Some(true));
    // No price for what is cached: 100 × 5,000 + 10 × 15,000.
    assert_eq!(nanos(&figures.models[1].amount), (Some(650_000), 0));
    assert_eq!(nanos(&figures.models[2].amount), (None, 1));
    assert_eq!(
        (figures.models[2].amount.change, figures.models[2].fits),
        (None, None)
    );
    assert_eq!(table.totals, *figures);
    let lists: Vec<bool> = table
        .models
        .iter()
        .map(|model| model.price_list.is_some())
        .collect();
    assert_eq!(lists, [true, true, false]);
}

#[test]
fn what_was_written_to_a_cache_is_plain_input_without_one() {
    let written = changed(cached(1, "search"), |facts| {
        facts.provider = Some("anthropic".to_owned());
        facts.model = Some("claude-3-5-haiku-20241022".to_owned());
        facts.usage = Some(Usage {
            input: Some(1_000),
            output: Some(10),
            cache_read: Some(500),
            cache_write: Some(400),
            ..Usage::default()
        });
    });
    let figures = sheet(&[written], &[]).totals;
    // 100 × 800 + 500 × 80 + 400 × 1,000 + 10 × 4,000.
    assert_eq!(figures.cost_nanos, Some(560_000));
    // 1,000 × 800 + 10 × 4,000.
    assert_eq!(nanos(&figures.uncached), (Some(840_000), 0));
    // 1,000 × 80 + 10 × 4,000.
    assert_eq!(nanos(&figures.all_cached), (Some(120_000), 0));
}

#[test]
fn what_no_list_sells_from_a_cache_is_not_told_and_an_embedding_costs_what_it_cost() {
    // No price for what is cached.
    let old = changed(cached(1, "search"), |facts| {
        facts.model = Some("gpt-4o-2024-05-13".to_owned());
    });
    let table = sheet(&[old], &[]);
    assert_eq!(nanos(&table.totals.all_cached), (None, 1));
    let embedding = changed(call(2, None, (1_000, 0), None), |facts| {
        facts.operation = Operation::Embedding;
        facts.provider = Some("openai".to_owned());
        facts.model = Some("text-embedding-3-small".to_owned());
    });
    let figures = sheet(&[embedding], &[]).totals;
    assert_eq!(figures.cost_nanos, Some(20_000));
    assert_eq!(nanos(&figures.all_cached), (Some(20_000), 0));
}

#[test]
fn a_stated_cost_keeps_its_place_and_the_cache_saves_by_the_list() {
    let stated = changed(cached(1, "search"), |facts| facts.cost_usd = Some(0.000_2));
    let figures = sheet(&[stated], &["gpt-4o-mini"]).totals;
    // 200,000 + 100 × 1,250 - (40 × 2,500 + 60 × 1,250).
    assert_eq!(nanos(&figures.all_cached), (Some(150_000), 0));
    let little = changed(cached(1, "search"), |facts| facts.cost_usd = Some(0.000_01));
    assert_eq!(nanos(&sheet(&[little], &[]).totals.all_cached), (None, 1));
    let batch = changed(cached(1, "search"), |facts| facts.batch = true);
    assert_eq!(nanos(&sheet(&[batch], &[]).totals.all_cached), (None, 1));
    assert_eq!(
        (figures.stated_calls, figures.cost_nanos),
        (1, Some(200_000))
    );
    // 100 × 2,500 in place of 40 × 2,500 + 60 × 1,250 is 75,000 more.
    assert_eq!(nanos(&figures.uncached), (Some(275_000), 0));
    assert_eq!(figures.models[0].amount.nanos, Some(16_500));
}

#[test]
fn a_total_without_a_part_is_none_and_says_how_many_calls_are_missing() {
    let unpriced = changed(cached(2, "tune"), |facts| {
        facts.model = Some("our-own-tune".to_owned());
    });
    let table = sheet(&[cached(1, "search"), unpriced], &["gpt-4o-mini"]);
    // The dearest first, what has no price last.
    let features = table.rows.iter().map(|row| row.feature.as_deref());
    assert_eq!(features.collect::<Vec<_>>(), [Some("search"), Some("tune")]);
    let totals = &table.totals;
    assert_eq!((totals.calls, totals.unpriced_calls), (2, 1));
    assert_eq!(totals.cost_nanos, Some(275_000));
    assert_eq!(nanos(&totals.uncached), (None, 1));
    assert_eq!(nanos(&totals.batch), (None, 1));
    // Tokens are known of both, so what another model takes is; but not what that is less or more than.
    assert_eq!(nanos(&totals.models[0].amount), (Some(33_000), 0));
    assert_eq!(totals.models[0].amount.change, None);
}

#[test]
fn calls_that_state_nothing_are_counted_and_leave_nothing_out() {
    let failed = changed(cached(2, "search"), |facts| facts.usage = None);
    let figures = sheet(&[cached(1, "search"), failed], &["gpt-4o-mini"]).totals;
    assert_eq!((figures.calls, figures.unstated_calls), (2, 1));
    assert_eq!(nanos(&figures.models[0].amount), (Some(16_500), 0));
    assert!(figures.models[0].amount.change.is_some());
}

#[test]
fn what_embeds_answers_nothing_and_what_answers_does_not_embed() {
    let embedding = changed(cached(2, "index"), |facts| {
        facts.operation = Operation::Embedding;
        facts.model = Some("text-embedding-3-large".to_owned());
        facts.usage = Some(Usage {
            input: Some(1_000),
            ..Usage::default()
        });
    });
    let rows = [cached(1, "search"), embedding];
    let table = sheet(&rows, &["gpt-4o-mini", "openai/text-embedding-3-small"]);
    let of = |feature: &str| {
        let mut rows = table.rows.iter();
        let row = rows.find(|row| row.feature.as_deref() == Some(feature));
        let models = &row.expect("a row").figures.models;
        [models[0].amount.nanos, models[1].amount.nanos]
    };
    assert_eq!(of("search"), [Some(16_500), None]);
    // 1,000 × 20.
    assert_eq!(of("index"), [None, Some(20_000)]);
}

#[test]
fn a_prompt_that_is_too_large_for_a_window_is_told() {
    let long = changed(cached(1, "search"), |facts| {
        facts.usage = Some(Usage {
            input: Some(200_000),
            output: Some(10),
            ..Usage::default()
        });
    });
    let figures = sheet(&[long], &["gpt-4o-mini"]).totals;
    assert_eq!(figures.models[0].fits, Some(false));
}

#[test]
fn prices_of_batches_are_those_of_the_day() {
    let mut early = cached(1, "search");
    early.start = UnixNanos(DAY - 60 * 86_400_000_000_000);
    let figures = sheet(&[early], &[]).totals;
    assert_eq!(nanos(&figures.batch), (None, 1));
}
