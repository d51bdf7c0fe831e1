//! A reviewer's own values under the agent's proposal: whose they are, and what becomes of the original.

use super::{OTHER, PROPOSER, REVIEWER, at, field, known, reading, user};
use crate::{
    domain::{Decision, FieldValue, Stage, event::Event},
    gate::Rules,
    salesforce::RecordReading,
    workflow::{
        consider::{Case, Desk, consider},
        hints::DecisionHint,
        observe,
        tally::Tally,
    },
};

/// The reading after "edit and approve": one save by the reviewer.
fn edited() -> RecordReading {
    let mut reading = reading();
    let slot = &mut reading.slot;
    slot.proposal_id = Some("p-1~a7".into());
    slot.edited_from = Some("p-1".into());
    slot.decision = Some("Approved".into());
    slot.decision_proposal_id = Some("p-1~a7".into());
    slot.confidence = Some(rust_decimal::Decimal::new(12, 2));
    slot.reason = Some("the model's words about another value".into());
    slot.evaluated_at = Some(at(-9000));
    slot.patch.insert(field("Status"), FieldValue::text("Closed - Not Converted"));
    reading.snapshot.modified_at = at(5);
    reading.snapshot.modified_by = Some(user(REVIEWER));
    reading
}

fn hint() -> DecisionHint {
    DecisionHint {
        decided_by: user(REVIEWER),
        decided_at: at(5),
        decision: Some(Decision::Approved),
        proposal_id: Some("p-1~a7".into()),
    }
}

fn events(reading: &RecordReading, hint: Option<DecisionHint>) -> Vec<Event> {
    let rules = Rules::new(crate::config::policies::load(None).unwrap()).unwrap();
    let machines = [user(PROPOSER)];
    let tally = Tally::default();
    let desk = Desk { rules: &rules, described: None, machine_users: &machines, tally: &tally, now: at(6) };
    let case = Case {
        reading,
        known: vec![known(None)],
        open_promotion: None,
        told: false,
        signals: Vec::new(),
        hint,
    };
    consider(&desk, &case).unwrap()
}

#[test]
fn it_is_the_reviewers_proposal_and_not_the_models() {
    let proposal = observe::proposal(&edited(), "p-1~a7", (at(6), Some(&hint()))).unwrap();
    assert_eq!(proposal.edited_from.as_ref().map(|id| id.as_str()), Some("p-1"));
    assert_eq!(proposal.actor.agent, REVIEWER);
    assert_eq!((proposal.confidence, proposal.reason), (None, None), "those were about another value");
    assert_eq!(proposal.evaluated_at, Some(at(5)), "the person looked when the person decided");
}

#[test]
fn without_an_event_the_stamp_and_then_the_last_save_name_the_reviewer() {
    let mut stamped = edited();
    stamped.slot.decided_by = Some(user(OTHER));
    stamped.slot.decided_at = Some(at(4));
    let named = |reading: &RecordReading| {
        let proposal = observe::proposal(reading, "p-1~a7", (at(6), None)).unwrap();
        (proposal.actor.agent, proposal.evaluated_at)
    };
    assert_eq!(named(&stamped), (OTHER.into(), Some(at(4))));
    assert_eq!(named(&edited()), (REVIEWER.into(), Some(at(5))));
}

#[test]
fn the_original_ends_as_superseded_and_names_its_successor() {
    let events = events(&edited(), Some(hint()));
    assert_eq!(
        events[0],
        Event::StageChanged {
            proposal_id: known(None).proposal.id,
            stage: Stage::Superseded,
            code: "edited".into(),
            successor: crate::domain::ProposalId::parse("p-1~a7").ok(),
        }
    );
    assert!(matches!(&events[1], Event::ProposalReceived { proposal } if proposal.edited_from.is_some()));
    assert!(
        matches!(&events[2], Event::DecisionObserved { approval } if approval.decided_by == user(REVIEWER))
    );
}

#[test]
fn a_field_left_over_from_an_earlier_edit_makes_no_lineage() {
    let unedited = |change: fn(&mut RecordReading)| {
        let mut reading = edited();
        change(&mut reading);
        let id = reading.slot.proposal_id.clone().unwrap();
        let proposal = observe::proposal(&reading, &id, (at(6), None)).unwrap();
        assert_eq!(proposal.edited_from, None);
        assert!(proposal.confidence.is_some(), "it is an agent's");
    };
    unedited(|reading| reading.slot.proposal_id = Some("p-2".into()));
    unedited(|reading| reading.slot.proposal_id = Some("p-1~".into()));
    unedited(|reading| reading.slot.proposal_id = Some("p-10~a7".into()));
    unedited(|reading| reading.slot.decision = Some("Pending".into()));
    unedited(|reading| reading.slot.decision_proposal_id = Some("p-1".into()));
    let mut newer = edited();
    newer.slot.proposal_id = Some("p-2".into());
    assert!(
        matches!(&events(&newer, None)[0], Event::StageChanged { code, .. } if code == "superseded"),
        "p-1 was not edited into p-2"
    );
}
