//! How a deploy went: its components and its state, in the words of the Metadata API.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::options::Options;

/// Where a deploy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    InProgress,
    Succeeded,
    SucceededPartial,
    Failed,
    Canceling,
    Canceled,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::SucceededPartial => "SucceededPartial",
            Self::Failed => "Failed",
            Self::Canceling => "Canceling",
            Self::Canceled => "Canceled",
        }
    }

    pub(super) fn done(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::Canceling)
    }

    fn success(self) -> bool {
        matches!(self, Self::Succeeded | Self::SucceededPartial)
    }
}

/// What is wrong with a component, or to be known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) warning: bool,
    pub(super) text: String,
    /// Line and column.
    pub(super) place: Option<(u32, u32)>,
}

/// One component of a deploy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Message {
    pub(super) kind: String,
    pub(super) full_name: String,
    pub(super) file: String,
    /// Absent for what is no component of the org, or not there.
    pub(super) id: Option<String>,
    pub(super) created: bool,
    pub(super) changed: bool,
    pub(super) deleted: bool,
    pub(super) remark: Option<Remark>,
}

impl Message {
    /// Whether the component was refused.
    pub(super) fn failed(&self) -> bool {
        self.remark.as_ref().is_some_and(|remark| !remark.warning)
    }

    fn to_json(&self, at: Timestamp) -> Value {
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
        put("changed", json!(self.changed));
        put("componentType", json!(self.kind));
        put("created", json!(self.created));
        put("createdDate", json!(date(at)));
        put("deleted", json!(self.deleted));
        put("fileName", json!(self.file));
        put("fullName", json!(self.full_name));
        put("success", json!(!self.failed()));
        if let Some(id) = &self.id {
            put("id", json!(id));
        }
        if let Some(remark) = &self.remark {
            put("problem", json!(remark.text));
            put("problemType", json!(if remark.warning { "Warning" } else { "Error" }));
            if let Some((line, column)) = remark.place {
                put("lineNumber", json!(line));
                put("columnNumber", json!(column));
            }
        }
        Value::Object(map)
    }
}

/// `2026-11-20T08:00:00.000Z`
pub(super) fn date(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A deploy as clients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) id: String,
    pub(super) options: Options,
    pub(super) status: Status,
    pub(super) created_by: String,
    pub(super) created_by_name: String,
    pub(super) canceled_by: Option<(String, String)>,
    pub(super) created: Timestamp,
    pub(super) started: Option<Timestamp>,
    pub(super) changed: Timestamp,
    pub(super) completed: Option<Timestamp>,
    /// Components known so far.
    pub(super) total: usize,
    pub(super) messages: Vec<Message>,
    /// What went wrong with the deploy as a whole: code and words.
    pub(super) error: Option<(&'static str, String)>,
}

impl Report {
    /// The `DeployResult`. Elements come in the order of their names, as in the WSDL.
    pub(super) fn to_json(&self, details: bool) -> Value {
        // The manifest has a message and is not counted.
        let counted = || self.messages.iter().filter(|message| !message.kind.is_empty() || message.failed());
        let errors = counted().filter(|message| message.failed()).count();
        let mut result = json!({
            "checkOnly": self.options.check_only,
            "createdBy": self.created_by,
            "createdByName": self.created_by_name,
            "createdDate": date(self.created),
            "done": self.status.done(),
            "id": self.id,
            "ignoreWarnings": self.options.ignore_warnings,
            "lastModifiedDate": date(self.changed),
            "numberComponentErrors": errors,
            "numberComponentsDeployed": counted().count() - errors,
            "numberComponentsTotal": self.total.max(counted().count()),
            "numberTestErrors": 0,
            "numberTestsCompleted": 0,
            "numberTestsTotal": 0,
            "rollbackOnError": self.options.rollback_on_error,
            "runTestsEnabled": self.options.runs_tests(),
            "status": self.status.name(),
            "success": self.status.success(),
        });
        if let Some(map) = result.as_object_mut() {
            let mut put =
                |name: &str, value: Option<Value>| value.map(|value| map.insert(name.to_owned(), value));
            put("startDate", self.started.map(|at| json!(date(at))));
            put("completedDate", self.completed.map(|at| json!(date(at))));
            put("canceledBy", self.canceled_by.as_ref().map(|(id, _)| json!(id)));
            put("canceledByName", self.canceled_by.as_ref().map(|(_, name)| json!(name)));
            put("errorStatusCode", self.error.as_ref().map(|(code, _)| json!(code)));
            put("errorMessage", self.error.as_ref().map(|(_, words)| json!(words)));
            put("details", details.then(|| self.details()));
        }
        result
    }

    fn details(&self) -> Value {
        let part = |failed: bool| -> Vec<Value> {
            let of = self.messages.iter().filter(|message| message.failed() == failed);
            of.map(|message| message.to_json(self.changed)).collect()
        };
        json!({
            "componentFailures": part(true),
            "componentSuccesses": part(false),
            // Apex cannot run here: no test ran, whatever was asked for.
            "runTestResult": {
                "codeCoverage": [],
                "codeCoverageWarnings": [],
                "failures": [],
                "flowCoverage": [],
                "flowCoverageWarnings": [],
                "numFailures": 0,
                "numTestsRun": 0,
                "successes": [],
                "totalTime": 0.0,
            },
        })
    }
}
