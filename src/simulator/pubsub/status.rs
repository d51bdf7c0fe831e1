//! Errors with the trailers that Salesforce sends: `error-code`, `rpc-id` and `type`.

use tonic::{Code, Status};

use crate::clock;

/// The prefix of every code.
const PREFIX: &str = "sfdc.platform.eventbus.grpc.";

/// An error of one call.
pub(super) fn refuse(rpc: &'static str, status: Code, code: &str, words: &str) -> Status {
    let rpc_id = clock::random_id();
    let mut refusal = Status::new(status, format!("{words} rpcId: {rpc_id}"));
    let full = match code.starts_with(PREFIX) {
        true => code.to_owned(),
        false => format!("{PREFIX}{code}"),
    };
    let metadata = refusal.metadata_mut();
    for (key, value) in [("error-code", full.as_str()), ("rpc-id", &rpc_id), ("type", rpc)] {
        if let Ok(value) = value.parse() {
            metadata.insert(key, value);
        }
    }
    refusal
}

/// The token is missing, wrong, expired or revoked.
pub(super) fn auth(rpc: &'static str) -> Status {
    let words = "An authentication exception occurred. Provide valid authentication via metadata headers.";
    refuse(rpc, Code::Unauthenticated, "service.auth.error", words)
}

/// Arrives as INTERNAL, although it is a matter of availability.
pub(super) fn unavailable(rpc: &'static str) -> Status {
    refuse(rpc, Code::Internal, "service.unavailable", "The service is unavailable. Try again later.")
}

/// The rolling daily allocation is used up. Its gRPC status is not confirmed.
pub(super) fn delivery_limit(rpc: &'static str) -> Status {
    let words = "You have exceeded the event delivery limit for your org.";
    refuse(rpc, Code::ResourceExhausted, "subscription.limit.exceeded", words)
}
