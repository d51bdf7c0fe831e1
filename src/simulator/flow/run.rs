//! Runs an interview from element to element until it ends, fails or shows a screen.

use std::sync::Arc;

use super::{
    super::{
        save::Context,
        state::{Journal, State},
        write::RowError,
    },
    def::{AssignItem, Assigning, FlowDef, Node, NodeKind, Operand},
    interview::{Interview, Value},
    view::View,
};
use crate::domain::FieldValue;

/// Elements that one interview may execute. Salesforce dropped this limit for flows of API
/// version 57 and later; here it ends a loop that would never end.
const MAX_ELEMENTS: u32 = 2_000;
/// Flows inside flows.
const MAX_SUBFLOWS: u32 = 20;

/// Where a run came to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) enum Rest {
    Finished,
    /// At this screen.
    Screen(String),
}

/// Why a run ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) enum Failure {
    /// A fault that no element caught, in the words of `$Flow.FaultMessage`.
    Fault(String),
    /// Custom errors, which refuse the save.
    Refused(Vec<RowError>),
}

/// An interview that runs inside a transaction.
pub(in crate::simulator) struct Machine<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) state: &'a mut State,
    pub(super) journal: &'a mut Journal,
    pub(super) interview: &'a mut Interview,
    /// How many flows stand around this one.
    pub(super) nested: u32,
}

impl Machine<'_> {
    pub(super) fn view(&self) -> View<'_> {
        View { context: self.context, state: self.state, interview: self.interview }
    }

    /// Runs from an element on; `None` is the end.
    pub(super) fn run(&mut self, from: Option<String>) -> Result<Rest, Failure> {
        let flow = Arc::clone(&self.interview.flow);
        let mut next = from;
        while let Some(name) = next {
            let Some(node) = flow.nodes.get(&name) else { return Ok(Rest::Finished) };
            self.interview.executed += 1;
            if self.interview.executed > MAX_ELEMENTS {
                return Err(Failure::Fault(
                    "The number of flow elements executed exceeded the limit of 2000.".to_owned(),
                ));
            }
            if matches!(node.kind, NodeKind::Screen(_)) {
                return Ok(Rest::Screen(name));
            }
            next = match self.step(&name, node) {
                Ok(next) => next,
                Err(Failure::Fault(message)) if node.fault.is_some() => {
                    self.interview.fault = FieldValue::text(message);
                    node.fault.clone()
                }
                Err(failure) => return Err(failure),
            };
        }
        Ok(Rest::Finished)
    }

    /// Executes one element and says which comes next.
    fn step(&mut self, name: &str, node: &Node) -> Result<Option<String>, Failure> {
        match &node.kind {
            NodeKind::Assignment(items) => {
                for item in items {
                    self.assign(item);
                }
            }
            NodeKind::Decision(outcomes) => {
                let view = self.view();
                let outcome = outcomes.iter().find(|outcome| view.holds(&outcome.filter));
                return Ok(outcome.map_or_else(|| node.next.clone(), |outcome| outcome.next.clone()));
            }
            NodeKind::Lookup(lookup) => self.look_up(name, lookup)?,
            NodeKind::Create { object, values, held } => {
                self.create(name, (object, held.as_deref()), values)?;
            }
            NodeKind::Update { rows, values } => self.update(rows, values)?,
            NodeKind::Delete(rows) => self.delete(rows)?,
            NodeKind::Loop(collection, backwards, body) => {
                return Ok(if self.turn(name, collection, *backwards) {
                    body.clone()
                } else {
                    node.next.clone()
                });
            }
            NodeKind::Subflow(flow, inputs) => self.subflow(name, flow, inputs)?,
            NodeKind::Action(_, inputs) => {
                let inputs = self.inputs(inputs);
                self.notify(&inputs)?;
            }
            NodeKind::CustomError(messages) => return Err(self.refusal(messages)),
            // The caller stops before a screen.
            NodeKind::Screen(_) => {}
        }
        Ok(node.next.clone())
    }

    fn assign(&mut self, item: &AssignItem) {
        let view = self.view();
        let (now, value) = (view.value(&item.target), view.operand(&item.value));
        let result = match item.how {
            Assigning::Assign => value,
            Assigning::Add => add(now, value),
            Assigning::Subtract => subtract(&now, &value),
            Assigning::AddAtStart => {
                let mut list = value.list();
                list.extend(now.list());
                Value::List(list)
            }
            Assigning::AssignCount => {
                let count = i64::try_from(value.list().len()).unwrap_or(i64::MAX);
                Value::One(FieldValue::decimal(count.into()))
            }
            Assigning::RemoveAll => {
                let gone = value.list();
                Value::List(now.list().into_iter().filter(|member| !gone.contains(member)).collect())
            }
        };
        self.interview.set(&item.target, result);
    }

    /// Takes the next item of a loop; false when there is none left.
    fn turn(&mut self, name: &str, collection: &str, backwards: bool) -> bool {
        if !self.interview.loops.contains_key(name) {
            let mut items = self.view().value(collection).list();
            if !backwards {
                items.reverse();
            }
            self.interview.loops.insert(name.to_owned(), items);
        }
        let item = self.interview.loops.get_mut(name).and_then(Vec::pop);
        match item {
            Some(item) => {
                self.interview.values.insert(name.to_owned(), item);
                true
            }
            None => {
                self.interview.loops.remove(name);
                self.interview.values.remove(name);
                false
            }
        }
    }

    pub(super) fn inputs(&self, inputs: &[(String, Operand)]) -> Vec<(String, Value)> {
        let view = self.view();
        inputs.iter().map(|(name, operand)| (name.clone(), view.operand(operand))).collect()
    }

    /// Runs another flow with the same access, or the system's if that flow asks for it.
    fn subflow(&mut self, element: &str, name: &str, inputs: &[(String, Operand)]) -> Result<(), Failure> {
        let org = self.context.org;
        let flow = org.package().flows.get(name).filter(|flow| org.flow_runs(flow)).cloned();
        let Some(flow) = flow else {
            return Err(Failure::Fault(format!("The flow {name} has no active version.")));
        };
        if self.nested >= MAX_SUBFLOWS {
            return Err(Failure::Fault("Too many flows call each other.".to_owned()));
        }
        let given = self.inputs(inputs);
        let context = Context { system: self.context.system || flow.system, ..*self.context };
        let mut interview = Interview::new(flow, context.now);
        let mut machine = Machine {
            context: &context,
            state: self.state,
            journal: self.journal,
            interview: &mut interview,
            nested: self.nested + 1,
        };
        machine.begin(given)?;
        let outputs = machine.outputs();
        self.interview.outputs.insert(element.to_owned(), outputs.into_iter().collect());
        Ok(())
    }

    /// Sets defaults and inputs, and runs from the start.
    pub(super) fn begin(&mut self, inputs: Vec<(String, Value)>) -> Result<Rest, Failure> {
        let flow = Arc::clone(&self.interview.flow);
        self.defaults(&flow);
        self.interview.values.extend(inputs);
        self.run(flow.start.first.clone())
    }

    /// Gives every variable its default value.
    pub(super) fn defaults(&mut self, flow: &FlowDef) {
        for (name, variable) in &flow.variables {
            if variable.default != Operand::NONE {
                let value = self.view().operand(&variable.default);
                self.interview.values.insert(name.clone(), value);
            }
        }
    }

    /// What the flow's output variables hold.
    pub(super) fn outputs(&self) -> Vec<(String, Value)> {
        let outputs = self.interview.flow.variables.iter().filter(|(_, variable)| variable.output);
        outputs.map(|(name, _)| (name.clone(), self.interview.held(name))).collect()
    }

    /// Custom errors as errors of the row. Their code over REST is not confirmed.
    fn refusal(&self, messages: &[(super::def::Template, Option<String>)]) -> Failure {
        let view = self.view();
        let errors = messages.iter().map(|(text, field)| RowError {
            code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".to_owned(),
            message: view.text(text),
            fields: field.iter().cloned().collect(),
        });
        Failure::Refused(errors.collect())
    }
}

/// `Add`: to numbers, days, texts and collections.
fn add(now: Value, value: Value) -> Value {
    match (now, value) {
        (Value::List(mut list), value) => {
            list.extend(match value {
                Value::List(more) => more,
                one => vec![one],
            });
            Value::List(list)
        }
        (Value::One(FieldValue::Text(text)), Value::One(FieldValue::Text(more))) => {
            Value::One(FieldValue::text(text + &more))
        }
        (Value::One(FieldValue::Null), value) => value,
        (now, Value::One(FieldValue::Null)) => now,
        (now, value) => shifted(&now, &value, 1),
    }
}

fn subtract(now: &Value, value: &Value) -> Value {
    match (now, value) {
        (Value::One(FieldValue::Null), Value::One(FieldValue::Decimal(number))) => {
            Value::One(FieldValue::decimal(-*number))
        }
        _ => shifted(now, value, -1),
    }
}

/// A number, day or moment moved by a number.
fn shifted(now: &Value, value: &Value, sign: i64) -> Value {
    use rust_decimal::{Decimal, prelude::ToPrimitive as _};
    let Some(number) = value.one().as_decimal() else { return now.clone() };
    let number = number * Decimal::from(sign);
    let days = number.trunc().to_i64().unwrap_or_default();
    Value::One(match now.one() {
        FieldValue::Decimal(old) => old.checked_add(number).map_or(FieldValue::Null, FieldValue::decimal),
        FieldValue::Date(day) => day
            .checked_add(jiff::SignedDuration::from_hours(days.saturating_mul(24)))
            .map_or(FieldValue::Null, FieldValue::Date),
        FieldValue::DateTime(moment) => moment
            .checked_add(jiff::SignedDuration::from_hours(days.saturating_mul(24)))
            .map_or(FieldValue::Null, FieldValue::DateTime),
        other => other,
    })
}
