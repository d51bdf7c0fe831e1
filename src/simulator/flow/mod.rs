//! Flows: read from the package, checked as at activation, and run as Salesforce runs them.
//!
//! `read` turns a file into a [`FlowDef`] and refuses every element that it does not know.
//! `check` refuses dead connectors, unknown names and types that do not fit. `trigger` runs
//! flows inside a save, `later` their paths after the commit and at their time, `launch`
//! flows that somebody starts. A screen stops the run until somebody answers it (`screen`).
//! What nobody could confirm without an org is listed in `deploy/unconfirmed.md`.

mod check;
mod compare;
mod def;
pub(super) mod describe;
mod interview;
mod later;
mod launch;
mod notify;
mod read;
mod records;
mod run;
mod screen;
#[cfg(test)]
mod tests;
mod trigger;
mod view;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    metadata::{Component, Draft, Package, Problem},
    org::Org,
};

pub use def::{FlowDef, Variable};
pub use launch::{Answer, LaunchError, Launched};
pub use notify::Notification;
pub use screen::Navigation;

pub(super) use later::Later;
pub(super) use launch::Interviews;
pub(super) use trigger::{Change, after, before};

/// Reads and checks the flows of a package. What is wrong with them is returned.
pub(super) fn compile(package: &mut Package) -> Vec<Problem> {
    let components: Vec<Component> = package.components("Flow").cloned().collect();
    let mut drafts = BTreeMap::new();
    let mut flows = BTreeMap::new();
    for component in components {
        let mut at = Draft {
            kind: "Flow",
            name: component.full_name.clone(),
            file: component.file.clone(),
            problems: Vec::new(),
        };
        flows.insert(component.full_name.clone(), read::flow(&mut at, &component.root));
        drafts.insert(component.full_name, at);
    }
    let mut problems = Vec::new();
    for (name, mut at) in drafts {
        let Some(flow) = flows.get(&name) else { continue };
        let formulas = check::flow(&mut at, package, &flows, flow);
        package.flows.insert(name, Arc::new(FlowDef { formulas, ..flow.clone() }));
        problems.append(&mut at.problems);
    }
    problems
}

impl Org {
    /// Whether a flow runs: it is active, and the org has not left autolaunched flows
    /// inactive at deploy (the setting `flows-active`).
    pub(super) fn flow_runs(&self, flow: &FlowDef) -> bool {
        flow.active && (flow.screen || self.settings().flows_active)
    }
}
