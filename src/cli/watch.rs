//! `countersign watch`: what the watchdogs see, asked beside the daemon.

use std::{fmt::Write as _, path::PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Exit,
    org_side::load_settings,
    show::safe,
    status,
    tables::{Cell, Page, Table},
};
use crate::{
    clock::Clock,
    config::Settings,
    domain::{
        Alarm, Watchdog,
        alarm::{IdleApprovers, Looked},
    },
    jobs::watch::{self, Limits},
    ledger::{Ledger, LedgerError},
};

/// Tell what goes wrong slowly: each watchdog, what it found, and what to do about it.
///
/// The ledger and its disk are looked at now; what only the running daemon knows, its stream and the org's
/// API calls, is told as the daemon noted it. No API call is made. Exit code 0: all quiet; 1: something is
/// wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable answer.
    #[arg(long)]
    json: bool,
}

/// How one watchdog stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It found something.
    Alarm,
    /// It found nothing.
    Quiet,
    /// It could not look.
    Unknown,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Alarm => "ALARM",
            Self::Quiet => "quiet",
            Self::Unknown => "?",
        }
    }
}

#[derive(Debug, Serialize)]
struct Row {
    code: Watchdog,
    state: State,
    /// What it found, or why it could not look.
    found: Vec<String>,
    /// What to do about it.
    next_step: &'static str,
}

#[derive(Debug, Serialize)]
struct Report {
    at: Timestamp,
    /// When the daemon last looked.
    daemon_looked_at: Option<Timestamp>,
    watchdogs: Vec<Row>,
}

/// Looks and prints.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let settings = load_settings(args.config.as_deref())?;
    let ledger = status::open(None, args.config).await?;
    let report = look(&ledger, &settings, Clock::system().now()).await?;
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&report)?),
        false => print!("{}", text(&report)),
    }
    let wrong = report.watchdogs.iter().any(|row| row.state == State::Alarm);
    Ok(if wrong { Exit::Failed } else { Exit::Done })
}

/// Every watchdog as it stands.
async fn look(ledger: &Ledger, settings: &Settings, now: Timestamp) -> Result<Report, LedgerError> {
    let limits = Limits::of(settings);
    let looked = ledger.looked().await?;
    let silent = watch::silent(looked.as_ref(), &limits, now);
    let mut alarms = watch::look(ledger, &limits, now).await?;
    if silent.is_none() {
        alarms.extend(
            looked.iter().flat_map(|looked| &looked.alarms).filter(|alarm| is_live(alarm.code)).cloned(),
        );
    }
    let idle = ledger.idle_approvers().await?;
    Ok(report(now, looked.as_ref(), (alarms, silent), idle.as_ref()))
}

/// Whether only the running daemon can tell.
fn is_live(dog: Watchdog) -> bool {
    matches!(dog, Watchdog::StreamLate | Watchdog::ApiBudget)
}

fn report(
    at: Timestamp,
    looked: Option<&Looked>,
    (mut alarms, silent): (Vec<Alarm>, Option<Alarm>),
    idle: Option<&IdleApprovers>,
) -> Report {
    let is_silent = silent.is_some();
    alarms.extend(silent);
    let row = |code: Watchdog| {
        let found: Vec<String> =
            alarms.iter().filter(|alarm| alarm.code == code).map(|alarm| alarm.words.clone()).collect();
        let blind = match code {
            _ if is_live(code) && is_silent => Some("only a running daemon can tell"),
            Watchdog::ApproverInactive if idle.is_none() => Some("the job approvers has not looked yet"),
            _ => None,
        };
        let (state, found) = match (found.is_empty(), blind) {
            (false, _) => (State::Alarm, found),
            (true, Some(why)) => (State::Unknown, vec![why.to_owned()]),
            (true, None) => (State::Quiet, found),
        };
        Row { code, state, found, next_step: code.next_step() }
    };
    Report {
        at,
        daemon_looked_at: looked.map(|looked| looked.at),
        watchdogs: Watchdog::ALL.into_iter().map(row).collect(),
    }
}

/// The same as a page.
pub async fn page_of(ledger: &Ledger, settings: &Settings, now: Timestamp) -> Result<Page, LedgerError> {
    let report = look(ledger, settings, now).await?;
    let row = |row: &Row| {
        let next = if row.state == State::Alarm { row.next_step } else { "" };
        vec![
            Cell::Name(row.code.name().to_owned()),
            Cell::Name(row.state.word().to_owned()),
            Cell::Text(row.found.join("; ")),
            Cell::Text(next.to_owned()),
        ]
    };
    let table = Table {
        title: "Watchdogs".to_owned(),
        empty: "There are none.",
        head: vec!["Watchdog", "State", "What it found", "What to do"],
        rows: report.watchdogs.iter().map(row).collect(),
    };
    let looked = match report.daemon_looked_at {
        Some(at) => format!("The daemon looked last at {at}."),
        None => "No daemon has looked yet.".to_owned(),
    };
    let words = vec![format!("What goes wrong slowly, at {now}. {looked}")];
    Ok(Page { title: "Health".to_owned(), words, tables: vec![table] })
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for row in &report.watchdogs {
        let head = format!("{:<5}  {:<17}", row.state.word(), row.code.name());
        let _ = writeln!(out, "{}", head.trim_end());
        for words in &row.found {
            let _ = writeln!(out, "         {}", safe(words));
        }
        if row.state == State::Alarm {
            let _ = writeln!(out, "         do: {}", row.next_step);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_known_is_not_called_quiet() {
        let at = Timestamp::UNIX_EPOCH;
        let state =
            |report: &Report, code| report.watchdogs.iter().find(|row| row.code == code).unwrap().state;
        let silent = Alarm::new(Watchdog::DaemonSilent, "no daemon");
        let told = report(at, None, (Vec::new(), Some(silent)), None);
        assert_eq!(state(&told, Watchdog::DaemonSilent), State::Alarm);
        assert_eq!(state(&told, Watchdog::StreamLate), State::Unknown);
        assert_eq!(state(&told, Watchdog::ApproverInactive), State::Unknown);
        assert_eq!(state(&told, Watchdog::DiskLow), State::Quiet);
        let idle = IdleApprovers { at, waiting: 0, idle: 0, first: Vec::new() };
        let told = report(at, Some(&Looked { at, alarms: Vec::new() }), (Vec::new(), None), Some(&idle));
        assert!(told.watchdogs.iter().all(|row| row.state == State::Quiet));
    }

    #[test]
    fn an_alarm_says_what_to_do() {
        let alarm = Alarm::new(Watchdog::JobFailed, "drift failed\u{1b}[31m");
        let told = text(&report(Timestamp::UNIX_EPOCH, None, (vec![alarm], None), None));
        assert!(
            told.contains("ALARM  job-failed\n         drift failed\\u{1b}[31m\n         do: "),
            "{told}"
        );
        assert!(told.contains("quiet  disk-low\n"), "{told}");
    }
}
