//! The preview card: everything a person needs to decide on a proposal, in one value.
//!
//! Made from the same input and verdict as the decision itself, so a preview cannot say
//! something else than what will happen. [`render`] prints it; JSON carries it unchanged.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    checks::schema::value_problem,
    finding::{Effect, Finding},
    input::Input,
    limits::Limits,
    verdict::{Outcome, Verdict},
};
use crate::domain::{
    Actor, Creation, Decision, Digest, Door, Evidence, FieldName, FieldPolicy, FieldValue, ObjectName, Path,
    ProposalId, RecordId, Tier,
};

pub mod forecast;
mod render;
pub mod text_diff;

use forecast::Forecast;
pub use render::visible;
use text_diff::Piece;

/// Fields that reports and forecasts are built on.
const REPORTED: &[&str] = &["Amount", "CloseDate", "StageName", "Status"];

/// Who reads a field, as far as the platform itself does. What an org built on top (flows, reports,
/// other systems) is for Setup, Object Manager, Where is this used.
const READERS: &[(&str, &str)] = &[
    ("Status", "lead reports, assignment, conversion"),
    ("StageName", "probability, forecast category, forecasts, pipeline reports, path"),
    ("CloseDate", "forecasts, quotas, pipeline reports"),
    ("Amount", "forecasts, quotas, pipeline reports, expected revenue"),
    ("NextStep", "pipeline boards and list views"),
];

/// One proposal, as an approver sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewCard {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// Object API name.
    pub object: ObjectName,
    /// Record id; of a record that is to be made, its parent's.
    pub record: RecordId,
    /// Set where a record is to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creates: Option<Creation>,
    /// The record's name.
    pub record_name: Option<String>,
    /// The record's owner.
    pub owner: Option<RecordId>,
    /// Who proposes.
    pub actor: Actor,
    /// Through which door.
    pub door: Door,
    /// The model's confidence.
    pub confidence: Option<Decimal>,
    /// The model's words; data.
    pub reason: Option<String>,
    /// When the model looked.
    pub evaluated_at: Option<Timestamp>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What the gate says.
    pub outcome: Outcome,
    /// Why, the deciding finding first.
    pub findings: Vec<Finding>,
    /// The fields, by name.
    pub fields: Vec<FieldCard>,
    /// True when a changed field feeds reports or forecasts.
    pub touches_reporting: bool,
    /// The move of the weighted amount, where the stages' probabilities were asked for.
    pub forecast: Option<Forecast>,
    /// The policy's name; `None` when no policy names the object.
    pub policy: Option<String>,
    /// Digest of all policies.
    pub policy_digest: Digest,
    /// What an approval would be bound to.
    pub patch_digest: Digest,
    /// Who must approve, in words; `None` when nobody is asked.
    pub approval: Option<String>,
    /// Whether the change could be undone.
    pub rollback: RollbackReadiness,
    /// When the proposal, or its approval, ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// One proposed field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldCard {
    /// Canonical field.
    pub field: FieldName,
    /// The value now; `None` when it could not be read.
    pub before: Option<FieldValue>,
    /// The proposed value.
    pub after: FieldValue,
    /// False when the record holds the value already.
    pub changed: bool,
    /// After minus before, for numbers.
    pub delta: Option<Decimal>,
    /// The move between calendar quarters, for dates.
    pub period: Option<PeriodMove>,
    /// Word by word, for texts that are no picklist.
    pub text: Option<Vec<Piece>>,
    /// True when it feeds reports or forecasts.
    pub touches_reporting: bool,
    /// Who reads the field on the platform, where that is known.
    pub read_by: Option<&'static str>,
    /// The rule that applies, in words, with its key in the policy file.
    pub policy_reason: String,
}

/// A date's move between calendar quarters. The org's fiscal year is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodMove {
    /// For example `2026-Q2`.
    pub from: String,
    /// For example `2026-Q3`.
    pub to: String,
    /// Quarters later, below zero for earlier.
    pub quarters: i32,
}

/// Whether the change could be undone as the org stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollbackReadiness {
    /// True when every changed field could be put back.
    pub ready: bool,
    /// What it rests on, or what stands in the way.
    pub words: String,
}

/// Builds the card.
pub fn preview(input: &Input<'_>, verdict: &Verdict) -> PreviewCard {
    let proposal = input.proposal;
    let shown = if input.makes() { &input.made() } else { &proposal.patch };
    let fields: Vec<FieldCard> = shown.iter().map(|(field, after)| field_card(input, field, after)).collect();
    let mut findings = verdict.findings.clone();
    // Stable, so findings of one effect keep the order of the checks.
    findings.sort_by_key(|finding| finding.code.effect());
    PreviewCard {
        proposal_id: proposal.id.clone(),
        object: proposal.object.clone(),
        record: proposal.record.clone(),
        creates: proposal.creates.clone(),
        record_name: input.record.name.clone(),
        owner: input.record.owner.clone(),
        actor: proposal.actor.clone(),
        door: proposal.door,
        confidence: proposal.confidence,
        reason: proposal.reason.clone(),
        evaluated_at: proposal.evaluated_at,
        evidence: input.evidence().cloned().collect(),
        outcome: verdict.outcome,
        findings,
        touches_reporting: fields.iter().any(|field| field.changed && field.touches_reporting),
        forecast: None,
        policy: input.object_policy().map(|policy| policy.name.clone()),
        policy_digest: verdict.policy.clone(),
        patch_digest: verdict.patch.clone(),
        approval: approval_words(input, verdict),
        rollback: rollback(input, &fields),
        expires_at: expires_at(input, verdict.outcome),
        fields,
    }
}

fn field_card(input: &Input<'_>, field: &FieldName, after: &FieldValue) -> FieldCard {
    let before = if input.makes() { Some(FieldValue::Null) } else { input.record.value(field).cloned() };
    let is_picklist = input.schema.is_some_and(|schema| schema.picklist(field).is_some());
    let text = match (&before, after) {
        (Some(FieldValue::Text(old)), FieldValue::Text(new)) if !is_picklist && old != new => {
            Some(text_diff::words(old, new))
        }
        _ => None,
    };
    FieldCard {
        field: field.clone(),
        changed: before.as_ref() != Some(after),
        delta: before.as_ref().and_then(|before| delta(before, after)),
        period: before.as_ref().and_then(|before| period(before, after)),
        text,
        touches_reporting: !input.makes() && REPORTED.contains(&field.as_str()),
        read_by: READERS
            .iter()
            .filter(|_| !input.makes())
            .find(|(name, _)| *name == field.as_str())
            .map(|(_, readers)| *readers),
        policy_reason: policy_reason(input, field, after),
        before,
        after: after.clone(),
    }
}

/// An empty number counts as no number, not as zero.
fn delta(before: &FieldValue, after: &FieldValue) -> Option<Decimal> {
    let difference = after.as_decimal()?.checked_sub(before.as_decimal()?)?;
    (!difference.is_zero()).then(|| difference.normalize())
}

fn period(before: &FieldValue, after: &FieldValue) -> Option<PeriodMove> {
    let (FieldValue::Date(from), FieldValue::Date(to)) = (before, after) else { return None };
    let quarters = quarter_number(*to) - quarter_number(*from);
    (quarters != 0).then(|| PeriodMove { from: quarter(*from), to: quarter(*to), quarters })
}

fn quarter_number(day: Date) -> i32 {
    i32::from(day.year()) * 4 + i32::from(day.month() - 1) / 3
}

fn quarter(day: Date) -> String {
    format!("{}-Q{}", day.year(), (day.month() - 1) / 3 + 1)
}

fn policy_reason(input: &Input<'_>, field: &FieldName, after: &FieldValue) -> String {
    let Some(policy) = input.object_policy() else {
        return format!("no policy names {}", input.proposal.object);
    };
    if let Some(creates) = &input.proposal.creates {
        return format!("{}: {}", policy.name, create_words(input, creates, field));
    }
    let Some(rules) = policy.fields.get(field) else {
        return format!("{}: does not name {field}", policy.name);
    };
    let mode = if !input.is_live(field, rules) { ", shadow mode" } else { "" };
    let words = match (rules.tier, rules.path) {
        (Tier::ReadOnly, _) => "may be read only".to_owned(),
        (Tier::Never, Path::BlockAndAlert) => "no proposal may change it".to_owned(),
        (Tier::Never, Path::ApprovalOnly) => "never by itself, a person may approve".to_owned(),
        (Tier::Reviewed, _) => "a person decides every time".to_owned(),
        (Tier::Autonomous, _) => auto_words(input, field, rules, after),
    };
    format!("{}: fields.{field}.tier = {} ({words}{mode})", policy.name, rules.tier.name())
}

fn create_words(input: &Input<'_>, creates: &Creation, field: &FieldName) -> String {
    let Some(rule) = input.create_rule() else { return format!("no rule is called \"{}\"", creates.rule) };
    let key = format!("create.{}", rule.name);
    if rule.lets_fill(field) {
        format!("{key}.fields (an agent may fill it)")
    } else if rule.fixed.contains_key(field) {
        format!("{key}.fixed (the same for every record)")
    } else if rule.parents.get(&creates.parent) == Some(field) {
        format!("{key}.parents (the {} below which it is made)", creates.parent)
    } else {
        format!("{key} does not name it")
    }
}

fn auto_words(input: &Input<'_>, field: &FieldName, rules: &FieldPolicy, after: &FieldValue) -> String {
    let before = input.record.value(field).unwrap_or(&FieldValue::Null);
    let rule = rules.auto.iter().enumerate().find(|(_, rule)| rule.names(before, after));
    match rule {
        Some((place, rule)) => {
            let when = rule.when.as_ref().map(|when| format!(", where {when}")).unwrap_or_default();
            format!("rule fields.{field}.auto[{place}] from confidence {} on{when}", rule.min_confidence)
        }
        None => "no auto rule names this step, so a person decides".to_owned(),
    }
}

fn approval_words(input: &Input<'_>, verdict: &Verdict) -> Option<String> {
    match verdict.outcome {
        Outcome::Promote => {
            let who = input.approval.map(|approval| format!("given by {}", approval.decided_by));
            Some(who.unwrap_or_else(|| "not needed: policy and org let it run by itself".to_owned()))
        }
        Outcome::Review => {
            let owner = input.record.owner.as_ref().map(|owner| format!("; the record's owner is {owner}"));
            Some(format!(
                "needed from a person with the reviewer permission who can edit the record{}",
                owner.unwrap_or_default()
            ))
        }
        _ => None,
    }
}

fn rollback(input: &Input<'_>, fields: &[FieldCard]) -> RollbackReadiness {
    if let Some(rule) = input.create_rule() {
        let (field, value) = (&rule.cancel.field, &rule.cancel.value);
        let words =
            format!("an undo sets {field} to \"{value}\" unless somebody changed it; nothing is deleted");
        return RollbackReadiness { ready: true, words };
    }
    let changed: Vec<&FieldCard> = fields.iter().filter(|field| field.changed).collect();
    let obstacle = changed.iter().find_map(|card| {
        let Some(before) = &card.before else { return Some(format!("{} could not be read", card.field)) };
        let facts = input.schema.and_then(|schema| schema.fields.get(&card.field));
        match facts.map(|facts| value_problem(&card.field, facts, before)) {
            None => Some(format!("the org did not describe {}", card.field)),
            Some(Some((_, message, _))) => Some(format!("the value of now could not be put back: {message}")),
            Some(None) => None,
        }
    });
    let words = match &obstacle {
        Some(obstacle) => obstacle.clone(),
        None if changed.is_empty() => "nothing would change".to_owned(),
        None => "the values of now are kept with the promotion; an undo spares newer edits".to_owned(),
    };
    RollbackReadiness { ready: obstacle.is_none(), words }
}

fn expires_at(input: &Input<'_>, outcome: Outcome) -> Option<Timestamp> {
    let limits = Limits::of(input.object_policy()?).ok()?;
    match (outcome, input.approval) {
        (Outcome::Promote | Outcome::Hold, Some(approval)) if approval.decision == Decision::Approved => {
            approval.decided_at.checked_add(limits.approval_max_age).ok()
        }
        (Outcome::Promote | Outcome::Hold | Outcome::Review | Outcome::Shadow, _) => {
            input.proposal.received_at.checked_add(limits.undecided_max_age).ok()
        }
        _ => None,
    }
}

impl PreviewCard {
    /// The finding that decided; `None` when nothing spoke against the change.
    pub fn deciding(&self) -> Option<&Finding> {
        self.findings.first().filter(|finding| finding.code.effect() != Effect::Note)
    }
}

/// The card as text, as [`render`] prints it.
impl fmt::Display for PreviewCard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        render::card(self, out)
    }
}

#[cfg(test)]
mod tests;
