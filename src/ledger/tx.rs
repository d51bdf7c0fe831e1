//! Transactions: named, fenced by the writer's epoch, all or nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use tokio::sync::OwnedMutexGuard;

use super::{
    Ledger, LedgerError, db,
    meta::{set_meta, standing},
    seal,
    unwritten::Unwritten,
};
use crate::{
    crash::{self, Fate},
    domain::{Digest, Promotion, PromotionId, ProposalId, Stage},
};

/// The one connection that writes.
pub(super) struct Writer {
    pub(super) connection: db::Connection,
    /// A transaction was dropped in the middle; it is rolled back before the next one begins.
    pub(super) unfinished: bool,
}

impl Writer {
    /// Rolls back what a dropped transaction left open.
    async fn clear(&mut self) {
        if self.unfinished {
            // Fails when the database has rolled back by itself, which is as good.
            let _ = self.connection.rollback().await;
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
    in_force: u64,
    pub(super) head_seq: u64,
    pub(super) head_hash: Digest,
    appended: bool,
    /// Promotions as this transaction left them: nobody else writes while it lasts, and one step
    /// asks for the same promotion several times.
    pub(super) promotions: BTreeMap<PromotionId, Promotion>,
    /// Stages of proposals, in the same way.
    pub(super) stages: BTreeMap<ProposalId, Stage>,
    pub(super) unwritten: Unwritten,
}

impl Ledger {
    /// Begins a transaction. Where this handle leads, it is refused as soon as another process
    /// has taken the lead, and after a commit of which nobody knows whether it happened.
    pub async fn begin(&self, name: &'static str) -> Result<Tx<'_>, LedgerError> {
        let own = Some(self.inner.epoch.load(Ordering::SeqCst)).filter(|epoch| *epoch > 0);
        if own.is_some() && self.inner.in_doubt.load(Ordering::SeqCst) {
            return Err(LedgerError::InDoubt);
        }
        let tx = self.begin_as(name, own).await?;
        Ok(tx)
    }

    /// Nobody knows whether a commit happened.
    fn doubt(&self) -> LedgerError {
        self.inner.in_doubt.store(true, Ordering::SeqCst);
        LedgerError::InDoubt
    }

    pub(super) async fn begin_as(
        &self,
        name: &'static str,
        epoch: Option<u64>,
    ) -> Result<Tx<'_>, LedgerError> {
        let Some(writer) = &self.inner.writer else { return Err(LedgerError::ReadOnly) };
        let mut writer = Arc::clone(writer).lock_owned().await;
        writer.clear().await;
        if writer.connection.is_lost() {
            writer.connection = self.inner.connect(false).await?;
        }
        writer.unfinished = true;
        writer.connection.begin().await?;
        // Read after the lock was given, so nobody can change it until this transaction ends.
        let standing = standing(&mut writer.connection).await?;
        let (head_seq, head_hash) = standing.head;
        let tx = Tx {
            ledger: self,
            writer: Some(writer),
            name,
            epoch,
            in_force: standing.epoch,
            head_seq,
            head_hash,
            appended: false,
            promotions: BTreeMap::new(),
            stages: BTreeMap::new(),
            unwritten: Unwritten::default(),
        };
        match epoch {
            Some(own) if own != tx.in_force => Err(LedgerError::Fenced { own, current: tx.in_force }),
            _ => Ok(tx),
        }
    }
}

impl Drop for Tx<'_> {
    /// The lock must not outlive the transaction, or other processes would wait.
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { writer.clear().await });
        }
    }
}

impl Tx<'_> {
    /// Makes everything durable, at once. When the server is lost in the middle, nobody knows
    /// whether it happened: a leader then writes nothing more until it has taken the lead anew.
    pub async fn commit(mut self) -> Result<(), LedgerError> {
        self.write_out().await?;
        if self.appended {
            self.set_head().await?;
        }
        if crash::pass(crash::COMMIT).await == Fate::Fail {
            return Err(self.ledger.doubt());
        }
        let ended = self.own_connection().commit().await;
        if ended.is_err() && self.own_connection().is_lost() {
            return Err(self.ledger.doubt());
        }
        ended?;
        if let Some(mut writer) = self.writer.take() {
            writer.unfinished = false;
        }
        if crash::pass(crash::COMMITTED).await == Fate::Fail {
            return Err(self.ledger.doubt());
        }
        tracing::trace!(transaction = self.name, head = self.head_seq, "committed");
        Ok(())
    }

    async fn set_head(&mut self) -> Result<(), LedgerError> {
        let (seq, hash) = (self.head_seq.to_string(), self.head_hash.to_string());
        let (seq_seal, hash_seal) = (seal::of_meta("head_seq", &seq), seal::of_meta("head_hash", &hash));
        db::query(
            "INSERT INTO meta (key, value, seal) VALUES ('head_seq', ?, ?), ('head_hash', ?, ?) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, seal = excluded.seal",
        )
        .bind(seq)
        .bind(seq_seal)
        .bind(hash)
        .bind(hash_seal)
        .execute(self.own_connection())
        .await?;
        Ok(())
    }

    /// The connection, when everything that was appended has been handed to it.
    pub(super) async fn connection(&mut self) -> Result<&mut db::Connection, LedgerError> {
        if !self.unwritten.is_empty() {
            self.write_out().await?;
        }
        Ok(self.own_connection())
    }

    /// The connection as it stands: for what the rows that wait cannot change.
    pub(super) fn own_connection(&mut self) -> &mut db::Connection {
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

    /// The epoch in force when the transaction began; nobody else can change it meanwhile.
    pub(super) fn epoch_in_force(&self) -> u64 {
        self.in_force
    }

    pub(super) async fn set_meta(&mut self, key: &'static str, value: &str) -> Result<(), LedgerError> {
        set_meta(self.own_connection(), key, value).await
    }
}
