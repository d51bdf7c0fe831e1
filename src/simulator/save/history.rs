//! Field history and opportunity history, as rows that clients can query.

use std::sync::Arc;

use super::{
    super::model::{FieldKind, ObjectDef, Row},
    Save,
};
use crate::domain::FieldValue;

const OPPORTUNITY_FIELDS: &[&str] = &["Amount", "Probability", "StageName", "CloseDate"];

/// One tracked change.
struct Entry<'a> {
    field: &'a str,
    data_type: &'static str,
    old: FieldValue,
    new: FieldValue,
}

impl Save<'_> {
    /// Records what this save did to tracked fields.
    pub(super) fn history(&mut self, id: &str, old: Option<&Row>, new: &Row) {
        let object = Arc::clone(&self.object);
        let (table, parent) = match object.name.as_str() {
            "Lead" => ("LeadHistory", "LeadId"),
            "Opportunity" => ("OpportunityFieldHistory", "OpportunityId"),
            _ => return,
        };
        let org = self.context.org;
        let Some(history) = org.object(table) else { return };
        match old {
            None => {
                let created = Entry {
                    field: "created",
                    data_type: "Text",
                    old: FieldValue::Null,
                    new: FieldValue::Null,
                };
                self.field_history(&history, (parent, id), created);
            }
            Some(old) => {
                for name in org.settings().history_fields.get(&object.name).into_iter().flatten() {
                    let (before, after) = (old.get(name), new.get(name));
                    let Some(field) = object.field(name).filter(|_| before != after) else { continue };
                    let entry = Entry {
                        field: &field.name,
                        data_type: data_type(&field.kind),
                        old: before.cloned().unwrap_or_default(),
                        new: after.cloned().unwrap_or_default(),
                    };
                    self.field_history(&history, (parent, id), entry);
                }
            }
        }
        let moved =
            old.is_none_or(|old| OPPORTUNITY_FIELDS.iter().any(|field| old.get(*field) != new.get(*field)));
        if moved && object.name == "Opportunity" {
            self.opportunity_history(id, old, new);
        }
    }

    fn field_history(&mut self, history: &ObjectDef, parent: (&str, &str), entry: Entry<'_>) {
        let row = Row::from([
            (parent.0.to_owned(), FieldValue::text(parent.1)),
            ("Field".to_owned(), FieldValue::text(entry.field)),
            ("DataType".to_owned(), FieldValue::text(entry.data_type)),
            ("OldValue".to_owned(), entry.old),
            ("NewValue".to_owned(), entry.new),
        ]);
        self.add_history(history, row);
    }

    fn opportunity_history(&mut self, id: &str, old: Option<&Row>, new: &Row) {
        let Some(history) = self.context.org.object("OpportunityHistory") else { return };
        let mut row = Row::from([("OpportunityId".to_owned(), FieldValue::text(id))]);
        for field in
            ["StageName", "Amount", "ExpectedRevenue", "CloseDate", "Probability", "ForecastCategory"]
        {
            row.insert(field.to_owned(), new.get(field).cloned().unwrap_or_default());
        }
        if let Some(old) = old {
            row.insert("PrevAmount".to_owned(), old.get("Amount").cloned().unwrap_or_default());
            row.insert("PrevCloseDate".to_owned(), old.get("CloseDate").cloned().unwrap_or_default());
        }
        row.insert("SystemModstamp".to_owned(), FieldValue::DateTime(self.context.now));
        self.add_history(&history, row);
    }

    fn add_history(&mut self, history: &ObjectDef, mut row: Row) {
        let id = self.state.ids.next(&history.key_prefix);
        row.insert("Id".to_owned(), FieldValue::text(id.clone()));
        row.insert("IsDeleted".to_owned(), FieldValue::Bool(false));
        row.insert("CreatedDate".to_owned(), FieldValue::DateTime(self.context.now));
        row.insert("CreatedById".to_owned(), FieldValue::text(self.context.user.user_id.clone()));
        row.retain(|_, value| !value.is_null());
        self.put_in(history, &id, Some(Arc::new(row)), None);
    }
}

fn data_type(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Picklist(..) => "DynamicEnum",
        FieldKind::Number("currency", ..) => "Currency",
        FieldKind::Number(..) => "Double",
        FieldKind::Date => "DateOnly",
        FieldKind::DateTime => "DateTime",
        FieldKind::Checkbox(_) => "Boolean",
        FieldKind::Reference(..) => "EntityId",
        _ => "Text",
    }
}
