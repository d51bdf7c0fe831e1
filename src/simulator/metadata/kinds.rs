//! The kinds of metadata that the simulated org accepts: where their files are and how a name is made.

/// How the file of a component is found and named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One file in the folder, named after the component.
    Single,
    /// A file below the folder of its object: `Object.Name`.
    Child,
    /// A file in a folder that is a component as well: `Folder/Name`.
    InFolder,
    /// A content file, and beside it this kind's file: `X.cls` and `X.cls-meta.xml`.
    Content,
    /// A folder of its own, with files of other formats beside this kind's file.
    Bundle,
}

/// One kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Name, which is the root element as well.
    pub(super) name: &'static str,
    /// Folder in a package.
    pub(super) folder: &'static str,
    /// File suffix; `-meta.xml` comes after it in source format.
    pub(super) suffix: &'static str,
    /// How files and names go together.
    pub(super) shape: Shape,
}

const fn kind(name: &'static str, folder: &'static str, suffix: &'static str, shape: Shape) -> Kind {
    Kind { name, folder, suffix, shape }
}

use Shape::{Bundle, Child, Content, InFolder, Single};

/// In the order of deployment: later kinds may name earlier ones.
pub(super) const KINDS: &[Kind] = &[
    kind("GlobalValueSet", "globalValueSets", "globalValueSet", Single),
    kind("StandardValueSet", "standardValueSets", "standardValueSet", Single),
    kind("CustomPermission", "customPermissions", "customPermission", Single),
    kind("CustomObject", "objects", "object", Single),
    kind("CustomField", "objects", "field", Child),
    kind("RecordType", "objects", "recordType", Child),
    kind("CustomMetadata", "customMetadata", "md", Single),
    kind("Group", "groups", "group", Single),
    kind("Queue", "queues", "queue", Single),
    kind("CustomNotificationType", "notificationtypes", "notiftype", Single),
    kind("ValidationRule", "objects", "validationRule", Child),
    kind("FieldSet", "objects", "fieldSet", Child),
    kind("CompactLayout", "objects", "compactLayout", Child),
    kind("ListView", "objects", "listView", Child),
    kind("ApexClass", "classes", "cls", Content),
    kind("Flow", "flows", "flow", Single),
    kind("GenAiFunction", "genAiFunctions", "genAiFunction", Bundle),
    kind("QuickAction", "quickActions", "quickAction", Single),
    kind("WebLink", "objects", "webLink", Child),
    kind("FlexiPage", "flexipages", "flexipage", Single),
    kind("ReportType", "reportTypes", "reportType", Single),
    kind("ReportFolder", "reports", "reportFolder", InFolder),
    kind("Report", "reports", "report", InFolder),
    kind("DashboardFolder", "dashboards", "dashboardFolder", InFolder),
    kind("Dashboard", "dashboards", "dashboard", InFolder),
    kind("PermissionSet", "permissionsets", "permissionset", Single),
    kind("ExternalClientApplication", "externalClientApps", "eca", Single),
    kind("ExtlClntAppGlobalOauthSettings", "extlClntAppGlobalOauthSets", "ecaGlblOauth", Single),
    kind("ExtlClntAppOauthSettings", "extlClntAppOauthSettings", "ecaOauth", Single),
    kind("ExtlClntAppOauthSecuritySettings", "extlClntAppOauthSecuritySettings", "ecaOauthSecurity", Single),
    kind("ExtlClntAppOauthConfigurablePolicies", "extlClntAppOauthPolicies", "ecaOauthPlcy", Single),
    kind("ExtlClntAppConfigurablePolicies", "extlClntAppPolicies", "ecaPlcy", Single),
    kind("PlatformEventChannel", "platformEventChannels", "platformEventChannel", Single),
    kind("PlatformEventChannelMember", "platformEventChannelMembers", "platformEventChannelMember", Single),
    kind("ManagedEventSubscription", "managedEventSubscriptions", "managedEventSubscription", Single),
];

/// A kind as `describeMetadata` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct KindFacts {
    pub(in crate::simulator) name: &'static str,
    pub(in crate::simulator) folder: &'static str,
    pub(in crate::simulator) suffix: &'static str,
    /// Belongs to an object.
    pub(in crate::simulator) child: bool,
    pub(in crate::simulator) in_folder: bool,
    /// Has a file beside its content.
    pub(in crate::simulator) meta_file: bool,
}

/// All kinds, in the order of deployment.
pub(in crate::simulator) fn kind_facts() -> Vec<KindFacts> {
    let facts = |kind: &Kind| KindFacts {
        name: kind.name,
        folder: kind.folder,
        suffix: kind.suffix,
        child: kind.shape == Shape::Child,
        in_folder: kind.shape == Shape::InFolder,
        meta_file: kind.shape == Shape::Content,
    };
    KINDS.iter().map(facts).collect()
}

/// Place of a kind in the order of deployment.
pub(super) fn order(kind: &str) -> usize {
    KINDS.iter().position(|known| known.name == kind).unwrap_or(KINDS.len())
}

/// Whether components of this kind belong to an object.
pub(super) fn is_child(kind: &str) -> bool {
    KINDS.iter().any(|known| known.name == kind && known.shape == Shape::Child)
}

/// A file of a package in source format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The file that describes a component: order in [`KINDS`] and full name.
    Meta(usize, String),
    /// A content file of the component.
    Body(usize, String),
}

/// What the file at `path` is; `None` for kinds that are not supported.
pub(super) fn place(path: &str) -> Option<Place> {
    let parts: Vec<&str> = path.split('/').collect();
    KINDS.iter().enumerate().find_map(|(order, kind)| {
        let folder = parts.iter().rposition(|part| *part == kind.folder)?;
        let inside = parts.get(folder + 1..).filter(|inside| !inside.is_empty())?;
        kind.place(inside).map(
            |(meta, name)| {
                if meta { Place::Meta(order, name) } else { Place::Body(order, name) }
            },
        )
    })
}

impl Kind {
    /// Whether the file below the kind's folder describes a component, and of which name.
    fn place(&self, inside: &[&str]) -> Option<(bool, String)> {
        let file = inside.last()?;
        let bare =
            file.strip_suffix("-meta.xml").and_then(|file| file.strip_suffix(self.suffix)?.strip_suffix('.'));
        match (self.shape, bare) {
            (Shape::Single, Some(name)) => Some((true, name.to_owned())),
            (Shape::Child, Some(name)) => Some((true, format!("{}.{name}", inside.first()?))),
            (Shape::InFolder, Some(name)) => {
                let above = inside.get(..inside.len() - 1)?.iter().map(|part| format!("{part}/"));
                Some((true, above.collect::<String>() + name))
            }
            (Shape::Content, Some(name)) => Some((true, name.to_owned())),
            (Shape::Content, None) => {
                Some((false, file.strip_suffix(self.suffix)?.strip_suffix('.')?.to_owned()))
            }
            (Shape::Bundle, bare) => Some((bare.is_some(), (*inside.first()?).to_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Option<(&'static str, String, bool)> {
        Some(match place(path)? {
            Place::Meta(order, name) => (KINDS[order].name, name, true),
            Place::Body(order, name) => (KINDS[order].name, name, false),
        })
    }

    #[test]
    fn files_are_known_by_folder_and_suffix() {
        for (path, kind, name, meta) in [
            ("a/flows/X.flow-meta.xml", "Flow", "X", true),
            ("a/objects/Lead/fields/A__c.field-meta.xml", "CustomField", "Lead.A__c", true),
            ("a/objects/T__mdt/T__mdt.object-meta.xml", "CustomObject", "T__mdt", true),
            ("a/classes/X.cls", "ApexClass", "X", false),
            ("a/classes/X.cls-meta.xml", "ApexClass", "X", true),
            ("a/genAiFunctions/F/F.genAiFunction-meta.xml", "GenAiFunction", "F", true),
            ("a/genAiFunctions/F/input/schema.json", "GenAiFunction", "F", false),
            ("a/reports/Box.reportFolder-meta.xml", "ReportFolder", "Box", true),
            ("a/reports/Box/R.report-meta.xml", "Report", "Box/R", true),
            ("a/quickActions/Lead.Go.quickAction-meta.xml", "QuickAction", "Lead.Go", true),
        ] {
            assert_eq!(named(path), Some((kind, name.to_owned(), meta)), "{path}");
        }
        for path in
            ["a/flows/X.flow", "a/lwc/x/x.js", "a/classes/notes.txt", "flows", "a/flows/Xflow-meta.xml"]
        {
            assert_eq!(named(path), None, "{path}");
        }
    }
}
