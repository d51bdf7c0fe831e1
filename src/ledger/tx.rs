//! Transactions: named, fenced by the writer's epoch, all or nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use sqlx::SqliteConnection;
use tokio::sync::OwnedMutexGuard;

use super::{Ledger, LedgerError, open::meta, seal};
use crate::{
    crash::{self, Fate},
    domain::{Digest, Promotion, PromotionId},
};

/// The one connection that writes.
pub(super) struct Writer {
    pub(super) connection: SqliteConnection,
    /// A transaction was dropped in the middle; it is rolled back before the next one begins.
    pub(super) unfinished: bool,
}

impl Writer {
    /// Rolls back what a dropped transaction left open.
    async fn clear(&mut self) {
        if self.unfinished {
            // Fails when the database has rolled back by itself, which is as good.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            self.unfinished = false;
        }
    }
}

/// A transaction. Dropped without [`Tx::commit`], it leaves nothing behind.
pub struct Tx<'a> {
    pub(super) ledger: &'a Ledger,
    /// There until the transaction ends.
    writer: Option<OwnedMutexGuard<Writer>>,
    name: &'static str,
    epoch: Option<u64>,
    pub(super) head_seq: u64,
    pub(super) head_hash: Digest,
    appended: bool,
    /// Promotions as this transaction left them: nobody else writes while it lasts, and one step
    /// asks for the same promotion several times.
    pub(super) promotions: BTreeMap<PromotionId, Promotion>,
}

impl Ledger {
    /// Begins a transaction. Where this handle leads, it is refused as soon as another process
    /// has taken the lead.
    pub async fn begin(&self, name: &'static str) -> Result<Tx<'_>, LedgerError> {
        let own = self.inner.epoch.load(Ordering::SeqCst);
        let tx = self.begin_as(name, Some(own).filter(|epoch| *epoch > 0)).await?;
        Ok(tx)
    }

    pub(super) async fn begin_as(
        &self,
        name: &'static str,
        epoch: Option<u64>,
    ) -> Result<Tx<'_>, LedgerError> {
        let Some(writer) = &self.inner.writer else { return Err(LedgerError::ReadOnly) };
        let mut writer = Arc::clone(writer).lock_owned().await;
        writer.clear().await;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut writer.connection).await?;
        writer.unfinished = true;
        let (head_seq, head_hash) = read_head(&mut writer.connection).await?;
        let mut tx = Tx {
            ledger: self,
            writer: Some(writer),
            name,
            epoch,
            head_seq,
            head_hash,
            appended: false,
            promotions: BTreeMap::new(),
        };
        if let Some(own) = epoch {
            let current = tx.epoch_in_force().await?;
            if current != own {
                return Err(LedgerError::Fenced { own, current });
            }
        }
        Ok(tx)
    }
}

impl Drop for Tx<'_> {
    /// The lock on the file must not outlive the transaction, or other processes would wait.
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { writer.clear().await });
        }
    }
}

impl Tx<'_> {
    /// Makes everything durable, at once.
    pub async fn commit(mut self) -> Result<(), LedgerError> {
        if self.appended {
            let (seq, hash) = (self.head_seq.to_string(), self.head_hash.to_string());
            self.set_meta("head_seq", &seq).await?;
            self.set_meta("head_hash", &hash).await?;
        }
        if crash::pass(crash::COMMIT).await == Fate::Fail {
            return Err(LedgerError::Database("the commit was lost".to_owned()));
        }
        sqlx::query("COMMIT").execute(self.connection()).await?;
        if let Some(mut writer) = self.writer.take() {
            writer.unfinished = false;
        }
        if crash::pass(crash::COMMITTED).await == Fate::Fail {
            return Err(LedgerError::Database("the answer to the commit was lost".to_owned()));
        }
        tracing::trace!(transaction = self.name, head = self.head_seq, "committed");
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.writer.as_mut().expect("a transaction has its connection until it ends").connection
    }

    pub(super) fn advance(&mut self, seq: u64, hash: Digest) {
        self.head_seq = seq;
        self.head_hash = hash;
        self.appended = true;
    }

    /// The epoch that entries of this transaction carry; 0 beside the leader.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.unwrap_or(0)
    }

    pub(super) fn take_epoch(&mut self, epoch: u64) {
        self.epoch = Some(epoch);
    }

    pub(super) async fn epoch_in_force(&mut self) -> Result<u64, LedgerError> {
        let text = meta(self.connection(), "epoch").await?.unwrap_or_default();
        text.parse().map_err(|_| LedgerError::Damaged(format!("epoch `{text}`")))
    }

    pub(super) async fn set_meta(&mut self, key: &'static str, value: &str) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO meta (key, value, seal) VALUES (?1, ?2, ?3) \
             ON CONFLICT (key) DO UPDATE SET value = ?2, seal = ?3",
        )
        .bind(key)
        .bind(value)
        .bind(seal::of_meta(key, value))
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

pub(super) async fn read_head(connection: &mut SqliteConnection) -> Result<(u64, Digest), LedgerError> {
    let seq = meta(connection, "head_seq").await?.and_then(|text| text.parse().ok());
    let hash = meta(connection, "head_hash").await?.map(Digest::from_hex);
    seq.zip(hash).ok_or_else(|| LedgerError::Damaged("the head of the chain is not readable".to_owned()))
}
