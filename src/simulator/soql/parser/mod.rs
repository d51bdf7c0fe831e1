//! Reads one query by recursive descent. Keywords are words in context: a field may be called `Limit`.

mod condition;
mod select;

use rust_decimal::prelude::ToPrimitive as _;

use super::{
    ast::{Order, Path, Query},
    error::SoqlError,
    lexer::{Token, TokenKind, tokens},
};

/// Longest query that Salesforce takes.
const MAX_LENGTH: usize = 100_000;
/// Deepest nesting of parentheses; protects the stack.
const MAX_DEPTH: usize = 64;

/// Reads a whole query.
pub(super) fn parse(soql: &str) -> Result<Query, SoqlError> {
    if soql.chars().count() > MAX_LENGTH {
        return Err(SoqlError::plain(
            "MALFORMED_QUERY",
            "SOQL statements cannot be longer than 100000 characters.",
        ));
    }
    let tokens = tokens(soql)?;
    if tokens.len() == 1 {
        return Err(SoqlError::plain("MALFORMED_QUERY", "A query string has to be specified"));
    }
    let mut parser = Parser { soql, tokens, next: 0, depth: 0 };
    let query = parser.query()?;
    match parser.peek().kind {
        TokenKind::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    soql: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Query, SoqlError> {
        self.need_word("SELECT")?;
        let select = self.select_list()?;
        self.need_word("FROM")?;
        let object = self.path()?;
        let alias = self.alias();
        if self.take_words(&["USING", "SCOPE"]) {
            self.name()?;
        }
        let condition = if self.take_word("WHERE") { Some(self.condition()?) } else { None };
        if self.take_word("WITH") {
            // Fields are checked against field-level security anyway.
            self.name()?;
        }
        let group_by = if self.take_words(&["GROUP", "BY"]) { self.paths()? } else { Vec::new() };
        if self.is_word(0, "HAVING") {
            let at = self.peek().at;
            return Err(SoqlError::malformed(self.soql, at, "HAVING is not supported by this org"));
        }
        let order_by = if self.take_words(&["ORDER", "BY"]) { self.orders()? } else { Vec::new() };
        let limit = if self.take_word("LIMIT") { Some(self.count()?.0) } else { None };
        let offset = if self.take_word("OFFSET") { Some(self.count()?) } else { None };
        if self.take_word("FOR") {
            // FOR VIEW, REFERENCE and UPDATE change nothing that a caller of this org can see.
            self.name()?;
        }
        Ok(Query { select, object, alias, condition, group_by, order_by, limit, offset })
    }

    /// The word after the object, unless a clause begins there.
    fn alias(&mut self) -> Option<String> {
        const CLAUSES: &[&str] =
            &["USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL"];
        self.take_word("AS");
        match &self.peek().kind {
            TokenKind::Word(word) if !CLAUSES.iter().any(|clause| clause.eq_ignore_ascii_case(word)) => {
                let alias = word.clone();
                self.next += 1;
                Some(alias)
            }
            _ => None,
        }
    }

    fn orders(&mut self) -> Result<Vec<Order>, SoqlError> {
        let mut orders = Vec::new();
        loop {
            let (function, path) = match self.function_ahead() {
                Some(_) => {
                    let (function, path) = self.function_of()?;
                    (Some(function), path)
                }
                None => (None, self.path()?),
            };
            let descending = self.take_word("DESC");
            if !descending {
                self.take_word("ASC");
            }
            let nulls_last = self.take_word("NULLS") && {
                let last = self.take_word("LAST");
                if !last {
                    self.need_word("FIRST")?;
                }
                last
            };
            orders.push(Order { path, function, descending, nulls_last });
            if !self.take_symbol(",") {
                return Ok(orders);
            }
        }
    }

    fn paths(&mut self) -> Result<Vec<Path>, SoqlError> {
        let mut paths = vec![self.path()?];
        while self.take_symbol(",") {
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    fn path(&mut self) -> Result<Path, SoqlError> {
        let at = self.peek().at;
        let mut parts = vec![self.name()?];
        while self.take_symbol(".") {
            parts.push(self.name()?);
        }
        Ok(Path { at, parts })
    }

    /// A whole number of zero or more, and its place.
    fn count(&mut self) -> Result<(usize, usize), SoqlError> {
        let at = self.peek().at;
        let number = match &self.peek().kind {
            TokenKind::Number(number) if number.is_integer() => number.to_usize(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        Ok((number, at))
    }

    fn name(&mut self) -> Result<String, SoqlError> {
        let TokenKind::Word(word) = &self.peek().kind else { return Err(self.unexpected()) };
        let word = word.clone();
        self.next += 1;
        Ok(word)
    }

    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.next + by).min(last)]
    }

    fn is_word(&self, by: usize, word: &str) -> bool {
        matches!(&self.ahead(by).kind, TokenKind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn is_symbol(&self, by: usize, symbol: &str) -> bool {
        matches!(self.ahead(by).kind, TokenKind::Symbol(found) if found == symbol)
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take_words(&[word])
    }

    fn take_words(&mut self, words: &[&str]) -> bool {
        let all = words.iter().enumerate().all(|(by, word)| self.is_word(by, word));
        if all {
            self.next += words.len();
        }
        all
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(0, symbol);
        if found {
            self.next += 1;
        }
        found
    }

    fn need_word(&mut self, word: &str) -> Result<(), SoqlError> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn need_symbol(&mut self, symbol: &str) -> Result<(), SoqlError> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error for the token that stands next.
    fn unexpected(&self) -> SoqlError {
        let token = self.peek();
        let written = match token.kind {
            TokenKind::End => "<EOF>",
            _ => &self.soql[token.at..token.end],
        };
        SoqlError::malformed(self.soql, token.at, format!("unexpected token: '{written}'"))
    }

    /// Runs `read` one level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, SoqlError>) -> Result<T, SoqlError> {
        if self.depth == MAX_DEPTH {
            return Err(SoqlError::malformed(self.soql, self.peek().at, "the query is nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_clause() {
        let query = parse(
            "select Id, Owner.Name from Lead l where Status = 'Open' group by Status \
             order by Name desc nulls last, Id limit 5 offset 2 for view",
        )
        .unwrap();
        assert_eq!(query.select.len(), 2);
        assert_eq!(query.alias.as_deref(), Some("l"));
        assert_eq!((query.limit, query.offset.map(|offset| offset.0)), (Some(5), Some(2)));
        let orders: Vec<_> =
            query.order_by.iter().map(|order| (order.descending, order.nulls_last)).collect();
        assert_eq!(orders, [(true, true), (false, false)]);
    }

    #[test]
    fn points_at_what_it_did_not_expect() {
        for (soql, token, column) in [
            ("SELECT Id FORM Lead", "FORM", 11),
            ("SELECT Id FROM", "<EOF>", 15),
            ("SELECT FROM Lead", "Lead", 13),
            ("SELECT Id FROM Lead WHERE", "<EOF>", 26),
            ("SELECT Id FROM Lead LIMIT x", "x", 27),
            ("SELECT Id FROM Lead LIMIT -1", "-1", 27),
            ("SELECT Id FROM Lead; DROP", ";", 20),
            ("SELECT Id FROM Lead WHERE a = 1 2", "2", 33),
            ("UPDATE Lead SET x = 1", "UPDATE", 1),
        ] {
            let error = parse(soql).unwrap_err();
            assert_eq!(error.code, "MALFORMED_QUERY", "{soql}");
            assert!(error.message.contains(&format!("Column:{column}\n")), "{soql}: {}", error.message);
            assert!(error.message.contains(&format!("'{token}'")), "{soql}: {}", error.message);
        }
        assert_eq!(parse("  ").unwrap_err().message, "A query string has to be specified");
    }

    #[test]
    fn refuses_what_would_exhaust_the_stack() {
        let deep = format!("SELECT Id FROM Lead WHERE {}a = 1{}", "(".repeat(5000), ")".repeat(5000));
        assert!(parse(&deep).unwrap_err().message.contains("nested too deeply"));
        let long = format!("SELECT Id FROM Lead WHERE a = '{}'", "x".repeat(MAX_LENGTH));
        assert!(parse(&long).unwrap_err().message.contains("longer than 100000"));
    }

    proptest! {
        #[test]
        fn never_panics(soql in "(SELECT|FROM|WHERE|AND|OR|NOT|IN|\\(|\\)|'a'|[a-z.,=<> ]|1|\\PC){0,30}") {
            let _ = parse(&soql);
        }
    }
}
