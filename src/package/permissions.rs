//! The permission sets, over all governed objects that they open.

use serde::{Deserialize, Serialize};

use super::{engine::Engine, fields, governed::Governed};
use crate::salesforce::names;

/// A rendered permission set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermissionSet {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// Description for admins.
    pub description: String,
    /// Custom permission that it grants.
    pub custom_permission: Option<String>,
    /// Custom metadata types that it lets users read.
    pub metadata_types: Vec<String>,
    /// Field permissions, in the order of objects and names.
    pub fields: Vec<FieldAccess>,
    /// Flows that it lets users run.
    pub flows: Vec<String>,
    /// Object permissions.
    pub objects: Vec<ObjectAccess>,
    /// User permissions that it grants.
    pub user_permissions: Vec<String>,
}

/// A readable field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldAccess {
    /// `Lead.AI_Decision__c`
    pub name: String,
    /// May be written too.
    pub edit: bool,
}

/// A readable object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectAccess {
    /// API name.
    pub name: String,
    /// Records may be added.
    pub create: bool,
    /// May be written too.
    pub edit: bool,
    /// All records, whoever owns them.
    pub view_all: bool,
}

#[derive(Deserialize)]
struct Texts {
    sets: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: String,
    custom_permission: bool,
    edits: bool,
    view_all: bool,
    metadata_types: bool,
    /// May write the governed fields themselves.
    #[serde(default)]
    canonical: bool,
    /// What it may do with the records about the ledger.
    checkpoints: Option<Kept>,
    /// What it may do with the totals of runs.
    totals: Option<Kept>,
    /// What it may do with the heartbeat on the daemon's user.
    heartbeat: Option<Kept>,
    /// Flows that its holders run, without the prefix `AI_Object_`.
    #[serde(default)]
    flows: Vec<String>,
    description: String,
}

/// What a set may do with records that the daemon keeps. None may change or delete them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Read,
    Add,
}

/// An object of the package itself, with its fields.
type OwnObject = (&'static str, &'static [&'static str]);

impl Text {
    /// The package's own objects that the set opens.
    fn kept(&self) -> Vec<(OwnObject, Kept)> {
        let objects: [(OwnObject, _); 2] = [
            ((names::checkpoint::OBJECT, &names::checkpoint::FIELDS), self.checkpoints),
            ((names::total::OBJECT, &names::total::FIELDS), self.totals),
        ];
        objects.into_iter().filter_map(|(object, may)| Some((object, may?))).collect()
    }
}

/// All permission sets over these objects. `suffix` is for sets that stand beside the shipped ones.
pub(super) fn sets(engine: &Engine, objects: &[Governed], suffix: &str) -> Vec<PermissionSet> {
    let texts: Texts = toml::from_str(include_str!("templates/sets.toml")).expect("shipped texts are TOML");
    texts.sets.into_iter().map(|text| set(engine, objects, (text, suffix))).collect()
}

fn set(engine: &Engine, objects: &[Governed], (text, suffix): (Text, &str)) -> PermissionSet {
    let mut access: Vec<ObjectAccess> = objects
        .iter()
        .map(|object| ObjectAccess {
            name: object.object.clone(),
            create: false,
            edit: text.edits,
            view_all: text.view_all,
        })
        .collect();
    if objects.iter().any(|object| object.object == "Opportunity") {
        // Reading opportunities depends on reading accounts.
        let name = "Account".to_owned();
        access.push(ObjectAccess { name, create: false, edit: false, view_all: false });
    }
    // The sets of further objects stand beside the shipped ones, which open these.
    let kept = if suffix.is_empty() { text.kept() } else { Vec::new() };
    for ((object, _), may) in &kept {
        let (name, create) = ((*object).to_owned(), *may == Kept::Add);
        access.push(ObjectAccess { name, create, edit: false, view_all: true });
    }
    let heartbeat = text.heartbeat.filter(|_| suffix.is_empty()).map(|may| FieldAccess {
        name: format!("{}.{}", names::heartbeat::OBJECT, names::heartbeat::AT),
        edit: may == Kept::Add,
    });
    access.sort_by(|left, right| left.name.cmp(&right.name));
    let types = [names::setting::OBJECT, names::transition::OBJECT];
    let flows = objects.iter().flat_map(|object| {
        let known = object.flow_names();
        let named = text.flows.iter().map(|flow| format!("AI_{}_{flow}", object.stem()));
        named.filter(|flow| known.contains(flow)).collect::<Vec<_>>()
    });
    let mut flows: Vec<String> = flows.collect();
    flows.sort();
    let name = format!("{}{suffix}", text.name);
    PermissionSet {
        label: name.replace('_', " "),
        name,
        custom_permission: text.custom_permission.then(|| text.name.clone()),
        metadata_types: types.iter().filter(|_| text.metadata_types).map(|it| (*it).to_owned()).collect(),
        fields: kept
            .iter()
            .flat_map(kept_fields)
            .chain(heartbeat)
            .chain(objects.iter().flat_map(|object| entries(engine, object, &text)))
            .collect(),
        flows,
        objects: access,
        user_permissions: Vec::new(),
        description: text.description,
    }
}

/// Whoever adds a record may set its fields; without the right to edit they stay as they are.
fn kept_fields(((object, fields), may): &(OwnObject, Kept)) -> Vec<FieldAccess> {
    let field = |field: &&str| FieldAccess { name: format!("{object}.{field}"), edit: *may == Kept::Add };
    fields.iter().map(field).collect()
}

fn entries(engine: &Engine, object: &Governed, text: &Text) -> Vec<FieldAccess> {
    let named = |name: &str, edit| FieldAccess { name: format!("{}.{name}", object.object), edit };
    let own = fields::fields(engine, object);
    let own = own.iter().map(|field| named(&field.name, field.edits.contains(&text.name)));
    let canonical = object.lanes.iter().filter(|lane| lane.has_fls);
    let mut entries: Vec<FieldAccess> =
        own.chain(canonical.map(|lane| named(&lane.field, text.canonical))).collect();
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    entries
}
