//! Every case of the table, on a lifecycle of five states.

use super::*;

const KEPT: SignedDuration = SignedDuration::from_hours(24 * 14);

fn rules() -> FieldPolicy {
    let states = ["Aware", "Engaged", "Meeting", "Qualified", "Lost", "Won"];
    let rules = serde_json::json!({ "tier": "reviewed", "lifecycle": states, "terminal": ["Lost", "Won"] });
    serde_json::from_value(rules).unwrap()
}

fn day(days: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + days * 86_400).unwrap()
}

fn later(value: &str, days: i64) -> Later {
    Later { value: FieldValue::text(value), by_person: true, converted: false, at: day(days) }
}

fn program(value: &str, days: i64) -> Later {
    Later { by_person: false, ..later(value, days) }
}

/// What is told on day 10 of a disagreement of day 0.
fn told(computed: &str, set: &str, later: &[Later]) -> Option<Fact> {
    told_on(10, (computed, set), later)
}

fn told_on(days: i64, (computed, set): (&str, &str), later: &[Later]) -> Option<Fact> {
    let (computed, set) = (FieldValue::text(computed), FieldValue::text(set));
    let of = Disagreement { computed: &computed, set: &set, at: day(0), later };
    settle(&of, Some(&rules()), KEPT, day(days)).map(|(fact, _)| fact)
}

#[test]
fn what_stands_for_the_days_is_kept_and_not_before() {
    let steps = ("Engaged", "Aware");
    assert_eq!(told_on(13, steps, &[]), None, "it ages");
    assert_eq!(told_on(14, steps, &[]), Some(Fact::Kept));
    let (computed, set) = (FieldValue::text("Engaged"), FieldValue::text("Aware"));
    let of = Disagreement { computed: &computed, set: &set, at: day(0), later: &[later("Engaged", 15)] };
    assert_eq!(settle(&of, None, KEPT, day(99)), Some((Fact::Kept, day(14))), "the first fact counts");
    let at_once = Disagreement { later: &[later("Engaged", 14)], ..of };
    assert_eq!(
        settle(&at_once, None, KEPT, day(99)),
        Some((Fact::Kept, day(14))),
        "it had stood for the days"
    );
    let early = Disagreement { later: &[later("Engaged", 13)], ..of };
    assert_eq!(settle(&early, None, KEPT, day(99)), Some((Fact::CameToIt, day(13))));
}

#[test]
fn what_came_back_stands_anew_and_what_was_said_again_stands_on() {
    let steps = ("Meeting", "Aware");
    let between = [later("Engaged", 2), later("Aware", 3)];
    assert_eq!(told_on(16, steps, &between), None, "it was away");
    assert_eq!(told_on(17, steps, &between), Some(Fact::Kept));
    assert_eq!(told_on(14, steps, &[later("Aware", 3)]), Some(Fact::Kept), "said again");
    assert_eq!(told_on(99, steps, &[later("Engaged", 2)]), None, "it stands no more");
}

#[test]
fn a_person_who_sets_what_was_promoted_confirms_it() {
    assert_eq!(told("Engaged", "Aware", &[later("Engaged", 3)]), Some(Fact::CameToIt));
    assert_eq!(
        told("Engaged", "Aware", &[later("Engaged ", 3)]),
        Some(Fact::CameToIt),
        "as the org keeps it"
    );
    assert_eq!(told("Lost", "Aware", &[later("Lost", 3)]), Some(Fact::CameToIt), "also an end");
    let by_way = [later("Engaged", 3), later("Meeting", 4)];
    assert_eq!(told("Meeting", "Aware", &by_way), Some(Fact::CameToIt));
}

#[test]
fn past_what_was_promoted_confirms_it_and_away_from_it_does_not() {
    let fact = |computed, set, now| told(computed, set, &[later(now, 3)]);
    assert_eq!(fact("Engaged", "Aware", "Meeting"), Some(Fact::WentPast), "forward");
    assert_eq!(fact("Engaged", "Meeting", "Aware"), Some(Fact::WentPast), "and back");
    assert_eq!(fact("Engaged", "Meeting", "Qualified"), Some(Fact::MovedOn), "further on");
    assert_eq!(fact("Meeting", "Engaged", "Aware"), Some(Fact::MovedOn), "further back");
    assert_eq!(fact("Meeting", "Aware", "Engaged"), None, "in between");
    assert_eq!(fact("Aware", "Meeting", "Engaged"), None, "in between, the other way");
    for unknown in [("Elsewhere", "Aware", "Meeting"), ("Engaged", "Elsewhere", "Meeting")] {
        assert_eq!(fact(unknown.0, unknown.1, unknown.2), None, "no place in the order");
    }
    assert_eq!(fact("Engaged", "Aware", "Elsewhere"), None);
}

#[test]
fn an_end_from_the_persons_value_confirms_the_person() {
    assert_eq!(told("Engaged", "Aware", &[later("Lost", 3)]), Some(Fact::Closed), "and is not past it");
    assert_eq!(told("Lost", "Aware", &[later("Won", 3)]), Some(Fact::Closed), "another end than promoted");
    let by_way = [later("Engaged", 2), later("Lost", 3)];
    assert_eq!(told("Meeting", "Aware", &by_way), None, "not from the person's value");
    // The person's own end is no proof of itself.
    assert_eq!(told("Engaged", "Lost", &[later("Lost", 3)]), None);
    assert_eq!(told_on(14, ("Engaged", "Lost"), &[later("Lost", 3)]), Some(Fact::Kept));
    let converted = |value| Later { converted: true, ..later(value, 3) };
    assert_eq!(told("Engaged", "Aware", &[converted("Elsewhere")]), Some(Fact::Closed));
    assert_eq!(told("Engaged", "Aware", &[converted("Aware")]), Some(Fact::Closed));
    assert_eq!(told("Won", "Aware", &[converted("Won")]), Some(Fact::CameToIt));
}

#[test]
fn a_program_settles_nothing_and_ends_what_stands() {
    for value in ["Engaged", "Meeting", "Lost", "Qualified"] {
        assert_eq!(told("Engaged", "Aware", &[program(value, 3)]), None, "{value}");
    }
    let steps = ("Engaged", "Aware");
    assert_eq!(told_on(99, steps, &[program("Meeting", 3)]), None, "the person's value is gone");
    assert_eq!(told_on(14, steps, &[program("Aware", 3)]), Some(Fact::Kept), "it changed nothing");
    assert_eq!(told_on(99, steps, &[program("Meeting", 3), later("Lost", 4)]), None, "closed from elsewhere");
    let again = [program("Meeting", 3), later("Engaged", 4)];
    assert_eq!(told_on(99, steps, &again), Some(Fact::CameToIt), "a person is heard later");
    assert_eq!(told_on(99, steps, &[program("Meeting", 15)]), Some(Fact::Kept), "it had stood long enough");
}

#[test]
fn a_field_without_a_lifecycle_is_kept_or_comes_to_it() {
    let (computed, set) = (FieldValue::text("Call"), FieldValue::text("Write"));
    let fact = |value: &str| {
        let later = [later(value, 3)];
        let of = Disagreement { computed: &computed, set: &set, at: day(0), later: &later };
        settle(&of, None, KEPT, day(99)).map(|(fact, _)| fact)
    };
    assert_eq!(fact("Call"), Some(Fact::CameToIt));
    assert_eq!(fact("Visit"), None);
    assert_eq!(fact("Write"), Some(Fact::Kept));
}

#[test]
fn names_are_what_entries_hold() {
    for fact in Fact::ALL {
        assert_eq!(serde_json::to_value(fact).unwrap(), fact.name());
    }
    for by in FactsBy::ALL {
        assert_eq!(serde_json::to_value(by).unwrap(), by.name());
    }
    assert_eq!(Fact::ALL.map(Fact::is_for_people), [true, true, true, false, false]);
}

#[test]
fn the_numbers_carry_a_word_or_ask_for_more() {
    let tally = |people, computed| FactsTally { people, computed, open: 3, programs: 90 };
    assert_eq!((tally(52, 6).overridden(), tally(52, 6).settled()), (61, 58));
    assert_eq!(tally(52, 6).advice(58), Advice::Relax);
    assert_eq!(tally(52, 6).advice(59), Advice::NeedMore(1));
    assert_eq!(tally(6, 52).advice(50), Advice::Keep);
    assert_eq!(tally(26, 26).advice(50), Advice::Divided);
    assert_eq!(tally(1, 0).advice(1), Advice::Divided, "one case is no majority");
    let row = FactsRow {
        by: FactsBy::Lane,
        name: "Lead.Status".into(),
        rule: None,
        least: 60,
        tally: tally(52, 6),
    };
    assert_eq!(row.advice(), Advice::NeedMore(2));
    let told = serde_json::to_value(row.advice()).unwrap();
    assert_eq!(told, serde_json::json!({ "advice": "need-more", "more": 2 }));
}
