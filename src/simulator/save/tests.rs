//! Saving rows: order, errors, effects, history and events.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    Fault, FaultAction, FaultPoint, Org, OrgOptions, RowResult, Settings, UserContext, WriteOp, WriteOptions,
    WriteRow,
    metadata::Package,
    model::{ChangeKind, Row},
};
use crate::{clock::Clock, domain::FieldValue};

const START: &str = "2026-03-02T09:00:00.700Z";

fn org_with(settings: Settings) -> Org {
    let clock = Clock::manual(START.parse().unwrap());
    Org::new(OrgOptions { settings, ..OrgOptions::new(clock, Package::default()) }).unwrap()
}

fn org() -> Org {
    org_with(Settings::default())
}

fn row(op: WriteOp, object: &str, id: Option<&str>, fields: Value) -> WriteRow {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    WriteRow { op, object: object.into(), id: id.map(str::to_owned), fields }
}

fn one(org: &Org, user: &UserContext, op: WriteOp, id: Option<&str>, fields: Value) -> RowResult {
    let object = match id {
        Some(id) if id.starts_with("006") => "Opportunity",
        None if fields.get("StageName").is_some() => "Opportunity",
        _ => "Lead",
    };
    org.write(user, &WriteOptions::default(), vec![row(op, object, id, fields)]).remove(0)
}

fn lead(org: &Org) -> String {
    let fields = json!({"LastName": "Example", "Company": "Example Widgets Ltd"});
    let result = one(org, &org.user("admin").unwrap(), WriteOp::Create, None, fields);
    assert_eq!(result.errors, []);
    result.id.unwrap()
}

fn update(org: &Org, role: &str, id: &str, fields: Value) -> RowResult {
    one(org, &org.user(role).unwrap(), WriteOp::Update, Some(id), fields)
}

/// The one error of an update by the admin.
fn refusal(org: &Org, id: &str, fields: Value) -> (String, String, Vec<String>) {
    let result = update(org, "admin", id, fields);
    let [error] = result.errors.as_slice() else { panic!("expected one error, found {result:?}") };
    (error.code.clone(), error.message.clone(), error.fields.clone())
}

fn text(row: &Row, field: &str) -> String {
    row.get(field).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn a_new_lead_has_defaults_stamps_and_an_event_with_all_values() {
    let org = org();
    let id = lead(&org);
    let row = org.row("lead", &id[..15]).expect("15 characters find it too");
    assert_eq!(text(&row, "Status"), "Open - Not Contacted");
    assert_eq!(text(&row, "Name"), "Example");
    assert_eq!(text(&row, "CreatedDate"), "2026-03-02T09:00:00.000+0000", "stamps are whole seconds");
    let page = org.changes_after(0, 10);
    let [event] = page.records.as_slice() else { panic!("one event") };
    assert_eq!((event.kind, event.record_id.as_str()), (ChangeKind::Create, id.as_str()));
    assert_eq!(event.changed["IsConverted"], FieldValue::Bool(false), "creates carry all values");
    assert!(!event.changed.contains_key("SystemModstamp") && !event.changed.contains_key("IsDeleted"));
    assert_eq!(event.commit.committed_at_ms % 1000, 0);
    assert_eq!(event.commit.transaction_key.len(), 36);
    assert!(event.commit.commit_number > 1 << 53);
}

#[test]
fn an_update_event_carries_only_what_changed() {
    let org = org();
    let id = lead(&org);
    update(&org, "admin", &id, json!({"Title": "Buyer"}));
    org.clock().advance(Duration::from_secs(5));
    let before = org.tip();
    let options = WriteOptions { origin_client: Some("countersign".into()), ..WriteOptions::default() };
    let fields = json!({"Status": "Working - Contacted", "Title": null});
    let user = org.user("reviewer").unwrap();
    org.write(&user, &options, vec![row(WriteOp::Update, "Lead", Some(&id), fields)]);
    let page = org.changes_after(before, 10);
    let event = &page.records[0];
    let names: Vec<&str> = event.changed.keys().map(String::as_str).collect();
    assert_eq!(names, ["LastModifiedById", "LastModifiedDate", "Status", "Title"]);
    assert_eq!(event.changed["Title"], FieldValue::Null, "emptied fields are there as null");
    assert_eq!(event.commit.origin, "com/salesforce/api/rest/67.0;client=countersign");
    assert_eq!(event.commit.user_id, user.user_id);
}

#[test]
fn a_write_that_changes_nothing_makes_no_event() {
    let org = org();
    let id = lead(&org);
    org.clock().advance(Duration::from_secs(2));
    let before = org.tip();
    assert!(update(&org, "admin", &id, json!({"LastName": "Example"})).success());
    assert!(org.changes_after(before, 10).records.is_empty());
    assert_eq!(text(&org.row("Lead", &id).unwrap(), "LastModifiedDate"), "2026-03-02T09:00:02.000+0000");
    let org = org_with(Settings { no_op_updates_touch: false, ..Settings::default() });
    let id = lead(&org);
    org.clock().advance(Duration::from_secs(2));
    update(&org, "admin", &id, json!({"LastName": "Example"}));
    assert_eq!(text(&org.row("Lead", &id).unwrap(), "LastModifiedDate"), "2026-03-02T09:00:00.000+0000");
}

#[test]
fn wrong_values_are_refused_in_salesforces_words() {
    let org = org();
    let id = lead(&org);
    let long = "x".repeat(129);
    let cases = [
        (json!({"Nonsense__c": 1}), "INVALID_FIELD", ""),
        (json!({"Title": long}), "STRING_TOO_LONG", "Title"),
        (json!({"CleanStatus": "Spotless"}), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "CleanStatus"),
        (json!({"LastName": null}), "REQUIRED_FIELD_MISSING", "LastName"),
        (json!({"LastName": "   "}), "REQUIRED_FIELD_MISSING", "LastName"),
        (json!({"IsConverted": true}), "INVALID_FIELD_FOR_INSERT_UPDATE", "IsConverted"),
        (json!({"CreatedDate": START}), "INVALID_FIELD_FOR_INSERT_UPDATE", "CreatedDate"),
        (json!({"DoNotCall": "yes"}), "JSON_PARSER_ERROR", ""),
        (json!({"AnnualRevenue": "much"}), "JSON_PARSER_ERROR", ""),
        (json!({"NumberOfEmployees": 999_999_999}), "NUMBER_OUTSIDE_VALID_RANGE", "NumberOfEmployees"),
        (json!({"OwnerId": "nobody"}), "MALFORMED_ID", "OwnerId"),
        (json!({"OwnerId": "005Cs0000000zzz"}), "INVALID_CROSS_REFERENCE_KEY", "OwnerId"),
        (json!({"Email": "at nowhere"}), "INVALID_EMAIL_ADDRESS", "Email"),
    ];
    for (fields, code, field) in cases {
        let found = refusal(&org, &id, fields.clone());
        assert_eq!(found.0, code, "{fields}");
        assert_eq!(found.2.first().map(String::as_str).unwrap_or_default(), field, "{fields}");
    }
    let (_, message, _) = refusal(&org, &id, json!({"Nonsense__c": 1}));
    assert_eq!(message, "No such column 'Nonsense__c' on sobject of type Lead");
    let (_, message, _) = refusal(&org, &id, json!({"LastName": null}));
    assert_eq!(message, "Required fields are missing: [LastName]");
}

#[test]
fn status_and_stage_take_any_text() {
    let org = org();
    let id = lead(&org);
    assert!(update(&org, "admin", &id, json!({"Status": "Never heard of it"})).success());
    assert_eq!(text(&org.row("Lead", &id).unwrap(), "Status"), "Never heard of it");
}

#[test]
fn wrong_ids_are_told_apart() {
    let org = org();
    let id = lead(&org);
    let (code, ..) = refusal(&org, "006Cs0000000001", json!({"Name": "x"}));
    assert_eq!(code, "INVALID_CROSS_REFERENCE_KEY", "an id that never was");
    let admin = org.user("admin").unwrap();
    let bad = org.write(
        &admin,
        &WriteOptions::default(),
        vec![row(WriteOp::Update, "Lead", Some("006Cs0000000001"), json!({}))],
    );
    assert_eq!(bad[0].errors[0].code, "MALFORMED_ID", "an id of another object");
    assert!(one(&org, &admin, WriteOp::Delete, Some(&id), json!({})).success());
    assert_eq!(refusal(&org, &id, json!({"Title": "x"})).0, "ENTITY_IS_DELETED");
    assert!(org.row("Lead", &id).is_none() && org.deleted_row("Lead", &id).is_some());
    assert!(one(&org, &admin, WriteOp::Undelete, Some(&id), json!({})).success());
    let kinds: Vec<ChangeKind> = org.changes_after(0, 9).records.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [ChangeKind::Create, ChangeKind::Delete, ChangeKind::Undelete]);
}

#[test]
fn locked_and_converted_records_do_not_change() {
    let org = org();
    let id = lead(&org);
    org.lock_record(&id, true);
    let result = update(&org, "reviewer", &id, json!({"Title": "x"}));
    assert_eq!(result.errors[0].code, "ENTITY_IS_LOCKED");
    org.lock_record(&id, false);
    assert!(update(&org, "reviewer", &id, json!({"Title": "x"})).success());
    let admin = org.user("admin").unwrap();
    let fields = json!({"LastName": "Done", "Company": "Example Gone Ltd", "IsConverted": true});
    let converted = one(&org, &admin, WriteOp::Create, None, fields).id.unwrap();
    assert_eq!(refusal(&org, &converted, json!({"Title": "x"})).0, "CANNOT_UPDATE_CONVERTED_LEAD");
}

#[test]
fn a_stage_brings_its_probability_category_and_flags() {
    let org = org();
    let admin = org.user("admin").unwrap();
    let fields =
        json!({"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-06-30", "Amount": 1000.005});
    let id = one(&org, &admin, WriteOp::Create, None, fields).id.unwrap();
    let stored = org.row("Opportunity", &id).unwrap();
    assert_eq!((text(&stored, "Amount"), text(&stored, "ExpectedRevenue")), ("1000.01".into(), "100".into()));
    let before = org.tip();
    assert!(update(&org, "admin", &id, json!({"StageName": "Closed Won"})).success());
    let stored = org.row("Opportunity", &id).unwrap();
    assert_eq!(text(&stored, "Probability"), "100");
    assert_eq!(text(&stored, "ForecastCategory"), "Closed");
    assert!(stored["IsClosed"].as_bool() && stored["IsWon"].as_bool());
    let event = org.changes_after(before, 1).records.remove(0);
    for field in ["StageName", "Probability", "ForecastCategory", "ForecastCategoryName", "IsClosed", "IsWon"]
    {
        assert!(event.changed.contains_key(field), "{field} changed with the stage");
    }
    assert!(update(&org, "admin", &id, json!({"StageName": "Unheard"})).success());
    assert_eq!(text(&org.row("Opportunity", &id).unwrap(), "Probability"), "100", "unlisted keeps it");
    let history = org.rows("OpportunityFieldHistory", false);
    let moves: Vec<String> = history.iter().map(|row| text(row, "NewValue")).collect();
    assert_eq!(moves, ["", "Closed Won", "Unheard"]);
    assert_eq!(org.rows("OpportunityHistory", false).len(), 3);
}

#[test]
fn all_or_none_leaves_nothing_behind() {
    let org = org();
    let id = lead(&org);
    let (before, tip) = (org.row("Lead", &id).unwrap(), org.tip());
    let admin = org.user("admin").unwrap();
    let rows = vec![
        row(WriteOp::Update, "Lead", Some(&id), json!({"Status": "Working - Contacted"})),
        row(WriteOp::Create, "Lead", None, json!({"LastName": "Without company"})),
    ];
    let options = WriteOptions { all_or_none: true, ..WriteOptions::default() };
    let results = org.write(&admin, &options, rows.clone());
    assert_eq!(results[0].errors[0].code, "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(results[1].errors[0].code, "REQUIRED_FIELD_MISSING");
    assert_eq!(org.row("Lead", &id).unwrap(), before);
    assert_eq!((org.tip(), org.rows("LeadHistory", false).len()), (tip, 1));
    let results = org.write(&admin, &WriteOptions::default(), rows);
    assert!(results[0].success() && !results[1].success(), "each row for itself");
}

#[test]
fn a_transaction_over_several_calls_is_one_or_nothing() {
    let org = org();
    let id = lead(&org);
    let tip = org.tip();
    let admin = org.user("admin").unwrap();
    let step = |fields: Value| vec![row(WriteOp::Update, "Lead", Some(&id), fields)];
    let mut transaction = org.begin();
    transaction.write(&admin, &WriteOptions::default(), &step(json!({"Title": "A"})));
    drop(transaction);
    assert_eq!(text(&org.row("Lead", &id).unwrap(), "Title"), "");
    let mut transaction = org.begin();
    transaction.write(&admin, &WriteOptions::default(), &step(json!({"Title": "B"})));
    transaction.write(&admin, &WriteOptions::default(), &step(json!({"Company": "Example Two Ltd"})));
    assert_eq!(org.tip(), tip, "nothing is published before the commit");
    transaction.commit();
    let events = org.changes_after(tip, 9).records;
    assert_eq!(events.len(), 1, "one record in one transaction is one event");
    assert!(events[0].changed.contains_key("Title") && events[0].changed.contains_key("Company"));
}

#[test]
fn a_scripted_edit_lands_just_before_the_write() {
    let org = org();
    let id = lead(&org);
    org.clock().advance(Duration::from_secs(10));
    let seen = org.row("Lead", &id).unwrap()["LastModifiedDate"].as_timestamp();
    let Value::Object(fields) = json!({"Status": "Working - Contacted"}) else { unreachable!() };
    let edit = FaultAction::Edit { by: Some("reviewer".into()), record_id: None, fields };
    org.faults().arm(Fault::once(FaultPoint::BeforeWrite, edit));
    let admin = org.user("admin").unwrap();
    let write = |options: WriteOptions| {
        let rows = vec![row(WriteOp::Update, "Lead", Some(&id), json!({"Title": "Late"}))];
        org.write(&admin, &options, rows).remove(0)
    };
    let guarded = WriteOptions { if_unmodified_since: seen, ..WriteOptions::default() };
    assert_eq!(write(guarded).errors[0].code, super::super::PRECONDITION_FAILED);
    let stored = org.row("Lead", &id).unwrap();
    assert_eq!((text(&stored, "Status"), text(&stored, "Title")), ("Working - Contacted".into(), "".into()));
    assert!(write(WriteOptions::default()).success(), "the fault strikes once");
}

#[test]
fn a_precondition_before_the_lock_misses_the_race() {
    let settings = Settings { precondition_under_lock: false, ..Settings::default() };
    let org = org_with(settings);
    let id = lead(&org);
    org.clock().advance(Duration::from_secs(10));
    let seen = org.row("Lead", &id).unwrap()["LastModifiedDate"].as_timestamp();
    let Value::Object(fields) = json!({"Status": "Working - Contacted"}) else { unreachable!() };
    let edit = FaultAction::Edit { by: None, record_id: None, fields };
    org.faults().arm(Fault::once(FaultPoint::BeforeWrite, edit));
    let guarded = WriteOptions { if_unmodified_since: seen, ..WriteOptions::default() };
    let rows = || vec![row(WriteOp::Update, "Lead", Some(&id), json!({"Title": "Late"}))];
    let admin = org.user("admin").unwrap();
    assert!(org.write(&admin, &guarded, rows()).remove(0).success(), "the race is not seen");
    assert!(!org.write(&admin, &guarded, rows()).remove(0).success(), "the edit itself is");
}

#[test]
fn a_locked_row_fails_alone_or_takes_its_batch() {
    for (whole_batch, saved) in [(false, 1), (true, 0)] {
        let org = org_with(Settings { locked_row_fails_batch: whole_batch, ..Settings::default() });
        let (first, second) = (lead(&org), lead(&org));
        let mut fault = Fault::once(FaultPoint::Row, FaultAction::LockRow);
        fault.matcher.record_id = Some(second.clone());
        org.faults().arm(fault);
        let rows = [&first, &second].map(|id| row(WriteOp::Update, "Lead", Some(id), json!({"Title": "x"})));
        let results = org.write(&org.user("admin").unwrap(), &WriteOptions::default(), rows.to_vec());
        assert_eq!(results.iter().filter(|result| result.success()).count(), saved);
        assert_eq!(results[1].errors[0].code, "UNABLE_TO_LOCK_ROW");
    }
}

#[test]
fn permissions_hold_for_objects_and_fields() {
    let org = org();
    let id = lead(&org);
    assert_eq!(
        update(&org, "proposer", &id, json!({"Title": "x"})).errors[0].code,
        "INSUFFICIENT_ACCESS_OR_READONLY"
    );
    assert!(update(&org, "outsider", &id, json!({"Title": "x"})).success());
    let user = org.user("proposer").unwrap();
    assert!(user.can_read_object("Lead") && user.can_read_field("Lead", "Title"));
    assert!(!user.can_view_all("Lead") && !user.can_edit_field("Lead", "Title"));
    let created = one(&org, &user, WriteOp::Create, None, json!({"LastName": "x", "Company": "y"}));
    assert_eq!(created.errors[0].code, "INSUFFICIENT_ACCESS_OR_READONLY");
    let setup = vec![row(WriteOp::Create, "LeadStatus", None, json!({"MasterLabel": "x"}))];
    let results = org.write(&org.user("admin").unwrap(), &WriteOptions::default(), setup);
    assert_eq!(results[0].errors[0].code, "INVALID_TYPE_FOR_OPERATION");
}

#[test]
fn an_assignment_rule_moves_leads_unless_told_not_to() {
    let plain = org();
    let owner = plain.user("outsider").unwrap().user_id;
    let org = org_with(Settings { lead_assignment_owner: Some(owner.clone()), ..Settings::default() });
    let admin = org.user("admin").unwrap();
    let fields = json!({"LastName": "Example", "Company": "Example Widgets Ltd"});
    let options = WriteOptions { auto_assign: false, ..WriteOptions::default() };
    let results = org.write(&admin, &options, vec![row(WriteOp::Create, "Lead", None, fields)]);
    let id = results[0].id.clone().unwrap();
    assert_eq!(text(&org.row("Lead", &id).unwrap(), "OwnerId"), admin.user_id);
    update(&org, "admin", &id, json!({"Title": "x"}));
    assert_eq!(text(&org.row("Lead", &id).unwrap(), "OwnerId"), owner);
}
