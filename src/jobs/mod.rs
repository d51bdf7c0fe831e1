//! Scheduled work. A job takes no input and is safe to run twice; the scheduler only wakes.
//!
//! To add a job: a variant of [`crate::domain::job::Job`], its work in [`work`], a key `jobs.NAME` for
//! its timetable, and its line in [`Plan::of`](keeper::Plan::of).

pub mod approvers;
pub mod checkpoints;
pub mod decay;
pub mod drift;
pub mod heartbeat;
pub mod keeper;
pub mod reconcile;
pub mod retention;
pub mod schedule;
pub mod shadow;
pub mod totals;
pub mod watch;
pub mod work;
