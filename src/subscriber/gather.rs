//! One commit's worth of responses, and the place that may be stored with it.
//!
//! A place is stored only when no more events of it can come. Where a channel enriches, one event of
//! the bus can come as several with one replay id, and in several responses: whoever resumes after
//! that id loses those that had not come yet. So the last id is held back until another one, or a
//! response without events, follows.

use jiff::Timestamp;
use prost::bytes::Bytes;

use crate::{
    salesforce::pubsub::{Batch, RawResponse, RecordedBatch},
    telemetry::stream::StreamMode,
};

/// What one commit may hold. Responses that queued up share a commit.
const MAX_COMMIT_RESPONSES: usize = 64;
const MAX_COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// The place in one stream, as far as it was received.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// More events may come under this id.
    held: Option<Bytes>,
    /// Whether there is a stored place to fall back to.
    has_earlier: bool,
}

impl Place {
    /// `has_earlier` says whether the stream was resumed from a stored place.
    pub(super) fn new(has_earlier: bool) -> Self {
        Self { held: None, has_earlier }
    }

    /// The newest place that is over for sure after this response.
    fn after(&mut self, batch: &Batch) -> Option<Bytes> {
        let mut over = None;
        let mut without = 0;
        for event in &batch.events {
            if event.replay_id.is_empty() {
                without += 1;
                continue;
            }
            if let Some(held) = self.held.replace(event.replay_id.clone())
                && held != event.replay_id
            {
                over = Some(held);
            }
        }
        if without > 0 {
            StreamMode::PlaceMissing.count(without);
        }
        let latest = Some(&batch.latest_replay_id).filter(|id| !id.is_empty());
        if let Some(latest) = latest
            && (batch.events.is_empty() || self.held.as_ref() != Some(latest))
        {
            // The server has nothing more up to there.
            over = Some(latest.clone());
            self.held = None;
        }
        if over.is_none() && !self.has_earlier {
            // Without any place the whole retention would be read again.
            over.clone_from(&self.held);
        }
        self.has_earlier |= over.is_some();
        over
    }
}

/// Responses that are stored together.
pub(super) struct Gathered {
    batch: RecordedBatch,
    bytes: usize,
}

impl Gathered {
    pub(super) fn new(topic: &str) -> Self {
        let batch = RecordedBatch { topic: topic.to_owned(), replay_id: None, responses: Vec::new() };
        Self { batch, bytes: 0 }
    }

    pub(super) fn add(&mut self, received: Batch, place: &mut Place, now: Timestamp) {
        if let Some(over) = place.after(&received) {
            self.batch.replay_id = Some(over.to_vec());
        }
        self.bytes += received.bytes.len();
        let events = u32::try_from(received.events.len()).unwrap_or(u32::MAX);
        self.batch.responses.push(RawResponse {
            bytes: if events == 0 { Bytes::new() } else { received.bytes },
            events,
            rpc_id: received.rpc_id,
            received_at: now,
        });
    }

    pub(super) fn is_full(&self) -> bool {
        self.batch.responses.len() >= MAX_COMMIT_RESPONSES || self.bytes >= MAX_COMMIT_BYTES
    }

    /// What there is to store, when there is anything.
    pub(super) fn into_batch(self) -> Option<RecordedBatch> {
        let worth = self.batch.replay_id.is_some() || self.batch.events() > 0;
        worth.then_some(self.batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salesforce::pubsub::proto::ConsumerEvent;

    fn batch(ids: &[&'static str], latest: &'static str) -> Batch {
        let events =
            ids.iter().map(|id| ConsumerEvent { event: None, replay_id: Bytes::from_static(id.as_bytes()) });
        Batch {
            events: events.collect(),
            latest_replay_id: Bytes::from_static(latest.as_bytes()),
            bytes: Bytes::from_static(b"raw"),
            rpc_id: String::new(),
            pending: 1,
        }
    }

    fn places(has_earlier: bool, batches: &[Batch]) -> Vec<Option<String>> {
        let mut place = Place::new(has_earlier);
        let shown = |id: Bytes| String::from_utf8(id.to_vec()).unwrap();
        batches.iter().map(|batch| place.after(batch).map(shown)).collect()
    }

    /// A naive subscriber stores the id of the last event that it has seen.
    #[test]
    fn an_id_is_not_stored_while_more_events_of_it_may_come() {
        let split = [batch(&["6", "7"], "7"), batch(&["7"], "7"), batch(&["7", "8"], "8")];
        let stored = places(true, &split);
        assert_eq!(stored, [Some("6".to_owned()), None, Some("7".to_owned())]);
    }

    #[test]
    fn a_response_without_events_closes_the_id() {
        let quiet = [batch(&["7"], "7"), batch(&[], "7"), batch(&[], "9")];
        assert_eq!(places(true, &quiet), [None, Some("7".to_owned()), Some("9".to_owned())]);
    }

    #[test]
    fn a_first_event_is_a_place_when_there_is_no_other() {
        assert_eq!(places(false, &[batch(&["7"], "7")]), [Some("7".to_owned())]);
    }

    /// A naive subscriber drops such a response, or fails on it.
    #[test]
    fn events_without_an_id_are_stored_and_move_nothing() {
        let mut place = Place::new(true);
        let mut gathered = Gathered::new("/data/X");
        gathered.add(batch(&[""], ""), &mut place, Timestamp::UNIX_EPOCH);
        let stored = gathered.into_batch().expect("the event is kept");
        assert_eq!((stored.replay_id, stored.responses.len()), (None, 1));
    }

    #[test]
    fn nothing_is_nothing() {
        let mut place = Place::new(true);
        let mut gathered = Gathered::new("/data/X");
        gathered.add(batch(&[], ""), &mut place, Timestamp::UNIX_EPOCH);
        assert!(gathered.into_batch().is_none());
    }
}
