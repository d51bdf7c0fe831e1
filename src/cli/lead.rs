//! Taking the lead of a ledger and keeping it: at once where the ledger is a file, by lease where
//! several replicas stand by one server.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{front::Front, org_side::OrgSide};
use crate::{
    http::Status,
    ledger::{Claim, Ledger, LedgerError},
    workflow::WorkflowError,
};

/// A lead that was taken.
pub struct Lead {
    /// The epoch of the ledger.
    pub epoch: u64,
    ledger: Ledger,
    claim: Claim,
}

impl Lead {
    /// Takes the lead, or stands by until it is free and then gives `None`: what was compared and
    /// described before the wait is old, so whoever wants to lead begins anew. While the server cannot
    /// be reached, it is tried again.
    pub async fn take(side: &OrgSide, front: &Front) -> anyhow::Result<Option<Self>> {
        let (ledger, rules) = (side.context.ledger.clone(), &side.context.rules);
        let lasts = Duration::from_secs(side.settings.ledger.lease_seconds);
        let claim = Claim::new(env!("CARGO_PKG_VERSION"), rules.digest(), lasts);
        if !ledger.has_lease() {
            let epoch = ledger.lead(&claim.version, &claim.policy).await?;
            return Ok(Some(Self { epoch, ledger, claim }));
        }
        match ledger.try_lead(&claim).await {
            Ok(Some(epoch)) => {
                tracing::info!(epoch, "the lease is taken");
                return Ok(Some(Self { epoch, ledger, claim }));
            }
            Ok(None) => {
                let address = front.address.map(|address| address.to_string()).unwrap_or_default();
                tracing::info!(%address, "standing by: another replica leads");
                front.say(Status::Standby, Vec::new());
            }
            Err(error) => pass(error, front)?,
        }
        loop {
            tokio::time::sleep(lasts / 3).await;
            match ledger.lead_is_free(&claim).await {
                Ok(true) => return Ok(None),
                Ok(false) => front.say(Status::Standby, Vec::new()),
                Err(error) => pass(error, front)?,
            }
        }
    }

    /// Keeps the lease until told to stop, and then lets go of it. Tells when somebody else leads.
    pub async fn keep(self, stop: CancellationToken, ending: mpsc::Sender<WorkflowError>) {
        if !self.ledger.has_lease() {
            return;
        }
        let every = self.claim.lasts / 3;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep(every) => {}
            }
            let late = || LedgerError::Unreachable("no answer in time".to_owned());
            let kept = tokio::time::timeout(every, self.ledger.keep_lead(&self.claim)).await;
            match kept.unwrap_or_else(|_| Err(late())) {
                Ok(()) => {}
                Err(error @ LedgerError::Fenced { .. }) => {
                    // Nobody listens any more when the daemon is being stopped.
                    let _ = ending.try_send(error.into());
                    return;
                }
                Err(error) => tracing::warn!(code = error.code(), %error, "the lease was not renewed"),
            }
        }
        if let Ok(Err(error)) = tokio::time::timeout(every, self.ledger.give_up_lead(&self.claim)).await {
            tracing::warn!(code = error.code(), %error, "the lease runs out by itself");
        }
    }
}

/// Says what is waited for; an error that waiting does not cure is given back.
fn pass(error: LedgerError, front: &Front) -> Result<(), LedgerError> {
    if !is_passing(&error) {
        return Err(error);
    }
    tracing::warn!(code = error.code(), %error, "the lease cannot be asked for");
    front.say(Status::Waiting, vec![format!("{}: {error}", error.code())]);
    Ok(())
}

/// Whether waiting may help.
pub fn is_passing(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Unreachable(_) | LedgerError::Busy | LedgerError::InDoubt)
}
