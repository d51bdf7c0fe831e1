//! The reports as people get them: by the commands, over the ledger that the daemon wrote.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use countersign::{
    cli::{form::Form, shadow},
    workflow::Context,
};
use jiff::Timestamp;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");

/// The ledger of a story.
pub struct Reports {
    pub ledger: PathBuf,
}

impl Reports {
    /// What a command says.
    pub fn told(&self, words: &[&str]) -> String {
        let done = Command::new(BINARY).args(words).arg("--ledger").arg(&self.ledger).output();
        let done = done.expect("the command starts");
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words:?}: {error}");
        String::from_utf8(done.stdout).expect("text")
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.told(&[words, &["--json"]].concat())).expect("JSON")
    }

    /// Scorecards count back from a moment. For the story that is its own time and not the machine's, so
    /// they are made by the command's code and not by the command.
    pub async fn cards(&self, context: &Context, form: Form, now: Timestamp) -> String {
        shadow::tell(&context.ledger, form, now).await.expect("scorecards")
    }

    /// Writes every report as text and as a page into a folder, for people to look at.
    pub async fn write(&self, context: &Context, now: Timestamp, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
        for (name, words) in [
            ("decay.txt", &["decay", "report"][..]),
            ("decay.html", &["decay", "report", "--format", "html"]),
            ("decay.csv", &["decay", "report", "--format", "csv"]),
            ("decay-list.txt", &["decay", "list"]),
            ("reconcile.txt", &["reconcile", "report"]),
            ("reconcile.html", &["reconcile", "report", "--format", "html"]),
            ("reconcile-list.txt", &["reconcile", "list"]),
            ("writers.txt", &["writers"]),
            ("writers.html", &["writers", "--format", "html"]),
            ("verify.txt", &["verify"]),
        ] {
            put(name, &self.told(words));
        }
        put("scorecard.txt", &self.cards(context, Form::Text, now).await);
        put("scorecard.html", &self.cards(context, Form::Html, now).await);
    }
}
