//! One open subscription: credit in, events and keepalives out.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use prost::bytes::Bytes;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};
use tonic::{Code, Status, Streaming};

use crate::{
    clock,
    salesforce::pubsub::proto::{ConsumerEvent, FetchRequest, FetchResponse, ProducerEvent, ReplayPreset},
    simulator::{FaultAction, FaultPoint, FaultSite, Org, UserContext, model::ChangeRecord},
};

use super::{
    access::Caller,
    channel::{self, Catalog, Catalogs, Lane, Lanes},
    line::Switch,
    replay, reset,
    service::keepalive,
    status,
};

const RPC: &str = "Subscribe";

/// A larger credit is cut, not refused.
const MAX_CREDIT: i64 = 100;

/// Changes looked at in one go; most may be of other topics.
const PAGE: usize = 500;

/// Events are split over several responses well before the 3 MB that one may have.
const MAX_RESPONSE_BYTES: usize = 2_500_000;

pub(super) struct Subscription {
    org: Org,
    catalogs: Catalogs,
    caller: Caller,
    line: Switch,
    out: mpsc::Sender<Result<FetchResponse, Status>>,
    rpc_id: String,
}

/// Why a subscription ends without more words: the client is gone.
enum End {
    Gone,
    Refused(Status),
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// An accepted subscription.
struct Open {
    topic: String,
    catalog: Arc<Catalog>,
    /// By the position after which they hold, newest first: an event is written with the schema of
    /// its own time.
    lanes: Vec<(u64, Lanes)>,
    position: u64,
    credit: i64,
    last_response: Instant,
    credit_used_up: Instant,
    duplicate_next: bool,
    merge_next: bool,
    split_next: bool,
    omit_next: bool,
    lose_next: bool,
}

impl Subscription {
    pub(super) fn new(
        org: Org,
        catalogs: Catalogs,
        (caller, line): (Caller, Switch),
        out: mpsc::Sender<Result<FetchResponse, Status>>,
    ) -> Self {
        Self { org, catalogs, caller, line, out, rpc_id: clock::random_id() }
    }

    pub(super) async fn run(self, mut requests: Streaming<FetchRequest>) {
        self.org.note_stream(true);
        let ended = self.serve(&mut requests).await;
        self.org.note_stream(false);
        if let Err(End::Refused(status)) = ended {
            // A closed channel means that the client is gone.
            let _ = self.out.send(Err(status)).await;
        }
    }

    async fn serve(&self, requests: &mut Streaming<FetchRequest>) -> Result<(), End> {
        let Some(first) = requests.message().await? else { return Ok(()) };
        let mut open = self.accept(&first)?;
        let mut tip = self.org.tip_watch();
        let reauth = self.org.settings().stream_reauth_seconds.map(Duration::from_secs);
        let mut reauth_at = reauth.map(|every| Instant::now() + every);
        loop {
            while let Some(message) = requests.message().now_or_never() {
                match message? {
                    Some(request) => open.grant(&request)?,
                    None => return Ok(()),
                }
            }
            if *tip.borrow_and_update() < open.position {
                // The stream started anew under this subscription.
                return Err(status::unavailable(RPC).into());
            }
            self.follow_deploys(&mut open)?;
            if open.credit > 0 && self.deliver(&mut open).await? {
                continue;
            }
            tokio::select! {
                message = requests.message() => match message? {
                    Some(request) => open.grant(&request)?,
                    None => return Ok(()),
                },
                changed = wait(&mut tip), if open.credit > 0 => changed?,
                () = self.quiet(&open) => self.after_quiet(&mut open).await?,
                () = self.out.closed() => return Err(End::Gone),
                () = at(reauth_at) => {
                    self.org.session(&self.caller.token).map_err(|_| status::auth(RPC))?;
                    reauth_at = reauth.map(|every| Instant::now() + every);
                }
            }
        }
    }

    fn accept(&self, first: &FetchRequest) -> Result<Open, Status> {
        let catalog = self.catalogs.current();
        let topic = channel::find(&self.org, &catalog, &first.topic_name, RPC)?;
        if !topic.can_subscribe(&self.caller.user) {
            let words = "The user lacks View All Records on the topic's object.";
            return Err(status::refuse(
                RPC,
                Code::PermissionDenied,
                "subscription.topic.cannot.subscribe",
                words,
            ));
        }
        let now = Instant::now();
        let mut open = Open {
            topic: first.topic_name.clone(),
            lanes: self.lanes(&catalog, &first.topic_name, &self.caller.user)?,
            catalog,
            position: self.start(first)?,
            credit: 0,
            last_response: now,
            credit_used_up: now,
            duplicate_next: false,
            merge_next: false,
            split_next: false,
            omit_next: false,
            lose_next: false,
        };
        open.grant(first)?;
        Ok(open)
    }

    /// After a deploy an open stream carries what the topic is made of now. That a real
    /// org does so without a new subscription is not confirmed.
    fn follow_deploys(&self, open: &mut Open) -> Result<(), Status> {
        let catalog = self.catalogs.current();
        if Arc::ptr_eq(&catalog, &open.catalog) {
            return Ok(());
        }
        let user = self.org.user_by_id(&self.caller.user.user_id).ok_or_else(|| status::auth(RPC))?;
        open.lanes = self.lanes(&catalog, &open.topic, &user)?;
        open.catalog = catalog;
        Ok(())
    }

    fn lanes(
        &self,
        catalog: &Arc<Catalog>,
        topic: &str,
        user: &UserContext,
    ) -> Result<Vec<(u64, Lanes)>, Status> {
        let newest = channel::find(&self.org, catalog, topic, RPC)?.lanes(catalog, user)?;
        let mut lanes = vec![(catalog.since, newest)];
        let mut earlier = catalog.earlier.as_ref();
        while let Some(catalog) = earlier {
            if let Ok(topic) = channel::find(&self.org, catalog, topic, RPC) {
                lanes.push((catalog.since, topic.lanes(catalog, user)?));
            }
            earlier = catalog.earlier.as_ref();
        }
        Ok(lanes)
    }

    fn start(&self, first: &FetchRequest) -> Result<u64, Status> {
        self.org.expire_changes();
        let page = self.org.changes_after(u64::MAX, 0);
        let before_oldest = page.oldest.saturating_sub(1);
        let preset = ReplayPreset::try_from(first.replay_preset).unwrap_or_default();
        self.org.note_rpc(&format!("{RPC} {}", preset.as_str_name()));
        match preset {
            ReplayPreset::Latest => Ok(page.tip),
            ReplayPreset::Earliest => Ok(before_oldest),
            ReplayPreset::Custom if first.replay_id.is_empty() => Err(status::refuse(
                RPC,
                Code::InvalidArgument,
                "subscription.fetch.replayid.validation.failed",
                "A replay ID is needed with the replay preset CUSTOM.",
            )),
            ReplayPreset::Custom => replay::position(&first.replay_id)
                .filter(|position| (before_oldest..=page.tip).contains(position))
                .ok_or_else(corrupted),
        }
    }

    /// Sends one response; false when there is nothing to send.
    async fn deliver(&self, open: &mut Open) -> Result<bool, End> {
        let page = self.org.changes_after(open.position, PAGE);
        let Some(last) = page.records.last() else { return Ok(false) };
        let found = page.records.iter().any(|record| open.lane(record).is_some());
        if !found {
            open.position = last.position;
            return Ok(true);
        }
        self.strike(open).await?;
        if std::mem::take(&mut open.split_next) {
            self.deliver_split(open, &page.records).await?;
            return Ok(true);
        }
        let (events, position) = self.collect(open, &page.records);
        open.position = position;
        let lost = std::mem::take(&mut open.lose_next);
        if !events.is_empty() && !lost {
            self.respond(open, events).await?;
        }
        Ok(true)
    }

    /// One change of several records, as enrichment takes it apart: one event and one response for
    /// each record, all with the same replay id.
    async fn deliver_split(&self, open: &mut Open, records: &[Arc<ChangeRecord>]) -> Result<(), End> {
        let Some(first) = records.iter().position(|record| open.lane(record).is_some()) else {
            return Ok(());
        };
        let run = &records[first..first + equal_run(&records[first..])];
        let place = run[run.len() - 1].position;
        for (index, record) in run.iter().enumerate() {
            if index > 0 {
                self.strike(open).await?;
            }
            let event = open.lane(record).and_then(|lane| self.event(lane, record, &[&record.record_id]));
            if let Some(event) = event {
                let event = ConsumerEvent { event: Some(event), replay_id: self.id(place) };
                self.respond(open, vec![event]).await?;
            }
        }
        open.position = place;
        Ok(())
    }

    fn event(&self, lane: &Lane, record: &ChangeRecord, ids: &[&str]) -> Option<ProducerEvent> {
        let payload = Bytes::from(lane.payload(&self.org, record, ids)?);
        let schema_id = lane.encoder.schema_id.clone();
        Some(ProducerEvent { id: event_id(record), schema_id, payload, headers: Vec::new() })
    }

    fn id(&self, position: u64) -> Bytes {
        replay::id(position, self.org.settings().opaque_replay_ids)
    }

    /// Events within credit and size, and the position that they reach.
    fn collect(&self, open: &mut Open, records: &[Arc<ChangeRecord>]) -> (Vec<ConsumerEvent>, u64) {
        let (mut events, mut bytes, mut position) = (Vec::new(), 0, open.position);
        let mut rest = records;
        while let Some(record) = rest.first() {
            if count(&events) >= open.credit || bytes > MAX_RESPONSE_BYTES {
                break;
            }
            let merged = if open.merge_next { equal_run(rest) } else { 1 };
            let place = rest[merged - 1].position;
            let ids: Vec<&str> = rest[..merged].iter().map(|record| record.record_id.as_str()).collect();
            if let Some(event) = open.lane(record).and_then(|lane| self.event(lane, record, &ids)) {
                bytes += event.payload.len();
                events.push(ConsumerEvent { event: Some(event), replay_id: self.id(place) });
            }
            position = place;
            rest = &rest[merged..];
        }
        if !events.is_empty() {
            open.merge_next = false;
            if std::mem::take(&mut open.duplicate_next) {
                let again = events.clone().into_iter().map(|event| ConsumerEvent {
                    replay_id: replay::second_id(replay::position(&event.replay_id).unwrap_or_default()),
                    ..event
                });
                events.extend(again.collect::<Vec<_>>());
            }
        }
        (events, position)
    }

    async fn respond(&self, open: &mut Open, events: Vec<ConsumerEvent>) -> Result<(), End> {
        let delivered = u64::try_from(events.len()).unwrap_or(u64::MAX);
        if self.org.deliveries_exhausted(delivered) {
            return Err(status::delivery_limit(RPC).into());
        }
        self.org.count_deliveries(delivered);
        let omit = std::mem::take(&mut open.omit_next);
        let mut events = events;
        if omit {
            events.iter_mut().for_each(|event| event.replay_id = Bytes::new());
        }
        open.credit = (open.credit - count(&events)).max(0);
        let latest_replay_id = events.last().map(|event| event.replay_id.clone()).unwrap_or_default();
        let response = FetchResponse {
            events,
            latest_replay_id,
            rpc_id: self.rpc_id.clone(),
            pending_num_requested: open.pending(),
        };
        self.send(open, response).await
    }

    async fn send(&self, open: &mut Open, response: FetchResponse) -> Result<(), End> {
        self.out.send(Ok(response)).await.map_err(|_| End::Gone)?;
        open.last_response = Instant::now();
        open.credit_used_up = open.last_response;
        Ok(())
    }

    /// Until a keepalive is due, or until a client without credit is given up.
    async fn quiet(&self, open: &Open) {
        let settings = self.org.settings();
        let until = match open.credit {
            0 => open.credit_used_up + Duration::from_secs(settings.idle_close_seconds),
            _ => open.last_response + Duration::from_secs(settings.keepalive_seconds),
        };
        sleep_until(until).await;
    }

    async fn after_quiet(&self, open: &mut Open) -> Result<(), End> {
        if open.credit == 0 {
            // Status and code of this refusal are not confirmed.
            let words = "No events were requested in time. Closing the subscription.";
            let code = "subscription.fetch.request.invalid";
            return Err(status::refuse(RPC, Code::DeadlineExceeded, code, words).into());
        }
        self.strike(open).await?;
        // Everything up to the tip was looked at, so it is a place to resume from.
        let page = self.org.changes_after(open.position, 1);
        if page.records.is_empty() {
            open.position = open.position.max(page.tip);
        }
        let response = keepalive(self.id(open.position), &self.rpc_id, open.pending());
        self.send(open, response).await
    }

    /// Lets an armed fault happen before something is sent.
    async fn strike(&self, open: &mut Open) -> Result<(), End> {
        let site = FaultSite {
            method: RPC,
            path: &open.topic,
            username: &self.caller.user.username,
            ..FaultSite::default()
        };
        let Some(fault) = self.org.faults().take_matching(FaultPoint::StreamDelivery, &site) else {
            return Ok(());
        };
        match fault.action {
            FaultAction::Delay { millis } => sleep(Duration::from_millis(millis)).await,
            FaultAction::StreamStall { millis: Some(millis) } => sleep(Duration::from_millis(millis)).await,
            FaultAction::StreamStall { millis: None } => {
                self.out.closed().await;
                return Err(End::Gone);
            }
            FaultAction::StreamReset | FaultAction::DropReply => return Err(reset::reset().into()),
            FaultAction::StreamError { grpc_status, code, message } => {
                let words = message.as_deref().unwrap_or("Ended by an armed fault.");
                return Err(status::refuse(RPC, Code::from(grpc_status), &code, words).into());
            }
            FaultAction::ExpireToken => {
                self.org.revoke_session(&self.caller.token);
                return Err(status::auth(RPC).into());
            }
            FaultAction::DailyLimit => return Err(status::delivery_limit(RPC).into()),
            FaultAction::ServiceUnavailable => return Err(status::unavailable(RPC).into()),
            FaultAction::DuplicateDelivery => open.duplicate_next = true,
            FaultAction::MergeRecordIds => open.merge_next = true,
            FaultAction::SplitDelivery => open.split_next = true,
            FaultAction::LoseDelivery => open.lose_next = true,
            FaultAction::OmitReplayId => open.omit_next = true,
            FaultAction::StreamCut => return Err(reset::cut().into()),
            FaultAction::ResetFrame { error_code } => self.line.reset(error_code),
            FaultAction::GoAway => self.line.go_away(),
            FaultAction::HalfOpen => self.line.half_open(),
            FaultAction::Error { .. } | FaultAction::LockRow | FaultAction::Edit { .. } => {}
        }
        Ok(())
    }
}

impl Open {
    /// Adds credit. Later requests may leave the topic out; their replay options are ignored.
    fn grant(&mut self, request: &FetchRequest) -> Result<(), Status> {
        if !request.topic_name.is_empty() && request.topic_name != self.topic {
            let words = "The topic can't change within a stream.";
            let code = "subscription.fetch.topic.mismatch";
            return Err(status::refuse(RPC, Code::InvalidArgument, code, words));
        }
        if request.num_requested <= 0 {
            let words = "The requested number of events in a fetch request must be greater than zero.";
            let code = "subscription.fetch.requested.events.invalid";
            return Err(status::refuse(RPC, Code::InvalidArgument, code, words));
        }
        if self.credit == 0 {
            // The keepalive's clock starts when there is somebody to keep alive for.
            self.last_response = Instant::now();
        }
        self.credit = (self.credit + i64::from(request.num_requested)).min(MAX_CREDIT);
        Ok(())
    }

    fn lane(&self, record: &ChangeRecord) -> Option<&Lane> {
        let of_its_time = self.lanes.iter().find(|(since, _)| record.position > *since);
        of_its_time.and_then(|(_, lanes)| lanes.get(&record.object))
    }

    fn pending(&self) -> i32 {
        i32::try_from(self.credit).unwrap_or(i32::MAX)
    }
}

/// How many of the first records are one change of several records in one transaction.
fn equal_run(records: &[Arc<ChangeRecord>]) -> usize {
    let first = &records[0];
    let same = |record: &&Arc<ChangeRecord>| {
        Arc::ptr_eq(&record.commit, &first.commit)
            && record.object == first.object
            && record.kind == first.kind
            && record.changed == first.changed
    };
    records.iter().take_while(same).count().max(1)
}

/// Looks like the random UUID that recordings show; the same at every delivery.
pub(super) fn event_id(record: &ChangeRecord) -> String {
    let key = record.commit.transaction_key.get(8..).unwrap_or_default();
    let low = u32::try_from(record.position & 0xffff_ffff).unwrap_or_default();
    format!("{:08x}{key}", low.wrapping_mul(0x9e37_79b1))
}

pub(super) fn corrupted() -> Status {
    let words = "The Replay ID validation failed. Ensure that the Replay ID is valid.";
    status::refuse(RPC, Code::InvalidArgument, "subscription.fetch.replayid.corrupted", words)
}

fn count(events: &[ConsumerEvent]) -> i64 {
    i64::try_from(events.len()).unwrap_or(i64::MAX)
}

async fn wait(tip: &mut watch::Receiver<u64>) -> Result<(), End> {
    tip.changed().await.map_err(|_| End::Gone)
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
