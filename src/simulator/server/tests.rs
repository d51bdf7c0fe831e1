//! The running org over real sockets: logins, the way of a lost reply, rollback, TLS.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

#[path = "bulk_tests.rs"]
mod bulk;

use super::*;
use crate::{
    clock::Clock,
    simulator::{OrgOptions, Seed, metadata::Package, seed},
};

async fn running(tls: bool) -> RunningOrg {
    let package = Package::embedded().expect("the shipped package deploys");
    let org = Org::new(OrgOptions::new(Clock::adjustable(), package)).unwrap();
    seed::plant(&org, Seed::Demo).unwrap();
    start(org, ServerOptions { tls, ..ServerOptions::default() }).await.unwrap()
}

/// A client of one running org, without the machine's proxies.
struct Caller {
    http: Client,
    base: String,
    token: String,
}

impl Caller {
    fn new(org: &RunningOrg, role: &str) -> Self {
        let http = Client::builder().no_proxy();
        let http = match &org.ca_pem {
            Some(pem) => http.tls_certs_only([reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()]),
            None => http,
        };
        Self {
            http: http.build().unwrap(),
            base: org.instance_url.clone(),
            token: org.access_token(role).unwrap(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.send_with(method, path, body, &[]).await
    }

    async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let path = if path.starts_with("/s") && !path.starts_with("/services") {
            format!("/services/data/v67.0{path}")
        } else {
            path.to_owned()
        };
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.unwrap();
        (reply.status(), serde_json::from_str(&reply.text().await.unwrap()).unwrap_or_default())
    }

    async fn token(&self, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}/services/oauth2/token", self.base)).form(fields);
        let reply = request.send().await.unwrap();
        (reply.status(), reply.json().await.unwrap())
    }

    async fn arm(&self, fault: Value) {
        let (status, _) = self.send(Method::POST, "/__faults", Some(fault)).await;
        assert_eq!(status, StatusCode::OK, "the fault is well-formed");
    }
}

fn assertion(org: &RunningOrg, username: &str) -> String {
    let claims = json!({
        "iss": org.org.oauth_app().client_id,
        "sub": username,
        "aud": org.instance_url,
        "exp": org.org.clock().now().as_second() + 180,
    });
    let key = EncodingKey::from_rsa_pem(org.jwt_key_pem.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
}

fn lead(org: &RunningOrg) -> String {
    let rows = org.org.rows("Lead", false);
    rows[0].get("Id").and_then(crate::domain::FieldValue::as_text).unwrap().to_owned()
}

#[tokio::test]
async fn every_grant_gives_a_token_that_works() {
    let org = running(false).await;
    let mut caller = Caller::new(&org, "admin");
    let jwt = assertion(&org, "promoter@countersign.example");
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let (status, by_jwt) = caller.token(&[("grant_type", bearer), ("assertion", &jwt)]).await;
    assert_eq!(status, StatusCode::OK, "{by_jwt}");
    assert_eq!(by_jwt["instance_url"], org.instance_url);
    assert!(by_jwt.get("refresh_token").is_none());

    let app = org.org.oauth_app();
    let (id, secret) = (app.client_id.as_str(), app.client_secret.as_str());
    let client = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let (status, by_client) = caller.token(&client).await;
    assert_eq!(status, StatusCode::OK, "{by_client}");

    let web = json!({ "user": "reviewer", "refresh": true });
    let (_, web) = caller.send(Method::POST, "/__sessions", Some(web)).await;
    let refresh = web["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", refresh)];
    let (status, by_refresh) = caller.token(&fields).await;
    assert_eq!(status, StatusCode::OK, "{by_refresh}");

    for (reply, username) in [(&by_jwt, "promoter"), (&by_client, "promoter"), (&by_refresh, "reviewer")] {
        caller.token = reply["access_token"].as_str().unwrap().to_owned();
        let (status, about) = caller.send(Method::GET, "/services/oauth2/userinfo", None).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(about["preferred_username"], format!("{username}@countersign.example"));
        assert_eq!(reply["id"], about["sub"]);
    }
}

#[tokio::test]
async fn refused_logins_use_the_documented_words() {
    let org = running(false).await;
    let mut caller = Caller::new(&org, "admin");
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let stranger = assertion(&org, "nobody@countersign.example");
    let app = org.org.oauth_app();
    let cases = [
        (vec![("grant_type", bearer), ("assertion", &stranger)], "user hasn't approved this consumer"),
        (vec![("grant_type", bearer), ("assertion", "x.y.z")], "invalid assertion"),
        (vec![("grant_type", "client_credentials"), ("client_id", "x")], "client identifier invalid"),
        (
            vec![("grant_type", "client_credentials"), ("client_id", &app.client_id), ("client_secret", "x")],
            "invalid client credentials",
        ),
        (
            vec![("grant_type", "refresh_token"), ("client_id", &app.client_id), ("refresh_token", "x")],
            "expired access/refresh token",
        ),
    ];
    for (fields, words) in cases {
        let (status, body) = caller.token(&fields).await;
        assert_eq!((status, body["error_description"].as_str()), (StatusCode::BAD_REQUEST, Some(words)));
    }
    let revoke = format!("/services/oauth2/revoke?token={}", caller.token.replace('!', "%21"));
    assert_eq!(caller.send(Method::POST, &revoke, None).await.0, StatusCode::OK);
    let (status, body) = caller.send(Method::GET, "/sobjects", None).await;
    assert_eq!((status, &body[0]["errorCode"]), (StatusCode::UNAUTHORIZED, &json!("INVALID_SESSION_ID")));
    caller.token = "00D!nonsense".to_owned();
    assert_eq!(caller.send(Method::GET, "/services/oauth2/userinfo", None).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_reply_can_be_lost_after_the_work_is_done() {
    let org = running(false).await;
    let caller = Caller::new(&org, "admin");
    let path = format!("/sobjects/Lead/{}", lead(&org));
    let writes = || org.org.stats().writes.get(&lead(&org)).copied().unwrap_or(0);
    let before = writes();
    let fault =
        json!({ "point": "reply", "match": { "method": "PATCH" }, "action": { "kind": "drop-reply" } });
    caller.arm(fault).await;
    let url = format!("{}/services/data/v67.0{path}", caller.base);
    let lost =
        caller.http.patch(&url).bearer_auth(&caller.token).json(&json!({ "Title": "Kept" })).send().await;
    assert!(lost.is_err(), "the socket closes without a reply");
    assert_eq!(writes(), before + 1, "the write was committed once");
    let (status, row) = caller.send(Method::GET, &path, None).await;
    assert_eq!((status, &row["Title"]), (StatusCode::OK, &json!("Kept")));
}

#[tokio::test]
async fn armed_faults_answer_instead_of_the_org() {
    let org = running(false).await;
    let caller = Caller::new(&org, "admin");
    let path = format!("/sobjects/Lead/{}", lead(&org));
    for (action, status, code) in [
        (json!({ "kind": "daily-limit" }), 403, "REQUEST_LIMIT_EXCEEDED"),
        (json!({ "kind": "service-unavailable" }), 503, "SERVER_UNAVAILABLE"),
        (
            json!({ "kind": "error", "status": 500, "code": "UNKNOWN_EXCEPTION", "message": "x" }),
            500,
            "UNKNOWN_EXCEPTION",
        ),
        (json!({ "kind": "expire-token" }), 401, "INVALID_SESSION_ID"),
    ] {
        let caller = Caller::new(&org, "admin");
        let fault = json!({ "point": "request", "match": { "object": "Lead", "record_id": lead(&org) }, "action": action });
        caller.arm(fault).await;
        let (got, body) = caller.send(Method::GET, &path, None).await;
        assert_eq!((got.as_u16(), body[0]["errorCode"].as_str()), (status, Some(code)));
    }
    let lock = json!({ "point": "row", "action": { "kind": "lock-row" } });
    caller.arm(lock).await;
    let (status, body) = caller.send(Method::PATCH, &path, Some(json!({ "Title": "x" }))).await;
    assert_eq!((status.as_u16(), &body[0]["errorCode"]), (400, &json!("UNABLE_TO_LOCK_ROW")));
    let (status, _) = caller.send(Method::POST, "/__faults", Some(json!({ "point": "nowhere" }))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_stale_write_is_refused_with_412_and_changes_nothing() {
    let org = running(false).await;
    let caller = Caller::new(&org, "admin");
    let path = format!("/sobjects/Lead/{}", lead(&org));
    let old = [("If-Unmodified-Since", "Thu, 20 Nov 2025 19:30:00 GMT")];
    let body = || Some(json!({ "Title": "Stale" }));
    let (status, _) = caller.send_with(Method::PATCH, &path, body(), &old).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    let (_, row) = caller.send(Method::GET, &path, None).await;
    assert_ne!(row["Title"], "Stale");
    let (status, _) =
        caller.send_with(Method::PATCH, &path, body(), &[("If-Unmodified-Since", "soon")]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_composite_of_all_or_none_leaves_no_trace_when_one_part_fails() {
    let org = running(false).await;
    let caller = Caller::new(&org, "admin");
    let (id, tip, accounts) = (lead(&org), org.org.tip(), org.org.row_count("Account"));
    let part = |method: &str, url: &str, name: &str, body: Value| json!({ "method": method, "url": format!("/services/data/v67.0{url}"), "referenceId": name, "body": body });
    let rows = json!([{ "attributes": { "type": "Lead" }, "id": id, "Title": "Gone" }]);
    let body = json!({ "allOrNone": true, "compositeRequest": [
        part("POST", "/sobjects/Account", "account", json!({ "Name": "Example Gone Ltd" })),
        part("PATCH", "/composite/sobjects", "rows", json!({ "records": rows })),
        part("PATCH", &format!("/sobjects/Lead/{id}"), "bad", json!({ "LastName": null })),
    ]});
    let (status, reply) = caller.send(Method::POST, "/services/data/v67.0/composite", Some(body)).await;
    assert_eq!(status, StatusCode::OK);
    let parts = reply["compositeResponse"].as_array().unwrap();
    let codes: Vec<_> = parts.iter().map(|part| part["httpStatusCode"].as_u64().unwrap()).collect();
    assert_eq!(codes, [400, 200, 400]);
    assert_eq!(parts[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(parts[1]["body"][0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(parts[2]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!((org.org.tip(), org.org.row_count("Account")), (tip, accounts), "no event and no row");
}

#[tokio::test]
async fn both_listeners_speak_tls_and_stop() {
    let org = running(true).await;
    assert!(org.instance_url.starts_with("https://localhost:"));
    let caller = Caller::new(&org, "admin");
    assert_eq!(caller.send(Method::GET, "/sobjects", None).await.0, StatusCode::OK);
    let tls = tonic::transport::ClientTlsConfig::new()
        .ca_certificate(tonic::transport::Certificate::from_pem(org.ca_pem.as_deref().unwrap()));
    let endpoint = format!("https://{}", org.pubsub_endpoint);
    let endpoint = tonic::transport::Endpoint::from_shared(endpoint).unwrap().tls_config(tls).unwrap();
    endpoint.connect().await.expect("the Pub/Sub listener shakes hands");
    let key = org.jwt_key_path.clone();
    assert!(key.exists());
    org.shutdown().await.unwrap();
    assert!(!key.exists(), "the private folder is gone");
}
