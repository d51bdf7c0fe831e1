//! `countersign metadata` as its users start it: the real binary against the simulated org.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use countersign::simulator::metadata::Package;
use serde_json::Value;

use crate::processes::OrgProcess;

struct Answer {
    code: Option<i32>,
    out: String,
    err: String,
}

fn metadata(arguments: &[&str], org: Option<(&OrgProcess, &Path)>) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("metadata").args(arguments);
    if let Some((org, folder)) = org {
        let settings = folder.join("settings.toml");
        let text = format!(
            "[org]\nlogin_url = \"{}\"\n[promoter]\nkind = \"access_token\"\naccess_token = \"{}\"\n\
             [doctor]\naccess_token = \"{}\"\n",
            org.text("/instance_url"),
            org.text("/users/promoter/access_token"),
            org.text("/users/admin/access_token"),
        );
        fs::write(&settings, text).unwrap();
        command.arg("--config").arg(&settings);
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Answer { code: status.code(), out: text(stdout), err: text(stderr) }
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", answer.out, answer.err))
}

/// A copy of the shipped package.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in countersign::package::SHIPPED {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

fn component<'a>(report: &'a Value, name: &str) -> &'a Value {
    let components = report["components"].as_array().unwrap();
    components.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name} in {report:#}"))
}

#[test]
fn a_deployed_package_is_the_package() {
    let (org, folder) = (OrgProcess::start(&[]), tempfile::tempdir().unwrap());
    let diff = metadata(&["diff", "--json"], Some((&org, folder.path())));
    let report = json(&diff);
    assert_eq!((diff.code, &report["ok"]), (Some(0), &Value::Bool(true)), "{report:#}");
    let unseen = report["components"].as_array().unwrap();
    let hidden = ["Flow", "CustomPermission"];
    assert!(unseen.iter().all(|it| hidden.contains(&it["kind"].as_str().unwrap())), "{unseen:#?}");
    assert!(report["counts"]["same"].as_u64().unwrap() > 100, "{report:#}");

    let plan = metadata(&["plan"], Some((&org, folder.path())));
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    assert!(plan.out.contains("mapping Lead.Status  proposal AI_Recommended_Status__c"), "{}", plan.out);
    assert!(plan.out.contains("0 to create"), "{}", plan.out);
}

#[test]
fn a_bare_org_has_nothing_in_the_way() {
    let (org, folder) = (OrgProcess::start(&["--bare"]), tempfile::tempdir().unwrap());
    let plan = metadata(&["plan", "--json"], Some((&org, folder.path())));
    let report = json(&plan);
    assert_eq!((plan.code, &report["ok"]), (Some(0), &Value::Bool(true)), "{report:#}");
    assert_eq!(report["counts"]["differs"], 0, "{report:#}");
    assert!(report["counts"]["missing"].as_u64().unwrap() > 100, "{report:#}");
    assert_eq!(component(&report, "Lead.AI_Decision__c")["standing"], "missing");
    assert_eq!(component(&report, "Opportunity.AI_GATE_15_Second_Approver")["standing"], "missing");
    assert_eq!(metadata(&["diff"], Some((&org, folder.path()))).code, Some(1), "all of it is missing");
}

#[test]
fn a_changed_rule_and_a_changed_field_are_told_apart() {
    let package = copy();
    let objects = package.path().join("force-app/main/default/objects/Lead");
    let change = |file: &str, from: &str, to: &str| {
        let path = objects.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(&path, text.replace(from, to)).unwrap();
    };
    change("validationRules/AI_GATE_16_Hold.validationRule-meta.xml", "&gt;= TODAY()", "&gt; TODAY()");
    change(
        "validationRules/AI_GATE_09_Rollback_Value.validationRule-meta.xml",
        "<active>true",
        "<active>false",
    );
    change("fields/AI_Hold_Reason__c.field-meta.xml", "<length>255", "<length>80");
    change("fields/AI_Last_Evaluated_At__c.field-meta.xml", ">DateTime<", ">Date<");
    let org = OrgProcess::start(&["--metadata", package.path().to_str().unwrap()]);
    let diff = metadata(&["diff", "--json"], Some((&org, package.path())));
    let report = json(&diff);
    assert_eq!(diff.code, Some(1), "{report:#}");
    for (name, detail) in [
        ("Lead.AI_GATE_16_Hold", "its formula is not the package's"),
        ("Lead.AI_GATE_09_Rollback_Value", "it is not active"),
        ("Lead.AI_Hold_Reason__c", "length is 80, the package has 255"),
        ("Lead.AI_Last_Evaluated_At__c", "type is date, the package has datetime"),
    ] {
        let found = component(&report, name);
        assert_eq!((&found["standing"], &found["detail"]), (&"differs".into(), &detail.into()), "{found}");
        assert_ne!(found["fix"], "", "{name}");
    }
    assert_eq!(report["counts"]["differs"], 4, "{report:#}");
    let plan = metadata(&["plan", "--json"], Some((&org, package.path())));
    assert_eq!(plan.code, Some(1), "what is in the way is told before a deploy: {}", plan.out);
}

#[test]
fn what_is_generated_for_a_case_is_a_package() {
    let package = copy();
    let out = package.path().to_str().unwrap();
    let (org, folder) = (OrgProcess::start(&[]), tempfile::tempdir().unwrap());
    let asked = ["--object", "Case", "--field", "Priority"];
    let plan = metadata(&[&["plan", "--json"], &asked[..]].concat(), Some((&org, folder.path())));
    let report = json(&plan);
    assert_eq!((plan.code, &report["counts"]["differs"]), (Some(0), &0.into()), "{report:#}");
    assert_eq!(component(&report, "Case.AI_Recommended_Priority__c")["standing"], "missing");
    assert_eq!(component(&report, "AI_Promoter_Case")["standing"], "missing");

    let written =
        metadata(&[&["generate", "--json", "--out", out], &asked[..]].concat(), Some((&org, folder.path())));
    assert_eq!(written.code, Some(0), "{}", written.err);
    let report = json(&written);
    assert_eq!(report["mapping"]["fields"][0]["proposal"], "AI_Recommended_Priority__c");
    let loaded = Package::load(package.path()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(loaded.objects["Case"].rules.len(), 18);
    assert!(loaded.objects["Case"].fields.iter().any(|field| field.name == "Previous_Priority__c"));
    assert!(loaded.permission_sets.iter().any(|set| set.name == "AI_Reviewer_Case"));

    let org = OrgProcess::start(&["--metadata", out]);
    let diff = metadata(&[&["diff", "--json"], &asked[..]].concat(), Some((&org, folder.path())));
    assert_eq!(diff.code, Some(0), "{}", diff.out);
    let again = metadata(&[&["generate", "--out", out], &asked[..]].concat(), Some((&org, folder.path())));
    assert!(again.out.contains(" 0 of them new or changed"), "{}", again.out);
}

#[test]
fn a_further_field_of_an_opportunity_asks_before_it_replaces() {
    let package = copy();
    let asked = ["--object", "Opportunity", "--field", "Probability:percent(3,0)"];
    let generate = |more: &[&str]| {
        let out = ["generate", "--out", package.path().to_str().unwrap()];
        metadata(&[&out[..], &asked[..], more].concat(), None)
    };
    let refused = generate(&[]);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(refused.err.contains("file-exists") && refused.err.contains("--replace"), "{}", refused.err);
    let fresh = Package::load(package.path()).unwrap();
    assert!(fresh.objects["Opportunity"].fields.iter().all(|it| !it.name.contains("Probability")));
    assert_eq!(generate(&["--replace"]).code, Some(0));
    let loaded = Package::load(package.path()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let of = |object: &str, name: &str| loaded.objects[object].fields.iter().any(|field| field.name == name);
    assert!(of("Opportunity", "AI_Recommended_Probability__c") && of("Lead", "AI_Recommended_Status__c"));
    let proposer = loaded.permission_sets.iter().find(|set| set.name == "AI_Proposer").unwrap();
    assert!(proposer.fields["Opportunity.AI_Recommended_Probability__c"].edit);
    assert!(proposer.fields["Lead.AI_Recommended_Status__c"].edit, "the other object keeps its entries");
    assert!(!proposer.fields["Opportunity.Probability"].edit);
}

#[test]
fn what_cannot_be_governed_is_refused_with_its_reason() {
    for (arguments, code) in [
        (vec!["--object", "Case", "--field", "Owner:reference"], "field-type-unsupported"),
        (vec!["--object", "Case", "--field", "Note__c:text(4000)"], "field-type-unsupported"),
        (vec!["--object", "Case", "--field", "Note__c:text(x)"], "field-type-unreadable"),
        (vec!["--object", "Case; drop", "--field", "Priority:picklist"], "api-name-invalid"),
        (vec!["--object", "Case", "--field", "A:date", "--field", "A:date"], "field-twice"),
        (vec!["--object", "Lead", "--field", "Status:picklist"], "already-governed"),
        (vec!["--object", "Task", "--field", "Status:picklist"], "object-is-activity"),
        (vec!["--object", "Event", "--field", "Location:text(255)"], "object-is-activity"),
        (vec!["--object", "Case"], "no-field"),
        (vec!["--field", "Priority:picklist"], "--object"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let answer =
            metadata(&[&["generate", "--out", out.to_str().unwrap()], &arguments[..]].concat(), None);
        assert_eq!(answer.code, Some(2), "{arguments:?}: {}", answer.err);
        assert!(answer.err.contains(code), "{arguments:?}: {}", answer.err);
        assert!(!out.exists(), "{arguments:?} wrote something");
    }
}

#[test]
fn many_fields_end_at_the_length_of_a_formula() {
    let fields: Vec<String> = (0..40).map(|number| format!("Some_Longer_Name_{number}__c:date")).collect();
    let mut arguments = vec!["generate", "--object", "Case"];
    arguments.extend(fields.iter().flat_map(|field| ["--field", field.as_str()]));
    let answer = metadata(&arguments, None);
    assert_eq!(answer.code, Some(2), "{}", answer.out);
    assert!(answer.err.contains("formula-too-long") && answer.err.contains("fewer"), "{}", answer.err);
}

#[test]
fn removal_names_every_component_in_an_order_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("steps");
    assert_eq!(metadata(&["remove"], None).code, Some(2), "it removes nothing by itself");
    let answer = metadata(&["remove", "--plan", "--json", "--out", out.to_str().unwrap()], None);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let report = json(&answer);
    let place = |kind: &str| {
        let steps = report["steps"].as_array().unwrap();
        steps
            .iter()
            .position(|step| step["components"].get(kind).is_some())
            .unwrap_or_else(|| panic!("{kind}"))
    };
    for (before, after) in [
        ("QuickAction", "Flow"),
        ("Flow", "CustomField"),
        ("ValidationRule", "CustomField"),
        ("PermissionSet", "CustomPermission"),
        ("CustomField", "GlobalValueSet"),
        ("CustomMetadata", "CustomObject"),
    ] {
        assert!(place(before) < place(after), "{before} before {after}");
    }
    let named = serde_json::to_string(&report["steps"]).unwrap();
    for (path, _) in countersign::package::SHIPPED {
        let file = path.rsplit('/').next().unwrap();
        let of_setting = path.contains("__mdt/fields/") || path.contains("__c/fields/");
        if let (Some((name, _)), false) =
            (file.split_once("-meta.xml").map(|it| it.0).and_then(|it| it.rsplit_once('.')), of_setting)
        {
            let name = name.split("__mdt.").last().unwrap();
            assert!(named.contains(name), "{path} is not in the plan");
        }
    }
    for step in fs::read_dir(&out).unwrap() {
        let step = step.unwrap().path();
        let empty = fs::read_to_string(step.join("package.xml")).unwrap();
        assert!(!empty.contains("<types>"), "{empty}");
        let gone = fs::read_to_string(step.join("destructiveChanges.xml")).unwrap();
        assert!(gone.contains("<members>") && gone.contains("<name>"), "{gone}");
    }
    assert!(report["lost"].as_array().unwrap().len() > 60);
}

/// The shipped transition rules say what the shipped policy of leads says.
#[test]
fn transition_rules_are_steps_of_the_policy() {
    use countersign::{domain::FieldValue, salesforce::names::transition};
    let package = Package::embedded().unwrap();
    let policy = countersign::config::policies::load_default().unwrap();
    let object = policy.objects.values().find(|policy| policy.object.as_str() == "Lead").unwrap();
    let (_, status) = object.fields.iter().find(|(name, _)| name.as_str() == "Status").unwrap();
    let mut steps = Vec::new();
    for record in package.metadata_records.iter().filter(|it| it.type_name == transition::OBJECT) {
        let text = |name: &str| record.values[name].as_text().unwrap_or_else(|| panic!("{name}")).to_owned();
        assert_eq!(
            (text(transition::OF_OBJECT), text(transition::OF_FIELD)),
            ("Lead".into(), "Status".into())
        );
        assert_eq!(record.values[transition::ACTIVE], FieldValue::Bool(true));
        let confidence = status.min_confidence.map(FieldValue::decimal).unwrap();
        assert_eq!(record.values[transition::MIN_CONFIDENCE], confidence);
        steps.push((text(transition::FROM), text(transition::TO)));
    }
    // Every step forward or to an end, from a state that is none, to a state that may be aimed at.
    let mut wanted = Vec::new();
    for (place, from) in status.lifecycle.iter().enumerate().filter(|(_, from)| !status.is_terminal(from)) {
        let later = status.lifecycle[place + 1..].iter().filter(|to| !status.never_target.contains(*to));
        wanted.extend(later.map(|to| (from.clone(), to.clone())));
    }
    steps.sort();
    wanted.sort();
    assert_eq!(steps, wanted);
}
