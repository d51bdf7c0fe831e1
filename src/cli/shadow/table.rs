//! Scorecards for scripts and spreadsheets.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::print::{advice, state};
use crate::{
    cli::csv::line,
    domain::shadow::{Label, score::Advice},
    ledger::Watched,
    workflow::shadow::card::Card,
};

const HEAD: [&str; 22] = [
    "object",
    "field",
    "agent",
    "version",
    "segment",
    "state",
    "right",
    "wrong",
    "decided",
    "precision",
    "low",
    "high",
    "coverage",
    "untouched",
    "unclear",
    "lapsed",
    "waiting",
    "written",
    "reversed",
    "advice",
    "more",
    "programs",
];

/// One object for each line, with the bounds that it is held to.
pub fn json(cards: &[Card], now: Timestamp) -> Value {
    let one = |card: &Card| {
        let interval = card.tally.interval();
        json!({
            "object": card.object, "field": card.field, "agent": card.agent, "version": card.version,
            "segment": card.segment, "state": card.state, "tally": card.tally, "decided": card.tally.decided(),
            "precision": card.tally.precision(), "low": interval.low(), "high": interval.high(),
            "coverage": card.tally.coverage(), "reversals": card.tally.reversals(), "advice": card.advice,
            "window_days": card.rule.window_days, "min_sample": card.rule.min_sample,
            "promote_from": card.rule.promote_from, "step_back_below": card.rule.step_back_below,
            "max_reversals": card.rule.max_reversals,
        })
    };
    json!({ "at": now, "cards": cards.iter().map(one).collect::<Vec<_>>() })
}

/// One row for each line.
pub fn csv(cards: &[Card]) -> String {
    let rows = cards.iter().map(|card| {
        let (tally, interval) = (&card.tally, card.tally.interval());
        let share = |share: Option<Decimal>| share.map(|share| share.to_string()).unwrap_or_default();
        let more = match card.advice {
            Advice::NeedMore { more } => more.to_string(),
            _ => String::new(),
        };
        line(&[
            card.object.as_str(),
            card.field.as_str(),
            &card.agent,
            &card.version,
            card.segment.as_deref().unwrap_or("all records"),
            &state(card),
            &tally.right.to_string(),
            &tally.wrong.to_string(),
            &tally.decided().to_string(),
            &share(tally.precision()),
            &interval.low().to_string(),
            &interval.high().to_string(),
            &share(tally.coverage()),
            &tally.untouched.to_string(),
            &tally.unclear.to_string(),
            &tally.lapsed.to_string(),
            &tally.waiting.to_string(),
            &tally.written.to_string(),
            &tally.reversed.to_string(),
            &advice(card),
            &more,
            &tally.programs.to_string(),
        ])
    });
    std::iter::once(line(&HEAD)).chain(rows).collect()
}

/// Watched fields for scripts.
pub fn watched_json(watched: &[Watched]) -> Value {
    let one = |one: &Watched| {
        let proposal = &one.proposal.proposal;
        json!({
            "proposal_id": proposal.id, "object": proposal.object, "record": proposal.record, "field": one.field,
            "proposed": proposal.patch.get(&one.field), "agent": proposal.actor.agent,
            "version": proposal.actor.version, "live": one.live, "stage": one.proposal.stage.name(),
            "label": one.standing.label.map(Label::name), "judged": one.standing.judged.map(Label::name),
            "settled": one.standing.settled,
        })
    };
    watched.iter().map(one).collect()
}
