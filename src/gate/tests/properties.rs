//! Properties of `decide` over generated inputs.

use jiff::SignedDuration;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::world::{Case, Owned};
use crate::{
    domain::{Basis, FieldName, FieldValue},
    gate::{Effect, FindingCode, Outcome, decide, judge, preview},
};

const STATES: &[&str] = &[
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Not Converted",
    "Closed - Converted",
    "Parked",
    "Nowhere",
    " \u{202e}\n",
];

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        Just(FieldValue::Null),
        prop::sample::select(STATES).prop_map(FieldValue::text),
        ".{0,300}".prop_map(FieldValue::text),
        any::<(i64, u32)>()
            .prop_map(|(mantissa, scale)| FieldValue::decimal(Decimal::new(mantissa, scale % 20))),
        Just(FieldValue::decimal(Decimal::MAX)),
        any::<bool>().prop_map(FieldValue::Bool),
        (1_i16..9999).prop_map(|year| FieldValue::Date(jiff::civil::date(year, 12, 31))),
        any::<i32>().prop_map(|second| FieldValue::DateTime(
            jiff::Timestamp::from_second(i64::from(second)).unwrap()
        )),
    ]
}

/// A decision (or none), as compact JSON.
fn decision() -> impl Strategy<Value = serde_json::Value> {
    let some = (any::<[bool; 3]>(), -6000_i64..6000, prop::sample::select(&["approved", "rejected"]));
    prop::option::of(some).prop_map(|decision| match decision {
        None => serde_json::Value::Null,
        Some(([machine, other_proposal, other_patch], at, decision)) => serde_json::json!({
            "decision": decision, "at": at, "machine": machine,
            "other_proposal": other_proposal, "other_patch": other_patch
        }),
    })
}

prop_compose! {
    pub fn owned()(
        object in prop::sample::select(&["Lead", "Opportunity", "Account"]),
        fields in prop::collection::btree_map(
            prop::sample::select(&["Status", "Description", "Rating", "StageName", "Amount", "CloseDate", "NextStep", "Ghost__c"]),
            (value(), prop::option::of(value()), prop::option::of(value())),
            0..4,
        ),
        confidence in prop::option::of(-20_i64..140),
        times in (prop::option::of(-100_i64..30_000), -100_i64..30_000),
        flags in any::<[bool; 6]>(),
        state in prop::sample::select(&["live", "live", "live", "missing", "deleted", "converted"]),
        mode in prop::sample::select(&["live", "live", "shadow"]),
        decision in decision(),
        limits in (prop::option::of(-100_i64..30_000), prop::sample::select(&[None, Some("2026-05-01"), Some("2026-06-01")])),
    ) -> Owned {
        let [requires_review, superseded, open, done, switch, undescribed] = flags;
        let policy_field = if object == "Opportunity" { "StageName" } else { "Status" };
        let case = serde_json::json!({
            "name": "generated", "object": object, "patch": {}, "state": state,
            "confidence": confidence.map(|number| Decimal::new(number, 2).to_string()),
            "evaluated": times.0, "received": times.1, "requires_review": requires_review,
            "expires": limits.0, "hold": limits.1.map(|until| serde_json::json!({ "until": until })),
            "decision": decision, "undescribed": undescribed && open,
            "rules": { policy_field: { "mode": mode } },
            "auto_switch": if switch { vec!["Status"] } else { vec![] },
            "history": {
                "superseded_by": (superseded && done).then_some("p-2"),
                "open_promotion": open.then_some("m-1"),
                "already_promoted": done && open && superseded,
                "base_unproven": superseded && switch,
            },
        });
        let mut owned = serde_json::from_value::<Case>(case).unwrap().build();
        for (field, (proposed, base, current)) in fields {
            let field = FieldName::parse(field).unwrap();
            owned.proposal.patch.insert(field.clone(), proposed);
            let current = current.or_else(|| owned.record.fields.get(&field).cloned());
            if let Some(base) = base.or_else(|| current.clone()) {
                owned.proposal.base.insert(field.clone(), base);
            }
            owned.record.fields.extend(current.map(|current| (field, current)));
        }
        // The approver saw this patch, unless the case says otherwise.
        let digest = owned.proposal.patch_digest().unwrap();
        if let Some(approval) = owned.approval.as_mut() && requires_review {
            approval.patch_digest = digest;
        }
        owned
    }
}

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Block => 0,
        Outcome::Review => 1,
        Outcome::Promote => 2,
        _ => 3,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn total_and_the_same_bytes_each_time(owned in owned()) {
        let first = decide(&owned.input());
        let again = decide(&owned.clone().input());
        prop_assert_eq!(serde_json::to_vec(&first).unwrap(), serde_json::to_vec(&again).unwrap());
        let hidden = preview(&owned.input(), &first).to_string().contains('\u{202e}');
        prop_assert!(!hidden, "the card must spell out what reorders text");
    }

    #[test]
    fn a_judgement_is_the_heart_of_the_verdict(owned in owned()) {
        let input = owned.input();
        let (verdict, judgement) = (decide(&input), judge(&input));
        prop_assert_eq!(verdict.outcome, judgement.outcome);
        prop_assert_eq!(verdict.deciding().map(|finding| finding.code), judgement.because);
        prop_assert_eq!(verdict.plan, judgement.plan);
    }

    #[test]
    fn the_strongest_finding_decides(owned in owned()) {
        let verdict = decide(&owned.input());
        let expected = verdict.deciding().map_or(Some(Outcome::Promote), |finding| finding.code.effect().outcome());
        prop_assert_eq!(Some(verdict.outcome), expected);
        prop_assert_eq!(verdict.plan.is_some(), verdict.outcome == Outcome::Promote);
    }

    #[test]
    fn the_verdict_survives_the_ledger(owned in owned()) {
        let verdict = decide(&owned.input());
        let text = crate::domain::digest::canonical(&verdict).unwrap();
        prop_assert_eq!(serde_json::from_str::<crate::gate::Verdict>(&text).unwrap(), verdict);
    }

    #[test]
    fn only_what_was_approved_or_allowed_is_promoted(owned in owned()) {
        let verdict = decide(&owned.input());
        let Some(plan) = &verdict.plan else { return Ok(()) };
        let approved = owned.approval.as_ref().is_some_and(|approval| {
            approval.decision == crate::domain::Decision::Approved
                && approval.proposal_id == owned.proposal.id
                && approval.patch_digest == verdict.patch
                && !owned.history.machine_users.contains(&approval.decided_by)
        });
        let switch = owned.schema.as_ref().map(|schema| schema.auto_allowed.clone()).unwrap_or_default();
        let allowed = plan.changes.iter().all(|change| switch.contains(&change.field));
        let ground = if plan.basis == Basis::Approved { approved } else { allowed };
        prop_assert!(ground, "no ground for the promotion");
        for change in &plan.changes {
            prop_assert_eq!(owned.proposal.base.get(&change.field), Some(&change.before));
            prop_assert_eq!(owned.record.value(&change.field), Some(&change.before));
        }
    }

    #[test]
    fn more_confidence_never_blocks(owned in owned(), low in 0_i64..=100, more in 0_i64..=100) {
        let with = |percent: i64| {
            let mut owned = owned.clone();
            owned.proposal.confidence = Some(Decimal::new(percent.min(100), 2));
            decide(&owned.input()).outcome
        };
        let (before, after) = (with(low), with(low + more));
        if rank(before) < 3 && rank(after) < 3 {
            prop_assert!(rank(after) >= rank(before), "{before:?} became {after:?}");
        }
        prop_assert!(after != Outcome::Block || before == Outcome::Block);
    }

    #[test]
    fn waiting_alone_never_lets_anything_run(owned in owned(), minutes in 0_i64..40_000) {
        let now = decide(&owned.input());
        let mut later = owned.clone();
        later.now += SignedDuration::from_mins(minutes);
        let after = decide(&later.input());
        let clock = [FindingCode::EvaluatedInFuture, FindingCode::ApprovalInFuture];
        if after.outcome == Outcome::Promote && now.outcome != Outcome::Promote {
            prop_assert!(clock.iter().any(|code| now.has(*code)), "{:?}", now.findings);
        }
    }
}

#[test]
fn the_precedence_of_effects_is_the_documented_one() {
    let order = [
        Effect::Settled,
        Effect::Superseded,
        Effect::Refused,
        Effect::Rejected,
        Effect::NoChange,
        Effect::Stale,
        Effect::Blocked,
        Effect::Expired,
        Effect::Shadow,
        Effect::Hold,
        Effect::Review,
        Effect::Note,
    ];
    assert!(order.is_sorted());
}
