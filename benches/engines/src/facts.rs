//! What the peers are told: the facts of an input that the lead pack's rules speak about. Nothing of
//! the daemon is named here, because the crate of Cedar reads this file too.

use serde::{Deserialize, Serialize};

/// The answers that every engine can give. Ours has ten outcomes; every one that neither writes nor
/// asks is `Block` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Answer {
    Allow,
    Review,
    Block,
}

/// Facts of one proposal with one text field. Ages are whole minutes, rounded up; the confidence is a
/// whole percent, rounded down, which no threshold of the pack can tell from the exact one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub field: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub base: Option<String>,
    pub confidence: Option<i64>,
    pub decision: Option<String>,
    pub same_patch: bool,
    pub decided_ago: i64,
    pub age_on_arrival: i64,
    pub age: i64,
    pub waiting: i64,
    pub hold_until: Option<i64>,
    pub today: i64,
    pub asks_for_review: bool,
    pub switch_on: bool,
}

/// What the peers know of the states: name, place in the order, terminal, reserved.
pub const STATES: &[(&str, i64, bool, bool)] = &[
    ("Open - Not Contacted", 0, false, false),
    ("Working - Contacted", 1, false, false),
    ("Closed - Not Converted", 2, true, false),
    ("Closed - Converted", 3, true, true),
];
