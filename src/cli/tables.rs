//! A page of tables, for what has no page of its own: whole and by itself. It loads nothing and runs
//! nothing, and every value in it is data.

use minijinja::{Value, context};

use super::page;
use crate::gate::preview::visible;

const PAGE: &str = include_str!("tables.html.j2");

/// Width of the widest bar.
const WIDTH: u64 = 160;

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// Heading.
    pub title: String,
    /// Lines below it.
    pub words: Vec<String>,
    /// Tables, in order.
    pub tables: Vec<Table>,
}

/// A table with a heading of its own.
#[derive(Debug)]
pub struct Table {
    /// Heading.
    pub title: String,
    /// What stands where it has no rows.
    pub empty: &'static str,
    /// Names of the columns.
    pub head: Vec<&'static str>,
    /// Rows, each as long as the head.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug)]
pub enum Cell {
    /// Words.
    Text(String),
    /// Words that do not break: an id, a name, a time.
    Name(String),
    /// Words that do not break, and the address that they lead to. Only on pages that are served.
    Link(String, String),
    /// A number.
    Number(u64),
    /// A share as a bar: so many of so many.
    Share(u64, u64),
}

impl Cell {
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => context! { kind => "text", text => visible(text), to => "" },
            Self::Name(text) => context! { kind => "name", text => visible(text), to => "" },
            Self::Link(text, to) => context! { kind => "name", text => visible(text), to },
            Self::Number(number) => context! { kind => "number", text => number.to_string(), to => "" },
            Self::Share(part, all) => {
                let width = (part.saturating_mul(WIDTH)).div_ceil((*all).max(1)).min(WIDTH);
                context! { kind => "share", text => format!("{part} of {all}"), to => "", width, whole => WIDTH }
            }
        }
    }
}

/// The title of a table that has at most the `most` newest of `all`.
pub fn newest_of(what: &str, all: usize, most: usize) -> String {
    match all > most {
        true => format!("{what}, the newest {most} of {all}"),
        false => format!("{what}, newest first"),
    }
}

/// The page as HTML.
pub fn html(page: &Page) -> anyhow::Result<String> {
    let table = |table: &Table| {
        let rows: Vec<Vec<Value>> =
            table.rows.iter().map(|row| row.iter().map(Cell::value).collect()).collect();
        let first = table.rows.first();
        let head: Vec<Value> = table
            .head
            .iter()
            .enumerate()
            .map(|(place, name)| {
                let number =
                    first.and_then(|row| row.get(place)).is_some_and(|it| matches!(it, Cell::Number(_)));
                context! { name => *name, number }
            })
            .collect();
        context! { title => visible(&table.title), empty => table.empty, head, rows }
    };
    page::render(
        PAGE,
        context! {
            title => visible(&page.title),
            words => page.words.iter().map(|line| visible(line)).collect::<Vec<_>>(),
            tables => page.tables.iter().map(table).collect::<Vec<_>>(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_and_shares_are_drawn() {
        let table = Table {
            title: "Writers".into(),
            empty: "none",
            head: vec!["who", "writes", "share"],
            rows: vec![vec![Cell::Text("<b>\u{202e}x</b>".into()), Cell::Number(7), Cell::Share(1, 4)]],
        };
        let none =
            Table { title: "Flows".into(), empty: "nothing runs", head: vec!["name"], rows: Vec::new() };
        let page = Page {
            title: "Who <i>writes</i>".into(),
            words: vec!["one & two".into()],
            tables: vec![table, none],
        };
        let html = html(&page).unwrap();
        for bad in ["<b>", "<i>", "\u{202e}", "<script", "src=", "href=", "url("] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        for good in ["Who &lt;i&gt;", "one &amp; two", "width=\"40\"", "1 of 4", "nothing runs"] {
            assert!(html.contains(good), "{good} in {html}");
        }
    }
}
