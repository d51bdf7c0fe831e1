//! Records whose flag is on while nothing stands there that could be judged.

use super::{OTHER, REVIEWER, at, known, promotion, reading, user};
use crate::{
    domain::{RecordState, Settlement, Stage, event::Event},
    gate::Rules,
    salesforce::RecordReading,
    workflow::consider::{Case, Desk, consider},
    workflow::tally::Tally,
};

fn withdrawn() -> RecordReading {
    let mut reading = reading();
    reading.slot.proposal_id = None;
    reading
}

fn kinds(case: &Case<'_>) -> Vec<&'static str> {
    let rules = Rules::new(crate::config::policies::load(None).unwrap()).unwrap();
    let tally = Tally::default();
    let machines = [user(OTHER)];
    let desk = Desk { rules: &rules, described: None, machine_users: &machines, tally: &tally, now: at(6) };
    consider(&desk, case).unwrap().iter().map(Event::kind).collect()
}

fn case(reading: &RecordReading) -> Case<'_> {
    Case { reading, known: Vec::new(), open_promotion: None, told: false, signals: Vec::new(), hint: None }
}

#[test]
fn a_flag_without_a_proposal_is_taken_off_one_time() {
    let idle = withdrawn();
    assert_eq!(kinds(&case(&idle)), ["notice_intended"]);
    assert!(kinds(&Case { told: true, signals: Vec::new(), ..case(&idle) }).is_empty(), "it is on its way");
    let mut quiet = withdrawn();
    quiet.slot.pending = false;
    assert!(kinds(&case(&quiet)).is_empty());
}

#[test]
fn a_proposal_whose_flag_a_late_notice_took_is_heard() {
    let mut reading = reading();
    reading.slot.pending = false;
    reading.snapshot.modified_by = Some(user(OTHER));
    assert_eq!(kinds(&case(&reading))[0], "proposal_received", "the daemon itself saved the record last");
    reading.snapshot.modified_by = Some(user(REVIEWER));
    assert!(kinds(&case(&reading)).is_empty(), "nobody asks");
}

#[test]
fn a_withdrawn_proposal_ends_first() {
    let idle = withdrawn();
    let both = kinds(&Case { known: vec![known(None)], ..case(&idle) });
    assert_eq!(both, ["stage_changed", "notice_intended"]);
    let ended = crate::ledger::ProposalRecord { stage: Stage::Rejected, ..known(None) };
    assert_eq!(kinds(&Case { known: vec![ended], ..case(&idle) }), ["notice_intended"]);
}

#[test]
fn what_is_under_way_keeps_the_flag() {
    let idle = withdrawn();
    let id = promotion(Settlement::Sent, 1).id;
    assert!(kinds(&Case { open_promotion: Some(id), ..case(&idle) }).is_empty());
    let mut fresh = known(None);
    fresh.proposal.door = crate::domain::Door::Cli;
    fresh.proposal.received_at = at(5);
    fresh.landed = false;
    assert!(kinds(&Case { known: vec![fresh], ..case(&idle) }).is_empty(), "it may be about to land");
    let mut gone = withdrawn();
    gone.snapshot.state = RecordState::Deleted;
    assert!(kinds(&case(&gone)).is_empty());
}

#[test]
fn what_cannot_be_read_is_told_one_time() {
    let mut bad = reading();
    bad.slot.proposal_id = Some("not an id!".into());
    assert_eq!(kinds(&case(&bad)), ["submission_refused", "notice_intended"]);
    assert!(kinds(&Case { told: true, signals: Vec::new(), ..case(&bad) }).is_empty());
}
