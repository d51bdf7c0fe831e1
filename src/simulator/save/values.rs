//! Reads the values of a call: names, permissions, types and limits, with Salesforce's errors.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value};

use super::{
    super::{
        ids,
        model::{FieldDef, FieldKind, PicklistValue, Restricted, Row},
        org::seconds,
        schema,
        settings::ExcessDecimals,
        users::UserContext,
        write::RowError,
    },
    Outcome, Save,
};
use crate::domain::FieldValue;

impl Save<'_> {
    /// The values that the call names, by canonical field name; emptied ones are null.
    pub(super) fn read_values(&self, fields: &Map<String, Value>, creating: bool) -> Outcome<Row> {
        let object = &self.object;
        let may = |right: &dyn Fn(&UserContext) -> bool| self.context.may(right);
        let mut row = Row::new();
        let mut closed = Vec::new();
        let mut errors = Vec::new();
        for (name, json) in fields {
            if name == "attributes" {
                continue;
            }
            let seen = object
                .field(name)
                .filter(|field| may(&|user| user.can_read_field(&object.name, &field.name)));
            let Some(field) = seen else {
                let message = format!("No such column '{name}' on sobject of type {}", object.name);
                return Err(vec![RowError::new("INVALID_FIELD", message)]);
            };
            let open = if creating { field.createable } else { field.updateable };
            if !open || !may(&|user| user.can_edit_field(&object.name, &field.name)) {
                closed.push(field.name.clone());
                continue;
            }
            match self.read_value(field, json) {
                Ok(value) => drop(row.insert(field.name.clone(), value)),
                Err(error) => errors.push(error),
            }
        }
        if !closed.is_empty() {
            let message = format!(
                "Unable to create/update fields: {}. Please check the security settings of this field and \
                 verify that it is read/write for your profile or permission set.",
                closed.join(", ")
            );
            let code = "INVALID_FIELD_FOR_INSERT_UPDATE".to_owned();
            return Err(vec![RowError { code, message, fields: closed }]);
        }
        if errors.is_empty() { Ok(row) } else { Err(errors) }
    }

    pub(super) fn read_value(&self, field: &FieldDef, json: &Value) -> Result<FieldValue, RowError> {
        let Some(kind) = schema::field_type(&field.kind) else {
            return Err(parser_error(json, "address"));
        };
        let value = FieldValue::from_json(json, &kind).map_err(|_| parser_error(json, word(&field.kind)))?;
        match (value, &field.kind) {
            (FieldValue::Null, FieldKind::Checkbox(default)) => Ok(FieldValue::Bool(*default)),
            (FieldValue::Null, _) => Ok(FieldValue::Null),
            (FieldValue::Text(text), kind) => self.read_text(field, text, kind),
            (FieldValue::Decimal(number), FieldKind::Number(_, precision, scale)) => {
                self.read_number(field, number, (*precision, *scale))
            }
            (FieldValue::DateTime(moment), _) => Ok(FieldValue::DateTime(seconds(moment))),
            (value, _) => Ok(value),
        }
    }

    fn read_text(&self, field: &FieldDef, text: String, kind: &FieldKind) -> Result<FieldValue, RowError> {
        let long = matches!(kind, FieldKind::LongText(_));
        let text = if self.context.org.settings().trim_text && !long { text.trim().to_owned() } else { text };
        let limit = match kind {
            FieldKind::Text(limit) | FieldKind::LongText(limit) | FieldKind::Formatted(_, limit) => *limit,
            FieldKind::Picklist(..) => 255,
            _ => u32::MAX,
        };
        if u32::try_from(text.chars().count()).unwrap_or(u32::MAX) > limit {
            let message = format!("{}: data value too large: {text} (max length={limit})", field.label);
            return Err(RowError::on("STRING_TOO_LONG", message, &field.name));
        }
        match kind {
            FieldKind::Picklist(values, Restricted::Yes) if !text.is_empty() && !active(values, &text) => {
                Err(bad_picklist(field, "restricted picklist", &text))
            }
            FieldKind::MultiPicklist(values) => several(field, values, &text),
            FieldKind::Formatted("email", _) if !text.is_empty() && !is_email(&text) => {
                let message = format!("{}: invalid email address: {text}", field.label);
                Err(RowError::on("INVALID_EMAIL_ADDRESS", message, &field.name))
            }
            FieldKind::Reference(targets, _) => self.read_reference(field, targets, &text),
            _ => Ok(FieldValue::text(text)),
        }
    }

    fn read_reference(
        &self,
        field: &FieldDef,
        targets: &[String],
        text: &str,
    ) -> Result<FieldValue, RowError> {
        if text.is_empty() {
            return Ok(FieldValue::Null);
        }
        let wrong = || {
            let message = format!("{}: id value of incorrect type: {text}", field.label);
            RowError::on("MALFORMED_ID", message, &field.name)
        };
        let id = ids::complete(text).ok_or_else(wrong)?;
        let objects = targets.iter().filter_map(|target| self.context.org.object(target));
        let mut fitting = objects.filter(|object| id.starts_with(&object.key_prefix)).peekable();
        if fitting.peek().is_none() {
            return Err(wrong());
        }
        let exists = fitting
            .any(|object| self.state.table(&object.name).is_some_and(|table| table.live(&id).is_some()));
        if exists {
            Ok(FieldValue::text(id))
        } else {
            let message = "invalid cross reference id";
            Err(RowError::on("INVALID_CROSS_REFERENCE_KEY", message, &field.name))
        }
    }

    fn read_number(
        &self,
        field: &FieldDef,
        number: Decimal,
        (precision, scale): (u32, u32),
    ) -> Result<FieldValue, RowError> {
        let number = match self.context.org.settings().excess_decimals {
            ExcessDecimals::Keep => number,
            ExcessDecimals::Round => {
                number.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero)
            }
        };
        let whole = precision.saturating_sub(scale).min(27);
        if number.abs() >= Decimal::from_i128_with_scale(10_i128.pow(whole), 0) {
            let message = format!("{}: value outside of valid range on numeric field: {number}", field.label);
            return Err(RowError::on("NUMBER_OUTSIDE_VALID_RANGE", message, &field.name));
        }
        Ok(FieldValue::decimal(number))
    }
}

/// The values of a multi-select in the org's own order, each once.
fn several(field: &FieldDef, values: &[PicklistValue], text: &str) -> Result<FieldValue, RowError> {
    let given: Vec<&str> = text.split(';').filter(|part| !part.is_empty()).collect();
    if let Some(bad) = given.iter().find(|part| !active(values, part)) {
        return Err(bad_picklist(field, "restricted multi-select picklist", bad));
    }
    let kept = values.iter().map(|value| value.value.as_str()).filter(|value| given.contains(value));
    Ok(FieldValue::text(kept.collect::<Vec<_>>().join(";")))
}

fn active(values: &[PicklistValue], text: &str) -> bool {
    values.iter().any(|value| value.active && value.value == text)
}

fn bad_picklist(field: &FieldDef, what: &str, text: &str) -> RowError {
    let message = format!("{}: bad value for {what} field: {text}", field.label);
    RowError::on("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &field.name)
}

fn is_email(text: &str) -> bool {
    let mut halves = text.split('@');
    let halves = (halves.next(), halves.next(), halves.next());
    matches!(halves, (Some(name), Some(host), None) if !name.is_empty() && host.contains('.'))
        && !text.contains(char::is_whitespace)
}

fn parser_error(json: &Value, kind: &str) -> RowError {
    let (token, shown) = match json {
        Value::Null => ("VALUE_NULL", String::new()),
        Value::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Value::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Value::Number(number) => ("VALUE_NUMBER", number.to_string()),
        Value::String(text) => ("VALUE_STRING", text.clone()),
        Value::Array(_) => ("START_ARRAY", "[".to_owned()),
        Value::Object(_) => ("START_OBJECT", "{".to_owned()),
    };
    let message = format!(
        "Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a \
         required field"
    );
    RowError::new("JSON_PARSER_ERROR", message)
}

fn word(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Id | FieldKind::Reference(..) => "reference",
        FieldKind::Text(_) => "string",
        FieldKind::LongText(_) => "textarea",
        FieldKind::Formatted(word, _) | FieldKind::Number(word, ..) => word,
        FieldKind::Picklist(..) => "picklist",
        FieldKind::MultiPicklist(_) => "multipicklist",
        FieldKind::Date => "date",
        FieldKind::DateTime => "datetime",
        FieldKind::Checkbox(_) => "boolean",
    }
}
