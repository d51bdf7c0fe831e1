//! `countersign signal`: evidence about records, told by the systems that saw it.

use std::{io::Read as _, path::PathBuf};

use anyhow::Context as _;
use clap::Args as ClapArgs;
use serde_json::json;

use super::{Exit, org_side, place::Place, show::safe};
use crate::{
    clock::Clock,
    domain::event::Event,
    gate::Rules,
    workflow::signal::{Signal, SignalProblem, read},
};

/// Example for the help text. Every name in it is invented.
const EXAMPLE: &str = r#"Example, one signal or a list of them:
  {"object": "Lead", "record_id": "00QCs0000000001MAA", "kind": "reply", "source": "mailbox",
   "occurred_at": "2026-05-01T06:58:00Z", "link": "https://mail.example.com/1"}
What came in counts for every later proposal for the record, by the weights of the policy. A signal
that was sent before is not recorded again.
Exit codes: 0 recorded or known, 2 bad input (nothing is recorded), 1 failed."#;

/// Record what happened on a record: a reply, a meeting, a form.
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The signals as JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Which system sends them.
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    place: Place,
}

/// Records the signals, all or none of them.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let policies = org_side::load_policies(&org_side::load_settings(args.place.config.as_deref())?)?;
    let clock = Clock::system();
    let ledger = args.place.write(&clock).await?;
    let rules = Rules::new(policies.of(ledger.org_id()).clone())?;
    let signals = match read(&text(&args.file)?, &rules, clock.now()) {
        Ok(signals) => signals,
        Err(problems) => return Ok(print(&problems, args.place.json)),
    };
    let mut tx = ledger.begin("signals received").await?;
    let mut recorded = 0_usize;
    for Signal { object, record, signal } in &signals {
        if tx.signals(record).await?.contains(signal) {
            continue;
        }
        let (object, record, signal) = (object.clone(), record.clone(), signal.clone());
        tx.append(&Event::SignalReceived { object, record, signal, by: args.by.clone() }).await?;
        recorded += 1;
    }
    tx.commit().await?;
    let known = signals.len() - recorded;
    if args.place.json {
        println!("{}", json!({ "outcome": "recorded", "recorded": recorded, "known": known }));
    } else {
        println!("{recorded} signal(s) recorded, {known} known before");
    }
    Ok(Exit::Done)
}

fn text(file: &PathBuf) -> anyhow::Result<String> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("reading the signals from standard input")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("reading `{}`", file.display()))?;
    }
    Ok(text)
}

fn print(problems: &[SignalProblem], as_json: bool) -> Exit {
    if as_json {
        println!("{}", json!({ "outcome": "invalid", "problems": problems }));
    } else {
        problems.iter().for_each(|problem| println!("{}", safe(&problem.to_string())));
    }
    Exit::Usage
}
