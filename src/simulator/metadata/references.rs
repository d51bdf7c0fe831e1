//! Kinds without behaviour of their own: what they name must exist.

use super::{Component, Package, kinds, xml::Draft};

/// Fields that a compact layout may have.
const COMPACT: usize = 10;

/// Standard objects whose records a queue may own. Opportunity is not one of them.
const QUEUED: &[&str] = &["Lead", "Case", "Task"];

/// Checks a component against the package so far.
pub(super) fn check(at: &mut Draft, component: &Component, package: &Package) {
    let refer = Refer { component, package };
    if kinds::is_child(component.kind) {
        refer.object(at, refer.parent());
    }
    match component.kind {
        "FieldSet" => refer.fields(at, &["displayedFields", "availableFields"], false),
        "CompactLayout" => {
            refer.fields(at, &["fields"], false);
            if component.root.all("fields").count() > COMPACT {
                at.wrong(format!("A compact layout has at most {COMPACT} fields"));
            }
        }
        // Columns of standard fields have names of their own, such as CORE.USERS.ALIAS.
        "ListView" => {
            refer.fields(at, &["columns", "filters"], true);
            refer.named(at, "queue", "Queue");
        }
        "Queue" => refer.queue(at),
        "QuickAction" => refer.quick_action(at),
        "GenAiFunction" => refer.agent_action(at),
        "ApexClass" if component.bodies.is_empty() => {
            at.wrong("The content file of this component is missing");
        }
        "FlexiPage" => refer.object_in(at, "sobjectType"),
        "ReportType" => refer.object_in(at, "baseObject"),
        "Report" => refer.folder(at, "ReportFolder"),
        "Dashboard" => refer.folder(at, "DashboardFolder"),
        kind if kind.starts_with("ExtlClntApp") => {
            refer.named(at, "externalClientApplication", "ExternalClientApplication");
        }
        _ => {}
    }
}

struct Refer<'a> {
    component: &'a Component,
    package: &'a Package,
}

impl Refer<'_> {
    fn parent(&self) -> &str {
        self.component.full_name.split_once('.').map_or("", |(object, _)| object)
    }

    fn object(&self, at: &mut Draft, object: &str) {
        if !self.package.has_object(object) {
            at.wrong(format!("Entity of type 'CustomObject' named '{object}' cannot be found"));
        }
    }

    fn object_in(&self, at: &mut Draft, element: &str) {
        if let Some(object) = self.component.root.text(element)
            && !self.package.has_object(object)
        {
            at.wrong(format!("In field: {element} - no CustomObject named {object} found"));
        }
    }

    /// The names in these elements are fields of the object.
    fn fields(&self, at: &mut Draft, elements: &[&str], custom_only: bool) {
        let object = self.parent();
        for element in elements {
            for entry in self.component.root.all(element) {
                let name = entry.text("field").unwrap_or(&entry.text).trim();
                if custom_only && !name.ends_with("__c") {
                    continue;
                }
                if self.package.find_field(object, name).is_none() {
                    let message = format!("In field: {element} - no CustomField named {object}.{name} found");
                    at.wrong_at(entry.place, message);
                }
            }
        }
    }

    /// The element, where it stands, names a component of this kind.
    fn named(&self, at: &mut Draft, element: &str, kind: &str) {
        for entry in self.component.root.all(element) {
            if !self.package.components(kind).any(|known| known.full_name == entry.text.trim()) {
                let name = entry.text.trim();
                at.wrong_at(entry.place, format!("In field: {element} - no {kind} named {name} found"));
            }
        }
    }

    fn queue(&self, at: &mut Draft) {
        for entry in self.component.root.all("queueSobject") {
            let Some(object) = entry.text("sobjectType") else { continue };
            if !QUEUED.contains(&object) {
                at.wrong_at(entry.place, format!("Records of {object} cannot be owned by a queue"));
            }
        }
        let groups =
            self.component.root.first("queueMembers").and_then(|members| members.first("publicGroups"));
        for entry in groups.into_iter().flat_map(|groups| groups.all("publicGroup")) {
            let name = entry.text.trim();
            if !self.package.components("Group").any(|known| known.full_name == name) {
                at.wrong_at(entry.place, format!("In field: publicGroup - no Group named {name} found"));
            }
        }
    }

    fn quick_action(&self, at: &mut Draft) {
        if let Some((object, _)) = self.component.full_name.split_once('.') {
            self.object(at, object);
        }
        if self.component.root.text("type") == Some("Flow") {
            at.required(&self.component.root, "flowDefinition");
        }
        self.named(at, "flowDefinition", "Flow");
    }

    fn agent_action(&self, at: &mut Draft) {
        if self.component.root.text("invocationTargetType") == Some("flow") {
            self.named(at, "invocationTarget", "Flow");
        }
        for (path, body) in &self.component.bodies {
            if path.ends_with(".json")
                && let Err(error) = serde_json::from_str::<serde_json::Value>(body)
            {
                at.wrong(format!("{path}: {error}"));
            }
        }
    }

    fn folder(&self, at: &mut Draft, kind: &str) {
        let Some((folder, _)) = self.component.full_name.rsplit_once('/') else {
            at.wrong("The file stands in the folder that it belongs to");
            return;
        };
        if !folder.starts_with("unfiled$")
            && !self.package.components(kind).any(|known| known.full_name == folder)
        {
            at.wrong(format!("no {kind} named {folder} found"));
        }
    }
}
