//! The elements of a flow, one by one.

use super::{
    super::{
        super::formula::{FieldKind, Type},
        def::{AssignItem, Assigning, Kind, NodeKind, Operand, Resource, Rows, Screen, ScreenField},
    },
    Check, base, fits,
};

/// Inputs of `customNotificationAction`: name, and whether it must be given.
const NOTIFICATION_INPUTS: &[(&str, bool)] = &[
    ("customNotifTypeId", true),
    ("recipientIds", true),
    ("title", false),
    ("body", true),
    ("targetId", false),
    ("targetPageRef", false),
    ("senderId", false),
];

impl Check<'_, '_> {
    pub(super) fn node(&mut self, name: &str, node: &NodeKind) {
        self.placed(name, node);
        match node {
            NodeKind::Assignment(items) => {
                for item in items {
                    self.assignment(name, item);
                }
            }
            NodeKind::Decision(outcomes) => {
                for outcome in outcomes {
                    self.conditions(&outcome.name, &outcome.filter);
                }
            }
            NodeKind::Lookup(lookup) => {
                self.object(name, &lookup.object);
                self.filter(name, &lookup.object, &lookup.filter);
                let sort = lookup.sort.iter().map(|(field, _)| field);
                for field in lookup.fields.iter().chain(sort) {
                    if self.names.field(&lookup.object, field).is_none() {
                        self.wrong(name, format!("field {}.{field} does not exist", lookup.object));
                    }
                }
            }
            NodeKind::Create { object, values, held } => match held {
                Some(held) => self.held(name, held),
                None => {
                    self.object(name, object);
                    self.inputs(name, object, values);
                }
            },
            NodeKind::Update { rows, values } => {
                let object = self.rows(name, rows);
                self.inputs(name, &object, values);
            }
            NodeKind::Delete(rows) => {
                self.rows(name, rows);
            }
            NodeKind::Loop(collection, ..) => match self.names.kind(collection) {
                Some(Kind::List(_)) => {}
                Some(_) => self.wrong(name, format!("{collection} is no collection")),
                None => self.unknown(name, collection),
            },
            NodeKind::Subflow(flow, inputs) => self.subflow(name, flow, inputs),
            NodeKind::Action(_, inputs) => self.action(name, inputs),
            NodeKind::CustomError(messages) => {
                for (text, field) in messages {
                    self.template(name, text);
                    if let Some(field) = field
                        && self.names.kind(&format!("$Record.{field}")).is_none()
                    {
                        self.wrong(name, format!("field {field} does not exist"));
                    }
                }
            }
            NodeKind::Screen(screen) => self.screen(screen),
        }
    }

    /// Elements that may not stand in every kind of flow.
    fn placed(&mut self, name: &str, node: &NodeKind) {
        let flow = self.names.flow;
        let trigger = flow.start.trigger.as_ref();
        match node {
            NodeKind::Screen(_) if !flow.screen => self.wrong(name, "an autolaunched flow has no screens"),
            NodeKind::CustomError(_) if trigger.is_none() => {
                self.wrong(name, "custom errors belong to flows that a record starts");
            }
            NodeKind::Create { .. }
            | NodeKind::Update { .. }
            | NodeKind::Delete(_)
            | NodeKind::Subflow(..)
            | NodeKind::Action(..)
                if trigger.is_some_and(|trigger| trigger.before) =>
            {
                self.wrong(name, "a before-save flow cannot have this element");
            }
            _ => {}
        }
    }

    fn object(&mut self, place: &str, object: &str) {
        if !self.names.package.has_flow_object(object) {
            self.wrong(place, format!("no CustomObject named {object} found"));
        }
    }

    fn held(&mut self, place: &str, reference: &str) {
        let record = |kind: &Kind| matches!(kind, Kind::Record(_));
        match self.names.kind(reference) {
            Some(Kind::Record(_)) => {}
            Some(Kind::List(one)) if record(&one) => {}
            Some(_) => self.wrong(place, format!("{reference} holds no records")),
            None => self.unknown(place, reference),
        }
    }

    /// Checks the rows of a data element and says which object they belong to.
    fn rows(&mut self, place: &str, rows: &Rows) -> String {
        match rows {
            Rows::Where(object, filter) => {
                self.object(place, object);
                self.filter(place, object, filter);
                object.clone()
            }
            Rows::Held(reference) => {
                self.held(place, reference);
                match self.names.kind(reference) {
                    Some(Kind::Record(object)) => object,
                    Some(Kind::List(one)) => match *one {
                        Kind::Record(object) => object,
                        _ => String::new(),
                    },
                    _ => String::new(),
                }
            }
        }
    }

    /// Values for the fields of an object.
    fn inputs(&mut self, place: &str, object: &str, values: &[(String, Operand)]) {
        for (field, value) in values {
            match self.names.field(object, field) {
                Some(kind) => self.value(place, &kind, value),
                None => self.wrong(place, format!("field {object}.{field} does not exist")),
            }
        }
    }

    fn assignment(&mut self, place: &str, item: &AssignItem) {
        let target = item.target.as_str();
        let head = target.split('.').next().unwrap_or_default();
        let assignable = self.names.flow.variables.contains_key(head)
            || head == "$Record" && target != "$Record"
            || self.names.flow.screen_field(head).is_some();
        let Some(kind) = self.names.kind(target) else { return self.unknown(place, target) };
        if !assignable {
            return self.wrong(place, format!("{target} cannot be assigned to"));
        }
        let found = self.operand(place, &item.value);
        let number = |kind: &Kind| matches!(kind, Kind::Scalar(kind) if base(kind) == Type::Number);
        let fine = match (item.how, &kind, &found) {
            (_, _, None) => true,
            (Assigning::Add | Assigning::AddAtStart | Assigning::RemoveAll, Kind::List(one), Some(found)) => {
                fits(one, found) || fits(&kind, found)
            }
            (Assigning::Assign, _, Some(found)) => fits(&kind, found),
            (Assigning::AssignCount, _, Some(Kind::List(_))) => number(&kind),
            (Assigning::Add | Assigning::Subtract, Kind::Scalar(target), Some(found)) => match base(target) {
                Type::Date | Type::DateTime => number(found),
                Type::Number => number(found),
                Type::Text => item.how == Assigning::Add && fits(&kind, found),
                _ => false,
            },
            _ => false,
        };
        if !fine {
            self.wrong(place, format!("the value does not fit {target} with this operator"));
        }
    }

    fn subflow(&mut self, place: &str, name: &str, inputs: &[(String, Operand)]) {
        let Some(flow) = self.names.flows.get(name) else {
            return self.wrong(place, format!("no Flow named {name} found"));
        };
        if flow.screen || flow.start.trigger.is_some() {
            self.wrong(
                place,
                format!("the simulated org runs autolaunched flows as subflows only, not {name}"),
            );
        }
        for (input, value) in inputs {
            match flow.variables.get(input).filter(|variable| variable.input) {
                Some(variable) => self.value(place, &variable.kind, value),
                None => self.wrong(place, format!("the flow {name} has no input {input}")),
            }
        }
    }

    fn action(&mut self, place: &str, inputs: &[(String, Operand)]) {
        for (input, value) in inputs {
            let text = Kind::Scalar(FieldKind::Plain(Type::Text));
            let wanted = if input == "recipientIds" { Kind::List(Box::new(text)) } else { text };
            if NOTIFICATION_INPUTS.iter().any(|(known, _)| known == input) {
                self.value(place, &wanted, value);
            } else {
                self.wrong(place, format!("the action has no input {input}"));
            }
        }
        for (needed, _) in NOTIFICATION_INPUTS.iter().filter(|(_, needed)| *needed) {
            if !inputs.iter().any(|(input, _)| input == needed) {
                self.wrong(place, format!("the action needs the input {needed}"));
            }
        }
    }

    fn screen(&mut self, screen: &Screen) {
        for field in &screen.fields {
            self.field(field);
        }
    }

    fn field(&mut self, field: &ScreenField) {
        let name = field.name.as_str();
        self.template(name, &field.text);
        self.template(name, &field.help);
        if let Some(kind) = &field.kind {
            self.value(name, &Kind::Scalar(kind.clone()), &field.default);
        }
        for choice in &field.choices {
            match self.names.flow.resources.get(choice) {
                Some(Resource::Choice(..) | Resource::Picklist(..)) => {}
                _ => self.wrong(name, format!("the choice {choice} does not exist")),
            }
        }
        if let Some((formula, message)) = &field.rule {
            self.formula(name, name, formula, Some(Type::Bool));
            self.template(name, message);
        }
        if let Some(filter) = &field.visible {
            self.conditions(name, filter);
        }
    }
}
