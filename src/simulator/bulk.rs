//! Bulk query jobs of one org. They keep their result until they are deleted or the process ends.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{ids, soql::Selection};

/// Most jobs that are kept; the oldest go first. A real org keeps results for seven days.
const MOST_JOBS: usize = 100;

/// All jobs since the start.
#[derive(Debug, Default)]
pub(super) struct BulkJobs(Mutex<Jobs>);

#[derive(Debug, Default)]
struct Jobs {
    made: u64,
    by_id: BTreeMap<String, Job>,
}

/// One job.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// 18-character id, prefix 750.
    pub(super) id: String,
    /// Who made it. Nobody else reads its result.
    pub(super) user_id: String,
    /// `query` or `queryAll`.
    pub(super) operation: String,
    /// When it was made.
    pub(super) made_at: Timestamp,
    /// Where it stands.
    pub(super) state: State,
    /// Its result.
    pub(super) result: Arc<Selection>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is complete after so many more looks.
    Working(u32),
    /// Its result can be read.
    Complete,
    /// Somebody ended it.
    Aborted,
}

impl State {
    /// Salesforce's word. A job that nobody has looked at is queued.
    pub(super) fn name(self, asked: u32) -> &'static str {
        match self {
            Self::Working(left) if left == asked => "UploadComplete",
            Self::Working(_) => "InProgress",
            Self::Complete => "JobComplete",
            Self::Aborted => "Aborted",
        }
    }
}

impl BulkJobs {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a job under an id of its own.
    pub(super) fn add(&self, job: impl FnOnce(String) -> Job) -> Job {
        let mut jobs = self.lock();
        jobs.made += 1;
        let job = job(ids::nth("750", jobs.made));
        jobs.by_id.insert(job.id.clone(), job.clone());
        while jobs.by_id.len() > MOST_JOBS {
            jobs.by_id.pop_first();
        }
        job
    }

    /// A user's job as it stands.
    pub(super) fn get(&self, id: &str, user_id: &str) -> Option<Job> {
        let id = ids::complete(id)?;
        self.lock().by_id.get(&id).filter(|job| job.user_id == user_id).cloned()
    }

    /// A look at a job brings it on.
    pub(super) fn look(&self, id: &str) {
        if let Some(job) = self.lock().by_id.get_mut(id) {
            job.state = match job.state {
                State::Working(0 | 1) => State::Complete,
                State::Working(left) => State::Working(left - 1),
                other => other,
            };
        }
    }

    /// Ends a job that is not complete.
    pub(super) fn abort(&self, id: &str) {
        if let Some(job) = self.lock().by_id.get_mut(id) {
            job.state = State::Aborted;
        }
    }

    /// Lets go of a job and its result.
    pub(super) fn remove(&self, id: &str) {
        self.lock().by_id.remove(id);
    }
}
