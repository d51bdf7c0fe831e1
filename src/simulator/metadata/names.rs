//! What exists in the org that a package is deployed into: names for formulas, field
//! permissions and filters.

use super::{
    super::{
        formula::{FieldKind as FormulaField, Type, Types},
        model::{FieldDef, FieldKind},
        schema,
    },
    Package,
};

impl Package {
    /// A field of an object: the package's own, or a standard one.
    pub(super) fn find_field(&self, object: &str, field: &str) -> Option<FieldDef> {
        let own = self.objects.get(object).or_else(|| self.metadata_types.get(object));
        own.and_then(|own| own.fields.iter().find(|it| it.name == field))
            .cloned()
            .or_else(|| schema::standard_object(object)?.fields.into_iter().find(|it| it.name == field))
    }

    /// Whether the object exists.
    pub(super) fn has_object(&self, object: &str) -> bool {
        self.metadata_types.contains_key(object)
            || schema::standard_object(object).is_some_and(|standard| standard.name == object)
    }
}

impl Package {
    /// A field as formulas of flows see it.
    pub(in crate::simulator) fn flow_field(&self, object: &str, field: &str) -> Option<FormulaField> {
        let own = self.find_field(object, field);
        let found = own.or_else(|| {
            let standard = self
                .metadata_types
                .contains_key(object)
                .then(|| schema::own_object(object, object, Vec::new()));
            standard?.field(field).cloned()
        })?;
        Some(formula_field(&found.kind))
    }

    /// Whether the object exists.
    pub(in crate::simulator) fn has_flow_object(&self, object: &str) -> bool {
        self.has_object(object)
    }
}

/// The names that formulas of one object may use.
pub(super) struct ObjectNames<'a> {
    /// The package so far.
    pub(super) package: &'a Package,
    /// The object that the rule stands at.
    pub(super) object: &'a str,
}

impl Types for ObjectNames<'_> {
    fn field(&self, name: &str) -> Option<FormulaField> {
        self.package.find_field(self.object, name).map(|field| formula_field(&field.kind))
    }

    fn has_permission(&self, name: &str) -> bool {
        self.package.custom_permissions.iter().any(|known| known == name)
    }

    fn custom_metadata(&self, metadata_type: &str, record: &str, field: &str) -> Option<FormulaField> {
        let known =
            |it: &&super::MetadataRecord| it.type_name == metadata_type && it.developer_name == record;
        self.package.metadata_records.iter().find(known)?;
        self.package.find_field(metadata_type, field).map(|field| formula_field(&field.kind))
    }

    fn user_field(&self, name: &str) -> Option<FormulaField> {
        self.package.find_field("User", name).map(|field| formula_field(&field.kind))
    }
}

fn formula_field(kind: &FieldKind) -> FormulaField {
    let names =
        |values: &[super::PicklistValue]| Some(values.iter().map(|value| value.value.clone()).collect());
    match kind {
        FieldKind::LongText(length) if *length > 255 => FormulaField::LongText,
        FieldKind::Id
        | FieldKind::Text(_)
        | FieldKind::LongText(_)
        | FieldKind::Formatted(..)
        | FieldKind::Reference(..) => FormulaField::Plain(Type::Text),
        // Values of unrestricted lists differ from org to org, so no literal is wrong.
        FieldKind::Picklist(_, super::super::model::Restricted::No) => FormulaField::Picklist(None),
        FieldKind::Picklist(values, _) => FormulaField::Picklist(names(values)),
        FieldKind::MultiPicklist(values) => FormulaField::MultiPicklist(names(values)),
        FieldKind::Number(..) => FormulaField::Plain(Type::Number),
        FieldKind::Date => FormulaField::Plain(Type::Date),
        FieldKind::DateTime => FormulaField::Plain(Type::DateTime),
        FieldKind::Checkbox(_) => FormulaField::Plain(Type::Bool),
    }
}
