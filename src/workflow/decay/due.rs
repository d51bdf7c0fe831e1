//! What is due: read by its day, page by page, and judged by the gate.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{DecayError, odd};
use crate::{
    domain::{
        Actor, DecayManifest, DecayStep, Door, FieldName, FieldPolicy, FieldValue, PromotionId, Proposal,
        ProposalId, Quiet, RecordId,
        decay::{AGENT, GENERAL},
        policy::Window,
    },
    gate::{self, FindingCode, History, Input, Outcome, Recorded, Verdict, checks::decay::begun_everywhere},
    ledger::Tx,
    salesforce::{RecordReading, names::ObjectContract},
    workflow::{Context, Described, WorkflowError, observe::object_name, tally::Tally},
};

/// A record that decay looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The step that it would take.
    pub step: DecayStep,
    /// Its name, for people.
    pub name: Option<String>,
    /// Its owner.
    pub owner: Option<RecordId>,
    /// The last thing that happened on it.
    pub last_activity: Option<Timestamp>,
    /// Why it moves or stays, in words.
    pub words: String,
    /// Code of the finding that decided; `decay-due` where it moves.
    pub code: FindingCode,
    /// What the gate said.
    pub outcome: Outcome,
}

/// What one look saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// What would move, in the order of the manifest.
    pub due: Vec<Found>,
    /// What stays though its day has come.
    pub spared: Vec<Found>,
    /// There was more than one run takes.
    pub cut: bool,
}

impl Look {
    /// What would be announced.
    pub fn manifest(&self, org: &str) -> DecayManifest {
        let steps = self.due.iter().map(|found| found.step.clone()).collect();
        DecayManifest { org: org.to_owned(), at: self.at, steps }
    }
}

/// Reads the records whose day has come, at most `most` of each object and field, and asks the gate
/// about each. Records that are not due are not read.
pub async fn look(context: &Context, most: usize) -> Result<Look, DecayError> {
    let at = context.clock.now();
    let until = begun_everywhere(at);
    let mut look = Look { at, due: Vec::new(), spared: Vec::new(), cut: false };
    for contract in context.governed() {
        let object = object_name(contract.object)?;
        let Some(policy) = context.rules.policy().objects.get(&object) else { continue };
        for (field, rules) in &policy.fields {
            let states: Vec<&str> = rules.decaying().collect();
            if states.is_empty() {
                continue;
            }
            let pages = context.reader.due(contract, (field, &states), (until, most));
            let Some(mut pages) = pages else { continue };
            let mut seen = 0;
            while let Some(readings) = pages.next().await.map_err(WorkflowError::from)? {
                seen += readings.len();
                judge_page(context, (contract, field, rules), &readings, &mut look).await?;
            }
            look.cut |= seen >= most;
        }
    }
    look.due.sort_by(|one, other| one.step.cmp(&other.step));
    look.spared.sort_by(|one, other| one.step.cmp(&other.step));
    Ok(look)
}

async fn judge_page(
    context: &Context,
    (contract, field, rules): (&'static ObjectContract, &FieldName, &FieldPolicy),
    readings: &[RecordReading],
    look: &mut Look,
) -> Result<(), DecayError> {
    let object = object_name(contract.object)?;
    let described = context.schema(&object).await;
    let mut tx = context.ledger.begin("decay looked at").await.map_err(WorkflowError::from)?;
    let desk = Desk::open(context, &mut tx, described.as_deref(), readings).await?;
    for reading in readings {
        let Some(step) = step(reading, (field, rules), look.at) else { continue };
        let proposal = sketch(&step, look.at).map_err(odd)?;
        let facts = desk.facts(&mut tx, &proposal, reading, None).await?;
        let (verdict, _) = desk.judge(&proposal, reading, &facts, look.at);
        let found = found(step, reading, &facts, &verdict);
        match found.outcome {
            Outcome::Promote => look.due.push(found),
            _ => look.spared.push(found),
        }
    }
    Ok(())
}

/// The step that the record would take, whatever the gate says of it.
fn step(
    reading: &RecordReading,
    (field, rules): (&FieldName, &FieldPolicy),
    now: Timestamp,
) -> Option<DecayStep> {
    let record = &reading.snapshot;
    let from = record.value(field)?.as_text()?;
    let segment = match rules.decay_window(from, record, now) {
        Window::Days { segment, .. } => segment.unwrap_or(GENERAL),
        Window::Unknown { segment } => segment,
        Window::None => GENERAL,
    };
    Some(DecayStep {
        object: record.object.clone(),
        record: record.record.clone(),
        field: field.clone(),
        from: from.to_owned(),
        to: rules.decay_target(from)?.to_owned(),
        segment: segment.to_owned(),
    })
}

/// A proposal that is judged and not recorded.
fn sketch(step: &DecayStep, at: Timestamp) -> Result<Proposal, crate::domain::IdError> {
    Ok(Proposal {
        creates: None,
        id: ProposalId::parse(&format!("decay:{}", step.record))?,
        object: step.object.clone(),
        record: step.record.clone(),
        patch: [(step.field.clone(), FieldValue::text(step.to.clone()))].into(),
        base: [(step.field.clone(), FieldValue::text(step.from.clone()))].into(),
        confidence: None,
        reason: None,
        evaluated_at: Some(at),
        expires_at: None,
        edited_from: None,
        requires_review: false,
        actor: Actor::named(AGENT),
        door: Door::Schedule,
        evidence: Vec::new(),
        received_at: at,
    })
}

fn found(step: DecayStep, reading: &RecordReading, facts: &History, verdict: &Verdict) -> Found {
    let due = verdict.findings.iter().find(|finding| finding.code == FindingCode::DecayDue);
    let decided = verdict.deciding().or(due);
    Found {
        step,
        name: reading.snapshot.name.clone(),
        owner: reading.snapshot.owner.clone(),
        last_activity: last_activity(&reading.quiet, facts),
        words: decided.map(|finding| finding.message.clone()).unwrap_or_default(),
        code: decided.map_or(FindingCode::DecayDue, |finding| finding.code),
        outcome: verdict.outcome,
    }
}

fn last_activity(quiet: &Quiet, facts: &History) -> Option<Timestamp> {
    let signals = facts.signals.iter().map(|signal| signal.occurred_at);
    [quiet.changed_at, quiet.last_signal_at].into_iter().flatten().chain(signals).max()
}

/// What the records of one batch have in common.
pub(super) struct Desk<'a> {
    context: &'a Context,
    described: Option<&'a Described>,
    tally: Tally,
    open: BTreeMap<RecordId, PromotionId>,
    proposals: BTreeMap<RecordId, Vec<ProposalId>>,
    signals: bool,
}

impl<'a> Desk<'a> {
    /// Asks the ledger what it knows of these records.
    pub(super) async fn open(
        context: &'a Context,
        tx: &mut Tx<'_>,
        described: Option<&'a Described>,
        readings: &[RecordReading],
    ) -> Result<Self, WorkflowError> {
        let keys: Vec<RecordId> = readings.iter().map(|reading| reading.snapshot.record.clone()).collect();
        let Some(first) = readings.first() else {
            let (open, proposals, tally) = (BTreeMap::new(), BTreeMap::new(), Tally::default());
            return Ok(Self { context, described, tally, open, proposals, signals: false });
        };
        let object = &first.snapshot.object;
        let open = tx.open_promotions_for(object, &keys).await?;
        let mut proposals: BTreeMap<RecordId, Vec<ProposalId>> = BTreeMap::new();
        for (record, known) in tx.proposals_for(object, &keys).await? {
            let others = known.into_iter().filter(|known| known.proposal.door != Door::Schedule);
            proposals.insert(record, others.map(|known| known.proposal.id).collect());
        }
        let signals = tx.any_signal().await?;
        Ok(Self { context, described, tally: Tally::open(tx, object).await?, open, proposals, signals })
    }

    /// What the ledger and the record's own dates say. `own` is a promotion that is not in the way.
    pub(super) async fn facts(
        &self,
        tx: &mut Tx<'_>,
        proposal: &Proposal,
        reading: &RecordReading,
        own: Option<&PromotionId>,
    ) -> Result<History, WorkflowError> {
        let record = &reading.snapshot.record;
        let open = self.open.get(record).filter(|open| Some(*open) != own);
        // A proposal that stands on the record and that nobody took in yet counts as open too.
        let told = self.proposals.get(record).and_then(|open| open.first()).map(ToString::to_string);
        let standing = reading.slot.proposal_id.clone().filter(|_| reading.slot.pending);
        Ok(History {
            open_promotion: open.map(ToString::to_string),
            open_proposal: told.or(standing),
            machine_users: self.context.machine_users.to_vec(),
            frozen: self.tally.frozen(proposal),
            drift: self.tally.drift(proposal),
            lanes: self.tally.lanes(proposal, self.context.clock.now()),
            signals: if self.signals { tx.signals(record).await? } else { Vec::new() },
            quiet: Some(reading.quiet),
            ..History::default()
        })
    }

    /// Asks the gate.
    pub(super) fn judge(
        &self,
        proposal: &Proposal,
        reading: &RecordReading,
        facts: &History,
        now: Timestamp,
    ) -> (Verdict, Recorded) {
        let input = Input {
            proposal,
            record: &reading.snapshot,
            approval: None,
            history: facts,
            schema: self.described.map(|described| &described.schema),
            rules: &self.context.rules,
            now,
        };
        let recorded = Recorded::of(&input, self.described.map(|described| &described.digest));
        (gate::decide(&input), recorded)
    }
}
