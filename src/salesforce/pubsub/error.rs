//! What can go wrong with a call or the stream, and what to do about it.

use tonic::{Code, Status};

use super::token::TokenError;
use crate::telemetry::stream::StreamMode;

/// The prefix of every code that Salesforce sends in the `error-code` trailer.
const PREFIX: &str = "sfdc.platform.eventbus.grpc.";

/// What the caller should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Drop the token, log in again, then try again from the last committed place.
    Relogin,
    /// Try again after a short, growing pause.
    Backoff,
    /// Try again after minutes: a limit was reached.
    LongBackoff,
    /// The stored place is not valid any more: record the reset, sweep, start at LATEST.
    ReplayInvalid,
    /// Nothing will help until somebody changes a setting, permission or name. Try rarely.
    Config,
}

/// A failed call or a broken stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StreamError {
    code: &'static str,
    action: Action,
    message: String,
    /// Salesforce's own code, without its common prefix, when it sent one.
    pub service_code: Option<String>,
    /// Salesforce's id of the failed call, for a support case.
    pub rpc_id: Option<String>,
}

impl StreamError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What to do next.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Whether a schema is refused for good, and not the caller.
    pub(super) fn is_about_schema(&self) -> bool {
        let about_caller =
            matches!(self.code, "pubsub-no-token" | "pubsub-config-refused" | "pubsub-credential-invalid");
        self.action == Action::Config && !about_caller
    }

    /// Which kind of trouble it is.
    pub fn mode(&self) -> StreamMode {
        match self.code {
            "pubsub-auth-refused" => StreamMode::TokenRefused,
            "pubsub-no-token" => StreamMode::LoginFailed,
            "pubsub-stream-ended" => StreamMode::Ended,
            "pubsub-stream-silent" => StreamMode::Silent,
            "pubsub-credit-lapsed" => StreamMode::CreditLapsed,
            "pubsub-limit-reached" => StreamMode::LimitReached,
            "pubsub-replay-invalid" => StreamMode::PlaceRefused,
            "pubsub-unavailable" if self.service_code.is_some() => StreamMode::Unavailable,
            "pubsub-unavailable" => StreamMode::ConnectionLost,
            _ => StreamMode::Config,
        }
    }

    pub(super) fn new(code: &'static str, action: Action, message: String) -> Self {
        Self { code, action, message, service_code: None, rpc_id: None }
    }

    pub(super) fn config(code: &'static str, message: String) -> Self {
        Self::new(code, Action::Config, message)
    }

    /// The stream ended without an error. Treated like a dropped connection.
    pub(super) fn ended() -> Self {
        Self::new("pubsub-stream-ended", Action::Backoff, "the server ended the stream".to_owned())
    }

    /// No sign of life for longer than the service promises.
    pub(super) fn silent(seconds: u64) -> Self {
        let message = format!("nothing was received for {seconds} s; the stream is given up");
        Self::new("pubsub-stream-silent", Action::Backoff, message)
    }

    /// Reads the trailers first: the gRPC status alone is not reliable
    /// (`service.unavailable` arrives as INTERNAL).
    pub fn from_status(status: &Status) -> Self {
        let text = |key| status.metadata().get(key).and_then(|value| value.to_str().ok());
        let service_code =
            text("error-code").map(|code| code.strip_prefix(PREFIX).unwrap_or(code).to_owned());
        let (code, action) = match service_code.as_deref() {
            _ if status.message().contains(ILLEGAL_SESSION) => ("pubsub-auth-refused", Action::Relogin),
            Some(code) => classify(code, status.code()),
            None => classify_status(status.code()),
        };
        let shown = service_code.as_deref().unwrap_or("no error code");
        let words: String = status.message().chars().take(300).collect();
        Self {
            code,
            action,
            message: format!("Pub/Sub API: {:?}, {shown}: {words:?}", status.code()),
            rpc_id: text("rpc-id").map(str::to_owned),
            service_code,
        }
    }
}

/// The service's word for a session that no longer holds; which status and code go with it is not
/// documented, and only a new login helps.
const ILLEGAL_SESSION: &str = "Illegal Session";

impl From<TokenError> for StreamError {
    fn from(error: TokenError) -> Self {
        let action = if error.retryable { Action::Backoff } else { Action::Config };
        Self::new("pubsub-no-token", action, error.to_string())
    }
}

fn classify(service_code: &str, status: Code) -> (&'static str, Action) {
    match service_code {
        "service.auth.error" | "service.auth.refresh.invalid" => ("pubsub-auth-refused", Action::Relogin),
        "service.auth.headers.invalid" | "service.tenant.license" => {
            ("pubsub-config-refused", Action::Config)
        }
        "service.protection.stream.limit.triggered"
        | "service.protection.triggered"
        | "concurrent.client.limit.exceeded"
        | "subscription.limit.exceeded" => ("pubsub-limit-reached", Action::LongBackoff),
        // What the service says when nothing was asked for in time is not confirmed.
        "subscription.fetch.request.invalid" if status == Code::DeadlineExceeded => {
            ("pubsub-credit-lapsed", Action::Backoff)
        }
        "subscription.fetch.replayid.corrupted" | "subscription.fetch.replayid.validation.failed" => {
            ("pubsub-replay-invalid", Action::ReplayInvalid)
        }
        "topic.not.found"
        | "topic.meta.permission"
        | "topic.validation.empty"
        | "schema.meta.permission"
        | "schema.validation.failed"
        | "schema.not.found"
        | "subscription.topic.cannot.subscribe" => ("pubsub-topic-refused", Action::Config),
        "service.unavailable"
        | "topic.api.unavailable"
        | "schema.api.unavailable"
        | "subscription.internal.error" => ("pubsub-unavailable", Action::Backoff),
        _ => classify_status(status),
    }
}

fn classify_status(status: Code) -> (&'static str, Action) {
    match status {
        Code::Unauthenticated => ("pubsub-auth-refused", Action::Relogin),
        Code::ResourceExhausted => ("pubsub-limit-reached", Action::LongBackoff),
        Code::PermissionDenied | Code::NotFound | Code::Unimplemented => {
            ("pubsub-topic-refused", Action::Config)
        }
        Code::InvalidArgument => ("pubsub-request-refused", Action::Config),
        _ => ("pubsub-unavailable", Action::Backoff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: Code, service_code: Option<&str>) -> Status {
        let mut status = Status::new(code, "words");
        if let Some(text) = service_code {
            let value = format!("{PREFIX}{text}").parse().unwrap();
            status.metadata_mut().insert("error-code", value);
        }
        status
    }

    #[test]
    fn the_trailer_wins_over_the_status() {
        let error = StreamError::from_status(&status(Code::Internal, Some("service.auth.error")));
        assert_eq!(error.action(), Action::Relogin);
        let error = StreamError::from_status(&status(
            Code::InvalidArgument,
            Some("subscription.fetch.replayid.corrupted"),
        ));
        assert_eq!(error.action(), Action::ReplayInvalid);
        assert_eq!(error.service_code.as_deref(), Some("subscription.fetch.replayid.corrupted"));
    }

    #[test]
    fn an_illegal_session_asks_for_a_login_whatever_the_code() {
        for service_code in [None, Some("subscription.internal.error")] {
            let mut refused = status(Code::Internal, service_code);
            refused = Status::with_metadata(
                refused.code(),
                "Illegal Session. rpcId: 1",
                refused.metadata().clone(),
            );
            assert_eq!(StreamError::from_status(&refused).action(), Action::Relogin);
        }
    }

    #[test]
    fn transport_failures_are_tried_again() {
        for code in [Code::Internal, Code::Unavailable, Code::Unknown, Code::Cancelled] {
            assert_eq!(StreamError::from_status(&status(code, None)).action(), Action::Backoff);
        }
    }

    #[test]
    fn an_unknown_service_code_falls_back_to_the_status() {
        let error = StreamError::from_status(&status(Code::ResourceExhausted, Some("new.code")));
        assert_eq!(error.action(), Action::LongBackoff);
    }
}
