//! The package's validation rules, evaluated on the row that is about to be saved.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    super::{
        formula::{Blanks, Scope},
        model::{FieldKind, ObjectDef, Row},
        state::State,
        write::RowError,
    },
    Context, Outcome, Save, lookups,
};
use crate::domain::FieldValue;

impl Save<'_> {
    /// Runs all active rules; every rule that fires is reported, as Salesforce does.
    ///
    /// The old row is the one under the write lock, so `PRIORVALUE` sees what the last
    /// writer committed. That real orgs do the same is generally assumed and not
    /// documented; the compare-and-set of the shipped rules rests on it.
    pub(super) fn run_rules(&self, old: Option<&Row>, new: &Row) -> Outcome<()> {
        let package = self.context.org.package();
        let Some(added) = package.objects.get(&self.object.name) else { return Ok(()) };
        let scope = RowScope { context: self.context, state: self.state, object: &self.object, old, new };
        let errors: Vec<RowError> = added
            .rules
            .iter()
            .filter(|rule| rule.active && rule.compiled.is_true(&scope))
            .map(|rule| RowError {
                code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".to_owned(),
                message: rule.message.clone(),
                fields: rule.error_field.iter().cloned().collect(),
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

struct RowScope<'a> {
    context: &'a Context<'a>,
    state: &'a State,
    object: &'a ObjectDef,
    old: Option<&'a Row>,
    new: &'a Row,
}

impl RowScope<'_> {
    fn value(&self, row: &Row, name: &str) -> FieldValue {
        if let Some(value) = row.get(name) {
            return value.clone();
        }
        // Formulas may write a field's name in any letter case; an empty checkbox is unchecked.
        match self.object.field(name) {
            Some(field) => row.get(&field.name).cloned().unwrap_or(match field.kind {
                FieldKind::Checkbox(_) => FieldValue::Bool(false),
                _ => FieldValue::Null,
            }),
            None => FieldValue::Null,
        }
    }
}

impl Scope for RowScope<'_> {
    fn field(&self, name: &str) -> FieldValue {
        self.value(self.new, name)
    }

    fn prior(&self, name: &str) -> FieldValue {
        self.value(self.old.unwrap_or(self.new), name)
    }

    fn is_new(&self) -> bool {
        self.old.is_none()
    }

    fn permission(&self, name: &str) -> bool {
        self.context.user.has_permission(name)
    }

    fn custom_metadata(&self, metadata_type: &str, record: &str, field: &str) -> FieldValue {
        lookups::custom_metadata(self.context.org, self.state, (metadata_type, record, field))
    }

    fn user(&self, field: &str) -> FieldValue {
        lookups::user(self.state, &self.context.user.user_id, field)
    }

    fn today(&self) -> Date {
        // Every seeded user lives in GMT.
        self.context.now.to_zoned(TimeZone::UTC).date()
    }

    fn now(&self) -> Timestamp {
        self.context.now
    }

    fn blanks(&self) -> Blanks {
        lookups::blanks(self.context.org)
    }
}
