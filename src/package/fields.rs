//! The custom fields of a governed object.

use minijinja::Value;
use serde::{Deserialize, Serialize};

use super::{
    engine::{self, Engine},
    governed::{Governed, Lane, Stored},
    rules,
};

/// A rendered custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// Metadata type, for example `LongTextArea`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Most characters of a text.
    pub length: Option<u32>,
    /// Digits of a number.
    pub precision: Option<u32>,
    /// Digits after the point.
    pub scale: Option<u32>,
    /// Global value set of a picklist.
    pub value_set: Option<String>,
    /// Own values of a multi-select picklist: API name and label of the governed fields.
    pub values: Option<Vec<NamedValue>>,
    /// Can be upserted by, and is indexed.
    pub external_id: bool,
    /// No two records hold the same value; case counts.
    pub unique: bool,
    /// May hold words about people.
    pub personal: bool,
    /// Stands on the setting type.
    pub of_setting: bool,
    /// Description for admins.
    pub description: String,
    /// Help for users.
    pub help: String,
    /// Label of the related list, of a lookup.
    pub relationship_label: String,
    /// Name of the relationship, of a lookup.
    pub relationship_name: String,
    /// Permission sets that may write it.
    #[serde(skip)]
    pub edits: Vec<String>,
}

/// One value of a picklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedValue {
    /// API name.
    pub field: String,
    /// Label.
    pub label: String,
}

#[derive(Deserialize)]
struct Texts {
    fields: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// Only for objects that have this.
    when: Option<String>,
    /// One field for each of these; only `lanes` is known.
    each: Option<String>,
    name: String,
    label: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    length: Option<u32>,
    precision: Option<u32>,
    scale: Option<u32>,
    value_set: Option<String>,
    /// First half of a relationship's name, of a lookup.
    relationship: Option<String>,
    #[serde(default)]
    external_id: bool,
    #[serde(default)]
    personal: bool,
    description: String,
    help: String,
    edits: Vec<String>,
}

/// All custom fields of an object, by name.
pub(super) fn fields(engine: &Engine, object: &Governed) -> Vec<Field> {
    let texts: Texts = toml::from_str(include_str!("templates/fields.toml")).expect("shipped texts are TOML");
    let o = rules::context(object);
    let mut fields = Vec::new();
    for text in texts.fields {
        if text.when.as_deref().is_some_and(|key| o[key].is_null()) {
            continue;
        }
        let lanes: Vec<Option<&Lane>> = match text.each {
            Some(_) => object.lanes.iter().map(Some).collect(),
            None => vec![None],
        };
        for lane in lanes {
            let values = engine::context(&serde_json::json!({ "o": o, "lane": lane }));
            fields.push(field(engine, object, (&text, lane, &values)));
        }
    }
    fields.sort_by(|left, right| left.name.cmp(&right.name));
    fields
}

fn field(engine: &Engine, object: &Governed, (text, lane, values): (&Text, Option<&Lane>, &Value)) -> Field {
    let name = engine.text(&text.name, values);
    let relationship = text.relationship.as_deref().unwrap_or_default();
    let mut field = Field {
        label: text.label.clone().unwrap_or_else(|| label_of(&name)),
        name,
        kind: text.kind.clone(),
        length: text.length,
        precision: text.precision,
        scale: text.scale,
        value_set: text.value_set.clone(),
        values: None,
        external_id: text.external_id,
        unique: false,
        personal: text.personal,
        of_setting: false,
        description: engine.text(&text.description, values),
        help: engine.text(&text.help, values),
        relationship_label: format!("AI {} {}", relationship.replace('_', " "), object.plural),
        relationship_name: format!("AI_{relationship}_{}", object.plural.replace(' ', "_")),
        edits: text.edits.clone(),
    };
    if let Some(lane) = lane.filter(|_| text.kind == "Lane") {
        store(&mut field, lane.stored);
    }
    if text.kind == "Lanes" {
        "MultiselectPicklist".clone_into(&mut field.kind);
        let named = |lane: &Lane| NamedValue { field: lane.field.clone(), label: lane.label.clone() };
        field.values = Some(object.lanes.iter().map(named).collect());
    }
    field
}

fn store(field: &mut Field, stored: Stored) {
    match stored {
        Stored::Text(length) => {
            "Text".clone_into(&mut field.kind);
            field.length = Some(length);
        }
        Stored::Number(kind, precision, scale) => {
            kind.clone_into(&mut field.kind);
            (field.precision, field.scale) = (Some(precision), Some(scale));
        }
        Stored::Date => "Date".clone_into(&mut field.kind),
        Stored::DateTime => "DateTime".clone_into(&mut field.kind),
    }
}

/// The switches of an object's lanes on the setting type.
pub(super) fn switches(object: &Governed) -> Vec<Field> {
    let switch = |lane: &Lane| Field {
        label: label_of(&lane.switch),
        name: lane.switch.clone(),
        kind: "Checkbox".to_owned(),
        length: None,
        precision: None,
        scale: None,
        value_set: None,
        values: None,
        external_id: false,
        unique: false,
        personal: false,
        of_setting: true,
        description: format!(
            "Lets proposals for the {} run with no person, where the policy allows it too. Off unless an admin turns it on.",
            switch_words(object, lane)
        ),
        help: format!(
            "Check to let the gate change the {} without an approval where its policy allows that.",
            switch_words(object, lane)
        ),
        relationship_label: String::new(),
        relationship_name: String::new(),
        edits: Vec::new(),
    };
    object.lanes.iter().map(switch).collect()
}

fn switch_words(object: &Governed, lane: &Lane) -> String {
    format!("{} {}", object.noun, lane.short_words)
}

/// `AI Hold Until` of `AI_Hold_Until__c`
pub(super) fn label_of(name: &str) -> String {
    name.trim_end_matches("__c").replace('_', " ")
}
