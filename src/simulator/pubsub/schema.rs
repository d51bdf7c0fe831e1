//! Avro schemas of change events, in Salesforce's shape and with true ids.

use crate::simulator::{
    model::{FieldDef, FieldKind, ObjectDef},
    schema::{EventField, event_fields},
};

/// How a value goes onto the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Text,
    Double,
    Int,
    Boolean,
    /// Epoch milliseconds.
    Millis,
}

impl Wire {
    fn avro(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Double => "double",
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::Millis => "long",
        }
    }
}

/// A value of the event: a field of its own or one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Field name over REST.
    pub field: String,
    /// Name in the event: the same, or `Compound.Component`.
    pub path: String,
    pub wire: Wire,
    /// Position of the top-level field.
    pub position: usize,
    /// Place within the compound.
    pub component: Option<usize>,
}

/// The schema text and the leaves in wire order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub json: String,
    pub leaves: Vec<Leaf>,
    /// Leaves of each top-level field after the header; true marks a compound.
    pub slots: Vec<(std::ops::Range<usize>, bool)>,
}

/// `Lead` to `LeadChangeEvent`, `Thing__c` to `Thing__ChangeEvent`.
pub(super) fn event_name(object: &str) -> String {
    match object.strip_suffix("__c") {
        Some(custom) => format!("{custom}__ChangeEvent"),
        None => format!("{object}ChangeEvent"),
    }
}

/// Builds the schema of an object's change events.
pub(super) fn shape(object: &ObjectDef) -> Shape {
    let mut shape = Shape { json: String::new(), leaves: Vec::new(), slots: Vec::new() };
    let mut defined: Vec<&str> = Vec::new();
    let mut fields = vec![header()];
    for (index, field) in event_fields(object).into_iter().enumerate() {
        let first = shape.leaves.len();
        let position = index + 1;
        let compound = match field {
            EventField::Plain(field) => {
                let wire = wire(&field.kind);
                fields.push(entry(&field.name, &quoted(wire.avro()), Some(&doc(field))));
                let (field, path) = (field.name.clone(), field.name.clone());
                shape.leaves.push(Leaf { field, path, wire, position, component: None });
                false
            }
            EventField::Compound { name, record, parts } => {
                let mut components = Vec::with_capacity(parts.len());
                for (component, (part, rest)) in parts.iter().enumerate() {
                    let wire = object.field(rest).map_or(Wire::Text, |field| wire(&field.kind));
                    components.push(entry(part, &quoted(wire.avro()), None));
                    let component = Some(component);
                    let (field, path) = ((*rest).to_owned(), format!("{name}.{part}"));
                    shape.leaves.push(Leaf { field, path, wire, position, component });
                }
                // A record is written out at its first use and named afterwards.
                let kind = if defined.contains(&record) {
                    quoted(record)
                } else {
                    defined.push(record);
                    let components = components.join(",");
                    format!(r#"{{"type":"record","name":"{record}","fields":[{components}]}}"#)
                };
                fields.push(entry(name, &kind, Some(&format!("Data:{record}"))));
                true
            }
        };
        shape.slots.push((first..shape.leaves.len(), compound));
    }
    let name = event_name(&object.name);
    let fields = fields.join(",");
    shape.json = format!(
        r#"{{"type":"record","name":"{name}","namespace":"com.sforce.eventbus","fields":[{fields}]}}"#
    );
    shape
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// A nullable field. Names and docs hold no characters that JSON escapes.
fn entry(name: &str, kind: &str, doc: Option<&str>) -> String {
    let doc = doc.map(|doc| format!(r#","doc":"{doc}""#)).unwrap_or_default();
    format!(r#"{{"name":"{name}","type":["null",{kind}]{doc},"default":null}}"#)
}

fn header() -> String {
    let text = |name: &str| format!(r#"{{"name":"{name}","type":"string"}}"#);
    let number = |name: &str, kind: &str| format!(r#"{{"name":"{name}","type":"{kind}"}}"#);
    let list = |name: &str| format!(r#"{{"name":"{name}","type":{{"type":"array","items":"string"}}}}"#);
    let change_type = concat!(
        r#"{"name":"changeType","type":{"type":"enum","name":"ChangeType","symbols":["#,
        r#""CREATE","UPDATE","DELETE","UNDELETE","GAP_CREATE","GAP_UPDATE","GAP_DELETE","GAP_UNDELETE","#,
        r#""GAP_OVERFLOW","SNAPSHOT"]}}"#,
    );
    let fields = [
        text("entityName"),
        list("recordIds"),
        change_type.to_owned(),
        text("changeOrigin"),
        text("transactionKey"),
        number("sequenceNumber", "int"),
        number("commitTimestamp", "long"),
        number("commitNumber", "long"),
        text("commitUser"),
        list("nulledFields"),
        list("diffFields"),
        list("changedFields"),
    ];
    format!(
        r#"{{"name":"ChangeEventHeader","type":{{"type":"record","name":"ChangeEventHeader","fields":[{}]}},"doc":"Data:ComplexValueType"}}"#,
        fields.join(",")
    )
}

fn wire(kind: &FieldKind) -> Wire {
    match kind {
        FieldKind::Number("int", ..) => Wire::Int,
        FieldKind::Number(..) => Wire::Double,
        FieldKind::Checkbox(_) => Wire::Boolean,
        FieldKind::Date | FieldKind::DateTime => Wire::Millis,
        _ => Wire::Text,
    }
}

fn doc(field: &FieldDef) -> String {
    let kind = match &field.kind {
        FieldKind::DateTime if field.name == "CreatedDate" => "CreatedDate:DateTime",
        FieldKind::Reference(..) | FieldKind::Id => "ForeignKey:EntityId",
        FieldKind::LongText(length) if *length > 255 => "Data:StringPlusClob",
        FieldKind::Formatted("email", _) => "Data:Email",
        FieldKind::Formatted("phone", _) => "Data:Phone",
        FieldKind::Formatted("url", _) => "Data:Url",
        FieldKind::Picklist(..) if matches!(field.name.as_str(), "ForecastCategory" | "CleanStatus") => {
            "Data:StaticEnum"
        }
        FieldKind::Picklist(..) => "Data:DynamicEnum",
        FieldKind::MultiPicklist(_) => "Data:MultiEnum",
        FieldKind::Number("currency", ..) => "Data:Currency",
        FieldKind::Number("percent", ..) => "Data:Percent",
        FieldKind::Number("int", ..) => "Data:Integer",
        FieldKind::Number(..) => "Data:Double",
        FieldKind::Date => "Data:DateOnly",
        FieldKind::DateTime => "Data:DateTime",
        FieldKind::Checkbox(_) => "Data:Boolean",
        FieldKind::Text(_) | FieldKind::LongText(_) | FieldKind::Formatted(..) => "Data:Text",
    };
    match field.custom_id.as_deref().and_then(|id| id.get(..15)) {
        Some(id) => format!("{kind}:{id}"),
        None => kind.to_owned(),
    }
}
