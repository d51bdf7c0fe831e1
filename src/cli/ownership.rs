//! The list of who may write governed fields, as commands and the daemon load it.

use std::path::Path;

use super::problems::told;
use crate::{
    config::{self, PolicySettings, policies::Policies},
    domain::ownership::Ownership,
};

/// The list that the settings name; an empty one when they name none.
pub fn load(named: &PolicySettings, policies: &Policies) -> anyhow::Result<Ownership> {
    config::ownership::load(named.ownership.as_deref(), &policies.governs())
        .map_err(|problems| told("the list of owners has", &problems))
}

/// The same for a command that may have no settings besides.
pub fn named(config: Option<&Path>) -> anyhow::Result<Ownership> {
    of(&config::policy_settings(config))
}

/// The same with the policies that these settings name.
pub fn of(named: &PolicySettings) -> anyhow::Result<Ownership> {
    if named.ownership.is_none() {
        return Ok(Ownership::default());
    }
    let policies = config::policies::load_set(named.directory.as_deref())
        .map_err(|problems| told("the policies have", &problems))?;
    load(named, &policies)
}
