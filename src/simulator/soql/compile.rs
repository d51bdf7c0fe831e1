//! Turns WHERE conditions into predicates: looks names up and checks each value against its field.

use std::{collections::BTreeSet, ops::Bound};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    ast::{Comparison, Condition, Constant, Operator, Query, Selected, Values},
    column::{Column, Family, Source},
    dates,
    error::SoqlError,
    execute,
    like::Pattern,
    predicate::{Predicate, Test, folded},
    tables::Tables,
};
use crate::domain::{FieldValue, RecordId};

/// Compiles conditions on one object.
pub(super) struct Compiler<'a> {
    /// The org through the user's eyes.
    pub tables: &'a dyn Tables,
    /// The query text, for error messages.
    pub soql: &'a str,
    /// The query's object.
    pub source: &'a Source,
}

/// What a literal means for a field: one value, or the days of a date literal.
enum Meaning {
    One(FieldValue),
    Span(FieldValue, FieldValue),
}

impl Compiler<'_> {
    /// Compiles a condition.
    pub fn predicate(&self, condition: &Condition) -> Result<Predicate, SoqlError> {
        let all = |parts: &[Condition]| -> Result<Vec<_>, SoqlError> {
            parts.iter().map(|part| self.predicate(part)).collect()
        };
        Ok(match condition {
            Condition::And(parts) => Predicate::And(all(parts)?),
            Condition::Or(parts) => Predicate::Or(all(parts)?),
            Condition::Not(part) => Predicate::Not(Box::new(self.predicate(part)?)),
            Condition::Compare(comparison) => self.comparison(comparison)?,
        })
    }

    fn comparison(&self, comparison: &Comparison) -> Result<Predicate, SoqlError> {
        let column = self.source.column(self.tables, self.soql, &comparison.path)?;
        let at = comparison.path.at;
        if column.is_opaque() {
            let message = format!("field '{}' can not be filtered in a query call", column.field.name);
            return Err(SoqlError::field(self.soql, at, message));
        }
        let list = match &comparison.values {
            Values::Query(query) => return self.semi_join(comparison, column, query),
            Values::List(list) => list,
        };
        match comparison.operator {
            Operator::Like => self.like(column, at, &list[0].0),
            Operator::Includes => self.includes(column, at, list),
            Operator::Excludes => Ok(negate(self.includes(column, at, list)?)),
            Operator::Equal | Operator::In => self.among(column, at, list),
            Operator::NotEqual | Operator::NotIn => Ok(negate(self.among(column, at, list)?)),
            operator => self.range(column, at, operator, &list[0].0),
        }
    }

    fn among(&self, column: Column, at: usize, list: &[(Constant, usize)]) -> Result<Predicate, SoqlError> {
        let mut values = BTreeSet::new();
        let mut tests = Vec::new();
        for (constant, _) in list {
            match self.meaning(&column, at, constant)? {
                Meaning::One(value) => {
                    values.insert(value);
                }
                Meaning::Span(from, to) => {
                    tests.push(Test::Between(Bound::Included(from), Bound::Excluded(to)));
                }
            }
        }
        if tests.is_empty() {
            return Ok(test(&column, Test::Among(values)));
        }
        tests.push(Test::Among(values));
        Ok(Predicate::Or(tests.into_iter().map(|one| test(&column, one)).collect()))
    }

    fn range(
        &self,
        column: Column,
        at: usize,
        operator: Operator,
        constant: &Constant,
    ) -> Result<Predicate, SoqlError> {
        if matches!(column.family(), Family::Bool | Family::MultiPicklist) {
            return Err(self.invalid_operator(at, &column));
        }
        let (from, to) = match self.meaning(&column, at, constant)? {
            // Nothing is smaller or larger than null.
            Meaning::One(FieldValue::Null) => return Ok(test(&column, Test::Among(BTreeSet::new()))),
            Meaning::One(value) => (Bound::Excluded(value.clone()), Bound::Included(value)),
            // After a span of days begins at its end; up to a span includes all of it.
            Meaning::Span(from, to) => {
                return Ok(test(
                    &column,
                    match operator {
                        Operator::Less => Test::Between(Bound::Unbounded, Bound::Excluded(from)),
                        Operator::LessOrEqual => Test::Between(Bound::Unbounded, Bound::Excluded(to)),
                        Operator::Greater => Test::Between(Bound::Included(to), Bound::Unbounded),
                        _ => Test::Between(Bound::Included(from), Bound::Unbounded),
                    },
                ));
            }
        };
        Ok(test(
            &column,
            match operator {
                Operator::Less => Test::Between(Bound::Unbounded, from),
                Operator::LessOrEqual => Test::Between(Bound::Unbounded, to),
                Operator::Greater => Test::Between(from, Bound::Unbounded),
                _ => Test::Between(to, Bound::Unbounded),
            },
        ))
    }

    fn like(&self, column: Column, at: usize, constant: &Constant) -> Result<Predicate, SoqlError> {
        match (column.family(), constant) {
            (Family::Text, Constant::Text(literal)) => Ok(test(&column, Test::Like(Pattern::new(literal)))),
            (Family::Text, Constant::Null) => {
                Ok(test(&column, Test::Among(BTreeSet::from([FieldValue::Null]))))
            }
            (Family::Text, _) => Err(self.wrong_type(at, &column, constant)),
            _ => Err(self.invalid_operator(at, &column)),
        }
    }

    fn includes(
        &self,
        column: Column,
        at: usize,
        list: &[(Constant, usize)],
    ) -> Result<Predicate, SoqlError> {
        if column.family() != Family::MultiPicklist {
            return Err(self.invalid_operator(at, &column));
        }
        let mut sets = Vec::new();
        for (constant, _) in list {
            let Constant::Text(literal) = constant else {
                return Err(self.wrong_type(at, &column, constant));
            };
            sets.push(literal.text.split(';').map(|value| value.trim().to_lowercase()).collect());
        }
        Ok(test(&column, Test::Includes(sets)))
    }

    fn semi_join(
        &self,
        comparison: &Comparison,
        column: Column,
        query: &Query,
    ) -> Result<Predicate, SoqlError> {
        let (Operator::In | Operator::NotIn, Family::Id) = (comparison.operator, column.family()) else {
            return Err(self.invalid_operator(comparison.path.at, &column));
        };
        let [Selected::Field(path)] = query.select.as_slice() else {
            let message = "semi join sub-selects can only query one id or reference field";
            return Err(SoqlError::malformed(self.soql, query.object.at, message));
        };
        let (source, rows) = execute::matching(self.tables, self.soql, query, false)?;
        let inner = source.column(self.tables, self.soql, path)?;
        let mut values: BTreeSet<FieldValue> =
            rows.iter().map(|row| inner.value(self.tables, row).into_owned()).collect();
        values.remove(&FieldValue::Null);
        let joined = test(&column, Test::Among(values));
        Ok(if comparison.operator == Operator::In { joined } else { negate(joined) })
    }

    fn meaning(&self, column: &Column, at: usize, constant: &Constant) -> Result<Meaning, SoqlError> {
        let family = column.family();
        let value = match (family, constant) {
            (Family::Bool, Constant::Null) => FieldValue::Bool(false),
            (_, Constant::Null) => FieldValue::Null,
            (Family::Id, Constant::Text(literal)) => self.id(at, &literal.text)?,
            (Family::Text | Family::MultiPicklist, Constant::Text(literal)) => {
                folded(&FieldValue::text(literal.text.as_str()), true).into_owned()
            }
            (Family::Number, Constant::Number(number)) => FieldValue::decimal(*number),
            (Family::Bool, Constant::Bool(flag)) => FieldValue::Bool(*flag),
            (Family::Date, Constant::Day(day)) => FieldValue::Date(*day),
            (Family::DateTime, Constant::Moment(moment)) => FieldValue::DateTime(*moment),
            (Family::Date | Family::DateTime, Constant::Relative(word, count)) => {
                return self.span(family, at, word, *count);
            }
            _ => return Err(self.wrong_type(at, column, constant)),
        };
        Ok(Meaning::One(value))
    }

    fn span(&self, family: Family, at: usize, word: &str, count: Option<u32>) -> Result<Meaning, SoqlError> {
        let out_of_range =
            || SoqlError::malformed(self.soql, at, format!("the date literal {word} leaves the calendar"));
        let (from, to) = dates::range(word, count, self.tables.today()).ok_or_else(out_of_range)?;
        if family == Family::Date {
            return Ok(Meaning::Span(FieldValue::Date(from), FieldValue::Date(to)));
        }
        let (from, to) = (midnight(from).ok_or_else(out_of_range)?, midnight(to).ok_or_else(out_of_range)?);
        Ok(Meaning::Span(FieldValue::DateTime(from), FieldValue::DateTime(to)))
    }

    fn id(&self, at: usize, text: &str) -> Result<FieldValue, SoqlError> {
        if text.is_empty() {
            return Ok(FieldValue::Null);
        }
        match RecordId::complete(text) {
            Ok(full) if text.len() == 15 || full == text => Ok(FieldValue::Text(full)),
            _ => {
                let message = format!("invalid ID field: {text}");
                Err(SoqlError::placed("INVALID_QUERY_FILTER_OPERATOR", self.soql, at, &message))
            }
        }
    }

    fn wrong_type(&self, at: usize, column: &Column, constant: &Constant) -> SoqlError {
        let family = column.family();
        let quotes = match (family, constant) {
            (Family::Id | Family::Text | Family::MultiPicklist, _) => " and should be enclosed in quotes",
            (_, Constant::Text(_)) => " and should not be enclosed in quotes",
            _ => "",
        };
        let message = format!(
            "value of filter criterion for field '{}' must be of type {}{quotes}",
            column.field.name,
            family.type_name()
        );
        SoqlError::field(self.soql, at, message)
    }

    fn invalid_operator(&self, at: usize, column: &Column) -> SoqlError {
        let message = format!("invalid operator on {} field", column.family().type_name());
        SoqlError::placed("INVALID_QUERY_FILTER_OPERATOR", self.soql, at, &message)
    }
}

fn midnight(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn test(column: &Column, test: Test) -> Predicate {
    Predicate::Test(Box::new(column.clone()), test)
}

fn negate(predicate: Predicate) -> Predicate {
    Predicate::Not(Box::new(predicate))
}
