//! A copy of the ledger in one file, also while a daemon writes to it.

use std::{fs::File, path::Path};

use super::{
    Ledger, LedgerError,
    db::{self, sqlite},
};

impl Ledger {
    /// Copies the ledger as it stands into a file that exists and is empty. Nothing that was deleted
    /// is in the copy, and the writer goes on meanwhile. Only for a ledger that is a file.
    pub async fn backup_to(&self, path: &Path) -> Result<(), LedgerError> {
        let file = self.inner.place.file().ok_or(LedgerError::NoFile)?;
        let mut connection = sqlite::connect(file, false).await?;
        let target = path.to_string_lossy().into_owned();
        db::query("VACUUM INTO ?").bind(target).execute(&mut connection).await?;
        connection.close().await?;
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| LedgerError::Database(error.to_string()))
    }
}
