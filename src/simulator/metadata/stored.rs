//! Components as the org's state file keeps them, and a package with some of them changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{Component, Element, Package, Problem, deploy, kinds};

/// One component in a state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::simulator) struct Stored {
    kind: String,
    full_name: String,
    file: String,
    root: Element,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    bodies: BTreeMap<String, String>,
}

/// Kind and full name.
pub(in crate::simulator) type Named = (String, String);

impl Component {
    /// Kind and full name.
    pub(in crate::simulator) fn named(&self) -> Named {
        (self.kind.to_owned(), self.full_name.clone())
    }
}

impl Package {
    /// What a state file keeps of the package.
    pub(in crate::simulator) fn to_stored(&self) -> Vec<Stored> {
        let stored = |component: &Component| Stored {
            kind: component.kind.to_owned(),
            full_name: component.full_name.clone(),
            file: component.file.clone(),
            root: (*component.root).clone(),
            bodies: component.bodies.clone(),
        };
        self.components.iter().map(stored).collect()
    }

    /// The package of a state file.
    pub(in crate::simulator) fn from_stored(stored: &[Stored]) -> Result<Self, Vec<Problem>> {
        let component = |stored: &Stored| {
            Some(Component {
                kind: kinds::KINDS.iter().find(|kind| kind.name == stored.kind)?.name,
                full_name: stored.full_name.clone(),
                file: stored.file.clone(),
                root: Arc::new(stored.root.clone()),
                bodies: stored.bodies.clone(),
            })
        };
        let (package, problems) = deploy::compile(stored.iter().filter_map(component).collect());
        if problems.is_empty() { Ok(package) } else { Err(problems) }
    }

    /// The package with components added or replaced, and others removed; and what is
    /// wrong with it.
    pub(in crate::simulator) fn changed(
        &self,
        added: &[Component],
        removed: &BTreeSet<Named>,
    ) -> (Self, Vec<Problem>) {
        let mut all: BTreeMap<(usize, String), Component> = BTreeMap::new();
        let kept = self.components.iter().filter(|component| !removed.contains(&component.named()));
        for component in kept.chain(added) {
            all.insert((kinds::order(component.kind), component.full_name.clone()), component.clone());
        }
        deploy::compile(all.into_values().collect())
    }
}
