//! What is wrong with the settings, one entry for each problem.

use std::fmt;

/// One problem with one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigProblem {
    /// The key as the file spells it, for example `promoter.client_id`; empty for the file itself.
    pub key: String,
    /// Stable kebab-case code.
    pub code: &'static str,
    /// What is wrong, without the value where the key holds a secret.
    pub message: String,
    /// What the key takes.
    pub expected: String,
    /// What to do.
    pub fix: String,
}

impl ConfigProblem {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { "settings" } else { &self.key };
        write!(out, "{key}: {} [{}]", self.message, self.code)?;
        if !self.expected.is_empty() {
            write!(out, "; expected {}", self.expected)?;
        }
        write!(out, "; {}", self.fix)
    }
}

/// All problems at once, ordered by key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<ConfigProblem>);

impl ConfigErrors {
    /// The stable code of the first problem.
    pub fn code(&self) -> &'static str {
        self.0.first().map_or("settings-refused", |problem| problem.code)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} problem(s) in the settings", self.0.len())?;
        for problem in &self.0 {
            write!(out, "\n  {problem}")?;
        }
        Ok(())
    }
}
