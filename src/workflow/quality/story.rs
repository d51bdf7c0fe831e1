//! What the story of one proposal gives to count.

use jiff::Timestamp;

use crate::{
    domain::{
        Decision, Door, FieldName, ObjectName, Promotion, Proposal, Settlement, Stage,
        quality::{Answer, Fact, Happened, Reversal, Step, Stopped, Undecided},
    },
    gate::{
        FindingCode,
        unwind::{is_cancelled, is_undone},
    },
    ledger::QualityStory,
};

/// What stands for the fields of a proposal whose values were erased: nobody knows them any more.
const ERASED: &str = "(erased)";

/// One fact, and what it means for each lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// When it happened, by the ledger's clock.
    pub(super) at: Timestamp,
    /// Who proposed; `None`: a person did, with an edit.
    pub(super) agent: Option<String>,
    /// The fact where the proposal counts one time.
    pub(super) whole: Fact,
    /// The fact in each lane.
    pub(super) lanes: Vec<(String, Fact)>,
}

/// Everything that one story gives.
pub(super) fn told(story: &QualityStory) -> Vec<Told> {
    let proposal = &story.record.proposal;
    let agent = proposal.edited_from.is_none().then(|| proposal.actor.agent.clone());
    let lanes = lanes_of(proposal);
    let everywhere = |(at, fact): (Timestamp, Fact)| Told {
        at,
        agent: agent.clone(),
        whole: fact,
        lanes: lanes.iter().map(|lane| (lane.clone(), fact)).collect(),
    };
    let mut found = Vec::new();
    match answer(story) {
        Some(answer) => found.push(everywhere(answer)),
        None => found.extend(undecided(story).map(everywhere)),
    }
    if let Some((at, by)) = stopped(story) {
        let values = u64::try_from(lanes.len()).unwrap_or(u64::MAX);
        let in_each = lanes.iter().map(|lane| (lane.clone(), Fact::Stopped(by, 1)));
        let (whole, agent) = (Fact::Stopped(by, values), agent.clone());
        found.push(Told { at, agent, whole, lanes: in_each.collect() });
    }
    for promotion in story.promotions.iter().filter(|one| one.undoes.is_none()) {
        let Some(at) = landed_at(story, promotion) else { continue };
        let lanes = promoted_lanes(story, promotion);
        let fact = Fact::Promoted(promotion.plan.basis);
        let in_each = lanes.iter().map(|(lane, _)| (lane.clone(), fact));
        found.push(Told { at, agent: agent.clone(), whole: fact, lanes: in_each.collect() });
        let back = lanes.iter().filter_map(|(lane, how)| Some((lane.clone(), Fact::Reversed((*how)?))));
        // What a rollback undid in part was rolled back.
        if let Some(how) = lanes.iter().filter_map(|(_, how)| *how).min() {
            let whole = Fact::Reversed(how);
            found.push(Told { at, agent: agent.clone(), whole, lanes: back.collect() });
        }
    }
    found
}

fn lane(object: &ObjectName, field: &str) -> String {
    format!("{object}.{field}")
}

/// A record that is to be made is one value of one lane.
fn lanes_of(proposal: &Proposal) -> Vec<String> {
    let object = &proposal.object;
    match () {
        () if proposal.creates.is_some() => vec![format!("{object} (new)")],
        () if proposal.patch.is_empty() => vec![lane(object, ERASED)],
        () => proposal.patch.keys().map(|field| lane(object, field.as_str())).collect(),
    }
}

/// What people said in the end, and how long it took. An edit stands for what is said to the proposal that
/// it replaces, and its own approval says nothing more. What a machine user wrote is no person's word.
fn answer(story: &QualityStory) -> Option<(Timestamp, Fact)> {
    let record = &story.record;
    if record.proposal.edited_from.is_some() || by_machine(story) {
        return None;
    }
    let edit = story.steps.iter().rposition(|step| {
        matches!(&step.what, Happened::Stage { stage: Stage::Superseded, code: Some(code) } if code == "edited")
    });
    let place = edit.or_else(|| story.steps.iter().rposition(is_decision))?;
    let at = story.steps[place].at;
    let (answer, when) = match story.steps[place].what {
        Happened::Decided { decision: Decision::Approved, when } => (Answer::Accepted, when),
        Happened::Decided { decision: Decision::Rejected, when } => (Answer::Rejected, when),
        _ => (Answer::Edited, at),
    };
    let took = turn(&story.steps[..place]).map(|turn| when.duration_since(turn));
    Some((at, Fact::Answered(answer, took)))
}

fn by_machine(story: &QualityStory) -> bool {
    let code = FindingCode::ApprovedByMachine.as_str();
    let findings = story.record.verdict.as_ref().and_then(|verdict| verdict["findings"].as_array());
    findings.is_some_and(|all| all.iter().any(|finding| finding["code"] == code))
}

fn is_decision(step: &Step) -> bool {
    matches!(step.what, Happened::Decided { .. })
}

/// When it became a person's turn: after the decision before, where people were asked again since.
fn turn(steps: &[Step]) -> Option<Timestamp> {
    let earlier = steps.iter().rposition(is_decision).map_or(0, |place| place + 1);
    first_turn(&steps[earlier..]).or_else(|| first_turn(steps))
}

fn first_turn(steps: &[Step]) -> Option<Timestamp> {
    let is_turn = |step: &&Step| matches!(step.what, Happened::Stage { stage: Stage::AwaitingApproval, .. });
    steps.iter().find(is_turn).map(|step| step.at)
}

/// How it stands, where it was a person's turn and nobody decided.
fn undecided(story: &QualityStory) -> Option<(Timestamp, Fact)> {
    let asked = first_turn(&story.steps).filter(|_| story.record.proposal.edited_from.is_none())?;
    let (at, how) = match story.record.stage {
        Stage::AwaitingApproval => (asked, Undecided::Waiting),
        Stage::Expired => (ended_at(story)?, Undecided::Expired),
        stage if stage.is_final() => (ended_at(story)?, Undecided::Ended),
        _ => return None,
    };
    Some((at, Fact::Undecided(how)))
}

/// The last entry that moved the proposal.
fn ended_at(story: &QualityStory) -> Option<Timestamp> {
    let moves = |step: &&Step| matches!(step.what, Happened::Stage { .. } | Happened::Settled { .. });
    story.steps.iter().rfind(moves).map(|step| step.at)
}

/// Who kept the values of an agent away from their fields. What people or the schedule wanted is no agent's.
fn stopped(story: &QualityStory) -> Option<(Timestamp, Stopped)> {
    let proposal = &story.record.proposal;
    if proposal.edited_from.is_some() || proposal.door == Door::Schedule {
        return None;
    }
    let by = match story.record.stage {
        Stage::Refused => Stopped::Refused,
        Stage::Rejected => Stopped::Rejected,
        _ => return None,
    };
    Some((ended_at(story)?, by))
}

fn landed_at(story: &QualityStory, own: &Promotion) -> Option<Timestamp> {
    let landed = |step: &&Step| matches!(&step.what, Happened::Settled { promotion, landed: true } if *promotion == own.id);
    story.steps.iter().find(landed).map(|step| step.at)
}

/// The lanes of a promotion, each with how it went back.
fn promoted_lanes(story: &QualityStory, own: &Promotion) -> Vec<(String, Option<Reversal>)> {
    let all = &story.promotions;
    let whole = |back: bool| {
        let how = back.then_some(Reversal::RolledBack);
        lanes_of(&story.record.proposal).into_iter().map(|lane| (lane, how)).collect()
    };
    if own.plan.making.is_some() {
        return whole(is_cancelled(&own.id, all));
    }
    if own.plan.changes.is_empty() {
        // The values were erased, and with them which fields went back.
        let undone = |id| undoing(id, all).any(|undo| undoing(&undo.id, all).next().is_none());
        return whole(undone(&own.id));
    }
    let fields = own.plan.changes.iter().map(|change| &change.field);
    let told = fields.map(|field| {
        let how = match () {
            () if is_undone(&own.id, field, all) => Some(Reversal::RolledBack),
            () if was_rolled_back(own, field, all) => None,
            () => was_put_back(&story.steps, field).then_some(Reversal::PutBack),
        };
        (lane(&own.plan.object, field.as_str()), how)
    });
    told.collect()
}

fn undoing<'a>(id: &crate::domain::PromotionId, all: &'a [Promotion]) -> impl Iterator<Item = &'a Promotion> {
    let id = id.clone();
    all.iter().filter(move |one| one.undoes.as_ref() == Some(&id) && one.settlement == Settlement::Done)
}

/// Whether a rollback ever put the field back: the label of that stays when the rollback is undone.
fn was_rolled_back(own: &Promotion, field: &FieldName, all: &[Promotion]) -> bool {
    undoing(&own.id, all).any(|undo| undo.plan.changes.iter().any(|change| change.field == *field))
}

/// Whether a person was seen to put the field back before the watch of then ended.
fn was_put_back(steps: &[Step], of: &FieldName) -> bool {
    let mut ends = None;
    steps.iter().any(|step| match &step.what {
        Happened::Watched { due } => {
            ends = Some(*due);
            false
        }
        Happened::Reversed { field, when } => field == of && ends.is_some_and(|due| *when <= due),
        _ => false,
    })
}
