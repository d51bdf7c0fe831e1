//! `countersign propose` and `countersign preview`: the command door for orchestrators.

use std::{io::Read as _, path::PathBuf};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use serde_json::json;

use super::{
    Exit, card,
    org_side::{OrgSide, load_settings},
    place,
    show::safe,
};
use crate::{
    clock::Clock,
    domain::Stage,
    gate::Outcome,
    ledger::{Ledger, LedgerError},
    workflow::{
        propose::{self, Judged, ProposeError, Submitted},
        submission::{Problem, Submission},
    },
};

/// Example for the help texts. Every name in it is invented.
const EXAMPLE: &str = r#"Example of a proposal:
  {"proposal_id": "run-42:lead-7", "object": "Lead", "record_id": "00QCs0000000001MAA",
   "patch": {"Status": "Working - Contacted"}, "confidence": 0.93,
   "reason": "Replied to the sequence and asked for a call.",
   "evaluated_at": "2026-05-01T07:25:37Z",
   "actor": {"agent": "nightly-enricher", "run": "run-42"},
   "evidence": [{"kind": "reply", "source": "mailbox", "occurred_at": "2026-05-01T06:58:00Z"}]}
The short Lead payload is taken too:
  {"recommendedStatus": "Working - Contacted", "confidence": 0.93, "reason": "..",
   "proposalId": "run-42:lead-7", "leadId": "00QCs0000000001MAA"}
Exit codes: 0 accepted and running by itself, 3 refused, 4 waits for a person, 2 bad input, 1 failed.
The same proposal sent again tells where it stands now: 0 promoted or on its way, 4 waits for a
person, 3 ended without being on the record."#;

/// Send a proposal: it is judged, recorded, and written to the record's AI fields.
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The proposal as JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

/// Show what a proposal would do; nothing is written.
#[derive(Debug, ClapArgs)]
pub struct PreviewArgs {
    #[command(flatten)]
    proposal: Args,
    /// Print the card as a page.
    #[arg(long, conflicts_with = "json")]
    html: bool,
}

/// Records the proposal and writes it to the record.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let submission = match read(&args)? {
        Ok(submission) => submission,
        Err(problems) => return Ok(print_problems(&problems, args.json)),
    };
    let side = OrgSide::open(load_settings(args.config.as_deref())?, Clock::system()).await?;
    let writer = side.proposer_writer()?;
    let submitted = propose::submit(&side.context, &writer, &submission).await;
    side.context.ledger.close().await?;
    match submitted {
        Ok(submitted) => Ok(print_submitted(&submission, submitted, args.json)),
        Err(ProposeError::Problems(problems)) => Ok(print_problems(&problems, args.json)),
        Err(ProposeError::Workflow(error)) => Err(error.into()),
    }
}

/// Shows what would happen; writes nothing anywhere.
pub async fn preview(PreviewArgs { proposal: args, html }: PreviewArgs) -> anyhow::Result<Exit> {
    let submission = match read(&args)? {
        Ok(submission) => submission,
        Err(problems) => return Ok(print_problems(&problems, args.json)),
    };
    let settings = load_settings(args.config.as_deref())?;
    // The ledger is only read: freezes, counts, signals and other proposals are part of the answer.
    // Where there is none yet, none is made; the empty one goes with the command.
    let folder = tempfile::Builder::new().prefix("countersign-preview").tempdir()?;
    let place = place::of(&settings.ledger)?;
    let ledger = match Ledger::open_read_only(&place).await {
        Err(LedgerError::Missing(_)) => folder.path().join("ledger.db").into(),
        _ => place,
    };
    let side = OrgSide::with_ledger(settings, Clock::system(), Some(ledger)).await?;
    let judged = propose::preview(&side.context, &submission).await;
    side.context.ledger.close().await?;
    match judged {
        Ok(judged) if html => {
            print!("{}", card::html(&judged.card)?);
            Ok(exit_after(judged.verdict.outcome))
        }
        Ok(judged) => Ok(print_judged(&judged, "preview", args.json)),
        Err(ProposeError::Problems(problems)) => Ok(print_problems(&problems, args.json)),
        Err(ProposeError::Workflow(error)) => Err(error.into()),
    }
}

fn read(args: &Args) -> anyhow::Result<Result<Submission, Vec<Problem>>> {
    let mut text = String::new();
    if args.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("reading the proposal from standard input")?;
    } else {
        text = std::fs::read_to_string(&args.file)
            .with_context(|| format!("reading the proposal `{}`", args.file.display()))?;
    }
    Ok(Submission::parse(&text))
}

fn print_problems(problems: &[Problem], as_json: bool) -> Exit {
    if as_json {
        println!("{}", json!({ "outcome": "invalid", "problems": problems }));
    } else {
        for problem in problems {
            println!("{}", safe(&problem.to_string()));
        }
    }
    Exit::Usage
}

fn print_submitted(submission: &Submission, submitted: Submitted, as_json: bool) -> Exit {
    match submitted {
        Submitted::Landed(judged) => print_judged(&judged, "submitted", as_json),
        Submitted::Refused(judged) => print_judged(&judged, "recorded", as_json),
        Submitted::Known(stage) => {
            let id = submission.id.as_str();
            if as_json {
                println!("{}", json!({ "proposal_id": id, "outcome": "known", "stage": stage.name() }));
            } else {
                println!("{id}: the same proposal was sent before; it is {}", stage.name());
            }
            exit_of(stage)
        }
        Submitted::OrgRefused { code, message } => {
            let id = submission.id.as_str();
            if as_json {
                println!(
                    "{}",
                    json!({ "proposal_id": id, "outcome": "org-refused", "code": code, "message": message })
                );
            } else {
                let said = if message.starts_with(&code) { message } else { format!("{code}: {message}") };
                println!("{id}: Salesforce refused the proposal fields: {}", safe(&said));
            }
            Exit::Refused
        }
    }
}

/// The exit code that tells where a proposal stands which was sent before.
fn exit_of(stage: Stage) -> Exit {
    match stage {
        Stage::Promoted | Stage::Promoting | Stage::Approved => Exit::Done,
        Stage::Received | Stage::AwaitingApproval => Exit::NeedsReview,
        Stage::Refused
        | Stage::Rejected
        | Stage::Stale
        | Stage::Expired
        | Stage::Superseded
        | Stage::Shadow
        | Stage::RolledBack => Exit::Refused,
    }
}

fn print_judged(judged: &Judged, state: &str, as_json: bool) -> Exit {
    let verdict = &judged.verdict;
    if as_json {
        let answer = json!({
            "proposal_id": judged.proposal.id, "state": state, "outcome": verdict.outcome,
            "findings": verdict.findings, "card": judged.card, "policy": verdict.policy,
        });
        println!("{answer}");
    } else {
        print!("{}", judged.card);
    }
    exit_after(verdict.outcome)
}

fn exit_after(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Promote => Exit::Done,
        Outcome::Review | Outcome::Hold => Exit::NeedsReview,
        _ => Exit::Refused,
    }
}
