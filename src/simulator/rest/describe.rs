//! Describe global, the basic information of an object, and its full describe.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Reply},
    context::Context,
    dates, describe_field, render, rows, ui_api,
};
use crate::simulator::model::{FieldKind, ObjectDef};

/// `GET /sobjects`
pub(super) fn global(context: &Context, call: &Call) -> Result<Reply, Reply> {
    conditional(context, call, || {
        let objects = context.org.objects();
        let seen = objects.iter().filter(|object| context.user.can_read_object(&object.name));
        let list: Vec<Value> = seen.map(|object| summary(context, call, object)).collect();
        json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": list })
    })
}

/// `GET /sobjects/<Object>`
pub(super) fn basic(context: &Context, call: &Call, object: &str) -> Result<Reply, Reply> {
    let object = context.object(object)?;
    let recent = context.org.rows(&object.name, false);
    let recent = recent.iter().rev().take(5).map(|row| {
        let name = rows::fields(context, &object, ["Name"].into_iter()).unwrap_or_default();
        render::row(context, call, &object, row, Some(&name))
    });
    Ok(Reply::ok(json!({
        "objectDescribe": summary(context, call, &object),
        "recentItems": recent.collect::<Vec<_>>(),
    })))
}

/// `GET /sobjects/<Object>/describe`
pub(super) fn full(context: &Context, call: &Call, object: &str) -> Result<Reply, Reply> {
    let object = context.object(object)?;
    conditional(context, call, || {
        let mut json = summary(context, call, &object);
        let readable = |field: &&_| describe_field::readable(context, &object, field);
        let fields = object.fields.iter().filter(readable);
        let fields: Vec<Value> = fields.map(|field| describe_field::field(context, &object, field)).collect();
        let more = json!({
            "actionOverrides": [],
            "childRelationships": children(context, &object),
            "compactLayoutable": object.dml,
            "defaultImplementation": null,
            "extendedBy": null,
            "extendsInterfaces": null,
            "fields": fields,
            "implementedBy": null,
            "implementsInterfaces": null,
            "listviewable": null,
            "lookupLayoutable": null,
            "namedLayoutInfos": [],
            "networkScopeFieldName": null,
            "recordTypeInfos": record_types(context, call, &object),
            "searchLayoutable": object.dml,
            "sobjectDescribeOption": "FULL",
            "supportedScopes": [{ "label": format!("All {}", plural(&object.label)), "name": "everything" }],
        });
        if let (Some(json), Value::Object(more)) = (json.as_object_mut(), more) {
            json.extend(more);
        }
        json
    })
}

/// Answers 304 when the schema is not newer than `If-Modified-Since`.
fn conditional(context: &Context, call: &Call, body: impl FnOnce() -> Value) -> Result<Reply, Reply> {
    let since = dates::conditional(call.header("if-modified-since"))
        .map_err(|message| Reply::error(400, "INVALID_HEADER", message))?;
    let unchanged = since.is_some_and(|since| dates::unmodified_since(context.deployed, since));
    let reply = if unchanged { Reply::empty(304) } else { Reply::ok(body()) };
    Ok(reply.header("Last-Modified", dates::http_date(context.deployed)))
}

fn summary(context: &Context, call: &Call, object: &ObjectDef) -> Value {
    let (user, name) = (&context.user, &object.name);
    let (creates, edits) = (object.dml && user.can_create(name), object.dml && user.can_edit_object(name));
    let deletes = object.dml && user.can_delete(name);
    let custom = name.ends_with("__c") || name.ends_with("__mdt");
    let url = format!("{}/sobjects/{name}", call.base());
    json!({
        "activateable": false,
        "associateEntityType": null,
        "associateParentEntity": null,
        "createable": creates,
        "custom": custom,
        "customSetting": false,
        "deepCloneable": false,
        "deletable": deletes,
        "deprecatedAndHidden": false,
        "feedEnabled": object.dml,
        "hasSubtypes": false,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": object.key_prefix,
        "label": object.label,
        "labelPlural": plural(&object.label),
        "layoutable": object.dml,
        "mergeable": object.dml,
        "mruEnabled": object.dml,
        "name": name,
        "queryable": true,
        "replicateable": true,
        "retrieveable": true,
        "searchable": object.dml,
        "triggerable": object.dml,
        "undeletable": object.dml,
        "updateable": edits,
        "urls": {
            "describe": format!("{url}/describe"),
            "rowTemplate": format!("{url}/{{ID}}"),
            "sobject": url,
        },
    })
}

/// Objects whose lookups point here, under the names that queries know them by.
fn children(context: &Context, parent: &ObjectDef) -> Vec<Value> {
    let mut found = Vec::new();
    for child in context.org.objects() {
        for field in &child.fields {
            let FieldKind::Reference(targets, _) = &field.kind else { continue };
            if !targets.contains(&parent.name) {
                continue;
            }
            let history = child.name.ends_with("History") && field.name == format!("{}Id", parent.name);
            found.push(json!({
                "cascadeDelete": history,
                "childSObject": child.name,
                "deprecatedAndHidden": false,
                "field": field.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": history.then(|| history_name(&child.name)),
                "restrictedDelete": false,
            }));
        }
    }
    found
}

fn history_name(child: &str) -> &'static str {
    if child == "OpportunityHistory" { "OpportunityHistories" } else { "Histories" }
}

/// The record types of the org, and the master that every object has.
fn record_types(context: &Context, call: &Call, object: &ObjectDef) -> Vec<Value> {
    let one = |row: &std::sync::Arc<crate::simulator::model::Row>| {
        let mut info = master_record_type(call, object);
        info["master"] = json!(false);
        info["defaultRecordTypeMapping"] = json!(false);
        info["name"] = json!(ui_api::text(row, "Name"));
        info["developerName"] = json!(ui_api::text(row, "DeveloperName"));
        info["recordTypeId"] = json!(ui_api::text(row, "Id"));
        info
    };
    let mut infos: Vec<Value> = ui_api::rows(context, object).iter().map(one).collect();
    infos.push(master_record_type(call, object));
    infos
}

fn master_record_type(call: &Call, object: &ObjectDef) -> Value {
    let id = ui_api::MASTER;
    let layout = format!("{}/sobjects/{}/describe/layouts/{id}", call.base(), object.name);
    let mut urls = Map::new();
    urls.insert("layout".to_owned(), Value::String(layout));
    json!({
        "active": true,
        "available": true,
        "defaultRecordTypeMapping": true,
        "developerName": "Master",
        "master": true,
        "name": "Master",
        "recordTypeId": id,
        "urls": urls,
    })
}

fn plural(label: &str) -> String {
    match label.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if label.ends_with('s') => format!("{label}es"),
        None => format!("{label}s"),
    }
}
