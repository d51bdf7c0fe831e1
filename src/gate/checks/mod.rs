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
pub mod delta;
pub mod dispute;
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
    /// Adds what it finds.
    pub run: fn(&Input<'_>, &mut Findings),
}

macro_rules! check {
    ($module:ident) => {
        Check {
            name: stringify!($module),
            source: include_str!(concat!(stringify!($module), ".rs")),
            run: $module::check,
        }
    };
}

/// All checks. The order is the order of findings in a verdict, not their precedence
/// (that is [`super::finding::Effect`]'s).
pub const CHECKS: &[Check] = &[
    // Can it be judged at all?
    check!(inconclusive),
    // Does a rule name it?
    check!(lane),
    check!(operation),
    check!(agent),
    check!(budget),
    // Can the org hold it?
    check!(schema),
    check!(record),
    check!(protected),
    // Is it still this proposal's turn?
    check!(identity),
    check!(dispute),
    check!(superseded),
    check!(freshness),
    check!(expiry),
    // Does it rest on what the record holds?
    check!(base),
    check!(base_unproven),
    // Is it good enough?
    check!(confidence),
    check!(evidence),
    check!(lifecycle),
    check!(delta),
    // May it run, with a person or without?
    check!(approval),
    check!(autonomy),
    // May it run now?
    check!(manual_override),
    check!(freeze),
    check!(hold),
    check!(shadow),
];
