//! The six calls of `eventbus.v1.PubSub`.

use std::pin::Pin;

use futures::Stream;
use prost::bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::{
    clock,
    salesforce::pubsub::proto::{
        FetchRequest, FetchResponse, ManagedFetchRequest, ManagedFetchResponse, PublishRequest,
        PublishResponse, SchemaInfo, SchemaRequest, TopicInfo, TopicRequest, pub_sub_server::PubSub,
    },
    simulator::{FaultAction, FaultPoint, FaultSite, Org},
};

use super::{
    access::{Caller, caller},
    channel::{self, Catalogs},
    line::Switch,
    status,
    stream::Subscription,
};

/// The service over one org.
#[derive(Clone)]
pub struct PubSubService {
    org: Org,
    catalogs: Catalogs,
}

type Reply<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl PubSubService {
    pub(super) fn new(org: Org) -> Self {
        Self { catalogs: Catalogs::new(org.clone()), org }
    }

    async fn open<T>(&self, request: &Request<T>, rpc: &'static str) -> Result<Caller, Status> {
        self.org.note_rpc(rpc);
        let site = FaultSite { method: rpc, ..FaultSite::default() };
        if let Some(fault) = self.org.faults().take_matching(FaultPoint::StreamOpen, &site) {
            match fault.action {
                FaultAction::Delay { millis } => {
                    tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
                }
                FaultAction::ExpireToken => {
                    let token = request.metadata().get("accesstoken").and_then(|token| token.to_str().ok());
                    self.org.revoke_session(token.unwrap_or_default());
                }
                FaultAction::StreamError { grpc_status, code, message } => {
                    let words = message.as_deref().unwrap_or("Refused by an armed fault.");
                    return Err(status::refuse(rpc, Code::from(grpc_status), &code, words));
                }
                FaultAction::DailyLimit => return Err(status::delivery_limit(rpc)),
                _ => return Err(status::unavailable(rpc)),
            }
        }
        caller(&self.org, request.metadata(), rpc).await
    }
}

#[tonic::async_trait]
impl PubSub for PubSubService {
    type SubscribeStream = Reply<FetchResponse>;
    type PublishStreamStream = Reply<PublishResponse>;
    type ManagedSubscribeStream = Reply<ManagedFetchResponse>;

    async fn subscribe(
        &self,
        request: Request<Streaming<FetchRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = self.open(&request, "Subscribe").await?;
        let line = request.extensions().get::<Switch>().cloned().unwrap_or_default();
        let (out, replies) = mpsc::channel(4);
        let subscription = Subscription::new(self.org.clone(), self.catalogs.clone(), (caller, line), out);
        tokio::spawn(subscription.run(request.into_inner()));
        Ok(Response::new(Box::pin(ReceiverStream::new(replies))))
    }

    async fn get_schema(&self, request: Request<SchemaRequest>) -> Result<Response<SchemaInfo>, Status> {
        const RPC: &str = "GetSchema";
        self.open(&request, RPC).await?;
        let id = request.into_inner().schema_id;
        if id.is_empty() {
            let words = "Schema validation failed. The schema ID can't be blank.";
            return Err(status::refuse(RPC, Code::InvalidArgument, "schema.validation.failed", words));
        }
        let catalog = self.catalogs.current();
        let Some(encoder) = catalog.schema(&id) else {
            let words = "The schema was not found.";
            return Err(status::refuse(RPC, Code::NotFound, "schema.not.found", words));
        };
        Ok(Response::new(SchemaInfo {
            schema_json: encoder.schema_json.clone(),
            schema_id: id,
            rpc_id: clock::random_id(),
        }))
    }

    async fn get_topic(&self, request: Request<TopicRequest>) -> Result<Response<TopicInfo>, Status> {
        const RPC: &str = "GetTopic";
        let caller = self.open(&request, RPC).await?;
        let name = request.into_inner().topic_name;
        let topic = channel::find(&self.org, &self.catalogs.current(), &name, RPC)?;
        Ok(Response::new(TopicInfo {
            tenant_guid: format!("CORE/prod/{}", self.org.org_id()),
            can_publish: false,
            can_subscribe: topic.can_subscribe(&caller.user),
            schema_id: topic.schema_id().to_owned(),
            topic_name: name,
            rpc_id: clock::random_id(),
        }))
    }

    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        self.open(&request, "Publish").await?;
        Err(no_publishing("Publish"))
    }

    async fn publish_stream(
        &self,
        request: Request<Streaming<PublishRequest>>,
    ) -> Result<Response<Self::PublishStreamStream>, Status> {
        self.open(&request, "PublishStream").await?;
        Err(no_publishing("PublishStream"))
    }

    async fn managed_subscribe(
        &self,
        request: Request<Streaming<ManagedFetchRequest>>,
    ) -> Result<Response<Self::ManagedSubscribeStream>, Status> {
        self.open(&request, "ManagedSubscribe").await?;
        Err(Status::unimplemented("the simulated org has no managed subscriptions"))
    }
}

/// Only Salesforce publishes change events. The code's last part is not confirmed.
fn no_publishing(rpc: &'static str) -> Status {
    let words = "Change events can't be published.";
    status::refuse(rpc, Code::PermissionDenied, "publish.topic.cannot.publish", words)
}

/// A FetchResponse without events: a sign of life, and a place to resume from.
pub(super) fn keepalive(place: Bytes, rpc_id: &str, pending: i32) -> FetchResponse {
    FetchResponse {
        events: Vec::new(),
        latest_replay_id: place,
        rpc_id: rpc_id.to_owned(),
        pending_num_requested: pending,
    }
}
