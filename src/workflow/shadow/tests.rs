//! Labels against a plain reading of the whole history, which has everything and looks back at it.

use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    due::{untold, went},
    seen::{Eyes, by_reading, label},
};
use crate::{
    domain::{
        Approval, Decision, FieldValue, PromotionId, RecordId, RecordState, Stage,
        shadow::{Label, Labelled, Standing, WATCHER, who::Who},
    },
    ledger::{ProposalRecord, Watched},
    salesforce::{ProposalSlot, RecordReading},
    workflow::{
        hints::Touch,
        people::{Asked, People},
        tests::{OTHER, PROPOSER, REVIEWER, at, field, known, proposal, reading, user},
    },
};

const BASE: &str = "Open - Not Contacted";
const WANTED: &str = "Working - Contacted";
const ELSE: &str = "Closed - Not Converted";
/// The watch is from this minute to the other one.
const SINCE: i64 = 10;
const DUE: i64 = 50;

fn watched(live: bool, stage: Stage) -> Watched {
    let mut proposal = proposal();
    proposal.actor.agent = PROPOSER.into();
    Watched {
        field: field("Status"),
        live,
        since: at(SINCE).as_second(),
        due: at(DUE).as_second(),
        standing: Standing::default(),
        proposal: ProposalRecord { stage, proposal, promotion: promotion(stage), ..known(None) },
    }
}

/// What was carried out has a promotion.
fn promotion(stage: Stage) -> Option<PromotionId> {
    matches!(stage, Stage::Promoted | Stage::RolledBack).then(|| PromotionId::new("promotion".to_owned()))
}

fn touch(by: &str, minute: i64, value: &str) -> Touch {
    let record = reading().snapshot;
    Touch {
        object: record.object,
        record: record.record,
        by: Some(user(by)),
        at: at(minute),
        values: [(field("Status"), FieldValue::text(value))].into(),
    }
}

/// A user that the org says is an integration.
const SYNC: &str = "005Cs0000000009IAA";

fn asked() -> Asked {
    [(user(SYNC), Who::Program), (user(REVIEWER), Who::Person)].into_iter().collect()
}

fn labelled(watched: &Watched, touch: &Touch) -> Option<Labelled> {
    label(watched, touch, &asked())
}

fn read_by(watched: &Watched, reading: &RecordReading, machines: &[RecordId]) -> Option<Labelled> {
    by_reading(watched, reading, &Eyes { machines, people: &People::default(), asked: &asked() })
}

/// Plays a history in order, each change delivered as often as it says, and ends the watch.
fn played(history: &[(Touch, usize)], mut watched: Watched) -> Standing {
    let mut now = BASE.to_owned();
    for (touch, times) in history {
        for _ in 0..*times {
            if let Some(found) = labelled(&watched, touch) {
                watched.standing.take(&found);
            }
        }
        if touch.at <= at(DUE) {
            now = touch.values[&field("Status")].as_text().unwrap().to_owned();
        }
    }
    let mut reading = reading();
    reading.snapshot.fields.insert(field("Status"), FieldValue::text(now));
    let last = watched.standing.label.unwrap_or_else(|| untold(&watched, Some(&reading)));
    watched.standing.take(&Labelled { label: last, last: true, ..told(&watched) });
    watched.standing
}

fn told(watched: &Watched) -> Labelled {
    Labelled {
        proposal_id: watched.proposal.proposal.id.clone(),
        field: watched.field.clone(),
        label: Label::Unclear,
        by: "somebody".into(),
        who: Who::Unknown,
        at: at(DUE),
        last: false,
        value: None,
        reason: None,
    }
}

/// The same from the words of the definition: any match by a person within the time, else any other
/// value, else whatever a program set, else whether the field is what it was.
fn plainly(history: &[(Touch, usize)]) -> Label {
    let value = |touch: &Touch| touch.values[&field("Status")].as_text().unwrap().to_owned();
    let within: Vec<&Touch> = history
        .iter()
        .map(|(touch, _)| touch)
        .filter(|touch| touch.at >= at(SINCE) && touch.at <= at(DUE) && touch.by != Some(user(PROPOSER)))
        .collect();
    let by_people = || within.iter().filter(|touch| touch.by != Some(user(SYNC)));
    if by_people().any(|touch| value(touch) == WANTED) {
        return Label::Match;
    }
    if by_people().next().is_some() {
        return Label::Other;
    }
    if !within.is_empty() {
        return Label::Program;
    }
    let last = history.iter().map(|(touch, _)| touch).rfind(|touch| touch.at <= at(DUE));
    match last.map(value) {
        Some(now) if now != BASE => Label::Unclear,
        _ => Label::Untouched,
    }
}

fn history() -> impl Strategy<Value = Vec<(Touch, usize)>> {
    let who = prop::sample::select(vec![REVIEWER, OTHER, PROPOSER, SYNC]);
    let what = prop::sample::select(vec![BASE, WANTED, ELSE]);
    let one = (who, 0_i64..60, what, 1_usize..3);
    prop::collection::vec(one, 0..5).prop_map(|mut all| {
        all.sort_by_key(|(_, minute, ..)| *minute);
        all.dedup_by_key(|(_, minute, ..)| *minute);
        all.into_iter().map(|(who, minute, what, times)| (touch(who, minute, what), times)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn labels_are_what_a_plain_reading_of_the_history_says(history in history()) {
        let found = played(&history, watched(false, Stage::Shadow));
        prop_assert_eq!(found.label, Some(plainly(&history)), "{:?}", history);
        prop_assert!(found.settled);
    }
}

#[test]
fn the_value_that_a_person_set_instead_is_kept_and_a_match_ends_the_watch() {
    let watched = watched(false, Stage::Shadow);
    let other = labelled(&watched, &touch(REVIEWER, 20, ELSE)).unwrap();
    assert_eq!((other.label, other.value, other.last), (Label::Other, Some(FieldValue::text(ELSE)), false));
    assert_eq!(other.by, REVIEWER);
    let same = labelled(&watched, &touch(REVIEWER, 20, WANTED)).unwrap();
    assert_eq!((same.label, &same.value, same.last), (Label::Match, &None, true));
    let mut matched = watched;
    matched.standing.take(&same);
    assert_eq!(labelled(&matched, &touch(OTHER, 30, ELSE)), None, "settled");
}

#[test]
fn what_was_promoted_is_reversed_by_going_back_only() {
    let live = watched(true, Stage::Promoted);
    let back = labelled(&live, &touch(REVIEWER, 20, BASE)).unwrap();
    assert_eq!((back.label, back.last), (Label::Reversed, true));
    assert_eq!(labelled(&live, &touch(REVIEWER, 20, ELSE)), None, "going on is no reversal");
    assert_eq!(labelled(&live, &touch(PROPOSER, 20, BASE)), None);
    assert_eq!(labelled(&watched(true, Stage::AwaitingApproval), &touch(REVIEWER, 20, BASE)), None);
}

#[test]
fn what_a_person_does_by_hand_while_it_waits_is_a_match_and_was_not_written() {
    let waits = watched(true, Stage::AwaitingApproval);
    let same = labelled(&waits, &touch(REVIEWER, 20, WANTED)).unwrap();
    assert_eq!((same.label, same.last), (Label::Match, true));
    assert_eq!(labelled(&waits, &touch(REVIEWER, 20, ELSE)), None, "that the base moved says it");
    assert_eq!(labelled(&waits, &touch(PROPOSER, 20, WANTED)), None);
    for ended in [Stage::Rejected, Stage::Stale, Stage::Expired, Stage::Superseded] {
        assert_eq!(labelled(&watched(true, ended), &touch(REVIEWER, 20, WANTED)), None, "it waits no more");
    }
    let mut ended = watched(true, Stage::Promoted);
    assert_eq!(labelled(&ended, &touch(REVIEWER, 20, WANTED)), None, "it was promoted before");
    ended.proposal.promotion = None;
    assert_eq!(labelled(&ended, &touch(REVIEWER, 20, WANTED)).unwrap().label, Label::Match);
    assert_eq!(labelled(&ended, &touch(REVIEWER, 20, BASE)), None, "nothing was promoted that could go back");
    assert_eq!(went(&ended, false, at(20)), (Label::Lapsed, true), "nobody was heard to set it");
}

#[test]
fn a_record_that_a_person_changed_last_is_read_as_far_as_it_tells() {
    let read = |stage, live, value: &str, minute: i64| {
        let mut reading = reading();
        reading.snapshot.fields.insert(field("Status"), FieldValue::text(value));
        (reading.snapshot.modified_at, reading.snapshot.modified_by) = (at(minute), Some(user(REVIEWER)));
        reading.slot.changed_by_person_at = Some(at(minute));
        read_by(&watched(live, stage), &reading, &[]).map(|found| (found.label, found.by))
    };
    let by = || REVIEWER.to_owned();
    assert_eq!(read(Stage::Shadow, false, WANTED, 20), Some((Label::Match, by())));
    assert_eq!(read(Stage::Shadow, false, ELSE, 20), Some((Label::Other, by())));
    assert_eq!(read(Stage::Shadow, false, BASE, 20), None, "another field may have been changed");
    assert_eq!(read(Stage::Shadow, false, WANTED, SINCE - 1), None, "before it was judged");
    assert_eq!(read(Stage::Shadow, false, WANTED, DUE + 1), None, "after the time");
    assert_eq!(read(Stage::Promoted, true, BASE, 20), Some((Label::Reversed, by())));
    assert_eq!(read(Stage::Promoted, true, WANTED, 20), None);
    let mut later = reading();
    later.snapshot.fields.insert(field("Status"), FieldValue::text(WANTED));
    later.slot.changed_by_person_at = Some(at(20));
    later.snapshot.modified_at = at(30);
    let found = read_by(&watched(false, Stage::Shadow), &later, &[user(REVIEWER)]).unwrap();
    assert_eq!(found.by, WATCHER, "somebody saved the record since: who set the value is not known");
    let machine = ProposalSlot { changed_by_person_at: None, ..later.slot.clone() };
    let machine = RecordReading { slot: machine, ..later };
    assert_eq!(read_by(&watched(false, Stage::Shadow), &machine, &[]), None);
    let mut proposer = reading();
    proposer.snapshot.fields.insert(field("Status"), FieldValue::text(WANTED));
    (proposer.snapshot.modified_at, proposer.slot.changed_by_person_at) = (at(20), Some(at(20)));
    proposer.snapshot.modified_by = Some(user(OTHER));
    let by = |machine: &str| read_by(&watched(false, Stage::Shadow), &proposer, &[user(machine)]);
    assert!(by(REVIEWER).is_some());
    assert_eq!(by(OTHER), None, "a user of the daemon's own is no person");
}

#[test]
fn what_a_program_set_is_no_verdict_and_a_person_may_still_give_one() {
    let recorded = watched(false, Stage::Shadow);
    for value in [WANTED, ELSE, BASE] {
        let found = labelled(&recorded, &touch(SYNC, 20, value)).unwrap();
        assert_eq!((found.label, found.who, found.last), (Label::Program, Who::Program, false), "{value}");
        assert_eq!((found.by.as_str(), found.value), (SYNC, None));
    }
    let mut set = recorded;
    set.standing.take(&labelled(&set, &touch(SYNC, 20, WANTED)).unwrap());
    assert_eq!(labelled(&set, &touch(SYNC, 30, ELSE)), None, "it says nothing new");
    let late = labelled(&set, &touch(REVIEWER, 15, ELSE)).unwrap();
    assert_eq!((late.label, late.who), (Label::Other, Who::Person), "an event that comes late still counts");
    assert_eq!(labelled(&set, &touch(OTHER, 30, WANTED)).map(|found| found.who), Some(Who::Unknown));
    set.standing.take(&late);
    assert_eq!(labelled(&set, &touch(SYNC, 30, WANTED)), None, "it takes nothing back");

    let waits = watched(true, Stage::AwaitingApproval);
    let found = labelled(&waits, &touch(SYNC, 20, WANTED)).unwrap();
    assert_eq!((found.label, found.last), (Label::Program, false));
    let mut ended = watched(true, Stage::Promoted);
    (ended.proposal.promotion, ended.standing.label) = (None, Some(Label::Program));
    assert_eq!(went(&ended, false, at(20)), (Label::Program, true), "no person can answer any more");
    ended.proposal.stage = Stage::Rejected;
    assert_eq!(went(&ended, false, at(20)), (Label::Rejected, true), "a person did answer");
    let mut landed = watched(true, Stage::Promoted);
    landed.standing.label = Some(Label::Program);
    assert_eq!(went(&landed, false, at(20)), (Label::Landed, false), "it was put back and then promoted");
}

#[test]
fn what_a_program_puts_back_is_not_reversed() {
    let mut live = watched(true, Stage::Promoted);
    let undone = labelled(&live, &touch(SYNC, 20, BASE)).unwrap();
    assert_eq!((undone.label, undone.last), (Label::Undone, false));
    live.standing.take(&undone);
    assert_eq!(labelled(&live, &touch(SYNC, 30, BASE)), None);
    assert_eq!(went(&live, false, at(DUE)), (Label::Undone, true), "and not kept");
    assert_eq!(labelled(&live, &touch(REVIEWER, 30, BASE)).unwrap().label, Label::Reversed);
    let mut approved = watched(true, Stage::Promoted);
    approved.proposal.approval = Some(approval());
    assert_eq!(labelled(&approved, &touch(SYNC, 20, BASE)), None, "a person said that it is right");
    assert_eq!(labelled(&approved, &touch(REVIEWER, 20, BASE)).unwrap().label, Label::Reversed);
}

#[test]
fn a_record_that_was_saved_again_does_not_make_a_person_of_a_program() {
    let mut read = reading();
    read.snapshot.fields.insert(field("Status"), FieldValue::text(ELSE));
    (read.snapshot.modified_at, read.snapshot.modified_by) = (at(20), Some(user(SYNC)));
    read.slot.changed_by_person_at = Some(at(20));
    let recorded = watched(false, Stage::Shadow);
    let found = read_by(&recorded, &read, &[]).unwrap();
    assert_eq!((found.label, found.by.as_str()), (Label::Program, SYNC));
    read.snapshot.modified_at = at(30);
    assert_eq!(read_by(&recorded, &read, &[]).unwrap().label, Label::Other, "nobody knows who it was");
    let mut known = recorded.clone();
    known.standing.take(&found);
    assert_eq!(read_by(&known, &read, &[]), None, "it is the change that is known");
    let people = People::default();
    people.heard(&read.snapshot.record, at(20));
    let eyes = Eyes { machines: &[], people: &people, asked: &asked() };
    assert_eq!(by_reading(&recorded, &read, &eyes), None, "a program was heard to make it");
    read.slot.changed_by_person_at = Some(at(25));
    assert_eq!(by_reading(&known, &read, &eyes).unwrap().label, Label::Other, "a later one is another one");
}

#[test]
fn a_record_that_cannot_be_read_says_nothing() {
    let watched = watched(false, Stage::Shadow);
    assert_eq!(untold(&watched, None), Label::Unclear);
    let mut gone = reading();
    assert_eq!(untold(&watched, Some(&gone)), Label::Untouched);
    let mut back = reading();
    back.slot.changed_by_person_at = Some(at(20));
    assert_eq!(untold(&watched, Some(&back)), Label::Unclear, "it may have been changed and changed back");
    gone.snapshot.state = RecordState::Missing;
    assert_eq!(untold(&watched, Some(&gone)), Label::Unclear);
    let mut unreadable = reading();
    unreadable.snapshot.fields.clear();
    assert_eq!(untold(&watched, Some(&unreadable)), Label::Unclear);
}

#[test]
fn what_went_on_is_labelled_from_the_ledger() {
    let early: Timestamp = at(DUE - 1);
    let late: Timestamp = at(DUE);
    let of = |stage, now| went(&watched(true, stage), false, now);
    assert_eq!(of(Stage::Promoted, early), (Label::Landed, false));
    assert_eq!(of(Stage::Promoted, late), (Label::Kept, true));
    assert_eq!(of(Stage::RolledBack, early), (Label::Reversed, true));
    assert_eq!(of(Stage::Rejected, early), (Label::Rejected, true));
    assert_eq!(of(Stage::Superseded, early), (Label::Lapsed, true));
    assert_eq!(
        went(&watched(true, Stage::Superseded), true, early),
        (Label::Other, true),
        "a reviewer knew better"
    );
    assert_eq!(of(Stage::AwaitingApproval, late), (Label::Lapsed, true));
    let mut approved = watched(true, Stage::Promoted);
    approved.proposal.approval = Some(approval());
    assert_eq!(went(&approved, false, early), (Label::Approved, false));
    assert_eq!(went(&approved, false, late), (Label::Approved, true));
}

fn approval() -> Approval {
    Approval {
        proposal_id: proposal().id,
        decision: Decision::Approved,
        decided_by: user(REVIEWER),
        decided_at: at(12),
        patch_digest: proposal().patch_digest().unwrap(),
        comments: None,
    }
}
