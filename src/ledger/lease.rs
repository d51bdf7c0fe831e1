//! Who leads a ledger that lies on a server, and until when.
//!
//! The lease is a row with an end, by the server's clock. It only decides who begins: a leader that is
//! late, frozen or cut off is kept from writing by its epoch, which every transaction compares while it
//! holds the lock of the head. The token of the lease is that epoch; each take-over adds one.
//!
//! A ledger in a file has no lease. There the process that starts last leads.

use std::{sync::atomic::Ordering, time::Duration};

use super::{Ledger, LedgerError, Place, Tx, db};
use crate::{
    clock,
    domain::{Digest, event::Event},
};

/// The only lease of a ledger.
const NAME: &str = "lead";

/// Somebody who would lead.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who, for this run of the process.
    pub holder: String,
    /// Version of the program.
    pub version: String,
    /// The policy that it would follow.
    pub policy: Digest,
    /// How long the lease lasts without a sign of life.
    pub lasts: Duration,
}

/// Who leads, as the server tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The epoch that came with it.
    pub epoch: u64,
    /// It lasts. Else the next replica that asks takes the lead.
    pub is_held: bool,
}

/// The lease as it is found.
struct Found {
    holder: String,
    is_alive: bool,
}

impl Claim {
    /// A claim of this process, under a name that no other has.
    pub fn new(version: &str, policy: &Digest, lasts: Duration) -> Self {
        Self { holder: clock::random_id(), version: version.to_owned(), policy: policy.clone(), lasts }
    }

    fn seconds(&self) -> i64 {
        i64::try_from(self.lasts.as_secs()).unwrap_or(i64::MAX)
    }
}

async fn found(connection: &mut db::Connection, lock: bool) -> Result<Option<Found>, LedgerError> {
    let sql = if lock {
        "SELECT holder, expires > clock_timestamp() FROM lease WHERE name = ? FOR UPDATE"
    } else {
        "SELECT holder, expires > clock_timestamp() FROM lease WHERE name = ?"
    };
    let row = db::query(sql).bind(NAME).fetch_optional(connection).await?;
    row.map(|row| Ok(Found { holder: row.try_get(0)?, is_alive: row.try_get(1)? })).transpose()
}

fn is_taken(found: Option<Found>, claim: &Claim) -> bool {
    found.is_some_and(|found| found.is_alive && found.holder != claim.holder)
}

impl Ledger {
    /// Whether several replicas may stand by this ledger.
    pub fn has_lease(&self) -> bool {
        matches!(self.inner.place, Place::Server(_))
    }

    /// Takes the lead now: the epoch advances, and every process with an older one can write
    /// nothing more. Returns the new epoch. On a server the lease is taken too, from whoever holds it.
    pub async fn lead(&self, version: &str, policy: &Digest) -> Result<u64, LedgerError> {
        let claim = Claim::new(version, policy, Duration::from_secs(15));
        let tx = self.begin_as("lead taken", None).await?;
        self.take(tx, &claim).await
    }

    /// Takes the lead unless somebody else holds a living lease; `None`: somebody does.
    pub async fn try_lead(&self, claim: &Claim) -> Result<Option<u64>, LedgerError> {
        // Without a lock first, so that who stands by does not hold up who leads.
        if !self.lead_is_free(claim).await? {
            return Ok(None);
        }
        let mut tx = self.begin_as("lead taken", None).await?;
        if is_taken(found(tx.connection().await?, true).await?, claim) {
            return Ok(None);
        }
        self.take(tx, claim).await.map(Some)
    }

    /// Whether nobody else holds a living lease.
    pub async fn lead_is_free(&self, claim: &Claim) -> Result<bool, LedgerError> {
        Ok(!is_taken(found(&mut *self.reader().await?, false).await?, claim))
    }

    /// The lease as it stands; `None`: nobody ever took it, or the ledger is a file and has none.
    pub async fn lease(&self) -> Result<Option<Lease>, LedgerError> {
        if !self.has_lease() {
            return Ok(None);
        }
        let sql = "SELECT token, expires > clock_timestamp() FROM lease WHERE name = ?";
        let row = db::query(sql).bind(NAME).fetch_optional(&mut *self.reader().await?).await?;
        let lease = |row: db::Row| {
            let epoch = u64::try_from(row.try_get::<i64>(0)?).unwrap_or(0);
            Ok(Lease { epoch, is_held: row.try_get(1)? })
        };
        row.map(lease).transpose()
    }

    /// Fails with `ledger-fenced` when somebody else has taken the lead since this process did, and with
    /// `ledger-in-doubt` when a commit of any part of this process has lost its answer. It only reads:
    /// what is written is held against the epoch in its own transaction.
    pub async fn check_lead(&self) -> Result<(), LedgerError> {
        let own = self.inner.epoch.load(Ordering::SeqCst);
        if own == 0 {
            return Ok(());
        }
        if self.inner.in_doubt.load(Ordering::SeqCst) {
            return Err(LedgerError::InDoubt);
        }
        let current = super::meta::standing(&mut *self.reader().await?).await?.epoch;
        if own == current { Ok(()) } else { Err(LedgerError::Fenced { own, current }) }
    }

    async fn take(&self, mut tx: Tx<'_>, claim: &Claim) -> Result<u64, LedgerError> {
        let epoch = tx.epoch_in_force() + 1;
        tx.set_meta("epoch", &epoch.to_string()).await?;
        tx.take_epoch(epoch);
        if self.has_lease() {
            db::query(
                "INSERT INTO lease (name, holder, token, expires) \
                 VALUES (?1, ?2, ?3, clock_timestamp() + ?4 * interval '1 second') \
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, \
                 expires = excluded.expires",
            )
            .bind(NAME)
            .bind(&claim.holder)
            .bind(super::append::number(epoch)?)
            .bind(claim.seconds())
            .execute(tx.connection().await?)
            .await?;
        }
        let (version, policy) = (claim.version.clone(), claim.policy.clone());
        tx.append(&Event::Started { version, policy }).await?;
        tx.commit().await?;
        self.inner.epoch.store(epoch, Ordering::SeqCst);
        self.inner.in_doubt.store(false, Ordering::SeqCst);
        Ok(epoch)
    }

    /// A sign of life: the lease lasts that long from now on. Fails with `ledger-fenced` when
    /// somebody else has taken the lead. It has a connection of its own, so that no long transaction
    /// holds it up.
    pub async fn keep_lead(&self, claim: &Claim) -> Result<(), LedgerError> {
        let mut keeper = self.inner.keeper.lock().await;
        // Taken out, so that a connection that is given up in the middle does not come back.
        let mut connection = match keeper.take().filter(|connection| !connection.is_lost()) {
            Some(connection) => connection,
            None => self.inner.connect(false).await?,
        };
        let own = self.inner.epoch.load(Ordering::SeqCst);
        let kept = db::query(
            "UPDATE lease SET expires = clock_timestamp() + ?1 * interval '1 second' \
             WHERE name = ?2 AND holder = ?3 AND token = ?4",
        )
        .bind(claim.seconds())
        .bind(NAME)
        .bind(&claim.holder)
        .bind(super::append::number(own)?)
        .execute(&mut connection)
        .await?;
        if kept == 0 {
            let current = super::meta::standing(&mut connection).await?.epoch;
            return Err(LedgerError::Fenced { own, current });
        }
        *keeper = Some(connection);
        Ok(())
    }

    /// Lets go of the lease at a clean stop, so that another replica need not wait for its end.
    pub async fn give_up_lead(&self, claim: &Claim) -> Result<(), LedgerError> {
        let mut connection = self.inner.connect(false).await?;
        let sql = "UPDATE lease SET expires = clock_timestamp() WHERE name = ? AND holder = ?";
        db::query(sql).bind(NAME).bind(&claim.holder).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }
}
