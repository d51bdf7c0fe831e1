//! The problems of files that settings name, told together.

use super::ExitWith;
use crate::config::policies::PolicyProblem;

/// `what` begins the sentence, for example `the policies have`.
pub fn told(what: &str, problems: &[PolicyProblem]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    ExitWith::usage(format!("{what} {} problem(s):\n{}", lines.len(), lines.join("\n"))).into()
}
