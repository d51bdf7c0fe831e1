//! The numbers of quality for a terminal and for a spreadsheet.

use std::fmt::Write as _;

use super::row::{Report, Row, review, share};
use crate::{
    cli::{
        csv::line,
        show::{minute, safe, table},
    },
    domain::quality::Numbers,
    workflow::quality::Group,
};

const DECISIONS: [&str; 10] =
    ["", "decided", "accepted", "rejected", "edited", "acceptance", "median", "90 %", "expired", "waiting"];
const PROMOTIONS: [&str; 9] = [
    "",
    "approved",
    "auto",
    "decay",
    "rolled back",
    "put back",
    "reversed",
    "refused values",
    "rejected values",
];
const HEAD: [&str; 22] = [
    "group",
    "week",
    "lane",
    "agent",
    "decided",
    "accepted",
    "rejected",
    "edited",
    "acceptance_percent",
    "expired",
    "ended_undecided",
    "waiting",
    "median_minutes",
    "p90_minutes",
    "approved",
    "auto",
    "decay",
    "rolled_back",
    "put_back",
    "reversal_percent",
    "refused_values",
    "rejected_values",
];

/// For a terminal.
pub fn text(report: &Report) -> String {
    let all = ("all".to_owned(), report.quality.all());
    let mut out = format!("since {} UTC\n", minute(report.quality.since));
    let by_name = [("week of", report.weeks()), ("lane", report.lanes()), ("agent", report.agents())];
    for (name, rows) in by_name.iter().filter(|(_, rows)| !rows.is_empty()) {
        let both: Vec<&Row<'_>> = rows.iter().chain(std::iter::once(&all)).collect();
        let _ = writeln!(out, "\ndecisions of people, and how long they took");
        out += &told(name, DECISIONS, &both, decisions);
        let _ = writeln!(out, "\npromotions, what of them went back, and what was kept away");
        out += &told(name, PROMOTIONS, &both, promotions);
    }
    if report.weeks().is_empty() {
        out += "nothing was decided, promoted or refused\n";
    }
    let ended = report.quality.all().ended_undecided;
    let _ =
        writeln!(out, "\n{ended} more ended before anybody decided: superseded, withdrawn, stale or refused");
    for line in report.kept_away() {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{}", super::page::BY_HAND);
    out
}

fn told<'a, const N: usize>(
    name: &'a str,
    mut head: [&'a str; N],
    rows: &[&Row<'_>],
    cells: impl Fn(&Numbers) -> Vec<String>,
) -> String {
    head[0] = name;
    let head = head.map(str::to_owned).to_vec();
    let rows = rows.iter().map(|(name, told)| std::iter::once(safe(name)).chain(cells(told)).collect());
    table(&std::iter::once(head).chain(rows).collect::<Vec<Vec<String>>>())
}

fn decisions(told: &Numbers) -> Vec<String> {
    let count = |number: u64| number.to_string();
    vec![
        count(told.decided()),
        count(told.accepted),
        count(told.rejected),
        count(told.edited),
        share(told.accepted, told.decided()),
        review(told, 50),
        review(told, 90),
        count(told.expired),
        count(told.waiting),
    ]
}

fn promotions(told: &Numbers) -> Vec<String> {
    let counts = [told.approved, told.auto, told.decay, told.rolled_back, told.put_back];
    let mut cells: Vec<String> = counts.iter().map(u64::to_string).collect();
    cells.push(share(told.reversed(), told.promotions()));
    cells.extend([told.refused_values, told.rejected_values].iter().map(u64::to_string));
    cells
}

/// One row for each group, lanes also in each week.
pub fn csv(report: &Report) -> String {
    let rows = report.quality.groups.iter().filter_map(|(group, told)| {
        let name = match group {
            Group::All => ["all", "", "", ""].map(str::to_owned),
            Group::Week(week) => ["week".to_owned(), week.to_string(), String::new(), String::new()],
            Group::Lane(lane) => ["lane".to_owned(), String::new(), lane.clone(), String::new()],
            Group::LaneWeek(lane, week) => {
                ["lane-week".to_owned(), week.to_string(), lane.clone(), String::new()]
            }
            Group::Agent(agent) if report.agents => {
                ["agent".to_owned(), String::new(), String::new(), agent.clone()]
            }
            Group::Agent(_) => return None,
        };
        Some(numbers(&name, told))
    });
    std::iter::once(line(&HEAD)).chain(rows).collect()
}

fn numbers([group, week, lane, agent]: &[String; 4], told: &Numbers) -> String {
    let percent = |part, all| crate::domain::quality::percent(part, all).unwrap_or_default();
    let minutes = |of| told.review.percentile(of).map(|minutes| minutes.to_string()).unwrap_or_default();
    line(&[
        group,
        week,
        lane,
        agent,
        &told.decided().to_string(),
        &told.accepted.to_string(),
        &told.rejected.to_string(),
        &told.edited.to_string(),
        &percent(told.accepted, told.decided()),
        &told.expired.to_string(),
        &told.ended_undecided.to_string(),
        &told.waiting.to_string(),
        &minutes(50),
        &minutes(90),
        &told.approved.to_string(),
        &told.auto.to_string(),
        &told.decay.to_string(),
        &told.rolled_back.to_string(),
        &told.put_back.to_string(),
        &percent(told.reversed(), told.promotions()),
        &told.refused_values.to_string(),
        &told.rejected_values.to_string(),
    ])
}
