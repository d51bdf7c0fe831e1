//! The org's daily API calls are shared with others: a share of them is left free.
//!
//! Near it, what can wait waits: sweeps that nothing asks for, and notices. Below it everything waits
//! that makes calls; what the stream delivers is still recorded. It goes on by itself when calls fall
//! out of the rolling 24 hours. How much is used, replies tell; while nothing is sent, the limits are
//! asked for at intervals.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{Context, WorkflowError};
use crate::salesforce::LimitInfo;

/// 0: free, 1: optional work waits, 2: everything waits.
const LEVEL: &str = "countersign_api_budget_level";

/// How long a sweep that nothing asked for waits while calls are scarce.
pub const SELDOM: SignedDuration = SignedDuration::from_hours(1);

/// What may be done with the calls that are left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything.
    #[default]
    Free,
    /// Nothing that can wait.
    Scarce,
    /// Nothing.
    Spent,
}

/// Decides at which level the daemon works.
#[derive(Debug, Clone, Default)]
pub struct Governor {
    keep_free_percent: u64,
    look_again: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    level: Level,
    /// Since when it is spent.
    since: Option<Timestamp>,
    /// When the org is asked again; none while everything is free, for replies tell enough.
    again: Option<Timestamp>,
    words: Option<String>,
}

impl Governor {
    /// Keeps this share of the day free, and looks at the limits this often while it is spent.
    pub fn new(keep_free_percent: u64, look_again: Duration) -> Self {
        metrics::gauge!(LEVEL).set(0.0);
        Self { keep_free_percent, look_again, state: Arc::default() }
    }

    /// The level for the next step. While calls are scarce few are made, and others use them too: the
    /// org is asked at intervals.
    pub async fn look(&self, context: &Context) -> Result<Level, WorkflowError> {
        let connection = context.reader.connection();
        let now = context.clock.now();
        let (level, again) = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            (state.level, state.again)
        };
        let early = again.is_some_and(|again| now < again);
        if early && level == Level::Spent {
            return Ok(level);
        }
        if again.is_some() && !early {
            connection.ask_limits().await?;
        }
        Ok(self.note(connection.limits(), (now, early)))
    }

    /// The level that was found last. Asks nobody.
    pub fn level(&self) -> Level {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).level
    }

    /// What waits and until when, in words that start with a stable code; none while all is free.
    pub fn words(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).words.clone()
    }

    /// What waits, in words. `since` is when the day was spent, `again` when the org is asked again.
    fn worded(
        &self,
        level: Level,
        limits: Option<LimitInfo>,
        (since, again): (Option<Timestamp>, Timestamp),
    ) -> Option<String> {
        let used = limits.map_or_else(String::new, |limits| format!("{} of {}", limits.used, limits.max));
        match (level, since) {
            (Level::Spent, Some(since)) => {
                let latest = since.saturating_add(SignedDuration::from_hours(24)).unwrap_or(since);
                Some(format!(
                    "api-budget-spent: {used} of the org's daily API calls are used and {} % are kept for \
                     others: promotions wait, are looked at again at {again}, and go on at {latest} at the \
                     latest if others use no more",
                    self.keep_free_percent
                ))
            }
            (Level::Scarce, _) => Some(format!(
                "api-budget-scarce: {used} of the org's daily API calls are used: notices and sweeps wait"
            )),
            _ => None,
        }
    }

    /// `early`: it is not time yet to ask the org.
    fn note(&self, limits: Option<LimitInfo>, (now, early): (Timestamp, bool)) -> Level {
        let level = limits.map_or(Level::Free, |limits| level(limits, self.keep_free_percent));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = SignedDuration::try_from(self.look_again).unwrap_or(SELDOM);
        let next = now.saturating_add(wait).unwrap_or(now);
        let again = state.again.filter(|_| early && state.level == level).unwrap_or(next);
        state.again = (level != Level::Free).then_some(again);
        state.since = (level == Level::Spent).then(|| state.since.unwrap_or(now));
        if state.level != level || !early {
            state.words = self.worded(level, limits, (state.since, again));
        }
        if state.level != level {
            state.level = level;
            metrics::gauge!(LEVEL).set(f64::from(level as u8));
            match &state.words {
                Some(words) => tracing::warn!("{words}"),
                None => tracing::info!("the org has API calls enough again"),
            }
        }
        level
    }
}

/// Whole numbers only: a share is never rounded in our favour.
fn level(limits: LimitInfo, keep_free_percent: u64) -> Level {
    let keep = limits.max.saturating_mul(keep_free_percent).div_ceil(100);
    let free = limits.max.saturating_sub(limits.used);
    // Half as much again, and a twentieth of the day where nothing is kept.
    let near = keep.saturating_add((keep / 2).max(limits.max / 20));
    match free {
        _ if free <= keep => Level::Spent,
        _ if free <= near => Level::Scarce,
        _ => Level::Free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept() {
        let of = |used: u64, keep: u64| level(LimitInfo { used, max: 15_000 }, keep);
        assert_eq!(of(10_499, 20), Level::Free);
        assert_eq!(of(10_500, 20), Level::Scarce);
        assert_eq!(of(11_999, 20), Level::Scarce);
        assert_eq!(of(12_000, 20), Level::Spent);
        assert_eq!(of(14_999, 0), Level::Scarce);
        assert_eq!(of(15_000, 0), Level::Spent);
        assert_eq!(of(0, 90), Level::Scarce);
        assert_eq!(level(LimitInfo { used: 0, max: 0 }, 20), Level::Spent);
    }

    #[test]
    fn it_says_until_when_and_ends_by_itself() {
        let governor = Governor::new(20, Duration::from_secs(300));
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        let limits = |used: u64| Some(LimitInfo { used, max: 100 });
        assert_eq!(governor.note(None, (at(0), false)), Level::Free);
        assert_eq!(governor.note(limits(80), (at(0), false)), Level::Spent);
        let words = governor.words().unwrap();
        assert!(words.starts_with("api-budget-spent: 80 of 100"), "{words}");
        assert!(words.contains(&at(300).to_string()) && words.contains(&at(86_400).to_string()), "{words}");
        assert_eq!(governor.note(limits(81), (at(300), false)), Level::Spent);
        assert!(governor.words().unwrap().contains(&at(86_400).to_string()), "since it began");
        assert_eq!(governor.note(limits(5), (at(600), false)), Level::Free);
        assert_eq!(governor.words(), None);
    }

    #[test]
    fn while_calls_are_scarce_the_org_is_asked_at_intervals() {
        let governor = Governor::new(20, Duration::from_secs(300));
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let limits = |used: u64| Some(LimitInfo { used, max: 100 });
        let again = || governor.state.lock().unwrap().again;
        assert_eq!(governor.note(limits(75), (at(0), false)), Level::Scarce);
        assert_eq!(again(), Some(at(300)));
        // Replies tell too, but do not put the question off.
        assert_eq!(governor.note(limits(76), (at(200), true)), Level::Scarce);
        assert_eq!(again(), Some(at(300)));
        assert!(governor.words().unwrap().contains("75 of 100"), "told anew at each question only");
        assert_eq!(governor.note(limits(77), (at(300), false)), Level::Scarce);
        assert_eq!(again(), Some(at(600)));
        assert!(governor.words().unwrap().contains("77 of 100"));
        assert_eq!(governor.note(limits(5), (at(310), true)), Level::Free);
        assert_eq!((again(), governor.words()), (None, None));
    }
}
