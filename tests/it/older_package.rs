//! The package as an org has it that was deployed before an object of the daemon came in.

use std::{fs, path::Path};

/// Writes the package without the object, and tells where. Nothing in it speaks of the object.
pub fn without(folder: &Path, object: &str) -> String {
    let root = folder.join("older-package");
    for (path, text) in countersign::package::SHIPPED {
        let shows = ["/reports/", "/reportTypes/", "/dashboards/"].iter().any(|kind| path.contains(kind));
        if path.contains(object) || (shows && text.contains(object)) {
            continue;
        }
        let mut kept = text.to_string();
        for block in ["fieldPermissions", "objectPermissions"] {
            let (open, close) = (format!("    <{block}>"), format!("</{block}>\n"));
            let parts: Vec<String> = kept.split(&open).map(str::to_owned).collect();
            let without = |part: &String| match part.split_once(&close) {
                Some((inside, rest)) if inside.contains(object) => rest.to_owned(),
                _ => format!("{open}{part}"),
            };
            kept = parts[0].clone() + &parts[1..].iter().map(without).collect::<String>();
        }
        assert!(!kept.contains(object), "{path}");
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, kept).unwrap();
    }
    root.to_str().unwrap().to_owned()
}
