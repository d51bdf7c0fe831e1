//! The form of what a command tells: for a terminal, a script, a spreadsheet, or as a page. Every
//! report takes the same words for it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output;

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For a terminal.
    #[default]
    Text,
    /// For a script.
    Json,
    /// For a spreadsheet.
    Csv,
    /// A page with charts, whole and by itself.
    Html,
}

/// How a report is given. Beside a flag `--json`, which every such command has.
#[derive(Debug, Args)]
pub struct Given {
    /// Form of the report; `--json` is the same as `--format json`.
    #[arg(long, value_enum, value_name = "FORM", conflicts_with = "json")]
    format: Option<Form>,
    /// Write it to this new file instead.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Given {
    /// The form that was asked for.
    pub fn form(&self, json: bool) -> Form {
        if json { Form::Json } else { self.format.unwrap_or_default() }
    }

    /// Gives the report to whoever asked.
    pub fn give(&self, text: &str) -> anyhow::Result<()> {
        output::give(text, self.out.as_deref())
    }
}
