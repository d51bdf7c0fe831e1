//! The broken copies of `tests/metadata/defects.json`, deployed into the simulated org. It must
//! refuse those that a real org refuses on deploy, and say why.

use std::{fs, path::Path, thread};

use serde::Deserialize;

use super::Package;
use crate::package::SHIPPED;

#[derive(Deserialize)]
enum Deploys {
    #[serde(rename = "anywhere")]
    Anywhere,
    #[serde(rename = "only here")]
    OnlyHere,
}

const BASE: &str = "force-app/main/default";

/// One edit; `tests/metadata/defects.mjs` reads the same file.
#[derive(Deserialize)]
struct Defect {
    kind: String,
    name: String,
    file: String,
    find: Option<String>,
    #[serde(default)]
    put: String,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    delete: bool,
    rename: Option<String>,
    add: Option<String>,
    #[serde(default)]
    text: String,
    /// Where the package still deploys. `anywhere`: what is wrong shows later, or is only ours to
    /// mind. `only here`: an org looks closer than the simulated one.
    deploys: Option<Deploys>,
}

/// A path from the folder with `sfdx-project.json`.
fn at(file: &str) -> String {
    file.strip_prefix("../../../").map_or_else(|| format!("{BASE}/{file}"), str::to_owned)
}

fn broken(defect: &Defect) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        SHIPPED.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let path = at(&defect.file);
    let place = files.iter().position(|(it, _)| *it == path);
    let place = place.unwrap_or_else(|| panic!("{}: there is no {path}", defect.name));
    if let Some(more) = &defect.add {
        files.push((at(more), defect.text.clone()));
        return files;
    }
    if defect.delete {
        files.remove(place);
        return files;
    }
    if let Some(find) = &defect.find {
        let text = &mut files[place].1;
        assert!(text.contains(find.as_str()), "{}: {path} does not say {find}", defect.name);
        let count = if defect.all { usize::MAX } else { 1 };
        *text = text.replacen(find.as_str(), &defect.put, count);
    }
    if let Some(to) = &defect.rename {
        files[place].0 = at(to);
    }
    files
}

#[test]
fn a_deploy_refuses_what_an_org_refuses() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/metadata/defects.json");
    let defects: Vec<Defect> = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let results: Vec<_> = thread::scope(|scope| {
        let parts = defects.chunks(defects.len().div_ceil(4));
        let running: Vec<_> = parts
            .map(|part| {
                scope
                    .spawn(|| part.iter().map(|it| Package::from_files(broken(it)).err()).collect::<Vec<_>>())
            })
            .collect();
        running.into_iter().flat_map(|it| it.join().expect("a deploy does not panic")).collect()
    });
    let mut wrong = Vec::new();
    let mut refused = 0;
    for (defect, problems) in defects.iter().zip(results) {
        let deploys = matches!(defect.deploys, Some(Deploys::Anywhere | Deploys::OnlyHere));
        refused += usize::from(problems.is_some());
        if problems.is_none() != deploys {
            let said = problems.and_then(|problems| problems.into_iter().next());
            let said = said.map_or_else(|| "deploys".to_owned(), |problem| format!("refused: {problem}"));
            wrong.push(format!("{}: {}: {said}", defect.kind, defect.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), defects.len(), wrong.join("\n"));
    assert!(refused >= 70, "only {refused} of {} are refused", defects.len());
}
