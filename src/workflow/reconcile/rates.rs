//! How often people made something else of what was proposed: by check, rule, agent and segment.
//!
//! A fold over the proposals that came in within so many days. What the lists of earlier runs tell as
//! overridden counts too, as far as they were not erased.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    domain::{
        Door, FieldName, FieldValue, ObjectName, Policy, PromotionId, Stage,
        reconciliation::{Rate, RateBy, Tally},
    },
    gate::{Finding, deciding},
    ledger::ProposalRecord,
    workflow::{Context, WorkflowError},
};

/// Proposals that are looked at together.
const PAGE: u32 = 1_000;
/// Most rows of one kind; the largest ones.
const MOST_ROWS: usize = 50;
/// In place of the finding where nothing spoke against a change.
const NO_OBJECTION: &str = "no-objection";

/// From when on proposals count.
pub(super) fn since(at: Timestamp, days: u32) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN)
}

/// What people made of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Stands,
    Edited,
    Rejected,
    Overtaken,
    Overridden,
    Undone,
    /// Nobody's: a program set another value.
    ByProgram,
}

/// The rates, the names with most proposals first.
pub(super) async fn rates(
    context: &Context,
    at: Timestamp,
    days: u32,
    overridden: &BTreeMap<PromotionId, bool>,
) -> Result<Vec<Rate>, WorkflowError> {
    let ledger = &context.ledger;
    let mut after = ledger.place_before(since(at, days)).await?;
    let mut tallies: BTreeMap<(RateBy, String), Tally> = BTreeMap::new();
    loop {
        let page = ledger.proposals_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.received_seq;
        let originals: BTreeSet<&str> =
            page.iter().filter_map(|known| Some(known.proposal.edited_from.as_ref()?.as_str())).collect();
        let edited = ledger.proposals_by_id(&originals).await?;
        let judged: Vec<(&ProposalRecord, Word)> = page
            .iter()
            .filter_map(|known| Some((known, word(known, overridden)?)))
            .chain(edited.values().map(|known| (known, Word::Edited)))
            .collect();
        let ids: Vec<&str> = judged.iter().map(|(known, _)| known.proposal.id.as_str()).collect();
        let findings = ledger.first_findings(&ids).await?;
        for (known, word) in judged {
            let check = findings.get(known.proposal.id.as_str());
            for name in names(known, check, context.rules.policy()) {
                count(tallies.entry(name).or_default(), word);
            }
        }
    }
    Ok(rows(tallies))
}

/// `None` where people have had no word yet, or it was not theirs to have.
fn word(known: &ProposalRecord, overridden: &BTreeMap<PromotionId, bool>) -> Option<Word> {
    // What the schedule moves and what a reviewer wrote is no agent's proposal.
    if known.proposal.door == Door::Schedule || known.proposal.edited_from.is_some() {
        return None;
    }
    match known.stage {
        Stage::Promoted => match known.promotion.as_ref().and_then(|id| overridden.get(id)) {
            None => Some(Word::Stands),
            Some(false) => Some(Word::Overridden),
            Some(true) => Some(Word::ByProgram),
        },
        Stage::RolledBack => Some(Word::Undone),
        Stage::Rejected => Some(Word::Rejected),
        Stage::Stale => Some(Word::Overtaken),
        _ => None,
    }
}

fn count(tally: &mut Tally, word: Word) {
    let number = match word {
        Word::Stands => &mut tally.stands,
        Word::Edited => &mut tally.edited,
        Word::Rejected => &mut tally.rejected,
        Word::Overtaken => &mut tally.overtaken,
        Word::Overridden => &mut tally.overridden,
        Word::Undone => &mut tally.undone,
        Word::ByProgram => &mut tally.programs,
    };
    *number += 1;
}

/// Everything that a proposal counts for.
fn names(known: &ProposalRecord, check: Option<&Value>, policy: &Policy) -> Vec<(RateBy, String)> {
    let proposal = &known.proposal;
    let mut names = vec![(RateBy::Agent, proposal.actor.agent.clone())];
    // Erased findings leave no check to count for.
    let findings = check.and_then(|json| serde_json::from_value::<Vec<Finding>>(json.clone()).ok());
    if let Some(findings) = findings {
        let code =
            deciding(&findings).map_or_else(|| NO_OBJECTION.to_owned(), |finding| finding.code.to_string());
        names.push((RateBy::Check, code));
    }
    for field in proposal.patch.keys() {
        let step = (proposal.base.get(field), proposal.patch.get(field));
        names.push((RateBy::Segment, segment((&proposal.object, field), step, policy)));
        names.extend(rule(known, field).map(|rule| (RateBy::Rule, rule)));
    }
    names
}

/// Policy, field and tier of the last verdict, as far as that was not erased.
pub(super) fn rule(known: &ProposalRecord, field: &FieldName) -> Option<String> {
    let facts = known.verdict.as_ref()?.get("facts")?;
    let fact = |name: &str| facts.get(name)?.as_str();
    let (rules, tier) = (fact("policy")?, fact(&format!("tier.{field}"))?);
    let object = &known.proposal.object;
    Some(match known.proposal.door {
        Door::Schedule => format!("{rules}: {object}.{field} decays"),
        _ => format!("{rules}: {object}.{field} is {tier}"),
    })
}

/// The field; where the policy gives it a lifecycle, and so few values, the step as well.
pub(super) fn segment(
    (object, field): (&ObjectName, &FieldName),
    (from, to): (Option<&FieldValue>, Option<&FieldValue>),
    policy: &Policy,
) -> String {
    let name = format!("{object}.{field}");
    let rules = policy.objects.get(object).and_then(|object| object.fields.get(field));
    let state = |value: Option<&FieldValue>| {
        let state = value.and_then(FieldValue::as_text)?;
        rules?.place(state).map(|_| state.to_owned())
    };
    match (state(from), state(to)) {
        (Some(from), Some(to)) => format!("{name}: {from} > {to}"),
        _ => name,
    }
}

fn rows(tallies: BTreeMap<(RateBy, String), Tally>) -> Vec<Rate> {
    let mut rates: Vec<Rate> =
        tallies.into_iter().map(|((by, name), tally)| Rate { by, name, tally }).collect();
    rates.sort_by(|one, other| {
        (one.by, other.tally.all(), &one.name).cmp(&(other.by, one.tally.all(), &other.name))
    });
    keep_first(&mut rates, MOST_ROWS, |rate| rate.by);
    rates
}

/// Keeps the first so many rows of each kind.
pub(super) fn keep_first<T, K: Ord>(rows: &mut Vec<T>, most: usize, kind: impl Fn(&T) -> K) {
    let mut counted: BTreeMap<K, usize> = BTreeMap::new();
    rows.retain(|row| {
        let count = counted.entry(kind(row)).or_default();
        *count += 1;
        *count <= most
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_rows_of_each_kind_are_kept_in_order() {
        let tally = |stands| Tally { stands, ..Tally::default() };
        let mut tallies: BTreeMap<_, _> =
            (0..60).map(|n| ((RateBy::Agent, format!("agent-{n:02}")), tally(n))).collect();
        tallies.insert((RateBy::Check, "no-objection".to_owned()), tally(1));
        let rates = rows(tallies);
        assert_eq!(rates.len(), MOST_ROWS + 1);
        assert_eq!((rates[0].by, rates[0].name.as_str()), (RateBy::Check, "no-objection"));
        assert_eq!((rates[1].name.as_str(), rates[MOST_ROWS].name.as_str()), ("agent-59", "agent-10"));
    }
}
