//! Record types: what they offer of each picklist.

use std::collections::BTreeMap;

use super::xml::{Draft, Element};

/// One record type of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTypeDef {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// New records may take it.
    pub active: bool,
    /// Values by picklist; a field that is absent offers all of its values.
    pub values: BTreeMap<String, Vec<String>>,
}

/// A record type. Values with reserved characters are not supported.
pub(super) fn record_type(at: &mut Draft, root: &Element) -> RecordTypeDef {
    let name = at.required(root, "fullName");
    at.api_name(&name);
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in root.all("picklistValues") {
        let picklist = at.required(entry, "picklist");
        let offered = entry.all("values").map(|value| at.required(value, "fullName")).collect();
        values.insert(picklist, offered);
    }
    RecordTypeDef { label: at.label(root, "label"), active: at.flag(root, "active"), name, values }
}
