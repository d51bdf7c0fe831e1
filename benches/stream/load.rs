//! The org under load: lead changes in the mix that the first measurements used, 80 %
//! updates of 4 to 8 fields, 15 % creations with many fields, 5 % deletions.

use std::{collections::BTreeMap, time::Duration};

use countersign::{
    clock::Clock,
    domain::FieldValue,
    simulator::{
        InjectedChange, Org, OrgOptions, Settings, ids,
        metadata::Package,
        model::ChangeKind,
        server::{self, ServerOptions},
    },
};
use serde_json::json;

/// Fields of an update, taken in turn.
const UPDATED: [&str; 8] =
    ["Status", "Title", "Rating", "AnnualRevenue", "City", "Description", "NumberOfEmployees", "FirstName"];

/// What a creation carries besides.
const CREATED: [&str; 12] = [
    "LastName",
    "Company",
    "Street",
    "State",
    "PostalCode",
    "Country",
    "Phone",
    "Email",
    "Website",
    "LeadSource",
    "Industry",
    "OwnerId",
];

/// Preloads the bus, serves over TLS, says where on one line, and runs until killed.
pub fn serve(events: u32) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let settings = Settings { daily_event_deliveries: u64::MAX / 2, ..Settings::default() };
        let options = OrgOptions { settings, ..OrgOptions::new(Clock::system(), Package::default()) };
        let org = Org::new(options).map_err(|error| error.to_string())?;
        let user = org.user("admin").ok_or("the org has no admin")?.user_id;
        let place = org.tip().to_be_bytes();
        for first in (0..events).step_by(10_000) {
            let last = events.min(first + 10_000);
            let changes = (first..last).map(|number| change(number, &user)).collect();
            org.inject_changes(&user, "com/salesforce/api/rest/67.0;client=benchmark", changes);
        }
        let token = org.open_session(&user, Duration::from_secs(86_400));
        let options = ServerOptions { tls: true, ..ServerOptions::default() };
        let running = server::start(org.clone(), options).await.map_err(|error| error.to_string())?;
        let line = json!({
            "endpoint": running.pubsub_endpoint,
            "ca_pem": running.ca_pem,
            "instance_url": running.instance_url,
            "org_id": org.org_id(),
            "token": token,
            "topic": super::TOPIC,
            "place": place,
            "events": events,
        });
        println!("{line}");
        std::future::pending::<()>().await;
        Ok(())
    })
}

fn change(number: u32, user: &str) -> InjectedChange {
    let kind = match number % 20 {
        0 => ChangeKind::Delete,
        1..=3 => ChangeKind::Create,
        _ => ChangeKind::Update,
    };
    let mut changed = BTreeMap::new();
    if kind != ChangeKind::Delete {
        let fields = 4 + (number % 5) as usize;
        let start = number as usize;
        for field in (0..fields).map(|offset| UPDATED[(start + offset) % UPDATED.len()]) {
            changed.insert(field.to_owned(), value(field, number));
        }
        changed.insert("LastModifiedDate".to_owned(), moment(number));
    }
    if kind == ChangeKind::Create {
        for field in UPDATED.iter().chain(&CREATED) {
            changed.insert((*field).to_owned(), value(field, number));
        }
        changed.insert("CreatedDate".to_owned(), moment(number));
        changed.insert("CreatedById".to_owned(), FieldValue::text(user));
        changed.insert("LastModifiedById".to_owned(), FieldValue::text(user));
        for flag in ["IsConverted", "HasOptedOutOfEmail", "DoNotCall", "IsUnreadByOwner"] {
            changed.insert(flag.to_owned(), FieldValue::Bool(number.is_multiple_of(2)));
        }
    }
    InjectedChange {
        object: "Lead".to_owned(),
        record_id: ids::nth("00Q", u64::from(number) + 1),
        kind,
        changed,
    }
}

fn value(field: &str, number: u32) -> FieldValue {
    match field {
        "AnnualRevenue" => FieldValue::decimal((u64::from(number) * 1_250).into()),
        "NumberOfEmployees" => FieldValue::decimal((number % 5_000).into()),
        "Description" => FieldValue::text(format!("Invented lead {number}, written for the benchmark only.")),
        _ => FieldValue::text(format!("{field} {number}")),
    }
}

fn moment(number: u32) -> FieldValue {
    let seconds = 1_790_000_000 + i64::from(number);
    jiff::Timestamp::from_second(seconds).map(FieldValue::DateTime).unwrap_or_default()
}
