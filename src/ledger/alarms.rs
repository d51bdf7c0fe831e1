//! What the watchdogs ask the ledger, and what the daemon saw when it last looked. The notes are no
//! entries: they say nothing about what was done.

use serde::{Serialize, de::DeserializeOwned};

use super::{Ledger, LedgerError, Tx, append::number, db, meta::meta};
use crate::domain::{
    ObjectName, ProposalId,
    alarm::{IdleApprovers, Looked},
};

/// Notes of the watchdogs.
const LOOKED: &str = "looked";
const IDLE_APPROVERS: &str = "idle_approvers";

/// Proposals that wait for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: u64,
    /// The one that came in first.
    pub oldest: Option<ProposalId>,
}

impl Tx<'_> {
    /// Notes what the daemon sees.
    pub async fn note_looked(&mut self, looked: &Looked) -> Result<(), LedgerError> {
        self.set_meta(LOOKED, &text(looked)?).await
    }

    /// Notes who of those that should decide cannot.
    pub async fn note_idle_approvers(&mut self, found: &IdleApprovers) -> Result<(), LedgerError> {
        self.set_meta(IDLE_APPROVERS, &text(found)?).await
    }
}

impl Ledger {
    /// What the daemon saw when it last looked.
    pub async fn looked(&self) -> Result<Option<Looked>, LedgerError> {
        self.noted(LOOKED).await
    }

    /// Who could decide nothing when it was last looked at.
    pub async fn idle_approvers(&self) -> Result<Option<IdleApprovers>, LedgerError> {
        self.noted(IDLE_APPROVERS).await
    }

    async fn noted<T: DeserializeOwned>(&self, key: &'static str) -> Result<Option<T>, LedgerError> {
        let mut reader = self.reader().await?;
        let text = meta(&mut reader, key).await?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// The proposals that wait for a person and came in with the first so many entries.
    pub async fn waiting_since(&self, entries: u64) -> Result<Waiting, LedgerError> {
        let mut reader = self.reader().await?;
        let seq = number(entries)?;
        let sql = "SELECT count(*) FROM proposal WHERE stage = 'awaiting-approval' AND received_seq <= ?";
        let count: i64 = db::query(sql).bind(seq).fetch_one(&mut reader).await?.try_get(0)?;
        let sql = "SELECT id FROM proposal WHERE stage = 'awaiting-approval' AND received_seq <= ? \
                   ORDER BY received_seq LIMIT 1";
        let row = db::query(sql).bind(seq).fetch_optional(&mut reader).await?;
        let oldest = row.map(|row| row.try_get::<String>(0)).transpose()?;
        Ok(Waiting {
            count: u64::try_from(count).unwrap_or(0),
            oldest: oldest.and_then(|id| ProposalId::parse(&id).ok()),
        })
    }

    /// The objects whose lanes wait because the org has changed below them.
    pub async fn drifted(&self) -> Result<Vec<ObjectName>, LedgerError> {
        let open = |known: &crate::domain::drift::Known| {
            known.drift.as_ref().is_some_and(|(drift, _)| !drift.changes.is_empty())
        };
        let known = self.grounds().await?;
        Ok(known.iter().filter(|known| open(known)).map(|known| known.accepted.object.clone()).collect())
    }
}

fn text(note: &impl Serialize) -> Result<String, LedgerError> {
    Ok(serde_json::to_string(note)?)
}
