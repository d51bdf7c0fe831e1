//! Flows: read from the package, checked as at activation, and run as Salesforce runs them.
//!
//! [`read`] turns a file into a [`FlowDef`] and refuses every element that it does not know.
//! [`check`] refuses dead connectors, unknown names and types that do not fit.

mod check;
mod def;
mod read;

use std::{collections::BTreeMap, sync::Arc};

use super::metadata::{Component, Draft, Package, Problem};

pub use def::{FlowDef, Kind, Variable};

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

#[cfg(test)]
mod tests;
