//! Tokens to a tree, with names and types still unchecked.

use super::{
    FormulaError,
    ast::{BinaryOp, Expr, ExprKind, UnaryOp},
    lexer::{Dialect, Spanned, Token, tokens},
};

/// Formulas nest less deeply than this; it bounds recursion on hostile text.
const MAX_DEPTH: usize = 100;

/// Parses `text`.
pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Expr, FormulaError> {
    let tokens = tokens(text, dialect)?;
    let end = text.chars().count() + 1;
    let mut parser = Parser { tokens, next: 0, end, depth: 0 };
    let expr = parser.binary(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(spanned) => {
            Err(FormulaError { position: spanned.position, message: "Syntax error. Extra text".into() })
        }
    }
}

/// Loosest first; operators of one row associate to the left.
const LEVELS: &[&[(&str, BinaryOp)]] = &[
    &[("||", BinaryOp::Or)],
    &[("&&", BinaryOp::And)],
    &[
        ("=", BinaryOp::Equal),
        ("==", BinaryOp::Equal),
        ("<>", BinaryOp::NotEqual),
        ("!=", BinaryOp::NotEqual),
    ],
    &[
        ("<", BinaryOp::Less),
        ("<=", BinaryOp::LessOrEqual),
        (">", BinaryOp::Greater),
        (">=", BinaryOp::GreaterOrEqual),
    ],
    &[("+", BinaryOp::Add), ("-", BinaryOp::Subtract), ("&", BinaryOp::Concat)],
    &[("*", BinaryOp::Multiply), ("/", BinaryOp::Divide)],
];

struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Spanned> {
        self.tokens.get(self.next)
    }

    fn position(&self) -> usize {
        self.peek().map_or(self.end, |spanned| spanned.position)
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, FormulaError> {
        Err(FormulaError { position: self.position(), message: message.into() })
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_some_and(|it| matches!(it.token, Token::Symbol(s) if s == symbol));
        self.next += usize::from(found);
        found
    }

    fn binary(&mut self, level: usize) -> Result<Expr, FormulaError> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            let position = self.position();
            let Some(&(_, operator)) = operators.iter().find(|(symbol, _)| self.take(symbol)) else {
                return Ok(left);
            };
            let right = self.binary(level + 1)?;
            left = Expr { position, kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)) };
        }
    }

    fn unary(&mut self) -> Result<Expr, FormulaError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error("The formula is nested too deeply");
        }
        let position = self.position();
        let operator = [("!", UnaryOp::Not), ("-", UnaryOp::Minus), ("+", UnaryOp::Plus)]
            .into_iter()
            .find(|(symbol, _)| self.take(symbol));
        let expr = match operator {
            Some((_, operator)) => {
                let inner = self.unary()?;
                Expr { position, kind: ExprKind::Unary(operator, Box::new(inner)) }
            }
            None => self.primary()?,
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr, FormulaError> {
        let position = self.position();
        if self.take("(") {
            let inner = self.binary(0)?;
            return if self.take(")") { Ok(inner) } else { self.error("Syntax error. Missing ')'") };
        }
        let Some(spanned) = self.peek().cloned() else {
            return self.error("Syntax error. The formula ends too early");
        };
        let kind = match spanned.token {
            Token::Number(number) => ExprKind::Number(number),
            Token::Text(text) => ExprKind::Text(text),
            Token::Symbol(symbol) => return self.error(format!("Syntax error. Found '{symbol}'")),
            Token::Name(name) => {
                self.next += 1;
                let kind = if self.take("(") {
                    ExprKind::Call(name.to_ascii_uppercase(), self.arguments()?)
                } else {
                    constant(&name).unwrap_or(ExprKind::Name(name))
                };
                return Ok(Expr { position, kind });
            }
        };
        self.next += 1;
        Ok(Expr { position, kind })
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, FormulaError> {
        let mut arguments = Vec::new();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.binary(0)?);
            if self.take(")") {
                return Ok(arguments);
            }
            if !self.take(",") {
                return self.error("Syntax error. Missing ')'");
            }
        }
    }
}

fn constant(name: &str) -> Option<ExprKind> {
    match name.to_ascii_uppercase().as_str() {
        "TRUE" => Some(ExprKind::Bool(true)),
        "FALSE" => Some(ExprKind::Bool(false)),
        "NULL" => Some(ExprKind::Null),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        fn show(expr: &Expr) -> String {
            match &expr.kind {
                ExprKind::Number(number) => number.to_string(),
                ExprKind::Text(text) => format!("{text:?}"),
                ExprKind::Bool(flag) => flag.to_string(),
                ExprKind::Null => "null".into(),
                ExprKind::Name(name) => name.clone(),
                ExprKind::Call(name, arguments) => {
                    format!("{name}[{}]", arguments.iter().map(show).collect::<Vec<_>>().join(" "))
                }
                ExprKind::Unary(operator, inner) => format!("({operator:?} {})", show(inner)),
                ExprKind::Binary(operator, left, right) => {
                    format!("({} {operator:?} {})", show(left), show(right))
                }
            }
        }
        parse(text, Dialect::Rule)
            .map_or_else(|error| format!("{}: {}", error.position, error.message), |it| show(&it))
    }

    #[test]
    fn operators_bind_as_in_salesforce() {
        assert_eq!(shape("1+2*3"), "(1 Add (2 Multiply 3))");
        assert_eq!(shape("a = 1 && b <> 2 || c"), "(((a Equal 1) And (b NotEqual 2)) Or c)");
        assert_eq!(shape("1 - 2 - 3"), "((1 Subtract 2) Subtract 3)");
        assert_eq!(shape("!a && b"), "((Not a) And b)");
        assert_eq!(shape("-(1+x) < 2"), "((Minus (1 Add x)) Less 2)");
    }

    #[test]
    fn calls_take_any_letter_case() {
        assert_eq!(shape("and(IsNew(), true)"), "AND[ISNEW[] true]");
    }

    #[test]
    fn syntax_errors_say_where() {
        assert_eq!(shape("AND(a, b"), "9: Syntax error. Missing ')'");
        assert_eq!(shape("a b"), "3: Syntax error. Extra text");
        assert_eq!(shape("AND(a,)"), "7: Syntax error. Found ')'");
        assert_eq!(shape(""), "1: Syntax error. The formula ends too early");
    }

    #[test]
    fn deep_nesting_is_refused_and_wide_formulas_are_not() {
        let deep = format!("{}a{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(shape(&deep).contains("nested too deeply"));
        let wide = vec!["a"; 500].join(" && ");
        assert!(parse(&wide, Dialect::Rule).is_ok());
    }
}
