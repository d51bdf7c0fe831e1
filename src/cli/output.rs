//! Files that commands make: for their owner only, and never over something that is there.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;

use super::ExitWith;

/// A new file with mode 0600.
pub fn create(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| {
        let shown = path.display();
        let told = match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("output-exists: `{shown}` is there already; name another file or move it away")
            }
            _ => format!("output-refused: `{shown}` cannot be made: {error}"),
        };
        ExitWith::usage(told).into()
    })
}

/// Gives a text to whoever asked: into this new file, or to standard output.
pub fn give(text: &str, out: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = out else {
        print!("{text}");
        return Ok(());
    };
    let shown = path.display();
    create(path)?.write_all(text.as_bytes()).with_context(|| format!("writing to `{shown}`"))?;
    println!("written to {shown}");
    Ok(())
}

/// Whether an error only says that nobody reads any more, as in `countersign export | head`.
pub fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
