//! The shipped package deployed into an org: what its rules and permission sets let through.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    Fault, FaultAction, FaultPoint, Org, OrgOptions, RowResult, WriteOp, WriteOptions, WriteRow,
    metadata::Package,
};
use crate::{clock::Clock, domain::FieldValue, salesforce::names};

fn org() -> Org {
    let clock = Clock::manual("2026-03-02T09:00:00Z".parse().unwrap());
    Org::new(OrgOptions::new(clock, Package::embedded().expect("the shipped package deploys"))).unwrap()
}

fn write(org: &Org, role: &str, op: WriteOp, id: Option<&str>, fields: Value) -> RowResult {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    let rows = vec![WriteRow { op, object: "Lead".into(), id: id.map(str::to_owned), fields }];
    org.write(&org.user(role).unwrap(), &WriteOptions::default(), rows).remove(0)
}

fn update(org: &Org, role: &str, id: &str, fields: Value) -> RowResult {
    write(org, role, WriteOp::Update, Some(id), fields)
}

fn saved(result: RowResult) -> String {
    assert_eq!(result.errors, []);
    result.id.unwrap()
}

/// The codes that the rules' messages start with.
fn rules(result: &RowResult) -> Vec<&str> {
    result
        .errors
        .iter()
        .map(|error| {
            assert_eq!(error.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "{error:?}");
            error.message.split(':').next().unwrap_or_default()
        })
        .collect()
}

fn lead(org: &Org) -> String {
    let fields = json!({"LastName": "Example", "Company": "Example Widgets Ltd"});
    saved(write(org, "admin", WriteOp::Create, None, fields))
}

fn proposed(org: &Org) -> String {
    let id = lead(org);
    let fields = json!({
        "AI_Recommended_Status__c": "Working - Contacted", "AI_Status_Confidence__c": 0.92,
        "AI_Proposal_ID__c": "p-1", "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true,
    });
    saved(update(org, "proposer", &id, fields))
}

fn approved(org: &Org) -> String {
    let id = proposed(org);
    let fields = json!({
        "AI_Decision__c": "Approved", "AI_Decision_Proposal_ID__c": "p-1", "AI_Gate_Pending__c": true,
    });
    saved(update(org, "reviewer", &id, fields))
}

fn promotion(source: &str, mark: &str) -> Value {
    json!({
        "Status": "Working - Contacted", "Previous_Lead_Status__c": "Open - Not Contacted",
        "Lead_Status_Changed_Date__c": "2026-03-02T09:00:10Z", "Lead_Status_Change_Source__c": source,
        "AI_Promoted_Proposal_ID__c": "p-1", "AI_Promotion_Seq__c": 1,
        "AI_Last_Promotion_ID__c": mark, "AI_Gate_Pending__c": false,
        "AI_Gate_Outcome__c": "promoted",
    })
}

#[test]
fn a_proposer_writes_proposals_and_nothing_else() {
    let org = org();
    let id = proposed(&org);
    let refused = update(&org, "proposer", &id, json!({"Status": "Working - Contacted"}));
    assert!(rules(&refused).contains(&"AI_GATE_01"), "{refused:?}");
    let closed = update(&org, "proposer", &id, json!({"Title": "Buyer"}));
    assert_eq!(closed.errors[0].code, "INVALID_FIELD_FOR_INSERT_UPDATE", "{closed:?}");
    let decided = update(&org, "proposer", &id, json!({"AI_Decision__c": "Approved"}));
    assert!(!decided.success(), "agents do not decide");
    assert_eq!(org.row("Lead", &id).unwrap()["Status"], FieldValue::text("Open - Not Contacted"));
}

#[test]
fn an_approved_proposal_is_promoted_once() {
    let org = org();
    let id = approved(&org);
    let tip = org.tip();
    saved(update(&org, "promoter", &id, promotion(names::source::APPROVED, "m-1")));
    let event = org.changes_after(tip, 1).records.remove(0);
    assert_eq!(event.changed["Status"], FieldValue::text("Working - Contacted"));
    assert_eq!(event.changed[names::LAST_PROMOTION_ID], FieldValue::text("m-1"));
    assert_eq!(event.changed[names::PENDING], FieldValue::Bool(false));
    let again = update(&org, "promoter", &id, promotion(names::source::APPROVED, "m-2"));
    assert!(rules(&again).contains(&"AI_GATE_04"), "the number has moved on: {again:?}");
}

#[test]
fn without_approval_nothing_is_promoted() {
    let org = org();
    let id = proposed(&org);
    let refused = update(&org, "promoter", &id, promotion(names::source::APPROVED, "m-1"));
    assert!(rules(&refused).contains(&"AI_GATE_07"), "{refused:?}");
    let refused = update(&org, "promoter", &id, promotion(names::source::AUTO, "m-1"));
    assert!(rules(&refused).contains(&"AI_GATE_08"), "{refused:?}");
    assert!(org.set_setting("Lead_Status_Auto__c", true));
    saved(update(&org, "promoter", &id, promotion(names::source::AUTO, "m-1")));
    assert!(!org.set_setting("Nonsense__c", true));
}

#[test]
fn an_edit_that_lands_first_wins() {
    let org = org();
    let id = approved(&org);
    let Value::Object(fields) = json!({"Status": "Closed - Not Converted"}) else { unreachable!() };
    let edit = FaultAction::Edit { by: Some("reviewer".into()), record_id: None, fields };
    org.faults().arm(Fault::once(FaultPoint::BeforeWrite, edit));
    let refused = update(&org, "promoter", &id, promotion(names::source::APPROVED, "m-1"));
    assert!(rules(&refused).contains(&"AI_GATE_05"), "{refused:?}");
    let row = org.row("Lead", &id).unwrap();
    assert_eq!(row["Status"], FieldValue::text("Closed - Not Converted"));
    assert!(!row.contains_key(names::LAST_PROMOTION_ID), "no trace of the promotion");
}

#[test]
fn of_racing_promotions_one_lands() {
    let org = org();
    let id = approved(&org);
    let won = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|number| {
                let (org, id) = (&org, &id);
                let fields = promotion(names::source::APPROVED, &format!("m-{number}"));
                scope.spawn(move || update(org, "promoter", id, fields).success())
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(won, 1);
}

#[test]
fn permission_sets_open_what_they_name() {
    let org = org();
    let (promoter, outsider) = (org.user("promoter").unwrap(), org.user("outsider").unwrap());
    assert!(promoter.has_permission(names::permission::PROMOTER) && promoter.can_view_all("Lead"));
    assert!(promoter.can_edit_field("Opportunity", "Amount") && !promoter.can_edit_field("Lead", "Title"));
    assert!(!promoter.can_create("Lead") && !promoter.can_delete("Lead"));
    assert!(!outsider.can_read_field("Lead", names::PROPOSAL_ID) && !outsider.can_view_all("Lead"));
    let id = lead(&org);
    let hidden = update(&org, "outsider", &id, json!({"AI_Proposal_ID__c": "x"}));
    assert_eq!(hidden.errors[0].code, "INVALID_FIELD", "a hidden field does not exist");
    let table = org.rows("PermissionSetAssignment", false);
    assert_eq!(table.len(), 14, "of everybody who has one, and of the profiles");
}

#[test]
fn pending_rows_and_proposal_ids_are_found_by_index() {
    let org = org();
    let id = approved(&org);
    lead(&org);
    let pending = org.rows_where("Lead", names::PENDING, &FieldValue::Bool(true)).unwrap();
    assert_eq!(pending.len(), 1);
    let found = org.rows_where("Lead", "ai_proposal_id__c", &FieldValue::text("P-1")).unwrap();
    assert_eq!(found[0]["Id"], FieldValue::text(id.clone()));
    let upsert = WriteOp::Upsert { ext_field: names::PROPOSAL_ID.into(), ext_value: "p-1".into() };
    let result = write(&org, "admin", upsert, None, json!({"Title": "Buyer"}));
    assert_eq!((result.id.as_deref(), result.created), (Some(id.as_str()), false));
    org.clock().advance(Duration::from_secs(10));
    saved(update(&org, "promoter", &id, promotion(names::source::APPROVED, "m-1")));
    assert!(org.rows_where("Lead", names::PENDING, &FieldValue::Bool(true)).unwrap().is_empty());
}

#[test]
fn upserts_create_update_or_refuse() {
    let org = org();
    let upsert =
        |field: &str, value: &str| WriteOp::Upsert { ext_field: field.into(), ext_value: value.into() };
    let fields = || json!({"LastName": "Example", "Company": "Example Widgets Ltd"});
    let key = names::PROPOSAL_ID;
    let unknown = write(&org, "admin", upsert("Title", "k-1"), None, fields());
    assert_eq!(unknown.errors[0].code, "NOT_FOUND");
    let options = WriteOptions { update_only: true, ..WriteOptions::default() };
    let Value::Object(map) = fields() else { unreachable!() };
    let row = WriteRow { op: upsert(key, "k-2"), object: "Lead".into(), id: None, fields: map };
    let results = org.write(&org.user("admin").unwrap(), &options, vec![row]);
    assert_eq!(results[0].errors[0].code, "NOT_FOUND", "nothing is inserted");
    for _ in 0..2 {
        let id = lead(&org);
        let proposal = json!({
            "AI_Recommended_Status__c": "Working - Contacted", "AI_Status_Confidence__c": 0.5,
            "AI_Proposal_ID__c": "same", "AI_Decision__c": "Pending", "AI_Gate_Pending__c": true,
        });
        saved(update(&org, "proposer", &id, proposal));
    }
    let several = write(&org, "admin", upsert(key, "same"), None, json!({"Title": "x"}));
    assert_eq!(several.errors[0].code, "DUPLICATE_EXTERNAL_ID");
    let id = lead(&org);
    let by_id = write(&org, "admin", upsert("Id", &id), None, json!({"Title": "x"}));
    assert_eq!((by_id.success(), by_id.created), (true, false));
}
