//! Who a token stands for: userinfo, the identity URL, introspect and revoke.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{check_client, form};
use crate::{
    domain::FieldValue,
    simulator::{UserContext, rest::http::bearer, server::Site},
};

/// `/services/oauth2/userinfo`. A bad token is answered with 403 and plain text.
pub(super) async fn userinfo(
    State(site): State<Site>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let fields = form(query.as_deref(), &body);
    let token = token(&headers, &fields).or_else(|| fields.get("access_token").cloned());
    match token.and_then(|token| site.org.session(&token).ok()) {
        Some(user) => Json(about(&site, &user)).into_response(),
        None => bad_token(),
    }
}

/// `/id/<org>/<user>`
pub(super) async fn identity(
    State(site): State<Site>,
    Path((org, user)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let fields = form(query.as_deref(), &Bytes::new());
    let caller = token(&headers, &fields).and_then(|token| site.org.session(&token).ok());
    let own = site.org.org_id();
    let here = org == own || Some(org.as_str()) == own.get(..15);
    match (caller, site.org.user_by_id(&user)) {
        (Some(caller), Some(user)) if here && caller.user_id == user.user_id => {
            let mut about = about(&site, &user);
            if let Some(map) = about.as_object_mut() {
                map.insert("id".to_owned(), map.get("sub").cloned().unwrap_or_default());
                map.insert("username".to_owned(), Value::String(user.username.clone()));
                map.insert("display_name".to_owned(), map.get("name").cloned().unwrap_or_default());
                map.insert("asserted_user".to_owned(), Value::Bool(true));
            }
            Json(about).into_response()
        }
        (None, _) => bad_token(),
        _ => (StatusCode::NOT_FOUND, "Wrong_Org").into_response(),
    }
}

fn bad_token() -> Response {
    (StatusCode::FORBIDDEN, "Bad_OAuth_Token").into_response()
}

fn token(headers: &HeaderMap, fields: &std::collections::BTreeMap<String, String>) -> Option<String> {
    let text = |value: &axum::http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let header = headers.get("authorization").and_then(text);
    bearer(&header.map(|value| ("authorization".to_owned(), value)).into_iter().collect(), fields)
}

fn about(site: &Site, user: &UserContext) -> Value {
    let row = site.org.row("User", &user.user_id);
    let field =
        |name: &str| row.as_ref().and_then(|row| row.get(name)).map_or(Value::Null, FieldValue::to_json);
    let org_id = site.org.org_id();
    let url = &site.instance_url;
    let soap =
        |api: &str| format!("{url}/services/Soap/{api}/{{version}}/{}", org_id.get(..15).unwrap_or(&org_id));
    let rest = format!("{url}/services/data/v{{version}}/");
    json!({
        "sub": format!("{url}/id/{org_id}/{}", user.user_id),
        "user_id": user.user_id,
        "organization_id": org_id,
        "preferred_username": user.username,
        "nickname": user.role,
        "name": field("Name"),
        "email": field("Email"),
        "email_verified": true,
        "given_name": field("FirstName"),
        "family_name": field("LastName"),
        "zoneinfo": field("TimeZoneSidKey"),
        "language": field("LanguageLocaleKey"),
        "locale": field("LocaleSidKey"),
        "active": true,
        "user_type": "STANDARD",
        "utcOffset": 0,
        "updated_at": field("LastModifiedDate"),
        "is_app_installed": true,
        "urls": {
            "custom_domain": **url,
            "enterprise": soap("c"),
            "metadata": soap("m"),
            "partner": soap("u"),
            "query": format!("{rest}query/"),
            "rest": rest,
            "sobjects": format!("{rest}sobjects/"),
        },
    })
}

/// `/services/oauth2/introspect`: needs the client's credentials, tells nothing about bad tokens.
pub(super) async fn introspect(
    State(site): State<Site>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let fields = form(query.as_deref(), &body);
    if let Err(error) = check_client(&site.org, &headers, &fields) {
        return error.into_response();
    }
    let token = fields.get("token").map(String::as_str).unwrap_or_default();
    let info = site.org.session_info(token).ok();
    let known = info.and_then(|info| Some((site.org.user_by_id(&info.user_id)?, info)));
    let Some((user, info)) = known else {
        return Json(json!({ "active": false })).into_response();
    };
    Json(json!({
        "active": true,
        "scope": "api id",
        "client_id": site.org.oauth_app().client_id,
        "username": user.username,
        "sub": format!("{}/id/{}/{}", site.instance_url, site.org.org_id(), user.user_id),
        "token_type": "access_token",
        "exp": info.expires.as_second(),
        "iat": info.opened.as_second(),
        "nbf": info.opened.as_second(),
    }))
    .into_response()
}

/// `/services/oauth2/revoke`
pub(super) async fn revoke(State(site): State<Site>, RawQuery(query): RawQuery, body: Bytes) -> Response {
    let fields = form(query.as_deref(), &body);
    let token = fields.get("token").map(String::as_str).unwrap_or_default();
    if site.org.revoke_session(token) {
        return StatusCode::OK.into_response();
    }
    let body =
        json!({ "error": "unsupported_token_type", "error_description": "this token type is not supported" });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
