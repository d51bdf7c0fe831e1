//! What only Setup tells: validation rules, and what the channel carries.
//!
//! Tooling queries take View Setup and Configuration, which the promoter should not have. Without
//! it an org refuses the type (`INVALID_TYPE`); whether it may also answer no rows is unconfirmed,
//! so no rows at all count as not seen. What cannot be seen is a warning, never a failure.

use serde_json::Value;

use super::Report;
use crate::salesforce::{
    Reader, SalesforceError,
    names::{self, ObjectContract},
    soql_text::literal,
};

/// Rules that each governed object must have.
const RULES: std::ops::RangeInclusive<u32> = 1..=13;
/// What to do when Setup cannot be seen.
const LEND: &str =
    "give the token of a person with View Setup and Configuration as COUNTERSIGN__DOCTOR__ACCESS_TOKEN";
/// Where a channel is put right. Setup has no page for custom channels.
const CHANNEL_FIX: &str = "deploy salesforce-metadata (platformEventChannels, platformEventChannelMembers); \
     to look: Developer Console > Query Editor > Use Tooling API > SELECT EventChannel, SelectedEntity FROM PlatformEventChannelMember";

/// Looks at the rules of each object and at the channel.
pub async fn examine(reader: &Reader, contracts: &[&ObjectContract], report: &mut Report) {
    let mut rules = Vec::new();
    for contract in contracts {
        let soql = format!(
            "SELECT ValidationName, Active FROM ValidationRule WHERE EntityDefinition.QualifiedApiName = {}",
            literal(contract.object)
        );
        rules.push((contract.object, seen(reader.tooling(&soql).await)));
    }
    let channels = seen(reader.tooling("SELECT Id, DeveloperName FROM PlatformEventChannel").await);
    let members = members(reader).await;
    let sees_setup = rules.iter().map(|(_, rules)| rules).chain([&channels, &members.rows]).any(has_rows);
    for (object, rules) in rules {
        judge_rules(object, (rules, sees_setup), report);
    }
    let objects: Vec<&str> = contracts.iter().map(|contract| contract.object).collect();
    judge_channel(&objects, (channels, members, sees_setup), report);
}

/// The rows of a tooling query; `None` when this identity may not ask for them.
pub(super) type Seen = Result<Option<Vec<Value>>, SalesforceError>;

/// What a channel carries.
pub(super) struct Members {
    pub rows: Seen,
    /// The rows tell the filters.
    pub with_filters: bool,
}

async fn members(reader: &Reader) -> Members {
    const COLUMNS: &str = "EventChannel, SelectedEntity";
    let with = format!("SELECT {COLUMNS}, FilterExpression FROM PlatformEventChannelMember");
    let rows = reader.tooling(&with).await;
    if !matches!(&rows, Err(error) if error.salesforce_code() == Some("INVALID_FIELD")) {
        return Members { rows: seen(rows), with_filters: true };
    }
    let without = format!("SELECT {COLUMNS} FROM PlatformEventChannelMember");
    Members { rows: seen(reader.tooling(&without).await), with_filters: false }
}

fn seen(rows: Result<Vec<Value>, SalesforceError>) -> Seen {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if matches!(error.salesforce_code(), Some("INVALID_TYPE" | "INSUFFICIENT_ACCESS")) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn has_rows(seen: &Seen) -> bool {
    matches!(seen, Ok(Some(rows)) if !rows.is_empty())
}

/// The rules of one object: each there, each active.
pub(super) fn judge_rules(object: &str, (rules, sees_setup): (Seen, bool), report: &mut Report) {
    let area = format!("rules {object}");
    let place = format!("Setup > Object Manager > {object} > Validation Rules");
    let rows = match rules {
        Ok(Some(rows)) if sees_setup => rows,
        Ok(_) => {
            let fix =
                format!("{LEND}, or look at {place}: AI_GATE_01 to AI_GATE_13 must be there and active");
            let message = "this identity does not see validation rules";
            return report.warning(&area, "rules-hidden", message, &fix);
        }
        Err(error) => return report.salesforce(&area, &error),
    };
    let (mut missing, mut inactive) = (Vec::new(), Vec::new());
    for number in RULES {
        let prefix = format!("AI_GATE_{number:02}_");
        let mut found = rows.iter().filter(|row| text(row, "ValidationName").starts_with(&prefix)).peekable();
        match found.peek().map(|row| text(row, "ValidationName").to_owned()) {
            None => missing.push(prefix.trim_end_matches('_').to_owned()),
            Some(name) if found.all(|row| row.get("Active") != Some(&Value::Bool(true))) => {
                inactive.push(name)
            }
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        let fix = format!("deploy salesforce-metadata; the rules are then in {place}");
        report.failed(&area, "rules-missing", &format!("not there: {}", missing.join(", ")), &fix);
    }
    if !inactive.is_empty() {
        let fix = format!("{place} > the rule > Edit > Active, or deploy salesforce-metadata");
        report.failed(&area, "rules-inactive", &format!("not active: {}", inactive.join(", ")), &fix);
    }
    if missing.is_empty() && inactive.is_empty() {
        report.ok(&area, "rules", "all validation rules are there and active");
    }
}

/// The channel: there, with a member for each object, each with our filter.
pub(super) fn judge_channel(
    objects: &[&str],
    (channels, members, sees_setup): (Seen, Members, bool),
    report: &mut Report,
) {
    const AREA: &str = "channel members";
    let (channels, rows) = match (channels, members.rows) {
        (Ok(Some(channels)), Ok(Some(rows))) if sees_setup => (channels, rows),
        (Ok(_), Ok(_)) => {
            let message = "this identity does not see what the channel carries";
            return report.warning(AREA, "channel-members-hidden", message, LEND);
        }
        (Err(error), _) | (_, Err(error)) => return report.salesforce(AREA, &error),
    };
    let developer_name = names::CHANNEL.trim_end_matches("__chn");
    let Some(channel) = channels.iter().find(|row| text(row, "DeveloperName") == developer_name) else {
        let message = format!("there is no channel {}", names::CHANNEL);
        return report.failed(AREA, "channel-missing", &message, CHANNEL_FIX);
    };
    let before = report.checks.len();
    for object in objects {
        let entity = format!("{object}ChangeEvent");
        let ours =
            |row: &&Value| text(row, "SelectedEntity") == entity && is_of(text(row, "EventChannel"), channel);
        match rows.iter().find(ours) {
            None => {
                let message = format!("{} does not carry {entity}", names::CHANNEL);
                report.failed(AREA, "channel-member-missing", &message, CHANNEL_FIX);
            }
            Some(row) if members.with_filters => judge_filter(AREA, &entity, row, report),
            Some(_) => {}
        }
    }
    if !members.with_filters {
        let message = "the org does not tell the filters of the channel";
        let fix = format!("compare them with {}", names::CHANNEL_FILTER);
        report.warning(AREA, "channel-filter-hidden", message, &fix);
    }
    if report.checks.len() == before {
        let message = format!("{} carries every governed object, with our filter", names::CHANNEL);
        report.ok(AREA, "channel-members", &message);
    }
}

/// `EventChannel` is the channel's id with 15 or 18 characters.
fn is_of(event_channel: &str, channel: &Value) -> bool {
    let id = |text: &str| text.get(..15).map(str::to_owned);
    event_channel == names::CHANNEL
        || id(event_channel).is_some_and(|found| Some(found) == id(text(channel, "Id")))
}

fn judge_filter(area: &str, entity: &str, row: &Value, report: &mut Report) {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = words(text(row, "FilterExpression"));
    let fix = format!("deploy salesforce-metadata: the filter must be {}", names::CHANNEL_FILTER);
    if found.is_empty() {
        let message =
            format!("{entity} has no filter: every change of every record is delivered and counted");
        report.warning(area, "channel-filter-missing", &message, &fix);
    } else if !found.eq_ignore_ascii_case(names::CHANNEL_FILTER) {
        let message = format!("{entity} has another filter, so proposals may not be heard: {found}");
        report.failed(area, "channel-filter-differs", &message, &fix);
    }
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}
