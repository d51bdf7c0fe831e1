//! The shipped package is what the templates render.

use std::{collections::BTreeMap, env, fs, path::Path};

use super::*;

fn rendered() -> BTreeMap<String, String> {
    let shipped = Governed::shipped();
    let mut files = value_set_files();
    for object in &shipped {
        files.extend(object.files());
    }
    files.extend(permission_sets(&shipped, "").iter().map(permission_set_file));
    files
}

/// With `COUNTERSIGN_WRITE_PACKAGE` set it writes the files instead, for whoever changes a template.
#[test]
fn the_shipped_files_are_rendered_byte_for_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata").join(SOURCE);
    let rendered = rendered();
    if env::var_os("COUNTERSIGN_WRITE_PACKAGE").is_some() {
        for (path, text) in &rendered {
            fs::write(root.join(path), text).unwrap();
        }
    }
    let mut wrong = Vec::new();
    for (path, text) in &rendered {
        let found = fs::read_to_string(root.join(path)).unwrap_or_default();
        if found != *text {
            wrong.push(path.as_str());
        }
    }
    assert!(wrong.is_empty(), "these differ from their templates: {wrong:#?}");
}

#[test]
fn nothing_governed_is_shipped_beside_the_templates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata").join(SOURCE);
    let rendered = rendered();
    for folder in [
        "objects/Lead/fields",
        "objects/Lead/validationRules",
        "objects/Opportunity/fields",
        "objects/Opportunity/validationRules",
        "platformEventChannelMembers",
        "permissionsets",
        "globalValueSets",
    ] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(rendered.contains_key(&path), "{path} has no template");
        }
    }
}

#[test]
fn formulas_messages_and_texts_fit_their_limits() {
    for object in Governed::shipped() {
        for rule in object.rules() {
            assert!(rule.formula.chars().count() < 3_900, "{}: {}", object.object, rule.name);
            assert!(rule.message.chars().count() <= 255, "{}", rule.name);
            assert!(rule.description.chars().count() <= 255, "{}", rule.name);
        }
        for field in object.fields() {
            assert!(field.label.chars().count() <= 40, "{}", field.name);
            assert!(field.help.chars().count() <= 510 && field.description.chars().count() <= 1_000);
        }
    }
}

fn facts(name: &str, kind: &str) -> FieldFacts {
    FieldFacts {
        name: name.to_owned(),
        kind: kind.to_owned(),
        length: 80,
        precision: 18,
        scale: 2,
        nillable: true,
        read_only: None,
    }
}

fn derived(object: &str, fields: &[(&str, &str)]) -> Result<Governed, PackageError> {
    let fields: Vec<FieldFacts> = fields.iter().map(|(name, kind)| facts(name, kind)).collect();
    let owner = ("OwnerId".to_owned(), "owner".to_owned());
    Governed::derive(object, &fields, &[owner])
}

#[test]
fn names_follow_the_field_and_stay_within_limits() {
    let case = derived("Case", &[("Priority", "picklist")]).unwrap();
    let lane = &case.lanes[0];
    assert_eq!(
        [&lane.proposed, &lane.previous, &lane.switch, &case.changed_at, &case.change_source],
        [
            "AI_Recommended_Priority__c",
            "Previous_Priority__c",
            "Case_Priority_Auto__c",
            "Case_Changed_Date__c",
            "Case_Change_Source__c",
        ]
    );
    assert_eq!(case.channel_member(), "AI_Proposals_chn_CaseChangeEvent");
    let long = "A_Very_Long_Name_For_A_Custom_Field_XYZ";
    let renewal = derived(
        "vendor__Renewal_Of_A_Subscription_Contract__c",
        &[(&format!("{long}1__c"), "date"), (&format!("{long}2__c"), "currency"), ("NextStep", "string")],
    )
    .unwrap();
    assert_eq!(renewal.change_event(), "vendor__Renewal_Of_A_Subscription_Contract__ChangeEvent");
    assert!(!renewal.channel_member().contains("__"));
    assert_eq!(renewal.proposed_fields.as_deref(), Some("AI_Proposed_Fields__c"));
    let mut names: Vec<String> = renewal.fields().into_iter().map(|field| field.name).collect();
    names.extend(renewal.switches().into_iter().map(|field| field.name));
    for name in &names {
        let bare = name.strip_suffix("__c").unwrap();
        assert!(bare.len() <= 40 && !bare.contains("__"), "{name}");
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "no two fields share a name");
    for field in renewal.fields() {
        assert!(field.label.len() <= 40 && field.relationship_name.len() <= 40, "{field:?}");
    }
    for set in permission_sets(std::slice::from_ref(&renewal), &format!("_{}", renewal.stem())) {
        assert!(set.name.len() <= 80, "{}", set.name);
    }
}

#[test]
fn a_standard_and_a_custom_field_of_one_name_are_kept_apart() {
    let both = derived("Case", &[("Priority", "picklist"), ("Priority__c", "picklist")]).unwrap();
    assert_ne!(both.lanes[0].proposed, both.lanes[1].proposed);
    assert_ne!(both.lanes[0].previous, both.lanes[1].previous);
    assert_ne!(both.lanes[0].switch, both.lanes[1].switch);
}

#[test]
fn what_cannot_be_governed_is_refused() {
    let code = |object: &str, fields: &[(&str, &str)]| derived(object, fields).unwrap_err().code();
    for kind in ["reference", "boolean", "multipicklist", "id", "encryptedstring", "base64", "address"] {
        assert_eq!(code("Case", &[("Thing", kind)]), "field-type-unsupported", "{kind}");
    }
    for name in ["", "9Lives", "A B", "A-B", "x__y__z__c", "A_", "Ä", "A<B"] {
        assert_eq!(code(name, &[("Priority", "picklist")]), "api-name-invalid", "{name}");
        assert_eq!(code("Case", &[(name, "picklist")]), "api-name-invalid", "{name}");
    }
    assert_eq!(code("Case", &[]), "no-field");
    assert_eq!(code("Case", &[("Priority", "picklist"), ("Priority", "picklist")]), "field-twice");
    assert_eq!(code("Opportunity", &[("Amount", "currency")]), "already-governed");
    let formula = FieldFacts { read_only: Some("formula".into()), ..facts("Total__c", "currency") };
    assert_eq!(Governed::derive("Case", &[formula], &[]).unwrap_err().code(), "field-read-only");
}

#[test]
fn a_generated_flow_keeps_no_name_of_leads() {
    let case = derived("Case", &[("Priority", "picklist")]).unwrap();
    let flows = case.flow_files();
    assert!(flows.contains_key("flows/AI_Case_Guard.flow-meta.xml"), "{:?}", flows.keys());
    assert!(flows.contains_key("flows/AI_Case_Review.flow-meta.xml"), "{:?}", flows.keys());
    assert!(flows.contains_key("quickActions/Case.AI_Review_Proposal.quickAction-meta.xml"));
    for (path, text) in &flows {
        for word in ["Lead", "lead", ".Status", "Previous_Lead", "AI_Recommended_Status__c"] {
            assert!(!text.contains(word), "{path} has {word}");
        }
        assert!(!text.contains(".Name") && !text.contains(">Name<"), "{path}: cases have numbers");
    }
    let picklist = [facts("Priority", "picklist")];
    let detail = Governed::derive("Detail__c", &picklist, &[]).unwrap().flow_files();
    assert!(detail.values().all(|text| !text.contains("OwnerId")), "{:?}", detail.keys());
    assert!(detail.contains_key("flows/AI_Detail_Human_Change.flow-meta.xml"));
    let date = derived("Case", &[("Due__c", "date")]).unwrap();
    assert!(!date.flow_files().contains_key("flows/AI_Case_Review.flow-meta.xml"), "it takes a picklist");
    assert!(date.flow_files().contains_key("flows/AI_Case_Guard.flow-meta.xml"));
    assert!(
        derived("Case", &[("Priority", "picklist"), ("Due__c", "date")]).unwrap().flow_files().is_empty()
    );
}

#[test]
fn xml_is_escaped_by_the_engine() {
    let set = PermissionSet {
        name: "AI_X".into(),
        label: "<A & 'B'>".into(),
        description: "\"quoted\"".into(),
        custom_permission: None,
        metadata_types: Vec::new(),
        fields: Vec::new(),
        flows: Vec::new(),
        objects: Vec::new(),
        user_permissions: Vec::new(),
    };
    let (_, text) = permission_set_file(&set);
    assert!(text.contains("<label>&lt;A &amp; &apos;B&apos;&gt;</label>"), "{text}");
    assert!(text.contains("&quot;quoted&quot;"), "{text}");
}
