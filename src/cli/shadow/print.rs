//! Scorecards, watched proposals and acts for a terminal.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::whole;
use crate::{
    cli::{
        Exit,
        show::{safe, table},
    },
    domain::shadow::{
        Label,
        lane::LaneAct,
        score::{Advice, Tally},
    },
    ledger::Watched,
    workflow::shadow::card::{Card, State},
};

/// Places of the scale from 0 to 1.
const SCALE: usize = 50;

/// Every scorecard, one after the other.
pub fn cards(cards: &[Card], now: Timestamp) -> String {
    if cards.is_empty() {
        return "nothing was watched yet: lanes with mode `shadow` are watched from their first proposal on\n".to_owned();
    }
    let mut out = format!("Scorecards, {}\n", day(now));
    for card in whole(cards) {
        out += &one(card);
        let parts: Vec<&Card> = cards.iter().filter(|part| is_part(part, card)).collect();
        for part in &parts {
            let _ = writeln!(
                out,
                "    {:<18} {}\n                       {}",
                safe(part.segment.as_deref().unwrap_or_default()),
                short(&part.tally),
                advice(part)
            );
        }
    }
    out += "\nThe bar is Wilson's interval at 95 %, the mark the share of right answers,\n`|` what the policy asks for.\n";
    out
}

fn is_part(part: &Card, card: &Card) -> bool {
    part.segment.is_some()
        && (&part.object, &part.field, &part.agent, &part.version)
            == (&card.object, &card.field, &card.agent, &card.version)
}

fn one(card: &Card) -> String {
    let tally = &card.tally;
    let version = if card.version.is_empty() { String::new() } else { format!(" {}", safe(&card.version)) };
    let days = card.rule.window_days;
    let mut out = format!(
        "\n{}.{}  {}{version}\n  {}\n  labels of the last {days} days\n",
        card.object,
        card.field,
        safe(&card.agent),
        state(card)
    );
    let _ = writeln!(out, "  precision  {}", short(tally));
    let _ = writeln!(out, "  0 {} 1", scale(card));
    let coverage = tally.coverage().map_or_else(|| "-".to_owned(), percent);
    let _ = writeln!(
        out,
        "  answered   {coverage}  {} untouched or kept, {} unclear, {} lapsed, {} under watch",
        tally.untouched, tally.unclear, tally.lapsed, tally.waiting
    );
    if tally.programs > 0 {
        let _ = writeln!(out, "  left out   {} that a program set or put back", tally.programs);
    }
    if tally.written > 0 {
        let rate = tally.reversals().map_or_else(|| "-".to_owned(), percent);
        let _ = writeln!(out, "  put back   {rate}  {} of {} written", tally.reversed, tally.written);
    }
    let _ = writeln!(out, "  advice     {}", advice(card));
    out
}

fn short(tally: &Tally) -> String {
    let interval = tally.interval();
    let share = tally.precision().map_or_else(|| "-".to_owned(), percent);
    format!(
        "{share:>7}  [{} to {}]  {} of {} right",
        percent(interval.low()),
        percent(interval.high()),
        tally.right,
        tally.decided()
    )
}

/// The interval, the share and the policy's bound on a scale from 0 to 1.
fn scale(card: &Card) -> String {
    let (tally, interval) = (&card.tally, card.tally.interval());
    let mut places = vec!['·'; SCALE];
    if tally.decided() > 0 {
        for place in &mut places[place(interval.low())..=place(interval.high())] {
            *place = '━';
        }
    }
    places[place(bound(card))] = '|';
    if let Some(share) = tally.precision() {
        places[place(share)] = '●';
    }
    places.into_iter().collect()
}

/// What the lane is held to: to act at all, or to go on acting.
pub fn bound(card: &Card) -> Decimal {
    if card.state.is_live() { card.rule.step_back_below } else { card.rule.promote_from }
}

fn place(share: Decimal) -> usize {
    let place = (share * Decimal::from(SCALE)).trunc().to_usize().unwrap_or(0);
    place.min(SCALE - 1)
}

/// A share as people read it.
pub fn percent(share: Decimal) -> String {
    format!("{:.1} %", (share * Decimal::ONE_HUNDRED).trunc_with_scale(1))
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What the lane does at the moment, in words.
pub fn state(card: &Card) -> String {
    match &card.state {
        State::Shadow => "shadow: only recorded, as the policy says".to_owned(),
        State::LiveByPolicy => "live: as the policy says".to_owned(),
        State::Live { until, by } => format!("live until {}: {} let it act", day(*until), safe(by)),
        State::Ended { until } => format!("shadow: it was let act until {}", day(*until)),
        State::SteppedBack { at, by } => format!("shadow: stepped back {} by {}", day(*at), safe(by)),
    }
}

/// What follows, in words.
pub fn advice(card: &Card) -> String {
    match card.advice {
        Advice::Promote => "promote: the lower bound reaches what the policy asks for".to_owned(),
        Advice::Keep if card.state.is_live() => "keep it live".to_owned(),
        Advice::Keep => "keep it in shadow: at this rate the bound is out of reach".to_owned(),
        Advice::NeedMore { more } => format!("need {more} more answer(s)"),
        Advice::StepBack { because } => format!("step back: {}; the next look does it", because.code()),
    }
}

/// Watched proposals.
pub fn watched(watched: &[Watched]) -> String {
    if watched.is_empty() {
        return "nothing is watched\n".to_owned();
    }
    let head =
        ["proposal", "lane", "agent", "proposed", "mode", "label", "judged"].map(str::to_owned).to_vec();
    let row = |one: &Watched| {
        let proposal = &one.proposal.proposal;
        let name = |label: Option<Label>| label.map_or("", Label::name).to_owned();
        let value = proposal.patch.get(&one.field).map(ToString::to_string).unwrap_or_default();
        vec![
            safe(proposal.id.as_str()),
            format!("{}.{}", proposal.object, one.field),
            safe(&proposal.actor.agent),
            safe(&value),
            if one.live { "live" } else { "shadow" }.to_owned(),
            name(one.standing.label),
            name(one.standing.judged),
        ]
    };
    table(&std::iter::once(head).chain(watched.iter().map(row)).collect::<Vec<_>>())
}

/// An act in one line.
pub fn act(act: &LaneAct) -> String {
    let version = act.version.as_ref().map(|version| format!(" {}", safe(version))).unwrap_or_default();
    let what = match act.until {
        Some(until) => format!("acts until {}", day(until)),
        None => "only records from now on".to_owned(),
    };
    let (lane, agent) = (act.lane(), safe(&act.agent));
    format!("{lane} of {agent}{version} {what}; by {}: {}", safe(&act.by), safe(&act.reason))
}

/// Tells an act.
pub fn moved(moved: &LaneAct, as_json: bool) -> anyhow::Result<Exit> {
    match as_json {
        true => println!("{}", serde_json::to_string_pretty(moved)?),
        false => println!("{}", act(moved)),
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FieldName, ObjectName, policy::ShadowRule};

    fn card(right: u32, wrong: u32) -> Card {
        Card {
            object: ObjectName::parse("Lead").unwrap(),
            field: FieldName::parse("Status").unwrap(),
            agent: "night\u{1b}shift".into(),
            version: "2".into(),
            segment: None,
            state: State::Shadow,
            tally: Tally { right, wrong, ..Tally::default() },
            advice: Advice::NeedMore { more: 7 },
            rule: ShadowRule::default(),
        }
    }

    #[test]
    fn the_scale_shows_share_interval_and_bound() {
        let drawn = scale(&card(40, 10));
        assert_eq!(drawn.chars().count(), SCALE);
        assert_eq!(drawn.chars().nth(40), Some('●'), "0.8 of fifty");
        assert_eq!(drawn.chars().nth(45), Some('|'), "0.90");
        assert_eq!(drawn.chars().nth(33), Some('━'), "0.6696 is where the interval begins");
        assert_eq!(drawn.chars().nth(32), Some('·'));
        assert!(!scale(&card(0, 0)).contains('━'), "of none there is no interval to draw");
        assert_eq!(scale(&card(9, 0)).chars().last(), Some('●'));
    }

    #[test]
    fn a_card_is_told_and_steers_no_terminal() {
        let told = cards(&[card(40, 10)], "2026-05-20T12:00:00Z".parse().unwrap());
        assert!(told.contains("80.0 %  [66.9 % to 88.7 %]  40 of 50 right"), "{told}");
        assert!(told.contains("need 7 more answer(s)") && !told.contains('\u{1b}'), "{told}");
        assert!(cards(&[], Timestamp::UNIX_EPOCH).starts_with("nothing was watched"));
    }
}
