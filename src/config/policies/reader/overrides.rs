//! What single orgs change of a policy: `[org.ID]`, with the keys that are other there.
//!
//! The tables are put together before anything is read, so an org's rules are read and checked as if
//! they stood in a file of their own. A key takes the place of the file's key as a whole; only
//! `fields` is gone into, field by field and key by key.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{OBJECT_KEYS, Read, Reader, Section};
use crate::{
    config::policies::PolicyProblem,
    domain::{ObjectPolicy, RecordId},
};

/// Keys that no org changes: what the file is about, and the overrides themselves.
const FIXED: &[&str] = &["name", "object", "org"];

/// The rules of one org.
pub struct OrgRules {
    /// 18-character id of the org.
    pub org: String,
    /// All rules, as if they stood in a file of their own.
    pub policy: ObjectPolicy,
    /// The keys that the override names.
    pub keys: Vec<String>,
}

/// An override before it is read.
pub(super) struct Override<'t> {
    org: String,
    keys: Vec<String>,
    table: DeTable<'t>,
}

type Entry<'t> = Spanned<DeValue<'t>>;

impl<'t> Reader<'t> {
    /// The tables under `org`, each put over the file's own.
    pub(super) fn overrides(&mut self, root: &Section<'t>) -> Vec<Override<'t>> {
        let known: Vec<&str> = OBJECT_KEYS.iter().filter(|key| !FIXED.contains(key)).copied().collect();
        let mut all = Vec::new();
        let Some(orgs) = self.table(root, "org") else { return all };
        for (id, _) in orgs.table.iter() {
            let (org, at): (&str, _) = (id.get_ref().as_ref(), id.span());
            if let Err((message, fix)) = org_id(org) {
                self.problem(Some(at), &orgs.key(org), "policy-org-malformed", (message, fix));
                continue;
            }
            let Some(changes) = self.table(&orgs, org) else { continue };
            self.known_keys(&changes, &known);
            let (mut table, mut keys) = (root.table.clone(), Vec::new());
            table.remove("org");
            for (key, value) in changes.table.iter() {
                let name: &str = key.get_ref().as_ref();
                match value.get_ref().as_table() {
                    _ if !known.contains(&name) => {}
                    Some(fields) if name == "fields" => {
                        put_fields(&mut table, (key, value), fields, &mut keys);
                    }
                    _ => {
                        keys.push(name.to_owned());
                        put(&mut table, key, value);
                    }
                }
            }
            all.push(Override { org: org.to_owned(), keys, table });
        }
        all
    }
}

impl Override<'_> {
    /// Reads the rules that come of it. Problems of the file itself are not told again.
    pub(super) fn read(
        &self,
        (file, text): (&str, &str),
        problems: &mut Vec<PolicyProblem>,
    ) -> Option<OrgRules> {
        let mut reader = Reader { file, text, problems: Vec::new() };
        let section = Section { path: String::new(), span: 0..0, table: &self.table };
        let read = reader.object(&section);
        for mut problem in reader.problems {
            if !problems.contains(&problem) {
                problem.key = format!("org.{}.{}", self.org, problem.key);
                problems.push(problem);
            }
        }
        let Read { policy, .. } = read?;
        Some(OrgRules { org: self.org.clone(), policy, keys: self.keys.clone() })
    }
}

/// Puts the keys of each field over the file's own. What is no table is put there as it is, and
/// whoever reads it says so.
fn put_fields<'t>(
    table: &mut DeTable<'t>,
    (key, value): (&Spanned<toml::de::DeString<'t>>, &Entry<'t>),
    fields: &DeTable<'t>,
    keys: &mut Vec<String>,
) {
    let Some(DeValue::Table(own)) = table.get_mut("fields").map(Spanned::get_mut) else {
        keys.push("fields".to_owned());
        return put(table, key, value);
    };
    for (field, rules) in fields.iter() {
        let name: &str = field.get_ref().as_ref();
        let under = own.get_mut(name).map(Spanned::get_mut);
        match (under, rules.get_ref().as_table()) {
            (Some(DeValue::Table(under)), Some(rules)) => {
                for (key, value) in rules.iter() {
                    keys.push(format!("fields.{name}.{}", key.get_ref()));
                    put(under, key, value);
                }
            }
            _ => {
                keys.push(format!("fields.{name}"));
                put(own, field, rules);
            }
        }
    }
}

fn put<'t>(table: &mut DeTable<'t>, key: &Spanned<toml::de::DeString<'t>>, value: &Entry<'t>) {
    // The key goes with its value, so that a problem is told at the line of the override.
    let name: &str = key.get_ref().as_ref();
    table.remove(name);
    table.insert(key.clone(), value.clone());
}

/// Refuses what is not the 18-character id of an org; the answer is what is wrong and what to do.
fn org_id(text: &str) -> Result<(), (String, String)> {
    RecordId::parse(text)
        .map_err(|error| (error.to_string(), "use the 18-character id of the org".to_owned()))?;
    if text.starts_with("00D") {
        return Ok(());
    }
    Err((format!("`{text}` is not the id of an org"), "use the id that starts with 00D".to_owned()))
}
