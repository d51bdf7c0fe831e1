//! Rows 16 to 20: schemas, numbers and bitmaps.

use countersign::{
    domain::FieldValue,
    salesforce::{change_event::Change, pubsub::Start},
    simulator::{
        InjectedChange, Settings,
        model::ChangeKind,
        pubsub::{DriftKind, SchemaDrift},
    },
};

use super::world::{LEADS, World, record_id};

pub fn update(_world: &World, number: u32, title: &str) -> InjectedChange {
    InjectedChange {
        object: "Lead".into(),
        record_id: record_id(number),
        kind: ChangeKind::Update,
        changed: [("Title".to_owned(), FieldValue::text(title))].into(),
    }
}

/// Several changes in one transaction.
pub fn one_transaction(world: &World, user: &str, changes: Vec<InjectedChange>) {
    world.org.inject_transaction(user, "", changes);
}

/// The next `count` changes after a place.
async fn changes(world: &World, after: u64, count: usize) -> Vec<(String, Change)> {
    let client = world.client();
    let mut stream = client.subscribe(LEADS, Start::After(after.to_be_bytes().to_vec()));
    let mut found = Vec::new();
    while found.len() < count {
        let batch = stream.next().await.unwrap();
        for event in client.read_response(batch.bytes).await.unwrap() {
            found.push((event.schema_id, event.change.unwrap()));
        }
    }
    found
}

/// Naive: decodes with the topic's schema; after an admin adds or removes a field, events of before
/// are misread or fail.
#[tokio::test]
async fn each_event_is_read_with_its_own_schema() {
    let world = World::start().await;
    let start = world.org.tip();
    world.publish(0..2);
    world.org.drift_schema(SchemaDrift::new("Lead", "Later__c", DriftKind::Added));
    world.publish(2..4);
    world.org.drift_schema(SchemaDrift::new("Lead", "Rating", DriftKind::Removed));
    world.publish(4..6);
    let found = changes(&world, start, 6).await;
    let mut schemas: Vec<&String> = found.iter().map(|(schema, _)| schema).collect();
    schemas.dedup();
    assert_eq!(schemas.len(), 3, "the schema changed twice within the stream");
    for (number, (_, change)) in found.iter().enumerate() {
        assert_eq!(change.changed_fields, ["Title"]);
        assert_eq!(change.values["Title"], FieldValue::text(format!("Title {number}")));
    }
}

/// Naive: each event fetches its schema, and the service refuses the burst.
#[tokio::test]
async fn a_schema_is_fetched_one_time_in_a_burst() {
    let world = World::start().await;
    world.publish(0..100);
    let client = world.client();
    let mut stream = client.subscribe(LEADS, Start::Earliest);
    let batch = stream.next().await.unwrap();
    let readers = (0..20).map(|_| client.read_response(batch.bytes.clone()));
    for read in futures::future::join_all(readers).await {
        assert!(read.unwrap().iter().all(|event| event.change.is_ok()));
    }
    assert_eq!(world.org.stats().rpcs["GetSchema"], 1);
}

/// Naive: 64-bit numbers through a double lose their last digits.
#[tokio::test]
async fn commit_numbers_keep_all_digits() {
    let world = World::start().await;
    let start = world.org.tip();
    world.publish(0..9);
    let sent: Vec<i64> =
        world.org.changes_after(start, 9).records.iter().map(|record| record.commit.commit_number).collect();
    let found: Vec<i64> =
        changes(&world, start, 9).await.iter().map(|(_, change)| change.commit_number).collect();
    assert_eq!(found, sent);
    assert!(sent.iter().any(|number| *number as f64 as i64 != *number), "a double could not hold them all");
}

/// Naive: asks for the schema of a channel of several objects, which has none.
#[tokio::test]
async fn no_schema_without_an_id_is_asked_for() {
    let world = World::start().await;
    let client = world.client();
    let topic = client.get_topic("/data/Hot__chn").await.unwrap();
    assert_eq!(topic.schema_id, None);
    assert_eq!(client.get_schema("").await.unwrap_err().code(), "pubsub-schema-id-blank");
    assert!(!world.org.stats().rpcs.contains_key("GetSchema"), "the service was not asked");
}

/// Naive: wants a bitmap of the top level, and misses a change of nothing but an address's city.
#[tokio::test]
async fn a_bitmap_of_components_alone_is_read() {
    let world = World::with(Settings { nulled_fields_also_changed: false, ..Settings::default() }).await;
    let start = world.org.tip();
    let city = InjectedChange {
        changed: [("City".to_owned(), FieldValue::text("Example Town"))].into(),
        ..update(&world, 1, "")
    };
    let user = world.org.user("admin").unwrap().user_id;
    world.org.inject_change(&user, "", city);
    let found = changes(&world, start, 1).await;
    assert_eq!(found[0].1.changed_fields, ["Address.City"]);
    assert_eq!(found[0].1.values["Address.City"], FieldValue::text("Example Town"));
}
