//! The other parts of the package: flows that run, the notification, reviewers' group and queue.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Report,
    setup::{LEND, seen, text},
};
use crate::{
    package,
    salesforce::{Reader, SalesforceError, names::ObjectContract, soql_text::literal},
};

/// The notification type that the flows send.
const NOTICE: &str = "AI_Proposal_Notice";
/// The public group whose members may decide on every record.
const REVIEWERS: &str = "AI_Reviewers";
/// The queue that leads can be given to.
const QUEUE: &str = "AI_Review_Queue";

/// Looks at all of them.
pub async fn examine(reader: &Reader, contracts: &[&'static ObjectContract], report: &mut Report) {
    flows(reader, contracts, report).await;
    notification(reader, report).await;
    let mut groups = vec![REVIEWERS];
    if contracts.iter().any(|contract| contract.object == "Lead") {
        groups.push(QUEUE);
    }
    for group in groups {
        members(reader, group, report).await;
    }
}

/// The flows that the package ships as active, of the governed objects and of all of them.
fn shipped(contracts: &[&'static ObjectContract]) -> Vec<&'static str> {
    let ours = |name: &&str| {
        let all = ["Lead", "Opportunity"];
        let other = all.iter().find(|object| name.starts_with(&format!("AI_{object}_")));
        other.is_none_or(|object| contracts.iter().any(|contract| contract.object == *object))
    };
    let files = package::SHIPPED.iter().filter(|(_, text)| text.contains("<status>Active</status>"));
    let names = files.filter_map(|(path, _)| path.rsplit_once("/flows/")?.1.strip_suffix(".flow-meta.xml"));
    names.filter(ours).collect()
}

async fn flows(reader: &Reader, contracts: &[&'static ObjectContract], report: &mut Report) {
    const AREA: &str = "flows";
    let expected = shipped(contracts);
    if expected.is_empty() {
        return;
    }
    let names: Vec<String> = expected.iter().map(|name| literal(name)).collect();
    let soql = format!(
        "SELECT DeveloperName, ActiveVersionId FROM FlowDefinition WHERE DeveloperName IN ({})",
        names.join(", ")
    );
    let rows = match seen(reader.tooling(&soql).await) {
        Ok(Some(rows)) => rows,
        Ok(None) => {
            let fix = format!("{LEND}, or look at Setup > Flows: each AI_ flow must be active");
            return report.hidden(AREA, "flows-hidden", "this identity does not see flows", &fix);
        }
        Err(error) => return report.salesforce(AREA, &error),
    };
    let found: BTreeMap<&str, bool> = rows
        .iter()
        .map(|row| (text(row, "DeveloperName"), !text(row, "ActiveVersionId").is_empty()))
        .collect();
    let (mut missing, mut inactive) = (Vec::new(), Vec::new());
    for name in &expected {
        match found.get(name) {
            None => missing.push(*name),
            Some(false) => inactive.push(*name),
            Some(true) => {}
        }
    }
    if !missing.is_empty() {
        let message = format!("not there: {}", missing.join(", "));
        report.failed(AREA, "flows-missing", &message, "deploy salesforce-metadata (flows)");
    }
    if !inactive.is_empty() {
        let message = format!(
            "not active: {}. The rules hold all the same; stamps, routing and notices are missing",
            inactive.join(", ")
        );
        let fix = "Setup > Flows > the flow > Activate. In production flows arrive inactive unless Setup > Process \
                   Automation Settings > Deploy processes and flows as active is on";
        report.warning(AREA, "flows-inactive", &message, fix);
    }
    if missing.is_empty() && inactive.is_empty() {
        report.ok(AREA, "flows", &format!("{} flows are active", expected.len()));
    }
}

async fn notification(reader: &Reader, report: &mut Report) {
    const AREA: &str = "notification";
    let soql = format!("SELECT Id FROM CustomNotificationType WHERE DeveloperName = {}", literal(NOTICE));
    match reader.query(&soql).await {
        Ok(rows) if !rows.is_empty() => report.ok(AREA, "notification-type", &format!("{NOTICE} is there")),
        Ok(_) => {
            let message = format!("there is no notification type {NOTICE}, or this identity does not see it");
            let fix = "deploy salesforce-metadata (notificationtypes); to look: Setup > Custom Notifications";
            report.warning(AREA, "notification-type-missing", &message, fix);
        }
        Err(error) => hidden_or_failed(AREA, &error, report),
    }
}

/// A group or queue of ours with somebody in it.
async fn members(reader: &Reader, group: &str, report: &mut Report) {
    const AREA: &str = "reviewers";
    let soql = format!("SELECT Id, Type FROM Group WHERE DeveloperName = {}", literal(group));
    let rows = match reader.query(&soql).await {
        Ok(rows) => rows,
        Err(error) => return hidden_or_failed(AREA, &error, report),
    };
    let Some(id) = rows.first().map(|row| text(row, "Id")) else {
        let message = format!("{group} is not there");
        return report.warning(
            AREA,
            "group-missing",
            &message,
            "deploy salesforce-metadata (groups, queues)",
        );
    };
    let soql = format!("SELECT count() FROM GroupMember WHERE GroupId = {}", literal(id));
    let count = match reader.count(&soql).await {
        Ok(count) => count,
        Err(error) => return hidden_or_failed(AREA, &error, report),
    };
    if count > 0 {
        return report.ok(AREA, "group-members", &format!("{group} has {count} member(s)"));
    }
    let kind = rows.first().and_then(|row| row.get("Type")).and_then(Value::as_str);
    let place = if kind == Some("Queue") { "Queues" } else { "Public Groups" };
    let fix = format!("Setup > {place} > {group}: add the people who decide");
    report.warning(AREA, "group-empty", &format!("{group} has no member"), &fix);
}

fn hidden_or_failed(area: &str, error: &SalesforceError, report: &mut Report) {
    match error.salesforce_code() {
        Some("INVALID_TYPE" | "INSUFFICIENT_ACCESS") => {
            report.hidden(area, "part-hidden", &error.to_string(), LEND);
        }
        _ => report.salesforce(area, error),
    }
}
