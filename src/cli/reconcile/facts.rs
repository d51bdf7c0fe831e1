//! Whom later facts confirmed, in every form, and what the numbers say about a rule. Nobody is named.

use std::fmt::Write as _;

use minijinja::context;
use serde_json::{Value, json};

use crate::{
    cli::{
        csv::line,
        show::{noted, safe},
    },
    domain::reconciliation::facts::{Advice, FactsBy, FactsRow},
    gate::preview::visible,
};

const HEAD: [&str; 11] = [
    "by",
    "name",
    "rule",
    "overridden",
    "people_confirmed",
    "promoted_confirmed",
    "open",
    "by_programs",
    "least",
    "advice",
    "more",
];

/// The stable code of what follows, and how many more it takes.
fn code(advice: Advice) -> (&'static str, Option<u64>) {
    match advice {
        Advice::NeedMore(more) => ("need-more", Some(more)),
        Advice::Relax => ("relax", None),
        Advice::Keep => ("keep", None),
        Advice::Divided => ("divided", None),
    }
}

/// The same in words.
fn words(advice: Advice) -> String {
    match advice {
        Advice::NeedMore(more) => format!("{more} more"),
        Advice::Relax => "relax".to_owned(),
        Advice::Keep => "keep".to_owned(),
        Advice::Divided => "divided".to_owned(),
    }
}

/// For each step of which the numbers say something: what people do, what came of it, and what follows.
pub fn sentences(rows: &[FactsRow], shown: impl Fn(&str) -> String) -> Vec<String> {
    let one = |row: &FactsRow| {
        let (name, tally) = (shown(&row.name), &row.tally);
        let rule =
            row.rule.as_deref().map_or_else(|| "its rule".to_owned(), |rule| format!("rule {}", shown(rule)));
        let overridden = tally.overridden();
        match row.advice() {
            Advice::Relax => {
                let confirmed = tally.people;
                Some(format!(
                    "people override {name} {overridden} times, later confirmed {confirmed}: relax {rule}"
                ))
            }
            Advice::Keep => {
                let confirmed = tally.computed;
                Some(format!(
                    "people override {name} {overridden} times, and facts confirmed what was promoted {confirmed} \
                     times: keep {rule}"
                ))
            }
            Advice::NeedMore(_) | Advice::Divided => None,
        }
    };
    rows.iter().filter(|row| row.by == FactsBy::Step).filter_map(one).collect()
}

/// A step of two rules stands there two times.
fn name(row: &FactsRow, shown: impl Fn(&str) -> String) -> String {
    match &row.rule {
        Some(rule) => format!("{} ({})", shown(&row.name), shown(rule)),
        None => shown(&row.name),
    }
}

/// In a terminal.
pub fn text(rows: &[FactsRow], days: u64) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = ["by", "overridden", "people", "promoted", "open", "programs", "what follows"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    let mut notes = Vec::new();
    for row in rows {
        let tally = &row.tally;
        let counts = [tally.overridden(), tally.people, tally.computed, tally.open, tally.programs];
        let mut cells = vec![row.by.name().to_owned()];
        cells.extend(counts.map(|count| count.to_string()));
        cells.push(words(row.advice()));
        table.push(cells);
        notes.push(name(row, safe));
    }
    let mut out = format!("\nwhat people overrode, and whom later facts confirmed, {days} days\n");
    out += &noted(&table, &notes);
    for sentence in sentences(rows, safe) {
        let _ = writeln!(out, "{sentence}");
    }
    out
}

/// For spreadsheets: one row for each rule, lane, part and step.
pub fn csv(rows: &[FactsRow]) -> String {
    let told = rows.iter().map(|row| {
        let (tally, (code, more)) = (&row.tally, code(row.advice()));
        line(&[
            row.by.name(),
            &row.name,
            row.rule.as_deref().unwrap_or_default(),
            &tally.overridden().to_string(),
            &tally.people.to_string(),
            &tally.computed.to_string(),
            &tally.open.to_string(),
            &tally.programs.to_string(),
            &row.least.to_string(),
            code,
            &more.map(|more| more.to_string()).unwrap_or_default(),
        ])
    });
    std::iter::once(line(&HEAD)).chain(told).collect()
}

/// For scripts, beside the rows of the run: what follows from each of them, in their order.
pub fn advice(rows: &[FactsRow]) -> Vec<Value> {
    let one = |row: &FactsRow| {
        let (code, more) = code(row.advice());
        let sentence = sentences(std::slice::from_ref(row), str::to_owned).pop();
        json!({ "by": row.by, "name": row.name, "rule": row.rule, "overridden": row.tally.overridden(),
            "advice": code, "more": more, "words": sentence })
    };
    rows.iter().map(one).collect()
}

/// The tables of the page.
pub fn tables(rows: &[FactsRow]) -> Vec<minijinja::Value> {
    let title = |by| match by {
        FactsBy::Rule => "By rule of the policy",
        FactsBy::Lane => "By field",
        FactsBy::Part => "By part of the records",
        FactsBy::Step => "By what was promoted and what people set",
    };
    let of = |by: FactsBy| {
        let rows = rows.iter().filter(move |row| row.by == by);
        rows.map(|row| {
            let tally = &row.tally;
            context! {
                name => name(row, visible), overridden => tally.overridden(), people => tally.people,
                computed => tally.computed, open => tally.open, programs => tally.programs,
                advice => words(row.advice()),
            }
        })
    };
    let tables = FactsBy::ALL.into_iter().map(|by| (title(by), of(by).collect::<Vec<_>>()));
    tables.filter(|(_, rows)| !rows.is_empty()).map(|(title, rows)| context! { title, rows }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reconciliation::facts::FactsTally;

    fn row(by: FactsBy, (people, computed): (u64, u64), least: u64) -> FactsRow {
        let tally = FactsTally { people, computed, open: 3, programs: 4 };
        let rule = (by == FactsBy::Step).then(|| "leads: Lead.Status is autonomous".to_owned());
        FactsRow { by, name: "Lead.Status: Engaged > Aware".to_owned(), rule, least, tally }
    }

    #[test]
    fn the_sentence_stands_where_the_numbers_carry_it() {
        let told = |people, computed, least| {
            let rows = [
                row(FactsBy::Rule, (people, computed), least),
                row(FactsBy::Step, (people, computed), least),
            ];
            sentences(&rows, str::to_owned)
        };
        let relax = "people override Lead.Status: Engaged > Aware 61 times, later confirmed 52: relax rule leads: \
                     Lead.Status is autonomous";
        assert_eq!(told(52, 6, 58), [relax]);
        assert!(told(6, 52, 58)[0].ends_with("52 times: keep rule leads: Lead.Status is autonomous"));
        assert!(told(52, 6, 59).is_empty() && told(29, 29, 58).is_empty());
    }

    #[test]
    fn each_form_tells_counts_and_what_follows() {
        let rows = [row(FactsBy::Lane, (1, 1), 50), row(FactsBy::Step, (52, 6), 50)];
        let out = text(&rows, 90);
        assert!(out.contains("48 more") && out.contains("relax rule leads"), "{out}");
        let csv = csv(&rows);
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[1].ends_with("\"5\",\"1\",\"1\",\"3\",\"4\",\"50\",\"need-more\",\"48\""), "{csv}");
        assert!(lines[2].ends_with("\"61\",\"52\",\"6\",\"3\",\"4\",\"50\",\"relax\",\"\""), "{csv}");
        let told = advice(&rows);
        assert_eq!((&told[0]["more"], &told[0]["words"]), (&json!(48), &Value::Null));
        assert_eq!((&told[1]["advice"], &told[1]["overridden"]), (&json!("relax"), &json!(61)));
        assert_eq!(tables(&rows).len(), 2);
        assert!(text(&[], 90).is_empty());
    }
}
