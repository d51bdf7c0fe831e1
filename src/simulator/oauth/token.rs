//! `POST /services/oauth2/token`.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{RawQuery, State},
    http::{Extensions, HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{OAuthError, check_client, form, jwt};
use crate::simulator::{
    FaultAction, FaultPoint, FaultSite, UserContext,
    server::{Site, Wire},
};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Answers a token request.
pub(super) async fn handle(
    State(site): State<Site>,
    extensions: Extensions,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    if let Some(reply) = strike(&site, &extensions).await {
        return reply;
    }
    let fields = form(query.as_deref(), &body);
    let granted = match fields.get("grant_type").map(String::as_str) {
        Some(JWT_BEARER) => by_assertion(&site, &fields).map(|user| (user, true)),
        Some("client_credentials") => by_client(&site, &headers, &fields).map(|user| (user, true)),
        Some("refresh_token") => by_refresh(&site, &fields).map(|user| (user, false)),
        // The password flow is blocked by default in new orgs and answers like a wrong password.
        Some("password") => Err(OAuthError::grant("authentication failure")),
        _ => Err(OAuthError::new("unsupported_grant_type", "grant type not supported")),
    };
    match granted {
        Ok((user, with_scope)) => Json(reply(&site, &user, with_scope)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn strike(site: &Site, extensions: &Extensions) -> Option<Response> {
    let place = FaultSite { method: "POST", path: "/services/oauth2/token", ..FaultSite::default() };
    match site.org.faults().take_matching(FaultPoint::Token, &place)?.action {
        FaultAction::Delay { millis } => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            None
        }
        FaultAction::DropReply => {
            extensions.get::<Wire>().cloned().unwrap_or_default().cut();
            Some(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        FaultAction::Error { status, code, message } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            Some(OAuthError { status, ..OAuthError::new(&code, &message) }.into_response())
        }
        // A token service that is down answers in HTML.
        FaultAction::ServiceUnavailable => {
            let page = "<html><body>Service Unavailable</body></html>";
            Some((StatusCode::SERVICE_UNAVAILABLE, axum::response::Html(page)).into_response())
        }
        _ => None,
    }
}

fn by_assertion(site: &Site, fields: &BTreeMap<String, String>) -> Result<UserContext, OAuthError> {
    let app = site.org.oauth_app();
    let assertion = fields.get("assertion").map(String::as_str).unwrap_or_default();
    let Some(certificate) = app.certificate_pem else { return Err(OAuthError::grant("invalid assertion")) };
    let expected = jwt::Expected {
        client_id: &app.client_id,
        public_key_pem: &certificate,
        audiences: &site.audiences,
        now: site.org.clock().now(),
    };
    let username = jwt::subject(assertion, &expected)?;
    let user = site.org.user_by_username(&username);
    user.filter(|user| app.approved_users.contains(&user.user_id))
        .ok_or_else(|| OAuthError::grant("user hasn't approved this consumer"))
}

fn by_client(
    site: &Site,
    headers: &HeaderMap,
    fields: &BTreeMap<String, String>,
) -> Result<UserContext, OAuthError> {
    check_client(&site.org, headers, fields)?;
    let user = site.org.oauth_app().run_as_user.and_then(|id| site.org.user_by_id(&id));
    user.ok_or_else(|| OAuthError::grant("no client credentials user enabled"))
}

/// The secret is optional here, as for apps that do not require it; a wrong one is refused.
fn by_refresh(site: &Site, fields: &BTreeMap<String, String>) -> Result<UserContext, OAuthError> {
    let app = site.org.oauth_app();
    if fields.get("client_id") != Some(&app.client_id) {
        return Err(OAuthError::client_id());
    }
    if fields.get("client_secret").is_some_and(|secret| *secret != app.client_secret) {
        return Err(OAuthError::client());
    }
    let token = fields.get("refresh_token").map(String::as_str).unwrap_or_default();
    let user = site.org.refresh_user(token).and_then(|id| site.org.user_by_id(&id));
    user.ok_or_else(|| OAuthError::grant("expired access/refresh token"))
}

/// Nothing in the reply tells how long the token lives; the refresh token is not repeated.
fn reply(site: &Site, user: &UserContext, with_scope: bool) -> Value {
    let lifetime = Duration::from_secs(site.org.settings().session_seconds);
    let id = format!("{}/id/{}/{}", site.instance_url, site.org.org_id(), user.user_id);
    let issued_at = site.org.clock().now().as_millisecond().to_string();
    let mut reply = json!({
        "access_token": site.org.open_session(&user.user_id, lifetime),
        "id": id,
        "instance_url": *site.instance_url,
        "issued_at": issued_at,
        "signature": STANDARD.encode(Sha256::digest(format!("{id}{issued_at}"))),
        "token_type": "Bearer",
    });
    if let (true, Some(map)) = (with_scope, reply.as_object_mut()) {
        map.insert("scope".to_owned(), Value::String("api id".to_owned()));
    }
    reply
}
