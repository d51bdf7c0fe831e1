//! Single values of a policy file: texts, numbers, words, tables.

use jiff::civil::Date;

use super::{DeTable, DeValue, Decimal, Reader, Section, Spanned};
use crate::domain::policy::{Named, Values};

impl<'t> Reader<'t> {
    /// Reports keys that mean nothing, each with the nearest one that does.
    pub(super) fn known_keys(&mut self, section: &Section<'t>, known: &[&str]) {
        for (key, _) in section.table.iter() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let near = nearest(name, known);
            let fix = near.map_or_else(
                || format!("use one of: {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let words = (format!("unknown key `{name}`"), fix);
            self.problem(Some(key.span()), &section.key(name), "policy-key-unknown", words);
        }
    }

    /// Reads a key that must be there. A wrong type is reported by `read` itself.
    pub(super) fn required<T>(
        &mut self,
        section: &Section<'t>,
        key: &str,
        read: impl FnOnce(&mut Self, &Section<'t>, &str) -> Option<T>,
    ) -> Option<T> {
        if !section.table.contains_key(key) {
            let words = (format!("`{key}` is missing"), format!("add `{key}`"));
            self.problem(Some(section.span.clone()), &section.key(key), "policy-key-missing", words);
            return None;
        }
        read(self, section, key)
    }

    pub(super) fn text(&mut self, section: &Section<'t>, key: &str) -> Option<String> {
        let value = section.table.get(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            _ => self.wrong_type(section, key, value, "a text that is not empty"),
        }
    }

    pub(super) fn texts(&mut self, section: &Section<'t>, key: &str) -> Option<Vec<String>> {
        let value = section.table.get(key)?;
        let items = value.get_ref().as_array().map(|items| {
            items.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        match items {
            Some(Some(texts)) => Some(texts),
            _ => self.wrong_type(section, key, value, "a list of texts"),
        }
    }

    /// A list of texts, or a word that stands for values.
    pub(super) fn values(&mut self, section: &Section<'t>, key: &str) -> Option<Values> {
        let value = section.table.get(key)?;
        if value.get_ref().as_str().is_some() {
            return self.word(section, key, Named::ALL).map(Values::Named);
        }
        if value.get_ref().as_array().is_none() {
            return self.wrong_type(section, key, value, "a list of texts, \"any\" or \"blank\"");
        }
        self.texts(section, key).map(Values::OneOf)
    }

    pub(super) fn flag(&mut self, section: &Section<'t>, key: &str) -> Option<bool> {
        let value = section.table.get(key)?;
        value.get_ref().as_bool().or_else(|| self.wrong_type(section, key, value, "true or false"))
    }

    /// A day as text, or TOML's own local date.
    pub(super) fn day(&mut self, section: &Section<'t>, key: &str) -> Option<Date> {
        let value = section.table.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => Some(text.as_ref().to_owned()),
            DeValue::Datetime(moment) => Some(moment.to_string()),
            _ => None,
        };
        let day = text.and_then(|text| text.parse().ok());
        day.or_else(|| self.wrong_type(section, key, value, "a date as \"YYYY-MM-DD\""))
    }

    /// A whole number or a decimal written as text. Floats are refused: they are not exact.
    pub(super) fn decimal(&mut self, section: &Section<'t>, key: &str) -> Option<Decimal> {
        let value = section.table.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
            _ => None,
        };
        match text.and_then(|text| Decimal::from_str_exact(text).ok()) {
            Some(number) => Some(number.normalize()),
            None => self.wrong_type(section, key, value, "a decimal as text, for example \"0.90\""),
        }
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        section: &Section<'t>,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let value = section.table.get(key)?;
        let Some(given) = value.get_ref().as_str() else {
            return self.wrong_type(section, key, value, "a text");
        };
        if let Some((_, found)) = words.iter().find(|(word, _)| *word == given) {
            return Some(*found);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let fix = match nearest(given, &known) {
            Some(near) => format!("did you mean `{near}`? one of: {}", known.join(", ")),
            None => format!("use one of: {}", known.join(", ")),
        };
        let words = (format!("\"{given}\" is not a {key}"), fix);
        self.problem(Some(value.span()), &section.key(key), "policy-value-unknown", words);
        None
    }

    pub(super) fn table(&mut self, section: &Section<'t>, key: &str) -> Option<Section<'t>> {
        let value = section.table.get(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(sub_section(section.key(key), value, table)),
            None => self.wrong_type(section, key, value, "a table"),
        }
    }

    pub(super) fn tables(&mut self, section: &Section<'t>, key: &str) -> Vec<Section<'t>> {
        let Some(value) = section.table.get(key) else { return Vec::new() };
        let tables = value.get_ref().as_array().map(|items| {
            let numbered = items.iter().enumerate().map(|(place, item)| {
                let path = section.key(&format!("{key}[{place}]"));
                item.get_ref().as_table().map(|table| sub_section(path, item, table))
            });
            numbered.collect::<Option<Vec<_>>>()
        });
        match tables {
            Some(Some(tables)) => tables,
            _ => self.wrong_type(section, key, value, "a list of tables").unwrap_or_default(),
        }
    }

    /// Unwraps a parsed name, or reports why it is none.
    pub(super) fn named<T>(
        &mut self,
        parsed: Result<T, String>,
        section: &Section<'t>,
        key: &str,
    ) -> Option<T> {
        parsed
            .map_err(|message| {
                let words = (message, "use the API name".to_owned());
                self.problem(Some(section.span(key)), &section.key(key), "policy-name-malformed", words);
            })
            .ok()
    }

    pub(super) fn line_of(&self, section: &Section<'t>, key: &str) -> Option<usize> {
        let before = self.text.get(..section.span(key).start)?;
        Some(before.bytes().filter(|byte| *byte == b'\n').count() + 1)
    }

    fn wrong_type<T>(
        &mut self,
        section: &Section<'t>,
        key: &str,
        value: &Spanned<DeValue<'t>>,
        expected: &str,
    ) -> Option<T> {
        let found = value.get_ref().type_str();
        let words = (format!("expected {expected}, found {found}"), format!("write {expected}"));
        self.problem(Some(value.span()), &section.key(key), "policy-type", words);
        None
    }
}

fn sub_section<'t>(path: String, value: &Spanned<DeValue<'t>>, table: &'t DeTable<'t>) -> Section<'t> {
    Section { path, span: value.span(), table }
}

/// The known word with the fewest edits to `given`, when a third of it or less is wrong.
fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    let best = known.iter().map(|word| (distance(given, word), *word)).min()?;
    (best.0 <= given.len().max(3) / 3).then_some(best.1)
}

/// Edit distance (insert, remove, replace).
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, one) in left.chars().enumerate() {
        let mut diagonal = line;
        row[0] = line + 1;
        for (column, other) in right.chars().enumerate() {
            let replaced = diagonal + usize::from(one != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
