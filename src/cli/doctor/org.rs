//! The org itself: API version, kind, rules and limits.

use serde_json::Value;

use super::Report;
use crate::salesforce::{Connection, Reader, names::ObjectContract, soql_text::literal};

/// Rules that each governed object must have.
const RULES: std::ops::RangeInclusive<u32> = 1..=13;

/// Whether the org offers the API version that is set.
pub async fn version(reader: &Reader, wanted: &str, report: &mut Report) {
    let offered = match reader.get("/services/data").await {
        Ok(Value::Array(offered)) => offered,
        Ok(_) => {
            return report.failed(
                "org",
                "versions-unreadable",
                "the list of API versions is no list",
                "is org.login_url a Salesforce org?",
            );
        }
        Err(error) => return report.salesforce("org", &error),
    };
    let versions: Vec<&str> = offered.iter().filter_map(|entry| entry.get("version")?.as_str()).collect();
    if versions.contains(&wanted) {
        report.ok("org", "api-version", &format!("API version {wanted} is offered"));
    } else {
        let newest = versions.last().copied().unwrap_or("none");
        let fix = format!("set org.api_version to a version that the org offers; its newest is {newest}");
        report.failed(
            "org",
            "api-version-not-offered",
            &format!("API version {wanted} is not offered"),
            &fix,
        );
    }
}

/// Whether `org.production` says what the org is.
pub async fn kind(reader: &Reader, production: bool, report: &mut Report) {
    let rows = match reader.query("SELECT IsSandbox, OrganizationType FROM Organization").await {
        Ok(rows) => rows,
        Err(error) => {
            return report.warning(
                "org",
                "org-kind-hidden",
                &error.to_string(),
                "compare org.production with the org yourself",
            );
        }
    };
    let row = rows.first();
    let sandbox = row.and_then(|row| row.get("IsSandbox")).and_then(Value::as_bool);
    let developer = row
        .and_then(|row| row.get("OrganizationType")?.as_str())
        .is_some_and(|kind| kind.contains("Developer"));
    let is_production = sandbox == Some(false) && !developer;
    if is_production == production {
        let word = if production { "a production org" } else { "a sandbox or developer org" };
        report.ok("org", "org-kind", &format!("{word}, as org.production says"));
    } else if production {
        report.failed(
            "org",
            "org-is-not-production",
            "org.production is true, but this is a sandbox or developer org",
            "correct org.production or the login",
        );
    } else {
        report.failed(
            "org",
            "org-is-production",
            "org.production is false, but this is a production org",
            "set org.production = true when this is meant",
        );
    }
}

/// Whether the rules of an object are there and active. Seeing them takes View Setup, which the
/// promoter should not have, so not seeing them is a warning.
pub async fn rules(reader: &Reader, contract: &ObjectContract, report: &mut Report) {
    let area = format!("rules {}", contract.object);
    let place = format!("Setup > Object Manager > {} > Validation Rules", contract.object);
    let soql = format!(
        "SELECT ValidationName, Active FROM ValidationRule WHERE EntityDefinition.QualifiedApiName = {}",
        literal(contract.object)
    );
    let rows = reader.tooling(&soql).await.unwrap_or_default();
    if rows.is_empty() {
        let fix = format!(
            "give a token of a person with View Setup as COUNTERSIGN__DOCTOR__ACCESS_TOKEN, or look at {place}: \
             AI_GATE_01 to AI_GATE_13 must be there and active"
        );
        return report.warning(&area, "rules-hidden", "this identity sees no validation rules", &fix);
    }
    let mut missing = Vec::new();
    for number in RULES {
        let prefix = format!("AI_GATE_{number:02}");
        let active = rows.iter().any(|row| {
            let name = row.get("ValidationName").and_then(Value::as_str).unwrap_or_default();
            name.starts_with(&prefix) && row.get("Active") == Some(&Value::Bool(true))
        });
        if !active {
            missing.push(prefix);
        }
    }
    if missing.is_empty() {
        report.ok(&area, "rules", "all validation rules are there and active");
    } else {
        let fix = format!("deploy salesforce-metadata, or activate them in {place}");
        report.failed(
            &area,
            "rules-missing",
            &format!("not there or not active: {}", missing.join(", ")),
            &fix,
        );
    }
}

/// How much of the org's daily API calls is left.
pub fn limits(connection: &Connection, report: &mut Report) {
    let Some(limits) = connection.limits() else {
        return report.warning(
            "limits",
            "limits-unknown",
            "no reply told the API limits",
            "look at Setup > Company Information",
        );
    };
    let message = format!("{} of {} API calls used in 24 hours", limits.used, limits.max);
    if limits.used >= limits.max {
        report.failed(
            "limits",
            "limit-reached",
            &message,
            "wait, or find who uses them: Setup > System Overview",
        );
    } else if limits.used.saturating_mul(10) >= limits.max.saturating_mul(8) {
        report.warning("limits", "limit-near", &message, "find who uses them: Setup > System Overview");
    } else {
        report.ok("limits", "limits", &message);
    }
}
