//! Metadata for objects whose records are made: the mark, the switch, the rules and the permission sets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    SOURCE,
    engine::{self, Engine},
    fields::{Field, label_of},
    permissions::{FieldAccess, PermissionSet},
    rules::Rule,
};
use crate::salesforce::names::{self, MadeContract, permission::PROMOTER};

/// Objects that share the custom fields of `Activity`; permission sets name both, always.
const SHARING: &[&str] = &["Event", "Task"];

#[derive(Deserialize)]
struct Texts {
    rules: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    number: u32,
    name: String,
    description: String,
    message: String,
    formula: String,
}

/// What the templates call `m`.
#[derive(Serialize)]
struct Words {
    noun: String,
    mark: &'static str,
    switch: String,
}

/// The validation rules of the object, by number.
pub fn rules(contract: &MadeContract) -> Vec<Rule> {
    let engine = Engine::new();
    let texts: Texts = toml::from_str(include_str!("templates/making.toml")).expect("shipped texts are TOML");
    let switch = format!(
        "$CustomMetadata.{}.{}.{}",
        names::setting::OBJECT,
        names::setting::RECORD,
        contract.auto_switch
    );
    let words = Words { noun: contract.object.to_lowercase(), mark: contract.mark, switch };
    let values = engine::context(&serde_json::json!({ "m": words }));
    let rule = |text: Text| {
        let code = format!("AI_GATE_{:02}", text.number);
        Rule {
            name: format!("{code}_{}", text.name),
            description: engine.text(&text.description, &values),
            formula: engine.text(&text.formula, &values).trim().to_owned(),
            message: format!("{code}: {}", engine.text(&text.message, &values)),
        }
    };
    texts.rules.into_iter().map(rule).collect()
}

/// Every file, by path from the folder with `sfdx-project.json`.
pub fn files(contract: &MadeContract) -> BTreeMap<String, String> {
    let engine = Engine::new();
    let mut files = BTreeMap::new();
    let mut put = |path: String, text: String| {
        files.insert(format!("{SOURCE}/{path}"), text);
    };
    let mark = mark(contract);
    let path = format!("objects/{}/fields/{}.field-meta.xml", contract.fields_of, mark.name);
    put(path, engine.render("field.xml", "f", &mark));
    let switch = switch(contract);
    let path = format!("objects/{}/fields/{}.field-meta.xml", names::setting::OBJECT, switch.name);
    put(path, engine.render("field.xml", "f", &switch));
    for rule in rules(contract) {
        let path =
            format!("objects/{}/validationRules/{}.validationRule-meta.xml", contract.object, rule.name);
        put(path, engine.render("rule.xml", "r", &rule));
    }
    for set in sets(contract) {
        let (path, text) = super::permission_set_file(&set);
        put(path, text);
    }
    files
}

fn mark(contract: &MadeContract) -> Field {
    let noun = contract.object.to_lowercase();
    Field {
        length: Some(64),
        external_id: true,
        unique: true,
        description: format!(
            "The proposal for which the gate made the {noun}. Unique, so that a request that is sent twice makes one."
        ),
        help: format!("Set where the gate made the {noun} for an agent's proposal."),
        ..plain(contract.mark, "Text")
    }
}

fn switch(contract: &MadeContract) -> Field {
    let noun = contract.object.to_lowercase();
    Field {
        of_setting: true,
        description: format!(
            "Lets the gate make a {noun} for a proposal with no person, where the policy names it. Off unless an admin turns it on."
        ),
        help: format!("Check to let the gate make a {noun} where its policy allows that."),
        ..plain(contract.auto_switch, "Checkbox")
    }
}

fn plain(name: &str, kind: &str) -> Field {
    Field {
        name: name.to_owned(),
        label: label_of(name),
        kind: kind.to_owned(),
        length: None,
        precision: None,
        scale: None,
        value_set: None,
        values: None,
        external_id: false,
        unique: false,
        personal: false,
        of_setting: false,
        description: String::new(),
        help: String::new(),
        relationship_label: String::new(),
        relationship_name: String::new(),
        edits: Vec::new(),
    }
}

/// Sets of their own beside the shipped ones: a deploy of a set replaces all of it.
fn sets(contract: &MadeContract) -> [PermissionSet; 2] {
    let noun = contract.object.to_lowercase();
    let set = |role: &str, edits: bool, description: String| {
        let name = format!("{role}_{}", contract.object);
        let fields = SHARING.iter().map(|object| FieldAccess {
            name: format!("{object}.{}", contract.mark),
            edit: edits && *object == contract.object,
        });
        let granted: &[&str] = if edits { &["ActivitiesAccess", "EditTask"] } else { &["ActivitiesAccess"] };
        PermissionSet {
            label: name.replace('_', " "),
            name,
            description,
            custom_permission: None,
            metadata_types: Vec::new(),
            fields: fields.collect(),
            flows: Vec::new(),
            objects: Vec::new(),
            user_permissions: granted.iter().map(|name| (*name).to_owned()).collect(),
        }
    };
    [
        set(
            PROMOTER,
            true,
            format!("For the daemon only, beside {PROMOTER}: makes a {noun} for a proposal, and cancels it."),
        ),
        set("AI_Auditor", false, format!("Reads for which proposal the gate made a {noun}.")),
    ]
}
