//! Lists of users: who is a program and who a person, whatever the org says.

use serde_json::Value;

use super::{load::Keys, settings::ShadowSettings};
use crate::domain::shadow::who::Named;

/// A list as one text with commas; `None` where it holds something else than texts.
pub(super) fn joined(list: &[Value]) -> Option<String> {
    let parts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    Some(parts?.join(", "))
}

impl Keys {
    pub(super) fn shadow(&mut self) -> ShadowSettings {
        let [programs, people] =
            ["shadow.programs", "shadow.people"].map(|key| self.text(key).unwrap_or_default());
        // Which of the two is wrong is told by the list that is wrong alone.
        let (key, problem) = match (Named::parse(&programs, ""), Named::parse(&programs, &people)) {
            (Err(problem), _) => ("shadow.programs", problem),
            (_, Err(problem)) => ("shadow.people", problem),
            (_, Ok(named)) => return ShadowSettings { named },
        };
        self.malformed(key, &problem);
        ShadowSettings::default()
    }
}
