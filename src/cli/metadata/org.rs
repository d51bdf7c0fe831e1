//! What an org has of the package: describes, rules, sets, channel and flows, each as far as this
//! identity sees it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    cli::connect,
    clock::Clock,
    config::{self, Credentials},
    salesforce::{ObjectDescription, Reader, SalesforceError, soql_text::literal},
};

/// A reader with the token of a person where the settings have one, else the promoter's.
pub fn reader(path: Option<&Path>) -> anyhow::Result<Reader> {
    let settings = config::load(path).context("reading the settings; `countersign check` explains them")?;
    let login = match settings.doctor.access_token.clone() {
        Some(access_token) => Credentials::AccessToken { access_token },
        None => settings.promoter.clone(),
    };
    Ok(Reader::new(connect::connect(&settings, &login, &Clock::system())?))
}

/// A rule as the org has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgRule {
    /// Whether it is evaluated.
    pub active: bool,
    /// Its formula; `None` when it cannot be seen.
    pub formula: Option<String>,
}

/// Names of one kind; `None` when they cannot be seen.
pub type Names = Option<BTreeSet<String>>;

/// Reads parts of one org.
pub struct Org {
    reader: Reader,
}

impl Org {
    /// Through this reader.
    pub fn new(reader: Reader) -> Self {
        Self { reader }
    }

    /// An object; `None` when it does not exist or is hidden.
    pub async fn object(&self, object: &str) -> anyhow::Result<Option<ObjectDescription>> {
        match self.reader.describe_all(object).await {
            Ok(description) => Ok(Some(description)),
            Err(error) if error.salesforce_code() == Some("NOT_FOUND") => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Our rules of an object, by name.
    pub async fn rules(
        &self,
        object: &str,
        formulas: bool,
    ) -> anyhow::Result<Option<BTreeMap<String, OrgRule>>> {
        let soql = format!(
            "SELECT Id, ValidationName, Active FROM ValidationRule WHERE EntityDefinition.QualifiedApiName = {}",
            literal(object)
        );
        let Some(rows) = seen(self.reader.tooling(&soql).await)? else { return Ok(None) };
        let mut rules = BTreeMap::new();
        for row in rows.iter().filter(|row| text(row, "ValidationName").starts_with("AI_GATE_")) {
            let formula = if formulas { self.formula(text(row, "Id")).await? } else { None };
            let active = row.get("Active") == Some(&Value::Bool(true));
            rules.insert(text(row, "ValidationName").to_owned(), OrgRule { active, formula });
        }
        Ok(Some(rules))
    }

    /// A rule's formula. The Tooling API tells metadata of one record at a time.
    async fn formula(&self, id: &str) -> anyhow::Result<Option<String>> {
        let soql = format!("SELECT Metadata FROM ValidationRule WHERE Id = {}", literal(id));
        let rows = match self.reader.tooling(&soql).await {
            Err(error) if error.salesforce_code() == Some("INVALID_FIELD") => return Ok(None),
            other => other?,
        };
        let formula = rows.first().and_then(|row| row.pointer("/Metadata/errorConditionFormula")?.as_str());
        Ok(formula.map(str::to_owned))
    }

    /// Our permission sets.
    pub async fn permission_sets(&self) -> anyhow::Result<Names> {
        let soql = "SELECT Name FROM PermissionSet WHERE Name LIKE 'AI\\_%'";
        Ok(seen(self.reader.query(soql).await)?.map(|rows| names(&rows, "Name")))
    }

    /// Our custom permissions.
    pub async fn custom_permissions(&self) -> anyhow::Result<Names> {
        let soql = "SELECT DeveloperName FROM CustomPermission WHERE DeveloperName LIKE 'AI\\_%'";
        Ok(seen(self.reader.query(soql).await)?.map(|rows| names(&rows, "DeveloperName")))
    }

    /// Change events on our channel; `None` when members cannot be seen.
    pub async fn channel_members(&self) -> anyhow::Result<Names> {
        let soql = "SELECT DeveloperName FROM PlatformEventChannelMember";
        Ok(seen(self.reader.tooling(soql).await)?.map(|rows| names(&rows, "DeveloperName")))
    }

    /// Flows that are active, by API name.
    pub async fn active_flows(&self) -> anyhow::Result<Names> {
        let soql = "SELECT ApiName FROM FlowDefinitionView WHERE IsActive = true AND ApiName LIKE 'AI\\_%'";
        Ok(seen(self.reader.query(soql).await)?.map(|rows| names(&rows, "ApiName")))
    }
}

fn names(rows: &[Value], column: &str) -> BTreeSet<String> {
    rows.iter().map(|row| text(row, column).to_owned()).collect()
}

fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// Rows, or `None` where the org does not let this identity ask.
fn seen(rows: Result<Vec<Value>, SalesforceError>) -> anyhow::Result<Option<Vec<Value>>> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(error)
            if matches!(
                error.salesforce_code(),
                Some("INVALID_TYPE" | "INSUFFICIENT_ACCESS" | "INVALID_FIELD")
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
