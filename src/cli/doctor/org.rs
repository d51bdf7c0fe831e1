//! The org itself: API version, kind and limits.

use serde_json::Value;

use super::Report;
use crate::salesforce::{Connection, Reader};

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
