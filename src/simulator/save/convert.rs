//! Lead conversion, as `convertLead` of the SOAP API does it: one transaction makes the account,
//! the contact and the opportunity, and closes the lead. REST has no such call.
//!
//! Rules and flows of the lead run only where the org says so (Setup, Lead Settings, Require
//! Validation for Converted Leads). A lead of a person has no company; what becomes of it (a person
//! account) is not played.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Context, Outcome, Save, fail};
use crate::{
    domain::FieldValue,
    simulator::{
        model::{ChangeKind, Row},
        schema,
        state::{Journal, State},
        write::{WriteOp, WriteRow},
    },
};

/// What became of a lead.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Converted {
    /// Its account.
    pub account: String,
    /// Its contact.
    pub contact: String,
    /// Its opportunity, when one was asked for.
    pub opportunity: Option<String>,
}

/// Converts a lead. On an error the caller undoes what the journal holds since.
pub(in crate::simulator) fn lead(
    context: &Context<'_>,
    state: &mut State,
    journal: &mut Journal,
    (id, opportunity): (&str, bool),
) -> Outcome<Converted> {
    let Some(object) = context.org.object("Lead") else {
        return fail("INVALID_TYPE", "the org has no leads");
    };
    let old = Save { context, state, journal, object: Arc::clone(&object) }.writable(id)?;
    let text = |field: &str| old.get(field).and_then(FieldValue::as_text).unwrap_or_default().to_owned();
    let company = text("Company");
    let mut made = |object: &str, fields: Value| -> Outcome<String> {
        let fields: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
        let row = WriteRow { op: WriteOp::Create, object: object.to_owned(), id: None, fields };
        Ok(super::row(context, state, journal, &row)?.id.unwrap_or_default())
    };
    let account = made("Account", json!({ "Name": company }))?;
    let person =
        json!({ "FirstName": text("FirstName"), "LastName": text("LastName"), "AccountId": account });
    let contact = made("Contact", person)?;
    let close = (context.now.to_zoned(jiff::tz::TimeZone::UTC).date()).to_string();
    let opportunity = match opportunity {
        true => {
            let name = format!("{company}-");
            let fields =
                json!({ "Name": name, "StageName": "Prospecting", "CloseDate": close, "AccountId": account });
            Some(made("Opportunity", fields)?)
        }
        false => None,
    };
    let converted = Converted { account, contact, opportunity };
    let mut save = Save { context, state, journal, object };
    save.close_lead(id, &old, &converted)?;
    Ok(converted)
}

impl Save<'_> {
    fn close_lead(&mut self, id: &str, old: &Arc<Row>, converted: &Converted) -> Outcome<()> {
        let status = schema::lead_statuses().iter().find(|(_, _, converted)| *converted);
        let Some((status, ..)) = status else {
            return fail("INVALID_STATUS", "the org has no status for converted leads");
        };
        let mut given = Row::from([
            ("Status".to_owned(), FieldValue::text(*status)),
            ("IsConverted".to_owned(), FieldValue::Bool(true)),
            (
                "ConvertedDate".to_owned(),
                FieldValue::Date(self.context.now.to_zoned(jiff::tz::TimeZone::UTC).date()),
            ),
            ("ConvertedAccountId".to_owned(), FieldValue::text(converted.account.clone())),
            ("ConvertedContactId".to_owned(), FieldValue::text(converted.contact.clone())),
        ]);
        if let Some(opportunity) = &converted.opportunity {
            given.insert("ConvertedOpportunityId".to_owned(), FieldValue::text(opportunity.clone()));
        }
        let mut row = (**old).clone();
        row.extend(given.clone());
        let validated = self.context.org.settings().conversion_is_validated;
        if validated {
            self.before_flows(Some(old), given, &mut row)?;
            self.run_rules(Some(old), &row)?;
        }
        row.retain(|_, value| !value.is_null());
        self.stamp(&mut row);
        self.history(id, Some(old), &row);
        let mut changed = self.difference(old, &row);
        // The documentation shows both; no recording is known.
        if !self.context.org.settings().conversion_event_has_last_modified {
            changed.remove("LastModifiedDate");
        }
        let row = Arc::new(row);
        self.put(id, Some(Arc::clone(&row)), None);
        self.publish(id, ChangeKind::Update, changed);
        if validated {
            self.after_flows(Some(old), &row)?;
        }
        Ok(())
    }
}
