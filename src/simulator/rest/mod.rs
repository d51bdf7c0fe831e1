//! The REST API of the simulated org, versions 50 to 68.
//!
//! [`http`] speaks the wire: token, daily limit, armed faults, headers. Behind it a call is
//! a plain value ([`call::Call`]) that [`dispatch`] answers, so that a composite
//! subrequest takes the same way as a call of its own. Shapes, codes and statuses follow
//! the public REST guide and recorded replies; whatever nobody could confirm is a setting
//! of the org, named at the place where it decides.

mod actions;
mod bulk;
mod call;
mod collections;
mod composite;
mod context;
mod dates;
mod describe;
mod describe_field;
pub(super) mod http;
mod query;
mod references;
mod render;
mod rows;
mod tooling;
mod ui_api;
mod versions;

use call::{Call, Reply, not_found};
use context::Context;

/// Answers one call.
fn dispatch(context: &Context, call: &Call) -> Reply {
    let Some((resource, rest)) = call.path.split_first() else {
        return versions::resources(context, call).unwrap_or_else(|error| error);
    };
    let answer = match resource.as_str() {
        "sobjects" => rows::handle(context, call, rest),
        "query" => query::handle(context, call, rest, false),
        "queryAll" => query::handle(context, call, rest, true),
        "tooling" => tooling::handle(context, call, rest),
        "actions" => actions::handle(context, call, rest),
        "ui-api" => ui_api::handle(context, call, rest),
        "jobs" => bulk::handle(context, call, rest),
        "limits" => versions::limits(context, call, rest),
        "composite" => match rest.split_first() {
            None => composite::handle(context, call),
            Some((name, rest)) if name == "sobjects" => collections::handle(context, call, rest),
            // Batch and graph are not built yet.
            Some(_) => Err(not_found()),
        },
        _ => Err(not_found()),
    };
    answer.unwrap_or_else(|error| error)
}
