//! The hands on the simulated org: faults, clock, sessions, switches, counters.
//! For callers on this machine only; no part of Salesforce.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Site, wire::is_local};
use crate::simulator::Fault;

/// `/__faults`, `/__clock`, `/__sessions`, `/__settings`, `/__users`, `/__queue`, `/__limits`, `/__convert`,
/// `/__stats`, `/__notifications`, and what `control_events` adds.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/__faults", get(faults).post(arm).delete(disarm))
        .route("/__clock", get(clock))
        .route("/__clock/advance", post(advance))
        .route("/__sessions", post(open_session).delete(end_sessions))
        .route("/__settings", post(switch))
        .route("/__limits", delete(forget_usage))
        .route("/__users", post(activate))
        .route("/__queue", post(queue))
        .route("/__convert", post(convert))
        .route("/__stats", get(stats))
        .merge(super::control_events::router())
        .route("/__notifications", get(notifications))
        .layer(middleware::from_fn(local_only))
}

async fn local_only(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    if is_local(peer) { next.run(request).await } else { StatusCode::NOT_FOUND.into_response() }
}

pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": code, "message": message }))).into_response()
}

async fn faults(State(site): State<Site>) -> Json<Value> {
    Json(json!({ "armed": site.org.faults().armed(), "fired": site.org.faults().fired() }))
}

/// One fault or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Faults {
    Many(Vec<Fault>),
    One(Box<Fault>),
}

async fn arm(State(site): State<Site>, body: String) -> Response {
    let faults = match serde_json::from_str::<Value>(&body) {
        Ok(Value::Array(_)) => serde_json::from_str(&body).map(Faults::Many),
        _ => serde_json::from_str(&body).map(|fault| Faults::One(Box::new(fault))),
    };
    let faults = match faults {
        Ok(Faults::Many(list)) => list,
        Ok(Faults::One(fault)) => vec![*fault],
        Err(error) => return refused(StatusCode::BAD_REQUEST, "fault-malformed", &error.to_string()),
    };
    let count = faults.len();
    for fault in faults {
        site.org.faults().arm(fault);
    }
    Json(json!({ "armed": count })).into_response()
}

async fn disarm(State(site): State<Site>) -> StatusCode {
    site.org.faults().clear();
    StatusCode::NO_CONTENT
}

async fn clock(State(site): State<Site>) -> Json<Value> {
    Json(json!({ "now": site.org.clock().now().to_string() }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

async fn advance(State(site): State<Site>, Json(by): Json<Advance>) -> Response {
    let before = site.org.clock().now();
    site.org.clock().advance(Duration::from_secs(by.seconds));
    site.org.expire_changes();
    let org = site.org.clone();
    // Paths of flows whose time has come. One that cannot run has said so.
    let _ = tokio::task::spawn_blocking(move || org.run_scheduled()).await;
    let now = site.org.clock().now();
    if by.seconds > 0 && now.as_second() < before.as_second() + i64::try_from(by.seconds).unwrap_or(i64::MAX)
    {
        let message = "this org runs on the machine's clock, which cannot be moved";
        return refused(StatusCode::CONFLICT, "clock-fixed", message);
    }
    Json(json!({ "now": now.to_string() })).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenSession {
    /// Role of a seeded user.
    user: String,
    /// Lifetime; the org's default when absent.
    seconds: Option<u64>,
    /// Also give a refresh token, as the web flow would.
    #[serde(default)]
    refresh: bool,
}

async fn open_session(State(site): State<Site>, Json(wish): Json<OpenSession>) -> Response {
    let Some(user) = site.org.user(&wish.user) else {
        return refused(StatusCode::NOT_FOUND, "user-unknown", "expected a role such as promoter");
    };
    let seconds = wish.seconds.unwrap_or(site.org.settings().session_seconds);
    let token = site.org.open_session(&user.user_id, Duration::from_secs(seconds));
    let refresh = wish.refresh.then(|| site.org.open_refresh(&user.user_id));
    Json(json!({ "access_token": token, "refresh_token": refresh, "user_id": user.user_id })).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndSessions {
    user: String,
}

async fn end_sessions(State(site): State<Site>, Json(wish): Json<EndSessions>) -> Response {
    let Some(user) = site.org.user(&wish.user) else {
        return refused(StatusCode::NOT_FOUND, "user-unknown", "expected a role such as promoter");
    };
    site.org.expire_sessions(&user.user_id);
    StatusCode::NO_CONTENT.into_response()
}

/// What was used of the daily limits is free again.
async fn forget_usage(State(site): State<Site>) -> StatusCode {
    site.org.forget_usage();
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Convert {
    /// Role of a seeded user; the admin when absent.
    user: Option<String>,
    lead: String,
    #[serde(default)]
    opportunity: bool,
}

/// What a person does with the button Convert.
async fn convert(State(site): State<Site>, Json(wish): Json<Convert>) -> Response {
    let Some(user) = site.org.user(wish.user.as_deref().unwrap_or("admin")) else {
        return refused(StatusCode::NOT_FOUND, "user-unknown", "expected a role such as reviewer");
    };
    let org = site.org.clone();
    let converted =
        tokio::task::spawn_blocking(move || org.convert_lead(&user, &wish.lead, wish.opportunity)).await;
    match converted {
        Ok(Ok(converted)) => Json(json!(converted)).into_response(),
        Ok(Err(errors)) => (StatusCode::BAD_REQUEST, Json(json!({ "errors": errors }))).into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, "convert-failed", &error.to_string()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    /// A checkbox of `AI_Gate_Setting__mdt.Default`.
    field: String,
    on: bool,
}

async fn switch(State(site): State<Site>, Json(wish): Json<Switch>) -> Response {
    if site.org.set_setting(&wish.field, wish.on) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused(StatusCode::NOT_FOUND, "switch-unknown", "the package has no such switch")
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Activity {
    /// Role of a seeded user.
    user: String,
    active: Option<bool>,
    /// An integration from now on.
    #[serde(default)]
    program: bool,
}

async fn activate(State(site): State<Site>, Json(wish): Json<Activity>) -> Response {
    let org = &site.org;
    let active = wish.active.is_none_or(|active| org.set_active(&wish.user, active));
    if active && (!wish.program || org.make_program(&wish.user)) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused(StatusCode::NOT_FOUND, "user-unknown", "expected a role such as reviewer")
    }
}

/// The queue holds the public group and nobody else.
async fn queue(State(site): State<Site>) -> Response {
    match site.org.fill_queue_with_group() {
        true => StatusCode::NO_CONTENT.into_response(),
        false => refused(StatusCode::NOT_FOUND, "queue-unknown", "the queue or the group is not there"),
    }
}

/// What flows told people.
async fn notifications(State(site): State<Site>) -> Json<Value> {
    Json(json!({ "notifications": site.org.notifications() }))
}

async fn stats(State(site): State<Site>) -> Json<Value> {
    let rows = ["Lead", "Opportunity", "Account"];
    let rows: serde_json::Map<String, Value> =
        rows.iter().map(|name| ((*name).to_owned(), json!(site.org.row_count(name)))).collect();
    let stats = site.org.stats();
    Json(json!({
        "api_calls": stats.api_calls,
        "calls": stats.calls,
        "deliveries": stats.deliveries,
        "writes": stats.writes,
        "rpcs": stats.rpcs,
        "streams_open": stats.streams_open,
        "streams_most": stats.streams_most,
        "rows": rows,
        "tip": site.org.tip(),
    }))
}
