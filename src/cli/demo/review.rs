//! The reviewer at the screen: the shipped flow, driven screen by screen.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::world::{Subject, World};
use crate::simulator::{Answer, Launched, Navigation, UserContext, WriteOptions};

/// What a reviewer saw and was told.
pub struct Reviewed {
    /// The fields of the review screen, as `Stage now: Prospecting`.
    pub shown: Vec<String>,
    /// What the last screen says.
    pub said: String,
}

impl World {
    /// Opens the shipped review screen on a record, as the quick action does, and approves.
    pub fn approve(&self, subject: &Subject) -> anyhow::Result<Reviewed> {
        let rita = self.org().user("reviewer").context("the org has no reviewer")?;
        let flow = format!("AI_{}_Review", subject.object);
        let inputs = Map::from_iter([("recordId".to_owned(), json!(subject.id))]);
        let first = self.org().start_flow(&rita, &WriteOptions::default(), &flow, &inputs)?;
        let shown = fields(&first, "Review")?;
        let second = self.press(&rita, &first, json!({ "Decision_Choice": "Approve" }))?;
        let said = fields(&second, "Result")?.join("; ");
        self.press(&rita, &second, json!({}))?;
        Ok(Reviewed { shown, said })
    }

    /// Answers a screen with its first button.
    fn press(&self, user: &UserContext, at: &Launched, values: Value) -> anyhow::Result<Launched> {
        let Value::Object(values) = values else { bail!("answers are an object") };
        let answer = Answer { interview: at.interview.clone(), navigation: Navigation::Next, values };
        let next = self.org().continue_flow(user, &WriteOptions::default(), &answer)?;
        anyhow::ensure!(!next.refused, "the screen did not take the answer: {:?}", next.screen);
        Ok(next)
    }
}

/// The filled fields of a screen, which must be the one that the story expects.
fn fields(at: &Launched, expected: &str) -> anyhow::Result<Vec<String>> {
    let screen = at.screen.as_ref().with_context(|| format!("the screen {expected} did not come"))?;
    let name = screen["name"].as_str().unwrap_or_default();
    let fields = screen["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let filled = fields.iter().filter(|field| field["readOnly"] == true && !field["value"].is_null());
    let words: Vec<String> = filled
        .map(|field| {
            let value = field["value"].as_str().map_or_else(|| field["value"].to_string(), str::to_owned);
            format!("{}: {value}", field["label"].as_str().unwrap_or_default())
        })
        .collect();
    anyhow::ensure!(name == expected, "expected the screen {expected}, found {name}: {}", words.join("; "));
    Ok(words)
}
