//! `/composite/sobjects`: up to 200 rows in one call, answered row by row in their order.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found, parser_error},
    context::Context,
    render, rows,
};
use crate::{
    domain::RecordId,
    simulator::{
        FaultAction, FaultPoint, FaultSite,
        write::{RowError, RowResult, WriteOp, WriteRow},
    },
};

/// Rows per call.
const MAX_ROWS: usize = 200;
/// Ids per retrieve call.
const MAX_IDS: usize = 2_000;
/// Runs of rows of one object per call.
const MAX_CHUNKS: usize = 10;
const ROLLED_BACK: &str =
    "Record rolled back because not all records were valid and the request was using AllOrNone header";

/// Everything below `/composite/sobjects`.
pub(super) fn handle(context: &Context, call: &Call, path: &[String]) -> Result<Reply, Reply> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match (parts.as_slice(), call.method.as_str()) {
        ([], "POST") => write_rows(context, call, &Kind::Create),
        ([], "PATCH") => write_rows(context, call, &Kind::Update),
        ([], "DELETE") => delete(context, call),
        ([], method) => Err(not_allowed(method, "DELETE,PATCH,POST")),
        ([object], "GET" | "POST") => retrieve(context, call, object),
        ([_], method) => Err(not_allowed(method, "GET,HEAD,POST")),
        ([object, field], "PATCH") => {
            let object = context.object(object)?;
            let field = rows::external_field(context, &object, field)?.name.clone();
            write_rows(context, call, &Kind::Upsert { object: object.name.clone(), field })
        }
        ([_, _], method) => Err(not_allowed(method, "PATCH")),
        _ => Err(not_found()),
    }
}

enum Kind {
    Create,
    Update,
    Upsert { object: String, field: String },
}

/// A row to write, or what is wrong with it before any row is looked at.
type Prepared = Result<WriteRow, RowError>;

fn write_rows(context: &Context, call: &Call, kind: &Kind) -> Result<Reply, Reply> {
    let body = call.object_body()?;
    let Some(records) = body.get("records").and_then(Value::as_array).filter(|rows| !rows.is_empty()) else {
        return Err(Reply::error(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required"));
    };
    check_size(records.len(), MAX_ROWS)?;
    let prepared =
        records.iter().map(|record| prepare(context, record, kind)).collect::<Result<Vec<_>, Reply>>()?;
    prepared.iter().flatten().try_for_each(|row| poison(context, row))?;
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    run(context, call, prepared, all_or_none, matches!(kind, Kind::Upsert { .. }))
}

/// An armed fault that refuses the request for this row's sake.
fn poison(context: &Context, row: &WriteRow) -> Result<(), Reply> {
    let site = FaultSite {
        object: &row.object,
        record_id: row.id.as_deref().unwrap_or_default(),
        username: &context.user.username,
        fields: Some(&row.fields),
        ..FaultSite::default()
    };
    match context.org.faults().take_matching(FaultPoint::Payload, &site).map(|fault| fault.action) {
        Some(FaultAction::Error { status, code, message }) => Err(Reply::error(status, &code, message)),
        _ => Ok(()),
    }
}

fn prepare(context: &Context, record: &Value, kind: &Kind) -> Result<Prepared, Reply> {
    let mut fields = match record {
        Value::Object(map) => map.clone(),
        _ => return Err(parser_error("Cannot deserialize a record: expected a JSON object")),
    };
    let stated = fields.remove("attributes");
    let stated = stated.as_ref().and_then(|attributes| attributes.get("type")).and_then(Value::as_str);
    let object = match (kind, stated) {
        (Kind::Upsert { object, .. }, None) => object.clone(),
        (_, Some(object)) => match context.object(object) {
            Ok(object) => object.name.clone(),
            Err(_) => return Ok(Err(RowError::new("INVALID_TYPE", unknown_type(object)))),
        },
        (_, None) => return Err(parser_error("Every record needs attributes with a type")),
    };
    let id_key = fields.keys().find(|key| key.eq_ignore_ascii_case("Id")).cloned();
    let id = id_key.and_then(|key| fields.remove(&key));
    let id = id.as_ref().and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(match kind {
        Kind::Create if id.is_some() => {
            Err(RowError::on("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id"))
        }
        Kind::Create => Ok(WriteRow { op: WriteOp::Create, object, id: None, fields }),
        Kind::Update => match id {
            None => Err(RowError::new("MISSING_ARGUMENT", "Id not specified in an update call")),
            Some(id) => {
                checked_id(&id).map(|id| WriteRow { op: WriteOp::Update, object, id: Some(id), fields })
            }
        },
        Kind::Upsert { field, .. } => upsert_row(object, field, id, fields),
    })
}

fn upsert_row(object: String, field: &str, id: Option<String>, mut fields: Map<String, Value>) -> Prepared {
    if field == "Id" {
        // Without an id an upsert by Id is a create.
        let Some(id) = id else { return Ok(WriteRow { op: WriteOp::Create, object, id: None, fields }) };
        return checked_id(&id).map(|id| WriteRow { op: WriteOp::Update, object, id: Some(id), fields });
    }
    let key = fields.keys().find(|key| key.eq_ignore_ascii_case(field)).cloned();
    let value = key.and_then(|key| fields.remove(&key));
    let value = match value {
        Some(Value::String(text)) if !text.is_empty() => text,
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(RowError::on("MISSING_ARGUMENT", format!("{field} not specified"), field)),
    };
    let op = WriteOp::Upsert { ext_field: field.to_owned(), ext_value: value };
    Ok(WriteRow { op, object, id: None, fields })
}

fn checked_id(id: &str) -> Result<String, RowError> {
    RecordId::complete(id).map_err(|_| RowError::on("MALFORMED_ID", format!("malformed id {id}"), "Id"))
}

fn delete(context: &Context, call: &Call) -> Result<Reply, Reply> {
    let list = call.query.get("ids").map(String::as_str).unwrap_or_default();
    let ids: Vec<&str> = list.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(Reply::error(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required"));
    }
    check_size(ids.len(), MAX_ROWS)?;
    let prepare = |id: &&str| -> Prepared {
        let id = checked_id(id)?;
        let object = context.org.object_of_id(&id).filter(|object| object.dml);
        let object = object
            .ok_or_else(|| RowError::new("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))?;
        Ok(WriteRow { op: WriteOp::Delete, object: object.name.clone(), id: Some(id), fields: Map::new() })
    };
    let prepared = ids.iter().map(prepare).collect();
    run(context, call, prepared, call.flag("allOrNone"), false)
}

fn check_size(rows: usize, most: usize) -> Result<(), Reply> {
    if rows <= most {
        return Ok(());
    }
    let message = format!("record limit reached. cannot submit more than {most} records into this call");
    Err(Reply::error(400, "EXCEEDED_ID_LIMIT", message))
}

/// Rows of different objects run as consecutive chunks of one object each.
fn check_chunks(prepared: &[Prepared]) -> Result<(), Reply> {
    let objects: Vec<&str> = prepared.iter().flatten().map(|row| row.object.as_str()).collect();
    let changes = objects.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if objects.is_empty() || changes < MAX_CHUNKS {
        return Ok(());
    }
    let message = format!("Cannot have more than {MAX_CHUNKS} chunks in a single operation");
    Err(Reply::error(400, "LIMIT_EXCEEDED", message))
}

fn run(
    context: &Context,
    call: &Call,
    prepared: Vec<Prepared>,
    all_or_none: bool,
    upsert: bool,
) -> Result<Reply, Reply> {
    check_chunks(&prepared)?;
    let mut options = context.write_options(call, true)?;
    options.all_or_none = all_or_none;
    let halted = all_or_none && prepared.iter().any(Result::is_err);
    let rows: Vec<WriteRow> = prepared.iter().flatten().filter(|_| !halted).cloned().collect();
    let mut written = context.write(&options, rows).into_iter();
    let results = prepared.into_iter().map(|row| match row {
        Err(error) => RowResult { errors: vec![error], ..RowResult::default() },
        Ok(_) if halted => RowResult {
            errors: vec![RowError::new("ALL_OR_NONE_OPERATION_ROLLED_BACK", ROLLED_BACK)],
            ..RowResult::default()
        },
        Ok(_) => written.next().unwrap_or_default(),
    });
    Ok(Reply::ok(results.map(|result| entry(&result, upsert)).collect()))
}

/// One entry of the reply. A failed row has no id: only its place tells which one it is.
fn entry(result: &RowResult, upsert: bool) -> Value {
    if !result.success() {
        let errors = result.errors.iter().map(
            |error| json!({ "statusCode": error.code, "message": error.message, "fields": error.fields }),
        );
        return json!({ "success": false, "errors": errors.collect::<Vec<_>>() });
    }
    let mut entry = json!({ "id": result.id, "success": true, "errors": [] });
    if let (true, Some(map)) = (upsert, entry.as_object_mut()) {
        map.insert("created".to_owned(), Value::Bool(result.created));
    }
    entry
}

/// Up to 2,000 rows by id. A row that is not there is `null`.
fn retrieve(context: &Context, call: &Call, object: &str) -> Result<Reply, Reply> {
    let object = context.object(object)?;
    let (ids, names) = match call.method.as_str() {
        "GET" => (listed(call, "ids"), listed(call, "fields")),
        _ => {
            let body = call.object_body()?;
            (texts(body, "ids")?, texts(body, "fields")?)
        }
    };
    if names.is_empty() {
        return Err(Reply::error(400, "REQUIRED_FIELD_MISSING", "At least 1 field is required"));
    }
    check_size(ids.len(), MAX_IDS)?;
    let fields = rows::fields(context, &object, names.iter().map(String::as_str))?;
    let shown = |id: &String| match context.org.row(&object.name, id) {
        Some(row) => render::row(context, call, &object, &row, Some(&fields)),
        None => Value::Null,
    };
    Ok(Reply::ok(ids.iter().map(shown).collect()))
}

fn listed(call: &Call, name: &str) -> Vec<String> {
    let list = call.query.get(name).map(String::as_str).unwrap_or_default();
    list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn texts(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, Reply> {
    let list = body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(|| parser_error(format!("{name}: expected a list of texts")))
}

fn unknown_type(name: &str) -> String {
    format!("sObject type '{name}' is not supported.")
}
