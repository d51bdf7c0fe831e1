//! `countersign checkpoint`: signed statements about the ledger, and accepting a restore.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::{Exit, ExitWith, freeze::words, org_side::load_settings, output, place::Place};
use crate::{
    clock::Clock,
    config::CheckpointSettings,
    domain::{event::Event, restore::Restore},
    ledger::{
        Ledger,
        checkpoint::{CheckpointError, Keeper, Note, Signer, disagreement, read},
    },
};

/// Sign what the ledger holds: how many entries, and the head of the Merkle tree over them. Kept
/// elsewhere, it finds a history that was written anew, a cut tail and an older file put back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make a key for signing, for its owner only, and FILE.pub for everybody; nothing is signed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "out", "accept_restore"])]
    new_key: Option<PathBuf>,
    /// The key that signs; without it the one of the settings.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Add the checkpoint to this file, whose last one the ledger must meet; without it, it is
    /// printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Accept that the ledger is older than, or another than, its last checkpoint says. The reason
    /// is recorded in the ledger, with what is lost.
    #[arg(long, value_name = "REASON", requires = "by")]
    accept_restore: Option<String>,
    /// Who accepts it.
    #[arg(long, value_name = "NAME", requires = "accept_restore")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Signs, makes a key, or accepts.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    if let Some(path) = &args.new_key {
        return new_key(path, args.place.json);
    }
    let set = match (&args.key, &args.out) {
        (Some(_), Some(_)) => None,
        (Some(_), None) if args.accept_restore.is_none() => None,
        _ => load_settings(args.place.config.as_deref())?.checkpoint,
    };
    let key = args.key.clone().or_else(|| set.as_ref().map(|set| set.private_key_path.clone()));
    let key = key.ok_or_else(|| {
        ExitWith::usage("checkpoint-key-missing: name one with --key, or set `checkpoint.private_key_path`")
    })?;
    let signer = Signer::read(&key)?;
    let clock = Clock::system();
    if let (Some(reason), Some(by)) = (&args.accept_restore, &args.by) {
        let path = args.out.clone().or_else(|| set.map(|set| set.path)).ok_or_else(|| {
            ExitWith::usage(
                "checkpoint-file-missing: name the file of checkpoints with --out, or set `checkpoint.path`",
            )
        })?;
        let told = (words(reason, "--accept-restore")?, words(by, "--by")?);
        let note = accept(&args.place, (signer, path), told, &clock).await?;
        return say(&note, args.place.json);
    }
    let ledger = args.place.read().await?;
    let Some(path) = args.out else {
        let note = Keeper::now(&ledger, &signer, &clock).await?;
        if args.place.json {
            return say(&note, true);
        }
        print!("{}", note.to_text());
        return Ok(Exit::Done);
    };
    match Keeper::open(ledger, signer, path.clone(), clock).await?.write().await? {
        Some(note) => say(&note, args.place.json),
        None => {
            let notes = read(&path)?.notes;
            say(notes.last().context("the file has a checkpoint")?, args.place.json)
        }
    }
}

fn say(note: &Note, as_json: bool) -> anyhow::Result<Exit> {
    let checkpoint = &note.checkpoint;
    if as_json {
        println!(
            "{}",
            json!({ "origin": checkpoint.origin, "entries": checkpoint.size, "root": checkpoint.root,
                "at": checkpoint.at, "note": note.to_text() })
        );
    } else {
        println!(
            "checkpoint over {} entries, root {}, at {}",
            checkpoint.size, checkpoint.root, checkpoint.at
        );
    }
    Ok(Exit::Done)
}

fn new_key(path: &Path, as_json: bool) -> anyhow::Result<Exit> {
    use std::io::Write as _;
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    let public = PathBuf::from(name);
    let (signer, line) = Signer::generate().map_err(anyhow::Error::msg)?;
    let mut file = output::create(path)?;
    writeln!(file, "{line}")?;
    file.sync_all()?;
    let mut file = output::create(&public)?;
    writeln!(file, "{}", signer.verifier().line())?;
    if as_json {
        println!("{}", json!({ "private": path, "public": public, "line": signer.verifier().line() }));
    } else {
        println!("{}", signer.verifier().line());
        println!(
            "give {} to whoever checks, and keep {} where only the daemon reads it",
            public.display(),
            path.display()
        );
    }
    Ok(Exit::Done)
}

/// Records what is accepted and what is lost, then signs what there is.
async fn accept(
    place: &Place,
    (signer, path): (Signer, PathBuf),
    (reason, by): (String, String),
    clock: &Clock,
) -> anyhow::Result<Note> {
    let log = read(&path)?;
    let ledger = place.write(clock).await?;
    if let Some(last) = log.notes.last() {
        last.check(ledger.org_id(), signer.verifier())?;
    }
    let found = disagreement(&ledger, &log.notes).await?.ok_or(CheckpointError::Agrees)?;
    let restore = Restore {
        agreed: found.agreed,
        lost: found.last.size,
        root: found.last.root,
        by,
        reason,
        at: clock.now(),
    };
    let mut tx = ledger.begin("restore accepted").await?;
    tx.append(&Event::RestoreAccepted { restore }).await?;
    tx.commit().await?;
    let note = Keeper::now(&ledger, &signer, clock).await?;
    crate::ledger::checkpoint::append(&path, &note)?;
    Ok(note)
}

/// The keeper of the daemon's checkpoints, where the settings name a file. Refuses a ledger that
/// does not meet the last one.
pub async fn keeper(
    set: Option<&CheckpointSettings>,
    ledger: &Ledger,
    clock: &Clock,
) -> anyhow::Result<Option<Keeper>> {
    let Some(set) = set else { return Ok(None) };
    let signer = Signer::read(&set.private_key_path)?;
    if !set.path.exists() {
        tracing::warn!(path = %set.path.display(), "there is no checkpoint yet: the ledger is taken as it is");
    }
    let opened = Keeper::open(ledger.clone(), signer, set.path.clone(), clock.clone()).await;
    Ok(Some(opened.context("comparing the ledger with its checkpoints")?))
}
