//! The contracts in force: those of the shipped package, and further ones that the settings name.

use std::sync::Arc;

use super::names::{MADE, MadeContract, ObjectContract, SHIPPED};
use crate::domain::Policy;

/// Contracts by object. They live as long as the process, so a copy is cheap.
#[derive(Debug, Clone)]
pub struct Contracts(Arc<[&'static ObjectContract]>);

impl Contracts {
    /// Lead and Opportunity.
    pub fn shipped() -> Self {
        Self(SHIPPED.into())
    }

    /// The shipped ones and these; one for a shipped object takes its place.
    pub fn with(further: &[&'static ObjectContract]) -> Self {
        let other = |known: &&ObjectContract| further.iter().all(|one| one.object != known.object);
        Self(SHIPPED.iter().copied().filter(other).chain(further.iter().copied()).collect())
    }

    /// The contract of an object.
    pub fn find(&self, object: &str) -> Option<&'static ObjectContract> {
        self.0.iter().copied().find(|contract| contract.object == object)
    }

    /// The contract of an object whose records may be made.
    pub fn made(&self, object: &str) -> Option<&'static MadeContract> {
        MADE.iter().copied().find(|contract| contract.object == object)
    }

    /// Every contract.
    pub fn all(&self) -> impl Iterator<Item = &'static ObjectContract> + '_ {
        self.0.iter().copied()
    }

    /// Those of the objects that the policy names. Others are never read.
    pub fn governed<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = &'static ObjectContract> + 'a {
        self.all().filter(|contract| policy.objects.keys().any(|object| object.as_str() == contract.object))
    }
}
