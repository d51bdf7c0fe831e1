//! What differs between the accepted ground and the one that is there.

use std::collections::BTreeMap;

use super::{Automation, Change, ChangeKind as Kind, Ground};
use crate::domain::{
    ids::FieldName,
    policy::{FieldPolicy, ObjectPolicy},
    schema::{FieldSchema, FieldType, RecordTypeSchema},
};

/// Every difference, those that freeze first. `rules` are the object's: whether a value that came or
/// went matters depends on whether they name it.
pub fn compare(before: &Ground, after: &Ground, rules: Option<&ObjectPolicy>) -> Vec<Change> {
    let mut found = Found::default();
    permission(&mut found, before, after);
    for name in keys(&before.fields, &after.fields) {
        let rules = rules.and_then(|rules| rules.fields.get(name));
        let mut at = found.at(name);
        match (before.fields.get(name), after.fields.get(name)) {
            (Some(before), Some(after)) => field(&mut at, rules, before, after),
            (Some(_), None) => at.add(Kind::FieldGone, None, None),
            (None, _) => at.add(Kind::FieldBack, None, None),
        }
    }
    record_types(&mut found, before, after);
    for name in after.required.iter().filter(|name| !before.required.contains(name)) {
        found.whole(Kind::RequiredNew, name, None);
    }
    for name in before.required.iter().filter(|name| !after.required.contains(name)) {
        found.whole(Kind::RequiredGone, name, None);
    }
    // What one side could not look at says nothing.
    if let (Some(before), Some(after)) = (&before.automations, &after.automations) {
        for key in keys(before, after) {
            automation(&mut found, (before.get(key), after.get(key)));
        }
    }
    let mut changes = found.0;
    changes.sort();
    changes.dedup();
    changes
}

#[derive(Default)]
struct Found(Vec<Change>);

/// Collects for one field.
struct At<'a> {
    found: &'a mut Vec<Change>,
    field: &'a FieldName,
}

impl Found {
    fn at<'a>(&'a mut self, field: &'a FieldName) -> At<'a> {
        At { found: &mut self.0, field }
    }

    /// A change that touches every lane of the object.
    fn whole(&mut self, kind: Kind, subject: &str, sides: Option<(&str, &str)>) {
        let (before, after) = sides.unzip();
        let subject = Some(subject.to_owned()).filter(|subject| !subject.is_empty());
        let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
        self.0.push(Change { kind, field: None, subject, before, after });
    }
}

impl At<'_> {
    fn add(&mut self, kind: Kind, before: Option<String>, after: Option<String>) {
        self.found.push(Change { kind, field: Some(self.field.clone()), subject: None, before, after });
    }

    /// More is looser, less is stricter.
    fn amount(&mut self, (less, more): (Kind, Kind), before: u32, after: u32) {
        if before != after {
            let kind = if after < before { less } else { more };
            self.add(kind, Some(before.to_string()), Some(after.to_string()));
        }
    }

    fn turned(&mut self, (off, on): (Kind, Kind), before: bool, after: bool) {
        if before != after {
            self.add(if after { on } else { off }, None, None);
        }
    }
}

/// The keys of both, in order.
fn keys<'a, K: Ord, V>(one: &'a BTreeMap<K, V>, other: &'a BTreeMap<K, V>) -> Vec<&'a K> {
    let mut all: Vec<&K> = one.keys().chain(other.keys()).collect();
    all.sort();
    all.dedup();
    all
}

fn permission(found: &mut Found, before: &Ground, after: &Ground) {
    match (before.updateable, after.updateable) {
        (true, false) => found.whole(Kind::ObjectNotWritable, "", None),
        (false, true) => found.whole(Kind::ObjectWritable, "", None),
        _ => {}
    }
}

fn field(at: &mut At<'_>, rules: Option<&FieldPolicy>, before: &FieldSchema, after: &FieldSchema) {
    at.turned((Kind::FieldNotWritable, Kind::FieldWritable), before.updateable, after.updateable);
    at.turned((Kind::NowRequired, Kind::NotRequired), before.nillable, after.nillable);
    match (&before.field_type, &after.field_type) {
        (FieldType::Text { length: was }, FieldType::Text { length: is })
        | (FieldType::LongText { length: was }, FieldType::LongText { length: is }) => {
            at.amount((Kind::LengthShorter, Kind::LengthLonger), *was, *is);
        }
        (
            FieldType::Decimal { precision: all_was, scale: was },
            FieldType::Decimal { precision: all_is, scale: is },
        ) => {
            let kinds = (Kind::FewerDigits, Kind::MoreDigits);
            at.amount(kinds, all_was.saturating_sub(*was), all_is.saturating_sub(*is));
            at.amount(kinds, *was, *is);
        }
        (
            FieldType::Picklist { values: were, restricted: was },
            FieldType::Picklist { values: are, restricted: is },
        ) => {
            at.turned((Kind::Unrestricted, Kind::Restricted), *was, *is);
            values(at, rules, were, are);
        }
        (FieldType::MultiPicklist { values: were }, FieldType::MultiPicklist { values: are }) => {
            values(at, rules, were, are);
        }
        (was, is) if was != is => {
            at.add(Kind::TypeChanged, Some(type_name(was).to_owned()), Some(type_name(is).to_owned()));
        }
        _ => {}
    }
}

/// Rules that name no value let agents propose any, so each one that goes may be missed.
fn values(at: &mut At<'_>, rules: Option<&FieldPolicy>, were: &[String], are: &[String]) {
    let names_some = rules.is_some_and(|rules| named(rules).next().is_some());
    let is_named = |value: &String| rules.is_some_and(|rules| named(rules).any(|known| known == value));
    for gone in were.iter().filter(|value| !are.contains(value)) {
        let matters = !names_some || is_named(gone);
        at.add(if matters { Kind::ValueGone } else { Kind::ValueGoneUnnamed }, Some(gone.clone()), None);
    }
    for new in are.iter().filter(|value| !were.contains(value)) {
        at.add(if is_named(new) { Kind::ValueNewNamed } else { Kind::ValueNew }, None, Some(new.clone()));
    }
}

/// Every value that the rules of a field name.
fn named(rules: &FieldPolicy) -> impl Iterator<Item = &String> {
    let states = [&rules.lifecycle, &rules.terminal, &rules.never_target].into_iter().flatten();
    let back = rules.allowed_regressions.iter().flat_map(|step| [&step.from, &step.to]);
    let auto = rules.auto.iter().flat_map(|rule| rule.from.listed().iter().chain(rule.to.listed()));
    states.chain(back).chain(auto).chain(rules.decay_after_days.keys())
}

/// The record types that both sides have, field by field; one that is new or gone is told as a whole.
fn record_types(found: &mut Found, before: &Ground, after: &Ground) {
    for id in keys(&before.record_types, &after.record_types) {
        let (was, is) = match (before.record_types.get(id), after.record_types.get(id)) {
            (Some(was), Some(is)) => (was, is),
            (None, Some(new)) => {
                found.whole(Kind::TypeNew, &new.name, None);
                continue;
            }
            (Some(gone), None) => {
                found.whole(Kind::TypeGone, &gone.name, None);
                continue;
            }
            (None, None) => continue,
        };
        for field in keys(&was.values, &is.values) {
            let (were, are) = (offered(before, was, field), offered(after, is, field));
            let mut at = |kind, before: Option<&String>, after: Option<&String>| {
                found.0.push(Change {
                    kind,
                    field: Some(field.clone()),
                    subject: Some(is.name.clone()),
                    before: before.cloned(),
                    after: after.cloned(),
                });
            };
            // A value that the whole field lost is told there.
            let whole = after.values(field);
            for gone in were.iter().filter(|value| !are.contains(value) && whole.contains(value)) {
                at(Kind::TypeValueGone, Some(gone), None);
            }
            let had = before.values(field);
            for new in are.iter().filter(|value| !were.contains(value) && had.contains(value)) {
                at(Kind::TypeValueNew, None, Some(new));
            }
        }
    }
}

/// What a record type offers; one that does not narrow the field offers all of it.
fn offered<'a>(ground: &'a Ground, of: &'a RecordTypeSchema, field: &FieldName) -> &'a [String] {
    of.values.get(field).map_or_else(|| ground.values(field), Vec::as_slice)
}

fn automation(found: &mut Found, (was, is): (Option<&Automation>, Option<&Automation>)) {
    let Some(any) = is.or(was) else { return };
    let ran = was.is_some_and(|was| was.active);
    let runs = is.is_some_and(|is| is.active);
    let ours = any.ours || was.is_some_and(|was| was.ours);
    let same = matches!((was, is), (Some(was), Some(is)) if was.version == is.version);
    let kind = match (ran, runs) {
        (true, false) if ours => Kind::GuardOff,
        (true, false) => Kind::AutomationOff,
        (false, true) => Kind::AutomationNew,
        (true, true) if !same => Kind::AutomationChanged,
        // What does not run before and after: told when it was made or changed, not when it is gone.
        (false, false) if is.is_some() && !same => Kind::AutomationDraft,
        _ => return,
    };
    let sides = was.zip(is).filter(|_| kind == Kind::AutomationChanged);
    found.whole(kind, &any.key(), sides.map(|(was, is)| (was.version.as_str(), is.version.as_str())));
}

fn type_name(field_type: &FieldType) -> &'static str {
    match field_type {
        FieldType::Text { .. } => "text",
        FieldType::LongText { .. } => "long text",
        FieldType::Picklist { .. } => "picklist",
        FieldType::MultiPicklist { .. } => "multi-select picklist",
        FieldType::Decimal { .. } => "number",
        FieldType::Date => "date",
        FieldType::DateTime => "date-time",
        FieldType::Bool => "checkbox",
        FieldType::Reference => "lookup",
    }
}

#[cfg(test)]
pub(super) mod tests;
