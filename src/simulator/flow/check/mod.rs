//! What Salesforce refuses when a flow is activated: dead connectors, unknown names, types
//! that do not fit, elements where they may not stand.

mod elements;
mod names;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    super::{
        formula::{FieldKind, Formula, Type},
        metadata::{Draft, Package},
    },
    def::{Condition, ENTRY, Entry, Filter, FlowDef, Kind, NodeKind, Operand, Operator, Resource, Template},
};
use crate::domain::FieldValue;

use names::{Names, base, fits};

/// Checks one flow against the package and the other flows, and compiles its formulas.
pub(super) fn flow(
    at: &mut Draft,
    package: &Package,
    flows: &BTreeMap<String, FlowDef>,
    flow: &FlowDef,
) -> BTreeMap<String, Arc<Formula>> {
    let mut check = Check { at, names: Names { package, flows, flow }, formulas: BTreeMap::new() };
    check.connectors();
    check.start();
    check.resources();
    for (name, node) in &flow.nodes {
        check.node(name, &node.kind);
    }
    check.formulas
}

struct Check<'a, 'd> {
    at: &'d mut Draft,
    names: Names<'a>,
    formulas: BTreeMap<String, Arc<Formula>>,
}

impl Check<'_, '_> {
    fn wrong(&mut self, place: &str, message: impl std::fmt::Display) {
        self.at.wrong(format!("{place}: {message}"));
    }

    /// Every connector must lead to an element.
    fn connectors(&mut self) {
        let flow = self.names.flow;
        let mut targets: Vec<(&str, &Option<String>)> = vec![("start", &flow.start.first)];
        for path in flow.start.trigger.iter().flat_map(|trigger| &trigger.paths) {
            targets.push(("start", &path.first));
        }
        for (name, node) in &flow.nodes {
            targets.push((name, &node.next));
            targets.push((name, &node.fault));
            match &node.kind {
                NodeKind::Decision(outcomes) => {
                    targets.extend(outcomes.iter().map(|outcome| (outcome.name.as_str(), &outcome.next)));
                }
                NodeKind::Loop(_, _, body) => targets.push((name, body)),
                _ => {}
            }
        }
        for (place, target) in targets {
            if let Some(target) = target
                && !flow.nodes.contains_key(target)
            {
                self.wrong(place, format!("the connector leads to {target}, which does not exist"));
            }
        }
    }

    fn start(&mut self) {
        let flow = self.names.flow;
        let Some(trigger) = &flow.start.trigger else {
            if flow.start.first.is_none() {
                self.wrong("start", "Required field is missing: connector");
            }
            return;
        };
        if flow.screen {
            self.wrong("start", "A flow with screens cannot be started by a record");
        }
        if !self.names.package.has_flow_object(&trigger.object) {
            self.wrong("start", format!("no CustomObject named {} found", trigger.object));
        }
        match &trigger.entry {
            Entry::Always => {}
            Entry::Filter(filter) => self.filter("start", &trigger.object, filter),
            Entry::Formula(text) => self.formula("start", ENTRY, text, Some(Type::Bool)),
        }
    }

    fn resources(&mut self) {
        let flow = self.names.flow;
        for (name, variable) in &flow.variables {
            let one = match &variable.kind {
                Kind::List(one) => one,
                other => other,
            };
            if let Kind::Record(object) = one
                && !self.names.package.has_flow_object(object)
            {
                self.wrong(name, format!("no CustomObject named {object} found"));
            }
            self.value(name, &variable.kind, &variable.default);
        }
        for (name, resource) in &flow.resources {
            match resource {
                Resource::Constant(kind, value) => self.value(name, &Kind::Scalar(kind.clone()), value),
                Resource::Choice(kind, label, value) => {
                    self.template(name, label);
                    self.value(name, &Kind::Scalar(kind.clone()), value);
                }
                Resource::Formula(kind, text) => self.formula(name, name, text, Some(base(kind))),
                Resource::Template(template) => self.template(name, template),
                Resource::Picklist(object, field) => match self.names.field(object, field) {
                    Some(Kind::Scalar(FieldKind::Picklist(_) | FieldKind::MultiPicklist(_))) => {}
                    _ => self.wrong(name, format!("{object}.{field} is not a picklist field")),
                },
            }
        }
        self.circles();
    }

    /// A formula must not need its own result.
    fn circles(&mut self) {
        let flow = self.names.flow;
        for name in flow.resources.keys() {
            let mut open = vec![name.as_str()];
            let mut seen = Vec::new();
            while let Some(next) = open.pop() {
                let template = match flow.resources.get(next) {
                    Some(Resource::Formula(_, text)) => Template::parse(text),
                    Some(Resource::Template(template)) => template.clone(),
                    _ => continue,
                };
                for used in template.references() {
                    let Some((used, _)) = flow.resources.get_key_value(used) else { continue };
                    if used == name {
                        self.wrong(name, "refers to itself");
                        return;
                    }
                    if !seen.contains(&used.as_str()) {
                        seen.push(used);
                        open.push(used);
                    }
                }
            }
        }
    }

    fn formula(&mut self, place: &str, key: &str, text: &str, wanted: Option<Type>) {
        match Formula::compile_flow(text, &self.names) {
            Ok((formula, found)) => {
                let found = if found == Type::Picklist { Type::Text } else { found };
                if wanted.is_some_and(|wanted| wanted != found && found != Type::Null) {
                    self.wrong(
                        place,
                        format!("Error in formula: its result is {found:?}, expected {wanted:?}"),
                    );
                }
                self.formulas.insert(key.to_owned(), Arc::new(formula));
            }
            Err(error) => self.wrong(place, format!("Error in formula: {error}")),
        }
    }

    fn template(&mut self, place: &str, template: &Template) {
        for reference in template.references() {
            match self.names.kind(reference) {
                Some(Kind::Scalar(_)) => {}
                Some(_) => self.wrong(place, format!("{reference} is no single value")),
                None => self.unknown(place, reference),
            }
        }
    }

    fn unknown(&mut self, place: &str, reference: &str) {
        self.wrong(place, format!("{reference} does not exist, or is not a field that is read there"));
    }

    /// What an operand gives; `None` for nothing and for what has been reported.
    fn operand(&mut self, place: &str, operand: &Operand) -> Option<Kind> {
        let kind = match operand {
            Operand::Constant(FieldValue::Null) => return None,
            Operand::Constant(FieldValue::Text(_)) => Type::Text,
            Operand::Constant(FieldValue::Decimal(_)) => Type::Number,
            Operand::Constant(FieldValue::Bool(_)) => Type::Bool,
            Operand::Constant(FieldValue::Date(_)) => Type::Date,
            Operand::Constant(FieldValue::DateTime(_)) => Type::DateTime,
            Operand::Text(template) => {
                self.template(place, template);
                Type::Text
            }
            Operand::Reference(reference) => {
                let kind = self.names.kind(reference);
                if kind.is_none() {
                    self.unknown(place, reference);
                }
                return kind;
            }
        };
        Some(Kind::Scalar(FieldKind::Plain(kind)))
    }

    /// A value where a kind is expected.
    fn value(&mut self, place: &str, target: &Kind, operand: &Operand) {
        if let Some(found) = self.operand(place, operand)
            && !fits(target, &found)
        {
            self.wrong(place, format!("a value of type {found:?} does not fit {target:?}"));
        }
    }

    /// Filters name fields of an object.
    fn filter(&mut self, place: &str, object: &str, filter: &Filter) {
        for condition in &filter.conditions {
            match self.names.field(object, &condition.left) {
                Some(left) => self.condition(place, &left, condition),
                None => self.wrong(place, format!("field {object}.{} does not exist", condition.left)),
            }
        }
    }

    /// Conditions name resources of the flow.
    fn conditions(&mut self, place: &str, filter: &Filter) {
        for condition in &filter.conditions {
            match self.names.kind(&condition.left) {
                Some(left) => self.condition(place, &left, condition),
                None => self.unknown(place, &condition.left),
            }
        }
    }

    fn condition(&mut self, place: &str, left: &Kind, condition: &Condition) {
        let bool = Kind::Scalar(FieldKind::Plain(Type::Bool));
        match (condition.operator, left) {
            (Operator::IsChanged, _) if !condition.left.starts_with("$Record.") => {
                self.wrong(place, format!("{}: IsChanged needs a field of $Record", condition.left));
            }
            (Operator::IsNull | Operator::IsBlank | Operator::IsEmpty | Operator::IsChanged, _) => {
                self.value(place, &bool, &condition.right);
            }
            (Operator::In | Operator::NotIn, _) => {
                self.value(place, &Kind::List(Box::new(left.clone())), &condition.right);
            }
            (Operator::Contains, Kind::List(one)) => self.value(place, one, &condition.right),
            (Operator::Contains | Operator::StartsWith | Operator::EndsWith, _) => {
                self.value(place, &Kind::Scalar(FieldKind::Plain(Type::Text)), &condition.right);
            }
            (_, Kind::Scalar(_)) => self.value(place, left, &condition.right),
            _ => self.wrong(place, format!("{} cannot be compared with this operator", condition.left)),
        }
    }
}
