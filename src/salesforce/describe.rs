//! What the org says about an object, cut down to the governed fields.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Connection, SalesforceError,
    classify::Class,
    connection::Call,
    names::{ObjectContract, setting},
    record_types::{self, RecordTypeInfo},
    soql_text::{literal, segment},
};
use crate::domain::{FieldName, FieldSchema, FieldType, ObjectName, ObjectSchema};

/// The attributes of a described field that are used here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedField {
    /// API name.
    pub name: String,
    /// REST type, for example `picklist`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Most characters.
    #[serde(default)]
    pub length: u32,
    /// All digits of a decimal.
    #[serde(default)]
    pub precision: u32,
    /// Digits after the point.
    #[serde(default)]
    pub scale: u32,
    /// All digits of an integer.
    #[serde(default)]
    pub digits: u32,
    /// May be empty.
    #[serde(default)]
    pub nillable: bool,
    /// This identity may change it.
    #[serde(default)]
    pub updateable: bool,
    /// It takes field-level security; else whoever may edit the object may edit it.
    #[serde(default)]
    pub permissionable: bool,
    /// This identity may fill it in a new record.
    #[serde(default)]
    pub createable: bool,
    /// The org fills it in a new record where nobody does.
    #[serde(default)]
    pub defaulted_on_create: bool,
    /// No two records hold the same value.
    #[serde(default)]
    pub unique: bool,
    /// It is an external id.
    #[serde(default)]
    pub external_id: bool,
    /// A formula or roll-up.
    #[serde(default)]
    pub calculated: bool,
    /// The org refuses other values.
    #[serde(default)]
    pub restricted_picklist: bool,
    /// Picklist values.
    #[serde(default)]
    pub picklist_values: Vec<DescribedValue>,
}

/// One picklist value.
#[derive(Debug, Clone, Deserialize)]
pub struct DescribedValue {
    /// API value.
    pub value: String,
    /// Offered for new values.
    #[serde(default)]
    pub active: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    updateable: bool,
    #[serde(default)]
    deletable: bool,
    fields: Vec<DescribedField>,
    #[serde(default)]
    record_type_infos: Vec<RecordTypeInfo>,
}

/// An object as one identity sees it, uncut.
#[derive(Debug, Clone)]
pub struct ObjectDescription {
    /// This identity may create records.
    pub createable: bool,
    /// This identity may change records.
    pub updateable: bool,
    /// This identity may delete records.
    pub deletable: bool,
    /// Fields that this identity can see, by name.
    pub fields: BTreeMap<String, DescribedField>,
    /// Its record types, the master included.
    pub record_types: Vec<RecordTypeInfo>,
}

impl ObjectDescription {
    /// Whether its records say of which type they are.
    pub fn has_record_types(&self) -> bool {
        self.fields.contains_key(record_types::FIELD) && self.record_types.iter().any(|info| !info.master)
    }
}

/// Describes an object.
pub(super) async fn describe(
    connection: &Connection,
    object: &str,
) -> Result<ObjectDescription, SalesforceError> {
    let path = connection.data(&format!("sobjects/{}/describe", segment(object)));
    let reply = connection.read(&Call::get(&path)).await?;
    let described: Described =
        serde_json::from_value(reply).map_err(|error| SalesforceError::Unreadable {
            status: 200,
            detail: format!("the description of {object} is not as documented: {error}"),
        })?;
    let Described { createable, updateable, deletable, fields, record_type_infos: record_types } = described;
    let fields = fields.into_iter().map(|field| (field.name.clone(), field)).collect();
    Ok(ObjectDescription { createable, updateable, deletable, fields, record_types })
}

/// The governed fields of an object with the org's switches.
pub(super) async fn schema(
    connection: &Connection,
    contract: &ObjectContract,
    description: &ObjectDescription,
) -> Result<ObjectSchema, SalesforceError> {
    let names: Vec<&'static str> = contract.lanes.iter().map(|lane| lane.auto_switch).collect();
    let switched_on = switches(connection, &names).await?;
    let mut schema = ObjectSchema {
        object: object_name(contract)?,
        fields: BTreeMap::new(),
        auto_allowed: Vec::new(),
        required: Vec::new(),
        record_types: BTreeMap::new(),
    };
    for lane in contract.lanes {
        let name = field_name(lane.field)?;
        let field = description.fields.get(lane.field);
        if let Some((field, field_type)) = field.and_then(|field| Some((field, field_type(field)?))) {
            let updateable = field.updateable && !field.calculated;
            schema
                .fields
                .insert(name.clone(), FieldSchema { field_type, updateable, nillable: field.nillable });
        }
        if switched_on.contains(&lane.auto_switch) {
            schema.auto_allowed.push(name);
        }
    }
    if description.has_record_types() {
        let infos = (contract.object, description.record_types.as_slice());
        schema.record_types = record_types::read(connection, infos, &schema.fields).await?;
    }
    Ok(schema)
}

/// Which of these switches are on. What cannot be read is off.
pub(super) async fn switches(
    connection: &Connection,
    names: &[&'static str],
) -> Result<Vec<&'static str>, SalesforceError> {
    let soql = format!(
        "SELECT {} FROM {} WHERE DeveloperName = {}",
        names.join(", "),
        setting::OBJECT,
        literal(setting::RECORD)
    );
    let path = connection.data("query");
    let query = Call { query: Some(("q", &soql)), ..Call::get(&path) };
    let reply = match connection.read(&query).await {
        Err(error) if matches!(error.class(), Class::Drop | Class::Gone) => return Ok(Vec::new()),
        other => other?,
    };
    let record = reply.pointer("/records/0");
    let is_on = |switch: &str| record.and_then(|record| record.get(switch)) == Some(&Value::Bool(true));
    Ok(names.iter().copied().filter(|switch| is_on(switch)).collect())
}

pub(super) fn field_type(field: &DescribedField) -> Option<FieldType> {
    let values = || field.picklist_values.iter().filter(|v| v.active).map(|v| v.value.clone()).collect();
    Some(match field.kind.as_str() {
        "string" | "email" | "phone" | "url" | "combobox" => FieldType::Text { length: field.length },
        "textarea" => FieldType::LongText { length: field.length },
        "picklist" => FieldType::Picklist { values: values(), restricted: field.restricted_picklist },
        "multipicklist" => FieldType::MultiPicklist { values: values() },
        "double" | "currency" | "percent" => {
            FieldType::Decimal { precision: field.precision, scale: field.scale }
        }
        "int" => FieldType::Decimal { precision: field.digits, scale: 0 },
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        "boolean" => FieldType::Bool,
        "reference" | "id" => FieldType::Reference,
        _ => return None,
    })
}

/// The contract's object name.
pub(super) fn object_name(contract: &ObjectContract) -> Result<ObjectName, SalesforceError> {
    ObjectName::parse(contract.object).map_err(|error| not_a_name(&error))
}

/// A field name of the contract.
pub(super) fn field_name(text: &str) -> Result<FieldName, SalesforceError> {
    FieldName::parse(text).map_err(|error| not_a_name(&error))
}

pub(super) fn not_a_name(error: &crate::domain::IdError) -> SalesforceError {
    SalesforceError::Setup { what: error.to_string(), fix: "correct salesforce::names" }
}
