//! The event bus: committed changes in order, kept for 72 hours by the org's clock.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};

use tokio::sync::watch;

use super::{
    model::{ChangeKind, ChangeRecord, Commit, Row},
    org::Org,
    state::{Journal, State},
};
use crate::clock;

/// Where a fresh org's bus starts; small orgs have small numbers.
const FIRST_POSITION: u64 = 4_096;

/// A change that is not committed yet.
#[derive(Debug, Clone)]
pub(super) struct PendingChange {
    pub(super) object: String,
    pub(super) record_id: String,
    pub(super) kind: ChangeKind,
    pub(super) changed: Row,
}

/// Part of the bus, as a subscriber reads it.
#[derive(Debug, Clone, Default)]
pub struct ChangePage {
    /// Changes after the asked position, oldest first.
    pub records: Vec<Arc<ChangeRecord>>,
    /// The newest position, also when the last changes were of other topics.
    pub tip: u64,
    /// The oldest position from which a subscriber can still resume.
    pub oldest: u64,
}

/// The org-wide bus.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bus {
    records: VecDeque<Arc<ChangeRecord>>,
    tip: u64,
    /// Position of the last change that fell out of retention.
    horizon: u64,
    last_commit: i64,
}

impl Default for Bus {
    fn default() -> Self {
        Self { records: VecDeque::new(), tip: FIRST_POSITION, horizon: FIRST_POSITION - 1, last_commit: 0 }
    }
}

impl Bus {
    pub(super) fn tip(&self) -> u64 {
        self.tip
    }

    /// Commits one transaction. Its changes get adjacent positions; between transactions
    /// there are gaps, since other topics share the bus.
    pub(super) fn publish(&mut self, user_id: &str, origin: &str, at_ms: i64, changes: Vec<PendingChange>) {
        if changes.is_empty() {
            return;
        }
        // Commit numbers of one recorded family equal the commit time in nanoseconds.
        self.last_commit = (self.last_commit + 1).max(at_ms.saturating_mul(1_000_000));
        let commit = Arc::new(Commit {
            transaction_key: transaction_key(),
            commit_number: self.last_commit,
            committed_at_ms: at_ms,
            user_id: user_id.to_owned(),
            origin: origin.to_owned(),
        });
        self.tip += 1 + self.tip % 3;
        for (index, change) in changes.into_iter().enumerate() {
            self.tip += 1;
            self.records.push_back(Arc::new(ChangeRecord {
                position: self.tip,
                commit: Arc::clone(&commit),
                sequence: i32::try_from(index).unwrap_or(i32::MAX - 1) + 1,
                object: change.object,
                record_id: change.record_id,
                kind: change.kind,
                changed: change.changed,
            }));
        }
    }

    /// Drops what was committed before `cutoff_ms`.
    pub(super) fn expire(&mut self, cutoff_ms: i64) {
        while self.records.front().is_some_and(|record| record.commit.committed_at_ms < cutoff_ms) {
            let Some(record) = self.records.pop_front() else { return };
            self.horizon = record.position;
        }
        // Traffic of other topics moves an idle topic on, so that its tip never expires.
        if self.tip <= self.horizon {
            self.tip = self.horizon + 1;
        }
    }

    pub(super) fn after(&self, position: u64, max: usize) -> ChangePage {
        let start = self.records.partition_point(|record| record.position <= position);
        ChangePage {
            records: self.records.range(start..).take(max).cloned().collect(),
            tip: self.tip,
            oldest: self.horizon + 1,
        }
    }
}

/// A change put on the bus without a row behind it.
#[derive(Debug, Clone)]
pub struct InjectedChange {
    /// Object API name.
    pub object: String,
    /// 18-character id.
    pub record_id: String,
    /// What happened.
    pub kind: ChangeKind,
    /// As in `ChangeRecord::changed`.
    pub changed: Row,
}

impl Org {
    /// Up to `max` changes after a position.
    pub fn changes_after(&self, position: u64, max: usize) -> ChangePage {
        self.read().bus.after(position, max)
    }

    /// The newest position.
    pub fn tip(&self) -> u64 {
        self.read().bus.tip()
    }

    /// Tells of new positions.
    pub fn tip_watch(&self) -> watch::Receiver<u64> {
        self.0.tip.subscribe()
    }

    /// Drops changes that are older than the retention; done before each publish too.
    pub fn expire_changes(&self) {
        let cutoff = self.retention_cutoff();
        let mut state = self.write_state();
        state.bus.expire(cutoff);
        self.0.tip.send_replace(state.bus.tip());
    }

    /// Puts changes on the bus, each its own transaction, without touching rows.
    pub fn inject_changes(&self, user_id: &str, origin: &str, changes: Vec<InjectedChange>) {
        let at = self.now_seconds().as_millisecond();
        let mut state = self.write_state();
        for change in changes {
            let InjectedChange { object, record_id, kind, changed } = change;
            state.bus.publish(user_id, origin, at, vec![PendingChange { object, record_id, kind, changed }]);
        }
        self.0.tip.send_replace(state.bus.tip());
    }

    /// Puts changes on the bus in one transaction, without touching rows.
    pub fn inject_transaction(&self, user_id: &str, origin: &str, changes: Vec<InjectedChange>) {
        let at = self.now_seconds().as_millisecond();
        let pending = changes.into_iter().map(|change| PendingChange {
            object: change.object,
            record_id: change.record_id,
            kind: change.kind,
            changed: change.changed,
        });
        let mut state = self.write_state();
        state.bus.publish(user_id, origin, at, pending.collect());
        self.0.tip.send_replace(state.bus.tip());
    }

    /// The stream starts anew, as after a sandbox refresh: what it held is gone, and positions mean
    /// something else. An old place is refused, unless the new stream has come as far.
    pub fn reset_stream(&self, position: Option<u64>) {
        let mut state = self.write_state();
        state.bus = Bus::default();
        if let Some(position) = position {
            state.bus.tip = position;
            state.bus.horizon = FIRST_POSITION - 1;
        }
        self.0.tip.send_replace(state.bus.tip());
    }

    /// One [`Org::inject_changes`] change.
    pub fn inject_change(&self, user_id: &str, origin: &str, change: InjectedChange) {
        self.inject_changes(user_id, origin, vec![change]);
    }

    pub(super) fn commit(&self, state: &mut State, user_id: &str, origin: &str, journal: Journal) {
        let Journal { changes, effects, .. } = journal;
        state.take_effect(effects);
        self.count_writes(&changes);
        state.bus.expire(self.retention_cutoff());
        state.bus.publish(user_id, origin, self.now_seconds().as_millisecond(), changes);
        self.0.tip.send_replace(state.bus.tip());
        self.changed();
    }

    fn retention_cutoff(&self) -> i64 {
        let kept = i64::from(self.0.settings.retention_hours) * 3_600_000;
        self.0.clock.now().as_millisecond() - kept
    }
}

/// 36 characters; recorded keys start with `0000` to `0003`.
fn transaction_key() -> String {
    let random = clock::random_id();
    format!("0002{}", random.get(4..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(id: &str) -> PendingChange {
        PendingChange {
            object: "Lead".into(),
            record_id: id.into(),
            kind: ChangeKind::Update,
            changed: Row::new(),
        }
    }

    #[test]
    fn positions_grow_and_retention_forgets_the_oldest() {
        let mut bus = Bus::default();
        bus.publish("u", "", 1_000_000, vec![change("a"), change("b")]);
        bus.publish("u", "", 2_000_000, vec![change("c")]);
        let page = bus.after(0, 10);
        assert_eq!(page.records.len(), 3);
        let (first, second, third) = (&page.records[0], &page.records[1], &page.records[2]);
        assert_eq!(second.position, first.position + 1, "one transaction is adjacent");
        assert!(third.position > second.position + 1, "transactions leave gaps");
        assert_eq!(first.commit.transaction_key, second.commit.transaction_key);
        assert_eq!((first.sequence, second.sequence, third.sequence), (1, 2, 1));
        assert!(third.commit.commit_number > second.commit.commit_number);
        assert_eq!(bus.after(second.position - 1, 10).records.len(), 2, "computed positions work");

        bus.expire(1_500_000);
        let page = bus.after(0, 10);
        assert_eq!(page.records.len(), 1);
        assert_eq!(page.oldest, second.position + 1);
        bus.expire(3_000_000);
        assert!(bus.tip() >= bus.after(0, 1).oldest, "the tip can always be resumed from");
    }
}
