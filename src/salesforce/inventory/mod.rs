//! What is set up in the org to set governed fields: active flows, and Apex triggers and classes; who may
//! edit them, and which connected apps have sessions.
//!
//! Source: Tooling API reference (`Flow`, `ApexTrigger`, `ApexClass`). The metadata of a flow is given for
//! one row of a query only, so each active flow costs a call. Flows and code of managed packages show no
//! content. Code is looked through as text, so what it says is a hint: it can name a field that it sets in
//! no record of the object, and set one through a name that it puts together.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{Reader, SalesforceError, soql_text::literal};
use crate::domain::{FieldName, ObjectName};

mod access;
mod apex;
mod apps;
mod flow;

pub use access::{Access, Editor, Giver, Grant, MOST_NAMES, Set};
pub use apps::{App, Apps};

/// Governed fields by object.
pub type Lanes = BTreeMap<ObjectName, BTreeSet<FieldName>>;

/// What kind of automation sets a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetterKind {
    /// A flow of any type, processes included.
    Flow,
    /// An Apex trigger.
    Trigger,
    /// An Apex class.
    Class,
}

/// Something that sets governed fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Setter {
    /// Object.
    pub object: ObjectName,
    /// Governed field.
    pub field: FieldName,
    /// What it is.
    pub kind: SetterKind,
    /// API name; data.
    pub name: String,
}

/// What was looked through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Inventory {
    /// What sets governed fields, by object and field.
    pub setters: BTreeSet<Setter>,
    /// Active flows that were read.
    pub flows: usize,
    /// Active triggers and classes that were read.
    pub code: usize,
    /// Flows and code whose content the org does not show, by name; data.
    pub hidden: BTreeSet<String>,
    /// Who may edit governed fields; `None` where the org does not show permissions.
    pub access: Option<Access>,
    /// Apps with authorised sessions; `None` where the org does not show them.
    pub apps: Option<Apps>,
}

impl Reader {
    /// Looks through the org. `progress` is told how many of how many flows were read. Takes an identity
    /// that sees Setup; else the org refuses the types as unknown. `named`: users are told by name.
    pub async fn inventory(
        &self,
        (lanes, named): (&Lanes, bool),
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Inventory, SalesforceError> {
        let mut found = Inventory {
            access: self.access(lanes, named).await?,
            apps: self.apps(named).await?,
            ..Inventory::default()
        };
        self.flows_that_set(lanes, &mut found, progress).await?;
        for (kind, object) in [(SetterKind::Trigger, "ApexTrigger"), (SetterKind::Class, "ApexClass")] {
            let soql = format!("SELECT Name, Body FROM {object} WHERE Status = 'Active'");
            let mut pages = self.tooling_pages(&soql);
            while let Some(rows) = pages.next().await? {
                for row in &rows {
                    found.code += 1;
                    match text(row, "Body") {
                        "" | "(hidden)" => drop(found.hidden.insert(text(row, "Name").to_owned())),
                        body => found.add(kind, text(row, "Name"), apex::sets(body, lanes)),
                    }
                }
            }
        }
        Ok(found)
    }

    async fn flows_that_set(
        &self,
        lanes: &Lanes,
        found: &mut Inventory,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), SalesforceError> {
        let soql = "SELECT Id, Definition.DeveloperName FROM Flow WHERE Status = 'Active'";
        let flows = self.tooling_pages(soql).all().await?;
        for (place, row) in flows.iter().enumerate() {
            progress(place, flows.len());
            let name = row.pointer("/Definition/DeveloperName").and_then(Value::as_str).unwrap_or_default();
            let soql = format!("SELECT Metadata FROM Flow WHERE Id = {}", literal(text(row, "Id")));
            let version = self.tooling(&soql).await?;
            found.flows += 1;
            match version.first().map(|row| &row["Metadata"]) {
                Some(metadata) if metadata.is_object() => {
                    found.add(SetterKind::Flow, name, flow::sets(metadata, lanes));
                }
                _ => drop(found.hidden.insert(name.to_owned())),
            }
        }
        Ok(())
    }
}

impl Inventory {
    fn add(&mut self, kind: SetterKind, name: &str, sets: BTreeSet<(ObjectName, FieldName)>) {
        let setter = |(object, field)| Setter { object, field, kind, name: name.to_owned() };
        self.setters.extend(sets.into_iter().map(setter));
    }
}

/// `None` where the org says that there is no such thing, or that this identity may not see it.
fn hidden<T>(result: Result<T, SalesforceError>) -> Result<Option<T>, SalesforceError> {
    const HIDDEN: [&str; 3] = ["INVALID_TYPE", "INVALID_FIELD", "INSUFFICIENT_ACCESS"];
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.salesforce_code().is_some_and(|code| HIDDEN.contains(&code)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn lanes() -> Lanes {
        let object = |name: &str, fields: &[&str]| {
            let fields = fields.iter().map(|field| FieldName::parse(field).unwrap()).collect();
            (ObjectName::parse(name).unwrap(), fields)
        };
        [object("Lead", &["Status"]), object("Opportunity", &["StageName", "Amount"])].into()
    }

    pub(super) fn shown(sets: BTreeSet<(ObjectName, FieldName)>) -> Vec<String> {
        sets.into_iter().map(|(object, field)| format!("{object}.{field}")).collect()
    }
}
