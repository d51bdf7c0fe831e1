//! The preview card: what it shows, and what it never lets through.

use super::*;
use crate::gate::{decide, tests::world::Case};

fn card(case: serde_json::Value) -> PreviewCard {
    let owned = serde_json::from_value::<Case>(case).unwrap().build();
    let verdict = decide(&owned.input());
    preview(&owned.input(), &verdict)
}

#[test]
fn an_opportunity_in_review() {
    let card = card(serde_json::json!({
        "name": "bundle", "object": "Opportunity",
        "patch": {
            "Amount": "18500.50", "CloseDate": "2026-10-15",
            "NextStep": "call Example Widgets Ltd on Friday", "StageName": "Negotiation/Review"
        },
        "evidence": [{ "kind": "reply", "source": "mailbox", "occurred_at": "2026-05-20T09:00:00Z" }]
    }));
    assert!(card.touches_reporting);
    assert_eq!(card.fields[0].delta, Some("3500.5".parse().unwrap()));
    assert_eq!(card.fields[1].period.as_ref().map(|period| period.quarters), Some(2));
    insta::assert_snapshot!(card.to_string());
}

#[test]
fn a_reported_field_counts_only_when_it_changes() {
    let touches = |patch: serde_json::Value| {
        card(serde_json::json!({ "name": "deal", "object": "Opportunity", "patch": patch })).touches_reporting
    };
    assert!(!touches(serde_json::json!({ "StageName": "Qualification", "NextStep": "call" })));
    assert!(touches(serde_json::json!({ "Amount": "9000", "NextStep": "call" })));
    let case = serde_json::json!({ "name": "deal", "object": "Opportunity",
        "patch": { "NextStep": "call", "Regions": "South" } });
    let readers: Vec<Option<&str>> = card(case).fields.iter().map(|field| field.read_by).collect();
    assert_eq!(readers, [Some("pipeline boards and list views"), None]);
}

#[test]
fn a_lead_that_runs_by_itself() {
    let card = card(serde_json::json!({
        "name": "auto", "patch": { "Status": "Working - Contacted" }, "auto_switch": ["Status"]
    }));
    assert_eq!(card.deciding(), None);
    insta::assert_snapshot!(card.to_string());
}

#[test]
fn json_names_every_part() {
    let card = card(serde_json::json!({
        "name": "auto", "patch": { "Status": "Warm" }
    }));
    let json = serde_json::to_value(&card).unwrap();
    assert_eq!(json["outcome"], "block");
    assert_eq!(json["findings"][0]["code"], "picklist-value-unknown");
    assert_eq!(json["fields"][0]["after"]["value"], "Warm");
}

#[test]
fn hidden_characters_are_spelled_out() {
    assert_eq!(visible("a\u{202e}b\u{1b}[2J\nc"), "a<U+202E>b<U+001B>[2J<U+000A>c");
    let card = card(serde_json::json!({
        "name": "text", "object": "Opportunity", "patch": { "NextStep": "call\u{202e} \u{200b}back" }
    }));
    let text = card.to_string();
    assert!(text.contains("<U+202E>") && text.contains("<U+200B>"));
    assert!(!text.contains('\u{202e}') && !text.contains('\u{200b}'));
}

#[test]
fn a_value_that_could_not_be_put_back_is_named() {
    let card = card(serde_json::json!({
        "name": "retired value", "object": "Opportunity",
        "patch": { "StageName": "Qualification" }, "record": { "StageName": "Retired" }
    }));
    assert!(!card.rollback.ready);
    assert!(card.rollback.words.contains("\"Retired\" is not an active value"));
}

#[test]
fn the_weighted_amount_moves_with_stage_and_amount() {
    let shares: std::collections::BTreeMap<String, Decimal> =
        [("Qualification", 10), ("Negotiation/Review", 90), ("Closed Lost", 0)]
            .map(|(stage, percent)| (stage.to_owned(), percent.into()))
            .into();
    let moved = |case: serde_json::Value| {
        let owned = serde_json::from_value::<Case>(case).unwrap().build();
        forecast::weighted(&owned.input(), &shares).map(|forecast| forecast.words())
    };
    let deal = |patch: serde_json::Value| serde_json::json!({ "name": "deal", "object": "Opportunity", "patch": patch });
    // The record of the world: Qualification, 15000.
    let words = |text: &str| Some(format!("{text}, by the stages' default probabilities"));
    assert_eq!(
        moved(deal(serde_json::json!({ "StageName": "Negotiation/Review" }))),
        words("1500 -> 13500 (+12000)")
    );
    assert_eq!(moved(deal(serde_json::json!({ "Amount": "12000.50" }))), words("1500 -> 1200.05 (-299.95)"));
    let both = serde_json::json!({ "StageName": "Negotiation/Review", "Amount": "20000" });
    assert_eq!(moved(deal(both)), words("1500 -> 18000 (+16500)"));
    assert_eq!(moved(deal(serde_json::json!({ "StageName": "Closed Lost" }))), words("1500 -> 0 (-1500)"));
    // Nothing moves, and a stage that nobody gave a probability.
    assert_eq!(moved(deal(serde_json::json!({ "NextStep": "call" }))), None);
    assert_eq!(moved(deal(serde_json::json!({ "StageName": "Prospecting" }))), None);
    let blank = serde_json::json!({ "name": "blank", "object": "Opportunity", "patch": { "Amount": "100" }, "record": { "Amount": null } });
    assert_eq!(moved(blank), words("0 -> 10 (+10)"));
}

/// Cards of what the other snapshots do not show, one after the other.
#[test]
fn what_else_a_card_can_say() {
    let deal = |patch: serde_json::Value, more: serde_json::Value| {
        let mut case = serde_json::json!({ "name": "deal", "object": "Opportunity", "patch": patch });
        case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        case
    };
    let stage = || serde_json::json!({ "StageName": "Negotiation/Review" });
    let rule = |rule: serde_json::Value| serde_json::json!({ "rules": { "StageName": rule } });
    let cases = [
        ("approved", deal(stage(), serde_json::json!({ "decision": {} }))),
        ("rejected", deal(stage(), serde_json::json!({ "decision": { "decision": "rejected" } }))),
        (
            "approved, waits",
            deal(stage(), serde_json::json!({ "decision": {}, "history": { "open_promotion": "m-1" } })),
        ),
        (
            "less, a quarter earlier, and what is so already",
            deal(
                serde_json::json!({ "Amount": "9000", "CloseDate": "2026-03-31", "HasPartner": false }),
                serde_json::json!({}),
            ),
        ),
        (
            "the same quarter, no number before",
            deal(
                serde_json::json!({ "Amount": "10", "CloseDate": "2026-04-01" }),
                serde_json::json!({ "record": { "Amount": null } }),
            ),
        ),
        (
            "nothing to do",
            deal(serde_json::json!({ "NextStep": "call Example Widgets Ltd" }), serde_json::json!({})),
        ),
        ("shadow", deal(stage(), rule(serde_json::json!({ "mode": "shadow" })))),
        ("read only", deal(stage(), rule(serde_json::json!({ "tier": "read_only" })))),
        ("blocked", deal(stage(), rule(serde_json::json!({ "tier": "never", "path": "block_and_alert" })))),
        (
            "a rule with a condition",
            deal(
                stage(),
                rule(serde_json::json!({ "tier": "autonomous", "auto": [
                    { "from": "blank", "to": "any", "min_confidence": "0.5" },
                    { "from": "any", "to": ["Negotiation/Review"], "min_confidence": "0.8",
                      "when": { "test": { "field": "Amount", "operator": { "below": "20000" } } } }
                ] })),
            ),
        ),
        ("no rule for the step", deal(stage(), rule(serde_json::json!({ "tier": "autonomous" })))),
        ("unreadable", deal(stage(), serde_json::json!({ "unreadable": ["StageName"] }))),
        ("not described", deal(stage(), serde_json::json!({ "undescribed": true }))),
        ("an unknown field", deal(serde_json::json!({ "Probability": "5" }), serde_json::json!({}))),
        (
            "an unknown object",
            serde_json::json!({ "name": "x", "object": "Account", "patch": { "Rating": "Hot" } }),
        ),
    ];
    // Without the head, which the others show, and without digests.
    let body = |card: &str| {
        let lines = card.lines().skip_while(|line| !line.is_empty()).filter(|line| !line.contains("digest"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let cards: Vec<String> = cases
        .into_iter()
        .map(|(name, case)| format!("== {name}\n{}", body(&card(case).to_string())))
        .collect();
    insta::assert_snapshot!(cards.join("\n"));
}

#[test]
fn a_record_to_be_made_says_which_part_of_its_rule_fills_each_field() {
    let made = |rule: &str| {
        card(serde_json::json!({ "name": "made", "object": "Task", "auto_switch": ["Subject"],
            "creates": { "rule": rule, "parent": "Lead" }, "patch": { "Subject": "Call", "OwnerId": "005Dp0000000001IAA" } }))
    };
    let reasons = |card: &PreviewCard| {
        let one = |field: &FieldCard| format!("{}: {}", field.field, field.policy_reason);
        card.fields.iter().map(one).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(format!("{}\n\n{}", reasons(&made("call-summary")), reasons(&made("notes"))));
}

#[test]
fn the_finding_that_decided_is_named_and_a_note_decides_nothing() {
    let blocked = card(serde_json::json!({ "name": "auto", "patch": { "Status": "Warm" } }));
    let code = blocked.deciding().map(|finding| finding.code.as_str());
    assert_eq!(code, Some("picklist-value-unknown"));
}

#[test]
fn only_an_approval_moves_the_end_from_the_proposal_to_the_decision() {
    let expires = |outcome: Outcome, decision: serde_json::Value| {
        let case = serde_json::json!({ "name": "deal", "object": "Opportunity", "received": 5,
            "patch": { "StageName": "Negotiation/Review" }, "decision": decision });
        let owned = serde_json::from_value::<Case>(case).unwrap().build();
        expires_at(&owned.input(), outcome)
    };
    let undecided = expires(Outcome::Review, serde_json::json!(null));
    assert!(undecided.is_some());
    assert_eq!(expires(Outcome::Hold, serde_json::json!({ "decision": "rejected" })), undecided);
    assert_ne!(expires(Outcome::Hold, serde_json::json!({})), undecided);
}

#[test]
fn who_proposes_stands_on_the_card_as_far_as_it_is_known() {
    let case = serde_json::json!({ "name": "who", "patch": { "Status": "Working - Contacted" }, "confidence": null });
    let mut owned = serde_json::from_value::<Case>(case).unwrap().build();
    let shown = |owned: &crate::gate::tests::world::Owned| {
        let verdict = decide(&owned.input());
        let card = preview(&owned.input(), &verdict).to_string();
        card.lines().find_map(|line| Some(line.split_once("proposed by:")?.1.trim().to_owned())).unwrap()
    };
    assert_eq!(shown(&owned), "nightly-enricher, written on the record");
    owned.proposal.actor.version = Some("7".into());
    owned.proposal.actor.run = Some("leads/9".into());
    owned.proposal.actor.on_behalf_of = Some("005Dp0000000002IAA".into());
    owned.proposal.door = Door::Cli;
    assert_eq!(
        shown(&owned),
        "nightly-enricher 7, run leads/9, says it acts for 005Dp0000000002IAA, by command"
    );
}

#[test]
fn quarters_are_those_of_the_calendar() {
    let moved = |from: &str, to: &str| {
        let day = |text: &str| FieldValue::Date(text.parse().unwrap());
        period(&day(from), &day(to)).map(|period| (period.from, period.to, period.quarters))
    };
    let told = |from: &str, to: &str, quarters| Some((from.to_owned(), to.to_owned(), quarters));
    assert_eq!(moved("2026-01-01", "2026-03-31"), None);
    assert_eq!(moved("2026-10-01", "2026-12-31"), None);
    assert_eq!(moved("2026-03-31", "2026-04-01"), told("2026-Q1", "2026-Q2", 1));
    assert_eq!(moved("2026-12-31", "2027-01-01"), told("2026-Q4", "2027-Q1", 1));
    assert_eq!(moved("2027-09-30", "2026-06-30"), told("2027-Q3", "2026-Q2", -5));
}
