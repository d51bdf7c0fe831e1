//! The options of a deploy.

use serde_json::{Value, json};

use super::super::metadata::Element;

/// What a client asks of a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) check_only: bool,
    pub(super) ignore_warnings: bool,
    pub(super) rollback_on_error: bool,
    pub(super) allow_missing_files: bool,
    pub(super) test_level: Option<String>,
}

impl Options {
    /// From the `DeployOptions` of SOAP.
    pub(super) fn of_xml(options: Option<&Element>) -> Self {
        let flag = |name: &str, absent: bool| {
            options.and_then(|options| options.text(name)).map_or(absent, |text| text.trim() == "true")
        };
        Self::read(flag, options.and_then(|options| options.text("testLevel")).map(str::to_owned))
    }

    /// From `deployOptions` of REST.
    pub(super) fn of_json(options: &Value) -> Self {
        let flag = |name: &str, absent: bool| options.get(name).and_then(Value::as_bool).unwrap_or(absent);
        Self::read(flag, options.get("testLevel").and_then(Value::as_str).map(str::to_owned))
    }

    fn read(flag: impl Fn(&str, bool) -> bool, test_level: Option<String>) -> Self {
        Self {
            check_only: flag("checkOnly", false),
            ignore_warnings: flag("ignoreWarnings", false),
            // Without an option a real org deploys what it can.
            rollback_on_error: flag("rollbackOnError", false),
            allow_missing_files: flag("allowMissingFiles", false),
            test_level: test_level.filter(|level| !level.is_empty()),
        }
    }

    /// Whether tests were asked for.
    pub(super) fn runs_tests(&self) -> bool {
        self.test_level.as_deref().is_some_and(|level| level != "NoTestRun")
    }

    /// As REST tells them.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "allowMissingFiles": self.allow_missing_files,
            "autoUpdatePackage": false,
            "checkOnly": self.check_only,
            "ignoreWarnings": self.ignore_warnings,
            "performRetrieve": false,
            "purgeOnDelete": false,
            "rollbackOnError": self.rollback_on_error,
            "runTests": null,
            "singlePackage": true,
            "testLevel": self.test_level,
        })
    }
}
