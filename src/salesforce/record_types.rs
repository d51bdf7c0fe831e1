//! What each record type of an object offers of its picklists.
//!
//! Source: User Interface API, `object-info/{object}/picklist-values/{recordTypeId}`. The describe alone
//! lists the values of the whole object. What this identity may not see narrows nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Connection, SalesforceError, classify::Class, connection::Call, soql_text::segment};
use crate::domain::{FieldName, FieldSchema, FieldType, RecordId, RecordTypeSchema};

/// The field that tells a record's type, on objects that have several.
pub(super) const FIELD: &str = "RecordTypeId";

/// A record type as a describe tells it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordTypeInfo {
    /// Id.
    pub record_type_id: String,
    /// Name, for people.
    pub name: String,
    /// The one that every object has and that narrows nothing.
    #[serde(default)]
    pub master: bool,
    /// Whether new records may take it.
    #[serde(default)]
    pub active: bool,
}

/// The record types that narrow one of these fields.
pub(super) async fn read(
    connection: &Connection,
    (object, infos): (&str, &[RecordTypeInfo]),
    fields: &BTreeMap<FieldName, FieldSchema>,
) -> Result<BTreeMap<RecordId, RecordTypeSchema>, SalesforceError> {
    let listed = |facts: &FieldSchema| {
        matches!(facts.field_type, FieldType::Picklist { .. } | FieldType::MultiPicklist { .. })
    };
    let lists: Vec<&FieldName> =
        fields.iter().filter(|(_, facts)| listed(facts)).map(|(field, _)| field).collect();
    let mut types = BTreeMap::new();
    for info in infos.iter().filter(|info| !info.master && !lists.is_empty()) {
        let Some(id) = RecordId::complete(&info.record_type_id).ok().and_then(|id| RecordId::parse(&id).ok())
        else {
            continue;
        };
        let path = connection.data(&format!("ui-api/object-info/{}/picklist-values/{id}", segment(object)));
        let reply = match connection.read(&Call::get(&path)).await {
            // Not seen by this identity: it narrows nothing here, and the org has the last word.
            Err(error) if matches!(error.class(), Class::Drop | Class::Gone) => continue,
            other => other?,
        };
        let values = lists.iter().filter_map(|field| Some(((*field).clone(), offered(&reply, field)?)));
        types.insert(id, RecordTypeSchema { name: info.name.clone(), values: values.collect() });
    }
    Ok(types)
}

/// The values of a field, as the reply lists them; `None` where it says nothing of the field.
fn offered(reply: &Value, field: &FieldName) -> Option<Vec<String>> {
    let values = reply.get("picklistFieldValues")?.get(field.as_str())?.get("values")?.as_array()?;
    Some(values.iter().filter_map(|value| value.get("value")?.as_str()).map(str::to_owned).collect())
}
