//! The alarm clock: tokio-cron-scheduler with UTC cron jobs whose bodies only wake the engine.
//!
//! Cron jobs and no others, because its repeated jobs stop for ever after one stall longer
//! than their period (0.15.1), and UTC, because it freezes time zones at creation.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::workflow::engine::Waker;

/// A running schedule.
pub struct Schedule {
    scheduler: JobScheduler,
}

impl Schedule {
    /// Asks for a sweep every `every_seconds` (rounded to whole minutes from 60 on).
    pub async fn start(waker: Waker, every_seconds: u64) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let sweep = Job::new_async(cron(every_seconds).as_str(), move |_, _| {
            let waker = waker.clone();
            Box::pin(async move { waker.ask_routine_sweep() })
        })?;
        scheduler.add(sweep).await?;
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Wakes at every full minute from now on.
    pub async fn each_minute(&self, wake: Arc<Notify>) -> Result<(), JobSchedulerError> {
        let job = Job::new_async("0 * * * * *", move |_, _| {
            let wake = Arc::clone(&wake);
            Box::pin(async move { wake.notify_one() })
        })?;
        self.scheduler.add(job).await?;
        Ok(())
    }

    /// Stops waking.
    pub async fn stop(mut self) -> Result<(), JobSchedulerError> {
        self.scheduler.shutdown().await
    }
}

/// A cron expression with seconds for a period; at least one second, at most an hour.
fn cron(every_seconds: u64) -> String {
    match every_seconds {
        0..60 => format!("*/{} * * * * *", every_seconds.max(1)),
        60..3600 => format!("0 */{} * * * *", every_seconds / 60),
        _ => "0 0 * * * *".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::cron;

    #[test]
    fn periods_become_cron() {
        assert_eq!(cron(0), "*/1 * * * * *");
        assert_eq!(cron(30), "*/30 * * * * *");
        assert_eq!(cron(300), "0 */5 * * * *");
        assert_eq!(cron(86_400), "0 0 * * * *");
    }
}
