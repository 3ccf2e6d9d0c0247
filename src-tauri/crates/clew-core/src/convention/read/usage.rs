//! Token counts of a table's keys, with cached tokens made part of the input whatever the source thinks (semconv.md §3).

use serde_json::Value as Json;

use super::key_map::KeyMap;
use super::provider;
use super::reader::Reader;
use super::table::{Keys, Table};
use super::usage_json::{Form, form};
use crate::convention::vocabulary::CacheRow;
use crate::model::{CacheCounting, CacheRule, Facts, Stated, Usage, display};

/// Keys that name the provider on the span, whoever reads the usage.
const PROVIDERS: Keys = &[
    "gen_ai.provider.name",
    "gen_ai.system",
    "llm.provider",
    "ai.model.provider",
];
/// Keys that name the model, from which the provider is guessed where it is not stated.
const MODELS: Keys = &[
    "gen_ai.request.model",
    "gen_ai.response.model",
    "llm.model_name",
    "ai.model.id",
    "model",
];

/// Usage, and how its source counts cached tokens.
type Counted = (Stated<Usage>, Option<Stated<CacheRule>>);

impl Reader<'_, '_> {
    /// Fills in the usage that the table's keys state, and how its source counts cached tokens.
    pub(super) fn usage(&self, table: &Table, facts: &mut Facts) {
        let read = self.usage_json(table).or_else(|| self.usage_keys(table));
        if let Some((form, key)) = read {
            let (usage, rule) = self.counted(&form, &key, facts);
            (facts.usage, facts.cache_rule) = (Some(usage), rule);
        }
    }

    /// The usage in this JSON, and how its source counts cached tokens.
    pub(in crate::convention) fn usage_of(&self, json: &Json, key: &str) -> Option<Counted> {
        Some(self.counted(&form(json)?, key, &Facts::default()))
    }

    fn counted(&self, form: &Form, key: &str, facts: &Facts) -> Counted {
        let mut usage = form.usage;
        let cached = usage
            .cache_read
            .unwrap_or(0)
            .saturating_add(usage.cache_write.unwrap_or(0));
        let rows = crate::convention::cache_rows(self.convention());
        let rule = rule(form, rows, self.map, facts, cached);
        if let (Some(input), Some(rule)) = (usage.input, &rule)
            && rule.counting == CacheCounting::Exclusive
        {
            usage.input = Some(input.saturating_add(cached));
        }
        let counted = usage.cache_read.is_some() || usage.cache_write.is_some();
        let rule = rule.filter(|_| counted).map(|rule| self.stated(rule, key));
        (self.stated(usage, key), rule)
    }

    fn usage_json(&self, table: &Table) -> Option<(Form, String)> {
        table.usage_json.iter().find_map(|key| {
            let json = self.literal(&[key])?;
            Some((form(&json.value)?, json.key))
        })
    }

    fn usage_keys(&self, table: &Table) -> Option<(Form, String)> {
        let keys = [
            table.input_tokens,
            table.output_tokens,
            table.cache_read,
            table.cache_write,
        ];
        let stated = keys.iter().find_map(|keys| self.count(keys))?;
        let count = |keys: Keys| self.count_value(keys);
        let (short, long) = (count(table.cache_write_5m), count(table.cache_write_1h));
        let split = [short, long].into_iter().flatten();
        let usage = Usage {
            input: count(table.input_tokens),
            output: count(table.output_tokens),
            cache_read: count(table.cache_read),
            cache_write: count(table.cache_write).or_else(|| split.reduce(u64::saturating_add)),
            cache_write_1h: long,
            audio_input: count(table.audio_input),
            image_input: count(table.image_input),
            reasoning: count(table.reasoning),
            audio_output: count(table.audio_output),
            image_output: count(table.image_output),
        };
        let form = Form {
            usage,
            total: count(table.total_tokens),
            rule: None,
        };
        Some((form, stated.key))
    }
}

/// How the source counts cached tokens: what the figures say, else what its convention's rows say, else its form.
fn rule(
    form: &Form,
    rows: &[CacheRow],
    map: &KeyMap,
    facts: &Facts,
    cached: u64,
) -> Option<CacheRule> {
    let input = form.usage.input?;
    if cached > input {
        return Some(CacheRule {
            counting: CacheCounting::Exclusive,
            source: "The figures: more tokens are cached than the input has.".to_owned(),
        });
    }
    let whole = input
        .saturating_add(cached)
        .saturating_add(form.usage.output.unwrap_or(0));
    if cached > 0 && form.total == Some(whole) {
        return Some(CacheRule {
            counting: CacheCounting::Exclusive,
            source: "The figures: the stated total is the sum of input, cached tokens and output."
                .to_owned(),
        });
    }
    let named = || {
        PROVIDERS
            .iter()
            .find_map(|key| provider::provider(&display(map.get(key)?)))
            .or_else(|| {
                MODELS
                    .iter()
                    .find_map(|key| provider::of_model(&display(map.get(key)?)))
            })
    };
    let stated = facts.provider.as_ref().map(|stated| stated.value.clone());
    let provider = stated.or_else(named);
    let by_row = || {
        let row = rows
            .iter()
            .find(|row| row.holds(map, provider.as_deref()))?;
        Some((row.counting, row.source))
    };
    let (counting, source) = by_row().or(form.rule)?;
    Some(CacheRule {
        counting,
        source: source.to_owned(),
    })
}
