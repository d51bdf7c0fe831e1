//! Objects that are left alone until somebody mends what is wrong with them: an event schema that
//! cannot be had, a field whose type has changed or that is gone.
//!
//! To go on would be to take what cannot be read for empty. Other objects are not held up. Nothing is
//! lost: the object's events stay in the inbox, its records keep their flag, and both are read when it
//! goes on again. Each sweep tries.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Context, WorkflowError, observe::object_name};
use crate::{
    domain::ObjectName,
    salesforce::{SalesforceError, names::ObjectContract},
};

/// 1 while an object is paused, by `object`.
const PAUSED: &str = "countersign_object_paused";

/// Why an object is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub words: String,
    /// First inbox batch whose events of this object were not worked on; none when an event was not
    /// the cause.
    pub from_batch: Option<i64>,
}

/// The paused objects of one org.
#[derive(Debug, Clone, Default)]
pub struct Pauses(Arc<Mutex<BTreeMap<ObjectName, Paused>>>);

impl Pauses {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Paused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// Leaves an object alone from now on; told one time.
    pub fn pause(&self, object: &ObjectName, paused: Paused) {
        let mut all = self.pauses.lock();
        if let Some(known) = all.get_mut(object) {
            known.from_batch = match (known.from_batch, paused.from_batch) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            return;
        }
        let Paused { code, words, .. } = &paused;
        tracing::error!(%code, %object, "an object is paused: {words}");
        metrics::gauge!(PAUSED, "object" => object.to_string()).set(1.0);
        all.insert(object.clone(), paused);
    }

    /// Whether an object is left alone.
    pub fn is_paused(&self, object: &str) -> bool {
        self.pauses.lock().keys().any(|paused| paused.as_str() == object)
    }

    /// The objects that are left alone.
    pub fn paused(&self) -> BTreeMap<ObjectName, Paused> {
        self.pauses.lock().clone()
    }

    /// Goes on with an object.
    pub fn resume(&self, object: &ObjectName) {
        if self.pauses.lock().remove(object).is_some() {
            tracing::info!(%object, "a paused object goes on");
            metrics::gauge!(PAUSED, "object" => object.to_string()).set(0.0);
        }
    }

    /// Does what concerns one object. What is wrong with its fields pauses it in place of failing;
    /// `None` when it is paused.
    pub async fn unless_paused<T>(
        &self,
        (contract, batch): (&ObjectContract, Option<i64>),
        work: impl Future<Output = Result<T, WorkflowError>>,
    ) -> Result<Option<T>, WorkflowError> {
        if self.is_paused(contract.object) {
            return Ok(None);
        }
        match work.await {
            Ok(done) => Ok(Some(done)),
            Err(WorkflowError::Salesforce(error)) if is_about_fields(&error) => {
                let code = error.salesforce_code().unwrap_or(error.code()).to_owned();
                let paused = Paused { code, words: error.to_string(), from_batch: batch };
                self.pause(&ObjectName::parse(contract.object).map_err(unexpected)?, paused);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Goes on with the objects that only reading had paused, where reading works again.
    pub async fn try_paused(&self) -> Result<(), WorkflowError> {
        for contract in self.governed() {
            let object = object_name_of(contract)?;
            let by_event = self.pauses.lock().get(&object).map(|paused| paused.from_batch.is_some());
            if by_event == Some(false) && self.is_readable(contract).await? {
                self.resume(&object);
            }
        }
        Ok(())
    }

    /// Whether the fields of an object are what they must be.
    pub async fn is_readable(&self, contract: &'static ObjectContract) -> Result<bool, WorkflowError> {
        let tried = match self.reader.describe(contract).await {
            Ok(_) => self.reader.pending(contract).next().await.map(drop),
            Err(error) => Err(error),
        };
        match tried {
            Ok(()) => Ok(true),
            Err(error) if is_about_fields(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether an error says that the object's fields are not what the contract says.
fn is_about_fields(error: &SalesforceError) -> bool {
    matches!(error, SalesforceError::FieldType { .. })
        || matches!(error.salesforce_code(), Some("INVALID_FIELD" | "INVALID_TYPE"))
}

fn object_name_of(contract: &'static ObjectContract) -> Result<ObjectName, WorkflowError> {
    object_name(contract.object)
}

fn unexpected(error: impl std::fmt::Display) -> WorkflowError {
    WorkflowError::Unexpected(error.to_string())
}
