//! Replay: recorded decisions made again, under the rules of then or under candidates.
//!
//! Nothing is asked of the org and nothing is written. Under the rules of then, every verdict must
//! have the bytes that were recorded. Under candidates, what would have turned out otherwise is
//! counted and joined with what people did and with what was put back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::WorkflowError;
use crate::{
    domain::{
        Change, Decision, Digest, FieldName, ObjectName, ObjectSchema, Plan, Proposal, ProposalId, Stage,
        digest::canonical,
    },
    gate::{FindingCode, GATE_REVISION, Outcome, Recorded, Rules, decide, judge},
    ledger::{Basis, Depth, Ledger, RecordedPage, RecordedVerdict, Told, verify::at_once},
};

mod report;

pub use report::{Differing, Fate, Flip, Report};

/// Entries whose verdicts are a page: few enough that the memory for them is used again and not given
/// back and cleared each time.
const SPAN: u32 = 200;

/// Pages that are read ahead, so that reading does not wait for a page that takes long.
const AHEAD: usize = 4;

/// What is asked for.
pub struct Asked {
    /// Rules to try; the recorded ones when absent.
    pub candidate: Option<Rules>,
    /// Fields for which the org's own switch counts as on; only with candidates.
    pub switches: Vec<(ObjectName, FieldName)>,
    /// Place in the chain after which to start.
    pub after: u64,
}

/// What one verdict came to.
pub(crate) struct Replayed {
    pub(crate) seq: u64,
    pub(crate) proposal: ProposalId,
    pub(crate) was: Outcome,
    pub(crate) fate: Fate,
    pub(crate) result: Result<Again, Skipped>,
}

/// A decision that was made again.
pub(crate) struct Again {
    pub(crate) outcome: Outcome,
    /// The bytes are those that were recorded.
    pub(crate) same_bytes: bool,
    /// Code of the finding that decided.
    pub(crate) because: Option<&'static str>,
    /// What it would have written with no person.
    pub(crate) by_itself: Vec<Change>,
}

/// Why a decision cannot be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skipped {
    /// An older version did not keep what it rested on.
    InputGone,
    /// People erased what it rested on.
    Erased,
    /// The rules of then were not kept.
    PolicyGone,
    /// The description of the object was not kept.
    SchemaGone,
    /// The gate of then was another one.
    OtherGate,
}

/// The rules and descriptions of then.
struct Shelf {
    rules: BTreeMap<Digest, Rules>,
    schemas: BTreeMap<Digest, ObjectSchema>,
    candidate: Option<Rules>,
}

/// Replays everything after a place, oldest first. `progress` is told how far in the chain it is.
pub async fn replay(
    ledger: &Ledger,
    asked: Asked,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, WorkflowError> {
    let Basis { policies, mut schemas } = ledger.basis().await?;
    if asked.candidate.is_some() {
        schemas.values_mut().for_each(|schema| switch_on(schema, &asked.switches));
    }
    let rules = policies.into_iter().map(|(digest, policy)| Ok((digest, Rules::new(policy)?)));
    let rules = rules.collect::<Result<_, WorkflowError>>()?;
    let mut report = Report::new(asked.candidate.as_ref());
    let shelf = Arc::new(Shelf { rules, schemas, candidate: asked.candidate });
    let mut seen = BTreeSet::new();
    let depth = if shelf.candidate.is_some() { Depth::Outcome } else { Depth::Whole };
    let (pages, mut next) = mpsc::channel(AHEAD);
    let (ledger, after) = (ledger.clone(), asked.after);
    let reading = tokio::spawn(async move { ledger.verdicts(after, (depth, SPAN), &pages).await });
    let pages = stream::poll_fn(|context| next.poll_recv(context));
    let mut replayed = pages.map(|page| all_again(&shelf, page)).buffered(at_once());
    while let Some(page) = replayed.next().await {
        let (last, page) = page?;
        for replayed in page {
            report.count(replayed?, &mut seen);
        }
        progress(last);
    }
    drop(replayed);
    reading.await.map_err(|error| WorkflowError::Unexpected(error.to_string()))??;
    Ok(report)
}

fn switch_on(schema: &mut ObjectSchema, switches: &[(ObjectName, FieldName)]) {
    for (_, field) in switches.iter().filter(|(object, _)| *object == schema.object) {
        if !schema.auto_allowed.contains(field) {
            schema.auto_allowed.push(field.clone());
        }
    }
}

/// The decisions of a page in order, with its last place.
type Page = (u64, Vec<Result<Replayed, WorkflowError>>);

/// Makes the decisions of a page again, on one core: handing parts of it around costs more than it
/// brings.
async fn all_again(shelf: &Arc<Shelf>, page: RecordedPage) -> Result<Page, WorkflowError> {
    let shelf = Arc::clone(shelf);
    let work = tokio::task::spawn_blocking(move || {
        let again = (0..page.len()).map(|place| shelf.again(&page.verdict(place)?)).collect();
        (page.last(), again)
    });
    work.await.map_err(|error| WorkflowError::Unexpected(error.to_string()))
}

impl Shelf {
    fn again(&self, recorded: &RecordedVerdict<'_>) -> Result<Replayed, WorkflowError> {
        let proposal = recorded.proposal()?;
        let (was, result) = match &self.candidate {
            Some(candidate) => {
                let (was, is_erased) = recorded.outcome()?;
                let tried = if is_erased {
                    Err(Skipped::Erased)
                } else {
                    self.tried(recorded, &proposal, candidate)?
                };
                (was, tried)
            }
            None => {
                let then = Then::of(recorded)?;
                (then.outcome, self.decide(recorded, &proposal, &then)?)
            }
        };
        let fate = Fate::of(recorded.stage, recorded.decided);
        Ok(Replayed { seq: recorded.seq, proposal: proposal.id, was, fate, result })
    }

    /// Under candidates: only what would have happened counts, so nothing is digested.
    fn tried(
        &self,
        recorded: &RecordedVerdict<'_>,
        proposal: &Proposal,
        candidate: &Rules,
    ) -> Result<Result<Again, Skipped>, WorkflowError> {
        let Some(input) = recorded.input::<Recorded>()? else { return Ok(Err(Skipped::InputGone)) };
        let Ok(schema) = self.schema_of(&input) else { return Ok(Err(Skipped::SchemaGone)) };
        let judged = judge(&input.input(proposal, schema, candidate));
        Ok(Ok(Again {
            outcome: judged.outcome,
            same_bytes: false,
            because: judged.because.map(FindingCode::as_str),
            by_itself: by_itself(judged.plan),
        }))
    }

    /// Under the rules of then: the bytes must be those that were recorded.
    fn decide(
        &self,
        recorded: &RecordedVerdict<'_>,
        proposal: &Proposal,
        then: &Then<'_>,
    ) -> Result<Result<Again, Skipped>, WorkflowError> {
        if then.gate.as_deref() != Some(GATE_REVISION) {
            return Ok(Err(Skipped::OtherGate));
        }
        if then.is_erased {
            return Ok(Err(Skipped::Erased));
        }
        let Some(input) = recorded.input::<Recorded>()? else { return Ok(Err(Skipped::InputGone)) };
        let Some(rules) = self.rules.get(&then.policy) else {
            return Ok(Err(Skipped::PolicyGone));
        };
        let Ok(schema) = self.schema_of(&input) else { return Ok(Err(Skipped::SchemaGone)) };
        let verdict = decide(&input.input(proposal, schema, rules));
        Ok(Ok(Again {
            outcome: verdict.outcome,
            same_bytes: then.has(&canonical(&verdict)?, recorded)?,
            because: verdict.deciding().map(|finding| finding.code.as_str()),
            by_itself: by_itself(verdict.plan),
        }))
    }

    /// The description that the decision rested on, if it had one.
    fn schema_of(&self, input: &Recorded) -> Result<Option<&ObjectSchema>, Skipped> {
        let Some(digest) = &input.schema else { return Ok(None) };
        self.schemas.get(digest).map(Some).ok_or(Skipped::SchemaGone)
    }
}

/// A verdict as it was recorded.
struct Then<'a> {
    outcome: Outcome,
    gate: Option<String>,
    policy: Digest,
    is_erased: bool,
    told: Option<Told<'a>>,
}

impl<'a> Then<'a> {
    fn of(recorded: &RecordedVerdict<'a>) -> Result<Self, WorkflowError> {
        // Part by part, which costs least; as a whole where that cannot be done.
        if let Some(told) = recorded.told() {
            let part = |name: &str| told.part(name).unwrap_or("null");
            let text = |name: &str| serde_json::from_str::<String>(part(name)).ok();
            return Ok(Self {
                outcome: serde_json::from_str(part("outcome")).map_err(unexpected)?,
                gate: text("gate"),
                policy: Digest::from_hex(text("policy").unwrap_or_default()),
                is_erased: told.is_erased,
                told: Some(told),
            });
        }
        let (then, is_erased) = recorded.verdict()?;
        let text = |name: &str| then.get(name).and_then(Value::as_str).map(str::to_owned);
        let outcome = then.get("outcome").cloned().unwrap_or_default();
        Ok(Self {
            outcome: serde_json::from_value(outcome).map_err(unexpected)?,
            gate: text("gate"),
            policy: Digest::from_hex(text("policy").unwrap_or_default()),
            is_erased,
            told: None,
        })
    }

    /// Whether its canonical bytes are these. What was recorded is canonical, so nearly always its
    /// parts give the answer as they are.
    fn has(&self, bytes: &str, recorded: &RecordedVerdict<'_>) -> Result<bool, WorkflowError> {
        if self.told.as_ref().is_some_and(|told| told.text() == bytes) {
            return Ok(true);
        }
        Ok(canonical(&recorded.verdict()?.0)? == bytes)
    }
}

fn unexpected(error: serde_json::Error) -> WorkflowError {
    WorkflowError::Unexpected(error.to_string())
}

fn by_itself(plan: Option<Plan>) -> Vec<Change> {
    let plan = plan.filter(|plan| plan.basis == crate::domain::Basis::Auto);
    plan.map_or_else(Vec::new, |plan| plan.changes)
}

impl Fate {
    fn of(stage: Stage, decided: Option<Decision>) -> Self {
        match (stage, decided) {
            (Stage::RolledBack, _) => Self::RolledBack,
            (_, Some(Decision::Approved)) => Self::Approved,
            (_, Some(Decision::Rejected)) => Self::Rejected,
            (Stage::Promoted, None) => Self::RanByItself,
            (_, None) => Self::Undecided,
        }
    }
}
