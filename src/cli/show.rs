//! Text from records and agents, made safe for a terminal, and the tables that commands print.

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};

/// Shows control, zero-width and direction characters as escapes, so that no text can move the
/// cursor, colour the terminal or turn a line around.
pub fn safe(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if c.is_control() || hidden {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
        out
    })
}

/// A table with columns as wide as their widest cell. The first row is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let pad = width - cell.chars().count();
            let _ = write!(line, "{cell}{}  ", " ".repeat(pad));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// The same, with words below each row. The first row has none.
pub fn noted(rows: &[Vec<String>], notes: &[String]) -> String {
    let mut out = String::new();
    let below = std::iter::once("").chain(notes.iter().map(String::as_str));
    for (line, note) in table(rows).lines().zip(below) {
        let _ = writeln!(out, "{line}");
        if !note.is_empty() {
            let _ = writeln!(out, "    {note}");
        }
    }
    out
}

/// A moment to the minute, as tables have it.
pub fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        let shown = safe("ok\u{1b}[31mred\u{202e}abc\nnext");
        assert_eq!(shown, "ok\\u{1b}[31mred\\u{202e}abc\\u{a}next");
    }

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".into(), "b".into()], vec!["long".into(), "c".into()]];
        assert_eq!(table(&rows), "a     b\nlong  c\n");
    }
}
