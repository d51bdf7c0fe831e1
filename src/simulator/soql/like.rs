//! LIKE patterns: `%` any run, `_` any one character, letter case ignored.

use super::lexer::Literal;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Run,
    One,
    Char(char),
}

impl Pattern {
    /// Characters written with a backslash stand for themselves.
    pub fn new(literal: &Literal) -> Self {
        let mut pieces = Vec::new();
        for (at, c) in literal.text.char_indices() {
            match c {
                '%' if !literal.escaped.contains(&at) => {
                    if pieces.last() != Some(&Piece::Run) {
                        pieces.push(Piece::Run);
                    }
                }
                '_' if !literal.escaped.contains(&at) => pieces.push(Piece::One),
                other => pieces.extend(other.to_lowercase().map(Piece::Char)),
            }
        }
        Self(pieces)
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let (mut at, mut piece) = (0, 0);
        // Where to go on when the pieces after the last run do not fit.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::Run) => {
                    retry = Some((piece, at));
                    piece += 1;
                }
                Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
                Some(Piece::Char(c)) if *c == text[at] => (at, piece) = (at + 1, piece + 1),
                _ => {
                    let Some((run, from)) = retry else { return false };
                    retry = Some((run, from + 1));
                    (at, piece) = (from + 1, run + 1);
                }
            }
        }
        self.0[piece..].iter().all(|piece| *piece == Piece::Run)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::new(&Literal { text: pattern.to_owned(), escaped: Vec::new() }).fits(text)
    }

    #[test]
    fn wildcards_and_letter_case() {
        for (pattern, text) in [
            ("acme%", "Acme Ltd"),
            ("%LTD", "Acme Ltd"),
            ("a_me%", "acme"),
            ("%", ""),
            ("%m%t%", "Acme Ltd"),
            ("É%", "été"),
        ] {
            assert!(fits(pattern, text), "{pattern} fits {text}");
        }
        for (pattern, text) in [("acme", "Acme Ltd"), ("_", ""), ("a%b", "abc"), ("", "a")] {
            assert!(!fits(pattern, text), "{pattern} does not fit {text}");
        }
    }

    #[test]
    fn escaped_wildcards_are_text() {
        let pattern = Pattern::new(&Literal { text: "100%".to_owned(), escaped: vec![3] });
        assert!(pattern.fits("100%") && !pattern.fits("100 per cent"));
    }

    proptest! {
        #[test]
        fn finds_any_part(before in "[a-z%_]{0,6}", part in "[a-z]{1,6}", after in "[a-z%_]{0,6}") {
            let text = format!("{}{}{}", before, part, after);
            let pattern = format!("%{}%", part);
            prop_assert!(fits(&pattern, &text));
        }
    }
}
