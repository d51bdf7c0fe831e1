//! Worlds to decide in: each starts as a golden case of a shipped policy.

use std::{path::Path, sync::LazyLock};

use countersign::{
    config::policies,
    domain::{Approval, ObjectSchema, Proposal, RecordId, RecordSnapshot},
    gate::{History, Input, Rules, golden::GoldenCase},
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

const CASES: &[&str] = &[
    include_str!("../../../config/policies/cases/lead-lifecycle.toml"),
    include_str!("../../../config/policies/cases/opportunity-pilot.toml"),
];

/// Short id of the user that may never decide.
const MACHINE: &str = "005000000000009";

#[derive(Deserialize)]
struct File {
    case: Vec<GoldenCase>,
}

/// The shipped rules, and rules that use every way to narrow.
static RULES: LazyLock<[Rules; 2]> = LazyLock::new(|| {
    let shipped = policies::load_default().expect("the shipped policies");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let narrow = policies::load_dir(&folder).expect("the narrow policies");
    [shipped, narrow].map(|policy| Rules::new(policy).expect("a digest"))
});

static STARTS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let read = |text: &&str| toml::from_str::<File>(text).expect("golden cases").case;
    CASES.iter().flat_map(read).map(|case| World::of(&case)).collect()
});

/// Everything that an input borrows.
#[derive(Debug, Clone)]
pub struct World {
    pub proposal: Proposal,
    pub record: RecordSnapshot,
    pub approval: Option<Approval>,
    pub history: History,
    pub schema: Option<ObjectSchema>,
    pub narrow: bool,
    pub now: Timestamp,
}

impl World {
    /// The golden case of a number, or the last one. Every budget was counted, and none is spent.
    pub fn start(number: u8, narrow: bool) -> Self {
        let last = STARTS.len() - 1;
        let mut world = Self { narrow, ..STARTS[usize::from(number).min(last)].clone() };
        world.history.counts = world.counted().into_iter().map(|name| (name, Decimal::ZERO)).collect();
        world
    }

    /// The names of what the budgets count for this proposal.
    pub fn counted(&self) -> Vec<String> {
        let budgets =
            self.input().object_policy().map(|policy| policy.budgets.as_slice()).unwrap_or_default();
        budgets.iter().flat_map(|budget| budget.keys(&self.proposal)).map(|key| key.name()).collect()
    }

    fn of(case: &GoldenCase) -> Self {
        let own = |input: &Input<'_>, _: &_| Self {
            proposal: input.proposal.clone(),
            record: input.record.clone(),
            approval: input.approval.cloned(),
            history: History { machine_users: vec![machine()], ..input.history.clone() },
            schema: input.schema.cloned(),
            narrow: false,
            now: input.now,
        };
        case.look(&RULES[0], own).expect("a golden case").1
    }

    pub fn input(&self) -> Input<'_> {
        Input {
            proposal: &self.proposal,
            record: &self.record,
            approval: self.approval.as_ref(),
            history: &self.history,
            schema: self.schema.as_ref(),
            rules: &RULES[usize::from(self.narrow)],
            now: self.now,
        }
    }
}

/// The user that may never decide.
pub fn machine() -> RecordId {
    id(MACHINE)
}

/// A record id from its short form.
pub fn id(short: &str) -> RecordId {
    RecordId::parse(&RecordId::complete(short).expect("a short id")).expect("a full id")
}
