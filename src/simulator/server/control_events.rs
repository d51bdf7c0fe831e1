//! Hands on the event bus: events without a row behind them, another schema, a stream that starts anew.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Site, control::refused};
use crate::{
    domain::FieldValue,
    simulator::{InjectedChange, model::ChangeKind, pubsub::SchemaDrift},
};

/// `/__events`, `/__events/reset`, `/__schema`.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/__events", post(publish))
        .route("/__events/reset", post(reset))
        .route("/__schema", post(drift))
}

/// An event: `{"kind": "GAP_UPDATE", "object": "Lead", "record_id": "00Q.."}`. The id may be a
/// wildcard (`00Q*`) or the dummy of an overflow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    kind: String,
    object: String,
    record_id: String,
    /// Role of a seeded user; the admin when absent.
    user: Option<String>,
    /// Changed fields, as texts or null.
    #[serde(default)]
    fields: Map<String, Value>,
}

async fn publish(State(site): State<Site>, Json(wish): Json<Published>) -> Response {
    let Some(kind) = ChangeKind::from_symbol(&wish.kind) else {
        return refused(
            StatusCode::BAD_REQUEST,
            "event-kind-unknown",
            "expected a symbol such as GAP_UPDATE",
        );
    };
    let Some(user) = site.org.user(wish.user.as_deref().unwrap_or("admin")) else {
        return refused(StatusCode::NOT_FOUND, "user-unknown", "expected a role such as reviewer");
    };
    let value = |value: Value| match value {
        Value::String(text) => FieldValue::text(text),
        Value::Bool(flag) => FieldValue::Bool(flag),
        _ => FieldValue::Null,
    };
    let changed = wish.fields.into_iter().map(|(name, given)| (name, value(given))).collect();
    let change = InjectedChange { object: wish.object, record_id: wish.record_id, kind, changed };
    site.org.inject_change(&user.user_id, "", change);
    Json(json!({ "tip": site.org.tip() })).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// Where the new stream starts; what it was at first when absent. Beyond an old place, that place
    /// is taken for a good one.
    position: Option<u64>,
}

async fn reset(State(site): State<Site>, Json(wish): Json<Reset>) -> Response {
    site.org.reset_stream(wish.position);
    Json(json!({ "tip": site.org.tip() })).into_response()
}

async fn drift(State(site): State<Site>, Json(drift): Json<SchemaDrift>) -> StatusCode {
    site.org.drift_schema(drift);
    StatusCode::NO_CONTENT
}
