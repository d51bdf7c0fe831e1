//! `/actions`: flows that a call starts, and the one standard action that the flows use.
//!
//! The flow action answers in the documented shape. A screen flow is started on the same
//! path: that stands in for the Lightning runtime, since real REST knows autolaunched
//! flows only, and the setting `screen-flows-over-rest` turns it off. Its reply carries
//! `Flow__InterviewGuid` and `Flow__Screen`; the answer goes to the same path as
//! `{"interview": .., "navigation": "NEXT", "values": {..}}`.

use serde_json::{Map, Value, json};

use super::{
    call::{Call, Reply, not_allowed, not_found, parser_error},
    context::Context,
};
use crate::simulator::{
    Answer, LaunchError, Launched, Navigation,
    flow::{FlowDef, describe},
    metadata::Component,
};

/// Inputs of one call.
const MAX_INPUTS: usize = 200;
/// The standard action.
const NOTIFY: &str = "customNotificationAction";

/// Everything below `/actions`.
pub(super) fn handle(context: &Context, call: &Call, path: &[String]) -> Result<Reply, Reply> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let base = format!("{}/actions", call.base());
    match (parts.as_slice(), call.method.as_str()) {
        ([], "GET") => Ok(Reply::ok(json!({
            "custom": format!("{base}/custom"), "standard": format!("{base}/standard"),
        }))),
        (["custom"], "GET") => Ok(Reply::ok(json!({ "flow": format!("{base}/custom/flow") }))),
        (["custom", "flow"], "GET") => Ok(list(context, &base)),
        (["custom", "flow", name], "GET") => describe_flow(context, name),
        (["custom", "flow", name], "POST") => run(context, call, name),
        (["standard"], "GET") => {
            let action = json!({
                "label": "Send Custom Notification", "name": NOTIFY, "type": "CUSTOMNOTIFICATION",
                "url": format!("{base}/standard/{NOTIFY}"),
            });
            Ok(Reply::ok(json!({ "actions": [action] })))
        }
        (["standard", NOTIFY], "POST") => notify(context, call),
        ([] | ["custom"] | ["custom", "flow"] | ["standard"], method) => Err(not_allowed(method, "GET,HEAD")),
        (["custom", "flow", _], method) => Err(not_allowed(method, "GET,HEAD,POST")),
        (["standard", NOTIFY], method) => Err(not_allowed(method, "POST")),
        _ => Err(not_found()),
    }
}

fn list(context: &Context, base: &str) -> Reply {
    let flows = context.org.flows_for(&context.user);
    let actions = flows.iter().map(|flow| {
        json!({
            "label": flow.label, "name": flow.name, "type": "FLOW",
            "url": format!("{base}/custom/flow/{}", flow.name),
        })
    });
    Reply::ok(json!({ "actions": actions.collect::<Vec<_>>() }))
}

fn describe_flow(context: &Context, name: &str) -> Result<Reply, Reply> {
    let flows = context.org.flows_for(&context.user);
    let flow = flows.iter().find(|flow| flow.name == name).ok_or_else(not_found)?;
    Ok(Reply::ok(description(flow)))
}

fn description(flow: &FlowDef) -> Value {
    let parameter = |name: &str, kind: &str, many: bool| {
        json!({
            "byteLength": 0, "description": null, "label": name, "maxOccurs": if many { 2_000 } else { 1 },
            "name": name, "picklistValues": null, "required": false, "type": kind,
        })
    };
    let of = |chosen: fn(&crate::simulator::flow::Variable) -> bool| {
        let variables = flow.variables.iter().filter(move |(_, variable)| chosen(variable));
        variables.map(|(name, variable)| {
            let (kind, many) = describe::kind(&variable.kind);
            parameter(name, kind, many)
        })
    };
    let status = parameter("Flow__InterviewStatus", "PICKLIST", false);
    let outputs: Vec<Value> = of(|it| it.output).chain([status]).collect();
    json!({
        "category": null, "description": flow.description, "label": flow.label, "name": flow.name,
        "inputs": of(|it| it.input).collect::<Vec<_>>(), "outputs": outputs, "standard": false,
        "targetEntityName": null, "type": "FLOW",
    })
}

fn run(context: &Context, call: &Call, name: &str) -> Result<Reply, Reply> {
    if context.transaction.is_some() {
        let message = "the simulated org runs no actions inside a composite call with allOrNone";
        return Err(Reply::error(400, "INVALID_INPUT", message));
    }
    let options = context.write_options(call, false)?;
    let body = call.object_body()?;
    let results = if body.contains_key("interview") {
        let answer = answer(body)?;
        vec![context.org.continue_flow(&context.user, &options, &answer)]
    } else {
        let inputs = inputs(body)?;
        inputs.iter().map(|inputs| context.org.start_flow(&context.user, &options, name, inputs)).collect()
    };
    if results.contains(&Err(LaunchError::Unknown)) {
        return Err(not_found());
    }
    // What a real org answers when some of several interviews fail is not confirmed.
    let failed = results.iter().any(Result::is_err);
    let results: Vec<Value> = results.iter().map(|result| result_json(name, result)).collect();
    Ok(Reply::with(if failed { 400 } else { 200 }, Value::Array(results)))
}

fn inputs(body: &Map<String, Value>) -> Result<Vec<Map<String, Value>>, Reply> {
    let list = body.get("inputs").and_then(Value::as_array);
    let list = list.ok_or_else(|| parser_error("`inputs` must be a list with one object per interview"))?;
    if list.is_empty() || list.len() > MAX_INPUTS {
        return Err(parser_error(format!("`inputs` must hold 1 to {MAX_INPUTS} objects")));
    }
    let objects = list.iter().map(|input| input.as_object().cloned());
    objects.collect::<Option<_>>().ok_or_else(|| parser_error("every input must be an object"))
}

fn answer(body: &Map<String, Value>) -> Result<Answer, Reply> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let interview = text("interview").ok_or_else(|| parser_error("`interview` must be a text"))?;
    let navigation = match text("navigation") {
        Some("NEXT" | "FINISH") => Navigation::Next,
        Some("BACK") => Navigation::Back,
        _ => return Err(parser_error("`navigation` must be NEXT, FINISH or BACK")),
    };
    let values = match body.get("values") {
        None => Map::new(),
        Some(Value::Object(values)) => values.clone(),
        Some(_) => return Err(parser_error("`values` must be an object")),
    };
    Ok(Answer { interview: interview.to_owned(), navigation, values })
}

fn result_json(name: &str, result: &Result<Launched, LaunchError>) -> Value {
    let (errors, outputs) = match result {
        Ok(launched) => {
            let mut outputs = launched.outputs.clone();
            let status = if launched.screen.is_some() { "Waiting" } else { "Finished" };
            outputs.insert("Flow__InterviewStatus".to_owned(), json!(status));
            outputs.insert("Flow__InterviewGuid".to_owned(), json!(launched.interview));
            if let Some(screen) = &launched.screen {
                outputs.insert("Flow__Screen".to_owned(), screen.clone());
            }
            (Value::Null, Value::Object(outputs))
        }
        Err(error) => {
            (json!([{ "statusCode": error.code(), "message": error.to_string(), "fields": [] }]), Value::Null)
        }
    };
    json!({
        "actionName": name, "errors": errors, "isSuccess": result.is_ok(), "outputValues": outputs,
        "version": 1,
    })
}

/// Sends custom notifications, one per input.
fn notify(context: &Context, call: &Call) -> Result<Reply, Reply> {
    let inputs = inputs(call.object_body()?)?;
    let sent: Vec<Result<(), String>> =
        inputs.iter().map(|input| context.org.send_notification(&context.user, input)).collect();
    let failed = sent.iter().any(Result::is_err);
    let results = sent.into_iter().map(|sent| {
        let errors = match &sent {
            Ok(()) => Value::Null,
            Err(why) => json!([{ "statusCode": "INVALID_INPUT", "message": why, "fields": [] }]),
        };
        json!({ "actionName": NOTIFY, "errors": errors, "isSuccess": sent.is_ok(), "outputValues": {} })
    });
    Ok(Reply::with(if failed { 400 } else { 200 }, results.collect()))
}

/// The quick actions of an object.
pub(super) fn quick_actions(context: &Context, call: &Call, object: &str) -> Result<Reply, Reply> {
    let object = context.object(object)?;
    let package = context.org.package();
    let actions = package
        .components("QuickAction")
        .filter(|action| action.full_name.split_once('.').is_some_and(|(owner, _)| owner == object.name));
    Ok(Reply::ok(actions.map(|action| quick_action_json(call, action)).collect()))
}

/// One quick action by its name without the object.
pub(super) fn quick_action(context: &Context, call: &Call, object: &str, name: &str) -> Result<Reply, Reply> {
    let object = context.object(object)?;
    let full_name = format!("{}.{name}", object.name);
    let package = context.org.package();
    let action = package.components("QuickAction").find(|action| action.full_name == full_name);
    action.map(|action| Reply::ok(quick_action_json(call, action))).ok_or_else(not_found)
}

fn quick_action_json(call: &Call, action: &Component) -> Value {
    let (object, name) = action.full_name.split_once('.').unwrap_or_default();
    let text = |element: &str| action.root.text(element);
    json!({
        "label": text("label"), "name": action.full_name, "type": text("type"), "targetSobjectType": object,
        "flowDevName": text("flowDefinition"),
        "urls": { "quickAction": format!("{}/sobjects/{object}/quickActions/{name}", call.base()) },
    })
}
