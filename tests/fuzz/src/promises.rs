//! What the gate promises about every verdict.

use countersign::{
    domain::{Basis, Decision, FieldValue, Plan, Tier},
    gate::{FindingCode, Input, Outcome, Recorded, Verdict, decide, preview},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::world::World;

/// Decides, and stops the process where a promise is broken.
pub fn hold(world: &World) {
    let input = world.input();
    let verdict = decide(&input);
    let bytes = bytes(&verdict);
    assert_eq!(bytes, self::bytes(&decide(&world.clone().input())), "the same input, other bytes");
    let again: Verdict = serde_json::from_slice(&bytes).expect("a verdict can be read back");
    assert_eq!(again, verdict, "the verdict that is read back is another one");
    assert_eq!(
        verdict.plan.is_some(),
        verdict.outcome == Outcome::Promote,
        "a plan comes with `promote`, and with nothing else"
    );
    let expected =
        verdict.deciding().map_or(Some(Outcome::Promote), |finding| finding.code.effect().outcome());
    assert_eq!(Some(verdict.outcome), expected, "the strongest finding decides");
    if let Some(plan) = &verdict.plan {
        grounded(&input, &verdict, plan);
    }
    stopped(&input, &verdict);
    assert_eq!(bytes, made_again(&input), "made again from what the ledger keeps, other bytes");
    let _ = preview(&input, &verdict).to_string();
}

fn bytes(verdict: &Verdict) -> Vec<u8> {
    serde_json::to_vec(verdict).expect("a verdict has a JSON form")
}

/// What people froze is told, and is not promoted, whoever approved it.
fn stopped(input: &Input<'_>, verdict: &Verdict) {
    let proposal = input.proposal;
    let reaches = |scope: String| {
        scope == "org"
            || proposal.edited_from.is_none() && scope == format!("agent:{}", proposal.actor.agent)
            || proposal.patch.keys().any(|field| scope == format!("lane:{}.{field}", proposal.object))
    };
    let frozen = input.history.frozen.iter().any(|freeze| reaches(freeze.scope.to_string()));
    let told = verdict.findings.iter().any(|finding| finding.code == FindingCode::Frozen);
    assert_eq!(told, frozen, "a freeze that reaches the proposal is told, and no other");
    assert!(!frozen || verdict.outcome != Outcome::Promote, "promoted while it was frozen");
}

/// The verdict on the input as it comes back from the ledger.
fn made_again(input: &Input<'_>) -> Vec<u8> {
    let schema = input.schema.map(|schema| schema.digest().expect("a description has a digest"));
    let recorded = through_json(&Recorded::of(input, schema.as_ref()));
    let (proposal, schema) = (through_json(input.proposal), through_json(&input.schema.cloned()));
    bytes(&decide(&recorded.input(&proposal, schema.as_ref(), input.rules)))
}

fn through_json<T: Serialize + DeserializeOwned>(kept: &T) -> T {
    let json = serde_json::to_vec(kept).expect("it has a JSON form");
    serde_json::from_slice(&json).expect("it comes back from its JSON form")
}

/// A promotion has a person's approval of exactly this, or the switch and the policy.
fn grounded(input: &Input<'_>, verdict: &Verdict, plan: &Plan) {
    assert!(!plan.changes.is_empty(), "a plan changes something");
    for change in &plan.changes {
        assert_eq!(input.record.value(&change.field), Some(&change.before), "the record's value");
        assert_eq!(input.proposal.base.get(&change.field), Some(&change.before), "the base");
        assert_eq!(input.proposal.patch.get(&change.field), Some(&change.after), "the proposed value");
    }
    if plan.basis == Basis::Approved {
        let approved = input.approval.is_some_and(|approval| {
            approval.decision == Decision::Approved
                && approval.proposal_id == input.proposal.id
                && approval.patch_digest == verdict.patch
                && !input.history.machine_users.contains(&approval.decided_by)
        });
        assert!(approved, "promoted as approved, and nobody approved exactly this");
        return;
    }
    assert_eq!(plan.basis, Basis::Auto, "approved or by itself");
    for change in &plan.changes {
        assert_ne!(change.after, FieldValue::Null, "{} was emptied by itself", change.field);
    }
    for (field, rules, _) in input.governed() {
        let on = input.schema.is_some_and(|schema| schema.auto_allowed.contains(field));
        assert!(on, "{field} ran by itself with the switch off");
        assert_eq!(rules.tier, Tier::Autonomous, "{field} ran by itself and is not autonomous");
    }
}
