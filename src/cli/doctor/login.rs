//! Who the identities are, and which permission sets they hold.

use serde_json::Value;

use super::Report;
use crate::{
    domain::RecordId,
    salesforce::{
        Connection, Identity, Reader, SalesforceError,
        names::{ObjectContract, permission},
        soql_text::literal,
    },
};

/// Logs in and asks the org who this is.
pub async fn identity(area: &str, connection: &Connection, report: &mut Report) -> Option<Identity> {
    match connection.identity().await {
        Ok(identity) => {
            let who = format!("logged in as {} in org {}", identity.username, identity.org_id);
            report.ok(area, "login", &who);
            Some(identity)
        }
        Err(error) => {
            report.salesforce(area, &error);
            None
        }
    }
}

/// Both identities must be in one org and be two users.
pub fn same_org_other_user(promoter: &Identity, proposer: Option<&Identity>, report: &mut Report) {
    let Some(proposer) = proposer else { return };
    if proposer.org_id != promoter.org_id {
        let message = format!("the promoter is in {}, the proposer in {}", promoter.org_id, proposer.org_id);
        report.failed("identities", "identities-in-two-orgs", &message, "correct [proposer] or [promoter]");
    } else if proposer.user_id == promoter.user_id {
        let fix = "use two users: one with AI_Promoter, one with AI_Proposer";
        report.failed("identities", "identities-are-one-user", "promoter and proposer are one user", fix);
    } else {
        report.ok("identities", "identities-apart", "two users in one org");
    }
}

/// Each identity holds its own permission set of ours and no other.
pub async fn permission_sets(area: &str, reader: &Reader, user: &RecordId, report: &mut Report) {
    let own = if area == "promoter" { permission::PROMOTER } else { permission::PROPOSER };
    let soql = format!(
        "SELECT PermissionSet.Name FROM PermissionSetAssignment WHERE AssigneeId = {}",
        literal(user.as_str())
    );
    let rows = match reader.query(&soql).await {
        Ok(rows) => rows,
        Err(error) => {
            let fix = format!(
                "look at Setup > Users > the user > Permission Set Assignments: {own} and no other AI_ set"
            );
            return report.warning(area, "permission-sets-hidden", &error.to_string(), &fix);
        }
    };
    let held: Vec<&str> =
        rows.iter().filter_map(|row| row.pointer("/PermissionSet/Name").and_then(Value::as_str)).collect();
    let mut good = true;
    if !held.contains(&own) {
        good = false;
        let fix = format!("Setup > Permission Sets > {own} > Manage Assignments: add the user");
        report.failed(
            area,
            "permission-set-missing",
            &format!("the permission set {own} is not assigned"),
            &fix,
        );
    }
    for other in [permission::PROMOTER, permission::PROPOSER, permission::REVIEWER] {
        if other != own && held.contains(&other) {
            good = false;
            let fix = format!("Setup > Permission Sets > {other} > Manage Assignments: remove the user");
            report.failed(area, "permission-set-too-many", &format!("the user also holds {other}"), &fix);
        }
    }
    if good {
        report.ok(area, "permission-sets", &format!("holds {own} and no other set of ours"));
    }
}

/// The promoter must see every record: change events of others are left out without a word, and
/// the sweep does not find them.
pub async fn view_all(
    reader: &Reader,
    user: &RecordId,
    contracts: &[&'static ObjectContract],
    report: &mut Report,
) -> Result<(), SalesforceError> {
    const AREA: &str = "promoter";
    let (user, id) =
        (literal(user.as_str()), |row: &Value, name: &str| row[name].as_str().map(str::to_owned));
    let soql = format!("SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {user}");
    let sets: Vec<String> = reader
        .query(&soql)
        .await?
        .iter()
        .filter_map(|row| id(row, "PermissionSetId"))
        .map(|id| literal(&id))
        .collect();
    let soql = format!("SELECT Profile.PermissionsViewAllData FROM User WHERE Id = {user}");
    let rows = reader.query(&soql).await?;
    let all =
        rows.iter().any(|row| row.pointer("/Profile/PermissionsViewAllData") == Some(&Value::Bool(true)));
    let mut seen: Vec<String> = Vec::new();
    if !all && !sets.is_empty() {
        let soql = format!(
            "SELECT SobjectType FROM ObjectPermissions WHERE PermissionsViewAllRecords = true AND ParentId IN ({})",
            sets.join(", ")
        );
        seen = reader.query(&soql).await?.iter().filter_map(|row| id(row, "SobjectType")).collect();
    }
    let blind: Vec<&str> = contracts
        .iter()
        .map(|contract| contract.object)
        .filter(|object| !all && !seen.iter().any(|seen| seen == object))
        .collect();
    if blind.is_empty() {
        report.ok(AREA, "view-all", "sees all records of the governed objects");
        return Ok(());
    }
    let message = format!(
        "does not have View All on {}: changes of records that it may not see are never heard of",
        blind.join(", ")
    );
    let fix = "Setup > Permission Sets > AI_Promoter > Object Settings > the object: View All, or deploy salesforce-metadata";
    report.failed(AREA, "view-all-missing", &message, fix);
    Ok(())
}
