//! Looks the keys of a table up in a span and what belongs to it, and notes who said what.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::Value as Json;

use super::json::{compact, structured};
use super::key_map::{Attributes, KeyMap, entry};
use super::listing::{documents, tool_definitions};
use super::message::{from_json, messages_of};
use super::repair::repaired;
use super::table::{Durations, Keys, Table, Unit};
use super::time::{first_event, since_start};
use super::{finish_reason, provider};
use crate::model::{
    Facts, Message, PromptFact, Stated, Timing, ToolFact, as_f64, as_u64, display, to_json,
};

/// Entries of a JSON object of parameters that are content and not a setting.
const NOT_PARAMETERS: Keys = &[
    "model",
    "model_name",
    "messages",
    "input",
    "prompt",
    "tools",
    "contents",
    "system",
    "instructions",
];

/// Attributes of one carrier, by key; of duplicate keys the last.
#[derive(Debug)]
pub(in crate::convention) struct Layer<'a> {
    /// Name of the event or log record.
    name: &'a str,
    values: Attributes<'a>,
    /// The names under which keys stand on the span, where they are looked up under others.
    names: HashMap<&'static str, String>,
}

impl<'a> Layer<'a> {
    /// Attributes of the span under other names: the name, the key on the span, the value.
    pub(in crate::convention) fn renamed(values: &[(&'static str, &str, &'a Value)]) -> Self {
        Self {
            name: "",
            values: Attributes::of(
                values
                    .iter()
                    .map(|(name, _, value)| (*name, *value))
                    .collect(),
            ),
            names: values
                .iter()
                .map(|(name, key, _)| (*name, (*key).to_owned()))
                .collect(),
        }
    }

    /// The attributes of the event or log record of this name.
    pub(in crate::convention) fn new(name: &'a str, attributes: &'a [KeyValue]) -> Self {
        Self {
            name,
            values: Attributes::of(attributes.iter().filter_map(entry).collect()),
            names: HashMap::new(),
        }
    }
}

/// Looks keys up in the carriers of a span: its own attributes first, then the layers in order.
#[derive(Debug)]
pub(in crate::convention) struct Reader<'a, 'm> {
    convention: &'static str,
    pub(in crate::convention) map: &'m KeyMap<'a>,
    layers: Vec<Layer<'a>>,
    /// Whether texts are written as JSON strings, in quotes.
    quoted: bool,
    /// Whether only the layers are read, and not the span's own attributes.
    apart: bool,
}

impl<'a, 'm> Reader<'a, 'm> {
    /// Reads the span's own attributes for this convention.
    pub(in crate::convention) const fn new(convention: &'static str, map: &'m KeyMap<'a>) -> Self {
        Self {
            convention,
            map,
            layers: Vec::new(),
            quoted: false,
            apart: false,
        }
    }

    /// Reads nothing but the layers that are pushed.
    pub(in crate::convention) const fn apart(
        convention: &'static str,
        map: &'m KeyMap<'a>,
    ) -> Self {
        let mut reader = Self::new(convention, map);
        reader.apart = true;
        reader
    }

    /// The convention for which it reads.
    pub(super) const fn convention(&self) -> &'static str {
        self.convention
    }

    /// Takes texts out of the quotes of JSON strings.
    pub(in crate::convention) const fn quoted(mut self) -> Self {
        self.quoted = true;
        self
    }

    /// Reads this carrier too, after those that came before it.
    pub(in crate::convention) fn push(&mut self, layer: Layer<'a>) {
        self.layers.push(layer);
    }

    /// Whether the span itself has this key.
    pub(in crate::convention) fn has(&self, key: &str) -> bool {
        self.map.has(key)
    }

    /// A value and the key of the span that states it.
    pub(in crate::convention) fn stated<T>(&self, value: T, key: &str) -> Stated<T> {
        Stated::new(value, self.convention, key)
    }

    /// The first of these keys that `read` can make something of.
    pub(in crate::convention) fn first<T>(
        &self,
        keys: &[&str],
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<Stated<T>> {
        self.first_key(keys, |_, value| read(value))
    }

    /// The same, where `read` is told the key as it stands on its carrier.
    fn first_key<T>(
        &self,
        keys: &[&str],
        read: impl Fn(&str, &'a Value) -> Option<T>,
    ) -> Option<Stated<T>> {
        if keys.is_empty() {
            return None;
        }
        let own = || {
            keys.iter().find_map(|key| {
                let value = read(key, self.map.get(key)?)?;
                Some(self.stated(value, key))
            })
        };
        let own = if self.apart { None } else { own() };
        own.or_else(|| {
            self.layers.iter().find_map(|layer| {
                keys.iter().find_map(|key| {
                    let value = layer.values.get(key)?;
                    Some(match layer.names.get(key) {
                        Some(name) => self.stated(read(name, value)?, name),
                        None => self.stated(read(key, value)?, &format!("{}: {key}", layer.name)),
                    })
                })
            })
        })
    }

    /// The first of these keys that is non-empty text; numbers and lists are written out.
    pub(in crate::convention) fn text(&self, keys: &[&str]) -> Option<Stated<String>> {
        self.first(keys, |value| {
            let mut text = display(value);
            if self.quoted
                && text.starts_with('"')
                && let Ok(inner) = serde_json::from_str::<String>(&text)
            {
                text = inner;
            }
            (!text.trim().is_empty()).then_some(text)
        })
    }

    /// The first of these keys that is an array or object, or JSON text of one; repaired and noted where it breaks off.
    pub(in crate::convention) fn json(&self, keys: &[&str]) -> Option<Stated<Json>> {
        self.first_key(keys, |key, value| {
            structured(value).or_else(|| {
                let json = repaired(value)?;
                self.map.cut(key);
                Some(json)
            })
        })
    }

    /// The first of these keys that is JSON or a literal as Python writes it.
    pub(in crate::convention) fn literal(&self, keys: &[&str]) -> Option<Stated<Json>> {
        self.first(keys, |value| {
            structured(value).or_else(|| match value {
                Value::StringValue(text) => super::literal::parse(text),
                _ => None,
            })
        })
    }

    /// The first of these keys that holds a conversation; repaired and noted where its JSON breaks off.
    pub(in crate::convention) fn messages(
        &self,
        keys: &[&str],
        role: &str,
    ) -> Option<Stated<Vec<Message>>> {
        self.first_key(keys, |key, value| {
            let json = structured(value);
            if json.is_none()
                && let Some(json) = repaired(value)
            {
                self.map.cut(key);
                if let Some(read) = from_json(&json, role) {
                    return Some(read);
                }
            }
            messages_of(value, json, role)
        })
    }

    /// The first of these keys that is a count.
    pub(in crate::convention) fn count(&self, keys: &[&str]) -> Option<Stated<u64>> {
        self.first(keys, as_u64)
    }

    pub(super) fn count_value(&self, keys: &[&str]) -> Option<u64> {
        self.count(keys).map(|stated| stated.value)
    }

    fn text_value(&self, keys: &[&str]) -> Option<String> {
        self.text(keys).map(|stated| stated.value)
    }

    /// Every fact of the table.
    pub(in crate::convention) fn read(&self, table: &Table) -> Facts {
        let mut facts = Facts {
            operation: self.first(table.operation, |value| {
                let name = display(value).trim().trim_matches('"').to_lowercase();
                let known = table.operations.iter().find(|(stated, _)| *stated == name);
                known.map(|(_, operation)| *operation)
            }),
            display_name: self.text(table.display_name),
            provider: self.first(table.provider, |value| {
                provider(display(value).trim_matches('"'))
            }),
            request_model: self.text(table.request_model),
            response_model: self.text(table.response_model),
            response_id: self.text(table.response_id),
            request_id: self.first(table.request_id, id),
            service_tier: self
                .text(table.service_tier)
                .map(|stated| self.stated(stated.value.trim().to_lowercase(), &stated.key)),
            batch: self.first(table.batch, flag),
            server: self.text(table.server),
            cost_usd: self.cost(table),
            finish_reasons: self.first(table.finish_reasons, reasons),
            ttft_nanos: self
                .duration(table.ttft)
                .or_else(|| {
                    let at = self.text(table.ttft_at)?;
                    let nanos = since_start(self.map, &at.value, &at.key)?;
                    Some(self.stated(nanos, &at.key))
                })
                .or_else(|| first_event(self.map, self.convention, table.chunk_events)),
            timing: self.timing(table),
            streaming: self.first(table.streaming, flag),
            parameters: self.parameters(table),
            document_count: self.count(table.document_count),
            query: self.text(table.query),
            prompt: self.prompt(table),
            agent: self.text(table.agent),
            session: self.text(table.session),
            user: self.text(table.user),
            feature: self.text(table.feature),
            tags: self.first(table.tags, texts),
            tool: self.tool(table),
            ..Facts::default()
        };
        self.usage(table, &mut facts);
        if self.map.content() {
            facts.input = self.conversation(table);
            facts.output = self.messages(table.output, "assistant");
            facts.input_value = self.text(table.input_value);
            facts.output_value = self.text(table.output_value);
            facts.tools = self.json(table.tools).and_then(|tools| {
                let read = tool_definitions(&tools.value);
                (!read.is_empty()).then(|| self.stated(read, &tools.key))
            });
            facts.documents = self.json(table.documents).and_then(|list| {
                let read = documents(&list.value);
                (!read.is_empty()).then(|| self.stated(read, &list.key))
            });
        }
        facts
    }

    fn cost(&self, table: &Table) -> Option<Stated<f64>> {
        let positive = |cost: &f64| cost.is_finite() && *cost >= 0.0;
        self.first(table.cost_usd, |value| as_f64(value).filter(positive))
            .or_else(|| {
                let costs = self.json(table.cost_json)?;
                let number = |name: &str| costs.value.get(name)?.as_f64().filter(positive);
                let parts = || Some(number("input")? + number("output")?);
                let total = number("total").or_else(|| number("total_cost"));
                let total = total.or_else(parts)?;
                Some(self.stated(total, &costs.key))
            })
    }

    /// The first of these keys that is a duration, in nanoseconds. One that is negative is noted and left out.
    pub(in crate::convention) fn duration(&self, keys: Durations) -> Option<Stated<u64>> {
        keys.iter().find_map(|(key, unit)| {
            self.first_key(&[key], |key, value| {
                let millis = matches!(
                    (unit, value),
                    (Unit::Millis, _) | (Unit::SecondsOrMillis, Value::IntValue(_))
                );
                let read = nanos(as_f64(value)?, if millis { 1e6 } else { 1e9 });
                if read.is_none() {
                    self.map.refuse(key);
                }
                read
            })
        })
    }

    fn timing(&self, table: &Table) -> Option<Stated<Timing>> {
        let timing = Timing {
            queue_nanos: self.duration(table.queue),
            network_nanos: self.duration(table.network),
            prefill_nanos: self.duration(table.prefill),
            decode_nanos: self.duration(table.decode),
            inference_nanos: self.duration(table.inference),
            post_processing_nanos: self.duration(table.post_processing),
            total_nanos: self.duration(table.total_time),
            chunk_nanos: self.duration(table.chunk_time),
            tokens_per_second: self.first(table.tokens_per_second, |value| {
                as_f64(value).filter(|speed| *speed > 0.0)
            }),
        };
        let durations = [
            &timing.queue_nanos,
            &timing.network_nanos,
            &timing.prefill_nanos,
            &timing.decode_nanos,
            &timing.inference_nanos,
            &timing.post_processing_nanos,
            &timing.total_nanos,
            &timing.chunk_nanos,
        ];
        let duration = durations
            .iter()
            .find_map(|stated| stated.as_ref())
            .map(|stated| &stated.key);
        let speed = timing.tokens_per_second.as_ref().map(|stated| &stated.key);
        let key = duration.or(speed)?.clone();
        Some(self.stated(timing, &key))
    }

    fn parameters(&self, table: &Table) -> Option<Stated<Vec<(String, String)>>> {
        let mut stated: Option<Stated<Vec<(String, String)>>> = None;
        for (name, keys) in table.parameters {
            let Some(parameter) = self.first(keys, |value| Some(json_text(value))) else {
                continue;
            };
            let entry = ((*name).to_owned(), parameter.value);
            match &mut stated {
                Some(stated) => stated.value.push(entry),
                None => stated = Some(self.stated(vec![entry], &parameter.key)),
            }
        }
        stated.or_else(|| {
            let object = self.json(table.parameters_json)?;
            let settings: Vec<(String, String)> = object
                .value
                .as_object()?
                .iter()
                .filter(|(name, value)| {
                    !NOT_PARAMETERS.contains(&name.as_str()) && !value.is_null()
                })
                .take(100)
                .map(|(name, value)| (name.clone(), value.to_string()))
                .collect();
            (!settings.is_empty()).then(|| self.stated(settings, &object.key))
        })
    }

    /// The conversation that was sent, system instructions first where they stand apart.
    fn conversation(&self, table: &Table) -> Option<Stated<Vec<Message>>> {
        let input = self.messages(table.input, "user");
        let system = self.messages(table.system, "system");
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
        let content = |keys: Keys| self.map.content().then(|| self.text_value(keys)).flatten();
        let tool = ToolFact {
            name: self.text_value(table.tool_name),
            call_id: self.text_value(table.tool_call_id),
            arguments: content(table.tool_arguments),
            result: content(table.tool_result),
        };
        Some(self.stated(tool, &stated.key))
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
        Some(self.stated(prompt, &stated.key))
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
        Value::StringValue(text) => match text.trim_matches('"').to_lowercase().as_str() {
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
        .filter_map(|reason| finish_reason(reason.trim_matches('"')))
        .collect();
    (!reasons.is_empty()).then_some(reasons)
}

/// A list of texts: an array, JSON text of one, or a single text.
pub(in crate::convention) fn texts(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<String> = match structured(value) {
        Some(Json::Array(items)) => items.iter().map(compact).collect(),
        Some(_) => return None,
        None => vec![display(value)],
    };
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then_some(texts)
}

/// An id: a text or a number, or the first of a list of them, as HTTP headers are stated.
pub(in crate::convention) fn id(value: &Value) -> Option<String> {
    let is_said = |text: &String| !text.trim().is_empty();
    match value {
        Value::ArrayValue(list) => {
            let items = list.values.iter().filter_map(|item| item.value.as_ref());
            items.map(display).find(is_said)
        }
        value => Some(display(value)).filter(is_said),
    }
}

fn json_text(value: &Value) -> String {
    match value {
        // The commonest, without the way through JSON.
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(flag) => flag.to_string(),
        value => to_json(&AnyValue {
            value: Some(value.clone()),
        })
        .to_string(),
    }
}
