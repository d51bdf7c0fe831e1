//! The command door: a proposal is recorded, written to the record's `AI_*` fields with the
//! proposer's identity, and from there on takes the same way as one that was written directly.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Context, Described, WorkflowError,
    consider::json,
    make, shadow,
    submission::{Problem, Submission},
    tally::{Tally, disputed_by},
};
use crate::{
    domain::{FieldValue, Proposal, Stage, event::Event},
    gate::{
        self, History, Input, Outcome, Recorded, Verdict,
        preview::{PreviewCard, forecast, preview as card_of},
    },
    salesforce::{
        RecordReading, RowOutcome, RowWrite, Writer,
        names::{self, ObjectContract},
    },
};

/// Most characters of the evidence field.
const MOST_EVIDENCE: usize = 4000;

/// Fields that move the weighted amount.
const WEIGHTED: &[&str] = &["Amount", "StageName"];

/// How a submission ended.
#[derive(Debug)]
pub enum Submitted {
    /// Recorded, and written to the record.
    Landed(Box<Judged>),
    /// The same submission was made before; nothing was done.
    Known(Stage),
    /// The gate refuses it; recorded, not written.
    Refused(Box<Judged>),
    /// Salesforce refused the write of the proposal fields.
    OrgRefused {
        /// Salesforce's code.
        code: String,
        /// Salesforce's text, as data.
        message: String,
    },
}

/// A proposal with the gate's answer.
#[derive(Debug)]
pub struct Judged {
    /// The proposal.
    pub proposal: Proposal,
    /// The answer.
    pub verdict: Verdict,
    /// What it rested on besides the description of the object.
    recorded: Recorded,
    described: Arc<Described>,
    /// What a person would be shown.
    pub card: PreviewCard,
}

/// Why a submission did not get as far as the gate.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// Its shape or its types are wrong.
    #[error("{} problem(s) in the proposal", .0.len())]
    Problems(Vec<Problem>),
    /// A step failed; the submission can be made again.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

/// Reads the record and asks the gate; writes nothing anywhere.
pub async fn preview(context: &Context, submission: &Submission) -> Result<Judged, ProposeError> {
    let (_, reading) = read(context, submission).await?;
    judge(context, submission, &reading).await
}

/// Records the submission and writes it to the record.
pub async fn submit(
    context: &Context,
    proposer: &Writer,
    submission: &Submission,
) -> Result<Submitted, ProposeError> {
    let (contract, reading) = read(context, submission).await?;
    let judged = judge(context, submission, &reading).await?;
    let proposal = &judged.proposal;
    let mut tx = context.ledger.begin("proposal submitted").await.map_err(WorkflowError::from)?;
    let fingerprint = proposal.fingerprint().map_err(WorkflowError::from)?;
    if let Some(known) = tx.proposal(&proposal.id).await.map_err(WorkflowError::from)? {
        if known.fingerprint == fingerprint && (known.landed || known.stage.is_final()) {
            return Ok(Submitted::Known(known.stage));
        }
        if known.fingerprint != fingerprint {
            let refused = Event::SubmissionRefused {
                proposal_id: proposal.id.to_string(),
                code: "proposal-id-reused".to_owned(),
                fingerprint: Some(fingerprint),
            };
            tx.append(&refused).await.map_err(WorkflowError::from)?;
            tx.commit().await.map_err(WorkflowError::from)?;
            return Err(ProposeError::Problems(vec![reused(proposal)]));
        }
    } else {
        let received = Event::ProposalReceived { proposal: proposal.clone() };
        tx.append(&received).await.map_err(WorkflowError::from)?;
    }
    if refuses(judged.verdict.outcome) {
        context.keep_basis(&mut tx, Some(&judged.described)).await?;
        tx.append(&verdict_event(&judged)?).await.map_err(WorkflowError::from)?;
        if let Some(watch) = watch_of(context, &judged) {
            tx.append(&watch).await.map_err(WorkflowError::from)?;
        }
        tx.commit().await.map_err(WorkflowError::from)?;
        return Ok(Submitted::Refused(Box::new(judged)));
    }
    if proposal.creates.is_some() {
        // It stands on no record: the daemon takes it from the ledger.
        let (proposal_id, result) = (proposal.id.clone(), "done".to_owned());
        tx.append(&Event::SubmissionSettled { proposal_id, result }).await.map_err(WorkflowError::from)?;
        tx.commit().await.map_err(WorkflowError::from)?;
        return Ok(Submitted::Landed(Box::new(judged)));
    }
    tx.commit().await.map_err(WorkflowError::from)?;
    land(context, proposer, contract, judged).await
}

async fn land(
    context: &Context,
    proposer: &Writer,
    contract: &ObjectContract,
    judged: Judged,
) -> Result<Submitted, ProposeError> {
    let proposal_id = judged.proposal.id.clone();
    let row = proposal_row(contract, &judged.proposal);
    let outcome = proposer.update(&[row]).await.into_iter().next();
    let refusal = match outcome {
        Some(RowOutcome::Done) => None,
        Some(RowOutcome::Refused { code, message, .. } | RowOutcome::RaceLost { code, message }) => {
            Some((code, message))
        }
        Some(RowOutcome::Gone { code }) => Some((code, "the record is gone".to_owned())),
        // Nobody knows whether it landed. It is recorded, and the same submission may be made again.
        other => {
            let message =
                format!("the write of the proposal fields has no known outcome ({other:?}); send it again");
            return Err(WorkflowError::Unexpected(message).into());
        }
    };
    let result = refusal.as_ref().map_or("done", |(code, _)| code.as_str()).to_owned();
    let mut events = vec![Event::SubmissionSettled { proposal_id: proposal_id.clone(), result }];
    if let Some((code, _)) = &refusal {
        events.push(Event::StageChanged {
            proposal_id,
            stage: Stage::Refused,
            code: code.clone(),
            successor: None,
        });
    }
    let mut tx = context.ledger.begin("submission settled").await.map_err(WorkflowError::from)?;
    tx.append_all(&events).await.map_err(WorkflowError::from)?;
    tx.commit().await.map_err(WorkflowError::from)?;
    Ok(match refusal {
        None => Submitted::Landed(Box::new(judged)),
        Some((code, message)) => Submitted::OrgRefused { code, message },
    })
}

fn refuses(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Promote | Outcome::Review | Outcome::Hold)
}

fn verdict_event(judged: &Judged) -> Result<Event, WorkflowError> {
    Ok(Event::VerdictReached {
        proposal_id: judged.proposal.id.clone(),
        stage: judged.verdict.outcome.stage(false).unwrap_or(Stage::Refused),
        verdict: json(&judged.verdict)?,
        input: Some(json(&judged.recorded)?),
    })
}

/// A lane that only records is watched from here on: nothing of the proposal reaches the org.
fn watch_of(context: &Context, judged: &Judged) -> Option<Event> {
    let schema = Some(&judged.described.schema);
    let input = judged.recorded.input(&judged.proposal, schema, &context.rules);
    shadow::begin(&input, judged.verdict.outcome, true)
}

fn reused(proposal: &Proposal) -> Problem {
    Problem {
        code: "proposal-id-reused",
        field: "proposal_id".to_owned(),
        message: format!("`{}` was used before with another body", proposal.id),
        fix: "send this patch under a new proposal id".to_owned(),
    }
}

fn not_governed(context: &Context, submission: &Submission) -> Problem {
    let made = context.made().map(|contract| contract.object);
    let governed: Vec<&str> = match submission.creates {
        Some(_) => made.collect(),
        None => context.governed().map(|contract| contract.object).collect(),
    };
    let governed = if governed.is_empty() { "nothing".to_owned() } else { governed.join(", ") };
    let (what, whose) = match &submission.creates {
        Some(creates) => ("making a", format!("{} below a {}", submission.object, creates.parent)),
        None => ("the object", submission.object.to_string()),
    };
    Problem {
        code: "object-not-governed",
        field: "object".to_owned(),
        message: format!("no policy names {what} `{whose}`"),
        fix: format!("one of: {governed}"),
    }
}

async fn read(
    context: &Context,
    submission: &Submission,
) -> Result<(&'static ObjectContract, RecordReading), ProposeError> {
    let contract = match &submission.creates {
        Some(creates) => make::parent_contract(context, &submission.object, creates),
        None => context.governed().find(|known| known.object == submission.object.as_str()),
    };
    let contract = contract.ok_or_else(|| ProposeError::Problems(vec![not_governed(context, submission)]))?;
    let ids = std::slice::from_ref(&submission.record);
    let readings = context.reader.retrieve(contract, ids).await.map_err(WorkflowError::from)?;
    let reading = readings.into_iter().next();
    let reading =
        reading.ok_or_else(|| WorkflowError::Unexpected("a read gave no row for an id".to_owned()))?;
    Ok((contract, reading))
}

async fn judge(
    context: &Context,
    submission: &Submission,
    reading: &RecordReading,
) -> Result<Judged, ProposeError> {
    let Some(described) = context.schema(&submission.object).await else {
        let message = format!("`{}` was not described", submission.object);
        return Err(WorkflowError::Unexpected(message).into());
    };
    let now = context.clock.now();
    let proposal = submission
        .resolve(&described.schema, &reading.snapshot.fields, now)
        .map_err(ProposeError::Problems)?;
    let history = known(context, &proposal, now).await?;
    let input = Input {
        proposal: &proposal,
        record: &reading.snapshot,
        approval: None,
        history: &history,
        schema: Some(&described.schema),
        rules: &context.rules,
        now,
    };
    let verdict = gate::decide(&input);
    let mut card = card_of(&input, &verdict);
    if proposal.patch.keys().any(|field| WEIGHTED.contains(&field.as_str())) {
        card.forecast = match context.reader.stage_probabilities().await {
            Ok(probabilities) => forecast::weighted(&input, &probabilities),
            Err(error) => {
                // For people's eyes only: no submission fails for it.
                tracing::warn!(code = error.code(), %error, "the weighted forecast is left out");
                None
            }
        };
    }
    let recorded = Recorded::of(&input, Some(&described.digest));
    Ok(Judged { verdict, recorded, described, card, proposal })
}

/// What the daemon would know if the proposal came in now. The transaction is only read.
async fn known(context: &Context, proposal: &Proposal, now: Timestamp) -> Result<History, WorkflowError> {
    let mut tx = context.ledger.begin("history read").await?;
    let mut tally = Tally::open(&mut tx, &proposal.object).await?;
    tally.load(&mut tx, (&context.rules, proposal), now).await?;
    // Sent again, it must not count itself.
    let taken_in = tx.proposal(&proposal.id).await?.map(|known| known.proposal.received_at);
    let record = std::slice::from_ref(&proposal.record);
    let mut others = tx.proposals_for(&proposal.object, record).await?;
    let others = others.remove(&proposal.record).unwrap_or_default();
    Ok(History {
        machine_users: context.machine_users.to_vec(),
        frozen: tally.frozen(proposal),
        drift: tally.drift(proposal),
        lanes: tally.lanes(proposal, now),
        signals: tx.signals(&proposal.record).await?,
        // Each makes a record of its own.
        disputed_by: if proposal.creates.is_some() {
            Vec::new()
        } else {
            disputed_by(proposal, &others, None)
        },
        counts: tally.counts((&context.rules, proposal), None, (taken_in, now)),
        ..History::default()
    })
}

/// The record's proposal fields for this proposal: the whole bundle, so that nothing of an
/// earlier one stays behind.
pub fn proposal_row(contract: &ObjectContract, proposal: &Proposal) -> RowWrite {
    let mut fields = BTreeMap::from([
        (names::PROPOSAL_ID.to_owned(), json!(proposal.id.as_str())),
        (names::REQUIRES_REVIEW.to_owned(), Value::Bool(proposal.requires_review)),
        (names::PENDING.to_owned(), Value::Bool(true)),
        (names::DECISION.to_owned(), json!("Pending")),
        (
            contract.confidence.to_owned(),
            proposal.confidence.map_or(Value::Null, |n| FieldValue::decimal(n).to_json()),
        ),
        (contract.reason.to_owned(), json!(proposal.reason)),
        (
            names::EVALUATED_AT.to_owned(),
            proposal.evaluated_at.map_or(Value::Null, |at| FieldValue::DateTime(at).to_json()),
        ),
    ]);
    let ends = proposal.expires_at.map_or(Value::Null, |at| FieldValue::DateTime(at).to_json());
    fields.insert(names::EXPIRES_AT.to_owned(), ends);
    fields.insert(names::EVIDENCE.to_owned(), json!(evidence_text(proposal)));
    for lane in contract.lanes {
        let value = proposal.patch.iter().find(|(field, _)| field.as_str() == lane.field);
        fields.insert(lane.proposed.to_owned(), value.map_or(Value::Null, |(_, value)| value.to_json()));
    }
    if let Some(listed) = contract.proposed_fields {
        let named: Vec<&str> = proposal.patch.keys().map(|field| field.as_str()).collect();
        fields.insert(listed.to_owned(), json!(named.join(";")));
    }
    RowWrite { object: proposal.object.clone(), record: proposal.record.clone(), fields }
}

/// The evidence in lines, for the people who review; what does not fit is left out and counted.
fn evidence_text(proposal: &Proposal) -> Option<String> {
    let mut text = String::new();
    for (place, one) in proposal.evidence.iter().enumerate() {
        let link = one.link.as_ref().map_or(String::new(), |link| format!(" {link}"));
        let line = format!("{} {} ({}){link}\n", one.occurred_at, one.kind, one.source);
        let rest = format!("and {} more\n", proposal.evidence.len() - place);
        if text.encode_utf16().count() + line.encode_utf16().count() + rest.len() > MOST_EVIDENCE {
            text.push_str(&rest);
            break;
        }
        text.push_str(&line);
    }
    Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
}
