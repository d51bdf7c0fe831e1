//! Policies from bytes, through the door that everybody uses: a directory with one file.
//!
//! The reader of a text is private to the library, so the bytes go through a file. A temporary
//! directory in memory (`TMPDIR`) makes that cheap.

use std::{fs, path::PathBuf, sync::LazyLock};

use countersign::{
    config::policies::{self, PolicyProblem},
    domain::Policy,
};
use serde_json::{Map, Value};

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("countersign-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary directory");
    folder
});

/// Reads one policy file.
pub fn read(bytes: &[u8]) -> Result<Policy, Vec<PolicyProblem>> {
    fs::write(FOLDER.join("policy.toml"), bytes).expect("a file in the temporary directory");
    policies::load_dir(&FOLDER)
}

/// The file that says the same as the policy, written anew from its rules. There is one object in it.
pub fn write(policy: &Policy) -> String {
    let object = policy.objects.values().next().expect("a policy of one object");
    let json = serde_json::to_value(object).expect("a policy has a JSON form");
    toml::to_string(&as_written(json)).expect("a policy has a TOML form")
}

/// In files a test stands as `{ field = "Amount", above = "5" }`, without the words of the enum.
fn as_written(json: Value) -> Value {
    match json {
        Value::Array(items) => Value::Array(items.into_iter().map(as_written).collect()),
        Value::Object(map) => match test(&map) {
            Some(test) => Value::Object(test),
            None => Value::Object(map.into_iter().map(|(key, value)| (key, as_written(value))).collect()),
        },
        other => other,
    }
}

fn test(map: &Map<String, Value>) -> Option<Map<String, Value>> {
    let test = map.get("test").filter(|_| map.len() == 1)?.as_object()?;
    let mut written = test.get("operator")?.as_object()?.clone();
    written.insert("field".to_owned(), test.get("field")?.clone());
    Some(written)
}
