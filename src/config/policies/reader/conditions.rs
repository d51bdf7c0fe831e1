//! Conditions of a policy file: `{ field = "Amount", above = "100000" }`, and `all`, `any`, `not`
//! around others.

use super::{FieldName, Reader, Section};
use crate::domain::condition::{Condition, Operator, Test};

/// What holds other conditions, and what tests a field.
const SHAPES: &[&str] = &["all", "any", "not", "field"];
/// What a field can be tested for.
const OPERATORS: &[&str] = &["is_any_of", "is_blank", "above", "below", "before", "after", "within_days"];

impl<'t> Reader<'t> {
    /// The condition under a key.
    pub(super) fn condition(&mut self, section: &Section<'t>, key: &str) -> Option<Condition> {
        let inner = self.table(section, key)?;
        self.condition_of(&inner)
    }

    fn condition_of(&mut self, section: &Section<'t>) -> Option<Condition> {
        let shapes: Vec<&str> = SHAPES.iter().copied().filter(|shape| section.has(shape)).collect();
        let [shape] = shapes.as_slice() else {
            let words = ("no condition".to_owned(), format!("use exactly one of: {}", SHAPES.join(", ")));
            self.malformed(section, words);
            return None;
        };
        if *shape == "field" {
            return self.test(section);
        }
        self.known_keys(section, &[shape]);
        if *shape == "not" {
            return Some(Condition::Not(Box::new(self.condition(section, "not")?)));
        }
        let parts = self.tables(section, shape);
        let read: Vec<Option<Condition>> = parts.iter().map(|part| self.condition_of(part)).collect();
        let read: Vec<Condition> = read.into_iter().collect::<Option<_>>()?;
        if read.is_empty() {
            let words = (format!("`{shape}` of nothing"), "name at least one condition".to_owned());
            self.malformed(section, words);
            return None;
        }
        Some(if *shape == "all" { Condition::All(read) } else { Condition::Any(read) })
    }

    fn test(&mut self, section: &Section<'t>) -> Option<Condition> {
        self.known_keys(section, &[&["field"], OPERATORS].concat());
        let name = self.text(section, "field")?;
        let parsed = FieldName::parse(&name).map_err(|error| error.to_string());
        let field = self.named(parsed, section, "field")?;
        let used: Vec<&str> = OPERATORS.iter().copied().filter(|operator| section.has(operator)).collect();
        let [operator] = used.as_slice() else {
            let words = (
                format!("{} tests of {field} in one condition", used.len()),
                format!("use exactly one of: {}; put several into `all`", OPERATORS.join(", ")),
            );
            self.malformed(section, words);
            return None;
        };
        let operator = match *operator {
            "is_any_of" => Operator::IsAnyOf(self.texts(section, operator)?),
            "is_blank" => Operator::IsBlank(self.flag(section, operator)?),
            "above" => Operator::Above(self.decimal(section, operator)?),
            "below" => Operator::Below(self.decimal(section, operator)?),
            "before" => Operator::Before(self.day(section, operator)?),
            "after" => Operator::After(self.day(section, operator)?),
            _ => Operator::WithinDays(self.decimal(section, operator)?),
        };
        Some(Condition::Test(Test { field, operator }))
    }

    fn malformed(&mut self, section: &Section<'t>, words: (String, String)) {
        self.problem(Some(section.span.clone()), &section.path, "policy-condition", words);
    }
}
