//! Conditions, sorting, output and aggregates.

use serde_json::json;

use super::World;
use crate::simulator::WriteOp;

#[test]
fn conditions_find_the_rows_they_mean() {
    let world = World::with_leads();
    for (condition, found) in [
        ("LastName = 'ASH'", "Ash"),
        ("LastName != 'ash' AND LastName < 'c'", "Birch"),
        ("Company = 'o\\'hara & sons'", "Cedar"),
        ("Company LIKE 'example%'", "Ash Birch"),
        ("Company LIKE '100\\%%'", "dogwood"),
        ("Company LIKE '%r\\_s%'", "Elm"),
        ("Company LIKE 'éclair%'", "Fir"),
        ("Company = 'back\\\\slash'", "Gum"),
        ("AnnualRevenue = 1000", "Ash"),
        ("AnnualRevenue > 100", "Ash Cedar"),
        ("AnnualRevenue >= 1001", "Cedar"),
        ("AnnualRevenue <= 99.0", "Elm"),
        ("AnnualRevenue = NULL AND LastName < 'e'", "Birch dogwood"),
        ("NOT AnnualRevenue = null", "Ash Cedar Elm"),
        ("AnnualRevenue IN (99, 1000, null) AND City = 'ghent'", "Ash"),
        ("AI_Gate_Pending__c = true", "Birch Fir"),
        ("ai_gate_pending__c != TRUE AND LastName > 'f'", "Gum"),
        ("Status IN ('Made-up status', 'closed - not converted')", "Elm Fir"),
        ("Status NOT IN ('Working - Contacted', 'Open - Not Contacted')", "Elm Fir"),
        ("(LastName = 'Ash' OR LastName = 'Elm') AND NOT (City = 'Ghent')", "Elm"),
        ("Topics__c INCLUDES ('price')", "dogwood Elm"),
        ("Topics__c INCLUDES ('Price;Date', 'x')", "dogwood"),
        ("Topics__c EXCLUDES ('Date') AND LastName >= 'd' AND LastName < 'f'", "Elm"),
        ("Seen_On__c = YESTERDAY", "Gum"),
        ("Seen_On__c < TODAY", "Gum"),
        ("Seen_On__c >= 2026-05-12", "Gum"),
        ("Seen_On__c > LAST_N_DAYS:1", ""),
        ("Seen_On__c IN (TODAY, YESTERDAY)", "Gum"),
        ("CreatedDate = TODAY AND LastName = 'Fir'", "Fir"),
        ("CreatedDate > YESTERDAY AND LastName = 'Fir'", "Fir"),
        ("CreatedDate < 2026-05-13T10:00:00Z", ""),
        ("CreatedDate <= 2026-05-13T12:00:00.000+02:00 AND LastName = 'Ash'", "Ash"),
        ("Owner.Name = 'Ada Admin' AND LastName = 'Ash'", "Ash"),
        ("Owner.Name = 'Somebody Else'", ""),
        ("l.LastName = 'x'", ""),
    ] {
        let names = world.names(&format!("l WHERE {condition}")).join(" ");
        assert_eq!(names, found, "{condition}");
    }
}

#[test]
fn ids_match_in_both_forms() {
    let world = World::with_leads();
    let id =
        world.records("SELECT Id FROM Lead WHERE LastName = 'Cedar'")[0]["Id"].as_str().unwrap().to_owned();
    assert_eq!(world.names(&format!("WHERE Id = '{id}'")), ["Cedar"]);
    assert_eq!(world.names(&format!("WHERE Id = '{}'", &id[..15])), ["Cedar"]);
    assert_eq!(
        world.names(&format!("WHERE Id IN ('{id}', '00Q000000000000EAA') AND City = null")),
        ["Cedar"]
    );
    assert_eq!(world.names(&format!("WHERE Id != '{id}' AND LastName LIKE 'c%'")), [""; 0]);
}

#[test]
fn semi_joins_follow_references() {
    let world = World::with_leads();
    let user = "SELECT Id FROM User WHERE Username = 'ADMIN@countersign.example'";
    assert_eq!(world.names(&format!("WHERE OwnerId IN ({user})")).len(), 7);
    assert_eq!(world.names(&format!("WHERE OwnerId NOT IN ({user})")).len(), 0);
}

#[test]
fn rows_come_in_the_order_asked_for() {
    let world = World::with_leads();
    let names = |rest: &str| world.names(rest).join(" ");
    assert_eq!(names("ORDER BY LastName DESC LIMIT 4"), "Gum Fir Elm dogwood");
    assert_eq!(names("ORDER BY AnnualRevenue NULLS LAST, LastName LIMIT 4"), "Elm Ash Cedar Birch");
    assert_eq!(names("ORDER BY AnnualRevenue DESC NULLS LAST LIMIT 2"), "Cedar Ash");
    assert_eq!(names("ORDER BY AnnualRevenue LIMIT 1 OFFSET 4"), "Elm");
    assert_eq!(names("LIMIT 2 OFFSET 1"), "Birch Cedar");
    assert_eq!(names("LIMIT 0"), "");
    // Picklists sort in the order of their values; unknown ones last.
    assert_eq!(names("ORDER BY Status, LastName"), "Birch Cedar Ash dogwood Gum Elm Fir");
}

#[test]
fn records_have_canonical_names_and_nested_relations() {
    let world = World::with_leads();
    let record = &world.records(
        "select lastNAME, owner.name, OWNER.Username, createdby.profile.name, ai_gate_pending__c, Address, createddate \
         FROM lead WHERE LastName = 'Ash'",
    )[0];
    assert_eq!(record["attributes"]["type"], "Lead");
    assert!(
        record["attributes"]["url"].as_str().unwrap().starts_with("/services/data/v67.0/sobjects/Lead/00Q")
    );
    assert_eq!(record["LastName"], "Ash");
    assert_eq!(record["AI_Gate_Pending__c"], json!(false));
    assert_eq!(record["CreatedDate"], "2026-05-13T10:00:00.000+0000");
    assert_eq!(record["Owner"]["Name"], "Ada Admin");
    assert_eq!(record["Owner"]["Username"], "admin@countersign.example");
    assert_eq!(record["Owner"]["attributes"]["type"], "Name", "an owner may be a user or a queue");
    assert_eq!(record["CreatedBy"]["attributes"]["type"], "User");
    assert_eq!(record["CreatedBy"]["Profile"]["Name"], "System Administrator");
    assert_eq!(record["Address"]["city"], "Ghent");
    assert_eq!(record["Id"], json!(null), "fields that were not asked for are absent");
}

#[test]
fn missing_relations_are_null() {
    let world = World::new();
    world.create("Opportunity", &json!({"Name": "Example deal", "StageName": "Prospecting", "CloseDate": "2026-06-30", "Amount": 15000}));
    let record = &world.records("SELECT Account.Name, Amount FROM Opportunity")[0];
    assert_eq!(record["Account"], json!(null));
    assert_eq!(record["Amount"].to_string(), "15000");
    assert_eq!(world.records("SELECT Id FROM Opportunity WHERE Account.Name = null").len(), 1);
}

#[test]
fn field_sets_stand_for_readable_fields() {
    let world = World::with_leads();
    let all = &world.records("SELECT FIELDS(ALL) FROM Lead LIMIT 200")[0];
    assert!(all.get("AI_Gate_Pending__c").is_some() && all.get("SystemModstamp").is_some());
    let custom = &world.records("SELECT FIELDS(CUSTOM), Id FROM Lead LIMIT 1")[0];
    assert!(custom.get("Id").is_some() && custom.get("LastName").is_none());
    let standard = &world.records("SELECT FIELDS(STANDARD) FROM Lead")[0];
    assert!(standard.get("AI_Gate_Pending__c").is_none());
}

#[test]
fn counts_and_groups() {
    let world = World::with_leads();
    let count = world.query("SELECT count() FROM Lead WHERE AI_Gate_Pending__c = true").unwrap();
    assert_eq!((count.total_size, count.records.len(), count.done), (2, 0, true));
    let totals = &world.records(
        "SELECT COUNT(Id), COUNT(AnnualRevenue) filled, COUNT_DISTINCT(Status), SUM(AnnualRevenue), MIN(LastName), \
         MAX(AnnualRevenue), AVG(AnnualRevenue) mean FROM Lead",
    )[0];
    assert_eq!(totals["attributes"], json!({"type": "AggregateResult"}));
    assert_eq!([&totals["expr0"], &totals["filled"], &totals["expr1"]], [&json!(7), &json!(3), &json!(4)]);
    assert_eq!(totals["expr2"].to_string(), "2100");
    assert_eq!((&totals["expr3"], totals["expr4"].to_string()), (&json!("Ash"), "1001".to_owned()));
    let groups =
        world.records("SELECT Status, COUNT(Id) n FROM Lead GROUP BY Status ORDER BY COUNT(Id) DESC, Status");
    let groups: Vec<_> = groups.iter().map(|group| format!("{} {}", group["Status"], group["n"])).collect();
    assert_eq!(
        groups,
        [
            "\"Working - Contacted\" 3",
            "\"Open - Not Contacted\" 2",
            "\"Closed - Not Converted\" 1",
            "\"Made-up status\" 1"
        ]
    );
    let none = &world.records("SELECT COUNT(Id), MAX(AnnualRevenue) FROM Lead WHERE LastName = 'nobody'")[0];
    assert_eq!((&none["expr0"], &none["expr1"]), (&json!(0), &json!(null)));
}

#[test]
fn deleted_rows_are_for_query_all_only() {
    let world = World::with_leads();
    let id =
        world.records("SELECT Id FROM Lead WHERE LastName = 'Elm'")[0]["Id"].as_str().unwrap().to_owned();
    world.write(WriteOp::Delete, "Lead", Some(&id), &json!({}));
    assert_eq!(world.names("WHERE LastName = 'Elm'").len(), 0);
    assert_eq!(world.names(&format!("WHERE Id = '{id}'")).len(), 0);
    let mut options = super::QueryOptions::new("67.0");
    options.include_deleted = true;
    for soql in [
        "SELECT Id, IsDeleted FROM Lead WHERE IsDeleted = true".to_owned(),
        format!("SELECT Id, IsDeleted FROM Lead WHERE Id = '{id}'"),
    ] {
        let page = super::execute(&world.org, &world.admin, &soql, &options).unwrap();
        assert_eq!(page.total_size, 1, "{soql}");
        assert_eq!(page.records[0]["IsDeleted"], json!(true));
    }
}
