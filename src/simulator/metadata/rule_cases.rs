//! The truth table of the shipped rules: `tests/corpus/rules/*.json`, every case under
//! both answers to the open question of what a blank number is worth.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::Value;

use super::{Package, ValidationRule};
use crate::{
    domain::FieldValue,
    package::{self, FieldFacts, Governed},
    salesforce::names,
    simulator::{
        formula::{Blanks, Scope},
        model::Row,
        schema,
    },
};

type Json = BTreeMap<String, Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    object: String,
    #[serde(rename = "about")]
    _about: String,
    base: Json,
    writes: BTreeMap<String, Json>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "as")]
    permissions: Vec<String>,
    /// Overlaid on the base; an explicit null is an insert.
    #[serde(default = "no_overlay")]
    before: Option<Json>,
    write: String,
    #[serde(default)]
    with: Json,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    switches: Vec<String>,
    /// Amount above which two people approve; absent means off.
    two_approvers_above: Option<i64>,
    /// Without a heartbeat for so many hours nothing runs by itself; absent means off.
    silent_hours: Option<i64>,
    /// When the saver said that it is at work.
    heartbeat: Option<Timestamp>,
    /// Id of the saver.
    #[serde(default)]
    user: String,
    fires: Vec<String>,
    fires_blank_as_zero: Option<Vec<String>>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's own type")]
fn no_overlay() -> Option<Json> {
    Some(Json::new())
}

/// One save of one case.
struct Save<'a> {
    case: &'a Case,
    before: Option<Row>,
    after: Row,
    blanks: Blanks,
}

impl Scope for Save<'_> {
    fn field(&self, name: &str) -> FieldValue {
        self.after.get(name).cloned().unwrap_or_default()
    }
    fn prior(&self, name: &str) -> FieldValue {
        self.before.as_ref().and_then(|row| row.get(name)).cloned().unwrap_or_default()
    }
    fn is_new(&self) -> bool {
        self.before.is_none()
    }
    fn permission(&self, name: &str) -> bool {
        self.case.permissions.iter().any(|held| held == name)
    }
    fn custom_metadata(&self, _: &str, _: &str, field: &str) -> FieldValue {
        if field == names::setting::TWO_APPROVERS_ABOVE {
            return self
                .case
                .two_approvers_above
                .map_or(FieldValue::Null, |limit| FieldValue::decimal(limit.into()));
        }
        if field == names::setting::SILENT_HOURS {
            return self
                .case
                .silent_hours
                .map_or(FieldValue::Null, |hours| FieldValue::decimal(hours.into()));
        }
        FieldValue::Bool(self.case.switches.iter().any(|on| on == field))
    }
    fn user(&self, field: &str) -> FieldValue {
        match field {
            names::heartbeat::AT => self.case.heartbeat.map_or(FieldValue::Null, FieldValue::DateTime),
            other => {
                assert_eq!(other, "Id");
                FieldValue::text(self.case.user.clone())
            }
        }
    }
    fn today(&self) -> Date {
        "2026-03-01".parse().unwrap()
    }
    fn now(&self) -> Timestamp {
        "2026-03-01T12:00:01Z".parse().unwrap()
    }
    fn blanks(&self) -> Blanks {
        self.blanks
    }
}

fn overlay(package: &Package, object: &str, row: &mut Row, json: &Json) {
    for (name, value) in json {
        let field = package.find_field(object, name).unwrap_or_else(|| panic!("no field {object}.{name}"));
        let kind = schema::field_type(&field.kind).unwrap();
        row.insert(name.clone(), FieldValue::from_json(value, &kind).unwrap());
    }
}

/// `04` of `AI_GATE_04: ..`
fn code(rule: &ValidationRule) -> String {
    let rest = rule.message.strip_prefix("AI_GATE_").expect("messages start with their code");
    let (code, _) = rest.split_once(": ").expect("a colon follows the code");
    code.to_owned()
}

fn fired(package: &Package, file: &File, case: &Case, blanks: Blanks) -> Vec<String> {
    let before = case.before.as_ref().map(|changes| {
        let mut row = Row::new();
        overlay(package, &file.object, &mut row, &file.base);
        overlay(package, &file.object, &mut row, changes);
        row
    });
    let mut after = before.clone().unwrap_or_default();
    let mut write = file.writes[&case.write].clone();
    write.extend(case.with.clone());
    for name in &case.without {
        assert!(write.remove(name).is_some(), "{}: {name} is not in the write", case.name);
    }
    overlay(package, &file.object, &mut after, &write);
    let save = Save { case, before, after, blanks };
    let rules = package.objects[&file.object].rules.iter();
    rules.filter(|rule| rule.active && rule.compiled.is_true(&save)).map(code).collect()
}

fn files() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/rules");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = paths.filter(|path| path.extension().is_some_and(|it| it == "json"));
    texts.map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).collect()
}

#[test]
fn every_case_fires_exactly_the_rules_it_names() {
    let count = check(&Package::embedded().unwrap(), files());
    assert!(count >= 1_500, "the table has been cut short: {count}");
}

/// The shipped package with what is generated for an object.
fn with(governed: &Governed) -> Package {
    let mut files: BTreeMap<String, String> =
        package::SHIPPED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let generated = governed.files().into_iter().chain(governed.flow_files());
    let sets = package::permission_sets(std::slice::from_ref(governed), "_Generated");
    for (path, text) in generated.chain(sets.iter().map(package::permission_set_file)) {
        files.insert(format!("{}/{path}", package::SOURCE), text);
    }
    Package::from_files(files.into_iter().collect()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn facts(name: &str, kind: &str, (precision, scale): (u32, u32)) -> FieldFacts {
    FieldFacts {
        name: name.to_owned(),
        kind: kind.to_owned(),
        length: 0,
        precision,
        scale,
        nillable: true,
        read_only: None,
    }
}

/// The table of leads holds for what is generated for cases, with the names of cases.
#[test]
fn rules_of_a_generated_object_hold_the_table_of_leads() {
    let owner = [("OwnerId".to_owned(), "owner".to_owned())];
    let governed = Governed::derive("Case", &[facts("Priority", "picklist", (0, 0))], &owner).unwrap();
    let package = with(&governed);
    let lead = names::LEAD;
    let lane = &governed.lanes[0];
    let renamed = BTreeMap::from([
        ("Status", lane.field.as_str()),
        (lead.lanes[0].proposed, &lane.proposed),
        (lead.lanes[0].previous, &lane.previous),
        (lead.lanes[0].auto_switch, &lane.switch),
        (lead.confidence, &governed.confidence),
        (lead.reason, &governed.reason),
        (lead.changed_at, &governed.changed_at),
        (lead.change_source, &governed.change_source),
    ]);
    let name = |known: &String| renamed.get(known.as_str()).map_or(known.clone(), |new| (*new).to_owned());
    let row = |json: &Json| json.iter().map(|(key, value)| (name(key), value.clone())).collect::<Json>();
    let mut file = files().into_iter().find(|file| file.object == "Lead").unwrap();
    // Cases have no signals, so they do not decay, and other fields are always required.
    let unknown = ["Decay_Eligible_Date__c", "LastName", "Company", "Decay"];
    file.cases.retain(|case| {
        let rows = case.before.iter().chain([&case.with, &file.writes[&case.write]]);
        let text: String = rows.map(|row| serde_json::json!(row).to_string()).collect();
        unknown.iter().all(|word| !text.contains(&format!("\"{word}\"")))
    });
    "Case".clone_into(&mut file.object);
    file.base = row(&file.base);
    file.writes = file.writes.iter().map(|(key, write)| (key.clone(), row(write))).collect();
    for case in &mut file.cases {
        case.before = case.before.as_ref().map(row);
        case.with = row(&case.with);
        case.without = case.without.iter().map(name).collect();
        case.switches = case.switches.iter().map(name).collect();
    }
    let count = check(&package, vec![file]);
    assert!(count >= 500, "the table has been cut short: {count}");
}

/// A further field of a shipped object takes nothing away from the others.
#[test]
fn rules_with_a_further_field_hold_the_table_of_opportunities() {
    let governed = Governed::derive("Opportunity", &[facts("Probability", "percent", (3, 0))], &[]).unwrap();
    let package = with(&governed);
    let table = files().into_iter().filter(|file| file.object == "Opportunity").collect();
    assert!(check(&package, table) >= 700);
}

/// Counts the cases; every one must fire what it names.
fn check(package: &Package, files: Vec<File>) -> usize {
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files {
        for case in &file.cases {
            for (blanks, wanted) in [
                (Blanks::AsNull, &case.fires),
                (Blanks::AsZero, case.fires_blank_as_zero.as_ref().unwrap_or(&case.fires)),
            ] {
                let found = fired(package, &file, case, blanks);
                count += 1;
                if found != *wanted {
                    wrong.push(format!(
                        "{} {}, blanks {blanks:?}: fired {found:?}, expected {wanted:?}",
                        file.object, case.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    count
}

#[test]
fn every_rule_fires_in_some_case_and_names_are_unique() {
    let package = Package::embedded().unwrap();
    for file in files() {
        let mut names: Vec<&str> = file.cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{}: two cases have one name", file.object);
        for rule in package.objects[&file.object].rules.iter().map(code) {
            let seen = file.cases.iter().any(|case| case.fires.contains(&rule));
            // Decisions, flags and withdrawal are the same formulas on both objects.
            let shared = file.object == "Opportunity" && ["02", "12", "13"].contains(&rule.as_str());
            assert!(seen || shared, "{}: no case fires {rule}", file.object);
        }
    }
}
