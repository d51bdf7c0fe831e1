//! An export, checked without a database.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
    sync::mpsc::sync_channel,
};

use serde::Serialize;

use super::{
    Against, Report, checkpoints, cores,
    entry::{Stored, check},
    parts::{Parts, salt},
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
    let mut lines = Lines { input: BufReader::new(file), number: 0, end: None, is_over: false };
    let start = lines.start(&mut report);
    let mut walk = begin(start.as_ref(), &mut report).watch(against);
    let org = start.as_ref().map(|start| start.org.as_str());
    let end = std::thread::scope(|scope| {
        let (pages, next) = sync_channel(1);
        // Reads the next lines while these are checked.
        let reading = scope.spawn(move || {
            while let Some(page) = lines.page() {
                if pages.send(page).is_err() {
                    break;
                }
            }
            lines.end
        });
        for page in next {
            let of_line = |line: Result<_, _>| line.and_then(|line| stored(&line)).map(|one| check(one, org));
            for checked in cores::each(page, of_line) {
                match checked {
                    Ok(checked) => walk.entry(checked, &mut report),
                    Err(what) => report.damage("export-unreadable", None, what),
                }
            }
            progress(report.entries);
        }
        reading.join().expect("reading lines does not panic")
    });
    walk.end().1.clone_into(&mut report.head);
    walk.tell_erased(&mut report);
    compare(end, start, &walk, &mut report);
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
    if end.private && walk.withheld() > 0 {
        let what = format!("{} entries lack the private parts that its last line speaks of", walk.withheld());
        report.damage("export-private", None, what);
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
    is_over: bool,
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

    /// The next lines, and what is wrong with some; `None` at the end.
    fn page(&mut self) -> Option<Vec<Result<(u64, String), String>>> {
        let mut page = Vec::with_capacity(PAGE);
        while page.len() < PAGE && !self.is_over {
            match self.next() {
                Ok(Some(_)) if self.end.is_some() => {
                    page.push(Err(format!("line {} stands after the last one", self.number)));
                }
                Ok(Some(text)) if text.starts_with("{\"end\":") => {
                    match serde_json::from_str::<LastLine>(&text) {
                        Ok(line) => self.end = Some(line.end),
                        Err(error) => page.push(Err(format!("line {}: {error}", self.number))),
                    }
                }
                Ok(Some(text)) => page.push(Ok((self.number, text))),
                Ok(None) => self.is_over = true,
                Err(error) => {
                    page.push(Err(format!("line {}: {error}", self.number)));
                    self.is_over = true;
                }
            }
        }
        Some(page).filter(|page| !page.is_empty())
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
}

/// An entry of a line.
fn stored((number, text): &(u64, String)) -> Result<Stored<'static>, String> {
    let line: Line = serde_json::from_str(text).map_err(|error| format!("line {number}: {error}"))?;
    let parts = line.private.map(|parts| {
        let mut open = Parts::default();
        for (path, opening) in parts {
            open.insert(path.into(), salt(&opening.salt), opening.value.get().to_owned().into());
        }
        open
    });
    let text = line.entry.get().to_owned().into();
    Ok(Stored { place: None, hash: line.hash.into(), columns: None, text, parts })
}
