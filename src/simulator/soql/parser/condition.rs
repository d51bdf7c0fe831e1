//! WHERE conditions. As in Salesforce, AND and OR do not mix without parentheses.

use super::{
    super::{
        ast::{Comparison, Condition, Constant, Operator, Values},
        dates,
        error::SoqlError,
        lexer::TokenKind,
    },
    Parser,
};

impl Parser<'_> {
    pub(super) fn condition(&mut self) -> Result<Condition, SoqlError> {
        let first = self.simple_condition()?;
        let mut parts = vec![first];
        let any = self.is_word(0, "OR");
        let joiner = if any { "OR" } else { "AND" };
        while self.take_word(joiner) {
            parts.push(self.simple_condition()?);
        }
        if self.is_word(0, "OR") || self.is_word(0, "AND") {
            return Err(self.unexpected());
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ if any => Condition::Or(parts),
            _ => Condition::And(parts),
        })
    }

    fn simple_condition(&mut self) -> Result<Condition, SoqlError> {
        if self.take_word("NOT") {
            let inner = self.nested(Self::simple_condition)?;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.take_symbol("(") {
            let inner = self.nested(Self::condition)?;
            self.need_symbol(")")?;
            return Ok(inner);
        }
        let path = self.path()?;
        let operator = self.operator()?;
        let values = self.values(operator)?;
        Ok(Condition::Compare(Comparison { path, operator, values }))
    }

    fn operator(&mut self) -> Result<Operator, SoqlError> {
        const SYMBOLS: &[(&str, Operator)] = &[
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        const WORDS: &[(&[&str], Operator)] = &[
            (&["LIKE"], Operator::Like),
            (&["IN"], Operator::In),
            (&["NOT", "IN"], Operator::NotIn),
            (&["INCLUDES"], Operator::Includes),
            (&["EXCLUDES"], Operator::Excludes),
        ];
        let symbol = SYMBOLS.iter().find(|(symbol, _)| self.take_symbol(symbol)).map(|(_, found)| *found);
        symbol
            .or_else(|| WORDS.iter().find(|(words, _)| self.take_words(words)).map(|(_, found)| *found))
            .ok_or_else(|| self.unexpected())
    }

    fn values(&mut self, operator: Operator) -> Result<Values, SoqlError> {
        let listed =
            matches!(operator, Operator::In | Operator::NotIn | Operator::Includes | Operator::Excludes);
        if !listed {
            return Ok(Values::List(vec![self.constant()?]));
        }
        self.need_symbol("(")?;
        if self.is_word(0, "SELECT") {
            let query = self.nested(Self::query)?;
            self.need_symbol(")")?;
            return Ok(Values::Query(Box::new(query)));
        }
        let mut values = vec![self.constant()?];
        while self.take_symbol(",") {
            values.push(self.constant()?);
        }
        self.need_symbol(")")?;
        Ok(Values::List(values))
    }

    fn constant(&mut self) -> Result<(Constant, usize), SoqlError> {
        let at = self.peek().at;
        let constant = match self.peek().kind.clone() {
            TokenKind::Text(literal) => Constant::Text(literal),
            TokenKind::Number(number) => Constant::Number(number),
            TokenKind::Day(day) => Constant::Day(day),
            TokenKind::Moment(moment) => Constant::Moment(moment),
            TokenKind::Word(word) => return self.word_constant(&word, at),
            TokenKind::Symbol(_) | TokenKind::End => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok((constant, at))
    }

    fn word_constant(&mut self, word: &str, at: usize) -> Result<(Constant, usize), SoqlError> {
        let word = word.to_ascii_uppercase();
        let constant = match word.as_str() {
            "NULL" => Constant::Null,
            "TRUE" => Constant::Bool(true),
            "FALSE" => Constant::Bool(false),
            _ if dates::is_plain(&word) => Constant::Relative(word, None),
            _ if dates::is_counted(&word) => {
                self.next += 1;
                self.need_symbol(":")?;
                let (count, place) = self.count()?;
                let count = u32::try_from(count).ok().filter(|count| *count <= dates::MAX_COUNT);
                let count = count.ok_or_else(|| {
                    SoqlError::malformed(self.soql, place, "the number of a date literal is too large")
                })?;
                return Ok((Constant::Relative(word, Some(count)), at));
            }
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok((constant, at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{super::ast::*, parse};

    fn condition(text: &str) -> Condition {
        parse(&format!("SELECT Id FROM Lead WHERE {text}")).unwrap().condition.unwrap()
    }

    #[test]
    fn groups_by_parentheses() {
        let Condition::And(parts) = condition("a = 1 AND (b = 2 OR NOT c = 3)") else {
            panic!("AND joins the whole")
        };
        assert!(matches!(&parts[1], Condition::Or(inner) if matches!(inner[1], Condition::Not(_))));
    }

    #[test]
    fn and_and_or_do_not_mix() {
        let error = parse("SELECT Id FROM Lead WHERE a = 1 AND b = 2 OR c = 3").unwrap_err();
        assert!(error.message.ends_with("unexpected token: 'OR'"), "{}", error.message);
    }

    #[test]
    fn reads_each_kind_of_value() {
        for text in ["null", "TRUE", "'x'", "-1.5", "2026-01-01", "2026-01-01T00:00:00Z", "today"] {
            assert!(matches!(condition(&format!("a != {text}")), Condition::Compare(_)), "{text}");
        }
        let Condition::Compare(compared) = condition("a >= last_n_days:30") else { panic!("one comparison") };
        let expected = Constant::Relative("LAST_N_DAYS".into(), Some(30));
        assert_eq!(compared.values, Values::List(vec![(expected, 31)]));
        let Condition::Compare(compared) = condition("Id NOT IN ('a', 'b')") else {
            panic!("one comparison")
        };
        assert_eq!(compared.operator, Operator::NotIn);
        let Condition::Compare(compared) = condition("Id IN (SELECT LeadId FROM LeadHistory)") else {
            panic!("one comparison")
        };
        assert!(matches!(compared.values, Values::Query(_)));
    }

    #[test]
    fn bare_words_are_not_values() {
        for text in ["a = b", "a IN b", "a IN ()", "a LIKE", "a = LAST_N_DAYS", "a = LAST_N_DAYS:99999999"] {
            assert!(parse(&format!("SELECT Id FROM Lead WHERE {text}")).is_err(), "{text}");
        }
    }
}
