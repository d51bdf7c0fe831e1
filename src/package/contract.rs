//! The contract of a further object as a file: `countersign metadata generate` writes it beside
//! the metadata, the daemon reads it. The shipped objects need none.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Governed, Stored, error::ContractError, formula_digest};
use crate::{
    domain::{FieldName, ObjectName},
    salesforce::names::{self, LaneKind, ObjectContract},
};

/// What stands at the top of each file.
const HEAD: &str = "\
# The contract between countersign and one object: which fields belong to which.
# `countersign metadata generate` writes it; the folder that `policy.contracts` names holds it.
# Change it only together with the fields in the org; `countersign doctor` compares the two.

";

/// A contract as TOML spells it. Every value is an API name unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractFile {
    object: String,
    name_field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    confidence: String,
    reason: String,
    changed_at: String,
    change_source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposed_fields: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    two_approvers: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    converted: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signals: Option<SignalNames>,
    fields: Vec<LaneNames>,
    /// Validation rules by name, each with [`super::formula_digest`].
    rules: BTreeMap<String, String>,
}

/// Rules without which nothing keeps an agent, or a late copy of a write, from the fields.
const WALLS: &[&str] = &["AI_GATE_01", "AI_GATE_04", "AI_GATE_05", "AI_GATE_07", "AI_GATE_08"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalNames {
    at: String,
    source: String,
    score: String,
    decay_eligible: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneNames {
    field: String,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decimals: Option<u32>,
    proposed: String,
    previous: String,
    auto_switch: String,
}

/// How the values of a field look; picklists are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    Number,
    Date,
    DateTime,
}

impl ContractFile {
    /// The contract of a described object.
    pub fn of(governed: &Governed) -> Self {
        let shipped = names::SHIPPED.iter().find(|contract| contract.object == governed.object);
        let has_owner = governed.always_required.iter().map(|it| &it.field);
        let has_owner =
            has_owner.chain(governed.lanes.iter().map(|lane| &lane.field)).any(|it| it == "OwnerId");
        Self {
            object: governed.object.clone(),
            name_field: governed.name_field.to_owned(),
            owner: has_owner.then(|| "OwnerId".to_owned()),
            confidence: governed.confidence.clone(),
            reason: governed.reason.clone(),
            changed_at: governed.changed_at.clone(),
            change_source: governed.change_source.clone(),
            proposed_fields: governed.proposed_fields.clone(),
            two_approvers: governed.two_approvers.as_ref().map(|lane| lane.field.clone()),
            converted: shipped.and_then(|it| it.converted).map(str::to_owned),
            signals: governed.signals.as_ref().map(|signals| SignalNames {
                at: signals.at.clone(),
                source: signals.source.clone(),
                score: signals.score.clone(),
                decay_eligible: signals.decay_eligible.clone(),
            }),
            fields: governed.lanes.iter().map(lane_names).collect(),
            rules: governed
                .rules()
                .into_iter()
                .map(|rule| (rule.name, formula_digest(&rule.formula)))
                .collect(),
        }
    }

    /// The file's text.
    pub fn render(&self) -> String {
        let body = toml::to_string(self).expect("names and lists of names are TOML");
        format!("{HEAD}{body}")
    }

    /// Reads and checks a file's text. The contract lives as long as the process: contracts are
    /// read one time, at the start.
    ///
    /// # Errors
    /// When it is no TOML, a key is unknown or missing, a name is none, or two names are one.
    pub fn read(text: &str) -> Result<&'static ObjectContract, ContractError> {
        let file: Self = toml::from_str(text).map_err(|error| ContractError::Malformed {
            line: error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
            reason: error.message().to_owned(),
        })?;
        file.check()?;
        Ok(Box::leak(Box::new(file.leaked())))
    }

    fn check(&self) -> Result<(), ContractError> {
        ObjectName::parse(&self.object).map_err(|_| ContractError::NotAName(self.object.clone()))?;
        for name in self.own().chain(self.of_the_org()) {
            FieldName::parse(name).map_err(|_| ContractError::NotAName(name.to_owned()))?;
        }
        if let Some(name) = self.own().find(|name| !name.ends_with("__c")) {
            return Err(ContractError::NotCustom(name.to_owned()));
        }
        let mut seen: BTreeSet<&str> = names::SHARED_FIELDS.iter().copied().collect();
        for name in self.own().chain(self.fields.iter().map(|lane| lane.field.as_str())) {
            if !seen.insert(name) {
                return Err(ContractError::Twice(name.to_owned()));
            }
        }
        let lanes = self.fields.len();
        if lanes == 0 || (lanes > 1 && self.proposed_fields.is_none()) {
            return Err(ContractError::Fields);
        }
        let stands = |code: &&str| self.rules.keys().any(|name| name.starts_with(*code));
        if let Some(code) = WALLS.iter().copied().find(|code| !stands(code)) {
            return Err(ContractError::Rule(code));
        }
        match &self.two_approvers {
            Some(field) if self.fields.iter().all(|lane| lane.field != *field) => {
                Err(ContractError::TwoApprovers(field.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The custom fields of the contract, none of which the org had before.
    fn own(&self) -> impl Iterator<Item = &str> {
        let fixed = [&self.confidence, &self.reason, &self.changed_at, &self.change_source];
        let signals = self.signals.iter().flat_map(|it| [&it.at, &it.source, &it.score, &it.decay_eligible]);
        let lanes = self.fields.iter().flat_map(|it| [&it.proposed, &it.previous, &it.auto_switch]);
        fixed.into_iter().chain(&self.proposed_fields).chain(signals).chain(lanes).map(String::as_str)
    }

    /// The fields that the org has anyway.
    fn of_the_org(&self) -> impl Iterator<Item = &str> {
        let lanes = self.fields.iter().map(|lane| &lane.field);
        let optional = self.owner.iter().chain(&self.converted).chain(&self.two_approvers);
        std::iter::once(&self.name_field).chain(optional).chain(lanes).map(String::as_str)
    }

    fn leaked(self) -> ObjectContract {
        let lanes: Vec<names::Lane> = self.fields.into_iter().map(LaneNames::leaked).collect();
        ObjectContract {
            object: leak(self.object),
            name_field: leak(self.name_field),
            owner: self.owner.map(leak),
            lanes: lanes.leak(),
            proposed_fields: self.proposed_fields.map(leak),
            confidence: leak(self.confidence),
            reason: leak(self.reason),
            changed_at: leak(self.changed_at),
            change_source: leak(self.change_source),
            signals: self.signals.map(|signals| names::SignalFields {
                at: leak(signals.at),
                source: leak(signals.source),
                score: leak(signals.score),
                decay_eligible: leak(signals.decay_eligible),
            }),
            two_approvers: self.two_approvers.map(leak),
            converted: self.converted.map(leak),
            rules: self
                .rules
                .into_iter()
                .map(|(name, digest)| (leak(name), leak(digest)))
                .collect::<Vec<_>>()
                .leak(),
        }
    }
}

impl LaneNames {
    fn leaked(self) -> names::Lane {
        names::Lane {
            field: leak(self.field),
            proposed: leak(self.proposed),
            previous: leak(self.previous),
            auto_switch: leak(self.auto_switch),
            kind: match self.kind {
                Kind::Text => LaneKind::Text,
                Kind::Number => LaneKind::Number(self.decimals.unwrap_or(0)),
                Kind::Date => LaneKind::Date,
                Kind::DateTime => LaneKind::DateTime,
            },
        }
    }
}

fn lane_names(lane: &super::Lane) -> LaneNames {
    let (kind, decimals) = match lane.stored {
        Stored::Text(_) => (Kind::Text, None),
        Stored::Number(_, _, scale) => (Kind::Number, Some(scale)),
        Stored::Date => (Kind::Date, None),
        Stored::DateTime => (Kind::DateTime, None),
    };
    LaneNames {
        field: lane.field.clone(),
        kind,
        decimals,
        proposed: lane.proposed.clone(),
        previous: lane.previous.clone(),
        auto_switch: lane.switch.clone(),
    }
}

fn leak(text: String) -> &'static str {
    text.leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_objects_come_back_as_they_are() {
        for (governed, shipped) in Governed::shipped().iter().zip(names::SHIPPED) {
            let text = ContractFile::of(governed).render();
            let read = ContractFile::read(&text).unwrap();
            assert_eq!(&names::ObjectContract { rules: shipped.rules, ..*read }, *shipped, "{text}");
            assert_eq!(crate::package::expected_rules(read), crate::package::expected_rules(shipped));
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let text = ContractFile::of(&Governed::shipped()[1]).render();
        for (from, to, code) in [
            ("object = \"Opportunity\"", "object = \"Opp; DROP\"", "contract-name-invalid"),
            (
                "confidence = \"AI_Proposal_Confidence__c\"",
                "confidence = \"Probability\"",
                "contract-not-custom",
            ),
            ("\"Previous_Stage__c\"", "\"AI_Recommended_Stage__c\"", "contract-name-twice"),
            ("\"Previous_Stage__c\"", "\"AI_Gate_Pending__c\"", "contract-name-twice"),
            ("field = \"Amount\"", "field = \"StageName\"", "contract-name-twice"),
            ("proposed_fields = \"AI_Proposed_Fields__c\"", "", "contract-fields"),
            ("two_approvers = \"Amount\"", "two_approvers = \"Rating\"", "contract-two-approvers"),
            ("two_approvers = \"Amount\"", "two_reviewers = \"Amount\"", "contract-malformed"),
            ("AI_GATE_07_", "AI_GATE_70_", "contract-rule-missing"),
            ("kind = \"date\"", "kind = \"day\"", "contract-malformed"),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            let error = ContractFile::read(&text.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.code(), code, "{from} -> {to}: {error}");
        }
    }
}
