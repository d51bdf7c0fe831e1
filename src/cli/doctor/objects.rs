//! Fields: present, readable, and editable by exactly the identity that needs them.

use std::collections::BTreeMap;

use super::Report;
use crate::{
    package::permission_set_for,
    salesforce::{
        DescribedField, ObjectDescription, Reader, governed_fields,
        names::{self, ObjectContract},
    },
};

/// The promoter reads everything, edits canonical fields and stamps, and never a decision.
pub async fn promoter(reader: &Reader, contract: &ObjectContract, report: &mut Report) {
    examine("promoter", reader, contract, (&wanted_of_promoter(contract), report)).await;
}

/// The proposer edits the proposal and nothing that only the daemon may write.
pub async fn proposer(reader: &Reader, contract: &ObjectContract, report: &mut Report) {
    examine("proposer", reader, contract, (&wanted_of_proposer(contract), report)).await;
}

/// What an identity must be able to do with the fields of one object.
pub(super) struct Wanted {
    pub set: String,
    pub reads: Vec<&'static str>,
    pub edits: Vec<&'static str>,
    /// Editing one of these is a failure.
    pub never: Vec<&'static str>,
    /// Editing one of these is a warning.
    pub better_not: Vec<&'static str>,
}

pub(super) fn wanted_of_promoter(contract: &ObjectContract) -> Wanted {
    let mut edits: Vec<&str> = contract.lanes.iter().map(|lane| lane.field).collect();
    edits.extend(stamps(contract));
    edits.push(names::PENDING);
    let decisions = [
        names::DECISION,
        names::DECISION_PROPOSAL_ID,
        names::DECIDED_BY,
        names::DECIDED_AT,
        names::DECISION_COMMENTS,
    ];
    let reads = governed_fields(contract);
    let set = permission_set_for("AI_Promoter", contract.object);
    Wanted { set, reads, edits, never: decisions.to_vec(), better_not: Vec::new() }
}

pub(super) fn wanted_of_proposer(contract: &ObjectContract) -> Wanted {
    let mut edits: Vec<&str> = contract.lanes.iter().map(|lane| lane.proposed).collect();
    edits.extend(contract.proposed_fields);
    edits.extend([contract.confidence, contract.reason, names::PROPOSAL_ID, names::EVALUATED_AT]);
    edits.extend([names::REQUIRES_REVIEW, names::PENDING, names::DECISION]);
    let mut never = stamps(contract);
    never.extend([names::DECISION_PROPOSAL_ID, names::DECIDED_BY, names::DECIDED_AT]);
    // Always-required fields take no field-level security; there the validation rules are the wall.
    let canonical = contract.lanes.iter().map(|lane| lane.field);
    let better_not = canonical.filter(|field| !is_always_editable(field)).collect();
    let set = permission_set_for("AI_Proposer", contract.object);
    Wanted { set, reads: Vec::new(), edits, never, better_not }
}

/// Whether a field is always required: it takes no field-level security.
pub(super) fn is_always_editable(field: &str) -> bool {
    matches!(field, "Status" | "StageName" | "CloseDate")
}

/// Fields that only the daemon writes.
fn stamps(contract: &ObjectContract) -> Vec<&'static str> {
    let mut fields: Vec<&str> = contract.lanes.iter().map(|lane| lane.previous).collect();
    fields.extend([
        contract.changed_at,
        contract.change_source,
        names::OUTCOME,
        names::OUTCOME_OF,
        names::PROMOTION_SEQ,
    ]);
    fields.extend([names::LAST_PROMOTION_ID, names::PROMOTED_PROPOSAL_ID]);
    if let Some(signals) = contract.signals {
        fields.extend([signals.at, signals.source, signals.score, signals.decay_eligible]);
    }
    fields
}

async fn examine(
    who: &str,
    reader: &Reader,
    contract: &ObjectContract,
    (wanted, report): (&Wanted, &mut Report),
) {
    let area = format!("{who} {}", contract.object);
    let description = match reader.describe_all(contract.object).await {
        Ok(description) => description,
        Err(error) => return report.salesforce(&area, &error),
    };
    judge(&area, contract.object, &description, (wanted, report));
}

pub(super) fn judge(
    area: &str,
    object: &str,
    seen: &ObjectDescription,
    (wanted, report): (&Wanted, &mut Report),
) {
    let before = report.checks.len();
    let set = &wanted.set;
    if !seen.updateable {
        let fix = format!("Setup > Permission Sets > {set} > Object Settings > {object}: Edit");
        report.failed(area, "object-not-editable", &format!("{object} cannot be edited"), &fix);
    }
    let needed = wanted.reads.iter().chain(&wanted.edits);
    let mut hidden: Vec<&str> = needed.copied().filter(|field| !seen.fields.contains_key(*field)).collect();
    hidden.sort_unstable();
    hidden.dedup();
    for field in hidden {
        let fix = format!(
            "deploy salesforce-metadata if the field is not in Setup > Object Manager > {object} > Fields; \
             else Setup > Permission Sets > {set} > Object Settings > {object}: Read"
        );
        report.failed(area, "field-missing", &format!("{object}.{field} does not exist or is hidden"), &fix);
    }
    for field in editable(&seen.fields, &wanted.edits, false) {
        let fix = format!("Setup > Permission Sets > {set} > Object Settings > {object}: Edit on {field}");
        report.failed(area, "field-not-editable", &format!("{object}.{field} cannot be edited"), &fix);
    }
    let too_much = |field: &str| {
        (
            format!("{object}.{field} can be edited, which this identity must not"),
            format!(
                "take Edit on {field} away in the user's profile and other permission sets (Setup > Users > the user > View Summary)"
            ),
        )
    };
    for field in editable(&seen.fields, &wanted.never, true) {
        let (message, fix) = too_much(field);
        report.failed(area, "field-too-open", &message, &fix);
    }
    for field in editable(&seen.fields, &wanted.better_not, true) {
        let (message, fix) = too_much(field);
        report.warning(area, "field-too-open", &message, &fix);
    }
    if report.checks.len() == before {
        let count = wanted.reads.len() + wanted.edits.len();
        report.ok(area, "fields", &format!("{count} fields are there, with the right permissions"));
    }
}

fn editable<'a>(seen: &BTreeMap<String, DescribedField>, fields: &'a [&'a str], is: bool) -> Vec<&'a str> {
    let matches = |field: &&&str| seen.get(**field).is_some_and(|seen| seen.updateable == is);
    fields.iter().filter(matches).copied().collect()
}
