//! Values, attributes, resources and scopes.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::{Fault, Reader, cut_key, depth_marker, fields};
use crate::otlp::budget::Kind;
use crate::otlp::wire::Field;

impl Reader {
    /// Reads one attribute, `level` containers deep, and appends it.
    pub(super) fn attribute(
        &mut self,
        field: &Field<'_>,
        into: &mut Vec<KeyValue>,
        level: usize,
    ) -> Result<(), Fault> {
        let bytes = field.bytes("attributes")?;
        self.count(Kind::Attributes)?;
        let mut read = KeyValue::default();
        self.key_value(bytes, &mut read, level)?;
        into.push(read);
        Ok(())
    }

    fn key_value(&mut self, bytes: &[u8], into: &mut KeyValue, level: usize) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => {
                into.key = self.text(&field, "key")?;
                self.notes.key |= cut_key(&mut into.key);
            },
            2 => self.value(field.bytes("value")?, into.value.get_or_insert_default(), level)?,
            3 => into.key_strindex = field.int32("key_strindex")?,
        })
    }

    /// Reads one value that stands `level` containers deep.
    ///
    /// Recursion ends at [`super::super::Limits::depth`] containers.
    pub(super) fn value(
        &mut self,
        bytes: &[u8],
        into: &mut AnyValue,
        level: usize,
    ) -> Result<(), Fault> {
        let value = &mut into.value;
        fields!(self, bytes, field {
            1 => *value = Some(Value::StringValue(self.text(&field, "string_value")?)),
            2 => *value = Some(Value::BoolValue(field.varint("bool_value")? != 0)),
            3 => *value = Some(Value::IntValue(field.varint("int_value")?.cast_signed())),
            4 => *value = Some(Value::DoubleValue(field.double("double_value")?)),
            5 => {
                let bytes = field.bytes("array_value")?;
                if level >= self.budget.depth() {
                    *value = Some(self.too_deep());
                } else {
                    let mut array = match value.take() {
                        Some(Value::ArrayValue(array)) => array,
                        _ => ArrayValue::default(),
                    };
                    self.array(bytes, &mut array, level + 1)?;
                    *value = Some(Value::ArrayValue(array));
                }
            },
            6 => {
                let bytes = field.bytes("kvlist_value")?;
                if level >= self.budget.depth() {
                    *value = Some(self.too_deep());
                } else {
                    let mut list = match value.take() {
                        Some(Value::KvlistValue(list)) => list,
                        _ => KeyValueList::default(),
                    };
                    self.list(bytes, &mut list, level + 1)?;
                    *value = Some(Value::KvlistValue(list));
                }
            },
            7 => *value = Some(Value::BytesValue(field.bytes("bytes_value")?.to_vec())),
            8 => *value = Some(Value::StringValueStrindex(field.int32("string_value_strindex")?)),
        })
    }

    fn too_deep(&mut self) -> Value {
        self.notes.depth = true;
        Value::StringValue(depth_marker(self.budget.depth()))
    }

    fn array(&mut self, bytes: &[u8], into: &mut ArrayValue, level: usize) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => {
                let bytes = field.bytes("values")?;
                self.count(Kind::Values)?;
                let mut read = AnyValue::default();
                self.value(bytes, &mut read, level)?;
                into.values.push(read);
            },
        })
    }

    fn list(&mut self, bytes: &[u8], into: &mut KeyValueList, level: usize) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => self.attribute(&field, &mut into.values, level)?,
        })
    }

    /// Reads a resource.
    pub(in crate::otlp) fn resource(
        &mut self,
        bytes: &[u8],
        into: &mut Resource,
    ) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => self.attribute(&field, &mut into.attributes, 0)?,
            2 => into.dropped_attributes_count = field.uint32("dropped_attributes_count")?,
            3 => {
                let bytes = field.bytes("entity_refs")?;
                self.count(Kind::Attributes)?;
                let mut read = EntityRef::default();
                self.entity(bytes, &mut read)?;
                into.entity_refs.push(read);
            },
        })
    }

    fn entity(&mut self, bytes: &[u8], into: &mut EntityRef) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.schema_url = self.text(&field, "schema_url")?,
            2 => into.r#type = self.text(&field, "type")?,
            3 => {
                self.count(Kind::Attributes)?;
                into.id_keys.push(self.text(&field, "id_keys")?);
            },
            4 => {
                self.count(Kind::Attributes)?;
                into.description_keys.push(self.text(&field, "description_keys")?);
            },
        })
    }

    /// Reads an instrumentation scope.
    pub(in crate::otlp) fn scope(
        &mut self,
        bytes: &[u8],
        into: &mut InstrumentationScope,
    ) -> Result<(), Fault> {
        fields!(self, bytes, field {
            1 => into.name = self.text(&field, "name")?,
            2 => into.version = self.text(&field, "version")?,
            3 => self.attribute(&field, &mut into.attributes, 0)?,
            4 => into.dropped_attributes_count = field.uint32("dropped_attributes_count")?,
        })
    }
}
