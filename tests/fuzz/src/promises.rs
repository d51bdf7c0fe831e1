//! What the gate promises about every verdict.

use countersign::{
    domain::{Basis, Decision, Plan, Tier},
    gate::{Input, Outcome, Verdict, decide, preview},
};

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
    let _ = preview(&input, &verdict).to_string();
}

fn bytes(verdict: &Verdict) -> Vec<u8> {
    serde_json::to_vec(verdict).expect("a verdict has a JSON form")
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
    for (field, rules, _) in input.governed() {
        let on = input.schema.is_some_and(|schema| schema.auto_allowed.contains(field));
        assert!(on, "{field} ran by itself with the switch off");
        assert_eq!(rules.tier, Tier::Autonomous, "{field} ran by itself and is not autonomous");
    }
}
