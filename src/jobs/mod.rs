//! Scheduled work. A job takes no input and is safe to run twice; the scheduler only wakes.

pub mod checkpoints;
pub mod decay;
pub mod drift;
pub mod reconcile;
pub mod retention;
pub mod schedule;
