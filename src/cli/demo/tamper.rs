//! Changing one byte of a ledger copy, as somebody with a hex editor would.

use std::path::Path;

use anyhow::Context as _;

/// Changes one letter of a recorded value or entry in the file. Returns what was done, in words.
pub fn one_byte(path: &Path) -> anyhow::Result<String> {
    let mut bytes = std::fs::read(path)?;
    let needle = b"awaiting_approval";
    let place = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .context("the ledger copy holds no entry of a waiting proposal")?;
    let letter = bytes.get_mut(place).context("the place lies inside the file")?;
    *letter = b'A';
    std::fs::write(path, bytes)?;
    Ok(format!("at offset {place}: `a` became `A`"))
}
