//! A server on loopback that answers from a script and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;

use crate::{
    clock::Clock,
    domain::{ObjectName, RecordId},
    salesforce::{Connection, ConnectionSettings, Credentials, RowWrite},
};

/// One scripted answer to a data request.
pub enum Answer {
    /// Status and JSON body.
    Json(u16, Value),
    /// A table, and where the next part of it begins.
    Table(&'static str, &'static str),
    /// Status and HTML body.
    Html(u16, &'static str),
    /// The body stops half-way.
    Broken,
    /// No answer before the client's patience ends.
    Silence,
}

/// A request as it came in.
#[derive(Clone)]
pub struct Asked {
    pub line: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    tokens: VecDeque<(u16, Value)>,
    asked: Vec<Asked>,
    logins: Vec<String>,
}

#[derive(Clone, Default)]
pub struct Fake {
    script: Arc<Mutex<Script>>,
    pub url: String,
}

impl Fake {
    pub async fn start(answers: Vec<Answer>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script { answers: answers.into(), ..Script::default() }));
        let fake = Self { script, url };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        fake
    }

    /// What the token endpoint answers, one after the other; a good token after that.
    pub fn tokens(self, answers: Vec<(u16, Value)>) -> Self {
        self.script.lock().unwrap().tokens = answers.into();
        self
    }

    pub fn connection(&self) -> Connection {
        self.connection_as(Credentials::ClientCredentials {
            client_id: "app".to_owned(),
            client_secret: "canary-secret".into(),
        })
    }

    pub fn connection_as(&self, credentials: Credentials) -> Connection {
        self.connection_with(credentials, None)
    }

    pub fn connection_with(&self, credentials: Credentials, org_id: Option<&str>) -> Connection {
        Connection::new(ConnectionSettings {
            login_url: self.url.clone(),
            instance_url: None,
            api_version: "67.0".to_owned(),
            credentials,
            org_id: org_id.map(str::to_owned),
            ca_pem: None,
            timeout: Duration::from_millis(500),
            clock: Clock::system(),
        })
        .unwrap()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    pub fn logins(&self) -> Vec<String> {
        self.script.lock().unwrap().logins.clone()
    }
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let headers = request.headers().clone();
    let bytes = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    if line.ends_with("/services/oauth2/token") {
        return token(&fake, &bytes);
    }
    let next = {
        let mut script = fake.script.lock().unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        script.asked.push(Asked { line, headers, body });
        script.answers.pop_front()
    };
    match next {
        Some(Answer::Json(status, body)) => json_reply(status, &body),
        Some(Answer::Html(status, body)) => {
            (StatusCode::from_u16(status).unwrap(), [("content-type", "text/html")], body).into_response()
        }
        Some(Answer::Table(table, next)) => {
            ([("content-type", "text/csv"), ("sforce-locator", next)], table).into_response()
        }
        Some(Answer::Broken) => {
            let half = [Ok(Bytes::from_static(b"[{\"succ")), Err(std::io::Error::other("dropped"))];
            Response::builder()
                .header("content-type", "application/json")
                .body(Body::from_stream(futures::stream::iter(half)))
                .unwrap()
        }
        Some(Answer::Silence) => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            StatusCode::OK.into_response()
        }
        None => json_reply(500, &serde_json::json!([{"errorCode": "SCRIPT_AT_ITS_END", "message": ""}])),
    }
}

fn token(fake: &Fake, form: &[u8]) -> Response {
    let mut script = fake.script.lock().unwrap();
    script.logins.push(String::from_utf8_lossy(form).into_owned());
    let number = script.logins.len();
    let (status, body) = script.tokens.pop_front().unwrap_or_else(|| {
        let org = RecordId::complete("00D000000000001").unwrap();
        let id = format!("{}/id/{org}/005000000000001AAA", fake.url);
        (200, serde_json::json!({ "access_token": format!("canary-token-{number}"), "instance_url": fake.url, "id": id }))
    });
    json_reply(status, &body)
}

fn json_reply(status: u16, body: &Value) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/json;charset=UTF-8")
        .header("sforce-limit-info", "api-usage=18/5000")
        .body(Body::from(body.to_string()))
        .unwrap()
}

pub fn expired() -> Answer {
    Answer::Json(
        401,
        serde_json::json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]),
    )
}

/// A lead's id, by number.
pub fn lead(number: usize) -> RecordId {
    RecordId::parse(&RecordId::complete(&format!("00Q{number:012}")).unwrap()).unwrap()
}

pub fn row(number: usize) -> RowWrite {
    RowWrite {
        object: ObjectName::parse("Lead").unwrap(),
        record: lead(number),
        fields: [("Status".to_owned(), Value::from("Working - Contacted"))].into(),
    }
}
