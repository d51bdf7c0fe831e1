//! `/ui-api/object-info/<Object>/picklist-values/<RecordTypeId>`: what a record type offers.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Reply, not_found},
    context::Context,
};
use crate::{
    domain::FieldValue,
    simulator::model::{FieldKind, ObjectDef, Row},
};

/// The record type that every object has.
pub(super) const MASTER: &str = "012000000000000AAA";

pub(super) fn handle(context: &Context, _call: &Call, rest: &[String]) -> Result<Reply, Reply> {
    let [info, object, values, record_type] = rest else { return Err(not_found()) };
    if (info.as_str(), values.as_str()) != ("object-info", "picklist-values") {
        return Err(not_found());
    }
    let object = context.object(object)?;
    let own = rows(context, &object).into_iter().find(|row| text(row, "Id") == Some(record_type));
    if own.is_none() && record_type != MASTER {
        return Err(not_found());
    }
    let name = own.as_ref().and_then(|row| text(row, "DeveloperName").map(str::to_owned));
    let mut fields = Map::new();
    for field in &object.fields {
        let all = match &field.kind {
            FieldKind::Picklist(values, _) | FieldKind::MultiPicklist(values) => values,
            _ => continue,
        };
        let offered = name.as_deref().and_then(|name| offered(context, &object, (name, &field.name)));
        let values: Vec<Value> = all
            .iter()
            .filter(|value| value.active)
            .filter(|value| offered.as_ref().is_none_or(|offered| offered.contains(&value.value)))
            .map(|value| json!({ "attributes": null, "label": value.label, "validFor": [], "value": value.value }))
            .collect();
        let entry = json!({ "controllerValues": {}, "defaultValue": null, "url": null, "values": values });
        fields.insert(field.name.clone(), entry);
    }
    Ok(Reply::ok(json!({ "eTag": null, "picklistFieldValues": fields })))
}

/// The record types of an object.
pub(super) fn rows(context: &Context, object: &ObjectDef) -> Vec<std::sync::Arc<Row>> {
    let all = context.org.rows("RecordType", false);
    all.into_iter().filter(|row| text(row, "SobjectType") == Some(&object.name)).collect()
}

pub(super) fn text<'a>(row: &'a Row, field: &str) -> Option<&'a str> {
    row.get(field).and_then(FieldValue::as_text)
}

/// What a record type lists for a field; `None` where it lists nothing.
fn offered(context: &Context, object: &ObjectDef, (name, field): (&str, &str)) -> Option<Vec<String>> {
    let deployed = context.org.deployed();
    let types = &deployed.package.objects.get(&object.name)?.record_types;
    types.iter().find(|own| own.name == name)?.values.get(field).cloned()
}
