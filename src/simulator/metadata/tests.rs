//! The shipped package deploys, agrees with the names that the daemon uses, and a broken one does not deploy.

use std::{collections::BTreeSet, path::Path};

use super::{
    super::model::{FieldKind, Restricted},
    *,
};
use crate::{domain::FieldValue, salesforce::names};

fn shipped() -> Package {
    Package::embedded().unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// Every custom field that the daemon knows of an object.
fn contract_fields(contract: &names::ObjectContract) -> BTreeSet<&'static str> {
    contract.custom_fields().into_iter().collect()
}

#[test]
fn the_shipped_package_deploys_from_its_folder_and_from_the_binary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata");
    let loaded = Package::load(&folder).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(loaded, shipped());
}

#[test]
fn the_package_has_exactly_the_fields_that_the_daemon_names() {
    let package = shipped();
    let objects: Vec<&str> = package.objects.keys().map(String::as_str).collect();
    let contracts = names::SHIPPED.iter().map(|contract| contract.object);
    assert_eq!(objects, contracts.chain([names::heartbeat::OBJECT]).collect::<Vec<_>>());
    let user = &package.objects[names::heartbeat::OBJECT];
    assert_eq!(
        user.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
        [names::heartbeat::AT]
    );
    for contract in names::SHIPPED {
        let fields = &package.objects[contract.object].fields;
        let found: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(found, contract_fields(contract), "{}", contract.object);
    }
}

#[test]
fn switches_permissions_and_sources_are_those_that_the_daemon_names() {
    let package = shipped();
    let setting = &package.metadata_types[names::setting::OBJECT];
    let mut switches: BTreeSet<&str> = setting.fields.iter().map(|field| field.name.as_str()).collect();
    assert!(switches.remove(names::setting::TWO_APPROVERS_ABOVE));
    assert!(switches.remove(names::setting::SILENT_HOURS));
    let lanes = names::SHIPPED.iter().flat_map(|contract| contract.lanes);
    assert_eq!(switches, lanes.map(|lane| lane.auto_switch).collect());

    let settings = package.metadata_records.iter().filter(|it| it.type_name == names::setting::OBJECT);
    let [record] = settings.collect::<Vec<_>>()[..] else { panic!("one record") };
    assert_eq!(record.developer_name, names::setting::RECORD);
    assert!(record.values.values().all(|value| *value == FieldValue::Bool(false)), "off by default");
    assert_eq!(record.values.len(), switches.len());

    use names::permission::{BREAK_GLASS, PROMOTER, PROPOSER, REVIEWER};
    let permissions: BTreeSet<&str> = package.custom_permissions.iter().map(String::as_str).collect();
    assert_eq!(permissions, BTreeSet::from([BREAK_GLASS, PROMOTER, PROPOSER, REVIEWER]));

    use names::source::{APPROVED, AUTO, DECAY, HUMAN, RECONCILIATION, ROLLBACK};
    let sources: BTreeSet<&str> =
        package.value_sets["AI_Change_Source"].iter().map(|value| value.value.as_str()).collect();
    assert_eq!(sources, BTreeSet::from([APPROVED, AUTO, DECAY, HUMAN, RECONCILIATION, ROLLBACK]));
}

#[test]
fn proposed_fields_are_the_lanes() {
    let package = shipped();
    let field = package.find_field("Opportunity", "AI_Proposed_Fields__c").unwrap();
    let FieldKind::MultiPicklist(values) = field.kind else { panic!("{:?}", field.kind) };
    let lanes: Vec<&str> = names::OPPORTUNITY.lanes.iter().map(|lane| lane.field).collect();
    assert_eq!(values.iter().map(|value| value.value.as_str()).collect::<Vec<_>>(), lanes);
}

#[test]
fn previous_and_proposed_values_fit_their_canonical_field() {
    let package = shipped();
    for contract in names::SHIPPED {
        for lane in contract.lanes {
            let kind = |name| package.find_field(contract.object, name).unwrap().kind;
            let fits = |own: &FieldKind| match (kind(lane.field), own) {
                (FieldKind::Picklist(..), FieldKind::Text(255)) => true,
                (FieldKind::Text(canonical), FieldKind::Text(own)) => *own >= canonical,
                (FieldKind::Number(_, p, s), FieldKind::Number(_, own_p, own_s)) => {
                    (p, s) == (*own_p, *own_s)
                }
                (canonical, own) => canonical == *own,
            };
            assert!(fits(&kind(lane.previous)), "{}", lane.previous);
            assert!(fits(&kind(lane.proposed)), "{}", lane.proposed);
        }
    }
}

#[test]
fn our_own_picklists_are_restricted() {
    let package = shipped();
    for (object, own) in &package.objects {
        for field in &own.fields {
            if let FieldKind::Picklist(values, restricted) = &field.kind {
                assert_eq!(*restricted, Restricted::Yes, "{object}.{}", field.name);
                assert!(!values.is_empty(), "{object}.{}", field.name);
            }
        }
    }
}

#[test]
fn every_field_says_what_it_is() {
    let mut count = 0;
    for (path, text) in files::embedded() {
        if !path.ends_with(".field-meta.xml") {
            continue;
        }
        count += 1;
        let root = xml::read(&text, "CustomField").unwrap();
        for element in ["label", "description", "inlineHelpText", "securityClassification"] {
            assert!(root.text(element).is_some_and(|text| !text.is_empty()), "{path}: {element}");
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn every_rule_is_active_and_its_message_starts_with_its_code() {
    let package = shipped();
    assert!(package.objects[names::heartbeat::OBJECT].rules.is_empty());
    for (object, own) in package.objects.iter().filter(|(object, _)| *object != names::heartbeat::OBJECT) {
        for rule in &own.rules {
            let code = &rule.name[.."AI_GATE_00".len()];
            assert!(rule.active, "{object}.{}", rule.name);
            assert!(rule.message.starts_with(&format!("{code}: ")), "{object}.{}", rule.name);
        }
        let codes: BTreeSet<&str> = own.rules.iter().map(|rule| &rule.name[..10]).collect();
        // 15 asks for two people above an amount, which a lead does not have.
        assert_eq!(codes.len(), if object == "Lead" { 18 } else { 19 }, "{object}");
    }
}

fn set<'a>(package: &'a Package, name: &str) -> &'a PermissionSetDef {
    package.permission_sets.iter().find(|set| set.name == name).unwrap()
}

fn editable(set: &PermissionSetDef) -> BTreeSet<&str> {
    set.fields.iter().filter(|(_, access)| access.edit).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn nobody_edits_both_proposals_and_stamps() {
    let package = shipped();
    let (proposer, promoter) =
        (editable(set(&package, "AI_Proposer")), editable(set(&package, "AI_Promoter")));
    let both: Vec<&&str> = proposer.intersection(&promoter).collect();
    assert_eq!(both, [&"Lead.AI_Gate_Pending__c", &"Opportunity.AI_Gate_Pending__c"]);
    assert!(!proposer.contains("Opportunity.Amount") && promoter.contains("Opportunity.Amount"));
    assert!(editable(set(&package, "AI_Auditor")).is_empty());
    let reviewer = editable(set(&package, "AI_Reviewer"));
    let shared: Vec<&&str> = reviewer.intersection(&promoter).collect();
    assert_eq!(shared, both, "people do not stamp");
    let kept = ["AI_Proposal_Expires_At__c", "AI_Proposal_Evidence__c", "AI_Break_Glass_Reason__c"];
    assert!(reviewer.iter().all(|name| !kept.iter().any(|kept| name.ends_with(kept))), "{reviewer:?}");
    let breakers: Vec<&str> = package
        .permission_sets
        .iter()
        .filter(|set| editable(set).iter().any(|name| name.ends_with(names::BREAK_GLASS_REASON)))
        .map(|set| set.name.as_str())
        .collect();
    assert_eq!(breakers, [names::permission::BREAK_GLASS]);
}

#[test]
fn every_set_reads_every_field_and_grants_at_most_one_permission() {
    let package = shipped();
    for set in &package.permission_sets {
        for contract in names::SHIPPED {
            for field in contract_fields(contract) {
                let access = set.fields.get(&format!("{}.{field}", contract.object));
                assert!(access.is_some_and(|access| access.read), "{}: {field}", set.name);
            }
            let access = set.objects[contract.object];
            assert!(!access.create && !access.delete && !access.modify_all, "{}", set.name);
            assert_eq!(access.view_all, ["AI_Promoter", "AI_Auditor"].contains(&set.name.as_str()));
        }
        assert!(set.custom_permissions.len() <= 1, "{}", set.name);
    }
}

#[test]
fn the_channel_carries_each_governed_object() {
    let package = shipped();
    assert_eq!(package.channels.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), [names::CHANNEL]);
    let members: Vec<&str> = package.channel_members.iter().map(|it| it.entity.as_str()).collect();
    assert_eq!(members, ["LeadChangeEvent", "OpportunityChangeEvent"]);
    for member in &package.channel_members {
        let filter = member.filter.as_deref().unwrap();
        assert!(filter.contains(names::PENDING) && filter.contains(names::CLIENT), "{filter}");
    }
}

/// The shipped files with one file changed.
fn broken(ending: &str, from: &str, to: &str) -> Vec<Problem> {
    let mut files = files::embedded();
    let file = files.iter_mut().find(|(path, _)| path.ends_with(ending)).expect("the file is shipped");
    assert!(file.1.contains(from), "{ending} has no {from}");
    file.1 = file.1.replacen(from, to, 1);
    Package::from_files(files).expect_err("a broken package does not deploy")
}

/// End of a path, a text in that file, what replaces it, and what the deploy says.
const BREAKS: &[(&str, &str, &str, &str)] = &[
    ("Lead/fields/AI_Decision__c.field-meta.xml", "<label>", "<colour>red</colour><label>", "colour invalid"),
    (
        "Lead/fields/AI_Decision__c.field-meta.xml",
        ">AI_Decision</value",
        ">Other</value",
        "no GlobalValueSet named Other",
    ),
    ("Lead/fields/AI_Decision__c.field-meta.xml", "Internal", "Secret", "not a valid value for the enum"),
    (
        "Lead/fields/AI_Decision__c.field-meta.xml",
        "AI_Decision__c<",
        "AI_Decide__c<",
        "does not match the name",
    ),
    ("Lead/fields/AI_Decision__c.field-meta.xml", ">Picklist<", ">Html<", "not supported"),
    ("Lead/fields/AI_Decision__c.field-meta.xml", ">Picklist<", ">Hat<", "for the enum 'FieldType'"),
    (
        "AI_Lead_Guard.flow-meta.xml",
        "<start>",
        "<begin/><start>",
        "begin invalid at this location in type Flow",
    ),
    ("AI_Lead_Guard.flow-meta.xml", "RecordBeforeSave", "BeforeSave", "for the enum 'FlowTriggerType'"),
    (
        "Lead.AI_Review_Proposal.quickAction-meta.xml",
        ">AI_Lead_Review<",
        ">Nothing<",
        "no Flow named Nothing",
    ),
    ("AI_Propose_Lead_Change.genAiFunction-meta.xml", "flow<", "flows<", "not a valid value for the enum"),
    ("AI_Proposal_Notice.notiftype-meta.xml", "<desktop>true</desktop>", "", "field is missing: desktop"),
    ("Lead/fields/AI_Proposal_ID__c.field-meta.xml", ">64<", ">300<", "length must be from 1 to 255"),
    ("Lead/fields/Signal_Score__c.field-meta.xml", "<scale>3", "<scale>12", "larger than precision"),
    ("Lead/fields/Signal_Score__c.field-meta.xml", "</CustomField>", "", "Error parsing file"),
    (
        "Lead/fields/AI_Gate_Pending__c.field-meta.xml",
        "<defaultValue>false</defaultValue>",
        "",
        "missing: defaultValue",
    ),
    (
        "AI_GATE_03_Proposal_Immutable.validationRule-meta.xml",
        "ISCHANGED(AI_S",
        "ISCHANGED(AI_X",
        "does not exist",
    ),
    (
        "AI_GATE_03_Proposal_Immutable.validationRule-meta.xml",
        "NOT(ISNEW())",
        "Status",
        "is a picklist field",
    ),
    ("AI_GATE_08_Auto_Switch.validationRule-meta.xml", "Default.", "Other.", "Error in formula"),
    (
        "AI_GATE_01_Proposer_Writes_No_State.validationRule-meta.xml",
        "<active>true",
        "<active>on",
        "xsd:boolean",
    ),
    (
        "AI_Promoter.permissionset-meta.xml",
        "Opportunity.Amount<",
        "Opportunity.StageName<",
        "required field: Opportunity.StageName",
    ),
    (
        "AI_Promoter.permissionset-meta.xml",
        "Lead.AI_Gate_Outcome__c",
        "Lead.Missing__c",
        "no CustomField named Lead.Missing__c",
    ),
    (
        "AI_Promoter.permissionset-meta.xml",
        "<name>AI_Promoter",
        "<name>AI_Admin",
        "no CustomPermission named AI_Admin",
    ),
    (
        "AI_Promoter.permissionset-meta.xml",
        "<modifyAllRecords>false",
        "<modifyAllRecords>true",
        "depends on permission(s): Delete",
    ),
    ("AI_Gate_Setting.Default.md-meta.xml", "xsd:boolean", "xsd:string", "does not fit"),
    ("AI_Gate_Setting.Default.md-meta.xml", "Lead_Status_Auto__c", "Missing__c", "no CustomField named"),
    (
        "AI_Proposals_chn_LeadChangeEvent.platformEventChannelMember-meta.xml",
        "AI_Gate_Pending__c",
        "AI_Pending__c",
        "filter names AI_Pending__c",
    ),
    (
        "AI_Proposals_chn_LeadChangeEvent.platformEventChannelMember-meta.xml",
        "AI_Proposals__chn",
        "Other__chn",
        "no PlatformEventChannel",
    ),
    (
        "AI_Proposals_chn_LeadChangeEvent.platformEventChannelMember-meta.xml",
        "LeadChange",
        "LeedChange",
        "not a change event",
    ),
    ("sfdx-project.json", "packageDirectories", "folders", "packageDirectories"),
];

#[test]
fn a_broken_package_does_not_deploy() {
    for (ending, from, to, expected) in BREAKS {
        let problems = broken(ending, from, to);
        assert!(problems.iter().any(|it| it.message.contains(expected)), "{ending}: {problems:#?}");
    }
    let problems = broken("Lead/fields/AI_Decision__c.field-meta.xml", "AI_Decision__c<", "AI_Decide__c<");
    assert!(problems.len() > 5, "one run shows every consequence: {}", problems.len());
}

#[test]
fn files_of_other_kinds_and_unknown_objects_are_problems() {
    for (path, expected) in [
        ("force-app/main/default/lwc/x/x.js-meta.xml", "does not support"),
        (
            "force-app/main/default/objects/Nothing__c/fields/A__c.field-meta.xml",
            "'Nothing__c' cannot be found",
        ),
    ] {
        let mut files = files::embedded();
        let text = files
            .iter()
            .find(|(path, _)| path.ends_with("AI_Decided_At__c.field-meta.xml"))
            .unwrap()
            .1
            .replace("AI_Decided_At__c", "A__c");
        files.push((path.to_owned(), text));
        let problems = Package::from_files(files).unwrap_err();
        assert!(problems.iter().any(|it| it.file == path && it.message.contains(expected)), "{problems:#?}");
    }
    assert!(Package::load(Path::new("/nonexistent/package")).is_err());
    assert!(Package::from_files(Vec::new()).unwrap_err()[0].message.contains("sfdx-project.json"));
}
