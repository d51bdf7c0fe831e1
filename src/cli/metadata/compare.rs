//! The package beside an org, component by component.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::org::{Names, Org, OrgRule};
use crate::{
    package::{self, Field, Governed},
    salesforce::{
        DescribedField, ObjectDescription,
        names::{
            self,
            permission::{BREAK_GLASS, PROMOTER, PROPOSER, REVIEWER},
        },
    },
};

/// How a component stands in the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Not there: a deploy creates it.
    Missing,
    /// There, as in the package.
    Same,
    /// There, and not as in the package.
    Differs,
    /// This identity cannot see it.
    Unseen,
}

/// One component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Metadata type.
    pub kind: &'static str,
    /// Full name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// What differs; empty when nothing does.
    pub detail: String,
    /// What to do; empty when nothing is to be done.
    pub fix: String,
}

impl fmt::Display for Component {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.standing {
            Standing::Missing => "missing",
            Standing::Same => "same",
            Standing::Differs => "differs",
            Standing::Unseen => "unseen",
        };
        write!(out, "{word:8}{:27}{}", self.kind, self.name)?;
        if !self.detail.is_empty() {
            write!(out, ": {}", self.detail)?;
        }
        if !self.fix.is_empty() {
            write!(out, "\n{:8}fix: {}", "", self.fix)?;
        }
        Ok(())
    }
}

/// Compares these objects and what all of them share. With `formulas` rules are compared by text.
pub async fn compare(org: &Org, objects: &[Governed], formulas: bool) -> anyhow::Result<Vec<Component>> {
    let mut found = Vec::new();
    let setting = org.object(names::setting::OBJECT).await?;
    for object in objects {
        let described = org.object(&object.object).await?;
        for field in object.fields() {
            found.push(field_component(&object.object, &field, described.as_ref()));
        }
        for switch in object.switches() {
            found.push(field_component(names::setting::OBJECT, &switch, setting.as_ref()));
        }
        let rules = org.rules(&object.object, formulas).await?;
        for rule in object.rules() {
            let name = format!("{}.{}", object.object, rule.name);
            found.push(rule_component(
                name,
                &rule.formula,
                rules.as_ref().map(|it| it.get(&rule.name)),
                formulas,
            ));
        }
    }
    found.extend(types(org, setting.as_ref()).await?);
    let permissions = org.custom_permissions().await?;
    let named = [PROPOSER, PROMOTER, REVIEWER, BREAK_GLASS];
    found.extend(named.iter().map(|name| by_name("CustomPermission", name, &permissions)));
    let sets = org.permission_sets().await?;
    for object in objects {
        let suffix = if Governed::find(&object.object).is_some() {
            String::new()
        } else {
            format!("_{}", object.stem())
        };
        for set in package::permission_sets(std::slice::from_ref(object), &suffix) {
            found.push(by_name("PermissionSet", &set.name, &sets));
        }
    }
    let members = org.channel_members().await?;
    found.extend(
        objects
            .iter()
            .map(|object| by_name("PlatformEventChannelMember", &object.channel_member(), &members)),
    );
    let flows = org.active_flows().await?;
    found.extend(objects.iter().flat_map(Governed::flow_names).map(|name| by_name("Flow", &name, &flows)));
    let mut seen = BTreeSet::new();
    found.retain(|it| seen.insert((it.kind, it.name.clone())));
    Ok(found)
}

/// The custom metadata types, as far as no object has a part in them.
async fn types(org: &Org, setting: Option<&ObjectDescription>) -> anyhow::Result<Vec<Component>> {
    let transition = org.object(names::transition::OBJECT).await?;
    let mut found = Vec::new();
    for (object, described, fields) in [
        (names::setting::OBJECT, setting, &[names::setting::TWO_APPROVERS_ABOVE][..]),
        (
            names::transition::OBJECT,
            transition.as_ref(),
            &[
                names::transition::OF_OBJECT,
                names::transition::OF_FIELD,
                names::transition::FROM,
                names::transition::TO,
                names::transition::MIN_CONFIDENCE,
                names::transition::ACTIVE,
            ][..],
        ),
    ] {
        let known = described.map(|it| it.fields.keys().cloned().collect::<BTreeSet<String>>());
        for field in fields {
            let component = by_name("CustomField", field, &Some(known.clone().unwrap_or_default()));
            found.push(Component { name: format!("{object}.{field}"), ..component });
        }
    }
    Ok(found)
}

fn field_component(object: &str, field: &Field, described: Option<&ObjectDescription>) -> Component {
    let name = format!("{object}.{}", field.name);
    let Some(found) = described.and_then(|it| it.fields.get(&field.name)) else {
        return Component {
            kind: "CustomField",
            name,
            standing: Standing::Missing,
            detail: match described {
                None => format!("{object} does not exist or is hidden from this identity"),
                Some(_) => "not there, or hidden from this identity".to_owned(),
            },
            fix: "deploy it, and give this identity a permission set of the package".to_owned(),
        };
    };
    let differences = differences(field, found);
    let standing = if differences.is_empty() { Standing::Same } else { Standing::Differs };
    let fix = match standing {
        Standing::Differs => format!(
            "a field of this name is there already and does not fit: rename it in Setup > Object Manager > {object} \
             > Fields before the deploy, or change it to fit"
        ),
        _ => String::new(),
    };
    Component { kind: "CustomField", name, standing, detail: differences.join("; "), fix }
}

/// What a described field has otherwise than the package.
fn differences(field: &Field, found: &DescribedField) -> Vec<String> {
    let wanted = match field.kind.as_str() {
        "Text" => "string",
        "LongTextArea" => "textarea",
        "Number" => "double",
        "Checkbox" => "boolean",
        "Lookup" => "reference",
        "MultiselectPicklist" => "multipicklist",
        "DateTime" => "datetime",
        "Date" => "date",
        "Picklist" => "picklist",
        "Currency" => "currency",
        "Percent" => "percent",
        other => other,
    };
    let mut differences = Vec::new();
    // A number without decimals may be described as an integer.
    let whole = wanted == "double" && found.kind == "int" && field.scale == Some(0);
    if found.kind != wanted && !whole {
        return vec![format!("type is {}, the package has {wanted}", found.kind)];
    }
    if let Some(length) = field.length
        && found.length < length
    {
        differences.push(format!("length is {}, the package has {length}", found.length));
    }
    if let (Some(precision), Some(scale), false) = (field.precision, field.scale, whole)
        && (found.precision < precision || found.scale != scale)
    {
        differences.push(format!(
            "digits are {}, {} of them decimals; the package has {precision} and {scale}",
            found.precision, found.scale
        ));
    }
    let own = field.values.iter().flatten().map(|value| value.field.as_str());
    let sets =
        package::value_sets().into_iter().filter(|(name, ..)| field.value_set.as_deref() == Some(name));
    let shared = sets.flat_map(|(.., values)| values.iter().copied());
    let known = |value: &&str| found.picklist_values.iter().any(|known| known.value == *value);
    let missing: Vec<&str> = own.chain(shared).filter(|value| !known(value)).collect();
    if !missing.is_empty() {
        differences.push(format!("values are missing: {}", missing.join(", ")));
    }
    differences
}

fn rule_component(name: String, formula: &str, found: Option<Option<&OrgRule>>, formulas: bool) -> Component {
    const KIND: &str = "ValidationRule";
    let place = "deploy the package; rules are in Setup > Object Manager > the object > Validation Rules";
    let (standing, detail, fix) = match found {
        None => (Standing::Unseen, "this identity does not see validation rules", SETUP),
        Some(None) => (Standing::Missing, "", place),
        Some(Some(rule)) if !rule.active => (Standing::Differs, "it is not active", place),
        Some(Some(rule)) if formulas => match &rule.formula {
            None => (Standing::Unseen, "its formula cannot be seen", SETUP),
            Some(found) if same_formula(found, formula) => (Standing::Same, "", ""),
            Some(_) => (Standing::Differs, "its formula is not the package's", place),
        },
        Some(Some(_)) => (Standing::Same, "", ""),
    };
    Component { kind: KIND, name, standing, detail: detail.to_owned(), fix: fix.to_owned() }
}

/// What to do when Setup is hidden.
const SETUP: &str =
    "give the token of a person with View Setup and Configuration as COUNTERSIGN__DOCTOR__ACCESS_TOKEN";

/// Line ends and outer white space are not kept by every editor.
fn same_formula(found: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    plain(found) == plain(wanted)
}

fn by_name(kind: &'static str, name: &str, known: &Names) -> Component {
    let (standing, fix) = match known {
        None => (Standing::Unseen, SETUP),
        Some(known) if known.contains(name) => (Standing::Same, ""),
        Some(_) if kind == "Flow" => {
            (Standing::Missing, "deploy the package, and activate the flow in Setup > Flows")
        }
        Some(_) => (Standing::Missing, "deploy the package"),
    };
    Component { kind, name: name.to_owned(), standing, detail: String::new(), fix: fix.to_owned() }
}

/// How many components stand in which way.
pub fn counts(components: &[Component]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::from([("missing", 0), ("same", 0), ("differs", 0), ("unseen", 0)]);
    for component in components {
        let word = match component.standing {
            Standing::Missing => "missing",
            Standing::Same => "same",
            Standing::Differs => "differs",
            Standing::Unseen => "unseen",
        };
        *counts.entry(word).or_default() += 1;
    }
    counts
}
