//! Values, attributes, resources and scopes.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::{Decoder, Stop, object};
use crate::otlp::budget::Kind as Counted;
use crate::otlp::read::{cut_key, depth_marker};

impl Decoder<'_> {
    /// A list of attributes whose values stand `level` containers deep.
    pub(super) fn attributes(&mut self, level: usize) -> Result<Vec<KeyValue>, Stop> {
        let mut read = Vec::new();
        self.list("attributes", |decoder| {
            decoder.count(Counted::Attributes)?;
            read.push(decoder.key_value(level)?);
            Ok(())
        })?;
        Ok(read)
    }

    fn key_value(&mut self, level: usize) -> Result<KeyValue, Stop> {
        let mut read = KeyValue::default();
        object!(self, "attribute" {
            "key" => {
                read.key = self.text("key")?;
                self.reader.notes.key |= cut_key(&mut read.key);
            },
            "value" => read.value = self.value(level)?,
            "keyStrindex" => read.key_strindex = self.i32("keyStrindex")?,
        });
        Ok(read)
    }

    /// One value that stands `level` containers deep; `None` for `null`.
    ///
    /// Recursion ends at [`crate::otlp::Limits::depth`] containers.
    pub(super) fn value(&mut self, level: usize) -> Result<Option<AnyValue>, Stop> {
        if !self.present()? {
            return Ok(None);
        }
        let mut value = None;
        object!(self, "value" {
            "stringValue" => if self.present()? {
                value = Some(Value::StringValue(self.text("stringValue")?));
            },
            "boolValue" => value = self.flag("boolValue")?.map(Value::BoolValue).or(value),
            "intValue" => value = self.int_value()?.or(value),
            "doubleValue" => value = self.f64("doubleValue")?.map(Value::DoubleValue).or(value),
            "arrayValue" => if self.present()? {
                value = Some(self.array(level)?);
            },
            "kvlistValue" => if self.present()? {
                value = Some(self.key_value_list(level)?);
            },
            "bytesValue" => value = self.bytes("bytesValue")?.map(Value::BytesValue).or(value),
            "stringValueStrindex" => if self.present()? {
                value = Some(Value::StringValueStrindex(self.i32("stringValueStrindex")?));
            },
        });
        Ok(Some(AnyValue { value }))
    }

    /// An integer, kept exact: a fraction stays a double, digits beyond 64 bits stay text.
    fn int_value(&mut self) -> Result<Option<Value>, Stop> {
        let Some(literal) = self.literal("intValue")? else {
            return Ok(None);
        };
        let literal = literal.trim();
        if let Ok(number) = literal.parse() {
            return Ok(Some(Value::IntValue(number)));
        }
        let digits = literal.trim_start_matches('-');
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Some(Value::StringValue(literal.to_owned())));
        }
        Ok(match literal.parse::<f64>() {
            // 2^63: the doubles below it that have no fraction are integers of 64 bits.
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            Ok(number) if number.fract() == 0.0 && number.abs() < 9_223_372_036_854_775_808.0 => {
                Some(Value::IntValue(number as i64))
            }
            Ok(number) if number.is_finite() => Some(Value::DoubleValue(number)),
            _ => {
                self.fail("`intValue` is not a number");
                None
            }
        })
    }

    fn array(&mut self, level: usize) -> Result<Value, Stop> {
        if level >= self.reader.budget.depth() {
            return self.too_deep();
        }
        let mut read = ArrayValue::default();
        object!(self, "arrayValue" {
            "values" => self.elements("values", |decoder| {
                decoder.count(Counted::Values)?;
                let value = decoder.value(level + 1)?;
                read.values.push(value.unwrap_or_default());
                Ok(())
            })?,
        });
        Ok(Value::ArrayValue(read))
    }

    fn key_value_list(&mut self, level: usize) -> Result<Value, Stop> {
        if level >= self.reader.budget.depth() {
            return self.too_deep();
        }
        let mut read = KeyValueList::default();
        object!(self, "kvlistValue" {
            "values" => read.values = self.attributes(level + 1)?,
        });
        Ok(Value::KvlistValue(read))
    }

    fn too_deep(&mut self) -> Result<Value, Stop> {
        self.reader.notes.depth = true;
        self.tokens.skip()?;
        Ok(Value::StringValue(depth_marker(self.reader.budget.depth())))
    }

    pub(super) fn resource(&mut self) -> Result<Resource, Stop> {
        let mut read = Resource::default();
        object!(self, "resource" {
            "attributes" => read.attributes = self.attributes(0)?,
            "droppedAttributesCount" => {
                read.dropped_attributes_count = self.u32("droppedAttributesCount")?;
            },
            "entityRefs" => self.list("entityRefs", |decoder| {
                decoder.count(Counted::Attributes)?;
                read.entity_refs.push(decoder.entity()?);
                Ok(())
            })?,
        });
        Ok(read)
    }

    fn entity(&mut self) -> Result<EntityRef, Stop> {
        let mut read = EntityRef::default();
        object!(self, "entityRef" {
            "schemaUrl" => read.schema_url = self.text("schemaUrl")?,
            "type" => read.r#type = self.text("type")?,
            "idKeys" => read.id_keys = self.texts("idKeys")?,
            "descriptionKeys" => read.description_keys = self.texts("descriptionKeys")?,
        });
        Ok(read)
    }

    fn texts(&mut self, name: &'static str) -> Result<Vec<String>, Stop> {
        let mut read = Vec::new();
        self.list(name, |decoder| {
            decoder.count(Counted::Attributes)?;
            read.push(decoder.text(name)?);
            Ok(())
        })?;
        Ok(read)
    }

    pub(super) fn scope(&mut self) -> Result<InstrumentationScope, Stop> {
        let mut read = InstrumentationScope::default();
        object!(self, "scope" {
            "name" => read.name = self.text("name")?,
            "version" => read.version = self.text("version")?,
            "attributes" => read.attributes = self.attributes(0)?,
            "droppedAttributesCount" => {
                read.dropped_attributes_count = self.u32("droppedAttributesCount")?;
            },
        });
        Ok(read)
    }
}
