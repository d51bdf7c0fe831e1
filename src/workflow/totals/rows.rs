//! The numbers of a run, by part and outcome, counted from the ledger.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{
    domain::{
        Digest,
        shadow::score::{Advice, Tally},
        totals::{MOST_PARTS, Parts, Total},
    },
    gate::preview::visible,
    ledger::Ledger,
    workflow::{
        Context, WorkflowError,
        decay::{self, DecayError, report},
        shadow::card::{self, Card},
    },
};

/// The part of what was counted when the run ended, and whose values were erased since.
const ERASED: &str = "(erased)";

/// Announced records by step and segment, and what became of them.
pub(super) async fn of_decay(ledger: &Ledger, run: &Digest) -> Result<Vec<Total>, DecayError> {
    let known = decay::find(ledger, Some(run.as_str())).await?;
    let mut parts = Parts::default();
    let mut left: BTreeMap<String, u64> = known
        .counts
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(fate, count)| Some((fate, count.parse().ok()?)))
        .collect();
    for end in report::ends(ledger, &known.run).await? {
        let step = &end.step;
        let part = format!("{}: {} > {} ({})", step.object, step.from, step.to, step.segment);
        let fate = end.fate.name();
        parts.add(&visible(&part), fate, 1);
        if let Some(count) = left.get_mut(fate) {
            *count = count.saturating_sub(1);
        }
    }
    for (fate, count) in left.into_iter().filter(|(_, count)| *count > 0) {
        parts.add(ERASED, &fate, count);
    }
    Ok(parts.rows())
}

/// What was read by object, and what was found by kind: repaired, left to people, or only told.
pub(super) async fn of_reconciliation(ledger: &Ledger, run: &Digest) -> Result<Vec<Total>, WorkflowError> {
    let Some(known) = ledger.reconciliation(run).await? else { return Ok(Vec::new()) };
    let mut rows: Vec<Total> = known
        .reads
        .iter()
        .map(|(object, read)| Total {
            part: object.to_string(),
            outcome: "records read".to_owned(),
            count: read.records,
            of: 0,
            note: None,
        })
        .collect();
    for (kind, count) in &known.counts {
        let row = |outcome: &str, number: u64, note: Option<&str>| Total {
            part: kind.name().to_owned(),
            outcome: outcome.to_owned(),
            count: number,
            of: count.found,
            note: note.map(str::to_owned),
        };
        let left = count.found.saturating_sub(count.repaired);
        let told = match kind.is_fault() {
            true => row("left to people", left, Some(kind.next_step())),
            false => row("no fault", left, Some(kind.next_step())),
        };
        rows.extend([row("repaired", count.repaired, None), told].into_iter().filter(|row| row.count > 0));
    }
    Ok(rows)
}

/// Each agent's lane over all its records: right and wrong, put back, unanswered.
pub(super) async fn of_cards(context: &Context, now: Timestamp) -> Result<Vec<Total>, WorkflowError> {
    let mut cards = card::cards(&context.ledger, context.rules.policy(), now).await?;
    cards.retain(|card| card.segment.is_none());
    cards.sort_by_key(|card| std::cmp::Reverse(card.tally.decided()));
    Ok(cards.iter().take(MOST_PARTS).flat_map(of_card).collect())
}

fn of_card(card: &Card) -> Vec<Total> {
    let tally = &card.tally;
    let part = visible(format!("{}.{}: {} {}", card.object, card.field, card.agent, card.version).trim_end());
    let row = |outcome: &str, count: u32, of: u32| Total {
        part: part.clone(),
        outcome: outcome.to_owned(),
        count: count.into(),
        of: of.into(),
        note: None,
    };
    let open = tally.waiting + tally.untouched + tally.unclear + tally.lapsed + tally.programs;
    let mut rows = vec![
        Total { note: Some(note(card)), ..row("right", tally.right, tally.decided()) },
        row("wrong", tally.wrong, tally.decided()),
        row("put back", tally.reversed, tally.written),
        row("no answer", open, 0),
    ];
    // The first row always stands: a lane that nobody answered yet is seen too.
    let mut place = 0;
    rows.retain(|row| {
        place += 1;
        place == 1 || row.count > 0
    });
    rows
}

/// The interval and what follows from it.
fn note(card: &Card) -> String {
    let advice = match card.advice {
        Advice::Promote => "a person may let the lane act".to_owned(),
        Advice::Keep => "leave the lane as it is".to_owned(),
        Advice::NeedMore { more } => format!("needs {more} more answers"),
        Advice::StepBack { because } => format!("steps back: {}", because.code()),
    };
    let Tally { right, wrong, .. } = card.tally;
    if right + wrong == 0 {
        return format!("nobody has answered yet; {advice}");
    }
    let interval = card.tally.interval();
    let percent = |share: Decimal| format!("{:.1} %", (share * Decimal::ONE_HUNDRED).trunc_with_scale(1));
    format!(
        "right in {} to {} of cases (Wilson, 95 %); {advice}",
        percent(interval.low()),
        percent(interval.high())
    )
}
