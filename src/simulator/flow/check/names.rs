//! What a reference in a flow stands for, and whether two types fit.

use std::collections::BTreeMap;

use super::super::{
    super::{
        formula::{FieldKind, Type, Types},
        metadata::Package,
    },
    def::{FlowDef, Kind, NodeKind, Resource},
};

/// Everything that a flow may name.
pub(super) struct Names<'a> {
    pub(super) package: &'a Package,
    pub(super) flows: &'a BTreeMap<String, FlowDef>,
    pub(super) flow: &'a FlowDef,
}

fn plain(kind: Type) -> Option<Kind> {
    Some(Kind::Scalar(FieldKind::Plain(kind)))
}

impl Names<'_> {
    /// What a reference stands for; `None` when there is no such thing.
    pub(super) fn kind(&self, path: &str) -> Option<Kind> {
        match path.split_once('.') {
            None => self.whole(path),
            Some(("$Flow", name)) => match name {
                "CurrentDateTime" | "InterviewStartTime" => plain(Type::DateTime),
                "CurrentDate" => plain(Type::Date),
                "InterviewGuid" | "FaultMessage" => plain(Type::Text),
                _ => None,
            },
            Some(("$User", field)) => self.field("User", field),
            Some(("$Organization", field)) => self.field("Organization", field),
            Some(("$Permission", name)) => self
                .package
                .custom_permissions
                .iter()
                .any(|known| known == name)
                .then(|| plain(Type::Bool))?,
            Some((head, field)) => self.part(head, field),
        }
    }

    fn whole(&self, name: &str) -> Option<Kind> {
        if matches!(name, "$Record" | "$Record__Prior") {
            return Some(Kind::Record(self.flow.start.trigger.as_ref()?.object.clone()));
        }
        if let Some(variable) = self.flow.variables.get(name) {
            return Some(variable.kind.clone());
        }
        if let Some(node) = self.flow.nodes.get(name) {
            return self.node(&node.kind);
        }
        if let Some(field) = self.flow.screen_field(name) {
            return field.kind.clone().map(Kind::Scalar);
        }
        match self.flow.resources.get(name)? {
            Resource::Constant(kind, _) | Resource::Formula(kind, _) | Resource::Choice(kind, ..) => {
                Some(Kind::Scalar(kind.clone()))
            }
            Resource::Template(_) => plain(Type::Text),
            Resource::Picklist(..) => None,
        }
    }

    fn node(&self, node: &NodeKind) -> Option<Kind> {
        match node {
            NodeKind::Lookup(lookup) => {
                let record = Kind::Record(lookup.object.clone());
                Some(if lookup.first_only { record } else { Kind::List(Box::new(record)) })
            }
            NodeKind::Loop(collection, ..) => match self.kind(collection)? {
                Kind::List(one) => Some(*one),
                _ => None,
            },
            NodeKind::Create { held: None, .. } => plain(Type::Text),
            _ => None,
        }
    }

    fn part(&self, head: &str, field: &str) -> Option<Kind> {
        match self.flow.nodes.get(head).map(|node| &node.kind) {
            Some(NodeKind::Subflow(name, _)) => {
                let variable = self.flows.get(name)?.variables.get(field)?;
                return variable.output.then(|| variable.kind.clone());
            }
            Some(NodeKind::Lookup(lookup)) => {
                let read =
                    lookup.fields.is_empty() || field == "Id" || lookup.fields.iter().any(|it| it == field);
                if !read {
                    return None;
                }
            }
            _ => {}
        }
        match self.whole(head)? {
            Kind::Record(object) => self.field(&object, field),
            _ => None,
        }
    }

    /// A field of an object.
    pub(super) fn field(&self, object: &str, field: &str) -> Option<Kind> {
        self.package.flow_field(object, field).map(Kind::Scalar)
    }
}

impl Types for Names<'_> {
    fn field(&self, name: &str) -> Option<FieldKind> {
        match self.kind(name)? {
            Kind::Scalar(kind) => Some(kind),
            _ => None,
        }
    }

    fn has_permission(&self, name: &str) -> bool {
        self.package.custom_permissions.iter().any(|known| known == name)
    }

    fn custom_metadata(&self, metadata_type: &str, record: &str, field: &str) -> Option<FieldKind> {
        let mut records = self.package.metadata_records.iter();
        records.find(|it| it.type_name == metadata_type && it.developer_name == record)?;
        self.package.flow_field(metadata_type, field)
    }
}

/// The type that values of a field have; picklists and long texts are texts.
pub(super) fn base(kind: &FieldKind) -> Type {
    match kind {
        FieldKind::Plain(plain) => *plain,
        FieldKind::Picklist(_) | FieldKind::MultiPicklist(_) | FieldKind::LongText => Type::Text,
    }
}

/// Whether a value of one kind may be put where the other is expected.
pub(super) fn fits(target: &Kind, value: &Kind) -> bool {
    match (target, value) {
        (Kind::Scalar(target), Kind::Scalar(value)) => {
            let (target, value) = (base(target), base(value));
            target == value
                || value == Type::Null
                || matches!((target, value), (Type::Date, Type::DateTime) | (Type::DateTime, Type::Date))
        }
        (Kind::Record(target), Kind::Record(value)) => target == value,
        (Kind::List(target), Kind::List(value)) => fits(target, value),
        _ => false,
    }
}
