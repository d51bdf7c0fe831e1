//! What the daemon waits for, so that `countersign status` can tell it beside the daemon. No entry: it
//! says nothing about what was done.

use super::{Ledger, LedgerError, Tx, meta::meta};

impl Tx<'_> {
    /// Notes what is waited for; an empty text: nothing.
    pub async fn note_waiting(&mut self, words: &str) -> Result<(), LedgerError> {
        self.set_meta("waiting", words).await
    }
}

impl Ledger {
    /// What the daemon waits for, as it last said.
    pub async fn told_waiting(&self) -> Result<Option<String>, LedgerError> {
        let mut reader = self.reader().await?;
        Ok(meta(&mut reader, "waiting").await?.filter(|words| !words.is_empty()))
    }
}
