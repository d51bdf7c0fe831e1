//! Comparing one record with what the ledger knows about it, and asking the gate.
//!
//! The comparison looks at levels, not at edges: it gives the same events whether one change
//! event came, or ten, or none and the sweep found the record.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize as _;

use super::{
    Described, WorkflowError,
    hints::DecisionHint,
    observe,
    outcome::{last_words, outcome_words},
    shadow,
    tally::{Tally, disputed_by},
};
use crate::{
    clock,
    domain::{
        Approval, Door, Evidence, Plan, Promotion, PromotionId, Proposal, ProposalId, RecordId, RecordState,
        Settlement, Stage, event::Event,
    },
    gate::{self, FindingCode, History, Input, Outcome, Recorded, Rules, Verdict},
    ledger::ProposalRecord,
    salesforce::RecordReading,
    telemetry::VERDICTS,
};

/// How long a proposal that came in by command may take to show up on its record.
const LANDING_GRACE: SignedDuration = SignedDuration::from_mins(2);

/// What does not differ from record to record in one step.
pub struct Desk<'a> {
    /// The rules in force.
    pub rules: &'a Rules,
    /// The object as the org describes it; without it the gate refuses.
    pub described: Option<&'a Described>,
    /// Users who may never decide.
    pub machine_users: &'a [RecordId],
    /// Freezes in force and counts for budgets.
    pub tally: &'a Tally,
    /// The time.
    pub now: Timestamp,
}

impl Desk<'_> {
    /// Whether the record was last saved by the daemon itself. Where the ledger does not know the
    /// proposal on it, a notice about an earlier one has taken this one's flag: sent by a leader that
    /// stood still, or held up on its way.
    fn took_the_flag(&self, reading: &RecordReading) -> bool {
        let saved_by = reading.snapshot.modified_by.as_ref();
        saved_by.is_some_and(|user| self.machine_users.contains(user))
    }
}

/// One record to be considered.
pub struct Case<'a> {
    /// What was read just now.
    pub reading: &'a RecordReading,
    /// The record's open proposals, and the one whose id it carries.
    pub known: Vec<ProposalRecord>,
    /// A promotion of the record that has not ended.
    pub open_promotion: Option<PromotionId>,
    /// A notice about what stands there and is no proposal is on its way.
    pub told: bool,
    /// What systems told of the record.
    pub signals: Vec<Evidence>,
    /// What the newest event said about the decision.
    pub hint: Option<DecisionHint>,
}

/// The events that bring the ledger level with the record.
pub fn consider(desk: &Desk<'_>, case: &Case<'_>) -> Result<Vec<Event>, WorkflowError> {
    let mut events = Vec::new();
    let slot = &case.reading.slot;
    let current = slot.proposal_id.as_deref();
    for record in case.known.iter().filter(|record| !record.stage.is_final()) {
        if Some(record.proposal.id.as_str()) != current {
            displace(desk, case, record, &mut events)?;
        }
    }
    let Some(current) = current else {
        // A proposal that came in by command and has not landed yet still needs the flag.
        if case.reading.slot.pending && !case.told && ended_all(case, &events) {
            events.extend(observe::idle(case.reading));
        }
        return Ok(events);
    };
    match case.known.iter().find(|record| record.proposal.id.as_str() == current) {
        None => first_sight(desk, case, current, &mut events)?,
        Some(record) => seen_before(desk, case, record, &mut events)?,
    }
    if case.reading.snapshot.state != RecordState::Live {
        // A record that is gone or converted takes no notice; the ledger alone tells the end. What
        // only a notice would end the telling of is not told: each look would tell it again.
        events
            .retain(|event| !matches!(event, Event::NoticeIntended { .. } | Event::SubmissionRefused { .. }));
    }
    Ok(events)
}

/// Whether nothing of the record stays open after these events.
fn ended_all(case: &Case<'_>, events: &[Event]) -> bool {
    let open = case.known.iter().filter(|record| !record.stage.is_final()).count();
    let ended = events.iter().filter(|event| matches!(event, Event::StageChanged { .. })).count();
    case.open_promotion.is_none() && case.reading.snapshot.state == RecordState::Live && open == ended
}

/// A proposal that is open in the ledger but whose place on the record holds another one.
fn displace(
    desk: &Desk<'_>,
    case: &Case<'_>,
    record: &ProposalRecord,
    events: &mut Vec<Event>,
) -> Result<(), WorkflowError> {
    if case.reading.snapshot.state != RecordState::Live {
        // The gate says what is wrong with the record, in its own words.
        return judge(desk, case, record.proposal.clone(), Known::of(record), events);
    }
    let age = desk.now.duration_since(record.proposal.received_at);
    let by_command = record.proposal.door == Door::Cli;
    if by_command && !record.landed && age < LANDING_GRACE {
        return Ok(());
    }
    if case.open_promotion.is_some() {
        // Its own write may be under way; it ends first.
        return Ok(());
    }
    let successor = case.reading.slot.proposal_id.as_deref().and_then(|id| ProposalId::parse(id).ok());
    let edited = observe::edited_from(&case.reading.slot).as_ref() == Some(&record.proposal.id);
    let code = match (&case.reading.slot.proposal_id, edited) {
        (None, _) => "withdrawn",
        (Some(_), true) => "edited",
        (Some(_), false) => "superseded",
    };
    events.push(Event::StageChanged {
        proposal_id: record.proposal.id.clone(),
        stage: Stage::Superseded,
        code: code.to_owned(),
        successor,
    });
    Ok(())
}

fn first_sight(
    desk: &Desk<'_>,
    case: &Case<'_>,
    current: &str,
    events: &mut Vec<Event>,
) -> Result<(), WorkflowError> {
    if !case.reading.slot.pending && !desk.took_the_flag(case.reading) {
        // Nobody asks for anything. A decision without the flag is an old one, perhaps from
        // before this ledger: to act on it would be to use an approval again.
        return Ok(());
    }
    let proposal = match observe::proposal(case.reading, current, (desk.now, case.hint.as_ref())) {
        Ok(proposal) => proposal,
        Err(problem) => {
            if !case.told {
                events.extend(observe::refuse_slot(case.reading, current, &problem));
            }
            return Ok(());
        }
    };
    events.push(Event::ProposalReceived { proposal: proposal.clone() });
    judge(desk, case, proposal, Known::default(), events)
}

fn seen_before(
    desk: &Desk<'_>,
    case: &Case<'_>,
    record: &ProposalRecord,
    events: &mut Vec<Event>,
) -> Result<(), WorkflowError> {
    let seen = observe::proposal(case.reading, record.proposal.id.as_str(), (desk.now, None));
    let same = match &seen {
        // What the schedule announced is nobody's to write on a record.
        _ if record.proposal.door == Door::Schedule => false,
        Ok(seen) => seen.fingerprint()? == record.fingerprint,
        Err(_) => false,
    };
    if !same {
        refuse_reuse(case, record, events);
        return Ok(());
    }
    if record.stage.is_final() {
        if case.reading.slot.pending && !record.notice_open {
            events.push(notice(&record.proposal, &last_words(record)));
        }
        return Ok(());
    }
    judge(desk, case, record.proposal.clone(), Known::of(record), events)
}

/// One id, two bodies: what stands on the record cannot be told from what was judged, so
/// nothing is promoted from it. Another record's proposal of the same id is not touched.
fn refuse_reuse(case: &Case<'_>, record: &ProposalRecord, events: &mut Vec<Event>) {
    let problem = observe::SlotProblem::Reused;
    let same_record =
        record.proposal.record == case.reading.snapshot.record && record.proposal.door != Door::Schedule;
    if same_record && !record.stage.is_final() && case.open_promotion.is_none() {
        events.push(Event::StageChanged {
            proposal_id: record.proposal.id.clone(),
            stage: Stage::Refused,
            code: problem.code().to_owned(),
            successor: None,
        });
    }
    if case.reading.slot.pending && !case.told {
        events.extend(observe::refuse_slot(case.reading, record.proposal.id.as_str(), &problem));
    }
}

/// What the ledger holds about a proposal, apart from the proposal itself.
#[derive(Default)]
struct Known<'a> {
    record: Option<&'a ProposalRecord>,
}

impl<'a> Known<'a> {
    fn of(record: &'a ProposalRecord) -> Self {
        Self { record: Some(record) }
    }

    fn approval(&self) -> Option<&'a Approval> {
        self.record.and_then(|record| record.approval.as_ref())
    }

    fn taken_in(&self) -> Option<Timestamp> {
        self.record.map(|record| record.proposal.received_at)
    }

    /// The last verdict's outcome and finding codes, for "nothing new".
    fn last(&self) -> Option<Verdict> {
        Verdict::deserialize(self.record?.verdict.as_ref()?).ok()
    }
}

fn judge(
    desk: &Desk<'_>,
    case: &Case<'_>,
    proposal: Proposal,
    known: Known<'_>,
    events: &mut Vec<Event>,
) -> Result<(), WorkflowError> {
    let approval = observe::approval(case, &proposal)?;
    if let Some(approval) = &approval
        && known.approval() != Some(approval)
    {
        events.push(Event::DecisionObserved { approval: approval.clone() });
    }
    let last = known.last();
    let history = History {
        superseded_by: None,
        open_promotion: case.open_promotion.as_ref().map(ToString::to_string),
        already_promoted: known.record.is_some_and(|record| record.stage == Stage::Promoted),
        base_unproven: observe::base_unproven(desk, case, known.record, approval.as_ref(), last.as_ref()),
        machine_users: desk.machine_users.to_vec(),
        frozen: desk.tally.frozen(&proposal),
        drift: desk.tally.drift(&proposal),
        lanes: desk.tally.lanes(&proposal, desk.now),
        signals: case.signals.clone(),
        disputed_by: disputed(case, &proposal, last.as_ref()),
        quiet: None,
        open_proposal: None,
        counts: desk.tally.counts((desk.rules, &proposal), last.as_ref(), (known.taken_in(), desk.now)),
    };
    let input = Input {
        proposal: &proposal,
        record: &case.reading.snapshot,
        approval: approval.as_ref(),
        history: &history,
        schema: desk.described.map(|described| &described.schema),
        rules: desk.rules,
        now: desk.now,
    };
    let verdict = gate::decide(&input);
    let recorded = Recorded::of(&input, desk.described.map(|described| &described.digest));
    let stage = known.record.map_or(Stage::Received, |record| record.stage);
    let (first, before) = (last.is_none(), events.len());
    follow(case, (&proposal, stage), (&verdict, &recorded), (approval.is_some(), last), events)?;
    if events.iter().skip(before).any(|event| matches!(event, Event::VerdictReached { .. })) {
        events.extend(shadow::begin(&input, verdict.outcome, first));
    }
    Ok(())
}

/// A reviewer's own edit takes the place of an agent's proposal, and disputes nothing.
fn disputed(case: &Case<'_>, proposal: &Proposal, last: Option<&Verdict>) -> Vec<String> {
    if proposal.edited_from.is_some() {
        return Vec::new();
    }
    disputed_by(proposal, &case.known, last)
}

/// The events that a verdict asks for.
fn follow(
    case: &Case<'_>,
    (proposal, now): (&Proposal, Stage),
    (verdict, recorded): (&Verdict, &Recorded),
    (approved, last): (bool, Option<Verdict>),
    events: &mut Vec<Event>,
) -> Result<(), WorkflowError> {
    let news = last.as_ref().is_none_or(|last| reasons(last) != reasons(verdict));
    if matches!(verdict.outcome, Outcome::Review | Outcome::Hold) && !news {
        return Ok(());
    }
    // That another promotion is open is over in a moment and not worth an entry; that people or a
    // budget hold it is told.
    let soon_over = verdict.deciding().is_none_or(|finding| finding.code == FindingCode::PromotionOpen);
    if verdict.outcome == Outcome::Hold && soon_over {
        return Ok(());
    }
    let stage = verdict.outcome.stage(approved).unwrap_or(now);
    metrics::counter!(VERDICTS, "outcome" => verdict.outcome.name()).increment(1);
    events.push(Event::VerdictReached {
        proposal_id: proposal.id.clone(),
        stage,
        verdict: json(verdict)?,
        input: Some(json(recorded)?),
    });
    match (&verdict.plan, verdict.outcome) {
        (Some(plan), Outcome::Promote) => events.push(intended(plan.clone())),
        (_, Outcome::Review | Outcome::Hold) => {}
        _ if case.reading.slot.pending => events.push(notice(proposal, &outcome_words(verdict))),
        _ => {}
    }
    Ok(())
}

/// The intent of a plan: a promotion of which nothing has been sent.
pub fn intended(plan: Plan) -> Event {
    let promotion = Promotion {
        id: PromotionId::new(clock::unique_id()),
        plan,
        attempts: 0,
        settlement: Settlement::Intended,
        undoes: None,
        rollback: None,
        proof: std::collections::BTreeMap::new(),
    };
    Event::PromotionIntended { promotion }
}

/// As the ledger keeps it.
pub fn json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, WorkflowError> {
    serde_json::to_value(value).map_err(|error| WorkflowError::Unexpected(error.to_string()))
}

fn reasons(verdict: &Verdict) -> (Outcome, Vec<gate::FindingCode>) {
    (verdict.outcome, verdict.findings.iter().map(|finding| finding.code).collect())
}

fn notice(proposal: &Proposal, text: &str) -> Event {
    Event::NoticeIntended {
        object: proposal.object.clone(),
        record: proposal.record.clone(),
        proposal_id: proposal.id.clone(),
        text: super::stamp::fit(text),
    }
}
