//! The room on the disk where the ledger's file is. A ledger on a server is its operator's to watch.

use std::path::Path;

use crate::{
    domain::alarm::{Alarm, Watchdog},
    ledger::Ledger,
};

const MEGABYTE: u64 = 1_000_000;

/// Whether less than this is free. A disk that cannot be asked is told as well.
pub(super) fn look(ledger: &Ledger, least_mb: u64) -> Option<Alarm> {
    let file = ledger.place().file()?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let words = match free_mb(folder) {
        Ok(free) if free >= least_mb => return None,
        Ok(free) => format!("{free} MB are free where the ledger is, less than {least_mb}"),
        Err(error) => format!("the room where the ledger is cannot be asked: {error}"),
    };
    Some(Alarm::new(Watchdog::DiskLow, words))
}

/// What a process without special rights may still write.
fn free_mb(folder: &Path) -> std::io::Result<u64> {
    let told = rustix::fs::statvfs(folder)?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize) / MEGABYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_of_a_folder_is_told() {
        assert!(free_mb(Path::new("/")).is_ok());
        assert!(free_mb(Path::new("/nowhere at all")).is_err());
    }
}
