//! The rules of the house, checked: layers one way, a pure core, docs, sizes, where SQL may stand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    File, Item, UseTree,
    visit::{self, Visit},
};

/// Each module with the modules of this package that it may name.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("gate", &["domain"]),
    ("clock", &[]),
    ("crash", &[]),
    ("config", &["domain", "gate", "clock"]),
    ("telemetry", &["clock", "config"]),
    ("ledger", &["domain", "clock", "crash", "telemetry"]),
    ("salesforce", &["domain", "clock", "crash", "telemetry"]),
    ("package", &["domain", "salesforce"]),
    ("workflow", &["domain", "gate", "clock", "config", "telemetry", "ledger", "salesforce", "package"]),
    ("subscriber", &["domain", "clock", "telemetry", "salesforce", "workflow"]),
    ("jobs", &["domain", "clock", "config", "telemetry", "ledger", "workflow"]),
    ("http", &["domain", "gate", "clock", "telemetry", "ledger", "workflow"]),
    ("simulator", &["domain", "clock", "salesforce", "package"]),
];

/// Outside crates that the pure core may name.
const CORE_CRATES: &[&str] =
    &["std", "core", "alloc", "serde", "serde_json", "sha2", "jiff", "rust_decimal", "thiserror"];

/// Parts of std that would make the core impure.
const IMPURE: &[&str] = &["fs", "net", "env", "process", "thread", "time", "io", "os"];

/// Implements serde's `Serializer`, whose methods name floats: it refuses every number.
const SERIALIZER: &str = "domain/digest/writer.rs";
/// What that file may say.
const SERIALIZER_MAY: &[&str] = &["f32", "f64"];

/// Parts of `salesforce` that the package may use.
const PACKAGE_MAY: &[&str] = &["names"];

/// Parts of `salesforce` that the simulator may use: names, the wire format, nothing that calls.
const SIMULATOR_MAY: &[&str] = &["names", "pubsub", "avro", "change_event"];

const MOST_LINES: usize = 500;

struct Source {
    path: PathBuf,
    module: String,
    text: String,
    syntax: File,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    assert!(paths.len() > 40, "the walk must find the source files");
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let inside = path.strip_prefix(&root).unwrap();
            let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
            let module = first.trim_end_matches(".rs").to_owned();
            Source { path: inside.to_path_buf(), module, text, syntax }
        })
        .collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Every path that a file names, in `use` trees (groups included) and inline.
#[derive(Default)]
struct Paths {
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn of(file: &File) -> BTreeSet<Vec<String>> {
        let mut paths = Self::default();
        paths.visit_file(file);
        paths.found
    }

    fn tree(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
            }
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.found.insert(before);
            }
            UseTree::Rename(name) => {
                before.push(name.ident.to_string());
                self.found.insert(before);
            }
            UseTree::Glob(_) => {
                before.push("*".to_owned());
                self.found.insert(before);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before.clone())),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.found.insert(segments);
        }
        visit::visit_path(self, path);
    }

    // Test modules may use what they like.
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
        });
        if !is_test {
            visit::visit_item_mod(self, item);
        }
    }
}

fn is_test_file(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| {
        let stem = stem.to_string_lossy();
        stem == "tests" || stem.ends_with("_tests")
    }) || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn layers_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_test_file(&source.path)) {
        let Some(may) = allowed.get(source.module.as_str()) else { continue };
        for path in Paths::of(&source.syntax) {
            if path[0] != "crate" || path.len() < 2 || path[1] == source.module {
                continue;
            }
            if !may.contains(&path[1].as_str()) {
                wrong.push(format!("{}: {}", source.path.display(), path.join("::")));
            }
            let narrow = match source.module.as_str() {
                "simulator" => SIMULATOR_MAY,
                "package" => PACKAGE_MAY,
                _ => continue,
            };
            if path[1] == "salesforce" && !path.get(2).is_some_and(|part| narrow.contains(&part.as_str())) {
                wrong.push(format!("{}: {}", source.path.display(), path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "layers point one way; these do not:\n{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    let core = |source: &&Source| matches!(source.module.as_str(), "domain" | "gate");
    for source in sources().iter().filter(core).filter(|source| !is_test_file(&source.path)) {
        let own: BTreeSet<String> = declared_modules(&source.syntax);
        let may = |word: &str| source.path == Path::new(SERIALIZER) && SERIALIZER_MAY.contains(&word);
        for path in Paths::of(&source.syntax) {
            let first = path[0].as_str();
            if first == "std" && path.get(1).is_some_and(|part| IMPURE.contains(&part.as_str()) && !may(part))
            {
                wrong.push(format!("{}: {}", source.path.display(), path.join("::")));
            }
            let lower = first.starts_with(|c: char| c.is_ascii_lowercase());
            let known = matches!(first, "crate" | "self" | "super") || own.contains(first);
            if lower && !known && !CORE_CRATES.contains(&first) && !is_local(&source.path, first) {
                wrong.push(format!("{}: crate `{first}`", source.path.display()));
            }
        }
        let code = without_tests(&source.text);
        for word in ["async fn", ".await", "f32", "f64", "HashMap", "HashSet", "::now("] {
            if !may(word)
                && code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word))
            {
                wrong.push(format!("{}: `{word}`", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "the core is pure; these are not:\n{}", wrong.join("\n"));
}

fn declared_modules(file: &File) -> BTreeSet<String> {
    file.items
        .iter()
        .filter_map(|item| match item {
            Item::Mod(module) => Some(module.ident.to_string()),
            Item::Use(used) => used_names(&used.tree),
            _ => None,
        })
        .collect()
}

fn used_names(tree: &UseTree) -> Option<String> {
    match tree {
        UseTree::Name(name) => Some(name.ident.to_string()),
        UseTree::Path(path) => used_names(&path.tree),
        _ => None,
    }
}

/// A lower-case first segment can be a sibling module or a primitive type.
fn is_local(path: &Path, name: &str) -> bool {
    let primitive = ["str", "u8", "u16", "u32", "u64", "u128", "usize", "i32", "i64", "char", "bool", "fmt"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path.parent().unwrap());
    primitive.contains(&name) || folder.join(format!("{name}.rs")).exists() || folder.join(name).is_dir()
}

fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short() {
    let mut wrong = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//!") {
            wrong.push(format!("{}: no module doc", source.path.display()));
        }
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{}: {lines} lines", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_stands_only_in_the_ledger() {
    let statement = ["INSERT INTO ", "UPDATE proposal", "DELETE FROM ", "CREATE TABLE", "sqlx::"];
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.module != "ledger" && source.module != "simulator")
    {
        for word in statement {
            if without_tests(&source.text).contains(word) {
                wrong.push(format!("{}: `{word}`", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "SQL outside the ledger:\n{}", wrong.join("\n"));
}

#[test]
fn entries_are_only_appended() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.module == "ledger") {
        let code = without_tests(&source.text).to_lowercase();
        for word in ["update entry ", "delete from entry ", "delete from entry\"", "update entry set"] {
            if code.contains(word) && !is_test_file(&source.path) {
                wrong.push(format!("{}: `{word}`", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "entries are only appended:\n{}", wrong.join("\n"));
}

#[test]
fn only_promotion_and_notices_hold_a_writer() {
    let may = [
        "workflow/promote.rs",
        "workflow/made.rs",
        "workflow/notice.rs",
        "workflow/engine.rs",
        "workflow/propose.rs",
        "workflow/anchor.rs",
        "workflow/totals/mod.rs",
        "workflow/heartbeat.rs",
    ];
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| matches!(source.module.as_str(), "workflow" | "jobs" | "http" | "subscriber"))
    {
        let path = source.path.to_string_lossy().into_owned();
        if may.contains(&path.as_str()) {
            continue;
        }
        let names_writer = Paths::of(&source.syntax).iter().any(|path| {
            path.contains(&"salesforce".to_owned())
                && path.iter().any(|part| matches!(part.as_str(), "Writer" | "trial"))
        });
        if names_writer {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "only these may hold a writer: {may:?}; found:\n{}", wrong.join("\n"));
}

#[test]
fn only_tests_choose_randomness_and_end_the_process() {
    let may = ["clock.rs", "crash.rs", "cli/crash_at.rs"];
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_test_file(&source.path)) {
        let path = source.path.to_string_lossy().into_owned();
        let found = Paths::of(&source.syntax).into_iter().any(|path| {
            let path = path.join("::");
            ["clock::seed", "crash::watch", "process::abort"].iter().any(|hook| path.ends_with(hook))
        });
        if found && !may.contains(&path.as_str()) {
            wrong.push(path);
        }
    }
    assert!(wrong.is_empty(), "these hooks are for tests:\n{}", wrong.join("\n"));
}

#[test]
fn prose_never_promises_more_than_at_least_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promise = ["exactly", "once"].join(" ");
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    for folder in ["src", "config", "deploy", "salesforce-metadata", "tests"] {
        texts(&root.join(folder), &mut files);
    }
    files.push(root.join("README.md"));
    for path in files {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if text.to_lowercase().contains(&promise) {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "say `at least once, idempotent effect` instead:\n{}", wrong.join("\n"));
}

fn texts(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "node_modules" && name != "target" {
            texts(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "md" || e == "toml" || e == "xml") {
            into.push(path);
        }
    }
}
