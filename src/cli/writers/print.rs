//! Writers for a terminal, a spreadsheet and as a page.

use std::fmt::Write as _;

use super::report::{OfField, Report, Runs};
use crate::{
    cli::{
        csv::line,
        show::{minute, safe, table},
        tables::{Cell, Page, Table},
    },
    domain::{ownership::Standing, writers::Row},
};

const HEAD: [&str; 12] = [
    "object",
    "field",
    "user",
    "name",
    "is",
    "client",
    "through_the_gate",
    "writes",
    "first",
    "last",
    "standing",
    "why",
];

/// Who a row is about: our own promotions, the user's name where the org was asked, or the id.
fn who(report: &Report, row: &Row) -> String {
    match (row.ours, report.user(row)) {
        (true, _) => "countersign".to_owned(),
        (false, Some(user)) => format!("{} ({})", user.name, user.is_called()),
        (false, None) => row.writer.user.clone(),
    }
}

/// An id stays in one piece, a name may be broken between its words.
fn user(report: &Report, row: &Row) -> Cell {
    let who = who(report, row);
    if who == row.writer.user { Cell::Name(who) } else { Cell::Text(who) }
}

/// Who answers for a field, and how much came from others than those whom the owner listed.
fn owner(one: &OfField) -> String {
    match (&one.owner, one.not_listed) {
        (Some(owner), Some(0)) => format!("; {} answers for it and knows every writer", safe(owner)),
        (Some(owner), Some(writes)) => {
            format!("; {} answers for it, {writes} write(s) by writers who are not listed", safe(owner))
        }
        _ => String::new(),
    }
}

/// How something that runs on save is listed; nothing where nobody answers for the object.
fn listed(one: &Runs) -> String {
    match (&one.why, one.standing) {
        (Some(why), _) => format!(" (listed: {})", safe(why)),
        (None, "not-listed") => " (not listed)".to_owned(),
        (None, _) => String::new(),
    }
}

fn why<'a>(standing: Standing<'a>) -> &'a str {
    if let Standing::Listed(why) = standing { why } else { "" }
}

fn in_words(standing: Standing<'_>) -> String {
    match standing {
        Standing::Gate => "through the gate".to_owned(),
        Standing::Listed(why) => format!("listed: {why}"),
        Standing::ByHand => "by hand".to_owned(),
        Standing::Unlisted => "NOT LISTED".to_owned(),
        Standing::Unowned => "nobody answers for the field".to_owned(),
    }
}

/// For a terminal.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    if report.writers.is_empty() {
        out.push_str("no write of a governed field was heard yet\n");
    }
    for one in &report.fields {
        let (name, all) = (safe(&format!("{}.{}", one.object, one.field)), one.ours + one.others);
        let (others, share) = (one.others, one.ungoverned_percent);
        let _ =
            writeln!(out, "{name}: {others} of {all} write(s) went past the gate ({share} %){}", owner(one));
        let of_field = |row: &&Row| row.object.as_str() == one.object && row.field.as_str() == one.field;
        let mut head = ["user", "client", "writes", "first", "last"].map(str::to_owned).to_vec();
        head.extend(one.owner.as_ref().map(|_| "standing".to_owned()));
        let rows = report.writers.iter().filter(of_field).map(|row| {
            let (user, client) = (safe(&who(report, row)), safe(&row.writer.client));
            let mut cells = vec![user, client, row.writes.to_string(), minute(row.first), minute(row.last)];
            cells.extend(one.owner.as_ref().map(|_| safe(&in_words(report.standing(row)))));
            cells
        });
        for line in table(&std::iter::once(head).chain(rows).collect::<Vec<_>>()).lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    if report.beyond > 0 {
        let _ = writeln!(out, "and {} write(s) of writers that found no room", report.beyond);
    }
    for one in &report.automations {
        let _ = writeln!(out, "may write {}: {}{}", safe(&one.object), safe(&one.name), listed(one));
    }
    for freeze in &report.quarantined {
        let (scope, why) = (safe(&freeze.scope.to_string()), safe(&freeze.reason));
        let _ = writeln!(out, "stopped since {} UTC: {scope}\n  {why}", minute(freeze.since));
    }
    out
}

/// One row for each writer of a field.
pub fn csv(report: &Report) -> String {
    let rows = report.writers.iter().map(|row| {
        let (user, standing) = (report.user(row), report.standing(row));
        line(&[
            row.object.as_str(),
            row.field.as_str(),
            &row.writer.user,
            user.map(|user| user.name.as_str()).unwrap_or_default(),
            user.map(|user| user.is_called()).unwrap_or_default(),
            &row.writer.client,
            if row.ours { "yes" } else { "no" },
            &row.writes.to_string(),
            &row.first.to_string(),
            &row.last.to_string(),
            standing.code(),
            why(standing),
        ])
    });
    std::iter::once(line(&HEAD)).chain(rows).collect()
}

/// As a page.
pub fn page(report: &Report) -> Page {
    let mut words = vec![
        "Heard from change events. The shipped channel carries records with the pending flag; without its \
         filter it carries every change."
            .to_owned(),
    ];
    if report.beyond > 0 {
        words.push(format!("{} write(s) of writers that found no room are in no table.", report.beyond));
    }
    Page {
        title: "Who writes governed fields".to_owned(),
        words,
        tables: vec![past_the_gate(report), writers(report), automations(report), stopped(report)],
    }
}

/// Columns that are there only where somebody answers for a field.
fn with(mut head: Vec<&'static str>, more: &[&'static str], report: &Report) -> Vec<&'static str> {
    if report.has_owners() {
        head.extend(more);
    }
    head
}

fn past_the_gate(report: &Report) -> Table {
    let row = |one: &OfField| {
        let field = Cell::Name(format!("{}.{}", one.object, one.field));
        let share = Cell::Share(one.others, one.ours + one.others);
        let mut cells = vec![field, Cell::Number(one.ungoverned_percent), share];
        if report.has_owners() {
            cells.push(Cell::Text(one.owner.clone().unwrap_or_default()));
            cells.push(one.not_listed.map_or(Cell::Text(String::new()), Cell::Number));
        }
        cells
    };
    let owners = ["Who answers for it", "Not listed"];
    Table {
        title: "Writes that went past the gate".to_owned(),
        empty: "No write of a governed field was heard yet.",
        head: with(vec!["Field", "%", "Past the gate"], &owners, report),
        rows: report.fields.iter().map(row).collect(),
    }
}

fn writers(report: &Report) -> Table {
    let most = report.writers.iter().map(|row| row.writes).max().unwrap_or(0);
    let row = |row: &Row| {
        let mut cells = vec![
            Cell::Name(format!("{}.{}", row.object, row.field)),
            user(report, row),
            Cell::Text(row.writer.client.clone()),
            Cell::Share(row.writes, most),
            Cell::Name(minute(row.first)),
            Cell::Name(minute(row.last)),
        ];
        cells.extend(report.has_owners().then(|| Cell::Text(in_words(report.standing(row)))));
        cells
    };
    let head = vec!["Field", "User", "Client", "Writes, of the most", "First (UTC)", "Last (UTC)"];
    Table {
        title: "Writers".to_owned(),
        empty: "Nobody was heard yet.",
        head: with(head, &["Standing"], report),
        rows: report.writers.iter().map(row).collect(),
    }
}

fn automations(report: &Report) -> Table {
    let rows = report.automations.iter().map(|one| {
        let mut cells = vec![Cell::Name(one.object.clone()), Cell::Text(one.name.clone())];
        cells.extend(
            report.has_owners().then(|| Cell::Text(one.why.clone().unwrap_or_else(|| one.standing.into()))),
        );
        cells
    });
    Table {
        title: "What else runs when a record is saved".to_owned(),
        empty: "Nothing that is not ours, as far as the promoter sees rules, flows and triggers.",
        head: with(vec!["Object", "What"], &["Listed"], report),
        rows: rows.collect(),
    }
}

fn stopped(report: &Report) -> Table {
    let rows = report.quarantined.iter().map(|freeze| {
        vec![
            Cell::Name(freeze.scope.to_string()),
            Cell::Name(minute(freeze.since)),
            Cell::Text(freeze.reason.clone()),
        ]
    });
    Table {
        title: "Stopped, because two writers set a value against each other".to_owned(),
        empty: "Nothing.",
        head: vec!["What", "Since (UTC)", "Why"],
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        cli::tables,
        domain::{
            FieldName, ObjectName,
            ownership::{Owned, Ownership},
        },
    };

    fn report(runs: &[(&str, &'static str, Option<&str>)]) -> Report {
        let key = (ObjectName::parse("Lead").unwrap(), FieldName::parse("Status").unwrap());
        let owned = Owned {
            owner: "Revenue Operations".to_owned(),
            by_hand: true,
            writers: Vec::new(),
            automations: Vec::new(),
        };
        let run = |(name, standing, why): &(&str, &'static str, Option<&str>)| Runs {
            object: "Lead".to_owned(),
            name: (*name).to_owned(),
            standing,
            why: why.map(str::to_owned),
        };
        let mut report = Report {
            writers: Vec::new(),
            beyond: 0,
            fields: Vec::new(),
            automations: runs.iter().map(run).collect(),
            quarantined: Vec::new(),
            users: BTreeMap::new(),
            ownership: Ownership::default(),
        };
        report.ownership.fields.insert(key, owned);
        report
    }

    #[test]
    fn what_runs_on_save_is_told_as_it_is_listed() {
        let told = report(&[
            ("flow Example_Assignment", "listed", Some("routes <new> leads")),
            ("flow Example_Other", "not-listed", None),
            ("trigger ExampleTrigger", "no-owner", None),
        ]);
        let text = text(&told);
        for line in [
            "may write Lead: flow Example_Assignment (listed: routes <new> leads)\n",
            "may write Lead: flow Example_Other (not listed)\n",
            "may write Lead: trigger ExampleTrigger\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        let html = tables::html(&page(&told)).unwrap();
        assert!(html.contains("routes &lt;new&gt; leads") && html.contains("not-listed"), "{html}");
        let mut without = told;
        without.ownership = Ownership::default();
        let html = tables::html(&page(&without)).unwrap();
        assert!(!html.contains("not-listed") && !html.contains("Who answers for it"), "{html}");
    }

    #[test]
    fn an_owner_is_told_with_what_others_wrote() {
        let field = |owner: Option<&str>, not_listed| OfField {
            object: "Lead".to_owned(),
            field: "Status".to_owned(),
            ours: 1,
            others: 3,
            ungoverned_percent: 75,
            owner: owner.map(str::to_owned),
            not_listed,
        };
        assert_eq!(owner(&field(None, None)), "");
        assert_eq!(owner(&field(Some("Ops"), Some(0))), "; Ops answers for it and knows every writer");
        assert_eq!(
            owner(&field(Some("Ops"), Some(2))),
            "; Ops answers for it, 2 write(s) by writers who are not listed"
        );
    }
}
