//! Lead conversion as one transaction.

use super::{
    Org,
    save::{Context, convert},
    users::UserContext,
    write::{RowError, WriteOptions},
};
pub use convert::Converted;

impl Org {
    /// Converts a lead as this user, over the SOAP API; the lead cannot be edited afterwards.
    pub fn convert_lead(
        &self,
        user: &UserContext,
        lead: &str,
        opportunity: bool,
    ) -> Result<Converted, Vec<RowError>> {
        let options = WriteOptions { api: "soap", ..WriteOptions::default() };
        let context =
            Context { org: self, user, options: &options, now: self.now_seconds(), system: true, depth: 0 };
        let mut transaction = self.begin();
        let converted = transaction.with_state(&context, |state, journal| {
            convert::lead(&context, state, journal, (lead, opportunity))
        })?;
        transaction.commit();
        Ok(converted)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        clock::Clock,
        domain::FieldValue,
        simulator::{
            OrgOptions, Settings, WriteOp, WriteRow, metadata::Package, model::Row, write::RowResult,
        },
    };

    fn org(conversion_is_validated: bool) -> Org {
        let clock = Clock::manual("2026-03-02T09:00:00Z".parse().unwrap());
        let settings = Settings { conversion_is_validated, ..Settings::default() };
        let options = OrgOptions { settings, ..OrgOptions::new(clock, Package::embedded().unwrap()) };
        Org::new(options).unwrap()
    }

    fn write(org: &Org, op: WriteOp, id: Option<&str>, fields: Value) -> RowResult {
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        let row = WriteRow { op, object: "Lead".into(), id: id.map(str::to_owned), fields };
        org.write(&org.user("admin").unwrap(), &WriteOptions::default(), vec![row]).remove(0)
    }

    fn lead(org: &Org) -> String {
        let fields = json!({"LastName": "Example", "Company": "Example Widgets Ltd"});
        write(org, WriteOp::Create, None, fields).id.unwrap()
    }

    fn source(row: &Row) -> Option<&str> {
        row.get("Lead_Status_Change_Source__c").and_then(FieldValue::as_text)
    }

    #[test]
    fn one_transaction_closes_the_lead_and_makes_the_rest() {
        let org = org(false);
        let id = lead(&org);
        let tip = org.tip();
        let made = org.convert_lead(&org.user("reviewer").unwrap(), &id, true).unwrap();
        let row = org.row("Lead", &id).unwrap();
        assert_eq!(row["Status"].as_text(), Some("Closed - Converted"));
        assert!(row["IsConverted"].as_bool());
        let opportunity = made.opportunity.expect("one was asked for");
        assert_eq!(row["ConvertedOpportunityId"].as_text(), Some(opportunity.as_str()));
        assert_eq!(
            org.row("Opportunity", &opportunity).unwrap()["AccountId"].as_text(),
            Some(made.account.as_str())
        );
        let events = org.changes_after(tip, 9).records;
        let event = events.iter().find(|event| event.object == "Lead").unwrap();
        for field in ["Status", "IsConverted", "ConvertedDate", "ConvertedAccountId", "ConvertedContactId"] {
            assert!(event.changed.contains_key(field), "{field}");
        }
        assert!(!event.changed.contains_key("LastModifiedDate"), "as the setting says");
        assert_eq!(source(&row), None, "no flow ran");

        let refused = write(&org, WriteOp::Update, Some(&id), json!({"Title": "x"}));
        assert_eq!(refused.errors[0].code, "CANNOT_UPDATE_CONVERTED_LEAD");
        let twice = org.convert_lead(&org.user("admin").unwrap(), &id, false).unwrap_err();
        assert_eq!(twice[0].code, "CANNOT_UPDATE_CONVERTED_LEAD");
    }

    #[test]
    fn with_validation_the_flows_and_rules_of_the_lead_run() {
        let org = org(true);
        let id = lead(&org);
        org.convert_lead(&org.user("reviewer").unwrap(), &id, false).unwrap();
        assert_eq!(source(&org.row("Lead", &id).unwrap()), Some("Human"));

        let other = lead(&org);
        let accounts = org.rows("Account", false).len();
        let errors = org.convert_lead(&org.user("proposer").unwrap(), &other, false).unwrap_err();
        assert!(errors[0].message.starts_with("AI_GATE_01"), "an agent does not convert: {errors:?}");
        assert_eq!(org.rows("Account", false).len(), accounts, "nothing half-done");
        assert!(!org.row("Lead", &other).unwrap()["IsConverted"].as_bool());
    }
}
