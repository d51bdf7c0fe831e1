//! WHERE conditions with their names and values resolved, and how rows meet them.

use std::{borrow::Cow, collections::BTreeSet, ops::Bound};

use super::{column::Column, like::Pattern, tables::Tables};
use crate::{domain::FieldValue, simulator::model::Row};

/// A condition over rows of one object.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    /// All of them.
    And(Vec<Predicate>),
    /// Any of them.
    Or(Vec<Predicate>),
    /// The opposite.
    Not(Box<Predicate>),
    /// One field.
    Test(Box<Column>, Test),
}

/// A test of one value. Texts in tests are folded to lower case unless the column holds ids.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// One of these; null stands for itself.
    Among(BTreeSet<FieldValue>),
    /// In a range. Null is in none.
    Between(Bound<FieldValue>, Bound<FieldValue>),
    /// LIKE
    Like(Pattern),
    /// At least one of these sets of picked values is picked.
    Includes(Vec<Vec<String>>),
}

impl Predicate {
    /// Whether a row meets the condition.
    pub fn holds(&self, tables: &dyn Tables, row: &Row) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(tables, row)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(tables, row)),
            Self::Not(part) => !part.holds(tables, row),
            Self::Test(column, test) => test.holds(&column.value(tables, row), column.family().folds()),
        }
    }

    /// The values of which a field without relationships must have one, for index use.
    /// Found on the top level only, where every row of the result must meet it.
    pub fn required(&self) -> Vec<(&Column, &BTreeSet<FieldValue>)> {
        match self {
            Self::And(parts) => parts.iter().flat_map(Self::required).collect(),
            Self::Test(column, Test::Among(values)) if column.hops.is_empty() => vec![(column, values)],
            _ => Vec::new(),
        }
    }
}

impl Test {
    fn holds(&self, value: &FieldValue, folds: bool) -> bool {
        match self {
            Self::Among(values) => values.contains(&*folded(value, folds)),
            Self::Between(from, to) => {
                let value = folded(value, folds);
                !value.is_null() && above(&value, from) && below(&value, to)
            }
            Self::Like(pattern) => value.as_text().is_some_and(|text| pattern.fits(text)),
            Self::Includes(sets) => value.as_text().is_some_and(|text| includes(text, sets)),
        }
    }
}

/// Text in lower case where letter case does not count; borrowed when nothing changes.
pub(super) fn folded(value: &FieldValue, folds: bool) -> Cow<'_, FieldValue> {
    match value {
        FieldValue::Text(text) if folds && text.chars().any(changes) => {
            Cow::Owned(FieldValue::Text(text.to_lowercase()))
        }
        _ => Cow::Borrowed(value),
    }
}

fn changes(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_uppercase() } else { !c.to_lowercase().eq([c]) }
}

fn above(value: &FieldValue, from: &Bound<FieldValue>) -> bool {
    match from {
        Bound::Unbounded => true,
        Bound::Included(from) => value >= from,
        Bound::Excluded(from) => value > from,
    }
}

fn below(value: &FieldValue, to: &Bound<FieldValue>) -> bool {
    match to {
        Bound::Unbounded => true,
        Bound::Included(to) => value <= to,
        Bound::Excluded(to) => value < to,
    }
}

fn includes(text: &str, sets: &[Vec<String>]) -> bool {
    let picked: BTreeSet<String> = text.split(';').map(|value| value.trim().to_lowercase()).collect();
    sets.iter().any(|set| set.iter().all(|value| picked.contains(value)))
}
