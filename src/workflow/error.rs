//! What can stop a step. Nothing is lost by it: the step is run again.

use crate::{
    domain::CanonicalError,
    ledger::LedgerError,
    salesforce::{SalesforceError, pubsub::StreamError},
};

/// Why a step did not finish.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// The ledger refused or failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Salesforce refused or failed.
    #[error(transparent)]
    Salesforce(#[from] SalesforceError),
    /// The event stream's side calls (schemas) failed.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A value has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The ledger holds something that this version cannot read.
    #[error("the ledger holds something unexpected: {0}")]
    Unexpected(String),
}

impl WorkflowError {
    /// Whether the ledger refused what one record's events say, rather than failed as a whole.
    pub fn is_about_one_record(&self) -> bool {
        matches!(
            self,
            Self::Ledger(
                LedgerError::PromotionOpen(_)
                    | LedgerError::NumberUsed { .. }
                    | LedgerError::StageTransition { .. }
                    | LedgerError::Unknown { .. }
                    | LedgerError::Canonical(_)
            ) | Self::Canonical(_)
        )
    }

    /// Whether running the step again cannot help: another process leads the ledger, or nobody knows
    /// whether the last transaction counts.
    pub fn ends_the_process(&self) -> bool {
        matches!(self, Self::Ledger(LedgerError::Fenced { .. } | LedgerError::InDoubt))
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Ledger(error) => error.code(),
            Self::Salesforce(error) => error.code(),
            Self::Stream(error) => error.code(),
            Self::Canonical(_) => "not-canonical",
            Self::Unexpected(_) => "ledger-unexpected",
        }
    }
}
