//! The admin's pages of the package: the field table is the package's own, every rule and
//! every flow is told, and nothing is told that is not there.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use roxmltree::Document;

const START: &str = "<!-- fields: kept by tests/it/package_docs.rs -->\n";
const END: &str = "<!-- end of fields -->";
const OBJECTS: [&str; 2] = ["Lead", "Opportunity"];

fn package() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata")
}

fn source() -> std::path::PathBuf {
    package().join("force-app/main/default")
}

fn readme() -> String {
    fs::read_to_string(package().join("README.md")).expect("README.md")
}

/// Names of the files in a folder, without their suffix.
fn names(folder: &str, suffix: &str) -> Vec<String> {
    let files = fs::read_dir(source().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut names: Vec<String> = files
        .filter_map(|file| {
            file.expect("a file").file_name().to_str()?.strip_suffix(suffix).map(str::to_owned)
        })
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} is empty");
    names
}

fn value(document: &Document<'_>, name: &str) -> Option<String> {
    let root = document.root_element();
    root.children()
        .find(|child| child.has_tag_name(("http://soap.sforce.com/2006/04/metadata", name)))?
        .text()
        .map(str::to_owned)
}

/// Field to the permission sets that may edit it.
fn writers() -> BTreeMap<String, Vec<String>> {
    let mut writers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for set in names("permissionsets", ".permissionset-meta.xml") {
        let path = source().join(format!("permissionsets/{set}.permissionset-meta.xml"));
        let text = fs::read_to_string(path).expect("a permission set");
        let document = Document::parse(&text).expect("XML");
        for entry in document.descendants().filter(|node| node.tag_name().name() == "fieldPermissions") {
            let of = |name: &str| {
                entry.children().find(|child| child.tag_name().name() == name).and_then(|child| child.text())
            };
            if of("editable") == Some("true") {
                let field = of("field").expect("a field").to_owned();
                writers.entry(field).or_default().push(set.replace("AI_", ""));
            }
        }
    }
    writers
}

fn field_tables() -> String {
    let writers = writers();
    let mut tables = String::new();
    for object in OBJECTS {
        let _ = write!(tables, "### {object}\n\n| Field | Type | Written by | What |\n|---|---|---|---|\n");
        for name in names(&format!("objects/{object}/fields"), ".field-meta.xml") {
            let path = source().join(format!("objects/{object}/fields/{name}.field-meta.xml"));
            let text = fs::read_to_string(path).expect("a field");
            let document = Document::parse(&text).expect("XML");
            let kind = value(&document, "type").expect("a type");
            let kind = match value(&document, "length") {
                Some(length) => format!("{kind} {length}"),
                None => kind,
            };
            let what = value(&document, "description").unwrap_or_else(|| panic!("{name} has no description"));
            let by = writers.get(&format!("{object}.{name}")).map(|sets| sets.join(", ")).unwrap_or_default();
            let _ = writeln!(tables, "| `{name}` | {kind} | {by} | {what} |");
        }
        tables.push('\n');
    }
    tables
}

#[test]
fn the_field_table_is_the_packages_own() {
    let readme = readme();
    let (_, rest) = readme.split_once(START).expect("the mark before the fields");
    let (told, _) = rest.split_once(END).expect("the mark after the fields");
    let real = field_tables();
    assert!(told == real, "put this between the marks of salesforce-metadata/README.md:\n{real}");
}

#[test]
fn every_rule_and_no_other_is_told() {
    let readme = readme();
    let told: Vec<&str> =
        readme.lines().filter_map(|line| line.strip_prefix("| AI_GATE_")?.split(' ').next()).collect();
    let mut real: Vec<String> = OBJECTS
        .iter()
        .flat_map(|object| names(&format!("objects/{object}/validationRules"), ".validationRule-meta.xml"))
        .map(|name| name.strip_prefix("AI_GATE_").expect("a rule of ours")[..2].to_owned())
        .collect();
    real.sort();
    real.dedup();
    assert_eq!(told, real);
}

#[test]
fn every_flow_and_no_other_is_told() {
    let readme = readme();
    let told: Vec<&str> =
        readme.lines().filter_map(|line| line.strip_prefix("| `AI_*_")?.split('`').next()).collect();
    for object in OBJECTS {
        let prefix = format!("AI_{object}_");
        let mut kinds: Vec<String> = names("flows", ".flow-meta.xml")
            .into_iter()
            .filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned))
            .collect();
        kinds.sort();
        let mut told = told.clone();
        told.sort_unstable();
        assert_eq!(told, kinds, "flows of {object}");
    }
}

#[test]
fn the_counts_of_limits_are_right() {
    let readme = readme();
    let count = |kind: &str, suffix: &str| {
        OBJECTS.map(|object| names(&format!("objects/{object}/{kind}"), suffix).len())
    };
    let [lead, opportunity] = count("fields", ".field-meta.xml");
    let told = format!("{lead} custom fields on Lead and {opportunity} on Opportunity");
    assert!(readme.contains(&told), "expected: {told}");
    let [lead, opportunity] = count("validationRules", ".validationRule-meta.xml");
    let told = format!("{lead} and {opportunity} active validation rules");
    assert!(readme.contains(&told), "expected: {told}");
}
