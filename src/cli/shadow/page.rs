//! Scorecards as a page: whole and by itself. It loads nothing and runs nothing, and words of people
//! and agents are data.

use jiff::Timestamp;
use minijinja::{Value, context};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::print::{advice, bound, percent, state};
use crate::{
    cli::page,
    domain::shadow::{lane::LaneAct, score::Advice},
    gate::preview::visible,
    workflow::shadow::card::Card,
};

const PAGE: &str = include_str!("report.html.j2");

/// Width of the scale from 0 to 1.
const WIDTH: u32 = 360;
/// Most acts that the page tells.
const MOST: usize = 200;

/// The page. `acts` are all that ever moved a lane, oldest first.
pub fn html(cards: &[Card], acts: &[LaneAct], now: Timestamp) -> anyhow::Result<String> {
    let words = context! {
        at => now.to_string(), width => WIDTH,
        cards => cards.iter().map(card).collect::<Vec<_>>(),
        acts => acts.iter().rev().take(MOST).map(act).collect::<Vec<_>>(),
    };
    page::render(PAGE, words)
}

fn card(card: &Card) -> Value {
    let (tally, interval) = (&card.tally, card.tally.interval());
    let told = |share: Option<Decimal>| share.map_or_else(|| "no answer".to_owned(), percent);
    let (low, high) = (x(interval.low()), x(interval.high()));
    let tone = match card.advice {
        Advice::Promote => "good",
        Advice::StepBack { .. } => "bad",
        Advice::Keep | Advice::NeedMore { .. } => "plain",
    };
    context! {
        lane => format!("{}.{}", card.object, card.field), agent => visible(&card.agent), version => visible(&card.version),
        segment => card.segment.as_deref().map(visible), state => visible(&state(card)), live => card.state.is_live(),
        precision => told(tally.precision()), low => percent(interval.low()), high => percent(interval.high()),
        drawn => tally.decided() > 0, left => low, wide => high.saturating_sub(low).max(2),
        point => tally.precision().map(x), bound => x(bound(card)), bound_told => percent(bound(card)),
        right => tally.right, wrong => tally.wrong, decided => tally.decided(), coverage => told(tally.coverage()),
        untouched => tally.untouched, unclear => tally.unclear, lapsed => tally.lapsed, waiting => tally.waiting,
        programs => tally.programs, written => tally.written, reversed => tally.reversed, reversals => told(tally.reversals()),
        advice => advice(card), tone, window => card.rule.window_days.to_string(),
    }
}

fn act(act: &LaneAct) -> Value {
    context! {
        at => act.at.to_string(), lane => act.lane(), agent => visible(&act.agent),
        version => visible(act.version.as_deref().unwrap_or_default()),
        until => act.until.map(|until| until.to_string()), by => visible(&act.by), reason => visible(&act.reason),
        numbers => act.numbers.iter().map(|(name, number)| format!("{name} {number}")).collect::<Vec<_>>().join(", "),
    }
}

fn x(share: Decimal) -> u32 {
    (share * Decimal::from(WIDTH)).trunc().to_u32().unwrap_or(0).min(WIDTH)
}
