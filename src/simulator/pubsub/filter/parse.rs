//! Text to [`Filter`]: a small recursive-descent parser.

use crate::domain::{FieldValue, value::parse_moment};

use super::{Filter, FilterError, Operator};

/// Salesforce's limits.
const MAX_CHARACTERS: usize = 131_072;
const MAX_FIELDS: usize = 10;
/// Ours: parentheses and NOT within each other.
const MAX_DEPTH: usize = 64;

/// Lists cannot be filtered on.
const HEADER_LISTS: [&str; 4] = ["recordIds", "nulledFields", "diffFields", "changedFields"];

pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.chars().count() > MAX_CHARACTERS {
        return Err(FilterError { at: MAX_CHARACTERS, what: "longer than 131,072 characters".to_owned() });
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    let filter = parser.any_of()?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.wrong("expected AND, OR or the end"));
    }
    let mut fields = filter.fields();
    fields.sort_unstable();
    fields.dedup();
    if fields.len() > MAX_FIELDS {
        return Err(FilterError { at: 0, what: "more than 10 fields".to_owned() });
    }
    Ok(filter)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any_of(&mut self) -> Result<Filter, FilterError> {
        let mut left = self.all_of()?;
        while self.keyword("OR") {
            left = Filter::Or(Box::new(left), Box::new(self.all_of()?));
        }
        Ok(left)
    }

    fn all_of(&mut self) -> Result<Filter, FilterError> {
        let mut left = self.single()?;
        while self.keyword("AND") {
            left = Filter::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Filter, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("nested too deep"));
        }
        let filter = if self.keyword("NOT") {
            Filter::Not(Box::new(self.single()?))
        } else if self.symbol("(") {
            let inner = self.any_of()?;
            if !self.symbol(")") {
                return Err(self.wrong("expected )"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, FilterError> {
        let field = self.word(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if !field.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(self.wrong("expected a field"));
        }
        if field.strip_prefix("ChangeEventHeader.").is_some_and(|name| HEADER_LISTS.contains(&name)) {
            return Err(self.wrong("header lists cannot be filtered on"));
        }
        let operator = self.operator()?;
        let literal = self.literal()?;
        if operator == Operator::Like && literal.as_text().is_none() {
            return Err(self.wrong("LIKE takes a text"));
        }
        Ok(Filter::Compare { field, operator, literal })
    }

    fn operator(&mut self) -> Result<Operator, FilterError> {
        let symbols = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = symbols.into_iter().find(|(symbol, _)| self.symbol(symbol)).map(|(_, operator)| operator);
        match found {
            Some(operator) => Ok(operator),
            None if self.keyword("LIKE") => Ok(Operator::Like),
            None => Err(self.wrong("expected one of = != < <= > >= LIKE")),
        }
    }

    fn literal(&mut self) -> Result<FieldValue, FilterError> {
        if self.symbol("'") {
            return self.quoted();
        }
        let word = self.word(|c| c.is_ascii_alphanumeric() || "+-.:_".contains(c));
        match word.to_ascii_lowercase().as_str() {
            "true" => return Ok(FieldValue::Bool(true)),
            "false" => return Ok(FieldValue::Bool(false)),
            "null" => return Ok(FieldValue::Null),
            _ => {}
        }
        if let Ok(number) = word.parse() {
            return Ok(FieldValue::decimal(number));
        }
        if word.len() == 10
            && let Ok(day) = word.parse()
        {
            return Ok(FieldValue::Date(day));
        }
        parse_moment(&word).map(FieldValue::DateTime).ok_or_else(|| self.wrong("expected a value"))
    }

    fn quoted(&mut self) -> Result<FieldValue, FilterError> {
        let mut text = String::new();
        let mut chars = self.text[self.at..].char_indices();
        while let Some((offset, character)) = chars.next() {
            match character {
                '\'' => {
                    self.at += offset + 1;
                    return Ok(FieldValue::text(text));
                }
                '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
                other => text.push(other),
            }
        }
        Err(self.wrong("a text without its closing quote"))
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.skip_blanks();
        let found = self.text[self.at..].starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let ends = |after: &str| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let found = rest.get(..keyword.len()).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
            && ends(&rest[keyword.len()..]);
        if found {
            self.at += keyword.len();
        }
        found
    }

    fn word(&mut self, part: impl Fn(char) -> bool) -> String {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn wrong(&self, what: &str) -> FilterError {
        FilterError { at: self.at, what: what.to_owned() }
    }
}
