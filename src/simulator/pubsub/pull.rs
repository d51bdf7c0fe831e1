//! A topic read without a network, response by response: for tests that decide when what arrives.

use prost::bytes::Bytes;
use tonic::Status;

use crate::salesforce::pubsub::{
    Start,
    proto::{ConsumerEvent, FetchResponse, ProducerEvent},
};

use super::{
    channel::{self, Catalog, Lanes},
    replay,
    stream::{corrupted, event_id},
};
use crate::simulator::{
    Org,
    model::{ChangeKind, ChangeRecord, Row},
};

const RPC: &str = "Subscribe";

/// Changes looked at in one go.
const PAGE: usize = 200;

/// One topic as one user may read it. What is deployed later is not seen.
pub struct Pull {
    org: Org,
    catalog: Catalog,
    lanes: Lanes,
}

impl Pull {
    /// Opens a topic for the user with this role.
    pub fn open(org: Org, topic: &str, role: &str) -> Result<Self, Status> {
        let catalog = Catalog::new(&org, org.package(), (None, &org.schema_drifts()));
        let user = org.user(role).ok_or_else(|| Status::not_found("there is no such user"))?;
        let lanes = channel::find(&org, &catalog, topic, RPC)?.lanes(&catalog, &user)?;
        Ok(Self { org, catalog, lanes })
    }

    /// Ids and texts of the schemas of these objects.
    pub fn schemas(&self, objects: &[&str]) -> Vec<(String, String)> {
        let wanted = self.lanes.values().map(|lane| &lane.encoder);
        wanted
            .filter(|encoder| objects.contains(&encoder.object.as_str()))
            .filter_map(|encoder| self.catalog.schema(&encoder.schema_id))
            .map(|encoder| (encoder.schema_id.clone(), encoder.schema_json.clone()))
            .collect()
    }

    /// The position where a stream begins; refused as the service refuses it.
    pub fn start(&self, start: &Start) -> Result<u64, Status> {
        self.org.expire_changes();
        let page = self.org.changes_after(u64::MAX, 0);
        let before_oldest = page.oldest.saturating_sub(1);
        match start {
            Start::Latest => Ok(page.tip),
            Start::Earliest => Ok(before_oldest),
            Start::After(place) => replay::position(place)
                .filter(|position| (before_oldest..=page.tip).contains(position))
                .ok_or_else(corrupted),
        }
    }

    /// The response after a position, with at most so many events, and the position after it.
    /// Without events it is a keepalive. `None` at the newest change. With a kind of gap, that is what
    /// comes instead of each change.
    pub fn after(&self, position: u64, most: usize, gap: Option<ChangeKind>) -> Option<(FetchResponse, u64)> {
        let page = self.org.changes_after(position, PAGE);
        let opaque = self.org.settings().opaque_replay_ids;
        let mut reached = position;
        let mut events = Vec::new();
        for record in &page.records {
            if events.len() >= most {
                break;
            }
            reached = record.position;
            let Some(lane) = self.lanes.get(&record.object) else { continue };
            // What a filter holds back is not made a gap of.
            let ids = [record.record_id.as_str()];
            let Some(mut payload) = lane.payload(&self.org, record, &ids) else { continue };
            if let Some(kind) = gap {
                let lost = ChangeRecord { kind, changed: Row::new(), ..(**record).clone() };
                payload = lane.payload(&self.org, &lost, &ids).unwrap_or(payload);
            }
            let event = ProducerEvent {
                id: event_id(record),
                schema_id: lane.encoder.schema_id.clone(),
                payload: Bytes::from(payload),
                headers: Vec::new(),
            };
            events.push(ConsumerEvent { event: Some(event), replay_id: replay::id(record.position, opaque) });
        }
        if reached == position {
            return None;
        }
        let response = FetchResponse {
            events,
            latest_replay_id: replay::id(reached, opaque),
            rpc_id: "pulled".to_owned(),
            pending_num_requested: 100,
        };
        Some((response, reached))
    }
}
