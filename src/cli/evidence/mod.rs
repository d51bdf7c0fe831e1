//! `countersign evidence`: a folder for an auditor about a period. Who changed what, from which
//! value to which, on what it rested, under which rules, and who approved it when.

use std::{
    fs,
    io::{BufWriter, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Exit, ExitWith, export, moment::moment, org_side::load_settings, output, status};
use crate::{
    clock::Clock,
    domain::digest::hex,
    ledger::{
        Ledger,
        checkpoint::{Checkpoint, Signer},
        export::Span,
    },
};

mod csv;
mod page;
mod story;

use story::Told;

/// Make a folder for an auditor: a page, tables, the entries and a signed checkpoint.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// From when on: a day such as 2026-01-31, a time, or an age such as 30d.
    #[arg(long, value_name = "WHEN")]
    since: String,
    /// Before when.
    #[arg(long, value_name = "WHEN")]
    until: String,
    /// The folder to make.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The entries with their private parts: what proves that the values in the tables are the
    /// recorded ones. Without it the entries prove only the rest.
    #[arg(long)]
    private: bool,
    /// The key that signs the checkpoint; without it the one of the settings, or none.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Ledger: a file, or the URL of a PostgreSQL database; without it the one of the settings.
    #[arg(long, value_name = "PLACE")]
    ledger: Option<String>,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What the pack is about.
struct Period {
    since: Timestamp,
    until: Timestamp,
    made: Timestamp,
    org: String,
    span: Span,
}

/// Makes the folder.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let made = clock.now();
    let (since, until) = (moment("since", &args.since, made)?, moment("until", &args.until, made)?);
    if until <= since {
        return Err(ExitWith::usage("period-empty: --until must be after --since").into());
    }
    let key = match &args.key {
        Some(key) => Some(key.clone()),
        None if args.ledger.is_some() && args.config.is_none() => None,
        None => load_settings(args.config.as_deref())?.checkpoint.map(|set| set.private_key_path),
    };
    let signer = key.as_deref().map(Signer::read).transpose()?;
    let ledger = status::open(args.ledger, args.config).await?;
    let span = ledger.span(Some(since), Some(until)).await?;
    let period = Period { since, until, made, org: ledger.org_id().to_owned(), span };
    let folder = &args.out;
    fs::DirBuilder::new().mode(0o700).create(folder).map_err(|error| {
        ExitWith::usage(format!("output-refused: `{}` cannot be made: {error}", folder.display()))
    })?;
    let told = stories(&ledger, &period, folder).await?;
    let mut entries = BufWriter::new(output::create(&folder.join("entries.ndjson"))?);
    let count = export::write(&ledger, period.span.clone(), args.private, &mut entries).await?;
    if let Some(signer) = &signer {
        let tree = ledger.tree(period.span.up_to).await?;
        let note = Checkpoint::over(&period.org, &tree, made).sign(signer);
        write(folder, "checkpoint.txt", &note.to_text())?;
        write(folder, "checkpoint.pub", &format!("{}\n", signer.verifier().line()))?;
    }
    write(folder, "promotions.csv", &csv::table(&told))?;
    let signed = signer.is_some();
    write(folder, "index.html", &page::html(&period, &told, (count, args.private, signed))?)?;
    manifest(folder)?;
    println!("{} promotion(s) and {count} entries told in {}", told.len(), folder.display());
    println!("open {}/index.html; check the files with: sha256sum -c SHA256SUMS", folder.display());
    Ok(Exit::Done)
}

/// Writes the stories of the proposals that were promoted in the period, one after the other.
async fn stories(ledger: &Ledger, period: &Period, folder: &Path) -> anyhow::Result<Vec<Told>> {
    let mut out = BufWriter::new(output::create(&folder.join("stories.json"))?);
    let head = json!({ "org": period.org, "since": period.since, "until": period.until, "stories": [] });
    let head = serde_json::to_string(&head)?;
    // The list is the last key, so that it can be written piece by piece.
    let (before, after) = head.split_once("[]").unwrap_or((&head, ""));
    write!(out, "{before}[")?;
    let mut told = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for promotion in ledger.promotions_in(period.span.after, period.span.up_to).await? {
        let id = &promotion.plan.proposal_id;
        let entries = ledger.entries_for_proposal(id).await?;
        told.push(story::tell(&promotion, ledger.proposal(id).await?, &entries));
        if !seen.insert(id.clone()) {
            continue;
        }
        let entries: Vec<Value> = entries
            .iter()
            .map(|one| json!({ "seq": one.entry.seq, "at": one.entry.at, "hash": one.hash, "event": one.event }))
            .collect();
        let story = json!({ "proposal_id": id, "object": promotion.plan.object,
            "record_id": promotion.plan.record, "entries": entries });
        write!(out, "{}{story}", if seen.len() > 1 { ",\n" } else { "\n" })?;
    }
    writeln!(out, "]{after}")?;
    out.flush()?;
    Ok(told)
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let mut file = output::create(&folder.join(name))?;
    Ok(file.write_all(text.as_bytes())?)
}

/// SHA-256 of each file, in the form that `sha256sum -c` reads.
fn manifest(folder: &Path) -> anyhow::Result<()> {
    use sha2::{Digest as _, Sha256};
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.path());
    }
    names.sort();
    let mut lines = String::new();
    for path in names {
        let mut hasher = Sha256::new();
        std::io::copy(&mut fs::File::open(&path)?, &mut hasher)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        lines += &format!("{}  {name}\n", hex(&hasher.finalize()));
    }
    write(folder, "SHA256SUMS", &lines)
}
