//! Records that may be made.

use std::collections::BTreeMap;

use super::{FieldName, Mode, ObjectName, Reader, Section};
use crate::domain::{Cancel, policy::CreateRule};

/// Keys of one rule.
pub const KEYS: &[&str] = &["name", "mode", "min_confidence", "fields", "parents", "fixed", "cancel"];
const MODES: &[(&str, Mode)] = &[("shadow", Mode::Shadow), ("live", Mode::Live)];

impl<'t> Reader<'t> {
    pub(super) fn create(&mut self, section: &Section<'t>) -> Vec<CreateRule> {
        let mut all = Vec::new();
        for rule in self.tables(section, "create") {
            self.known_keys(&rule, KEYS);
            let name = self.required(&rule, "name", Self::text);
            let mode = self.word(&rule, "mode", MODES).unwrap_or(Mode::Live);
            let min_confidence = self.decimal(&rule, "min_confidence");
            let fields = self.required(&rule, "fields", Self::field_names);
            let parents = self.required(&rule, "parents", Self::parents);
            let fixed = self.fixed(&rule);
            let cancel = self.required(&rule, "cancel", Self::cancel);
            if let (Some(name), Some(fields), Some(parents), Some(cancel)) = (name, fields, parents, cancel) {
                all.push(CreateRule { name, mode, min_confidence, fields, parents, fixed, cancel });
            }
        }
        all
    }

    fn field_names(&mut self, section: &Section<'t>, key: &str) -> Option<Vec<FieldName>> {
        let mut fields = Vec::new();
        for name in self.texts(section, key)? {
            fields.extend(self.field_name(&name, section, key));
        }
        Some(fields)
    }

    fn field_name(&mut self, name: &str, section: &Section<'t>, key: &str) -> Option<FieldName> {
        let parsed = FieldName::parse(name).map_err(|error| error.to_string());
        self.named(parsed, section, key)
    }

    fn parents(&mut self, section: &Section<'t>, key: &str) -> Option<BTreeMap<ObjectName, FieldName>> {
        let table = self.table(section, key)?;
        let mut parents = BTreeMap::new();
        for (name, _) in table.table.iter() {
            let name = name.get_ref().as_ref();
            let parsed = ObjectName::parse(name).map_err(|error| error.to_string());
            let object = self.named(parsed, &table, name);
            let link = self.text(&table, name).and_then(|link| self.field_name(&link, &table, name));
            parents.extend(object.zip(link));
        }
        Some(parents)
    }

    fn fixed(&mut self, section: &Section<'t>) -> BTreeMap<FieldName, String> {
        let mut fixed = BTreeMap::new();
        if !section.has("fixed") {
            return fixed;
        }
        let Some(table) = self.table(section, "fixed") else { return fixed };
        for (name, _) in table.table.iter() {
            let name = name.get_ref().as_ref();
            let field = self.field_name(name, &table, name);
            fixed.extend(field.zip(self.text(&table, name)));
        }
        fixed
    }

    fn cancel(&mut self, section: &Section<'t>, key: &str) -> Option<Cancel> {
        let table = self.table(section, key)?;
        self.known_keys(&table, &["field", "value"]);
        let field = self.required(&table, "field", Self::text);
        let value = self.required(&table, "value", Self::text);
        let field = field.and_then(|name| self.field_name(&name, &table, "field"));
        Some(Cancel { field: field?, value: value? })
    }
}
