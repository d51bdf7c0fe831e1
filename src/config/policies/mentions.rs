//! Where policy files name a field or a value: file, line and key, for reports that point there.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::{EMBEDDED, toml_files};

/// One place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key with its sections, for example `fields.Status.lifecycle`.
    pub key: String,
    /// The object whose policy it is.
    #[serde(skip)]
    pub object: String,
    /// The field whose rules it stands in; none for the policy as a whole.
    #[serde(skip)]
    pub field: Option<String>,
    /// The text that stands there; none for a section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Every place of the policies of a directory, or of the built-in ones. Files that cannot be read have
/// none: whoever loads the policies tells that.
pub fn mentions(dir: Option<&Path>) -> Vec<Mention> {
    let files: BTreeMap<String, Cow<'static, str>> = match dir {
        None => EMBEDDED.iter().map(|(name, text)| (format!("(built in) {name}"), (*text).into())).collect(),
        Some(dir) => {
            let read = |path: std::path::PathBuf| {
                Some((path.display().to_string(), std::fs::read_to_string(&path).ok()?.into()))
            };
            toml_files(dir).unwrap_or_default().into_iter().filter_map(read).collect()
        }
    };
    files.iter().flat_map(|(file, text)| of_file(file, text)).collect()
}

fn of_file(file: &str, text: &str) -> Vec<Mention> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let table = root.get_ref();
    let object = table.get("object").and_then(|value| value.get_ref().as_str());
    let (Some(object), true) = (object, errors.is_empty()) else { return Vec::new() };
    let mut walk = Walk { file, text, object, found: Vec::new() };
    walk.table(table, &mut Vec::new());
    walk.found
}

struct Walk<'t> {
    file: &'t str,
    text: &'t str,
    object: &'t str,
    found: Vec<Mention>,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &mut Vec<String>) {
        for (key, value) in table.iter() {
            path.push(key.get_ref().to_string());
            let is_field = path.len() >= 2 && path[path.len() - 2] == "fields";
            if is_field || path.len() == 1 && key.get_ref() == "object" {
                self.add(key.span().start, path, None);
            }
            self.value((value.span().start, value.get_ref()), path);
            path.pop();
        }
    }

    fn value(&mut self, (at, value): (usize, &DeValue<'_>), path: &mut Vec<String>) {
        match value {
            DeValue::String(text) => self.add(at, path, Some(text.to_string())),
            DeValue::Array(items) => {
                for item in items.iter() {
                    self.value((item.span().start, item.get_ref()), path);
                }
            }
            DeValue::Table(table) => self.table(table, path),
            _ => {}
        }
    }

    fn add(&mut self, at: usize, path: &[String], value: Option<String>) {
        let before = self.text.get(..at).unwrap_or_default();
        let place = path.iter().position(|part| part == "fields");
        self.found.push(Mention {
            file: self.file.to_owned(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            key: path.join("."),
            object: self.object.to_owned(),
            field: place.and_then(|place| path.get(place + 1)).cloned(),
            value,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_values_are_found_with_their_lines() {
        let text = "object = \"Lead\"\n\n[fields.Status]\nlifecycle = [\n  \"Open\",\n  \"Won\",\n]\n\
            [[fields.Status.auto]]\nfrom = [\"Open\"]\nto = \"any\"\n";
        let found = of_file("a.toml", text);
        let at = |field: Option<&str>, value: Option<&str>| -> Vec<(usize, &str)> {
            let same = |one: &&Mention| one.field.as_deref() == field && one.value.as_deref() == value;
            let mut places: Vec<_> =
                found.iter().filter(same).map(|one| (one.line, one.key.as_str())).collect();
            places.sort_unstable();
            places
        };
        assert_eq!(
            at(Some("Status"), Some("Open")),
            [(5, "fields.Status.lifecycle"), (9, "fields.Status.auto.from")]
        );
        assert_eq!(at(Some("Status"), Some("Won")), [(6, "fields.Status.lifecycle")]);
        assert_eq!(at(Some("Status"), None).first(), Some(&(3, "fields.Status")));
        assert_eq!(at(None, None), [(1, "object")]);
        assert!(found.iter().all(|one| one.object == "Lead"));
    }

    #[test]
    fn the_built_in_policies_are_read() {
        let found = mentions(None);
        for object in ["Lead", "Opportunity"] {
            assert!(found.iter().any(|one| one.object == object && one.field.is_some()), "{object}");
        }
    }
}
