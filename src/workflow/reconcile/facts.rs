//! Who was right about what people overrode: each disagreement is followed until a fact settles it.
//!
//! The disagreements are what the lists of earlier runs and of this one tell. Those that no run has
//! settled yet are looked at: their records are read, and where the value has moved on, what the org's
//! field history, the ledger's promotions and the lists tell of the way there. What a run settles stays so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{rates, way};
use crate::{
    domain::{
        Basis, Change, Discrepancy, DiscrepancyKind, FieldName, FieldPolicy, FieldValue, ObjectName,
        ObjectPolicy, Policy, Promotion, PromotionId, RecordId,
        reconciliation::{
            Reconciliation,
            facts::{Disagreement, FactsBy, FactsRow, FactsTally, Settled, settle},
        },
        shadow::UNTOLD,
    },
    ledger::ProposalRecord,
    salesforce::RecordReading,
    workflow::{
        Context, WorkflowError,
        shadow::{label_time, rule_of},
    },
};

/// Promotions that are looked up together.
const PAGE: usize = 1_000;
/// Most rows of one kind; the largest ones.
const MOST_ROWS: usize = 50;

/// What names a disagreement: the promotion, and the field of it.
pub(super) type Key = (PromotionId, FieldName);

/// One disagreement, as the lists tell it.
pub(super) struct Case<'a> {
    /// What was overridden.
    pub promotion: &'a PromotionId,
    /// Object.
    pub object: &'a ObjectName,
    /// Record.
    pub record: &'a RecordId,
    /// Field.
    pub field: &'a FieldName,
    /// What was promoted.
    pub change: Change,
    /// The proposal, where the ledger still knows it.
    pub proposal: Option<ProposalRecord>,
    /// What the lists tell, oldest first, from the first change by a person on. Empty: programs only.
    pub told: Vec<&'a Discrepancy>,
}

impl Case<'_> {
    /// What a person set first, and when.
    pub fn set(&self) -> Option<(&FieldValue, Timestamp)> {
        let first = self.told.first()?;
        Some((first.after.as_ref()?, first.at?))
    }
}

/// What the runs so far found settled.
pub(super) fn known(runs: &[Reconciliation]) -> BTreeMap<Key, Settled> {
    let all = runs.iter().flat_map(|run| &run.settled);
    all.map(|one| ((one.promotion.clone(), one.field.clone()), one.clone())).collect()
}

/// The rows, and what was found settled now.
pub(super) async fn look(
    context: &Context,
    at: Timestamp,
    overrides: &[Discrepancy],
    known: BTreeMap<Key, Settled>,
) -> Result<(Vec<FactsRow>, Vec<Settled>), WorkflowError> {
    let cases = cases(context, overrides).await?;
    let open = open(&cases, &known);
    let readings = way::read(context, &open).await?;
    let ways = way::ways(context, &open, &readings).await?;
    let mut parts: BTreeMap<&Key, String> = BTreeMap::new();
    let mut settled = Vec::new();
    for (key, case) in open {
        let policy = context.rules.policy().objects.get(case.object);
        let part = part(policy, readings.get(case.record), at);
        parts.insert(key, part.clone());
        let (Some((set, since)), Some(later)) = (case.set(), ways.get(key)) else { continue };
        let of = Disagreement { computed: &case.change.after, set, at: since, later };
        let Some((fact, at)) = settle(&of, field_rules(policy, case.field), label_time(&rule_of(policy)), at)
        else {
            continue;
        };
        settled.push(Settled { promotion: key.0.clone(), field: key.1.clone(), fact, at, part });
    }
    let now = settled.iter().map(|one| ((one.promotion.clone(), one.field.clone()), one.clone()));
    let known: BTreeMap<Key, Settled> = known.into_iter().chain(now).collect();
    let (mut tallies, policy) = (BTreeMap::new(), context.rules.policy());
    for (key, case) in &cases {
        let part = known.get(key).map(|one| &one.part).or_else(|| parts.get(key));
        for name in names(policy, case, part.map_or(UNTOLD, String::as_str)) {
            let (_, tally) =
                tallies.entry(name).or_insert_with(|| (least(policy, case.object), FactsTally::default()));
            count(tally, case, known.get(key));
        }
    }
    Ok((rows(tallies), settled))
}

/// What the lists tell, by promotion and field. Of what was erased nobody knows what was computed.
async fn cases<'a>(
    context: &Context,
    overrides: &'a [Discrepancy],
) -> Result<BTreeMap<Key, Case<'a>>, WorkflowError> {
    let mut told: BTreeMap<Key, Vec<&Discrepancy>> = BTreeMap::new();
    for one in overrides {
        let (Some(promotion), Some(field)) = (&one.promotion, &one.field) else { continue };
        told.entry((promotion.clone(), field.clone())).or_default().push(one);
    }
    let ids: BTreeSet<&PromotionId> = told.keys().map(|(promotion, _)| promotion).collect();
    let ids: Vec<PromotionId> = ids.into_iter().cloned().collect();
    let (mut promotions, mut proposals) = (BTreeMap::new(), BTreeMap::new());
    for page in ids.chunks(PAGE) {
        let found = context.ledger.promotions_by_id(page).await?;
        let ids = found.iter().map(|promotion| promotion.plan.proposal_id.as_str()).collect();
        proposals.append(&mut context.ledger.proposals_by_id(&ids).await?);
        promotions.extend(found.into_iter().map(|promotion| (promotion.id.clone(), promotion)));
    }
    let mut cases = BTreeMap::new();
    for (key, told) in told {
        let Some(promotion) = promotions.get(&key.0) else { continue };
        let proposal = proposals.get(promotion.plan.proposal_id.as_str()).cloned();
        cases.extend(case(told, promotion, proposal).map(|case| (key, case)));
    }
    Ok(cases)
}

/// One case. `None`: what a reviewer had edited and what a rollback wrote is no computed value.
fn case<'a>(
    mut told: Vec<&'a Discrepancy>,
    promoted: &Promotion,
    proposal: Option<ProposalRecord>,
) -> Option<Case<'a>> {
    let Discrepancy { promotion, object, record, field, .. } = *told.first()?;
    let (promotion, field) = (promotion.as_ref()?, field.as_ref()?);
    let edited = proposal.as_ref().is_some_and(|known| known.proposal.edited_from.is_some());
    if promoted.plan.basis == Basis::Rollback || edited {
        return None;
    }
    let change = promoted.plan.changes.iter().find(|change| change.field == *field).cloned()?;
    let first = told.iter().position(|one| one.kind == DiscrepancyKind::Overridden);
    told.drain(..first.unwrap_or(told.len()));
    Some(Case { promotion, object, record, field, change, proposal, told })
}

/// Those on which people had a word and that no run has settled.
fn open<'a, 'b>(
    cases: &'b BTreeMap<Key, Case<'a>>,
    known: &BTreeMap<Key, Settled>,
) -> Vec<(&'b Key, &'b Case<'a>)> {
    cases.iter().filter(|(key, case)| !known.contains_key(*key) && !case.told.is_empty()).collect()
}

fn field_rules<'a>(policy: Option<&'a ObjectPolicy>, field: &FieldName) -> Option<&'a FieldPolicy> {
    policy?.fields.get(field)
}

/// The part of the records to which this one belongs.
fn part(policy: Option<&ObjectPolicy>, reading: Option<&RecordReading>, at: Timestamp) -> String {
    let rule = rule_of(policy);
    reading.map_or(UNTOLD, |reading| rule.segment(&reading.snapshot, at)).to_owned()
}

/// The sample that the object's scorecards ask for.
fn least(policy: &Policy, object: &ObjectName) -> u64 {
    let rule = rule_of(policy.objects.get(object));
    u64::try_from(rule.min_sample).unwrap_or(u64::MAX)
}

type Name = (FactsBy, String, Option<String>);

/// Everything that a disagreement counts for. Where only programs did it there is no person's value, and
/// the record is not looked at.
fn names(policy: &Policy, case: &Case<'_>, part: &str) -> Vec<Name> {
    let lane = (case.object, case.field);
    let rule = case.proposal.as_ref().and_then(|known| rates::rule(known, case.field));
    let mut names = vec![(FactsBy::Lane, format!("{}.{}", case.object, case.field), None)];
    names.extend(rule.clone().map(|rule| (FactsBy::Rule, rule, None)));
    let Some((set, _)) = case.set() else { return names };
    let step = rates::segment(lane, (Some(&case.change.after), Some(set)), policy);
    names.push((FactsBy::Step, step, rule));
    let has_parts = |own: &ObjectPolicy| own.shadow.as_ref().is_some_and(|rule| !rule.segments.is_empty());
    if policy.objects.get(case.object).is_some_and(has_parts) {
        names.push((FactsBy::Part, format!("{}: {part}", case.object), None));
    }
    names
}

fn count(tally: &mut FactsTally, case: &Case<'_>, settled: Option<&Settled>) {
    let number = match settled {
        _ if case.told.is_empty() => &mut tally.programs,
        None => &mut tally.open,
        Some(settled) if settled.fact.is_for_people() => &mut tally.people,
        Some(_) => &mut tally.computed,
    };
    *number += 1;
}

fn rows(tallies: BTreeMap<Name, (u64, FactsTally)>) -> Vec<FactsRow> {
    let row = |((by, name, rule), (least, tally)): (Name, _)| FactsRow { by, name, rule, least, tally };
    let mut rows: Vec<FactsRow> = tallies.into_iter().map(row).collect();
    rows.sort_by_key(|row| (row.by, std::cmp::Reverse(row.tally.overridden())));
    rates::keep_first(&mut rows, MOST_ROWS, |row| row.by);
    rows
}

#[cfg(test)]
mod tests;
