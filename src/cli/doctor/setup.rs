//! What only Setup tells: validation rules, and what the channel carries.
//!
//! Tooling queries take View Setup and Configuration, which the promoter should not have. Without
//! it an org refuses the type (`INVALID_TYPE`); whether it may also answer no rows is unconfirmed,
//! so no rows at all count as not seen. What cannot be seen is a warning, never a failure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Report;
use crate::package;
use crate::salesforce::{
    Reader, SalesforceError,
    names::{self, ObjectContract},
    soql_text::literal,
};

/// What to do when Setup cannot be seen.
pub(super) const LEND: &str =
    "give the token of a person with View Setup and Configuration as COUNTERSIGN__DOCTOR__ACCESS_TOKEN";
/// Where a channel is put right. Setup has no page for custom channels.
const CHANNEL_FIX: &str = "deploy salesforce-metadata (platformEventChannels, platformEventChannelMembers); \
     to look: Developer Console > Query Editor > Use Tooling API > SELECT EventChannel, SelectedEntity FROM PlatformEventChannelMember";

/// What Setup shows of rules and channel.
pub struct Setup {
    rules: Vec<OfObject>,
    /// Formula by object and rule, of those that were asked for; `None` when it did not come.
    formulas: BTreeMap<(&'static str, String), Option<String>>,
    channels: Seen,
    members: Members,
    /// Something was seen, so what is not there is missing and not hidden.
    sees: bool,
}

/// The rules of one object.
struct OfObject {
    object: &'static str,
    /// Names and digests of the formulas that must be there.
    ours: Vec<(String, String)>,
    rows: Seen,
}

/// How one rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleState {
    /// There, active, and with our formula where that was asked for.
    Good,
    /// There and active; its formula could not be read.
    Unread,
    /// Not there.
    Missing,
    /// Switched off.
    Inactive,
    /// Another formula.
    Differs,
    /// This identity may not look.
    Hidden,
}

impl Setup {
    /// Looks at the rules of each object and at the channel. Formulas cost a call each; they are
    /// read of the rules whose code starts with `formulas_of`.
    pub async fn look(reader: &Reader, contracts: &[&'static ObjectContract], formulas_of: &str) -> Self {
        let mut rules = Vec::new();
        let mut formulas = BTreeMap::new();
        for contract in contracts {
            let soql = format!(
                "SELECT Id, ValidationName, Active FROM ValidationRule WHERE EntityDefinition.QualifiedApiName = {}",
                literal(contract.object)
            );
            let found = seen(reader.tooling(&soql).await);
            let found_rows = found.as_ref().ok().and_then(Option::as_ref).map_or(&[][..], Vec::as_slice);
            let ours = package::expected_rules(contract);
            for row in found_rows.iter().filter(|row| text(row, "ValidationName").starts_with(formulas_of)) {
                let name = text(row, "ValidationName");
                if ours.iter().any(|(known, _)| known == name) {
                    let formula = formula(reader, text(row, "Id")).await;
                    formulas.insert((contract.object, name.to_owned()), formula);
                }
            }
            rules.push(OfObject { object: contract.object, ours, rows: found });
        }
        let channels = seen(reader.tooling("SELECT Id, DeveloperName FROM PlatformEventChannel").await);
        let members = members(reader).await;
        let sees = rules.iter().map(|of| &of.rows).chain([&channels, &members.rows]).any(has_rows);
        Self { rules, formulas, channels, members, sees }
    }

    /// How the rule with this code stands on an object.
    pub fn rule(&self, object: &str, code: &str) -> RuleState {
        let Some(of) = self.rules.iter().find(|of| of.object == object) else { return RuleState::Hidden };
        let Ok(Some(rows)) = &of.rows else { return RuleState::Hidden };
        if !self.sees {
            return RuleState::Hidden;
        }
        let Some((name, digest)) = of.ours.iter().find(|(name, _)| name.starts_with(code)) else {
            return RuleState::Missing;
        };
        // Another rule with our code in its name is not ours, whatever it says.
        let Some(row) = rows.iter().find(|row| text(row, "ValidationName") == name.as_str()) else {
            return RuleState::Missing;
        };
        if row.get("Active") != Some(&Value::Bool(true)) {
            return RuleState::Inactive;
        }
        let there = self.formulas.iter().find(|((of, known), _)| *of == object && known == name);
        match there.map(|(_, there)| there) {
            Some(None) => RuleState::Unread,
            Some(Some(there)) if package::formula_digest(there) != *digest => RuleState::Differs,
            Some(Some(_)) | None => RuleState::Good,
        }
    }

    /// Says what is missing, off or different.
    pub fn examine(self, report: &mut Report) {
        for of in &self.rules {
            self.judge_rules(of, report);
        }
        let objects: Vec<&str> = self.rules.iter().map(|of| of.object).collect();
        judge_channel(&objects, (self.channels, self.members, self.sees), report);
    }

    /// The rules of one object: each there, each active, each with our formula.
    fn judge_rules(&self, of: &OfObject, report: &mut Report) {
        let object = of.object;
        let area = format!("rules {object}");
        let place = format!("Setup > Object Manager > {object} > Validation Rules");
        if let Err(error) = &of.rows {
            return report.salesforce(&area, error);
        }
        let (mut missing, mut inactive, mut differ) = (Vec::new(), Vec::new(), Vec::new());
        let mut unread = Vec::new();
        for (name, _) in &of.ours {
            let code: String = name.chars().take(CODE).collect();
            match self.rule(object, &code) {
                RuleState::Good => {}
                RuleState::Missing => missing.push(code),
                RuleState::Inactive => inactive.push(name.clone()),
                RuleState::Differs => differ.push(name.clone()),
                RuleState::Unread => unread.push(name.clone()),
                RuleState::Hidden => {
                    let fix = format!(
                        "{LEND}, or look at {place}: AI_GATE_01 to AI_GATE_23 must be there and active"
                    );
                    let message = "this identity does not see validation rules";
                    return report.hidden(&area, "rules-hidden", message, &fix);
                }
            }
        }
        let told = [
            (
                missing,
                "rules-missing",
                "not there",
                format!("deploy salesforce-metadata; the rules are then in {place}"),
            ),
            (
                inactive,
                "rules-inactive",
                "not active",
                format!("{place} > the rule > Edit > Active, or deploy salesforce-metadata"),
            ),
            (
                differ,
                "rules-differ",
                "another formula than ours",
                format!("deploy salesforce-metadata of this version, or see what was changed in {place}"),
            ),
        ];
        let before = report.checks.len();
        for (names, code, what, fix) in told.into_iter().filter(|(names, ..)| !names.is_empty()) {
            report.failed(&area, code, &format!("{what}: {}", names.join(", ")), &fix);
        }
        if !unread.is_empty() {
            let message = format!("formulas that could not be read: {}", unread.join(", "));
            report.hidden(
                &area,
                "rules-unread",
                &message,
                &format!("run doctor again, or compare them in {place}"),
            );
        }
        if report.checks.len() == before {
            report.ok(&area, "rules", "all validation rules are there and active, with our formulas");
        }
    }
}

/// Characters of `AI_GATE_nn`.
const CODE: usize = 10;

/// The formula of one rule; Salesforce gives it for one row at a time. `None` for any answer
/// without one: the rule then counts as unread, whatever the reason.
async fn formula(reader: &Reader, id: &str) -> Option<String> {
    let soql = format!("SELECT Metadata FROM ValidationRule WHERE Id = {}", literal(id));
    let rows = reader.tooling(&soql).await.ok()?;
    Some(rows.first()?.pointer("/Metadata/errorConditionFormula")?.as_str()?.to_owned())
}

/// A text without regard to line breaks and indentation.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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

pub(super) fn seen(rows: Result<Vec<Value>, SalesforceError>) -> Seen {
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
            return report.hidden(AREA, "channel-members-hidden", message, LEND);
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
        report.hidden(AREA, "channel-filter-hidden", message, &fix);
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

pub(super) fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}
