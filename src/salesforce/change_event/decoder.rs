//! Payload to header and values, under one schema.

use crate::salesforce::{
    avro::{Node, NodeId, Reader, Schema, Value},
    names,
};

use super::{
    bitmap,
    error::ChangeEventError,
    header::{Header, HeaderLayout},
};

/// How a field's value is to be understood, from the `doc` that Salesforce gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// As its Avro type says.
    Plain,
    /// Epoch milliseconds.
    DateTime,
    /// Epoch milliseconds at midnight UTC.
    Date,
    /// Milliseconds of the day.
    Time,
}

impl FieldKind {
    /// From `<Kind>:<Type>[:<custom field id>]`.
    fn of_doc(doc: Option<&str>) -> Self {
        match doc.and_then(|doc| doc.split(':').nth(1)) {
            Some("DateTime") => Self::DateTime,
            Some("DateOnly" | "Birthday") => Self::Date,
            Some("TimeOnly") => Self::Time,
            _ => Self::Plain,
        }
    }
}

/// A field of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventField {
    /// API name.
    pub name: String,
    /// How its value is to be understood.
    pub kind: FieldKind,
    /// Of a compound field (`Name`, `Address`), in order; else empty.
    pub components: Vec<EventField>,
}

/// Fields to read; the others are only checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    wanted: Vec<bool>,
}

/// Header and values of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEvent<'a> {
    /// The header.
    pub header: Header<'a>,
    /// Position and value of every field that is not null.
    pub values: Vec<(usize, Value<'a>)>,
}

/// Reads events that were written with one schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDecoder {
    schema: Schema,
    header: HeaderLayout,
    fields: Vec<EventField>,
    nodes: Vec<NodeId>,
    /// A field that must be a text and is none.
    retyped: Option<String>,
}

/// The part that all schemas of change events begin with, in its newest known form. It is enough
/// to read who an event is about when its own schema cannot be had.
const HEADER_ONLY: &str = concat!(
    r#"{"type":"record","name":"Header","fields":[{"name":"ChangeEventHeader","type":{"type":"record","#,
    r#""name":"ChangeEventHeader","fields":[{"name":"entityName","type":"string"},"#,
    r#"{"name":"recordIds","type":{"type":"array","items":"string"}},{"name":"changeType","type":"#,
    r#"{"type":"enum","name":"ChangeType","symbols":["CREATE","UPDATE","DELETE","UNDELETE","GAP_CREATE","#,
    r#""GAP_UPDATE","GAP_DELETE","GAP_UNDELETE","GAP_OVERFLOW","SNAPSHOT"]}},"#,
    r#"{"name":"changeOrigin","type":"string"},{"name":"transactionKey","type":"string"},"#,
    r#"{"name":"sequenceNumber","type":"int"},{"name":"commitTimestamp","type":"long"},"#,
    r#"{"name":"commitNumber","type":"long"},{"name":"commitUser","type":"string"},"#,
    r#"{"name":"nulledFields","type":{"type":"array","items":"string"}},"#,
    r#"{"name":"diffFields","type":{"type":"array","items":"string"}},"#,
    r#"{"name":"changedFields","type":{"type":"array","items":"string"}}]}}]}"#,
);

/// The object that a payload is about, without its schema.
pub fn entity_of(payload: &[u8]) -> Option<String> {
    let decoder = EventDecoder::parse(HEADER_ONLY).ok()?;
    let header = decoder.header(payload).ok()?;
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    plain(header.entity).then(|| header.entity.to_owned())
}

impl EventDecoder {
    /// Checks that the schema is a change event's.
    pub fn new(schema: Schema) -> Result<Self, ChangeEventError> {
        let foreign = |what: &str| ChangeEventError::NotAChangeEvent(what.to_owned());
        let record = schema.record().ok_or_else(|| foreign("it is no record"))?;
        let first = record.fields.first().filter(|field| field.name == "ChangeEventHeader");
        let first = first.ok_or_else(|| foreign("its first field is not ChangeEventHeader"))?;
        let Node::Record(header) = schema.node(first.node) else {
            return Err(foreign("ChangeEventHeader is no record"));
        };
        let header = HeaderLayout::of(&schema, header)?;
        let fields = record.fields.iter().map(|field| event_field(&schema, field.node, field)).collect();
        let nodes = record.fields.iter().map(|field| field.node).collect();
        let wrong = |field: &&crate::salesforce::avro::FieldNode| {
            names::TEXTS_OF_EVENTS.contains(&field.name.as_str()) && !holds_text(&schema, field.node)
        };
        let retyped = record.fields.iter().find(wrong).map(|field| field.name.clone());
        Ok(Self { header, fields, nodes, retyped, schema })
    }

    /// From Avro JSON.
    pub fn parse(schema: &str) -> Result<Self, ChangeEventError> {
        Self::new(Schema::parse(schema)?)
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// All fields by position; position 0 is the header.
    pub fn fields(&self) -> &[EventField] {
        &self.fields
    }

    /// A selection of fields by name; names that the schema lacks select nothing.
    pub fn select(&self, names: &[&str]) -> Selection {
        let wanted = self.fields.iter().map(|field| names.contains(&field.name.as_str())).collect();
        Selection { wanted }
    }

    /// A field that decisions rest on and that is no text in this schema.
    pub fn retyped(&self) -> Option<&str> {
        self.retyped.as_deref()
    }

    /// Reads the header and looks no further.
    pub fn header<'a>(&'a self, payload: &'a [u8]) -> Result<Header<'a>, ChangeEventError> {
        Ok(self.header.read(&self.schema, &mut Reader::new(payload))?)
    }

    /// Reads everything.
    pub fn decode<'a>(&'a self, payload: &'a [u8]) -> Result<ChangeEvent<'a>, ChangeEventError> {
        self.read(payload, |_| true)
    }

    /// Reads the header and the selected fields; the rest is stepped over, and checked.
    pub fn decode_selected<'a>(
        &'a self,
        payload: &'a [u8],
        selection: &Selection,
    ) -> Result<ChangeEvent<'a>, ChangeEventError> {
        self.read(payload, |position| selection.wanted.get(position).copied().unwrap_or(false))
    }

    fn read<'a>(
        &'a self,
        payload: &'a [u8],
        wanted: impl Fn(usize) -> bool,
    ) -> Result<ChangeEvent<'a>, ChangeEventError> {
        let mut reader = Reader::new(payload);
        let header = self.header.read(&self.schema, &mut reader)?;
        let mut values = Vec::new();
        for (position, node) in self.nodes.iter().enumerate().skip(1) {
            if !wanted(position) {
                reader.skip(&self.schema, *node)?;
                continue;
            }
            let value = reader.value(&self.schema, *node)?;
            if !value.is_null() {
                values.push((position, value));
            }
        }
        reader.finish()?;
        Ok(ChangeEvent { header, values })
    }

    /// Names of the changed fields.
    pub fn changed_fields(&self, header: &Header<'_>) -> Result<Vec<String>, ChangeEventError> {
        bitmap::names(&self.fields, "changedFields", &header.changed_fields)
    }

    /// Names of the emptied fields.
    pub fn nulled_fields(&self, header: &Header<'_>) -> Result<Vec<String>, ChangeEventError> {
        bitmap::names(&self.fields, "nulledFields", &header.nulled_fields)
    }

    /// Names of the fields that carry a text diff instead of a value.
    pub fn diff_fields(&self, header: &Header<'_>) -> Result<Vec<String>, ChangeEventError> {
        bitmap::names(&self.fields, "diffFields", &header.diff_fields)
    }
}

fn holds_text(schema: &Schema, node: NodeId) -> bool {
    match schema.node(node) {
        Node::String | Node::Enum(_) => true,
        Node::Union(branches) => {
            branches.iter().any(|branch| matches!(schema.node(*branch), Node::String | Node::Enum(_)))
        }
        _ => false,
    }
}

fn event_field(schema: &Schema, node: NodeId, field: &crate::salesforce::avro::FieldNode) -> EventField {
    let record = match schema.node(node) {
        Node::Record(record) => Some(record),
        Node::Union(branches) => branches.iter().find_map(|branch| match schema.node(*branch) {
            Node::Record(record) => Some(record),
            _ => None,
        }),
        _ => None,
    };
    // Components are never compound themselves, so one level is enough.
    let component = |part: &crate::salesforce::avro::FieldNode| EventField {
        name: part.name.clone(),
        kind: FieldKind::of_doc(part.doc.as_deref()),
        components: Vec::new(),
    };
    EventField {
        name: field.name.clone(),
        kind: FieldKind::of_doc(field.doc.as_deref()),
        components: record.map(|record| record.fields.iter().map(component).collect()).unwrap_or_default(),
    }
}
