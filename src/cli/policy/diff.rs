//! `countersign policy diff`.

use std::path::PathBuf;

use serde_json::json;

use super::{Exit, load};
use crate::{
    config::policies::compare::{Direction, PolicyChange},
    telemetry::line::visible,
};

/// What changes in meaning from one directory of policies to another.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory with the policies in force.
    pub before: PathBuf,
    /// Directory with the candidates; the built-in policies when absent.
    pub after: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Print a table for a pull request.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// Exit code 0 when nothing gets looser, 4 when something does and a person should look.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let changes = load(Some(&args.before))?.compare(&load(args.after.as_ref())?);
    let looser = changes.iter().filter(|change| change.direction == Direction::Looser).count();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&json!({ "looser": looser, "changes": changes }))?);
    } else if args.markdown {
        println!("| | Object | Key | Before | After |\n|---|---|---|---|---|");
        for change in &changes {
            let cell = |text: &Option<String>| text.as_deref().map_or_else(String::new, markdown);
            println!(
                "| {} | {} | `{}` | {} | {} |",
                change.direction.name(),
                about(change),
                change.key,
                cell(&change.before),
                cell(&change.after)
            );
        }
    } else {
        changes.iter().for_each(|change| println!("{}", line(change)));
        println!("{} change(s) in meaning, {looser} of them looser", changes.len());
    }
    Ok(if looser == 0 { Exit::Done } else { Exit::NeedsReview })
}

fn line(change: &PolicyChange) -> String {
    let said = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{} → {}", visible(before), visible(after)),
        (None, Some(after)) => format!("+ {}", visible(after)),
        (Some(before), None) => format!("- {}", visible(before)),
        (None, None) => String::new(),
    };
    format!("{:8}  {}  {}: {said}", change.direction.name(), about(change), change.key)
}

/// The object, and the org where it is about one only.
fn about(change: &PolicyChange) -> String {
    let org = change.org.as_ref().map(|org| format!(" in {org}")).unwrap_or_default();
    format!("{}{org}", change.object)
}

/// A cell: no text of a policy may end it or become markup.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    for letter in visible(text).to_string().chars() {
        if letter.is_ascii_punctuation() && !matches!(letter, '.' | ',' | ':' | '-' | '/') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}
