//! The objects that every org has, and the shape that change events give them.

pub(in crate::simulator) mod activities;
mod picklists;
mod setup;
mod standard;
mod table;
pub(in crate::simulator) mod tooling;

use super::model::{FieldDef, FieldKind, ObjectDef, PicklistValue};
use crate::domain::FieldType;

pub(in crate::simulator) use setup::{CONNECTED_APPLICATION, FIELD_PERMISSIONS, OAUTH_TOKEN};

pub use picklists::{StageDef, forecast_category, forecast_name, lead_statuses, stages};

/// All objects of a fresh org, before any package is deployed.
pub fn standard_objects() -> Vec<ObjectDef> {
    standard::TABLES.iter().chain(activities::TABLES).chain(setup::TABLES).map(table::parse).collect()
}

/// One standard object by name, letter case ignored.
pub fn standard_object(name: &str) -> Option<ObjectDef> {
    standard::TABLES
        .iter()
        .chain(activities::TABLES)
        .chain(setup::TABLES)
        .find(|table| table.name.eq_ignore_ascii_case(name))
        .map(table::parse)
}

/// The field that objects with record types have. Whether change events carry it depends on the org;
/// here they do not.
pub fn record_type_field() -> FieldDef {
    FieldDef {
        name: "RecordTypeId".to_owned(),
        label: "Record Type ID".to_owned(),
        custom_id: None,
        nillable: true,
        createable: true,
        updateable: true,
        has_fls: false,
        external_id: false,
        unique: false,
        in_change_events: false,
        kind: FieldKind::Reference(vec!["RecordType".to_owned()], Some("RecordType".to_owned())),
    }
}

/// A custom metadata type, or a custom object (`..__c`): its own fields come after these.
pub fn own_object(name: &str, label: &str, custom: Vec<FieldDef>) -> ObjectDef {
    let own = custom_prefix(name);
    let (prefix, dml, fields) = match name.ends_with("__c") {
        true => (own.as_str(), true, setup::CUSTOM_OBJECT),
        false => ("m00", false, setup::METADATA_TYPE),
    };
    let mut object = table::parse(&table::Table { name, label, prefix, dml, fields });
    object.fields.extend(custom);
    object
}

/// The prefix of a custom object's ids: `a` and two digits that follow from its name, so that
/// ids stay what they are when other objects come and go.
fn custom_prefix(name: &str) -> String {
    let sum = name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("a{:02}", sum % 100)
}

/// One top-level field of a change event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventField<'a> {
    /// A field of its own.
    Plain(&'a FieldDef),
    /// Parts of a compound field, in the order of the event's record.
    Compound {
        /// Name in the event, for example `Address`.
        name: &'static str,
        /// Record name: `Address` or `PersonName`.
        record: &'static str,
        /// Part name in the event and the REST field that holds it.
        parts: &'static [(&'static str, &'static str)],
    },
}

/// The fields of an object's change events in the event schema's order. `Id` is not
/// among them; parts of compound fields stand inside their compound.
/// Source: recorded schemas and the Change Data Capture guide's field orders.
pub fn event_fields(object: &ObjectDef) -> Vec<EventField<'_>> {
    let compounds = compounds(&object.name);
    let part_of = |name: &str| compounds.iter().any(|(_, _, parts)| parts.iter().any(|(_, f)| *f == name));
    let mut fields = Vec::new();
    for field in object.fields.iter().filter(|field| field.in_change_events) {
        if let Some((name, record, parts)) = compounds.iter().copied().find(|(name, ..)| *name == field.name)
        {
            fields.push(EventField::Compound { name, record, parts });
        } else if !part_of(&field.name) {
            fields.push(EventField::Plain(field));
        }
    }
    fields
}

type Parts = &'static [(&'static str, &'static str)];

macro_rules! address {
    ($prefix:literal) => {
        &[
            ("Street", concat!($prefix, "Street")),
            ("City", concat!($prefix, "City")),
            ("State", concat!($prefix, "State")),
            ("PostalCode", concat!($prefix, "PostalCode")),
            ("Country", concat!($prefix, "Country")),
            ("Latitude", concat!($prefix, "Latitude")),
            ("Longitude", concat!($prefix, "Longitude")),
            ("GeocodeAccuracy", concat!($prefix, "GeocodeAccuracy")),
        ]
    };
}

fn compounds(object: &str) -> &'static [(&'static str, &'static str, Parts)] {
    match object {
        "Lead" => &[
            (
                "Name",
                "PersonName",
                &[("Salutation", "Salutation"), ("FirstName", "FirstName"), ("LastName", "LastName")],
            ),
            ("Address", "Address", address!("")),
        ],
        "Contact" => &[
            (
                "Name",
                "PersonName",
                &[("Salutation", "Salutation"), ("FirstName", "FirstName"), ("LastName", "LastName")],
            ),
            ("OtherAddress", "Address", address!("Other")),
            ("MailingAddress", "Address", address!("Mailing")),
        ],
        "Account" => &[
            ("BillingAddress", "Address", address!("Billing")),
            ("ShippingAddress", "Address", address!("Shipping")),
        ],
        _ => &[],
    }
}

/// The gate's view of a field's type; `None` for compound fields, which hold no value.
pub fn field_type(kind: &FieldKind) -> Option<FieldType> {
    let active = |values: &[PicklistValue]| {
        values.iter().filter(|value| value.active).map(|value| value.value.clone()).collect()
    };
    Some(match kind {
        FieldKind::Formatted("address", _) => return None,
        FieldKind::Id | FieldKind::Reference(..) => FieldType::Reference,
        FieldKind::Text(length) | FieldKind::Formatted(_, length) => FieldType::Text { length: *length },
        FieldKind::LongText(length) => FieldType::LongText { length: *length },
        FieldKind::Picklist(values, restricted) => FieldType::Picklist {
            values: active(values),
            restricted: *restricted == super::model::Restricted::Yes,
        },
        FieldKind::MultiPicklist(values) => FieldType::MultiPicklist { values: active(values) },
        FieldKind::Number(_, precision, scale) => FieldType::Decimal { precision: *precision, scale: *scale },
        FieldKind::Date => FieldType::Date,
        FieldKind::DateTime => FieldType::DateTime,
        FieldKind::Checkbox(_) => FieldType::Bool,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_names(object: &str) -> Vec<String> {
        let object = standard_object(object).unwrap();
        event_fields(&object)
            .iter()
            .map(|field| match field {
                EventField::Plain(field) => field.name.clone(),
                EventField::Compound { name, .. } => (*name).to_owned(),
            })
            .collect()
    }

    #[test]
    fn event_positions_are_those_of_the_guide() {
        let lead = event_names("Lead");
        let at = |list: &[String], name: &str| list.iter().position(|field| field == name).map(|at| at + 1);
        for (name, position) in [("Name", 1), ("Address", 4), ("Status", 12), ("OwnerId", 17)] {
            assert_eq!(at(&lead, name), Some(position), "Lead.{name}");
        }
        assert_eq!(at(&lead, "LastModifiedById"), Some(28));
        assert_eq!(at(&lead, "GenderIdentity"), Some(41));
        assert_eq!(lead.len(), 41);
        let opportunity = event_names("Opportunity");
        for (name, position) in [("StageName", 5), ("Amount", 6), ("CloseDate", 10), ("NextStep", 12)] {
            assert_eq!(at(&opportunity, name), Some(position), "Opportunity.{name}");
        }
        assert_eq!(at(&opportunity, "LastModifiedDate"), Some(24));
        assert_eq!(opportunity.len(), 30);
        let contact = event_names("Contact");
        for (name, position) in [("AccountId", 1), ("IsPersonAccount", 2), ("Name", 3), ("OtherAddress", 4)] {
            assert_eq!(at(&contact, name), Some(position), "Contact.{name}");
        }
        for (name, position) in [("MailingAddress", 5), ("Phone", 6), ("Fax", 7), ("MobilePhone", 8)] {
            assert_eq!(at(&contact, name), Some(position), "Contact.{name}");
        }
        for (name, position) in [("Email", 13), ("Title", 14), ("OwnerId", 20), ("CreatedDate", 24)] {
            assert_eq!(at(&contact, name), Some(position), "Contact.{name}");
        }
        assert_eq!(at(&contact, "LastModifiedById"), Some(27));
        let account = event_names("Account");
        assert_eq!(at(&account, "LastModifiedDate"), Some(22), "as in the guide, without record types");
    }

    #[test]
    fn every_table_parses_and_names_are_distinct() {
        let objects = standard_objects();
        for object in &objects {
            assert_eq!(object.fields[0].name, "Id", "{}", object.name);
            let mut names: Vec<_> = object.fields.iter().map(|f| f.name.to_ascii_lowercase()).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), object.fields.len(), "{} names a field twice", object.name);
            assert_eq!(object.key_prefix.len(), 3, "{}", object.name);
        }
    }

    #[test]
    fn stage_and_status_take_any_text() {
        let lead = standard_object("lead").unwrap();
        let status = &lead.field("status").unwrap().kind;
        assert!(matches!(status, FieldKind::Picklist(_, super::super::model::Restricted::No)));
    }
}
