//! Policy files: what loads, and what each mistake is called.

use std::{fs, path::Path};

use super::*;
use crate::domain::{FieldName, FieldSchema, FieldType, ObjectPolicy, ObjectSchema, Tier};

const HEAD: &str = "name = \"example\"\nobject = \"Lead\"\nproposal_max_age_minutes = 60\n\
                    approval_max_age_minutes = 60\nundecided_max_age_minutes = 60\n";

fn load_texts(texts: &[&str]) -> Result<Policy, Vec<PolicyProblem>> {
    let dir = tempfile::tempdir().unwrap();
    for (place, text) in texts.iter().enumerate() {
        fs::write(dir.path().join(format!("{place}.toml")), text).unwrap();
    }
    load_dir(dir.path())
}

fn codes(texts: &[&str]) -> Vec<(&'static str, String, Option<usize>)> {
    let problems = load_texts(texts).unwrap_err();
    problems.into_iter().map(|problem| (problem.code, problem.key, problem.line)).collect()
}

#[test]
fn built_in_policies_load_and_match_the_shipped_files() {
    let built_in = load_default().unwrap();
    let shipped = load_dir(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config/policies"))).unwrap();
    assert_eq!(built_in.digest(), shipped.digest());
    assert_eq!(built_in.objects.len(), 2);
    let opportunity = &built_in.objects[&ObjectName::parse("Opportunity").unwrap()];
    assert_eq!(opportunity.fields.len(), 4);
    for rules in opportunity.fields.values() {
        assert!(matches!(rules.tier, Tier::Reviewed | Tier::Never), "nothing runs by itself in the pilot");
    }
}

#[test]
fn every_problem_of_every_file_is_reported_in_one_run() {
    let first = format!("{HEAD}[fields.Status]\nteir = \"reviewed\"\nmin_confidence = 0.5\n");
    let second = "name = \"other\"\nobject = \"Not a name\"\n[fields]\n";
    let found = codes(&[&first, second]);
    let expected: Vec<(&str, String, Option<usize>)> = vec![
        ("policy-key-unknown", "fields.Status.teir".into(), Some(7)),
        ("policy-key-missing", "fields.Status.tier".into(), Some(6)),
        ("policy-type", "fields.Status.min_confidence".into(), Some(8)),
        ("policy-name-malformed", "object".into(), Some(2)),
        ("policy-key-missing", "proposal_max_age_minutes".into(), Some(1)),
        ("policy-key-missing", "approval_max_age_minutes".into(), Some(1)),
        ("policy-key-missing", "undecided_max_age_minutes".into(), Some(1)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    let text = format!("{HEAD}[fields.Status]\ntier = \"reviewed\"\nlifecicle = []\n");
    let problems = load_texts(&[&text]).unwrap_err();
    assert_eq!(problems[0].fix, "did you mean `lifecycle`?");
    assert!(problems[0].to_string().contains("0.toml:8: fields.Status.lifecicle: unknown key"));
}

#[test]
fn each_mistake_has_its_code() {
    let cases = [
        ("tier = \"review\"", "policy-value-unknown"),
        ("tier = 1", "policy-type"),
        ("tier = \"reviewed\"\nmin_confidence = \"1.5\"", "policy-range"),
        ("tier = \"reviewed\"\ndecay_after_days = { New = \"0.5\" }\nlifecycle = [\"New\"]", "policy-range"),
        ("tier = \"reviewed\"\nlifecycle = [\"New\", \"New\"]", "policy-state-duplicate"),
        ("tier = \"reviewed\"\nlifecycle = [\"New\"]\nterminal = [\"Done\"]", "policy-state-unknown"),
        ("tier = \"autonomous\"", "policy-auto-tier"),
        (
            "tier = \"reviewed\"\nauto = [{ from = [\"A\"], to = [\"B\"], min_confidence = \"0.9\" }]",
            "policy-auto-tier",
        ),
        ("tier = \"reviewed\"\npath = \"block_and_alert\"", "policy-contradiction"),
        (
            "tier = \"reviewed\"\nlifecycle = [\"A\", \"B\"]\nterminal = [\"B\"]\n\
             allowed_regressions = [{ from = \"B\", to = \"A\" }]",
            "policy-contradiction",
        ),
        ("tier = \"reviewed\"\n= 3", "policy-syntax"),
    ];
    for (text, code) in cases {
        let found = codes(&[&format!("{HEAD}[fields.Status]\n{text}\n")]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].0, code, "{text}");
    }
}

#[test]
fn one_file_per_object_and_at_least_one_file() {
    let text = format!("{HEAD}[fields.Status]\ntier = \"reviewed\"\n");
    let found = codes(&[&text, &text]);
    assert_eq!(found, [("policy-object-duplicate", "object".to_owned(), Some(2))]);
    assert_eq!(codes(&[])[0].0, "policy-none");
    let missing = load_dir(Path::new("no-such-directory")).unwrap_err();
    assert_eq!(missing[0].code(), "policy-unreadable");
}

#[test]
fn the_org_is_asked_for_every_field_and_state() {
    let policy = load_default().unwrap();
    let name = |text| FieldName::parse(text).unwrap();
    let status = FieldType::Picklist { values: vec!["Open - Not Contacted".into()], restricted: false };
    let schema = ObjectSchema {
        required: Vec::new(),
        record_types: std::collections::BTreeMap::new(),
        object: ObjectName::parse("Lead").unwrap(),
        fields: BTreeMap::from([(
            name("Status"),
            FieldSchema { field_type: status, updateable: false, nillable: false },
        )]),
        auto_allowed: Vec::new(),
    };
    let problems = check_against(&policy, &schema);
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(
        codes,
        [
            "policy-field-not-updateable",
            "policy-state-not-in-org",
            "policy-state-not-in-org",
            "policy-state-not-in-org"
        ]
    );
    let bare = ObjectSchema { fields: BTreeMap::new(), ..schema };
    assert_eq!(check_against(&policy, &bare)[0].code, "policy-field-not-in-org");
}

#[test]
fn the_shipped_policies_explain_every_key() {
    let text = EMBEDDED.iter().map(|(_, text)| *text).collect::<String>();
    for key in reader::OBJECT_KEYS.iter().chain(reader::FIELD_KEYS) {
        let lines: Vec<&str> = text.lines().collect();
        let place = lines.iter().position(|line| {
            let line = line.trim_start_matches(['[', ' ', '#']);
            line.starts_with(&format!("{key} ="))
                || line.starts_with(&format!("{key}]"))
                || line.starts_with("fields.") && line.contains(&format!(".{key}]"))
                || (*key == "fields" && line.starts_with("fields.Status]"))
                || (*key == "org" && line.starts_with("org.00D"))
        });
        let place = place.unwrap_or_else(|| panic!("{key} is not in the shipped policy"));
        let near = &lines[place.saturating_sub(7)..place + 2];
        assert!(near.iter().any(|line| line.starts_with('#')), "{key} is not explained");
    }
}

#[test]
fn narrowing_rules_are_read_with_their_conditions() {
    let text = format!(
        "{HEAD}listed_agents_only = true\n\
         [[agents]]\nagent = \"nightly-enricher\"\nmay_run = false\n\
         [[protected]]\nwhy = \"legal\"\nthen = \"block\"\n\
         when = {{ all = [{{ field = \"Amount\", above = \"10\" }}, {{ not = {{ field = \"Name\", is_blank = true }} }}] }}\n\
         [fields.Amount]\ntier = \"reviewed\"\n\
         evidence = {{ at_least = 2, kinds = [\"reply\"], then = \"review\" }}\n\
         limits = [{{ measure = \"change_percent\", above = 50, then = \"block\" }}]\n"
    );
    let policy = load_texts(&[&text]).unwrap();
    let lead = policy.objects.values().next().unwrap();
    assert_eq!(lead.protected[0].when.to_string(), "(Amount is above 10) and (not (Name is blank))");
    assert!(lead.listed_agents_only && !lead.agents[0].may_run && lead.agents[0].may_propose);
    let amount = &lead.fields[&FieldName::parse("Amount").unwrap()];
    assert_eq!(amount.limits[0].measure.name(), "change_percent");
    assert_eq!(amount.evidence.as_ref().unwrap().kinds, ["reply"]);
}

#[test]
fn mistakes_in_narrowing_rules_are_named() {
    let shadow = |line: &str| format!("{HEAD}[shadow]\n{line}\n[fields.Status]\ntier = \"reviewed\"\n");
    let protected = |when: &str| {
        format!(
            "{HEAD}[[protected]]\nwhy = \"x\"\nthen = \"block\"\nwhen = {when}\n[fields.Status]\ntier = \"reviewed\"\n"
        )
    };
    let rule = |text: &str| format!("{HEAD}[fields.Status]\ntier = \"reviewed\"\n{text}\n");
    for (text, code) in [
        (protected("{ field = \"Amount\", above = \"1\" }"), "policy-condition-field"),
        (protected("{ field = \"Status\" }"), "policy-condition"),
        (protected("{ field = \"Status\", above = \"1\", below = \"2\" }"), "policy-condition"),
        (protected("{ all = [] }"), "policy-condition"),
        (protected("{ all = [], any = [] }"), "policy-condition"),
        (protected("{ field = \"Status\", over = \"1\" }"), "policy-key-unknown"),
        (protected("{ field = \"Status\", before = \"tomorrow\" }"), "policy-type"),
        (rule("limits = [{ measure = \"size\", above = 1, then = \"block\" }]"), "policy-value-unknown"),
        (rule("limits = [{ measure = \"rise\", above = 1 }]"), "policy-key-missing"),
        (rule("limits = [{ measure = \"rise\", above = -1, then = \"block\" }]"), "policy-range"),
        (rule("evidence = { at_least = 0, then = \"block\" }"), "policy-range"),
        (rule("evidence = { at_least = 1, then = \"maybe\" }"), "policy-value-unknown"),
        (
            format!("{HEAD}listed_agents_only = true\n[fields.Status]\ntier = \"reviewed\"\n"),
            "policy-contradiction",
        ),
        (
            format!(
                "{HEAD}[[agents]]\nagent = \"a\"\nfields = [\"Amount\"]\n[fields.Status]\ntier = \"reviewed\"\n"
            ),
            "policy-agent-field",
        ),
        (shadow("label_days = \"1.5\""), "policy-range"),
        (shadow("min_sample = 0"), "policy-range"),
        (shadow("max_reversals = 2"), "policy-range"),
        (shadow("step_back_below = \"0.95\""), "policy-contradiction"),
        (shadow("minimum = 5"), "policy-key-unknown"),
        (
            shadow("segments = [{ name = \"general\", when = { field = \"Name\", is_blank = true } }]"),
            "policy-contradiction",
        ),
        (
            shadow("segments = [{ name = \"a\", when = { field = \"Amount\", above = \"1\" } }]"),
            "policy-condition-field",
        ),
    ] {
        let found = codes(&[&text]);
        assert!(found.iter().any(|(found, ..)| *found == code), "{code} in {found:?} of\n{text}");
    }
}

#[test]
fn the_schema_for_editors_knows_the_keys_that_the_reader_knows() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../config/policies/policy.schema.json")).unwrap();
    let keys = |pointer: &str| -> Vec<String> {
        let mut keys: Vec<String> =
            schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    let sorted = |keys: &[&str]| {
        let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys("/properties"), sorted(reader::OBJECT_KEYS));
    assert_eq!(keys("/$defs/field/properties"), sorted(reader::FIELD_KEYS));
    assert_eq!(keys("/properties/create/items/properties"), sorted(reader::create::KEYS));
    assert_eq!(keys("/properties/shadow/properties"), sorted(reader::shadow::KEYS));
    let own: Vec<&str> =
        reader::OBJECT_KEYS.iter().filter(|key| !["name", "object", "org"].contains(key)).copied().collect();
    assert_eq!(keys("/$defs/override/properties"), sorted(&own));
    let fields = "/$defs/override/properties/fields/additionalProperties/properties";
    assert_eq!(keys(fields), sorted(reader::FIELD_KEYS));
    let measures: Vec<&str> = crate::domain::policy::Measure::ALL.iter().map(|(name, _)| *name).collect();
    let told = &schema["$defs"]["field"]["properties"]["limits"]["items"]["properties"]["measure"]["enum"];
    assert_eq!(told, &serde_json::json!(measures));
}

#[test]
fn the_numbers_of_shadow_are_the_ordinary_ones_where_none_are_given() {
    let read = |lines: &str| {
        let text = format!("{HEAD}{lines}[fields.Status]\ntier = \"reviewed\"\n");
        let (found, problems) = reader::read("a.toml", &text);
        assert!(problems.is_empty(), "{problems:?}");
        found.unwrap().policy
    };
    let (without, with) = (read(""), read("[shadow]\nmin_sample = 9\n"));
    assert_eq!(without.shadow, None);
    let rule = with.shadow.clone().unwrap();
    assert_eq!((rule.min_sample, rule.label_days), (9.into(), without.shadow_rule().label_days));
    let policies =
        |policy: &ObjectPolicy| Policy { objects: [(policy.object.clone(), policy.clone())].into() };
    let lints = lint::lint(&policies(&with));
    assert!(lints.iter().any(|lint| lint.code == "lint-small-sample"), "{lints:?}");
    assert!(!lint::lint(&policies(&without)).iter().any(|lint| lint.code == "lint-small-sample"));
    let bolder = read("[shadow]\nmin_sample = 9\npromote_from = \"0.85\"\n");
    let changes = compare::compare(&policies(&with), &policies(&bolder));
    let told: Vec<_> = changes.iter().map(|change| (change.key.as_str(), change.direction)).collect();
    assert_eq!(told, [("shadow.promote_from", compare::Direction::Looser)]);
}
