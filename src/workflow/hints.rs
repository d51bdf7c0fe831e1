//! What change events tell: which records to read again, who decided, and which writes landed.
//!
//! Events are hints. Of a decision only identity and time are taken from them, which the
//! platform sets, and only while the record still carries the decision that the event spoke of.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    domain::{
        BreakGlassUse, Decision, FieldName, FieldValue, ObjectName, PromotionId, RecordId, break_glass::Seen,
    },
    salesforce::{
        change_event::{Change, ChangeType},
        names::{self, ObjectContract},
    },
    telemetry::stream::StreamMode,
};

/// What an event told about a decision: who committed it and when, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionHint {
    /// `commitUser` of the change that set the decision.
    pub decided_by: RecordId,
    /// `commitTimestamp` of it.
    pub decided_at: Timestamp,
    /// The decision, when the event carried it.
    pub decision: Option<Decision>,
    /// The proposal that the reviewer saw, when the event carried it.
    pub proposal_id: Option<String>,
}

impl DecisionHint {
    /// What a change says about a decision. `None` when it sets none: a proposer that puts the
    /// decision back to pending decides nothing.
    fn of(change: &Change, user: Option<RecordId>) -> Option<Self> {
        let set = |field: &str| {
            let changed = change.changed_fields.iter().any(|name| name == field);
            changed.then(|| change.values.get(field).and_then(FieldValue::as_text)).flatten()
        };
        let told = set(names::DECISION);
        let decision = told.and_then(decision_of);
        let proposal_id = set(names::DECISION_PROPOSAL_ID).filter(|id| !id.is_empty());
        let decides = match told {
            Some(_) => decision.is_some(),
            None => proposal_id.is_some(),
        };
        let decided_by = user.filter(|_| decides)?;
        let decided_at = change.committed_at;
        Some(Self { decided_by, decided_at, decision, proposal_id: proposal_id.map(str::to_owned) })
    }

    /// Whether it is about this decision on this proposal, as far as the event told.
    pub fn speaks_of(&self, decision: Decision, proposal_id: Option<&str>) -> bool {
        self.decision.is_none_or(|told| told == decision)
            && self.proposal_id.as_deref().is_none_or(|told| Some(told) == proposal_id)
    }
}

/// A value of `AI_Decision__c` that decides something.
pub fn decision_of(text: &str) -> Option<Decision> {
    match text {
        "Approved" => Some(Decision::Approved),
        "Rejected" => Some(Decision::Rejected),
        _ => None,
    }
}

/// What a step found in the inbox.
#[derive(Debug, Default)]
pub struct Hints {
    /// Records to read again, with what the event told about a decision.
    pub records: BTreeMap<ObjectName, BTreeMap<RecordId, Option<DecisionHint>>>,
    /// Echoes of our own promotions, with proof of landing.
    pub echoes: Vec<(PromotionId, BTreeMap<String, String>)>,
    /// Uses of break-glass.
    pub break_glass: Vec<BreakGlassUse>,
    /// Values of governed fields that were set by somebody else than the daemon.
    pub touches: Vec<Touch>,
    /// Events could not be told apart by record: everything pending must be read.
    pub sweep: bool,
}

/// Somebody set governed fields of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// Object.
    pub object: ObjectName,
    /// Record.
    pub record: RecordId,
    /// Who, as far as that is known.
    pub by: Option<RecordId>,
    /// When it was committed.
    pub at: Timestamp,
    /// The values that were set, as far as the event carried them.
    pub values: BTreeMap<FieldName, FieldValue>,
}

impl Touch {
    /// What a change set; `None` for one that set nothing governed, or of which nobody knows who did it.
    fn of(
        change: &Change,
        (contract, record, user): (&ObjectContract, &RecordId, Option<&RecordId>),
    ) -> Option<Self> {
        let lanes = contract.lanes.iter().map(|lane| lane.field);
        let set = lanes.filter(|field| change.changed_fields.iter().any(|name| name == field));
        let value = |field| Some((FieldName::parse(field).ok()?, change.values.get(field)?.clone()));
        let values: BTreeMap<FieldName, FieldValue> = set.filter_map(value).collect();
        if values.is_empty() {
            return None;
        }
        let object = ObjectName::parse(contract.object).ok()?;
        Some(Self {
            object,
            record: record.clone(),
            by: Some(user?.clone()),
            at: change.committed_at,
            values,
        })
    }
}

/// What is listened for.
pub struct Ears<'a> {
    /// Objects that the policy names.
    pub contracts: Vec<&'static ObjectContract>,
    /// The daemon's own users, whose writes come back as echoes.
    pub machine_users: &'a [RecordId],
}

impl Hints {
    /// Adds what one change tells.
    pub fn take(&mut self, ears: &Ears<'_>, change: &Change) {
        let Some(contract) = ears.contracts.iter().find(|contract| contract.object == change.object) else {
            return;
        };
        if change.change_type == ChangeType::GapOverflow {
            StreamMode::Overflow.count(1);
            self.sweep = true;
            return;
        }
        if change.change_type.is_gap() {
            StreamMode::Gap.count(1);
        }
        if change.record_ids.len() > 1 {
            StreamMode::Merged.count(1);
        }
        let user = RecordId::parse(&change.user_id).ok();
        let changed = |field: &str| change.changed_fields.iter().any(|name| name == field);
        let by_us = user.as_ref().is_some_and(|user| ears.machine_users.contains(user));
        if by_us
            && !changed(names::PROPOSAL_ID)
            && changed(names::LAST_PROMOTION_ID)
            && let Some(mark) = change.values.get(names::LAST_PROMOTION_ID).and_then(FieldValue::as_text)
        {
            self.echoes.extend(echo(change, mark));
            return;
        }
        let Ok(object) = ObjectName::parse(contract.object) else { return };
        let reason = change.values.get(names::BREAK_GLASS_REASON).and_then(FieldValue::as_text);
        let broken = reason.filter(|reason| changed(names::BREAK_GLASS_REASON) && !reason.is_empty());
        let decision = DecisionHint::of(change, user.clone());
        let records = self.records.entry(object.clone()).or_default();
        for id in &change.record_ids {
            let Ok(id) = RecordId::parse(id) else {
                StreamMode::Wildcard.count(1);
                self.sweep = true;
                continue;
            };
            if let Some(reason) = broken {
                self.break_glass.push(BreakGlassUse {
                    object: object.clone(),
                    record: id.clone(),
                    by: user.clone(),
                    at: change.committed_at,
                    reason: Some(reason.to_owned()),
                    seen: Seen::Event,
                });
            }
            if !by_us {
                self.touches.extend(Touch::of(change, (*contract, &id, user.as_ref())));
            }
            let hint = records.entry(id).or_default();
            if decision.is_some() {
                hint.clone_from(&decision);
            }
        }
    }
}

/// Our own mark in a change event: proof that the promotion landed. A void proves nothing new.
fn echo(change: &Change, mark: &str) -> Option<(PromotionId, BTreeMap<String, String>)> {
    if mark.starts_with("void:") {
        return None;
    }
    let proof = BTreeMap::from([
        ("by".to_owned(), "echo".to_owned()),
        ("transaction_key".to_owned(), change.transaction_key.clone()),
        ("commit_number".to_owned(), change.commit_number.to_string()),
    ]);
    Some((PromotionId::new(mark), proof))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::names::LEAD;

    const RECORD: &str = "00QCs0000000001MAA";
    const PERSON: &str = "005Cs0000000003IAA";
    const DAEMON: &str = "005Cs0000000001IAA";

    fn change(user: &str, values: &[(&str, Option<&str>)]) -> Change {
        Change {
            object: "Lead".into(),
            record_ids: vec![RECORD.into()],
            change_type: ChangeType::Update,
            origin: String::new(),
            client: None,
            transaction_key: "key".into(),
            sequence: 1,
            committed_at: "2026-05-01T07:00:00Z".parse().unwrap(),
            commit_number: 7,
            user_id: user.into(),
            changed_fields: values.iter().map(|(field, _)| (*field).to_owned()).collect(),
            nulled_fields: Vec::new(),
            diff_fields: Vec::new(),
            values: values
                .iter()
                .map(|(field, value)| ((*field).to_owned(), value.map_or(FieldValue::Null, FieldValue::text)))
                .collect(),
        }
    }

    fn taken(changes: &[Change]) -> Hints {
        let machines = [RecordId::parse(DAEMON).unwrap()];
        let ears = Ears { contracts: vec![&LEAD], machine_users: &machines };
        let mut hints = Hints::default();
        for change in changes {
            hints.take(&ears, change);
        }
        hints
    }

    /// The record's hint; outer `None` when the record is not to be read at all.
    fn hint(changes: &[Change]) -> Option<Option<DecisionHint>> {
        let hints = taken(changes);
        hints.records.values().next()?.get(&RecordId::parse(RECORD).unwrap()).cloned()
    }

    #[test]
    fn a_decision_is_told_with_its_proposal() {
        let found = hint(&[change(
            PERSON,
            &[(names::DECISION, Some("Approved")), (names::DECISION_PROPOSAL_ID, Some("p-1"))],
        )]);
        let found = found.unwrap().unwrap();
        assert_eq!(found.decided_by.as_str(), PERSON);
        assert_eq!((found.decision, found.proposal_id.as_deref()), (Some(Decision::Approved), Some("p-1")));
    }

    #[test]
    fn putting_the_decision_back_to_pending_decides_nothing() {
        for value in [Some("Pending"), None, Some("Surprise")] {
            let reset = change(
                PERSON,
                &[
                    (names::PROPOSAL_ID, Some("p-2")),
                    (names::DECISION, value),
                    (names::DECISION_PROPOSAL_ID, None),
                ],
            );
            assert_eq!(hint(&[reset]), Some(None), "{value:?}: the record is read, nobody decided");
        }
    }

    #[test]
    fn a_new_proposal_after_a_decision_does_not_rename_the_decider() {
        let decided = change(
            PERSON,
            &[(names::DECISION, Some("Approved")), (names::DECISION_PROPOSAL_ID, Some("p-1"))],
        );
        let reset = change(DAEMON, &[(names::PROPOSAL_ID, Some("p-2")), (names::DECISION, Some("Pending"))]);
        let found = hint(&[decided, reset]).unwrap().unwrap();
        assert_eq!(found.decided_by.as_str(), PERSON);
        assert!(found.speaks_of(Decision::Approved, Some("p-1")));
        assert!(!found.speaks_of(Decision::Approved, Some("p-2")));
        assert!(!found.speaks_of(Decision::Rejected, Some("p-1")));
    }

    #[test]
    fn an_event_that_tells_only_the_proposal_fits_either_decision() {
        let found = hint(&[change(PERSON, &[(names::DECISION_PROPOSAL_ID, Some("p-1"))])]).unwrap().unwrap();
        assert!(found.speaks_of(Decision::Approved, Some("p-1")));
        assert!(found.speaks_of(Decision::Rejected, Some("p-1")));
    }

    #[test]
    fn an_enriched_decision_that_did_not_change_is_nobodys() {
        let mut edit = change(PERSON, &[("Company", Some("Example Widgets Ltd"))]);
        edit.values.insert(names::DECISION.into(), FieldValue::text("Approved"));
        assert_eq!(hint(&[edit]), Some(None));
    }

    #[test]
    fn what_somebody_else_set_is_a_touch_and_what_only_stands_there_is_none() {
        let mut set =
            change(PERSON, &[("Status", Some("Working - Contacted")), ("Company", Some("Example Ltd"))]);
        let touches = taken(std::slice::from_ref(&set)).touches;
        assert_eq!((touches.len(), touches[0].values.len()), (1, 1), "Company is not governed");
        assert_eq!((touches[0].by.as_ref().unwrap().as_str(), touches[0].at), (PERSON, set.committed_at));
        set.values.clear();
        assert!(taken(std::slice::from_ref(&set)).touches.is_empty(), "the event does not say what was set");
        let mut enriched = change(PERSON, &[("Company", Some("Example Ltd"))]);
        enriched.values.insert("Status".into(), FieldValue::text("Working - Contacted"));
        assert!(taken(&[enriched]).touches.is_empty(), "it did not change");
        assert!(taken(&[change(DAEMON, &[("Status", Some("Working - Contacted"))])]).touches.is_empty());
    }

    #[test]
    fn echoes_are_proof_and_a_notice_has_its_record_read() {
        let landed = taken(&[change(DAEMON, &[(names::LAST_PROMOTION_ID, Some("promo-1"))])]);
        assert_eq!(landed.echoes.len(), 1);
        assert_eq!(landed.echoes[0].0.as_str(), "promo-1");
        assert!(landed.records.is_empty());
        let void = taken(&[change(DAEMON, &[(names::LAST_PROMOTION_ID, Some("void:promo-1"))])]);
        assert!(void.echoes.is_empty() && void.records.is_empty());
        let notice = taken(&[change(DAEMON, &[(names::OUTCOME, Some("refused: x"))])]);
        assert!(notice.echoes.is_empty(), "a notice proves nothing");
        assert_eq!(notice.records.len(), 1, "it may have taken the flag of a newer proposal");
        let foreign = taken(&[change(PERSON, &[(names::LAST_PROMOTION_ID, Some("promo-1"))])]);
        assert!(foreign.echoes.is_empty(), "somebody else's mark proves nothing");
    }

    #[test]
    fn a_changed_break_glass_reason_is_a_use() {
        let used =
            change(PERSON, &[(names::BREAK_GLASS_REASON, Some("the gate was down")), (names::PENDING, None)]);
        let found = taken(std::slice::from_ref(&used)).break_glass;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].by.as_ref().map(RecordId::as_str), Some(PERSON));
        assert_eq!(found[0].reason.as_deref(), Some("the gate was down"));
        assert_eq!((found[0].at, found[0].seen), (used.committed_at, Seen::Event));
        let mut enriched = change(PERSON, &[("Company", Some("Example Widgets Ltd"))]);
        enriched.values.insert(names::BREAK_GLASS_REASON.into(), FieldValue::text("the gate was down"));
        assert!(taken(&[enriched]).break_glass.is_empty(), "it did not change");
    }

    /// A naive intake takes the first id, or the values that are not there.
    #[test]
    fn all_records_of_an_event_are_read_also_when_it_has_no_values() {
        let mut merged = change(PERSON, &[(names::PROPOSAL_ID, Some("p-1"))]);
        merged.record_ids.push("00QCs0000000002MAA".into());
        assert_eq!(taken(&[merged]).records.values().next().unwrap().len(), 2);
        for kind in
            [ChangeType::GapCreate, ChangeType::GapUpdate, ChangeType::GapDelete, ChangeType::GapUndelete]
        {
            for user in [PERSON, DAEMON] {
                let mut gap = change(user, &[]);
                gap.change_type = kind;
                assert_eq!(hint(&[gap]), Some(None), "{kind:?} by {user}: read, and nobody decided");
            }
        }
    }

    #[test]
    fn what_names_no_record_asks_for_a_sweep() {
        let mut wild = change(PERSON, &[(names::PROPOSAL_ID, Some("p-1"))]);
        wild.record_ids = vec!["00Q*".into()];
        assert!(taken(&[wild]).sweep);
        let mut overflow = change(PERSON, &[]);
        overflow.change_type = ChangeType::GapOverflow;
        assert!(taken(&[overflow]).sweep);
        let mut other = change(PERSON, &[(names::PROPOSAL_ID, Some("p-1"))]);
        other.object = "Contact".into();
        let other = taken(&[other]);
        assert!(!other.sweep && other.records.is_empty());
    }
}
