//! A copy of the ledger in one file, also while a daemon writes to it.

use std::{fs::File, path::Path};

use sqlx::Connection as _;

use super::{Ledger, LedgerError, open::connect};

impl Ledger {
    /// Copies the ledger as it stands into a file that exists and is empty. Nothing that was deleted
    /// is in the copy, and the writer goes on meanwhile.
    pub async fn backup_to(&self, path: &Path) -> Result<(), LedgerError> {
        let mut connection = connect(&self.inner.path, false).await?;
        let target = path.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO ?").bind(target).execute(&mut connection).await?;
        connection.close().await?;
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| LedgerError::Database(error.to_string()))
    }
}
