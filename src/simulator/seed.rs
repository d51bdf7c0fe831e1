//! Invented records to start with: a small demo set, or many plain leads for load.

use std::{str::FromStr, sync::Arc};

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
    tz::TimeZone,
};
use serde_json::{Map, Value, json};

use super::{
    model::{FieldKind, Row},
    org::Org,
    write::{RowError, WriteOp, WriteOptions, WriteRow},
};
use crate::{
    domain::FieldValue,
    salesforce::names::{EVALUATED_AT, PROPOSAL_ID},
};

/// What an org starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// Nothing.
    None,
    /// Six accounts, twenty leads, twelve opportunities.
    Demo,
    /// This many plain leads, without events or history.
    Leads(usize),
    /// The same, and each carries a proposal that ended long ago.
    Proposed(usize),
    /// This many leads at work; of each fifty one is stale: its day of decay has come.
    Stale(usize),
}

/// A seed that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a seed: expected `none`, `demo`, `leads:NUMBER`, `proposed:NUMBER` or `stale:NUMBER`")]
pub struct SeedError(String);

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "demo" => Ok(Self::Demo),
            Some(("leads", number)) => {
                number.parse().map(Self::Leads).map_err(|_| SeedError(text.to_owned()))
            }
            Some(("proposed", number)) => {
                number.parse().map(Self::Proposed).map_err(|_| SeedError(text.to_owned()))
            }
            Some(("stale", number)) => {
                number.parse().map(Self::Stale).map_err(|_| SeedError(text.to_owned()))
            }
            _ => Err(SeedError(text.to_owned())),
        }
    }
}

/// Plants the seed, unless the org already has leads (a loaded state file).
pub fn plant(org: &Org, seed: Seed) -> Result<(), RowError> {
    if org.row_count("Lead") > 0 {
        return Ok(());
    }
    match seed {
        Seed::None => Ok(()),
        Seed::Demo => demo(org),
        Seed::Leads(count) => {
            bulk_leads(org, count);
            Ok(())
        }
        Seed::Proposed(count) => {
            planted(org, count, |row, number| {
                row.insert(PROPOSAL_ID.to_owned(), FieldValue::text(format!("old:{number}")));
                row.insert(EVALUATED_AT.to_owned(), FieldValue::DateTime(Timestamp::UNIX_EPOCH));
            });
            Ok(())
        }
        Seed::Stale(count) => {
            planted(org, count, |row, number| {
                let day = if number % 50 == 0 { date(2020, 1, 1) } else { date(2999, 12, 31) };
                row.insert("Status".to_owned(), FieldValue::text(WORKING));
                row.insert(DECAY_ELIGIBLE.to_owned(), FieldValue::Date(day));
                row.insert(STATUS_CHANGED.to_owned(), FieldValue::DateTime(Timestamp::UNIX_EPOCH));
            });
            Ok(())
        }
    }
}

const ACCOUNTS: &[(&str, &str)] = &[
    ("Example Widgets Ltd", "Manufacturing"),
    ("Placeholder Paper Mills", "Manufacturing"),
    ("Sample Freight Lines", "Transportation"),
    ("Imaginary Insurance Co", "Insurance"),
    ("Fictional Foods Group", "Food & Beverage"),
    ("Specimen Software Studio", "Technology"),
];

/// First name, last name, company, status, source.
const LEADS: &[(&str, &str, &str, &str, &str)] = &[
    ("Alma", "Example", "Example Hardware Ltd", OPEN, "Web"),
    ("Bruno", "Sample", "Sample Logistics", OPEN, "Web"),
    ("Carla", "Placeholder", "Placeholder Dental", WORKING, "Phone Inquiry"),
    ("Dario", "Fictional", "Fictional Gardens", OPEN, "Partner Referral"),
    ("Edith", "Specimen", "Specimen Glass Works", WORKING, "Web"),
    ("Felix", "Mockup", "Mockup Motors", OPEN, "Other"),
    ("Greta", "Invented", "Invented Textiles", OPEN, "Purchased List"),
    ("Hugo", "Makebelieve", "Makebelieve Toys", WORKING, "Web"),
    ("Ines", "Example", "Example Bakery Ltd", OPEN, "Phone Inquiry"),
    ("Jonas", "Sample", "Sample Surveyors", CLOSED, "Web"),
    ("Klara", "Placeholder", "Placeholder Optics", OPEN, "Web"),
    ("Leo", "Fictional", "Fictional Ferries", WORKING, "Partner Referral"),
    ("Mona", "Specimen", "Specimen Labs", OPEN, "Other"),
    ("Nils", "Mockup", "Mockup Media", OPEN, "Web"),
    ("Olga", "Invented", "Invented Airships", WORKING, "Phone Inquiry"),
    ("Pavel", "Makebelieve", "Makebelieve Mining", OPEN, "Web"),
    ("Quinn", "Example", "Example Clinics Ltd", OPEN, "Purchased List"),
    ("Rosa", "Sample", "Sample Solar", WORKING, "Web"),
    ("Sami", "Placeholder", "Placeholder Ports", CLOSED, "Web"),
    ("Tilda", "Fictional", "Fictional Fisheries", OPEN, "Partner Referral"),
];

/// The day from which on a lead may move back.
const DECAY_ELIGIBLE: &str = "Decay_Eligible_Date__c";
/// When its status last changed.
const STATUS_CHANGED: &str = "Lead_Status_Changed_Date__c";

const OPEN: &str = "Open - Not Contacted";
const WORKING: &str = "Working - Contacted";
const CLOSED: &str = "Closed - Not Converted";

/// Name, account, stage, amount, days until the close date, next step.
type Deal = (&'static str, usize, &'static str, Option<i64>, i64, &'static str);

const OPPORTUNITIES: &[Deal] = &[
    ("Widget line renewal", 0, "Prospecting", Some(12_000), 45, "Call the buyer"),
    ("Press brake upgrade", 0, "Prospecting", Some(84_500), 60, "Send the data sheet"),
    ("Pulp dryer", 1, "Needs Analysis", Some(230_000), 90, "Site visit"),
    ("Paper grading sensors", 1, "Value Proposition", Some(41_250), 30, "Business case review"),
    ("Trailer telematics", 2, "Proposal/Price Quote", Some(66_000), 21, "Wait for legal"),
    ("Depot scanners", 2, "Negotiation/Review", Some(18_900), 14, "Final price call"),
    ("Claims portal", 3, "Id. Decision Makers", Some(150_000), 75, "Meet the sponsor"),
    ("Fraud pilot", 3, "Prospecting", None, 120, ""),
    ("Cold store control", 4, "Perception Analysis", Some(97_400), 40, "Reference visit"),
    ("Recipe library", 4, "Closed Lost", Some(9_800), -10, ""),
    ("Build farm seats", 5, "Closed Won", Some(27_000), -3, ""),
    ("Support extension", 5, "Prospecting", Some(7_500), 35, "Confirm the seat count"),
];

fn demo(org: &Org) -> Result<(), RowError> {
    let today = org.now_seconds().to_zoned(TimeZone::UTC).date();
    let accounts = ACCOUNTS.iter().map(|(name, industry)| {
        json!({"Name": name, "Industry": industry, "Type": "Prospect", "BillingCountry": "Exampleland"})
    });
    let accounts = create(org, "Account", accounts.collect())?;
    let leads = LEADS.iter().map(|(first, last, company, status, source)| {
        let host = company.to_lowercase().replace(' ', "-");
        json!({
            "FirstName": first, "LastName": last, "Company": company, "Status": status,
            "LeadSource": source, "Email": format!("{}@{host}.example", first.to_lowercase()),
        })
    });
    create(org, "Lead", leads.collect())?;
    let opportunities = OPPORTUNITIES.iter().map(|(name, account, stage, amount, days, step)| {
        json!({
            "Name": name, "AccountId": accounts.get(*account), "StageName": stage, "Amount": amount,
            "CloseDate": in_days(today, *days).to_string(), "NextStep": step,
        })
    });
    create(org, "Opportunity", opportunities.collect())?;
    Ok(())
}

fn in_days(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).unwrap_or(day)
}

fn create(org: &Org, object: &str, records: Vec<Value>) -> Result<Vec<String>, RowError> {
    let Some(admin) = org.user("admin") else { return Ok(Vec::new()) };
    let rows = records.into_iter().map(|record| WriteRow {
        op: WriteOp::Create,
        object: object.to_owned(),
        id: None,
        fields: match record {
            Value::Object(fields) => fields,
            _ => Map::new(),
        },
    });
    let options = WriteOptions { auto_assign: false, ..WriteOptions::default() };
    let results = org.write(&admin, &options, rows.collect());
    let mut ids = Vec::with_capacity(results.len());
    for result in results {
        match (result.id, result.errors.into_iter().next()) {
            (Some(id), None) => ids.push(id),
            (_, error) => return Err(error.unwrap_or_else(|| RowError::new("UNKNOWN_EXCEPTION", "no id"))),
        }
    }
    Ok(ids)
}

/// Puts plain leads straight into the table: no rules, history or events. Returns their ids.
pub fn bulk_leads(org: &Org, count: usize) -> Vec<String> {
    planted(org, count, |_, _| {})
}

fn planted(org: &Org, count: usize, more: impl Fn(&mut Row, usize)) -> Vec<String> {
    let (Some(object), Some(admin)) = (org.object("Lead"), org.user("admin")) else { return Vec::new() };
    let now = FieldValue::DateTime(org.now_seconds());
    let owner = FieldValue::text(admin.user_id);
    let mut template: Row = object
        .fields
        .iter()
        .filter_map(|field| match field.kind {
            FieldKind::Checkbox(on) => Some((field.name.clone(), FieldValue::Bool(on))),
            _ => None,
        })
        .collect();
    template.insert("Status".to_owned(), FieldValue::text(OPEN));
    for stamp in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
        template.insert(stamp.to_owned(), now.clone());
    }
    for user in ["OwnerId", "CreatedById", "LastModifiedById"] {
        template.insert(user.to_owned(), owner.clone());
    }
    let _turn = org.0.gate.enter();
    let mut state = org.write_state();
    let mut ids = Vec::with_capacity(count);
    for number in 1..=count {
        let id = state.ids.next(&object.key_prefix);
        let mut row = template.clone();
        for (field, text) in [
            ("Id", id.clone()),
            ("LastName", format!("Example {number}")),
            ("Name", format!("Example {number}")),
            ("Company", format!("Example Company {number}")),
        ] {
            row.insert(field.to_owned(), FieldValue::text(text));
        }
        more(&mut row, number);
        state.table_mut(&object).put(&id, Some(Arc::new(row)), None);
        ids.push(id);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        simulator::{OrgOptions, metadata::Package},
    };

    #[test]
    fn the_demo_is_the_same_every_time() {
        let start = "2026-03-02T09:00:00Z".parse().unwrap();
        let ids = || {
            let org = Org::new(OrgOptions::new(Clock::manual(start), Package::default())).unwrap();
            plant(&org, Seed::Demo).unwrap();
            plant(&org, Seed::Demo).unwrap();
            assert_eq!((org.row_count("Lead"), org.row_count("Opportunity")), (20, 12));
            org.rows("Lead", false).iter().map(|row| row["Id"].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids(), ids());
    }

    #[test]
    fn seeds_have_names() {
        assert_eq!("leads:500".parse(), Ok(Seed::Leads(500)));
        assert_eq!("proposed:7".parse(), Ok(Seed::Proposed(7)));
        assert_eq!("stale:50".parse(), Ok(Seed::Stale(50)));
        assert!("leads:many".parse::<Seed>().is_err() && "dem".parse::<Seed>().is_err());
    }
}
