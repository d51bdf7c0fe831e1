//! A flow as it was deployed: its elements, its resources and how it starts.

use std::{collections::BTreeMap, sync::Arc};

use super::super::formula::{FieldKind, Formula};
use crate::domain::FieldValue;

/// A flow whose elements, references and formulas have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowDef {
    /// API name.
    pub name: String,
    /// Label.
    pub label: String,
    /// What it is for.
    pub description: String,
    /// `status` is Active.
    pub active: bool,
    /// Has screens (`processType` Flow); otherwise autolaunched.
    pub screen: bool,
    /// `runInMode` gives it the system's access whoever starts it.
    pub system: bool,
    /// Users need the flow in a permission set or profile to start it.
    pub restricted: bool,
    /// Variables by name.
    pub variables: BTreeMap<String, Variable>,
    pub(super) start: Start,
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) resources: BTreeMap<String, Resource>,
    /// Compiled formulas: of formula resources by name, of screen fields by field name, of
    /// the entry condition by [`ENTRY`].
    pub(super) formulas: BTreeMap<String, Arc<Formula>>,
    /// `triggerOrder`.
    pub(super) order: Option<u32>,
}

/// Key of the entry condition among the formulas; no API name has a `$`.
pub(super) const ENTRY: &str = "$entry";

/// What a reference stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One value.
    Scalar(FieldKind),
    /// A record of this object.
    Record(String),
    /// Many values or records.
    List(Box<Kind>),
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// What it holds.
    pub kind: Kind,
    /// Callers may set it.
    pub input: bool,
    /// Callers may read it.
    pub output: bool,
    pub(super) default: Operand,
}

/// What has a name and is no element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Constant(FieldKind, Operand),
    /// The formula's declared type and text.
    Formula(FieldKind, String),
    Template(Template),
    /// One choice: label and value.
    Choice(FieldKind, Template, Operand),
    /// All values of a picklist field: object, field.
    Picklist(String, String),
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    Constant(FieldValue),
    Text(Template),
    Reference(String),
}

impl Operand {
    pub(super) const NONE: Self = Self::Constant(FieldValue::Null);
}

/// Text with `{!references}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Template(pub(super) Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Reference(String),
}

impl Template {
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{!") {
            let Some((name, tail)) = after.split_once('}') else { break };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Reference(name.to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Self(parts)
    }

    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Reference(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }
}

/// How a flow starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Start {
    pub(super) first: Option<String>,
    pub(super) trigger: Option<Trigger>,
}

/// A record that starts a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) object: String,
    pub(super) before: bool,
    pub(super) on_create: bool,
    pub(super) on_update: bool,
    pub(super) entry: Entry,
    /// Only when the record did not meet the condition before.
    pub(super) newly: bool,
    pub(super) paths: Vec<SchedulePath>,
}

/// Entry conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Always,
    Filter(Filter),
    /// Compiled under [`ENTRY`].
    Formula(String),
}

/// A path that runs later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SchedulePath {
    pub(super) name: String,
    pub(super) first: Option<String>,
    /// Seconds after the save; `None` right after the commit.
    pub(super) offset: Option<i64>,
}

/// How conditions are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Logic {
    /// The condition with this index, from 0.
    Condition(usize),
    And(Vec<Logic>),
    Or(Vec<Logic>),
    Not(Box<Logic>),
}

/// Comparisons of conditions and filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    EqualTo,
    NotEqualTo,
    GreaterThan,
    GreaterThanOrEqualTo,
    LessThan,
    LessThanOrEqualTo,
    Contains,
    StartsWith,
    EndsWith,
    In,
    NotIn,
    IsNull,
    IsBlank,
    IsEmpty,
    IsChanged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    /// A reference, or a field name in a filter.
    pub(super) left: String,
    pub(super) operator: Operator,
    pub(super) right: Operand,
}

/// Conditions with their logic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) conditions: Vec<Condition>,
    pub(super) logic: Logic,
}

/// Ways of assigning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assigning {
    Assign,
    Add,
    Subtract,
    AddAtStart,
    AssignCount,
    RemoveAll,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AssignItem {
    pub(super) target: String,
    pub(super) how: Assigning,
    pub(super) value: Operand,
}

/// One outcome of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) filter: Filter,
    pub(super) next: Option<String>,
}

/// Which rows a data element works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rows {
    /// Rows of an object that meet a filter.
    Where(String, Filter),
    /// The records that a reference holds.
    Held(String),
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) label: String,
    pub(super) next: Option<String>,
    /// Where a fault leads.
    pub(super) fault: Option<String>,
    pub(super) kind: NodeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NodeKind {
    Assignment(Vec<AssignItem>),
    Decision(Vec<Outcome>),
    Lookup(Lookup),
    Create {
        object: String,
        values: Vec<(String, Operand)>,
        held: Option<String>,
    },
    Update {
        rows: Rows,
        values: Vec<(String, Operand)>,
    },
    Delete(Rows),
    /// Collection, from the end, first element of the body.
    Loop(String, bool, Option<String>),
    /// Flow, inputs.
    Subflow(String, Vec<(String, Operand)>),
    /// Action, inputs.
    Action(String, Vec<(String, Operand)>),
    /// Messages with the field that they stand at.
    CustomError(Vec<(Template, Option<String>)>),
    Screen(Screen),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup {
    pub(super) object: String,
    pub(super) filter: Filter,
    pub(super) first_only: bool,
    /// Fields that are read; empty for all.
    pub(super) fields: Vec<String>,
    /// Field, and whether the largest comes first.
    pub(super) sort: Option<(String, bool)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Screen {
    pub(super) allow_back: bool,
    pub(super) button: Option<String>,
    pub(super) fields: Vec<ScreenField>,
}

/// One field of a screen, in reading order; sections are flattened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScreenField {
    pub(super) name: String,
    pub(super) form: Form,
    /// `None` for text that is only shown.
    pub(super) kind: Option<FieldKind>,
    pub(super) text: Template,
    pub(super) help: Template,
    pub(super) default: Operand,
    pub(super) required: bool,
    pub(super) read_only: bool,
    /// Answers are forgotten when the screen is shown again.
    pub(super) reset: bool,
    pub(super) choices: Vec<String>,
    /// Formula and message.
    pub(super) rule: Option<(String, Template)>,
    /// Shown only when this holds.
    pub(super) visible: Option<Filter>,
}

/// What a screen field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Input,
    LargeText,
    Dropdown,
    Radio,
    Display,
}

impl FlowDef {
    /// The object whose records start it, where one does.
    pub(in crate::simulator) fn started_by(&self) -> Option<&str> {
        Some(self.start.trigger.as_ref()?.object.as_str())
    }

    /// The field of a screen.
    pub(super) fn screen_field(&self, name: &str) -> Option<&ScreenField> {
        self.screens().flat_map(|screen| &screen.fields).find(|field| field.name == name)
    }

    pub(super) fn screens(&self) -> impl Iterator<Item = &Screen> {
        self.nodes.values().filter_map(|node| match &node.kind {
            NodeKind::Screen(screen) => Some(screen),
            _ => None,
        })
    }
}
