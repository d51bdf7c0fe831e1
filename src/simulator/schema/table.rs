//! Reads the compact field tables: one line per field, `name | label | type | flags`.
//!
//! Flags: `n` may be empty, `c` createable, `u` updateable, `x` external id,
//! `q` unique, `-` not in change events, `s` without field-level security.

use super::{
    super::model::{FieldDef, FieldKind, ObjectDef, Restricted},
    picklists,
};

/// One object as a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) prefix: &'a str,
    pub(super) dml: bool,
    pub(super) fields: &'a str,
}

/// The object that a table describes. The tables are constants of this module's
/// neighbours and a test reads them all, so a bad line is a programming error.
pub(super) fn parse(table: &Table<'_>) -> ObjectDef {
    let lines = table.fields.lines().map(str::trim).filter(|line| !line.is_empty());
    ObjectDef {
        name: table.name.to_owned(),
        label: table.label.to_owned(),
        key_prefix: table.prefix.to_owned(),
        fields: lines.map(field).collect(),
        dml: table.dml,
    }
}

fn field(line: &str) -> FieldDef {
    let mut cells = line.split('|').map(str::trim);
    let mut cell = || cells.next().unwrap_or_default();
    let (name, label, kind, flags) = (cell(), cell(), cell(), cell());
    let kind = parse_kind(kind);
    let has = |flag: char| flags.contains(flag);
    let nillable = has('n');
    let editable = has('c') || has('u');
    let checkbox = matches!(kind, FieldKind::Checkbox(_));
    FieldDef {
        name: name.to_owned(),
        label: label.to_owned(),
        custom_id: None,
        nillable,
        createable: has('c'),
        updateable: has('u'),
        // Required and system fields take none: the org shows and opens them to whoever has the object.
        has_fls: !has('s') && editable && (nillable || checkbox),
        external_id: has('x'),
        unique: has('q'),
        in_change_events: !has('-'),
        kind,
    }
}

fn parse_kind(text: &str) -> FieldKind {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(255);
    let list = || picklists::values(words.get(1).copied().unwrap_or_default());
    match words.first().copied().unwrap_or_default() {
        "id" => FieldKind::Id,
        "textarea" => FieldKind::LongText(number(1)),
        "email" => FieldKind::Formatted("email", number(1)),
        "phone" => FieldKind::Formatted("phone", number(1)),
        "url" => FieldKind::Formatted("url", number(1)),
        "address" => FieldKind::Formatted("address", 0),
        "picklist" => FieldKind::Picklist(list(), Restricted::No),
        "restricted" => FieldKind::Picklist(list(), Restricted::Yes),
        "double" => FieldKind::Number("double", number(1), number(2)),
        "currency" => FieldKind::Number("currency", number(1), number(2)),
        "percent" => FieldKind::Number("percent", number(1), number(2)),
        "int" => FieldKind::Number("int", number(1), 0),
        "date" => FieldKind::Date,
        "datetime" => FieldKind::DateTime,
        "boolean" => FieldKind::Checkbox(words.get(1) == Some(&"true")),
        "ref" => FieldKind::Reference(
            words.get(1).copied().unwrap_or_default().split(',').map(str::to_owned).collect(),
            words.get(2).map(|name| (*name).to_owned()),
        ),
        _ => FieldKind::Text(number(1)),
    }
}
