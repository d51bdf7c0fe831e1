//! One field of a describe: the 57 attributes that a real org gives.

use serde_json::{Map, Value, json};

use super::context::Context;
use crate::simulator::model::{FieldDef, FieldKind, ObjectDef, PicklistValue, Restricted};

/// Every attribute with the value that most fields have. Names from a recorded describe.
const PLAIN: &str = r#"{"aggregatable":true,"aiPredictionField":false,"autoNumber":false,"byteLength":0,
"calculated":false,"calculatedFormula":null,"cascadeDelete":false,"caseSensitive":false,"compoundFieldName":null,
"controllerName":null,"createable":false,"custom":false,"defaultValue":null,"defaultValueFormula":null,
"defaultedOnCreate":false,"dependentPicklist":false,"deprecatedAndHidden":false,"digits":0,
"displayLocationInDecimal":false,"encrypted":false,"externalId":false,"extraTypeInfo":null,"filterable":true,
"filteredLookupInfo":null,"formulaTreatNullNumberAsZero":false,"groupable":true,"highScaleNumber":false,
"htmlFormatted":false,"idLookup":false,"inlineHelpText":null,"label":null,"length":0,"mask":null,"maskType":null,
"name":null,"nameField":false,"namePointing":false,"nillable":false,"permissionable":false,"picklistValues":[],
"polymorphicForeignKey":false,"precision":0,"queryByDistance":false,"referenceTargetField":null,"referenceTo":[],
"relationshipName":null,"relationshipOrder":null,"restrictedDelete":false,"restrictedPicklist":false,"scale":0,
"searchPrefilterable":false,"soapType":null,"sortable":true,"type":null,"unique":false,"updateable":false,
"writeRequiresMasterRead":false}"#;

/// Fields that every save stamps.
const STAMPED: [&str; 6] =
    ["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp", "OwnerId"];

/// Whether the user's describe shows the field.
pub(super) fn readable(context: &Context, object: &ObjectDef, field: &FieldDef) -> bool {
    context.user.can_read_field(&object.name, &field.name)
}

/// The field as this user sees it: `createable` and `updateable` follow field-level security.
pub(super) fn field(context: &Context, object: &ObjectDef, field: &FieldDef) -> Value {
    let mut json: Map<String, Value> = serde_json::from_str(PLAIN).unwrap_or_default();
    let edits = context.user.can_edit_field(&object.name, &field.name);
    let mut put = |name: &str, value: Value| {
        json.insert(name.to_owned(), value);
    };
    put("name", json!(field.name));
    put("label", json!(field.label));
    put("custom", json!(field.custom_id.is_some()));
    put("nillable", json!(field.nillable));
    put("createable", json!(field.createable && edits));
    put("updateable", json!(field.updateable && edits));
    put("permissionable", json!(field.has_fls));
    put("externalId", json!(field.external_id));
    put("unique", json!(field.unique));
    put("idLookup", json!(field.external_id || field.kind == FieldKind::Id || field.name == "Email"));
    put("nameField", json!(field.name == "Name"));
    put("defaultedOnCreate", json!(STAMPED.contains(&field.name.as_str())));
    for (name, value) in by_kind(&field.kind) {
        put(name, value);
    }
    Value::Object(json)
}

type Attributes = Vec<(&'static str, Value)>;

fn by_kind(kind: &FieldKind) -> Attributes {
    match kind {
        FieldKind::Id => {
            let mut id = text("id", "tns:ID", 18, 1);
            id.push(("defaultedOnCreate", json!(true)));
            id
        }
        FieldKind::Text(length) => text("string", "xsd:string", *length, 3),
        FieldKind::LongText(length) => long_text(*length),
        FieldKind::Formatted("address", _) => [
            vec![
                ("type", json!("address")),
                ("soapType", json!("urn:address")),
                ("queryByDistance", json!(true)),
            ],
            cannot(&["aggregatable", "groupable", "sortable"]),
        ]
        .concat(),
        FieldKind::Formatted(name, length) => text(name, "xsd:string", *length, 3),
        FieldKind::Picklist(values, restricted) => {
            let mut list = picklist("picklist", 255, values);
            list.push(("restrictedPicklist", json!(*restricted == Restricted::Yes)));
            list
        }
        FieldKind::MultiPicklist(values) => {
            [picklist("multipicklist", 4_099, values), cannot(&["aggregatable", "groupable", "sortable"])]
                .concat()
        }
        FieldKind::Number(name, precision, scale) => number(name, *precision, *scale),
        FieldKind::Date => vec![("type", json!("date")), ("soapType", json!("xsd:date"))],
        FieldKind::DateTime => {
            vec![
                ("type", json!("datetime")),
                ("soapType", json!("xsd:dateTime")),
                ("groupable", json!(false)),
            ]
        }
        FieldKind::Checkbox(default) => vec![
            ("type", json!("boolean")),
            ("soapType", json!("xsd:boolean")),
            ("aggregatable", json!(false)),
            ("defaultedOnCreate", json!(true)),
            ("defaultValue", json!(default)),
        ],
        FieldKind::Reference(targets, relationship) => {
            let mut reference = text("reference", "tns:ID", 18, 1);
            reference.push(("referenceTo", json!(targets)));
            reference.push(("relationshipName", json!(relationship)));
            reference.push(("polymorphicForeignKey", json!(targets.len() > 1)));
            reference.push(("namePointing", json!(targets.len() > 1)));
            reference
        }
    }
}

/// `bytes`: per character; ids are ASCII, texts take up to three.
fn text(name: &str, soap: &str, length: u32, bytes: u32) -> Attributes {
    vec![
        ("type", json!(name)),
        ("soapType", json!(soap)),
        ("length", json!(length)),
        ("byteLength", json!(length * bytes)),
    ]
}

fn long_text(length: u32) -> Attributes {
    let mut area = text("textarea", "xsd:string", length, 3);
    area.push(("extraTypeInfo", json!("plaintextarea")));
    if length > 255 {
        area.extend(cannot(&["aggregatable", "filterable", "groupable", "sortable"]));
    }
    area
}

fn number(name: &str, precision: u32, scale: u32) -> Attributes {
    if name == "int" {
        return vec![("type", json!("int")), ("soapType", json!("xsd:int")), ("digits", json!(precision))];
    }
    vec![
        ("type", json!(name)),
        ("soapType", json!("xsd:double")),
        ("precision", json!(precision)),
        ("scale", json!(scale)),
        ("groupable", json!(false)),
    ]
}

fn picklist(name: &str, length: u32, values: &[PicklistValue]) -> Attributes {
    let entry = |value: &PicklistValue| {
        json!({
            "active": value.active,
            "defaultValue": value.default,
            "label": value.label,
            "validFor": null,
            "value": value.value,
        })
    };
    let default = values.iter().find(|value| value.default).map(|value| &value.value);
    let mut list = text(name, "xsd:string", length, 3);
    list.push(("picklistValues", values.iter().map(entry).collect()));
    list.push(("defaultedOnCreate", json!(default.is_some())));
    list.push(("defaultValue", json!(default)));
    list
}

fn cannot(names: &[&'static str]) -> Attributes {
    names.iter().map(|name| (*name, json!(false))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_attributes_are_there_and_kinds_use_no_others() {
        let plain: Map<String, Value> = serde_json::from_str(PLAIN).unwrap();
        assert_eq!(plain.len(), 57);
        let kinds = [
            FieldKind::Id,
            FieldKind::Text(80),
            FieldKind::LongText(32_000),
            FieldKind::Formatted("address", 0),
            FieldKind::Picklist(vec![], Restricted::Yes),
            FieldKind::MultiPicklist(vec![]),
            FieldKind::Number("currency", 18, 2),
            FieldKind::Number("int", 8, 0),
            FieldKind::DateTime,
            FieldKind::Checkbox(true),
            FieldKind::Reference(vec!["User".into()], None),
        ];
        for (name, _) in kinds.iter().flat_map(by_kind) {
            assert!(plain.contains_key(name), "{name} is no attribute of a describe");
        }
    }
}
