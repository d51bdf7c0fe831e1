//! Layered settings: defaults, then one TOML file, then the environment.
//!
//! A key that nobody knows is refused, all problems are told at once, and secrets print as `***`.

mod keys;
mod load;
pub mod ownership;
pub mod policies;
mod problem;
mod secret;
mod settings;
mod settings_credentials;
pub mod timetable;
mod users;

#[cfg(test)]
mod tests;

pub use keys::{KEYS, Key};
pub use load::{DEFAULT_FILE, ledger_password, load, load_from, policy_settings};
pub use problem::{ConfigErrors, ConfigProblem};
pub use secret::Secret;
pub use settings::{
    AgentSettings, ApiSettings, CheckpointSettings, Credentials, DecaySettings, DoctorSettings,
    HeartbeatSettings, HttpSettings, InboxSettings, JobSettings, LedgerSettings, LogFormat, LogSettings,
    OrgSettings, PolicySettings, PromotionSettings, ReconcileSettings, Settings, ShadowSettings,
    StreamSettings, SweepSettings, WatchSettings,
};
