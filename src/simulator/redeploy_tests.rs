//! Deploys into a running org.

use serde_json::Value;

use super::*;
use crate::{
    clock::Clock,
    simulator::{OrgOptions, WriteOp, WriteOptions, WriteRow},
};

const FOLDER: &str = "force-app/main/default";
const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";

fn components(files: &[(&str, &str, &str)]) -> Vec<Component> {
    let project = r#"{"packageDirectories":[{"path":"force-app"}]}"#;
    let mut all = vec![("sfdx-project.json".to_owned(), project.to_owned())];
    all.extend(files.iter().map(|(path, kind, body)| {
        (format!("{FOLDER}/{path}"), format!("<{kind} xmlns=\"{NAMESPACE}\">{body}</{kind}>"))
    }));
    Package::from_files(all).unwrap_or_else(|problems| panic!("{problems:#?}")).components
}

const FLAG: (&str, &str, &str) = (
    "objects/Lead/fields/Flag__c.field-meta.xml",
    "CustomField",
    "<fullName>Flag__c</fullName><label>Flag</label><type>Checkbox</type><defaultValue>true</defaultValue>",
);
const NOTE: (&str, &str, &str) = (
    "objects/Lead/fields/Note__c.field-meta.xml",
    "CustomField",
    "<fullName>Note__c</fullName><label>Note</label><type>Text</type><length>20</length>",
);
const RULE: (&str, &str, &str) = (
    "objects/Lead/validationRules/No_Note.validationRule-meta.xml",
    "ValidationRule",
    "<fullName>No_Note</fullName><active>true</active>\
     <errorConditionFormula>Note__c = \"no\"</errorConditionFormula><errorMessage>NO: no</errorMessage>",
);

fn bare() -> Org {
    Org::new(OrgOptions::new(Clock::adjustable(), Package::default())).unwrap()
}

fn change(added: Vec<Component>, removed: &[(&str, &str)]) -> Change {
    let removed = removed.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect();
    Change { added, removed }
}

fn save(org: &Org, id: Option<&str>, values: &[(&str, &str)]) -> Result<String, String> {
    let admin = org.user("admin").unwrap();
    let fields =
        values.iter().map(|(name, value)| ((*name).to_owned(), Value::String((*value).to_owned()))).collect();
    let op = if id.is_some() { WriteOp::Update } else { WriteOp::Create };
    let row = WriteRow { object: "Lead".to_owned(), op, id: id.map(str::to_owned), fields };
    let result = org.write(&admin, &WriteOptions::default(), vec![row]).remove(0);
    match result.errors.first() {
        Some(error) => Err(error.code.clone()),
        None => Ok(result.id.unwrap_or_default()),
    }
}

#[test]
fn a_deploy_brings_fields_and_rules_and_takes_them_away() {
    let org = bare();
    let lead = save(&org, None, &[("LastName", "Example"), ("Company", "Example Widgets Ltd")]).unwrap();
    assert_eq!(save(&org, Some(&lead), &[("Note__c", "no")]), Err("INVALID_FIELD".into()));
    let before = org.package();

    org.deploy(&change(components(&[FLAG, NOTE, RULE]), &[]), true).unwrap();
    assert!(org.object("Lead").unwrap().field("Flag__c").is_none(), "a check changes nothing");
    org.deploy(&change(components(&[FLAG, NOTE, RULE]), &[]), false).unwrap();
    assert!(before.objects.is_empty(), "a snapshot stays as it was");
    let row = org.row("Lead", &lead).unwrap();
    assert_eq!(row.get("Flag__c"), Some(&FieldValue::Bool(true)), "rows get the default of a new checkbox");
    assert_eq!(row.get("LastName"), Some(&FieldValue::text("Example")));
    assert_eq!(
        save(&org, Some(&lead), &[("Note__c", "no")]),
        Err("FIELD_CUSTOM_VALIDATION_EXCEPTION".into())
    );
    save(&org, Some(&lead), &[("Note__c", "yes")]).unwrap();

    let used = org.deploy(&change(Vec::new(), &[("CustomField", "Lead.Note__c")]), false).unwrap_err();
    assert_eq!(used[0].component, "ValidationRule Lead.No_Note", "{used:?}");
    assert!(org.object("Lead").unwrap().field("Note__c").is_some());
    let both = [("CustomField", "Lead.Note__c"), ("ValidationRule", "Lead.No_Note")];
    org.deploy(&change(Vec::new(), &both), false).unwrap();
    assert!(org.object("Lead").unwrap().field("Note__c").is_none());
    org.deploy(&change(components(&[NOTE]), &[]), false).unwrap();
    assert_eq!(org.row("Lead", &lead).unwrap().get("Note__c"), None, "removed values do not come back");
}

#[test]
fn ids_of_fields_stay_and_types_do_not_change() {
    let org = bare();
    org.deploy(&change(components(&[NOTE]), &[]), false).unwrap();
    let id = |org: &Org| org.object("Lead").unwrap().field("Note__c").unwrap().custom_id.clone();
    let first = id(&org);
    org.deploy(&change(components(&[FLAG]), &[]), false).unwrap();
    assert_eq!(id(&org), first, "Flag__c comes before Note__c and takes no id away");
    let number = NOTE
        .2
        .replace("Text", "Number")
        .replace("<length>20</length>", "<precision>3</precision><scale>0</scale>");
    let changed = components(&[(NOTE.0, NOTE.1, &number)]);
    let problems = org.deploy(&change(changed, &[]), false).unwrap_err();
    assert!(problems[0].message.contains("Cannot change the type"), "{problems:?}");
}

#[test]
fn a_state_file_keeps_what_was_deployed() {
    let folder = tempfile::tempdir().unwrap();
    let options = || OrgOptions {
        state_file: Some(folder.path().join("org.json")),
        ..OrgOptions::new(Clock::adjustable(), Package::default())
    };
    let org = Org::new(options()).unwrap();
    org.deploy(&change(components(&[FLAG, NOTE, RULE]), &[]), false).unwrap();
    let lead = save(&org, None, &[("LastName", "Example"), ("Company", "Example Widgets Ltd")]).unwrap();
    org.save_state().unwrap();
    let field = org.object("Lead").unwrap().field("Note__c").cloned();
    drop(org);
    let org = Org::new(options()).unwrap();
    assert_eq!(org.object("Lead").unwrap().field("Note__c").cloned(), field);
    assert_eq!(
        save(&org, Some(&lead), &[("Note__c", "no")]),
        Err("FIELD_CUSTOM_VALIDATION_EXCEPTION".into())
    );
}

#[test]
fn the_shipped_package_deploys_into_a_bare_org() {
    let org = bare();
    let shipped = Package::embedded().unwrap();
    org.deploy(&change(shipped.components.clone(), &[]), false).unwrap();
    assert_eq!(*org.package(), shipped);
    let whole = Org::new(OrgOptions::new(Clock::adjustable(), shipped)).unwrap();
    for object in whole.objects() {
        assert_eq!(org.object(&object.name), Some(object));
    }
    for role in ["proposer", "promoter", "reviewer"] {
        assert_eq!(org.user(role).unwrap().access, whole.user(role).unwrap().access, "{role}");
    }
    assert_eq!(org.row_count("PermissionSetAssignment"), whole.row_count("PermissionSetAssignment"));
    assert_eq!(org.row_count("AI_Gate_Setting__mdt"), 1);
    org.deploy(&change(org.package().components.clone(), &[]), false).unwrap();
    assert_eq!(org.row_count("AI_Gate_Setting__mdt"), 1, "a record that is deployed again is one record");
}
