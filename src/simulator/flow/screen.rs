//! Screens as JSON, and what people answer on them.

use serde_json::{Map, Value as Json, json};

use super::{
    super::{
        formula::{FieldKind, Type},
        model::{FieldKind as OrgKind, PicklistValue},
    },
    def::{Form, Resource, Screen, ScreenField},
    interview::Value,
    run::Machine,
    view::View,
};
use crate::domain::{FieldType, FieldValue};

/// Which button was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Navigation {
    /// Next or Finish: the flow decides what that leads to.
    Next,
    /// The screen before.
    Back,
}

/// A field and what is wrong with its answer.
pub(super) type ScreenError = (String, String);

impl Machine<'_> {
    /// Fills a screen that is about to be shown: defaults where nothing is stored.
    pub(super) fn enter(&mut self, screen: &Screen) {
        for field in screen.fields.iter().filter(|field| field.kind.is_some()) {
            let stored = self.interview.values.contains_key(&field.name);
            if !stored || field.reset || field.read_only {
                let value = self.view().operand(&field.default);
                self.interview.values.insert(field.name.clone(), value);
            }
        }
    }

    /// Takes the answers, or says what is wrong with them and takes none.
    pub(super) fn answer(
        &mut self,
        screen: &Screen,
        values: &Map<String, Json>,
    ) -> Result<(), Vec<ScreenError>> {
        let before = self.interview.values.clone();
        let errors = self.take(screen, values);
        if errors.is_empty() {
            return Ok(());
        }
        self.interview.values = before;
        Err(errors)
    }

    fn take(&mut self, screen: &Screen, values: &Map<String, Json>) -> Vec<ScreenError> {
        let mut errors = Vec::new();
        for (name, json) in values {
            let field = screen.fields.iter().find(|field| field.name == *name && field.kind.is_some());
            let Some(field) = field else {
                errors.push((name.clone(), "There is no such input on this screen.".to_owned()));
                continue;
            };
            if field.read_only {
                errors.push((name.clone(), "This field is read-only.".to_owned()));
                continue;
            }
            match self.view().given(field, json) {
                Ok(value) => drop(self.interview.values.insert(name.clone(), Value::One(value))),
                Err(message) => errors.push((name.clone(), message)),
            }
        }
        let mut hidden = Vec::new();
        let view = self.view();
        for field in screen.fields.iter().filter(|field| field.kind.is_some()) {
            if !view.is_visible(field) {
                hidden.push(field.name.clone());
                continue;
            }
            if field.required && view.value(&field.name).is_empty() {
                errors.push((
                    field.name.clone(),
                    "Please enter some valid input. Input is not optional.".to_owned(),
                ));
            } else if let Some((_, message)) = &field.rule
                && !view.formula(&field.name).as_bool()
            {
                errors.push((field.name.clone(), view.text(message)));
            }
        }
        for name in hidden {
            self.interview.values.insert(name, Value::NULL);
        }
        errors
    }
}

impl View<'_> {
    /// A screen with its texts, values and choices.
    pub(super) fn screen_json(&self, name: &str, screen: &Screen, errors: &[ScreenError]) -> Json {
        let node = self.interview.flow.nodes.get(name);
        let fields = screen.fields.iter().filter(|field| self.is_visible(field));
        let errors = errors.iter().map(|(field, message)| json!({ "field": field, "message": message }));
        json!({
            "name": name,
            "label": node.map(|node| node.label.as_str()),
            "allowBack": screen.allow_back,
            "button": screen.button,
            "fields": fields.map(|field| self.field_json(field)).collect::<Vec<_>>(),
            "errors": errors.collect::<Vec<_>>(),
        })
    }

    fn field_json(&self, field: &ScreenField) -> Json {
        let form = match field.form {
            Form::Input => "InputField",
            Form::LargeText => "LargeTextArea",
            Form::Dropdown => "DropdownBox",
            Form::Radio => "RadioButtons",
            Form::Display => "DisplayText",
        };
        let choices = self
            .choices(field)
            .into_iter()
            .map(|(label, value)| json!({ "label": label, "value": value.to_json() }));
        let choices: Vec<Json> = choices.collect();
        let Some(kind) = &field.kind else {
            return json!({ "name": field.name, "type": form, "text": self.text(&field.text) });
        };
        json!({
            "name": field.name,
            "type": form,
            "dataType": data_type(kind),
            "label": self.text(&field.text),
            "help": self.text(&field.help),
            "value": self.value(&field.name).one().to_json(),
            "required": field.required,
            "readOnly": field.read_only,
            "choices": if field.choices.is_empty() { Json::Null } else { Json::Array(choices) },
        })
    }

    fn is_visible(&self, field: &ScreenField) -> bool {
        field.visible.as_ref().is_none_or(|filter| self.holds(filter))
    }

    /// Label and value of everything that may be chosen.
    fn choices(&self, field: &ScreenField) -> Vec<(String, FieldValue)> {
        let mut choices = Vec::new();
        for name in &field.choices {
            match self.interview.flow.resources.get(name) {
                Some(Resource::Choice(_, label, value)) => {
                    choices.push((self.text(label), self.operand(value).one()));
                }
                Some(Resource::Picklist(object, field)) => {
                    let values = self.picklist(object, field).into_iter().filter(|value| value.active);
                    choices.extend(values.map(|value| (value.label, FieldValue::text(value.value))));
                }
                _ => {}
            }
        }
        choices
    }

    fn picklist(&self, object: &str, field: &str) -> Vec<PicklistValue> {
        let object = self.context.org.object(object);
        match object.as_ref().and_then(|object| object.field(field)).map(|field| &field.kind) {
            Some(OrgKind::Picklist(values, _) | OrgKind::MultiPicklist(values)) => values.clone(),
            _ => Vec::new(),
        }
    }

    /// An answer in the field's type, and one of its choices where it has some.
    fn given(&self, field: &ScreenField, json: &Json) -> Result<FieldValue, String> {
        let Some(kind) = &field.kind else { return Ok(FieldValue::Null) };
        let value = scalar(kind, json)?;
        let chosen = || self.choices(field).iter().any(|(_, choice)| *choice == value);
        if value.is_null() || field.choices.is_empty() || chosen() {
            Ok(value)
        } else {
            Err(format!("{value} is none of the choices."))
        }
    }
}

/// A JSON value of one type; empty texts are null.
pub(super) fn scalar(kind: &FieldKind, json: &Json) -> Result<FieldValue, String> {
    if json.as_str() == Some("") {
        return Ok(FieldValue::Null);
    }
    let wanted = match kind {
        FieldKind::Plain(Type::Number) => FieldType::Decimal { precision: 18, scale: 17 },
        FieldKind::Plain(Type::Bool) => FieldType::Bool,
        FieldKind::Plain(Type::Date) => FieldType::Date,
        FieldKind::Plain(Type::DateTime) => FieldType::DateTime,
        _ => FieldType::LongText { length: u32::MAX },
    };
    FieldValue::from_json(json, &wanted).map_err(|error| error.to_string())
}

/// The name of a type in flows.
pub(super) fn data_type(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Plain(Type::Number) => "Number",
        FieldKind::Plain(Type::Bool) => "Boolean",
        FieldKind::Plain(Type::Date) => "Date",
        FieldKind::Plain(Type::DateTime) => "DateTime",
        FieldKind::Picklist(_) => "Picklist",
        FieldKind::MultiPicklist(_) => "Multipicklist",
        _ => "String",
    }
}
