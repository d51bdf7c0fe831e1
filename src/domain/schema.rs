//! What the org says about an object: the facts that the gate checks values against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    digest::{CanonicalError, Digest},
    ids::{FieldName, ObjectName, RecordId},
};

/// The type of a field, with the limits that a value must keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldType {
    /// Single-line text, at most `length` characters.
    Text {
        /// Most characters.
        #[serde(with = "number")]
        length: u32,
    },
    /// Long text, at most `length` characters.
    LongText {
        /// Most characters.
        #[serde(with = "number")]
        length: u32,
    },
    /// One of the active values; Salesforce itself enforces it only when `restricted`.
    Picklist {
        /// Active values in the org's order.
        values: Vec<String>,
        /// Whether the org refuses other values.
        restricted: bool,
    },
    /// Several of the active values, joined by `;`.
    MultiPicklist {
        /// Active values in the org's order.
        values: Vec<String>,
    },
    /// A number with `precision` digits, `scale` of them after the point.
    Decimal {
        /// All digits.
        #[serde(with = "number")]
        precision: u32,
        /// Digits after the point.
        #[serde(with = "number")]
        scale: u32,
    },
    /// A calendar day.
    Date,
    /// A moment.
    DateTime,
    /// A checkbox.
    Bool,
    /// An 18-character record id.
    Reference,
}

/// One field as the promoter sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSchema {
    /// Type and limits.
    pub field_type: FieldType,
    /// Whether the promoter may write it (permissions and formula fields included).
    pub updateable: bool,
    /// Whether it may be empty.
    pub nillable: bool,
}

/// One object as the promoter sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectSchema {
    /// API name.
    pub object: ObjectName,
    /// Fields by API name; a field that is absent here does not exist or is hidden.
    pub fields: BTreeMap<FieldName, FieldSchema>,
    /// Fields for which the org's own switch lets a promotion run with no person.
    pub auto_allowed: Vec<FieldName>,
    /// Fields without which the org makes no record; only of objects whose records are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<FieldName>,
    /// Record types by id, where the object has several that narrow a governed field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub record_types: BTreeMap<RecordId, RecordTypeSchema>,
}

/// What one record type offers of the governed picklists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordTypeSchema {
    /// Its name, for people.
    pub name: String,
    /// Values by picklist field; a field that is absent is not narrowed.
    pub values: BTreeMap<FieldName, Vec<String>>,
}

impl ObjectSchema {
    /// SHA-256 of the canonical form: under it the ledger keeps what verdicts rested on.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of(self)
    }

    /// The active picklist values of a field, when it is a picklist.
    pub fn picklist(&self, field: &FieldName) -> Option<&[String]> {
        match &self.fields.get(field)?.field_type {
            FieldType::Picklist { values, .. } | FieldType::MultiPicklist { values } => Some(values),
            _ => None,
        }
    }
}

/// Whole numbers as text, because canonical JSON holds no numbers. Files that people write may
/// hold either.
mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Number(u32),
    }

    pub(super) fn serialize<S: Serializer>(number: &u32, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
        match Written::deserialize(input)? {
            Written::Number(number) => Ok(number),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> ObjectSchema {
        let field =
            |kind: &str| format!(r#"{{ "field_type": {kind}, "updateable": true, "nillable": true }}"#);
        let stage = field(r#"{ "type": "picklist", "values": ["Won", "Lost"], "restricted": true }"#);
        let regions = field(r#"{ "type": "multi_picklist", "values": ["North"] }"#);
        serde_json::from_str(&format!(
            r#"{{ "object": "Opportunity", "auto_allowed": [], "fields":
                {{ "StageName": {stage}, "Regions": {regions}, "NextStep": {} }} }}"#,
            field(text)
        ))
        .unwrap()
    }

    #[test]
    fn only_picklists_have_values() {
        let schema = described(r#"{ "type": "text", "length": 255 }"#);
        let values = |field: &str| schema.picklist(&FieldName::parse(field).unwrap()).map(<[String]>::to_vec);
        assert_eq!(values("StageName"), Some(vec!["Won".to_owned(), "Lost".to_owned()]));
        assert_eq!(values("Regions"), Some(vec!["North".to_owned()]));
        assert_eq!((values("NextStep"), values("Mood")), (None, None));
    }

    #[test]
    fn lengths_are_read_as_number_or_text_and_written_as_text() {
        let (number, text) = (
            described(r#"{ "type": "text", "length": 255 }"#),
            described(r#"{ "type": "text", "length": "255" }"#),
        );
        assert_eq!(number, text);
        assert_eq!(number.digest(), text.digest());
        let shorter = described(r#"{ "type": "text", "length": 254 }"#);
        assert_ne!(number.digest().unwrap(), shorter.digest().unwrap());
        let field = &number.fields[&FieldName::parse("NextStep").unwrap()].field_type;
        assert_eq!(serde_json::to_string(field).unwrap(), r#"{"type":"text","length":"255"}"#);
    }
}
