//! What the demo prints: a story for people, or one JSON document for scripts.

use std::{io::IsTerminal as _, time::Duration};

use owo_colors::{OwoColorize as _, Stream, Style};
use serde::Serialize;

use crate::cli::show::safe;

/// How long a reader gets for one step on a terminal.
const READING_TIME: Duration = Duration::from_millis(2200);

/// One step of the story.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Stable name.
    pub name: &'static str,
    /// What should happen.
    pub expected: String,
    /// What did happen.
    pub observed: String,
    /// Whether the two agree.
    pub ok: bool,
}

/// Collects steps and prints as they come.
pub struct Report {
    json: bool,
    paced: bool,
    steps: Vec<Step>,
    broken: Option<String>,
}

impl Report {
    /// `slow` gives a reader time, but only on a terminal.
    pub fn new(json: bool, slow: bool) -> Self {
        let paced = slow && !json && std::io::stdout().is_terminal();
        Self { json, paced, steps: Vec::new(), broken: None }
    }

    /// The headline.
    pub fn title(&self, text: &str) {
        if !self.json {
            println!("\n{}\n", styled(text, Style::new().bold()));
        }
    }

    /// One line of narration.
    pub fn say(&self, text: &str) {
        if !self.json {
            println!("  {}", safe(text));
        }
    }

    /// The heading of the next step.
    pub fn heading(&self, text: &str) {
        if !self.json {
            println!(
                "\n{} {}",
                styled(&format!("{:>2}.", self.steps.len() + 1), Style::new().dimmed()),
                styled(text, Style::new().bold())
            );
        }
    }

    /// Ends a step and gives the reader time.
    pub async fn step(&mut self, name: &'static str, expected: &str, observed: String, ok: bool) {
        if !self.json {
            let mark = if ok {
                styled("as told", Style::new().green())
            } else {
                styled("NOT AS TOLD", Style::new().red())
            };
            println!("    {} {}", styled("→", Style::new().dimmed()), safe(&observed));
            println!("    {mark}");
        }
        self.steps.push(Step { name, expected: expected.to_owned(), observed, ok });
        if self.paced {
            tokio::time::sleep(READING_TIME).await;
        }
    }

    /// The story could not go on.
    pub fn broke(&mut self, why: &str) {
        if !self.json {
            println!("\n{} {}", styled("The story broke off:", Style::new().red()), safe(why));
        }
        self.broken = Some(why.to_owned());
    }

    /// Prints the end. True when every step went as told.
    pub fn finish(&self, next: &[String]) -> bool {
        let ok = self.broken.is_none() && !self.steps.is_empty() && self.steps.iter().all(|step| step.ok);
        if self.json {
            let document =
                serde_json::json!({ "ok": ok, "error": self.broken, "steps": self.steps, "next": next });
            println!("{document}");
            return ok;
        }
        let good = self.steps.iter().filter(|step| step.ok).count();
        println!("\n{} of {} steps went as told.\n\nWhat to try next:", good, self.steps.len());
        for line in next {
            println!("  {}", safe(line));
        }
        println!();
        ok
    }
}

fn styled(text: &str, style: Style) -> String {
    format!("{}", text.if_supports_color(Stream::Stdout, |text| text.style(style)))
}
