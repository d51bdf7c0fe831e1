//! Could a user that proposes write a governed field by itself? `serve` does not start while one
//! could, unless `agents.allow_unguarded` says otherwise.
//!
//! Two walls keep it from that. Field-level security guards the fields that it can; always
//! required ones (status, stage, close date) take none, so the org's rule `AI_GATE_01` guards all.
//! The rule knows an agent by the custom permission of AI_Proposer. A failure here means that the
//! wall is open as far as can be seen. What cannot be seen is said and is no failure, with one
//! exception: where the rule is hidden, the proposer's own description must not let it edit a
//! field that field-level security can guard.

use std::collections::BTreeMap;

use super::{
    Report, objects,
    roles::{self, Holder},
    setup::{LEND, RuleState, Setup},
};
use crate::salesforce::{
    Connection, Identity, Reader, SalesforceError,
    names::{ObjectContract, permission},
};

const AREA: &str = "agents";
/// The rule that keeps proposers from governed fields.
const WALL: &str = "AI_GATE_01";

/// The governed objects, and the configured proposer where there is one.
pub type Subject<'a> = (&'a [&'static ObjectContract], Option<(&'a Connection, &'a Identity)>);

/// Says what an agent's user could do that it must not; roles are told along.
pub async fn examine(setup: &Reader, sight: &Setup, (contracts, proposer): Subject<'_>, report: &mut Report) {
    let holders = match setup.connection().identity().await {
        Ok(own) => roles::holders(setup, own.user_id.as_str()).await,
        Err(error) => Err(error),
    };
    let holders = match holders {
        Ok(holders) => holders,
        Err(error) => {
            report.salesforce("roles", &error);
            None
        }
    };
    roles::examine(holders.as_ref(), report);
    let before = report.checks.len();
    walls(sight, contracts, report);
    if let Some(holders) = &holders {
        people(holders, proposer, report);
    }
    for contract in contracts {
        if matches!(sight.rule(contract.object, WALL), RuleState::Hidden | RuleState::Unread) {
            hidden_wall(contract, proposer, report).await;
        }
    }
    if holders.is_none() {
        let fix = format!("{LEND} to `countersign doctor`, which then looks at every agent's user");
        let message = "who else proposes, and with which permissions, is not visible to this identity";
        report.hidden(AREA, "agents-not-visible", message, &fix);
    }
    if report.checks.len() == before {
        report.ok(AREA, "agents-guarded", "no user that proposes can write a governed field by itself");
    }
}

/// The rule must stand on every governed object, active and unchanged.
fn walls(sight: &Setup, contracts: &[&'static ObjectContract], report: &mut Report) {
    for contract in contracts {
        let object = contract.object;
        let what = match sight.rule(object, WALL) {
            RuleState::Good | RuleState::Hidden | RuleState::Unread => continue,
            RuleState::Missing => "is missing",
            RuleState::Inactive => "is switched off",
            RuleState::Differs => "has another formula than ours",
        };
        let message = format!("rule {WALL} of {object} {what}: an agent could write {}", governed(contract));
        let fix = format!(
            "deploy salesforce-metadata, or see Setup > Object Manager > {object} > Validation Rules; \
             to serve all the same set agents.allow_unguarded = true"
        );
        report.failed(AREA, "agent-wall-open", &message, &fix);
    }
}

/// Each user that proposes must be known to the rule, and be nothing more than a proposer.
fn people(
    holders: &BTreeMap<String, Holder>,
    proposer: Option<(&Connection, &Identity)>,
    report: &mut Report,
) {
    for holder in holders.values().filter(|holder| holder.has(permission::PROPOSER)) {
        let name = &holder.username;
        if holder.has(permission::PROMOTER) {
            let message = format!("{name} proposes and promotes: rule {WALL} does not hold it back");
            let fix = "Setup > Permission Sets > AI_Promoter > Manage Assignments: remove the user";
            report.failed(AREA, "agent-promotes", &message, fix);
        }
        if holder.modifies_all {
            let profile = holder.profile.as_deref().unwrap_or("unknown");
            let message = format!(
                "{name} proposes with the profile {profile}, which has Modify All Data: it could switch the rules off"
            );
            let fix = "Setup > Users > the user: use a profile without administrative permissions, such as Minimum Access - API Only Integrations";
            report.failed(AREA, "agent-administers", &message, fix);
        }
    }
    let Some((_, identity)) = proposer else { return };
    let known = holders.get(identity.user_id.as_str()).is_some_and(|holder| holder.has(permission::PROPOSER));
    if !known {
        let message = format!(
            "{} proposes without AI_Proposer: rule {WALL} does not know it as an agent",
            identity.username
        );
        let fix = "Setup > Permission Sets > AI_Proposer > Manage Assignments: add the user";
        report.failed(AREA, "agent-unmarked", &message, fix);
    }
}

/// Where the rule cannot be seen, the proposer itself says what it may edit.
async fn hidden_wall(
    contract: &'static ObjectContract,
    proposer: Option<(&Connection, &Identity)>,
    report: &mut Report,
) {
    let object = contract.object;
    let not_visible = |report: &mut Report, why: &str| {
        let message =
            format!("whether rule {WALL} of {object} stands is not visible to this identity; {why}");
        report.hidden(AREA, "agent-wall-hidden", &message, &format!("{LEND} to `countersign doctor`"));
    };
    let Some((connection, _)) = proposer else {
        return not_visible(report, "and no proposer is set that could be asked");
    };
    match editable(&Reader::new(connection.clone()), contract).await {
        Ok(open) if open.is_empty() => {
            not_visible(report, "field-level security keeps the proposer from what it can guard");
        }
        Ok(open) => {
            let message =
                format!("the proposer may edit {object}.{}, and rule {WALL} cannot be seen", open.join(", "));
            let fix = "take Edit on it away in the user's profile and permission sets, or lend the daemon a sight of Setup; \
                       to serve all the same set agents.allow_unguarded = true";
            report.failed(AREA, "agent-field-open", &message, fix);
        }
        Err(error) => report.salesforce(AREA, &error),
    }
}

/// The governed fields that field-level security could guard and does not.
async fn editable(
    reader: &Reader,
    contract: &'static ObjectContract,
) -> Result<Vec<&'static str>, SalesforceError> {
    let seen = reader.describe_all(contract.object).await?;
    let lanes = contract.lanes.iter().map(|lane| lane.field);
    let guardable = lanes.filter(|field| !objects::is_always_editable(field));
    Ok(guardable.filter(|field| seen.fields.get(*field).is_some_and(|field| field.updateable)).collect())
}

fn governed(contract: &ObjectContract) -> String {
    let lanes: Vec<&str> = contract.lanes.iter().map(|lane| lane.field).collect();
    lanes.join(", ")
}
