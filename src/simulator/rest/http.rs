//! The wire side of REST: token, limits, faults, headers, JSON in Salesforce's style.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header::HeaderName},
};
use serde_json::Value;

use super::{
    call::{Call, Reply, Target, not_found, parameters, parser_error, target},
    context::Context,
    dates, dispatch, versions,
};
use crate::{
    domain::RecordId,
    simulator::{
        FaultAction, FaultPoint, FaultSite, Org, UserContext,
        metadata_api::rest::RestCall,
        server::{Site, Wire},
    },
};

/// Salesforce takes about 50 MB.
const MAX_BODY: usize = 50 * 1024 * 1024;
const MAX_URI: usize = 16_384;

/// Any request below `/services/data`.
pub(in crate::simulator) async fn handle(State(site): State<Site>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let pretty = parts.headers.get("x-prettyprint").is_some_and(|value| value == "1");
    let wire = parts.extensions.get::<Wire>().cloned().unwrap_or_default();
    let head = parts.method == Method::HEAD;
    let incoming = Incoming {
        method: method(&parts.method, parts.uri.query()),
        path: parts.uri.path().to_owned(),
        query: parameters(parts.uri.query().unwrap_or_default()),
        headers: header_map(&parts.headers),
        wire,
    };
    let long = parts.uri.to_string().len() > MAX_URI;
    let reply = match long {
        true => Reply::error(414, "URI_TOO_LONG", "The URI is longer than 16,384 bytes"),
        false => incoming.answer(&site, body).await,
    };
    render(&site.org, &reply, pretty, head)
}

/// `POST` with `_HttpMethod=PATCH` stands for clients that cannot send PATCH.
fn method(method: &Method, query: Option<&str>) -> String {
    let instead = query.map(parameters).and_then(|mut query| query.remove("_HttpMethod"));
    match (method.as_str(), instead) {
        ("POST", Some(instead)) => instead.to_uppercase(),
        ("HEAD", _) => "GET".to_owned(),
        (method, _) => method.to_owned(),
    }
}

fn header_map(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

struct Incoming {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    wire: Wire,
}

impl Incoming {
    async fn answer(self, site: &Site, body: Body) -> Reply {
        let (version, path) = match target(&self.path) {
            Target::Versions => return versions::list(),
            Target::Unknown => return not_found(),
            Target::Resource { version, path } => (version, path),
        };
        let token = bearer(&self.headers, &self.query);
        let user = token.as_deref().and_then(|token| site.org.session(token).ok());
        let username = user.as_ref().map(|user| user.username.clone()).unwrap_or_default();
        if let Some(reply) = self.strike(site, FaultPoint::Request, &username, token.as_deref()).await {
            return reply;
        }
        // A fault may have ended the session meanwhile.
        let user = token.as_deref().and_then(|token| site.org.session(token).ok());
        let Some(user) = user else { return session_invalid() };
        if site.org.count_api_call().exceeded() {
            return daily_limit();
        }
        site.org.note_call(&user.username, &self.method, &path);
        if let Some((first, rest)) = path.split_first()
            && first == "metadata"
        {
            let reply = self.metadata(site, &user, rest, body).await;
            return with_limit_info(&site.org, reply);
        }
        let call = match to_bytes(body, MAX_BODY).await {
            Ok(body) => self.call(version, path, &body),
            Err(_) => Err(Reply::error(413, "EXCEEDED_MAX_SIZE_REQUEST", "The request body is too large")),
        };
        let reply = match call {
            Ok(call) => run(site, user, call).await,
            Err(reply) => reply,
        };
        let late = self.strike(site, FaultPoint::Reply, &username, token.as_deref()).await;
        with_limit_info(&site.org, late.unwrap_or(reply))
    }

    /// Deploys are multipart and not JSON, so they take a way of their own.
    async fn metadata(&self, site: &Site, user: &UserContext, path: &[String], body: Body) -> Reply {
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return Reply::error(413, "EXCEEDED_MAX_SIZE_REQUEST", "The request body is too large");
        };
        let header = |name: &str| self.headers.get(name).map(String::as_str).unwrap_or_default();
        let call = RestCall {
            org: &site.org,
            user,
            method: &self.method,
            path: path.iter().map(String::as_str).collect(),
            details: self.query.get("includeDetails").is_some_and(|value| value == "true"),
            content_type: header("content-type"),
            body: &body,
        };
        match call.answer().await {
            Some((status, body)) => Reply::with(status, body),
            None => not_found(),
        }
    }

    fn call(&self, version: String, path: Vec<String>, body: &Bytes) -> Result<Call, Reply> {
        let body = match body.iter().all(u8::is_ascii_whitespace) {
            true => None,
            false => {
                Some(serde_json::from_slice::<Value>(body).map_err(|error| parser_error(error.to_string()))?)
            }
        };
        Ok(Call {
            method: self.method.clone(),
            version,
            path,
            query: self.query.clone(),
            headers: self.headers.clone(),
            body,
            nested: false,
        })
    }

    /// What an armed fault does at this point: `Some` is the reply instead of the real one.
    async fn strike(
        &self,
        site: &Site,
        point: FaultPoint,
        username: &str,
        token: Option<&str>,
    ) -> Option<Reply> {
        let (object, record_id) = named_row(&self.path);
        let place = FaultSite {
            method: &self.method,
            path: &self.path,
            object: &object,
            record_id: &record_id,
            username,
            fields: None,
        };
        let fault = site.org.faults().take_matching(point, &place)?;
        match fault.action {
            FaultAction::DropReply => {
                self.wire.cut();
                Some(Reply::empty(500))
            }
            FaultAction::Delay { millis } => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                None
            }
            FaultAction::Error { status, code, message } => Some(Reply::error(status, &code, message)),
            FaultAction::ExpireToken => {
                site.org.revoke_session(token?);
                None
            }
            FaultAction::ServiceUnavailable => {
                Some(Reply::error(503, "SERVER_UNAVAILABLE", "The service is unavailable. Try again later."))
            }
            FaultAction::DailyLimit => Some(daily_limit()),
            _ => None,
        }
    }
}

/// The object and the 18-character id that a path names, as far as it does. Rows in a
/// body are not looked at: faults at rows match them.
fn named_row(path: &str) -> (String, String) {
    let Target::Resource { path, .. } = target(path) else { return Default::default() };
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["sobjects", object, id, ..] => ((*object).to_owned(), RecordId::complete(id).unwrap_or_default()),
        ["sobjects", object] | ["composite", "sobjects", object, ..] => ((*object).to_owned(), String::new()),
        _ => Default::default(),
    }
}

/// The org's work is synchronous; a worker thread of its own keeps the network going.
async fn run(site: &Site, user: UserContext, call: Call) -> Reply {
    let context = Context {
        org: site.org.clone(),
        user,
        instance_url: site.instance_url.clone(),
        deployed: site.org.deployed().at,
        transaction: None,
    };
    let work = tokio::task::spawn_blocking(move || {
        // Paths of flows wait for the clock; a call is a good moment to look at it.
        context.org.run_scheduled();
        dispatch(&context, &call)
    });
    work.await.unwrap_or_else(|_| {
        Reply::error(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. ErrorId: simulated-org")
    })
}

/// `Authorization: Bearer ..`, the older `OAuth ..`, or the `oauth_token` parameter.
pub(in crate::simulator) fn bearer(
    headers: &BTreeMap<String, String>,
    query: &BTreeMap<String, String>,
) -> Option<String> {
    let header = headers.get("authorization").and_then(|value| value.split_once(' '));
    let known = |scheme: &str| ["bearer", "oauth"].contains(&scheme.to_ascii_lowercase().as_str());
    match header.filter(|(scheme, _)| known(scheme)) {
        Some((_, token)) => Some(token.trim().to_owned()),
        None => query.get("oauth_token").cloned(),
    }
}

fn session_invalid() -> Reply {
    Reply::error(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

fn daily_limit() -> Reply {
    Reply::error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

fn with_limit_info(org: &Org, reply: Reply) -> Reply {
    let usage = org.api_usage();
    reply.header("Sforce-Limit-Info", format!("api-usage={}/{}", usage.used, usage.max))
}

fn render(org: &Org, reply: &Reply, pretty: bool, head: bool) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap_or(axum::http::header::WARNING),
                value,
            );
        }
    };
    // The org's own clock, which a test may have moved.
    put("date", &dates::http_date(org.clock().now()));
    put("cache-control", "no-cache,must-revalidate,max-age=0,no-store,private");
    for (name, value) in &reply.headers {
        put(name, value);
    }
    if let Some(table) = &reply.csv {
        put("content-type", "text/csv");
        if !head {
            *response.body_mut() = Body::from(table.clone());
        }
    } else if let Some(body) = &reply.body {
        put("content-type", "application/json;charset=UTF-8");
        if !head {
            *response.body_mut() = Body::from(json_bytes(body, pretty));
        }
    }
    response
}

/// Compact, or indented with `X-PrettyPrint: 1`.
fn json_bytes(body: &Value, pretty: bool) -> Vec<u8> {
    if pretty { serde_json::to_vec_pretty(body).unwrap_or_default() } else { body.to_string().into_bytes() }
}
