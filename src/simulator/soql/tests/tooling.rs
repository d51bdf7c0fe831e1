//! Tooling queries: the shipped package as rows, for those who may see Setup.

use serde_json::{Value, json};

use super::super::{QueryOptions, SoqlError, execute_tooling, tooling_columns};
use crate::{
    clock::Clock,
    salesforce::names::{CHANNEL_FILTER, SHIPPED},
    simulator::{Org, OrgOptions, Settings, metadata::Package},
};

fn org(settings: Settings) -> Org {
    let package = Package::embedded().expect("the shipped package deploys");
    let options = OrgOptions { settings, ..OrgOptions::new(Clock::system(), package) };
    Org::new(options).expect("the org starts")
}

fn ask(org: &Org, role: &str, soql: &str) -> Result<Vec<Value>, SoqlError> {
    let user = org.user(role).expect("a seeded user");
    execute_tooling(org, &user, soql, &QueryOptions::new("67.0")).map(|page| page.records)
}

#[test]
fn rules_are_found_by_the_name_of_their_object() {
    let org = org(Settings::default());
    let soql = "SELECT Id, ValidationName, Active, ErrorDisplayField, EntityDefinition.QualifiedApiName FROM \
                ValidationRule WHERE EntityDefinition.QualifiedApiName = 'Lead' ORDER BY ValidationName LIMIT 1";
    let rules = ask(&org, "admin", soql).unwrap();
    let [rule] = rules.as_slice() else { panic!("one rule: {rules:?}") };
    assert_eq!(rule["ValidationName"], "AI_GATE_01_Proposer_Writes_No_State");
    assert_eq!(rule["Active"], true);
    assert_eq!(rule["EntityDefinition"]["QualifiedApiName"], "Lead");
    let url = rule["EntityDefinition"]["attributes"]["url"].as_str().unwrap();
    assert_eq!(url, "/services/data/v67.0/tooling/sobjects/EntityDefinition/Lead");
    let id = rule["Id"].as_str().unwrap();
    assert!(id.starts_with("03d") && id.len() == 18, "{id}");

    for contract in SHIPPED {
        let by_id = format!(
            "SELECT ValidationName FROM ValidationRule WHERE EntityDefinitionId = '{}'",
            contract.object
        );
        let rules = if contract.two_approvers.is_some() { 19 } else { 18 };
        assert_eq!(ask(&org, "admin", &by_id).unwrap().len(), rules, "{}", contract.object);
    }
    let one = format!("SELECT ValidationName FROM ValidationRule WHERE Id = '{id}'");
    assert_eq!(ask(&org, "admin", &one).unwrap()[0]["ValidationName"], rule["ValidationName"]);
    let none = ask(&org, "admin", "SELECT Id FROM ValidationRule WHERE Active = false").unwrap();
    assert_eq!(none, [] as [Value; 0], "the package ships no inactive rule");
}

#[test]
fn channels_and_members_refer_to_each_other() {
    let org = org(Settings::default());
    let channels =
        ask(&org, "admin", "SELECT Id, DeveloperName, MasterLabel, ChannelType FROM PlatformEventChannel");
    let channel = &channels.unwrap()[0];
    assert_eq!(channel["DeveloperName"], "AI_Proposals", "without the suffix __chn");
    assert_eq!(channel["ChannelType"], "data");
    let soql = "SELECT Id, DeveloperName, EventChannel, SelectedEntity, FilterExpression \
                FROM PlatformEventChannelMember ORDER BY SelectedEntity";
    let members = ask(&org, "admin", soql).unwrap();
    let entities: Vec<&Value> = members.iter().map(|member| &member["SelectedEntity"]).collect();
    assert_eq!(entities, ["LeadChangeEvent", "OpportunityChangeEvent"]);
    for member in &members {
        assert_eq!(member["EventChannel"], channel["Id"]);
        assert_eq!(member["FilterExpression"], CHANNEL_FILTER, "the daemon's name for it");
        assert!(member["Id"].as_str().unwrap().starts_with("0v8"));
    }
    assert_eq!(members[0]["DeveloperName"], "AI_Proposals_chn_LeadChangeEvent");
}

#[test]
fn objects_and_custom_fields_are_rows_too() {
    let org = org(Settings::default());
    let soql = "SELECT Id, DurableId, KeyPrefix FROM EntityDefinition WHERE QualifiedApiName = 'lead'";
    let entity = &ask(&org, "admin", soql).unwrap()[0];
    assert_eq!(entity["DurableId"], "Lead");
    assert_eq!((&entity["Id"], &entity["KeyPrefix"]), (&json!("000000000000000AAA"), &json!("00Q")));
    let soql = "SELECT Id, DeveloperName FROM CustomField \
                WHERE TableEnumOrId = 'Lead' AND DeveloperName = 'AI_Decision'";
    let fields = ask(&org, "admin", soql).unwrap();
    assert_eq!(fields.len(), 1, "{fields:?}");
    assert!(fields[0]["Id"].as_str().unwrap().starts_with("00N"));
    let of_type = "SELECT DeveloperName FROM CustomField \
                   WHERE EntityDefinition.QualifiedApiName = 'AI_Gate_Setting__mdt'";
    assert_eq!(ask(&org, "admin", of_type).unwrap().len(), 7, "one switch for each lane, and two limits");
}

#[test]
fn setup_is_for_those_who_may_see_it() {
    let soql = "SELECT Id FROM ValidationRule";
    let open = org(Settings::default());
    for role in ["admin", "promoter"] {
        assert_eq!(ask(&open, role, soql).unwrap().len(), 37, "{role}");
    }
    for role in ["proposer", "reviewer", "outsider"] {
        assert_eq!(ask(&open, role, soql).unwrap_err().code, "INVALID_TYPE", "{role}");
    }
    assert!(!ask(&open, "outsider", "SELECT DurableId FROM EntityDefinition").unwrap().is_empty());
    let closed = org(Settings { promoter_sees_setup: false, ..Settings::default() });
    assert_eq!(ask(&closed, "promoter", soql).unwrap_err().code, "INVALID_TYPE");
    assert_eq!(ask(&closed, "admin", soql).unwrap().len(), 37);
}

#[test]
fn a_column_that_the_org_does_not_offer_is_refused() {
    let org = org(Settings { filter_expression_column: false, ..Settings::default() });
    let soql = "SELECT FilterExpression FROM PlatformEventChannelMember";
    assert_eq!(ask(&org, "admin", soql).unwrap_err().code, "INVALID_FIELD");
    let soql = "SELECT Name FROM Lead";
    assert_eq!(ask(&org, "admin", soql).unwrap_err().code, "INVALID_TYPE", "records are no metadata");
}

#[test]
fn columns_are_told_as_for_other_queries() {
    let org = org(Settings::default());
    let admin = org.user("admin").unwrap();
    let soql = "SELECT ValidationName, Active FROM ValidationRule";
    let told = tooling_columns(&org, &admin, soql).unwrap();
    assert_eq!(told["entityName"], "ValidationRule");
    assert_eq!(told["columnMetadata"][1]["columnName"], "Active");
    assert_eq!(told["columnMetadata"][1]["booleanType"], true);
}
