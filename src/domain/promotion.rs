//! A promotion: the exact change, why it may happen, and how it ended.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    creation::Making,
    digest::Digest,
    ids::{FieldName, ObjectName, PromotionId, ProposalId, RecordId},
    value::FieldValue,
};

/// On what ground a canonical field may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A person approved exactly this.
    Approved,
    /// Policy and the org's switch both allow it with no person.
    Auto,
    /// An earlier promotion is undone.
    Rollback,
    /// The state was announced as stale and its time is over.
    Decay,
}

/// One field's change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// Canonical field.
    pub field: FieldName,
    /// The value that must stand there when the write lands; also the before-image.
    pub before: FieldValue,
    /// The new value.
    pub after: FieldValue,
}

/// Provenance that lands on the record in the same write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stamps {
    /// When the newest signal behind the change happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_signal_at: Option<Timestamp>,
    /// Where it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_signal_source: Option<String>,
    /// Compact score computed from the evidence by policy weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_score: Option<Decimal>,
    /// From when on scheduled decay may move the new state back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay_eligible_on: Option<Date>,
    /// The new state does not decay, so the day of the old one is taken off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decay_ends: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Everything a promotion writes. Execution has no choice left to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Object API name.
    pub object: ObjectName,
    /// Record id; of a record that is to be made, its parent's.
    pub record: RecordId,
    /// Set where a record is made, or one that was made is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub making: Option<Making>,
    /// The proposal that is carried out, or whose promotion is undone.
    pub proposal_id: ProposalId,
    /// On what ground.
    pub basis: Basis,
    /// Changes, ordered by field name.
    pub changes: Vec<Change>,
    /// The record's promotion number that must stand when the write lands; the write sets it plus one.
    #[serde(with = "number_as_text")]
    pub expected_seq: u64,
    /// Provenance written along.
    pub stamps: Stamps,
    /// When the plan was made; written as the changed-at stamp.
    pub planned_at: Timestamp,
}

/// How a promotion stands. Every step is one ledger entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Settlement {
    /// Committed intent; nothing has been sent.
    Intended,
    /// A request may be under way; the outcome is not known yet.
    Sent,
    /// Sent, and the reply was lost or said nothing: settled only by reading the mark.
    Unknown {
        /// What was seen instead of an outcome.
        reason: String,
    },
    /// The record carries our mark.
    Done,
    /// The value or the number had moved before anything was sent, or a void closed it.
    Stale {
        /// What moved.
        reason: String,
    },
    /// Salesforce refused for good.
    Refused {
        /// Salesforce's code, for example `FIELD_CUSTOM_VALIDATION_EXCEPTION`.
        code: String,
        /// Salesforce's text, as data.
        message: String,
    },
    /// A void write is being used to close it.
    Voiding {
        /// Why it is closed.
        reason: String,
    },
    /// The record is gone.
    Gone,
    /// The number moved on under a mark that is not ours: somebody else writes stamps. Alarm.
    Conflict {
        /// The mark that was found.
        mark: String,
    },
}

impl Settlement {
    /// True when nothing more will be sent for this promotion.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Intended | Self::Sent | Self::Unknown { .. } | Self::Voiding { .. })
    }

    /// The state's name as the ledger stores it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Sent => "sent",
            Self::Unknown { .. } => "unknown",
            Self::Done => "done",
            Self::Stale { .. } => "stale",
            Self::Refused { .. } => "refused",
            Self::Voiding { .. } => "voiding",
            Self::Gone => "gone",
            Self::Conflict { .. } => "conflict",
        }
    }
}

/// A promotion as the ledger's outbox holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Its id, the mark that lands on the record. Never changes between attempts.
    pub id: PromotionId,
    /// What it writes. Never changes between attempts.
    pub plan: Plan,
    /// How many times a send was started (counted before each send).
    #[serde(with = "number_as_text")]
    pub attempts: u64,
    /// How it stands.
    pub settlement: Settlement,
    /// The promotion that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<PromotionId>,
    /// The rollback that it belongs to, when people gave their names and reasons for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Digest>,
    /// Proof of landing from the echo event or a later read: key to text, for example `transaction_key`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proof: BTreeMap<String, String>,
}

impl Promotion {
    /// Whether its end proves that the record's number moved on: it landed, or the void write that
    /// closed it did. A void is a second send; what was stale at the first one moved nothing.
    pub fn moved_the_number(&self) -> bool {
        match self.settlement {
            Settlement::Done => true,
            Settlement::Stale { .. } => self.attempts > 1,
            _ => false,
        }
    }
}

/// Integers as text, because canonical JSON holds no numbers.
pub mod number_as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    /// Writes the number as text.
    pub fn serialize<S: Serializer>(number: &u64, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(number)
    }

    /// Reads it back.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
        String::deserialize(input)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settlement_is_told_by_name_and_ends_where_nothing_follows() {
        let reason = String::new;
        let all = [
            (Settlement::Intended, "intended", false),
            (Settlement::Sent, "sent", false),
            (Settlement::Unknown { reason: reason() }, "unknown", false),
            (Settlement::Voiding { reason: reason() }, "voiding", false),
            (Settlement::Done, "done", true),
            (Settlement::Stale { reason: reason() }, "stale", true),
            (Settlement::Refused { code: reason(), message: reason() }, "refused", true),
            (Settlement::Gone, "gone", true),
            (Settlement::Conflict { mark: reason() }, "conflict", true),
        ];
        for (settlement, name, ended) in all {
            assert_eq!((settlement.name(), settlement.is_final()), (name, ended));
            assert_eq!(serde_json::to_value(&settlement).unwrap()["state"], name);
        }
    }

    #[test]
    fn a_state_that_does_not_decay_is_written_down_and_any_other_is_not() {
        let told = |decay_ends| serde_json::to_value(Stamps { decay_ends, ..Stamps::default() }).unwrap();
        assert_eq!(told(true)["decay_ends"], true);
        assert_eq!(told(false).get("decay_ends"), None);
    }

    #[test]
    fn the_number_moved_with_what_landed_and_with_a_void() {
        let stale = Settlement::Stale { reason: String::new() };
        let moved = |settlement, attempts| {
            let plan = Plan {
                object: ObjectName::parse("Lead").unwrap(),
                record: RecordId::parse(&RecordId::complete("00QDp0000012345").unwrap()).unwrap(),
                proposal_id: ProposalId::parse("p-1").unwrap(),
                basis: Basis::Auto,
                making: None,
                changes: Vec::new(),
                expected_seq: 0,
                stamps: Stamps::default(),
                planned_at: Timestamp::UNIX_EPOCH,
            };
            let (id, proof) = (PromotionId::new("m-1"), BTreeMap::new());
            let promotion = Promotion { id, plan, attempts, settlement, undoes: None, rollback: None, proof };
            promotion.moved_the_number()
        };
        assert!(moved(Settlement::Done, 1) && moved(stale.clone(), 2) && moved(stale.clone(), 3));
        assert!(!moved(stale.clone(), 1), "stale at the first send: nothing was written");
        assert!(!moved(stale, 0) && !moved(Settlement::Gone, 2) && !moved(Settlement::Sent, 2));
    }

    #[test]
    fn numbers_are_kept_as_text() {
        #[derive(Serialize, Deserialize)]
        struct Held(#[serde(with = "number_as_text")] u64);
        assert_eq!(serde_json::to_string(&Held(42)).unwrap(), r#""42""#);
        assert_eq!(serde_json::from_str::<Held>(r#""42""#).unwrap().0, 42);
        assert!(serde_json::from_str::<Held>(r#""-1""#).is_err());
    }
}
