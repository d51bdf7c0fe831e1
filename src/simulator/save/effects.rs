//! What a save does beyond the values it was given: names, stages, owners.

use rust_decimal::Decimal;

use super::{
    super::{model::Row, schema, settings::UnlistedStage, write::RowError},
    Save,
};
use crate::domain::FieldValue;

impl Save<'_> {
    /// Sets derived fields. `given` is what the call named.
    pub(super) fn derive(&self, old: Option<&Row>, given: &Row, row: &mut Row) {
        match self.object.name.as_str() {
            "Lead" | "Contact" => person_name(row),
            "Opportunity" => self.stage(old, given, row),
            "Task" => {
                let closed = row.get("Status").and_then(FieldValue::as_text) == Some("Completed");
                row.insert("IsClosed".to_owned(), FieldValue::Bool(closed));
            }
            _ => {}
        }
        let owner_moved = old.is_some_and(|old| old.get("OwnerId") != row.get("OwnerId"));
        if owner_moved && self.object.name == "Lead" {
            let today = self.context.now.to_zoned(jiff::tz::TimeZone::UTC).date();
            row.insert("LastTransferDate".to_owned(), FieldValue::Date(today));
        }
    }

    /// Refuses a new value that the record's own type does not offer. Whether a real org does so for
    /// picklists that are not restricted is unconfirmed.
    pub(super) fn offered_by_type(&self, old: Option<&Row>, row: &Row) -> super::Outcome<()> {
        let Some(own) = row.get("RecordTypeId").and_then(FieldValue::as_text) else { return Ok(()) };
        let known = self.state.table("RecordType").and_then(|table| table.live(own));
        let name = known.and_then(|known| known.get("DeveloperName")).and_then(FieldValue::as_text);
        let deployed = self.context.org.deployed();
        let added = deployed.package.objects.get(&self.object.name);
        let types = added.map(|added| added.record_types.as_slice()).unwrap_or_default();
        let Some(own) = types.iter().find(|own| Some(own.name.as_str()) == name) else { return Ok(()) };
        for (field, offered) in &own.values {
            let value = row.get(field).filter(|value| old.is_none_or(|old| old.get(field) != Some(value)));
            let Some(text) = value.and_then(FieldValue::as_text) else { continue };
            if let Some(part) = text.split(';').find(|part| !offered.iter().any(|value| value == part)) {
                let message = format!("bad value for restricted picklist field: {part}");
                let code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST";
                return Err(vec![RowError::on(code, message, field)]);
            }
        }
        Ok(())
    }

    /// An active assignment rule takes created and updated leads, unless the call says no.
    pub(super) fn assign_owner(&self, row: &mut Row) {
        let rule = &self.context.org.settings().lead_assignment_owner;
        if let (true, "Lead", Some(owner)) =
            (self.context.options.auto_assign, self.object.name.as_str(), rule)
        {
            row.insert("OwnerId".to_owned(), FieldValue::text(owner.clone()));
        }
    }

    /// A stage brings its probability, category and closed flags, unless they were sent too.
    fn stage(&self, old: Option<&Row>, given: &Row, row: &mut Row) {
        let stage = row.get("StageName").cloned().unwrap_or_default();
        let moved = old.is_none_or(|old| old.get("StageName") != Some(&stage));
        if moved {
            let name = stage.as_text().unwrap_or_default();
            let known = schema::stages().iter().find(|def| def.name == name);
            match (known, self.context.org.settings().unlisted_stage) {
                (Some(def), _) => {
                    fill(given, row, "Probability", decimal(Decimal::from(def.probability)));
                    set_category(given, row, def.category);
                    row.insert("IsClosed".to_owned(), FieldValue::Bool(def.closed));
                    row.insert("IsWon".to_owned(), FieldValue::Bool(def.won));
                }
                (None, UnlistedStage::Zero) => {
                    fill(given, row, "Probability", decimal(Decimal::ZERO));
                    set_category(given, row, "Omitted");
                    row.insert("IsClosed".to_owned(), FieldValue::Bool(false));
                    row.insert("IsWon".to_owned(), FieldValue::Bool(false));
                }
                (None, UnlistedStage::Keep) => {}
            }
            if old.is_some() {
                row.insert("LastStageChangeDate".to_owned(), FieldValue::DateTime(self.context.now));
            }
        }
        if given.contains_key("ForecastCategoryName") {
            let name = row.get("ForecastCategoryName").and_then(FieldValue::as_text).unwrap_or_default();
            let category = schema::forecast_category(name);
            row.insert("ForecastCategory".to_owned(), FieldValue::text(category));
        }
        let number = |field: &str| row.get(field).and_then(FieldValue::as_decimal);
        let expected = match (number("Amount"), number("Probability")) {
            (Some(amount), Some(percent)) => decimal((amount * percent / Decimal::from(100)).round_dp(2)),
            _ => FieldValue::Null,
        };
        row.insert("ExpectedRevenue".to_owned(), expected);
    }
}

fn person_name(row: &mut Row) {
    let part = |field: &str| row.get(field).and_then(FieldValue::as_text).map(str::to_owned);
    let name: Vec<String> = [part("FirstName"), part("LastName")].into_iter().flatten().collect();
    row.insert("Name".to_owned(), FieldValue::text(name.join(" ")));
}

fn set_category(given: &Row, row: &mut Row, category: &str) {
    fill(given, row, "ForecastCategoryName", FieldValue::text(schema::forecast_name(category)));
    if !given.contains_key("ForecastCategoryName") {
        row.insert("ForecastCategory".to_owned(), FieldValue::text(category));
    }
}

fn fill(given: &Row, row: &mut Row, field: &str, value: FieldValue) {
    if !given.contains_key(field) {
        row.insert(field.to_owned(), value);
    }
}

fn decimal(number: Decimal) -> FieldValue {
    FieldValue::decimal(number)
}
