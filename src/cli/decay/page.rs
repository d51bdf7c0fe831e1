//! The report as a page: whole and by itself. It loads nothing and runs nothing, and words of people
//! and records are data.

use jiff::tz::TimeZone;
use minijinja::{Value, context};

use super::{print::FATES, report::Report};
use crate::{cli::page, gate::preview::visible, workflow::decay::report::Fate};

const PAGE: &str = include_str!("report.html.j2");

/// Most records that the page tells one by one; the other forms have all.
const MOST: usize = 1_000;
/// Width of the charts' widest bar.
const WIDTH: usize = 300;
/// Quiet days are counted in groups of so many.
const DAYS: i64 = 10;

/// The page about a run.
pub fn html(report: &Report) -> anyhow::Result<String> {
    let run = &report.run;
    let words = context! {
        run => run.id.short(), at => run.at.to_string(), by => visible(&run.by),
        runs_from => run.runs_from.to_string(), policy => run.policy.short(),
        before => report.before.as_ref().map(|known| known.run.id.short().to_owned()),
        fates => fates(report), segments => segments(report), quiet => quiet(report), total => report.ends.len(),
        most => MOST, ends => report.ends.iter().take(MOST).map(|end| context! {
            object => end.step.object.as_str(), record => end.step.record.as_str(),
            from => visible(&end.step.from), to => visible(&end.step.to), segment => visible(&end.step.segment),
            last => end.last_activity.map(|at| at.to_zoned(TimeZone::UTC).date().to_string()), fate => end.fate.name(),
            code => visible(&end.code), words => visible(&end.words), rolled_back => end.rolled_back,
        }).collect::<Vec<_>>(),
    };
    page::render(PAGE, words)
}

fn width(count: usize, most: usize) -> usize {
    (count * WIDTH).div_ceil(most.max(1)).min(WIDTH)
}

fn fates(report: &Report) -> Vec<Value> {
    let most = report.counts.values().copied().max().unwrap_or(0);
    let told = |fate: &Fate| report.count(*fate) > 0 || report.count_before(*fate).unwrap_or(0) > 0;
    let one = |fate: Fate| {
        let count = report.count(fate);
        context! { name => fate.name(), count, width => width(count, most), before => report.count_before(fate) }
    };
    FATES.into_iter().filter(told).map(one).collect()
}

fn segments(report: &Report) -> Vec<Value> {
    let sum = |counts: &std::collections::BTreeMap<Fate, usize>| counts.values().sum::<usize>();
    let most = report.segments.values().map(sum).max().unwrap_or(0);
    let one = |(name, counts): (&String, &std::collections::BTreeMap<Fate, usize>)| {
        let moved = counts.get(&Fate::Moved).copied().unwrap_or(0);
        let all = sum(counts);
        context! { name => visible(name), moved, all, moved_width => width(moved, most), all_width => width(all, most) }
    };
    report.segments.iter().map(one).collect()
}

/// How many records had been quiet for how many days when they were announced.
fn quiet(report: &Report) -> Vec<Value> {
    let mut groups = std::collections::BTreeMap::<i64, usize>::new();
    for at in report.ends.iter().filter_map(|end| end.last_activity) {
        let days = report.run.at.duration_since(at).as_hours() / 24;
        *groups.entry(days.div_euclid(DAYS)).or_default() += 1;
    }
    let most = groups.values().copied().max().unwrap_or(0);
    let one = |(group, count): (i64, usize)| {
        let (from, to) = (group * DAYS, group * DAYS + DAYS - 1);
        context! { name => format!("{from} to {to} days"), count, width => width(count, most) }
    };
    groups.into_iter().map(one).collect()
}
