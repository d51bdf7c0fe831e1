//! Text to tokens.

use rust_decimal::Decimal;

use super::FormulaError;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, dots included: `Status`, `$Permission.AI_Promoter`.
    Name(String),
    /// A number.
    Number(Decimal),
    /// A text in single or double quotes.
    Text(String),
    /// An operator or a bracket.
    Symbol(&'static str),
}

/// A token and the character where it starts, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spanned {
    /// The token.
    pub(super) token: Token,
    /// Where it starts.
    pub(super) position: usize,
}

/// Longest first, so that `<>` is not read as `<`.
const SYMBOLS: &[&str] =
    &["<>", "!=", "<=", ">=", "==", "&&", "||", "(", ")", ",", "+", "-", "*", "/", "&", "=", "<", ">", "!"];

/// Where a formula stands, which decides how it names things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// In a validation rule: `Status`.
    Rule,
    /// In a flow: `{!$Record.Status}`.
    Flow,
}

/// Cuts `text` into tokens.
pub(super) fn tokens(text: &str, dialect: Dialect) -> Result<Vec<Spanned>, FormulaError> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        let (token, next) = match first {
            space if space.is_whitespace() => {
                at += 1;
                continue;
            }
            '/' if chars.get(at + 1) == Some(&'*') => {
                at = end_of_comment(&chars, at)?;
                continue;
            }
            '{' if dialect == Dialect::Flow && chars.get(at + 1) == Some(&'!') => reference(&chars, at)?,
            '"' | '\'' => quoted(&chars, at)?,
            digit if digit.is_ascii_digit() => number(&chars, at)?,
            '.' if chars.get(at + 1).is_some_and(char::is_ascii_digit) => number(&chars, at)?,
            start if is_name_start(start) => name(&chars, at),
            other => symbol(&chars, at)
                .ok_or_else(|| error(at, format!("Syntax error. Found '{}'", other.escape_default())))?,
        };
        found.push(Spanned { token, position: at + 1 });
        at = next;
    }
    Ok(found)
}

fn error(at: usize, message: impl Into<String>) -> FormulaError {
    FormulaError { position: at + 1, message: message.into() }
}

fn is_name_start(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '$' || letter == '_'
}

fn end_of_comment(chars: &[char], at: usize) -> Result<usize, FormulaError> {
    let body = chars.get(at + 2..).unwrap_or_default();
    let length = body.windows(2).position(|pair| pair == ['*', '/']);
    length.map(|length| at + length + 4).ok_or_else(|| error(at, "Syntax error. The comment has no end"))
}

fn quoted(chars: &[char], at: usize) -> Result<(Token, usize), FormulaError> {
    let mut text = String::new();
    let mut next = at + 1;
    while let Some(&letter) = chars.get(next) {
        match (letter, chars.get(next + 1)) {
            ('\\', Some(&escaped)) => {
                text.push(match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    same => same,
                });
                next += 2;
            }
            _ if letter == chars[at] => return Ok((Token::Text(text), next + 1)),
            _ => {
                text.push(letter);
                next += 1;
            }
        }
    }
    Err(error(at, "Syntax error. Missing closing quote"))
}

fn number(chars: &[char], at: usize) -> Result<(Token, usize), FormulaError> {
    let rest = chars.get(at..).unwrap_or_default();
    let length = rest.iter().take_while(|letter| letter.is_ascii_digit() || **letter == '.').count();
    let text: String = rest.iter().take(length).collect();
    let value = Decimal::from_str_exact(&text)
        .map_err(|_| error(at, format!("Syntax error. '{text}' is not a number")))?;
    Ok((Token::Number(value), at + length))
}

fn name(chars: &[char], at: usize) -> (Token, usize) {
    let rest = chars.get(at..).unwrap_or_default();
    let part = |letter: &&char| letter.is_ascii_alphanumeric() || matches!(**letter, '_' | '.' | '$');
    let text: String = rest.iter().take_while(part).collect();
    let length = text.len();
    (Token::Name(text), at + length)
}

/// `{!Get_Lead.Status}`: the name between the marks, as a token.
fn reference(chars: &[char], at: usize) -> Result<(Token, usize), FormulaError> {
    let (token, end) = name(chars, at + 2);
    let named = matches!(&token, Token::Name(name) if !name.is_empty());
    if !named || chars.get(end) != Some(&'}') {
        return Err(error(at, "Syntax error. A reference is written {!Name} or {!Name.Field}"));
    }
    Ok((token, end + 1))
}

fn symbol(chars: &[char], at: usize) -> Option<(Token, usize)> {
    SYMBOLS.iter().find_map(|symbol| {
        let fits = symbol.chars().enumerate().all(|(offset, letter)| chars.get(at + offset) == Some(&letter));
        fits.then_some((Token::Symbol(symbol), at + symbol.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        tokens(text, Dialect::Rule).unwrap().into_iter().map(|spanned| spanned.token).collect()
    }

    #[test]
    fn names_numbers_texts_and_symbols() {
        assert_eq!(
            kinds("$Permission.AI_Promoter<>1.5 && 'a\\'b' /* (note) */ & \"\""),
            [
                Token::Name("$Permission.AI_Promoter".into()),
                Token::Symbol("<>"),
                Token::Number("1.5".parse().unwrap()),
                Token::Symbol("&&"),
                Token::Text("a'b".into()),
                Token::Symbol("&"),
                Token::Text(String::new()),
            ]
        );
    }

    #[test]
    fn what_does_not_end_is_an_error_at_its_start() {
        for (text, position) in [("1 + \"abc", 5), ("/* x", 1), ("a ^ b", 3), ("1.2.3", 1), ("\"\\", 1)] {
            assert_eq!(tokens(text, Dialect::Rule).unwrap_err().position, position, "{text}");
        }
    }

    #[test]
    fn positions_count_characters_not_bytes() {
        assert_eq!(tokens("\"ü\" ü", Dialect::Rule).unwrap_err().position, 5);
    }

    #[test]
    fn references_are_names_in_flows_and_errors_in_rules() {
        let found = tokens("{!$Record.Status} & {!Get_Lead.Name}", Dialect::Flow).unwrap();
        let names: Vec<Token> = found.into_iter().map(|spanned| spanned.token).collect();
        let name = |text: &str| Token::Name(text.into());
        assert_eq!(names, [name("$Record.Status"), Token::Symbol("&"), name("Get_Lead.Name")]);
        assert_eq!(tokens("{!$Record.Status}", Dialect::Rule).unwrap_err().position, 1);
        for text in ["{!}", "{!a", "{!a b}", "{a}"] {
            assert!(tokens(text, Dialect::Flow).is_err(), "{text}");
        }
    }
}
