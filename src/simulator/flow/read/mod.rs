//! Flow files to definitions: every element must be known here, or the flow does not deploy.

mod logic;
mod nodes;
mod screens;
mod values;

use std::collections::BTreeMap;

use super::{
    super::metadata::{Draft, Element},
    def::{FlowDef, Node, Operand, Resource, Template, Variable},
};

use values::{only, operand, scalar_kind};

/// Texts of the flow that stand once.
const SINGLE: &[&str] = &[
    "fullName",
    "apiVersion",
    "areMetricsLoggedToDataCloud",
    "customProperties",
    "description",
    "environments",
    "interviewLabel",
    "isAdditionalPermissionRequiredToRun",
    "label",
    "processType",
    "runInMode",
    "start",
    "status",
    "triggerOrder",
];

const REPEATED: &[&str] = &[
    "actionCalls",
    "assignments",
    "choices",
    "constants",
    "customErrors",
    "decisions",
    "dynamicChoiceSets",
    "formulas",
    "loops",
    "processMetadataValues",
    "recordCreates",
    "recordDeletes",
    "recordLookups",
    "recordUpdates",
    "screens",
    "subflows",
    "textTemplates",
    "variables",
];

/// Reads one flow. Problems are put on `at`; what they concern is left out.
pub(super) fn flow(at: &mut Draft, root: &Element) -> FlowDef {
    only(at, root, SINGLE, REPEATED);
    at.required(root, "label");
    at.word(root, "status", &["Active", "Draft", "Obsolete", "InvalidDraft"]);
    let process = at.required(root, "processType");
    if !matches!(process.as_str(), "Flow" | "AutoLaunchedFlow" | "") {
        at.wrong(format!("The simulated org does not run flows of processType {process}"));
    }
    at.word(root, "runInMode", &["DefaultMode", "SystemModeWithSharing", "SystemModeWithoutSharing"]);
    let restricted = at.flag(root, "isAdditionalPermissionRequiredToRun");
    let order = root.text("triggerOrder").map(|_| at.number(root, "triggerOrder", 1..=2_000));
    let name = at.name.clone();
    values::api_name(at, &name);
    let mut flow = FlowDef {
        label: root.text("label").unwrap_or_default().to_owned(),
        description: root.text("description").unwrap_or_default().to_owned(),
        active: root.text("status") == Some("Active"),
        screen: process == "Flow",
        system: root.text("runInMode").is_some_and(|mode| mode.starts_with("System")),
        restricted,
        variables: BTreeMap::new(),
        start: nodes::start(at, root),
        nodes: BTreeMap::new(),
        resources: BTreeMap::new(),
        formulas: BTreeMap::new(),
        order,
        name,
    };
    for child in &root.children {
        member(at, child, &mut flow);
    }
    flow
}

/// One element or resource of the flow.
fn member(at: &mut Draft, child: &Element, flow: &mut FlowDef) {
    if SINGLE.contains(&child.name.as_str()) || child.name == "processMetadataValues" {
        return;
    }
    let name = at.required(child, "name");
    values::api_name(at, &name);
    let taken = flow.nodes.contains_key(&name)
        || flow.resources.contains_key(&name)
        || flow.variables.contains_key(&name)
        || flow.screen_field(&name).is_some();
    if taken {
        at.wrong(format!("The name {name} is used more than once in this flow"));
    }
    if let Some(node) = nodes::node(at, child) {
        flow.nodes.insert(name, node);
    } else if child.name == "variables" {
        if let Some(variable) = variable(at, child) {
            flow.variables.insert(name, variable);
        }
    } else if let Some(resource) = resource(at, child) {
        flow.resources.insert(name, resource);
    }
}

fn resource(at: &mut Draft, child: &Element) -> Option<Resource> {
    match child.name.as_str() {
        "constants" => {
            only(at, child, &["name", "description", "dataType", "value"], &[]);
            Some(Resource::Constant(scalar_kind(at, child)?, operand(at, child, "value")))
        }
        "formulas" => {
            only(at, child, &["name", "description", "dataType", "scale", "expression"], &[]);
            let text = at.required(child, "expression");
            Some(Resource::Formula(scalar_kind(at, child)?, text))
        }
        "textTemplates" => {
            only(at, child, &["name", "description", "isViewedAsPlainText", "text"], &[]);
            at.flag(child, "isViewedAsPlainText");
            Some(Resource::Template(Template::parse(&at.required(child, "text"))))
        }
        "choices" => {
            only(at, child, &["name", "description", "choiceText", "dataType", "value"], &[]);
            let label = Template::parse(&at.required(child, "choiceText"));
            Some(Resource::Choice(scalar_kind(at, child)?, label, operand(at, child, "value")))
        }
        "dynamicChoiceSets" => picklist_choices(at, child),
        _ => None,
    }
}

fn picklist_choices(at: &mut Draft, child: &Element) -> Option<Resource> {
    let known =
        ["name", "description", "dataType", "displayField", "object", "picklistField", "picklistObject"];
    only(at, child, &known, &[]);
    let filled = |name: &str| child.text(name).is_some_and(|text| !text.trim().is_empty());
    if filled("object") || filled("displayField") || child.text("dataType") != Some("Picklist") {
        at.wrong("The simulated org supports choice sets of picklists only");
        return None;
    }
    Some(Resource::Picklist(at.required(child, "picklistObject"), at.required(child, "picklistField")))
}

fn variable(at: &mut Draft, child: &Element) -> Option<Variable> {
    let known = [
        "name",
        "description",
        "dataType",
        "isCollection",
        "isInput",
        "isOutput",
        "objectType",
        "scale",
        "value",
    ];
    only(at, child, &known, &[]);
    let kind = values::variable_kind(at, child)?;
    let default = if child.first("value").is_some() { operand(at, child, "value") } else { Operand::NONE };
    Some(Variable { kind, input: at.flag(child, "isInput"), output: at.flag(child, "isOutput"), default })
}

/// A node without a fault path and with one way out.
fn plain(child: &Element, next: Option<String>, kind: super::def::NodeKind) -> Node {
    Node { label: child.text("label").unwrap_or_default().to_owned(), next, fault: None, kind }
}
