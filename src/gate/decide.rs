//! `decide`: from the input to the verdict. Pure and total.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    checks::{CHECKS, approval::is_approved},
    finding::{Effect, FindingCode, Findings},
    fingerprint,
    input::{COUNT_FACT, DISPUTED_FACT, History, Input},
    plan::plan,
    verdict::{Outcome, Verdict, deciding},
};
use crate::domain::{Approval, Basis, CanonicalError, Digest, Plan, Proposal, RecordSnapshot};

/// Revision of the gate's own rules; raised when the same input may get another verdict.
pub const GATE_REVISION: &str = "1";

/// Judges a proposal. The answer depends on the input alone: the same input gives the same
/// bytes. Every check runs; the strongest [`Effect`] of all findings decides.
pub fn decide(input: &Input<'_>) -> Verdict {
    let mut findings = checked(input);
    let digest = exact(input_digest(input), "input", &mut findings);
    let patch = findings.patch_digest(input.proposal).clone();
    let patch = exact(patch, "patch", &mut findings);
    let (outcome, plan) = concluded(input, &findings);
    Verdict {
        outcome,
        facts: facts(input, &findings),
        findings: findings.into_vec(),
        input: digest,
        policy: input.rules.digest().clone(),
        patch,
        gate: GATE_REVISION.to_owned(),
        plan,
    }
}

/// The heart of a verdict, for those who compare many and keep none: no digests, no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What happens.
    pub outcome: Outcome,
    /// The finding that decided, as [`Verdict::deciding`] tells it.
    pub because: Option<FindingCode>,
    /// For [`Outcome::Promote`]: exactly what to write.
    pub plan: Option<Plan>,
}

/// Judges as [`decide`] does, for an input that is known to have an exact text form, such as one
/// that was read from the ledger.
pub fn judge(input: &Input<'_>) -> Judgement {
    let findings = checked(input);
    let (outcome, plan) = concluded(input, &findings);
    let because = deciding(&findings.into_vec()).map(|finding| finding.code);
    Judgement { outcome, because, plan }
}

fn checked(input: &Input<'_>) -> Findings {
    let mut findings = Findings::default();
    let scheduled = input.scheduled();
    for check in CHECKS.iter().filter(|check| check.of_schedule || !scheduled) {
        (check.run)(input, &mut findings);
    }
    findings
}

fn concluded(input: &Input<'_>, findings: &Findings) -> (Outcome, Option<Plan>) {
    let outcome = findings.effect().outcome().unwrap_or(Outcome::Promote);
    let basis = match input.scheduled() {
        true => Basis::Decay,
        false if is_approved(input) => Basis::Approved,
        false => Basis::Auto,
    };
    (outcome, (outcome == Outcome::Promote).then(|| plan(input, basis)))
}

/// The digest, or that of nothing together with a finding that refuses.
fn exact(digest: Result<Digest, CanonicalError>, what: &str, findings: &mut Findings) -> Digest {
    digest.unwrap_or_else(|error| {
        findings.add(
            FindingCode::CheckInconclusive,
            format!("the {what} has no exact form: {error}"),
            "values that have an exact text form",
        );
        Digest::of_bytes(&[])
    })
}

/// What the verdict is bound to. In the order of the canonical form, so that nothing is put in order.
#[derive(Serialize)]
struct Bound<'a> {
    approval: Option<&'a Approval>,
    gate: &'static str,
    history: &'a History,
    now: Timestamp,
    policy: &'a Digest,
    proposal: &'a Proposal,
    record: &'a RecordSnapshot,
    schema: Option<Digest>,
}

fn input_digest(input: &Input<'_>) -> Result<Digest, CanonicalError> {
    let made = if input.makes() { input.made() } else { BTreeMap::new() };
    let fields = input
        .proposal
        .patch
        .keys()
        .chain(made.keys().filter(|field| !input.proposal.patch.contains_key(*field)));
    Digest::of(&Bound {
        gate: GATE_REVISION,
        proposal: input.proposal,
        record: input.record,
        approval: input.approval,
        history: input.history,
        schema: input.schema.map(|schema| fingerprint::schema(schema, fields, input)).transpose()?,
        policy: input.rules.digest(),
        now: input.now,
    })
}

/// The facts by name. They are told in the order of their names, so that nothing is put in order.
fn facts(input: &Input<'_>, findings: &Findings) -> BTreeMap<String, String> {
    let Input { proposal, record, history, .. } = *input;
    let mut facts = Vec::with_capacity(16 + 5 * proposal.patch.len() + history.counts.len());
    let mut fact = |name: &[&str], value: Option<String>| {
        facts.extend(value.map(|value| (name.concat(), value)));
    };
    for field in proposal.patch.keys() {
        fact(&["base.", field.as_str()], proposal.base.get(field).map(ToString::to_string));
    }
    let quiet = history.quiet.unwrap_or_default();
    fact(&["changed_at"], quiet.changed_at.map(|moment| moment.to_string()));
    fact(&["confidence"], proposal.confidence.map(|confidence| confidence.to_string()));
    for (name, count) in &history.counts {
        fact(&[COUNT_FACT, name], Some(count.to_string()));
    }
    for field in proposal.patch.keys() {
        fact(&["current.", field.as_str()], record.value(field).map(ToString::to_string));
    }
    fact(&["decided_at"], input.approval.map(|approval| approval.decided_at.to_string()));
    fact(&["decided_by"], input.approval.map(|approval| approval.decided_by.to_string()));
    fact(&["creates"], proposal.creates.as_ref().map(|creates| creates.rule.clone()));
    let disputed = &history.disputed_by;
    fact(&[DISPUTED_FACT], (!disputed.is_empty()).then(|| serde_json::json!(disputed).to_string()));
    fact(&["edited_from"], proposal.edited_from.as_ref().map(ToString::to_string));
    fact(&["eligible_on"], quiet.eligible_on.map(|day| day.to_string()));
    fact(&["evaluated_at"], proposal.evaluated_at.map(|moment| moment.to_string()));
    fact(&["expires_at"], proposal.expires_at.map(|moment| moment.to_string()));
    fact(&["hold_until"], record.hold.as_ref().map(|hold| hold.until.to_string()));
    for lane in &history.lanes {
        let until = lane.until.map_or("stepped back".to_owned(), |until| format!("until {until}"));
        fact(&["lane.", lane.field.as_str()], Some(format!("{until}, by {} at {}", lane.by, lane.at)));
    }
    fact(&["last_signal_at"], quiet.last_signal_at.map(|moment| moment.to_string()));
    fact(&["now"], Some(input.now.to_string()));
    for (field, ..) in input.governed() {
        let on = input.schema.is_some_and(|schema| schema.auto_allowed.contains(field));
        fact(&["org_auto.", field.as_str()], Some(on.to_string()));
    }
    let parent = proposal.creates.as_ref().map(|creates| &creates.parent);
    fact(&["parent"], parent.map(|parent| format!("{parent} {}", proposal.record)));
    fact(&["policy"], input.object_policy().map(|policy| policy.name.clone()));
    fact(&["promotion_seq"], Some(record.promotion_seq.to_string()));
    for (field, value) in &proposal.patch {
        fact(&["proposed.", field.as_str()], Some(value.to_string()));
    }
    fact(&["received_at"], Some(proposal.received_at.to_string()));
    for (field, rules, _) in input.governed() {
        fact(&["tier.", field.as_str()], Some(rules.tier.name().to_owned()));
    }
    if findings.effect() == Effect::Shadow {
        let outcome = findings.effect_without(Effect::Shadow).outcome().unwrap_or(Outcome::Promote);
        fact(&["would_be"], Some(outcome.name().to_owned()));
    }
    facts.into_iter().collect()
}
