//! What the stream told lately: to know a change that is delivered again, and a stream that went back.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::{salesforce::change_event::Change, telemetry::stream::StreamMode};

/// Changes that are remembered.
const MOST: usize = 20_000;

/// Commits that are close in time may come in another order; a stream that is older than this is
/// another stream.
const BACK: SignedDuration = SignedDuration::from_hours(1);

/// A change as the platform names it: a second delivery has another replay id and the same key.
type Key = (String, String, String, i32);

/// Changes that were worked on since the process started.
#[derive(Debug, Clone, Default)]
pub struct Recent(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    known: BTreeMap<Key, (i64, usize)>,
    order: VecDeque<Key>,
    newest: Option<Timestamp>,
}

/// What is to say of a change that was noted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// It was delivered before, at another place.
    pub again: bool,
    /// Its commit is so much older than what came before that the stream must be another one.
    pub went_back: bool,
}

impl Recent {
    /// Takes note of a change at a place in the inbox.
    pub fn note(&self, change: &Change, at: (i64, usize)) -> Noted {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = change.record_ids.first().cloned().unwrap_or_default();
        let key = (change.object.clone(), record, change.transaction_key.clone(), change.sequence);
        match inner.known.get(&key) {
            // The same place again: the step is run a second time.
            Some(known) if *known == at => return Noted::default(),
            Some(_) => {
                StreamMode::Redelivered.count(1);
                return Noted { again: true, went_back: false };
            }
            None => {}
        }
        if inner.order.len() >= MOST
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.known.remove(&oldest);
        }
        inner.known.insert(key.clone(), at);
        inner.order.push_back(key);
        let went_back = inner.newest.is_some_and(|newest| newest.duration_since(change.committed_at) > BACK);
        inner.newest = match went_back {
            true => Some(change.committed_at),
            false => inner.newest.max(Some(change.committed_at)),
        };
        Noted { again: false, went_back }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::change_event::ChangeType;

    fn change(key: &str, at: &str) -> Change {
        Change {
            object: "Lead".into(),
            record_ids: vec!["00QCs0000000001MAA".into()],
            change_type: ChangeType::Update,
            origin: String::new(),
            client: None,
            transaction_key: key.into(),
            sequence: 1,
            committed_at: at.parse().unwrap(),
            commit_number: 1,
            user_id: String::new(),
            changed_fields: Vec::new(),
            nulled_fields: Vec::new(),
            diff_fields: Vec::new(),
            values: BTreeMap::new(),
        }
    }

    #[test]
    fn a_stream_that_goes_back_is_told_one_time() {
        let recent = Recent::default();
        let told: Vec<bool> = [
            ("a", "2026-05-01T12:00:00Z"),
            ("b", "2026-05-01T11:59:00Z"),
            ("c", "2026-05-01T09:00:00Z"),
            ("d", "2026-05-01T09:00:01Z"),
            // The first one again, from before: no sign of anything.
            ("a", "2026-05-01T12:00:00Z"),
        ]
        .iter()
        .enumerate()
        .map(|(place, (key, at))| recent.note(&change(key, at), (1, place)).went_back)
        .collect();
        assert_eq!(told, [false, false, true, false, false]);
    }

    #[test]
    fn a_second_delivery_is_known_and_a_second_look_at_the_same_place_is_none() {
        let recent = Recent::default();
        let again = |place| recent.note(&change("a", "2026-05-01T12:00:00Z"), (1, place)).again;
        assert_eq!([again(0), again(0), again(1)], [false, false, true]);
    }
}
