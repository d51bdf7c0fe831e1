//! The checks, one file each, in the order in which they run.
//!
//! Every file's module doc has five sections (`Refuses`, `Why`, `Evidence used`,
//! `How to fix`, `Setting`); [`super::explain`] prints them, so they are the reference.
//! A check reads the input and adds findings; it never stops the ones after it.

use super::{finding::Findings, input::Input};

pub mod agent;
pub mod approval;
pub mod autonomy;
pub mod base;
pub mod base_unproven;
pub mod budget;
pub mod confidence;
pub mod create;
pub mod create_person;
pub mod decay;
pub mod delta;
pub mod dispute;
pub mod drift;
pub mod evidence;
pub mod expiry;
pub mod freeze;
pub mod freshness;
pub mod hold;
pub mod identity;
pub mod inconclusive;
pub mod lane;
pub mod lifecycle;
pub mod manual_override;
pub mod operation;
pub mod protected;
pub mod record;
pub mod schema;
pub mod shadow;
pub mod superseded;

/// One check of the gate.
pub struct Check {
    /// Name, for pages and reports.
    pub name: &'static str,
    /// The file with the check and its documentation.
    pub source: &'static str,
    /// Whether it also looks at what the schedule proposes, which no agent and no person speaks for.
    pub of_schedule: bool,
    /// Adds what it finds.
    pub run: fn(&Input<'_>, &mut Findings),
}

macro_rules! check {
    ($module:ident) => {
        check!($module, false)
    };
    ($module:ident, schedule) => {
        check!($module, true)
    };
    ($module:ident, $of_schedule:literal) => {
        Check {
            name: stringify!($module),
            source: include_str!(concat!(stringify!($module), ".rs")),
            of_schedule: $of_schedule,
            run: $module::check,
        }
    };
}

/// All checks. The order is the order of findings in a verdict, not their precedence
/// (that is [`super::finding::Effect`]'s).
pub const CHECKS: &[Check] = &[
    // Can it be judged at all?
    check!(inconclusive, schedule),
    // Does a rule name it?
    check!(lane, schedule),
    check!(operation, schedule),
    check!(create),
    check!(agent),
    check!(budget),
    // Can the org hold it?
    check!(schema, schedule),
    check!(record, schedule),
    check!(protected, schedule),
    // Is it still this proposal's turn?
    check!(identity, schedule),
    check!(dispute),
    check!(superseded),
    check!(freshness),
    check!(expiry),
    // Does it rest on what the record holds?
    check!(base, schedule),
    check!(base_unproven),
    // Is it good enough?
    check!(confidence),
    check!(evidence),
    check!(lifecycle),
    check!(delta),
    check!(decay, schedule),
    // May it run, with a person or without?
    check!(approval),
    check!(autonomy),
    check!(create_person),
    // May it run now?
    check!(manual_override, schedule),
    check!(freeze, schedule),
    check!(drift, schedule),
    check!(hold, schedule),
    check!(shadow, schedule),
];
