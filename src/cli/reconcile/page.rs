//! The report as a page: whole and by itself. It loads nothing and runs nothing, and words of people
//! and records are data.

use minijinja::{Value, context};

use super::{
    facts,
    print::{age, percent, reading},
    report::Report,
};
use crate::{
    cli::page,
    domain::{DiscrepancyKind, FieldValue, reconciliation::RateBy},
    gate::preview::visible,
};

const PAGE: &str = include_str!("report.html.j2");

/// Most discrepancies that the page tells one by one; the other forms have all.
const MOST: usize = 1_000;
/// Width of the charts' widest bar.
const WIDTH: u64 = 160;

/// The page about a run.
pub fn html(report: &Report) -> anyhow::Result<String> {
    let run = &report.run;
    let reads: Vec<String> =
        run.reads.iter().map(|(object, read)| format!("{object}: {}", reading(read))).collect();
    let words = context! {
        run => run.id.short(), at => run.at.to_string(), ended_at => run.ended_at.to_string(), reads,
        before => report.before.as_ref().map(|before| before.id.short().to_owned()),
        counts => counts(report), left => run.left_to_people(), erased => run.is_erased(), left_out => run.left_out,
        ages => ages(report), rates => rates(report), days => run.rates_days,
        facts => facts::tables(&run.facts), words => facts::sentences(&run.facts, visible),
        total => run.found.len(), most => MOST, found => found(report),
    };
    page::render(PAGE, words)
}

fn width(count: u64, most: u64) -> u64 {
    (count * WIDTH).div_ceil(most.max(1)).min(WIDTH)
}

fn counts(report: &Report) -> Vec<Value> {
    let counts = report.counts();
    let most = counts.iter().map(|(_, count, _)| count.found).max().unwrap_or(0);
    let one = |(kind, count, before): &(DiscrepancyKind, _, Option<_>)| {
        let count: &crate::domain::reconciliation::Count = count;
        let before = before.as_ref().map(|before: &crate::domain::reconciliation::Count| before.found);
        let open = kind.is_fault() && count.found > count.repaired;
        context! {
            name => kind.name(), found => count.found, repaired => count.repaired, before,
            width => width(count.found, most), repaired_width => width(count.repaired, most),
            next => if open { kind.next_step() } else { "" },
        }
    };
    counts.iter().map(one).collect()
}

/// How old what people overrode was when the run saw it.
fn ages(report: &Report) -> Vec<Value> {
    const GROUPS: [(&str, i64); 5] = [
        ("up to a day", 24),
        ("up to a week", 7 * 24),
        ("up to a month", 30 * 24),
        ("up to a quarter", 91 * 24),
        ("older", i64::MAX),
    ];
    let mut counts = [0_u64; GROUPS.len()];
    let overridden = report.run.found.iter().filter(|one| one.kind == DiscrepancyKind::Overridden);
    for hours in overridden.filter_map(|one| report.age_hours(one)) {
        let group = GROUPS.iter().position(|(_, most)| hours <= *most).unwrap_or(GROUPS.len() - 1);
        counts[group] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return Vec::new();
    }
    let rows = GROUPS.iter().zip(counts);
    rows.map(|((name, _), count)| context! { name => *name, count, width => width(count, most) }).collect()
}

fn rates(report: &Report) -> Vec<Value> {
    let titles = [
        (RateBy::Check, "By what the gate had found"),
        (RateBy::Rule, "By rule of the policy"),
        (RateBy::Agent, "By agent"),
        (RateBy::Segment, "By field and step"),
    ];
    let of = |by: RateBy| {
        let rates = report.run.rates.iter().filter(move |rate| rate.by == by);
        rates.map(|rate| {
            let tally = &rate.tally;
            context! {
                name => visible(&rate.name), all => tally.all(), stands => tally.stands, edited => tally.edited,
                rejected => tally.rejected, overtaken => tally.overtaken, overridden => tally.overridden,
                undone => tally.undone, programs => tally.programs, percent => tally.permille().map(percent),
                width => width(tally.disagreed(), tally.all()), whole => WIDTH,
            }
        })
    };
    let tables = titles.into_iter().map(|(by, title)| (title, of(by).collect::<Vec<_>>()));
    tables.filter(|(_, rows)| !rows.is_empty()).map(|(title, rows)| context! { title, rows }).collect()
}

fn found(report: &Report) -> Vec<Value> {
    let value = |value: &Option<FieldValue>| value.as_ref().map(|value| visible(&value.to_string()));
    let one = |one: &crate::domain::Discrepancy| {
        context! {
            kind => one.kind.name(), repaired => one.repaired, object => one.object.as_str(),
            record => one.record.as_str(), field => one.field.as_ref().map(ToString::to_string),
            before => value(&one.before), after => value(&one.after), code => visible(&one.code),
            by => one.by.as_ref().map(ToString::to_string), at => one.at.map(|at| at.to_string()),
            age => report.age_hours(one).map(age), proposal => one.proposal.as_deref().map(visible),
            words => visible(&one.words),
        }
    };
    report.run.found.iter().take(MOST).map(one).collect()
}
