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
    let patch = exact(input.proposal.patch_digest(), "patch", &mut findings);
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
    for check in CHECKS {
        (check.run)(input, &mut findings);
    }
    findings
}

fn concluded(input: &Input<'_>, findings: &Findings) -> (Outcome, Option<Plan>) {
    let outcome = findings.effect().outcome().unwrap_or(Outcome::Promote);
    let basis = if is_approved(input) { Basis::Approved } else { Basis::Auto };
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

#[derive(Serialize)]
struct Bound<'a> {
    gate: &'static str,
    proposal: &'a Proposal,
    record: &'a RecordSnapshot,
    approval: Option<&'a Approval>,
    history: &'a History,
    schema: Option<Digest>,
    policy: &'a Digest,
    now: Timestamp,
}

fn input_digest(input: &Input<'_>) -> Result<Digest, CanonicalError> {
    let fields = input.proposal.patch.keys();
    Digest::of(&Bound {
        gate: GATE_REVISION,
        proposal: input.proposal,
        record: input.record,
        approval: input.approval,
        history: input.history,
        schema: input.schema.map(|schema| fingerprint::schema(schema, fields)).transpose()?,
        policy: input.rules.digest(),
        now: input.now,
    })
}

fn facts(input: &Input<'_>, findings: &Findings) -> BTreeMap<String, String> {
    let proposal = input.proposal;
    let mut facts = BTreeMap::new();
    let mut fact = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    fact("now", Some(input.now.to_string()));
    fact("policy", input.object_policy().map(|policy| policy.name.clone()));
    fact("confidence", proposal.confidence.map(|confidence| confidence.to_string()));
    fact("evaluated_at", proposal.evaluated_at.map(|moment| moment.to_string()));
    fact("received_at", Some(proposal.received_at.to_string()));
    fact("expires_at", proposal.expires_at.map(|moment| moment.to_string()));
    fact("edited_from", proposal.edited_from.as_ref().map(ToString::to_string));
    fact("hold_until", input.record.hold.as_ref().map(|hold| hold.until.to_string()));
    fact("promotion_seq", Some(input.record.promotion_seq.to_string()));
    fact("decided_by", input.approval.map(|approval| approval.decided_by.to_string()));
    fact("decided_at", input.approval.map(|approval| approval.decided_at.to_string()));
    let history = input.history;
    fact(
        DISPUTED_FACT,
        (!history.disputed_by.is_empty()).then(|| serde_json::json!(history.disputed_by).to_string()),
    );
    for (name, count) in &history.counts {
        fact(&format!("{COUNT_FACT}{name}"), Some(count.to_string()));
    }
    if findings.effect() == Effect::Shadow {
        let outcome = findings.effect_without(Effect::Shadow).outcome().unwrap_or(Outcome::Promote);
        fact("would_be", Some(outcome.name().to_owned()));
    }
    for (field, value) in &proposal.patch {
        fact(&format!("proposed.{field}"), Some(value.to_string()));
        fact(&format!("base.{field}"), proposal.base.get(field).map(ToString::to_string));
        fact(&format!("current.{field}"), input.record.value(field).map(ToString::to_string));
    }
    for (field, rules, _) in input.governed() {
        fact(&format!("tier.{field}"), Some(rules.tier.name().to_owned()));
        let on = input.schema.is_some_and(|schema| schema.auto_allowed.contains(field));
        fact(&format!("org_auto.{field}"), Some(on.to_string()));
    }
    facts
}
