//! What the schedule proposes, held against a plain reading of the rules over generated records.

use jiff::{SignedDuration, Timestamp, civil::Date};
use proptest::prelude::*;

use super::world::{Case, NOW};
use crate::{
    domain::{Basis, FieldName, FieldValue, Quiet},
    gate::{Outcome, decide},
};

const STATES: &[&str] = &[
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Not Converted",
    "Closed - Converted",
    "Parked",
];

#[derive(Debug)]
struct Drawn {
    state: &'static str,
    target: &'static str,
    days: Option<u16>,
    /// Days before now: the day of decay, the last change, the last signal, a signal in the ledger.
    ages: [Option<i64>; 4],
    open: bool,
}

prop_compose! {
    fn drawn()(
        state in prop::sample::select(STATES),
        target in prop::sample::select(STATES),
        days in prop::option::of(0_u16..60),
        ages in [prop::option::of(-5_i64..90), prop::option::of(-5_i64..90), prop::option::of(-5_i64..90), prop::option::of(-5_i64..90)],
        open in prop::bool::weighted(0.1),
    ) -> Drawn {
        Drawn { state, target, days, ages, open }
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

/// Only from the one working state of the corpus, only to the first one, and only when everything that
/// is known is old enough. Now is noon in UTC, so today has just begun in the last zone.
fn may_move(drawn: &Drawn) -> bool {
    let [day, changed, signal, told] = drawn.ages;
    let step = drawn.state == "Working - Contacted" && drawn.target == "Open - Not Contacted";
    let old = |age: Option<i64>| age.is_none_or(|age| drawn.days.is_some_and(|days| age >= i64::from(days)));
    step && !drawn.open
        && drawn.days.is_some()
        && day.is_some_and(|day| day >= 0)
        && changed.is_some()
        && [changed, signal, told].into_iter().all(old)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_state_moves_back_exactly_when_the_rules_let_it(drawn in drawn()) {
        let mut case = Case::simple("Lead", "Status", drawn.target);
        case.scheduled = true;
        case.confidence = None;
        case.record.insert("Status".into(), drawn.state.into());
        let windows = drawn.days.map(|days| serde_json::json!({ "Working - Contacted": days.to_string() }));
        let windows = windows.unwrap_or_else(|| serde_json::json!({}));
        case.rules.insert("Status".into(), serde_json::json!({ "decay_after_days": windows }));
        let mut owned = case.build();
        let [day, changed, signal, told] = drawn.ages;
        let today: Date = "2026-05-20".parse().unwrap();
        owned.history.quiet = Some(Quiet {
            eligible_on: day.map(|days| today - jiff::Span::new().days(days)),
            changed_at: changed.map(ago),
            last_signal_at: signal.map(ago),
        });
        owned.history.open_proposal = drawn.open.then(|| "p-9".to_owned());
        let piece = |at: Timestamp| serde_json::json!({ "kind": "reply", "source": "mailbox", "occurred_at": at });
        owned.history.signals =
            told.into_iter().map(|days| serde_json::from_value(piece(ago(days))).unwrap()).collect();
        let verdict = decide(&owned.input());
        prop_assert_eq!(verdict.outcome == Outcome::Promote, may_move(&drawn), "{:?}", verdict);
        let Some(plan) = verdict.plan else { return Ok(()) };
        prop_assert_eq!(plan.basis, Basis::Decay);
        prop_assert_eq!(plan.changes.len(), 1);
        prop_assert_eq!(&plan.changes[0].before, &FieldValue::text(drawn.state));
        prop_assert_eq!(&plan.changes[0].after, &FieldValue::text("Open - Not Contacted"));
        prop_assert!(plan.stamps.decay_ends && plan.stamps.signal_score.is_none());
        prop_assert!(plan.stamps.last_signal_at.is_none(), "no signal is behind it");
    }
}

#[test]
fn a_step_to_a_state_that_decays_itself_gets_a_new_day() {
    let mut case = Case::simple("Opportunity", "StageName", "Qualification");
    case.scheduled = true;
    case.record.insert("StageName".into(), "Negotiation/Review".into());
    let days = serde_json::json!({ "Negotiation/Review": "10", "Qualification": "20" });
    case.rules.insert("StageName".into(), serde_json::json!({ "decay_after_days": days }));
    let mut owned = case.build();
    owned.history.quiet = Some(Quiet {
        eligible_on: Some("2026-05-01".parse().unwrap()),
        changed_at: Some(ago(40)),
        last_signal_at: None,
    });
    let verdict = decide(&owned.input());
    let plan = verdict.plan.unwrap_or_else(|| panic!("{:?}", verdict.findings));
    assert_eq!(plan.stamps.decay_eligible_on, "2026-06-09".parse().ok());
    assert!(!plan.stamps.decay_ends);
    assert_eq!(plan.changes[0].field, FieldName::parse("StageName").unwrap());
    assert_eq!(plan.expected_seq, owned.record.promotion_seq);
}
