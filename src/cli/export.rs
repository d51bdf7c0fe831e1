//! `countersign export`: the ledger as lines of JSON, for people and programs without the database.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Exit, moment::moment, output, status};
use crate::{
    clock::Clock,
    ledger::{
        Ledger,
        export::{End, FirstLine, LastLine, Span},
    },
};

/// Lines that are read in one go: what bounds the memory.
const PAGE: u32 = 500;

/// Write the ledger's entries as NDJSON: each with its hash, and a last line with head and count.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only entries since then: a day such as 2026-01-31, a time, or an age such as 30d or 12h.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only entries before then.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Also the values of records and the words of people, with what opens their commitments.
    #[arg(long)]
    private: bool,
    /// A new file, for its owner only; without it standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ledger: a file, or the URL of a PostgreSQL database; without it the one of the settings.
    #[arg(long, value_name = "PLACE")]
    ledger: Option<String>,
    /// Settings file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Writes the lines and, with --out, says how many.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let now = Clock::system().now();
    let since = args.since.as_deref().map(|text| moment("since", text, now)).transpose()?;
    let until = args.until.as_deref().map(|text| moment("until", text, now)).transpose()?;
    let ledger = status::open(args.ledger, args.config).await?;
    let span = ledger.span(since, until).await?;
    let Some(path) = args.out else {
        let mut out = BufWriter::new(io::stdout());
        return match write(&ledger, span, args.private, &mut out).await {
            Err(error) if error.downcast_ref().is_some_and(output::is_closed) => Ok(Exit::Failed),
            written => written.map(|_| Exit::Done),
        };
    };
    let file = output::create(&path)?;
    let mut out = BufWriter::new(&file);
    let count = write(&ledger, span, args.private, &mut out).await?;
    drop(out);
    file.sync_all()?;
    println!("{count} entries written to {}", path.display());
    println!("check it with: countersign verify --export {}", path.display());
    Ok(Exit::Done)
}

/// Writes every line of a span and the last line. Returns how many entries there are.
pub async fn write(
    ledger: &Ledger,
    mut span: Span,
    private: bool,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<u64> {
    let bar = ProgressBar::with_draw_target(
        Some(span.up_to.saturating_sub(span.after)),
        ProgressDrawTarget::stderr(),
    );
    bar.set_style(ProgressStyle::with_template("{bar:30} {pos} entries, {elapsed} so far, {eta} to go")?);
    let first = FirstLine { start: span.start.clone() };
    serde_json::to_writer(&mut *out, &first).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    let mut count: u64 = 0;
    loop {
        let lines = ledger.lines(&mut span, (private, PAGE)).await?;
        if lines.is_empty() {
            break;
        }
        for line in &lines {
            serde_json::to_writer(&mut *out, line).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
        count += lines.len() as u64;
        bar.set_position(count);
    }
    let last = LastLine { end: End { count: count.to_string(), private, head: span.head } };
    serde_json::to_writer(&mut *out, &last).map_err(io::Error::from)?;
    out.write_all(b"\n")?;
    out.flush()?;
    bar.finish_and_clear();
    Ok(count)
}
