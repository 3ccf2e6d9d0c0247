//! Conversations and lists written as flattened keys (`llm.input_messages.0.message.role`), put together again.
//!
//! Indexes may be sparse, unordered and enormous, and a key may be both a value and a parent: nothing is allocated by
//! index, and one span fills at most 10,000 slots (reliability.md B18).

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::Value as Json;

use crate::model::to_json;

/// Slots that flattened keys of one span may fill.
const MAX_SLOTS: usize = 10_000;
/// Segments that one key may have after its prefix.
const MAX_SEGMENTS: usize = 16;

/// How many slots of a span are left; what does not fit stays a raw attribute.
#[derive(Debug)]
pub(in crate::convention) struct Slots(usize);

impl Slots {
    /// The slots of a span none of whose flattened keys has been read.
    pub(in crate::convention) const fn new() -> Self {
        Self(MAX_SLOTS)
    }
}

/// Values under a prefix, as the tree that their keys spell.
#[derive(Debug, Default)]
pub(in crate::convention) struct Flat<'a> {
    value: Option<&'a Value>,
    below: BTreeMap<&'a str, Flat<'a>>,
}

impl<'a> Flat<'a> {
    /// Reads the attributes whose keys start with `prefix` and a dot; `None` where there are none.
    pub(in crate::convention) fn read(
        attributes: &'a [KeyValue],
        prefix: &str,
        slots: &mut Slots,
    ) -> Option<Self> {
        let mut root = Self::default();
        for attribute in attributes {
            let Some(path) = attribute
                .key
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('.'))
            else {
                continue;
            };
            let Some(value) = attribute.value.as_ref().and_then(|any| any.value.as_ref()) else {
                continue;
            };
            if slots.0 == 0 || path.split('.').count() > MAX_SEGMENTS {
                continue;
            }
            slots.0 -= 1;
            let node = path.split('.').fold(&mut root, |node, segment| {
                node.below.entry(segment).or_default()
            });
            node.value = Some(value);
        }
        (!root.below.is_empty()).then_some(root)
    }

    /// The entries with numeric names in order of their numbers (10 after 9).
    pub(in crate::convention) fn items(&self) -> Vec<&Self> {
        let mut items: Vec<(u64, &Self)> = self
            .below
            .iter()
            .filter_map(|(name, node)| Some((name.parse().ok()?, node)))
            .collect();
        items.sort_by_key(|(index, _)| *index);
        items.into_iter().map(|(_, node)| node).collect()
    }

    /// The node at a dotted path.
    pub(in crate::convention) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.')
            .try_fold(self, |node, segment| node.below.get(segment))
    }

    /// The value at a dotted path.
    pub(in crate::convention) fn value(&self, path: &str) -> Option<&'a Value> {
        self.at(path)?.value
    }

    /// The non-empty text at a dotted path; a value that is not text as JSON.
    pub(in crate::convention) fn text(&self, path: &str) -> Option<String> {
        let text = crate::model::display(self.value(path)?);
        (!text.is_empty()).then_some(text)
    }

    /// The tree as JSON: numeric names become an array, a name that is both a value and a parent counts as a parent.
    pub(in crate::convention) fn json(&self) -> Json {
        if self.below.is_empty() {
            return self.value.map_or(Json::Null, |value| {
                to_json(&AnyValue {
                    value: Some(value.clone()),
                })
            });
        }
        let items = self.items();
        if items.len() == self.below.len() {
            return Json::Array(items.into_iter().map(Self::json).collect());
        }
        let entries = self.below.iter();
        Json::Object(
            entries
                .map(|(name, node)| ((*name).to_owned(), node.json()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(key: &str, text: &str) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue {
                value: Some(Value::StringValue(text.to_owned())),
            }),
            ..KeyValue::default()
        }
    }

    #[test]
    fn ten_comes_after_nine_and_holes_cost_nothing() {
        let attributes = [
            attribute("m.10.a", "ten"),
            attribute("m.9.a", "nine"),
            attribute("m.4294967295.a", "far"),
        ];
        let flat = Flat::read(&attributes, "m", &mut Slots::new()).expect("there are keys");
        let texts: Vec<_> = flat
            .items()
            .iter()
            .filter_map(|item| item.text("a"))
            .collect();
        assert_eq!(texts, ["nine", "ten", "far"]);
    }

    #[test]
    fn a_key_that_is_both_value_and_parent_keeps_both() {
        let attributes = [attribute("m.0", "raw"), attribute("m.0.a", "inner")];
        let flat = Flat::read(&attributes, "m", &mut Slots::new()).expect("there are keys");
        assert_eq!(flat.text("0").as_deref(), Some("raw"));
        assert_eq!(flat.json(), serde_json::json!([{"a": "inner"}]));
    }

    #[test]
    fn a_span_fills_at_most_ten_thousand_slots() {
        let attributes: Vec<_> = (0..30_000_u64)
            .map(|n| attribute(&format!("m.{}.a", n * 7_919), "x"))
            .collect();
        let flat = Flat::read(&attributes, "m", &mut Slots::new()).expect("there are keys");
        assert_eq!(flat.items().len(), MAX_SLOTS);
    }

    #[test]
    fn endless_keys_are_left_alone() {
        let attributes = [attribute(&format!("m{}", ".a".repeat(100_000)), "x")];
        assert!(Flat::read(&attributes, "m", &mut Slots::new()).is_none());
    }
}
