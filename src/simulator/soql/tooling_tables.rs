//! The deployed package as tooling queries see it.

use std::sync::Arc;

use jiff::Timestamp;

use super::tables::Tables;
use crate::{
    domain::FieldValue,
    simulator::{
        Org, UserContext, ids,
        metadata::{ChannelDef, ChannelMemberDef, Component, Package, ValidationRule},
        model::{ObjectDef, Row},
        schema::tooling,
    },
};

/// The id that every entity definition has; they are told apart by `DurableId`.
const NO_ID: &str = "000000000000000AAA";

/// More flows than an org has: versions of different flows have different ids.
const FLOWS: u64 = 100_000;

/// An org's package and who asks for it. Rows are made on demand: the n-th component of a kind
/// in the order of the package has the n-th id.
pub(super) struct ToolingTables<'a> {
    org: &'a Org,
    user: &'a UserContext,
    objects: Vec<Arc<ObjectDef>>,
}

impl<'a> ToolingTables<'a> {
    pub fn new(org: &'a Org, user: &'a UserContext) -> Self {
        Self { org, user, objects: tooling::tooling_objects().into_iter().map(Arc::new).collect() }
    }

    fn all(&self, object: &ObjectDef) -> Vec<Row> {
        let package = self.org.package();
        let numbered = |rows: Vec<Row>| {
            (1_u64..)
                .zip(rows)
                .map(|(number, mut row)| {
                    row.insert("Id".to_owned(), text(&ids::nth(&object.key_prefix, number)));
                    row
                })
                .collect()
        };
        match object.name.as_str() {
            tooling::ENTITY_DEFINITION => self.entities(),
            tooling::CUSTOM_FIELD => self.custom_fields(),
            tooling::VALIDATION_RULE => numbered(self.rules(&package)),
            tooling::FLOW_DEFINITION => numbered(self.flows(package.components("Flow"))),
            tooling::FLOW_VIEW => numbered(self.flow_views(&package)),
            tooling::FLOW => self.flow_versions(&package),
            tooling::APEX_CLASS => numbered(package.components("ApexClass").map(apex_class).collect()),
            tooling::APEX_TRIGGER => Vec::new(),
            tooling::CHANNEL => numbered(package.channels.iter().map(channel).collect()),
            _ => {
                let members = package.channel_members.iter();
                numbered(members.map(|member| channel_member(member, &package.channels)).collect())
            }
        }
    }

    /// Standard objects go by their name; objects that were deployed have an id.
    fn durable_id(&self, object: &str) -> String {
        let deployed = self.org.objects().into_iter().filter(|object| object.name.contains("__"));
        let number = (1_u64..).zip(deployed).find(|(_, known)| known.name == object);
        number.map_or_else(|| object.to_owned(), |(number, _)| ids::nth("01I", number))
    }

    /// Definitions of the objects that the user may see.
    fn entities(&self) -> Vec<Row> {
        let objects = self.org.objects().into_iter().filter(|object| self.user.can_read_object(&object.name));
        objects
            .map(|object| {
                row(&[
                    ("Id", NO_ID),
                    ("DurableId", &self.durable_id(&object.name)),
                    ("QualifiedApiName", &object.name),
                    ("DeveloperName", bare(&object.name)),
                    ("Label", &object.label),
                    ("KeyPrefix", &object.key_prefix),
                ])
            })
            .collect()
    }

    fn custom_fields(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for object in self.org.objects() {
            let entity = self.durable_id(&object.name);
            for field in &object.fields {
                let Some(id) = field.custom_id.as_deref().and_then(ids::complete) else { continue };
                rows.push(row(&[
                    ("Id", &id),
                    ("DeveloperName", bare(&field.name)),
                    ("TableEnumOrId", &entity),
                    ("EntityDefinitionId", &entity),
                ]));
            }
        }
        rows.sort_by(|left, right| left.get("Id").cmp(&right.get("Id")));
        rows
    }
}

impl Tables for ToolingTables<'_> {
    fn now(&self) -> Timestamp {
        self.org.clock().now()
    }

    fn object(&self, name: &str) -> Option<Arc<ObjectDef>> {
        let object = self.objects.iter().find(|object| object.name.eq_ignore_ascii_case(name))?;
        // Everybody may look objects up; what is set up for them takes a permission.
        let open = object.name == tooling::ENTITY_DEFINITION || self.user.sees_setup(self.org.settings());
        open.then(|| Arc::clone(object))
    }

    fn can_read(&self, _object: &ObjectDef, field: &str) -> bool {
        field != "FilterExpression" || self.org.settings().filter_expression_column
    }

    fn rows(&self, object: &ObjectDef, _include_deleted: bool) -> Vec<Arc<Row>> {
        self.all(object).into_iter().map(Arc::new).collect()
    }

    fn row(&self, object: &ObjectDef, id: &str, _include_deleted: bool) -> Option<Arc<Row>> {
        let key = if object.name == tooling::ENTITY_DEFINITION { "DurableId" } else { "Id" };
        self.all(object).into_iter().find(|row| row.get(key) == Some(&text(id))).map(Arc::new)
    }

    fn find(&self, _object: &ObjectDef, _field: &str, _value: &FieldValue) -> Option<Vec<Arc<Row>>> {
        None
    }

    fn home(&self) -> &'static str {
        "tooling/sobjects"
    }
}

impl ToolingTables<'_> {
    fn rules(&self, package: &Package) -> Vec<Row> {
        let mut rows = Vec::new();
        for (name, object) in &package.objects {
            let entity = self.durable_id(name);
            for rule in &object.rules {
                let full_name = format!("{name}.{}", rule.name);
                let (changed, _) = self.org.component_change("ValidationRule", &full_name);
                rows.push(validation_rule(&entity, rule, changed));
            }
        }
        rows
    }

    fn version(&self, number: u64, flow: &Component) -> String {
        flow_version(self.org, number, flow)
    }

    /// A flow that was deployed as a draft has a version, but none that runs.
    fn flows<'a>(&self, flows: impl Iterator<Item = &'a Component>) -> Vec<Row> {
        let each = (1_u64..).zip(flows).map(|(number, flow)| {
            let version = self.version(number, flow);
            let mut fields = row(&[("DeveloperName", &flow.full_name), ("LatestVersionId", &version)]);
            if flow.root.text("status") == Some("Active") {
                fields.insert("ActiveVersionId".to_owned(), text(&version));
            }
            fields
        });
        each.collect()
    }

    /// The newest version of every flow; older ones are not kept.
    fn flow_versions(&self, package: &Package) -> Vec<Row> {
        let each = (1_u64..).zip(package.components("Flow")).map(|(number, flow)| {
            row(&[
                ("Id", &self.version(number, flow)),
                ("DefinitionId", &ids::nth("300", number)),
                ("MasterLabel", flow.root.text("label").unwrap_or_default()),
                ("ProcessType", flow.root.text("processType").unwrap_or_default()),
                ("Status", flow.root.text("status").unwrap_or("Draft")),
            ])
        });
        each.collect()
    }

    /// Every flow, with the object whose records start it.
    fn flow_views(&self, package: &Package) -> Vec<Row> {
        let each = (1_u64..).zip(package.components("Flow")).map(|(number, flow)| {
            let active = flow.root.text("status") == Some("Active");
            let mut fields = row(&[("ApiName", &flow.full_name)]);
            fields.insert("IsActive".to_owned(), FieldValue::Bool(active));
            if active {
                fields.insert("ActiveVersionId".to_owned(), text(&self.version(number, flow)));
            }
            if let Some(object) = package.flows.get(&flow.full_name).and_then(|flow| flow.started_by()) {
                fields.insert("TriggerObjectOrEventId".to_owned(), text(&self.durable_id(object)));
            }
            fields
        });
        each.collect()
    }
}

/// The id of the newest version of a package's n-th flow: another one after each deploy that changed it.
pub(in crate::simulator) fn flow_version(org: &Org, number: u64, flow: &Component) -> String {
    ids::nth("301", number + FLOWS * org.component_change("Flow", &flow.full_name).1)
}

fn apex_class(class: &Component) -> Row {
    let body = class.bodies.values().next().map_or("", String::as_str);
    row(&[("Name", &class.full_name), ("Status", "Active"), ("Body", body)])
}

fn validation_rule(entity: &str, rule: &ValidationRule, changed: Timestamp) -> Row {
    let mut fields = row(&[
        ("ValidationName", &rule.name),
        ("EntityDefinitionId", entity),
        ("ErrorMessage", &rule.message),
    ]);
    fields.insert("Active".to_owned(), FieldValue::Bool(rule.active));
    fields.insert("LastModifiedDate".to_owned(), FieldValue::DateTime(changed));
    if let Some(field) = &rule.error_field {
        fields.insert("ErrorDisplayField".to_owned(), text(field));
    }
    fields
}

fn channel(channel: &ChannelDef) -> Row {
    // Packages have no other type of channel.
    row(&[("DeveloperName", bare(&channel.name)), ("MasterLabel", &channel.label), ("ChannelType", "data")])
}

/// `EventChannel` is the id of a custom channel, and the name of the standard one.
fn channel_member(member: &ChannelMemberDef, channels: &[ChannelDef]) -> Row {
    let number = (1_u64..).zip(channels).find(|(_, channel)| channel.name == member.channel);
    let channel = number.map_or_else(|| member.channel.clone(), |(number, _)| ids::nth("0YL", number));
    let mut fields = row(&[
        ("DeveloperName", &member.full_name),
        ("EventChannel", &channel),
        ("SelectedEntity", &member.entity),
    ]);
    if let Some(filter) = &member.filter {
        fields.insert("FilterExpression".to_owned(), text(filter));
    }
    fields
}

/// A name without `__c`, `__mdt` or `__chn`.
fn bare(name: &str) -> &str {
    name.rsplit_once("__").map_or(name, |(bare, _)| bare)
}

fn row(fields: &[(&str, &str)]) -> Row {
    fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
}

fn text(value: &str) -> FieldValue {
    FieldValue::text(value)
}
