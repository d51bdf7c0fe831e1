//! What the story's actors did, as they remember it: proposals, objections and what they were told.

use jiff::Timestamp;

use crate::cast::{Agent, KEY, NAMED};

/// A proposal that an agent sent.
#[derive(Debug, Clone)]
pub struct Proposed {
    pub id: String,
    pub agent: Agent,
    pub object: &'static str,
    pub record: String,
    pub field: &'static str,
    pub value: String,
    /// What the record held when it was sent.
    pub base: String,
    /// Which part of the records.
    pub segment: &'static str,
    pub at: Timestamp,
    /// What the door answered: it went on, or it was only recorded.
    pub went_on: bool,
}

/// A line of the daemon's log that carries a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub at: Timestamp,
    pub code: String,
    /// The user that it names.
    pub user: String,
}

/// Everything that actors know.
#[derive(Debug, Default)]
pub struct Diary {
    pub proposed: Vec<Proposed>,
    /// Warnings and errors that the daemon logged.
    pub said: Vec<Said>,
    /// Slots at which each job ran: its name and when.
    pub slots: Vec<(&'static str, Timestamp)>,
    /// When the daemon swept.
    pub sweeps: Vec<Timestamp>,
    /// Announced leads that people have read about.
    pub objections: usize,
    /// Record and last day of each hold, and when it was set.
    pub holds: Vec<(String, jiff::civil::Date, Timestamp)>,
}

impl Diary {
    /// When a job ran, in order.
    pub fn runs_of(&self, job: &str) -> Vec<Timestamp> {
        self.slots.iter().filter(|(name, _)| *name == job).map(|(_, at)| *at).collect()
    }
}

/// The part of the leads that a place in their list belongs to.
pub fn lead_segment(place: usize) -> &'static str {
    if place < NAMED { "named accounts" } else { "general" }
}

/// The part of the deals.
pub fn deal_segment(place: usize) -> &'static str {
    if place < KEY { "key accounts" } else { "general" }
}
