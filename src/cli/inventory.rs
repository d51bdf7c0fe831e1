//! `countersign inventory`: what is set up in the org to set governed fields, who may edit them, and which
//! connected apps have sessions.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use indicatif::ProgressBar;

use super::{
    Exit, ExitWith,
    org_side::{connect, load_policies, load_settings},
    show::{safe, table},
};
use crate::{
    clock::Clock,
    salesforce::{Inventory, Lanes, Reader, SalesforceError, SetterKind},
};

mod who;

/// Tell which active flows, Apex triggers and classes set governed fields, who may edit them, and which
/// connected apps have sessions. Reads the org and writes nothing; each active flow costs one API call.
///
/// Users are counted by profile and permission set. What the org does not show is told as not shown, never as none.
///
/// Who did set them is told by `countersign writers`. Code is looked through as text: a hint, no proof. Flows and
/// code of managed packages show no content and are named as hidden.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
    /// Name the users, where they are few enough. Names are personal data.
    #[arg(long)]
    names: bool,
}

/// Reads and prints.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let settings = load_settings(args.config.as_deref())?;
    let policies = load_policies(&settings)?;
    let reader = Reader::new(connect(&settings, &settings.promoter, &Clock::system())?);
    let identity = reader.connection().identity().await?;
    let objects = &policies.of(&identity.org_id).objects;
    let lanes: Lanes = objects
        .iter()
        .map(|(object, rules)| (object.clone(), rules.fields.keys().cloned().collect::<BTreeSet<_>>()))
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    let progress = &mut |done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    };
    let found = reader.inventory((&lanes, args.names), progress).await;
    bar.finish_and_clear();
    let found = found.map_err(refused)?;
    if args.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        print!("{}{}", text(&found), who::text(&found, args.names));
    }
    Ok(Exit::Done)
}

/// An identity that does not see Setup is told that there are no such types.
fn refused(error: SalesforceError) -> anyhow::Error {
    match error.salesforce_code() {
        Some("INVALID_TYPE" | "INVALID_FIELD" | "INSUFFICIENT_ACCESS") => ExitWith::usage(
            "setup-hidden: the promoter does not see flows and Apex code; give it View Setup and \
             Configuration, or name another identity in the settings for this command",
        )
        .into(),
        _ => error.into(),
    }
}

fn text(found: &Inventory) -> String {
    let mut out = String::new();
    if found.setters.is_empty() {
        out.push_str("nothing that was read sets a governed field\n");
    } else {
        let mut rows = vec![["field", "set by", "name"].map(str::to_owned).to_vec()];
        rows.extend(found.setters.iter().map(|one| {
            let kind = match one.kind {
                SetterKind::Flow => "flow",
                SetterKind::Trigger => "trigger",
                SetterKind::Class => "class",
            };
            vec![format!("{}.{}", one.object, one.field), kind.to_owned(), safe(&one.name)]
        }));
        out.push_str(&table(&rows));
    }
    let _ = writeln!(out, "read: {} active flow(s), {} trigger(s) and class(es)", found.flows, found.code);
    if !found.hidden.is_empty() {
        let names: Vec<String> = found.hidden.iter().map(|name| safe(name)).collect();
        let _ = writeln!(out, "content not shown by the org: {}", names.join(", "));
    }
    out
}
