//! Everything that a decision rests on. Nothing else may influence it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Approval, CanonicalError, Change, Digest, Door, Drift, Evidence, FieldName, FieldPolicy, FieldValue,
    Freeze, Mode, ObjectPolicy, ObjectSchema, Policy, Proposal, Quiet, RecordId, RecordSnapshot,
    policy::CreateRule, shadow::lane::LaneFact,
};

/// The rules in force, with their digest computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    policy: Policy,
    digest: Digest,
}

impl Rules {
    /// Binds a policy to its digest.
    pub fn new(policy: Policy) -> Result<Self, CanonicalError> {
        let digest = policy.digest()?;
        Ok(Self { policy, digest })
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// The input of `decide`.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What is proposed.
    pub proposal: &'a Proposal,
    /// The record as it was read just now.
    pub record: &'a RecordSnapshot,
    /// The decision on it, if any.
    pub approval: Option<&'a Approval>,
    /// What the ledger knows besides.
    pub history: &'a History,
    /// What the org says about the object; `None` when it could not be described.
    pub schema: Option<&'a ObjectSchema>,
    /// The rules in force.
    pub rules: &'a Rules,
    /// The time of the decision.
    pub now: Timestamp,
}

impl<'a> Input<'a> {
    /// Whether countersign's own schedule proposes it.
    pub fn scheduled(&self) -> bool {
        self.proposal.door == Door::Schedule
    }

    /// The rules of the proposal's object.
    pub fn object_policy(&self) -> Option<&'a ObjectPolicy> {
        self.rules.policy().objects.get(&self.proposal.object)
    }

    /// Whether a new record is asked for. [`Input::record`] is its parent then.
    pub fn makes(&self) -> bool {
        self.proposal.creates.is_some()
    }

    /// The rule that names the record to be made, where one is asked for and named.
    pub fn create_rule(&self) -> Option<&'a CreateRule> {
        self.object_policy()?.create_rule(&self.proposal.creates.as_ref()?.rule)
    }

    /// Every field of the record to be made: what is proposed, what the rule fixes, and the parent.
    pub fn made(&self) -> BTreeMap<FieldName, FieldValue> {
        let mut made = self.proposal.patch.clone();
        let (Some(creates), Some(rule)) = (&self.proposal.creates, self.create_rule()) else { return made };
        made.extend(rule.fixed_values().map(|(field, value)| (field.clone(), value)));
        if let Some(link) = rule.parents.get(&creates.parent) {
            made.insert(link.clone(), FieldValue::text(self.proposal.record.as_str()));
        }
        made
    }

    /// The proposed fields that the policy names, each with its rules and the proposed value. None
    /// where a record is to be made: its rules are those of [`Input::create_rule`].
    pub fn governed(&self) -> impl Iterator<Item = (&'a FieldName, &'a FieldPolicy, &'a FieldValue)> {
        let fields = self.object_policy().filter(|_| !self.makes()).map(|policy| &policy.fields);
        self.proposal
            .patch
            .iter()
            .filter_map(move |(field, value)| fields?.get(field).map(|rules| (field, rules, value)))
    }

    /// What people or the watch last said of a proposed field's lane.
    pub fn lane(&self, field: &FieldName) -> Option<&'a LaneFact> {
        self.history.lanes.iter().find(|lane| lane.field == *field)
    }

    /// Whether a field of these rules acts: people let it until a day that has not come, or the policy says
    /// so and it has not stepped back.
    pub fn is_live(&self, field: &FieldName, rules: &FieldPolicy) -> bool {
        match self.lane(field) {
            Some(lane) => lane.until.is_some_and(|until| self.now < until),
            None => rules.mode == Mode::Live,
        }
    }

    /// The proposal's own evidence, and the signals of the record that are not among it. The same
    /// thing told twice is one.
    pub fn evidence(&self) -> impl Iterator<Item = &'a Evidence> {
        let own = &self.proposal.evidence;
        let same = |one: &Evidence, other: &Evidence| {
            (&one.kind, &one.source, one.occurred_at) == (&other.kind, &other.source, other.occurred_at)
        };
        let signals = self.history.signals.iter();
        own.iter().chain(signals.filter(move |signal| !own.iter().any(|one| same(one, signal))))
    }

    /// The changes that the record does not hold yet, by field name. A field that could not
    /// be read is left out.
    pub fn changes(&self) -> Vec<Change> {
        if self.makes() {
            let new = |(field, after)| Change { field, before: FieldValue::Null, after };
            return self.made().into_iter().filter(|(_, after)| !after.is_null()).map(new).collect();
        }
        let readable = self.proposal.patch.iter().filter_map(|(field, after)| {
            let before = self.record.value(field)?;
            (before != after).then(|| Change {
                field: field.clone(),
                before: before.clone(),
                after: after.clone(),
            })
        });
        readable.collect()
    }
}

/// Facts from the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The newer proposal for the same record that has come in.
    pub superseded_by: Option<String>,
    /// Another promotion of the same record that has not ended.
    pub open_promotion: Option<String>,
    /// This proposal has already been promoted.
    pub already_promoted: bool,
    /// The record was changed between the decision and the first read of the proposal, so
    /// nobody can say which base the approver saw.
    pub base_unproven: bool,
    /// Users who may never decide: the proposer's and the promoter's own.
    pub machine_users: Vec<RecordId>,
    /// Freezes in force that may reach the proposal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<Freeze>,
    /// What the org was seen to differ in from what people accepted for the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Lanes of the proposal that people let act, or that stepped back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<LaneFact>,
    /// Other agents whose open proposals for the record held other values for the same fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disputed_by: Vec<String>,
    /// What systems told of the record besides the proposal's own evidence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Evidence>,
    /// How long the record has been quiet; read for what the schedule proposes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// An open proposal of somebody else for the record; asked for what the schedule proposes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_proposal: Option<String>,
    /// What the policy's budgets count, by [`crate::domain::policy::CountKey::name`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, Decimal>,
}

/// How the facts of a verdict name a count: this and the count's name.
pub const COUNT_FACT: &str = "count: ";
/// How they name [`History::disputed_by`], which stands there as a JSON list.
pub const DISPUTED_FACT: &str = "disputed_by";

#[cfg(test)]
mod tests {
    use crate::gate::tests::world::Case;

    #[test]
    fn the_same_signal_told_twice_is_one() {
        let piece = |kind: &str, source: &str, at: &str| serde_json::json!({ "kind": kind, "source": source, "occurred_at": at });
        let own = piece("reply", "mailbox", "2026-05-20T09:00:00Z");
        let signals = [
            own.clone(),
            piece("call", "mailbox", "2026-05-20T09:00:00Z"),
            piece("reply", "phone", "2026-05-20T09:00:00Z"),
            piece("reply", "mailbox", "2026-05-20T09:00:01Z"),
        ];
        let case = serde_json::json!({
            "name": "told twice", "patch": { "Status": "Working - Contacted" },
            "evidence": [own], "history": { "signals": signals }
        });
        let owned = serde_json::from_value::<Case>(case).unwrap().build();
        let input = owned.input();
        let seen: Vec<_> = input.evidence().map(|item| (item.kind.as_str(), item.source.as_str())).collect();
        assert_eq!(
            seen,
            [("reply", "mailbox"), ("call", "mailbox"), ("reply", "phone"), ("reply", "mailbox")],
            "the proposal's own first, then the others that differ in anything"
        );
    }
}
