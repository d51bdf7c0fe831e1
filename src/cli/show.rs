//! Text from records and agents, made safe for a terminal, and the tables that commands print.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

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

/// A stretch of time in its two largest parts.
pub fn span(later: Timestamp, earlier: Timestamp) -> String {
    let seconds = later.duration_since(earlier).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A text of at most so many characters; the last one says that there was more.
pub fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_parts() {
        let start = Timestamp::UNIX_EPOCH;
        let told = |seconds: i64| span(Timestamp::from_second(seconds).unwrap(), start);
        assert_eq!(told(59), "59 s");
        assert_eq!(told(3599), "59 min");
        assert_eq!(told(7260), "2 h 1 min");
        assert_eq!(told(180_000), "2 d 2 h");
        assert_eq!(told(-5), "0 s", "a clock that went back");
    }

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
