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
