//! An export, checked without a database.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use serde::Serialize;

use super::{
    Against, Report, checkpoints, cores,
    entry::{Parts, Stored, check},
    walk::Walk,
};
use crate::{
    domain::entry::GENESIS,
    ledger::{
        LedgerError,
        checkpoint::Tree,
        export::{End, FirstLine, LastLine, Line, Start},
    },
};

/// Lines that are checked in one go.
const PAGE: usize = 1000;

/// Longest line that is read: far beyond every entry.
const MOST_BYTES: u64 = 64 << 20;

/// What an export says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The org whose ledger it is.
    pub org: String,
    /// The place before the first entry.
    pub after: String,
    /// Whether private parts were asked for.
    pub private: bool,
    /// Entries that the ledger had.
    pub head: String,
}

/// Checks a file that `countersign export` wrote: hashes, links, form, commitments, and that it is
/// whole. It may begin anywhere in the chain.
///
/// `progress` is told after each thousand entries.
pub fn verify_export(
    path: &Path,
    against: Option<&Against>,
    progress: &mut dyn FnMut(u64),
) -> Result<Report, LedgerError> {
    let file = File::open(path)
        .map_err(|error| LedgerError::NotAnExport { path: path.to_owned(), reason: error.to_string() })?;
    let mut report = Report::default();
    let mut lines = Lines { input: BufReader::new(file), number: 0, end: None };
    let start = lines.start(&mut report);
    let mut walk = begin(start.as_ref(), &mut report).watch(against.map(|against| &against.log));
    loop {
        let page = lines.page(&mut report);
        let is_last = page.len() < PAGE;
        for checked in cores::each(page, check) {
            walk.entry(checked, &mut report);
        }
        progress(report.entries);
        if is_last {
            break;
        }
    }
    walk.end().1.clone_into(&mut report.head);
    compare(lines.end, start, &walk, &mut report);
    if let Some(against) = against {
        checkpoints::compare(against, &walk, &mut report);
    }
    Ok(report)
}

/// The walk that begins where the first line says.
fn begin(start: Option<&Start>, report: &mut Report) -> Walk {
    let Some(start) = start else { return Walk::whole(None) };
    let seq = start.after.seq.parse::<u64>().ok();
    let tree = seq.and_then(|seq| Tree::from_nodes(seq, &start.tree));
    match (seq, tree) {
        (Some(seq), Some(tree)) if seq > 0 || start.after.hash == GENESIS => {
            Walk::after((seq, start.after.hash.clone()), Some(start.org.clone()), tree)
        }
        _ => {
            report.damage("export-unreadable", None, "the place in its first line is none");
            Walk::whole(Some(start.org.clone()))
        }
    }
}

fn compare(end: Option<End>, start: Option<Start>, walk: &Walk, report: &mut Report) {
    let (Some(end), Some(start)) = (end, start) else {
        let what = "its first or last line is missing: the file was cut, or is no export";
        report.damage("export-cut", None, what);
        return;
    };
    if end.count != report.entries.to_string() {
        let what = format!("{} entries stand in the file, its last line says {}", report.entries, end.count);
        report.damage("export-count", None, what);
    }
    let (seq, hash) = walk.end();
    let head: Option<u64> = end.head.seq.parse().ok();
    if head.is_none_or(|head| head < seq) || (head == Some(seq) && end.head.hash != hash) {
        report.damage("head-differs", None, "the head in the last line is not the one of the entries");
    }
    let (org, after, private, head) = (start.org, start.after.seq, end.private, end.head.seq);
    report.export = Some(Exported { org, after, private, head });
}

/// The lines of a file.
struct Lines {
    input: BufReader<File>,
    number: u64,
    end: Option<End>,
}

impl Lines {
    /// The first line.
    fn start(&mut self, report: &mut Report) -> Option<Start> {
        let read = self.next().map_err(|error| error.to_string()).and_then(|text| {
            serde_json::from_str::<FirstLine>(&text.unwrap_or_default()).map_err(|error| error.to_string())
        });
        let told = |what| report.damage("export-unreadable", None, format!("line 1: {what}"));
        read.map_err(told).ok().map(|line| line.start)
    }

    /// The next lines; fewer than a page at the end.
    fn page(&mut self, report: &mut Report) -> Vec<Stored> {
        let mut page = Vec::with_capacity(PAGE);
        while page.len() < PAGE {
            match self.next() {
                Ok(Some(text)) => match self.read(&text) {
                    Ok(stored) => page.extend(stored),
                    Err(what) => report.damage("export-unreadable", None, what),
                },
                Ok(None) => break,
                Err(error) => {
                    report.damage("export-unreadable", None, format!("line {}: {error}", self.number));
                    break;
                }
            }
        }
        page
    }

    fn next(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        self.number += 1;
        let read = (&mut self.input).take(MOST_BYTES).read_until(b'\n', &mut bytes)?;
        if read as u64 == MOST_BYTES {
            return Err(io::Error::other("it is longer than any entry"));
        }
        let text = String::from_utf8(bytes).map_err(io::Error::other)?;
        Ok((read > 0).then_some(text))
    }

    fn read(&mut self, text: &str) -> Result<Option<Stored>, String> {
        if self.end.is_some() {
            return Err(format!("line {} stands after the last one", self.number));
        }
        let told = |error: serde_json::Error| format!("line {}: {error}", self.number);
        if text.starts_with("{\"end\":") {
            self.end = Some(serde_json::from_str::<LastLine>(text).map_err(told)?.end);
            return Ok(None);
        }
        let line: Line = serde_json::from_str(text).map_err(told)?;
        let parts = line.private.map(|parts| {
            let open = parts.into_iter().map(|(path, opening)| {
                (path, (super::unhex(&opening.salt).unwrap_or_default(), opening.value.get().to_owned()))
            });
            Ok(open.collect::<Parts>())
        });
        let text = line.entry.get().to_owned();
        Ok(Some(Stored { place: None, hash: line.hash, columns: None, text, parts }))
    }
}
