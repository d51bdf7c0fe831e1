//! Paths that run later: right after the commit, or when the org's clock has come far enough.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        model::Row,
        org::Org,
        save::Context,
        state::{Effect, State},
        write::WriteOptions,
    },
    interview::{Interview, Record},
    run::{Failure, Machine},
};

/// Paths that one call runs; each may make more.
const MAX_RUNS: usize = 10_000;

/// A path that waits for its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::simulator) struct Later {
    pub(super) flow: String,
    pub(super) path: String,
    pub(super) object: String,
    pub(super) record_id: String,
    pub(super) prior: Option<Row>,
    /// Whose save it was.
    pub(super) user_id: String,
    pub(super) due: Timestamp,
}

impl Later {
    pub(super) fn is_of(&self, flow: &str, record_id: &str) -> bool {
        self.flow == flow && self.record_id == record_id
    }
}

impl State {
    /// Makes the effects of a committed transaction real.
    pub(in crate::simulator) fn take_effect(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Notify(notification) => self.notifications.push(notification),
                Effect::Cancel { flow, record_id } => {
                    self.scheduled.retain(|later| !later.is_of(&flow, &record_id));
                }
                Effect::Later(later) => {
                    // A record that meets the condition again waits anew.
                    let same = |other: &Later| {
                        other.is_of(&later.flow, &later.record_id) && other.path == later.path
                    };
                    if later.prior.is_none() {
                        self.scheduled.retain(|other| !same(other));
                    }
                    self.scheduled.push(later);
                }
            }
        }
    }
}

impl Org {
    /// Runs the paths of flows whose time has come: also done after every write. Not to be
    /// called while a transaction is open. Says how many ran.
    pub fn run_scheduled(&self) -> usize {
        let mut runs = 0;
        while runs < MAX_RUNS {
            let Some(later) = self.next_due() else { return runs };
            runs += 1;
            self.run_later(&later);
        }
        runs
    }

    /// Takes the path that has been due longest.
    fn next_due(&self) -> Option<Later> {
        let now = self.now_seconds();
        if !self.read().scheduled.iter().any(|later| later.due <= now) {
            return None;
        }
        let mut state = self.write_state();
        let due = state.scheduled.iter().enumerate().filter(|(_, later)| later.due <= now);
        let (index, _) = due.min_by_key(|(index, later)| (later.due, *index))?;
        Some(state.scheduled.remove(index))
    }

    /// One path in a transaction of its own, with the record as it is now. Its failure is
    /// nobody's answer: a real org mails it to an admin.
    fn run_later(&self, later: &Later) {
        let Some(user) = self.user_by_id(&later.user_id) else { return };
        let Some(row) = self.row(&later.object, &later.record_id) else { return };
        let Some(flow) = self.package().flows.get(&later.flow).filter(|flow| self.flow_runs(flow)).cloned()
        else {
            return;
        };
        let path =
            flow.start.trigger.iter().flat_map(|trigger| &trigger.paths).find(|path| path.name == later.path);
        let Some(first) = path.map(|path| path.first.clone()) else { return };
        let record = |row: &Row| Record { object: later.object.clone(), row: row.clone() };
        let mut interview = Interview {
            record: Some(record(&row)),
            prior: later.prior.as_ref().map(record),
            ..Interview::new(Arc::clone(&flow), self.now_seconds())
        };
        let options = WriteOptions::default();
        let context = Context {
            org: self,
            user: &user,
            options: &options,
            now: self.now_seconds(),
            system: true,
            depth: 0,
        };
        let mut transaction = self.begin();
        let ended = transaction.with_state(&context, |state, journal| {
            let mut machine =
                Machine { context: &context, state, journal, interview: &mut interview, nested: 0 };
            machine.defaults(&flow);
            machine.run(first)
        });
        match ended {
            Ok(_) => transaction.commit_only(),
            Err(Failure::Fault(message)) => {
                tracing::warn!(flow = later.flow, path = later.path, message, "a path of a flow failed");
            }
            Err(Failure::Refused(errors)) => {
                let codes: Vec<_> = errors.iter().map(|error| &error.code).collect();
                tracing::warn!(
                    flow = later.flow,
                    path = later.path,
                    ?codes,
                    "the org refused a path of a flow"
                );
            }
        }
    }
}
