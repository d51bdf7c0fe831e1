//! AI proposes, people countersign in Salesforce, a deterministic gate promotes.
//!
//! Modules stand in dependency order; `src/ARCHITECTURE.md` has the map.

pub mod domain;
pub mod gate;

pub mod clock;
pub mod config;
pub mod crash;
pub mod telemetry;

pub mod ledger;
pub mod salesforce;

pub mod package;
pub mod workflow;

pub mod http;
pub mod jobs;
pub mod subscriber;

pub mod simulator;

pub mod cli;
