//! What the doctor found, as text and as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::{salesforce::SalesforceError, telemetry::line::visible};

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, but should be looked at.
    Warning,
    /// This identity may not look; whether it is well is not known.
    Hidden,
    /// Must be fixed.
    Failed,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about, for example `promoter Lead`.
    pub area: String,
    /// Stable kebab-case code.
    pub code: String,
    /// How it ended.
    pub state: State,
    /// What was found.
    pub message: String,
    /// Where to fix it; empty when there is nothing to fix.
    pub fix: String,
}

/// All checks in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// True when nothing failed.
    pub fn is_good(&self) -> bool {
        self.checks.iter().all(|check| check.state != State::Failed)
    }

    /// Adds a check that went well.
    pub fn ok(&mut self, area: &str, code: &str, message: &str) {
        self.add(area, code, State::Ok, (message, ""));
    }

    /// Adds a warning.
    pub fn warning(&mut self, area: &str, code: &str, message: &str, fix: &str) {
        self.add(area, code, State::Warning, (message, fix));
    }

    /// Adds something that could not be looked at.
    pub fn hidden(&mut self, area: &str, code: &str, message: &str, fix: &str) {
        self.add(area, code, State::Hidden, (message, fix));
    }

    /// Adds a failure.
    pub fn failed(&mut self, area: &str, code: &str, message: &str, fix: &str) {
        self.add(area, code, State::Failed, (message, fix));
    }

    /// Adds a failed call.
    pub fn salesforce(&mut self, area: &str, error: &SalesforceError) {
        let fix = match error {
            SalesforceError::LoginRefused { fix, .. } | SalesforceError::Setup { fix, .. } => fix,
            SalesforceError::WrongInstance { .. } => "correct org.instance_url, org.org_id or org.login_url",
            SalesforceError::NotSent { .. } => {
                "correct org.login_url, or look at the network and org.ca_pem_path"
            }
            SalesforceError::Refused { code, .. } if code == "API_DISABLED_FOR_ORG" => {
                "give the user API Enabled: Setup > Permission Sets or Profiles > System Permissions"
            }
            SalesforceError::Refused { code, .. } if code == "INVALID_SESSION_ID" => {
                "the token is not good: renew access_token, or use another kind of login"
            }
            SalesforceError::Refused { .. } => "look at the user's object and field permissions in Setup",
            SalesforceError::FieldType { .. } => "put the field's type back, or correct the contract",
            SalesforceError::NoReply { .. } | SalesforceError::Unreadable { .. } => {
                "try again; is org.login_url really a Salesforce org?"
            }
        };
        self.failed(area, error.code(), &error.to_string(), fix);
    }

    fn add(&mut self, area: &str, code: &str, state: State, (message, fix): (&str, &str)) {
        self.checks.push(Check {
            area: area.to_owned(),
            code: code.to_owned(),
            state,
            message: visible(message),
            fix: fix.to_owned(),
        });
    }

    /// The report for machines.
    pub fn as_json(&self) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({ "area": check.area, "code": check.code, "state": word(check.state),
                    "message": check.message, "fix": check.fix })
            })
            .collect();
        json!({ "ok": self.is_good(), "checks": checks })
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Hidden => "not visible",
        State::Failed => "failed",
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            writeln!(out, "{:12}{:21}{} [{}]", word(check.state), check.area, check.message, check.code)?;
            if !check.fix.is_empty() {
                writeln!(out, "{:12}{:21}fix: {}", "", "", check.fix)?;
            }
        }
        let failed = self.checks.iter().filter(|check| check.state == State::Failed).count();
        let count = |state| self.checks.iter().filter(|check| check.state == state).count();
        let (warnings, hidden) = (count(State::Warning), count(State::Hidden));
        writeln!(
            out,
            "{} checks, {failed} failed, {warnings} warnings, {hidden} not visible",
            self.checks.len()
        )
    }
}
