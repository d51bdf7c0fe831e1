//! An export, checked without a database.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use super::{
    Report, cores,
    entry::{Parts, Stored},
    walk::Walk,
};
use crate::ledger::{
    LedgerError,
    export::{End, LastLine, Line},
};

/// Lines that are checked in one go.
const PAGE: usize = 1000;

/// Longest line that is read: far beyond every entry.
const MOST_BYTES: u64 = 64 << 20;

/// Checks a file that `countersign export` wrote: hashes, links, form, commitments, and that it is
/// whole. It may begin anywhere in the chain.
///
/// `progress` is told after each thousand entries.
pub fn verify_export(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Report, LedgerError> {
    let file = File::open(path)
        .map_err(|error| LedgerError::NotAnExport { path: path.to_owned(), reason: error.to_string() })?;
    let mut report = Report::default();
    let mut lines = Lines { input: BufReader::new(file), number: 0, end: None };
    let mut walk = Walk::part();
    loop {
        let page = lines.page(&mut report);
        let is_last = page.len() < PAGE;
        for checked in cores::check_all(page) {
            walk.entry(checked, &mut report);
        }
        progress(report.entries);
        if is_last {
            break;
        }
    }
    walk.end().1.clone_into(&mut report.head);
    compare(lines.end, &walk, &mut report);
    Ok(report)
}

fn compare(end: Option<End>, walk: &Walk, report: &mut Report) {
    let Some(end) = end else {
        report.damage("export-cut", None, "the last line is missing: the file was cut, or is no export");
        return;
    };
    if end.count != report.entries.to_string() {
        let what = format!("{} entries stand in the file, its last line says {}", report.entries, end.count);
        report.damage("export-count", None, what);
    }
    if walk.org().is_some_and(|org| org != end.org) {
        report.damage("entry-other-org", None, "the last line names another org than the entries");
    }
    let (seq, hash) = walk.end();
    let head: Option<u64> = end.head.seq.parse().ok();
    if head.is_none_or(|head| head < seq) || (head == Some(seq) && end.head.hash != hash) {
        report.damage("head-differs", None, "the head in the last line is not the one of the entries");
    }
    report.export = Some(end);
}

/// The lines of a file.
struct Lines {
    input: BufReader<File>,
    number: u64,
    end: Option<End>,
}

impl Lines {
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
                (path, (unhex(&opening.salt).unwrap_or_default(), opening.value.get().to_owned()))
            });
            open.collect::<Parts>()
        });
        let text = line.entry.get().to_owned();
        Ok(Some(Stored { place: None, hash: line.hash, columns: None, text, parts }))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
