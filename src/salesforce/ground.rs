//! What lanes rest on, as one identity sees it: from the description of the object, and from Setup.
//!
//! Source: Object Reference (`FlowDefinitionView`), Tooling API (`ValidationRule`, `ApexTrigger`). Setup
//! takes View Setup and Configuration, which the promoter need not have; a type that an identity may not
//! ask for is refused as unknown. That the last-modified time of a rule moves with each deploy that
//! changes it, and only then, is unconfirmed: one that moves without a change is told as a change.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Reader, SalesforceError,
    describe::{DescribedField, ObjectDescription},
    names::ObjectContract,
    rules::GateRule,
    soql_text::literal,
};
use crate::domain::{
    Ground, ObjectSchema,
    drift::{Automation, AutomationKind},
};

/// The ground as far as a description tells it.
pub(super) fn of(
    contract: &ObjectContract,
    description: &ObjectDescription,
    schema: &ObjectSchema,
) -> Ground {
    let demanded = |field: &&DescribedField| {
        !field.nillable && !field.defaulted_on_create && !field.calculated && field.createable
    };
    let is_lane = |name: &str| contract.lanes.iter().any(|lane| lane.field == name);
    let others = description.fields.values().filter(demanded).map(|field| field.name.clone());
    Ground {
        object: schema.object.clone(),
        updateable: description.updateable,
        fields: schema.fields.clone(),
        record_types: schema.record_types.clone(),
        required: others.filter(|name| !is_lane(name)).collect(),
        automations: None,
    }
}

/// Rules, flows and triggers of an object.
pub(super) async fn automations(
    reader: &Reader,
    object: &str,
) -> Result<Option<BTreeMap<String, Automation>>, SalesforceError> {
    let name = literal(object);
    let rules = format!(
        "SELECT ValidationName, Active, LastModifiedDate FROM ValidationRule \
         WHERE EntityDefinition.QualifiedApiName = {name}"
    );
    let flows = format!(
        "SELECT ApiName, ActiveVersionId FROM FlowDefinitionView \
         WHERE TriggerObjectOrEvent.QualifiedApiName = {name}"
    );
    let triggers = format!(
        "SELECT Name, Status, LastModifiedDate FROM ApexTrigger \
         WHERE EntityDefinition.QualifiedApiName = {name}"
    );
    let rules = shown(reader.tooling(&rules).await)?;
    let flows = shown(reader.query(&flows).await)?;
    let triggers = shown(reader.tooling(&triggers).await)?;
    let (Some(rules), Some(flows), Some(triggers)) = (rules, flows, triggers) else { return Ok(None) };
    let is_on = |row: &Value| row.get("Active") == Some(&Value::Bool(true));
    let mut all = BTreeMap::new();
    let mut add = |kind, name: &str, active, version: &str| {
        let (ours, name, version) = (is_ours(kind, name), name.to_owned(), version.to_owned());
        let one = Automation { kind, name, active, ours, version };
        all.insert(one.key(), one);
    };
    for row in &rules {
        let (name, version) = (text(row, "ValidationName"), text(row, "LastModifiedDate"));
        add(AutomationKind::Rule, name, is_on(row), version);
    }
    for row in &flows {
        let version = text(row, "ActiveVersionId");
        add(AutomationKind::Flow, text(row, "ApiName"), !version.is_empty(), version);
    }
    for row in &triggers {
        let (name, version) = (text(row, "Name"), text(row, "LastModifiedDate"));
        add(AutomationKind::Trigger, name, text(row, "Status") == "Active", version);
    }
    Ok(Some(all))
}

/// Rules go by their code, flows by the package's prefix. Somebody else's part under such a name is
/// watched more closely for it, not less.
fn is_ours(kind: AutomationKind, name: &str) -> bool {
    match kind {
        AutomationKind::Rule => GateRule::of_message(name).is_some(),
        AutomationKind::Flow => name.starts_with("AI_"),
        AutomationKind::Trigger => false,
    }
}

/// The rows; `None` when this identity may not ask for them.
fn shown(rows: Result<Vec<Value>, SalesforceError>) -> Result<Option<Vec<Value>>, SalesforceError> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(error)
            if matches!(
                error.salesforce_code(),
                Some("INVALID_TYPE" | "INVALID_FIELD" | "INSUFFICIENT_ACCESS")
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}
