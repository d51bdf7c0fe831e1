//! The validation rules of a governed object.

use serde::{Deserialize, Serialize};

use super::{
    engine::{self, Engine},
    governed::Governed,
};

/// A rendered validation rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// API name, for example `AI_GATE_05_Expected_Value`.
    pub name: String,
    /// Description for admins.
    pub description: String,
    /// The formula as it stands in Setup, not escaped.
    pub formula: String,
    /// What the user is told; starts with the code.
    pub message: String,
}

#[derive(Deserialize)]
struct Texts {
    rules: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    number: u32,
    /// Only for objects that have this.
    when: Option<String>,
    name: String,
    description: String,
    message: String,
}

/// A decision's fields beside the decision itself, with what is blank when nothing was decided.
#[derive(Serialize)]
struct Stamp {
    name: &'static str,
    value: String,
}

/// What the templates call `o`.
pub(super) fn context(object: &Governed) -> serde_json::Value {
    use crate::salesforce::names::{
        DECIDED_AT, DECIDED_BY, DECISION_PROPOSAL_ID, FIRST_APPROVAL_PROPOSAL_ID, FIRST_APPROVED_BY,
        REJECTION_REASON,
    };
    let plain = |name: &'static str| Stamp { name, value: name.to_owned() };
    let mut stamps = vec![plain(DECISION_PROPOSAL_ID), plain(DECIDED_BY), plain(DECIDED_AT)];
    stamps.push(Stamp { name: REJECTION_REASON, value: format!("TEXT({REJECTION_REASON})") });
    if object.two_approvers.is_some() {
        stamps.extend([plain(FIRST_APPROVED_BY), plain(FIRST_APPROVAL_PROPOSAL_ID)]);
    }
    let mut context = serde_json::json!(object);
    context["decision_stamps"] = serde_json::json!(stamps);
    context["kept_from_proposers"] = serde_json::json!(object.kept_from_proposers());
    context
}

/// All rules of an object, by number.
pub(super) fn rules(engine: &Engine, object: &Governed) -> Vec<Rule> {
    let texts: Texts = toml::from_str(include_str!("templates/rules.toml")).expect("shipped texts are TOML");
    let o = context(object);
    let values = engine::context(&serde_json::json!({ "o": o }));
    let wanted = |text: &Text| text.when.as_deref().is_none_or(|key| !o[key].is_null());
    texts
        .rules
        .into_iter()
        .filter(wanted)
        .map(|text| {
            let code = format!("AI_GATE_{:02}", text.number);
            Rule {
                name: format!("{code}_{}", engine.text(&text.name, &values)),
                description: engine.text(&text.description, &values),
                formula: engine.render(&format!("rules/{:02}", text.number), "o", &o).trim().to_owned(),
                message: format!("{code}: {}", engine.text(&text.message, &values)),
            }
        })
        .collect()
}
