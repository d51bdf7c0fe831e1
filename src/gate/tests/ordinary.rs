//! Inputs as they come every day, and some that never should.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{
    making::making,
    narrowing::narrowing,
    properties::owned,
    scheduled::scheduled,
    world::{Case, NOW, Owned},
};
use crate::{
    domain::{
        Digest, Drift, Evidence, FieldName, Freeze, ObjectName, Scope,
        drift::{Change, ChangeKind},
        shadow::lane::LaneFact,
    },
    gate::Rules,
};

const STATES: &[&str] = &[
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Not Converted",
    "Closed - Converted",
    "Parked",
];
/// Ends of a step that may run by itself; mostly those of the world.
const STEPS: &[Option<(&str, &str)>] = &[
    None,
    None,
    None,
    Some(("any", "any")),
    Some(("blank", "any")),
    Some(("any", r#"["Working - Contacted"]"#)),
    Some((r#"["Open - Not Contacted"]"#, "any")),
];
const STAGES: &[&str] = &["Prospecting", "Qualification", "Negotiation/Review", "Closed Won"];

prop_compose! {
    /// Inputs as they come every day: most of them could run, and one or two things are off.
    pub fn ordinary()(
        lead in any::<bool>(),
        (now, next, more) in (0_usize..5, 0_usize..5, 0_usize..4),
        amounts in (prop::option::of(1_i64..40_000), 1_i64..40_000),
        days in (1_i8..28, 1_i8..28, 1_i8..12),
        confidence in prop::option::weighted(0.9, 40_i64..=100),
        (looked, waited, age) in (0_i64..200, 0_i64..4_000, prop::sample::select(&[0_i64, 0, 0, 0, 5_000, 30_000])),
        decision in prop::option::weighted(0.6, (0_i64..3_000, prop::sample::select(&[true, true, true, false]), 0_u8..20)),
        odd in prop::collection::vec(0_u8..40, 2),
        evidence in 0_usize..3,
        path in prop::sample::select(&["approval_only", "approval_only", "block_and_alert"]),
        steps in prop::sample::select(STEPS),
        mode in prop::sample::select(&["live", "live", "live", "live", "shadow"]),
        typed in prop::option::weighted(0.1, prop::collection::vec(prop::sample::select(STATES), 1..5)),
    ) -> Owned {
        let is = |code: u8| odd.contains(&code);
        let (object, patch, record) = if lead {
            let record = if is(16) { serde_json::json!({ "Status": null }) } else { serde_json::json!({ "Status": STATES[now % 4] }) };
            (("Lead", "Status"), serde_json::json!({ "Status": STATES[next] }), record)
        } else {
            let mut patch = serde_json::json!({ "StageName": STAGES[next % 4] });
            let date = |day: i8| format!("2026-{:02}-{day:02}", days.2);
            if more & 1 == 1 { patch["Amount"] = amounts.1.to_string().into(); }
            if more & 2 == 2 { patch["CloseDate"] = date(days.1).into(); }
            let record = serde_json::json!({ "StageName": STAGES[now % 4], "CloseDate": date(days.0),
                "Amount": amounts.0.map(|amount| amount.to_string()) });
            (("Opportunity", "StageName"), patch, record)
        };
        let signal = serde_json::json!({ "kind": "reply", "source": "mailbox", "occurred_at": "2026-05-20T09:00:00Z" });
        let received = waited + age;
        let decided = decision.map(|(at, approved, odd)| serde_json::json!({
            "decision": if approved { "approved" } else { "rejected" }, "at": at.min(received),
            "machine": odd == 1, "other_proposal": odd == 2, "other_patch": odd == 3,
        }));
        let tier = if lead { "autonomous" } else { "reviewed" };
        let path = if lead { path } else { "approval_only" };
        let mut rules = serde_json::json!({ "tier": tier, "path": path, "mode": mode });
        if let (true, Some((from, to))) = (lead, steps) {
            let end = |word: &str| serde_json::from_str(word).unwrap_or_else(|_| serde_json::json!(word));
            let (from, to): (serde_json::Value, serde_json::Value) = (end(from), end(to));
            rules["auto"] = serde_json::json!([{ "from": from, "to": to, "min_confidence": "0.8" }]);
        }
        let case = serde_json::json!({
            "name": "ordinary", "object": object.0, "patch": patch, "record": record,
            "confidence": confidence.map(|share| Decimal::new(share, 2).to_string()),
            "evaluated": (!is(4)).then_some(received + looked), "received": received, "decision": decided,
            "requires_review": is(5), "edited": is(17), "evidence": vec![signal; evidence],
            "expires": is(6).then_some(10), "hold": is(7).then(|| serde_json::json!({ "until": "2026-05-20" })),
            "rules": { object.1: rules },
            "record_type": typed.map(|values| serde_json::json!({ "Status": values })),
            "auto_switch": if is(8) { vec![] } else { vec!["Status", "StageName"] },
            "undescribed": is(9), "state": if is(10) { "converted" } else { "live" },
            "base": if is(11) { serde_json::json!({ object.1: "Parked" }) } else { serde_json::json!({}) },
            "history": { "open_promotion": is(12).then_some("m-1"), "already_promoted": is(13),
                "superseded_by": is(14).then_some("p-2"), "base_unproven": is(15) },
        });
        serde_json::from_value::<Case>(case).unwrap().build()
    }
}

/// What the ledger may know besides: counts, freezes, other agents.
fn known() -> impl Strategy<Value = (Option<i64>, Option<&'static str>, bool, bool, Vec<LaneFact>)> {
    let scopes = [
        "org",
        "automatic",
        "record:Lead.00QDp0000000042MAA",
        "lane:Lead.Status",
        "lane:Lead.Rating",
        "agent:nightly-enricher",
        "agent:somebody-else",
    ];
    let frozen = prop::option::weighted(0.1, prop::sample::select(scopes.to_vec()));
    (
        prop::option::weighted(0.9, 0_i64..4),
        frozen,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.3),
        lanes(),
    )
}

/// Lanes that people let act until a moment around now, or that stepped back.
fn lanes() -> impl Strategy<Value = Vec<LaneFact>> {
    let until = prop::sample::select(vec![None, Some(-1_i64), Some(0), Some(1), Some(9)]);
    let field = prop::sample::select(vec!["Status", "StageName"]);
    let one = (field, until).prop_map(|(field, until)| {
        let now: Timestamp = NOW.parse().unwrap();
        LaneFact {
            field: FieldName::parse(field).unwrap(),
            until: until.map(|minutes| now + SignedDuration::from_mins(minutes)),
            by: "somebody".into(),
            at: now,
        }
    });
    prop::option::weighted(0.3, one).prop_map(|lane| lane.into_iter().collect())
}

/// What the org may have changed: any kind, of any lane or of all.
fn drift() -> impl Strategy<Value = Drift> {
    let fields = [None, Some("Status"), Some("Rating"), Some("StageName")];
    let change = (prop::sample::select(ChangeKind::ALL), prop::sample::select(fields.to_vec()));
    let object = prop::sample::select(vec!["Lead", "Lead", "Opportunity"]);
    (object, prop::collection::vec(change, 1..3)).prop_map(|(object, changes)| {
        let change = |(kind, field): (ChangeKind, Option<&str>)| Change {
            kind,
            field: field.map(|field| FieldName::parse(field).unwrap()),
            subject: None,
            before: None,
            after: None,
        };
        Drift {
            object: ObjectName::parse(object).unwrap(),
            since: "2026-05-20T11:00:00Z".parse().unwrap(),
            ground: Digest::from_hex("00".to_owned()),
            changes: changes.into_iter().map(change).collect(),
        }
    })
}

pub fn inputs() -> impl Strategy<Value = Owned> {
    let any = prop_oneof![18 => ordinary().boxed(), 2 => owned().boxed(), 2 => making().boxed(), 4 => scheduled().boxed()];
    let drift = prop::option::weighted(0.1, drift());
    (any, prop::option::weighted(0.4, narrowing()), known(), drift).prop_map(
        |(mut owned, narrowing, known, drift)| {
            owned.history.drift = drift;
            if let Some(narrowing) = narrowing {
                owned.rules = Rules::new(narrowing.of(owned.rules.policy())).unwrap();
            }
            let (count, frozen, disputed, signal, lanes) = known;
            owned.history.lanes = lanes;
            let budgets = owned.rules.policy().objects.values().flat_map(|policy| &policy.budgets);
            let keys = budgets.flat_map(|budget| budget.keys(&owned.proposal));
            owned.history.counts = keys.filter_map(|key| Some((key.name(), count?.into()))).collect();
            owned.history.frozen.extend(frozen.map(|scope| Freeze {
                scope: Scope::parse(scope).unwrap(),
                since: owned.now,
                by: "somebody".into(),
                reason: "generated".into(),
            }));
            // The first is the proposal's own again, the second another one.
            for at in ["2026-05-20T09:00:00Z", "2026-05-20T09:30:00Z"].into_iter().filter(|_| signal) {
                owned.history.signals.push(Evidence {
                    kind: "reply".into(),
                    source: "mailbox".into(),
                    occurred_at: at.parse().unwrap(),
                    link: None,
                    digest: None,
                });
            }
            owned.history.disputed_by.extend(disputed.then(|| "another-agent".to_owned()));
            owned
        },
    )
}
