//! One key map for each span: every attribute is looked at once, whoever asks for it afterwards.

use std::cell::RefCell;
use std::cmp::Ordering;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::model::{SpanView, as_str};

/// Attributes by key, of duplicate keys the last.
///
/// Sorted by length first: a key is found by comparing lengths and a text or two, which costs less than to hash it.
#[derive(Debug)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a Value)>);

impl<'a> Attributes<'a> {
    /// Those that have a value.
    pub(super) fn of(mut all: Vec<(&'a str, &'a Value)>) -> Self {
        all.sort_by(|one, other| order(one.0, other.0));
        all.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = later.1;
            }
            is_same
        });
        Self(all)
    }

    /// The value of this key.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let place = self.0.binary_search_by(|known| order(known.0, key)).ok()?;
        Some(self.0[place].1)
    }
}

fn order(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// A span's attributes by key, of duplicate keys the last, and what was noticed while they were read.
#[derive(Debug)]
pub struct KeyMap<'a> {
    view: SpanView<'a>,
    values: Attributes<'a>,
    content: bool,
    truncated: RefCell<Vec<String>>,
    impossible: RefCell<Vec<String>>,
}

/// The key and the value of an attribute that has one.
pub(super) fn entry(attribute: &KeyValue) -> Option<(&str, &Value)> {
    Some((
        attribute.key.as_str(),
        attribute.value.as_ref()?.value.as_ref()?,
    ))
}

impl<'a> KeyMap<'a> {
    /// The keys of this span. Without `content`, conversations, documents, tools and values are left unread.
    pub(in crate::convention) fn new(view: &SpanView<'a>, content: bool) -> Self {
        Self {
            view: *view,
            values: Attributes::of(view.span.attributes.iter().filter_map(entry).collect()),
            content,
            truncated: RefCell::default(),
            impossible: RefCell::default(),
        }
    }

    /// The span with everything that belongs to it.
    pub(in crate::convention) const fn view(&self) -> &SpanView<'a> {
        &self.view
    }

    /// Whether content is asked for.
    pub(in crate::convention) const fn content(&self) -> bool {
        self.content
    }

    /// The attribute of this key.
    pub(in crate::convention) fn get(&self, key: &str) -> Option<&'a Value> {
        self.values.get(key)
    }

    /// Whether the span has this key.
    pub(in crate::convention) fn has(&self, key: &str) -> bool {
        self.values.get(key).is_some()
    }

    /// The version of the program, as its resource states it.
    pub(in crate::convention) fn service_version(&self) -> Option<String> {
        let mut stated = self.view.resource.attributes.iter().filter_map(entry);
        let (_, value) = stated.rfind(|(key, _)| *key == "service.version")?;
        as_str(value).map(ToOwned::to_owned)
    }

    /// Notes that the JSON of this key breaks off.
    pub(super) fn cut(&self, key: &str) {
        let mut truncated = self.truncated.borrow_mut();
        if !truncated.iter().any(|known| known == key) {
            truncated.push(key.to_owned());
        }
    }

    /// Notes that the time that this key or event states cannot be.
    pub(super) fn refuse(&self, key: &str) {
        let mut impossible = self.impossible.borrow_mut();
        if !impossible.iter().any(|known| known == key) {
            impossible.push(key.to_owned());
        }
    }

    /// The keys and events whose times cannot be, sorted.
    pub(in crate::convention) fn impossible(&self) -> Vec<String> {
        let mut keys = self.impossible.borrow().clone();
        keys.sort();
        keys
    }

    /// The keys whose JSON breaks off, sorted.
    pub(in crate::convention) fn truncated(self) -> Vec<String> {
        let mut keys = self.truncated.into_inner();
        keys.sort();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_whatever_their_order_and_the_last_of_equal_ones_counts() {
        let values: Vec<Value> = (0..5).map(Value::IntValue).collect();
        let keys = ["b", "longer", "a", "b", ""];
        let attributes = Attributes::of(keys.into_iter().zip(&values).collect());
        let found = |key| attributes.get(key).map(|value| value == &values[3]);
        assert_eq!(found("b"), Some(true));
        for (key, place) in [("a", 2), ("longer", 1), ("", 4)] {
            assert_eq!(attributes.get(key), Some(&values[place]), "{key:?}");
        }
        for key in ["c", "aa", "longes", "longer "] {
            assert_eq!(attributes.get(key), None, "{key:?}");
        }
    }
}
