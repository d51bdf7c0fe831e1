//! OAuth of the simulated org: tokens in by JWT bearer, client credentials or refresh;
//! revoke, introspect, userinfo and the identity URL.

mod identity;
mod jwt;
mod token;

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use url::form_urlencoded;

use super::{Org, server::Site};

/// The OAuth endpoints.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/services/oauth2/token", post(token::handle))
        .route("/services/oauth2/revoke", post(identity::revoke).get(identity::revoke))
        .route("/services/oauth2/introspect", post(identity::introspect))
        .route("/services/oauth2/userinfo", get(identity::userinfo).post(identity::userinfo))
        .route("/id/{org}/{user}", get(identity::identity))
}

/// A refused token request: HTTP 400 with `error` and `error_description`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthError {
    error: String,
    description: String,
    status: StatusCode,
}

impl OAuthError {
    fn new(error: &str, description: &str) -> Self {
        Self { error: error.to_owned(), description: description.to_owned(), status: StatusCode::BAD_REQUEST }
    }

    fn grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }

    fn client_id() -> Self {
        Self::new("invalid_client_id", "client identifier invalid")
    }

    fn client() -> Self {
        Self::new("invalid_client", "invalid client credentials")
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (self.status, Json(body)).into_response()
    }
}

/// Form fields, from the body and the query: both are in use.
fn form(query: Option<&str>, body: &Bytes) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    fields.extend(form_urlencoded::parse(body).into_owned());
    fields
}

/// Checks the client's id and secret, in the form or as HTTP Basic.
fn check_client(org: &Org, headers: &HeaderMap, fields: &BTreeMap<String, String>) -> Result<(), OAuthError> {
    let app = org.oauth_app();
    let (id, secret) = match basic(headers) {
        Some(pair) => pair,
        None => {
            let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
            (field("client_id"), field("client_secret"))
        }
    };
    if id != app.client_id {
        return Err(OAuthError::client_id());
    }
    if secret == app.client_secret { Ok(()) } else { Err(OAuthError::client()) }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
