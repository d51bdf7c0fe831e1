//! `/sobjects/<Object>[/<id> | /<ExternalId>/<value>]`: one row per call.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    actions,
    call::{Call, Reply, not_allowed, not_found},
    context::Context,
    dates, describe, render,
};
use crate::{
    domain::{FieldValue, RecordId},
    salesforce::names::heartbeat,
    simulator::{
        model::{FieldDef, ObjectDef, Row},
        write::{RowResult, WriteOp, WriteRow},
    },
};

/// Everything below `/sobjects`.
pub(super) fn handle(context: &Context, call: &Call, path: &[String]) -> Result<Reply, Reply> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match (parts.as_slice(), call.method.as_str()) {
        ([], "GET") => describe::global(context, call),
        ([], method) => Err(not_allowed(method, "GET,HEAD")),
        ([object], "GET") => describe::basic(context, call, object),
        ([object], "POST") => create(context, call, object),
        ([_], method) => Err(not_allowed(method, "GET,HEAD,POST")),
        ([object, "describe"], "GET") => describe::full(context, call, object),
        ([_, "describe"], method) => Err(not_allowed(method, "GET,HEAD")),
        ([object, "Id" | "id"], "POST") => create(context, call, object),
        ([object, "quickActions"], "GET") => actions::quick_actions(context, call, object),
        ([object, "quickActions", name], "GET") => actions::quick_action(context, call, object, name),
        ([object, id], "GET") => read(context, call, object, id),
        ([object, id], "PATCH") => update(context, call, object, id),
        ([object, id], "DELETE") => delete(context, call, object, id),
        ([_, _], method) => Err(not_allowed(method, "DELETE,GET,HEAD,PATCH")),
        ([object, field, value], "GET") => {
            let (object, id) = by_external_id(context, call, object, field, value)?;
            read(context, call, &object.name, &id)
        }
        ([object, field, value], "PATCH") => upsert(context, call, object, field, value),
        ([object, field, value], "DELETE") => {
            let (object, id) = by_external_id(context, call, object, field, value)?;
            delete(context, call, &object.name, &id)
        }
        ([_, _, _], method) => Err(not_allowed(method, "DELETE,GET,HEAD,PATCH")),
        _ => Err(not_found()),
    }
}

fn read(context: &Context, call: &Call, object: &str, id: &str) -> Result<Reply, Reply> {
    let object = context.object(object)?;
    let Some(row) = context.org.row(&object.name, id) else {
        return Err(match context.org.deleted_row(&object.name, id) {
            Some(_) => gone(),
            None => not_found(),
        });
    };
    let bad_date = |message| Reply::error(400, "INVALID_HEADER", message);
    let since = dates::conditional(call.header("if-modified-since")).map_err(bad_date)?;
    let until = dates::conditional(call.header("if-unmodified-since")).map_err(bad_date)?;
    let modified = render::last_modified(&row);
    let stamped = |reply: Reply| match modified {
        Some(moment) => reply.header("Last-Modified", dates::http_date(moment)),
        None => reply,
    };
    if let (Some(modified), Some(since)) = (modified, since)
        && dates::unmodified_since(modified, since)
    {
        return Ok(stamped(Reply::empty(304)));
    }
    if let (Some(modified), Some(until)) = (modified, until)
        && !dates::unmodified_since(modified, until)
    {
        return Err(context.precondition_failed());
    }
    let only = match call.query.get("fields") {
        Some(list) => Some(fields(context, &object, list.split(','))?),
        None => None,
    };
    Ok(stamped(Reply::ok(render::row(context, call, &object, &row, only.as_deref()))))
}

/// The named fields, each of which the user must be able to see.
pub(super) fn fields<'a, 'n>(
    context: &Context,
    object: &'a ObjectDef,
    names: impl Iterator<Item = &'n str>,
) -> Result<Vec<&'a FieldDef>, Reply> {
    names.map(str::trim).filter(|name| !name.is_empty()).map(|name| context.field(object, name)).collect()
}

fn create(context: &Context, call: &Call, object: &str) -> Result<Reply, Reply> {
    let object = writable(context, object, "POST")?;
    let row = WriteRow { op: WriteOp::Create, object: object.name.clone(), id: None, fields: body(call)? };
    let result = write(context, call, row)?;
    let id = result.id.unwrap_or_default();
    let location = format!("{}/sobjects/{}/{id}", call.base(), object.name);
    let body = json!({ "id": id, "success": true, "errors": [] });
    Ok(Reply::with(201, body).header("Location", location))
}

fn update(context: &Context, call: &Call, object: &str, id: &str) -> Result<Reply, Reply> {
    let object = writable(context, object, "PATCH")?;
    let id = known_id(&object, id)?;
    let row =
        WriteRow { op: WriteOp::Update, object: object.name.clone(), id: Some(id), fields: body(call)? };
    write(context, call, row)?;
    Ok(Reply::empty(204))
}

fn delete(context: &Context, call: &Call, object: &str, id: &str) -> Result<Reply, Reply> {
    let object = writable(context, object, "DELETE")?;
    let id = known_id(&object, id)?;
    let row = WriteRow { op: WriteOp::Delete, object: object.name.clone(), id: Some(id), fields: Map::new() };
    // Conditional headers are not supported on DELETE.
    let mut plain = call.clone();
    plain.headers.remove("if-unmodified-since");
    write(context, &plain, row)?;
    Ok(Reply::empty(204))
}

fn upsert(context: &Context, call: &Call, object: &str, field: &str, value: &str) -> Result<Reply, Reply> {
    let object = writable(context, object, "PATCH")?;
    let field = external_field(context, &object, field)?;
    let found = find(context, &object, field, value);
    if found.len() > 1 {
        return Err(ambiguous(call, &object, &found));
    }
    let op = WriteOp::Upsert { ext_field: field.name.clone(), ext_value: value.to_owned() };
    let row = WriteRow { op, object: object.name.clone(), id: None, fields: body(call)? };
    let result = write(context, call, row)?;
    let id = result.id.clone().unwrap_or_default();
    let location = format!("{}/sobjects/{}/{id}", call.base(), object.name);
    let body = json!({ "id": id, "success": true, "errors": [], "created": result.created });
    let reply = Reply::with(if result.created { 201 } else { 200 }, body);
    Ok(if result.created { reply.header("Location", location) } else { reply })
}

fn write(context: &Context, call: &Call, row: WriteRow) -> Result<RowResult, Reply> {
    let options = context.write_options(call, false)?;
    let result = context.write(&options, vec![row]).pop().unwrap_or_default();
    if result.success() { Ok(result) } else { Err(context.row_failure(&result.errors)) }
}

/// The body without `attributes`. The id stands in the URL and must not be repeated.
fn body(call: &Call) -> Result<Map<String, Value>, Reply> {
    let mut fields = call.object_body()?.clone();
    fields.retain(|name, _| name != "attributes");
    if fields.keys().any(|name| name.eq_ignore_ascii_case("Id")) {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(Reply::error(400, "INVALID_FIELD", message));
    }
    Ok(fields)
}

fn writable(context: &Context, object: &str, method: &str) -> Result<Arc<ObjectDef>, Reply> {
    let object = context.object(object)?;
    // Whose record it is, and which fields, is asked where it is saved.
    let own_user = object.name == heartbeat::OBJECT && method == "PATCH";
    if object.dml || own_user { Ok(object) } else { Err(not_allowed(method, "GET,HEAD")) }
}

/// The id in 18 characters. One of another object is told apart from one that is no id at all.
fn known_id(object: &ObjectDef, id: &str) -> Result<String, Reply> {
    let whole = RecordId::complete(id).map_err(|_| not_found())?;
    if whole.starts_with(&object.key_prefix) {
        return Ok(whole);
    }
    let message = format!("{} ID: id value of incorrect type: {id}", object.label);
    Err(Reply::with(400, json!([{ "message": message, "errorCode": "MALFORMED_ID", "fields": ["Id"] }])))
}

fn gone() -> Reply {
    Reply::with(
        404,
        json!([{ "message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": [] }]),
    )
}

/// A field that rows can be found by: an external id, or `Id`.
pub(super) fn external_field<'a>(
    context: &Context,
    object: &'a ObjectDef,
    name: &str,
) -> Result<&'a FieldDef, Reply> {
    let usable = |field: &&FieldDef| {
        (field.external_id || field.name == "Id") && context.user.can_read_field(&object.name, &field.name)
    };
    object.field(name).filter(usable).ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {name}");
        Reply::error(404, "NOT_FOUND", message)
    })
}

fn find(context: &Context, object: &ObjectDef, field: &FieldDef, value: &str) -> Vec<Arc<Row>> {
    if field.name == "Id" {
        return context.org.row(&object.name, value).into_iter().collect();
    }
    let wanted = FieldValue::text(value);
    context.org.rows_where(&object.name, &field.name, &wanted).unwrap_or_default()
}

fn by_external_id(
    context: &Context,
    call: &Call,
    object: &str,
    field: &str,
    value: &str,
) -> Result<(Arc<ObjectDef>, String), Reply> {
    let object = context.object(object)?;
    let rows = find(context, &object, external_field(context, &object, field)?, value);
    match rows.as_slice() {
        [] => Err(not_found()),
        [row] => {
            let id = row.get("Id").and_then(FieldValue::as_text).unwrap_or_default().to_owned();
            Ok((object, id))
        }
        several => Err(ambiguous(call, &object, several)),
    }
}

/// 300: several rows have the value; the body lists their URLs.
fn ambiguous(call: &Call, object: &ObjectDef, rows: &[Arc<Row>]) -> Reply {
    let ids = rows.iter().filter_map(|row| row.get("Id").and_then(FieldValue::as_text));
    let urls = ids.map(|id| Value::String(format!("{}/sobjects/{}/{id}", call.base(), object.name)));
    Reply::with(300, urls.collect())
}
