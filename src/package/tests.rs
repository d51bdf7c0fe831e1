//! The shipped package is what the templates render.

use std::{collections::BTreeMap, env, fs, path::Path};

use super::*;

fn rendered() -> BTreeMap<String, String> {
    let shipped = Governed::shipped();
    let mut files = value_set_files();
    for object in &shipped {
        files.extend(object.files());
    }
    files.extend(permission_sets(&shipped, "").iter().map(permission_set_file));
    files
}

/// With `COUNTERSIGN_WRITE_PACKAGE` set it writes the files instead, for whoever changes a template.
#[test]
fn the_shipped_files_are_rendered_byte_for_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata").join(SOURCE);
    let rendered = rendered();
    if env::var_os("COUNTERSIGN_WRITE_PACKAGE").is_some() {
        for (path, text) in &rendered {
            fs::write(root.join(path), text).unwrap();
        }
    }
    let mut wrong = Vec::new();
    for (path, text) in &rendered {
        let found = fs::read_to_string(root.join(path)).unwrap_or_default();
        if found != *text {
            wrong.push(path.as_str());
        }
    }
    assert!(wrong.is_empty(), "these differ from their templates: {wrong:#?}");
}

#[test]
fn nothing_governed_is_shipped_beside_the_templates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("salesforce-metadata").join(SOURCE);
    let rendered = rendered();
    for folder in [
        "objects/Lead/fields",
        "objects/Lead/validationRules",
        "objects/Opportunity/fields",
        "objects/Opportunity/validationRules",
        "platformEventChannelMembers",
        "permissionsets",
        "globalValueSets",
    ] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(rendered.contains_key(&path), "{path} has no template");
        }
    }
}

#[test]
fn formulas_messages_and_texts_fit_their_limits() {
    for object in Governed::shipped() {
        for rule in object.rules() {
            assert!(rule.formula.chars().count() < 3_900, "{}: {}", object.object, rule.name);
            assert!(rule.message.chars().count() <= 255, "{}", rule.name);
            assert!(rule.description.chars().count() <= 255, "{}", rule.name);
        }
        for field in object.fields() {
            assert!(field.label.chars().count() <= 40, "{}", field.name);
            assert!(field.help.chars().count() <= 510 && field.description.chars().count() <= 1_000);
        }
    }
}
