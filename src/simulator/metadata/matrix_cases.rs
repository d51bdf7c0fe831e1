//! The attempt matrix (`tests/metadata/matrix.json`): who makes which write in which state.
//! Our evaluator must fire the codes that the model in `tests/metadata/model.py` names, over the
//! formulas that are shipped. `tests/run.sh metadata` asks the same of another evaluator.

use std::{collections::BTreeMap, fs, path::Path, thread};

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::Value;

use super::{Package, ValidationRule};
use crate::{
    domain::{FieldType, FieldValue},
    salesforce::names,
    simulator::{formula::Scope, model::Row, schema},
};

type Json = BTreeMap<String, Value>;

#[derive(Deserialize)]
struct Saver {
    holds: Vec<String>,
    user: String,
}

#[derive(Deserialize)]
struct Attempts {
    base: Json,
    states: BTreeMap<String, Option<Json>>,
    writes: BTreeMap<String, Json>,
}

struct Matrix {
    now: Timestamp,
    today: Date,
    /// In the order of the file, in which the expected codes stand.
    who: Vec<(String, Saver)>,
    objects: BTreeMap<String, Attempts>,
}

/// By object and write: the codes of all savers, and the states in which it is so.
type Expected = BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<String>>>>;

fn file(name: &str) -> String {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metadata").join(name);
    fs::read_to_string(&at).unwrap_or_else(|error| panic!("{}: {error}", at.display()))
}

fn matrix() -> Matrix {
    let mut all: Json = serde_json::from_str(&file("matrix.json")).unwrap();
    let mut take = |key: &str| all.remove(key).unwrap_or_else(|| panic!("no {key}"));
    let savers: BTreeMap<String, Saver> = serde_json::from_value(take("who")).unwrap();
    // Users are numbered in the order of the file.
    let mut who: Vec<(String, Saver)> = savers.into_iter().collect();
    who.sort_by(|a, b| a.1.user.cmp(&b.1.user));
    Matrix {
        now: serde_json::from_value(take("now")).unwrap(),
        today: serde_json::from_value(take("today")).unwrap(),
        who,
        objects: ["Lead", "Opportunity"]
            .map(|object| (object.to_owned(), serde_json::from_value(take(object)).unwrap()))
            .into(),
    }
}

struct Save<'a> {
    matrix: &'a Matrix,
    saver: &'a Saver,
    settings: &'a Json,
    before: Option<&'a Row>,
    after: Row,
}

impl Scope for Save<'_> {
    fn field(&self, name: &str) -> FieldValue {
        self.after.get(name).cloned().unwrap_or_default()
    }
    fn prior(&self, name: &str) -> FieldValue {
        self.before.and_then(|row| row.get(name)).cloned().unwrap_or_default()
    }
    fn is_new(&self) -> bool {
        self.before.is_none()
    }
    fn permission(&self, name: &str) -> bool {
        self.saver.holds.iter().any(|held| held == name)
    }
    fn custom_metadata(&self, _: &str, _: &str, field: &str) -> FieldValue {
        if field == names::setting::TWO_APPROVERS_ABOVE {
            let limit = self.settings.get("$two").and_then(Value::as_i64);
            return limit.map_or(FieldValue::Null, |limit| FieldValue::decimal(limit.into()));
        }
        if field == names::setting::SILENT_HOURS {
            let hours = self.settings.get("$silent").and_then(Value::as_i64);
            return hours.map_or(FieldValue::Null, |hours| FieldValue::decimal(hours.into()));
        }
        let on = self.settings.get("$switches").and_then(Value::as_array);
        FieldValue::Bool(on.is_some_and(|on| on.iter().any(|it| it == field)))
    }
    fn user(&self, field: &str) -> FieldValue {
        if field == names::heartbeat::AT {
            let at = self.settings.get("$heartbeat").and_then(Value::as_str);
            return at.and_then(|at| at.parse().ok()).map_or(FieldValue::Null, FieldValue::DateTime);
        }
        assert_eq!(field, "Id");
        FieldValue::text(self.saver.user.clone())
    }
    fn today(&self) -> Date {
        self.matrix.today
    }
    fn now(&self) -> Timestamp {
        self.matrix.now
    }
}

/// One object's attempts, with values of the types of its fields.
struct Table<'a> {
    matrix: &'a Matrix,
    package: &'a Package,
    object: &'a str,
    attempts: &'a Attempts,
}

impl Table<'_> {
    fn kind(&self, name: &str) -> FieldType {
        let field = self.package.find_field(self.object, name);
        let field = field.unwrap_or_else(|| panic!("no field {}.{name}", self.object));
        schema::field_type(&field.kind).unwrap()
    }

    fn put(&self, row: &mut Row, name: &str, value: &Value) {
        row.insert(name.to_owned(), FieldValue::from_json(value, &self.kind(name)).unwrap());
    }

    fn row(&self, overlay: &Json) -> Row {
        let mut row = Row::new();
        for (name, value) in self.attempts.base.iter().chain(overlay) {
            if !name.starts_with('$') {
                self.put(&mut row, name, value);
            }
        }
        row
    }

    /// The record after the write; words that hang on the record before are looked up in `prior`.
    fn after(&self, row: &Row, prior: Option<&Json>, write: &Json, saver: &Saver) -> Row {
        let old = |name: &Value| {
            let name = name.as_str().unwrap();
            prior.and_then(|it| it.get(name).or_else(|| self.attempts.base.get(name)))
        };
        let mut row = row.clone();
        for (name, value) in write {
            let word = value.as_object().and_then(|it| it.iter().next());
            let value = match word.map(|(word, of)| (word.as_str(), of)) {
                None => value.clone(),
                Some(("saver", _)) => saver.user.clone().into(),
                Some(("was", of)) => old(of).cloned().unwrap_or_default(),
                Some(("next", of)) => (old(of).and_then(Value::as_i64).unwrap_or(0) + 1).into(),
                Some(("edit", of)) => format!("{}~a1", old(of).and_then(Value::as_str).unwrap_or("")).into(),
                Some((word, _)) => panic!("{word} is no word"),
            };
            self.put(&mut row, name, &value);
        }
        row
    }

    /// Runs one write in all states; what differs from `wanted`, and how many cases there were.
    fn run(&self, name: &str, wanted: &BTreeMap<String, Vec<String>>) -> (usize, Vec<String>) {
        let none = Json::new();
        let (mut count, mut wrong) = (0, Vec::new());
        for (codes, states) in wanted {
            let codes: Vec<&str> = codes.split(';').collect();
            assert_eq!(codes.len(), self.matrix.who.len(), "{name}: one answer for each saver");
            for state in states {
                let overlay = self.attempts.states[state].as_ref();
                let row = self.row(overlay.unwrap_or(&none));
                for ((who, saver), wanted) in self.matrix.who.iter().zip(&codes) {
                    let after = self.after(&row, overlay, &self.attempts.writes[name], saver);
                    let before = overlay.map(|_| &row);
                    let settings = overlay.unwrap_or(&none);
                    let found = self.fired(&Save { matrix: self.matrix, saver, settings, before, after });
                    count += 1;
                    if found != *wanted {
                        wrong.push(format!(
                            "{}: {who} / {name} / {state}: [{found}], not [{wanted}]",
                            self.object
                        ));
                    }
                }
            }
        }
        (count, wrong)
    }

    fn fired(&self, save: &Save<'_>) -> String {
        let rules = self.package.objects[self.object].rules.iter();
        let mut codes: Vec<&str> =
            rules.filter(|rule| rule.active && rule.compiled.is_true(save)).map(code).collect();
        codes.sort_unstable();
        codes.join(" ")
    }
}

fn code(rule: &ValidationRule) -> &str {
    &rule.message["AI_GATE_".len().."AI_GATE_".len() + 2]
}

#[test]
fn our_evaluator_fires_what_the_model_says() {
    let package = Package::embedded().unwrap();
    let matrix = matrix();
    let expected: Expected = serde_json::from_str(&file("matrix_expected.json")).unwrap();
    let mut count = 0;
    let mut wrong = Vec::new();
    for (object, attempts) in &matrix.objects {
        let table = Table { matrix: &matrix, package: &package, object, attempts };
        let writes: Vec<_> = expected[object].iter().collect();
        let names: Vec<&String> = writes.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, attempts.writes.keys().collect::<Vec<_>>(), "every write is expected");
        let table = &table;
        let parts: Vec<_> = thread::scope(|scope| {
            let chunks = writes.chunks(writes.len().div_ceil(4));
            let running: Vec<_> = chunks
                .map(|chunk| {
                    scope.spawn(move || {
                        chunk.iter().map(|(name, wanted)| table.run(name, wanted)).collect::<Vec<_>>()
                    })
                })
                .collect();
            running.into_iter().flat_map(|it| it.join().expect("no case panics")).collect()
        });
        for (cases, found) in parts {
            count += cases;
            wrong.extend(found);
        }
    }
    wrong.truncate(50);
    assert!(wrong.is_empty(), "{count} cases, among them:\n{}", wrong.join("\n"));
    assert!(count >= 50_000, "the matrix has been cut short: {count}");
}
