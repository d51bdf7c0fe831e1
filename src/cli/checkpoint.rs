//! `countersign checkpoint`: signed statements about the ledger, and accepting a restore.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::json;

use super::{
    Exit, ExitWith,
    connect::connect,
    freeze::words,
    org_side::{OrgSide, load_settings},
    output,
    place::Place,
};
use crate::{
    clock::Clock,
    config::CheckpointSettings,
    domain::{event::Event, restore::Restore},
    ledger::{
        Ledger,
        checkpoint::{
            CheckpointError, Disagreement, Keeper, Note, Signer, Verifier, disagreement, read, unmet,
        },
    },
    salesforce::Reader,
    workflow::anchor::{self, AnchorError},
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
        let path = args.out.clone().or_else(|| set.as_ref().map(|set| set.path.clone())).ok_or_else(|| {
            ExitWith::usage(
                "checkpoint-file-missing: name the file of checkpoints with --out, or set `checkpoint.path`",
            )
        })?;
        let told = (words(reason, "--accept-restore")?, words(by, "--by")?);
        let note = accept((&args.place, set.as_ref()), (signer, path), told, &clock).await?;
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
    (place, set): (&Place, Option<&CheckpointSettings>),
    (signer, path): (Signer, PathBuf),
    (reason, by): (String, String),
    clock: &Clock,
) -> anyhow::Result<Note> {
    let log = read(&path)?;
    let ledger = place.write(clock).await?;
    if let Some(last) = log.notes.last() {
        last.check(ledger.org_id(), signer.verifier())?;
    }
    let in_file = disagreement(&ledger, &log.notes).await?;
    let in_org = match set {
        Some(set) => in_org(place, &ledger, (set, &signer), clock).await?,
        None => None,
    };
    let all = || in_file.iter().chain(&in_org);
    let last = all().map(|found| &found.last).max_by_key(|last| last.size).ok_or(CheckpointError::Agrees)?;
    let restore = Restore {
        agreed: all().map(|found| found.agreed).min().unwrap_or(0),
        lost: last.size,
        root: last.root.clone(),
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

/// What the checkpoints in the org say against the ledger. Where the org cannot be asked, only the
/// file counts, and this is told.
async fn in_org(
    place: &Place,
    ledger: &Ledger,
    (set, signer): (&CheckpointSettings, &Signer),
    clock: &Clock,
) -> anyhow::Result<Option<Disagreement>> {
    if set.anchor_every_seconds == 0 {
        return Ok(None);
    }
    let settings = load_settings(place.config.as_deref())?;
    let reader = Reader::new(connect(&settings, &settings.promoter, clock)?);
    let anchors = match anchor::read(&reader, ledger.org_id()).await {
        Ok(anchors) => anchors.unwrap_or_default(),
        Err(error) => {
            eprintln!("warning: the checkpoints in the org were not looked at: {error}");
            return Ok(None);
        }
    };
    let checkpoints = anchor::believed(&anchors, ledger.org_id(), &keys(set, signer.verifier())?)?;
    Ok(unmet(ledger, &checkpoints).await?)
}

/// The keys whose checkpoints are believed.
pub fn keys(set: &CheckpointSettings, own: &Verifier) -> Result<Vec<Verifier>, CheckpointError> {
    let former = set.former_keys_path.as_ref().map(|path| Verifier::read_all(path)).transpose()?;
    Ok(std::iter::once(own.clone()).chain(former.unwrap_or_default()).collect())
}

/// What keeps the daemon's checkpoints in the org, where it can. Refuses a ledger that they speak
/// against.
pub async fn anchors(
    set: Option<&CheckpointSettings>,
    side: &OrgSide,
) -> anyhow::Result<Option<anchor::Anchors>> {
    let Some(set) = set.filter(|set| set.anchor_every_seconds > 0) else { return Ok(None) };
    let signer = Signer::read(&set.private_key_path)?;
    let guarded = anchor::guard(&side.context, &keys(set, signer.verifier())?).await;
    let is_there = guarded.map_err(|error| match error {
        AnchorError::Checkpoint(error) => anyhow::Error::from(error),
        AnchorError::Workflow(error) => error.into(),
    });
    let is_there = is_there.context("comparing the ledger with its checkpoints in the org")?;
    let every = Duration::from_secs(set.anchor_every_seconds);
    Ok(is_there.then(|| anchor::Anchors::new(side.context.clone(), side.promoter_writer(), every)))
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
