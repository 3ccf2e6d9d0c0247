//! Tables of keys: for each fact the attribute keys that state it, in order of trust.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use super::json::{compact, structured};
use super::listing::{documents, tool_definitions};
use super::message::messages;
use super::{finish_reason, provider};
use crate::model::{
    Facts, Message, Operation, PromptFact, SpanView, Stated, ToolFact, Usage, as_f64, as_u64,
    display, to_json,
};

/// Attribute keys in order of trust.
pub(in crate::convention) type Keys = &'static [&'static str];

/// The unit of a duration that is a number.
#[derive(Debug, Clone, Copy)]
pub(in crate::convention) enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Seconds as a double, milliseconds as an integer: producers disagree about this key.
    SecondsOrMillis,
}

/// Which keys state which fact. An empty list states nothing.
#[derive(Debug)]
pub(in crate::convention) struct Table {
    /// Keys whose value names the operation.
    pub operation: Keys,
    /// What the values of `operation` mean; compared in lower case.
    pub operations: &'static [(&'static str, Operation)],
    pub display_name: Keys,
    pub provider: Keys,
    pub request_model: Keys,
    pub response_model: Keys,
    pub response_id: Keys,
    pub input_tokens: Keys,
    pub output_tokens: Keys,
    pub total_tokens: Keys,
    pub cache_read: Keys,
    pub cache_write: Keys,
    /// Parts of `cache_write`, by how long they are kept.
    pub cache_write_5m: Keys,
    pub cache_write_1h: Keys,
    pub audio_input: Keys,
    pub image_input: Keys,
    pub reasoning: Keys,
    pub audio_output: Keys,
    pub image_output: Keys,
    pub request_id: Keys,
    pub service_tier: Keys,
    pub batch: Keys,
    pub server: Keys,
    pub cost_usd: Keys,
    pub finish_reasons: Keys,
    pub ttft: &'static [(&'static str, Unit)],
    pub streaming: Keys,
    /// Name of the parameter, and its keys.
    pub parameters: &'static [(&'static str, Keys)],
    pub input: Keys,
    pub output: Keys,
    /// System instructions that stand apart from the conversation.
    pub system: Keys,
    pub input_value: Keys,
    pub output_value: Keys,
    pub tools: Keys,
    pub tool_name: Keys,
    pub tool_call_id: Keys,
    pub tool_arguments: Keys,
    pub tool_result: Keys,
    pub documents: Keys,
    pub document_count: Keys,
    pub query: Keys,
    pub prompt_name: Keys,
    pub prompt_version: Keys,
    pub prompt_template: Keys,
    pub prompt_variables: Keys,
    pub agent: Keys,
    pub session: Keys,
    pub user: Keys,
    pub feature: Keys,
    pub tags: Keys,
}

impl Table {
    /// A table that states nothing, to be filled with `..Table::EMPTY`.
    pub(in crate::convention) const EMPTY: Self = Self {
        operation: &[],
        operations: &[],
        display_name: &[],
        provider: &[],
        request_model: &[],
        response_model: &[],
        response_id: &[],
        input_tokens: &[],
        output_tokens: &[],
        total_tokens: &[],
        cache_read: &[],
        cache_write: &[],
        cache_write_5m: &[],
        cache_write_1h: &[],
        audio_input: &[],
        image_input: &[],
        reasoning: &[],
        audio_output: &[],
        image_output: &[],
        request_id: &[],
        service_tier: &[],
        batch: &[],
        server: &[],
        cost_usd: &[],
        finish_reasons: &[],
        ttft: &[],
        streaming: &[],
        parameters: &[],
        input: &[],
        output: &[],
        system: &[],
        input_value: &[],
        output_value: &[],
        tools: &[],
        tool_name: &[],
        tool_call_id: &[],
        tool_arguments: &[],
        tool_result: &[],
        documents: &[],
        document_count: &[],
        query: &[],
        prompt_name: &[],
        prompt_version: &[],
        prompt_template: &[],
        prompt_variables: &[],
        agent: &[],
        session: &[],
        user: &[],
        feature: &[],
        tags: &[],
    };
}

/// Attributes of one carrier, by key; of duplicate keys the last.
#[derive(Debug)]
pub(in crate::convention) struct Layer<'a> {
    /// Name of the event or log record; empty for the span itself.
    name: &'a str,
    values: HashMap<&'a str, &'a Value>,
}

impl<'a> Layer<'a> {
    /// The attributes of the event or log record of this name; an empty name means the span.
    pub(in crate::convention) fn new(name: &'a str, attributes: &'a [KeyValue]) -> Self {
        let value = |attribute: &'a KeyValue| {
            Some((
                attribute.key.as_str(),
                attribute.value.as_ref()?.value.as_ref()?,
            ))
        };
        Self {
            name,
            values: attributes.iter().filter_map(value).collect(),
        }
    }
}

/// Looks keys up in the carriers of a span, in order, and notes who said what.
#[derive(Debug)]
pub(in crate::convention) struct Reader<'a> {
    convention: &'static str,
    layers: Vec<Layer<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads the span's own attributes for this convention.
    pub(in crate::convention) fn new(convention: &'static str, view: &SpanView<'a>) -> Self {
        Self {
            convention,
            layers: vec![Layer::new("", &view.span.attributes)],
        }
    }

    /// Reads this carrier too, after those that came before it.
    pub(in crate::convention) fn push(&mut self, layer: Layer<'a>) {
        self.layers.push(layer);
    }

    /// Whether any carrier has this key.
    pub(in crate::convention) fn has(&self, key: &str) -> bool {
        self.layers
            .iter()
            .any(|layer| layer.values.contains_key(key))
    }

    /// The first of these keys that `read` can make something of.
    pub(in crate::convention) fn first<T>(
        &self,
        keys: &[&str],
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<Stated<T>> {
        self.layers.iter().find_map(|layer| {
            keys.iter().find_map(|key| {
                let value = read(layer.values.get(key)?)?;
                Some(self.stated(value, layer.name, key))
            })
        })
    }

    fn stated<T>(&self, value: T, carrier: &str, key: &str) -> Stated<T> {
        if carrier.is_empty() {
            Stated::new(value, self.convention, key)
        } else {
            Stated::new(value, self.convention, &format!("{carrier}: {key}"))
        }
    }

    /// The first of these keys that is non-empty text; numbers and lists are written out.
    pub(in crate::convention) fn text(&self, keys: &[&str]) -> Option<Stated<String>> {
        self.first(keys, |value| {
            let text = display(value);
            (!text.trim().is_empty()).then_some(text)
        })
    }

    /// The first of these keys that is a count.
    pub(in crate::convention) fn count(&self, keys: &[&str]) -> Option<Stated<u64>> {
        self.first(keys, as_u64)
    }

    fn count_value(&self, keys: &[&str]) -> Option<u64> {
        self.count(keys).map(|stated| stated.value)
    }

    fn text_value(&self, keys: &[&str]) -> Option<String> {
        self.text(keys).map(|stated| stated.value)
    }

    /// Every fact of the table.
    pub(in crate::convention) fn read(&self, table: &Table) -> Facts {
        Facts {
            operation: self.first(table.operation, |value| {
                let name = display(value).trim().trim_matches('"').to_lowercase();
                let known = table.operations.iter().find(|(stated, _)| *stated == name);
                known.map(|(_, operation)| *operation)
            }),
            display_name: self.text(table.display_name),
            provider: self.first(table.provider, |value| provider(&display(value))),
            request_model: self.text(table.request_model),
            response_model: self.text(table.response_model),
            response_id: self.text(table.response_id),
            request_id: self.text(table.request_id),
            usage: self.usage(table),
            same_call: None,
            service_tier: self.first(table.service_tier, |value| {
                let tier = display(value).trim().to_lowercase();
                (!tier.is_empty()).then_some(tier)
            }),
            batch: self.first(table.batch, flag),
            server: self.text(table.server),
            cost_usd: self.first(table.cost_usd, |value| {
                as_f64(value).filter(|cost| *cost >= 0.0)
            }),
            finish_reasons: self.first(table.finish_reasons, reasons),
            ttft_nanos: self.ttft(table.ttft),
            streaming: self.first(table.streaming, flag),
            parameters: self.parameters(table.parameters),
            input: self.conversation(table),
            output: self.first(table.output, |value| messages(value, "assistant")),
            input_value: self.text(table.input_value),
            output_value: self.text(table.output_value),
            tools: self.first(table.tools, |value| {
                Some(tool_definitions(&structured(value)?)).filter(|tools| !tools.is_empty())
            }),
            tool: self.tool(table),
            documents: self.first(table.documents, |value| {
                Some(documents(&structured(value)?)).filter(|documents| !documents.is_empty())
            }),
            document_count: self.count(table.document_count),
            query: self.text(table.query),
            prompt: self.prompt(table),
            agent: self.text(table.agent),
            session: self.text(table.session),
            user: self.text(table.user),
            feature: self.text(table.feature),
            tags: self.first(table.tags, texts),
            error: None,
        }
    }

    /// Token counts, with input made to include cached tokens where the source leaves them out (semconv.md §3): they do
    /// not fit into it, or the stated total is the sum of all.
    fn usage(&self, table: &Table) -> Option<Stated<Usage>> {
        let keys = [
            table.input_tokens,
            table.output_tokens,
            table.cache_read,
            table.cache_write,
            table.reasoning,
        ];
        let stated = keys.iter().find_map(|keys| self.count(keys))?;
        let count = |keys: Keys| self.count_value(keys);
        let (short, long) = (count(table.cache_write_5m), count(table.cache_write_1h));
        let split = [short, long].into_iter().flatten();
        let mut usage = Usage {
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
        let cached = usage
            .cache_read
            .unwrap_or(0)
            .saturating_add(usage.cache_write.unwrap_or(0));
        if let Some(input) = usage.input
            && cached > 0
        {
            let whole = input.saturating_add(cached);
            let total = self.count_value(table.total_tokens);
            let sums_up = total == Some(whole.saturating_add(usage.output.unwrap_or(0)));
            if cached > input || sums_up {
                usage.input = Some(whole);
            }
        }
        Some(Stated {
            value: usage,
            ..self.as_key(&stated)
        })
    }

    fn as_key<T>(&self, stated: &Stated<T>) -> Stated<Usage> {
        Stated::new(Usage::default(), self.convention, &stated.key)
    }

    fn ttft(&self, keys: &[(&str, Unit)]) -> Option<Stated<u64>> {
        keys.iter().find_map(|(key, unit)| {
            self.first(&[key], |value| {
                let millis = matches!(
                    (unit, value),
                    (Unit::Millis, _) | (Unit::SecondsOrMillis, Value::IntValue(_))
                );
                nanos(as_f64(value)?, if millis { 1e6 } else { 1e9 })
            })
        })
    }

    fn parameters(&self, keys: &[(&str, Keys)]) -> Option<Stated<Vec<(String, String)>>> {
        let mut stated: Option<Stated<Vec<(String, String)>>> = None;
        for (name, keys) in keys {
            let Some(parameter) = self.first(keys, |value| Some(json_text(value))) else {
                continue;
            };
            let entry = ((*name).to_owned(), parameter.value);
            match &mut stated {
                Some(stated) => stated.value.push(entry),
                None => {
                    stated = Some(Stated {
                        value: vec![entry],
                        convention: parameter.convention,
                        key: parameter.key,
                    });
                }
            }
        }
        stated
    }

    /// The conversation that was sent, system instructions first where they stand apart.
    fn conversation(&self, table: &Table) -> Option<Stated<Vec<Message>>> {
        let input = self.first(table.input, |value| messages(value, "user"));
        let system = self.first(table.system, |value| messages(value, "system"));
        with_system(input, system)
    }

    fn tool(&self, table: &Table) -> Option<Stated<ToolFact>> {
        let keys = [
            table.tool_name,
            table.tool_call_id,
            table.tool_arguments,
            table.tool_result,
        ];
        let stated = keys.iter().find_map(|keys| self.text(keys))?;
        let tool = ToolFact {
            name: self.text_value(table.tool_name),
            call_id: self.text_value(table.tool_call_id),
            arguments: self.text_value(table.tool_arguments),
            result: self.text_value(table.tool_result),
        };
        Some(Stated::new(tool, self.convention, &stated.key))
    }

    fn prompt(&self, table: &Table) -> Option<Stated<PromptFact>> {
        let keys = [
            table.prompt_name,
            table.prompt_version,
            table.prompt_template,
            table.prompt_variables,
        ];
        let stated = keys.iter().find_map(|keys| self.text(keys))?;
        let prompt = PromptFact {
            name: self.text_value(table.prompt_name),
            version: self.text_value(table.prompt_version),
            template: self.text_value(table.prompt_template),
            variables: self.text_value(table.prompt_variables),
        };
        Some(Stated::new(prompt, self.convention, &stated.key))
    }
}

/// Puts system instructions before the conversation, unless it begins with the same ones.
pub(in crate::convention) fn with_system(
    input: Option<Stated<Vec<Message>>>,
    system: Option<Stated<Vec<Message>>>,
) -> Option<Stated<Vec<Message>>> {
    let Some(mut system) = system else {
        return input;
    };
    for message in &mut system.value {
        "system".clone_into(&mut message.role);
    }
    let Some(mut input) = input else {
        return Some(system);
    };
    let begins = input
        .value
        .first()
        .is_some_and(|first| first.role == "system");
    if !begins {
        input.value.splice(0..0, system.value);
    }
    Some(input)
}

/// A finite, non-negative number of this many nanoseconds, at most `u64::MAX`.
fn nanos(number: f64, scale: f64) -> Option<u64> {
    let nanos = (number * scale).round();
    // 2^63: far beyond any duration, and exact as a double.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked"
    )]
    (0.0..9_223_372_036_854_775_808.0)
        .contains(&nanos)
        .then_some(nanos as u64)
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::BoolValue(flag) => Some(*flag),
        Value::StringValue(text) => match text.to_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn reasons(value: &Value) -> Option<Vec<String>> {
    let reasons: Vec<String> = texts(value)?
        .iter()
        .filter_map(|reason| finish_reason(reason))
        .collect();
    (!reasons.is_empty()).then_some(reasons)
}

/// A list of texts: an array, JSON text of one, or a single text.
fn texts(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<String> = match structured(value) {
        Some(serde_json::Value::Array(items)) => items.iter().map(compact).collect(),
        Some(_) => return None,
        None => vec![display(value)],
    };
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then_some(texts)
}

fn json_text(value: &Value) -> String {
    to_json(&AnyValue {
        value: Some(value.clone()),
    })
    .to_string()
}
