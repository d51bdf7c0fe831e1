//! A file of checkpoints, one note after the other. Lines are only added, so the file may be one
//! that its writer cannot change otherwise.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{
    CheckpointError,
    note::{Note, SIGNATURE},
};

/// Ends a line that a crash cut, so that it is none of a note.
const CUT: &str = " (cut)\n";

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Its notes, oldest first.
    pub notes: Vec<Note>,
    /// Pieces that are no notes: what a crash while writing leaves.
    pub pieces: usize,
}

/// Reads a file; one that is not there is an error.
pub fn read(path: &Path) -> Result<Log, CheckpointError> {
    let bytes = fs::read(path).map_err(|error| file(path, "read", &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let log = parse(&text);
    if log.notes.is_empty() && !text.trim().is_empty() {
        return Err(file(path, "read", &io::Error::other("there is no checkpoint in it")));
    }
    Ok(log)
}

/// Adds a note and waits until it is on the disk. The file is made with mode 0600 when absent.
pub fn append(path: &Path, note: &Note) -> Result<(), CheckpointError> {
    let write = || -> io::Result<()> {
        let mut out = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let is_cut = fs::read(path)?.last().is_some_and(|last| *last != b'\n');
        let text = format!("{}{}", if is_cut { CUT } else { "" }, note.to_text());
        out.write_all(text.as_bytes())?;
        out.sync_all()
    };
    write().map_err(|error| file(path, "written", &error))
}

fn file(path: &Path, what: &'static str, error: &io::Error) -> CheckpointError {
    CheckpointError::File { path: path.to_owned(), what, reason: error.to_string() }
}

/// A note begins after the signatures of the one before. A piece of a note is left behind when the
/// next one's first line comes where none can stand.
fn parse(text: &str) -> Log {
    let mut log = Log::default();
    let (mut body, mut signatures, mut is_body) = (String::new(), Vec::new(), true);
    let mut end = |body: &mut String, signatures: &mut Vec<String>| {
        let (body, signatures) = (std::mem::take(body), std::mem::take(signatures));
        match Note::of(body.clone(), signatures) {
            Some(note) => log.notes.push(note),
            None if body.is_empty() => {}
            None => log.pieces += 1,
        }
    };
    for line in text.split_inclusive('\n') {
        if line.starts_with(SIGNATURE) {
            // One that was cut has no end of the line, or was marked when the file was taken up again.
            if line.ends_with('\n') && !line.ends_with(CUT) {
                signatures.push(line.to_owned());
            }
            is_body = false;
        } else if line == "\n" {
            is_body = false;
        } else {
            if !is_body || line.starts_with("countersign/") {
                end(&mut body, &mut signatures);
                is_body = true;
            }
            body.push_str(line);
        }
    }
    end(&mut body, &mut signatures);
    log
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::checkpoint::{Checkpoint, Signer, Tree};

    fn note(signer: &Signer, size: u8) -> Note {
        let mut tree = Tree::default();
        (0..size).for_each(|leaf| tree.push([leaf; 32]));
        Checkpoint::over("00D000000000001EAA", &tree, jiff::Timestamp::UNIX_EPOCH).sign(signer)
    }

    #[test]
    fn notes_are_read_back_wherever_a_crash_cut_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.txt");
        let signer = Signer::generate().unwrap().0;
        let notes = [note(&signer, 1), note(&signer, 7)];
        append(&path, &notes[0]).unwrap();
        let one = fs::read(&path).unwrap();
        append(&path, &notes[1]).unwrap();
        let both = fs::read(&path).unwrap();
        assert_eq!(read(&path).unwrap(), Log { notes: notes.to_vec(), pieces: 0 });
        for cut in one.len() + 1..both.len() {
            fs::write(&path, &both[..cut]).unwrap();
            let read_back = read(&path).unwrap();
            assert_eq!((&read_back.notes[..], read_back.pieces > 0), (&notes[..1], true), "{cut}");
            append(&path, &notes[1]).unwrap();
            let read_back = read(&path).unwrap();
            assert_eq!((&read_back.notes[..], read_back.pieces > 0), (&notes[..], true), "{cut}");
        }
        fs::write(&path, "notes about something else\n").unwrap();
        assert_eq!(read(&path).unwrap_err().code(), "checkpoint-file");
        assert_eq!(read(&folder.path().join("absent")).unwrap_err().code(), "checkpoint-file");
    }

    #[test]
    fn a_changed_note_is_not_signed() {
        let (signer, other) = (Signer::generate().unwrap().0, Signer::generate().unwrap().0);
        let note = note(&signer, 7);
        assert!(note.is_signed_by(signer.verifier()) && !note.is_signed_by(other.verifier()));
        let org = "00D000000000001EAA";
        assert!(note.check(org, signer.verifier()).is_ok());
        assert_eq!(note.check(org, other.verifier()).unwrap_err().code(), "checkpoint-signature");
        assert_eq!(note.check("00D1", signer.verifier()).unwrap_err().code(), "checkpoint-other-org");
        let changed = parse(&note.to_text().replace("\n7\n", "\n8\n"));
        assert!(!changed.notes[0].is_signed_by(signer.verifier()));
    }
}
