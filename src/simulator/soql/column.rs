//! Names looked up in the schema: a field of the object, or of a record it refers to.

use std::{borrow::Cow, sync::Arc};

use super::{ast::Path, error::SoqlError, tables::Tables};
use crate::{
    domain::FieldValue,
    simulator::{
        model::{FieldDef, FieldKind, ObjectDef, Row},
        schema::tooling,
    },
};

/// Most relationships that a path may follow.
const MAX_HOPS: usize = 5;

/// The object of a query, and how its fields may be prefixed.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The object.
    pub object: Arc<ObjectDef>,
    /// The name given after the object.
    pub alias: Option<String>,
}

/// A field that a query reads.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The relationships to follow first.
    pub hops: Vec<Hop>,
    /// The field, on the last object.
    pub field: FieldDef,
}

/// One relationship on the way to a field.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    /// The reference field, for example `OwnerId`.
    pub key: String,
    /// The relationship, for example `Owner`.
    pub name: String,
    /// The objects that it may lead to.
    pub targets: Vec<Arc<ObjectDef>>,
}

impl Source {
    /// Looks a path up; `soql` is for error messages.
    pub fn column(&self, tables: &dyn Tables, soql: &str, path: &Path) -> Result<Column, SoqlError> {
        let parts = self.without_prefix(&path.parts);
        let (last, relations) = parts.split_last().expect("a parsed path has at least one part");
        if relations.len() > MAX_HOPS {
            let message = "No more than 5 levels of relationships may be followed from child to parent";
            return Err(SoqlError::field(soql, path.at, message));
        }
        let mut objects = vec![Arc::clone(&self.object)];
        let mut hops = Vec::new();
        for relation in relations {
            let hop = hop(tables, &objects, relation).ok_or_else(|| {
                SoqlError::field(
                    soql,
                    path.at,
                    format!(
                        "Didn't understand relationship '{relation}' in field path. If you are attempting to \
                         use a custom relationship, be sure to append the '__r' after the custom relationship \
                         name. Please reference your WSDL or the describe call for the appropriate names."
                    ),
                )
            })?;
            objects.clone_from(&hop.targets);
            hops.push(hop);
        }
        let found = objects
            .iter()
            .filter_map(|object| Some((object, object.field(last)?)))
            .find(|(object, field)| tables.can_read(object, &field.name));
        match found {
            Some((_, field)) => Ok(Column { hops, field: field.clone() }),
            None => {
                let entity = objects.first().map_or("", |object| object.name.as_str());
                Err(SoqlError::no_column(soql, path.at, last, entity))
            }
        }
    }

    /// Drops `Lead.` or the alias in front of a path.
    fn without_prefix<'a>(&self, parts: &'a [String]) -> &'a [String] {
        let named = |part: &str| {
            let alias = self.alias.as_deref();
            alias.is_some_and(|alias| alias.eq_ignore_ascii_case(part))
                || self.object.name.eq_ignore_ascii_case(part)
        };
        if parts.len() > 1 && named(&parts[0]) { &parts[1..] } else { parts }
    }
}

fn hop(tables: &dyn Tables, objects: &[Arc<ObjectDef>], relation: &str) -> Option<Hop> {
    objects.iter().find_map(|object| {
        object.fields.iter().find_map(|field| {
            let FieldKind::Reference(targets, Some(name)) = &field.kind else { return None };
            if !name.eq_ignore_ascii_case(relation) || !tables.can_read(object, &field.name) {
                return None;
            }
            let targets: Vec<_> = targets.iter().filter_map(|target| tables.object(target)).collect();
            let hop = Hop { key: field.name.clone(), name: name.clone(), targets };
            (!hop.targets.is_empty()).then_some(hop)
        })
    })
}

impl Hop {
    /// The object and record that a row refers to.
    pub fn follow(&self, tables: &dyn Tables, row: &Row) -> Option<(&ObjectDef, Arc<Row>)> {
        let id = row.get(&self.key).and_then(FieldValue::as_text)?;
        self.targets.iter().find_map(|target| Some((&**target, tables.row(target, id, true)?)))
    }
}

impl Column {
    /// The path in canonical letter case.
    pub fn name(&self) -> String {
        let relations = self.hops.iter().map(|hop| hop.name.as_str());
        relations.chain([self.field.name.as_str()]).collect::<Vec<_>>().join(".")
    }

    /// The value for a row of the query's object.
    pub fn value<'a>(&self, tables: &dyn Tables, row: &'a Row) -> Cow<'a, FieldValue> {
        if self.hops.is_empty() {
            return match row.get(&self.field.name) {
                Some(value) => Cow::Borrowed(value),
                None => Cow::Owned(self.empty()),
            };
        }
        let mut current: Option<Arc<Row>> = None;
        for hop in &self.hops {
            let from = current.as_deref().unwrap_or(row);
            match hop.follow(tables, from) {
                Some((_, next)) => current = Some(next),
                None => return Cow::Owned(FieldValue::Null),
            }
        }
        let value = current.and_then(|row| row.get(&self.field.name).cloned());
        Cow::Owned(value.unwrap_or_else(|| self.empty()))
    }

    fn empty(&self) -> FieldValue {
        empty(&self.field)
    }

    /// How values of this field compare.
    pub fn family(&self) -> Family {
        match self.field.kind {
            // Entity definitions have names for ids.
            FieldKind::Reference(ref targets, _) if *targets == [tooling::ENTITY_DEFINITION] => Family::Text,
            FieldKind::Id | FieldKind::Reference(..) => Family::Id,
            FieldKind::Text(_)
            | FieldKind::LongText(_)
            | FieldKind::Formatted(..)
            | FieldKind::Picklist(..) => Family::Text,
            FieldKind::MultiPicklist(_) => Family::MultiPicklist,
            FieldKind::Number(..) => Family::Number,
            FieldKind::Date => Family::Date,
            FieldKind::DateTime => Family::DateTime,
            FieldKind::Checkbox(_) => Family::Bool,
        }
    }

    /// Long text and compound addresses can be neither filtered, sorted nor grouped.
    pub fn is_opaque(&self) -> bool {
        match self.field.kind {
            FieldKind::LongText(length) => length > 255,
            FieldKind::Formatted(kind, _) => kind == "address",
            _ => false,
        }
    }
}

/// What an absent field means: an unchecked checkbox, otherwise nothing.
pub(super) fn empty(field: &FieldDef) -> FieldValue {
    match field.kind {
        FieldKind::Checkbox(_) => FieldValue::Bool(false),
        _ => FieldValue::Null,
    }
}

/// Kinds of comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Record ids: 15 and 18 characters are the same, letter case counts.
    Id,
    /// Letter case does not count.
    Text,
    /// Text with `INCLUDES`.
    MultiPicklist,
    /// Decimals.
    Number,
    /// Days.
    Date,
    /// Moments.
    DateTime,
    /// Checkboxes.
    Bool,
}

impl Family {
    /// The SOAP type that error messages name.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Text | Self::MultiPicklist => "string",
            Self::Number => "double",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Bool => "boolean",
        }
    }

    /// True when letter case does not count.
    pub fn folds(self) -> bool {
        matches!(self, Self::Text | Self::MultiPicklist)
    }
}
