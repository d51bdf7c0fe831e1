//! What became of judged proposals: a watch on each proposed field, and labels that say what people did.
//!
//! A watch begins with the verdict. What people later do to the field labels it; a person who looks at
//! the case may say right or wrong, which outranks what was seen. Precision is counted from labels.
//!
//! A value that a program set is no person's verdict. It gives the label `program` and the watch goes on: a
//! person who changes the field later is still heard. Where nobody does, the watch ends as `program` and
//! not as `untouched`, because the field was touched, and the scorecard says how many were left out so.
//! It does not end early either: what a program does at night people see in the morning.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::who::Who;
use super::{
    ids::{FieldName, ObjectName, ProposalId, RecordId},
    value::FieldValue,
};

pub mod lane;
pub mod score;
pub mod who;
pub mod wilson;

/// The part of the records that belongs to no segment.
pub const GENERAL: &str = "general";
/// The part of a record of which nobody can say to which segment it belongs.
pub const UNTOLD: &str = "untold";
/// Who labels and steps back where no person does.
pub const WATCHER: &str = "countersign-shadow";

/// A proposal's fields are watched from its verdict on. A later watch of the same proposal takes the
/// place of the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Which proposal.
    pub proposal_id: ProposalId,
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// The proposed fields.
    pub fields: Vec<FieldName>,
    /// Who proposed.
    pub agent: String,
    /// In which version, when told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The part of the records, or [`GENERAL`], or [`UNTOLD`].
    pub segment: String,
    /// The proposal went on to people or to the record; else it was only recorded.
    pub live: bool,
    /// When the gate decided.
    pub since: Timestamp,
    /// When the watch ends.
    pub due: Timestamp,
}

macro_rules! labels {
    ($($name:ident = $text:literal, $doc:literal;)+) => {
        /// What became of a proposed field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Label {
            $(#[doc = $doc] $name,)+
        }

        impl Label {
            /// All of them, in the order in which reports tell them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name, as entries and reports spell it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// What it means.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $doc,)+
                }
            }
        }
    };
}

labels! {
    Match = "match", "A person set the proposed value within the time.";
    Other = "other", "A person set another value within the time, and never the proposed one.";
    Untouched = "untouched", "Nobody changed the field within the time. That is no answer.";
    Unclear = "unclear", "The field changed, and nothing tells that a person did it.";
    Program = "program", "A program set the field within the time, and no person did. That is no answer.";
    Approved = "approved", "A person approved the proposal.";
    Rejected = "rejected", "A person rejected the proposal.";
    Landed = "landed", "It was promoted with no person, and the time is not over.";
    Kept = "kept", "It was promoted with no person, and nobody put it back. That is no answer.";
    Undone = "undone", "It was promoted with no person, and a program put it back. That is no answer.";
    Reversed = "reversed", "It was promoted, and rolled back or changed back by a person.";
    Lapsed = "lapsed", "It ended in another way, or nobody decided within the time.";
    Right = "right", "A person looked at the case and says that it was right.";
    Wrong = "wrong", "A person looked at the case and says that it was wrong.";
}

impl Label {
    /// Whether a person said it about the case. It outranks what was seen.
    pub fn is_judgement(self) -> bool {
        matches!(self, Self::Right | Self::Wrong)
    }

    /// The label with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|label| label.name() == name)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A label was found or given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    /// Which proposal.
    pub proposal_id: ProposalId,
    /// Which of its fields.
    pub field: FieldName,
    /// What became of it.
    pub label: Label,
    /// The user whose change it is, a name as told on the command line, or [`WATCHER`].
    pub by: String,
    /// What kind of user that is, where it is the change of a user and somebody could tell.
    #[serde(default, skip_serializing_if = "Who::is_unknown")]
    pub who: Who,
    /// When that happened.
    pub at: Timestamp,
    /// Whether the watch ends with it.
    pub last: bool,
    /// The value that a person set instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<FieldValue>,
    /// Why, in the words of the person who judged the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a watched field stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// What was seen.
    pub label: Option<Label>,
    /// What a person said.
    pub judged: Option<Label>,
    /// When the label that counts was found, in whole seconds since 1970; 0 without one.
    pub labelled: i64,
    /// The watch has ended.
    pub settled: bool,
}

impl Standing {
    /// What follows from one more label. A judgement leaves the time of what was seen, so that judging an
    /// old case does not make it a new one.
    pub fn take(&mut self, found: &Labelled) {
        if found.label.is_judgement() {
            self.judged = Some(found.label);
            if self.labelled == 0 {
                self.labelled = found.at.as_second();
            }
            return;
        }
        self.label = Some(found.label);
        self.labelled = found.at.as_second();
        self.settled |= found.last;
    }
}

/// The label of a field that was only recorded, after one more change: a person's proposed value within
/// the time outranks a person's other one, and that outranks what a program did. `None` where the change
/// says nothing new.
pub fn after_change(
    known: Option<Label>,
    proposed: &FieldValue,
    (set, who): (&FieldValue, Who),
) -> Option<Label> {
    match (known, set == proposed) {
        (Some(_), _) if who == Who::Program => None,
        (None, _) if who == Who::Program => Some(Label::Program),
        (Some(Label::Match), _) => None,
        (_, true) => Some(Label::Match),
        (_, false) => Some(Label::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(label: Label, at: i64, last: bool) -> Labelled {
        Labelled {
            proposal_id: ProposalId::parse("p-1").unwrap(),
            field: FieldName::parse("Status").unwrap(),
            label,
            by: "somebody".into(),
            who: Who::Unknown,
            at: Timestamp::from_second(at).unwrap(),
            last,
            value: None,
            reason: None,
        }
    }

    #[test]
    fn names_are_what_entries_hold() {
        for label in Label::ALL {
            assert_eq!(serde_json::to_value(label).unwrap(), label.name());
            assert_eq!(Label::parse(label.name()), Some(*label));
            assert_eq!(label.to_string(), label.name());
            assert!(label.meaning().ends_with('.'));
        }
        assert_eq!(Label::parse("other "), None);
    }

    #[test]
    fn a_judgement_outlives_what_is_seen_later_and_keeps_its_time() {
        let mut standing = Standing::default();
        standing.take(&found(Label::Other, 10, false));
        standing.take(&found(Label::Right, 99, false));
        assert_eq!((standing.label, standing.judged), (Some(Label::Other), Some(Label::Right)));
        assert_eq!((standing.labelled, standing.settled), (10, false));
        standing.take(&found(Label::Match, 20, true));
        assert_eq!((standing.label, standing.judged), (Some(Label::Match), Some(Label::Right)));
        assert_eq!((standing.labelled, standing.settled), (20, true));
        let mut judged_first = Standing::default();
        judged_first.take(&found(Label::Wrong, 7, false));
        assert_eq!((judged_first.labelled, judged_first.settled), (7, false));
    }

    #[test]
    fn the_proposed_value_outranks_other_ones() {
        let (wanted, other) = (FieldValue::text("Won"), FieldValue::text("Lost"));
        for who in [Who::Person, Who::Unknown] {
            let after = |known, set| after_change(known, &wanted, (set, who));
            assert_eq!(after(None, &other), Some(Label::Other));
            assert_eq!(after(Some(Label::Other), &wanted), Some(Label::Match));
            assert_eq!(after(Some(Label::Match), &other), None);
            assert_eq!(after(Some(Label::Other), &other), Some(Label::Other), "which one may be news");
            assert_eq!(after(Some(Label::Program), &wanted), Some(Label::Match));
            assert_eq!(after(Some(Label::Program), &other), Some(Label::Other));
        }
    }

    #[test]
    fn what_a_program_set_is_no_answer_whatever_it_is() {
        let (wanted, other) = (FieldValue::text("Won"), FieldValue::text("Lost"));
        for set in [&wanted, &other] {
            let after = |known| after_change(known, &wanted, (set, Who::Program));
            assert_eq!(after(None), Some(Label::Program));
            for known in [Label::Program, Label::Other, Label::Match] {
                assert_eq!(after(Some(known)), None, "{known}");
            }
        }
    }

    #[test]
    fn an_entry_without_a_kind_of_user_is_of_nobody_known() {
        let told = serde_json::to_value(found(Label::Match, 10, true)).unwrap();
        assert!(told.get("who").is_none(), "{told}");
        assert_eq!(serde_json::from_value::<Labelled>(told).unwrap().who, Who::Unknown);
        let by = Labelled { who: Who::Program, ..found(Label::Program, 10, false) };
        assert_eq!(serde_json::to_value(&by).unwrap()["who"], "program");
    }
}
