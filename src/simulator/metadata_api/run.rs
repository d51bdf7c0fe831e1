//! What a deploy does: it picks the components that the manifest lists, brings them into
//! the org or only checks them, and says of each how it went.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        metadata::{
            Component, Named, Package, Problem,
            mdapi::{self, Parcel},
        },
        org::Org,
        redeploy::Change,
    },
    archive::Archive,
    catalog,
    options::Options,
    report::{Message, Remark, Status},
};

/// A deploy that is ready to run. A quick deploy runs the one of its validation again.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    change: Change,
    /// File of each removal.
    removals: BTreeMap<Named, String>,
    /// What is known before it runs: broken files, missing members, the manifest itself.
    known: Vec<Message>,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) status: Status,
    pub(super) messages: Vec<Message>,
}

impl Plan {
    /// Reads the archive against what is deployed.
    pub(super) fn new(archive: &Archive, options: &Options, before: &Package) -> Self {
        let Parcel { components, broken } = mdapi::parcel(&archive.files);
        let mut plan = Self::default();
        let listed = |kind: &str, name: &str| {
            archive.members.iter().any(|(member, which)| member == kind && (which == name || which == "*"))
        };
        let mut found: BTreeSet<Named> = BTreeSet::new();
        for component in components {
            let parent = component.full_name.split('.').next().unwrap_or_default();
            found.insert(component.named());
            let of_object = component.file.starts_with("objects/");
            if of_object {
                found.insert(("CustomObject".to_owned(), parent.to_owned()));
            }
            // Folders are listed among their contents.
            let kind = component.kind.trim_end_matches("Folder");
            if listed(component.kind, &component.full_name)
                || listed(kind, &component.full_name)
                || of_object && listed("CustomObject", parent)
            {
                plan.change.added.push(component);
            } else {
                plan.known.push(remark(&component, true, "Not in package.xml", None));
            }
        }
        plan.add_broken(&broken, &mut found);
        if !options.allow_missing_files {
            plan.add_missing(archive, &found);
        }
        plan.add_removals(archive, before);
        plan.known.push(Message {
            full_name: "package.xml".to_owned(),
            file: "package.xml".to_owned(),
            changed: true,
            ..Message::default()
        });
        plan
    }

    /// Components that the deploy is about.
    pub(super) fn len(&self) -> usize {
        let failed = self.known.iter().filter(|message| message.failed()).count();
        self.change.added.len() + self.change.removed.len() + failed
    }

    fn add_broken(&mut self, broken: &[Problem], found: &mut BTreeSet<Named>) {
        for problem in broken {
            let (kind, name) = problem.component.split_once(' ').unwrap_or_default();
            found.insert((kind.to_owned(), name.to_owned()));
            self.known.push(failure(problem));
        }
    }

    fn add_missing(&mut self, archive: &Archive, found: &BTreeSet<Named>) {
        for (kind, name) in &archive.members {
            let folder = (format!("{kind}Folder"), name.clone());
            let broken_object = (kind != "CustomObject" && name.contains('.')).then(|| {
                let object = name.split('.').next().unwrap_or_default();
                self.known.iter().any(|known| known.kind == "CustomObject" && known.full_name == object)
            });
            if name == "*"
                || found.contains(&(kind.clone(), name.clone()))
                || found.contains(&folder)
                || broken_object == Some(true)
            {
                continue;
            }
            let text = format!(
                "An object '{name}' of type {kind} was named in package.xml, but was not found in zipped \
                 directory"
            );
            self.known.push(Message {
                kind: kind.clone(),
                full_name: name.clone(),
                file: "package.xml".to_owned(),
                remark: Some(Remark { warning: false, text, place: None }),
                ..Message::default()
            });
        }
    }

    fn add_removals(&mut self, archive: &Archive, before: &Package) {
        for (named, file) in &archive.removed {
            let (kind, name) = named;
            if before.components.iter().any(|known| known.kind == kind && known.full_name == *name) {
                self.removals.insert(named.clone(), file.clone());
                self.change.removed.insert(named.clone());
                continue;
            }
            self.known.push(Message {
                kind: kind.clone(),
                full_name: name.clone(),
                file: file.clone(),
                remark: Some(Remark {
                    warning: true,
                    text: format!("No {kind} named: {name} found"),
                    place: None,
                }),
                ..Message::default()
            });
        }
    }

    /// Runs the deploy. With `rollbackOnError` one failure stops all of it; without, what
    /// can be deployed is.
    pub(super) fn run(&self, org: &Org, options: &Options) -> Ended {
        let before = org.package();
        let mut change = self.change.clone();
        let mut failures: Vec<Message> = Vec::new();
        let mut failed = self.known.iter().any(Message::failed);
        loop {
            let check_only = options.check_only || failed && options.rollback_on_error;
            let Err(problems) = org.deploy(&change, check_only) else { break };
            failed = true;
            let refused: BTreeSet<Named> = problems.iter().map(|problem| self.blame(problem)).collect();
            failures.extend(problems.iter().map(|problem| self.failure(problem)));
            change.added.retain(|component| !refused.contains(&component.named()));
            change.removed.retain(|named| !refused.contains(named));
            if options.rollback_on_error {
                break;
            }
        }
        let mut messages = failures;
        messages.extend(self.known.iter().filter(|message| message.failed()).cloned());
        messages.extend(change.added.iter().map(|component| success(org, &before, component)));
        messages.extend(change.removed.iter().map(|named| self.removed(org, named)));
        messages.extend(self.known.iter().filter(|message| !message.failed()).cloned());
        let status = match (failed, options.rollback_on_error) {
            (false, _) => Status::Succeeded,
            (true, false) if !(change.added.is_empty() && change.removed.is_empty()) => {
                Status::SucceededPartial
            }
            (true, _) => Status::Failed,
        };
        Ended { status, messages }
    }

    /// The component of the deploy that a problem refuses. A component that stays in the
    /// org and no longer compiles is the fault of what is removed or replaced.
    fn blame(&self, problem: &Problem) -> Named {
        let (kind, name) = problem.component.split_once(' ').unwrap_or_default();
        let own = (kind.to_owned(), name.to_owned());
        let known = self.change.added.iter().any(|component| component.named() == own);
        if known || self.change.removed.contains(&own) {
            return own;
        }
        let named_in_it =
            |(_, name): &&Named| problem.message.contains(name.rsplit('.').next().unwrap_or(name));
        let removed = self.change.removed.iter().find(named_in_it).or_else(|| self.change.removed.first());
        let replaced = || self.change.added.first().map(Component::named);
        removed.cloned().or_else(replaced).unwrap_or(own)
    }

    fn failure(&self, problem: &Problem) -> Message {
        let (kind, full_name) = self.blame(problem);
        if problem.component == format!("{kind} {full_name}") {
            return failure(problem);
        }
        let file = self.removals.get(&(kind.clone(), full_name.clone())).cloned();
        let text = format!("{} depends on it: {}", problem.component, problem.message);
        Message {
            file: file.unwrap_or_default(),
            kind,
            full_name,
            remark: Some(Remark { warning: false, text, place: None }),
            ..Message::default()
        }
    }

    fn removed(&self, org: &Org, named: &Named) -> Message {
        let (kind, full_name) = named.clone();
        Message {
            id: Some(catalog::id(org, &kind, &full_name)),
            file: self.removals.get(named).cloned().unwrap_or_default(),
            kind,
            full_name,
            changed: true,
            deleted: true,
            ..Message::default()
        }
    }
}

fn failure(problem: &Problem) -> Message {
    let (kind, name) = problem.component.split_once(' ').unwrap_or_default();
    Message {
        kind: kind.to_owned(),
        full_name: name.to_owned(),
        file: problem.file.clone(),
        remark: Some(Remark { warning: false, text: problem.message.clone(), place: problem.place }),
        ..Message::default()
    }
}

fn remark(component: &Component, warning: bool, text: &str, place: Option<(u32, u32)>) -> Message {
    Message {
        kind: component.kind.to_owned(),
        full_name: component.full_name.clone(),
        file: component.file.clone(),
        remark: Some(Remark { warning, text: text.to_owned(), place }),
        ..Message::default()
    }
}

fn success(org: &Org, before: &Package, component: &Component) -> Message {
    let old = before
        .components
        .iter()
        .find(|known| known.kind == component.kind && known.full_name == component.full_name);
    let same = |old: &Component| {
        old.root.says_same(&component.root) && old.bodies.values().eq(component.bodies.values())
    };
    Message {
        kind: component.kind.to_owned(),
        full_name: component.full_name.clone(),
        file: component.file.clone(),
        id: Some(catalog::id(org, component.kind, &component.full_name)),
        created: old.is_none(),
        changed: !old.is_some_and(same),
        ..Message::default()
    }
}
