//! Every number from stories that are told by hand.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;
use crate::{
    domain::{
        Actor, Basis, Cancel, Change, Creation, Decision, Digest, Door, FieldName, FieldValue, Making,
        ObjectName, Plan, Promotion, PromotionId, Proposal, ProposalId, RecordId, Settlement, Stage, Stamps,
        quality::{Happened, Step},
    },
    ledger::ProposalRecord,
};

/// A Wednesday.
const START: &str = "2026-05-20T12:00:00Z";

fn at(minutes: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn field(name: &str) -> FieldName {
    FieldName::parse(name).unwrap()
}

fn stage(minutes: i64, stage: Stage) -> Step {
    Step { at: at(minutes), what: Happened::Stage { stage, code: None } }
}

fn turn(minutes: i64) -> Step {
    stage(minutes, Stage::AwaitingApproval)
}

/// A decision that the ledger heard of a minute later.
fn decided(minutes: i64, decision: Decision) -> Step {
    Step { at: at(minutes + 1), what: Happened::Decided { decision, when: at(minutes) } }
}

fn landed(minutes: i64, promotion: &str) -> Step {
    let promotion = PromotionId::new(promotion);
    Step { at: at(minutes), what: Happened::Settled { promotion, landed: true } }
}

fn story(id: &str, (fields, stage): (&[&str], Stage), steps: Vec<Step>) -> QualityStory {
    let values: BTreeMap<FieldName, FieldValue> =
        fields.iter().map(|name| (field(name), FieldValue::text("new"))).collect();
    let proposal = Proposal {
        id: ProposalId::parse(id).unwrap(),
        object: ObjectName::parse("Lead").unwrap(),
        record: RecordId::parse(&RecordId::complete("00QCs0000000001").unwrap()).unwrap(),
        creates: None,
        patch: values.clone(),
        base: values,
        confidence: None,
        reason: None,
        evaluated_at: None,
        expires_at: None,
        edited_from: None,
        requires_review: false,
        actor: Actor::named("night-shift"),
        door: Door::Record,
        evidence: Vec::new(),
        received_at: at(0),
    };
    let digest = Digest::of_bytes(b"any");
    let record = ProposalRecord {
        proposal,
        fingerprint: digest.clone(),
        patch: digest,
        stage,
        verdict: None,
        approval: None,
        promotion: None,
        landed: true,
        notice_open: false,
        received_seq: 1,
        updated_at: at(0),
    };
    QualityStory { record, steps, promotions: Vec::new() }
}

fn promotion(id: &str, basis: Basis, (fields, undoes): (&[&str], Option<&str>)) -> Promotion {
    let change = |name: &&str| Change {
        field: field(name),
        before: FieldValue::text("old"),
        after: FieldValue::text("new"),
    };
    Promotion {
        id: PromotionId::new(id),
        plan: Plan {
            object: ObjectName::parse("Lead").unwrap(),
            record: RecordId::parse(&RecordId::complete("00QCs0000000001").unwrap()).unwrap(),
            making: None,
            proposal_id: ProposalId::parse("p-1").unwrap(),
            basis,
            changes: fields.iter().map(change).collect(),
            expected_seq: 0,
            stamps: Stamps::default(),
            planned_at: at(0),
        },
        attempts: 1,
        settlement: Settlement::Done,
        undoes: undoes.map(PromotionId::new),
        rollback: None,
        proof: BTreeMap::new(),
    }
}

fn counted(stories: &[QualityStory]) -> Quality {
    let mut quality = Quality::new(at(0));
    stories.iter().for_each(|story| quality.take(story));
    quality
}

fn of(story: QualityStory) -> Numbers {
    counted(&[story]).all().clone()
}

fn lane(quality: &Quality, name: &str) -> Numbers {
    quality.groups.get(&Group::Lane(name.to_owned())).cloned().unwrap_or_default()
}

/// How long the only answer took.
fn took(numbers: &Numbers) -> Option<u64> {
    assert!(numbers.review.count() <= 1);
    numbers.review.percentile(50)
}

#[test]
fn nothing_gives_nothing() {
    let mut quality = Quality::new(at(0));
    quality.fill_weeks();
    assert_eq!(quality.groups, BTreeMap::from([(Group::All, Numbers::default())]));
    assert_eq!(of(story("p-1", (&["Status"], Stage::Received), vec![])), Numbers::default());
}

#[test]
fn a_decision_is_counted_with_the_time_that_it_took() {
    let steps = || vec![stage(1, Stage::Received), turn(2), turn(4), decided(32, Decision::Approved)];
    let yes = of(story("p-1", (&["Status"], Stage::Approved), steps()));
    assert_eq!((yes.decided(), yes.accepted, yes.rejected, yes.waiting), (1, 1, 0, 0));
    assert_eq!(
        took(&yes),
        Some(30),
        "from the first entry that asked, to the platform's time of the decision"
    );
    let no = vec![turn(2), decided(12, Decision::Rejected), stage(14, Stage::Rejected)];
    let no = of(story("p-1", (&["Status"], Stage::Rejected), no));
    assert_eq!((no.decided(), no.accepted, no.rejected, took(&no)), (1, 0, 1, Some(10)));
    let early = vec![turn(9), decided(8, Decision::Approved)];
    assert_eq!(took(&of(story("p-1", (&["Status"], Stage::Approved), early))), Some(0), "two clocks");
    let unasked = vec![decided(8, Decision::Approved), turn(20)];
    let unasked = of(story("p-1", (&["Status"], Stage::AwaitingApproval), unasked));
    assert_eq!((unasked.accepted, unasked.waiting, took(&unasked)), (1, 0, None), "nobody had asked");
}

#[test]
fn of_two_decisions_the_last_one_counts() {
    let changed = vec![turn(0), decided(5, Decision::Approved), decided(9, Decision::Rejected)];
    let told = of(story("p-1", (&["Status"], Stage::Rejected), changed));
    assert_eq!((told.accepted, told.rejected, took(&told)), (0, 1, Some(9)), "asked one time");
    let again = vec![turn(0), decided(5, Decision::Approved), turn(60), decided(63, Decision::Approved)];
    let told = of(story("p-1", (&["Status"], Stage::Promoted), again));
    assert_eq!((told.accepted, took(&told)), (1, Some(3)), "asked again, because the promotion did not land");
}

#[test]
fn an_edit_is_an_answer_to_the_proposal_that_it_replaces() {
    let mut edit = stage(20, Stage::Superseded);
    edit.what = Happened::Stage { stage: Stage::Superseded, code: Some("edited".into()) };
    let told = of(story("p-1", (&["Status"], Stage::Superseded), vec![turn(5), edit.clone()]));
    assert_eq!((told.decided(), told.edited, took(&told)), (1, 1, Some(15)));
    assert_eq!((told.ended_undecided, told.stopped()), (0, 0));
    let changed = vec![turn(5), decided(9, Decision::Approved), edit.clone()];
    let told = of(story("p-1", (&["Status"], Stage::Superseded), changed));
    assert_eq!((told.accepted, told.edited), (0, 1), "approved, and edited before it was promoted");
    let mut own = story(
        "p-1:edit",
        (&["Status"], Stage::Promoted),
        vec![turn(20), decided(20, Decision::Approved), landed(21, "m-1")],
    );
    own.record.proposal.edited_from = Some(ProposalId::parse("p-1").unwrap());
    own.promotions = vec![promotion("m-1", Basis::Approved, (&["Status"], None))];
    let quality = counted(&[own.clone()]);
    assert_eq!((quality.all().decided(), quality.all().approved), (0, 1));
    assert!(!quality.groups.keys().any(|group| matches!(group, Group::Agent(_))), "it is no agent's");
    own.record.stage = Stage::Refused;
    own.promotions.clear();
    assert_eq!(of(own.clone()), Numbers::default(), "a person's value that was refused is no agent's");
    own.record.stage = Stage::AwaitingApproval;
    own.steps = vec![turn(20)];
    assert_eq!(of(own), Numbers::default());
}

#[test]
fn a_machines_decision_is_nobodys() {
    let steps = vec![turn(0), decided(5, Decision::Approved), stage(6, Stage::Refused)];
    let mut by_machine = story("p-1", (&["Status"], Stage::Refused), steps);
    let finding = |code: &str| Some(json!({ "findings": [{ "code": "approved" }, { "code": code }] }));
    by_machine.record.verdict = finding("approved-by-machine");
    let told = of(by_machine.clone());
    assert_eq!((told.decided(), told.ended_undecided, told.refused_values), (0, 1, 1));
    by_machine.record.verdict = finding("approval-too-old");
    assert_eq!(of(by_machine).accepted, 1);
}

#[test]
fn what_nobody_decided_is_told_apart() {
    let told = |stage_now, end| of(story("p-1", (&["Status"], stage_now), vec![turn(0), end]));
    let expired = told(Stage::Expired, stage(9, Stage::Expired));
    assert_eq!((expired.expired, expired.ended_undecided, expired.waiting, expired.decided()), (1, 0, 0, 0));
    let waiting = told(Stage::AwaitingApproval, turn(9));
    assert_eq!((waiting.expired, waiting.ended_undecided, waiting.waiting), (0, 0, 1));
    for end in [Stage::Superseded, Stage::Stale, Stage::Refused, Stage::Promoted, Stage::Shadow] {
        let ended = told(end, stage(9, end));
        assert_eq!((ended.expired, ended.ended_undecided, ended.waiting), (0, 1, 0), "{end:?}");
    }
    let long = story("p-1", (&["Status"], Stage::AwaitingApproval), vec![turn(-5), turn(9)]);
    assert_eq!(of(long).waiting, 0, "it waits since before, though it was judged again");
    let running = told(Stage::Promoting, stage(9, Stage::Promoting));
    assert_eq!(running, Numbers::default(), "it goes on by itself");
    let late = vec![turn(0), decided(5, Decision::Approved), stage(9, Stage::Expired)];
    let late = of(story("p-1", (&["Status"], Stage::Expired), late));
    assert_eq!((late.accepted, late.expired), (1, 0), "an approval that became too old was one");
    let unasked = of(story("p-1", (&["Status"], Stage::Expired), vec![stage(9, Stage::Expired)]));
    assert_eq!(unasked.expired, 0, "nobody was asked");
}

#[test]
fn promotions_are_counted_by_their_ground_when_they_landed() {
    for (basis, expected) in
        [(Basis::Approved, [1, 0, 0]), (Basis::Auto, [0, 1, 0]), (Basis::Decay, [0, 0, 1])]
    {
        let mut one = story("p-1", (&["Status"], Stage::Promoted), vec![landed(5, "m-1")]);
        one.promotions = vec![promotion("m-1", basis, (&["Status"], None))];
        let told = of(one.clone());
        assert_eq!([told.approved, told.auto, told.decay], expected);
        assert_eq!(told.reversed(), 0);
        one.steps = vec![landed(5, "m-2")];
        assert_eq!(of(one.clone()).promotions(), 0, "another one landed");
        let promotion = PromotionId::new("m-1");
        one.steps = vec![Step { at: at(5), what: Happened::Settled { promotion, landed: false } }];
        assert_eq!(of(one).promotions(), 0, "not known yet");
    }
}

/// A promotion of two fields with what followed it.
fn promoted(after: Vec<Step>, undone: Vec<Promotion>) -> Quality {
    let mut steps = vec![landed(5, "m-1")];
    steps.extend(after);
    let mut one = story("p-1", (&["Rating", "Status"], Stage::Promoted), steps);
    one.promotions = vec![promotion("m-1", Basis::Auto, (&["Rating", "Status"], None))];
    one.promotions.extend(undone);
    counted(&[one])
}

#[test]
fn a_rollback_is_a_reversal_of_the_fields_that_went_back() {
    let undo = |id: &str, fields: &[&str], of: &str| promotion(id, Basis::Rollback, (fields, Some(of)));
    let quality = promoted(vec![landed(90, "m-2")], vec![undo("m-2", &["Status"], "m-1")]);
    let all = quality.all();
    assert_eq!((all.promotions(), all.rolled_back, all.put_back), (1, 1, 0));
    let (rating, status) = (lane(&quality, "Lead.Rating"), lane(&quality, "Lead.Status"));
    assert_eq!((rating.auto, rating.reversed(), status.auto, status.reversed()), (1, 0, 1, 1));
    let mut open = undo("m-2", &["Status"], "m-1");
    open.settlement = Settlement::Sent;
    assert_eq!(promoted(vec![], vec![open]).all().reversed(), 0, "it has not landed");
    let back = vec![undo("m-2", &["Status"], "m-1"), undo("m-3", &["Status"], "m-2")];
    assert_eq!(promoted(vec![], back).all().reversed(), 0, "the rollback was undone");
    let both = promoted(vec![], vec![undo("m-2", &["Rating", "Status"], "m-1")]);
    assert_eq!(both.all().rolled_back, 1, "one promotion");
}

fn watched(minutes: i64, due: i64) -> Step {
    Step { at: at(minutes), what: Happened::Watched { due: at(due) } }
}

fn put_back(minutes: i64, name: &str) -> Step {
    Step { at: at(minutes + 1), what: Happened::Reversed { field: field(name), when: at(minutes) } }
}

#[test]
fn what_a_person_put_back_counts_within_the_watch_only() {
    let within = promoted(vec![watched(5, 100), put_back(100, "Status")], vec![]);
    assert_eq!((within.all().rolled_back, within.all().put_back), (0, 1), "at its end is within");
    assert_eq!((lane(&within, "Lead.Rating").reversed(), lane(&within, "Lead.Status").put_back), (0, 1));
    for steps in [
        vec![watched(5, 100), put_back(101, "Status")],
        vec![put_back(50, "Status")],
        vec![watched(5, 100), put_back(50, "Company")],
        vec![watched(5, 100), watched(6, 40), put_back(50, "Status")],
    ] {
        assert_eq!(promoted(steps.clone(), vec![]).all().reversed(), 0, "{steps:?}");
    }
    let later = vec![watched(5, 10), watched(6, 100), put_back(50, "Status")];
    assert_eq!(promoted(later, vec![]).all().put_back, 1, "a later watch takes the place of the earlier one");
}

#[test]
fn a_rollback_outranks_what_was_seen_and_its_own_label_says_nothing_when_it_is_undone() {
    let undo = |id: &str, field: &str, of: &str| promotion(id, Basis::Rollback, (&[field], Some(of)));
    let seen = || vec![watched(5, 100), put_back(50, "Status")];
    let quality = promoted(seen(), vec![undo("m-2", "Status", "m-1")]);
    assert_eq!((quality.all().rolled_back, quality.all().put_back), (1, 0));
    let quality = promoted(seen(), vec![undo("m-2", "Rating", "m-1")]);
    assert_eq!((quality.all().rolled_back, quality.all().put_back), (1, 0), "one promotion, in two ways");
    assert_eq!((lane(&quality, "Lead.Status").put_back, lane(&quality, "Lead.Rating").rolled_back), (1, 1));
    let mut failed = undo("m-2", "Status", "m-1");
    failed.settlement = Settlement::Gone;
    assert_eq!(promoted(seen(), vec![failed]).all().put_back, 1, "a rollback that did not land says nothing");
    let back = vec![undo("m-2", "Status", "m-1"), undo("m-3", "Status", "m-2")];
    assert_eq!(promoted(seen(), back).all().reversed(), 0, "the label told of the rollback");
}

#[test]
fn a_record_that_was_made_is_one_value_and_its_cancelling_a_reversal() {
    let mut one = story("p-1", (&["Subject", "Status"], Stage::Promoted), vec![landed(5, "m-1")]);
    one.record.proposal.object = ObjectName::parse("Task").unwrap();
    let parent = ObjectName::parse("Lead").unwrap();
    one.record.proposal.creates = Some(Creation { rule: "call".into(), parent: parent.clone() });
    let mut made = promotion("m-1", Basis::Auto, (&["Subject", "Status"], None));
    let cancel = Cancel { field: field("Status"), value: "Deferred".into() };
    made.plan.making = Some(Making::Create { rule: "call".into(), parent, cancel });
    one.promotions = vec![made];
    let made = counted(&[one.clone()]);
    assert_eq!((made.all().auto, made.all().reversed(), lane(&made, "Task (new)").auto), (1, 0, 1));
    let mut cancelled = promotion("m-2", Basis::Rollback, (&["Status"], Some("m-1")));
    cancelled.plan.making = Some(Making::Cancel);
    one.promotions.push(cancelled);
    assert_eq!(lane(&counted(&[one.clone()]), "Task (new)").rolled_back, 1);
    (one.record.stage, one.promotions) = (Stage::Rejected, vec![]);
    assert_eq!(of(one).rejected_values, 1);
}

#[test]
fn values_that_were_refused_or_rejected_never_reached_their_field() {
    let told = |stage_now| {
        let steps = vec![turn(1), stage(9, stage_now)];
        counted(&[story("p-1", (&["Rating", "Status"], stage_now), steps)])
    };
    let refused = told(Stage::Refused);
    assert_eq!((refused.all().refused_values, refused.all().rejected_values), (2, 0));
    assert_eq!(
        (lane(&refused, "Lead.Rating").refused_values, lane(&refused, "Lead.Status").refused_values),
        (1, 1)
    );
    let rejected = told(Stage::Rejected);
    assert_eq!((rejected.all().refused_values, rejected.all().rejected_values), (0, 2));
    for stage_now in Stage::ALL {
        let counts = matches!(stage_now, Stage::Refused | Stage::Rejected);
        assert_eq!(told(*stage_now).all().stopped() > 0, counts, "{stage_now:?}");
    }
    let mut of_schedule = story("p-1", (&["Status"], Stage::Refused), vec![stage(9, Stage::Refused)]);
    of_schedule.record.proposal.door = Door::Schedule;
    assert_eq!(of(of_schedule).stopped(), 0, "the schedule is no agent");
}

#[test]
fn what_was_erased_counts_in_a_lane_of_its_own() {
    let mut one = story("p-1", (&[], Stage::RolledBack), vec![landed(5, "m-1"), landed(9, "m-2")]);
    let undo = |id: &str, of: &str| promotion(id, Basis::Rollback, (&[], Some(of)));
    one.promotions = vec![promotion("m-1", Basis::Approved, (&[], None)), undo("m-2", "m-1")];
    let quality = counted(&[one.clone()]);
    assert_eq!((quality.all().approved, quality.all().rolled_back), (1, 1));
    assert_eq!(lane(&quality, "Lead.(erased)").rolled_back, 1);
    one.promotions.push(undo("m-3", "m-2"));
    assert_eq!(of(one.clone()).reversed(), 0, "undone");
    one.promotions.truncate(1);
    assert_eq!(of(one).reversed(), 0);
}

#[test]
fn only_what_happened_since_counts() {
    let decided_at = |minutes: i64| {
        let steps = vec![turn(-900), decided(minutes - 1, Decision::Approved)];
        of(story("p-1", (&["Status"], Stage::Approved), steps))
    };
    assert_eq!((decided_at(-1).accepted, decided_at(0).accepted), (0, 1), "the entry's time, to the moment");
    assert_eq!(took(&decided_at(0)), Some(899), "a turn from before counts with the decision");
    let mut early = story("p-1", (&["Status"], Stage::RolledBack), vec![landed(-5, "m-1"), landed(9, "m-2")]);
    let undo = promotion("m-2", Basis::Rollback, (&["Status"], Some("m-1")));
    early.promotions = vec![promotion("m-1", Basis::Approved, (&["Status"], None)), undo];
    assert_eq!(of(early), Numbers::default(), "what landed before is of the time before");
}

#[test]
fn facts_belong_to_their_week_lane_and_agent() {
    let week = 7 * 24 * 60;
    let no = |id: &str, minutes: i64, fields: &[&str]| {
        let steps = vec![
            turn(minutes),
            decided(minutes + 2, Decision::Rejected),
            stage(minutes + 3, Stage::Rejected),
        ];
        story(id, (fields, Stage::Rejected), steps)
    };
    let mut other = no("p-3", 3 * week, &["Status"]);
    other.record.proposal.actor = Actor::named("day-shift");
    let mut quality = counted(&[no("p-1", 0, &["Status"]), no("p-2", 0, &["Rating", "Status"]), other]);
    quality.fill_weeks();
    let told: Vec<(Group, u64)> =
        quality.groups.iter().map(|(group, told)| (group.clone(), told.rejected)).collect();
    let day = |text: &str| text.parse::<Date>().unwrap();
    let [first, second, third, fourth] = ["2026-05-18", "2026-05-25", "2026-06-01", "2026-06-08"].map(day);
    let (rating, status) = ("Lead.Rating".to_owned(), "Lead.Status".to_owned());
    let expected = vec![
        (Group::All, 3),
        (Group::Week(first), 2),
        (Group::Week(second), 0),
        (Group::Week(third), 0),
        (Group::Week(fourth), 1),
        (Group::Lane(rating.clone()), 1),
        (Group::Lane(status.clone()), 3),
        (Group::LaneWeek(rating, first), 1),
        (Group::LaneWeek(status.clone(), first), 2),
        (Group::LaneWeek(status, fourth), 1),
        (Group::Agent("day-shift".into()), 1),
        (Group::Agent("night-shift".into()), 2),
    ];
    assert_eq!(told, expected);
}

#[test]
fn weeks_begin_on_monday_in_utc() {
    let monday = |text: &str| week_of(text.parse().unwrap()).to_string();
    assert_eq!(monday("2026-05-17T23:59:59Z"), "2026-05-11");
    assert_eq!(monday("2026-05-18T00:00:00Z"), "2026-05-18");
    assert_eq!(monday("2026-05-24T23:59:59Z"), "2026-05-18");
    assert_eq!(monday("2027-01-01T00:00:00Z"), "2026-12-28", "over the end of a year");
}

#[test]
fn what_finds_no_room_is_told_together() {
    let one = |place: usize| {
        let steps = vec![turn(0), decided(2, Decision::Approved)];
        let mut one = story("p-1", (&[&format!("Field{place}__c")], Stage::Approved), steps);
        one.record.proposal.actor = Actor::named(format!("agent-{place}"));
        one
    };
    let quality = counted(&(0..MOST + 3).chain([0]).map(one).collect::<Vec<_>>());
    assert_eq!(lane(&quality, OTHERS).accepted, 3);
    assert_eq!((lane(&quality, "Lead.Field0__c").accepted, quality.all().accepted), (2, MOST as u64 + 4));
    assert_eq!(quality.groups[&Group::Agent(OTHERS.into())].accepted, 3);
}
