//! Cuts SOQL into tokens. A string literal ends only at an unescaped quote.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::error::SoqlError;
use crate::domain::value::parse_moment;

/// One token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// Byte offset of its first character.
    pub at: usize,
    /// Byte offset after its last character.
    pub end: usize,
    /// What it is.
    pub kind: TokenKind,
}

/// The kinds of token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword or a name: letters, digits and `_`.
    Word(String),
    /// A string literal with its escapes resolved.
    Text(Literal),
    /// A number.
    Number(Decimal),
    /// `YYYY-MM-DD`
    Day(Date),
    /// A date-time with offset.
    Moment(Timestamp),
    /// `( ) , . :` and the comparison operators.
    Symbol(&'static str),
    /// The end of the query.
    End,
}

/// A string literal. LIKE needs to know which `%` and `_` were escaped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Literal {
    /// The text meant.
    pub text: String,
    /// Byte offsets in `text` of characters that were written with a backslash.
    pub escaped: Vec<usize>,
}

const SYMBOLS: &[&str] = &["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", ":"];

/// All tokens of a query, `End` last.
pub(super) fn tokens(soql: &str) -> Result<Vec<Token>, SoqlError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = soql[at..].chars().next() {
        if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        }
        let (kind, end) = token(soql, at, next)?;
        found.push(Token { at, end, kind });
        at = end;
    }
    found.push(Token { at: soql.len(), end: soql.len(), kind: TokenKind::End });
    Ok(found)
}

fn token(soql: &str, at: usize, next: char) -> Result<(TokenKind, usize), SoqlError> {
    if next == '\'' {
        return text(soql, at);
    }
    if next.is_ascii_digit() || matches!(next, '-' | '+') {
        return number(soql, at);
    }
    if next.is_ascii_alphabetic() {
        let end = run(soql, at, |c| c.is_ascii_alphanumeric() || c == '_');
        return Ok((TokenKind::Word(soql[at..end].to_owned()), end));
    }
    match SYMBOLS.iter().find(|symbol| soql[at..].starts_with(**symbol)) {
        Some(symbol) => Ok((TokenKind::Symbol(symbol), at + symbol.len())),
        None => Err(SoqlError::malformed(soql, at, format!("unexpected char: '{next}'"))),
    }
}

fn run(soql: &str, at: usize, keep: impl Fn(char) -> bool) -> usize {
    soql[at..].find(|c| !keep(c)).map_or(soql.len(), |length| at + length)
}

fn number(soql: &str, at: usize) -> Result<(TokenKind, usize), SoqlError> {
    let bytes = soql.as_bytes();
    let dated =
        bytes.len() > at + 4 && bytes[at..at + 4].iter().all(u8::is_ascii_digit) && bytes[at + 4] == b'-';
    let end = if dated {
        run(soql, at, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '+'))
    } else {
        run(soql, at + 1, |c| c.is_ascii_alphanumeric() || c == '.')
    };
    let written = &soql[at..end];
    let kind = if dated { moment(written) } else { decimal(written) };
    kind.map(|kind| (kind, end))
        .ok_or_else(|| SoqlError::malformed(soql, at, format!("unexpected token: '{written}'")))
}

fn moment(written: &str) -> Option<TokenKind> {
    if !written.contains('T') {
        return written.parse().ok().map(TokenKind::Day);
    }
    parse_moment(written)
        .or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%:z", written).ok())
        .map(TokenKind::Moment)
}

fn decimal(written: &str) -> Option<TokenKind> {
    let plain = written.strip_prefix('+').unwrap_or(written);
    let number = Decimal::from_str_exact(plain).or_else(|_| Decimal::from_scientific(plain)).ok()?;
    Some(TokenKind::Number(number.normalize()))
}

fn text(soql: &str, at: usize) -> Result<(TokenKind, usize), SoqlError> {
    let mut literal = Literal::default();
    let mut rest = soql[at + 1..].char_indices();
    while let Some((offset, next)) = rest.next() {
        match next {
            '\'' => return Ok((TokenKind::Text(literal), at + 1 + offset + 1)),
            '\\' => {
                let place = at + 1 + offset;
                let meant = escape(&mut rest).ok_or_else(|| {
                    SoqlError::malformed(soql, place, "Invalid string literal. Illegal character sequence")
                })?;
                literal.escaped.push(literal.text.len());
                literal.text.push(meant);
            }
            other => literal.text.push(other),
        }
    }
    Err(SoqlError::malformed(soql, at, "unexpected token: '<EOF>', the string literal has no closing quote"))
}

fn escape(rest: &mut std::str::CharIndices<'_>) -> Option<char> {
    Some(match rest.next()?.1 {
        'n' | 'N' => '\n',
        'r' | 'R' => '\r',
        't' | 'T' => '\t',
        'b' | 'B' => '\u{8}',
        'f' | 'F' => '\u{c}',
        'u' => return unicode(rest),
        kept @ ('"' | '\'' | '\\' | '%' | '_') => kept,
        _ => return None,
    })
}

fn unicode(rest: &mut std::str::CharIndices<'_>) -> Option<char> {
    let digits: String = rest.by_ref().take(4).map(|(_, digit)| digit).collect();
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(soql: &str) -> Vec<TokenKind> {
        tokens(soql).unwrap().into_iter().map(|token| token.kind).collect()
    }

    fn literal(soql: &str) -> Literal {
        match kinds(soql).remove(0) {
            TokenKind::Text(literal) => literal,
            other => panic!("expected a string literal, found {other:?}"),
        }
    }

    #[test]
    fn reads_words_symbols_and_numbers() {
        let word = |text: &str| TokenKind::Word(text.to_owned());
        assert_eq!(
            kinds("a.b<>-1.50"),
            [
                word("a"),
                TokenKind::Symbol("."),
                word("b"),
                TokenKind::Symbol("<>"),
                TokenKind::Number("-1.5".parse().unwrap()),
                TokenKind::End
            ]
        );
    }

    #[test]
    fn reads_dates_and_moments() {
        assert!(matches!(kinds("2026-05-01")[0], TokenKind::Day(_)));
        for moment in [
            "2026-05-01T07:25:37Z",
            "2026-05-01T07:25:37.000Z",
            "2026-05-01T07:25:37.000+0000",
            "2026-05-01T09:25:37+02:00",
        ] {
            let expected = "2026-05-01T07:25:37Z".parse().unwrap();
            assert_eq!(kinds(moment)[0], TokenKind::Moment(expected), "{moment}");
        }
        assert_eq!(tokens("2026-13-01").unwrap_err().code, "MALFORMED_QUERY");
    }

    #[test]
    fn resolves_escapes() {
        assert_eq!(literal(r"'it\'s \\ 100\% \u0041\n'").text, "it's \\ 100% A\n");
        assert_eq!(literal(r"'a\_b'").escaped, [1]);
        for bad in [r"'a\x'", r"'\u12'", "'open", r"'open\'"] {
            assert_eq!(tokens(bad).unwrap_err().code, "MALFORMED_QUERY", "{bad}");
        }
    }

    /// The escaping that every careful client does.
    fn quote(text: &str) -> String {
        let mut quoted = String::from("'");
        for c in text.chars() {
            match c {
                '\'' | '\\' | '"' => quoted.extend(['\\', c]),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                _ => quoted.push(c),
            }
        }
        quoted.push('\'');
        quoted
    }

    proptest! {
        #[test]
        fn hostile_text_never_leaves_its_literal(hostile in r#"(?s)[\\'"%_() a-z=\n\r\u{0}-\u{10ffff}]{0,40}"#) {
            let soql = format!("WHERE Name = {} LIMIT 1", quote(&hostile));
            let found = kinds(&soql);
            prop_assert_eq!(found.len(), 7);
            prop_assert!(matches!(&found[3], TokenKind::Text(literal) if literal.text == hostile));
        }

        #[test]
        fn no_text_makes_it_panic(soql in "(?s).{0,80}") {
            let _ = tokens(&soql);
        }
    }
}
