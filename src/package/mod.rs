//! The governed part of the Salesforce package, rendered from one description of each object.
//!
//! `salesforce-metadata/` holds what this module renders for the shipped objects; a test compares
//! the two byte for byte. `countersign metadata generate` renders the same templates for others.

mod contract;
mod derive;
mod engine;
mod error;
mod fields;
mod flows;
mod governed;
mod making;
mod permissions;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use contract::ContractFile;
pub use derive::FieldFacts;
use engine::Engine;
pub use error::{ContractError, PackageError};
pub use fields::Field;
pub use governed::{Compared, Governed, Lane, Required, Signals, Stored};
pub use making::{files as making_files, rules as making_rules};
pub use permissions::{FieldAccess, ObjectAccess, PermissionSet};
pub use rules::Rule;

use sha2::Digest as _;

use crate::salesforce::names::{self, ObjectContract};

/// Where metadata stands in the project.
pub const SOURCE: &str = "force-app/main/default";

/// The shipped package: path from the folder with `sfdx-project.json`, and text.
pub static SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/package_files.rs"));

/// Names of the shipped flows that a write to this object starts.
pub fn triggered_flows(object: &str) -> Vec<String> {
    let of = format!("<object>{object}</object>");
    let starts = |text: &str| ["RecordBeforeSave", "RecordAfterSave"].iter().any(|kind| text.contains(kind));
    let flows = SHIPPED.iter().filter(|(_, text)| text.contains(&of) && starts(text));
    let name = |path: &str| Some(path.rsplit('/').next()?.strip_suffix(".flow-meta.xml")?.to_owned());
    flows.filter_map(|(path, _)| name(path)).collect()
}

/// Name of every rule that must stand on the object, by number, and [`formula_digest`] of it.
pub fn expected_rules(contract: &ObjectContract) -> Vec<(String, String)> {
    if contract.rules.is_empty() {
        let rules = Governed::find(contract.object).map(|governed| governed.rules()).unwrap_or_default();
        return rules.into_iter().map(|rule| (rule.name, formula_digest(&rule.formula))).collect();
    }
    contract.rules.iter().map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned())).collect()
}

/// SHA-256 of a formula's words: line breaks and indentation do not count.
pub fn formula_digest(formula: &str) -> String {
    let words = formula.split_whitespace().collect::<Vec<_>>().join(" ");
    sha2::Sha256::digest(words.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The permission set of a role (`AI_Promoter`) for an object: the shipped sets know the shipped
/// objects only.
pub fn permission_set_for(role: &str, object: &str) -> String {
    match Governed::find(object) {
        Some(_) => role.to_owned(),
        None => format!("{role}_{}", derive::stem(object)),
    }
}

impl Governed {
    /// Its validation rules, by number.
    pub fn rules(&self) -> Vec<Rule> {
        rules::rules(&Engine::new(), self)
    }

    /// Its custom fields, by name.
    pub fn fields(&self) -> Vec<Field> {
        fields::fields(&Engine::new(), self)
    }

    /// Its switches on the setting type, in the order of its fields.
    pub fn switches(&self) -> Vec<Field> {
        fields::switches(self)
    }

    /// The files of this object, by path below [`SOURCE`]: fields, rules, switches, channel member.
    pub fn files(&self) -> BTreeMap<String, String> {
        let engine = Engine::new();
        let mut files = BTreeMap::new();
        let folder = format!("objects/{}", self.object);
        for field in fields::fields(&engine, self) {
            let path = format!("{folder}/fields/{}.field-meta.xml", field.name);
            files.insert(path, engine.render("field.xml", "f", &field));
        }
        for switch in fields::switches(self) {
            let path = format!("objects/{}/fields/{}.field-meta.xml", names::setting::OBJECT, switch.name);
            files.insert(path, engine.render("field.xml", "f", &switch));
        }
        for rule in rules::rules(&engine, self) {
            let path = format!("{folder}/validationRules/{}.validationRule-meta.xml", rule.name);
            files.insert(path, engine.render("rule.xml", "r", &rule));
        }
        let entity = self.change_event();
        let member = serde_json::json!({
            "channel": names::CHANNEL, "filter": names::CHANNEL_FILTER, "entity": entity,
        });
        let path = format!(
            "platformEventChannelMembers/{}.platformEventChannelMember-meta.xml",
            self.channel_member()
        );
        files.insert(path, engine.render("channel_member.xml", "c", member));
        files
    }

    /// Flows and quick action of an object that the package does not ship, by path below [`SOURCE`]: the
    /// shipped flows for leads with this object's names, so they speak of one field; none otherwise.
    pub fn flow_files(&self) -> BTreeMap<String, String> {
        flows::files(self)
    }

    /// API names of its flows, shipped or generated.
    pub fn flow_names(&self) -> BTreeSet<String> {
        let prefix = format!("AI_{}_", self.stem());
        let own = self.flow_files();
        let shipped = SHIPPED.iter().map(|(path, _)| *path);
        let flow = |path: &str| Some(path.rsplit('/').next()?.strip_suffix(".flow-meta.xml")?.to_owned());
        own.keys()
            .map(String::as_str)
            .chain(shipped)
            .filter_map(flow)
            .filter(|name| name.starts_with(&prefix))
            .collect()
    }

    /// What stands in the names of this object's flows and sets: `Case` in `AI_Case_Guard`.
    pub fn stem(&self) -> String {
        derive::stem(&self.object)
    }

    /// The entity whose events the channel carries, for example `LeadChangeEvent`.
    pub fn change_event(&self) -> String {
        match self.object.strip_suffix("__c") {
            Some(bare) => format!("{bare}__ChangeEvent"),
            None => format!("{}ChangeEvent", self.object),
        }
    }

    /// Full name of the channel's member. It has no double underscore.
    pub fn channel_member(&self) -> String {
        let channel = names::CHANNEL.replace("__", "_");
        format!("{channel}_{}", self.change_event().replace("__", "_"))
    }
}

/// The permission sets over these objects, with a suffix for sets that stand beside the shipped ones.
pub fn permission_sets(objects: &[Governed], suffix: &str) -> Vec<PermissionSet> {
    permissions::sets(&Engine::new(), objects, suffix)
}

/// Path and text of a permission set.
pub fn permission_set_file(set: &PermissionSet) -> (String, String) {
    let path = format!("permissionsets/{}.permissionset-meta.xml", set.name);
    (path, Engine::new().render("permission_set.xml", "s", set))
}

/// A global value set: name, description and values.
pub type ValueSet = (&'static str, &'static str, &'static [&'static str]);

/// The global value sets that the fields use.
pub fn value_sets() -> [ValueSet; 3] {
    use names::source::{APPROVED, AUTO, DECAY, HUMAN, RECONCILIATION, ROLLBACK};
    [
        (
            "AI_Change_Source",
            "On what ground a governed field was changed.",
            &[HUMAN, APPROVED, AUTO, DECAY, RECONCILIATION, ROLLBACK],
        ),
        ("AI_Decision", "What a reviewer may say about a proposal.", &["Pending", "Approved", "Rejected"]),
        (
            "AI_Rejection_Reason",
            "Why a reviewer rejects a proposal.",
            &["Wrong Value", "Not Enough Evidence", "Too Early", "Out of Date", "Duplicate", "Other"],
        ),
    ]
}

/// The files of [`value_sets`], by path below [`SOURCE`].
pub fn value_set_files() -> BTreeMap<String, String> {
    let engine = Engine::new();
    let file = |(name, description, values): ValueSet| {
        let label = name.replace('_', " ");
        let set = serde_json::json!({ "label": label, "description": description, "values": values });
        (format!("globalValueSets/{name}.globalValueSet-meta.xml"), engine.render("value_set.xml", "v", set))
    };
    value_sets().into_iter().map(file).collect()
}

/// A manifest that names these components: `package.xml` or `destructiveChanges.xml`.
pub fn manifest(types: &BTreeMap<&str, Vec<String>>) -> String {
    Engine::new().render("manifest.xml", "m", serde_json::json!({ "types": types }))
}
