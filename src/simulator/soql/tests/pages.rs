//! Paging, column metadata, and that text stays text.

use proptest::prelude::*;
use serde_json::json;

use super::{
    super::{columns, next_page},
    QueryOptions, World, execute,
};

fn many(count: usize) -> World {
    let world = World::new();
    for number in 0..count {
        world.create(
            "Lead",
            &json!({"LastName": format!("Lead {number:04}"), "Company": "Example Widgets Ltd"}),
        );
    }
    world
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let world = many(450);
    let options = QueryOptions { batch_size: 200, ..QueryOptions::new("67.0") };
    let soql = "SELECT LastName FROM Lead ORDER BY LastName";
    let first = execute(&world.org, &world.admin, soql, &options).unwrap();
    assert_eq!((first.total_size, first.records.len(), first.done), (450, 200, false));
    let locator = first.next_locator.unwrap();
    assert!(locator.starts_with("0r8") && locator.ends_with("-200") && locator.len() == 22, "{locator}");
    let second = next_page(&world.org, &world.admin, &locator, &options).unwrap();
    assert_eq!(second.records[0]["LastName"], "Lead 0200");
    let third = next_page(&world.org, &world.admin, &second.next_locator.unwrap(), &options).unwrap();
    assert_eq!((third.records.len(), third.done, third.next_locator), (50, true, None));
    let again = next_page(&world.org, &world.admin, &locator, &options).unwrap();
    assert_eq!(again.records, second.records, "a page can be asked for twice");

    let tiny = QueryOptions { batch_size: 1, ..options };
    assert_eq!(execute(&world.org, &world.admin, soql, &tiny).unwrap().records.len(), 200);
}

#[test]
fn locators_belong_to_one_user_and_two_days() {
    let world = many(201);
    let options = QueryOptions { batch_size: 200, ..QueryOptions::new("67.0") };
    let page = execute(&world.org, &world.admin, "SELECT Id FROM Lead", &options).unwrap();
    let locator = page.next_locator.unwrap();
    let code = |user, locator: &str| next_page(&world.org, user, locator, &options).unwrap_err().code;
    let other = world.org.user("outsider").unwrap();
    assert_eq!(code(&other, &locator), "INVALID_QUERY_LOCATOR");
    for bad in [
        "",
        "0r8",
        "0r8ABCDEFGHIJKLMNO-200",
        &locator.replace("-200", "-9999"),
        &locator.replace("-200", "-x"),
    ] {
        assert_eq!(code(&world.admin, bad), "INVALID_QUERY_LOCATOR", "{bad}");
    }
    assert!(next_page(&world.org, &world.admin, &locator, &options).is_ok());
    world.org.clock().advance(std::time::Duration::from_secs(2 * 24 * 3600));
    assert_eq!(code(&world.admin, &locator), "INVALID_QUERY_LOCATOR");
}

#[test]
fn column_metadata_has_what_the_cli_reads() {
    let world = World::new();
    let found =
        columns(&world.org, &world.admin, "SELECT Id, Owner.Name, AI_Gate_Pending__c FROM Lead").unwrap();
    assert_eq!(
        (&found["entityName"], &found["idSelected"], &found["keyPrefix"]),
        (&json!("Lead"), &json!(true), &json!("00Q"))
    );
    let metadata = found["columnMetadata"].as_array().unwrap();
    assert_eq!(
        (&metadata[0]["columnName"], &metadata[0]["aggregate"], &metadata[0]["joinColumns"]),
        (&json!("Id"), &json!(false), &json!([]))
    );
    assert_eq!(metadata[1]["columnName"], "Owner");
    assert_eq!(metadata[1]["joinColumns"][0]["columnName"], "Name");
    assert_eq!((&metadata[2]["booleanType"], &metadata[2]["custom"]), (&json!(true), &json!(true)));
    let grouped =
        columns(&world.org, &world.admin, "SELECT Status, COUNT(Id) FROM Lead GROUP BY Status").unwrap();
    assert_eq!(grouped["groupBy"], json!(true));
    let count = &grouped["columnMetadata"][1];
    assert_eq!(
        (&count["aggregate"], &count["columnName"], &count["displayName"]),
        (&json!(true), &json!("expr0"), &json!("count"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_text_finds_itself_and_nothing_else(hostile in r#"[\\'"%_() OR1=a-c]{1,24}"#) {
        let world = World::new();
        let text = format!("x{hostile}x");
        world.create("Lead", &json!({"LastName": text, "Company": "Example Widgets Ltd"}));
        world.create("Lead", &json!({"LastName": "Bystander", "Company": "Example Widgets Ltd"}));
        let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
        prop_assert_eq!(world.names(&format!("WHERE LastName = '{quoted}'")), [text.clone()]);
        let pattern = quoted.replace('%', "\\%").replace('_', "\\_");
        prop_assert_eq!(world.names(&format!("WHERE LastName LIKE '{pattern}'")), [text]);
    }
}
