//! The elements of a flow: what each may hold, and where it leads.

use super::{
    super::{
        super::metadata::{Draft, Element},
        def::{
            AssignItem, Assigning, Entry, Lookup, Node, NodeKind, Operand, Outcome, Rows, SchedulePath,
            Start, Template, Trigger,
        },
    },
    logic, plain, screens,
    values::{connector, only, operand},
};

/// What every element may hold.
const COMMON: &[&str] = &["name", "label", "description", "locationX", "locationY", "connector"];
/// Lists that every element may hold.
const LISTS: &[&str] = &["processMetadataValues"];

/// Checks the children of an element: those that every element has, and its own.
fn shape(at: &mut Draft, child: &Element, single: &[&str], repeated: &[&str]) {
    let single: Vec<&str> = COMMON.iter().chain(single).copied().collect();
    let repeated: Vec<&str> = LISTS.iter().chain(repeated).copied().collect();
    only(at, child, &single, &repeated);
    at.required(child, "label");
    for coordinate in ["locationX", "locationY"] {
        if child.text(coordinate).is_some_and(|text| text.parse::<i64>().is_err()) {
            at.wrong(format!("{coordinate} is not a whole number"));
        }
    }
}

/// The element, or `None` when the child is a resource.
pub(super) fn node(at: &mut Draft, child: &Element) -> Option<Node> {
    let kind = match child.name.as_str() {
        "assignments" => assignment(at, child),
        "decisions" => return Some(decision(at, child)),
        "recordLookups" => lookup(at, child),
        "recordCreates" => create(at, child),
        "recordUpdates" => update(at, child),
        "recordDeletes" => {
            shape(at, child, &["faultConnector", "filterLogic", "inputReference", "object"], &["filters"]);
            NodeKind::Delete(rows(at, child))
        }
        "loops" => return Some(cycle(at, child)),
        "subflows" => subflow(at, child),
        "actionCalls" => action(at, child),
        "customErrors" => custom_error(at, child),
        "screens" => NodeKind::Screen(screens::screen(at, child, shape)),
        _ => return None,
    };
    let next = connector(at, child, "connector");
    let fault = connector(at, child, "faultConnector");
    Some(Node { fault, ..plain(child, next, kind) })
}

/// How the flow starts.
pub(super) fn start(at: &mut Draft, root: &Element) -> Start {
    let Some(start) = root.first("start") else {
        at.wrong("Required field is missing: start");
        return Start::default();
    };
    let single = [
        "locationX",
        "locationY",
        "connector",
        "doesRequireRecordChangedToMeetCriteria",
        "filterFormula",
        "filterLogic",
        "object",
        "recordTriggerType",
        "triggerType",
    ];
    only(at, start, &single, &["filters", "scheduledPaths"]);
    let first = connector(at, start, "connector");
    at.word(start, "triggerType", &["RecordBeforeSave", "RecordAfterSave"]);
    at.word(start, "recordTriggerType", &["Create", "Update", "CreateAndUpdate"]);
    let Some(kind) = start.text("triggerType") else { return Start { first, trigger: None } };
    let on = at.required(start, "recordTriggerType");
    let entry = match (start.text("filterFormula"), start.first("filters")) {
        (Some(formula), None) => Entry::Formula(formula.to_owned()),
        (None, Some(_)) => Entry::Filter(logic::filters(at, start)),
        (None, None) => Entry::Always,
        (Some(_), Some(_)) => {
            at.wrong("filterFormula and filters exclude each other");
            Entry::Always
        }
    };
    let paths = start.all("scheduledPaths").filter_map(|entry| path(at, entry)).collect::<Vec<_>>();
    let before = kind == "RecordBeforeSave";
    if before && !paths.is_empty() {
        at.wrong("A before-save flow has no scheduled paths");
    }
    let trigger = Trigger {
        object: at.required(start, "object"),
        before,
        on_create: on != "Update",
        on_update: on != "Create",
        entry,
        newly: at.flag(start, "doesRequireRecordChangedToMeetCriteria"),
        paths,
    };
    Start { first, trigger: Some(trigger) }
}

fn path(at: &mut Draft, entry: &Element) -> Option<SchedulePath> {
    let single = ["name", "label", "connector", "offsetNumber", "offsetUnit", "pathType", "timeSource"];
    only(at, entry, &single, &[]);
    at.word(entry, "pathType", &["AsyncAfterCommit"]);
    let first = connector(at, entry, "connector");
    if entry.text("pathType").is_some() {
        return Some(SchedulePath { name: "AsyncAfterCommit".to_owned(), first, offset: None });
    }
    if entry.text("timeSource") != Some("RecordTriggerEvent") {
        at.wrong("The simulated org supports scheduled paths with timeSource RecordTriggerEvent only");
        return None;
    }
    let unit = match entry.text("offsetUnit") {
        Some("Minutes") => 60,
        Some("Hours") => 3_600,
        Some("Days") => 86_400,
        other => {
            at.wrong(format!("'{}' is not a valid value for the enum of offsetUnit", other.unwrap_or("")));
            return None;
        }
    };
    let number = i64::from(at.number(entry, "offsetNumber", 0..=10_000));
    Some(SchedulePath { name: at.required(entry, "name"), first, offset: Some(number * unit) })
}

fn assignment(at: &mut Draft, child: &Element) -> NodeKind {
    shape(at, child, &[], &["assignmentItems"]);
    let items = child.all("assignmentItems").map(|item| {
        only(at, item, &["assignToReference", "operator", "value"], &["processMetadataValues"]);
        let name = at.required(item, "operator");
        let how = match name.as_str() {
            "Assign" => Assigning::Assign,
            "Add" => Assigning::Add,
            "Subtract" => Assigning::Subtract,
            "AddAtStart" => Assigning::AddAtStart,
            "AssignCount" => Assigning::AssignCount,
            "RemoveAll" => Assigning::RemoveAll,
            _ => {
                at.wrong(format!("The simulated org does not support the assignment operator '{name}'"));
                Assigning::Assign
            }
        };
        let value = if item.first("value").is_some() { operand(at, item, "value") } else { Operand::NONE };
        AssignItem { target: at.required(item, "assignToReference"), how, value }
    });
    NodeKind::Assignment(items.collect())
}

fn decision(at: &mut Draft, child: &Element) -> Node {
    shape(at, child, &["defaultConnector", "defaultConnectorLabel"], &["rules"]);
    let mut outcomes = Vec::new();
    for rule in child.all("rules") {
        only(
            at,
            rule,
            &[
                "name",
                "conditionLogic",
                "connector",
                "label",
                "description",
                "doesRequireRecordChangedToMeetCriteria",
            ],
            &["conditions"],
        );
        if at.flag(rule, "doesRequireRecordChangedToMeetCriteria") {
            at.wrong(
                "The simulated org does not support outcomes that require a change to meet the conditions",
            );
        }
        at.required(rule, "label");
        let filter = logic::conditions(at, rule);
        if filter.conditions.is_empty() {
            at.wrong("An outcome needs a condition");
        }
        outcomes.push(Outcome {
            name: at.required(rule, "name"),
            filter,
            next: connector(at, rule, "connector"),
        });
    }
    if outcomes.is_empty() {
        at.wrong("A decision needs an outcome");
    }
    plain(child, connector(at, child, "defaultConnector"), NodeKind::Decision(outcomes))
}

fn lookup(at: &mut Draft, child: &Element) -> NodeKind {
    shape(
        at,
        child,
        &[
            "assignNullValuesIfNoRecordsFound",
            "faultConnector",
            "filterLogic",
            "getFirstRecordOnly",
            "object",
            "sortField",
            "sortOrder",
            "storeOutputAutomatically",
        ],
        &["filters", "queriedFields"],
    );
    if !at.flag(child, "storeOutputAutomatically") {
        at.wrong("The simulated org supports lookups that store their output automatically only");
    }
    at.word(child, "sortOrder", &["Asc", "Desc"]);
    at.flag(child, "assignNullValuesIfNoRecordsFound");
    let sort =
        child.text("sortField").map(|field| (field.to_owned(), child.text("sortOrder") == Some("Desc")));
    NodeKind::Lookup(Lookup {
        object: at.required(child, "object"),
        filter: logic::filters(at, child),
        first_only: at.flag(child, "getFirstRecordOnly"),
        fields: child.all("queriedFields").map(|field| field.text.clone()).collect(),
        sort,
    })
}

fn create(at: &mut Draft, child: &Element) -> NodeKind {
    let single = ["faultConnector", "inputReference", "object", "storeOutputAutomatically"];
    shape(at, child, &single, &["inputAssignments"]);
    at.flag(child, "storeOutputAutomatically");
    let held = child.text("inputReference").map(str::to_owned);
    if held.is_some() == child.first("object").is_some() {
        at.wrong("Exactly one of inputReference and object must be given");
    }
    let object = child.text("object").unwrap_or_default().to_owned();
    NodeKind::Create { object, values: values(at, child, "field"), held }
}

fn update(at: &mut Draft, child: &Element) -> NodeKind {
    let single = ["faultConnector", "filterLogic", "inputReference", "object"];
    shape(at, child, &single, &["filters", "inputAssignments"]);
    NodeKind::Update { rows: rows(at, child), values: values(at, child, "field") }
}

fn rows(at: &mut Draft, child: &Element) -> Rows {
    match (child.text("inputReference"), child.text("object")) {
        (Some(reference), None) => Rows::Held(reference.to_owned()),
        (None, Some(object)) => Rows::Where(object.to_owned(), logic::filters(at, child)),
        _ => {
            at.wrong("Exactly one of inputReference and object must be given");
            Rows::Held(String::new())
        }
    }
}

/// `inputAssignments` with the target in the child `target`.
fn values(at: &mut Draft, child: &Element, target: &str) -> Vec<(String, Operand)> {
    let mut values = Vec::new();
    for entry in child.all("inputAssignments") {
        only(at, entry, &[target, "value"], &["processMetadataValues"]);
        let value = if entry.first("value").is_some() { operand(at, entry, "value") } else { Operand::NONE };
        values.push((at.required(entry, target), value));
    }
    values
}

fn cycle(at: &mut Draft, child: &Element) -> Node {
    let single = ["collectionReference", "iterationOrder", "nextValueConnector", "noMoreValuesConnector"];
    shape(at, child, &single, &[]);
    at.word(child, "iterationOrder", &["Asc", "Desc"]);
    let body = connector(at, child, "nextValueConnector");
    let backwards = child.text("iterationOrder") == Some("Desc");
    let kind = NodeKind::Loop(at.required(child, "collectionReference"), backwards, body);
    plain(child, connector(at, child, "noMoreValuesConnector"), kind)
}

fn subflow(at: &mut Draft, child: &Element) -> NodeKind {
    shape(at, child, &["flowName", "storeOutputAutomatically"], &["inputAssignments"]);
    if !at.flag(child, "storeOutputAutomatically") {
        at.wrong("The simulated org supports subflows that store their output automatically only");
    }
    NodeKind::Subflow(at.required(child, "flowName"), values(at, child, "name"))
}

fn action(at: &mut Draft, child: &Element) -> NodeKind {
    let single = [
        "actionName",
        "actionType",
        "faultConnector",
        "flowTransactionModel",
        "nameSegment",
        "offset",
        "storeOutputAutomatically",
        "versionString",
    ];
    shape(at, child, &single, &["inputParameters"]);
    at.word(child, "flowTransactionModel", &["Automatic", "CurrentTransaction", "NewTransaction"]);
    let (name, kind) = (at.required(child, "actionName"), at.required(child, "actionType"));
    if (name.as_str(), kind.as_str()) != ("customNotificationAction", "customNotificationAction") {
        at.wrong(format!("The simulated org does not support the action {name} of type {kind}"));
    }
    let mut inputs = Vec::new();
    for entry in child.all("inputParameters") {
        only(at, entry, &["name", "value"], &["processMetadataValues"]);
        inputs.push((at.required(entry, "name"), operand(at, entry, "value")));
    }
    NodeKind::Action(name, inputs)
}

fn custom_error(at: &mut Draft, child: &Element) -> NodeKind {
    shape(at, child, &[], &["customErrorMessages"]);
    let mut messages = Vec::new();
    for entry in child.all("customErrorMessages") {
        only(at, entry, &["errorMessage", "fieldSelection", "isFieldError"], &[]);
        let text = Template::parse(&at.required(entry, "errorMessage"));
        let field = at.flag(entry, "isFieldError").then(|| at.required(entry, "fieldSelection"));
        messages.push((text, field));
    }
    if messages.is_empty() {
        at.wrong("A custom error needs a message");
    }
    NodeKind::CustomError(messages)
}
