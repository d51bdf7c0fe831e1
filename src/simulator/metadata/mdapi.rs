//! A package in the metadata format, as a deploy sends it, becomes components. Children
//! of an object stand in the object's file here; each is a component of its own.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Component, Element, Problem,
    kinds::{self, KINDS, Kind, Shape},
    schema, xml,
};

/// Elements of an object's file that are components, and their kinds.
const CHILDREN: &[(&str, &str)] = &[
    ("fields", "CustomField"),
    ("validationRules", "ValidationRule"),
    ("fieldSets", "FieldSet"),
    ("compactLayouts", "CompactLayout"),
    ("listViews", "ListView"),
    ("webLinks", "WebLink"),
];

/// What a deploy's files are.
#[derive(Debug, Clone, Default)]
pub(in crate::simulator) struct Parcel {
    /// Components, in the order of deployment.
    pub(in crate::simulator) components: Vec<Component>,
    /// Files that cannot be read; the component is the one that the file is named after.
    pub(in crate::simulator) broken: Vec<Problem>,
}

/// Kind in the order of deployment, and full name.
type Key = (usize, String);

/// Reads the files, by path from the folder of package.xml.
pub(in crate::simulator) fn parcel(files: &BTreeMap<String, Vec<u8>>) -> Parcel {
    let mut parcel = Parcel::default();
    let mut found: BTreeMap<Key, Component> = BTreeMap::new();
    let mut bodies: Vec<(Key, String, String)> = Vec::new();
    for (path, content) in files {
        let Some((kind, name, meta)) = place(path) else {
            parcel.broken.push(wrong("", path, path, "The simulated org does not support this kind of file"));
            continue;
        };
        let Ok(text) = std::str::from_utf8(content) else {
            parcel.broken.push(wrong(kind.name, &name, path, "The file is not UTF-8"));
            continue;
        };
        if !meta {
            bodies.push(((kinds::order(kind.name), name), path.clone(), text.to_owned()));
            continue;
        }
        match open(kind, &name, path, text) {
            Ok(components) => found
                .extend(components.into_iter().map(|it| ((kinds::order(it.kind), it.full_name.clone()), it))),
            Err(problem) => parcel.broken.push(problem),
        }
    }
    for (key, path, text) in bodies {
        match found.get_mut(&key) {
            Some(component) => {
                component.bodies.insert(path, text);
            }
            None => {
                let kind = KINDS.get(key.0).map_or("", |kind| kind.name);
                parcel.broken.push(wrong(
                    kind,
                    &key.1,
                    &path,
                    "The -meta.xml file of this component is missing",
                ));
            }
        }
    }
    for component in found.values_mut() {
        // A class is known by its code, not by the file that describes it.
        if component.file.ends_with("-meta.xml")
            && let Some(body) =
                component.bodies.keys().find(|path| format!("{path}-meta.xml") == component.file)
        {
            component.file.clone_from(body);
        }
    }
    parcel.components = found.into_values().collect();
    parcel
}

fn wrong(kind: &str, name: &str, path: &str, message: impl Into<String>) -> Problem {
    Problem {
        component: format!("{kind} {name}"),
        file: path.to_owned(),
        place: None,
        message: message.into(),
    }
}

/// The kind, the name, and whether the file describes the component.
fn place(path: &str) -> Option<(&'static Kind, String, bool)> {
    let (folder, inside) = path.split_once('/')?;
    let kinds = || KINDS.iter().filter(|kind| kind.folder == folder && kind.shape != Shape::Child);
    let bare = inside.strip_suffix("-meta.xml");
    kinds().find_map(|kind| {
        let named = |file: &str| file.strip_suffix(kind.suffix)?.strip_suffix('.').map(str::to_owned);
        match kind.shape {
            Shape::Content => match bare {
                Some(file) => Some((kind, named(file)?, true)),
                None => Some((kind, named(inside)?, false)),
            },
            Shape::Bundle => {
                let (name, file) = inside.split_once('/')?;
                let meta = named(file.strip_suffix("-meta.xml").unwrap_or(file)).is_some();
                Some((kind, name.to_owned(), meta))
            }
            // A folder is described by `reports/Box-meta.xml`.
            Shape::InFolder if kind.name.ends_with("Folder") => {
                let name = bare?;
                Some((kind, named(name).unwrap_or_else(|| name.to_owned()), true))
            }
            _ => Some((kind, named(bare.unwrap_or(inside))?, true)),
        }
    })
}

/// The components of one file. As a real deploy does, the first fault refuses the file.
fn open(kind: &Kind, name: &str, path: &str, text: &str) -> Result<Vec<Component>, Problem> {
    let root = xml::read(text, kind.name).map_err(|message| wrong(kind.name, name, path, message))?;
    if let Some(fault) = schema::check(&root, kind.name).into_iter().next() {
        return Err(Problem { place: Some(fault.place), ..wrong(kind.name, name, path, fault.message) });
    }
    let component = |kind, full_name, root| Component {
        kind,
        full_name,
        file: path.to_owned(),
        root: Arc::new(root),
        bodies: BTreeMap::new(),
    };
    if kind.name != "CustomObject" {
        return Ok(vec![component(kind.name, name.to_owned(), root)]);
    }
    let Element { children, .. } = &root;
    let mut components = Vec::new();
    let mut rest = Vec::new();
    for child in children {
        let Some((_, kind)) = CHILDREN.iter().find(|(element, _)| *element == child.name) else {
            rest.push(child.clone());
            continue;
        };
        let own_name = child.text("fullName").unwrap_or_default();
        let root = Element { name: (*kind).to_owned(), ..child.clone() };
        components.push(component(kind, format!("{name}.{own_name}"), root));
    }
    if !rest.is_empty() || components.is_empty() {
        components.push(component("CustomObject", name.to_owned(), Element { children: rest, ..root }));
    }
    Ok(components)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn names(parcel: &Parcel) -> Vec<String> {
        parcel.components.iter().map(|it| format!("{} {} {}", it.kind, it.full_name, it.file)).collect()
    }

    #[test]
    fn an_object_file_is_taken_apart() {
        let object = "<CustomObject xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n\
            <fields><fullName>A__c</fullName><type>Date</type></fields>\n\
            <validationRules><fullName>R</fullName><active>true</active>\
            <errorConditionFormula>false</errorConditionFormula><errorMessage>no</errorMessage></validationRules>\
            </CustomObject>";
        let parcel = parcel(&files(&[("objects/Lead.object", object)]));
        assert!(parcel.broken.is_empty(), "{:?}", parcel.broken);
        let file = "objects/Lead.object";
        assert_eq!(
            names(&parcel),
            [format!("CustomField Lead.A__c {file}"), format!("ValidationRule Lead.R {file}")]
        );
        assert_eq!(parcel.components[0].root.place.0, 2, "positions are those of the file");
    }

    #[test]
    fn the_first_fault_refuses_a_file() {
        let object = "<CustomObject xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n\
            <fields>\n<fullName>A__c</fullName>\n        <type>hat</type>\n</fields><colour/></CustomObject>";
        let parcel = parcel(&files(&[("objects/Lead.object", object)]));
        assert!(parcel.components.is_empty());
        let [problem] = &parcel.broken[..] else { panic!("{:?}", parcel.broken) };
        // A recorded deploy tells this place of such a line.
        assert_eq!(problem.place, Some((4, 25)));
        assert_eq!(
            problem.message,
            "Error parsing file: 'hat' is not a valid value for the enum 'FieldType'"
        );
        assert_eq!(problem.component, "CustomObject Lead");
    }

    #[test]
    fn bundles_classes_and_folders_are_put_together() {
        let meta = |kind: &str, body: &str| {
            format!("<{kind} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{body}</{kind}>")
        };
        let class = meta("ApexClass", "<apiVersion>67.0</apiVersion><status>Active</status>");
        let action = meta(
            "GenAiFunction",
            "<invocationTargetType>flow</invocationTargetType><masterLabel>F</masterLabel>",
        );
        let folder = meta("ReportFolder", "<name>Box</name>");
        let parcel = parcel(&files(&[
            ("classes/X.cls", "class X {}"),
            ("classes/X.cls-meta.xml", &class),
            ("genAiFunctions/F/F.genAiFunction-meta.xml", &action),
            ("genAiFunctions/F/input/schema.json", "{}"),
            ("reports/Box-meta.xml", &folder),
            ("lwc/x/x.js", ""),
        ]));
        assert_eq!(
            names(&parcel),
            [
                "ApexClass X classes/X.cls",
                "GenAiFunction F genAiFunctions/F/F.genAiFunction-meta.xml",
                "ReportFolder Box reports/Box-meta.xml"
            ]
        );
        assert!(parcel.components[..2].iter().all(|component| component.bodies.len() == 1));
        assert_eq!(parcel.broken.len(), 1, "{:?}", parcel.broken);
    }
}
