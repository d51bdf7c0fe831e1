//! Screens: their fields in reading order, sections and columns flattened.

use super::{
    super::{
        super::{
            formula::{FieldKind, Type},
            metadata::{Draft, Element},
        },
        def::{Form, Operand, Screen, ScreenField, Template},
    },
    logic,
    values::{api_name, only, operand, scalar_kind},
};

const FIELD: &[&str] = &[
    "name",
    "dataType",
    "defaultValue",
    "fieldText",
    "fieldType",
    "helpText",
    "inputsOnNextNavToAssocScrn",
    "isReadOnly",
    "isRequired",
    "regionContainerType",
    "scale",
    "validationRule",
    "visibilityRule",
];
const FIELD_LISTS: &[&str] = &["choiceReferences", "fields", "inputParameters"];

/// Checks an element's children.
type Shape = fn(&mut Draft, &Element, &[&str], &[&str]);

/// One screen.
pub(super) fn screen(at: &mut Draft, child: &Element, shape: Shape) -> Screen {
    let single =
        ["allowBack", "allowFinish", "allowPause", "nextOrFinishButtonLabel", "showFooter", "showHeader"];
    shape(at, child, &single, &["fields"]);
    for flag in ["allowFinish", "allowPause", "showFooter", "showHeader"] {
        at.flag(child, flag);
    }
    let mut fields = Vec::new();
    collect(at, child, &mut fields);
    Screen {
        allow_back: at.flag(child, "allowBack"),
        button: child.text("nextOrFinishButtonLabel").map(str::to_owned),
        fields,
    }
}

fn collect(at: &mut Draft, parent: &Element, fields: &mut Vec<ScreenField>) {
    for entry in parent.all("fields") {
        only(at, entry, FIELD, FIELD_LISTS);
        let name = at.required(entry, "name");
        api_name(at, &name);
        if fields.iter().any(|field| field.name == name) {
            at.wrong(format!("The name {name} is used more than once in this flow"));
        }
        let container = match entry.text("fieldType") {
            Some("RegionContainer") => "Region",
            Some("Region") => "field",
            _ => {
                fields.extend(field(at, entry, name));
                continue;
            }
        };
        let inner = entry
            .all("fields")
            .any(|inner| (inner.text("fieldType") == Some("Region")) != (container == "Region"));
        if inner {
            at.wrong(format!("{name}: a section holds columns, and a column holds fields"));
        }
        collect(at, entry, fields);
    }
}

fn field(at: &mut Draft, entry: &Element, name: String) -> Option<ScreenField> {
    let form = match at.required(entry, "fieldType").as_str() {
        "InputField" => Form::Input,
        "LargeTextArea" => Form::LargeText,
        "DropdownBox" => Form::Dropdown,
        "RadioButtons" => Form::Radio,
        "DisplayText" => Form::Display,
        other => {
            at.wrong(format!("The simulated org does not support the screen field type '{other}'"));
            return None;
        }
    };
    for stray in ["fields", "inputParameters", "regionContainerType"] {
        if entry.first(stray).is_some() {
            at.wrong(format!("{name}: {stray} does not fit this fieldType"));
        }
    }
    let kind = match form {
        Form::Display => None,
        Form::LargeText => Some(FieldKind::Plain(Type::Text)),
        _ => Some(scalar_kind(at, entry)?),
    };
    at.word(entry, "inputsOnNextNavToAssocScrn", &["UseStoredValues", "ResetValues"]);
    let choices: Vec<String> = entry.all("choiceReferences").map(|choice| choice.text.clone()).collect();
    if matches!(form, Form::Dropdown | Form::Radio) == choices.is_empty() {
        at.wrong(format!("{name}: choiceReferences belong to fields with choices, and only there"));
    }
    let default = if entry.first("defaultValue").is_some() {
        operand(at, entry, "defaultValue")
    } else {
        Operand::NONE
    };
    Some(ScreenField {
        form,
        kind,
        text: Template::parse(entry.text("fieldText").unwrap_or_default()),
        help: Template::parse(entry.text("helpText").unwrap_or_default()),
        default,
        required: at.flag(entry, "isRequired"),
        read_only: read_only(at, entry),
        reset: entry.text("inputsOnNextNavToAssocScrn") == Some("ResetValues"),
        choices,
        rule: rule(at, entry),
        visible: visible(at, entry),
        name,
    })
}

/// `isReadOnly` holds a value; references are not supported.
fn read_only(at: &mut Draft, entry: &Element) -> bool {
    let Some(element) = entry.first("isReadOnly") else { return false };
    match element.text("booleanValue") {
        Some("true") => true,
        Some("false") => false,
        _ => {
            at.wrong("isReadOnly must be a booleanValue in the simulated org");
            false
        }
    }
}

fn rule(at: &mut Draft, entry: &Element) -> Option<(String, Template)> {
    let rule = entry.first("validationRule")?;
    only(at, rule, &["errorMessage", "formulaExpression"], &[]);
    let message = Template::parse(&at.required(rule, "errorMessage"));
    Some((at.required(rule, "formulaExpression"), message))
}

fn visible(at: &mut Draft, entry: &Element) -> Option<super::super::def::Filter> {
    let rule = entry.first("visibilityRule")?;
    only(at, rule, &["conditionLogic"], &["conditions"]);
    Some(logic::conditions(at, rule))
}
