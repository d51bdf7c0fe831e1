//! Checks one metadata file against the published types of the Metadata API: unknown,
//! repeated, split and missing elements, wrong scalars and wrong words.
//!
//! `schema.json` beside this file is made by `tests/metadata/org_schema.mjs` from Salesforce's
//! own declarations. Each type is one line: `name:type`, with `*` for a list and `!` for an
//! element that must be there. The order of elements is free.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::xml::{Element, NAMESPACE, NIL};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let file: File<'static> =
        serde_json::from_str(include_str!("schema.json")).expect("the schema is made by our own script");
    Schema::new(&file)
});

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    types: BTreeMap<&'a str, &'a str>,
    #[serde(borrow)]
    words: BTreeMap<&'a str, &'a str>,
}

struct Schema {
    types: BTreeMap<&'static str, BTreeMap<&'static str, Field>>,
    words: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

struct Field {
    kind: &'static str,
    list: bool,
    required: bool,
}

impl Schema {
    fn new(file: &File<'static>) -> Self {
        let field = |entry: &'static str| -> Option<(&'static str, Field)> {
            let (name, rest) = entry.split_once(':')?;
            let kind = rest.trim_end_matches(['*', '!']);
            Some((name, Field { kind, list: rest.ends_with('*'), required: rest.ends_with('!') }))
        };
        Self {
            types: file
                .types
                .iter()
                .map(|(name, fields)| (*name, fields.split(' ').filter_map(field).collect()))
                .collect(),
            words: file.words.iter().map(|(name, words)| (*name, words.split(' ').collect())).collect(),
        }
    }
}

/// How a parser's complaints begin.
const PARSING: &str = "Error parsing file: ";

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Line and column.
    pub(super) place: (u32, u32),
    /// In the words of a deploy.
    pub(super) message: String,
}

/// What is wrong with the element, which must be of this type: what a parser finds, in
/// the order of the file, and then what is missing.
pub(super) fn check(root: &Element, kind: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    walk(root, kind, &mut faults);
    faults.sort_by_key(|fault: &Fault| (!fault.message.starts_with(PARSING), fault.place));
    faults
}

fn walk(element: &Element, kind: &str, faults: &mut Vec<Fault>) {
    let Some(fields) = SCHEMA.types.get(kind) else { return };
    let mut parse = |at: &Element, message: String| {
        faults.push(Fault { place: at.place, message: format!("{PARSING}{message}") });
    };
    let mut seen: Vec<&str> = Vec::new();
    let mut inside = Vec::new();
    if !element.children.is_empty() && !element.text.trim().is_empty() {
        parse(element, format!("Unexpected text '{}' in type {kind}", element.text.trim()));
    }
    for child in &element.children {
        let name = child.name.as_str();
        let Some(field) = fields.get(name) else {
            parse(child, format!("Element {{{NAMESPACE}}}{name} invalid at this location in type {kind}"));
            continue;
        };
        if seen.contains(&name) && (!field.list || seen.last() != Some(&name)) {
            parse(
                child,
                format!("Element {{{NAMESPACE}}}{name} is duplicated at this location in type {kind}"),
            );
        }
        if seen.last() != Some(&name) {
            seen.push(name);
        }
        if child.value_type.as_deref() == Some(NIL) {
            continue;
        }
        match wrong_value(child, field.kind) {
            Some(message) => parse(child, message),
            None => inside.push((child, field.kind)),
        }
    }
    for (name, _) in fields.iter().filter(|(name, field)| field.required && !seen.contains(*name)) {
        faults.push(Fault { place: element.place, message: format!("Required field is missing: {name}") });
    }
    for (child, kind) in inside {
        walk(child, kind, faults);
    }
}

/// What is wrong with an element that holds a value, if it holds one.
fn wrong_value(element: &Element, kind: &str) -> Option<String> {
    let text = element.text.trim();
    if let Some(words) = SCHEMA.words.get(kind) {
        return (!words.contains(text))
            .then(|| format!("'{text}' is not a valid value for the enum '{kind}'"));
    }
    let (fits, scalar) = match kind {
        "boolean" => (matches!(text, "true" | "false" | "1" | "0"), "boolean"),
        "number" => (text.parse::<rust_decimal::Decimal>().is_ok(), "double"),
        "Date" => (is_date(text), "dateTime"),
        "string" => {
            let first = element.children.first()?;
            return Some(format!(
                "Element {{{NAMESPACE}}}{} invalid at this location in type xsd:string",
                first.name
            ));
        }
        _ => return None,
    };
    (!fits).then(|| format!("'{text}' is not a valid value for the type xsd:{scalar}"))
}

fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok()
        || text.parse::<jiff::Timestamp>().is_ok()
        || text.trim_end_matches('Z').parse::<jiff::civil::Time>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::{super::xml, *};

    fn faults(kind: &str, body: &str) -> Vec<String> {
        let root = xml::read(&format!("<{kind} xmlns=\"{NAMESPACE}\">{body}</{kind}>"), kind).unwrap();
        check(&root, kind).into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn unknown_doubled_and_split_elements_are_faults() {
        let found = faults("CustomField", "<label>a</label><label>b</label><colour/>");
        assert!(found[0].starts_with("Error parsing file: Element {http://soap"), "{found:?}");
        assert!(found[0].contains("label is duplicated") && found[1].contains("colour invalid"), "{found:?}");
        let values = "<values><field>A__c</field></values>";
        assert_eq!(faults("CustomMetadata", &format!("{values}{values}<label>x</label>")), [""; 0]);
        let split = faults("CustomMetadata", &format!("{values}<label>x</label>{values}"));
        assert_eq!(split.len(), 1, "a list stands together: {split:?}");
    }

    #[test]
    fn values_are_checked_by_their_type() {
        for (body, expected) in [
            ("<required>yes</required>", "'yes' is not a valid value for the type xsd:boolean"),
            ("<length>long</length>", "'long' is not a valid value for the type xsd:double"),
            ("<type>Hat</type>", "'Hat' is not a valid value for the enum 'FieldType'"),
            ("<label><b/></label>", "b invalid at this location in type xsd:string"),
            ("stray<label>a</label>", "Unexpected text 'stray'"),
            ("<valueSet><valueSetDefinition/></valueSet>", "Required field is missing: sorted"),
        ] {
            let found = faults("CustomField", body);
            assert!(found.len() == 1 && found[0].contains(expected), "{body}: {found:?}");
        }
        let nil = "<values xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><field>A__c</field>\
                   <value xsi:nil=\"true\"/></values>";
        assert_eq!(faults("CustomMetadata", nil), [""; 0]);
    }

    #[test]
    fn every_kind_has_a_type_and_every_type_is_known() {
        for kind in super::super::kinds::KINDS {
            assert!(SCHEMA.types.contains_key(kind.name), "{}", kind.name);
        }
        let scalars = ["string", "boolean", "number", "Date", "any"];
        for (name, fields) in &SCHEMA.types {
            for (field, about) in fields {
                let known = scalars.contains(&about.kind)
                    || SCHEMA.types.contains_key(about.kind)
                    || SCHEMA.words.contains_key(about.kind);
                assert!(known, "{name}.{field}: {}", about.kind);
            }
        }
    }
}
