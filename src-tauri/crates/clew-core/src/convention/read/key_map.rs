//! One key map for each span: every attribute is looked at once, whoever asks for it afterwards.

use std::cell::RefCell;
use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use crate::model::SpanView;

/// A span's attributes by key, of duplicate keys the last, and what was noticed while they were read.
#[derive(Debug)]
pub struct KeyMap<'a> {
    view: SpanView<'a>,
    values: HashMap<&'a str, &'a Value>,
    content: bool,
    truncated: RefCell<Vec<String>>,
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
            values: view.span.attributes.iter().filter_map(entry).collect(),
            content,
            truncated: RefCell::default(),
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
        self.values.get(key).copied()
    }

    /// Whether the span has this key.
    pub(in crate::convention) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Notes that the JSON of this key breaks off.
    pub(super) fn cut(&self, key: &str) {
        let mut truncated = self.truncated.borrow_mut();
        if !truncated.iter().any(|known| known == key) {
            truncated.push(key.to_owned());
        }
    }

    /// The keys whose JSON breaks off, sorted.
    pub(in crate::convention) fn truncated(self) -> Vec<String> {
        let mut keys = self.truncated.into_inner();
        keys.sort();
        keys
    }
}
