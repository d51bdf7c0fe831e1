//! Undoing many promotions: choosing them, planning against the org, and carrying it out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, WorkflowError, made};
use crate::{
    domain::{Choice, Digest, ObjectName, Promotion, PromotionId, RecordId, RollbackStep},
    gate::unwind::{Found, Manifest, RecordUndo, cancelling, is_cancelled, is_undone, unwind},
    ledger::Landed,
    salesforce::RecordReading,
};

mod apply;

pub use apply::{Asked, End, Ended, Outcome, apply, settle_leftovers};

/// A digest is told apart from a name by this many digits at least.
const DIGEST_LEAST: usize = 8;

/// Why many promotions are not rolled back.
#[derive(Debug, thiserror::Error)]
pub enum RollbackManyError {
    /// Nothing was asked for, which would mean everything.
    #[error(
        "nothing is chosen: give an id or at least one of --proposal, --agent, --policy, --rule, --record, --lane, --since, --until, --run"
    )]
    NothingChosen,
    /// The plan is not the one that was shown.
    #[error("the manifest is now {}, not {}: something changed since it was shown; look again with `countersign rollback plan`. Nothing was written", .now.as_str(), .shown.as_str())]
    ManifestChanged {
        /// What was shown.
        shown: Digest,
        /// What it would be now.
        now: Digest,
    },
    /// The manifest was carried out before.
    #[error("manifest {} was carried out before: plan again to see what is left", .0.as_str())]
    ManifestDone(Digest),
    /// No policy of this name or digest was ever in force.
    #[error(
        "no policy `{0}` was in force when anything was promoted: give its name or the first {DIGEST_LEAST} digits of its digest"
    )]
    PolicyUnknown(String),
    /// A step failed; the command can be given again.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
}

impl RollbackManyError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::NothingChosen => "rollback-nothing-chosen",
            Self::ManifestChanged { .. } => "rollback-manifest-changed",
            Self::ManifestDone(_) => "rollback-manifest-done",
            Self::PolicyUnknown(_) => "rollback-policy-unknown",
            Self::Workflow(error) => error.code(),
        }
    }
}

/// The promotions that a choice means, oldest first. Some may have been undone already.
pub async fn choose(context: &Context, choice: &Choice) -> Result<Vec<Landed>, RollbackManyError> {
    if choice.is_empty() {
        return Err(RollbackManyError::NothingChosen);
    }
    let mut found = context.ledger.chosen(choice).await.map_err(WorkflowError::from)?;
    if let Some(text) = &choice.policy {
        let named = policies_of(context, text).await?;
        found.retain(|landed| {
            let Some(objects) = landed.policy.as_ref().and_then(|policy| named.get(policy)) else {
                return false;
            };
            objects.as_ref().is_none_or(|objects| objects.contains(&landed.promotion.plan.object))
        });
    }
    Ok(found)
}

/// The policies that a name or a digest means; with a name, the objects that it speaks of.
async fn policies_of(
    context: &Context,
    text: &str,
) -> Result<BTreeMap<Digest, Option<BTreeSet<ObjectName>>>, RollbackManyError> {
    let basis = context.ledger.basis().await.map_err(WorkflowError::from)?;
    let by_digest = text.len() >= DIGEST_LEAST;
    let mut named = BTreeMap::new();
    for (digest, policy) in basis.policies {
        let objects: BTreeSet<ObjectName> =
            policy.objects.values().filter(|of| of.name == text).map(|of| of.object.clone()).collect();
        if by_digest && digest.as_str().starts_with(text) {
            named.insert(digest, None);
        } else if !objects.is_empty() {
            named.insert(digest, Some(objects));
        }
    }
    if named.is_empty() { Err(RollbackManyError::PolicyUnknown(text.to_owned())) } else { Ok(named) }
}

/// Plans the undoing of these promotions against the records as they are read now.
pub async fn plan(context: &Context, chosen: &[Landed]) -> Result<Manifest, RollbackManyError> {
    let key = |promotion: &Promotion| (promotion.plan.object.clone(), promotion.plan.record.clone());
    let made: Vec<Promotion> =
        chosen.iter().map(|one| &one.promotion).filter(|one| one.plan.making.is_some()).cloned().collect();
    let chosen: Vec<&Landed> = chosen.iter().filter(|one| one.promotion.plan.making.is_none()).collect();
    let records: BTreeSet<(ObjectName, RecordId)> = chosen.iter().map(|one| key(&one.promotion)).collect();
    let records: Vec<_> = records.into_iter().collect();
    let mut written: BTreeMap<(ObjectName, RecordId), Vec<Promotion>> = BTreeMap::new();
    for one in context.ledger.written_on(&records).await.map_err(WorkflowError::from)? {
        written.entry(key(&one.promotion)).or_default().push(one.promotion);
    }
    let chosen: BTreeSet<PromotionId> = chosen.iter().map(|one| one.promotion.id.clone()).collect();
    let mut undone = Vec::new();
    for reading in read(context, &records).await? {
        let snapshot = &reading.snapshot;
        let place = (snapshot.object.clone(), snapshot.record.clone());
        let mine = written.get(&place).map_or(&[][..], Vec::as_slice);
        let wanted = |one: &&Promotion| chosen.contains(&one.id) && left(one, mine);
        let wanted: BTreeSet<PromotionId> = mine.iter().filter(wanted).map(|one| one.id.clone()).collect();
        if !wanted.is_empty() {
            let found = Found { record: snapshot, previous: &reading.previous };
            undone.push(unwind(found, mine, &wanted));
        }
    }
    undone.extend(cancel(context, made).await?);
    Ok(Manifest { org: context.ledger.org_id().to_owned(), records: undone })
}

/// What cancelling the records that these promotions made would do, record by record.
async fn cancel(context: &Context, made: Vec<Promotion>) -> Result<Vec<RecordUndo>, RollbackManyError> {
    let mut left = Vec::with_capacity(made.len());
    for promotion in made {
        let id = &promotion.plan.proposal_id;
        let all = context.ledger.promotions_of_proposal(id).await.map_err(WorkflowError::from)?;
        if !is_cancelled(&promotion.id, &all) {
            let open = all.iter().find(|one| one.undoes.as_ref() == Some(&promotion.id));
            let open = open.filter(|one| !one.settlement.is_final()).map(|one| one.id.clone());
            left.push((promotion, open));
        }
    }
    let promotions: Vec<Promotion> = left.iter().map(|(promotion, _)| promotion.clone()).collect();
    let rows = made::made_rows(context, &promotions).await?;
    let planned = left.iter().filter_map(|(promotion, open)| {
        let row = rows.get(&promotion.id);
        let plan = made::plan_cancelling(context, promotion, row)?;
        Some(cancelling(promotion, row.map(|row| &row.record), (&plan, open.clone())))
    });
    Ok(planned.collect())
}

/// Whether anything of a promotion was not undone yet.
fn left(promotion: &Promotion, all: &[Promotion]) -> bool {
    promotion.plan.changes.iter().any(|change| !is_undone(&promotion.id, &change.field, all))
}

/// Reads the records, up to 2,000 in a call, in the order of object and id.
async fn read(
    context: &Context,
    records: &[(ObjectName, RecordId)],
) -> Result<Vec<RecordReading>, RollbackManyError> {
    let mut readings = Vec::with_capacity(records.len());
    for of_object in records.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((name, _)) = of_object.first() else { continue };
        let contract = context
            .contracts
            .find(name.as_str())
            .ok_or_else(|| WorkflowError::Unexpected(format!("no contract for `{name}`")))?;
        let ids: Vec<RecordId> = of_object.iter().map(|(_, record)| record.clone()).collect();
        readings.extend(context.reader.retrieve(contract, &ids).await.map_err(WorkflowError::from)?);
    }
    Ok(readings)
}

/// What a manifest would write, promotion by promotion.
pub fn steps_of(manifest: &Manifest) -> Vec<RollbackStep> {
    let steps = manifest.records.iter().flat_map(|record| &record.steps);
    steps
        .map(|step| RollbackStep {
            promotion: step.promotion.clone(),
            fields: step.restore.iter().map(|change| change.field.clone()).collect(),
        })
        .collect()
}

/// The manifest without what was not shown.
pub fn within(mut manifest: Manifest, shown: &[RollbackStep]) -> Manifest {
    let shown: BTreeMap<&PromotionId, &RollbackStep> =
        shown.iter().map(|step| (&step.promotion, step)).collect();
    for record in &mut manifest.records {
        cut(record, &shown);
    }
    manifest
}

fn cut(record: &mut RecordUndo, shown: &BTreeMap<&PromotionId, &RollbackStep>) {
    for step in &mut record.steps {
        let known = shown.get(&step.promotion);
        step.restore.retain(|change| known.is_some_and(|known| known.fields.contains(&change.field)));
    }
    record.steps.retain(|step| !step.restore.is_empty());
}
