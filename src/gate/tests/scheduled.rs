//! What the schedule proposes: mostly the step back of a stale record, and one or two things are off.

use jiff::{SignedDuration, Span, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use super::{ordinary::ordinary, world::Owned};
use crate::{
    domain::{Door, FieldName, FieldPolicy, FieldValue, Quiet, policy::DecaySegment},
    gate::Rules,
};

/// What is known of a record's age, in days before now, and what the policy gives it.
#[derive(Debug, Clone)]
struct Age {
    eligible: Option<i64>,
    changed: Option<i64>,
    signal: Option<i64>,
    /// Days for the state in general, and in a part of the records.
    days: Option<u8>,
    of_part: Option<Option<u8>>,
    /// What names the part.
    part: usize,
}

prop_compose! {
    fn age()(
        eligible in prop::option::weighted(0.95, -2_i64..60),
        changed in prop::option::weighted(0.95, -2_i64..90),
        signal in prop::option::weighted(0.2, -2_i64..90),
        days in prop::option::weighted(0.95, 0_u8..40),
        of_part in prop::option::weighted(0.4, prop::option::weighted(0.8, 0_u8..60)),
        part in 0_usize..4,
    ) -> Age {
        Age { eligible, changed, signal, days, of_part, part }
    }
}

/// States that have a way back, by object.
const AT_WORK: [(&str, &str); 3] = [
    ("Lead", "Working - Contacted"),
    ("Opportunity", "Qualification"),
    ("Opportunity", "Negotiation/Review"),
];

/// Inputs through the door of the schedule. Nobody decides on them, so there is no decision.
pub fn scheduled() -> impl Strategy<Value = Owned> {
    let rare = || prop::bool::weighted(0.1);
    let often = || prop::bool::weighted(0.85);
    let off = (often(), often(), often(), rare(), rare(), 1_usize..3);
    (ordinary(), age(), off).prop_map(|(mut owned, age, (at_work, steps_back, alone, open, busy, which))| {
        owned.proposal.door = Door::Schedule;
        owned.approval = None;
        owned.history.open_proposal = open.then(|| "p-9".to_owned());
        owned.history.open_promotion = busy.then(|| "m-1".to_owned());
        owned.history.quiet = Some(quiet(&age, owned.now));
        let is_lead = owned.proposal.object.as_str() == "Lead";
        let field = FieldName::parse(if is_lead { "Status" } else { "StageName" }).unwrap();
        if alone {
            owned.proposal.patch.retain(|name, _| *name == field);
        }
        if at_work {
            let state = FieldValue::text(AT_WORK[if is_lead { 0 } else { which }].1);
            let stood = owned.proposal.base.get(&field) == owned.record.fields.get(&field);
            if stood {
                owned.proposal.base.insert(field.clone(), state.clone());
            }
            owned.record.fields.insert(field.clone(), state);
        }
        owned.rules = rules(&mut owned, (&field, &age), steps_back);
        owned
    })
}

/// The rules with days for the record's state. `steps_back` has the proposal take the step that they mean.
fn rules(owned: &mut Owned, (field, age): (&FieldName, &Age), steps_back: bool) -> Rules {
    let mut policy = owned.rules.policy().clone();
    let own = policy.objects.get_mut(&owned.proposal.object).and_then(|own| own.fields.get_mut(field));
    let state = owned.record.fields.get(field).and_then(FieldValue::as_text).map(str::to_owned);
    if let (Some(own), Some(state)) = (own, state) {
        give_days(own, &state, age);
        let place = own.lifecycle.iter().position(|known| *known == state);
        let before = place.and_then(|place| own.lifecycle.get(place.checked_sub(1)?));
        if let (true, Some(before)) = (steps_back, before) {
            owned.proposal.patch.insert(field.clone(), FieldValue::text(before.clone()));
        }
    }
    Rules::new(policy).unwrap()
}

fn quiet(age: &Age, now: Timestamp) -> Quiet {
    let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    Quiet {
        eligible_on: age.eligible.map(|days| today - Span::new().days(days)),
        changed_at: age.changed.map(ago),
        last_signal_at: age.signal.map(ago),
    }
}

fn give_days(rules: &mut FieldPolicy, state: &str, age: &Age) {
    rules.decay_after_days.clear();
    rules.decay_after_days.extend(age.days.map(|days| (state.to_owned(), Decimal::from(days))));
    let Some(days) = age.of_part else { return };
    let conditions = [
        json!({ "field": "Name", "operator": { "is_any_of": ["Example Widgets Ltd"] } }),
        json!({ "field": "Status", "operator": { "is_any_of": [state] } }),
        json!({ "field": "Amount", "operator": { "above": "10" } }),
        json!({ "field": "StageName", "operator": { "is_blank": false } }),
    ];
    let after = days.map_or_else(|| json!({}), |days| json!({ state: days.to_string() }));
    let part = json!({ "name": "a part", "when": { "test": conditions[age.part] }, "after_days": after });
    rules.decay_segments = vec![serde_json::from_value::<DecaySegment>(part).unwrap()];
}
