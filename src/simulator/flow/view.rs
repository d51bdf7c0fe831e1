//! Reading an interview: references, templates, formulas and conditions.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    super::{
        formula::{Blanks, Scope},
        model::FieldKind,
        save::{Context, lookups},
        state::State,
    },
    compare,
    def::{Condition, Filter, Logic, Operand, Operator, Part, Resource, Template},
    interview::{Interview, Record, Value},
};
use crate::domain::FieldValue;

/// An interview in the org that it runs in.
pub(super) struct View<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) state: &'a State,
    pub(super) interview: &'a Interview,
}

impl View<'_> {
    /// What a reference stands for. Names were checked at deploy; what was never set is null.
    pub(super) fn value(&self, path: &str) -> Value {
        match path.split_once('.') {
            None => self.whole(path),
            Some(("$Flow", name)) => Value::One(match name {
                "CurrentDateTime" => FieldValue::DateTime(self.context.now),
                "InterviewStartTime" => FieldValue::DateTime(self.interview.started),
                "CurrentDate" => FieldValue::Date(self.today()),
                "InterviewGuid" => FieldValue::text(self.interview.guid.clone()),
                "FaultMessage" => self.interview.fault.clone(),
                _ => FieldValue::Null,
            }),
            Some(("$User", field)) => Value::One(self.user(field)),
            Some(("$Organization", field)) => {
                let rows =
                    self.state.table("Organization").map(|table| table.rows(false)).unwrap_or_default();
                Value::One(rows.first().and_then(|row| row.get(field).cloned()).unwrap_or_default())
            }
            Some(("$Permission", name)) => Value::One(FieldValue::Bool(self.permission(name))),
            Some((head, field)) => match self.interview.outputs.get(head) {
                Some(outputs) => outputs.get(field).cloned().unwrap_or(Value::NULL),
                None => match self.whole(head) {
                    Value::Record(record) => Value::One(self.field_of(&record, field)),
                    _ => Value::NULL,
                },
            },
        }
    }

    fn whole(&self, name: &str) -> Value {
        let record = |record: &Option<Record>| record.clone().map_or(Value::NULL, Value::Record);
        match name {
            "$Record" => return record(&self.interview.record),
            "$Record__Prior" => return record(&self.interview.prior),
            _ => {}
        }
        match self.interview.flow.resources.get(name) {
            Some(Resource::Constant(_, value) | Resource::Choice(_, _, value)) => self.operand(value),
            Some(Resource::Formula(..)) => Value::One(self.formula(name)),
            Some(Resource::Template(template)) => Value::One(FieldValue::text(self.text(template))),
            Some(Resource::Picklist(..)) => Value::NULL,
            None => self.interview.held(name),
        }
    }

    /// A compiled formula's value; one without a result is null, as in a flow's text.
    pub(super) fn formula(&self, key: &str) -> FieldValue {
        let formula = self.interview.flow.formulas.get(key);
        formula.and_then(|formula| formula.eval(self).ok()).unwrap_or_default()
    }

    /// A field of a record; a checkbox that was never set is unchecked.
    fn field_of(&self, record: &Record, field: &str) -> FieldValue {
        match record.row.get(field) {
            Some(value) => value.clone(),
            None => {
                let object = self.context.org.object(&record.object);
                match object.as_ref().and_then(|object| object.field(field)).map(|field| &field.kind) {
                    Some(FieldKind::Checkbox(_)) => FieldValue::Bool(false),
                    _ => FieldValue::Null,
                }
            }
        }
    }

    pub(super) fn operand(&self, operand: &Operand) -> Value {
        match operand {
            Operand::Constant(value) => Value::One(value.clone()),
            Operand::Text(template) => Value::One(FieldValue::text(self.text(template))),
            Operand::Reference(reference) => self.value(reference),
        }
    }

    /// A template with its references filled in; null is nothing.
    pub(super) fn text(&self, template: &Template) -> String {
        let parts = template.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Reference(reference) => match self.value(reference).one() {
                FieldValue::Null => String::new(),
                value => value.to_string(),
            },
        });
        parts.collect()
    }

    /// Whether conditions of a decision hold.
    pub(super) fn holds(&self, filter: &Filter) -> bool {
        self.joined(&filter.logic, filter, &|condition| {
            if condition.operator == Operator::IsChanged {
                let wanted = self.operand(&condition.right).one().as_bool();
                return self.is_changed(&condition.left) == wanted;
            }
            let (left, right) = (self.value(&condition.left), self.operand(&condition.right));
            compare::holds(condition.operator, &left, &right, compare::Case::Kept)
        })
    }

    /// Whether a record meets filters, which compare texts as queries do.
    pub(super) fn meets(&self, record: &Record, filter: &Filter) -> bool {
        self.joined(&filter.logic, filter, &|condition| {
            if condition.operator == Operator::IsChanged {
                let wanted = self.operand(&condition.right).one().as_bool();
                return self.is_changed(&format!("$Record.{}", condition.left)) == wanted;
            }
            let left = Value::One(self.field_of(record, &condition.left));
            let right = self.operand(&condition.right);
            compare::holds(condition.operator, &left, &right, compare::Case::Ignored)
        })
    }

    fn joined(&self, logic: &Logic, filter: &Filter, test: &dyn Fn(&Condition) -> bool) -> bool {
        match logic {
            Logic::Condition(index) => filter.conditions.get(*index).is_some_and(test),
            Logic::And(parts) => parts.iter().all(|part| self.joined(part, filter, test)),
            Logic::Or(parts) => parts.iter().any(|part| self.joined(part, filter, test)),
            Logic::Not(part) => !self.joined(part, filter, test),
        }
    }

    /// False for a new record, as `ISCHANGED` is. Not confirmed for the operator of a decision.
    fn is_changed(&self, reference: &str) -> bool {
        !self.is_new() && self.field(reference) != self.prior(reference)
    }
}

impl Scope for View<'_> {
    fn field(&self, name: &str) -> FieldValue {
        self.value(name).one()
    }

    fn prior(&self, name: &str) -> FieldValue {
        let field = name.strip_prefix("$Record.").unwrap_or(name);
        self.interview.prior.as_ref().map(|record| self.field_of(record, field)).unwrap_or_default()
    }

    fn is_new(&self) -> bool {
        self.interview.prior.is_none()
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
