//! The inputs: the golden cases of both packs, and a grid around the ones of the lead pack.

use countersign::{
    config::policies,
    domain::{Approval, Decision, ObjectSchema, Proposal, RecordSnapshot},
    gate::{History, Input, Rules, golden::GoldenCase},
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

const LEAD: &str = include_str!("../../../config/policies/cases/lead-lifecycle.toml");
const OPPORTUNITY: &str = include_str!("../../../config/policies/cases/opportunity-pilot.toml");
const STATES: &[&str] = &[
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Not Converted",
    "Closed - Converted",
    "Nowhere",
];

#[derive(Deserialize)]
struct File {
    case: Vec<GoldenCase>,
}

/// Everything that an input borrows.
#[derive(Debug, Clone)]
pub struct World {
    pub name: String,
    pub proposal: Proposal,
    pub record: RecordSnapshot,
    pub approval: Option<Approval>,
    pub history: History,
    pub schema: Option<ObjectSchema>,
    pub now: Timestamp,
}

impl World {
    fn of(case: &GoldenCase, rules: &Rules) -> Self {
        let own = |input: &Input<'_>, _: &_| Self {
            name: case.name.clone(),
            proposal: input.proposal.clone(),
            record: input.record.clone(),
            approval: input.approval.cloned(),
            history: input.history.clone(),
            schema: input.schema.cloned(),
            now: input.now,
        };
        case.look(rules, own).expect("a golden case can be run").1
    }

    /// The input of a decision under the rules.
    pub fn input<'a>(&'a self, rules: &'a Rules) -> Input<'a> {
        Input {
            proposal: &self.proposal,
            record: &self.record,
            approval: self.approval.as_ref(),
            history: &self.history,
            schema: self.schema.as_ref(),
            rules,
            now: self.now,
        }
    }
}

/// The shipped rules.
pub fn rules() -> Rules {
    Rules::new(policies::load_default().expect("the shipped policies")).expect("a digest")
}

/// The golden cases of the lead pack.
pub fn lead(rules: &Rules) -> Vec<World> {
    golden(LEAD, rules)
}

/// The golden cases of the opportunity pack.
pub fn opportunity(rules: &Rules) -> Vec<World> {
    golden(OPPORTUNITY, rules)
}

fn golden(text: &str, rules: &Rules) -> Vec<World> {
    let file: File = toml::from_str(text).expect("golden cases");
    file.case.iter().map(|case| World::of(case, rules)).collect()
}

/// Every combination of states, confidence, age, decision and switch.
pub fn grid(rules: &Rules) -> Vec<World> {
    let mut worlds = Vec::new();
    for from in STATES {
        for to in STATES {
            for share in [None, Some(49), Some(50), Some(89), Some(90), Some(100)] {
                for looked in [5, 1440, 1441, 1445, 1446] {
                    for decision in [None, Some(Decision::Approved), Some(Decision::Rejected)] {
                        let case = case((from, to), share, looked, decision);
                        worlds.extend(around(&case, rules));
                    }
                }
            }
        }
    }
    worlds
}

fn case((from, to): (&str, &str), share: Option<i64>, looked: i64, decision: Option<Decision>) -> GoldenCase {
    let case = json!({
        "name": format!("{from} to {to}, {share:?} %, looked {looked} minutes ago, {decision:?}"),
        "object": "Lead", "record": { "Status": from }, "change": { "Status": to },
        "confidence": share.map(|share| Decimal::new(share, 2).to_string()),
        "looked_minutes_ago": looked, "decision": decision, "expect": "review",
    });
    serde_json::from_value(case).expect("a case")
}

/// The case with the switch on and off, and once each with something else that stands in the way.
fn around(case: &GoldenCase, rules: &Rules) -> Vec<World> {
    let on = GoldenCase { switches: vec!["Status".to_owned()], ..case.clone() };
    let asked = GoldenCase { requires_review: true, ..on.clone() };
    let held = GoldenCase { hold_until: "2026-01-15".parse().ok(), ..on.clone() };
    let free = GoldenCase { hold_until: "2026-01-14".parse().ok(), ..on.clone() };
    let saw = [("Status".to_owned(), json!("Open - Not Contacted"))].into();
    let moved = GoldenCase { saw, ..on.clone() };
    let unnamed = GoldenCase {
        change: [("Rating".to_owned(), json!("Hot"))].into(),
        record: [("Rating".to_owned(), json!("Cold"))].into(),
        ..on.clone()
    };
    let worlds = [case.clone(), on, asked, held, free, moved, unnamed];
    let mut worlds: Vec<World> = worlds.iter().map(|case| World::of(case, rules)).collect();
    let aged = |minutes: i64| {
        let mut world = World::of(case, rules);
        world.now += jiff::SignedDuration::from_mins(minutes);
        world
    };
    worlds.extend([4_318, 4_319, 4_320, 20_155, 20_156].map(aged));
    let mut other = World::of(case, rules);
    if let Some(approval) = &mut other.approval {
        approval.patch_digest = countersign::domain::Digest::of_bytes(b"another patch");
        worlds.push(other);
    }
    worlds
}
