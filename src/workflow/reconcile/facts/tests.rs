//! Which lists make a case, under which names it is counted, and as what.

use super::*;
use crate::{
    config::policies,
    domain::{Condition, ProposalId, Settlement, policy::ShadowSegment, reconciliation::facts::Fact},
    workflow::tests::{at, field, known, promotion, told},
};

const OPEN: &str = "Open - Not Contacted";
const CLOSED: &str = "Closed - Not Converted";

fn promoted() -> Promotion {
    promotion(Settlement::Done, 1)
}

fn settled(fact: Fact) -> Settled {
    let (promotion, field) = (PromotionId::new("promo-1"), field("Status"));
    Settled { promotion, field, fact, at: at(60), part: "all".to_owned() }
}

#[test]
fn a_case_begins_with_the_first_change_by_a_person() {
    let lists = [
        told(CLOSED, 15, DiscrepancyKind::OverriddenByProgram),
        told(OPEN, 20, DiscrepancyKind::Overridden),
        told(CLOSED, 25, DiscrepancyKind::OverriddenByProgram),
    ];
    let found = case(lists.iter().collect(), &promoted(), None).unwrap();
    assert_eq!(found.set(), Some((&FieldValue::text(OPEN), at(20))));
    assert_eq!(found.told.len(), 2);
    assert_eq!(found.change.after, FieldValue::text("Working - Contacted"));
    let programs = case(vec![&lists[0], &lists[2]], &promoted(), None).unwrap();
    assert_eq!((programs.told.len(), programs.set()), (0, None), "no person had a word");
}

#[test]
fn what_nobody_computed_is_no_case() {
    let list = told(OPEN, 20, DiscrepancyKind::Overridden);
    let made = |promoted: &Promotion, proposal| case(vec![&list], promoted, proposal).is_some();
    assert!(made(&promoted(), Some(known(None))));
    let mut edited = known(None);
    edited.proposal.edited_from = Some(ProposalId::parse("p-0").unwrap());
    assert!(!made(&promoted(), Some(edited)), "a reviewer changed it");
    let mut back = promoted();
    back.plan.basis = Basis::Rollback;
    assert!(!made(&back, None), "it was put back");
    let mut other = promoted();
    other.plan.changes[0].field = field("Rating");
    assert!(!made(&other, None), "it wrote another field");
    other.plan.changes.extend(promoted().plan.changes);
    other.plan.changes[0].after = FieldValue::text("Hot");
    let found = case(vec![&list], &other, None).unwrap();
    assert_eq!(found.change, promoted().plan.changes[0], "of several fields its own");
}

#[test]
fn a_case_counts_under_its_lane_rule_and_step_and_where_there_are_parts_under_its_part() {
    let list = told(OPEN, 20, DiscrepancyKind::Overridden);
    let mut decided = known(None);
    decided.verdict =
        Some(serde_json::json!({ "facts": { "policy": "leads", "tier.Status": "review-required" } }));
    let found = case(vec![&list], &promoted(), Some(decided)).unwrap();
    let mut policy = policies::load(None).unwrap();
    let named = |policy: &Policy, case: &Case<'_>| -> Vec<(FactsBy, String)> {
        names(policy, case, "big").into_iter().map(|(by, name, _)| (by, name)).collect()
    };
    let rule = "leads: Lead.Status is review-required".to_owned();
    let mut expected = vec![
        (FactsBy::Lane, "Lead.Status".to_owned()),
        (FactsBy::Rule, rule),
        (FactsBy::Step, "Lead.Status: Working - Contacted > Open - Not Contacted".to_owned()),
    ];
    let lead = policy.objects.get_mut(found.object).unwrap();
    lead.shadow.get_or_insert_default().segments.clear();
    assert_eq!(named(&policy, &found), expected, "the policy names no parts");
    let lead = policy.objects.get_mut(found.object).unwrap();
    let part = ShadowSegment { name: "big".to_owned(), when: Condition::All(Vec::new()) };
    lead.shadow.get_or_insert_default().segments.push(part);
    expected.push((FactsBy::Part, "Lead: big".to_owned()));
    assert_eq!(named(&policy, &found), expected);
    let programs = Case { told: Vec::new(), ..found };
    assert_eq!(named(&policy, &programs), expected[..2], "a program's value makes no step");
}

#[test]
fn a_case_counts_as_open_or_for_whom_a_fact_settled_it() {
    let list = told(OPEN, 20, DiscrepancyKind::Overridden);
    let mut found = case(vec![&list], &promoted(), None).unwrap();
    let mut tally = FactsTally::default();
    count(&mut tally, &found, None);
    count(&mut tally, &found, Some(&settled(Fact::Kept)));
    count(&mut tally, &found, Some(&settled(Fact::CameToIt)));
    found.told.clear();
    count(&mut tally, &found, None);
    assert_eq!(tally, FactsTally { people: 1, computed: 1, open: 1, programs: 1 });
}

#[test]
fn only_what_people_changed_and_no_run_has_settled_is_looked_at() {
    let lists =
        [told(OPEN, 20, DiscrepancyKind::Overridden), told(CLOSED, 15, DiscrepancyKind::OverriddenByProgram)];
    let key = |id: &str| (PromotionId::new(id), field("Status"));
    let made = |list| case(vec![list], &promoted(), None).unwrap();
    let cases = BTreeMap::from([
        (key("promo-1"), made(&lists[0])),
        (key("promo-2"), made(&lists[1])),
        (key("promo-3"), made(&lists[0])),
    ]);
    let known = BTreeMap::from([(key("promo-3"), settled(Fact::Kept))]);
    let ids: Vec<&str> = open(&cases, &known).iter().map(|(key, _)| key.0.as_str()).collect();
    assert_eq!(ids, ["promo-1"]);
}

#[test]
fn the_sample_is_the_one_of_the_objects_scorecards() {
    let mut policy = policies::load(None).unwrap();
    let lead = ObjectName::parse("Lead").unwrap();
    policy.objects.get_mut(&lead).unwrap().shadow.get_or_insert_default().min_sample = 7.into();
    assert_eq!((least(&policy, &lead), least(&policy, &ObjectName::parse("Case").unwrap())), (7, 50));
}

#[test]
fn the_largest_rows_of_each_kind_are_kept_in_order() {
    let tally = |open| (50, FactsTally { open, ..FactsTally::default() });
    let name = |by, name: String| (by, name, None);
    let mut tallies: BTreeMap<Name, _> =
        (0..60).map(|n| (name(FactsBy::Step, format!("step-{n:02}")), tally(n))).collect();
    tallies.insert(name(FactsBy::Rule, "rule".to_owned()), tally(1));
    let rows = rows(tallies);
    assert_eq!(rows.len(), MOST_ROWS + 1);
    assert_eq!((rows[0].by, rows[0].name.as_str()), (FactsBy::Rule, "rule"));
    assert_eq!((rows[1].name.as_str(), rows[MOST_ROWS].name.as_str()), ("step-59", "step-10"));
}
