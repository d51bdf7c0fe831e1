//! Records that countersign makes: their contract, what the org says about their object, and finding
//! those that were made.
//!
//! A made record carries its proposal's id in a unique external id. It is inserted, never upserted: a
//! late copy of an upsert would overwrite what people changed since, a late copy of an insert is
//! refused as a duplicate.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Reader, SalesforceError,
    describe::{self, DescribedField},
    names::MadeContract,
    soql_text::literal,
};
use crate::domain::{
    FieldName, FieldSchema, FieldValue, ObjectName, ObjectSchema, RecordId, value::parse_moment,
};

/// Most marks in one query: an id has at most 64 characters, and Salesforce takes URLs of 16,384 bytes.
const MOST_MARKS: usize = 100;

/// A made record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeRow {
    /// The proposal's id, as it stands on the record.
    pub mark: String,
    /// Record id.
    pub record: RecordId,
    /// In the recycle bin.
    pub deleted: bool,
    /// Values of the fields that were asked for; one that does not fit its type is left out.
    pub fields: BTreeMap<FieldName, FieldValue>,
    /// `LastModifiedDate`.
    pub modified_at: Timestamp,
    /// `LastModifiedById`.
    pub modified_by: Option<RecordId>,
}

impl Reader {
    /// What the org says about an object whose records are made: `updateable` says whether this
    /// identity may fill the field, and the switch counts as off where the mark is not unique or not
    /// this identity's to write, because then nothing keeps a second copy out.
    pub async fn describe_made(
        &self,
        contract: &MadeContract,
        fields: &[FieldName],
    ) -> Result<ObjectSchema, SalesforceError> {
        let description = self.describe_all(contract.object).await?;
        let marked = description
            .fields
            .get(contract.mark)
            .is_some_and(|mark| mark.unique && mark.external_id && mark.createable);
        let switched = describe::switches(self.connection(), &[contract.auto_switch]).await?;
        let mut schema = ObjectSchema {
            object: object_name(contract)?,
            fields: BTreeMap::new(),
            auto_allowed: Vec::new(),
            required: Vec::new(),
            record_types: BTreeMap::new(),
        };
        for name in fields {
            let known = description.fields.get(name.as_str());
            if let Some((field, field_type)) = known.and_then(|it| Some((it, describe::field_type(it)?))) {
                let facts = FieldSchema {
                    field_type,
                    updateable: field.createable && !field.calculated,
                    nillable: field.nillable,
                };
                schema.fields.insert(name.clone(), facts);
            }
        }
        for field in description.fields.values().filter(|field| is_required(field)) {
            schema.required.push(describe::field_name(&field.name)?);
        }
        if marked && !switched.is_empty() && description.createable {
            schema.auto_allowed = schema.fields.keys().cloned().collect();
        }
        Ok(schema)
    }

    /// The records that carry these marks, deleted ones included; a mark may have none.
    pub async fn made(
        &self,
        contract: &MadeContract,
        marks: &[&str],
        schema: &ObjectSchema,
    ) -> Result<Vec<MadeRow>, SalesforceError> {
        let names: Vec<&str> = schema.fields.keys().map(FieldName::as_str).collect();
        let system = ["Id", "IsDeleted", "LastModifiedDate", "LastModifiedById", contract.mark];
        let columns = system.iter().chain(names.iter().filter(|name| !system.contains(name)));
        let columns = columns.copied().collect::<Vec<_>>().join(", ");
        let mut found = Vec::new();
        for chunk in marks.chunks(MOST_MARKS) {
            let wanted = chunk.iter().map(|mark| literal(mark)).collect::<Vec<_>>().join(", ");
            let soql =
                format!("SELECT {columns} FROM {} WHERE {} IN ({wanted})", contract.object, contract.mark);
            for row in self.query_all(&soql).await? {
                let row = read(contract, &row, schema)?;
                // Salesforce may compare without case; an id is another one then.
                if chunk.contains(&row.mark.as_str()) {
                    found.push(row);
                }
            }
        }
        Ok(found)
    }
}

/// Whether the org makes no record without it.
fn is_required(field: &DescribedField) -> bool {
    field.createable && !field.nillable && !field.defaulted_on_create && field.kind != "boolean"
}

fn object_name(contract: &MadeContract) -> Result<ObjectName, SalesforceError> {
    ObjectName::parse(contract.object).map_err(|error| describe::not_a_name(&error))
}

fn read(contract: &MadeContract, row: &Value, schema: &ObjectSchema) -> Result<MadeRow, SalesforceError> {
    let wrong = |field: &str| SalesforceError::Unreadable {
        status: 200,
        detail: format!("a row of {} has no usable `{field}`", contract.object),
    };
    let text = |field: &str| row.get(field).and_then(Value::as_str);
    let id = |field: &str| {
        let whole = RecordId::complete(text(field)?).ok()?;
        RecordId::parse(&whole).ok()
    };
    let value = |(name, facts): (&FieldName, &FieldSchema)| {
        let json = row.get(name.as_str())?;
        Some((name.clone(), FieldValue::from_json(json, &facts.field_type).ok()?))
    };
    Ok(MadeRow {
        mark: text(contract.mark).ok_or_else(|| wrong(contract.mark))?.to_owned(),
        record: id("Id").ok_or_else(|| wrong("Id"))?,
        deleted: row.get("IsDeleted") == Some(&Value::Bool(true)),
        fields: schema.fields.iter().filter_map(value).collect(),
        modified_at: text("LastModifiedDate")
            .and_then(parse_moment)
            .ok_or_else(|| wrong("LastModifiedDate"))?,
        modified_by: id("LastModifiedById"),
    })
}
